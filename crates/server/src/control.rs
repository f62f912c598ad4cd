//! The control socket: how the command line speaks with the server that has the data directory open.
//!
//! One connection carries one command and its outcome, each a line of JSON. Only the server's own user and root are
//! heard, which the kernel tells, not the caller.

pub(crate) mod client;
pub(crate) mod protocol;

use std::{
    fs::{self, File, Permissions},
    io,
    os::{fd::AsRawFd, unix::fs::PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use service::Service;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::timeout,
};
use zeroize::Zeroizing;

use crate::refusals::{Reason, Refusals};
use crate::sealed::Sealed;
use crate::{
    accounts,
    limits::{
        ACCEPT_REST, CONTROL_BYTES_MAX, CONTROL_CONNECTIONS_MAX, CONTROL_TIME_MAX, DRAIN_TIME_MAX,
    },
};
use protocol::{Command, Outcome};

const SOCKET_FILE: &str = "control.sock";
/// The kernel's `sun_path` has 108 bytes, one of them for the end.
const SOCKET_PATH_BYTES_MAX: usize = 107;

/// Bytes of a command that are read at once.
const PIECE_BYTES: usize = 4_096;

/// A path of the socket that is short enough, and what must stay open while it is used.
struct SocketPath {
    path: PathBuf,
    _folder: Option<File>,
}

impl SocketPath {
    /// A data directory with a long path is reached by its descriptor.
    fn new(data_dir: &Path) -> io::Result<SocketPath> {
        let path = data_dir.join(SOCKET_FILE);
        if path.as_os_str().len() <= SOCKET_PATH_BYTES_MAX {
            return Ok(SocketPath { path, _folder: None });
        }
        let folder = File::open(data_dir)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}/{SOCKET_FILE}", folder.as_raw_fd()));
        Ok(SocketPath { path, _folder: Some(folder) })
    }
}

/// Who obeys the commands.
pub(crate) enum Obeyer {
    /// A server that has its keys, and what seals it if its root key can be given anew.
    Serving { service: Service, seal: Option<watch::Sender<bool>> },
    /// A server without its root key.
    Sealed(Arc<Sealed>),
}

impl Obeyer {
    async fn obey(&self, command: Command) -> Outcome {
        match (self, command) {
            (Obeyer::Sealed(sealed), command) => sealed.obey(command).await,
            (Obeyer::Serving { seal: Some(seal), .. }, Command::Seal) => {
                seal.send_replace(true);
                Outcome::Sealed
            }
            (Obeyer::Serving { service, .. }, command) => accounts::obey(service, command).await,
        }
    }
}

/// The server's end of the socket; the file goes with it.
pub(crate) struct ControlSocket {
    listener: UnixListener,
    file: PathBuf,
}

impl ControlSocket {
    /// Makes the socket. The caller holds the lock of the directory, so a socket that is there is a leftover.
    pub(crate) fn bind(data_dir: &Path) -> io::Result<ControlSocket> {
        let file = data_dir.join(SOCKET_FILE);
        match fs::remove_file(&file) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let listener = UnixListener::bind(SocketPath::new(data_dir)?.path)?;
        fs::set_permissions(&file, Permissions::from_mode(0o600))?;
        Ok(ControlSocket { listener, file })
    }

    /// Serves commands until told to stop.
    pub(crate) async fn run(
        self,
        obeyer: Arc<Obeyer>,
        refusals: Refusals,
        mut stop: watch::Receiver<bool>,
    ) {
        let free = Arc::new(Semaphore::new(CONTROL_CONNECTIONS_MAX));
        let mut tasks = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                // An error says that the sender is gone, which is the end too.
                _ = stop.wait_for(|stop| *stop) => break,
                accepted = self.accept(&free) => accepted,
                // A task that panicked has been logged by the panic hook.
                Some(_) = tasks.join_next() => continue,
            };
            match accepted {
                Ok((stream, permit)) => {
                    let (obeyer, refusals) = (Arc::clone(&obeyer), refusals.clone());
                    tasks.spawn(async move {
                        let answered = answer(stream, &obeyer, &refusals);
                        match timeout(CONTROL_TIME_MAX, answered).await {
                            Ok(Ok(())) => {}
                            Ok(Err(error)) => {
                                refusals.count(Reason::BrokenCommand);
                                tracing::warn!(%error, "control command failed");
                            }
                            Err(_) => {
                                refusals.count(Reason::BrokenCommand);
                                tracing::warn!("control command cut: too slow");
                            }
                        }
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a control connection");
                    tokio::time::sleep(ACCEPT_REST).await;
                }
            }
        }
        let finished =
            timeout(DRAIN_TIME_MAX, async { while tasks.join_next().await.is_some() {} });
        if finished.await.is_err() {
            tracing::warn!(
                commands = tasks.len(),
                "control commands cut that did not finish in time"
            );
        }
        tasks.shutdown().await;
    }

    async fn accept(
        &self,
        free: &Arc<Semaphore>,
    ) -> io::Result<(UnixStream, OwnedSemaphorePermit)> {
        let permit = Arc::clone(free).acquire_owned().await.map_err(io::Error::other)?;
        let (stream, _) = self.listener.accept().await?;
        Ok((stream, permit))
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.file) {
            tracing::debug!(%error, "the control socket's file stays behind");
        }
    }
}

async fn answer(mut stream: UnixStream, obeyer: &Obeyer, refusals: &Refusals) -> io::Result<()> {
    let peer_uid = stream.peer_cred()?.uid();
    let own_uid = rustix::process::geteuid();
    if peer_uid != own_uid.as_raw() && peer_uid != 0 {
        tracing::warn!(peer_uid, "control command of another user refused");
        refusals.count(Reason::OtherUser);
        return Ok(());
    }
    let line = read_line(&mut stream).await?;
    let outcome = match serde_json::from_slice::<Command>(&line) {
        Ok(command) => {
            // No record tells of it (docs/unaudited.md).
            tracing::info!(command = command.name(), "control command");
            obeyer.obey(command).await
        }
        Err(error) => {
            refusals.count(Reason::MalformedCommand);
            // Without the error, which may quote what was sent: a secret among it.
            tracing::warn!("no control command of this version");
            Outcome::Refused { message: format!("not a command of this version: {error}") }
        }
    };
    let mut answer = Zeroizing::new(serde_json::to_vec(&outcome)?);
    answer.push(b'\n');
    stream.write_all(&answer).await?;
    stream.shutdown().await
}

/// Reads up to a line feed, the end or the bound, through nothing that is not wiped; short commands, such as those with a share
/// of the root key, are never moved.
async fn read_line(stream: &mut UnixStream) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(PIECE_BYTES));
    let mut piece = Zeroizing::new([0; PIECE_BYTES]);
    let mut rest = stream.take(CONTROL_BYTES_MAX);
    loop {
        let bytes = rest.read(piece.as_mut_slice()).await?;
        let read = piece.get(..bytes).unwrap_or_default();
        line.extend_from_slice(read);
        if bytes == 0 || read.contains(&b'\n') {
            return Ok(line);
        }
    }
}
