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
        atomic::{AtomicBool, AtomicU64, Ordering},
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
    is_idle: AtomicBool,
}

impl Connection {
    pub(crate) fn new(peer: Peer) -> Connection {
        let connection = Connection {
            peer,
            opened: Instant::now(),
            deadline_milliseconds: AtomicU64::new(0),
            is_idle: AtomicBool::new(false),
        };
        connection.set_deadline(connection.opened + HEAD_TIME_MAX);
        connection
    }

    /// The head is here and the body may follow; returns the time, which the handler may use too.
    pub(crate) fn head_arrived(&self) -> Instant {
        let now = Instant::now();
        self.is_idle.store(false, Ordering::Relaxed);
        self.set_deadline(now + BODY_TIME_MAX);
        now
    }

    /// The request is whole.
    pub(crate) fn body_arrived(&self, head_arrived: Instant) {
        self.set_deadline(head_arrived + BODY_TIME_MAX + ANSWER_TIME_MAX);
    }

    /// The answer is made; returns how long it took since the head arrived.
    pub(crate) fn answered(&self, head_arrived: Instant) -> Duration {
        let now = Instant::now();
        self.set_deadline(now + IDLE_TIME_MAX);
        self.is_idle.store(true, Ordering::Relaxed);
        now.saturating_duration_since(head_arrived)
    }

    /// Bytes were read; tells whether a head begins with them.
    pub(crate) fn bytes_arrived(&self) -> bool {
        let head_begins = self.is_idle.swap(false, Ordering::Relaxed);
        if head_begins {
            self.set_deadline(Instant::now() + HEAD_TIME_MAX);
        }
        head_begins
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
            if let Err(error) = ended {
                tracing::debug!(peer = %connection.peer.address, %error, "connection broken");
            }
        }
        () = connection.late() => {
            tracing::debug!(peer = %connection.peer.address, "connection cut: too slow or idle");
        }
    }
}
