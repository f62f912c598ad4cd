//! Versions of key material: making them, and what a rotation does to a key and its related keys.

use custody::{MaterialIdentity, WrappedMaterial};
use jiff::{SignedDuration, Timestamp};
use store::{KeyRecord, KeyRow, MaterialRotationRow, MaterialRow, Transaction};
use wire::enums::{KeyMaterialState, RotationType};
use wire::names::{KeyMaterialId, Region};

use crate::context::Context;
use crate::error::ServiceError;
use crate::host::Host;
use crate::snapshot::identity_of;

/// The first material of a key.
pub(super) async fn new_material(
    context: &Context<'_>,
    key: &KeyRow,
    key_material_id: KeyMaterialId,
) -> Result<MaterialRow, ServiceError> {
    let identity = identity_of(context.host().deployment_id, key, key_material_id);
    let wrapped = context.custodian().generate(&identity).await?;
    Ok(row(key_material_id, wrapped, context.now(), KeyMaterialState::Current))
}

/// Wrapped material as a row.
pub(super) fn row(
    key_material_id: KeyMaterialId,
    wrapped: WrappedMaterial,
    created: Timestamp,
    state: KeyMaterialState,
) -> MaterialRow {
    MaterialRow {
        key_material_id,
        domain_key_version: wrapped.domain_key_version,
        wrapped: wrapped.bytes,
        created,
        state,
    }
}

/// Material that is known to a key and not here: never imported into this Region, deleted or expired.
pub(super) fn absent_row(other: &MaterialRow) -> MaterialRow {
    MaterialRow { wrapped: Vec::new(), ..other.clone() }
}

/// Fresh material for a key and, under the same id, for each related key: wrapped for its own Region, and nowhere in between
/// in the clear.
pub(crate) async fn fresh_for_all(
    host: &Host,
    record: &KeyRecord,
    now: Timestamp,
) -> Result<Vec<(Region, MaterialRow)>, ServiceError> {
    let key = &record.key;
    let id = KeyMaterialId::from_bytes(crypto::rng::array(&*host.rng)?);
    let identity = identity_of(host.deployment_id, key, id);
    let wrapped = host.custodian.generate(&identity).await?;
    let mut rows = Vec::new();
    for region in other_regions(record) {
        let next = MaterialIdentity { region, ..identity };
        let rewrapped = host.custodian.rewrap(&identity, &wrapped, &next).await?;
        rows.push((region, row(id, rewrapped, now, KeyMaterialState::Current)));
    }
    rows.push((key.region, row(id, wrapped, now, KeyMaterialState::Current)));
    Ok(rows)
}

/// Makes a material the one that encrypts. It is in the record already or is given.
pub(crate) fn rotate(
    record: &mut KeyRecord,
    key_material_id: KeyMaterialId,
    fresh: Option<MaterialRow>,
    rotation_type: RotationType,
    now: Timestamp,
) {
    record.materials.extend(fresh);
    for material in &mut record.materials {
        if material.key_material_id == key_material_id {
            material.state = KeyMaterialState::Current;
        } else if material.state == KeyMaterialState::Current {
            material.state = KeyMaterialState::NonCurrent;
        }
    }
    record.key.current_key_material_id = Some(key_material_id);
    let rotated = rotation_date(record, now);
    record.material_rotations.push(MaterialRotationRow { key_material_id, rotated, rotation_type });
}

/// When a rotation is said to be done: now, and after every other, since dates tell the order. Of two calls at once the one
/// that commits last may have begun first.
fn rotation_date(record: &KeyRecord, now: Timestamp) -> Timestamp {
    let last = record.material_rotations.iter().map(|row| row.rotated).max();
    last.map_or(now, |last| now.max(last + SignedDuration::from_nanos(1)))
}

/// Rotates a key and all its related keys to fresh material.
pub(crate) fn rotate_to_fresh(
    transaction: &mut Transaction<'_>,
    record: &mut KeyRecord,
    fresh: Vec<(Region, MaterialRow)>,
    rotation_type: RotationType,
    now: Timestamp,
) -> Result<(), ServiceError> {
    for (region, row) in fresh {
        let id = row.key_material_id;
        if region == record.key.region {
            rotate(record, id, Some(row), rotation_type, now);
            transaction.save_key(record)?;
        } else {
            let mut other = related_key(transaction, record, region)?;
            rotate(&mut other, id, Some(row), rotation_type, now);
            transaction.save_key(&other)?;
        }
    }
    Ok(())
}

/// The Regions of the related keys, the key's own left out.
pub(crate) fn other_regions(record: &KeyRecord) -> Vec<Region> {
    let Some(related) = &record.multi_region else { return Vec::new() };
    std::iter::once(related.primary_region)
        .chain(related.replica_regions.iter().copied())
        .filter(|region| *region != record.key.region)
        .collect()
}

/// A related key, as it stands now. That it does not is a fault of the store's contents.
pub(crate) fn related_key(
    transaction: &Transaction<'_>,
    record: &KeyRecord,
    region: Region,
) -> Result<KeyRecord, ServiceError> {
    let key_id = record.key.key_id;
    transaction.key(region, key_id)?.ok_or_else(|| {
        ServiceError::internal(format!("{key_id} is said to have a related key in {region}"))
    })
}
