//! What the meter counted: how many records of each kind each day had, and how many each month had in all.
//!
//! The counters of a month add up to the month's row, and the months with the [metered keys](crate::MeteredKeyRow) to the
//! [position](crate::JournalPositionRow) of the meter. None of them ever falls: so a row that is missing or older shows.

use std::collections::BTreeMap;

use rusqlite::types::Value;
use rusqlite::{params, params_from_iter};

use crate::columns::{Columns, Values};
use crate::error::{Result, StoreError};
use crate::schema::SealedTable;
use crate::seal::Seal;
use crate::snapshot::Snapshot;
use crate::transaction::Transaction;

/// What tells one counter from another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MeterCounter {
    /// The day in UTC, as `2026-11-25`.
    pub day: String,
    /// The account that pays; empty where nobody could be identified.
    pub account: String,
    /// The Region called; empty where none could be told.
    pub region: String,
    /// The id of the key that the record is about; empty if it is about none.
    pub key_id: String,
    /// API and operation, as `kms:Decrypt`.
    pub operation: String,
    /// What a tariff charges for such a request.
    pub request_class: String,
    /// How it ended, or what else the record is.
    pub outcome: String,
}

impl MeterCounter {
    /// The month that it belongs to, as `2026-11`.
    fn month(&self) -> &str {
        self.day.rsplit_once('-').map_or(&*self.day, |(month, _)| month)
    }

    fn key(&self) -> [&str; 7] {
        let MeterCounter { day, account, region, key_id, operation, request_class, outcome } = self;
        [day, account, region, key_id, operation, request_class, outcome]
    }
}

/// The schema: positions in the journal, and the meter.
pub(crate) const SCHEMA: &str = "
CREATE TABLE journal_positions (
  follower TEXT NOT NULL PRIMARY KEY,
  segment INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  head BLOB NOT NULL,
  total INTEGER NOT NULL,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE meter_counters (
  day TEXT NOT NULL,
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  key_id TEXT NOT NULL,
  operation TEXT NOT NULL,
  request_class TEXT NOT NULL,
  outcome TEXT NOT NULL,
  records INTEGER NOT NULL,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL,
  PRIMARY KEY (day, account, region, key_id, operation, request_class, outcome)
) STRICT, WITHOUT ROWID;

CREATE TABLE meter_months (
  month TEXT NOT NULL PRIMARY KEY,
  records INTEGER NOT NULL,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE metered_keys (
  region TEXT NOT NULL,
  key_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  account TEXT NOT NULL,
  key_spec TEXT NOT NULL,
  is_aws_managed INTEGER NOT NULL,
  created_nanos INTEGER NOT NULL,
  deletion_scheduled_nanos INTEGER,
  deleted_nanos INTEGER,
  first_rotation_nanos INTEGER,
  second_rotation_nanos INTEGER,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL,
  PRIMARY KEY (region, key_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX metered_keys_by_id ON metered_keys (key_id);
";

pub(crate) const METER_COUNTERS: SealedTable = SealedTable {
    name: "meter_counters",
    schema_version: 12,
    identity_columns: 7,
    sealed_columns: 8,
};

pub(crate) const METER_MONTHS: SealedTable = SealedTable {
    name: "meter_months",
    schema_version: 12,
    identity_columns: 1,
    sealed_columns: 2,
};

pub(crate) const OF_DAYS: &str = "
    SELECT day, account, region, key_id, operation, request_class, outcome, records,
      seal_version, seal
    FROM meter_counters WHERE day >= ?1 AND day < ?2
    ORDER BY day, account, region, key_id, operation, request_class, outcome";
const ONE: &str = "
    SELECT day, account, region, key_id, operation, request_class, outcome, records,
      seal_version, seal
    FROM meter_counters WHERE day = ?1 AND account = ?2 AND region = ?3 AND key_id = ?4
      AND operation = ?5 AND request_class = ?6 AND outcome = ?7";
const SAVE: &str = "
    INSERT OR REPLACE INTO meter_counters
      (day, account, region, key_id, operation, request_class, outcome, records,
       seal_version, seal)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
pub(crate) const MONTHS: &str =
    "SELECT month, records, seal_version, seal FROM meter_months ORDER BY month";
const SAVE_MONTH: &str = "
    INSERT OR REPLACE INTO meter_months (month, records, seal_version, seal)
    VALUES (?1, ?2, ?3, ?4)";

impl Snapshot<'_> {
    /// How many records each month had.
    pub(crate) fn meter_months(&self) -> Result<BTreeMap<String, u64>> {
        let mut statement = self.connection().prepare_cached(MONTHS)?;
        let mut rows = statement.query([])?;
        let mut months = BTreeMap::new();
        while let Some(row) = rows.next()? {
            Seal::check_row(self.seal_keys(), &METER_MONTHS, row)?;
            let mut columns = Columns::new(&METER_MONTHS, row);
            months.insert(columns.text()?, columns.number()?);
        }
        Ok(months)
    }

    /// The counters of a month, which must add up to what the month's row says.
    pub(crate) fn meter_counters(
        &self,
        month: &str,
        records: u64,
    ) -> Result<Vec<(MeterCounter, u64)>> {
        let mut statement = self.connection().prepare_cached(OF_DAYS)?;
        // A tilde sorts behind all that days consist of.
        let mut rows = statement.query(params![format!("{month}-"), format!("{month}-~")])?;
        let (mut counters, mut sum) = (Vec::new(), 0_u64);
        while let Some(row) = rows.next()? {
            Seal::check_row(self.seal_keys(), &METER_COUNTERS, row)?;
            let mut columns = Columns::new(&METER_COUNTERS, row);
            let counter = MeterCounter {
                day: columns.text()?,
                account: columns.text()?,
                region: columns.text()?,
                key_id: columns.text()?,
                operation: columns.text()?,
                request_class: columns.text()?,
                outcome: columns.text()?,
            };
            let count = columns.number()?;
            sum = sum.saturating_add(count);
            counters.push((counter, count));
        }
        match sum == records {
            true => Ok(counters),
            false => Err(StoreError::Seal {
                table: METER_COUNTERS.name,
                identity: month.to_owned(),
                why: "the counters do not add up to the month's records",
            }),
        }
    }
}

impl Transaction<'_> {
    /// Adds to counters and to their months; answers how many records that were.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`] if a row is not as this deployment left it.
    pub fn add_to_meter(&mut self, counts: &BTreeMap<MeterCounter, u64>) -> Result<u64> {
        let mut months: BTreeMap<&str, u64> = BTreeMap::new();
        for (counter, count) in counts {
            let sum = self.meter_counter(counter)?.saturating_add(*count);
            let values = counter.key().into_iter().fold(Values::new(), Values::text);
            self.save_sealed(SAVE, &METER_COUNTERS, values.number(sum)?)?;
            *months.entry(counter.month()).or_default() += count;
        }
        let known = self.meter_months()?;
        for (month, added) in &months {
            let sum = known.get(*month).unwrap_or(&0).saturating_add(*added);
            self.save_sealed(SAVE_MONTH, &METER_MONTHS, Values::new().text(month).number(sum)?)?;
        }
        Ok(months.values().sum())
    }

    fn meter_counter(&self, counter: &MeterCounter) -> Result<u64> {
        let mut statement = self.connection().prepare_cached(ONE)?;
        let mut rows = statement.query(counter.key())?;
        let Some(row) = rows.next()? else { return Ok(0) };
        Seal::check_row(self.seal_keys(), &METER_COUNTERS, row)?;
        let mut columns = Columns::new(&METER_COUNTERS, row);
        columns.skip(METER_COUNTERS.identity_columns);
        columns.number()
    }

    /// Writes a row with its seal.
    pub(crate) fn save_sealed(
        &mut self,
        sql: &str,
        table: &SealedTable,
        values: Values,
    ) -> Result<()> {
        let mut values: Vec<Value> = values.finish();
        values.extend(Seal::of_row(self.seal_keys(), table, &values).values());
        self.connection().prepare_cached(sql)?.execute(params_from_iter(values))?;
        Ok(())
    }
}
