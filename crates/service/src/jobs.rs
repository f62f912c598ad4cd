//! What the service does by itself: destroying keys and imported material on their dates, rotating keys and the server's
//! own, finishing what changes of multi-Region keys began, keeping last uses, deleting old segments of the
//! journal, and clearing the outbox.
//!
//! Each job looks for hints, and decides anew inside a transaction on rows that are verified there; so a job that runs twice,
//! or after a restart, finds nothing left to do.

mod deletion;
mod expiry;
mod last_used;
mod owned_keys;
mod retention;
mod rotation;
mod scrub;
mod transit;

use std::sync::Arc;
use std::time::Duration;

use store::{Snapshot, StoreError, Transaction};
use wire::names::{KeyId, Region};

use crate::error::ServiceError;
use crate::host::Host;
use crate::quotas;
use crate::trail::Committed;
use crate::upcoming;

pub(crate) use self::last_used::LastKept;
pub(crate) use self::retention::Retention;
pub(crate) use self::scrub::Scrub;

/// How often the jobs look for work.
const JOB_INTERVAL: Duration = Duration::from_secs(1);
/// Keys worked on in one look; the next look takes the rest.
const KEYS_AT_ONCE_MAX: u32 = 100;

/// Runs the jobs until the task is aborted.
pub(crate) async fn run(host: Arc<Host>) {
    loop {
        tokio::time::sleep(JOB_INTERVAL).await;
        run_once(&host).await;
    }
}

/// Runs each job once. One that fails is told, and keeps none of the others.
pub(crate) async fn run_once(host: &Host) {
    tell(host, "deletion", deletion::run(host).await);
    tell(host, "expiry", expiry::run(host).await);
    tell(host, "rotation", rotation::run(host).await);
    tell(host, "owned keys", owned_keys::run(host).await);
    tell(host, "multi-Region", transit::run(host).await);
    tell(host, "scrub", scrub::run(host).await);
    tell(host, "last usage", host.last_usage.keep(&host.store).await);
    tell(host, "last used", last_used::run(host).await);
    tell(host, "resource quotas", quotas::count_resources(host).await);
    tell(host, "retention", retention::run(host).await);
    tell(host, "dates", upcoming::look(host).await);
    tell(host, "outbox", host.outbox.clear(&host.store, &host.journal).await);
}

fn tell(host: &Host, job: &str, outcome: Result<(), ServiceError>) {
    if let Err(error) = outcome {
        host.refused_rows.note(&error);
        tracing::error!(job, %error, "a job failed; it will be tried again");
    }
}

/// Does `act` for each key that a look for hints gives. One key that cannot be worked on, for instance a tampered one, must
/// not keep the others.
async fn for_each<F>(
    host: &Host,
    look: impl FnOnce(&Snapshot<'_>) -> Result<Vec<(Region, KeyId)>, StoreError> + Send + 'static,
    act: impl Fn(Region, KeyId) -> F,
) -> Result<(), ServiceError>
where
    F: Future<Output = Result<(), ServiceError>>,
{
    for (region, key_id) in host.store.read(look).await? {
        if let Err(error) = act(region, key_id).await {
            host.refused_rows.note(&error);
            tracing::error!(%error, %region, %key_id, "a job could not finish with a key");
        }
    }
    Ok(())
}

/// Commits a change with its events, if there is one to make, and hands the events to the journal.
pub(crate) async fn change<R: Send + 'static>(
    host: &Host,
    act: impl FnOnce(&mut Transaction<'_>, &mut Vec<Vec<u8>>) -> Result<Option<R>, ServiceError>
    + Send
    + 'static,
) -> Result<Option<R>, ServiceError> {
    let (outcome, committed) = host
        .store
        .write(move |transaction| {
            let mut events = Vec::new();
            let outcome = act(transaction, &mut events)?;
            let committed = events
                .into_iter()
                .map(|event| crate::context::commit(transaction, event))
                .collect::<Result<Vec<Committed>, ServiceError>>()?;
            Ok::<_, ServiceError>((outcome, committed))
        })
        .await?;
    host.outbox.hand_over_all(&host.journal, &committed).await?;
    Ok(outcome)
}
