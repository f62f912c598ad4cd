//! The admin listener: whether the process lives, whether it can work, and its figures. It asks nobody's name.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::Full;
use hyper::body::Incoming;
use service::Service;

use crate::{
    connection::{Connection, Handler},
    metrics::Metrics,
};

pub(crate) const TEXT: &str = "text/plain; charset=utf-8";
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Moves the clock, in builds with the feature `test-clock`, which no release is.
#[cfg(any(feature = "test-clock", test))]
pub(crate) const CLOCK_PATH: &str = "/test-clock/advance";

/// What is answered here. `docs/unaudited.md` lists every route, which a test sees to.
#[derive(Clone, Copy)]
pub(crate) enum Route {
    /// Whether the process lives.
    Health,
    /// Whether it can work.
    Readiness,
    /// Its figures.
    Metrics,
}

impl Route {
    pub(crate) const ALL: [Route; 3] = [Route::Health, Route::Readiness, Route::Metrics];

    /// Where it is.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Route::Health => "/healthz",
            Route::Readiness => "/readyz",
            Route::Metrics => "/metrics",
        }
    }

    pub(crate) fn find(path: &str) -> Option<Route> {
        Route::ALL.into_iter().find(|route| route.path() == path)
    }
}

/// Answers the operator's probes.
pub(crate) struct Admin {
    pub(crate) service: Service,
    pub(crate) metrics: Arc<Metrics>,
    #[cfg(feature = "test-clock")]
    pub(crate) clock: Arc<service::TestClock>,
}

impl Handler for Admin {
    async fn handle(
        self: Arc<Self>,
        connection: Arc<Connection>,
        request: Request<Incoming>,
    ) -> Response<Full<Bytes>> {
        let head_arrived = connection.head_arrived();
        let response = self.answer(request).await;
        connection.answered(head_arrived);
        response
    }
}

impl Admin {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        #[cfg(feature = "test-clock")]
        if request.uri().path() == CLOCK_PATH {
            return self.advance(request).await;
        }
        if ![Method::GET, Method::HEAD].contains(request.method()) {
            return respond(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET is answered here\n");
        }
        match Route::find(request.uri().path()) {
            Some(Route::Health) => respond(StatusCode::OK, TEXT, "ok\n"),
            Some(Route::Readiness) => self.ready(),
            Some(Route::Metrics) => match self.metrics.encode() {
                Ok(text) => respond(StatusCode::OK, OPENMETRICS, text),
                Err(error) => {
                    tracing::error!(%error, "metrics cannot be written");
                    respond(StatusCode::INTERNAL_SERVER_ERROR, TEXT, "metrics cannot be written\n")
                }
            },
            None => {
                respond(StatusCode::NOT_FOUND, TEXT, "/healthz, /readyz and /metrics are here\n")
            }
        }
    }

    fn ready(&self) -> Response<Full<Bytes>> {
        let health = self.service.health();
        if health.is_ready() {
            let text = if health.trail { "ready\n" } else { "ready\ntrail: failed\n" };
            return respond(StatusCode::OK, TEXT, text);
        }
        let word = |healthy| if healthy { "ok" } else { "failed" };
        let text = format!("journal: {}\nstore: {}\n", word(health.journal), word(health.store));
        respond(StatusCode::SERVICE_UNAVAILABLE, TEXT, text)
    }

    /// Moves the clock forward by the whole seconds in the body, for example `86400`, and runs what is due by then.
    #[cfg(feature = "test-clock")]
    async fn advance(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        use http_body_util::{BodyExt, Limited};
        const SECONDS_BYTES_MAX: usize = 16;

        if request.method() != Method::POST {
            return respond(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only POST moves the clock\n");
        }
        let body = Limited::new(request.into_body(), SECONDS_BYTES_MAX).collect().await;
        let seconds = body
            .ok()
            .and_then(|body| String::from_utf8(body.to_bytes().to_vec()).ok()?.trim().parse().ok());
        let Some(seconds) = seconds else {
            let expected = "expected whole seconds in the body, for example: 86400\n";
            return respond(StatusCode::BAD_REQUEST, TEXT, expected);
        };
        self.clock.advance(seconds);
        self.service.run_jobs().await;
        respond(StatusCode::OK, TEXT, "moved\n")
    }
}

pub(crate) fn respond(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
