//! EnableKeyRotation, DisableKeyRotation, GetKeyRotationStatus, RotateKeyOnDemand, ListKeyRotations.

mod list;
mod on_demand;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use store::{KeyRecord, RotationRow};
use wire::enums::{KeySpec, KeyState, MultiRegionKeyType, OriginType};
use wire::error_codes::ErrorCode;
use wire::kms::rotation::{
    DisableKeyRotationRequest, EnableKeyRotationRequest, GetKeyRotationStatusRequest,
    GetKeyRotationStatusResponse,
};
use wire::shape::required;

pub(crate) use self::list::ListKeyRotations;
pub(crate) use self::on_demand::RotateKeyOnDemand;
use super::DEFAULT;
use super::materials::{other_regions, related_key};
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::facts::{Facts, Lifecycle};
use crate::key_state::KeyStateRule;
use crate::operation::{AnswerForm, Operation, Spec};
use crate::quotas::RequestQuota;
use crate::snapshot::KeySnapshot;
use crate::target::{KeyName, OneKey, Target};
use crate::trail::Done;

/// Days between rotations unless the caller says otherwise.
pub(crate) const ROTATION_PERIOD_DAYS_DEFAULT: u16 = 365;

/// Has a key's material replaced every so often.
pub(crate) struct EnableKeyRotation;

impl Operation for EnableKeyRotation {
    type Request = EnableKeyRotationRequest;
    type Target = OneKey;
    type Response = ();
    const SPEC: Spec = Spec {
        name: "EnableKeyRotation",
        actions: &["kms:EnableKeyRotation"],
        key_state: KeyStateRule::Usable,
        answer: AnswerForm::Empty,
        request_quota: RequestQuota::Own(15),
        records_key: true,
        ..DEFAULT
    };

    fn names(
        request: &EnableKeyRotationRequest,
    ) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    fn facts(request: &EnableKeyRotationRequest) -> Facts<'_> {
        let period = request.rotation_period_in_days;
        Facts {
            lifecycle: Lifecycle {
                rotation_period_days: Some(period.unwrap_or(ROTATION_PERIOD_DAYS_DEFAULT.into())),
                ..Lifecycle::default()
            },
            ..Facts::default()
        }
    }

    fn kind(_request: &EnableKeyRotationRequest, target: &OneKey) -> Result<(), ServiceError> {
        check_origin(&target.key)
    }

    fn suits(_request: &EnableKeyRotationRequest, target: &OneKey) -> Result<(), ServiceError> {
        check_spec(&target.key)?;
        check_primary(&target.key)
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        request: &EnableKeyRotationRequest,
    ) -> Result<Done<()>, ServiceError> {
        let rotation_period_days = match request.rotation_period_in_days {
            Some(days) => u16::try_from(days).map_err(ServiceError::internal)?,
            None => ROTATION_PERIOD_DAYS_DEFAULT,
        };
        let now = context.now();
        change_rotation(context, &target, move |record| {
            let enabled = record.rotation.as_ref().map_or(now, |row| row.enabled);
            Some(schedule(record, rotation_period_days, enabled, now))
        })
        .await
    }
}

/// Leaves a key's material as it is from now on.
pub(crate) struct DisableKeyRotation;

impl Operation for DisableKeyRotation {
    type Request = DisableKeyRotationRequest;
    type Target = OneKey;
    type Response = ();
    const SPEC: Spec = Spec {
        name: "DisableKeyRotation",
        actions: &["kms:DisableKeyRotation"],
        key_state: KeyStateRule::Usable,
        answer: AnswerForm::Empty,
        records_key: true,
        ..DEFAULT
    };

    fn names(
        request: &DisableKeyRotationRequest,
    ) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    fn kind(_request: &DisableKeyRotationRequest, target: &OneKey) -> Result<(), ServiceError> {
        check_origin(&target.key)
    }

    fn suits(_request: &DisableKeyRotationRequest, target: &OneKey) -> Result<(), ServiceError> {
        check_spec(&target.key)?;
        check_primary(&target.key)
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        _request: &DisableKeyRotationRequest,
    ) -> Result<Done<()>, ServiceError> {
        change_rotation(context, &target, |_| None).await
    }
}

/// Tells whether and when a key's material will be replaced.
pub(crate) struct GetKeyRotationStatus;

impl Operation for GetKeyRotationStatus {
    type Request = GetKeyRotationStatusRequest;
    type Target = OneKey;
    type Response = GetKeyRotationStatusResponse;
    const SPEC: Spec = Spec {
        name: "GetKeyRotationStatus",
        actions: &["kms:GetKeyRotationStatus"],
        cross_account: true,
        read_only: true,
        request_quota: RequestQuota::Own(1_000),
        ..DEFAULT
    };

    fn names(
        request: &GetKeyRotationStatusRequest,
    ) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    fn kind(_request: &GetKeyRotationStatusRequest, target: &OneKey) -> Result<(), ServiceError> {
        check_spec(&target.key)
    }

    async fn handle(
        _context: &Context<'_>,
        target: Authorized<OneKey>,
        _request: &GetKeyRotationStatusRequest,
    ) -> Result<Done<GetKeyRotationStatusResponse>, ServiceError> {
        let key = &target.key;
        // "While a KMS key is pending deletion, its key rotation status is false" (API reference).
        let is_pending_deletion =
            matches!(key.state(), KeyState::PendingDeletion | KeyState::PendingReplicaDeletion);
        let rotation = key.record().rotation.as_ref().filter(|_| !is_pending_deletion);
        Ok(Done::read(GetKeyRotationStatusResponse {
            key_rotation_enabled: rotation.is_some(),
            key_id: key.arn(),
            rotation_period_in_days: rotation.map(|row| row.rotation_period_days),
            next_rotation_date: rotation.map(|row| row.next_rotation),
            // A rotation on demand is done before it is answered, so none is ever under way.
            on_demand_rotation_start_date: None,
        }))
    }
}

/// When the material is to be replaced next: a period after it last was, or after rotation was enabled, and never in the past.
fn schedule(
    record: &KeyRecord,
    rotation_period_days: u16,
    enabled: Timestamp,
    now: Timestamp,
) -> RotationRow {
    let automatic = record
        .material_rotations
        .iter()
        .filter(|row| row.rotation_type == wire::enums::RotationType::Automatic)
        .map(|row| row.rotated);
    let last = automatic.chain([enabled]).max().unwrap_or(enabled);
    let next_rotation = (last + period(rotation_period_days)).max(now);
    RotationRow { rotation_period_days, enabled, next_rotation }
}

/// So many days of 24 hours.
pub(crate) fn period(days: u16) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(days))
}

/// Sets the rotation of a key and all its related keys, which share it.
async fn change_rotation(
    context: &Context<'_>,
    target: &Authorized<OneKey>,
    decide: impl FnOnce(&KeyRecord) -> Option<RotationRow> + Send + 'static,
) -> Result<Done<()>, ServiceError> {
    let checked = Arc::clone(&target.key);
    context
        .change(Vec::new(), move |transaction| {
            let mut record = Context::same_key(transaction, &checked)?;
            record.rotation = decide(&record);
            for region in other_regions(&record) {
                let mut other = related_key(transaction, &record, region)?;
                other.rotation.clone_from(&record.rotation);
                transaction.save_key(&other)?;
            }
            transaction.save_key(&record)?;
            Ok(())
        })
        .await
}

/// Only material that was made here can be replaced by itself.
fn check_origin(key: &KeySnapshot) -> Result<(), ServiceError> {
    match key.key().origin {
        OriginType::AwsKms => Ok(()),
        OriginType::External => Err(ServiceError::unsupported(
            "You cannot enable automatic rotation of imported key material.",
        )),
        origin @ (OriginType::AwsCloudHsm | OriginType::ExternalKeyStore) => {
            Err(ServiceError::wrong_origin(key.arn_text(), origin))
        }
    }
}

/// Only symmetric encryption keys have versions.
fn check_spec(key: &KeySnapshot) -> Result<(), ServiceError> {
    match key.key().key_spec == KeySpec::SymmetricDefault {
        true => Ok(()),
        false => Err(ServiceError::bare(ErrorCode::UnsupportedOperationException)),
    }
}

/// Of multi-Region keys the primary alone is rotated; the others follow.
fn check_primary(key: &KeySnapshot) -> Result<(), ServiceError> {
    match key.multi_region_key_type() {
        Some(MultiRegionKeyType::Replica) => Err(ServiceError::not_primary(key.arn_text())),
        Some(MultiRegionKeyType::Primary) | None => Ok(()),
    }
}
