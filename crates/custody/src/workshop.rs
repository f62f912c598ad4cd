//! Slow work with keys, away from the threads that serve requests: a bounded queue and a few threads of lower priority.
//!
//! An RSA key takes up to seconds to make and milliseconds to sign with. On the threads of requests each such call would
//! hold up all others; here they wait for each other, in two lines: making keys never holds up signing. The threads are of
//! lower priority than those of requests, so that quick calls stay quick under slow ones (reliability 3.10, "mixed cost").

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crypto::{CryptoError, Rng, SecretBytes, key_material};
use tokio::sync::oneshot;
use wire::enums::KeySpec;

use crate::CustodyError;

/// Calls that may wait for a thread; one more is refused.
const WAITING_MAX: usize = 256;

/// Keys that may wait to be made: a minute of RSA-4096 on one core.
const MAKING_MAX: usize = 64;

/// Keys of one spec that are kept ready once the spec has been asked for.
const READY_KEYS_MAX: usize = 4;

/// How far below the threads of requests the threads stand that sign (setpriority(2)).
const SIGNING_NICENESS: i32 = 5;

/// The same for the threads that make keys.
const MAKING_NICENESS: i32 = 15;

type Job = Box<dyn FnOnce() + Send>;

/// Threads for slow work; see the module's text.
pub struct Workshop {
    signing: SyncSender<Job>,
    making: SyncSender<Job>,
    ready: Arc<ReadyKeys>,
}

impl Workshop {
    /// Starts the threads, one of each kind for each core. They end when the workshop is dropped and its work is done.
    #[must_use]
    pub fn start() -> Workshop {
        let threads_count = thread::available_parallelism().map_or(1, NonZero::get);
        Workshop {
            signing: start("keys-sign", SIGNING_NICENESS, threads_count, WAITING_MAX),
            making: start("keys-make", MAKING_NICENESS, threads_count, MAKING_MAX),
            ready: Arc::default(),
        }
    }

    /// Does slow work with a key that exists, or that takes as long.
    ///
    /// # Errors
    /// [`CustodyError::Busy`] when too much waits already, and the errors of the work itself.
    pub async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, CustodyError> + Send + 'static,
    ) -> Result<T, CustodyError> {
        wait_for(&self.signing, work).await
    }

    /// Makes material of a spec that is slow to make, or takes some that is ready.
    ///
    /// # Errors
    /// [`CustodyError::Busy`] when too many are being made already, and the failures of chance and module.
    pub(crate) async fn material(
        &self,
        key_spec: KeySpec,
        rng: &Arc<dyn Rng>,
    ) -> Result<SecretBytes, CustodyError> {
        let taken = self.ready.take(key_spec);
        self.make_ready(key_spec, rng);
        if let Some(material) = taken {
            return Ok(material);
        }
        let rng = Arc::clone(rng);
        wait_for(&self.making, move || Ok(key_material::generate(key_spec, &*rng)?)).await
    }

    /// Has one more key made for whoever comes next, if there is room.
    fn make_ready(&self, key_spec: KeySpec, rng: &Arc<dyn Rng>) {
        if !self.ready.begin(key_spec) {
            return;
        }
        let (ready, rng) = (Arc::clone(&self.ready), Arc::clone(rng));
        let job: Job =
            Box::new(move || ready.end(key_spec, key_material::generate(key_spec, &*rng)));
        if self.making.try_send(job).is_err() {
            self.ready.abandon(key_spec);
        }
    }
}

/// Keys made ahead, and how many are being made.
#[derive(Default)]
struct ReadyKeys(Mutex<BTreeMap<KeySpec, Shelf>>);

#[derive(Default)]
struct Shelf {
    ready: Vec<SecretBytes>,
    making_count: usize,
}

impl ReadyKeys {
    fn take(&self, key_spec: KeySpec) -> Option<SecretBytes> {
        self.shelf(key_spec, |shelf| shelf.ready.pop())
    }

    /// Whether one more is to be made; it is counted from now on.
    fn begin(&self, key_spec: KeySpec) -> bool {
        self.shelf(key_spec, |shelf| {
            let has_room = shelf.ready.len() + shelf.making_count < READY_KEYS_MAX;
            shelf.making_count += usize::from(has_room);
            has_room
        })
    }

    fn end(&self, key_spec: KeySpec, made: Result<SecretBytes, CryptoError>) {
        self.shelf(key_spec, |shelf| {
            shelf.making_count -= 1;
            // A failure is told to whoever next makes a key and waits for it.
            shelf.ready.extend(made);
        });
    }

    fn abandon(&self, key_spec: KeySpec) {
        self.shelf(key_spec, |shelf| shelf.making_count -= 1);
    }

    fn shelf<T>(&self, key_spec: KeySpec, act: impl FnOnce(&mut Shelf) -> T) -> T {
        // Each step leaves the shelf as it should be, so a panic elsewhere changes nothing.
        let mut shelves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        act(shelves.entry(key_spec).or_default())
    }
}

async fn wait_for<T: Send + 'static>(
    queue: &SyncSender<Job>,
    work: impl FnOnce() -> Result<T, CustodyError> + Send + 'static,
) -> Result<T, CustodyError> {
    let (answer, answered) = oneshot::channel();
    let job: Job = Box::new(move || {
        // Whoever asked may have gone; then nobody wants the answer.
        drop(answer.send(work()));
    });
    match queue.try_send(job) {
        Ok(()) => {}
        Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
            return Err(CustodyError::Busy);
        }
    }
    // The answer is lost only when the work panicked.
    answered.await.unwrap_or(Err(CustodyError::Busy))
}

fn start(name: &str, niceness: i32, threads_count: usize, waiting_max: usize) -> SyncSender<Job> {
    let (queue, jobs) = sync_channel(waiting_max);
    let jobs = Arc::new(Mutex::new(jobs));
    for _ in 0..threads_count {
        let jobs = Arc::clone(&jobs);
        let started =
            thread::Builder::new().name(name.to_owned()).spawn(move || run(niceness, &jobs));
        // With fewer threads, or none, work waits or is refused; nothing else is lost.
        drop(started);
    }
    queue
}

fn run(niceness: i32, jobs: &Mutex<Receiver<Job>>) {
    // Linux counts the niceness of each thread by itself (setpriority(2), "C library/kernel differences"). A thread that
    // may not give way works all the same.
    rustix::process::setpriority_process(None, niceness).ok();
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // A job that panics takes its own answer along and no thread.
        drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)));
    }
}
