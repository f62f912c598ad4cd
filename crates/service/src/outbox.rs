//! Records of changes on their way from the store to the journal.
//!
//! A change commits its record in its own transaction. The record then goes to the journal, and once the journal has
//! synced it, it leaves the store. After a crash in between, the start hands over what the journal lacks.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use audit::{Journal, JournalError};
use store::{OutboxRecord, Snapshot, Store, StoreError};

use crate::error::ServiceError;
use crate::trail::Committed;

/// Which committed records the journal has taken and the store still holds.
#[derive(Default)]
pub(crate) struct Outbox {
    handed_over: Mutex<BTreeSet<u64>>,
}

impl Outbox {
    /// Gives the journal a record that a change has committed.
    pub(crate) async fn hand_over(
        &self,
        journal: &Journal,
        committed: &Committed,
    ) -> Result<(), JournalError> {
        journal.append(&committed.record, Some(committed.outbox)).await?;
        self.lock().insert(committed.outbox);
        Ok(())
    }

    /// Gives the journal all records of one change.
    pub(crate) async fn hand_over_all(
        &self,
        journal: &Journal,
        committed: &[Committed],
    ) -> Result<(), JournalError> {
        for committed in committed {
            self.hand_over(journal, committed).await?;
        }
        Ok(())
    }

    /// Takes out of the store what the journal has synced. Only a prefix leaves, so that what remains can be told by
    /// one number.
    pub(crate) async fn clear(&self, store: &Store, journal: &Journal) -> Result<(), ServiceError> {
        let handed_over = self.lock().clone();
        if handed_over.is_empty() {
            return Ok(());
        }
        journal.sync().await?;
        // The store tells its oldest records, so many at once.
        loop {
            let pending = store.read(pending_records).await?;
            let numbers = pending.iter().map(|record| record.number);
            let Some(up_to) = numbers.take_while(|number| handed_over.contains(number)).last()
            else {
                return Ok(());
            };
            store.write(move |transaction| transaction.drop_records(up_to)).await?;
            self.lock().retain(|number| *number > up_to);
        }
    }

    /// Hands over what a crash left behind; returns how many records that were.
    pub(crate) async fn recover(
        &self,
        store: &Store,
        journal: &Journal,
        directory: &Path,
    ) -> Result<usize, ServiceError> {
        let mut missing_count = 0;
        loop {
            let pending = store.read(pending_records).await?;
            if pending.is_empty() {
                return Ok(missing_count);
            }
            let numbers: Vec<u64> = pending.iter().map(|record| record.number).collect();
            let missing: BTreeSet<u64> =
                audit::missing_outbox(directory, &numbers)?.into_iter().collect();
            missing_count += missing.len();
            for OutboxRecord { number, record } in pending {
                if missing.contains(&number) {
                    self.hand_over(journal, &Committed { outbox: number, record }).await?;
                } else {
                    self.lock().insert(number);
                }
            }
            self.clear(store, journal).await?;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<u64>> {
        self.handed_over.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pending_records(snapshot: &Snapshot<'_>) -> Result<Vec<OutboxRecord>, StoreError> {
    snapshot.pending_records()
}
