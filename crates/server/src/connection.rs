//! One connection: its deadlines, and the loop that ends it when it is late.
//!
//! hyper's own head timer would arm and disarm the runtime's timer for every request and count waiting for a
//! request as reading its head. Here one timer for each connection wakes now and then and looks at the deadline,
//! which moves with the phase: head, body, answer, idle.

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{rt::TokioIo, server::graceful::Watcher};
use service::Peer;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};

use crate::{
    limits::{
        ANSWER_TIME_MAX, BODY_TIME_MAX, HEAD_BYTES_MAX, HEAD_TIME_MAX, HEADERS_MAX, IDLE_TIME_MAX,
    },
    refusals::{Reason, Refusals},
    stream::Watched,
};

/// How late a deadline may be noticed.
const LOOK_PERIOD: Duration = Duration::from_secs(1);

/// Something that answers the requests of a listener.
pub(crate) trait Handler: Send + Sync + 'static {
    /// The answer to one request; it tells the connection of its progress.
    fn handle(
        self: Arc<Self>,
        connection: Arc<Connection>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<Full<Bytes>>> + Send;
}

/// What a handler knows of the connection that a request came by.
pub(crate) struct Connection {
    /// Who is at the other end.
    pub(crate) peer: Peer,
    opened: Instant,
    deadline_milliseconds: AtomicU64,
    phase: AtomicU8,
    refusals: Refusals,
}

/// How far the request is that a connection carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing was ever sent.
    Silent,
    /// The last answer is made, and nothing was sent since.
    Idle,
    /// A head has begun.
    Head,
    /// The head is here.
    Body,
    /// The request is whole.
    Answer,
}

impl Phase {
    const ALL: [Phase; 5] = [Phase::Silent, Phase::Idle, Phase::Head, Phase::Body, Phase::Answer];

    fn number(self) -> u8 {
        match self {
            Phase::Silent => 0,
            Phase::Idle => 1,
            Phase::Head => 2,
            Phase::Body => 3,
            Phase::Answer => 4,
        }
    }
}

impl Connection {
    pub(crate) fn new(peer: Peer, refusals: Refusals) -> Connection {
        let connection = Connection {
            peer,
            opened: Instant::now(),
            deadline_milliseconds: AtomicU64::new(0),
            phase: AtomicU8::new(Phase::Silent.number()),
            refusals,
        };
        connection.set_deadline(connection.opened + HEAD_TIME_MAX);
        connection
    }

    /// The head is here and the body may follow; returns the time, which the handler may use too.
    pub(crate) fn head_arrived(&self) -> Instant {
        let now = Instant::now();
        self.set_phase(Phase::Body);
        self.set_deadline(now + BODY_TIME_MAX);
        now
    }

    /// The request is whole.
    pub(crate) fn body_arrived(&self, head_arrived: Instant) {
        self.set_phase(Phase::Answer);
        self.set_deadline(head_arrived + BODY_TIME_MAX + ANSWER_TIME_MAX);
    }

    /// The answer is made; returns how long it took since the head arrived.
    pub(crate) fn answered(&self, head_arrived: Instant) -> Duration {
        let now = Instant::now();
        self.set_deadline(now + IDLE_TIME_MAX);
        self.set_phase(Phase::Idle);
        now.saturating_duration_since(head_arrived)
    }

    /// Bytes were read; tells whether a head begins with them.
    pub(crate) fn bytes_arrived(&self) -> bool {
        match self.phase() {
            // Its head has been waited for since it was opened.
            Phase::Silent => {
                self.set_phase(Phase::Head);
                false
            }
            Phase::Idle => {
                self.set_phase(Phase::Head);
                self.set_deadline(Instant::now() + HEAD_TIME_MAX);
                true
            }
            Phase::Head | Phase::Body | Phase::Answer => false,
        }
    }

    /// Counts the request that is being read as refused.
    pub(crate) fn refuse(&self, reason: Reason) {
        tracing::debug!(peer = %self.peer.address, reason = reason.name(), "request refused");
        self.refusals.count(reason);
    }

    /// The same for a head after which nothing is read, so that the end of the connection is not counted too.
    pub(crate) fn refuse_head(&self, reason: Reason) {
        self.refuse(reason);
        self.set_phase(Phase::Idle);
    }

    /// The connection ends, by an error or without one: counts the request that it leaves unfinished.
    fn ended(&self, error: Option<&hyper::Error>) {
        let by_phase = match self.phase() {
            Phase::Silent | Phase::Idle => None,
            Phase::Head => Some(Reason::CutHead),
            Phase::Body => Some(Reason::BrokenBody),
            Phase::Answer => Some(Reason::Unanswered),
        };
        if let Some(reason) = error.and_then(reason_of).or(by_phase) {
            self.refuse(reason);
        }
    }

    /// The connection is cut since its deadline has passed: counts the request that came too slowly.
    fn cut(&self) {
        let reason = match self.phase() {
            Phase::Silent | Phase::Idle => return,
            Phase::Head => Reason::SlowHead,
            Phase::Body => Reason::SlowBody,
            Phase::Answer => Reason::Unanswered,
        };
        self.refuse(reason);
    }

    fn phase(&self) -> Phase {
        let number = self.phase.load(Ordering::Relaxed);
        Phase::ALL.into_iter().find(|phase| phase.number() == number).unwrap_or(Phase::Silent)
    }

    fn set_phase(&self, phase: Phase) {
        self.phase.store(phase.number(), Ordering::Relaxed);
    }

    fn set_deadline(&self, deadline: Instant) {
        let since_opened = deadline.saturating_duration_since(self.opened).as_millis();
        // A connection open for half a billion years may be cut.
        let milliseconds = u64::try_from(since_opened).unwrap_or(u64::MAX);
        self.deadline_milliseconds.store(milliseconds, Ordering::Relaxed);
    }

    async fn late(&self) {
        loop {
            let milliseconds = self.deadline_milliseconds.load(Ordering::Relaxed);
            let deadline = self.opened + Duration::from_millis(milliseconds);
            let now = Instant::now();
            if deadline <= now {
                return;
            }
            tokio::time::sleep_until(deadline.min(now + LOOK_PERIOD)).await;
        }
    }
}

/// What hyper found wrong with a head; none for what is wrong with the connection.
fn reason_of(error: &hyper::Error) -> Option<Reason> {
    if error.is_parse_too_large() {
        return Some(Reason::TooLargeHead);
    }
    error.is_parse().then_some(Reason::MalformedHead)
}

/// Serves one connection until the client, a deadline or the end of the server closes it.
pub(crate) async fn serve<S, H>(
    stream: S,
    connection: Arc<Connection>,
    handler: Arc<H>,
    watcher: Watcher,
) where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
    H: Handler,
{
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&connection)));
    let answer = service_fn(|request| {
        let answer = Arc::clone(&handler).handle(Arc::clone(&connection), request);
        async { Ok::<_, std::convert::Infallible>(answer.await) }
    });
    let served = http1::Builder::new()
        .header_read_timeout(None)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        // Answers are short: one copy costs less than the kernel's walk over two parts, and TLS makes one record.
        .writev(false)
        .serve_connection(io, answer);
    let mut served = pin!(watcher.watch(served));
    tokio::select! {
        biased;
        ended = &mut served => {
            connection.ended(ended.as_ref().err());
            if let Err(error) = ended {
                tracing::debug!(peer = %connection.peer.address, %error, "connection broken");
            }
        }
        () = connection.late() => {
            connection.cut();
            tracing::debug!(peer = %connection.peer.address, "connection cut: too slow or idle");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use prometheus_client::{encoding::text, registry::Registry};

    use super::*;
    use crate::refusals::RefusalCounters;

    /// A request that comes as far as a phase.
    fn come(connection: &Connection, phase: Phase) {
        if phase == Phase::Silent {
            return;
        }
        connection.bytes_arrived();
        if phase == Phase::Head {
            return;
        }
        let head_arrived = connection.head_arrived();
        if phase == Phase::Body {
            return;
        }
        connection.body_arrived(head_arrived);
        if phase == Phase::Idle {
            connection.answered(head_arrived);
        }
    }

    /// What is counted of a connection in some phase that ends so.
    fn counted(phase: Phase, end: impl FnOnce(&Connection)) -> Option<String> {
        let counters = RefusalCounters::default();
        let peer = Peer { address: IpAddr::V4(Ipv4Addr::LOCALHOST), tls: None };
        let connection = Connection::new(peer, counters.of("api"));
        come(&connection, phase);
        assert_eq!(connection.phase(), phase);
        end(&connection);
        let mut registry = Registry::default();
        registry.register("refused", "", counters.metric());
        let mut told = String::new();
        text::encode(&mut told, &registry).unwrap();
        let line = told.lines().find(|line| !line.starts_with('#'))?;
        assert!(line.ends_with(" 1"), "{told}");
        line.split("reason=\"").nth(1)?.split('"').next().map(str::to_owned)
    }

    #[test]
    fn what_an_ending_connection_leaves_unfinished_is_counted() {
        for (phase, broken, late) in [
            (Phase::Silent, None, None),
            (Phase::Head, Some("cut_head"), Some("slow_head")),
            (Phase::Body, Some("broken_body"), Some("slow_body")),
            (Phase::Answer, Some("unanswered"), Some("unanswered")),
            (Phase::Idle, None, None),
        ] {
            assert_eq!(counted(phase, |connection| connection.ended(None)).as_deref(), broken);
            assert_eq!(counted(phase, Connection::cut).as_deref(), late);
        }
    }

    #[test]
    fn a_refused_head_is_counted_once() {
        let reason = counted(Phase::Head, |connection| {
            connection.refuse_head(Reason::LoneLineFeed);
            connection.ended(None);
        });
        assert_eq!(reason.as_deref(), Some("lone_line_feed"));
    }
}
