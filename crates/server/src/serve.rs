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
    time::Duration,
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use service::{
    Assembly, Clock, DataDirectory, LockedRootKey, Opened, OperatorAct, RootProvider, Service,
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::spawn_blocking,
    time::timeout,
};

use crate::{
    admin::Admin,
    banner::Banner,
    configuration::{Settings, is_loopback},
    control::{ControlSocket, Obeyer},
    event_sinks::EventSinks,
    follow::{Followed, follow, tell},
    guard_rails::{self, GuardRailsFile, GuardRailsFileError, GuardRailsRead},
    http::Api,
    issuers::KeySources,
    limits::{
        ADMIN_CONNECTIONS_MAX, CLOSE_TIME_MAX, CONNECTIONS_MAX, DESCRIPTORS_RESERVED,
        EVENTS_END_TIME_MAX,
    },
    listener::{self, Listener},
    lock::{Lock, LockError},
    logging,
    metrics::Metrics,
    phase::{Sockets, phase_end},
    root_credentials, root_key, sealed,
    service_registry::ServiceRegistry,
    shutdown,
    tls::{Certificates, TlsError},
};

/// How often it is looked whether everything has let go of the keys.
const HELD_POLL: Duration = Duration::from_millis(5);

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
    /// The root key does not come from where the operator says.
    #[error(
        "{}: the root key comes from the provider {found}, and the configuration says {configured}; \
         `keystead root migrate --to {configured}` exchanges it",
        data_dir.display()
    )]
    OtherProvider {
        /// The data directory.
        data_dir: PathBuf,
        /// What the configuration says.
        configured: RootProvider,
        /// What the directory says.
        found: RootProvider,
    },
    /// The passphrase cannot be read.
    #[error("passphrase_file: {}: {cause}", path.display())]
    PassphraseFile {
        /// The file.
        path: PathBuf,
        /// What the machine says.
        cause: io::Error,
    },
    /// The queue of events cannot be opened or followed.
    #[error("events in {}: {cause}", data_dir.display())]
    Events {
        /// The data directory.
        data_dir: PathBuf,
        /// What the machine says.
        cause: io::Error,
    },
    /// The control socket cannot be made.
    #[error("control socket in {}: {cause}", data_dir.display())]
    Control {
        /// The data directory.
        data_dir: PathBuf,
        /// What the machine says.
        cause: io::Error,
    },
    /// Something still works with keys, so that only the end of the process makes sure that they are gone.
    #[error("cannot seal: something still holds keys; the process ends instead")]
    Held,
    /// The journal or the store did not close in time.
    #[error("the data was not closed in time; the next start recovers it")]
    Close,
}

/// Serves until SIGTERM or SIGINT, then ends within ten seconds.
pub fn serve(settings: &Settings) -> Result<(), ServeError> {
    let certificates = settings.tls.clone().map(Certificates::load).transpose()?.map(Arc::new);
    let files = Files::read(settings)?;
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
    let served = runtime.block_on(run(settings, certificates, files));
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
    let mut directory = root_key::open_directory(settings)?;
    let root = root_key::at_hand(settings, &mut directory, &service::SystemClock)?;
    let root = match (root, directory.provider()) {
        (Some(root), _) => root,
        (None, Some(provider)) => {
            return Err(open_error(settings, service::OpenError::Sealed(provider)));
        }
        (None, None) => return Err(open_error(settings, service::OpenError::NotInitialized)),
    };
    let opened = service::open_with(assembly, directory, &root).await;
    Ok(opened.map_err(|cause| open_error(settings, cause))?.service)
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

/// What is read from files before anything is opened.
struct Files {
    attestation_roots_pem: Option<String>,
    guard_rails: Option<GuardRailsRead>,
}

impl Files {
    fn read(settings: &Settings) -> Result<Files, ServeError> {
        let attestation_roots_pem = attestation_roots(settings)?;
        let guard_rails = settings.guard_rails.as_deref().map(guard_rails::read).transpose()?;
        Ok(Files { attestation_roots_pem, guard_rails })
    }

    /// Puts the guard rails in force; gives back what is to be followed.
    fn apply(self, settings: &Settings, service: &Service) -> Vec<Arc<dyn Followed>> {
        let mut followed: Vec<Arc<dyn Followed>> = Vec::new();
        if let Some(read) = self.guard_rails {
            followed.push(Arc::new(GuardRailsFile::apply(read, service.clone())));
        }
        if let Some(path) = settings.config.clone() {
            followed.push(Arc::new(ServiceRegistry::new(path, service.clone())));
        }
        followed
    }
}

#[cfg(feature = "test-clock")]
type ServerClock = service::TestClock;
#[cfg(not(feature = "test-clock"))]
type ServerClock = service::SystemClock;

/// Sealed and serving by turns, until told to stop.
async fn run(
    settings: &Settings,
    certificates: Option<Arc<Certificates>>,
    files: Files,
) -> Result<(), ServeError> {
    let stop = shutdown::on_signal().map_err(ServeError::Runtime)?;
    // From now on the signal ends nobody, whether or not files are followed.
    let _hang_up = signal(SignalKind::hangup()).map_err(ServeError::Runtime)?;
    #[cfg(feature = "test-clock")]
    let clock = Arc::new(ServerClock::default());
    #[cfg(not(feature = "test-clock"))]
    let clock = Arc::new(service::SystemClock);
    let mut sockets = bind(settings)?;
    let mut files = Some(files);
    loop {
        let mut directory = root_key::open_directory(settings)?;
        let at_hand = root_key::at_hand(settings, &mut directory, &*clock)?;
        let can_seal = at_hand.is_none();
        let root = match at_hand {
            Some(root) => root,
            None => {
                let unsealing =
                    directory.unsealing().map_err(|cause| open_error(settings, cause))?;
                announce_sealed(settings, &sockets);
                let (certificates, clock) =
                    (certificates.clone(), Arc::<ServerClock>::clone(&clock));
                let waited =
                    sealed::wait(settings, unsealing, sockets, certificates, stop.clone(), clock);
                let Some((root, open)) = waited.await? else { return Ok(()) };
                sockets = open;
                root
            }
        };
        let serving = Serving {
            settings,
            certificates: certificates.clone(),
            files: files.take().map_or_else(|| Files::read(settings), Ok)?,
            clock: Arc::clone(&clock),
            can_seal,
        };
        match serving.run(directory, root, sockets, stop.clone()).await? {
            Some(open) => sockets = open,
            None => return Ok(()),
        }
    }
}

/// A server that has its root key.
struct Serving<'a> {
    settings: &'a Settings,
    certificates: Option<Arc<Certificates>>,
    files: Files,
    clock: Arc<ServerClock>,
    can_seal: bool,
}

impl Serving<'_> {
    /// Serves until told to stop, or sealed: the sockets are given back then. Nothing of the service is left.
    async fn run(
        self,
        directory: DataDirectory,
        root: LockedRootKey,
        sockets: Sockets,
        stop: watch::Receiver<bool>,
    ) -> Result<Option<Sockets>, ServeError> {
        let Serving { settings, certificates, files, clock, can_seal } = self;
        let hang_up = signal(SignalKind::hangup()).map_err(ServeError::Runtime)?;
        let keep = |access_key: &_| root_credentials::write(&settings.data_dir, access_key);
        let key_sources = key_sources(settings, Arc::<ServerClock>::clone(&clock));
        let assembly = Assembly {
            attestation_roots_pem: files.attestation_roots_pem.clone(),
            issuers: Some(Arc::<KeySources>::clone(&key_sources)),
            ..assembly(settings, Arc::<ServerClock>::clone(&clock), &keep)
        };
        let is_root_key_file = directory.provider() == Some(RootProvider::File);
        let opened = service::open_with(assembly, directory, &root).await;
        drop(root);
        let Opened { service, is_first_start } =
            opened.map_err(|cause| open_error(settings, cause))?;
        let mut followed = files.apply(settings, &service);
        if let Some(certificates) = &certificates {
            followed.push(Arc::<Certificates>::clone(certificates));
        }
        followed.push(Arc::<KeySources>::clone(&key_sources));
        let control = ControlSocket::bind(&settings.data_dir)
            .map_err(|cause| ServeError::Control { data_dir: settings.data_dir.clone(), cause })?;
        announce(settings, &sockets, is_first_start, is_root_key_file);

        let events_failed =
            |cause| ServeError::Events { data_dir: settings.data_dir.clone(), cause };
        let event_sinks = EventSinks::open(
            &settings.data_dir,
            &settings.event_sinks,
            Arc::<ServerClock>::clone(&clock),
        )
        .map_err(events_failed)?;
        let event_metrics = event_sinks.as_ref().map(EventSinks::metrics);
        let metrics =
            Metrics::new(service.clone(), &key_sources, event_metrics, certificates.clone());
        let metrics = Arc::new(metrics);
        let telling = event_sinks
            .map(|event_sinks| event_sinks.start(&settings.data_dir, service.clone()))
            .transpose()
            .map_err(events_failed)?;
        tell(&service, OperatorAct::Start { version: env!("CARGO_PKG_VERSION") }).await;
        let (api_listener, admin_listener) =
            listeners(settings, &sockets, certificates.as_ref(), &metrics);
        let control_refusals = metrics.refusals("control");
        let following =
            tokio::spawn(follow(followed, hang_up, Arc::clone(&metrics), service.clone()));
        let fetching = tokio::spawn(key_sources.keep_fresh());
        let (seal, is_sealed) = watch::channel(false);
        let (ended, has_ended) = watch::channel(false);
        let api = Api { service: service.clone(), metrics: Arc::clone(&metrics) };
        let admin = Admin {
            service: service.clone(),
            metrics,
            #[cfg(feature = "test-clock")]
            clock,
        };
        // The sender lives as long as the phase, or its end would be taken for an order to seal.
        let offered = can_seal.then(|| seal.clone());
        let obeyer = Obeyer::Serving { service: service.clone(), seal: offered };
        let (sockets, (), (), ()) = tokio::join!(
            phase_end(sockets, stop, is_sealed, ended),
            api_listener.run(Arc::new(api), has_ended.clone()),
            admin_listener.run(Arc::new(admin), has_ended.clone()),
            control.run(Arc::new(obeyer), control_refusals, has_ended),
        );
        drop(seal);
        following.abort();
        fetching.abort();
        tell(&service, OperatorAct::Stop).await;
        if timeout(EVENTS_END_TIME_MAX, spawn_blocking(move || drop(telling))).await.is_err() {
            tracing::warn!("the thread that tells events hangs; the next start goes on with it");
        }
        timeout(CLOSE_TIME_MAX, service.shut_down()).await.map_err(|_| ServeError::Close)?;
        if sockets.is_some() {
            timeout(CLOSE_TIME_MAX, until_last(&service)).await.map_err(|_| ServeError::Held)?;
        }
        tracing::info!("{}", if sockets.is_some() { "sealed" } else { "ended" });
        Ok(sockets)
    }
}

/// Waits until nothing but this value holds the keys of the service.
async fn until_last(service: &Service) {
    while !service.is_last() {
        tokio::time::sleep(HELD_POLL).await;
    }
}

fn listeners(
    settings: &Settings,
    sockets: &Sockets,
    certificates: Option<&Arc<Certificates>>,
    metrics: &Metrics,
) -> (Listener, Listener) {
    let api_listener = Listener {
        connections: metrics.connections("api"),
        socket: Arc::clone(&sockets.api),
        certificates: certificates.cloned(),
        connections_max: CONNECTIONS_MAX,
    };
    let admin_listener = Listener {
        connections: metrics.connections("admin"),
        socket: Arc::clone(&sockets.admin),
        certificates: certificates.cloned().filter(|_| is_admin_tls(settings)),
        connections_max: ADMIN_CONNECTIONS_MAX,
    };
    (api_listener, admin_listener)
}

fn announce_sealed(settings: &Settings, sockets: &Sockets) {
    if let Err(error) = sealed::announce(settings, sockets, &mut io::stdout().lock()) {
        tracing::debug!(%error, "nobody reads standard output");
    }
}

fn key_sources(settings: &Settings, clock: Arc<dyn Clock>) -> Arc<KeySources> {
    let (issuers, hosts) = (&settings.oidc_issuers, &settings.oidc_discovery_hosts);
    Arc::new(KeySources::new(issuers.clone(), hosts.clone(), clock))
}

fn bind(settings: &Settings) -> Result<Sockets, ServeError> {
    let bind = |flag, address| {
        let bound = listener::bind(address).map(Arc::new);
        bound.map_err(|cause| ServeError::Bind { flag, address, cause })
    };
    let api = bind("--listen", settings.listen)?;
    Ok(Sockets { api, admin: bind("--admin-listen", settings.admin_listen)? })
}

/// The admin listener speaks plain HTTP where only this machine hears it, so that probes need no certificate.
pub(crate) fn is_admin_tls(settings: &Settings) -> bool {
    !is_loopback(settings.admin_listen.ip())
}

pub(crate) fn make_data_dir(path: &Path) -> Result<(), ServeError> {
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

fn announce(settings: &Settings, sockets: &Sockets, is_first_start: bool, is_root_key_file: bool) {
    let real = |socket: &TcpListener, asked| socket.local_addr().unwrap_or(asked);
    let region = settings.regions.as_ref().and_then(|regions| regions.first());
    let root_credentials = root_credentials::path(&settings.data_dir);
    let certificate = settings.tls.as_ref().map(|files| absolute(&files.certificate));
    let banner = Banner {
        listen: real(&sockets.api, settings.listen),
        admin_listen: real(&sockets.admin, settings.admin_listen),
        certificate: certificate.as_deref(),
        is_admin_tls: is_admin_tls(settings),
        root_credentials: &absolute(&root_credentials),
        region: region.map_or("us-east-1", |region| region.as_str()),
        is_first_start,
        is_root_key_file,
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
