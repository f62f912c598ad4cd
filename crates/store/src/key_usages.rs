//! Rows of key usages: the last successful use of each key.
//!
//! They are written in batches some time after the uses, by a job that is not to change the keys.
//! Each is therefore sealed on its own and stands in no manifest: an edited, swapped or copied row
//! is refused, but an older row of the same key that is put back, or a row that is removed, is not
//! noticed. Nothing but what GetKeyLastUsage tells may rest on them.

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use wire::enums::KeyLastUsageOperation;
use wire::names::{KeyId, Region};

use crate::columns::{Columns, Values};
use crate::error::Result;
use crate::schema::SealedTable;
use crate::seal::Seal;
use crate::snapshot::Snapshot;
use crate::transaction::Transaction;

/// The last successful use of a key, as GetKeyLastUsage tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUsageRow {
    /// The Region of the key.
    pub region: Region,
    /// The key.
    pub key_id: KeyId,
    /// The operation that used it.
    pub operation: KeyLastUsageOperation,
    /// When it was used.
    pub used: Timestamp,
    /// The id of the audit record of that use, a UUID.
    pub event_id: [u8; 16],
    /// The id of the request that used it, a UUID.
    pub request_id: [u8; 16],
}

pub(crate) const KEY_USAGES: SealedTable =
    SealedTable { name: "key_usages", schema_version: 2, identity_columns: 2, sealed_columns: 6 };

pub(crate) const ONE: &str = "
    SELECT region, key_id, operation, used_nanos, event_id, request_id, seal_version, seal
    FROM key_usages WHERE region = ?1 AND key_id = ?2";
/// Between a use and its batch the key may have been deleted.
const SAVE: &str = "
    INSERT INTO key_usages
      (region, key_id, operation, used_nanos, event_id, request_id, seal_version, seal)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8
    WHERE EXISTS (SELECT 1 FROM keys WHERE region = ?1 AND key_id = ?2)
    ON CONFLICT (region, key_id) DO UPDATE SET
      operation = excluded.operation, used_nanos = excluded.used_nanos,
      event_id = excluded.event_id, request_id = excluded.request_id,
      seal_version = excluded.seal_version, seal = excluded.seal";
const DELETE: &str = "DELETE FROM key_usages WHERE region = ?1 AND key_id = ?2";

impl KeyUsageRow {
    fn values(&self) -> Result<Vec<Value>> {
        let values = Values::new()
            .text(self.region.as_str())
            .text(self.key_id.as_str())
            .text(self.operation.as_str())
            .instant(self.used)?
            .bytes(&self.event_id)
            .bytes(&self.request_id);
        Ok(values.finish())
    }

    fn read(columns: &mut Columns<'_>) -> Result<KeyUsageRow> {
        Ok(KeyUsageRow {
            region: columns.parse()?,
            key_id: columns.parse()?,
            operation: columns.parse()?,
            used: columns.instant()?,
            event_id: columns.array()?,
            request_id: columns.array()?,
        })
    }
}

impl Snapshot<'_> {
    /// The last use of a key that was saved, its seal checked. Load the key first: the row alone
    /// does not say that the key stands.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`](crate::StoreError::Seal) if the row is not as this deployment left it.
    /// That it is the newest one cannot be told.
    pub fn key_usage(&self, region: Region, key_id: KeyId) -> Result<Option<KeyUsageRow>> {
        let mut statement = self.connection().prepare_cached(ONE)?;
        let mut rows = statement.query([region.as_str(), key_id.as_str()])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        Seal::check_row(self.seal_keys(), &KEY_USAGES, row)?;
        KeyUsageRow::read(&mut Columns::new(&KEY_USAGES, row)).map(Some)
    }
}

impl Transaction<'_> {
    /// Saves the last uses of keys over those saved before, which are not looked at: the caller has
    /// the newest. Uses of keys that do not stand any more are passed over. Neither the keys'
    /// sequences nor the change feed move.
    ///
    /// # Errors
    ///
    /// [`StoreError::OutOfRange`](crate::StoreError::OutOfRange) if an instant cannot be kept.
    pub fn save_key_usages(&mut self, usages: &[KeyUsageRow]) -> Result<()> {
        self.all_or_nothing(|transaction| {
            let mut statement = transaction.connection().prepare_cached(SAVE)?;
            for usage in usages {
                let mut values = usage.values()?;
                values.extend(Seal::of_row(transaction.seal_keys(), &KEY_USAGES, &values).values());
                statement.execute(params_from_iter(values))?;
            }
            Ok(())
        })
    }
}

/// True if a use of the key is saved.
pub(crate) fn exists(connection: &Connection, region: Region, key_id: KeyId) -> Result<bool> {
    Ok(connection.prepare_cached(ONE)?.exists([region.as_str(), key_id.as_str()])?)
}

/// Deletes the use of a key with the key.
pub(crate) fn delete(connection: &Connection, region: Region, key_id: KeyId) -> Result<()> {
    connection.prepare_cached(DELETE)?.execute([region.as_str(), key_id.as_str()])?;
    Ok(())
}
