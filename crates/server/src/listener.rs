//! Accepting: a bounded number of connections, each with its TLS handshake done in time.

use std::{io, net::SocketAddr, sync::Arc};

use hyper_util::server::graceful::GracefulShutdown;
use service::Peer;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::timeout,
};

use crate::{
    connection::{self, Connection, Handler},
    limits::{ACCEPT_REST, BACKLOG_CONNECTIONS, DRAIN_TIME_MAX, HANDSHAKE_TIME_MAX},
    metrics::Connections,
    tls::{self, Certificates},
};

/// A bound socket and how its connections are treated.
pub(crate) struct Listener {
    pub(crate) socket: Arc<TcpListener>,
    /// `None` is plain HTTP.
    pub(crate) certificates: Option<Arc<Certificates>>,
    pub(crate) connections_max: usize,
    pub(crate) connections: Connections,
}

/// Binds the address; port 0 takes a free one. It must be called on the runtime.
pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG_CONNECTIONS)?;
    TcpListener::from_std(socket.into())
}

impl Listener {
    /// Accepts until told to stop, lets the connections finish what they have, and cuts those that take too long.
    pub(crate) async fn run<H: Handler>(self, handler: Arc<H>, mut stop: watch::Receiver<bool>) {
        let free = Arc::new(Semaphore::new(self.connections_max));
        let graceful = GracefulShutdown::new();
        let mut tasks = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                biased;
                // An error says that the sender is gone, which is the end too.
                _ = stop.wait_for(|stop| *stop) => break,
                accepted = self.accept(&free) => accepted,
                // A task that panicked has been logged by the panic hook.
                Some(_) = tasks.join_next() => continue,
            };
            match accepted {
                Ok((stream, address, permit)) => {
                    let served = self.serve(stream, address, &handler, graceful.watcher());
                    let connection = self.connections.opened();
                    tasks.spawn(async move {
                        served.await;
                        drop((connection, permit));
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_REST).await;
                }
            }
        }
        drop(self.socket);
        if timeout(DRAIN_TIME_MAX, graceful.shutdown()).await.is_err() {
            tracing::warn!(
                connections = tasks.len(),
                "connections cut that did not finish in time"
            );
        }
        tasks.shutdown().await;
    }

    async fn accept(
        &self,
        free: &Arc<Semaphore>,
    ) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        let permit = Arc::clone(free).acquire_owned().await.map_err(io::Error::other)?;
        let (stream, address) = self.socket.accept().await?;
        Ok((stream, address, permit))
    }

    fn serve<H: Handler>(
        &self,
        stream: TcpStream,
        address: SocketAddr,
        handler: &Arc<H>,
        watcher: hyper_util::server::graceful::Watcher,
    ) -> impl Future<Output = ()> + Send + use<H> {
        let handler = Arc::clone(handler);
        let acceptor = self.certificates.as_ref().map(|certificates| certificates.acceptor());
        let failed = self.connections.handshakes_failed();
        let refusals = self.connections.refusals();
        let address = address.ip().to_canonical();
        async move {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(peer = %address, %error, "connection lost before its first byte");
                return;
            }
            let Some(acceptor) = acceptor else {
                let peer = Peer { address, tls: None };
                let connection = Arc::new(Connection::new(peer, refusals));
                return connection::serve(stream, connection, handler, watcher).await;
            };
            let problem = match timeout(HANDSHAKE_TIME_MAX, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => {
                    let tls = tls::details(stream.get_ref().1);
                    let peer = Peer { address, tls };
                    let connection = Arc::new(Connection::new(peer, refusals));
                    return connection::serve(stream, connection, handler, watcher).await;
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => "too slow".to_owned(),
            };
            failed.inc();
            tracing::debug!(peer = %address, problem, "TLS handshake failed");
        }
    }
}
