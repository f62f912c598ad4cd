//! TLS with a pair made here, and its replacement while connections are open.

#![expect(clippy::unwrap_used, reason = "a test's helper may fail the test")]

mod common;

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    sync::Arc,
};

use common::{Server, connect, get, read_to_end, run, told};
use rustix::process::Signal;
use rustls::{
    ClientConfig, ClientConnection, NamedGroup, ProtocolVersion, RootCertStore, StreamOwned,
    SupportedProtocolVersion,
    crypto::aws_lc_rs,
    version::{TLS12, TLS13},
};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject};

type Stream = StreamOwned<ClientConnection, TcpStream>;

fn make_pair(folder: &Path) {
    let made = run(&["tls", "self-signed", "--out", folder.to_str().unwrap()]);
    assert!(made.status.success(), "{}", told(&made));
}

fn certificate(folder: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(folder.join("certificate.pem")).unwrap()
}

fn start(folder: &Path) -> Server {
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    Server::start(&["--tls-certificate", certificate, "--tls-key", key])
}

fn client(
    server: &Server,
    trusted: &CertificateDer<'static>,
    version: &'static SupportedProtocolVersion,
) -> Stream {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let mut configuration =
        ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
    configuration.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let connection = ClientConnection::new(Arc::new(configuration), name).unwrap();
    StreamOwned::new(connection, connect(&server.api))
}

/// Sends a request that leaves the connection open and reads its answer.
fn ask(stream: &mut Stream) -> String {
    stream.write_all(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}").unwrap();
    let mut answer = String::new();
    let mut byte = [0; 1];
    while !answer.ends_with('}') {
        stream.read_exact(&mut byte).unwrap();
        answer.push(char::from(byte[0]));
    }
    answer
}

#[test]
fn both_versions_are_spoken_and_the_quantum_safe_exchange_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    make_pair(folder.path());
    let server = start(folder.path());
    assert!(server.banner.contains("export AWS_CA_BUNDLE="), "{}", server.banner);
    assert!(server.banner.contains(&format!("export AWS_ENDPOINT_URL_KMS=https://{}", server.api)));
    let trusted = certificate(folder.path());
    for (version, spoken) in
        [(&TLS13, ProtocolVersion::TLSv1_3), (&TLS12, ProtocolVersion::TLSv1_2)]
    {
        let mut stream = client(&server, &trusted, version);
        assert!(ask(&mut stream).contains("MissingAuthenticationTokenException"));
        assert_eq!(stream.conn.protocol_version(), Some(spoken));
        assert_eq!(stream.conn.alpn_protocol(), Some(&b"http/1.1"[..]));
        let group = stream.conn.negotiated_key_exchange_group().unwrap().name();
        let quantum_safe = NamedGroup::X25519MLKEM768;
        assert_eq!(group == quantum_safe, spoken == ProtocolVersion::TLSv1_3, "{group:?}");
    }
}

#[test]
fn metrics_tell_when_the_certificate_expires() {
    let folder = tempfile::tempdir().unwrap();
    make_pair(folder.path());
    let server = start(folder.path());
    let metrics = get(&server.admin, "/metrics");
    let (_, rest) = metrics.split_once("\nkeystead_certificate_expiry_timestamp_seconds ").unwrap();
    let second: i64 = rest.split_once('\n').unwrap().0.parse().unwrap();
    let written = fs::metadata(folder.path().join("certificate.pem")).unwrap().modified().unwrap();
    let written = written.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    // Self-signed ones are good for less than a year, as clients ask.
    let days = (second - i64::try_from(written).unwrap()) / 86_400;
    assert!((300..400).contains(&days), "{days}");
}

#[test]
fn plain_http_is_not_answered_where_tls_is_spoken() {
    let folder = tempfile::tempdir().unwrap();
    make_pair(folder.path());
    let server = start(folder.path());
    let mut stream = connect(&server.api);
    stream.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    // A TLS alert, or nothing at all.
    stream.read_to_end(&mut answer).unwrap();
    assert!(!answer.starts_with(b"HTTP"));
    // A client that begins no handshake is cut off too.
    assert_eq!(read_to_end(&mut connect(&server.api)), "");
}

#[test]
fn a_new_pair_is_taken_without_a_dropped_connection_and_a_bad_one_is_not_taken() {
    let folders: Vec<_> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
    for folder in &folders {
        make_pair(folder.path());
    }
    let certificates: Vec<_> = folders.iter().map(|folder| certificate(folder.path())).collect();
    let served = folders[0].path();
    let replace = |number: usize| {
        for file in ["certificate.pem", "key.pem"] {
            fs::copy(folders[number].path().join(file), served.join(file)).unwrap();
        }
    };
    let server = start(served);
    let mut first = client(&server, &certificates[0], &TLS13);
    ask(&mut first);

    replace(1);
    server.signal(Signal::HUP);
    server.wait_for_log("new certificate in use");
    ask(&mut client(&server, &certificates[1], &TLS13));
    ask(&mut first);

    fs::write(served.join("key.pem"), "no key").unwrap();
    server.signal(Signal::HUP);
    let refusal = server.wait_for_log("new certificate refused");
    assert!(refusal.contains("key.pem: expected a PRIVATE KEY block in PEM"), "{refusal}");
    ask(&mut client(&server, &certificates[1], &TLS13));

    // Without a signal, the change itself is noticed.
    replace(2);
    server.wait_for_log("new certificate in use");
    ask(&mut client(&server, &certificates[2], &TLS13));
    ask(&mut first);
    assert!(server.end_by(Signal::TERM).0.success());
}
