//! Writing the key material anew, so that nothing of what was deleted is left beside it.
//!
//! SQLite's `secure_delete` overwrites the bytes that a DELETE frees. But the rows of a page move
//! to its neighbours when it is full or nearly empty, and where SQLite then builds the page anew
//! (`rebuildPage` in its `btree.c`) the unused middle of the page may keep a copy of a row that has
//! moved away. The row's later deletion does not reach the copy. Whole pages that are freed are
//! overwritten, always: so the table is copied, dropped and filled again. Unlike VACUUM this is
//! done inside the database and its log, needs no memory beyond the page cache, and reads no other
//! table.

use rusqlite::Connection;

use crate::error::Result;
use crate::key_materials::KEY_MATERIALS;
use crate::migrations;
use crate::owned_key_materials::OWNED_KEY_MATERIALS;
use crate::schema::SealedTable;
use crate::snapshot::Snapshot;

/// The tables that hold key material, each with its unique or other indexes beside the primary key.
const TABLES: [(&SealedTable, &[&str]); 2] =
    [(&KEY_MATERIALS, &[]), (&OWNED_KEY_MATERIALS, &["owned_key_materials_by_version"])];

/// The row of `upkeep` that stands from the first destruction until the scrub after it.
const REMEMBER: &str = "INSERT OR IGNORE INTO upkeep (name) VALUES ('scrub')";
const IS_DUE: &str = "SELECT count(*) > 0 FROM upkeep WHERE name = 'scrub'";
const DONE: &str = "DELETE FROM upkeep WHERE name = 'scrub'";

/// Notes that material was destroyed, inside the same transaction.
pub(crate) fn remember(connection: &Connection) -> Result<()> {
    connection.prepare_cached(REMEMBER)?.execute([])?;
    Ok(())
}

impl Snapshot<'_> {
    /// Whether material was destroyed and no [`scrub`](crate::Store::scrub) came after it, perhaps because the process ended.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`](crate::StoreError::Sqlite) if the database cannot be read.
    pub fn is_scrub_due(&self) -> Result<bool> {
        Ok(self.connection().prepare_cached(IS_DUE)?.query_row([], |row| row.get(0))?)
    }
}

/// Writes the tables of key material anew, inside a transaction.
pub(crate) fn rewrite_materials(connection: &Connection) -> Result<()> {
    for (SealedTable { name, .. }, indexes) in TABLES {
        // The copy stands inside the transaction only. Its rows are in the order of the primary key.
        let copy = format!("CREATE TABLE copied_materials AS SELECT * FROM {name}");
        let drop = format!("DROP TABLE {name}");
        let fill = format!(
            "INSERT INTO {name} SELECT * FROM copied_materials ORDER BY rowid;
             DROP TABLE copied_materials;"
        );
        for sql in [copy, drop, migrations::definition(name)?, fill] {
            connection.execute_batch(&sql)?;
        }
        for index in indexes {
            connection.execute_batch(&migrations::definition(index)?)?;
        }
    }
    connection.execute_batch(DONE)?;
    Ok(())
}
