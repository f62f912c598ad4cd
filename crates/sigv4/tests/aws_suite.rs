//! AWS's signing test suite, as the `aws-sigv4` package carries it: each of its signed requests is
//! verified, and signed again by us.
//!
//! Nothing of the suite is kept here; cargo says where the package lies.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "a test may panic; clippy knows test functions only, not their helpers"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::Timestamp;
use serde_json::Value;
use sigv4::{
    Credentials, Expected, HttpRequest, PathRule, Refusal, Scope, SecretAccessKey, SigningKey,
};

/// Folders of the suite.
const ENTRIES: usize = 40;
/// Those with a context, each signed in the header form and in the query form.
const CASES: usize = 38;

const SERVICE: &str = "service";
const QUERY_FORM_ONLY: [&str; 6] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Security-Token",
];

#[test]
fn every_signed_request_is_judged_and_signed_again() {
    let cases = cases();
    let mut signatures = 0;
    for case in &cases {
        for form in ["header", "query"] {
            let request = case.request(form);
            let verdicts = ["12:31:00", "12:36:00", "12:41:00"]
                .map(|now| case.judge(&request, &format!("2015-08-30T{now}Z")));
            let expected = if case.omits_token() { unsigned_token(form) } else { Ok(()) };
            for verdict in verdicts {
                assert_eq!(verdict.err(), expected.clone().err(), "{} {form}", case.name);
            }
            let (too_late, too_early) = match form {
                "header" => ("2015-08-30T12:41:01Z", "2015-08-30T12:30:59Z"),
                _ => ("2015-08-30T13:36:01Z", "2015-08-30T12:30:59Z"),
            };
            for now in [too_late, too_early] {
                assert!(case.judge(&request, now).is_err(), "{} {form} {now}", case.name);
            }
            assert_eq!(
                case.sign_again(&request, form),
                case.file(&format!("{form}-signature.txt"))
            );
            signatures += 1;
        }
    }
    assert_eq!((cases.len(), signatures), (CASES, 2 * CASES));
    assert_eq!(cases.iter().filter(|case| case.omits_token()).count(), 1);
}

/// `post-sts-header-after` sends a session token that is not signed. That is decided here: refused.
/// In the header form the token is a header that must be signed; in the query form every parameter
/// counts, so the signature is another one.
fn unsigned_token(form: &str) -> Result<(), Refusal> {
    match form {
        "header" => Err(Refusal::Unsigned { name: "'x-amz-security-token'".to_owned() }),
        _ => Err(Refusal::SignatureMismatch),
    }
}

#[test]
fn the_canonical_requests_are_ours_byte_for_byte() {
    let mut compared = 0;
    for case in cases().iter().filter(|case| !case.omits_token()) {
        for form in ["header", "query"] {
            let request = case.request(form);
            let headers = request.headers();
            let request = request.borrow(&headers);
            let claim = sigv4::parse(&request).unwrap_or_else(|refusal| panic!("{refusal}"));
            let canonical = claim.with_path_rule(case.path_rule()).canonical_request();
            let canonical = String::from_utf8(canonical).unwrap();
            assert_eq!(canonical, case.file(&format!("{form}-canonical-request.txt")));
            compared += 1;
        }
    }
    assert_eq!(compared, 2 * CASES - 2);
}

/// The two entries that the Rust SDK added have no context, and the first one's dates disagree:
/// their paths are compared.
#[test]
fn an_encoded_path_is_encoded_again() {
    for name in ["double-encode-path", "double-url-encode"] {
        let case = Case { name: name.to_owned(), folder: suite().join(name), context: Value::Null };
        let request = case.request("header");
        let headers = request.headers();
        let request = request.borrow(&headers);
        let claim = sigv4::parse(&request).unwrap_or_else(|refusal| panic!("{refusal}"));
        let ours = String::from_utf8(claim.canonical_request()).unwrap();
        let theirs = case.file("header-canonical-request.txt");
        assert_eq!(ours.lines().nth(1), theirs.lines().nth(1), "{name}");
    }
}

struct Case {
    name: String,
    folder: PathBuf,
    context: Value,
}

struct Request {
    method: String,
    path: String,
    query: Option<String>,
    headers: Vec<(String, String)>,
    body: String,
}

impl Case {
    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap().trim_end_matches('\n').to_owned()
    }

    fn omits_token(&self) -> bool {
        self.context["omit_session_token"] == Value::Bool(true)
    }

    fn path_rule(&self) -> PathRule {
        match self.context["normalize"].as_bool() {
            Some(false) => PathRule::AsGiven,
            Some(true) | None => PathRule::Normalized,
        }
    }

    fn secret(&self) -> SecretAccessKey {
        let secret = self.context["credentials"]["secret_access_key"].as_str().unwrap();
        SecretAccessKey::new(secret.to_owned())
    }

    /// Reads the signed request. Lines that continue a header are joined by a space, as RFC 9112
    /// 5.2 asks of whoever accepts them before anyone interprets the value; our HTTP server refuses
    /// them.
    fn request(&self, form: &str) -> Request {
        let text = self.file(&format!("{form}-signed-request.txt"));
        let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
        let mut lines = head.lines();
        let first = lines.next().unwrap();
        let (method, target) = first.split_once(' ').unwrap();
        let target = target.strip_suffix(" HTTP/1.1").unwrap_or(target);
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in lines {
            if line.starts_with(' ') {
                let (_, value) = headers.last_mut().unwrap();
                value.push(' ');
                value.push_str(line.trim_start());
            } else {
                let (name, value) = line.split_once(':').unwrap();
                headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            }
        }
        let path = path.to_owned();
        Request { method: method.to_owned(), path, query, headers, body: body.to_owned() }
    }

    fn judge(&self, request: &Request, now: &str) -> Result<(), Refusal> {
        let headers = request.headers();
        let request = request.borrow(&headers);
        let claim = sigv4::parse(&request)?.with_path_rule(self.path_rule());
        assert_eq!(claim.access_key_id, "AKIDEXAMPLE");
        let key = SigningKey::derive(&self.secret(), claim.date, claim.region, claim.service);
        let now: Timestamp = now.parse().unwrap();
        claim.verify(&request, Some(&key), &Expected { services: &[SERVICE], now })
    }

    /// Takes the credential out of the signed request, signs what is left, and returns the
    /// signature.
    fn sign_again(&self, request: &Request, form: &str) -> String {
        let mut headers = request.headers();
        headers.retain(|(name, _)| {
            !["authorization", "x-amz-date", "x-amz-security-token"].contains(name)
        });
        let query = request.query_without_credential();
        let request = HttpRequest { query: query.as_deref(), ..request.borrow(&headers) };
        let token = self.context["credentials"]["token"].as_str();
        let credentials = Credentials {
            access_key_id: "AKIDEXAMPLE",
            secret_access_key: &self.secret(),
            session_token: token.filter(|_| !self.omits_token()),
        };
        let scope = Scope { region: "us-east-1", service: SERVICE, path_rule: self.path_rule() };
        let now: Timestamp = self.context["timestamp"].as_str().unwrap().parse().unwrap();
        let signed = match form {
            "header" => {
                let added = sigv4::sign(&request, &credentials, &scope, now).unwrap();
                added.last().cloned().unwrap().1
            }
            _ => sigv4::presign(&request, &credentials, &scope, now, 3_600).unwrap(),
        };
        signed.rsplit("Signature=").next().unwrap().to_owned()
    }
}

impl Request {
    fn headers(&self) -> Vec<(&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
    }

    fn borrow<'a>(&'a self, headers: &'a [(&'a str, &'a [u8])]) -> HttpRequest<'a> {
        HttpRequest {
            method: &self.method,
            path: &self.path,
            query: self.query.as_deref(),
            headers,
            body: self.body.as_bytes(),
        }
    }

    fn query_without_credential(&self) -> Option<String> {
        let is_own = |pair: &&str| {
            let name = pair.split('=').next().unwrap();
            name != "X-Amz-Signature" && !QUERY_FORM_ONLY.contains(&name)
        };
        let pairs: Vec<&str> = self.query.as_deref()?.split('&').filter(is_own).collect();
        Some(pairs.join("&"))
    }
}

/// All entries that have a context.
fn cases() -> Vec<Case> {
    let folders: Vec<PathBuf> =
        fs::read_dir(suite()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(folders.len(), ENTRIES);
    let read = |folder: PathBuf| {
        let context = fs::read_to_string(folder.join("context.json")).ok()?;
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        Some(Case { name, context: serde_json::from_str(&context).unwrap(), folder })
    };
    folders.into_iter().filter_map(read).collect()
}

/// Where cargo keeps the package. It is asked without the network first, which fails where the
/// packages of other platforms were never fetched.
fn suite() -> PathBuf {
    let ask = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1"])
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        output.status.success().then_some(output.stdout)
    };
    let metadata = ask(&["--offline"]).or_else(|| ask(&[])).expect("cargo metadata answers");
    let metadata: Value = serde_json::from_slice(&metadata).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "aws-sigv4").unwrap();
    let manifest = Path::new(package["manifest_path"].as_str().unwrap());
    manifest.parent().unwrap().join("aws-signing-test-suite/v4")
}
