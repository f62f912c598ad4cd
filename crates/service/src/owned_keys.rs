//! AWS owned keys: the server's own KMS keys in the system account, under which its own secrets stand.
//!
//! They are no rows of `keys`: no call of any account can name, list or use them, and no policy speaks of them. Their material is
//! stored and wrapped as that of KMS keys is; what they wrap, and how, is custody's ([`custody::OwnedKey`]). The jobs rotate
//! them, move what old versions wrap to the newest one, and destroy a version when nothing stands under it.

mod report;

use std::sync::{Arc, LazyLock};

use crypto::Rng;
use custody::{
    InvalidOwnedKey, Keyring, OWNED_KEY_VERSIONS_MAX, OwnedKey, OwnedKeyMaterial, WrappedMaterial,
};
use jiff::{SignedDuration, Timestamp};
use store::{AccountRecord, OwnedKeyMaterialRow, Snapshot, Store, StoreError};
use wire::enums::RotationType;
use wire::names::{KeyId, Region};

pub use self::report::{OwnedKeyReport, OwnedKeySummary, OwnedKeyVersion};

pub(crate) use self::report::list;

use crate::accounts;
use crate::error::ServiceError;
use crate::events;
use crate::host::Host;
use crate::jobs;
use crate::services::SYSTEM_ACCOUNT;

/// How long a version wraps, as AWS managed keys do (AWS KMS Developer Guide, "Rotate AWS KMS keys").
const ROTATION_PERIOD: SignedDuration = SignedDuration::from_hours(365 * 24);

/// The Region that events of the system account name; its keys serve all.
pub(crate) static HOME_REGION: LazyLock<Region> =
    LazyLock::new(|| "us-east-1".parse().expect("us-east-1 is a Region"));

/// Why an owned key was not rotated. The texts are for the operator.
#[derive(Debug, thiserror::Error)]
pub enum OwnedKeyError {
    /// There is none of that name.
    #[error(transparent)]
    NoSuchKey(#[from] InvalidOwnedKey),
    /// Earlier rotations are not finished.
    #[error("{0} has as many versions as it may have; rotate it when the oldest are destroyed")]
    TooManyVersions(&'static str),
    /// Another rotation was first.
    #[error("{0} was changed by another at the same moment; look at it and try again")]
    Superseded(&'static str),
    /// The service failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl From<StoreError> for OwnedKeyError {
    fn from(error: StoreError) -> OwnedKeyError {
        OwnedKeyError::Service(error.into())
    }
}

/// Opens the owned keys when the service is opened, and makes those that a data directory does not have yet.
pub(crate) async fn open(
    store: &Store,
    keyring: &Keyring,
    rng: &dyn Rng,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let stored = store.read(system_account).await?;
    let mut record = stored.unwrap_or_else(|| accounts::empty(*SYSTEM_ACCOUNT, now));
    let known_count = record.owned_keys.len();
    for owned_key in OwnedKey::ALL {
        if newest(&record, owned_key).is_none() {
            let key_id = uuid::Builder::from_random_bytes(crypto::rng::array(rng)?).into_uuid();
            let key_id = KeyId::from_uuid_bytes(key_id.into_bytes());
            let first = keyring.draw_owned_key(owned_key, key_id, 1, rng)?;
            record.owned_keys.push(row(first, now, now));
        }
    }
    let opened = keyring.open_owned_keys(&materials(&record)?)?;
    if record.owned_keys.len() > known_count {
        store.write(move |transaction| transaction.save_account(&record)).await?;
    }
    keyring.install_owned_keys(opened);
    Ok(())
}

pub(crate) fn system_account(snapshot: &Snapshot<'_>) -> Result<Option<AccountRecord>, StoreError> {
    snapshot.account(*SYSTEM_ACCOUNT)
}

/// Rotates an owned key now, as the operator asks; answers the number of its new version.
pub(crate) async fn rotate_on_demand(host: &Host, name: &str) -> Result<u32, OwnedKeyError> {
    rotate(host, name.parse()?, RotationType::OnDemand).await
}

/// Makes a new version of an owned key, which wraps whatever is wrapped from now on.
pub(crate) async fn rotate(
    host: &Host,
    owned_key: OwnedKey,
    rotation_type: RotationType,
) -> Result<u32, OwnedKeyError> {
    let name = owned_key.as_str();
    let now = host.clock.now();
    let record = host.store.read(system_account).await?.ok_or_else(not_there)?;
    let former = newest(&record, owned_key).ok_or_else(not_there)?.clone();
    if of(&record, owned_key).count() >= OWNED_KEY_VERSIONS_MAX {
        return Err(OwnedKeyError::TooManyVersions(name));
    }
    let version = version_of(owned_key, &former).saturating_add(1);
    let drawn = host.keyring.draw_owned_key(owned_key, former.key_id, version, &*host.rng);
    let fresh = row(drawn.map_err(ServiceError::from)?, former.key_created, now);
    let (sequence, keyring) = (record.account.sequence, Arc::clone(&host.keyring));
    let event_id = host.uuid()?;
    let rotated = jobs::change(host, move |transaction, events| {
        let Some(mut record) = system_account(transaction)? else { return Ok(None) };
        if record.account.sequence != sequence {
            return Ok(None);
        }
        let materials_of_event = (former.key_material_id, fresh.key_material_id);
        let key_id = fresh.key_id;
        record.owned_keys.push(fresh);
        let opened = keyring.open_owned_keys(&materials(&record)?)?;
        transaction.save_account(&record)?;
        transaction.after_commit(move || keyring.install_owned_keys(opened));
        events.push(events::owned_key_rotated(
            (*HOME_REGION, key_id),
            materials_of_event,
            rotation_type,
            event_id,
            now,
        ));
        Ok(Some(()))
    })
    .await?;
    rotated.ok_or(OwnedKeyError::Superseded(name))?;
    tracing::info!(name, version, "an AWS owned key was rotated");
    Ok(version)
}

fn not_there() -> ServiceError {
    ServiceError::internal("the AWS owned keys are not there")
}

/// When the key is to be rotated next.
pub(crate) fn next_rotation(newest: &OwnedKeyMaterialRow) -> Timestamp {
    newest.created.saturating_add(ROTATION_PERIOD).unwrap_or(Timestamp::MAX)
}

/// All versions of an owned key.
pub(crate) fn of(
    record: &AccountRecord,
    owned_key: OwnedKey,
) -> impl Iterator<Item = &OwnedKeyMaterialRow> {
    record.owned_keys.iter().filter(move |row| row.name == owned_key.as_str())
}

/// The version that wraps.
pub(crate) fn newest(record: &AccountRecord, owned_key: OwnedKey) -> Option<&OwnedKeyMaterialRow> {
    of(record, owned_key).max_by_key(|row| row.wrapping_version)
}

/// The version's number within its key, from 1.
pub(crate) fn version_of(owned_key: OwnedKey, row: &OwnedKeyMaterialRow) -> u32 {
    owned_key.version_of(row.wrapping_version).unwrap_or_default()
}

fn owned_key_of(row: &OwnedKeyMaterialRow) -> Result<OwnedKey, ServiceError> {
    row.name.parse().map_err(|error: InvalidOwnedKey| ServiceError::internal(error))
}

/// The rows in custody's form.
pub(crate) fn materials(record: &AccountRecord) -> Result<Vec<OwnedKeyMaterial>, ServiceError> {
    let rows = record.owned_keys.iter();
    rows.map(|row| {
        Ok(OwnedKeyMaterial {
            owned_key: owned_key_of(row)?,
            key_id: row.key_id,
            key_material_id: row.key_material_id,
            wrapping_version: row.wrapping_version,
            wrapped: WrappedMaterial {
                domain_key_version: row.domain_key_version,
                bytes: row.wrapped.clone(),
            },
        })
    })
    .collect()
}

fn row(material: OwnedKeyMaterial, key_created: Timestamp, now: Timestamp) -> OwnedKeyMaterialRow {
    OwnedKeyMaterialRow {
        key_material_id: material.key_material_id,
        name: material.owned_key.as_str().to_owned(),
        key_id: material.key_id,
        wrapping_version: material.wrapping_version,
        domain_key_version: material.wrapped.domain_key_version,
        wrapped: material.wrapped.bytes,
        key_created,
        created: now,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn store_and_custody_count_from_the_same_number() {
        assert_eq!(custody::WRAPPING_VERSIONS_START, store::OWNED_WRAPPING_VERSIONS_START);
    }
}
