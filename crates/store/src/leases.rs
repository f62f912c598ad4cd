//! Leases: which holder runs a background job for now.
//!
//! Not sealed (see the exemptions in `schema.rs`): a job decides on sealed rows in a transaction of
//! its own, so a forged lease can make it wait or run twice, and nothing else.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::params;

use crate::columns::nanos;
use crate::error::{Result, StoreError};
use crate::transaction::Transaction;

/// Takes the lease if it is free, expired or the holder's own.
const TAKE: &str = "
    INSERT INTO leases (name, holder, expires_nanos) VALUES (?1, ?2, ?3)
    ON CONFLICT (name) DO UPDATE SET
      holder = excluded.holder, expires_nanos = excluded.expires_nanos
    WHERE leases.holder = excluded.holder OR leases.expires_nanos <= ?4";

impl Transaction<'_> {
    /// Takes or renews a lease until `now + time_to_live`; false while another holder has it.
    ///
    /// # Errors
    ///
    /// [`StoreError::OutOfRange`] if the end of the lease cannot be told.
    pub fn lease(
        &mut self,
        name: &str,
        holder: &str,
        now: Timestamp,
        time_to_live: Duration,
    ) -> Result<bool> {
        let expires = now
            .checked_add(time_to_live)
            .map_err(|_| StoreError::OutOfRange { what: "the end of a lease" })?;
        let mut statement = self.connection().prepare_cached(TAKE)?;
        Ok(statement.execute(params![name, holder, nanos(expires)?, nanos(now)?])? == 1)
    }
}
