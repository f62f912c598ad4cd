//! The writer thread: takes all acts that wait, does them in one transaction and commits once.
//!
//! Each act has a savepoint, so that its failure undoes nothing of the others. No act is answered
//! before the commit is durable and the listeners have seen what it changed. When a commit fails,
//! what the disk holds is not known: every act of the group is told, and no later write is tried
//! (after a failed sync the system may believe unwritten pages written).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;

use crate::change::Change;
use crate::changes;
use crate::database::{self, Lock};
use crate::error::{Result, StoreError};
use crate::head::{self, Head};
use crate::limits::{
    GROUP_ACTS_MAX, LOCK_WAIT_MILLIS_MAX, WIPE_RETRY_MILLIS, WIPE_WAIT_MILLIS_MAX,
};
use crate::queue::Popped;
use crate::scrub;
use crate::set_digest::SetDigest;
use crate::snapshot::Snapshot;
use crate::store::Shared;
use crate::transaction::{Counts, Effects, Transaction};

/// What waits for the writer.
pub(crate) enum Work {
    /// An act on the rows.
    Act(Box<dyn WriteJob>),
    /// The wish that nothing deleted is left in the files, and the way to whoever has it.
    Scrub(oneshot::Sender<Result<bool>>),
}

/// A write act and the way to its caller.
pub(crate) trait WriteJob: Send {
    /// Does the act and keeps its outcome. True if it succeeded.
    fn run(&mut self, transaction: &mut Transaction<'_>) -> bool;

    /// Tells the caller the outcome, or the failure of the group.
    fn answer(self: Box<Self>, failure: Option<&StoreError>);
}

struct Job<F, T, E> {
    act: Option<F>,
    outcome: Option<Result<T, E>>,
    answer: oneshot::Sender<Result<T, E>>,
}

pub(crate) fn job<T, E, F>(act: F, answer: oneshot::Sender<Result<T, E>>) -> Box<dyn WriteJob>
where
    F: FnOnce(&mut Transaction<'_>) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    Box::new(Job { act: Some(act), outcome: None, answer })
}

impl<T, E, F> WriteJob for Job<F, T, E>
where
    F: FnOnce(&mut Transaction<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run(&mut self, transaction: &mut Transaction<'_>) -> bool {
        self.outcome = self.act.take().map(|act| act(transaction));
        matches!(self.outcome, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, failure: Option<&StoreError>) {
        let outcome = match (self.outcome, failure) {
            (Some(Err(error)), _) => Err(error),
            (Some(Ok(_)) | None, Some(failure)) => Err(failure.for_another().into()),
            (Some(Ok(answer)), None) => Ok(answer),
            (None, None) => Err(StoreError::ActPanicked.into()),
        };
        // The caller may have gone; what was done stays done.
        drop(self.answer.send(outcome));
    }
}

pub(crate) struct Writer {
    connection: Connection,
    shared: Arc<Shared>,
    head: Head,
    digest: SetDigest,
    counts: Counts,
    /// True while the log holds what must not stay.
    must_wipe: bool,
    /// Keeps other processes away as long as the connection is open.
    _lock: Lock,
}

/// What the acts of a group did.
struct Group {
    head: Head,
    digest: SetDigest,
    changes: Vec<Change>,
    effects: Vec<Effects>,
}

impl Writer {
    pub(crate) fn new(
        connection: Connection,
        lock: Lock,
        shared: Arc<Shared>,
        (head, digest): (Head, SetDigest),
        must_wipe: bool,
    ) -> Writer {
        let counts = Counts::new();
        Writer { connection, shared, head, digest, counts, must_wipe, _lock: lock }
    }

    /// Works until the queue is closed and empty.
    pub(crate) fn run(&mut self) {
        loop {
            let wait = self.must_wipe.then_some(Duration::from_millis(WIPE_RETRY_MILLIS));
            match self.shared.writes.pop(GROUP_ACTS_MAX, wait) {
                Popped::Some(work) => self.work(work),
                Popped::Nothing => self.wipe(),
                Popped::Closed => break,
            }
        }
        self.end();
    }

    /// Does the acts, then what is to be done after them.
    fn work(&mut self, work: Vec<Work>) {
        let (mut jobs, mut scrubs) = (Vec::new(), Vec::new());
        for work in work {
            match work {
                Work::Act(job) => jobs.push(job),
                Work::Scrub(answer) => scrubs.push(answer),
            }
        }
        if !jobs.is_empty() {
            self.do_group(jobs);
        }
        if !scrubs.is_empty() {
            let outcome = self.scrub();
            for answer in scrubs {
                let outcome = outcome.as_ref().copied().map_err(StoreError::for_another);
                // Who asked may have gone.
                drop(answer.send(outcome));
            }
        }
    }

    fn do_group(&mut self, mut jobs: Vec<Box<dyn WriteJob>>) {
        let failure = match self.commit(&mut jobs) {
            Ok(group) => self.publish(group).err(),
            Err(failure) => {
                // Acts of the group may be counted in.
                self.counts.clear();
                Some(failure)
            }
        };
        if self.must_wipe {
            self.wipe();
        }
        for job in jobs {
            job.answer(failure.as_ref());
        }
    }

    /// Does the acts in one transaction and makes it durable.
    fn commit(&mut self, jobs: &mut [Box<dyn WriteJob>]) -> Result<Group> {
        let transaction = begin(&self.connection, &self.shared, &self.head)?;
        let seal_keys = &self.shared.seal_keys;
        let (head, digest) = (self.head, self.digest);
        let mut group = Group { head, digest, changes: Vec::new(), effects: Vec::new() };
        for job in jobs {
            do_act(&transaction, &self.shared, &mut self.counts, job.as_mut(), &mut group)?;
        }
        if group.head != self.head {
            changes::trim(&transaction, &mut group.head)?;
            group.head.aggregates = group.digest.tag(seal_keys.newest());
            group.head.save(&transaction, seal_keys)?;
        }
        commit(&self.connection, &self.shared, transaction)?;
        Ok(group)
    }

    /// Tells the process what is committed: the position, the newest sequences and the listeners.
    fn publish(&mut self, group: Group) -> Result<()> {
        self.head = group.head;
        self.digest = group.digest;
        self.must_wipe |= group.effects.iter().any(|effects| effects.wipe);
        let (mut outcomes, mut afterwards) = (Vec::new(), Vec::new());
        for effects in group.effects {
            outcomes.extend(effects.outcomes);
            afterwards.extend(effects.afterwards);
        }
        self.shared.sequences.advance(group.head.position, outcomes.into_iter());
        self.shared.position.store(group.head.position, Ordering::Release);
        if group.changes.is_empty() && afterwards.is_empty() {
            return Ok(());
        }
        let listeners = self.shared.listeners.read().unwrap_or_else(PoisonError::into_inner);
        let told = catch_unwind(AssertUnwindSafe(|| {
            listeners.iter().for_each(|listener| listener(&group.changes));
            afterwards.into_iter().for_each(|act| act());
        }));
        // A cache that has not heard of a change may serve what is revoked.
        told.map_err(|_| {
            let cause =
                "a listener of the change feed or what follows a commit panicked".to_owned();
            poison(&self.shared, StoreError::Poisoned { cause })
        })
    }

    /// Empties the log, so that nothing of a deleted key stays in it; tries again later if a reader
    /// needs it.
    fn wipe(&mut self) {
        match database::empty_log(&self.connection, WIPE_WAIT_MILLIS_MAX) {
            Ok(is_empty) => self.must_wipe = !is_empty,
            Err(error) => tracing::warn!(%error, "the write-ahead log was not emptied"),
        }
    }

    /// Writes anew what holds key material and empties the log. False if a reader needs the log.
    fn scrub(&mut self) -> Result<bool> {
        let transaction = begin(&self.connection, &self.shared, &self.head)?;
        scrub::rewrite_materials(&transaction)?;
        commit(&self.connection, &self.shared, transaction)?;
        self.must_wipe = true;
        self.wipe();
        Ok(!self.must_wipe)
    }

    fn end(&self) {
        if let Some(cause) = self.shared.poison.get() {
            // What the log holds is for the next start to judge.
            let kept = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
            if let Err(error) = self.connection.set_db_config(kept, true) {
                tracing::warn!(%error, "the write-ahead log may be moved on closing");
            }
            self.shared.ending.tell(|| Err(StoreError::Poisoned { cause: cause.clone() }));
            return;
        }
        let emptied = database::empty_log(&self.connection, LOCK_WAIT_MILLIS_MAX);
        self.shared.ending.tell(|| match &emptied {
            Ok(_) => Ok(()),
            Err(error) => Err(error.for_another()),
        });
    }
}

/// Begins a transaction on a database that is as the writer left it.
fn begin<'c>(
    connection: &'c Connection,
    shared: &Shared,
    head: &Head,
) -> Result<rusqlite::Transaction<'c>> {
    if let Some(cause) = shared.poison.get() {
        return Err(StoreError::Poisoned { cause: cause.clone() });
    }
    let behavior = TransactionBehavior::Immediate;
    let transaction = rusqlite::Transaction::new_unchecked(connection, behavior)?;
    if Head::load(&transaction, &shared.seal_keys)? != *head {
        let error = head::refuse("another process has written to the database");
        return Err(poison(shared, error));
    }
    Ok(transaction)
}

/// Makes a transaction durable.
fn commit(
    connection: &Connection,
    shared: &Shared,
    transaction: rusqlite::Transaction<'_>,
) -> Result<()> {
    match transaction.commit().map_err(StoreError::from) {
        Ok(()) => Ok(()),
        // The commit mark was not written; when there is space again, all is well.
        Err(StoreError::DiskFull) if connection.is_autocommit() => Err(StoreError::DiskFull),
        Err(error) => {
            let cause = error.to_string();
            Err(poison(shared, StoreError::NotCommitted { cause }))
        }
    }
}

/// Does one act under a savepoint.
///
/// # Errors
///
/// Only what ends the whole group: the savepoint could not be kept, or SQLite gave up the
/// transaction.
fn do_act(
    connection: &Connection,
    shared: &Shared,
    counts: &mut Counts,
    job: &mut dyn WriteJob,
    group: &mut Group,
) -> Result<()> {
    connection.prepare_cached("SAVEPOINT act")?.execute([])?;
    let snapshot =
        Snapshot::of_writer(connection, &shared.seal_keys, &shared.sequences, group.head);
    let mut transaction = Transaction::new(snapshot, counts);
    let succeeded = catch_unwind(AssertUnwindSafe(|| job.run(&mut transaction)));
    if connection.is_autocommit() {
        let cause = "SQLite gave up the transaction".to_owned();
        return Err(StoreError::NotCommitted { cause });
    }
    let succeeded = succeeded.unwrap_or_else(|_| {
        tracing::error!("a write act panicked");
        false
    });
    if succeeded {
        group.head = transaction.head();
        let (changes, effects) = transaction.into_effects();
        for (place, difference) in &effects.counted {
            if let Some(count) = counts.get_mut(place) {
                *count = count.saturating_add_signed(*difference);
            }
        }
        group.digest.combine(&effects.digest);
        group.changes.extend(changes);
        group.effects.push(effects);
    } else {
        connection.prepare_cached("ROLLBACK TO act")?.execute([])?;
    }
    connection.prepare_cached("RELEASE act")?.execute([])?;
    Ok(())
}

/// Refuses every write from now on. Returns the failure that is told.
fn poison(shared: &Shared, error: StoreError) -> StoreError {
    let cause = shared.poison.get_or_init(|| error.to_string());
    tracing::error!(%cause, "the store refuses writes from now on");
    error
}

#[cfg(test)]
mod tests {
    use crypto::SecretKey;
    use crypto::seal::{SealKey, SealKeys};

    use super::*;
    use crate::{AccountRecord, AccountRow, LockedStore, Store, StoreOptions};

    fn open(path: &std::path::Path) -> Store {
        let locked = LockedStore::open(path, StoreOptions::default()).unwrap();
        let key = SealKey::new(1, &SecretKey::new([7; 32]));
        locked.unlock(SealKeys::new(key, Vec::new())).unwrap()
    }

    fn account(number: u8) -> AccountRecord {
        let account = format!("1111222233{number:02}").parse().unwrap();
        let created = jiff::Timestamp::UNIX_EPOCH;
        let account = AccountRow { account, sequence: 0, created };
        AccountRecord {
            account,
            access_keys: Vec::new(),
            owned_keys: Vec::new(),
            aliases: Vec::new(),
            role_deletions: Vec::new(),
        }
    }

    async fn save(store: &Store, number: u8) -> Result<u64> {
        store.write(move |transaction| transaction.save_account(&account(number))).await
    }

    #[tokio::test]
    async fn a_commit_that_fails_poisons_the_store() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keystead.db");
        let store = open(&path);
        save(&store, 1).await.unwrap();
        // An orphan that SQLite only looks at when it commits.
        let broken: Result<()> = store
            .write(|transaction| {
                transaction.save_account(&account(2))?;
                transaction.connection().execute_batch(
                    "PRAGMA defer_foreign_keys = ON;
                     INSERT INTO tags VALUES ('r', 'k', 't', 1, 'v', 1, x'00');",
                )?;
                Ok(())
            })
            .await;
        assert!(matches!(broken, Err(StoreError::NotCommitted { .. })), "{broken:?}");
        assert!(!store.is_healthy());
        let refused = save(&store, 3).await;
        assert!(matches!(refused, Err(StoreError::Poisoned { .. })), "{refused:?}");
        let closed = store.close().await;
        assert!(matches!(closed, Err(StoreError::Poisoned { .. })), "{closed:?}");
        drop(store);

        let store = open(&path);
        let count: Result<_> =
            store.read(|snapshot| snapshot.accounts().map(|accounts| accounts.len())).await;
        assert_eq!(count.unwrap(), 1, "what was not acknowledged is not there");
        save(&store, 3).await.unwrap();
    }

    #[tokio::test]
    async fn a_full_disk_fails_writes_until_there_is_space() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder.path().join("keystead.db"));
        save(&store, 1).await.unwrap();
        let limit = |pages: u32| {
            store.write(move |transaction| {
                let sql = format!("PRAGMA max_page_count = {pages}");
                transaction.connection().query_row(&sql, [], |_| Ok(()))?;
                Ok::<_, StoreError>(())
            })
        };
        limit(1).await.unwrap();
        let big = || store.write(|transaction| transaction.append_record(&vec![1; 1_000_000]));
        let refused: Result<_> = big().await;
        assert!(matches!(refused, Err(StoreError::DiskFull)), "{refused:?}");
        let refused = store.scrub().await;
        assert!(matches!(refused, Err(StoreError::DiskFull)), "{refused:?}");
        assert!(store.is_healthy());
        let count: Result<_> =
            store.read(|snapshot| snapshot.accounts().map(|accounts| accounts.len())).await;
        assert_eq!(count.unwrap(), 1);
        limit(1_000_000).await.unwrap();
        big().await.unwrap();
        assert!(store.scrub().await.unwrap());
    }
}
