//! ScheduleKeyDeletion, CancelKeyDeletion.

use std::sync::Arc;

use jiff::SignedDuration;
use store::KeyRecord;
use wire::enums::KeyState;
use wire::kms::keys::{
    CancelKeyDeletionRequest, CancelKeyDeletionResponse, ScheduleKeyDeletionRequest,
    ScheduleKeyDeletionResponse,
};
use wire::shape::required;

use super::super::DEFAULT;
use super::super::import::lacks_material;
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::facts::{Facts, Lifecycle};
use crate::key_state::KeyStateRule;
use crate::operation::{Operation, Spec};
use crate::quotas::RequestQuota;
use crate::target::{KeyName, OneKey, Target};
use crate::trail::Done;

/// The shortest waiting period before deletion that AWS accepts, in days.
const PENDING_WINDOW_DAYS_MIN: i64 = 7;
/// The longest, in days.
const PENDING_WINDOW_DAYS_MAX: i64 = 30;
/// The one taken when none is given, in days.
const PENDING_WINDOW_DAYS_DEFAULT: i64 = 30;

/// Sets the date on which a key and its material are destroyed.
pub(crate) struct ScheduleKeyDeletion;

impl Operation for ScheduleKeyDeletion {
    type Request = ScheduleKeyDeletionRequest;
    type Target = OneKey;
    type Response = ScheduleKeyDeletionResponse;
    const SPEC: Spec = Spec {
        name: "ScheduleKeyDeletion",
        actions: &["kms:ScheduleKeyDeletion"],
        key_state: KeyStateRule::Deletable,
        records_answer: true,
        request_quota: RequestQuota::Own(15),
        ..DEFAULT
    };

    fn check(request: &ScheduleKeyDeletionRequest) -> Result<(), ServiceError> {
        let Some(days) = request.pending_window_in_days else { return Ok(()) };
        let (bound, relation) = match days {
            ..PENDING_WINDOW_DAYS_MIN => (PENDING_WINDOW_DAYS_MIN, "greater"),
            PENDING_WINDOW_DAYS_MIN..=PENDING_WINDOW_DAYS_MAX => return Ok(()),
            _ => (PENDING_WINDOW_DAYS_MAX, "less"),
        };
        Err(ServiceError::validation(format!(
            "1 validation error detected: Value '{days}' at 'pendingWindowInDays' failed to satisfy constraint: Member must have value {relation} than or equal to {bound}"
        )))
    }

    fn names(
        request: &ScheduleKeyDeletionRequest,
    ) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    fn facts(request: &ScheduleKeyDeletionRequest) -> Facts<'_> {
        Facts {
            lifecycle: Lifecycle {
                pending_window_days: request.pending_window_in_days,
                ..Lifecycle::default()
            },
            ..Facts::default()
        }
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        request: &ScheduleKeyDeletionRequest,
    ) -> Result<Done<ScheduleKeyDeletionResponse>, ServiceError> {
        let days = request.pending_window_in_days.unwrap_or(PENDING_WINDOW_DAYS_DEFAULT);
        let pending_window_days = u16::try_from(days).map_err(ServiceError::internal)?;
        let deletion_date = context.now() + SignedDuration::from_hours(24 * days);
        let checked = Arc::clone(&target.key);
        context
            .change(Vec::new(), move |transaction| {
                let mut record = Context::same_key(transaction, &checked)?;
                // A primary key outlives its replicas; its time begins when the last of them is gone.
                let (key_state, deletion_date) = match has_replicas(&record) {
                    true => (KeyState::PendingReplicaDeletion, None),
                    false => (KeyState::PendingDeletion, Some(deletion_date)),
                };
                record.key.state = key_state;
                record.key.deletion_date = deletion_date;
                record.key.pending_window_days = Some(pending_window_days);
                transaction.save_key(&record)?;
                Ok(ScheduleKeyDeletionResponse {
                    key_id: checked.arn(),
                    deletion_date,
                    key_state,
                    pending_window_in_days: pending_window_days,
                })
            })
            .await
    }
}

/// Takes the deletion date away; the key stays disabled.
pub(crate) struct CancelKeyDeletion;

impl Operation for CancelKeyDeletion {
    type Request = CancelKeyDeletionRequest;
    type Target = OneKey;
    type Response = CancelKeyDeletionResponse;
    const SPEC: Spec = Spec {
        name: "CancelKeyDeletion",
        actions: &["kms:CancelKeyDeletion"],
        key_state: KeyStateRule::PendingDeletion,
        records_answer: true,
        ..DEFAULT
    };

    fn names(
        request: &CancelKeyDeletionRequest,
    ) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        _request: &CancelKeyDeletionRequest,
    ) -> Result<Done<CancelKeyDeletionResponse>, ServiceError> {
        let checked = Arc::clone(&target.key);
        context
            .change(Vec::new(), move |transaction| {
                let mut record = Context::same_key(transaction, &checked)?;
                record.key.state = match lacks_material(&record) {
                    true => KeyState::PendingImport,
                    false => KeyState::Disabled,
                };
                record.key.deletion_date = None;
                record.key.pending_window_days = None;
                transaction.save_key(&record)?;
                Ok(CancelKeyDeletionResponse { key_id: checked.arn() })
            })
            .await
    }
}

/// Whether the key is the primary of multi-Region keys with replicas left.
fn has_replicas(record: &KeyRecord) -> bool {
    record.multi_region.as_ref().is_some_and(|related| {
        related.primary_region == record.key.region && !related.replica_regions.is_empty()
    })
}
