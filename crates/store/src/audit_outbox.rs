//! The audit outbox: records of changes, committed with the change, on their way to the journal.
//!
//! Numbers have no gaps, and the head says which must be there: a record that is edited, removed or
//! slipped in before the journal has it is refused.

use rusqlite::{params, params_from_iter};

use crate::columns::{Columns, Values, integer};
use crate::error::{Result, StoreError};
use crate::limits::{OUTBOX_RECORDS_MAX, PENDING_RECORDS_MAX};
use crate::schema::SealedTable;
use crate::seal::Seal;
use crate::snapshot::Snapshot;
use crate::transaction::Transaction;

/// An audit record that waits for the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRecord {
    /// Its number; numbers are never used twice.
    pub number: u64,
    /// The record as it was appended.
    pub record: Vec<u8>,
}

pub(crate) const AUDIT_OUTBOX: SealedTable =
    SealedTable { name: "audit_outbox", schema_version: 1, identity_columns: 1, sealed_columns: 2 };

pub(crate) const OLDEST: &str = "
    SELECT number, record, seal_version, seal FROM audit_outbox ORDER BY number LIMIT ?1";
const APPEND: &str = "
    INSERT INTO audit_outbox (number, record, seal_version, seal) VALUES (?1, ?2, ?3, ?4)";
const DROP: &str = "DELETE FROM audit_outbox WHERE number <= ?1";

impl Snapshot<'_> {
    /// The oldest records that wait for the journal, 1,024 at most, in order; drop them and ask
    /// again for the next.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`] if a record is not as this deployment left it, is missing or is one too
    /// many.
    pub fn pending_records(&self) -> Result<Vec<OutboxRecord>> {
        let head = self.head();
        let mut statement = self.connection().prepare_cached(OLDEST)?;
        let mut rows = statement.query([integer(PENDING_RECORDS_MAX)?])?;
        let mut records = Vec::new();
        let mut expected = head.outbox_first;
        while let Some(row) = rows.next()? {
            Seal::check_row(self.seal_keys(), &AUDIT_OUTBOX, row)?;
            let mut columns = Columns::new(&AUDIT_OUTBOX, row);
            let number = columns.number()?;
            if number != expected || number >= head.outbox_next {
                return Err(refuse(expected, "the outbox has a gap or goes on too long"));
            }
            records.push(OutboxRecord { number, record: columns.bytes()? });
            expected += 1;
        }
        let end = head.outbox_next.min(head.outbox_first.saturating_add(PENDING_RECORDS_MAX));
        if expected < end {
            return Err(refuse(expected, "the record is missing"));
        }
        Ok(records)
    }
}

fn refuse(number: u64, why: &'static str) -> StoreError {
    StoreError::Seal { table: AUDIT_OUTBOX.name, identity: number.to_string(), why }
}

impl Transaction<'_> {
    /// Appends an audit record, which is committed with the act, and returns its number.
    ///
    /// # Errors
    ///
    /// [`StoreError::OutboxFull`] if too many wait for the journal.
    pub fn append_record(&mut self, record: &[u8]) -> Result<u64> {
        let mut head = self.head();
        let number = head.outbox_next;
        if number - head.outbox_first >= OUTBOX_RECORDS_MAX {
            return Err(StoreError::OutboxFull);
        }
        let mut values = Values::new().number(number)?.bytes(record).finish();
        values.extend(Seal::of_row(self.seal_keys(), &AUDIT_OUTBOX, &values).values());
        self.connection().prepare_cached(APPEND)?.execute(params_from_iter(values))?;
        head.outbox_next += 1;
        self.set_head(head);
        Ok(number)
    }

    /// Drops the records up to that number, which the journal has. Records that are not there are
    /// passed over.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`] if the database cannot be written.
    pub fn drop_records(&mut self, up_to: u64) -> Result<()> {
        let mut head = self.head();
        let first = up_to.saturating_add(1).min(head.outbox_next);
        if first <= head.outbox_first {
            return Ok(());
        }
        self.connection().prepare_cached(DROP)?.execute(params![integer(first - 1)?])?;
        head.outbox_first = first;
        self.set_head(head);
        Ok(())
    }
}
