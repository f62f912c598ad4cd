//! Rows of what became of the deletion of service-linked roles, which belong to their account.

use jiff::Timestamp;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Params, params};
use wire::names::{AccountId, KeyArn};

use crate::accounts::AccountRow;
use crate::aggregate::ChildRow;
use crate::columns::{Columns, Values};
use crate::error::Result;
use crate::keys::KEYS;
use crate::schema::SealedTable;
use crate::snapshot::Snapshot;

/// A request to delete a service-linked role, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleDeletionRow {
    /// The id by which IAM tells of it, unique in the account.
    pub deletion_task_id: String,
    /// When it was asked for.
    pub created: Timestamp,
    /// Why the role was not deleted; none if it was.
    pub failure: Option<String>,
    /// The ARNs of resources that still used the role.
    pub resources: Vec<String>,
}

/// The schema's step: deletions of service-linked roles.
pub(crate) const SCHEMA: &str = "
CREATE TABLE role_deletions (
  account TEXT NOT NULL REFERENCES accounts (account),
  deletion_task_id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  created_nanos INTEGER NOT NULL,
  failure TEXT,
  resources TEXT NOT NULL,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL,
  PRIMARY KEY (account, deletion_task_id)
) STRICT, WITHOUT ROWID;
";

pub(crate) const ROLE_DELETIONS: SealedTable = SealedTable {
    name: "role_deletions",
    schema_version: 10,
    identity_columns: 2,
    sealed_columns: 6,
};

/// What stands between two ARNs in the column; no ARN has one.
const SEPARATOR: char = '\n';

const MULTI_REGION_OF_ACCOUNT: &str = "
    SELECT region, account, key_id FROM keys
    WHERE account = ?1 AND multi_region = 1 ORDER BY region, key_id LIMIT ?2";
pub(crate) const GRANTED: &str = "
    SELECT DISTINCT grants.region, keys.account, grants.key_id
    FROM grants INDEXED BY grants_by_grantee
    JOIN keys ON keys.region = grants.region AND keys.key_id = grants.key_id
    WHERE grants.grantee = ?1 ORDER BY grants.region, grants.key_id LIMIT ?2";

impl ChildRow for RoleDeletionRow {
    type Owner = AccountRow;

    const TABLE: &'static SealedTable = &ROLE_DELETIONS;
    const OF_OWNER: &'static str = "
        SELECT account, deletion_task_id, sequence, created_nanos, failure, resources,
          seal_version, seal
        FROM role_deletions WHERE account = ?1 ORDER BY deletion_task_id";
    const INSERT: &'static str = "
        INSERT INTO role_deletions (account, deletion_task_id, sequence, created_nanos, failure,
          resources, seal_version, seal)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    const DELETE: &'static str = "
        DELETE FROM role_deletions WHERE account = ?1 AND deletion_task_id = ?2";

    fn owner_key(owner: &AccountRow) -> Vec<Value> {
        Values::new().text(owner.account.as_str()).finish()
    }

    fn identity(&self) -> ValueRef<'_> {
        ValueRef::Text(self.deletion_task_id.as_bytes())
    }

    fn values(&self, owner: &AccountRow, sequence: u64) -> Result<Vec<Value>> {
        let resources = self.resources.join(SEPARATOR.encode_utf8(&mut [0; 4]));
        let values = Values::new().text(owner.account.as_str()).text(&self.deletion_task_id);
        let values = values.number(sequence)?.instant(self.created)?;
        Ok(values.optional_text(self.failure.as_deref()).text(&resources).finish())
    }

    fn read(columns: &mut Columns<'_>) -> Result<RoleDeletionRow> {
        columns.skip(1);
        let deletion_task_id = columns.text()?;
        columns.skip(1);
        let (created, failure, resources) =
            (columns.instant()?, columns.optional_text()?, columns.text()?);
        Ok(RoleDeletionRow {
            deletion_task_id,
            created,
            failure,
            resources: resources
                .split(SEPARATOR)
                .filter(|arn| !arn.is_empty())
                .map(str::to_owned)
                .collect(),
        })
    }
}

impl Snapshot<'_> {
    /// The first multi-Region keys of an account, at most so many, in any state; unverified. Whoever
    /// forges or hides one can keep a role from being deleted or let it be, and nothing else.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`](crate::StoreError::Sqlite) if the database cannot be read.
    pub fn multi_region_keys(&self, account: AccountId, limit: u32) -> Result<Vec<KeyArn>> {
        self.key_arns(MULTI_REGION_OF_ACCOUNT, params![account.as_str(), limit])
    }

    /// The first keys, at most so many, of any account, on which a principal has grants; unverified
    /// as those of [`multi_region_keys`](Snapshot::multi_region_keys).
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`](crate::StoreError::Sqlite) if the database cannot be read.
    pub fn keys_granted_to(&self, grantee: &str, limit: u32) -> Result<Vec<KeyArn>> {
        self.key_arns(GRANTED, params![grantee, limit])
    }

    fn key_arns(&self, sql: &str, parameters: impl Params) -> Result<Vec<KeyArn>> {
        let mut statement = self.connection().prepare_cached(sql)?;
        let mut rows = statement.query(parameters)?;
        let mut arns = Vec::new();
        while let Some(row) = rows.next()? {
            let mut columns = Columns::new(&KEYS, row);
            arns.push(KeyArn {
                region: columns.parse()?,
                account: columns.parse()?,
                key_id: columns.parse()?,
            });
        }
        Ok(arns)
    }
}
