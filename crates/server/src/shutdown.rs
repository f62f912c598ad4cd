//! The signals that end the server, and everybody's way to learn of them.

use std::io;

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// Waits for SIGTERM or SIGINT from now on; the value turns true with the first of them.
///
/// It must be called on the runtime.
pub(crate) fn on_signal() -> io::Result<watch::Receiver<bool>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        tracing::info!(signal = name, "ending: no new connections, waiting for the open ones");
        sender.send_replace(true);
    });
    Ok(receiver)
}
