//! How many there are of what has a quota: for metrics alone. The rows are counted as they stand, unverified, and decide
//! nothing.

use rusqlite::OptionalExtension;
use wire::names::{AccountId, KeyId, Region};

use crate::columns::Columns;
use crate::error::{Result, StoreError};
use crate::snapshot::Snapshot;

const KEYS: &str = "
    SELECT account, region, count(*) FROM keys WHERE key_manager = 'CUSTOMER' GROUP BY account, region";
const MOST_ALIASES: &str = "
    SELECT region, key_id, count(*) AS number FROM aliases INDEXED BY aliases_by_key
    GROUP BY region, key_id ORDER BY number DESC LIMIT 1";
const MOST_GRANTS: &str = "
    SELECT region, key_id, count(*) AS number FROM grants
    GROUP BY region, key_id ORDER BY number DESC LIMIT 1";

impl Snapshot<'_> {
    /// How many keys of its own each account has in each Region. Every key is looked at.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`] if the database cannot be read.
    pub fn numbers_of_keys(&self) -> Result<Vec<(AccountId, Region, u64)>> {
        let mut statement = self.connection().prepare_cached(KEYS)?;
        let mut rows = statement.query([])?;
        let mut numbers = Vec::new();
        while let Some(row) = rows.next()? {
            let mut columns = Columns::of_unsealed("keys", row);
            numbers.push((columns.parse()?, columns.parse()?, number(row)?));
        }
        Ok(numbers)
    }

    /// The key with the most aliases. Every alias is looked at.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`] if the database cannot be read.
    pub fn most_aliases(&self) -> Result<Option<(Region, KeyId, u64)>> {
        self.most("aliases", MOST_ALIASES)
    }

    /// The key with the most grants. Every grant is looked at.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`] if the database cannot be read.
    pub fn most_grants(&self) -> Result<Option<(Region, KeyId, u64)>> {
        self.most("grants", MOST_GRANTS)
    }

    fn most(&self, table: &'static str, sql: &str) -> Result<Option<(Region, KeyId, u64)>> {
        let mut statement = self.connection().prepare_cached(sql)?;
        let most = statement
            .query_row([], |row| {
                let mut columns = Columns::of_unsealed(table, row);
                Ok((columns.parse(), columns.parse(), number(row)))
            })
            .optional()?;
        let Some((region, key_id, number)) = most else { return Ok(None) };
        Ok(Some((region?, key_id?, number?)))
    }
}

fn number(row: &rusqlite::Row<'_>) -> Result<u64> {
    let number: i64 = row.get(2)?;
    u64::try_from(number).map_err(|_| StoreError::OutOfRange { what: "a count" })
}
