//! Signatures: reading any request ends, nobody signs without the key, and no change of a signed request passes.
#![no_main]

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use sigv4::{
    Credentials, Expected, HttpRequest, PathRule, Scope, SecretAccessKey, SigningKey, parse, sign,
};

const SECONDS: i64 = 1_440_938_160;
const DATE: &str = "20150830";
const BODY: &[u8] = b"{}";
const TARGET: &str = "TrentService.ListKeys";
const FIXED: [(&str, &[u8]); 2] =
    [("content-type", b"application/x-amz-json-1.1"), ("host", b"localhost:7600")];

fuzz_target!(|input: &[u8]| {
    assert!(!anything(input), "a request that nobody signed passed");
    let Some((part, rest)) = input.split_first() else { return };
    let change = match part % 3 {
        0 => Change::Body(rest),
        1 => Change::Target(rest),
        _ => Change::Query(rest),
    };
    let passed = signed(change);
    match change {
        Change::Body(BODY) => assert_eq!(passed, Some(true), "a signed request was refused"),
        Change::Body(_) => assert_ne!(passed, Some(true), "a changed body passed"),
        // Blanks around a header's value mean nothing.
        Change::Target(value) if value.trim_ascii() == TARGET.as_bytes() => {}
        Change::Target(_) => assert_ne!(passed, Some(true), "a changed target passed"),
        // Nor do empty parts of a query.
        Change::Query(query) if query.iter().all(|byte| *byte == b'&') => {}
        Change::Query(_) => assert_ne!(passed, Some(true), "an added query passed"),
    }
});

#[derive(Clone, Copy)]
enum Change<'a> {
    Body(&'a [u8]),
    Target(&'a [u8]),
    Query(&'a [u8]),
}

fn now() -> Timestamp {
    Timestamp::from_second(SECONDS).expect("2015 is a time")
}

fn secret() -> SecretAccessKey {
    SecretAccessKey::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned())
}

/// Whether a request passes.
fn passes(request: &HttpRequest<'_>) -> bool {
    let expected = Expected { services: &["kms"], now: now() };
    let Ok(claim) = parse(request) else { return false };
    let _ = claim.canonical_request();
    let key = SigningKey::derive(&secret(), DATE, claim.region, claim.service);
    assert!(claim.verify(request, None, &expected).is_err(), "an unknown access key passed");
    claim.verify(request, Some(&key), &expected).is_ok()
}

/// A request made of the input: a line `METHOD PATH?QUERY`, lines `name:value`, an empty line, a body.
fn anything(input: &[u8]) -> bool {
    let mut lines = input.split(|byte| *byte == b'\n');
    let text = |bytes| std::str::from_utf8(bytes).ok();
    let Some(first) = lines.next().and_then(text) else { return false };
    let (method, target) = first.split_once(' ').unwrap_or((first, "/"));
    let (path, query) =
        target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let headers: Vec<(&str, &[u8])> = lines
        .by_ref()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            Some((text(&line[..colon])?, &line[colon + 1..]))
        })
        .collect();
    let body = lines.next().unwrap_or_default();
    passes(&HttpRequest { method, path, query, headers: &headers, body })
}

/// Whether a rightly signed request passes after the change; `None` when the change cannot be made.
fn signed(change: Change<'_>) -> Option<bool> {
    let mut headers = FIXED.to_vec();
    headers.push(("x-amz-target", TARGET.as_bytes()));
    let original =
        HttpRequest { method: "POST", path: "/", query: None, headers: &headers, body: BODY };
    let secret = secret();
    let credentials = Credentials {
        access_key_id: "AKIDEXAMPLE",
        secret_access_key: &secret,
        session_token: None,
    };
    let scope = Scope { region: "us-east-1", service: "kms", path_rule: PathRule::Normalized };
    let added = sign(&original, &credentials, &scope, now()).expect("a plain request is signed");

    let mut sent = headers.clone();
    if let Change::Target(value) = change {
        sent.retain(|(name, _)| *name != "x-amz-target");
        sent.push(("x-amz-target", value));
    }
    sent.extend(added.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
    let query = match change {
        Change::Query(query) => Some(std::str::from_utf8(query).ok()?),
        Change::Body(_) | Change::Target(_) => None,
    };
    let body = match change {
        Change::Body(body) => body,
        Change::Target(_) | Change::Query(_) => BODY,
    };
    Some(passes(&HttpRequest { headers: &sent, query, body, ..original }))
}
