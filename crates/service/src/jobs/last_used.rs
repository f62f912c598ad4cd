//! Keeps the last uses of access keys and roles.
//!
//! To find those that changed, all access keys and roles are looked at; so it is done once a minute, which bounds what a crash
//! takes away.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

use crate::error::ServiceError;
use crate::host::Host;
use crate::last_used;

/// How long uses are noted before they are kept, in seconds.
const INTERVAL_SECONDS: u64 = 60;

/// When last uses were last kept, in seconds since 1970.
pub(crate) struct LastKept(AtomicI64);

impl Default for LastKept {
    fn default() -> LastKept {
        LastKept(AtomicI64::new(i64::MIN))
    }
}

impl LastKept {
    /// Whether the time has come, also when the clock was put back; then it counts anew.
    fn begin(&self, now: Timestamp) -> bool {
        let last = self.0.load(Ordering::Relaxed);
        let is_due = now.as_second().saturating_sub(last).unsigned_abs() >= INTERVAL_SECONDS;
        if is_due {
            self.0.store(now.as_second(), Ordering::Relaxed);
        }
        is_due
    }
}

pub(super) async fn run(host: &Host) -> Result<(), ServiceError> {
    match host.last_kept.begin(host.clock.now()) {
        true => last_used::keep(host).await,
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_done_once_a_minute_whatever_the_clock_does() {
        let last_kept = LastKept::default();
        let begun = [1_000, 1_001, 1_059, 1_060, 1_119, 500, 501, 559, 560];
        let begun = begun.map(|second| last_kept.begin(Timestamp::from_second(second).unwrap()));
        assert_eq!(begun, [true, false, false, true, false, true, false, false, true]);
    }
}
