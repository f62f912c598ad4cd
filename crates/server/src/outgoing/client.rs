//! One request to another server, bounded in every way: https to a host that proves its name, no redirect, no proxy, a short
//! answer, a short time.

use std::{
    fs::File,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST, USER_AGENT},
};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    version::{TLS12, TLS13},
};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    task::{JoinSet, spawn_blocking},
    time::timeout,
};
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use super::{Url, addresses::is_public, read_at_most};
use crate::{
    limits::{
        HEAD_BYTES_MAX, HEADERS_MAX, OIDC_TOKEN_BYTES_MAX, OUTGOING_ADDRESSES_MAX,
        OUTGOING_ANSWER_BYTES_MAX, OUTGOING_CONNECT_TIME_MAX, OUTGOING_TRUST_BYTES_MAX,
    },
    tls,
};

/// Where distributions keep the certificates that their system trusts. None are built in: whom a machine trusts is its
/// operator's to say, and its distribution's to keep up with.
const SYSTEM_TRUST: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Characters of what is told of a document.
const PROBLEM_CHARACTERS_MAX: usize = 512;

/// Why nothing was fetched or taken. The texts are for the operator; a caller never sees them.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("{}: {cause}", path.display())]
    File { path: PathBuf, cause: io::Error },
    #[error("the system has no file of trusted certificates: name one as ca_file")]
    NoSystemTrust,
    #[error("{}: no certificate in PEM", .0.display())]
    NoCertificate(PathBuf),
    #[error("{}: not a token of one line", .0.display())]
    NotToken(PathBuf),
    #[error("the host cannot be found: {0}")]
    Unresolved(io::Error),
    #[error("the host has addresses of private networks only: say private_addresses if it may")]
    NotPublic,
    #[error("no connection: {0}")]
    Unconnected(io::Error),
    #[error("TLS: {0}")]
    Tls(io::Error),
    #[error("HTTP: {0}")]
    Http(#[from] hyper::Error),
    #[error("answered {0}; redirects are not followed")]
    Status(StatusCode),
    #[error("the answer is longer than is taken, or ended early: {0}")]
    Body(Box<dyn std::error::Error + Send + Sync>),
    #[error("took too long")]
    TimedOut,
    #[error("{0}")]
    Document(String),
}

impl FetchError {
    /// What is wrong with a document, which may say anything at any length.
    pub(crate) fn document(problem: &str) -> FetchError {
        FetchError::Document(problem.chars().take(PROBLEM_CHARACTERS_MAX).collect())
    }

    /// The label of metrics: a name from this list.
    pub(crate) fn result(&self) -> &'static str {
        match self {
            FetchError::File { .. }
            | FetchError::NoSystemTrust
            | FetchError::NoCertificate(_)
            | FetchError::NotToken(_) => "file",
            FetchError::Unresolved(_) | FetchError::Unconnected(_) => "unreachable",
            FetchError::NotPublic => "private_address",
            FetchError::Tls(_) => "tls",
            FetchError::Http(_) => "http",
            FetchError::Status(_) => "status",
            FetchError::Body(cause) if cause.is::<LengthLimitError>() => "too_long",
            FetchError::Body(_) => "http",
            FetchError::TimedOut => "timeout",
            FetchError::Document(_) => "document",
        }
    }
}

/// What was fetched.
pub(crate) struct Fetched {
    pub(crate) body: Bytes,
    /// How long the other end says that it stays true, in seconds.
    pub(crate) max_age_seconds: Option<i64>,
}

/// Who is believed to be the other end, and what it is shown.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) bearer_token_file: Option<PathBuf>,
    /// Whether only addresses are called that anybody may reach.
    pub(crate) public_only: bool,
}

impl Client {
    /// The same without a token, for a server that it is not meant for.
    pub(crate) fn without_token(&self) -> Client {
        Client { bearer_token_file: None, ..self.clone() }
    }

    /// Fetches a document. Both files are read each time: tokens of pods and certificates rotate. The caller bounds the time.
    pub(crate) async fn get(&self, url: &Url) -> Result<Fetched, FetchError> {
        let mut request = self.request(url, Method::GET, Bytes::new()).await?;
        request.headers_mut().insert(ACCEPT, JSON);
        let answer = self.send(url, request, OUTGOING_ANSWER_BYTES_MAX).await?;
        if answer.status() != StatusCode::OK {
            return Err(FetchError::Status(answer.status()));
        }
        let max_age_seconds = max_age_seconds(answer.headers());
        Ok(Fetched { body: answer.into_body(), max_age_seconds })
    }

    /// Posts a JSON document with these headers; the other end takes it by any answer of success.
    pub(crate) async fn post(
        &self,
        url: &Url,
        headers: HeaderMap,
        document: Bytes,
    ) -> Result<(), FetchError> {
        let mut request = self.request(url, Method::POST, document).await?;
        request.headers_mut().insert(CONTENT_TYPE, JSON);
        request.headers_mut().extend(headers);
        let answer = self.send(url, request, OUTGOING_ANSWER_BYTES_MAX).await?;
        match answer.status().is_success() {
            true => Ok(()),
            false => Err(FetchError::Status(answer.status())),
        }
    }

    /// Sends one request over a connection of its own and takes the answer, whatever its status. The caller bounds the time.
    pub(crate) async fn send(
        &self,
        url: &Url,
        request: Request<Full<Bytes>>,
        answer_bytes_max: usize,
    ) -> Result<Response<Bytes>, FetchError> {
        let stream = connect(url, self.public_only).await?;
        if !url.is_tls() {
            return exchange(stream, request, answer_bytes_max).await;
        }
        let name = ServerName::try_from(url.host().to_owned())
            .map_err(|cause| FetchError::Tls(io::Error::other(cause)))?;
        let connector = TlsConnector::from(Arc::new(self.tls().await?));
        let stream = connector.connect(name, stream).await.map_err(FetchError::Tls)?;
        exchange(stream, request, answer_bytes_max).await
    }

    async fn request(
        &self,
        url: &Url,
        method: Method,
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, FetchError> {
        let wrong = |cause: http::Error| FetchError::document(&cause.to_string());
        let mut request = Request::builder()
            .method(method)
            .uri(url.path())
            .header(HOST, url.host_header())
            .header(USER_AGENT, "keystead")
            .body(Full::new(body))
            .map_err(wrong)?;
        if let Some(path) = &self.bearer_token_file {
            let text = Zeroizing::new(read(path, OIDC_TOKEN_BYTES_MAX).await?);
            let value = authorization(&text).ok_or_else(|| FetchError::NotToken(path.clone()))?;
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        Ok(request)
    }

    async fn tls(&self) -> Result<ClientConfig, FetchError> {
        let (path, text) = match &self.ca_file {
            Some(path) => (path.clone(), read(path, OUTGOING_TRUST_BYTES_MAX).await?),
            None => system_trust().await?,
        };
        let mut roots = RootCertStore::empty();
        // A bundle may have certificates that are no root for us; those that are count.
        roots.add_parsable_certificates(
            CertificateDer::pem_slice_iter(&text).filter_map(Result::ok),
        );
        if roots.is_empty() {
            return Err(FetchError::NoCertificate(path));
        }
        let mut configuration = ClientConfig::builder_with_provider(Arc::new(tls::provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|cause| FetchError::Tls(io::Error::other(cause)))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        configuration.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(configuration)
    }
}

/// The header that shows a token (RFC 6750, section 2.1); none if the text is empty or longer than a line.
fn authorization(text: &[u8]) -> Option<HeaderValue> {
    let token = text.trim_ascii();
    let value = Zeroizing::new([b"Bearer ", token].concat());
    let mut value = HeaderValue::from_bytes(&value).ok().filter(|_| !token.is_empty())?;
    value.set_sensitive(true);
    Some(value)
}

async fn system_trust() -> Result<(PathBuf, Vec<u8>), FetchError> {
    for path in SYSTEM_TRUST.map(Path::new) {
        match read(path, OUTGOING_TRUST_BYTES_MAX).await {
            Ok(text) => return Ok((path.to_owned(), text)),
            Err(FetchError::File { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Err(FetchError::NoSystemTrust)
}

/// A file that is not longer than that.
pub(crate) async fn read(path: &Path, bytes_max: usize) -> Result<Vec<u8>, FetchError> {
    let path = path.to_owned();
    let opened = path.clone();
    let read = spawn_blocking(move || read_at_most(File::open(opened)?, bytes_max)).await;
    read.map_err(io::Error::other).flatten().map_err(|cause| FetchError::File { path, cause })
}

/// Connects to one of the addresses that were looked at, not to what the name means a moment later.
async fn connect(url: &Url, public_only: bool) -> Result<TcpStream, FetchError> {
    let found = lookup_host((url.host(), url.port())).await.map_err(FetchError::Unresolved)?;
    let allowed: Vec<SocketAddr> = found
        .filter(|address| !public_only || is_public(address.ip()))
        .take(OUTGOING_ADDRESSES_MAX)
        .collect();
    if allowed.is_empty() {
        return Err(FetchError::NotPublic);
    }
    let mut last = io::Error::from(io::ErrorKind::TimedOut);
    for address in allowed {
        match timeout(OUTGOING_CONNECT_TIME_MAX, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(FetchError::Unconnected(last))
}

async fn exchange<S>(
    stream: S,
    request: Request<Full<Bytes>>,
    answer_bytes_max: usize,
) -> Result<Response<Bytes>, FetchError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .handshake(TokioIo::new(stream))
        .await?;
    // The connection lives as long as this call, whoever gives it up.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = match Limited::new(body, answer_bytes_max).collect().await {
        Ok(body) => body.to_bytes(),
        // Its status says enough.
        Err(_) if head.status != StatusCode::OK => Bytes::new(),
        Err(cause) => return Err(FetchError::Body(cause)),
    };
    Ok(Response::from_parts(head, body))
}

/// What `Cache-Control` says (RFC 9111, section 5.2.2): its `max-age`, or nothing at all where it may not be kept.
fn max_age_seconds(headers: &HeaderMap) -> Option<i64> {
    let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let mut found = None;
    for directive in values.flat_map(|value| value.split(',')) {
        let directive = directive.trim().to_ascii_lowercase();
        if ["no-store", "no-cache"].contains(&directive.as_str()) {
            return Some(0);
        }
        let seconds = directive.strip_prefix("max-age=");
        found = found.or(seconds.and_then(|text| text.trim_matches('"').parse().ok()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_line() {
        let shown = |text: &[u8]| authorization(text).map(|value| value.as_bytes().to_vec());
        assert_eq!(shown(b" a.b.c\n"), Some(b"Bearer a.b.c".to_vec()));
        for text in [b"".as_slice(), b" \n", b"a\nHost: b", b"a\0"] {
            assert_eq!(shown(text), None, "{text:?}");
        }
        assert!(authorization(b"a").is_some_and(|value| value.is_sensitive()));
    }

    #[test]
    fn what_is_told_of_a_document_is_bounded() {
        let error = FetchError::document(&"é".repeat(100_000));
        assert_eq!(error.to_string().chars().count(), PROBLEM_CHARACTERS_MAX);
    }

    #[test]
    fn cache_control_is_read_in_any_case_and_order() {
        let read = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CACHE_CONTROL, HeaderValue::from_static(value));
            }
            max_age_seconds(&headers)
        };
        assert_eq!(read(&[]), None);
        assert_eq!(read(&["public, Max-Age=600, must-revalidate"]), Some(600));
        assert_eq!(read(&["public", "max-age=\"60\""]), Some(60));
        assert_eq!(read(&["max-age=600, no-cache"]), Some(0));
        assert_eq!(read(&["no-store"]), Some(0));
        assert_eq!(read(&["max-age=-1", "max-age=x", "s-maxage=9"]), Some(-1));
    }
}
