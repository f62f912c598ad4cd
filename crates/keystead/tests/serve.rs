//! Starting, the first start, the lock, and ending.

#![expect(clippy::unwrap_used, reason = "a test's helper may fail the test")]

mod common;

use std::{fs, io::Write, os::unix::fs::PermissionsExt};

use common::{Server, exchange, run, told};
use rustix::process::Signal;

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_first_start_writes_the_root_credentials_and_the_second_keeps_them() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("a folder");
    let server = Server::start_in(&data_dir, &[]);
    let path = data_dir.join("root-credentials");
    let credentials = fs::read_to_string(&path).unwrap();
    assert!(credentials.starts_with("[default]\naws_access_key_id = AKIA"), "{credentials}");
    assert_eq!((mode(&data_dir), mode(&path)), (0o700, 0o600));
    assert!(server.banner.contains("First start"));
    assert!(server.banner.contains("protects from nothing but"));
    let canonical = path.canonicalize().unwrap();
    let export = format!("export AWS_SHARED_CREDENTIALS_FILE='{}'\n", canonical.display());
    assert!(server.banner.contains(&export), "{}", server.banner);
    assert!(
        server.banner.contains(&format!("export AWS_ENDPOINT_URL_KMS=http://{}\n", server.api))
    );

    let (status, log) = server.end_by(Signal::TERM);
    assert!(status.success(), "{status}");
    let secret = credentials.split(" = ").nth(2).unwrap().trim();
    assert_eq!(secret.len(), 40);
    assert!(!log.contains(secret));

    let again = Server::start_in(&data_dir, &[]);
    assert!(!again.banner.contains("First start"));
    assert_eq!(fs::read_to_string(&path).unwrap(), credentials);
    assert!(again.end_by(Signal::INT).0.success());
}

#[test]
fn a_second_server_is_refused_and_told_of_the_first() {
    let server = Server::start(&[]);
    let free = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
    let refused = run(&[&["serve", "--data-dir", server.data_dir()], &free[..]].concat());
    assert_eq!(refused.status.code(), Some(1));
    let expected = format!("in use by process {} (keystead)", server.pid());
    assert!(told(&refused).contains(&expected), "{}", told(&refused));
}

#[test]
fn an_address_in_use_is_told_by_its_flag() {
    let server = Server::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let flags = ["--listen", &server.api, "--admin-listen", "127.0.0.1:0"];
    let refused = run(&[&["serve", "--data-dir", data_dir.to_str().unwrap()], &flags[..]].concat());
    assert_eq!(refused.status.code(), Some(1));
    assert!(told(&refused).contains(&format!("--listen {}: Address already in use", server.api)));
    assert!(!data_dir.join("keystead.db").exists());
}

#[test]
fn every_answer_has_a_request_id_and_is_not_to_be_kept() {
    let server = Server::start(&["--log-level", "info,server=debug", "--log-format", "json"]);
    let request = "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
    let answer = exchange(&server.api, request.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
    assert!(answer.contains("\"__type\":\"MissingAuthenticationTokenException\""), "{answer}");
    for header in [
        "content-type: application/x-amz-json-1.1",
        "cache-control: no-cache, no-store, must-revalidate, private",
        "expires: 0",
        "pragma: no-cache",
        "date: ",
    ] {
        assert!(answer.contains(&format!("\r\n{header}")), "{header}: {answer}");
    }
    let request_id = answer.split("x-amzn-requestid: ").nth(1).unwrap();
    let request_id = request_id.split("\r\n").next().unwrap();
    assert_eq!(request_id.len(), 36);
    assert_eq!(request_id.as_bytes()[14], b'4', "{request_id} is no random UUID");
    let line = server.wait_for_log("\"message\":\"answered\"");
    assert!(line.contains(request_id), "{line}");
}

#[test]
fn a_hang_up_without_tls_ends_nothing() {
    let server = Server::start(&[]);
    server.signal(Signal::HUP);
    assert!(common::get(&server.admin, "/healthz").ends_with("\r\n\r\nok\n"));
    assert!(server.end_by(Signal::TERM).0.success());
}

#[test]
fn a_request_that_never_comes_whole_does_not_hold_up_the_end() {
    let server = Server::start(&[]);
    let mut stuck = common::connect(&server.api);
    stuck.write_all(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{").unwrap();
    // An answer on a later connection shows that the first one has been taken in.
    assert!(common::get(&server.api, "/").starts_with("HTTP/1.1 "));
    let (status, log) = server.end_by(Signal::TERM);
    assert!(status.success(), "{log}");
}
