//! Where imported material goes: the first of its key, one that comes back, or one that waits for a rotation.

use custody::WrappedMaterial;
use jiff::Timestamp;
use store::{KeyRecord, MaterialImportRow, MaterialRow, Transaction};
use wire::enums::{ImportState, ImportType, KeyMaterialState, KeySpec, KeyState, OriginType};
use wire::error_codes::ErrorCode;
use wire::names::KeyMaterialId;

use super::super::materials::{absent_row, other_regions, related_key, row};
use crate::error::ServiceError;

/// Material to be placed.
pub(super) struct Import {
    pub(super) key_material_id: KeyMaterialId,
    pub(super) wrapped: WrappedMaterial,
    pub(super) import_type: Option<ImportType>,
    pub(super) description: Option<String>,
    pub(super) valid_to: Option<Timestamp>,
    pub(super) now: Timestamp,
}

/// Places imported material in its key and makes it known to the related keys.
pub(super) fn place(
    transaction: &mut Transaction<'_>,
    mut record: KeyRecord,
    arn: &str,
    import: &Import,
) -> Result<(), ServiceError> {
    let mut others = other_regions(&record)
        .into_iter()
        .map(|region| related_key(transaction, &record, region))
        .collect::<Result<Vec<_>, _>>()?;
    let state = state_of(&record, arn, import)?;
    let is_known = material(&record, import.key_material_id).is_some();
    hold(&mut record, state, import);
    if !is_known {
        let placed = absent_row(
            material(&record, import.key_material_id)
                .ok_or_else(|| ServiceError::internal("imported material was not placed"))?,
        );
        for other in &mut others {
            announce(other, &placed, import.now);
        }
    }
    settle(&mut record);
    let mut related = others;
    related.push(record);
    end_wait(&mut related);
    for record in &related {
        transaction.save_key(record)?;
    }
    Ok(())
}

/// Lets imported material be rotated to that all of a primary key and its replicas hold. `related` are all of them.
pub(crate) fn end_wait(related: &mut [KeyRecord]) {
    let waits =
        |row: &&MaterialRow| row.state == KeyMaterialState::PendingMultiRegionImportAndRotation;
    let waiting = related.iter().flat_map(|record| &record.materials).find(waits);
    let Some(id) = waiting.map(|row| row.key_material_id) else { return };
    if related.iter().all(|record| is_imported(record, id)) {
        for record in related {
            set_state(record, id, KeyMaterialState::PendingRotation);
        }
    }
}

/// What the material is to its key, if it may be imported at all.
fn state_of(
    record: &KeyRecord,
    arn: &str,
    import: &Import,
) -> Result<KeyMaterialState, ServiceError> {
    let is_first = record.materials.is_empty();
    let is_symmetric = record.key.key_spec == KeySpec::SymmetricDefault;
    let import_type = import.import_type.unwrap_or(match is_first {
        true => ImportType::NewKeyMaterial,
        false => ImportType::ExistingKeyMaterial,
    });
    let known = material(record, import.key_material_id).map(|row| row.state);
    match (import_type, known) {
        (ImportType::ExistingKeyMaterial, Some(state)) => Ok(state),
        // What waits may be imported once more as what it is.
        (
            ImportType::NewKeyMaterial,
            Some(
                state @ (KeyMaterialState::PendingRotation
                | KeyMaterialState::PendingMultiRegionImportAndRotation),
            ),
        ) => Ok(state),
        (ImportType::NewKeyMaterial, Some(_)) => Err(ServiceError::incorrect_key_material(
            "The key material is already associated with the KMS key.",
        )),
        (ImportType::ExistingKeyMaterial, None) => Err(ServiceError::incorrect_key_material(
            "The key material is not the key material that was previously imported into the KMS key.",
        )),
        (ImportType::NewKeyMaterial, None) if is_replica(record) => {
            Err(ServiceError::not_primary(arn))
        }
        (ImportType::NewKeyMaterial, None) if is_first => Ok(KeyMaterialState::Current),
        (ImportType::NewKeyMaterial, None) if !is_symmetric => {
            Err(ServiceError::incorrect_key_material(
                "The key material is not the key material that was previously imported into the KMS key.",
            ))
        }
        (ImportType::NewKeyMaterial, None) => {
            refuse_second_pending(record, arn, import)?;
            Ok(match other_regions(record).is_empty() {
                true => KeyMaterialState::PendingRotation,
                false => KeyMaterialState::PendingMultiRegionImportAndRotation,
            })
        }
    }
}

fn refuse_second_pending(
    record: &KeyRecord,
    arn: &str,
    import: &Import,
) -> Result<(), ServiceError> {
    let pending = record.materials.iter().find(|row| !is_for_good(row.state));
    let Some(pending) = pending else { return Ok(()) };
    Err(ServiceError::new(
        ErrorCode::KMSInvalidStateException,
        format!(
            "New key material (id: {}) cannot be imported into KMS key {arn}, because another key material (id: {}) is pending rotation.",
            import.key_material_id, pending.key_material_id
        ),
    ))
}

/// Puts the material and what is said of it into the record.
fn hold(record: &mut KeyRecord, state: KeyMaterialState, import: &Import) {
    let id = import.key_material_id;
    let created = material(record, id).map_or(import.now, |row| row.created);
    let former = record.material_imports.iter().find(|row| row.key_material_id == id);
    // "KMS retains the value you specified when you last imported the same key material" (API reference).
    let description = import
        .description
        .clone()
        .or_else(|| former.map(|row| row.description.clone()))
        .unwrap_or_default();
    record.materials.retain(|row| row.key_material_id != id);
    record.materials.push(row(id, import.wrapped.clone(), created, state));
    record.material_imports.retain(|row| row.key_material_id != id);
    record.material_imports.push(MaterialImportRow {
        key_material_id: id,
        description,
        valid_to: import.valid_to,
        import_state: ImportState::Imported,
        imported: import.now,
    });
    if state == KeyMaterialState::Current {
        record.key.current_key_material_id = Some(id);
    }
}

/// Tells a related key of material that it does not hold yet.
fn announce(other: &mut KeyRecord, placed: &MaterialRow, now: Timestamp) {
    if placed.state == KeyMaterialState::Current {
        other.key.current_key_material_id = Some(placed.key_material_id);
    }
    other.materials.push(placed.clone());
    other.material_imports.push(not_imported(placed.key_material_id, now));
}

/// What is said of material that a related key holds and this one does not.
pub(in crate::kms) fn not_imported(
    key_material_id: KeyMaterialId,
    now: Timestamp,
) -> MaterialImportRow {
    MaterialImportRow {
        key_material_id,
        description: String::new(),
        valid_to: None,
        import_state: ImportState::PendingImport,
        imported: now,
    }
}

/// A key whose material is all here goes to work.
fn settle(record: &mut KeyRecord) {
    if record.key.state == KeyState::PendingImport && !lacks_material(record) {
        record.key.state = KeyState::Enabled;
    }
}

/// Whether material must be imported before the key can work.
pub(crate) fn lacks_material(record: &KeyRecord) -> bool {
    let is_lost = |row: &MaterialRow| is_for_good(row.state) && row.wrapped.is_empty();
    record.key.origin == OriginType::External
        && (record.materials.is_empty() || record.materials.iter().any(is_lost))
}

/// Whether material of that state belongs to its key for good.
pub(super) fn is_for_good(state: KeyMaterialState) -> bool {
    match state {
        KeyMaterialState::Current | KeyMaterialState::NonCurrent => true,
        KeyMaterialState::PendingRotation
        | KeyMaterialState::PendingMultiRegionImportAndRotation => false,
    }
}

fn is_replica(record: &KeyRecord) -> bool {
    record.multi_region.as_ref().is_some_and(|row| row.primary_region != record.key.region)
}

fn is_imported(record: &KeyRecord, id: KeyMaterialId) -> bool {
    record
        .material_imports
        .iter()
        .any(|row| row.key_material_id == id && row.import_state == ImportState::Imported)
}

fn set_state(record: &mut KeyRecord, id: KeyMaterialId, state: KeyMaterialState) {
    for row in record.materials.iter_mut().filter(|row| row.key_material_id == id) {
        row.state = state;
    }
}

fn material(record: &KeyRecord, id: KeyMaterialId) -> Option<&MaterialRow> {
    record.materials.iter().find(|row| row.key_material_id == id)
}
