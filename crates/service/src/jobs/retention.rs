//! Deletes segments of the journal whose records are older than the operator keeps them.
//!
//! A segment goes only when everybody who reads the journal is beyond it: the index, the meter, and the trail if there is one. What is to be
//! deleted is recorded first, then stated and signed, then deleted; so a crash between any two of these leaves a journal that is
//! proven, and the next look goes on.

use std::sync::{Arc, Mutex, PoisonError};

use audit::{Beginning, newest_segment_began};
use jiff::{SignedDuration, Timestamp};
use store::METER;

use crate::error::ServiceError;
use crate::events;
use crate::host::Host;

/// How often it is looked whether something is old.
const LOOK_INTERVAL: SignedDuration = SignedDuration::from_hours(1);
/// After this time a segment is followed by the next one, full or not, so that what is old does not wait for what is young.
const SEGMENT_TIME_MAX: SignedDuration = SignedDuration::from_hours(24);
const HOURS_OF_DAY: i64 = 24;

/// How long records are kept, and when it was last looked.
pub(crate) struct Retention {
    kept: Option<SignedDuration>,
    looked: Mutex<Option<Timestamp>>,
}

impl Retention {
    /// Keeps records for so many days, or for good.
    pub(crate) fn new(days: Option<u16>) -> Retention {
        let kept = days.map(|days| SignedDuration::from_hours(HOURS_OF_DAY * i64::from(days)));
        Retention { kept, looked: Mutex::new(None) }
    }

    /// Before which moment records are old, if it is time to look.
    fn due(&self, now: Timestamp) -> Option<Timestamp> {
        let kept = self.kept?;
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = looked.is_none_or(|looked| now.duration_since(looked) >= LOOK_INTERVAL);
        is_due.then(|| *looked = Some(now))?;
        now.checked_sub(kept).ok()
    }

    /// Looks again at the next time.
    fn forget(&self) {
        *self.looked.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

pub(super) async fn run(host: &Host) -> Result<(), ServiceError> {
    let now = host.clock.now();
    let Some(before) = host.retention.due(now) else { return Ok(()) };
    let done = delete_old(host, before, now).await;
    if done.is_err() {
        host.retention.forget();
    }
    done
}

async fn delete_old(host: &Host, before: Timestamp, now: Timestamp) -> Result<(), ServiceError> {
    let directory = host.journal.directory().to_owned();
    let needed = needed_sequence(host).await?;
    let look = tokio::task::spawn_blocking(move || {
        let began = newest_segment_began(&directory)?;
        Ok((began, Beginning::after_old(&directory, before, needed, now)?))
    });
    let looked: Result<_, audit::JournalError> = look.await.map_err(ServiceError::internal)?;
    let (began, beginning) = looked?;
    if began.is_some_and(|began| now.duration_since(began) >= SEGMENT_TIME_MAX) {
        host.journal.begin_segment();
    }
    let Some(beginning) = beginning else { return Ok(()) };
    let event = events::journal_segments_deleted(&beginning, host.uuid()?, now);
    host.journal.append(&event, None).await?;
    host.journal.sync().await?;
    let (sequence, records) = (beginning.sequence, beginning.records);
    let directory = host.journal.directory().to_owned();
    let (keys, index) = (Arc::clone(&host.digest_keys), Arc::clone(&host.index));
    let deletion = tokio::task::spawn_blocking(move || {
        let key = keys.iter().next_back().ok_or_else(|| ServiceError::internal("no digest key"))?;
        index.forget_before(sequence.saturating_add(1))?;
        beginning.establish(&directory, key).map_err(ServiceError::internal)
    });
    deletion.await.map_err(ServiceError::internal)??;
    tracing::info!(sequence, records, "the oldest segments of the audit journal were deleted");
    Ok(())
}

/// The first frame that somebody may still read: a segment with an earlier one may go.
async fn needed_sequence(host: &Host) -> Result<u64, ServiceError> {
    let delivered = host.delivery.as_ref().map(|delivery| delivery.progress().status.sequence);
    let position = host.store.read(|snapshot| snapshot.journal_position(METER)).await?;
    let metered = position.map_or(0, |position| position.sequence);
    Ok(delivered.unwrap_or(u64::MAX).min(host.index.following()).min(metered))
}
