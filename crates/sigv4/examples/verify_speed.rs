//! How long it takes to know who sent a request: `cargo run --release -p keystead-sigv4 --example verify_speed`.
//!
//! The request is an SDK's Encrypt call. What is told is the fastest of many short runs, since whatever else the machine
//! does only adds; beside it stands what AWS-LC takes for the hashes and the HMAC of the same lengths by itself.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "it measures time and tells it"
)]

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use aws_lc_rs::{digest, hmac};
use jiff::Timestamp;
use sigv4::{Credentials, Expected, HttpRequest, PathRule, Scope, SecretAccessKey, SigningKey};

const RUNS: usize = 2_000;
const REQUESTS: u32 = 50;
const BODY: &[u8] = br#"{"KeyId":"11111111-2222-3333-4444-555555555555","Plaintext":"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="}"#;

fn main() -> Result<(), Box<dyn Error>> {
    let now: Timestamp = "2026-11-25T12:00:00Z".parse()?;
    let secret = SecretAccessKey::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned());
    let sent: Vec<(&str, &[u8])> = vec![
        ("host", b"kms.eu-central-1.example.com:7600"),
        ("content-type", b"application/x-amz-json-1.1"),
        ("x-amz-target", b"TrentService.Encrypt"),
        ("content-length", b"109"),
        ("user-agent", b"aws-sdk-rust/1.3.8 os/linux lang/rust/1.95.0"),
        ("amz-sdk-request", b"attempt=1; max=3"),
        ("amz-sdk-invocation-id", b"5b9c7b9e-2f0b-4b0a-9a51-3f5f5e6e7a11"),
    ];
    let unsigned =
        HttpRequest { method: "POST", path: "/", query: None, headers: &sent, body: BODY };
    let credentials = Credentials {
        access_key_id: "AKIDEXAMPLE",
        secret_access_key: &secret,
        session_token: None,
    };
    let scope = Scope { region: "eu-central-1", service: "kms", path_rule: PathRule::Normalized };
    let added = sigv4::sign(&unsigned, &credentials, &scope, now)?;
    let mut headers = sent.clone();
    headers.extend(added.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
    let request = HttpRequest { headers: &headers, ..unsigned };
    let key = SigningKey::derive(&secret, "20261125", "eu-central-1", "kms");
    let expected = Expected { services: &["kms"], now };
    let claim = sigv4::parse(&request)?;

    let parsed = fastest(|| drop(black_box(sigv4::parse(black_box(&request)))));
    let verified = fastest(|| drop(black_box(claim.verify(&request, Some(&key), &expected))));
    let canonical = claim.canonical_request();
    let string_to_sign = [b'a'; 130];
    let hmac_key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
    let cryptography = fastest(|| {
        black_box(digest::digest(&digest::SHA256, black_box(BODY)));
        black_box(digest::digest(&digest::SHA256, black_box(&canonical)));
        black_box(hmac::sign(&hmac_key, black_box(&string_to_sign)));
    });
    println!("parse        {parsed:>7.1?}");
    println!("verify       {verified:>7.1?}");
    println!("cryptography {cryptography:>7.1?} of it");
    Ok(())
}

/// The shortest time of one call.
fn fastest(call: impl Fn()) -> Duration {
    let run = || {
        let start = Instant::now();
        (0..REQUESTS).for_each(|_| call());
        start.elapsed() / REQUESTS
    };
    (0..RUNS).map(|_| run()).min().expect("there is a run")
}
