//! The clock, an argument of everything that asks the time.

use jiff::Timestamp;

/// Something that tells the time.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// The machine's own clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that the rest is given")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that tests move forward; it exists only in builds with the `test-clock` feature.
#[cfg(feature = "test-clock")]
#[derive(Default)]
pub struct TestClock {
    ahead_seconds: std::sync::atomic::AtomicI64,
}

#[cfg(feature = "test-clock")]
impl TestClock {
    /// Moves the clock forward for good; there is no way back.
    pub fn advance(&self, seconds: u32) {
        self.ahead_seconds.fetch_add(i64::from(seconds), std::sync::atomic::Ordering::SeqCst);
    }
}

#[cfg(feature = "test-clock")]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let ahead_seconds = self.ahead_seconds.load(std::sync::atomic::Ordering::SeqCst);
        SystemClock.now() + jiff::SignedDuration::from_secs(ahead_seconds)
    }
}
