//! The keys that sign digest files, wrapped: all that ever were, for what they signed is to be verified.

use jiff::Timestamp;
use rusqlite::params;

use crate::columns::{Columns, nanos};
use crate::error::Result;
use crate::snapshot::Snapshot;
use crate::transaction::Transaction;

/// The schema that the table came with.
pub(crate) const SCHEMA: &str = "
CREATE TABLE digest_keys (
  fingerprint TEXT NOT NULL PRIMARY KEY,
  wrapped BLOB NOT NULL,
  created_nanos INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Why the table has no seals.
#[cfg(test)]
pub(crate) const EXEMPT: (&str, &str) = (
    "digest_keys",
    "Each is wrapped by a domain key together with the deployment, its fingerprint and its date: an \
     edited, swapped or foreign row does not open. What an absent one signed no longer validates.",
);

/// A key for digest files as custody wrapped it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestKeyRow {
    /// The fingerprint of its public key.
    pub fingerprint: String,
    /// The wrapped private key, authenticated together with the other columns.
    pub wrapped: Vec<u8>,
    /// When it was made; whole seconds.
    pub created: Timestamp,
}

const ALL: &str = "
    SELECT fingerprint, wrapped, created_nanos FROM digest_keys ORDER BY created_nanos, fingerprint";
const INSERT: &str =
    "INSERT INTO digest_keys (fingerprint, wrapped, created_nanos) VALUES (?1, ?2, ?3)";

impl Snapshot<'_> {
    /// All keys that sign or signed digest files, the oldest first.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`](crate::StoreError::Sqlite) if the database cannot be read.
    pub fn digest_keys(&self) -> Result<Vec<DigestKeyRow>> {
        let mut statement = self.connection().prepare_cached(ALL)?;
        let mut rows = statement.query([])?;
        let mut keys = Vec::new();
        while let Some(row) = rows.next()? {
            let mut columns = Columns::of_unsealed("digest_keys", row);
            keys.push(DigestKeyRow {
                fingerprint: columns.text()?,
                wrapped: columns.bytes()?,
                created: columns.instant()?,
            });
        }
        Ok(keys)
    }
}

impl Transaction<'_> {
    /// Adds a key for digest files.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`](crate::StoreError::Sqlite) if there is one of that fingerprint.
    pub fn add_digest_key(&mut self, key: &DigestKeyRow) -> Result<()> {
        let mut statement = self.connection().prepare_cached(INSERT)?;
        statement.execute(params![key.fingerprint, key.wrapped, nanos(key.created)?])?;
        Ok(())
    }
}
