//! Whoever makes something of the journal's records and keeps it in the store: each record once, whatever crashes.
//!
//! What was made of a stretch of records and the position behind them are kept by one transaction. Only records that are
//! synced are read, since what is kept lasts: a power cut must not take away a record that was counted. After any error the
//! follower is dropped and opened anew, where the store says that it is.

use std::ops::ControlFlow;
use std::path::Path;

use audit::{Followed, Follower, FollowerPosition, JournalError};
use store::{JournalPositionRow, Store, StoreError, Transaction};

/// Why a follower stands still. The texts are for the operator.
#[derive(Debug, thiserror::Error)]
pub enum FollowerError {
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads the journal on from where the store says that its name has come to.
pub(crate) struct JournalFollower {
    reader: Follower,
    /// A record that was read and may not be told yet.
    held: Option<Followed>,
    /// Behind the last record that was told.
    read: Option<FollowerPosition>,
    kept: JournalPositionRow,
}

impl JournalFollower {
    /// Opens where the follower of that name has come to.
    pub(crate) async fn open(
        name: &'static str,
        store: &Store,
        journal: &Path,
    ) -> Result<JournalFollower, FollowerError> {
        let found = store.read(move |snapshot| snapshot.journal_position(name)).await;
        let found: Option<JournalPositionRow> = found?;
        let reader = match &found {
            Some(row) => Follower::resume(journal, &position_of(row))?,
            None => Follower::new(journal, None)?,
        };
        let kept = found.unwrap_or_else(|| JournalPositionRow {
            follower: name.to_owned(),
            segment: 0,
            sequence: 0,
            offset: 0,
            head: [0; 32],
            total: 0,
        });
        Ok(JournalFollower { reader, held: None, read: None, kept })
    }

    /// Tells the records up to the frame `synced`, until it is told to break off; true if those were all.
    pub(crate) fn read(
        &mut self,
        synced: u64,
        mut tell: impl FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<bool, FollowerError> {
        loop {
            let next = match self.held.take() {
                Some(followed) => Some(followed),
                None => self.reader.next_record()?,
            };
            let Some(followed) = next else { return Ok(true) };
            if followed.sequence > synced {
                self.held = Some(followed);
                return Ok(true);
            }
            let flow = tell(&followed.record);
            self.read = self.reader.position();
            if flow.is_break() {
                return Ok(false);
            }
        }
    }

    /// Keeps what was made of the records told since the last time, with the position behind them. `keep` answers by how much
    /// the follower's rows add up to more than before.
    pub(crate) async fn keep(
        &mut self,
        store: &Store,
        keep: impl FnOnce(&mut Transaction<'_>) -> Result<u64, StoreError> + Send + 'static,
    ) -> Result<(), FollowerError> {
        let Some(FollowerPosition { segment, sequence, offset, head }) = self.read.take() else {
            return Ok(());
        };
        let (from, total) = (self.kept.sequence, self.kept.total);
        let moved = JournalPositionRow { segment, sequence, offset, head, ..self.kept.clone() };
        let kept: Result<JournalPositionRow, StoreError> = store
            .write(move |transaction| {
                let added = keep(transaction)?;
                let moved = JournalPositionRow { total: total.saturating_add(added), ..moved };
                transaction.move_journal_position(from, &moved)?;
                Ok(moved)
            })
            .await;
        self.kept = kept?;
        Ok(())
    }
}

fn position_of(row: &JournalPositionRow) -> FollowerPosition {
    let JournalPositionRow { segment, sequence, offset, head, follower: _, total: _ } = row;
    FollowerPosition { segment: *segment, sequence: *sequence, offset: *offset, head: *head }
}
