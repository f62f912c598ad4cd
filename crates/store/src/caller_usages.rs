//! Rows of caller usages: the last use of each access key and of each role.
//!
//! They are written in batches some time after the uses, by a job that is not to change the accounts
//! and identities. As [key usages](crate::KeyUsageRow) they are sealed each on its own and stand in no
//! manifest: an edited, swapped or copied row is refused, and one whose access key or role is gone,
//! but an older row of the same access key or role that is put back, or a row that is removed, is not
//! noticed. Nothing but what GetAccessKeyLastUsed and GetRole tell may rest on them.

use std::str::FromStr;

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};
use wire::names::{AccountId, Region};

use crate::columns::{Columns, Values};
use crate::error::{Result, StoreError};
use crate::schema::SealedTable;
use crate::seal::Seal;
use crate::snapshot::Snapshot;
use crate::transaction::Transaction;

/// What is used by callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallerKind {
    /// An access key of a root user or a user.
    AccessKey,
    /// A role, through its sessions.
    Role,
}

impl CallerKind {
    /// The kind as rows keep it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessKey => "access-key",
            Self::Role => "role",
        }
    }
}

impl FromStr for CallerKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::AccessKey, Self::Role].into_iter().find(|kind| kind.as_str() == text).ok_or(())
    }
}

/// The last use of an access key or a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerUsageRow {
    /// The account that it belongs to.
    pub account: AccountId,
    /// What it is.
    pub kind: CallerKind,
    /// The access key id, or the unique id of the role (`AROA...`), which is never given twice.
    pub caller_id: String,
    /// When it was used.
    pub used: Timestamp,
    /// The service that the signature was for, such as `kms`.
    pub service_name: String,
    /// The Region that the signature was for.
    pub region: Region,
}

/// The ninth schema: last uses of access keys and roles.
pub(crate) const VERSION_9: &str = "
CREATE TABLE caller_usages (
  account TEXT NOT NULL REFERENCES accounts (account),
  kind TEXT NOT NULL,
  caller_id TEXT NOT NULL,
  used_nanos INTEGER NOT NULL,
  service_name TEXT NOT NULL,
  region TEXT NOT NULL,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL,
  PRIMARY KEY (account, kind, caller_id)
) STRICT, WITHOUT ROWID;
";

pub(crate) const CALLER_USAGES: SealedTable = SealedTable {
    name: "caller_usages",
    schema_version: 9,
    identity_columns: 3,
    sealed_columns: 6,
};

pub(crate) const ONE: &str = "
    SELECT account, kind, caller_id, used_nanos, service_name, region, seal_version, seal
    FROM caller_usages WHERE account = ?1 AND kind = ?2 AND caller_id = ?3";

/// What tells whether the access key or role stands.
macro_rules! stands {
    () => {
        "CASE ?2
           WHEN 'role' THEN
             EXISTS (SELECT 1 FROM identities WHERE account = ?1 AND identity_id = ?3)
           ELSE
             EXISTS (SELECT 1 FROM user_access_keys WHERE access_key_id = ?3 AND account = ?1)
             OR EXISTS (SELECT 1 FROM access_keys WHERE account = ?1 AND access_key_id = ?3)
         END"
    };
}

const STANDS: &str = concat!("SELECT ", stands!());
/// Between a use and its batch the access key or role may have been deleted.
const SAVE: &str = concat!(
    "INSERT INTO caller_usages
       (account, kind, caller_id, used_nanos, service_name, region, seal_version, seal)
     SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE ",
    stands!(),
    " ON CONFLICT (account, kind, caller_id) DO UPDATE SET
       used_nanos = excluded.used_nanos, service_name = excluded.service_name,
       region = excluded.region, seal_version = excluded.seal_version, seal = excluded.seal"
);
const DELETE: &str =
    "DELETE FROM caller_usages WHERE account = ?1 AND kind = ?2 AND caller_id = ?3";

impl CallerUsageRow {
    fn values(&self) -> Result<Vec<Value>> {
        let values = Values::new()
            .text(self.account.as_str())
            .text(self.kind.as_str())
            .text(&self.caller_id)
            .instant(self.used)?
            .text(&self.service_name)
            .text(self.region.as_str());
        Ok(values.finish())
    }

    fn read(columns: &mut Columns<'_>) -> Result<CallerUsageRow> {
        Ok(CallerUsageRow {
            account: columns.parse()?,
            kind: columns.parse()?,
            caller_id: columns.text()?,
            used: columns.instant()?,
            service_name: columns.text()?,
            region: columns.parse()?,
        })
    }
}

impl Snapshot<'_> {
    /// The last use of an access key or a role that was saved, its seal checked.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`] if the row is not as this deployment left it, or if what it tells of is
    /// gone. That it is the newest one cannot be told.
    pub fn caller_usage(
        &self,
        account: AccountId,
        kind: CallerKind,
        caller_id: &str,
    ) -> Result<Option<CallerUsageRow>> {
        let key = params![account.as_str(), kind.as_str(), caller_id];
        let mut statement = self.connection().prepare_cached(ONE)?;
        let mut rows = statement.query(key)?;
        let Some(row) = rows.next()? else { return Ok(None) };
        Seal::check_row(self.seal_keys(), &CALLER_USAGES, row)?;
        let usage = CallerUsageRow::read(&mut Columns::new(&CALLER_USAGES, row))?;
        let stands: bool =
            self.connection().prepare_cached(STANDS)?.query_row(key, |row| row.get(0))?;
        match stands {
            true => Ok(Some(usage)),
            false => Err(StoreError::Seal {
                table: CALLER_USAGES.name,
                identity: format!("{account}/{}/{caller_id}", kind.as_str()),
                why: "what was used is gone, and its row went with it",
            }),
        }
    }
}

impl Transaction<'_> {
    /// Saves the last uses of access keys and roles over those saved before, which are not looked at:
    /// the caller has the newest. Uses of those that do not stand any more are passed over. Neither
    /// the sequences of accounts and identities nor the change feed move.
    ///
    /// # Errors
    ///
    /// [`StoreError::OutOfRange`] if an instant cannot be kept.
    pub fn save_caller_usages(&mut self, usages: &[CallerUsageRow]) -> Result<()> {
        self.all_or_nothing(|transaction| {
            let mut statement = transaction.connection().prepare_cached(SAVE)?;
            for usage in usages {
                let mut values = usage.values()?;
                let seal = Seal::of_row(transaction.seal_keys(), &CALLER_USAGES, &values);
                values.extend(seal.values());
                statement.execute(params_from_iter(values))?;
            }
            Ok(())
        })
    }
}

/// Deletes the use of an access key or a role with it.
pub(crate) fn delete(
    connection: &Connection,
    account: AccountId,
    kind: CallerKind,
    caller_id: &str,
) -> Result<()> {
    let key = params![account.as_str(), kind.as_str(), caller_id];
    connection.prepare_cached(DELETE)?.execute(key)?;
    Ok(())
}
