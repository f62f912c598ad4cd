//! The root key's commands: made, given to a sealed server, taken away from it, exchanged.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use service::{
    Clock, DataDirectory, LockedRootKey, NewRootKey, Offered, OpenError, RootProvider, Share,
    SystemClock,
};
use zeroize::Zeroizing;

use crate::{
    accounts::AccountsError,
    configuration::Settings,
    control::{
        client,
        protocol::{Command, Outcome, Secret},
    },
    lock::{Lock, LockError},
    secrets,
    serve::{ServeError, make_data_dir},
};

/// What is wanted of a new root key.
#[derive(Default)]
pub struct NewRoot {
    /// Where it is to come from; with `shares` it is shamir.
    pub provider: Option<RootProvider>,
    /// How many shares there are.
    pub shares: Option<u8>,
    /// How many make the key.
    pub threshold: Option<u8>,
    /// The file with the new passphrase; without it, it is asked for.
    pub passphrase_file: Option<PathBuf>,
}

/// Why a command about the root key was not obeyed.
#[derive(Debug, thiserror::Error)]
pub enum RootKeyError {
    /// Numbers of shares are missing, or there without a use.
    #[error(
        "shamir needs --shares N and --threshold M, no other provider takes them; for example: --shares 5 --threshold 3"
    )]
    Shares,
    /// A secret cannot be read.
    #[error("{from}: {cause}")]
    Secret {
        /// Where it was to come from.
        from: String,
        /// What the machine says.
        cause: io::Error,
    },
    /// A server, or another command, has the directory.
    #[error(transparent)]
    Locked(#[from] LockError),
    /// The directory cannot be made.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The directory refuses.
    #[error("{}: {cause}", data_dir.display())]
    Open {
        /// The data directory.
        data_dir: PathBuf,
        /// What the service says.
        cause: OpenError,
    },
    /// What was given does not open the root key.
    #[error("{0}")]
    Refused(String),
    /// The server cannot be asked.
    #[error(transparent)]
    Control(#[from] AccountsError),
    /// No server has the directory.
    #[error("{}: no server runs here", .0.display())]
    NoServer(PathBuf),
}

/// Makes a data directory with a root key of this kind.
///
/// # Errors
/// See [`RootKeyError`]; the directory is as it was then.
pub fn init(settings: &Settings, new: &NewRoot, out: &mut impl Write) -> Result<(), RootKeyError> {
    harden()?;
    let configured = settings.custody.provider.unwrap_or(RootProvider::File);
    let new = new_root_key(new, configured)?;
    make_data_dir(&settings.data_dir)?;
    let _lock = Lock::take(&settings.data_dir)?;
    let open = open_error(settings);
    let mut directory = DataDirectory::open(&settings.data_dir).map_err(&open)?;
    let mut tell = |shares: &[Share]| tell_shares(shares, out);
    directory.initialize(&new, SystemClock.now(), &mut tell).map_err(&open)?;
    said(out, "initialised; `keystead serve` makes the first account")
}

/// Has another provider keep the root key. The server must not run.
///
/// # Errors
/// See [`RootKeyError`]; the old root key stands then.
pub fn migrate(
    settings: &Settings,
    new: &NewRoot,
    out: &mut impl Write,
) -> Result<(), RootKeyError> {
    exchange(settings, new, out)
}

/// Makes a new root key of the same provider. The server must not run.
///
/// # Errors
/// See [`RootKeyError`]; the old root key stands then.
pub fn rotate(settings: &Settings, new: NewRoot, out: &mut impl Write) -> Result<(), RootKeyError> {
    exchange(settings, &NewRoot { provider: None, ..new }, out)
}

fn exchange(settings: &Settings, new: &NewRoot, out: &mut impl Write) -> Result<(), RootKeyError> {
    harden()?;
    if !settings.data_dir.join("keystead.db").exists() {
        return Err(AccountsError::NoData(settings.data_dir.clone()).into());
    }
    let _lock = Lock::take(&settings.data_dir)?;
    let open = open_error(settings);
    let mut directory = DataDirectory::open(&settings.data_dir).map_err(&open)?;
    let provider = directory.provider().ok_or(OpenError::NotInitialized).map_err(&open)?;
    let old = old_root_key(settings, &mut directory)?;
    let new = new_root_key(new, provider)?;
    let mut tell = |shares: &[Share]| tell_shares(shares, out);
    directory.exchange_root_key(&old, &new, &mut tell).map_err(&open)?;
    said(out, "exchanged: the old root key opens nothing here any more, but backups made before")
}

/// Gives a sealed server a share, or the passphrase.
///
/// # Errors
/// See [`RootKeyError`].
pub fn unseal(settings: &Settings, out: &mut impl Write) -> Result<(), RootKeyError> {
    harden()?;
    let secret = ask("Share or passphrase")?;
    let outcome = control(settings, &Command::Unseal { secret: Secret(secret) })?;
    if let Outcome::Unsealing { collected, threshold } = outcome {
        return said(out, &format!("{collected} of {threshold} shares"));
    }
    if let Outcome::Unsealed = outcome { said(out, "unsealed") } else { Err(refused(outcome)) }
}

/// Has a server forget every key and wait to be unsealed.
///
/// # Errors
/// See [`RootKeyError`].
pub fn seal(settings: &Settings, out: &mut impl Write) -> Result<(), RootKeyError> {
    let outcome = control(settings, &Command::Seal)?;
    if let Outcome::Sealed = outcome { said(out, "sealed") } else { Err(refused(outcome)) }
}

/// Opens a directory whose root key comes from where the operator says, if that was said.
pub(crate) fn open_directory(settings: &Settings) -> Result<DataDirectory, ServeError> {
    let directory = DataDirectory::open(&settings.data_dir).map_err(serve_error(settings))?;
    match (settings.custody.provider, directory.provider()) {
        (Some(configured), Some(found)) if configured != found => {
            let data_dir = settings.data_dir.clone();
            Err(ServeError::OtherProvider { data_dir, configured, found })
        }
        (Some(RootProvider::Passphrase | RootProvider::Shamir), None) => {
            Err(serve_error(settings)(OpenError::NotInitialized))
        }
        (Some(_) | None, _) => Ok(directory),
    }
}

/// The root key, if it can be had without an operator.
pub(crate) fn at_hand(
    settings: &Settings,
    directory: &mut DataDirectory,
    clock: &dyn Clock,
) -> Result<Option<LockedRootKey>, ServeError> {
    let open = serve_error(settings);
    match (directory.provider(), &settings.custody.passphrase_file) {
        (None | Some(RootProvider::File), _) => {
            directory.root_key_of_file(clock.now()).map(Some).map_err(open)
        }
        (Some(RootProvider::Passphrase), Some(path)) => {
            let passphrase = secrets::from_file(path)
                .map_err(|cause| ServeError::PassphraseFile { path: path.clone(), cause })?;
            let mut unsealing = directory.unsealing().map_err(&open)?;
            match unsealing.offer(&passphrase, clock.now()) {
                Ok(Offered::Opened(root)) => Ok(Some(root)),
                Ok(Offered::Waiting { .. }) => Ok(None),
                Err(cause) => Err(open(OpenError::Custody(cause))),
            }
        }
        (Some(RootProvider::Passphrase), None) | (Some(RootProvider::Shamir), _) => Ok(None),
    }
}

/// The root key of a directory that no server has, from its file or from the operators.
fn old_root_key(
    settings: &Settings,
    directory: &mut DataDirectory,
) -> Result<LockedRootKey, RootKeyError> {
    if let Some(root) = at_hand(settings, directory, &SystemClock)? {
        return Ok(root);
    }
    let mut unsealing = directory.unsealing().map_err(open_error(settings))?;
    loop {
        let prompt = match unsealing.progress() {
            Some((collected, threshold)) => {
                format!("Share of the root key ({collected} of {threshold} given)")
            }
            None => "Passphrase of the root key".to_owned(),
        };
        match unsealing.offer(&ask(&prompt)?, SystemClock.now()) {
            Ok(Offered::Opened(root)) => return Ok(root),
            Ok(Offered::Waiting { .. }) => {}
            Err(error) => return Err(RootKeyError::Refused(error.to_string())),
        }
    }
}

/// As a server does before it has keys.
fn harden() -> Result<(), ServeError> {
    service::harden_process().map_err(|cause| ServeError::Harden(cause.into()))
}

fn new_root_key(new: &NewRoot, otherwise: RootProvider) -> Result<NewRootKey, RootKeyError> {
    let of_shares = new.shares.map(|_| RootProvider::Shamir);
    match (new.provider.or(of_shares).unwrap_or(otherwise), new.shares, new.threshold) {
        (RootProvider::Shamir, Some(shares), Some(threshold)) => {
            Ok(NewRootKey::Shamir { shares, threshold })
        }
        (RootProvider::File, None, None) => Ok(NewRootKey::File),
        (RootProvider::Passphrase, None, None) => match &new.passphrase_file {
            Some(path) => secrets::from_file(path).map_err(secret_error(path.display())),
            None => secrets::ask_new().map_err(secret_error("standard input")),
        }
        .map(NewRootKey::Passphrase),
        (RootProvider::File | RootProvider::Passphrase | RootProvider::Shamir, ..) => {
            Err(RootKeyError::Shares)
        }
    }
}

fn ask(prompt: &str) -> Result<Zeroizing<String>, RootKeyError> {
    secrets::ask(prompt).map_err(secret_error("standard input"))
}

fn secret_error(from: impl ToString) -> impl FnOnce(io::Error) -> RootKeyError {
    move |cause| RootKeyError::Secret { from: from.to_string(), cause }
}

fn tell_shares(shares: &[Share], out: &mut impl Write) -> io::Result<()> {
    for share in shares {
        writeln!(out, "{}", share.to_text().as_str())?;
    }
    writeln!(out, "These shares are told this once: give each to another person.")?;
    out.flush()
}

fn said(out: &mut impl Write, text: &str) -> Result<(), RootKeyError> {
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .map_err(|cause| RootKeyError::Control(AccountsError::Output(cause)))
}

/// The answer of the server that has the directory; unlike other commands, this one needs a server.
fn control(settings: &Settings, command: &Command) -> Result<Outcome, RootKeyError> {
    let data_dir: &Path = &settings.data_dir;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(ServeError::Runtime)?;
    let control = |cause| AccountsError::Control { data_dir: data_dir.to_owned(), cause };
    let outcome = runtime.block_on(client::ask(data_dir, command)).map_err(control)?;
    outcome.ok_or_else(|| RootKeyError::NoServer(data_dir.to_owned()))
}

fn refused(outcome: Outcome) -> RootKeyError {
    RootKeyError::Refused(match outcome.refusal() {
        Some(message) => message,
        None => "the server answered something else".to_owned(),
    })
}

fn open_error(settings: &Settings) -> impl Fn(OpenError) -> RootKeyError {
    |cause| RootKeyError::Open { data_dir: settings.data_dir.clone(), cause }
}

fn serve_error(settings: &Settings) -> impl Fn(OpenError) -> ServeError {
    |cause| ServeError::Open { data_dir: settings.data_dir.clone(), cause }
}
