//! Finishes what changes of multi-Region keys began: replicas that are being made, primary keys that move.

use wire::enums::KeyState;
use wire::names::{KeyId, Region};

use super::{KEYS_AT_ONCE_MAX, change, for_each};
use crate::error::ServiceError;
use crate::host::Host;
use crate::kms::import::lacks_material;

pub(super) async fn run(host: &Host) -> Result<(), ServiceError> {
    let look = |snapshot: &store::Snapshot<'_>| snapshot.keys_in_transit(KEYS_AT_ONCE_MAX);
    for_each(host, look, |region, key_id| arrive(host, region, key_id)).await
}

/// All that a replica needs is committed together with it, and so is a move; what is left is to say so.
async fn arrive(host: &Host, region: Region, key_id: KeyId) -> Result<(), ServiceError> {
    change(host, move |transaction, _| {
        let Some(mut record) = transaction.key(region, key_id)? else { return Ok(None) };
        record.key.state = match record.key.state {
            // Imported material must be imported into a replica too, and that of a key that moves may have expired.
            KeyState::Creating | KeyState::Updating if lacks_material(&record) => {
                KeyState::PendingImport
            }
            KeyState::Creating | KeyState::Updating => KeyState::Enabled,
            KeyState::Enabled
            | KeyState::Disabled
            | KeyState::PendingDeletion
            | KeyState::PendingImport
            | KeyState::PendingReplicaDeletion
            | KeyState::Unavailable => return Ok(None),
        };
        transaction.save_key(&record)?;
        Ok(Some(()))
    })
    .await
    .map(drop)
}
