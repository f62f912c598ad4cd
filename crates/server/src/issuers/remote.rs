//! The keys of one issuer that are elsewhere: held, fetched before they are stale, and fetched once for all who miss one.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicI64, Ordering},
};

use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use prometheus_client::metrics::{counter::Counter, family::Family};
use service::{Clock, FoundKeys, KeySet};
use tokio::{
    sync::{Semaphore, watch},
    time::timeout,
};

use super::{discovery::Place, metrics::FetchLabels};
use crate::limits::{
    OIDC_AGAIN_SECONDS, OIDC_FETCH_TIME_MAX, OIDC_FRESH_SECONDS, OIDC_FRESH_SECONDS_MAX,
    OIDC_FRESH_SECONDS_MIN, OIDC_WAIT_TIME_MAX,
};
use crate::outgoing::{FetchError, Fetched};

/// What every issuer's keys need.
#[derive(Clone)]
pub(super) struct Surroundings {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) fetches: Family<FetchLabels, Counter>,
    /// Turns of issuers that no operator named.
    pub(super) discoveries: Arc<Semaphore>,
}

/// An issuer whose keys are fetched.
pub(super) struct Remote {
    pub(super) issuer: String,
    place: Place,
    keys_kept_seconds: i64,
    held: ArcSwapOption<Held>,
    attempts: Mutex<Attempts>,
    used_second: AtomicI64,
    surroundings: Surroundings,
}

struct Held {
    keys: Arc<KeySet>,
    fetched: Timestamp,
}

/// When keys were fetched, and when they are to be.
#[derive(Default)]
struct Attempts {
    /// The start of the last one, and after how many seconds the next is due; absent when one is due now.
    scheduled: Option<(Timestamp, i64)>,
    /// The last one that a token asked for.
    asked: Option<Timestamp>,
    /// One that is under way, until its sender is gone.
    running: Option<watch::Receiver<()>>,
}

impl Attempts {
    fn is_due(&self, now: Timestamp) -> bool {
        self.scheduled.is_none_or(|(since, seconds)| is_past(since, seconds, now))
    }

    fn running(&self) -> Option<watch::Receiver<()>> {
        self.running.clone().filter(|running| running.has_changed().is_ok())
    }
}

/// Whether that many seconds have gone by; a clock that was set back counts as if they had.
fn is_past(since: Timestamp, seconds: i64, now: Timestamp) -> bool {
    let gone = now.as_second().saturating_sub(since.as_second());
    gone < 0 || gone >= seconds
}

impl Remote {
    pub(super) fn new(
        issuer: &str,
        place: Place,
        keys_kept_hours: u16,
        surroundings: Surroundings,
    ) -> Remote {
        Remote {
            issuer: issuer.to_owned(),
            place,
            keys_kept_seconds: i64::from(keys_kept_hours) * 3_600,
            held: ArcSwapOption::empty(),
            attempts: Mutex::default(),
            used_second: AtomicI64::new(i64::MIN),
            surroundings,
        }
    }

    /// The keys at hand if the wanted one is among them, and otherwise those that one fetch brings; all who miss a key wait for
    /// the same one. Nobody keeps the keys of an issuer fresh that no operator named: they are fetched when they are used.
    pub(super) async fn find(self: &Arc<Self>, key_id: Option<&str>) -> FoundKeys {
        let now = self.surroundings.clock.now();
        self.used_second.store(now.as_second(), Ordering::Relaxed);
        let is_at_hand = |keys: &Arc<KeySet>| keys.has(key_id);
        if let Some(keys) = self.held(now).filter(is_at_hand)
            && (self.place.is_named() || !self.is_due(now))
        {
            return FoundKeys::Keys(keys);
        }
        if let Some(mut running) = self.ask(now) {
            // It ends by dropping its sender, which is the only change there is.
            drop(timeout(OIDC_WAIT_TIME_MAX, running.changed()).await);
        }
        self.held(self.surroundings.clock.now()).map_or(FoundKeys::Unreachable, FoundKeys::Keys)
    }

    /// When somebody last asked for the keys, in seconds.
    pub(super) fn used_second(&self) -> i64 {
        self.used_second.load(Ordering::Relaxed)
    }

    /// How old the keys at hand are, in seconds.
    pub(super) fn age_seconds(&self) -> Option<i64> {
        let fetched = self.held.load().as_ref()?.fetched;
        Some(self.surroundings.clock.now().as_second().saturating_sub(fetched.as_second()).max(0))
    }

    /// Starts a fetch if one is due.
    pub(super) fn fetch_if_due(self: &Arc<Self>) {
        let now = self.surroundings.clock.now();
        let mut attempts = self.attempts();
        if attempts.is_due(now) && attempts.running().is_none() {
            self.start(&mut attempts, now);
        }
    }

    /// Makes a fetch due, whatever one that is under way may bring.
    pub(super) fn forget_schedule(&self) {
        self.attempts().scheduled = None;
    }

    fn is_due(&self, now: Timestamp) -> bool {
        self.attempts().is_due(now)
    }

    fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keys that are too old are none.
    fn held(&self, now: Timestamp) -> Option<Arc<KeySet>> {
        let held = self.held.load();
        let held = held.as_ref()?;
        let age_seconds = now.as_second().saturating_sub(held.fetched.as_second());
        (age_seconds < self.keys_kept_seconds).then(|| Arc::clone(&held.keys))
    }

    /// The fetch to wait for; none if a token asked for one a moment ago.
    fn ask(self: &Arc<Self>, now: Timestamp) -> Option<watch::Receiver<()>> {
        let mut attempts = self.attempts();
        if let Some(running) = attempts.running() {
            return Some(running);
        }
        if attempts.asked.is_some_and(|asked| !is_past(asked, OIDC_AGAIN_SECONDS, now)) {
            return None;
        }
        attempts.asked = Some(now);
        Some(self.start(&mut attempts, now))
    }

    /// Fetches in a task of its own, so that nobody who gives up waiting ends it for the others.
    fn start(self: &Arc<Self>, attempts: &mut Attempts, now: Timestamp) -> watch::Receiver<()> {
        let (done, running) = watch::channel(());
        attempts.running = Some(running.clone());
        attempts.scheduled = Some((now, OIDC_AGAIN_SECONDS));
        let this = Arc::clone(self);
        tokio::spawn(async move {
            this.fetch(now).await;
            drop(done);
        });
        running
    }

    async fn fetch(&self, now: Timestamp) {
        let fetching = timeout(OIDC_FETCH_TIME_MAX, self.fetch_in_turn()).await;
        let result = match fetching
            .unwrap_or(Err(FetchError::TimedOut))
            .and_then(|fetched| read(&fetched))
        {
            Ok((keys, fresh_seconds)) => {
                let (issuer, keys_count) = (&self.issuer, keys.count());
                tracing::info!(%issuer, keys_count, fresh_seconds, "keys of an OIDC issuer fetched");
                // As old as the question: the answer may have waited.
                self.held.store(Some(Arc::new(Held { keys: Arc::new(keys), fetched: now })));
                let mut attempts = self.attempts();
                attempts.scheduled = attempts.scheduled.and(Some((now, fresh_seconds)));
                "ok"
            }
            Err(error) => {
                let (issuer, place) = (&self.issuer, &self.place);
                let age_seconds = self.age_seconds();
                tracing::warn!(
                    %issuer, %place, %error, age_seconds,
                    "keys of an OIDC issuer cannot be fetched: those at hand are kept for a while"
                );
                error.result()
            }
        };
        let issuer = match self.place.is_named() {
            true => self.issuer.clone(),
            false => "discovered".to_owned(),
        };
        self.surroundings.fetches.get_or_create_owned(&FetchLabels { issuer, result }).inc();
    }

    async fn fetch_in_turn(&self) -> Result<Fetched, FetchError> {
        let turn = match self.place.is_named() {
            true => None,
            // It is never closed.
            false => self.surroundings.discoveries.acquire().await.ok(),
        };
        let fetched = self.place.fetch(&self.issuer).await;
        drop(turn);
        fetched
    }
}

/// The keys in an answer, and how long they are fresh, in seconds.
fn read(fetched: &Fetched) -> Result<(KeySet, i64), FetchError> {
    let keys = KeySet::parse(&fetched.body);
    let keys = keys.map_err(|error| FetchError::document(&error.to_string()))?;
    let fresh_seconds = fetched.max_age_seconds.unwrap_or(OIDC_FRESH_SECONDS);
    Ok((keys, fresh_seconds.clamp(OIDC_FRESH_SECONDS_MIN, OIDC_FRESH_SECONDS_MAX)))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn freshness_is_bounded_on_both_sides() {
        let fresh = |max_age_seconds| {
            let body = Bytes::from_static(br#"{"keys":[]}"#);
            read(&Fetched { body, max_age_seconds }).map(|(_, seconds)| seconds).unwrap()
        };
        let days = 24 * 3_600;
        for (said, expected) in [
            (None, 3_600),
            (Some(-1), 300),
            (Some(0), 300),
            (Some(900), 900),
            (Some(i64::MAX), days),
        ] {
            assert_eq!(fresh(said), expected, "{said:?}");
        }
    }

    #[test]
    fn a_clock_that_was_set_back_holds_nothing_up() {
        let at = |second| Timestamp::from_second(second).unwrap();
        assert!(!is_past(at(1_000), 60, at(1_059)));
        assert!(is_past(at(1_000), 60, at(1_060)));
        assert!(is_past(at(1_000), 60, at(999)));
    }
}
