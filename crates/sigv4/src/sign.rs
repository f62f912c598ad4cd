//! Signing: for our own outgoing requests and for tests.

use jiff::Timestamp;

use crate::authorization::ALGORITHM;
use crate::canonical::{CanonicalRequest, PathRule, Payload, write_encoded};
use crate::claim::write_string_to_sign;
use crate::credential::{Credential, TERMINATOR};
use crate::instant::Instant;
use crate::key::{HASH_BYTES, SecretAccessKey, SigningKey, sha256, write_hex};
use crate::query::Query;
use crate::refusal::Refusal;
use crate::request::HttpRequest;

/// Headers that proxies and HTTP libraries add or change on the way, so nobody signs them.
const NOT_SIGNED: [&str; 7] = [
    "authorization",
    "connection",
    "expect",
    "te",
    "transfer-encoding",
    "user-agent",
    "x-amzn-trace-id",
];

/// Whose signature it shall be.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// The access key.
    pub access_key_id: &'a str,
    /// Its secret.
    pub secret_access_key: &'a SecretAccessKey,
    /// The token of a session's temporary credentials.
    pub session_token: Option<&'a str>,
}

/// Whom the request is for.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// The Region, such as `eu-central-1`.
    pub region: &'a str,
    /// The service, such as `kms`.
    pub service: &'a str,
    /// How that service wants the path.
    pub path_rule: PathRule,
}

/// Signs in the header form. Returns the headers to add: `x-amz-date`, `x-amz-security-token` where
/// there is one, `authorization`. The request must carry its `host` header; all its headers but the
/// hop-by-hop ones are signed.
///
/// # Errors
///
/// A query string that cannot be made canonical.
pub fn sign(
    request: &HttpRequest<'_>,
    credentials: &Credentials<'_>,
    scope: &Scope<'_>,
    now: Timestamp,
) -> Result<Vec<(String, String)>, Refusal> {
    let signed_at = Instant::from_timestamp(now);
    let mut added = vec![("x-amz-date".to_owned(), signed_at.as_str().to_owned())];
    if let Some(token) = credentials.session_token {
        added.push(("x-amz-security-token".to_owned(), token.to_owned()));
    }
    let mut headers = request.headers.to_vec();
    headers.extend(added.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
    let signer = Signer { request, credentials, scope, signed_at: &signed_at };
    let signed_headers = signed_headers(&headers);
    let query = Query::parse(request.query)?.to_canonical();
    let signature = signer.signature(&headers, &signed_headers, &query);
    let authorization = format!(
        "{ALGORITHM} Credential={}, SignedHeaders={signed_headers}, Signature={signature}",
        signer.credential()
    );
    added.push(("authorization".to_owned(), authorization));
    Ok(added)
}

/// Signs in the query form, for `expires_seconds`. Returns the query string to send in place of the
/// request's own.
///
/// # Errors
///
/// A query string that cannot be made canonical.
pub fn presign(
    request: &HttpRequest<'_>,
    credentials: &Credentials<'_>,
    scope: &Scope<'_>,
    now: Timestamp,
    expires_seconds: u32,
) -> Result<String, Refusal> {
    let signed_at = Instant::from_timestamp(now);
    let signer = Signer { request, credentials, scope, signed_at: &signed_at };
    let signed_headers = signed_headers(request.headers);
    let expires = expires_seconds.to_string();
    let credential = signer.credential();
    let parameters = [
        ("X-Amz-Algorithm", Some(ALGORITHM)),
        ("X-Amz-Credential", Some(credential.as_str())),
        ("X-Amz-Date", Some(signed_at.as_str())),
        ("X-Amz-Expires", Some(expires.as_str())),
        ("X-Amz-Security-Token", credentials.session_token),
        ("X-Amz-SignedHeaders", Some(signed_headers.as_str())),
    ];
    let mut query = request.query.unwrap_or_default().as_bytes().to_vec();
    for (name, value) in parameters {
        let Some(value) = value else { continue };
        if !query.is_empty() {
            query.push(b'&');
        }
        query.extend_from_slice(name.as_bytes());
        query.push(b'=');
        write_encoded(value.as_bytes(), &mut query);
    }
    let mut query = String::from_utf8(query).expect("a str and percent-encoded text");
    let canonical_query = Query::parse(Some(&query))?.to_canonical();
    let signature = signer.signature(request.headers, &signed_headers, &canonical_query);
    query.push_str("&X-Amz-Signature=");
    query.push_str(&signature);
    Ok(query)
}

/// SHA-256 (FIPS 180-4) of a body, which S3 wants in headers too.
#[must_use]
pub fn payload_hash(body: &[u8]) -> [u8; HASH_BYTES] {
    sha256(body)
}

/// Sorted, distinct, joined by semicolons.
fn signed_headers(headers: &[(&str, &[u8])]) -> String {
    let mut names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    names.retain(|name| !NOT_SIGNED.contains(name));
    names.sort_unstable();
    names.dedup();
    names.join(";")
}

struct Signer<'a> {
    request: &'a HttpRequest<'a>,
    credentials: &'a Credentials<'a>,
    scope: &'a Scope<'a>,
    signed_at: &'a Instant,
}

impl Signer<'_> {
    fn credential(&self) -> String {
        [
            self.credentials.access_key_id,
            self.signed_at.day(),
            self.scope.region,
            self.scope.service,
            TERMINATOR,
        ]
        .join("/")
    }

    fn signature(&self, headers: &[(&str, &[u8])], signed_headers: &str, query: &str) -> String {
        let mut text = Vec::new();
        let canonical = CanonicalRequest {
            method: self.request.method,
            path: self.request.path,
            path_rule: self.scope.path_rule,
            query,
            headers,
            signed_headers,
            payload: Payload::Hash(sha256(self.request.body)),
        };
        canonical.write(&mut text);
        let canonical_hash: [u8; HASH_BYTES] = sha256(&text);
        text.clear();
        let credential = Credential {
            access_key_id: self.credentials.access_key_id,
            date: self.signed_at.day(),
            region: self.scope.region,
            service: self.scope.service,
        };
        write_string_to_sign(self.signed_at, &credential, &canonical_hash, &mut text);
        let key = SigningKey::derive(
            self.credentials.secret_access_key,
            credential.date,
            credential.region,
            credential.service,
        );
        let mut signature = Vec::new();
        write_hex(&key.sign(&text), &mut signature);
        String::from_utf8(signature).expect("hexadecimal digits are ASCII")
    }
}
