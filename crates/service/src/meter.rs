//! The meter: how many records of each kind there are, and from when to when each key is charged for; made from the journal
//! alone, behind it (docs/decisions/0011).
//!
//! Every record counts in exactly one counter, so that the counters add up to the journal. What a record is for a tariff stands
//! in [`request_class`], what is told of a month in [`usage`]; prices are the command line's matter.

mod key_months;
mod record;
mod request_class;
#[cfg(test)]
mod tests;
mod usage;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use audit::FollowingThread;
use jiff::Timestamp;
use store::{METER, MeterCounter, MeteredKeyRow, Snapshot, Store, StoreError, Transaction};
use tokio::sync::Mutex;
use wire::enums::KeySpec;
use wire::names::{KeyArn, KeyId};

use crate::host::Host;
use crate::journal_follower::{FollowerError, JournalFollower};

pub(crate) use self::request_class::Metering;
pub(crate) use self::usage::tell;
pub use self::usage::{InvalidMonth, KeyUse, Month, RequestUse, Usage, UsageError};

use self::record::{Counted, KeyChange};
use self::request_class::RequestClass;

/// How often it is looked for new records, and how long it waits after a failure.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Records that one transaction counts.
const RECORDS_AT_ONCE_MAX: usize = 8_192;
/// Counters and changes of keys that one transaction writes: other changes wait for so many.
const ROWS_AT_ONCE_MAX: usize = 256;

/// See the module's text.
pub(crate) struct Meter {
    journal: PathBuf,
    /// Absent before the first step and after an error.
    state: Mutex<Option<State>>,
}

struct State {
    follower: JournalFollower,
    classes: KeyClasses,
}

/// The classes of the keys that are not of the first one. Related keys are of one spec.
#[derive(Default)]
struct KeyClasses(HashMap<KeyId, RequestClass>);

/// What was made of a stretch of records.
#[derive(Default)]
struct Batch {
    records: usize,
    counts: BTreeMap<MeterCounter, u64>,
    changes: Vec<(KeyArn, KeyChange, Timestamp)>,
}

impl Meter {
    /// The meter of the journal in a directory.
    pub(crate) fn new(journal: PathBuf) -> Meter {
        Meter { journal, state: Mutex::new(None) }
    }

    /// Counts some of the records up to the frame `synced`; true if those were all.
    async fn step(&self, store: &Store, synced: u64) -> Result<bool, FollowerError> {
        let mut held = self.state.lock().await;
        // Taken out, so that after an error the next step begins where the store says.
        let mut state = match held.take() {
            Some(state) => state,
            None => State::open(store, &self.journal).await?,
        };
        let mut batch = Batch::default();
        let classes = &mut state.classes;
        let is_all = state.follower.read(synced, |record| batch.take(classes, record))?;
        state.follower.keep(store, move |transaction| batch.keep(transaction)).await?;
        *held = Some(state);
        Ok(is_all)
    }

    /// Counts all records up to the frame `synced`.
    pub(crate) async fn catch_up(&self, store: &Store, synced: u64) -> Result<(), FollowerError> {
        while !self.step(store, synced).await? {}
        Ok(())
    }
}

/// Starts the thread that counts; it ends when what this answers is dropped.
pub(crate) fn start(host: Arc<Host>) -> io::Result<FollowingThread> {
    let runtime = tokio::runtime::Handle::current();
    FollowingThread::start("meter", move || {
        let step = host.meter.step(&host.store, host.journal.synced());
        match runtime.block_on(step) {
            Ok(true) => LOOK_INTERVAL,
            Ok(false) => Duration::ZERO,
            Err(error) => {
                // At the end of the service journal and store close before this thread does.
                if host.journal.is_healthy() {
                    tracing::error!(%error, "the meter stands still; it will be tried again");
                }
                LOOK_INTERVAL
            }
        }
    })
}

impl State {
    async fn open(store: &Store, journal: &Path) -> Result<State, FollowerError> {
        let follower = JournalFollower::open(METER, store, journal).await?;
        let mut classes = KeyClasses::default();
        for key in store.read(metered_keys).await? {
            classes.note(key.key_id, key.key_spec);
        }
        Ok(State { follower, classes })
    }
}

fn metered_keys(snapshot: &Snapshot<'_>) -> Result<Vec<MeteredKeyRow>, StoreError> {
    snapshot.metered_keys()
}

impl KeyClasses {
    fn note(&mut self, key_id: KeyId, key_spec: KeySpec) {
        let class = RequestClass::of_key(key_spec);
        if class != RequestClass::Symmetric {
            self.0.insert(key_id, class);
        }
    }

    /// What the use of some keys costs: that of the dearest. A key that the meter does not know is of the first class.
    fn of<'a>(&self, keys: impl Iterator<Item = &'a KeyArn>) -> RequestClass {
        let classes = keys.filter_map(|key| self.0.get(&key.key_id).copied());
        classes.max().unwrap_or(RequestClass::Symmetric)
    }
}

impl Batch {
    /// Counts a record.
    fn take(&mut self, classes: &mut KeyClasses, record: &[u8]) -> ControlFlow<()> {
        let Counted { counter, change } = record::count(record, |keys| classes.of(keys.iter()));
        *self.counts.entry(counter).or_default() += 1;
        if let Some((key, change, time)) = change {
            if let KeyChange::Created { key_spec, .. } = &change {
                classes.note(key.key_id, *key_spec);
            }
            self.changes.push((key, change, time));
        }
        self.records = self.records.saturating_add(1);
        let rows = self.counts.len().saturating_add(self.changes.len());
        match self.records >= RECORDS_AT_ONCE_MAX || rows >= ROWS_AT_ONCE_MAX {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    fn keep(self, transaction: &mut Transaction<'_>) -> Result<u64, StoreError> {
        let mut added = transaction.add_to_meter(&self.counts)?;
        for (key, change, time) in self.changes {
            for row in changed(transaction.metered_keys_of(key.key_id)?, &key, change, time) {
                transaction.save_metered_key(&row)?;
                added = added.saturating_add(1);
            }
        }
        Ok(added)
    }
}

/// The rows that a change of a key changes or makes, of those that its id has.
fn changed(
    rows: Vec<MeteredKeyRow>,
    key: &KeyArn,
    change: KeyChange,
    time: Timestamp,
) -> Vec<MeteredKeyRow> {
    let is_known = rows.iter().any(|row| row.region == key.region);
    let own = |rows: Vec<MeteredKeyRow>| rows.into_iter().find(|row| row.region == key.region);
    let changed = match change {
        // A replica is told twice: by the call and by its Region.
        KeyChange::Created { .. } | KeyChange::CreatedByService if is_known => None,
        KeyChange::Created { key_spec, is_aws_managed } => {
            Some(made(key, key_spec, is_aws_managed, time))
        }
        // Of a key that nobody made the relatives tell what it is; a key without relatives is an AWS managed one.
        KeyChange::CreatedByService => Some(match rows.first() {
            Some(related) => made(key, related.key_spec, related.is_aws_managed, time),
            None => made(key, KeySpec::SymmetricDefault, true, time),
        }),
        KeyChange::DeletionScheduled => {
            own(rows).map(|row| MeteredKeyRow { deletion_scheduled: Some(time), ..row })
        }
        KeyChange::DeletionCancelled => {
            own(rows).map(|row| MeteredKeyRow { deletion_scheduled: None, ..row })
        }
        KeyChange::Deleted => own(rows).map(|row| MeteredKeyRow { deleted: Some(time), ..row }),
        // Related keys rotate together, and are told of once.
        KeyChange::Rotated => {
            return rows.iter().filter_map(|row| rotated(row, time)).collect();
        }
    };
    changed.into_iter().collect()
}

fn made(key: &KeyArn, key_spec: KeySpec, is_aws_managed: bool, time: Timestamp) -> MeteredKeyRow {
    MeteredKeyRow {
        region: key.region,
        key_id: key.key_id,
        version: 0,
        account: key.account,
        key_spec,
        is_aws_managed,
        created: time,
        deletion_scheduled: None,
        deleted: None,
        first_rotation: None,
        second_rotation: None,
    }
}

/// A key after a rotation, if it is one of the two that cost.
fn rotated(row: &MeteredKeyRow, time: Timestamp) -> Option<MeteredKeyRow> {
    match (row.first_rotation, row.second_rotation) {
        (None, _) => Some(MeteredKeyRow { first_rotation: Some(time), ..row.clone() }),
        (Some(_), None) => Some(MeteredKeyRow { second_rotation: Some(time), ..row.clone() }),
        (Some(_), Some(_)) => None,
    }
}
