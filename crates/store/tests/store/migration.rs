//! A database of an older schema opens, is believed and serves.

use std::path::Path;

use store::{
    AccountRecord, DeploymentRow, KeyRecord, LockedStore, Store, StoreError, StoreOptions,
};
use tempfile::TempDir;
use wire::enums::{KeyMaterialState, KeyState};

use crate::support::*;

/// The rows of version 1, seals and all.
const VERSION_1: &str = include_str!("version_1.sql");

/// A folder with a database of version 1, of which a stranger has changed something.
fn version_1(change: &str) -> TempDir {
    let folder = in_memory();
    let connection = rusqlite::Connection::open(folder.path().join("keystead.db")).unwrap();
    connection.execute_batch(VERSION_1).unwrap();
    connection.execute_batch(change).unwrap();
    folder
}

fn open_in(folder: &Path) -> Result<Store, StoreError> {
    open(&folder.join("keystead.db"))
}

/// The keys that version 1 saved.
fn saved_then() -> [KeyRecord; 2] {
    let mut one = key(1);
    one.key.sequence = 1;
    one.materials.push(material(77));
    one.materials[1].state = KeyMaterialState::NonCurrent;
    one.aliases = vec![alias_row("a", key_id(1)), alias_row("b", key_id(1))];
    one.tags = vec![tag("Department", "1"), tag("Stage", "2")];
    let mut two = key(2);
    two.key.sequence = 4;
    two.key.region = region(1);
    two.key.state = KeyState::PendingDeletion;
    two.key.deletion_date = Some(instant(50));
    two.key.pending_window_days = Some(7);
    [one, two]
}

#[tokio::test]
async fn a_database_of_version_1_serves() {
    let folder = version_1("");
    let path = folder.path().join("keystead.db");
    let locked = LockedStore::open(&path, StoreOptions::default()).unwrap();
    let deployment = DeploymentRow { deployment_id: [9; 16], created: instant(0) };
    assert_eq!(locked.deployment().unwrap(), Some(deployment));
    assert_eq!(locked.domain_keys().unwrap().len(), 1);
    let store = locked.unlock(seal_keys()).unwrap();
    assert_eq!(store.position(), 8);
    for record in saved_then() {
        let (region, key_id) = (record.key.region, record.key.key_id);
        assert_eq!(load(&store, region, key_id).await.unwrap(), Some(record));
        assert_eq!(load_usage(&store, region, key_id).await.unwrap(), None);
    }
    assert_eq!(load(&store, region(0), key_id(3)).await.unwrap(), None);
    let found: Result<_, StoreError> = store
        .read(|snapshot| {
            let changes = snapshot.changes_after(0)?.map(|changes| changes.len());
            let due = snapshot.keys_due(instant(50), 9)?;
            let access_key = snapshot.access_key("AKIA1")?.is_some();
            Ok((changes, due, access_key, snapshot.pending_records()?.len()))
        })
        .await;
    let expected = (Some(8), vec![(region(1), key_id(2))], true, 1);
    assert_eq!(found.unwrap(), expected);
}

#[tokio::test]
async fn a_key_of_version_1_gets_what_is_new() {
    let folder = version_1("");
    let store = open_in(folder.path()).unwrap();
    let [mut one, two] = saved_then();
    one.rotation = Some(rotation(365, 70));
    one.material_rotations = vec![material_rotation(77, 8)];
    let one = save(&store, &one).await;
    save_usages(&store, &[key_usage(region(0), key_id(1), 5)]).await;
    let deleted: Result<_, StoreError> =
        store.write(move |transaction| transaction.delete_key(region(1), key_id(2))).await;
    assert!(deleted.unwrap());
    drop(store);

    let store = open_in(folder.path()).unwrap();
    assert_eq!(load(&store, region(0), key_id(1)).await.unwrap(), Some(one));
    assert_eq!(load(&store, two.key.region, two.key.key_id).await.unwrap(), None);
    assert!(load_usage(&store, region(0), key_id(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn an_account_of_version_1_gets_what_is_new() {
    for table in ["account_aliases", "role_deletions"] {
        let folder = version_1("");
        let store = open_in(folder.path()).unwrap();
        let mut record = stored_account(&store).await.unwrap().unwrap();
        assert_eq!((record.aliases.len(), record.role_deletions.len()), (0, 0));
        record.aliases = vec![store::AccountAliasRow { account_alias: "first".to_owned() }];
        record.role_deletions = vec![role_deletion(None)];
        let record = save_account(&store, &record).await;
        drop(store);

        let store = open_in(folder.path()).unwrap();
        assert_eq!(stored_account(&store).await.unwrap(), Some(record));
        drop(store);
        let stranger = stranger(&folder.path().join("keystead.db"));
        stranger.execute_batch(&format!("DELETE FROM {table}")).unwrap();
        let outcome = match open_in(folder.path()) {
            Ok(store) => stored_account(&store).await.map(drop),
            Err(error) => Err(error),
        };
        assert!(outcome.as_ref().is_err_and(is_seal), "{table}: {outcome:?}");
    }
}

async fn stored_account(store: &Store) -> Result<Option<AccountRecord>, StoreError> {
    store.read(|snapshot| snapshot.account(account(1))).await
}

#[tokio::test]
async fn an_access_key_of_version_1_gets_a_last_use() {
    let folder = version_1("");
    let store = open_in(folder.path()).unwrap();
    let usage = caller_usage(1, store::CallerKind::AccessKey, "AKIA1", 90);
    let saved = vec![usage.clone()];
    let outcome: Result<(), StoreError> =
        store.write(move |transaction| transaction.save_caller_usages(&saved)).await;
    outcome.unwrap();
    drop(store);

    let store = open_in(folder.path()).unwrap();
    let found: Result<_, StoreError> = store
        .read(|snapshot| snapshot.caller_usage(account(1), store::CallerKind::AccessKey, "AKIA1"))
        .await;
    assert_eq!(found.unwrap(), Some(usage));
}

/// The manifests that version 1 sealed refuse what they refused then.
#[tokio::test]
async fn a_tampered_database_of_version_1_is_refused() {
    for change in [
        "UPDATE key_policies SET document = '{}'",
        "DELETE FROM tags WHERE tag_key = 'Stage'",
        "DELETE FROM aliases",
        "DELETE FROM key_materials WHERE state = 'NON_CURRENT'",
        "UPDATE keys SET manifest = zeroblob(32)",
        "DELETE FROM key_policies; DELETE FROM tags; DELETE FROM aliases;
         DELETE FROM key_materials; DELETE FROM keys WHERE region = 'eu-central-1'",
    ] {
        let folder = version_1(change);
        let outcome = match open_in(folder.path()) {
            Ok(store) => load(&store, region(0), key_id(1)).await.map(drop),
            Err(error) => Err(error),
        };
        assert!(outcome.as_ref().is_err_and(is_seal), "{change}: {outcome:?}");
    }
}

/// What is not exactly version 1 is not migrated, and stays as it was.
#[tokio::test]
async fn a_foreign_schema_is_not_migrated() {
    for change in [
        "CREATE TRIGGER t AFTER UPDATE ON keys BEGIN DELETE FROM changes; END",
        "CREATE TABLE rotations (region TEXT)",
        "DROP TABLE leases",
        "ALTER TABLE leases ADD COLUMN note TEXT",
    ] {
        let folder = version_1(change);
        let path = folder.path().join("keystead.db");
        let refusal = LockedStore::open(&path, StoreOptions::default()).err();
        assert!(refusal.is_some(), "{change}");
        let version = stranger(&path).pragma_query_value(None, "user_version", |row| row.get(0));
        assert_eq!(version, Ok(1_u32), "{change}");
    }
}
