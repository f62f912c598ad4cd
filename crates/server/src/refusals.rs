//! Requests that never became whole, or whose answer nobody took: counted by why, since no record tells of them.
//!
//! `docs/unaudited.md` is the list of everything that leaves no record; each reason stands there.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
};

/// Why a request got no further than the HTTP layer or the control socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The head is not HTTP/1.1, or its framing is doubtful.
    MalformedHead,
    /// The head has more bytes or headers than are read.
    TooLargeHead,
    /// A line of the head ends in LF alone.
    LoneLineFeed,
    /// The connection ended within the head.
    CutHead,
    /// The head did not come in time.
    SlowHead,
    /// The body has more bytes than are read.
    TooLargeBody,
    /// The connection ended within the body, or its chunks cannot be read.
    BrokenBody,
    /// The body did not come in time.
    SlowBody,
    /// The client went, or a deadline passed, before the answer was made.
    Unanswered,
    /// There was no randomness for a request id.
    NoRequestId,
    /// A user of the machine who is not heard.
    OtherUser,
    /// No command of this version.
    MalformedCommand,
    /// The command did not come, or its outcome was not taken, in time or whole.
    BrokenCommand,
}

impl Reason {
    /// The label.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Reason::MalformedHead => "malformed_head",
            Reason::TooLargeHead => "too_large_head",
            Reason::LoneLineFeed => "lone_line_feed",
            Reason::CutHead => "cut_head",
            Reason::SlowHead => "slow_head",
            Reason::TooLargeBody => "too_large_body",
            Reason::BrokenBody => "broken_body",
            Reason::SlowBody => "slow_body",
            Reason::Unanswered => "unanswered",
            Reason::NoRequestId => "no_request_id",
            Reason::OtherUser => "other_user",
            Reason::MalformedCommand => "malformed_command",
            Reason::BrokenCommand => "broken_command",
        }
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    listener: &'static str,
    reason: &'static str,
}

/// The counters of all listeners.
#[derive(Clone, Default)]
pub(crate) struct RefusalCounters(Family<Labels, Counter>);

impl RefusalCounters {
    /// What the registry writes out.
    pub(crate) fn metric(&self) -> impl prometheus_client::registry::Metric + use<> {
        self.0.clone()
    }

    /// The counters of one listener.
    pub(crate) fn of(&self, listener: &'static str) -> Refusals {
        Refusals { counters: self.0.clone(), listener }
    }
}

/// The counters of one listener.
#[derive(Clone)]
pub(crate) struct Refusals {
    counters: Family<Labels, Counter>,
    listener: &'static str,
}

impl Refusals {
    /// Counts one.
    pub(crate) fn count(&self, reason: Reason) {
        let labels = Labels { listener: self.listener, reason: reason.name() };
        self.counters.get_or_create(&labels).inc();
    }
}
