//! AWS owned keys: no secret is saved under a version that is gone, and what is destroyed is in no file.

use std::collections::BTreeMap;

use store::{AccountRecord, IdentityKind, OWNED_WRAPPING_VERSIONS_START, Store, StoreError};

use crate::support::*;

const FIRST: u32 = OWNED_WRAPPING_VERSIONS_START + 1;
const SECOND: u32 = OWNED_WRAPPING_VERSIONS_START + 2;

/// The account with owned keys, two versions of one.
async fn with_two_versions(store: &Store) -> AccountRecord {
    let mut record = account_record(9, &[]);
    record.owned_keys = [1, 2].map(owned_key_material).into();
    save_account(store, &record).await
}

#[tokio::test]
async fn owned_keys_are_remembered_with_their_account() {
    let place = Place::new();
    let saved = with_two_versions(&place.store).await;
    let place = place.close_and_open();
    let found: Result<_, StoreError> =
        place.store.read(|snapshot| snapshot.account(account(9))).await;
    assert_eq!(found.unwrap(), Some(saved));
}

#[tokio::test]
async fn a_secret_under_a_version_that_is_gone_is_not_saved() {
    let place = Place::new();
    let mut owner = with_two_versions(&place.store).await;
    let mut root = save_account(&place.store, &account_record(1, &["AKIAROOT"])).await;
    let mut user = identity(IdentityKind::User, "AIDA1", "Alice");
    user.access_keys = vec![user_access_key("AKIAALICE")];
    user.access_keys[0].domain_key_version = FIRST;
    let mut user = save_identity(&place.store, &user).await.unwrap();

    owner.owned_keys.retain(|row| row.wrapping_version != FIRST);
    save_account(&place.store, &owner).await;
    let refused = save_identity(&place.store, &user).await.unwrap_err();
    assert!(
        matches!(refused, StoreError::Conflict { table: "owned_key_materials", .. }),
        "{refused}"
    );
    user.access_keys[0].domain_key_version = SECOND;
    save_identity(&place.store, &user).await.unwrap();

    root.access_keys[0].domain_key_version = FIRST;
    let refused: Result<u64, StoreError> =
        place.store.write(move |transaction| transaction.save_account(&root)).await;
    assert!(matches!(refused, Err(StoreError::Conflict { table: "owned_key_materials", .. })));
}

#[tokio::test]
async fn secrets_are_counted_and_found_by_what_wraps_them() {
    let place = Place::new();
    with_two_versions(&place.store).await;
    let mut root = account_record(1, &["AKIAROOT", "AKIAOLD"]);
    root.access_keys[0].domain_key_version = SECOND;
    save_account(&place.store, &root).await;
    let mut user = identity(IdentityKind::User, "AIDA1", "Alice");
    user.access_keys = vec![user_access_key("AKIAALICE")];
    user.access_keys[0].domain_key_version = FIRST;
    save_identity(&place.store, &user).await.unwrap();

    let found: Result<_, StoreError> = place
        .store
        .read(|snapshot| {
            let counts = snapshot.count_wrapped_secrets()?;
            let accounts = snapshot.accounts_wrapped_before(SECOND, 9)?;
            let users = snapshot.users_wrapped_before(SECOND, 9)?;
            Ok((counts, accounts, users, snapshot.users_wrapped_before(FIRST, 9)?))
        })
        .await;
    let (counts, accounts, users, none) = found.unwrap();
    assert_eq!(counts, BTreeMap::from([(2, 1), (FIRST, 1), (SECOND, 1)]));
    assert_eq!(accounts, [account(1)]);
    assert_eq!(users, [(account(1), "AIDA1".to_owned())]);
    assert_eq!(none, []);
}

#[tokio::test]
async fn a_destroyed_version_is_in_no_file() {
    let mark = b"<owned key material to be destroyed>";
    let place = Place::new();
    let mut record = account_record(9, &[]);
    record.owned_keys = [1, 2].map(owned_key_material).into();
    record.owned_keys[0].wrapped = mark.to_vec();
    let mut record = save_account(&place.store, &record).await;
    let is_found = || {
        let files = std::fs::read_dir(place.folder.path()).unwrap();
        files
            .map(|file| std::fs::read(file.unwrap().path()).unwrap())
            .any(|bytes| bytes.windows(mark.len()).any(|window| window == mark))
    };
    assert!(is_found());
    record.owned_keys.remove(0);
    let record = save_account(&place.store, &record).await;
    assert!(place.store.scrub().await.unwrap());
    assert!(!is_found());
    let found: Result<_, StoreError> =
        place.store.read(|snapshot| snapshot.account(account(9))).await;
    assert_eq!(found.unwrap(), Some(record), "the others are as they were");
    drop(place.close_and_open());
}
