//! Rows of account aliases, which belong to their account.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{OptionalExtension, params};
use wire::names::AccountId;

use crate::accounts::AccountRow;
use crate::aggregate::ChildRow;
use crate::columns::{Columns, Values};
use crate::error::Result;
use crate::schema::SealedTable;
use crate::snapshot::Snapshot;

/// The name that an account is known by, unique in the deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountAliasRow {
    /// The alias.
    pub account_alias: String,
}

/// The eighth schema: account aliases.
pub(crate) const VERSION_8: &str = "
CREATE TABLE account_aliases (
  account TEXT NOT NULL REFERENCES accounts (account),
  account_alias TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL,
  PRIMARY KEY (account, account_alias)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX account_aliases_by_alias ON account_aliases (account_alias);
";

pub(crate) const ACCOUNT_ALIASES: SealedTable = SealedTable {
    name: "account_aliases",
    schema_version: 8,
    identity_columns: 2,
    sealed_columns: 3,
};

pub(crate) const OWNER: &str = "SELECT account FROM account_aliases WHERE account_alias = ?1";

impl ChildRow for AccountAliasRow {
    type Owner = AccountRow;

    const TABLE: &'static SealedTable = &ACCOUNT_ALIASES;
    const OF_OWNER: &'static str = "
        SELECT account, account_alias, sequence, seal_version, seal
        FROM account_aliases WHERE account = ?1 ORDER BY account_alias";
    const INSERT: &'static str = "
        INSERT INTO account_aliases (account, account_alias, sequence, seal_version, seal)
        VALUES (?1, ?2, ?3, ?4, ?5)";
    const DELETE: &'static str = "
        DELETE FROM account_aliases WHERE account = ?1 AND account_alias = ?2";

    fn owner_key(owner: &AccountRow) -> Vec<Value> {
        Values::new().text(owner.account.as_str()).finish()
    }

    fn identity(&self) -> ValueRef<'_> {
        ValueRef::Text(self.account_alias.as_bytes())
    }

    fn values(&self, owner: &AccountRow, sequence: u64) -> Result<Vec<Value>> {
        let values = Values::new().text(owner.account.as_str()).text(&self.account_alias);
        Ok(values.number(sequence)?.finish())
    }

    fn read(columns: &mut Columns<'_>) -> Result<AccountAliasRow> {
        columns.skip(1);
        let account_alias = columns.text()?;
        columns.skip(1);
        Ok(AccountAliasRow { account_alias })
    }
}

impl Snapshot<'_> {
    /// The account that is said to have an alias; unverified. Nobody else can take it, whatever the truth is.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`](crate::StoreError::Sqlite) if the database cannot be read.
    pub fn account_of_alias(&self, account_alias: &str) -> Result<Option<AccountId>> {
        let found = self
            .connection()
            .prepare_cached(OWNER)?
            .query_row(params![account_alias], |row| {
                Ok(Columns::of_unsealed(ACCOUNT_ALIASES.name, row).parse())
            })
            .optional()?;
        found.transpose()
    }
}
