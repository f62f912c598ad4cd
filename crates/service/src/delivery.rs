//! The trail's part of the service: the task that delivers.
//!
//! What is delivered and how stands in `audit::trail`; here is when.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use audit::trail::{Deliverer, DeliveryStatus, Destination, Folder, StateSeal, Trail, TrailError};
use custody::Keyring;
use jiff::{SignedDuration, Timestamp};
use wire::names::{AccountId, Region};

use crate::clock::Clock;
use crate::digest_keys::DigestKeys;
use crate::error::ServiceError;
use crate::host::Host;

/// How often it is looked whether something is due.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// The longest wait after failures, which double it.
const RETRY_WAIT_MAX: Duration = Duration::from_secs(60);
/// The folder of the data directory in which it is kept how far trails came.
const STATE_FOLDER: &str = "trails";

/// The trail that is asked for.
#[derive(Clone)]
pub struct TrailOptions {
    /// Its name.
    pub name: String,
    /// The Region that it belongs to.
    pub home_region: Region,
    /// Where files are delivered to.
    pub destination: TrailDestination,
    /// The bucket that digests name: the one delivered to, or the one that a folder is copied to.
    pub bucket: String,
    /// What stands before `AWSLogs`.
    pub prefix: Option<String>,
    /// How long a record may wait for its log file.
    pub interval: Duration,
    /// What one digest tells of.
    pub digest_interval: Duration,
}

/// Where a trail's files go.
#[derive(Clone)]
pub enum TrailDestination {
    /// Into a folder of this machine.
    Folder(PathBuf),
    /// To a place that the caller knows how to reach. It may take its time: it is asked on a thread of its own.
    Remote(Arc<dyn Destination>),
}

/// The trail of a running service.
pub(crate) struct Delivery {
    pub(crate) options: TrailOptions,
    keys: Arc<DigestKeys>,
    progress: Mutex<Progress>,
}

/// What is known of the deliveries so far.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    pub(crate) status: DeliveryStatus,
    /// Why the last attempt failed.
    pub(crate) failure: Option<String>,
}

/// What only the task has.
pub(crate) struct Deliveries(Deliverer);

/// Seals how far a trail came under a domain key.
struct Seal {
    keyring: Arc<Keyring>,
    name: String,
}

impl StateSeal for Seal {
    fn seal(&self, hash: &[u8; 32]) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        Ok(self.keyring.seal_trail_state(&self.name, hash)?)
    }

    fn is_seal(&self, hash: &[u8; 32], seal: &[u8]) -> bool {
        self.keyring.is_trail_state_seal(&self.name, hash, seal)
    }
}

impl Delivery {
    /// Opens the trail where it was left.
    pub(crate) fn open(
        options: TrailOptions,
        account: AccountId,
        data_dir: &Path,
        keys: Arc<DigestKeys>,
        keyring: &Arc<Keyring>,
        clock: &dyn Clock,
    ) -> Result<(Delivery, Deliveries), ServiceError> {
        let now =
            Timestamp::from_second(clock.now().as_second()).map_err(ServiceError::internal)?;
        let trail = Trail {
            name: options.name.clone(),
            home_region: options.home_region.to_string(),
            account: account.to_string(),
            bucket: options.bucket.clone(),
            prefix: options.prefix.clone(),
        };
        let state_folder = data_dir.join(STATE_FOLDER);
        let destination: Box<dyn Destination> = match &options.destination {
            TrailDestination::Folder(directory) => Box::new(Folder::open(directory)?),
            TrailDestination::Remote(destination) => Box::new(Arc::clone(destination)),
        };
        Folder::open(&state_folder)?;
        let state_path = state_folder.join(&options.name);
        let journal = data_dir.join("journal");
        let seal = Seal { keyring: Arc::clone(keyring), name: options.name.clone() };
        let seal = Box::new(seal);
        let deliverer = Deliverer::open(trail, &journal, &state_path, destination, seal, now)?;
        let progress = Mutex::new(Progress { status: deliverer.status(), failure: None });
        Ok((Delivery { options, keys, progress }, Deliveries(deliverer)))
    }

    /// What is known of the deliveries so far.
    pub(crate) fn progress(&self) -> Progress {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Delivers until the task is aborted. A failure is told, shown, and tried again ever more seldom.
pub(crate) async fn run(host: Arc<Host>, delivery: Arc<Delivery>, deliveries: Deliveries) {
    let mut deliveries = deliveries;
    let mut wait = LOOK_INTERVAL;
    let mut looked: Option<Timestamp> = None;
    loop {
        tokio::time::sleep(wait).await;
        let now = host.clock.now();
        let interval = SignedDuration::try_from(delivery.options.interval).unwrap_or_default();
        let is_due = looked.is_none_or(|looked| now.duration_since(looked) >= interval);
        let synced = match is_due {
            true => match host.journal.sync_all().await {
                Ok(synced) => Some(synced),
                // Nothing is answered any more; what is synced is delivered after the next start.
                Err(_) => return,
            },
            false => None,
        };
        let worker = Arc::clone(&delivery);
        let work = tokio::task::spawn_blocking(move || {
            let outcome = worker.step(&mut deliveries, synced, now);
            (deliveries, outcome)
        });
        let (returned, outcome) = match work.await {
            Ok(done) => done,
            Err(error) => {
                tracing::error!(%error, "the delivery of the trail ended; a restart goes on with it");
                delivery.change(|progress| progress.failure = Some(error.to_string()));
                return;
            }
        };
        deliveries = returned;
        let failure = outcome.err().map(|error| error.to_string());
        wait = match &failure {
            None => LOOK_INTERVAL,
            Some(error) => {
                tracing::error!(%error, "the trail is not delivered; it will be tried again");
                wait.saturating_mul(2).min(RETRY_WAIT_MAX)
            }
        };
        if is_due && failure.is_none() {
            looked = Some(now);
        }
        let status = deliveries.0.status();
        delivery.change(|progress| *progress = Progress { status, failure });
    }
}

impl Delivery {
    fn change(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.progress.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Digests first: what is delivered from now on is for the next ones.
    fn step(
        &self,
        deliveries: &mut Deliveries,
        synced: Option<u64>,
        now: Timestamp,
    ) -> Result<(), TrailError> {
        let Deliveries(deliverer) = deliveries;
        if let Some(end) = deliverer.digests_due(now, self.options.digest_interval) {
            deliverer.deliver_digests(end, self.keys.iter(), now)?;
        }
        let Some(synced) = synced else { return Ok(()) };
        while !deliverer.deliver(synced, now)? {}
        Ok(())
    }
}
