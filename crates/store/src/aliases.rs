//! Rows of aliases: names that point at keys of the same account and Region.

use jiff::Timestamp;
use rusqlite::params;
use rusqlite::types::{Value, ValueRef};
use wire::names::{AccountId, AliasName, KeyId, Region};

use crate::aggregate::ChildRow;
use crate::columns::{Columns, Values};
use crate::error::Result;
use crate::keys::KeyRow;
use crate::schema::SealedTable;
use crate::seal::Seal;
use crate::snapshot::Snapshot;

/// An alias and the key it points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasRow {
    /// The whole name, `alias/...`.
    pub alias: AliasName,
    /// The key it points at, of the same account and Region.
    pub key_id: KeyId,
    /// When the alias was made.
    pub created: Timestamp,
    /// When it was last pointed at a key.
    pub updated: Timestamp,
}

pub(crate) const ALIASES: SealedTable =
    SealedTable { name: "aliases", schema_version: 1, identity_columns: 3, sealed_columns: 7 };

/// The columns of every SELECT below.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT account, region, alias, key_id, sequence, created_nanos, updated_nanos,
               seal_version, seal
             FROM aliases ",
            $rest
        )
    };
}

const BY_NAME: &str = select!("WHERE account = ?1 AND region = ?2 AND alias = ?3");
const PAGE: &str =
    select!("WHERE account = ?1 AND region = ?2 AND alias > ?3 ORDER BY alias LIMIT ?4");

impl ChildRow for AliasRow {
    type Owner = KeyRow;

    const TABLE: &'static SealedTable = &ALIASES;
    const OF_OWNER: &'static str = select!("WHERE region = ?1 AND key_id = ?2 ORDER BY alias");
    const INSERT: &'static str = "
        INSERT INTO aliases (account, region, alias, key_id, sequence, created_nanos,
          updated_nanos, seal_version, seal)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    const DELETE: &'static str = "
        DELETE FROM aliases WHERE region = ?1 AND key_id = ?2 AND alias = ?3";

    fn owner_key(owner: &KeyRow) -> Vec<Value> {
        owner.identity_values()
    }

    fn identity(&self) -> ValueRef<'_> {
        ValueRef::from(self.alias.as_str())
    }

    fn values(&self, owner: &KeyRow, sequence: u64) -> Result<Vec<Value>> {
        let values = Values::new()
            .text(owner.account.as_str())
            .text(owner.region.as_str())
            .text(self.alias.as_str())
            .text(self.key_id.as_str())
            .number(sequence)?
            .instant(self.created)?
            .instant(self.updated)?;
        Ok(values.finish())
    }

    fn read(columns: &mut Columns<'_>) -> Result<AliasRow> {
        columns.skip(2);
        let (alias, key_id) = (columns.parse()?, columns.parse()?);
        columns.skip(1);
        Ok(AliasRow { alias, key_id, created: columns.instant()?, updated: columns.instant()? })
    }
}

impl Snapshot<'_> {
    /// The alias of that name, its seal checked.
    ///
    /// The seal alone cannot tell an older row of the same alias: before anything is done with the
    /// key, load it with [`key`](Snapshot::key) and find the alias among its `aliases`, which the
    /// manifest lists.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`](crate::StoreError::Seal) if the row is not as this deployment left it.
    pub fn alias(
        &self,
        account: AccountId,
        region: Region,
        alias: &AliasName,
    ) -> Result<Option<AliasRow>> {
        let key = params![account.as_str(), region.as_str(), alias.as_str()];
        Ok(self.aliases(BY_NAME, key)?.pop())
    }

    /// The aliases of an account in a Region by name, from the one after `after`, each seal
    /// checked.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`](crate::StoreError::Seal) if a row is not as this deployment left it.
    pub fn aliases_page(
        &self,
        account: AccountId,
        region: Region,
        after: Option<&AliasName>,
        limit: u32,
    ) -> Result<Vec<AliasRow>> {
        let after = after.map_or("", AliasName::as_str);
        self.aliases(PAGE, params![account.as_str(), region.as_str(), after, limit])
    }

    fn aliases(&self, sql: &str, key: &[&dyn rusqlite::ToSql]) -> Result<Vec<AliasRow>> {
        let mut statement = self.connection().prepare_cached(sql)?;
        let mut rows = statement.query(key)?;
        let mut aliases = Vec::new();
        while let Some(row) = rows.next()? {
            Seal::check_row(self.seal_keys(), &ALIASES, row)?;
            aliases.push(AliasRow::read(&mut Columns::new(&ALIASES, row))?);
        }
        Ok(aliases)
    }
}
