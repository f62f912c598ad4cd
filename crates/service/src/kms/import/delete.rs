//! DeleteImportedKeyMaterial, and the same when material expires.

use std::sync::Arc;

use store::{KeyRecord, Transaction};
use wire::enums::{ImportState, KeyState};
use wire::error_codes::ErrorCode;
use wire::kms::import::{DeleteImportedKeyMaterialRequest, DeleteImportedKeyMaterialResponse};
use wire::names::KeyMaterialId;
use wire::shape::required;

use super::super::DEFAULT;
use super::super::materials::{other_regions, related_key};
use super::place::is_for_good;
use super::{check_origin, told};
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::key_state::KeyStateRule;
use crate::operation::{Operation, Spec};
use crate::quotas::RequestQuota;
use crate::snapshot::identity_of;
use crate::target::{KeyName, OneKey, Target};
use crate::trail::Done;

/// Destroys imported material here; whoever has a copy can import it again.
pub(crate) struct DeleteImportedKeyMaterial;

impl Operation for DeleteImportedKeyMaterial {
    type Request = DeleteImportedKeyMaterialRequest;
    type Target = OneKey;
    type Response = DeleteImportedKeyMaterialResponse;
    const SPEC: Spec = Spec {
        name: "DeleteImportedKeyMaterial",
        actions: &["kms:DeleteImportedKeyMaterial"],
        key_state: KeyStateRule::Deleting,
        records_answer: true,
        request_quota: RequestQuota::Own(15),
        ..DEFAULT
    };

    fn names(
        request: &DeleteImportedKeyMaterialRequest,
    ) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    fn kind(
        _request: &DeleteImportedKeyMaterialRequest,
        target: &OneKey,
    ) -> Result<(), ServiceError> {
        check_origin(&target.key)
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        request: &DeleteImportedKeyMaterialRequest,
    ) -> Result<Done<DeleteImportedKeyMaterialResponse>, ServiceError> {
        let checked = Arc::clone(&target.key);
        let record = checked.record();
        let given = request.key_material_id.as_ref();
        let key_material_id = match given {
            Some(given) => {
                let named = |row: &&store::MaterialRow| row.key_material_id.to_string() == *given;
                let row = record.materials.iter().find(named).ok_or_else(|| {
                    ServiceError::new(
                        ErrorCode::NotFoundException,
                        format!("Key material '{given}' does not exist in {}", checked.arn_text()),
                    )
                })?;
                Some(row.key_material_id)
            }
            None => record.key.current_key_material_id,
        };
        let Some(key_material_id) = key_material_id else {
            // Nothing was ever imported, so there is nothing to destroy.
            return Ok(Done::read(DeleteImportedKeyMaterialResponse {
                key_id: checked.arn(),
                key_material_id: None,
            }));
        };
        let identity = identity_of(context.host().deployment_id, &record.key, key_material_id);
        let done = context
            .change(Vec::new(), move |transaction| {
                let mut record = Context::same_key(transaction, &checked)?;
                lose(transaction, &mut record, key_material_id)?;
                transaction.save_key(&record)?;
                Ok(DeleteImportedKeyMaterialResponse {
                    key_id: checked.arn(),
                    key_material_id: told(&checked, key_material_id),
                })
            })
            .await?;
        context.host().forget_destroyed(&identity);
        Ok(done)
    }
}

/// Takes material out of a record, which the caller saves. What waits for a rotation is forgotten, in the primary's case by
/// all related keys; what belongs to the key for good stays known, and the key waits for it.
pub(crate) fn lose(
    transaction: &mut Transaction<'_>,
    record: &mut KeyRecord,
    key_material_id: KeyMaterialId,
) -> Result<(), ServiceError> {
    let is_this = |row: &&store::MaterialRow| row.key_material_id == key_material_id;
    let Some(row) = record.materials.iter().find(is_this) else { return Ok(()) };
    let is_primary =
        record.multi_region.as_ref().is_none_or(|row| row.primary_region == record.key.region);
    if !is_for_good(row.state) && is_primary {
        for region in other_regions(record) {
            let mut other = related_key(transaction, record, region)?;
            forget(&mut other, key_material_id);
            transaction.save_key(&other)?;
        }
        forget(record, key_material_id);
        return Ok(());
    }
    let is_for_good = is_for_good(row.state);
    for row in record.materials.iter_mut().filter(|row| row.key_material_id == key_material_id) {
        row.wrapped.clear();
    }
    for row in &mut record.material_imports {
        if row.key_material_id == key_material_id {
            row.import_state = ImportState::PendingImport;
            row.valid_to = None;
        }
    }
    if is_for_good && matches!(record.key.state, KeyState::Enabled | KeyState::Disabled) {
        record.key.state = KeyState::PendingImport;
    }
    Ok(())
}

fn forget(record: &mut KeyRecord, key_material_id: KeyMaterialId) {
    record.materials.retain(|row| row.key_material_id != key_material_id);
    record.material_imports.retain(|row| row.key_material_id != key_material_id);
}
