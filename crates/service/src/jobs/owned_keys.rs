//! Rotates AWS owned keys on their date, moves what old versions wrap to the newest one, and then destroys the old ones.
//!
//! Each step finds what is left to do in the store, so that a crash between any two of them loses nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use custody::OwnedKey;
use jiff::{SignedDuration, Timestamp};
use store::{AccountRecord, OwnedKeyMaterialRow, Transaction};
use wire::enums::RotationType;
use wire::names::AccountId;

use super::change;
use crate::accounts;
use crate::error::ServiceError;
use crate::host::Host;
use crate::identities::Changes;
use crate::owned_keys::{
    OwnedKeyError, materials, newest, next_rotation, of, rotate, system_account,
};

/// Accounts and users whose secrets are moved in one commit, of each so many.
const MOVED_AT_ONCE_MAX: u32 = 64;
/// Commits of one look; the next look takes the rest.
const COMMITS_AT_ONCE_MAX: usize = 16;
/// How long a version is kept that only sealed tokens: the longest session is of 36 hours (AWS STS API Reference,
/// "GetSessionToken").
const TOKENS_KEPT: SignedDuration = SignedDuration::from_hours(37);

pub(super) async fn run(host: &Host) -> Result<(), ServiceError> {
    let now = host.clock.now();
    let Some(record) = host.store.read(system_account).await? else { return Ok(()) };
    for owned_key in OwnedKey::ALL {
        if newest(&record, owned_key).is_none_or(|row| next_rotation(row) > now) {
            continue;
        }
        match rotate(host, owned_key, RotationType::Automatic).await {
            // The next look finds what others left.
            Ok(_) | Err(OwnedKeyError::Superseded(_) | OwnedKeyError::TooManyVersions(_)) => {}
            Err(OwnedKeyError::Service(error)) => return Err(error),
            Err(OwnedKeyError::NoSuchKey(error)) => return Err(ServiceError::internal(error)),
        }
    }
    move_secrets(host).await?;
    destroy_left(host, now).await
}

/// Wraps anew, under the newest version, what an older one or a domain key wraps.
async fn move_secrets(host: &Host) -> Result<(), ServiceError> {
    let Some(record) = host.store.read(system_account).await? else { return Ok(()) };
    let newest = newest(&record, OwnedKey::AccessKeys).map(|row| row.wrapping_version);
    let Some(newest) = newest else { return Ok(()) };
    for _ in 0..COMMITS_AT_ONCE_MAX {
        let look = move |snapshot: &store::Snapshot<'_>| {
            let accounts = snapshot.accounts_wrapped_before(newest, MOVED_AT_ONCE_MAX)?;
            Ok::<_, store::StoreError>((
                accounts,
                snapshot.users_wrapped_before(newest, MOVED_AT_ONCE_MAX)?,
            ))
        };
        let (accounts, users) = host.store.read(look).await?;
        if accounts.is_empty() && users.is_empty() {
            return Ok(());
        }
        let changes = Changes::new(host);
        let moved_count = host
            .store
            .write(move |transaction| {
                Ok::<_, ServiceError>(move_batch(&changes, transaction, &accounts, &users, newest))
            })
            .await?;
        if moved_count == 0 {
            return Ok(());
        }
    }
    Ok(())
}

/// One that cannot be moved, for instance a tampered one, keeps none of the others.
fn move_batch(
    changes: &Changes,
    transaction: &mut Transaction<'_>,
    accounts: &[AccountId],
    users: &[(AccountId, String)],
    newest: u32,
) -> usize {
    let mut moved_count = 0;
    for account in accounts {
        match accounts::rewrap(changes.keyring(), transaction, *account, newest) {
            Ok(()) => moved_count += 1,
            Err(error) => {
                tracing::error!(%error, %account, "secrets of a root user could not be moved");
            }
        }
    }
    for (account, identity_id) in users {
        match changes.rewrap(transaction, *account, identity_id, newest) {
            Ok(()) => moved_count += 1,
            Err(error) => {
                tracing::error!(%error, %account, identity_id, "secrets of a user could not be moved");
            }
        }
    }
    moved_count
}

/// Destroys the versions under which nothing stands any more.
async fn destroy_left(host: &Host, now: Timestamp) -> Result<(), ServiceError> {
    let Some(record) = host.store.read(system_account).await? else { return Ok(()) };
    if record.owned_keys.len() <= OwnedKey::ALL.len() {
        return Ok(());
    }
    let count = |snapshot: &store::Snapshot<'_>| snapshot.count_wrapped_secrets();
    let counts = host.store.read(count).await?;
    if !record.owned_keys.iter().any(|row| is_left(&record, row, &counts, now)) {
        return Ok(());
    }
    let keyring = Arc::clone(&host.keyring);
    let destroyed = change(host, move |transaction, _| {
        let Some(mut record) = system_account(transaction)? else { return Ok(None) };
        let counts = transaction.count_wrapped_secrets()?;
        let before = record.clone();
        record.owned_keys.retain(|row| !is_left(&before, row, &counts, now));
        let destroyed_count = before.owned_keys.len() - record.owned_keys.len();
        if destroyed_count == 0 {
            return Ok(None);
        }
        let opened = keyring.open_owned_keys(&materials(&record)?)?;
        // A secret that was wrapped by one of them and is not committed yet is refused by the store.
        transaction.save_account(&record)?;
        transaction.after_commit(move || keyring.install_owned_keys(opened));
        Ok(Some(destroyed_count))
    })
    .await?;
    if let Some(versions) = destroyed {
        host.scrub.set_due();
        tracing::info!(versions, "old versions of AWS owned keys were destroyed");
    }
    Ok(())
}

/// Whether a version is old and nothing needs it.
fn is_left(
    record: &AccountRecord,
    row: &OwnedKeyMaterialRow,
    counts: &BTreeMap<u32, u64>,
    now: Timestamp,
) -> bool {
    let Ok(owned_key) = row.name.parse::<OwnedKey>() else { return false };
    let later = of(record, owned_key).filter(|other| other.wrapping_version > row.wrapping_version);
    let Some(successor) = later.min_by_key(|other| other.wrapping_version) else { return false };
    match owned_key {
        OwnedKey::AccessKeys => !counts.contains_key(&row.wrapping_version),
        OwnedKey::SessionTokens => {
            successor.created.checked_add(TOKENS_KEPT).is_ok_and(|date| date <= now)
        }
    }
}
