//! What the meter knows of keys: whose they are, of which spec, and from when to when they are charged for.
//!
//! A key's row stays when the key is gone, since its months are told later. The versions of all rows count towards the total
//! of the meter's [position](crate::JournalPositionRow), so that a row that is missing or older shows.

use jiff::Timestamp;
use rusqlite::params;
use wire::enums::KeySpec;
use wire::names::{AccountId, KeyId, Region};

use crate::columns::{Columns, Values};
use crate::error::{Result, StoreError};
use crate::journal_positions::{JOURNAL_POSITIONS, JournalPositionRow};
use crate::meter_counters::MeterCounter;
use crate::schema::SealedTable;
use crate::seal::Seal;
use crate::snapshot::Snapshot;
use crate::transaction::Transaction;

/// The follower whose rows these are.
pub const METER: &str = "meter";

/// A key as the meter knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeteredKeyRow {
    /// The Region of the key.
    pub region: Region,
    /// The key.
    pub key_id: KeyId,
    /// How often the row was saved; 0 before the first time.
    pub version: u64,
    /// The account that owns it.
    pub account: AccountId,
    /// Its spec.
    pub key_spec: KeySpec,
    /// Whether it is an AWS managed key, which costs nothing by itself.
    pub is_aws_managed: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When its deletion was scheduled, unless that was cancelled.
    pub deletion_scheduled: Option<Timestamp>,
    /// When it was destroyed.
    pub deleted: Option<Timestamp>,
    /// Its first rotation.
    pub first_rotation: Option<Timestamp>,
    /// Its second rotation.
    pub second_rotation: Option<Timestamp>,
}

/// What the meter knows of one month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metered {
    /// How far the meter came; none before its first step.
    pub position: Option<JournalPositionRow>,
    /// How many records it has counted of all months.
    pub records: u64,
    /// The counters of the month.
    pub counters: Vec<(MeterCounter, u64)>,
    /// Every key that there ever was.
    pub keys: Vec<MeteredKeyRow>,
}

pub(crate) const METERED_KEYS: SealedTable = SealedTable {
    name: "metered_keys",
    schema_version: 12,
    identity_columns: 2,
    sealed_columns: 11,
};

pub(crate) const ALL: &str = "
    SELECT region, key_id, version, account, key_spec, is_aws_managed, created_nanos,
      deletion_scheduled_nanos, deleted_nanos, first_rotation_nanos, second_rotation_nanos,
      seal_version, seal
    FROM metered_keys ORDER BY region, key_id";
pub(crate) const OF_ID: &str = "
    SELECT region, key_id, version, account, key_spec, is_aws_managed, created_nanos,
      deletion_scheduled_nanos, deleted_nanos, first_rotation_nanos, second_rotation_nanos,
      seal_version, seal
    FROM metered_keys WHERE key_id = ?1 ORDER BY region";
const SAVE: &str = "
    INSERT OR REPLACE INTO metered_keys
      (region, key_id, version, account, key_spec, is_aws_managed, created_nanos,
       deletion_scheduled_nanos, deleted_nanos, first_rotation_nanos, second_rotation_nanos,
       seal_version, seal)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";

impl Snapshot<'_> {
    /// All that the meter knows of a month such as `2026-11`, proved to be whole.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`] if a row is not as this deployment left it, is missing or is older than the newest.
    pub fn metered(&self, month: &str) -> Result<Metered> {
        let position = self.journal_position(METER)?;
        let months = self.meter_months()?;
        let keys = self.metered_keys()?;
        let records: u64 = months.values().sum();
        let versions: u64 = keys.iter().map(|key| key.version).sum();
        let total = position.as_ref().map_or(0, |position| position.total);
        if records.saturating_add(versions) != total {
            return Err(StoreError::Seal {
                table: JOURNAL_POSITIONS.name,
                identity: METER.to_owned(),
                why: "what the meter knows does not add up to its total",
            });
        }
        let counters = self.meter_counters(month, months.get(month).copied().unwrap_or(0))?;
        Ok(Metered { position, records, counters, keys })
    }

    /// Every key that the meter knows.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`] if a row is not as this deployment left it. That none is missing or older only
    /// [`Snapshot::metered`] can tell.
    pub fn metered_keys(&self) -> Result<Vec<MeteredKeyRow>> {
        self.metered_keys_found(ALL, params![])
    }

    /// A key in each of its Regions.
    ///
    /// # Errors
    ///
    /// As [`Snapshot::metered_keys`].
    pub fn metered_keys_of(&self, key_id: KeyId) -> Result<Vec<MeteredKeyRow>> {
        self.metered_keys_found(OF_ID, params![key_id.as_str()])
    }

    fn metered_keys_found(
        &self,
        sql: &str,
        asked: &[&dyn rusqlite::ToSql],
    ) -> Result<Vec<MeteredKeyRow>> {
        let mut statement = self.connection().prepare_cached(sql)?;
        let mut rows = statement.query(asked)?;
        let mut keys = Vec::new();
        while let Some(row) = rows.next()? {
            Seal::check_row(self.seal_keys(), &METERED_KEYS, row)?;
            let mut columns = Columns::new(&METERED_KEYS, row);
            keys.push(MeteredKeyRow {
                region: columns.parse()?,
                key_id: columns.parse()?,
                version: columns.number()?,
                account: columns.parse()?,
                key_spec: columns.parse()?,
                is_aws_managed: columns.flag()?,
                created: columns.instant()?,
                deletion_scheduled: columns.optional_instant()?,
                deleted: columns.optional_instant()?,
                first_rotation: columns.optional_instant()?,
                second_rotation: columns.optional_instant()?,
            });
        }
        Ok(keys)
    }
}

impl Transaction<'_> {
    /// Saves a key that was loaded in this transaction, or a new one, as its next version.
    ///
    /// # Errors
    ///
    /// [`StoreError::OutOfRange`] if an instant cannot be kept.
    pub fn save_metered_key(&mut self, key: &MeteredKeyRow) -> Result<()> {
        let values = Values::new()
            .text(key.region.as_str())
            .text(key.key_id.as_str())
            .number(key.version.saturating_add(1))?
            .text(key.account.as_str())
            .text(key.key_spec.as_str())
            .flag(key.is_aws_managed)
            .instant(key.created)?
            .optional_instant(key.deletion_scheduled)?
            .optional_instant(key.deleted)?
            .optional_instant(key.first_rotation)?
            .optional_instant(key.second_rotation)?;
        self.save_sealed(SAVE, &METERED_KEYS, values)
    }
}
