//! The header of the root key: where it comes from, in custody's words, and the exchange of it together with the domain keys.
//!
//! It is read before there are seal keys, so that no seal covers it: custody proves it with the root key itself. A database from
//! before there were headers has none, and its root key is a file.

use rusqlite::{Connection, OptionalExtension, params};

use crate::columns::Columns;
use crate::domain_keys::{self, DomainKeyRow};
use crate::error::Result;

/// The header of the root key as custody made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootHeaderRow {
    /// The provider's name.
    pub provider: String,
    /// What the provider needs besides its secret.
    pub parameters: Vec<u8>,
    /// What only the right root key proves.
    pub proof: Vec<u8>,
}

/// The schema step that brings headers.
pub(crate) const SCHEMA: &str = "
CREATE TABLE root_headers (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  provider TEXT NOT NULL,
  parameters BLOB NOT NULL,
  proof BLOB NOT NULL
) STRICT;
";

#[cfg(test)]
pub(crate) const EXEMPT: (&str, &str) = (
    "root_headers",
    "Read before the seal key is known. Custody's proof covers it, which nobody makes without the \
     root key; without the row, no root key but a file's is looked for, and it does not open.",
);

const HEADER: &str = "SELECT provider, parameters, proof FROM root_headers";

pub(crate) fn root_header(connection: &Connection) -> Result<Option<RootHeaderRow>> {
    let read = |row: &rusqlite::Row<'_>| {
        let mut columns = Columns::of_unsealed("root_headers", row);
        Ok(RootHeaderRow {
            provider: columns.text()?,
            parameters: columns.bytes()?,
            proof: columns.bytes()?,
        })
    };
    connection.query_row(HEADER, [], |row| Ok(read(row))).optional()?.transpose()
}

pub(crate) fn put(connection: &Connection, header: &RootHeaderRow) -> Result<()> {
    connection.execute(
        "INSERT OR REPLACE INTO root_headers (id, provider, parameters, proof) VALUES (1, ?1, ?2, ?3)",
        params![header.provider, header.parameters, header.proof],
    )?;
    Ok(())
}

/// Puts these domain keys and this header in the place of those that are there.
pub(crate) fn replace_root(
    connection: &Connection,
    header: &RootHeaderRow,
    keys: &[DomainKeyRow],
) -> Result<()> {
    connection.execute("DELETE FROM domain_keys", [])?;
    domain_keys::insert(connection, keys)?;
    put(connection, header)
}
