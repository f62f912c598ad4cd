//! Wipes what the rows of destroyed material left behind in the store's files.
//!
//! The store then writes all material anew, and nothing else meanwhile: about a second for 100,000 keys. So it is done once for
//! all that was destroyed, and takes at most one part in a thousand of the time.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::error::ServiceError;
use crate::host::Host;

/// How many times as long as the last scrub took the next one waits, at least.
const REST_FACTOR: i32 = 1000;

/// Whether and when the store is to be scrubbed.
#[derive(Default)]
pub(crate) struct Scrub(Mutex<State>);

#[derive(Clone, Copy, Default)]
struct State {
    is_due: bool,
    not_before: Option<Timestamp>,
}

impl Scrub {
    /// The state at the start, as the store remembers it.
    pub(crate) fn new(is_due: bool) -> Scrub {
        Scrub(Mutex::new(State { is_due, not_before: None }))
    }

    /// Notes that material was destroyed.
    pub(crate) fn set_due(&self) {
        self.change(|state| state.is_due = true);
    }

    fn begin(&self, now: Timestamp) -> bool {
        self.change(|state| {
            let begins = state.is_due && state.not_before.is_none_or(|date| date <= now);
            // What is destroyed from here on may be missed, and makes another one due.
            state.is_due &= !begins;
            begins
        })
    }

    fn end(&self, started: Timestamp, now: Timestamp, is_done: bool) {
        self.change(|state| {
            state.is_due |= !is_done;
            state.not_before = now.checked_add(now.duration_since(started) * REST_FACTOR).ok();
        });
    }

    fn change<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        // Plain assignments cannot panic half-way.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

pub(super) async fn run(host: &Host) -> Result<(), ServiceError> {
    let started = host.clock.now();
    if !host.scrub.begin(started) {
        return Ok(());
    }
    let scrubbed = host.store.scrub().await;
    // Not done: a reader still looks at the past, or the disk is full.
    host.scrub.end(started, host.clock.now(), matches!(scrubbed, Ok(true)));
    Ok(scrubbed.map(drop)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn it_rests_a_thousand_times_as_long_as_it_works() {
        let scrub = Scrub::default();
        assert!(!scrub.begin(second(0)), "nothing was destroyed");
        scrub.set_due();
        assert!(scrub.begin(second(0)));
        scrub.end(second(0), second(2), true);
        assert!(!scrub.begin(second(10_000)), "nothing was destroyed since");
        scrub.set_due();
        assert!(!scrub.begin(second(2_001)));
        assert!(scrub.begin(second(2_002)));
    }

    #[test]
    fn what_was_not_done_stays_due() {
        let scrub = Scrub::new(true);
        assert!(scrub.begin(second(0)));
        scrub.end(second(0), second(0), false);
        assert!(scrub.begin(second(0)));
    }
}
