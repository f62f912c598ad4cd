//! The journal: records go in, and come to lie on the disk before their calls are answered.
//!
//! An append puts its frame into a buffer in memory and waits until the frame is written
//! (interval mode) or synced (strict mode). In interval mode it first lets the runtime's other
//! ready tasks go on, which append too; whoever comes back first writes for all with one write(2).
//! So nobody leads, nobody has to be woken, and a call that is dropped leaves its frame to the next
//! one. In strict mode the journal's thread writes and syncs for all that wait.
//!
//! The journal fails for good: after a write or sync that failed, every append is refused with
//! that cause until the process starts anew and checks the files.

mod keeper;
mod pending;
mod shared;
mod writer;

#[cfg(test)]
mod tests;

use std::{
    fs::DirBuilder,
    os::unix::fs::DirBuilderExt,
    path::Path,
    pin::pin,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::{
    disk::{Disk, SystemDisk},
    error::JournalError,
    recover::{self, Recovered},
};

use shared::Shared;

/// Bytes after which a segment is followed by a new one, unless told otherwise. Also what is
/// reserved on the disk ahead of the records.
pub const SEGMENT_BYTES_DEFAULT: u64 = 64 * 1024 * 1024;

/// How long a record may be written but not synced, unless told otherwise.
pub const INTERVAL_DEFAULT: Duration = Duration::from_millis(200);

/// Bytes that may wait in memory for the disk; beyond it appends are refused.
pub const PENDING_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What an append promises when it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The record is synced: it outlives a power cut.
    Strict,
    /// The record is written, which outlives the process, and will be synced within this time: a
    /// power cut can take the last interval's records.
    Interval(Duration),
}

/// How a journal is kept.
#[derive(Clone, Copy, Debug)]
pub struct JournalOptions {
    /// Whose journal it is; segments of another deployment are refused.
    pub deployment: [u8; 16],
    /// What an append promises.
    pub durability: Durability,
    /// Bytes after which a segment is followed by a new one.
    pub segment_bytes_max: u64,
}

impl JournalOptions {
    /// The defaults for a deployment.
    #[must_use]
    pub fn new(deployment: [u8; 16]) -> JournalOptions {
        JournalOptions {
            deployment,
            durability: Durability::Interval(INTERVAL_DEFAULT),
            segment_bytes_max: SEGMENT_BYTES_DEFAULT,
        }
    }
}

/// What the journal has done since it was opened, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JournalStats {
    /// Records appended.
    pub records: u64,
    /// Bytes written, frames with their overhead.
    pub bytes: u64,
    /// Calls of write(2); records divided by it is the mean batch.
    pub writes: u64,
    /// Syncs of a segment.
    pub syncs: u64,
    /// Segments begun.
    pub segments: u64,
    /// Frames written and not yet synced.
    pub unsynced_frames: u64,
}

/// An open journal. All methods may be called from many tasks at once.
pub struct Journal {
    shared: Arc<Shared>,
    keeper: Mutex<Option<JoinHandle<()>>>,
}

impl Journal {
    /// Opens the journal in a directory, which is made if it is missing, and checks what lies in
    /// it: the last segment whole, the earlier ones by their links. A torn tail is cut.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] and its relatives when the files are not what was written;
    /// [`JournalError::Disk`] when the disk refuses, also for lack of room for a segment.
    pub fn open(
        directory: &Path,
        options: JournalOptions,
    ) -> Result<(Journal, Recovered), JournalError> {
        Journal::open_on(Arc::new(SystemDisk), directory, options)
    }

    pub(crate) fn open_on(
        disk: Arc<dyn Disk>,
        directory: &Path,
        options: JournalOptions,
    ) -> Result<(Journal, Recovered), JournalError> {
        make_directory(directory)?;
        let (tail, unborn_bytes) = recover::recover(directory, options.deployment)?;
        let recovered = tail
            .as_ref()
            .map_or(Recovered { torn_bytes: unborn_bytes, ..Recovered::default() }, |tail| {
                tail.recovered
            });
        if recovered.torn_bytes > 0 {
            tracing::warn!(bytes = recovered.torn_bytes, "cut the torn tail of the audit journal");
        }
        let shared = Arc::new(Shared::new(disk, directory, options, tail)?);
        let keeper = Arc::clone(&shared);
        let keeper = thread::Builder::new()
            .name("audit-journal".to_owned())
            .spawn(move || keeper::run(&keeper))
            .map_err(JournalError::disk("start the thread for", directory))?;
        Ok((Journal { shared, keeper: Mutex::new(Some(keeper)) }, recovered))
    }

    /// Appends a record, with its number in the store's outbox (from 1) if it came through it.
    /// Returns when the record is as durable as the options promise. A dropped call may or may not
    /// have appended; it hinders nobody.
    ///
    /// # Errors
    /// The record must be taken as not written and the call that it tells of must not be answered.
    /// [`JournalError::EmptyRecord`], [`JournalError::RecordTooLong`], [`JournalError::Backlog`]
    /// and [`JournalError::Closed`] concern this call; any other stops the journal.
    pub async fn append(&self, record: &[u8], outbox: Option<u64>) -> Result<(), JournalError> {
        let sequence = self.shared.push(record, outbox)?;
        self.reach(sequence).await
    }

    /// Waits until a frame is as durable as the options promise.
    async fn reach(&self, sequence: u64) -> Result<(), JournalError> {
        match self.shared.options.durability {
            Durability::Strict => self.shared.reach_durable(sequence).await,
            Durability::Interval(_) => {
                tokio::task::yield_now().await;
                self.shared.reach_written(sequence).await
            }
        }
    }

    /// Appends several records that belong together, so that they are written together if the kernel takes them so.
    ///
    /// # Errors
    /// As [`Journal::append`]; none of them may be relied on then.
    pub async fn append_all(&self, records: &[Vec<u8>]) -> Result<(), JournalError> {
        let mut sequence = None;
        for record in records {
            sequence = Some(self.shared.push(record, None)?);
        }
        match sequence {
            Some(sequence) => self.reach(sequence).await,
            None => Ok(()),
        }
    }

    /// Returns when every record appended so far is synced, in either mode. Outbox records may be
    /// dropped only after this.
    ///
    /// # Errors
    /// Why the journal stopped.
    pub async fn sync(&self) -> Result<(), JournalError> {
        self.sync_all().await.map(drop)
    }

    /// As [`Journal::sync`]; answers the number of the last frame that is synced now, 0 for none.
    ///
    /// # Errors
    /// Why the journal stopped.
    pub async fn sync_all(&self) -> Result<u64, JournalError> {
        let sequence = self.shared.last_pushed();
        self.shared.order(|orders| orders.sync = true);
        self.shared.reach_durable(sequence).await?;
        Ok(sequence)
    }

    /// The number of the last frame that is synced, 0 for none. Unlike [`Journal::sync_all`] it orders no sync.
    #[must_use]
    pub fn synced(&self) -> u64 {
        self.shared.durable.load(Ordering::Acquire)
    }

    /// The folder of its segments.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.shared.directory
    }

    /// Has the next segment begin soon, unless the one that is written has no record yet.
    pub fn begin_segment(&self) {
        self.shared.order(|orders| orders.begin = true);
    }

    /// Whether records can be appended: nothing failed and nobody closed.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.shared.refusal().is_none()
    }

    /// Why appends are refused, for the operator; `None` while the journal is healthy.
    #[must_use]
    pub fn failure(&self) -> Option<JournalError> {
        self.shared.refusal()
    }

    /// What was done since the journal was opened.
    #[must_use]
    pub fn stats(&self) -> JournalStats {
        self.shared.stats()
    }

    /// Refuses further appends, writes and syncs what was appended, marks the journal as closed
    /// and ends its thread. Closing twice is closing once.
    ///
    /// # Errors
    /// Why the journal stopped, now or earlier; then it is not marked.
    pub async fn close(&self) -> Result<(), JournalError> {
        self.shared.begin_close();
        loop {
            let mut progress = pin!(self.shared.progress.notified());
            progress.as_mut().enable();
            if self.shared.is_ended() {
                break;
            }
            progress.await;
        }
        self.join();
        self.shared.failure.get().cloned().map_or(Ok(()), Err)
    }

    fn join(&self) {
        let keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(keeper) = keeper
            && keeper.join().is_err()
        {
            tracing::error!("the audit journal's thread panicked");
        }
    }
}

/// Closes, waiting for the last sync on the dropping thread.
impl Drop for Journal {
    fn drop(&mut self) {
        self.shared.begin_close();
        self.join();
    }
}

fn make_directory(directory: &Path) -> Result<(), JournalError> {
    if directory.is_dir() {
        return Ok(());
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(JournalError::disk("make", directory))?;
    directory.parent().map_or(Ok(()), |parent| {
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        recover::sync_directory(parent)
    })
}
