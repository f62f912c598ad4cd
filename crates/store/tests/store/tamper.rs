//! A stranger with write access to the database: whatever he does to a sealed row is refused.
//!
//! The attacks are generated from the schema in the file, so that a new table or column is attacked
//! without a word here.

use std::collections::BTreeMap;
use std::path::Path;

use crypto::SecretKey;
use crypto::seal::{SealKey, SealKeys};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use store::{LockedStore, Snapshot, StoreError, StoreOptions};
use tempfile::TempDir;
use wire::names::{AliasName, KeyId};

use crate::support::*;

/// Tables without seals; their reasons stand beside the schema.
const EXEMPT: [&str; 3] = ["deployment", "domain_keys", "leases"];

/// Ids that no key has, to which rows are copied.
const GHOST: u8 = 99;

/// A table as a stranger finds it.
struct Table {
    name: String,
    columns: Vec<String>,
    /// How many of the first columns are the primary key.
    identity_columns: usize,
}

/// One version of one row, all columns.
type Row = Vec<Value>;

struct Attacked {
    folder: TempDir,
    tables: Vec<Table>,
    /// All versions of all rows that any commit left, by table.
    history: Vec<Vec<Row>>,
}

impl Attacked {
    /// A store with some history, closed.
    async fn new() -> Attacked {
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
            save_account(&place.store, &account_record(number, &names)).await;
            look();
        }
        change(&place).await;
        look();
        change_again(&place).await;
        look();
        drop(stranger);
        place.store.close().await.unwrap();
        Attacked { folder: place.folder, tables, history }
    }

    /// Lets the attack have a copy of the database, then opens it and loads everything.
    async fn outcome(&self, attack: impl FnOnce(&Connection)) -> Result<(), StoreError> {
        let copy = in_memory();
        let path = copy.path().join("keystead.db");
        std::fs::copy(self.folder.path().join("keystead.db"), &path).unwrap();
        attack(&stranger(&path));
        load_everything(&path).await
    }

    async fn assert_refused(&self, what: &str, attack: impl FnOnce(&Connection)) {
        let outcome = self.outcome(attack).await;
        assert!(outcome.as_ref().is_err_and(is_seal), "{what}: {outcome:?}");
    }

    fn current(&self) -> Connection {
        stranger(&self.folder.path().join("keystead.db"))
    }
}

/// Three keys in two Regions, each with two of everything.
fn populated() -> Vec<store::KeyRecord> {
    let mut records: Vec<_> = [1, 2, 3].map(key).into();
    records[2].key.region = region(1);
    for record in &mut records {
        let id = record.key.key_id;
        let name = |suffix: &str| format!("{id}{suffix}");
        record.materials.push(material(77));
        record.aliases = vec![alias_row(&name("a"), id), alias_row(&name("b"), id)];
        record.tags = vec![tag("Department", "1"), tag("Stage", "2")];
    }
    records
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
            transaction.save_key(&record)?;
            transaction.append_record(b"first")?;
            Ok(())
        })
        .await;
    changed.unwrap();
    let mut doomed = key(4);
    doomed.aliases = vec![alias_row("doomed", key_id(4))];
    save(&place.store, &doomed).await;
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
            transaction.save_account(&account)?;
            transaction.delete_key(region(0), key_id(4))?;
            let mut record = transaction.key(last.region, last.key_id)?.unwrap();
            record.key.description.push('!');
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
    snapshot.pending_records()?;
    assert!(snapshot.changes_after(0)?.is_some());
    Ok(())
}

/// What a caller does with an alias: the key it names must name it back.
fn follow_alias(
    snapshot: &Snapshot<'_>,
    account: wire::names::AccountId,
    region: wire::names::Region,
    alias: &AliasName,
) -> Result<(), StoreError> {
    let row = snapshot.alias(account, region, alias)?.unwrap();
    let target = snapshot.key(region, row.key_id)?;
    assert!(target.is_some_and(|target| target.aliases.contains(&row)), "{alias:?} was believed");
    Ok(())
}

fn ghost() -> KeyId {
    key_id(GHOST)
}

/// The sealed tables of the schema in the file.
fn tables(connection: &Connection) -> Vec<Table> {
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

fn rows(connection: &Connection, table: &Table) -> Vec<Row> {
    let sql = format!("SELECT * FROM {}", table.name);
    let mut statement = connection.prepare(&sql).unwrap();
    let count = table.columns.len();
    let rows = statement.query_map([], |row| (0..count).map(|column| row.get(column)).collect());
    rows.unwrap().map(Result::unwrap).collect()
}

impl Table {
    fn identity<'r>(&self, row: &'r Row) -> &'r [Value] {
        &row[..self.identity_columns]
    }

    fn delete(&self, connection: &Connection, row: &Row) {
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
    fn put(&self, connection: &Connection, row: &Row) {
        let places: Vec<_> = (1..=row.len()).map(|place| format!("?{place}")).collect();
        let sql = format!("INSERT OR REPLACE INTO {} VALUES ({})", self.name, places.join(", "));
        connection.execute(&sql, params_from_iter(row)).unwrap();
    }
}

/// Other values for a column: near ones and, for names, those of other rows.
fn other_values(table: &Table, column: usize, value: &Value, all: &[Row]) -> Vec<Value> {
    let mut others = match value {
        Value::Null => vec![Value::Integer(1), Value::Text("x".to_owned()), Value::Blob(vec![1])],
        Value::Integer(number) => vec![Value::Integer(number + 1), Value::Integer(number - 1)],
        Value::Real(_) => Vec::new(),
        Value::Text(text) => vec![Value::Text(format!("{text}x")), Value::Text(String::new())],
        Value::Blob(bytes) => {
            let mut flipped = bytes.clone();
            flipped[0] ^= 1;
            vec![Value::Blob(flipped), Value::Blob(bytes[1..].to_vec()), Value::Blob(Vec::new())]
        }
    };
    if matches!(value, Value::Text(_) | Value::Blob(_) | Value::Integer(_)) {
        others.push(Value::Null);
    }
    others.extend(
        all.iter().map(|row| &row[column]).filter(|other| *other != value).take(2).cloned(),
    );
    if table.columns[column] == "key_id" {
        others.push(Value::Text(ghost().to_string()));
    }
    others.retain(|other| other != value);
    others
}

#[tokio::test]
async fn the_untouched_store_is_believed() {
    let attacked = Attacked::new().await;
    attacked.outcome(|_| ()).await.unwrap();
    let current = attacked.current();
    for (table, versions) in attacked.tables.iter().zip(&attacked.history) {
        let now = rows(&current, table);
        assert!(!now.is_empty(), "{} has no rows to attack", table.name);
        let older = versions.iter().filter(|version| !now.contains(version)).count();
        assert!(older > 0 || table.name == "changes", "{} has no history to replay", table.name);
    }
}

#[tokio::test]
async fn every_column_of_every_row_is_sealed() {
    let attacked = Attacked::new().await;
    let current = attacked.current();
    let mut attacks = 0;
    for table in &attacked.tables {
        let all = rows(&current, table);
        for row in &all {
            for column in 0..table.columns.len() {
                for other in other_values(table, column, &row[column], &all) {
                    let mut edited = row.clone();
                    edited[column] = other;
                    let what = format!("{}.{}", table.name, table.columns[column]);
                    let mut is_possible = true;
                    let outcome = attacked
                        .outcome(|connection| {
                            // NOT NULL, STRICT types and unique names stop some edits.
                            is_possible = update(connection, table, row, &edited);
                        })
                        .await;
                    if is_possible {
                        assert!(outcome.as_ref().is_err_and(is_seal), "{what}: {outcome:?}");
                        attacks += 1;
                    }
                }
            }
        }
    }
    assert!(attacks > 500, "{attacks} attacks are too few to mean anything");
}

/// Changes a row in place; false if SQLite refuses.
fn update(connection: &Connection, table: &Table, row: &Row, edited: &Row) -> bool {
    let count = row.len();
    let set: Vec<_> = table
        .columns
        .iter()
        .enumerate()
        .map(|(index, column)| format!("{column} = ?{}", index + 1))
        .collect();
    let keys: Vec<_> = table.columns[..table.identity_columns]
        .iter()
        .enumerate()
        .map(|(index, column)| format!("{column} = ?{}", count + index + 1))
        .collect();
    let sql = format!("UPDATE {} SET {} WHERE {}", table.name, set.join(", "), keys.join(" AND "));
    let values = edited.iter().chain(table.identity(row));
    connection.execute(&sql, params_from_iter(values)).is_ok_and(|updated| updated == 1)
}

#[tokio::test]
async fn every_row_is_missed() {
    let attacked = Attacked::new().await;
    let current = attacked.current();
    for table in &attacked.tables {
        for row in rows(&current, table) {
            let what = format!("{} without {:?}", table.name, table.identity(&row));
            attacked.assert_refused(&what, |connection| table.delete(connection, &row)).await;
        }
    }
}

#[tokio::test]
async fn no_row_is_believed_under_another_name() {
    let attacked = Attacked::new().await;
    let current = attacked.current();
    for table in &attacked.tables {
        let all = rows(&current, table);
        for row in &all {
            for column in 0..table.identity_columns {
                for other in other_values(table, column, &row[column], &all) {
                    let mut copy = row.clone();
                    copy[column] = other;
                    if copy[..table.identity_columns].contains(&Value::Null) {
                        continue;
                    }
                    let is_new =
                        !all.iter().any(|row| table.identity(row) == table.identity(&copy));
                    // A row for a Region, account or key that nobody can ask for is no attack.
                    let is_askable =
                        is_askable(&table.columns[column], &copy[column], &all, column);
                    if is_new && is_askable {
                        let what = format!("{} copied to {:?}", table.name, table.identity(&copy));
                        attacked
                            .assert_refused(&what, |connection| table.put(connection, &copy))
                            .await;
                    }
                }
            }
        }
    }
}

/// True if a caller can name a row by this value of an identity column.
fn is_askable(column: &str, value: &Value, all: &[Row], index: usize) -> bool {
    match column {
        "region" | "account" => all.iter().any(|row| row[index] == *value),
        "key_id" => {
            *value == Value::Text(ghost().to_string()) || all.iter().any(|row| row[index] == *value)
        }
        _ => !matches!(value, Value::Text(text) if text.is_empty()),
    }
}

#[tokio::test]
async fn no_two_rows_can_be_swapped() {
    let attacked = Attacked::new().await;
    let current = attacked.current();
    for table in &attacked.tables {
        let all = rows(&current, table);
        for (index, one) in all.iter().enumerate() {
            for other in &all[index + 1..] {
                let cut = table.identity_columns;
                let mut first = one.clone();
                let mut second = other.clone();
                first[cut..].clone_from_slice(&other[cut..]);
                second[cut..].clone_from_slice(&one[cut..]);
                let what = format!("{}: {:?} and {:?}", table.name, &one[..cut], &other[..cut]);
                attacked
                    .assert_refused(&what, |connection| {
                        // Unique names must be free before they are taken.
                        table.delete(connection, one);
                        table.delete(connection, other);
                        table.put(connection, &first);
                        table.put(connection, &second);
                    })
                    .await;
            }
        }
    }
}

#[tokio::test]
async fn no_older_row_comes_back() {
    let attacked = Attacked::new().await;
    let current = attacked.current();
    let mut replays: BTreeMap<&str, usize> = BTreeMap::new();
    for (table, versions) in attacked.tables.iter().zip(&attacked.history) {
        let now = rows(&current, table);
        for version in versions.iter().filter(|version| !now.contains(version)) {
            let what = format!("{}: an older {:?}", table.name, table.identity(version));
            attacked.assert_refused(&what, |connection| table.put(connection, version)).await;
            *replays.entry(&table.name).or_default() += 1;
        }
    }
    for table in ["head", "keys", "key_materials", "key_policies", "aliases", "tags"] {
        assert!(replays.get(table).is_some_and(|count| *count > 0), "{table}: {replays:?}");
    }
}

#[tokio::test]
async fn rows_sealed_by_another_key_are_refused() {
    let place = Place::new();
    save(&place.store, &key(1)).await;
    let path = place.path();
    drop(place.store);
    let locked = LockedStore::open(&path, StoreOptions::default()).unwrap();
    let outcome = locked.unlock(seal_keys_of(8));
    assert!(outcome.is_err_and(|error| is_seal(&error)));
}

#[tokio::test]
async fn a_running_store_refuses_an_older_whole_and_a_raised_one() {
    let place = Place::new();
    let stranger = place.stranger();
    let tables = tables(&stranger);
    let key_tables = ["keys", "key_materials", "key_policies"];
    let key_tables: Vec<_> =
        tables.iter().filter(|table| key_tables.contains(&table.name.as_str())).collect();
    let take =
        || -> Vec<Vec<Row>> { key_tables.iter().map(|table| rows(&stranger, table)).collect() };
    let put = |taken: &[Vec<Row>]| {
        for (table, rows) in key_tables.iter().zip(taken) {
            stranger.execute(&format!("DELETE FROM {}", table.name), []).unwrap();
            rows.iter().for_each(|row| table.put(&stranger, row));
        }
    };
    let mut record = save(&place.store, &key(1)).await;
    let enabled = take();
    record.key.state = wire::enums::KeyState::Disabled;
    save(&place.store, &record).await;
    let disabled = take();

    let refused = || load(&place.store, region(0), key_id(1));
    put(&enabled);
    assert!(refused().await.is_err_and(|error| is_seal(&error)), "an older whole key");
    put(&[Vec::new(), Vec::new(), Vec::new()]);
    assert!(refused().await.is_err_and(|error| is_seal(&error)), "a vanished key");
    put(&disabled);
    assert!(refused().await.unwrap().is_some());

    let deleted: Result<_, StoreError> =
        place.store.write(|transaction| transaction.delete_key(region(0), key_id(1))).await;
    assert!(deleted.unwrap());
    put(&disabled);
    assert!(refused().await.is_err_and(|error| is_seal(&error)), "a raised key");
}

#[tokio::test]
async fn a_tampered_key_is_not_saved_over() {
    let place = Place::new();
    let mut record = save(&place.store, &key(1)).await;
    place.stranger().execute("UPDATE key_policies SET document = '{}'", []).unwrap();
    record.key.description = "new".to_owned();
    for act in ["save", "delete"] {
        let record = record.clone();
        let outcome: Result<(), StoreError> = place
            .store
            .write(move |transaction| match act {
                "save" => transaction.save_key(&record).map(drop),
                _ => transaction.delete_key(region(0), key_id(1)).map(drop),
            })
            .await;
        assert!(outcome.is_err_and(|error| is_seal(&error)), "{act}");
    }
}

#[tokio::test]
async fn the_refusal_says_where_and_why() {
    let place = Place::new();
    save(&place.store, &key(1)).await;
    place.stranger().execute("UPDATE keys SET state = 'Enabled', description = 'x'", []).unwrap();
    let refusal = load(&place.store, region(0), key_id(1)).await.unwrap_err();
    assert_eq!(
        refusal.to_string(),
        format!(
            "the database was tampered with: keys 'eu-central-1/{}' is refused: \
             the row does not fit its seal",
            key_id(1)
        )
    );
}

/// The keys and accounts that a stranger's copy from before holds, put back beside newer ones: a
/// partial rollback.
#[tokio::test]
async fn no_older_whole_key_comes_back_over_a_restart() {
    let place = Place::new();
    let mut record = save(&place.store, &key(1)).await;
    save(&place.store, &key(2)).await;
    let stranger = place.stranger();
    let tables = tables(&stranger);
    let keys = tables.iter().find(|table| table.name == "keys").unwrap();
    let enabled = rows(&stranger, keys);
    record.key.state = wire::enums::KeyState::Disabled;
    save(&place.store, &record).await;
    let Place { folder, store } = place;
    drop(store);
    // Only the key's own row has changed, so this is the whole key as it was, with its manifest.
    keys.put(&stranger, &enabled[0]);
    drop(stranger);

    let path = folder.path().join("keystead.db");
    let refusal = open(&path).err().unwrap();
    assert!(is_seal(&refusal), "{refusal}");

    let options = StoreOptions { accept_rollback: true, ..StoreOptions::default() };
    let store = LockedStore::open(&path, options).unwrap().unlock(seal_keys()).unwrap();
    let found = load(&store, region(0), key_id(1)).await.unwrap().unwrap();
    assert_eq!(found.key.state, wire::enums::KeyState::Enabled, "the operator accepted it");
    drop(store);
    let store = open(&path).unwrap();
    assert!(load(&store, region(0), key_id(1)).await.unwrap().is_some(), "once is enough");
}

#[tokio::test]
async fn rows_stay_believed_when_the_seal_key_is_replaced() {
    let place = Place::new();
    let one = save(&place.store, &key(1)).await;
    let two = save(&place.store, &key(2)).await;
    let path = place.path();
    drop(place.store);
    let both = || {
        let key = |version, byte| SealKey::new(version, &SecretKey::new([byte; 32]));
        SealKeys::new(key(2, 8), vec![key(1, 7)])
    };
    for _ in 0..2 {
        let store = LockedStore::open(&path, StoreOptions::default()).unwrap();
        let store = store.unlock(both()).unwrap();
        assert!(load(&store, region(0), key_id(1)).await.unwrap().is_some());
        let newest = load(&store, region(0), key_id(2)).await.unwrap().unwrap();
        assert!(newest.key.sequence >= two.key.sequence);
        save(&store, &newest).await;
        assert_eq!(load(&store, region(0), key_id(1)).await.unwrap().as_ref(), Some(&one));
    }
    assert!(open(&path).is_err_and(|error| is_seal(&error)), "the old key alone is not enough");
}
