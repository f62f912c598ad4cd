//! What stays while the server is sealed and unsealed: its listening sockets.

use std::sync::Arc;

use tokio::{net::TcpListener, sync::watch};

/// The listening sockets. They are closed when the last holder drops them.
#[derive(Clone)]
pub(crate) struct Sockets {
    pub(crate) api: Arc<TcpListener>,
    pub(crate) admin: Arc<TcpListener>,
}

/// Waits until the server must stop, or this phase of it is over; says so to everybody in it.
///
/// The sockets are given back to the next phase. When the server stops there is none, so they close with the listeners: whoever
/// connects from then on is refused at once.
pub(crate) async fn phase_end(
    sockets: Sockets,
    mut stop: watch::Receiver<bool>,
    mut over: watch::Receiver<bool>,
    ended: watch::Sender<bool>,
) -> Option<Sockets> {
    // An error says that the sender is gone, which is the end too.
    let is_over = tokio::select! {
        biased;
        _ = stop.wait_for(|stop| *stop) => false,
        _ = over.wait_for(|over| *over) => true,
    };
    let sockets = is_over.then_some(sockets);
    ended.send_replace(true);
    sockets
}
