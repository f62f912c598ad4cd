//! The server without its root key: it says that it lives and waits, takes shares, and does nothing else.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::Full;
use hyper::body::Incoming;
use service::{Clock, LockedRootKey, Offered, Unsealing};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use zeroize::Zeroizing;

use crate::{
    admin::{self, Route},
    configuration::Settings,
    connection::{Connection, Handler},
    control::{
        ControlSocket, Obeyer,
        protocol::{Command, Outcome},
    },
    http::unavailable,
    limits::{ADMIN_CONNECTIONS_MAX, CONNECTIONS_MAX},
    listener::Listener,
    metrics::Connections,
    phase::{Sockets, phase_end},
    refusals::RefusalCounters,
    serve::{ServeError, is_admin_tls},
    tls::Certificates,
};

/// How often it is looked whether collected shares are too old.
const FORGET_POLL: Duration = Duration::from_secs(10);

/// What a sealed server has.
pub(crate) struct Sealed {
    unsealing: Mutex<Unsealing>,
    /// What probes are told: they must not wait while a passphrase is hashed.
    progress: Mutex<Option<(u8, u8)>>,
    root: Mutex<Option<LockedRootKey>>,
    over: watch::Sender<bool>,
    clock: Arc<dyn Clock>,
}

impl Sealed {
    /// Obeys the one command that a sealed server obeys.
    pub(crate) async fn obey(self: &Arc<Self>, command: Command) -> Outcome {
        let message = match command {
            Command::Unseal { secret } => return self.unseal(secret.0).await,
            Command::Seal => "the server is sealed already",
            Command::CreateAccounts { .. }
            | Command::ListAccounts
            | Command::Explain { .. }
            | Command::WhoCan { .. }
            | Command::CreateServiceAccessKey { .. }
            | Command::DeleteServiceAccessKey { .. }
            | Command::ListServices
            | Command::ListOwnedKeys
            | Command::RotateOwnedKey { .. }
            | Command::Usage { .. } => "the server is sealed: `keystead unseal` it first",
        };
        Outcome::Refused { message: message.to_owned() }
    }

    async fn unseal(self: &Arc<Self>, secret: Zeroizing<String>) -> Outcome {
        let sealed = Arc::clone(self);
        // A passphrase is hashed for some tenths of a second.
        let offered = tokio::task::spawn_blocking(move || {
            let mut unsealing = locked(&sealed.unsealing);
            let offered = unsealing.offer(&secret, sealed.clock.now());
            *locked(&sealed.progress) = unsealing.progress();
            offered
        });
        let refused = |message: String| {
            tracing::warn!(message, "not unsealed");
            Outcome::Refused { message }
        };
        match offered.await {
            Ok(Ok(Offered::Waiting { collected, threshold })) => {
                tracing::info!(collected, threshold, "a share of the root key was given");
                Outcome::Unsealing { collected, threshold }
            }
            Ok(Ok(Offered::Opened(root))) => {
                tracing::info!("unsealed");
                *locked(&self.root) = Some(root);
                self.over.send_replace(true);
                Outcome::Unsealed
            }
            Ok(Err(error)) => refused(error.to_string()),
            Err(error) => refused(error.to_string()),
        }
    }

    async fn forget_stale(&self) {
        let mut ticks = interval(FORGET_POLL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // Whoever has it is giving something, and forgets what is stale first.
            let Ok(mut unsealing) = self.unsealing.try_lock() else { continue };
            if unsealing.forget_stale(self.clock.now()) {
                *locked(&self.progress) = unsealing.progress();
                tracing::warn!("the shares given so far waited too long and are forgotten");
            }
        }
    }
}

/// No step under these locks can leave them inconsistent, so a panic elsewhere changes nothing.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until the server is unsealed; `None` when it was told to stop before that.
pub(crate) async fn wait(
    settings: &Settings,
    unsealing: Unsealing,
    sockets: Sockets,
    certificates: Option<Arc<Certificates>>,
    stop: watch::Receiver<bool>,
    clock: Arc<dyn Clock>,
) -> Result<Option<(LockedRootKey, Sockets)>, ServeError> {
    let control = ControlSocket::bind(&settings.data_dir)
        .map_err(|cause| ServeError::Control { data_dir: settings.data_dir.clone(), cause })?;
    let (over, is_over) = watch::channel(false);
    let (ended, has_ended) = watch::channel(false);
    let progress = Mutex::new(unsealing.progress());
    let (unsealing, root) = (Mutex::new(unsealing), Mutex::new(None));
    let sealed = Arc::new(Sealed { unsealing, progress, root, over, clock });
    // Nobody asks for the figures of a sealed server.
    let counters = RefusalCounters::default();
    let api_listener = Listener {
        connections: Connections::new(counters.of("api")),
        socket: Arc::clone(&sockets.api),
        certificates: certificates.clone(),
        connections_max: CONNECTIONS_MAX,
    };
    let admin_listener = Listener {
        connections: Connections::new(counters.of("admin")),
        socket: Arc::clone(&sockets.admin),
        certificates: certificates.filter(|_| is_admin_tls(settings)),
        connections_max: ADMIN_CONNECTIONS_MAX,
    };
    tracing::warn!("sealed: waiting for the root key");
    let obeyer = Arc::new(Obeyer::Sealed(Arc::clone(&sealed)));
    let forgetting = tokio::spawn({
        let sealed = Arc::clone(&sealed);
        async move { sealed.forget_stale().await }
    });
    let (sockets, (), (), ()) = tokio::join!(
        phase_end(sockets, stop, is_over, ended),
        api_listener.run(Arc::new(SealedApi), has_ended.clone()),
        admin_listener.run(Arc::new(SealedAdmin(Arc::clone(&sealed))), has_ended.clone()),
        control.run(obeyer, counters.of("control"), has_ended),
    );
    forgetting.abort();
    let root = locked(&sealed.root).take();
    Ok(root.zip(sockets))
}

/// Refuses AWS clients before anything of theirs is looked at.
struct SealedApi;

impl Handler for SealedApi {
    async fn handle(
        self: Arc<Self>,
        connection: Arc<Connection>,
        request: Request<Incoming>,
    ) -> Response<Full<Bytes>> {
        let head_arrived = connection.head_arrived();
        let content_type = request.headers().get(CONTENT_TYPE);
        let is_query = content_type.is_some_and(|value| {
            value.as_bytes().starts_with(b"application/x-www-form-urlencoded")
        });
        let response = unavailable(request.into_body(), is_query).await;
        connection.answered(head_arrived);
        response
    }
}

/// Tells the operator's probes that the process lives and is sealed.
struct SealedAdmin(Arc<Sealed>);

impl Handler for SealedAdmin {
    async fn handle(
        self: Arc<Self>,
        connection: Arc<Connection>,
        request: Request<Incoming>,
    ) -> Response<Full<Bytes>> {
        let head_arrived = connection.head_arrived();
        let is_read = [Method::GET, Method::HEAD].contains(request.method());
        let response = match Route::find(request.uri().path()) {
            Some(Route::Health) if is_read => admin::respond(StatusCode::OK, admin::TEXT, "ok\n"),
            Some(Route::Health | Route::Readiness | Route::Metrics) | None => {
                let text = match *locked(&self.0.progress) {
                    Some((collected, threshold)) => {
                        format!("sealed: {collected} of {threshold} shares\n")
                    }
                    None => "sealed\n".to_owned(),
                };
                admin::respond(StatusCode::SERVICE_UNAVAILABLE, admin::TEXT, text)
            }
        };
        connection.answered(head_arrived);
        response
    }
}

/// What a sealed server says at its start.
pub(crate) fn announce(
    settings: &Settings,
    sockets: &Sockets,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let real = |socket: &tokio::net::TcpListener, asked| socket.local_addr().unwrap_or(asked);
    let data_dir = settings.data_dir.display().to_string();
    crate::banner::write_sealed(
        real(&sockets.api, settings.listen),
        settings.tls.is_some(),
        real(&sockets.admin, settings.admin_listen),
        is_admin_tls(settings),
        &data_dir,
        out,
    )
}
