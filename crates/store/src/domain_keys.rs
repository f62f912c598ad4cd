//! The deployment and its wrapped domain keys: what must be read before any seal can be checked.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use crate::columns::{Columns, nanos};
use crate::error::{Result, StoreError};

/// The deployment this database belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentRow {
    /// The deployment's id, bound into every wrapped key and derived key.
    pub deployment_id: [u8; 16],
    /// When it was initialised.
    pub created: Timestamp,
}

/// A domain key as custody wrapped it under the root key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainKeyRow {
    /// What the key is for, in custody's words.
    pub purpose: String,
    /// The version, counted for each purpose.
    pub version: u32,
    /// The wrapped bytes. Custody authenticates them together with the deployment, purpose and
    /// version.
    pub wrapped: Vec<u8>,
    /// When the key was made.
    pub created: Timestamp,
}

const DEPLOYMENT: &str = "SELECT deployment_id, created_nanos FROM deployment";
const DOMAIN_KEYS: &str = "
    SELECT purpose, version, wrapped, created_nanos FROM domain_keys ORDER BY purpose, version";

pub(crate) fn deployment(connection: &Connection) -> Result<Option<DeploymentRow>> {
    let read = |row: &rusqlite::Row<'_>| {
        let mut columns = Columns::of_unsealed("deployment", row);
        Ok(DeploymentRow { deployment_id: columns.array()?, created: columns.instant()? })
    };
    connection.query_row(DEPLOYMENT, [], |row| Ok(read(row))).optional()?.transpose()
}

pub(crate) fn domain_keys(connection: &Connection) -> Result<Vec<DomainKeyRow>> {
    let mut statement = connection.prepare(DOMAIN_KEYS)?;
    let mut rows = statement.query([])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        let mut columns = Columns::of_unsealed("domain_keys", row);
        keys.push(DomainKeyRow {
            purpose: columns.text()?,
            version: columns.number()?,
            wrapped: columns.bytes()?,
            created: columns.instant()?,
        });
    }
    Ok(keys)
}

pub(crate) fn initialize(
    connection: &Connection,
    deployment_row: &DeploymentRow,
    keys: &[DomainKeyRow],
) -> Result<()> {
    if deployment(connection)?.is_some() {
        return Err(StoreError::AlreadyInitialised);
    }
    connection.execute(
        "INSERT INTO deployment (id, deployment_id, created_nanos) VALUES (1, ?1, ?2)",
        params![deployment_row.deployment_id, nanos(deployment_row.created)?],
    )?;
    insert(connection, keys)
}

pub(crate) fn insert(connection: &Connection, keys: &[DomainKeyRow]) -> Result<()> {
    for key in keys {
        connection.execute(
            "INSERT INTO domain_keys (purpose, version, wrapped, created_nanos)
             VALUES (?1, ?2, ?3, ?4)",
            params![key.purpose, key.version, key.wrapped, nanos(key.created)?],
        )?;
    }
    Ok(())
}
