//! Rows of keys: what DescribeKey tells of a key, and which keys there are.

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Params, params};
use wire::enums::{KeyManager, KeySpec, KeyState, KeyUsage, OriginType};
use wire::names::{AccountId, KeyId, KeyMaterialId, Region};

use crate::columns::{Columns, Values, count, nanos};
use crate::error::Result;
use crate::schema::SealedTable;
use crate::seal::Seal;
use crate::sequences::Aggregate;
use crate::snapshot::Snapshot;

/// The key itself: what DescribeKey tells, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// The account that owns the key.
    pub account: AccountId,
    /// The Region of the key.
    pub region: Region,
    /// The id of the key, unique in the Region.
    pub key_id: KeyId,
    /// The number of the newest change of the key or any of its rows; 0 before the first save. Set
    /// by the store, which refuses to save a record that was not built on the newest one.
    pub sequence: u64,
    /// The type of key material.
    pub key_spec: KeySpec,
    /// What the key may be used for.
    pub key_usage: KeyUsage,
    /// Where the key material comes from.
    pub origin: OriginType,
    /// Who manages the key.
    pub key_manager: KeyManager,
    /// True for a multi-Region key.
    pub multi_region: bool,
    /// The key state.
    pub state: KeyState,
    /// The description, empty if none was given.
    pub description: String,
    /// When the key was made.
    pub created: Timestamp,
    /// When a key that is pending deletion will be deleted.
    pub deletion_date: Option<Timestamp>,
    /// The waiting period that was asked for with the deletion, in days.
    pub pending_window_days: Option<u16>,
    /// The material that encrypts; none before an import.
    pub current_key_material_id: Option<KeyMaterialId>,
}

pub(crate) const KEYS: SealedTable =
    SealedTable { name: "keys", schema_version: 1, identity_columns: 2, sealed_columns: 15 };

/// The columns of every SELECT below.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT region, key_id, account, sequence, key_spec, key_usage, origin, key_manager,
               multi_region, state, description, created_nanos, deletion_date_nanos,
               pending_window_days, current_key_material_id, seal_version, seal, manifest
             FROM keys ",
            $rest
        )
    };
}

/// Every key's identity and sequence.
pub(crate) const SEQUENCES: &str = "SELECT region, key_id, sequence FROM keys";
pub(crate) const ALL: &str = select!("");
pub(crate) const ONE: &str = select!("WHERE region = ?1 AND key_id = ?2");
const PAGE: &str =
    select!("WHERE account = ?1 AND region = ?2 AND key_id > ?3 ORDER BY key_id LIMIT ?4");
const COUNT: &str = "
    SELECT count(*) FROM keys WHERE account = ?1 AND region = ?2 AND key_manager = 'CUSTOMER'";
pub(crate) const DUE: &str = "
    SELECT region, key_id FROM keys
    WHERE deletion_date_nanos IS NOT NULL AND deletion_date_nanos <= ?1
    ORDER BY deletion_date_nanos LIMIT ?2";
pub(crate) const IN_TRANSIT: &str = "
    SELECT region, key_id FROM keys
    WHERE state IN ('Creating', 'Updating') ORDER BY region, key_id LIMIT ?1";

impl KeyRow {
    pub(crate) fn identity_values(&self) -> Vec<Value> {
        Values::new().text(self.region.as_str()).text(self.key_id.as_str()).finish()
    }

    pub(crate) fn values(&self, sequence: u64) -> Result<Vec<Value>> {
        let values = Values::new()
            .text(self.region.as_str())
            .text(self.key_id.as_str())
            .text(self.account.as_str())
            .number(sequence)?
            .text(self.key_spec.as_str())
            .text(self.key_usage.as_str())
            .text(self.origin.as_str())
            .text(self.key_manager.as_str())
            .flag(self.multi_region)
            .text(self.state.as_str())
            .text(&self.description)
            .instant(self.created)?
            .optional_instant(self.deletion_date)?
            .optional_small(self.pending_window_days.map(u32::from))
            .optional_bytes(
                self.current_key_material_id.as_ref().map(|id| id.as_bytes().as_slice()),
            );
        Ok(values.finish())
    }

    pub(crate) fn read(columns: &mut Columns<'_>) -> Result<KeyRow> {
        let (region, key_id, account) = (columns.parse()?, columns.parse()?, columns.parse()?);
        Ok(KeyRow {
            account,
            region,
            key_id,
            sequence: columns.number()?,
            key_spec: columns.parse()?,
            key_usage: columns.parse()?,
            origin: columns.parse()?,
            key_manager: columns.parse()?,
            multi_region: columns.flag()?,
            state: columns.parse()?,
            description: columns.text()?,
            created: columns.instant()?,
            deletion_date: columns.optional_instant()?,
            pending_window_days: columns.optional_number()?,
            current_key_material_id: columns.optional_array()?.map(KeyMaterialId::from_bytes),
        })
    }

    pub(crate) fn aggregate(&self) -> Aggregate {
        Aggregate::key(self.region, self.key_id)
    }
}

impl Snapshot<'_> {
    /// The keys of an account in a Region by id, from the one after `after`, each key row's own
    /// seal checked. For a decision about a key load it whole with [`key`](Snapshot::key).
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`](crate::StoreError::Seal) if a row is not as this deployment left it.
    pub fn keys_page(
        &self,
        account: AccountId,
        region: Region,
        after: Option<KeyId>,
        limit: u32,
    ) -> Result<Vec<KeyRow>> {
        let mut statement = self.connection().prepare_cached(PAGE)?;
        let after = after.as_ref().map_or("", KeyId::as_str);
        let mut rows = statement.query(params![account.as_str(), region.as_str(), after, limit])?;
        let mut keys = Vec::new();
        while let Some(row) = rows.next()? {
            Seal::check_row(self.seal_keys(), &KEYS, row)?;
            keys.push(KeyRow::read(&mut Columns::new(&KEYS, row))?);
        }
        Ok(keys)
    }

    /// How many customer managed keys an account has in a Region, in any state. Reads each of them; in a
    /// transaction the writer's memory answers.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`](crate::StoreError::Sqlite) if the database cannot be read.
    pub fn count_keys(&self, account: AccountId, region: Region) -> Result<u64> {
        count(self.connection(), COUNT, [account.as_str(), region.as_str()])
    }

    /// Keys whose deletion date is not after `now`, the longest due first. These are hints only:
    /// whoever deletes loads the key, which is verified, and looks at its date.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`](crate::StoreError::Sqlite) if the database cannot be read.
    pub fn keys_due(&self, now: Timestamp, limit: u32) -> Result<Vec<(Region, KeyId)>> {
        self.key_hints(DUE, params![nanos(now)?, limit])
    }

    /// Keys that are on their way into another state, `Creating` or `Updating`. These are hints
    /// only: whoever ends the transit loads the key, which is verified, and looks at its state.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`](crate::StoreError::Sqlite) if the database cannot be read.
    pub fn keys_in_transit(&self, limit: u32) -> Result<Vec<(Region, KeyId)>> {
        self.key_hints(IN_TRANSIT, params![limit])
    }

    /// Keys named by a SELECT of the two columns of their identity, unverified.
    pub(crate) fn key_hints(
        &self,
        sql: &str,
        parameters: impl Params,
    ) -> Result<Vec<(Region, KeyId)>> {
        let mut statement = self.connection().prepare_cached(sql)?;
        let mut rows = statement.query(parameters)?;
        let mut hints = Vec::new();
        while let Some(row) = rows.next()? {
            let mut columns = Columns::new(&KEYS, row);
            hints.push((columns.parse()?, columns.parse()?));
        }
        Ok(hints)
    }
}
