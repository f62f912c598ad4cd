//! What appends and the journal's thread share.
//!
//! Three locks, always taken in this order: `writer` (the file; held over a write, and by the
//! thread over the change of segments), `orders` (for the thread) and `pending` (the buffer; held
//! over a copy in memory). A task never waits on `writer`: it tries, and if another holds it, waits
//! for word of `progress`, which everyone gives who lets go of it.

use std::{
    path::{Path, PathBuf},
    pin::pin,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;

use crate::{disk::Disk, error::JournalError, frame::RECORD_BYTES_MAX, recover::Tail};

use super::{JournalOptions, JournalStats, pending::Pending, writer::Writer};

pub(super) struct Shared {
    pub(super) options: JournalOptions,
    pub(super) directory: PathBuf,
    pub(super) disk: Arc<dyn Disk>,
    pub(super) writer: Mutex<Writer>,
    pending: Mutex<Pending>,
    /// The last frame written, the last one synced.
    written: AtomicU64,
    pub(super) durable: AtomicU64,
    /// Told whenever one of the two may have moved, the file was let go, or the journal stopped.
    pub(super) progress: Notify,
    pub(super) failure: OnceLock<JournalError>,
    orders: Mutex<Orders>,
    orders_changed: Condvar,
    ended: AtomicBool,
    pub(super) counters: Counters,
}

/// What the thread is asked to do.
#[derive(Clone, Copy, Default)]
pub(super) struct Orders {
    /// Frames wait to be synced, in their time.
    pub(super) work: bool,
    /// Sync now.
    pub(super) sync: bool,
    /// The segment is full.
    pub(super) roll: bool,
    /// The segment is old: the next one is to begin, full or not.
    pub(super) begin: bool,
    pub(super) close: bool,
}

#[derive(Default)]
pub(super) struct Counters {
    records: AtomicU64,
    bytes: AtomicU64,
    writes: AtomicU64,
    pub(super) syncs: AtomicU64,
    pub(super) segments: AtomicU64,
}

impl Shared {
    pub(super) fn new(
        disk: Arc<dyn Disk>,
        directory: &Path,
        options: JournalOptions,
        tail: Option<Tail>,
    ) -> Result<Shared, JournalError> {
        let counters = Counters::default();
        let writer = match tail {
            Some(tail) => Writer::resume(&*disk, &options, tail)?,
            None => {
                counters.segments.fetch_add(1, Ordering::Relaxed);
                Writer::begin(&*disk, directory, &options)?
            }
        };
        let position = writer.position;
        Ok(Shared {
            options,
            directory: directory.to_owned(),
            disk,
            writer: Mutex::new(writer),
            pending: Mutex::new(Pending::new(position)),
            written: AtomicU64::new(position.sequence),
            durable: AtomicU64::new(position.sequence),
            progress: Notify::new(),
            failure: OnceLock::new(),
            orders: Mutex::new(Orders::default()),
            orders_changed: Condvar::new(),
            ended: AtomicBool::new(false),
            counters,
        })
    }

    /// Puts a record into the buffer and gives its frame's number.
    pub(super) fn push(&self, record: &[u8], outbox: Option<u64>) -> Result<u64, JournalError> {
        if record.is_empty() {
            return Err(JournalError::EmptyRecord);
        }
        if record.len() > RECORD_BYTES_MAX {
            return Err(JournalError::RecordTooLong { bytes: record.len() });
        }
        if let Some(failure) = self.failure.get() {
            return Err(failure.clone());
        }
        let mut pending = lock(&self.pending);
        let sequence = pending.accept(record, outbox.unwrap_or(0))?;
        let told = std::mem::replace(&mut pending.told, true);
        drop(pending);
        self.counters.records.fetch_add(1, Ordering::Relaxed);
        if !told {
            self.order(|orders| orders.work = true);
        }
        Ok(sequence)
    }

    /// Puts a mark into the buffer, unless the journal ends with one.
    pub(super) fn push_mark(&self) {
        lock(&self.pending).mark();
    }

    pub(super) fn last_pushed(&self) -> u64 {
        lock(&self.pending).position.sequence
    }

    /// Waits until a frame is written, writing it with all others if nobody else does.
    pub(super) async fn reach_written(&self, sequence: u64) -> Result<(), JournalError> {
        loop {
            if let Some(result) = self.outcome(&self.written, sequence) {
                return result;
            }
            if self.drain() {
                continue;
            }
            // Another holds the file. Listen first, try again, then wait: either this attempt
            // comes after it let go, or its word of that comes after this task began to listen.
            let mut progress = pin!(self.progress.notified());
            progress.as_mut().enable();
            if !self.drain() {
                progress.await;
            }
        }
    }

    /// Waits until a frame is synced by the thread.
    pub(super) async fn reach_durable(&self, sequence: u64) -> Result<(), JournalError> {
        loop {
            let mut progress = pin!(self.progress.notified());
            progress.as_mut().enable();
            if let Some(result) = self.outcome(&self.durable, sequence) {
                return result;
            }
            progress.await;
        }
    }

    /// The failure counts first: after a sync that failed, a written frame may be lost.
    fn outcome(&self, reached: &AtomicU64, sequence: u64) -> Option<Result<(), JournalError>> {
        if let Some(failure) = self.failure.get() {
            return Some(Err(failure.clone()));
        }
        (reached.load(Ordering::Acquire) >= sequence).then_some(Ok(()))
    }

    /// Writes what is in the buffer; `false` if another holds the file, who tells when it let go.
    fn drain(&self) -> bool {
        let writer = match self.writer.try_lock() {
            Ok(writer) => writer,
            Err(TryLockError::Poisoned(poisoned)) => {
                // Whoever held it panicked, perhaps between a write and its bookkeeping.
                self.fail(JournalError::Stopped);
                poisoned.into_inner()
            }
            Err(TryLockError::WouldBlock) => return false,
        };
        self.write_and_release(writer);
        true
    }

    /// For the thread: waits for the file, and does before and after what everyone must do who
    /// holds it. If `act` fails the journal stops before anyone can write to the file again.
    pub(super) fn with_writer<T>(
        &self,
        act: impl FnOnce(&mut Writer) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let mut writer = lock(&self.writer);
        self.write_pending(&mut writer);
        let result = match self.failure.get() {
            Some(failure) => Err(failure.clone()),
            None => act(&mut writer).inspect_err(|failure| self.fail(failure.clone())),
        };
        self.write_and_release(writer);
        result
    }

    /// Word must come after the release: whom it wakes tries the file at once.
    fn write_and_release(&self, mut writer: MutexGuard<'_, Writer>) {
        self.write_pending(&mut writer);
        drop(writer);
        self.progress.notify_waiters();
    }

    /// Chains and writes all frames in the buffer with one write(2).
    fn write_pending(&self, writer: &mut Writer) {
        if self.failure.get().is_some() {
            return;
        }
        if !writer.take(&mut lock(&self.pending)) {
            return;
        }
        match writer.write(self.durable.load(Ordering::Relaxed)) {
            Ok(bytes) => self.counters.bytes.fetch_add(bytes, Ordering::Relaxed),
            Err(failure) => return self.fail(failure),
        };
        self.counters.writes.fetch_add(1, Ordering::Relaxed);
        self.written.store(writer.position.sequence, Ordering::Release);
        if writer.length >= self.options.segment_bytes_max {
            self.order(|orders| orders.roll = true);
        }
    }

    /// Stops the journal for good.
    pub(super) fn fail(&self, failure: JournalError) {
        let cause = failure.to_string();
        // Only the first cause is kept.
        if self.failure.set(failure).is_ok() {
            tracing::error!(cause, "the audit journal has stopped");
            self.order(|orders| orders.sync = true);
        }
        self.progress.notify_waiters();
    }

    pub(super) fn refusal(&self) -> Option<JournalError> {
        let closed = || lock(&self.pending).closed.then_some(JournalError::Closed);
        self.failure.get().cloned().or_else(closed)
    }

    pub(super) fn begin_close(&self) {
        lock(&self.pending).closed = true;
        self.order(|orders| orders.close = true);
    }

    pub(super) fn order(&self, change: impl FnOnce(&mut Orders)) {
        change(&mut lock(&self.orders));
        self.orders_changed.notify_one();
    }

    /// For the thread: waits for orders, then up to `gather` for more unless they are urgent, and
    /// takes them.
    pub(super) fn take_orders(&self, gather: Duration) -> Orders {
        let orders = lock(&self.orders);
        let orders = self
            .orders_changed
            .wait_while(orders, |orders| !orders.work && !orders.is_urgent())
            .unwrap_or_else(PoisonError::into_inner);
        let (mut orders, _) = self
            .orders_changed
            .wait_timeout_while(orders, gather, |orders| !orders.is_urgent())
            .unwrap_or_else(PoisonError::into_inner);
        lock(&self.pending).told = false;
        std::mem::take(&mut orders)
    }

    pub(super) fn set_durable(&self, sequence: u64) {
        self.durable.store(sequence, Ordering::Release);
        self.progress.notify_waiters();
    }

    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.progress.notify_waiters();
    }

    pub(super) fn is_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    pub(super) fn stats(&self) -> JournalStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        // `durable` first: it never passes `written`, which can only have grown meanwhile.
        let durable = read(&self.durable);
        JournalStats {
            records: read(&self.counters.records),
            bytes: read(&self.counters.bytes),
            writes: read(&self.counters.writes),
            syncs: read(&self.counters.syncs),
            segments: read(&self.counters.segments),
            unsynced_frames: read(&self.written).saturating_sub(durable),
        }
    }
}

impl Orders {
    fn is_urgent(&self) -> bool {
        self.sync || self.roll || self.begin || self.close
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
