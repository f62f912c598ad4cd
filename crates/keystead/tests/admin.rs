//! Health, metrics, and the door that a release does not have.

mod common;

use common::{Server, exchange, get};

#[test]
fn health_and_readiness_are_told() {
    let server = Server::start(&[]);
    assert!(get(&server.admin, "/healthz").starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(get(&server.admin, "/readyz").ends_with("\r\n\r\nready\n"));
    assert!(get(&server.admin, "/").starts_with("HTTP/1.1 404 "));
    let post =
        "POST /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    assert!(exchange(&server.admin, post.as_bytes()).starts_with("HTTP/1.1 405 "));
}

#[test]
fn metrics_count_what_happened() {
    let server = Server::start(&[]);
    get(&server.api, "/");
    get(&server.api, "/");
    let metrics = get(&server.admin, "/metrics");
    assert!(metrics.contains("application/openmetrics-text"), "{metrics}");
    for line in [
        "keystead_requests_total{operation=\"Unknown\",result=\"MissingAuthenticationTokenException\"} 2\n",
        "keystead_request_duration_seconds_count{operation=\"Unknown\"} 2\n",
        "keystead_connections_accepted_total{listener=\"api\"} 2\n",
        "keystead_connections{listener=\"admin\"} 1\n",
        "keystead_journal_records_total 3\n",
        "keystead_journal_healthy 1\n",
        "keystead_store_healthy 1\n",
        "keystead_cache_keys 0\n",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    assert!(metrics.ends_with("# EOF\n"));
}

fn advance(server: &Server, body: &str) -> String {
    let head = "POST /test-clock/advance HTTP/1.1\r\nHost: h\r\nConnection: close\r\n";
    let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    exchange(&server.admin, request.as_bytes())
}

#[cfg(not(feature = "test-clock"))]
#[test]
fn there_is_no_door_to_the_clock() {
    let server = Server::start(&[]);
    assert!(advance(&server, "86400").starts_with("HTTP/1.1 405 "));
    assert!(get(&server.admin, "/test-clock/advance").starts_with("HTTP/1.1 404 "));
}

#[cfg(feature = "test-clock")]
#[test]
fn the_clock_moves_by_whole_seconds() {
    let server = Server::start(&[]);
    assert!(advance(&server, "86400").starts_with("HTTP/1.1 200 "));
    for wrong in ["", "-1", "a day", "1.5", "99999999999"] {
        assert!(advance(&server, wrong).starts_with("HTTP/1.1 400 "), "{wrong}");
    }
    assert!(get(&server.admin, "/test-clock/advance").starts_with("HTTP/1.1 405 "));
}
