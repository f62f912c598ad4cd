//! A stranger with write access to the database: whatever he does to a sealed row is refused.
//!
//! The attacks are generated from the schema in the file, so that a new table or column is attacked
//! without a word here.

use std::collections::BTreeMap;

use crypto::SecretKey;
use crypto::seal::{SealKey, SealKeys};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use store::{LockedStore, StoreError, StoreOptions};

use crate::attacked::*;
use crate::support::*;

/// Tables whose rows are sealed each on its own, so that a row that is gone or older than the newest
/// is not noticed; `key_usages.rs` and `caller_usages.rs` say why that is safe.
const UNLISTED: [&str; 2] = ["key_usages", "caller_usages"];

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
                    if takes_away(table, column, &edited, &all) {
                        continue;
                    }
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

/// True if the edit brings a row that no manifest lists under a name that nobody can ask for. Then
/// the row is gone, which is not noticed.
fn takes_away(table: &Table, column: usize, edited: &Row, all: &[Row]) -> bool {
    UNLISTED.contains(&table.name.as_str())
        && column < table.identity_columns
        && !is_askable(&table.columns[column], &edited[column], all, column)
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
            if UNLISTED.contains(&table.name.as_str()) {
                attacked.outcome(|connection| table.delete(connection, &row)).await.unwrap();
                continue;
            }
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
        "region" | "account" | "kind" | "caller_id" => all.iter().any(|row| row[index] == *value),
        "identity_id" => {
            *value == Value::Text(GHOST_ID.to_owned()) || all.iter().any(|row| row[index] == *value)
        }
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
            let has_newer = now.iter().any(|row| table.identity(row) == table.identity(version));
            if UNLISTED.contains(&table.name.as_str()) && has_newer {
                attacked.outcome(|connection| table.put(connection, version)).await.unwrap();
                continue;
            }
            attacked.assert_refused(&what, |connection| table.put(connection, version)).await;
            *replays.entry(&table.name).or_default() += 1;
        }
    }
    for table in attacked.tables.iter().filter(|table| table.name != "changes") {
        let count = replays.get(table.name.as_str());
        assert!(count.is_some_and(|count| *count > 0), "{}: {replays:?}", table.name);
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
