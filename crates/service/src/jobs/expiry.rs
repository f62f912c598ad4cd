//! Destroys imported material that has expired.

use jiff::Timestamp;
use store::KeyRecord;
use wire::enums::ImportState;
use wire::names::{KeyId, KeyMaterialId, Region};

use super::{KEYS_AT_ONCE_MAX, change, for_each};
use crate::error::ServiceError;
use crate::events;
use crate::host::Host;
use crate::kms::import::lose;
use crate::snapshot::identity_of;

pub(super) async fn run(host: &Host) -> Result<(), ServiceError> {
    let now = host.clock.now();
    let look = move |snapshot: &store::Snapshot<'_>| snapshot.imports_due(now, KEYS_AT_ONCE_MAX);
    for_each(host, look, |region, key_id| expire(host, region, key_id, now)).await
}

/// Destroys one expired material after the other, each with its event.
async fn expire(
    host: &Host,
    region: Region,
    key_id: KeyId,
    now: Timestamp,
) -> Result<(), ServiceError> {
    loop {
        let event_id = host.uuid()?;
        let expired = change(host, move |transaction, events| {
            let Some(mut record) = transaction.key(region, key_id)? else { return Ok(None) };
            // Whoever imported it again since the look was first.
            let Some(id) = expired(&record, now) else { return Ok(None) };
            lose(transaction, &mut record, id)?;
            transaction.save_key(&record)?;
            events.push(events::material_expired(&record, id, event_id, now));
            Ok(Some((record.key, id)))
        })
        .await?;
        let Some((key, id)) = expired else { return Ok(()) };
        host.forget_destroyed(&identity_of(host.deployment_id, &key, id));
        tracing::info!(%region, %key_id, key_material_id = %id, "imported material expired");
    }
}

fn expired(record: &KeyRecord, now: Timestamp) -> Option<KeyMaterialId> {
    let is_expired = |row: &&store::MaterialImportRow| {
        row.import_state == ImportState::Imported && row.valid_to.is_some_and(|date| date <= now)
    };
    record.material_imports.iter().find(is_expired).map(|row| row.key_material_id)
}
