//! Rows of root users' access keys: who signs with them, and the wrapped secret. Those of users
//! stand in `identity_rows.rs`.

use std::str::FromStr;

use jiff::Timestamp;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension};
use wire::names::AccountId;

use crate::accounts::AccountRow;
use crate::aggregate::ChildRow;
use crate::columns::{Columns, Values};
use crate::error::{Result, StoreError};
use crate::schema::SealedTable;
use crate::snapshot::Snapshot;

/// An access key of a principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessKeyRow {
    /// The id, unique in the deployment.
    pub access_key_id: String,
    /// The ARN of the user or root that signs with it.
    pub principal_arn: String,
    /// Whether it may be used.
    pub status: AccessKeyStatus,
    /// The number of what wraps the secret: a version of an AWS owned key
    /// ([`OWNED_WRAPPING_VERSIONS_START`](crate::OWNED_WRAPPING_VERSIONS_START)), or of a domain key in rows from before there
    /// were owned keys.
    pub domain_key_version: u32,
    /// The wrapped secret. Custody authenticates it together with the access key's identity.
    pub wrapped_secret: Vec<u8>,
    /// When the access key was made.
    pub created: Timestamp,
}

/// Whether an access key may be used; IAM's `statusType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessKeyStatus {
    /// Requests signed with it are believed.
    Active,
    /// Requests signed with it are refused.
    Inactive,
}

impl AccessKeyStatus {
    /// IAM's text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Inactive => "Inactive",
        }
    }
}

impl FromStr for AccessKeyStatus {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Active, Self::Inactive].into_iter().find(|status| status.as_str() == text).ok_or(())
    }
}

pub(crate) const ACCESS_KEYS: SealedTable =
    SealedTable { name: "access_keys", schema_version: 1, identity_columns: 2, sealed_columns: 8 };

const ACCOUNT_OF: &str = "SELECT account FROM access_keys WHERE access_key_id = ?1";

impl ChildRow for AccessKeyRow {
    type Owner = AccountRow;

    const TABLE: &'static SealedTable = &ACCESS_KEYS;
    const OF_OWNER: &'static str = "
        SELECT account, access_key_id, sequence, principal_arn, status, domain_key_version,
          wrapped_secret, created_nanos, seal_version, seal
        FROM access_keys WHERE account = ?1 ORDER BY access_key_id";
    const INSERT: &'static str = "
        INSERT INTO access_keys (account, access_key_id, sequence, principal_arn, status,
          domain_key_version, wrapped_secret, created_nanos, seal_version, seal)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    const DELETE: &'static str = "
        DELETE FROM access_keys WHERE account = ?1 AND access_key_id = ?2";

    fn owner_key(owner: &AccountRow) -> Vec<Value> {
        Values::new().text(owner.account.as_str()).finish()
    }

    fn identity(&self) -> ValueRef<'_> {
        ValueRef::from(self.access_key_id.as_str())
    }

    fn values(&self, owner: &AccountRow, sequence: u64) -> Result<Vec<Value>> {
        let values = Values::new()
            .text(owner.account.as_str())
            .text(&self.access_key_id)
            .number(sequence)?
            .text(&self.principal_arn)
            .text(self.status.as_str())
            .small(self.domain_key_version)
            .bytes(&self.wrapped_secret)
            .instant(self.created)?;
        Ok(values.finish())
    }

    fn read(columns: &mut Columns<'_>) -> Result<AccessKeyRow> {
        columns.skip(1);
        let access_key_id = columns.text()?;
        columns.skip(1);
        Ok(AccessKeyRow {
            access_key_id,
            principal_arn: columns.text()?,
            status: columns.parse()?,
            domain_key_version: columns.number()?,
            wrapped_secret: columns.bytes()?,
            created: columns.instant()?,
        })
    }
}

/// True if a root user has an access key of that id; unverified.
pub(crate) fn is_root_access_key(connection: &Connection, access_key_id: &str) -> Result<bool> {
    Ok(connection.prepare_cached(ACCOUNT_OF)?.exists([access_key_id])?)
}

impl Snapshot<'_> {
    /// The access key of that id and its account; verified as a part of its account, so that a
    /// deleted or an older row is refused too.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`] if any row of the account is not as this deployment left it.
    pub fn access_key(&self, access_key_id: &str) -> Result<Option<(AccountId, AccessKeyRow)>> {
        let mut statement = self.connection().prepare_cached(ACCOUNT_OF)?;
        let account = statement
            .query_row([access_key_id], |row| Ok(Columns::new(&ACCESS_KEYS, row).parse()))
            .optional()?
            .transpose();
        let refuse = |why| StoreError::Seal {
            table: ACCESS_KEYS.name,
            identity: access_key_id.to_owned(),
            why,
        };
        // The column is not verified yet: what does not read as an account was written by a
        // stranger.
        let account = account.map_err(|_| refuse("its account is not one"))?;
        let Some(account) = account else { return Ok(None) };
        let record = self.account(account)?;
        let access_key = record
            .into_iter()
            .flat_map(|record| record.access_keys)
            .find(|access_key| access_key.access_key_id == access_key_id)
            .ok_or_else(|| refuse("its account does not list it"))?;
        Ok(Some((account, access_key)))
    }
}
