//! ListKeyRotations.

use store::{KeyRecord, MaterialRow};
use wire::enums::{ExpirationModel, IncludeKeyMaterial, KeyMaterialState, OriginType};
use wire::kms::rotation::{ListKeyRotationsRequest, ListKeyRotationsResponse, RotationsListEntry};
use wire::names::KeyMaterialId;
use wire::shape::required;
use wire::values::OneOf;

use super::super::DEFAULT;
use super::check_spec;
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::operation::{Operation, Spec};
use crate::page::{self, Page};
use crate::quotas::RequestQuota;
use crate::target::{KeyName, OneKey, Target};
use crate::trail::Done;

/// Lists the versions of a key's material.
pub(crate) struct ListKeyRotations;

impl Operation for ListKeyRotations {
    type Request = ListKeyRotationsRequest;
    type Target = OneKey;
    type Response = ListKeyRotationsResponse;
    const SPEC: Spec = Spec {
        name: "ListKeyRotations",
        actions: &["kms:ListKeyRotations"],
        read_only: true,
        request_quota: RequestQuota::Own(100),
        ..DEFAULT
    };

    fn names(
        request: &ListKeyRotationsRequest,
    ) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    fn kind(_request: &ListKeyRotationsRequest, target: &OneKey) -> Result<(), ServiceError> {
        check_spec(&target.key)
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        request: &ListKeyRotationsRequest,
    ) -> Result<Done<ListKeyRotationsResponse>, ServiceError> {
        let limit = page::limit(request.limit, 100, 1000)?;
        let include = request.include_key_material.as_ref().and_then(OneOf::known);
        let include = include.unwrap_or(IncludeKeyMaterial::RotationsOnly);
        let filter = format!("{}/{include}", target.key.key_id());
        let after: Option<KeyMaterialId> =
            page::after(context, "ListKeyRotations", &filter, request.marker.as_deref())?;
        let mut entries = entries(target.key.record(), include);
        if let Some(after) = after {
            // Versions are only ever added behind, or at the end; one that is gone meanwhile was the last.
            let position = entries.iter().position(|entry| entry.key_material_id == after);
            entries.drain(..position.map_or(entries.len(), |position| position + 1));
        }
        let page = Page::cut(entries, limit);
        let next_marker = match page.last_if_truncated() {
            Some(entry) => {
                let last = entry.key_material_id.to_string();
                Some(page::marker(context, "ListKeyRotations", &filter, &last)?)
            }
            None => None,
        };
        Ok(Done::read(ListKeyRotationsResponse {
            truncated: next_marker.is_some(),
            next_marker,
            rotations: page.items,
        }))
    }
}

/// The versions that were asked for: the first, those that a rotation brought in their order, those that wait.
fn entries(record: &KeyRecord, include: IncludeKeyMaterial) -> Vec<RotationsListEntry> {
    let mut entries: Vec<RotationsListEntry> = record
        .materials
        .iter()
        .map(|material| entry(record, material))
        .filter(|entry| match include {
            IncludeKeyMaterial::AllKeyMaterial => true,
            IncludeKeyMaterial::RotationsOnly => entry.rotation_date.is_some(),
        })
        .collect();
    entries.sort_by_key(|entry| (waits(entry.key_material_state), entry.rotation_date));
    entries
}

fn waits(state: KeyMaterialState) -> bool {
    match state {
        KeyMaterialState::Current | KeyMaterialState::NonCurrent => false,
        KeyMaterialState::PendingRotation
        | KeyMaterialState::PendingMultiRegionImportAndRotation => true,
    }
}

fn entry(record: &KeyRecord, material: &MaterialRow) -> RotationsListEntry {
    let id = material.key_material_id;
    let rotation = record.material_rotations.iter().find(|row| row.key_material_id == id);
    let import = record
        .material_imports
        .iter()
        .find(|row| row.key_material_id == id && record.key.origin == OriginType::External);
    RotationsListEntry {
        key_id: record.key.key_id,
        key_material_id: id,
        key_material_description: import
            .map(|row| row.description.clone())
            .filter(|description| !description.is_empty()),
        import_state: import.map(|row| row.import_state),
        key_material_state: material.state,
        expiration_model: import.map(|row| match row.valid_to {
            Some(_) => ExpirationModel::KeyMaterialExpires,
            None => ExpirationModel::KeyMaterialDoesNotExpire,
        }),
        valid_to: import.and_then(|row| row.valid_to),
        rotation_date: rotation.map(|row| row.rotated),
        rotation_type: rotation.map(|row| row.rotation_type),
    }
}
