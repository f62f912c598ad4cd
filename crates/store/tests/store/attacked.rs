//! A store with some history, and what a stranger finds in its file.

use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use store::{LockedStore, Snapshot, StoreError, StoreOptions};
use tempfile::TempDir;
use wire::names::{AliasName, KeyId, Region};

use crate::metering::meter;
use crate::support::*;

/// Tables without seals; their reasons stand beside the schema.
const EXEMPT: [&str; 6] =
    ["deployment", "digest_keys", "domain_keys", "leases", "root_headers", "upkeep"];

/// Ids that no key has, to which rows are copied.
const GHOST: u8 = 99;

/// A table as a stranger finds it.
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
    /// How many of the first columns are the primary key.
    pub(crate) identity_columns: usize,
}

/// One version of one row, all columns.
pub(crate) type Row = Vec<Value>;

pub(crate) struct Attacked {
    folder: TempDir,
    pub(crate) tables: Vec<Table>,
    /// All versions of all rows that any commit left, by table.
    pub(crate) history: Vec<Vec<Row>>,
}

impl Attacked {
    /// A store with some history, closed.
    pub(crate) async fn new() -> Attacked {
        let place = Place::new();
        let stranger = place.stranger();
        let tables = tables(&stranger);
        let mut history = vec![Vec::new(); tables.len()];
        let mut look = || {
            for (table, versions) in tables.iter().zip(&mut history) {
                for row in rows(&stranger, table) {
                    if !versions.contains(&row) {
                        versions.push(row);
                    }
                }
            }
        };
        look();
        for record in populated() {
            save(&place.store, &record).await;
            look();
        }
        for (number, names) in [(1, ["AKIA1", "AKIA2"]), (2, ["AKIA3", "AKIA4"])] {
            let mut record = account_record(number, &names);
            record.owned_keys = [2 * number, 2 * number + 1].map(owned_key_material).into();
            let account_alias = format!("alias-of-{number}");
            record.aliases = vec![store::AccountAliasRow { account_alias }];
            record.role_deletions = [None, Some("still used".to_owned())].map(role_deletion).into();
            save_account(&place.store, &record).await;
            look();
        }
        for record in identities() {
            save_identity(&place.store, &record).await.unwrap();
            look();
        }
        save_usages(&place.store, &usages(10)).await;
        save_caller_usages(&place.store, 10).await;
        look();
        save_grants(&place.store, &grants()).await;
        look();
        change(&place).await;
        look();
        save_usages(&place.store, &usages(30)).await;
        for step in 1..=2 {
            meter(&place.store, step).await.unwrap();
            look();
        }
        change_again(&place).await;
        change_identities(&place).await;
        save_caller_usages(&place.store, 30).await;
        look();
        drop(stranger);
        place.store.close().await.unwrap();
        Attacked { folder: place.folder, tables, history }
    }

    /// Lets the attack have a copy of the database, then opens it and loads everything.
    pub(crate) async fn outcome(&self, attack: impl FnOnce(&Connection)) -> Result<(), StoreError> {
        let copy = in_memory();
        let path = copy.path().join("keystead.db");
        std::fs::copy(self.folder.path().join("keystead.db"), &path).unwrap();
        attack(&stranger(&path));
        load_everything(&path).await
    }

    pub(crate) async fn assert_refused(&self, what: &str, attack: impl FnOnce(&Connection)) {
        let outcome = self.outcome(attack).await;
        assert!(outcome.as_ref().is_err_and(is_seal), "{what}: {outcome:?}");
    }

    pub(crate) fn current(&self) -> Connection {
        stranger(&self.folder.path().join("keystead.db"))
    }
}

/// Three keys in two Regions, each with two of everything.
pub(crate) fn populated() -> Vec<store::KeyRecord> {
    let mut records: Vec<_> = [1, 2, 3].map(key).into();
    records[2].key.region = region(1);
    for record in &mut records {
        let id = record.key.key_id;
        let name = |suffix: &str| format!("{id}{suffix}");
        record.materials.push(material(77));
        record.aliases = vec![alias_row(&name("a"), id), alias_row(&name("b"), id)];
        record.tags = vec![tag("Department", "1"), tag("Stage", "2")];
        record.rotation = Some(rotation(365, 70));
        record.multi_region = Some(multi_region(0));
        record.material_rotations = vec![material_rotation(1, 8), material_rotation(2, 9)];
        record.material_imports = vec![material_import(1, Some(80)), material_import(2, None)];
    }
    records
}

/// Two grants of one grantee and one of another on each of these keys, and one of each that will go.
fn grants() -> Vec<store::GrantRow> {
    let mut grants = Vec::new();
    for key in populated().into_iter().map(|record| record.key) {
        for (number, grantee) in
            [(1, GRANTEES[0]), (2, GRANTEES[0]), (3, GRANTEES[1]), (4, GRANTEES[1])]
        {
            grants.push(grant(key.region, key.key_id, number, grantee));
        }
    }
    grants
}

/// Ids of two users, a role, and one that is made and deleted.
pub(crate) const IDENTITY_IDS: [&str; 3] = ["AIDA1", "AIDA2", "AROA1"];
const DOOMED_ID: &str = "AIDA3";
/// An id that no identity has.
pub(crate) const GHOST_ID: &str = "AIDA99";

/// Two users and a role.
fn identities() -> Vec<store::IdentityRecord> {
    let [one, two, three] = IDENTITY_IDS;
    let mut role = identity(store::IdentityKind::Role, three, "Role");
    role.identity.description = Some("a role".to_owned());
    role.identity.assume_role_policy = Some("{}".to_owned());
    role.identity.max_session_seconds = Some(3600);
    role.identity.versions_made = Some(2);
    role.tags = user(three, "Role").tags;
    vec![user(one, "Ada"), user(two, "Bob"), role]
}

/// Changes and deletes identities, so that all of their tables have older versions of rows.
async fn change_identities(place: &Place) {
    save_identity(&place.store, &user(DOOMED_ID, "Eve")).await.unwrap();
    let changed: Result<(), StoreError> = place
        .store
        .write(move |transaction| {
            transaction.delete_identity(account(1), DOOMED_ID)?;
            let mut record = transaction.identity(account(1), IDENTITY_IDS[0])?.unwrap();
            record.identity.name.push('!');
            record.policies[0].document.push(' ');
            record.policies.pop();
            record.attachments.pop();
            record.memberships.pop();
            record.client_ids.pop();
            record.thumbprints[0].position = 2;
            record.tags[0].tag_value.push('!');
            record.tags.pop();
            record.access_keys[0].status = store::AccessKeyStatus::Inactive;
            record.access_keys.pop();
            transaction.save_identity(&record)?;
            Ok(())
        })
        .await;
    changed.unwrap();
}

/// A use of each of these keys.
fn usages(second: i64) -> Vec<store::KeyUsageRow> {
    let keys = populated().into_iter().map(|record| record.key);
    keys.map(|key| key_usage(key.region, key.key_id, second)).collect()
}

/// Everything of account 1 that is used by callers; one access key of a user and one of the root user will go.
const CALLERS: [(store::CallerKind, &str); 5] = [
    (store::CallerKind::AccessKey, "AKIA1"),
    (store::CallerKind::AccessKey, "AKIA2"),
    (store::CallerKind::AccessKey, "AKIAAda1"),
    (store::CallerKind::AccessKey, "AKIAAda2"),
    (store::CallerKind::Role, "AROA1"),
];

/// A use of each of them, and of an access key of account 2.
async fn save_caller_usages(store: &store::Store, second: i64) {
    let mut usages: Vec<_> =
        CALLERS.map(|(kind, id)| caller_usage(1, kind, id, second)).into_iter().collect();
    usages.push(caller_usage(2, store::CallerKind::AccessKey, "AKIA3", second));
    let saved: Result<(), StoreError> =
        store.write(move |transaction| transaction.save_caller_usages(&usages)).await;
    saved.unwrap();
}

/// Changes everything that can be changed, so that every table has older versions of rows.
async fn change(place: &Place) {
    let records = populated();
    let first = records[0].key.clone();
    let changed: Result<(), StoreError> = place
        .store
        .write(move |transaction| {
            let mut record = transaction.key(first.region, first.key_id)?.unwrap();
            record.key.description.push('!');
            record.key.deletion_date = Some(instant(50));
            record.key.pending_window_days = Some(7);
            record.policy.document.push(' ');
            record.materials[0].domain_key_version += 1;
            record.aliases[0].updated = instant(60);
            record.aliases.pop();
            record.tags[0].tag_value.push('x');
            record.tags.pop();
            record.rotation = Some(rotation(90, 71));
            record.multi_region = Some(multi_region(1));
            record.material_rotations[0] = material_rotation(1, 11);
            record.material_rotations.pop();
            record.material_imports[0] = material_import(1, None);
            record.material_imports.pop();
            transaction.save_key(&record)?;
            transaction.append_record(b"first")?;
            Ok(())
        })
        .await;
    changed.unwrap();
    let mut doomed = populated().remove(1);
    doomed.key.key_id = key_id(4);
    doomed.aliases = vec![alias_row("doomed", key_id(4))];
    save(&place.store, &doomed).await;
    save_usages(&place.store, &[key_usage(region(0), key_id(4), 20)]).await;
    save_grants(&place.store, &[grant(region(0), key_id(4), 1, GRANTEES[0])]).await;
}

/// Goes on where `change` ended.
async fn change_again(place: &Place) {
    let last = populated()[2].key.clone();
    let changed: Result<(), StoreError> = place
        .store
        .write(move |transaction| {
            let mut account = transaction.account(account(1))?.unwrap();
            account.access_keys[0].status = store::AccessKeyStatus::Inactive;
            account.access_keys.pop();
            account.owned_keys[0].domain_key_version = 4;
            account.owned_keys.pop();
            account.aliases[0].account_alias = "another".to_owned();
            account.role_deletions[0].failure = Some("another".to_owned());
            account.role_deletions.pop();
            transaction.save_account(&account)?;
            transaction.delete_key(region(0), key_id(4))?;
            for key in populated().into_iter().map(|record| record.key) {
                assert!(transaction.delete_grant(key.region, key.key_id, grant_id(4))?);
            }
            let mut record = transaction.key(last.region, last.key_id)?.unwrap();
            record.key.description.push('!');
            record.rotation = None;
            record.multi_region = None;
            record.material_rotations.clear();
            record.material_imports.clear();
            transaction.save_key(&record)?;
            transaction.drop_records(1)?;
            for record in [b"second", b"third!"] {
                transaction.append_record(record)?;
            }
            Ok(())
        })
        .await;
    changed.unwrap();
}

/// Asks everything that the service can ask.
async fn load_everything(path: &Path) -> Result<(), StoreError> {
    let store =
        LockedStore::open(path, StoreOptions { reader_threads: 1, ..StoreOptions::default() })?
            .unlock(seal_keys())?;
    store.read(load_all).await
}

fn load_all(snapshot: &Snapshot<'_>) -> Result<(), StoreError> {
    let records = populated();
    for record in &records {
        let found = snapshot.key(record.key.region, record.key.key_id)?;
        assert!(found.is_some(), "a key is missing and nobody noticed");
    }
    for region in [region(0), region(1)] {
        for id in records.iter().map(|record| record.key.key_id).chain([ghost(), key_id(4)]) {
            let found = snapshot.key(region, id)?;
            snapshot.key_usage(region, id)?;
            load_grants(snapshot, region, id)?;
            let is_ours =
                records.iter().any(|record| record.key.region == region && record.key.key_id == id);
            assert_eq!(found.is_some(), is_ours, "a copied key was believed");
        }
        for account in [account(1), account(2)] {
            for key in snapshot.keys_page(account, region, None, 99)? {
                snapshot.key(region, key.key_id)?;
            }
            for row in snapshot.aliases_page(account, region, None, 99)? {
                follow_alias(snapshot, account, region, &row.alias)?;
            }
        }
    }
    for row in snapshot.accounts()? {
        snapshot.account(row.account)?;
    }
    for number in [1, 2] {
        let found = snapshot.account(account(number))?;
        assert!(found.is_some(), "an account is missing and nobody noticed");
    }
    for name in ["AKIA1", "AKIA2", "AKIA3", "AKIA4"] {
        snapshot.access_key(name)?;
    }
    for (account, identity_id) in snapshot.identity_ids()? {
        assert!(snapshot.identity(account, &identity_id)?.is_some());
    }
    for account in [account(1), account(2)] {
        for identity_id in IDENTITY_IDS.into_iter().chain([DOOMED_ID, GHOST_ID]) {
            let is_ours = account.as_str() == "111122223301" && IDENTITY_IDS.contains(&identity_id);
            let found = snapshot.identity(account, identity_id)?;
            assert_eq!(found.is_some(), is_ours, "{identity_id} was believed or missed");
        }
    }
    for account in [account(1), account(2)] {
        for kind in [store::CallerKind::AccessKey, store::CallerKind::Role] {
            for id in CALLERS.into_iter().map(|(_, id)| id).chain(["AKIA3"]) {
                snapshot.caller_usage(account, kind, id)?;
            }
        }
    }
    assert!(snapshot.journal_position("somebody else")?.is_none());
    for month in ["2026-10", "2026-11"] {
        assert!(snapshot.metered(month)?.position.is_some(), "the meter's position is missing");
    }
    snapshot.pending_records()?;
    assert!(snapshot.changes_after(0)?.is_some());
    Ok(())
}

/// What is asked of the grants on a key.
fn load_grants(snapshot: &Snapshot<'_>, region: Region, key_id: KeyId) -> Result<(), StoreError> {
    for number in 1..=4 {
        snapshot.grant(region, key_id, grant_id(number))?;
        snapshot.grants_named(region, key_id, &format!("grant {number}"))?;
    }
    for grantee in GRANTEES {
        snapshot.grants_of(region, key_id, grantee)?;
        snapshot.grants_page(region, key_id, Some(grantee), None, 99)?;
    }
    snapshot.grants_page(region, key_id, None, None, 99)?;
    snapshot.retirable_grants_page(region, RETIRING, None, 99)?;
    Ok(())
}

/// What a caller does with an alias: the key it names must name it back.
fn follow_alias(
    snapshot: &Snapshot<'_>,
    account: wire::names::AccountId,
    region: Region,
    alias: &AliasName,
) -> Result<(), StoreError> {
    let row = snapshot.alias(account, region, alias)?.unwrap();
    let target = snapshot.key(region, row.key_id)?;
    assert!(target.is_some_and(|target| target.aliases.contains(&row)), "{alias:?} was believed");
    Ok(())
}

pub(crate) fn ghost() -> KeyId {
    key_id(GHOST)
}

/// The sealed tables of the schema in the file.
pub(crate) fn tables(connection: &Connection) -> Vec<Table> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut statement = connection.prepare(sql).unwrap();
    let names = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let names = names.map(Result::unwrap).filter(|name| !EXEMPT.contains(&name.as_str()));
    names
        .map(|name| {
            let sql = format!("SELECT name, pk FROM pragma_table_info('{name}')");
            let mut statement = connection.prepare(&sql).unwrap();
            let columns = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            let columns: Vec<(String, i64)> = columns.map(Result::unwrap).collect();
            let identity_columns = columns.iter().filter(|(_, pk)| *pk > 0).count();
            let columns = columns.into_iter().map(|(column, _)| column).collect();
            Table { name, columns, identity_columns }
        })
        .collect()
}

pub(crate) fn rows(connection: &Connection, table: &Table) -> Vec<Row> {
    let sql = format!("SELECT * FROM {}", table.name);
    let mut statement = connection.prepare(&sql).unwrap();
    let count = table.columns.len();
    let rows = statement.query_map([], |row| (0..count).map(|column| row.get(column)).collect());
    rows.unwrap().map(Result::unwrap).collect()
}

impl Table {
    pub(crate) fn identity<'r>(&self, row: &'r Row) -> &'r [Value] {
        &row[..self.identity_columns]
    }

    pub(crate) fn delete(&self, connection: &Connection, row: &Row) {
        let keys: Vec<_> = self.columns[..self.identity_columns]
            .iter()
            .enumerate()
            .map(|(index, column)| format!("{column} = ?{}", index + 1))
            .collect();
        let sql = format!("DELETE FROM {} WHERE {}", self.name, keys.join(" AND "));
        let deleted = connection.execute(&sql, params_from_iter(self.identity(row))).unwrap();
        assert_eq!(deleted, 1, "{sql}");
    }

    /// Writes a row, over the one of the same identity if there is one.
    pub(crate) fn put(&self, connection: &Connection, row: &Row) {
        let places: Vec<_> = (1..=row.len()).map(|place| format!("?{place}")).collect();
        let sql = format!("INSERT OR REPLACE INTO {} VALUES ({})", self.name, places.join(", "));
        connection.execute(&sql, params_from_iter(row)).unwrap();
    }
}
