//! Clients that are slow, large or devious.

mod common;

use std::io::Write;

use common::{Server, connect, exchange, read_to_end};

#[test]
fn a_client_that_dawdles_over_its_head_or_body_is_cut_off() {
    let server = Server::start(&[]);
    let mut head = connect(&server.api);
    head.write_all(b"POST / HTTP/1.1\r\nHost: h\r\n").unwrap();
    let mut body = connect(&server.api);
    body.write_all(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{").unwrap();
    let mut silent = connect(&server.api);
    // Reading waits no longer than the test's patience, so that a server that waits for ever fails it.
    assert_eq!(read_to_end(&mut head), "");
    assert_eq!(read_to_end(&mut body), "");
    assert_eq!(read_to_end(&mut silent), "");
}

#[test]
fn a_body_of_256_kib_is_taken_and_one_byte_more_is_not() {
    let server = Server::start(&[]);
    let head = "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n";
    let at_limit = format!("{head}Content-Length: 262144\r\n\r\n{}", " ".repeat(262_144));
    let answer = exchange(&server.api, at_limit.as_bytes());
    assert!(answer.contains("MissingAuthenticationTokenException"), "{answer}");

    let announced = format!("{head}Content-Length: 262145\r\n\r\n");
    let mut chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n");
    for _ in 0..17 {
        chunked.push_str(&format!("4000\r\n{}\r\n", " ".repeat(0x4000)));
    }
    for request in [announced, chunked] {
        let answer = exchange(&server.api, request.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 413 Payload Too Large\r\n"), "{answer}");
        assert!(answer.contains("{\"__type\":\"RequestEntityTooLargeException\""), "{answer}");
        assert!(answer.contains("x-amzn-requestid: "), "{answer}");
    }
}

#[test]
fn heads_have_bounds() {
    let server = Server::start(&[]);
    let many: String = (0..65).map(|number| format!("X-{number}: v\r\n")).collect();
    let answer = exchange(&server.api, format!("POST / HTTP/1.1\r\n{many}\r\n").as_bytes());
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let long = "v".repeat(64 * 1024);
    let answer = exchange(&server.api, format!("POST / HTTP/1.1\r\nX: {long}\r\n\r\n").as_bytes());
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[test]
fn nothing_follows_a_body_whose_end_two_readers_could_see_differently() {
    let server = Server::start(&[]);
    let hidden = "GET /hidden HTTP/1.1\r\nHost: h\r\n\r\n";
    let ambiguous = [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Content-Length: 5\r\nContent-Length: 0\r\n\r\n",
        "Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
        "Content-Length: +0\r\n\r\n",
        "Content-Length: 0x0\r\n\r\n",
        "Content-Length: 0, 0\r\n\r\n",
        "Content-Length : 0\r\n\r\n",
        "X: a\r\n Content-Length: 5\r\n\r\n",
    ];
    for head in ambiguous {
        let request = format!("POST / HTTP/1.1\r\nHost: h\r\n{head}{hidden}");
        let answer = exchange(&server.api, request.as_bytes());
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{head:?}: {answer}");
        assert!(answer.starts_with("HTTP/1.1 400 "), "{head:?}: {answer}");
    }
}

#[test]
fn a_line_that_ends_in_lf_alone_ends_the_connection() {
    let server = Server::start(&[]);
    let lone = [
        "POST / HTTP/1.1\nHost: h\nContent-Length: 0\n\n",
        "POST / HTTP/1.1\r\nHost: h\r\nX: a\nContent-Length: 0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\n",
    ];
    for request in lone {
        assert_eq!(exchange(&server.api, request.as_bytes()), "", "{request:?}");
    }
    let mut kept = connect(&server.api);
    kept.write_all(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n{\n}").unwrap();
    let mut answer = [0; 12];
    std::io::Read::read_exact(&mut kept, &mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 400");
}
