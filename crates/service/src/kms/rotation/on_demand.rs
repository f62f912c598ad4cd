//! RotateKeyOnDemand.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use store::{KeyRecord, Transaction};
use wire::enums::{KeyMaterialState, KeyState, OriginType, RotationType};
use wire::error_codes::ErrorCode;
use wire::kms::rotation::{RotateKeyOnDemandRequest, RotateKeyOnDemandResponse};
use wire::names::KeyMaterialId;
use wire::shape::required;

use super::super::DEFAULT;
use super::super::materials::{fresh_for_all, other_regions, related_key, rotate, rotate_to_fresh};
use super::{check_primary, check_spec};
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::events;
use crate::key_state::KeyStateRule;
use crate::operation::{Operation, Spec};
use crate::target::{KeyName, OneKey, Target};
use crate::trail::Done;

/// How often a key can be rotated on demand (AWS: resource quotas).
const ON_DEMAND_ROTATIONS_MAX: usize = 25;

/// How near an automatic rotation keeps one on demand away (API reference, `ConflictException`).
const CONFLICT_WINDOW: SignedDuration = SignedDuration::from_mins(20);

/// Replaces the material of a key now.
pub(crate) struct RotateKeyOnDemand;

impl Operation for RotateKeyOnDemand {
    type Request = RotateKeyOnDemandRequest;
    type Target = OneKey;
    type Response = RotateKeyOnDemandResponse;
    const SPEC: Spec = Spec {
        name: "RotateKeyOnDemand",
        actions: &["kms:RotateKeyOnDemand"],
        key_state: KeyStateRule::Settled,
        records_answer: true,
        ..DEFAULT
    };

    fn names(
        request: &RotateKeyOnDemandRequest,
    ) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    fn suits(_request: &RotateKeyOnDemandRequest, target: &OneKey) -> Result<(), ServiceError> {
        let key = &target.key;
        if let origin @ (OriginType::AwsCloudHsm | OriginType::ExternalKeyStore) = key.key().origin
        {
            return Err(ServiceError::wrong_origin(key.arn_text(), origin));
        }
        check_spec(key)?;
        check_primary(key)
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        _request: &RotateKeyOnDemandRequest,
    ) -> Result<Done<RotateKeyOnDemandResponse>, ServiceError> {
        let (host, now) = (context.host(), context.now());
        let (checked, record) = (Arc::clone(&target.key), target.key.record());
        check_limits(record, checked.arn_text(), now)?;
        let fresh = match record.key.origin == OriginType::External {
            true => None,
            false => Some(fresh_for_all(host, record, now).await?),
        };
        let event_ids = events::ids(host, 1 + other_regions(record).len())?;
        context
            .change_with_events(Vec::new(), move |transaction, events| {
                let mut record = Context::same_key(transaction, &checked)?;
                let former = record.key.current_key_material_id;
                match fresh {
                    Some(fresh) => rotate_to_fresh(
                        transaction,
                        &mut record,
                        fresh,
                        RotationType::OnDemand,
                        now,
                    )?,
                    None => rotate_to_imported(transaction, &mut record, checked.arn_text(), now)?,
                }
                let rotation = events::Rotation { former, rotation_type: RotationType::OnDemand };
                events.extend(events::rotated(&record, rotation, &event_ids, now));
                Ok(RotateKeyOnDemandResponse { key_id: checked.arn() })
            })
            .await
    }
}

fn check_limits(record: &KeyRecord, arn: &str, now: Timestamp) -> Result<(), ServiceError> {
    let is_on_demand =
        |row: &&store::MaterialRotationRow| row.rotation_type == RotationType::OnDemand;
    if record.material_rotations.iter().filter(is_on_demand).count() >= ON_DEMAND_ROTATIONS_MAX {
        return Err(ServiceError::new(
            ErrorCode::LimitExceededException,
            format!(
                "The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: {arn}"
            ),
        ));
    }
    match record.rotation.as_ref().is_some_and(|row| row.next_rotation <= now + CONFLICT_WINDOW) {
        true => Err(ServiceError::new(
            ErrorCode::ConflictException,
            format!("An automatic rotation of {arn} is in progress or about to begin."),
        )),
        false => Ok(()),
    }
}

/// Makes the imported material that waits the one that encrypts, in every Region.
fn rotate_to_imported(
    transaction: &mut Transaction<'_>,
    record: &mut KeyRecord,
    arn: &str,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let id = pending_rotation(record).ok_or_else(|| {
        ServiceError::new(
            ErrorCode::KMSInvalidStateException,
            format!("No available key material pending rotation for the key: {arn}."),
        )
    })?;
    for region in other_regions(record) {
        let mut other = related_key(transaction, record, region)?;
        rotate(&mut other, id, None, RotationType::OnDemand, now);
        // What a replica does not hold any more makes it wait, as any other lost material does.
        let is_here =
            other.materials.iter().any(|row| row.key_material_id == id && !row.wrapped.is_empty());
        if !is_here && matches!(other.key.state, KeyState::Enabled | KeyState::Disabled) {
            other.key.state = KeyState::PendingImport;
        }
        transaction.save_key(&other)?;
    }
    rotate(record, id, None, RotationType::OnDemand, now);
    transaction.save_key(record)?;
    Ok(())
}

/// The imported material that waits, if the primary key itself holds it: one that has become primary may have lost it before.
fn pending_rotation(record: &KeyRecord) -> Option<KeyMaterialId> {
    let pending = |row: &&store::MaterialRow| {
        row.state == KeyMaterialState::PendingRotation && !row.wrapped.is_empty()
    };
    record.materials.iter().find(pending).map(|row| row.key_material_id)
}
