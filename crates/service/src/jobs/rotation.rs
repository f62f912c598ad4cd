//! Rotates keys whose period has passed.

use jiff::Timestamp;
use store::KeyRecord;
use wire::enums::{KeyState, RotationType};
use wire::names::{KeyId, Region};

use super::{KEYS_AT_ONCE_MAX, change, for_each};
use crate::error::ServiceError;
use crate::events;
use crate::host::Host;
use crate::kms::rotation::period;
use crate::kms::{fresh_for_all, other_regions, related_key, rotate_to_fresh};

pub(super) async fn run(host: &Host) -> Result<(), ServiceError> {
    let now = host.clock.now();
    let look = move |snapshot: &store::Snapshot<'_>| snapshot.rotations_due(now, KEYS_AT_ONCE_MAX);
    for_each(host, look, |region, key_id| rotate(host, region, key_id, now)).await
}

async fn rotate(
    host: &Host,
    region: Region,
    key_id: KeyId,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let record = host.store.read(move |snapshot| snapshot.key(region, key_id)).await?;
    let Some(record) = record.filter(|record| is_due(record, now)) else { return Ok(()) };
    let sequence = record.key.sequence;
    let fresh = fresh_for_all(host, &record, now).await?;
    let event_ids = events::ids(host, 1 + other_regions(&record).len())?;
    let rotated = change(host, move |transaction, events| {
        let Some(mut record) = transaction.key(region, key_id)? else { return Ok(None) };
        // The material is for the Regions that the key had at the look. Whoever changed the key since has it looked at again,
        // and whoever rotated it was first.
        if record.key.sequence != sequence || !is_due(&record, now) {
            return Ok(None);
        }
        let former = record.key.current_key_material_id;
        set_next(&mut record, now);
        for region in other_regions(&record) {
            let mut other = related_key(transaction, &record, region)?;
            other.rotation.clone_from(&record.rotation);
            transaction.save_key(&other)?;
        }
        rotate_to_fresh(transaction, &mut record, fresh, RotationType::Automatic, now)?;
        let rotation = events::Rotation { former, rotation_type: RotationType::Automatic };
        events.extend(events::rotated(&record, rotation, &event_ids, now));
        Ok(Some(()))
    })
    .await?;
    if rotated.is_some() {
        tracing::info!(%region, %key_id, "a key was rotated on its date");
    }
    Ok(())
}

/// Whether the key is to be rotated now. A disabled key waits until it is enabled again; a replica waits for its primary.
fn is_due(record: &KeyRecord, now: Timestamp) -> bool {
    let is_primary =
        record.multi_region.as_ref().is_none_or(|row| row.primary_region == record.key.region);
    record.key.state == KeyState::Enabled
        && is_primary
        && record.rotation.as_ref().is_some_and(|row| row.next_rotation <= now)
}

/// The next date is a period after this one; a date that passed while the key could not be rotated is not made up for.
fn set_next(record: &mut KeyRecord, now: Timestamp) {
    let Some(row) = &mut record.rotation else { return };
    let period = period(row.rotation_period_days);
    let next = row.next_rotation + period;
    row.next_rotation = if next > now { next } else { now + period };
}
