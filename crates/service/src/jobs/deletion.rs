//! Destroys keys whose date has come.

use jiff::{SignedDuration, Timestamp};
use store::{KeyRecord, Transaction};
use wire::enums::KeyState;
use wire::names::{KeyId, Region};

use super::{KEYS_AT_ONCE_MAX, change, for_each};
use crate::error::ServiceError;
use crate::events;
use crate::host::Host;
use crate::kms::import::end_wait;
use crate::kms::{other_regions, related_key};
use crate::snapshot::KeySnapshot;

pub(super) async fn run(host: &Host) -> Result<(), ServiceError> {
    let now = host.clock.now();
    let look = move |snapshot: &store::Snapshot<'_>| snapshot.keys_due(now, KEYS_AT_ONCE_MAX);
    for_each(host, look, |region, key_id| delete(host, region, key_id, now)).await
}

async fn delete(
    host: &Host,
    region: Region,
    key_id: KeyId,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let event_id = host.uuid()?;
    let deleted = change(host, move |transaction, events| {
        let Some(record) = transaction.key(region, key_id)? else { return Ok(None) };
        // Whoever cancelled the deletion since the look was first.
        if record.key.deletion_date.is_none_or(|date| date > now) {
            return Ok(None);
        }
        leave(transaction, &record, now)?;
        transaction.delete_key(region, key_id)?;
        events.push(events::deleted(&record, event_id, now));
        Ok(Some(record))
    })
    .await?;
    let Some(record) = deleted else { return Ok(()) };
    for material in KeySnapshot::new(host.deployment_id, record)?.materials() {
        host.forget_destroyed(&material.identity);
    }
    tracing::info!(%region, %key_id, "a key was deleted on its date");
    Ok(())
}

/// Takes a replica out of what its related keys know. The time of a primary that waits for its replicas begins when the last
/// of them is gone.
fn leave(
    transaction: &mut Transaction<'_>,
    record: &KeyRecord,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let mut others = other_regions(record)
        .into_iter()
        .map(|region| related_key(transaction, record, region))
        .collect::<Result<Vec<_>, _>>()?;
    for other in &mut others {
        let Some(related) = &mut other.multi_region else { continue };
        related.replica_regions.retain(|region| *region != record.key.region);
        let is_last = related.replica_regions.is_empty();
        if is_last && other.key.state == KeyState::PendingReplicaDeletion {
            let days = other.key.pending_window_days.unwrap_or_default();
            other.key.state = KeyState::PendingDeletion;
            other.key.deletion_date = Some(now + SignedDuration::from_hours(24 * i64::from(days)));
        }
    }
    // Imported material may have waited for this replica alone.
    end_wait(&mut others);
    for other in &others {
        transaction.save_key(other)?;
    }
    Ok(())
}
