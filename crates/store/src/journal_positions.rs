//! How far those came who follow the audit journal and keep what they make of it in the store.
//!
//! A position moves in the transaction that keeps what was made of the records up to it: so each record counts once, whatever
//! crashes. Each row is sealed, and says besides what the follower's own rows must add up to. That sum only grows, so that
//! one of those rows that is older than it should be, or missing, shows. An older whole, position and all, is no attack: what
//! it lacks is followed again.

use rusqlite::params_from_iter;

use crate::columns::{Columns, Values};
use crate::error::{Result, StoreError};
use crate::schema::SealedTable;
use crate::seal::Seal;
use crate::snapshot::Snapshot;
use crate::transaction::Transaction;

/// How far a follower of the audit journal came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalPositionRow {
    /// Who follows.
    pub follower: String,
    /// The first frame of the segment that it is in.
    pub segment: u64,
    /// The number of the last frame that it has passed.
    pub sequence: u64,
    /// Where in the segment the next frame begins.
    pub offset: u64,
    /// The journal's head after the last frame passed.
    pub head: [u8; 32],
    /// What the follower's rows add up to.
    pub total: u64,
}

pub(crate) const JOURNAL_POSITIONS: SealedTable = SealedTable {
    name: "journal_positions",
    schema_version: 12,
    identity_columns: 1,
    sealed_columns: 6,
};

pub(crate) const ALL: &str = "
    SELECT follower, segment, sequence, offset, head, total, seal_version, seal
    FROM journal_positions";
const SAVE: &str = "
    INSERT OR REPLACE INTO journal_positions
      (follower, segment, sequence, offset, head, total, seal_version, seal)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

impl Snapshot<'_> {
    /// How far a follower came; none before its first step.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`] if a row is not as this deployment left it.
    pub fn journal_position(&self, follower: &str) -> Result<Option<JournalPositionRow>> {
        let mut statement = self.connection().prepare_cached(ALL)?;
        let mut rows = statement.query([])?;
        let mut found = None;
        // There are a few: all are looked at, so that none is believed under another name.
        while let Some(row) = rows.next()? {
            Seal::check_row(self.seal_keys(), &JOURNAL_POSITIONS, row)?;
            let mut columns = Columns::new(&JOURNAL_POSITIONS, row);
            let position = JournalPositionRow {
                follower: columns.text()?,
                segment: columns.number()?,
                sequence: columns.number()?,
                offset: columns.number()?,
                head: columns.array()?,
                total: columns.number()?,
            };
            if position.follower == follower {
                found = Some(position);
            }
        }
        Ok(found)
    }
}

impl Transaction<'_> {
    /// Moves a follower on from the frame that it had come to, 0 at its first step.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] if it had not come to that frame: then it must not keep what it made of the records since.
    pub fn move_journal_position(&mut self, from: u64, to: &JournalPositionRow) -> Result<()> {
        let found = self.journal_position(&to.follower)?.map_or(0, |position| position.sequence);
        if found != from {
            let identity = to.follower.clone();
            return Err(StoreError::Conflict { table: JOURNAL_POSITIONS.name, identity });
        }
        let mut values = Values::new()
            .text(&to.follower)
            .number(to.segment)?
            .number(to.sequence)?
            .number(to.offset)?
            .bytes(&to.head)
            .number(to.total)?
            .finish();
        values.extend(Seal::of_row(self.seal_keys(), &JOURNAL_POSITIONS, &values).values());
        self.connection().prepare_cached(SAVE)?.execute(params_from_iter(values))?;
        Ok(())
    }
}
