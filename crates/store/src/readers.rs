//! Reader threads: each takes one act after the other and gives it a snapshot.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;

use crate::error::{Result, StoreError};
use crate::queue::Popped;
use crate::snapshot::Snapshot;
use crate::store::Shared;

/// A read act and the way to its caller.
pub(crate) trait ReadJob: Send {
    /// Does the act on the snapshot, or tells the caller why there is none.
    fn run(self: Box<Self>, snapshot: Result<&Snapshot<'_>>);
}

struct Job<F, T, E> {
    act: F,
    answer: oneshot::Sender<Result<T, E>>,
}

pub(crate) fn job<T, E, F>(act: F, answer: oneshot::Sender<Result<T, E>>) -> Box<dyn ReadJob>
where
    F: FnOnce(&Snapshot<'_>) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    Box::new(Job { act, answer })
}

impl<T, E, F> ReadJob for Job<F, T, E>
where
    F: FnOnce(&Snapshot<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run(self: Box<Self>, snapshot: Result<&Snapshot<'_>>) {
        let outcome = match snapshot {
            Ok(snapshot) => (self.act)(snapshot),
            Err(error) => Err(error.into()),
        };
        // The caller may have gone; then nobody wants to know.
        drop(self.answer.send(outcome));
    }
}

/// Works until the queue is closed and empty.
pub(crate) fn run(connection: &Connection, shared: &Shared) {
    loop {
        match shared.reads.pop(1, None) {
            Popped::Some(jobs) => jobs.into_iter().for_each(|job| {
                // A panic drops the job's way to its caller, who learns of it; the thread lives on.
                if catch_unwind(AssertUnwindSafe(|| serve(connection, shared, job))).is_err() {
                    tracing::error!("a read act panicked");
                }
            }),
            Popped::Nothing => {}
            Popped::Closed => return,
        }
    }
}

fn serve(connection: &Connection, shared: &Shared, job: Box<dyn ReadJob>) {
    // Taken before the transaction begins: the snapshot can only be newer.
    let position = shared.position.load(Ordering::Acquire);
    let transaction =
        match rusqlite::Transaction::new_unchecked(connection, TransactionBehavior::Deferred) {
            Ok(transaction) => transaction,
            Err(error) => return job.run(Err(error.into())),
        };
    let snapshot =
        Snapshot::of_reader(&transaction, &shared.seal_keys, &shared.sequences, position);
    match snapshot {
        Ok(snapshot) => job.run(Ok(&snapshot)),
        Err(error) => job.run(Err(error)),
    }
}
