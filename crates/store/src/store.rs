//! The store as others hold it: a handle on one writer thread and a few reader threads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::thread::{self, JoinHandle};

use crypto::seal::SealKeys;
use tokio::sync::oneshot;

use crate::change::Change;
use crate::database;
use crate::error::{Result, StoreError};
use crate::limits::{READ_QUEUE_ACTS_MAX, WRITE_QUEUE_ACTS_MAX};
use crate::locked::LockedStore;
use crate::queue::Queue;
use crate::readers::{self, ReadJob};
use crate::sequences::Sequences;
use crate::snapshot::Snapshot;
use crate::transaction::Transaction;
use crate::unlock::Believed;
use crate::writer::{self, Work, Writer};

/// The memory of the deployment. Cloning gives another handle on the same store; the last one to go
/// ends its threads.
#[derive(Clone)]
pub struct Store {
    threads: Arc<Threads>,
}

/// Called with the changes of a commit.
pub(crate) type Listener = Box<dyn Fn(&[Change]) + Send + Sync>;

/// What the handles and the threads share.
pub(crate) struct Shared {
    pub(crate) seal_keys: SealKeys,
    pub(crate) sequences: Sequences,
    pub(crate) writes: Queue<Work>,
    pub(crate) reads: Queue<Box<dyn ReadJob>>,
    pub(crate) listeners: RwLock<Vec<Listener>>,
    /// The number of the newest committed change.
    pub(crate) position: AtomicU64,
    pub(crate) ending: Ending,
    /// Why writes are refused, once a commit has failed.
    pub(crate) poison: OnceLock<String>,
}

/// Those who wait for the writer to end.
pub(crate) struct Ending(Mutex<Option<Vec<oneshot::Sender<Result<()>>>>>);

impl Ending {
    fn new() -> Ending {
        Ending(Mutex::new(Some(Vec::new())))
    }

    /// The way to learn how the writer ended; none if it has.
    fn wait(&self) -> Option<oneshot::Receiver<Result<()>>> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (answer, answered) = oneshot::channel();
        waiting.as_mut()?.push(answer);
        Some(answered)
    }

    /// Tells those who wait; nobody can wait afterwards.
    pub(crate) fn tell(&self, outcome: impl Fn() -> Result<()>) {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        for answer in waiting.into_iter().flatten() {
            // Who waited may have gone.
            drop(answer.send(outcome()));
        }
    }
}

struct Threads {
    shared: Arc<Shared>,
    handles: Vec<JoinHandle<()>>,
}

impl Store {
    pub(crate) fn start(
        locked: LockedStore,
        seal_keys: SealKeys,
        believed: Believed,
    ) -> Result<Store> {
        let LockedStore { path, options, connection, is_log_empty, lock } = locked;
        let Believed { head, digest, sequences } = believed;
        let shared = Arc::new(Shared {
            seal_keys,
            sequences,
            writes: Queue::new(WRITE_QUEUE_ACTS_MAX),
            reads: Queue::new(READ_QUEUE_ACTS_MAX),
            listeners: RwLock::new(Vec::new()),
            position: AtomicU64::new(head.position),
            ending: Ending::new(),
            poison: OnceLock::new(),
        });
        // Made before any thread, so that an error below ends those that run already.
        let mut threads = Threads { shared: Arc::clone(&shared), handles: Vec::new() };
        for _ in 0..options.reader_threads.max(1) {
            let connection = database::open_reader(&path)?;
            let shared = Arc::clone(&shared);
            threads.spawn("store-reader", move || readers::run(&connection, &shared))?;
        }
        let mut writer = Writer::new(connection, lock, shared, (head, digest), !is_log_empty);
        threads.spawn("store-writer", move || writer.run())?;
        Ok(Store { threads: Arc::new(threads) })
    }

    /// Does an act in the writer's transaction. An `Err` rolls back what this act wrote and nothing
    /// else. Returns when the transaction is durable and every [listener](Store::on_commit) has
    /// seen its changes.
    ///
    /// The act runs even if the caller stops waiting for it.
    ///
    /// # Errors
    ///
    /// The act's own error, or [`StoreError::Busy`], [`StoreError::Poisoned`],
    /// [`StoreError::Closed`], [`StoreError::DiskFull`] or [`StoreError::NotCommitted`].
    pub async fn write<T, E>(
        &self,
        act: impl FnOnce(&mut Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.refuse_if_poisoned()?;
        let (answer, answered) = oneshot::channel();
        self.shared().writes.push(Work::Act(writer::job(act, answer)))?;
        answered.await.unwrap_or_else(|_| Err(StoreError::ActPanicked.into()))
    }

    /// Does an act on a snapshot of the newest commit, in a reader's thread.
    ///
    /// # Errors
    ///
    /// The act's own error, or [`StoreError::Busy`], [`StoreError::Closed`] or, if the database
    /// went back behind the store's back, [`StoreError::Seal`].
    pub async fn read<T, E>(
        &self,
        act: impl FnOnce(&Snapshot<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.shared().reads.push(readers::job(act, answer))?;
        answered.await.unwrap_or_else(|_| Err(StoreError::ActPanicked.into()))
    }

    /// Has the listener called, in the writer's thread, with the changes of each commit before any
    /// act of it is answered. A listener must be quick and must not wait for the store.
    pub fn on_commit(&self, listener: Listener) {
        let listeners = &self.shared().listeners;
        listeners.write().unwrap_or_else(PoisonError::into_inner).push(listener);
    }

    /// The number of the newest committed change. It never decreases, and grows with every state
    /// change of the deployment: kept in a second place, it tells a restored older database.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.shared().position.load(Ordering::Acquire)
    }

    /// Sees to it that no byte of key material deleted before the call stays in the database or its
    /// log: writes the table of the material anew and empties the write-ahead log.
    ///
    /// Every commit that deletes material overwrites it and empties the log by itself; what that
    /// misses, and why, stands in `scrub.rs`. No other write is done meanwhile: about a second for
    /// 100,000 keys. Call it after a run of deletions, not after each.
    ///
    /// True if it is done. False if a reader still looks at a state in the log, which the log must
    /// outlast: the writer tries again twice a second to empty it, and a later call tells whether
    /// it could.
    ///
    /// # Errors
    ///
    /// As for [`write`](Store::write). Nothing is lost, and nothing is scrubbed.
    pub async fn scrub(&self) -> Result<bool> {
        self.refuse_if_poisoned()?;
        let (answer, answered) = oneshot::channel();
        self.shared().writes.push(Work::Scrub(answer))?;
        answered.await.unwrap_or(Err(StoreError::Closed))
    }

    /// False once a commit has failed: writes are refused until a restart.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.shared().poison.get().is_none()
    }

    /// Finishes what waits, empties the write-ahead log into the database and ends the threads;
    /// every later act is refused.
    ///
    /// # Errors
    ///
    /// [`StoreError::Poisoned`] if a commit has failed, [`StoreError::Sqlite`] if the log could not
    /// be emptied: the next start reads it.
    pub async fn close(&self) -> Result<()> {
        let ended = self.shared().ending.wait();
        self.shared().writes.close();
        self.shared().reads.close();
        match ended {
            Some(ended) => ended.await.unwrap_or(Err(StoreError::Closed)),
            None => Ok(()),
        }
    }

    fn refuse_if_poisoned(&self) -> Result<()> {
        match self.shared().poison.get() {
            Some(cause) => Err(StoreError::Poisoned { cause: cause.clone() }),
            None => Ok(()),
        }
    }

    fn shared(&self) -> &Shared {
        &self.threads.shared
    }
}

impl Threads {
    fn spawn(&mut self, name: &str, body: impl FnOnce() + Send + 'static) -> Result<()> {
        self.handles.push(thread::Builder::new().name(name.to_owned()).spawn(body)?);
        Ok(())
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.shared.writes.close();
        self.shared.reads.close();
        for handle in self.handles.drain(..) {
            // The last handle may go inside an act or a listener; a thread cannot wait for itself.
            let is_other = handle.thread().id() != thread::current().id();
            if is_other && handle.join().is_err() {
                tracing::error!("a thread of the store had panicked");
            }
        }
    }
}
