//! The life of the server: what is opened in which order, and closed in the reverse one.

use std::{
    error::Error,
    fs::{self, DirBuilder},
    io,
    net::SocketAddr,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::Arc,
    thread::available_parallelism,
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use service::{Assembly, Clock, Opened, Service};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    time::timeout,
};

use crate::{
    admin::Admin,
    banner::Banner,
    configuration::{Settings, is_loopback},
    control::ControlSocket,
    follow::{Followed, follow},
    guard_rails::{self, GuardRailsFile, GuardRailsFileError, GuardRailsRead},
    http::Api,
    issuers::KeySources,
    limits::{ADMIN_CONNECTIONS_MAX, CLOSE_TIME_MAX, CONNECTIONS_MAX, DESCRIPTORS_RESERVED},
    listener::{self, Listener},
    lock::{Lock, LockError},
    logging,
    metrics::Metrics,
    root_credentials,
    service_registry::ServiceRegistry,
    shutdown,
    tls::{Certificates, TlsError},
};

/// Why the server did not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The certificate or its key cannot serve.
    #[error("TLS: {0}")]
    Tls(#[from] TlsError),
    /// Logging cannot start.
    #[error("logging: {0}")]
    Logging(#[from] tracing_subscriber::util::TryInitError),
    /// The data directory cannot be made.
    #[error("{}: {cause}", path.display())]
    DataDir {
        /// The directory.
        path: PathBuf,
        /// What the machine says.
        cause: io::Error,
    },
    /// The roots of attestation documents cannot be read.
    #[error("attestation_roots: {}: {cause}", path.display())]
    AttestationRoots {
        /// The file.
        path: PathBuf,
        /// What the machine says.
        cause: io::Error,
    },
    /// The guard rails cannot be put in force.
    #[error("guard_rails: {0}")]
    GuardRails(#[from] GuardRailsFileError),
    /// Another process has the data directory.
    #[error(transparent)]
    Locked(#[from] LockError),
    /// The runtime cannot start.
    #[error("threads: {0}")]
    Runtime(io::Error),
    /// The process cannot keep its memory to itself.
    #[error("cannot harden the process: {0}")]
    Harden(Box<dyn Error + Send + Sync>),
    /// An address cannot be listened on.
    #[error("{flag} {address}: {cause}")]
    Bind {
        /// The flag of the listener.
        flag: &'static str,
        /// Its address.
        address: SocketAddr,
        /// What the machine says.
        cause: io::Error,
    },
    /// The data cannot be opened.
    #[error("{}: {cause}", data_dir.display())]
    Open {
        /// The data directory.
        data_dir: PathBuf,
        /// What the service says.
        cause: service::OpenError,
    },
    /// The control socket cannot be made.
    #[error("control socket in {}: {cause}", data_dir.display())]
    Control {
        /// The data directory.
        data_dir: PathBuf,
        /// What the machine says.
        cause: io::Error,
    },
    /// The journal or the store did not close in time.
    #[error("the data was not closed in time; the next start recovers it")]
    Close,
}

/// Serves until SIGTERM or SIGINT, then ends within ten seconds.
pub fn serve(settings: &Settings) -> Result<(), ServeError> {
    let certificates = settings.tls.clone().map(Certificates::load).transpose()?.map(Arc::new);
    let attestation_roots_pem = attestation_roots(settings)?;
    let guard_rails = settings.guard_rails.as_deref().map(guard_rails::read).transpose()?;
    logging::start(settings)?;
    service::harden_process().map_err(|cause| ServeError::Harden(cause.into()))?;
    allow_descriptors();
    make_data_dir(&settings.data_dir)?;
    let lock = Lock::take(&settings.data_dir)?;
    let threads = settings.threads.map_or_else(available_parallelism, Ok);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads.map_err(ServeError::Runtime)?.get())
        .enable_all()
        .build()
        .map_err(ServeError::Runtime)?;
    let files = Files { certificates, attestation_roots_pem, guard_rails };
    let served = runtime.block_on(run(settings, files));
    runtime.shutdown_background();
    drop(lock);
    served
}

/// Opens the data for one command, while no server has it; a directory without data is refused.
pub(crate) async fn open_existing(settings: &Settings) -> Result<Service, ServeError> {
    let keep = |_: &_| Err(io::Error::other("only a server's start makes the first account"));
    let assembly = assembly(settings, Arc::new(service::SystemClock), &keep);
    // A command is over before anything would be delivered, and what is not delivered must stay.
    let assembly = Assembly { trail: None, journal_keep_days: None, ..assembly };
    let opened = service::open(assembly).await.map_err(|cause| open_error(settings, cause))?;
    Ok(opened.service)
}

fn attestation_roots(settings: &Settings) -> Result<Option<String>, ServeError> {
    let Some(path) = &settings.attestation_roots else { return Ok(None) };
    fs::read_to_string(path)
        .map(Some)
        .map_err(|cause| ServeError::AttestationRoots { path: path.clone(), cause })
}

fn open_error(settings: &Settings, cause: service::OpenError) -> ServeError {
    match (cause, &settings.attestation_roots) {
        (service::OpenError::AttestationRoots(cause), Some(path)) => {
            ServeError::AttestationRoots { path: path.clone(), cause: io::Error::other(cause) }
        }
        (cause, _) => ServeError::Open { data_dir: settings.data_dir.clone(), cause },
    }
}

fn assembly<'a>(
    settings: &Settings,
    clock: Arc<dyn Clock>,
    keep: &'a (dyn Fn(&service::AccessKey) -> io::Result<()> + Sync),
) -> Assembly<'a> {
    Assembly {
        data_dir: settings.data_dir.clone(),
        account_id: settings.account_id,
        arena_bytes: settings.arena_bytes,
        cache_bytes: settings.cache_bytes,
        durability: settings.journal_durability,
        journal_keep_days: settings.journal_keep_days,
        regions: settings.regions.clone(),
        services: settings.services.clone(),
        trail: settings.trail.clone(),
        request_quotas: settings.request_quotas,
        request_quota_adjustments: settings.request_quota_adjustments.clone(),
        encoded_authorization_messages: settings.encoded_authorization_messages,
        attestation_roots_pem: None,
        issuers: None,
        clock,
        keep,
    }
}

/// What was read from files before anything was opened.
struct Files {
    certificates: Option<Arc<Certificates>>,
    attestation_roots_pem: Option<String>,
    guard_rails: Option<GuardRailsRead>,
}

impl Files {
    /// Puts the guard rails in force; gives back what is to be followed.
    fn apply(self, settings: &Settings, service: &Service) -> Vec<Arc<dyn Followed>> {
        let mut followed: Vec<Arc<dyn Followed>> = Vec::new();
        if let Some(certificates) = self.certificates {
            followed.push(certificates);
        }
        if let Some(read) = self.guard_rails {
            followed.push(Arc::new(GuardRailsFile::apply(read, service.clone())));
        }
        if let Some(path) = settings.config.clone() {
            followed.push(Arc::new(ServiceRegistry::new(path, service.clone())));
        }
        followed
    }
}

async fn run(settings: &Settings, files: Files) -> Result<(), ServeError> {
    let stop = shutdown::on_signal().map_err(ServeError::Runtime)?;
    let hang_up = signal(SignalKind::hangup()).map_err(ServeError::Runtime)?;
    let (api_socket, admin_socket) = bind(settings)?;
    #[cfg(feature = "test-clock")]
    let clock = Arc::new(service::TestClock::default());
    #[cfg(not(feature = "test-clock"))]
    let clock = Arc::new(service::SystemClock);
    let keep = |access_key: &_| root_credentials::write(&settings.data_dir, access_key);
    let (keys_clock, service_clock) = (Arc::clone(&clock), Arc::clone(&clock));
    let key_sources = key_sources(settings, keys_clock);
    let assembly = Assembly {
        attestation_roots_pem: files.attestation_roots_pem.clone(),
        issuers: Some(Arc::<KeySources>::clone(&key_sources)),
        ..assembly(settings, service_clock, &keep)
    };
    let opened = service::open(assembly).await.map_err(|cause| open_error(settings, cause))?;
    let Opened { service, is_first_start } = opened;
    let certificates = files.certificates.clone();
    let mut followed = files.apply(settings, &service);
    followed.push(Arc::<KeySources>::clone(&key_sources));
    let control = ControlSocket::bind(&settings.data_dir)
        .map_err(|cause| ServeError::Control { data_dir: settings.data_dir.clone(), cause })?;
    announce(settings, &api_socket, &admin_socket, is_first_start);

    let metrics = Arc::new(Metrics::new(service.clone(), &key_sources));
    let api_listener = Listener {
        connections: metrics.connections("api"),
        socket: api_socket,
        certificates: certificates.clone(),
        connections_max: CONNECTIONS_MAX,
    };
    let admin_listener = Listener {
        connections: metrics.connections("admin"),
        socket: admin_socket,
        certificates: certificates.filter(|_| is_admin_tls(settings)),
        connections_max: ADMIN_CONNECTIONS_MAX,
    };
    let control_refusals = metrics.refusals("control");
    let following = tokio::spawn(follow(followed, hang_up, Arc::clone(&metrics)));
    let api = Api { service: service.clone(), metrics: Arc::clone(&metrics) };
    let admin = Admin {
        service: service.clone(),
        metrics,
        #[cfg(feature = "test-clock")]
        clock,
    };
    let fetching = tokio::spawn(key_sources.keep_fresh());
    tokio::join!(
        api_listener.run(Arc::new(api), stop.clone()),
        admin_listener.run(Arc::new(admin), stop.clone()),
        control.run(service.clone(), control_refusals, stop),
    );
    following.abort();
    fetching.abort();
    timeout(CLOSE_TIME_MAX, service.shut_down()).await.map_err(|_| ServeError::Close)?;
    tracing::info!("ended");
    Ok(())
}

fn key_sources(settings: &Settings, clock: Arc<dyn Clock>) -> Arc<KeySources> {
    let (issuers, hosts) = (&settings.oidc_issuers, &settings.oidc_discovery_hosts);
    Arc::new(KeySources::new(issuers.clone(), hosts.clone(), clock))
}

fn bind(settings: &Settings) -> Result<(TcpListener, TcpListener), ServeError> {
    let bind = |flag, address| {
        listener::bind(address).map_err(|cause| ServeError::Bind { flag, address, cause })
    };
    Ok((bind("--listen", settings.listen)?, bind("--admin-listen", settings.admin_listen)?))
}

/// The admin listener speaks plain HTTP where only this machine hears it, so that probes need no certificate.
fn is_admin_tls(settings: &Settings) -> bool {
    !is_loopback(settings.admin_listen.ip())
}

fn make_data_dir(path: &Path) -> Result<(), ServeError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|cause| ServeError::DataDir { path: path.to_owned(), cause })
}

/// Raises the limit of open files as far as the connections need it and the machine allows it.
fn allow_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let needed = u64::try_from(CONNECTIONS_MAX.saturating_add(ADMIN_CONNECTIONS_MAX))
        .map_or(u64::MAX, |connections| connections.saturating_add(DESCRIPTORS_RESERVED));
    let possible = limit.maximum.map_or(needed, |maximum| maximum.min(needed));
    if limit.current.is_none_or(|current| current >= possible) {
        return;
    }
    let raised = Rlimit { current: Some(possible), maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit of open files stays low: fewer connections at once");
    }
}

fn announce(
    settings: &Settings,
    api_socket: &TcpListener,
    admin_socket: &TcpListener,
    is_first_start: bool,
) {
    let real = |socket: &TcpListener, asked| socket.local_addr().unwrap_or(asked);
    let region = settings.regions.as_ref().and_then(|regions| regions.first());
    let root_credentials = root_credentials::path(&settings.data_dir);
    let certificate = settings.tls.as_ref().map(|files| absolute(&files.certificate));
    let banner = Banner {
        listen: real(api_socket, settings.listen),
        admin_listen: real(admin_socket, settings.admin_listen),
        certificate: certificate.as_deref(),
        is_admin_tls: is_admin_tls(settings),
        root_credentials: &absolute(&root_credentials),
        region: region.map_or("us-east-1", |region| region.as_str()),
        is_first_start,
    };
    // Nobody may be reading, and a server without a terminal serves all the same.
    if let Err(error) = banner.write(&mut io::stdout().lock()) {
        tracing::debug!(%error, "nobody reads standard output");
    }
    tracing::info!(listen = %banner.listen, admin_listen = %banner.admin_listen, "serving");
}

/// The path from the root where it can be told, since the reader's terminal may stand elsewhere.
fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
