//! The baseline: a bare hyper HTTP/1.1 server that answers the JSON it was sent.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::error::Failure;
use crate::report;

/// Serves until it is killed; the address is the first line of standard output.
pub(crate) fn run() -> Result<(), Failure> {
    // One worker, as the server has on one core.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        report::line(&format!("http://{}", listener.local_addr()?));
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await?;
                socket.set_nodelay(true)?;
                tokio::spawn(
                    http1::Builder::new().serve_connection(TokioIo::new(socket), service_fn(echo)),
                );
            }
            #[expect(unreachable_code, reason = "it gives the task its type")]
            Ok::<(), std::io::Error>(())
        })
        .await??;
        Ok(())
    })
}

async fn echo(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = request
        .into_body()
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let mut response = Response::new(Full::new(body));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1"));
    Ok(response)
}
