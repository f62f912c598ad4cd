//! The command line's end of the control socket.

use std::{io, path::Path};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    time::timeout,
};
use zeroize::Zeroizing;

use super::{
    SocketPath,
    protocol::{Command, Outcome},
};
use crate::limits::{CONTROL_OUTCOME_BYTES_MAX, CONTROL_TIME_MAX};

/// Has the server of this directory obey; `None` when none runs.
pub(crate) async fn ask(data_dir: &Path, command: &Command) -> io::Result<Option<Outcome>> {
    let connected = match SocketPath::new(data_dir) {
        Ok(socket) => UnixStream::connect(&socket.path).await,
        Err(error) => Err(error),
    };
    match connected {
        Ok(stream) => timeout(CONTROL_TIME_MAX, exchange(stream, command)).await?.map(Some),
        Err(error) if is_nobody(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_nobody(error: &io::Error) -> bool {
    [io::ErrorKind::NotFound, io::ErrorKind::ConnectionRefused].contains(&error.kind())
}

async fn exchange(mut stream: UnixStream, command: &Command) -> io::Result<Outcome> {
    let mut line = Zeroizing::new(serde_json::to_vec(command)?);
    line.push(b'\n');
    stream.write_all(&line).await?;
    let mut answer = Zeroizing::new(Vec::new());
    stream.take(CONTROL_OUTCOME_BYTES_MAX).read_to_end(&mut answer).await?;
    if answer.is_empty() {
        let reason = "the server closed the control socket without an answer; its log says why";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, reason));
    }
    Ok(serde_json::from_slice(&answer)?)
}
