//! The schema's history: forward-only steps in one list.
//!
//! A released step is never edited; the next change is appended. `PRAGMA user_version` counts the
//! steps done. After migrating, the schema in the file must be, word for word, what the list
//! creates: a trigger or view that a stranger left in the database would run inside our
//! transactions.

use rusqlite::{Connection, TransactionBehavior};

use crate::error::{Result, StoreError};
use crate::{
    account_aliases, caller_usages, digest_keys, meter_counters, oidc_provider_rows,
    owned_key_materials, role_deletions, root_headers, schema,
};

/// Every step, oldest first.
const STEPS: &[&str] = &[
    schema::VERSION_1,
    schema::VERSION_2,
    schema::VERSION_3,
    schema::VERSION_4,
    oidc_provider_rows::VERSION_5,
    owned_key_materials::VERSION_6,
    digest_keys::SCHEMA,
    account_aliases::VERSION_8,
    caller_usages::VERSION_9,
    role_deletions::SCHEMA,
    root_headers::SCHEMA,
    meter_counters::SCHEMA,
];

/// "KEYS" in ASCII: marks the file as ours (`PRAGMA application_id`).
const APPLICATION_ID: u32 = 0x4b45_5953;

/// Brings the schema to the newest version and proves that it is ours.
///
/// # Errors
///
/// [`StoreError::NewerSchema`], [`StoreError::NotKeystead`] or [`StoreError::ForeignSchema`] if the
/// file is not something this version may touch.
pub(crate) fn migrate(connection: &mut Connection) -> Result<()> {
    let known =
        u32::try_from(STEPS.len()).map_err(|_| StoreError::OutOfRange { what: "schema" })?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: u32 = pragma(&transaction, "user_version")?;
    let application_id: u32 = pragma(&transaction, "application_id")?;
    let is_empty = objects(&transaction)?.is_empty();
    if application_id != APPLICATION_ID && !(application_id == 0 && is_empty) {
        return Err(StoreError::NotKeystead { found: application_id });
    }
    if found > known {
        return Err(StoreError::NewerSchema { found, known });
    }
    for step in STEPS.iter().skip(usize::try_from(found).unwrap_or(usize::MAX)) {
        transaction.execute_batch(step)?;
    }
    if found < known {
        transaction.pragma_update(None, "user_version", known)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    compare(&objects(&transaction)?)?;
    transaction.commit()?;
    Ok(())
}

fn pragma(connection: &Connection, name: &str) -> Result<u32> {
    Ok(connection.pragma_query_value(None, name, |row| row.get(0))?)
}

/// One row of `sqlite_schema`: type, name and the statement that made it (none for automatic
/// indexes).
type Object = (String, String, Option<String>);

fn objects(connection: &Connection) -> Result<Vec<Object>> {
    let mut statement =
        connection.prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The statement that makes a table or index of ours.
pub(crate) fn definition(name: &str) -> Result<String> {
    let sql = "SELECT sql FROM sqlite_schema WHERE name = ?1";
    Ok(fresh()?.query_row(sql, [name], |row| row.get(0))?)
}

/// An empty database with the newest schema.
fn fresh() -> Result<Connection> {
    let fresh = Connection::open_in_memory()?;
    for step in STEPS {
        fresh.execute_batch(step)?;
    }
    Ok(fresh)
}

/// Compares the schema in the file with the one that the steps create in an empty database.
fn compare(found: &[Object]) -> Result<()> {
    let ours = objects(&fresh()?)?;
    let stranger = found.iter().find(|object| !ours.contains(object));
    let missing = ours.iter().find(|object| !found.contains(object));
    match stranger.or(missing) {
        Some((kind, name, _)) => {
            Err(StoreError::ForeignSchema { object: format!("{kind} {name}") })
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrates_once_and_again() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        migrate(&mut connection).unwrap();
        assert_eq!(pragma(&connection, "user_version").unwrap(), 12);
    }

    #[test]
    fn refuses_a_newer_schema() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        connection.pragma_update(None, "user_version", 999).unwrap();
        let refusal = migrate(&mut connection).unwrap_err();
        assert!(matches!(refusal, StoreError::NewerSchema { found: 999, known: 12 }), "{refusal}");
    }

    #[test]
    fn refuses_the_database_of_another_program() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE customers (name TEXT)").unwrap();
        let refusal = migrate(&mut connection).unwrap_err();
        assert!(matches!(refusal, StoreError::NotKeystead { found: 0 }), "{refusal}");
    }

    #[test]
    fn refuses_a_strange_trigger_and_a_missing_index() {
        for change in [
            "CREATE TRIGGER t AFTER UPDATE ON keys BEGIN DELETE FROM changes; END",
            "CREATE VIEW v AS SELECT 1",
            "DROP INDEX aliases_by_key",
        ] {
            let mut connection = Connection::open_in_memory().unwrap();
            migrate(&mut connection).unwrap();
            connection.execute_batch(change).unwrap();
            let refusal = migrate(&mut connection).unwrap_err();
            assert!(matches!(refusal, StoreError::ForeignSchema { .. }), "{change}: {refusal}");
        }
    }
}
