//! What a request claims about its signer, and the decision whether it is true.

use std::borrow::Cow;

use jiff::Timestamp;
use subtle::ConstantTimeEq;

use crate::authorization::ALGORITHM;
use crate::canonical::{CanonicalRequest, PathRule, Payload};
use crate::credential::{Credential, TERMINATOR};
use crate::instant::Instant;
use crate::key::{DUMMY_SIGNING_KEY, HASH_BYTES, SigningKey, sha256, write_hex};
use crate::limits::CLOCK_WINDOW_SECONDS;
use crate::refusal::Refusal;
use crate::request::HttpRequest;

/// Bytes reserved for the canonical request; an SDK's call to KMS takes about 600.
const CANONICAL_BYTES_USUAL: usize = 1_024;

/// What the verifier expects, besides a good signature.
#[derive(Clone, Copy)]
pub struct Expected<'a> {
    /// The services that may stand in the scope; the first is named in refusals.
    pub services: &'a [&'a str],
    /// The present time.
    pub now: Timestamp,
}

/// Who is said to have signed a request. Parsed, and **not yet believed**: see [`Claim::verify`].
pub struct Claim<'a> {
    /// The access key that is said to have signed.
    pub access_key_id: &'a str,
    /// The day of the scope, `YYYYMMDD`; it is the day of `signed_at`.
    pub date: &'a str,
    /// The Region of the scope: lower-case letters, digits and hyphens.
    pub region: &'a str,
    /// The service of the scope.
    pub service: &'a str,
    /// `X-Amz-Date`, or `Date` where that is absent.
    pub signed_at: Timestamp,
    /// The session token given with the request. A caller who knows of no such session must refuse
    /// it.
    pub session_token: Option<Cow<'a, str>>,
    /// Whether the credential stood in the query string.
    pub presigned: bool,
    // What is verified is kept apart from what can be read above, so that no change up there can
    // loosen it.
    request: HttpRequest<'a>,
    canonical_query: String,
    path_rule: PathRule,
    evidence: Evidence<'a>,
}

/// What the signature is checked against, from either form.
pub(crate) struct Evidence<'a> {
    pub(crate) credential: Credential<'a>,
    pub(crate) signed_at: Instant,
    pub(crate) signed_headers: Cow<'a, str>,
    pub(crate) signature: [u8; HASH_BYTES],
    /// `x-amz-content-sha256`
    pub(crate) content_sha256: Option<&'a [u8]>,
    /// `X-Amz-Expires`, in the query form alone.
    pub(crate) expires_seconds: Option<u32>,
}

impl<'a> Claim<'a> {
    pub(crate) fn new(
        request: &HttpRequest<'a>,
        canonical_query: String,
        evidence: Evidence<'a>,
        session_token: Option<Cow<'a, str>>,
        presigned: bool,
    ) -> Self {
        let credential = &evidence.credential;
        Self {
            access_key_id: credential.access_key_id,
            date: credential.date,
            region: credential.region,
            service: credential.service,
            signed_at: evidence.signed_at.timestamp,
            session_token,
            presigned,
            request: *request,
            canonical_query,
            path_rule: PathRule::default(),
            evidence,
        }
    }

    /// Changes how the path becomes canonical; without it the rule is that of every service but S3.
    #[must_use]
    pub fn with_path_rule(mut self, path_rule: PathRule) -> Self {
        self.path_rule = path_rule;
        self
    }

    /// Checks what needs no key: the service and the clock.
    ///
    /// [`Claim::verify`] does this too. A caller who derives keys calls it first, so that no key is
    /// derived for a scope that would never be accepted.
    ///
    /// # Errors
    ///
    /// A scope for another service; a date outside the window of 5 minutes either way, or a
    /// presigned request outside its own time.
    pub fn check(&self, expected: &Expected<'_>) -> Result<(), Refusal> {
        if !expected.services.contains(&self.evidence.credential.service) {
            let service = expected.services.first().copied().unwrap_or_default();
            let differences =
                format!("Credential should be scoped to correct service: '{service}'.");
            return Err(Refusal::Scope { differences });
        }
        self.check_clock(expected.now)
    }

    fn check_clock(&self, now: Timestamp) -> Result<(), Refusal> {
        let age_seconds = now.as_second() - self.evidence.signed_at.timestamp.as_second();
        let allowed_seconds = self.evidence.expires_seconds.map_or(CLOCK_WINDOW_SECONDS, i64::from);
        let text = |timestamp| Instant::from_timestamp(timestamp).as_str().to_owned();
        let signed_at = || self.evidence.signed_at.as_str().to_owned();
        let shifted = |seconds: i64| {
            let moved = Timestamp::from_second(now.as_second() + seconds);
            text(moved.unwrap_or(now))
        };
        if age_seconds > allowed_seconds {
            let allowance = match self.evidence.expires_seconds {
                None => format!("{} min.", CLOCK_WINDOW_SECONDS / 60),
                Some(seconds) => format!("{seconds} sec."),
            };
            let limit = shifted(-allowed_seconds);
            return Err(Refusal::Expired {
                signed_at: signed_at(),
                limit,
                now: text(now),
                allowance,
            });
        }
        if age_seconds < -CLOCK_WINDOW_SECONDS {
            let limit = shifted(CLOCK_WINDOW_SECONDS);
            return Err(Refusal::NotYetCurrent { signed_at: signed_at(), limit, now: text(now) });
        }
        Ok(())
    }

    /// Decides. `Ok` means that the holder of the secret behind `key` signed exactly this request,
    /// now and for us.
    ///
    /// `key` is the signing key of [`Claim::access_key_id`] for the claim's scope, and `None` where
    /// there is no such access key: that costs the same work and is always refused. `request` is
    /// the one that was parsed; another one is refused. The value of `Host` is signed but not
    /// compared with anything.
    ///
    /// # Errors
    ///
    /// Those of [`Claim::check`]; a content hash that is not the body's; an unknown access key;
    /// another signature.
    pub fn verify(
        &self,
        request: &HttpRequest<'_>,
        key: Option<&SigningKey>,
        expected: &Expected<'_>,
    ) -> Result<(), Refusal> {
        self.check(expected)?;
        if !self.request.is(request) {
            return Err(Refusal::SignatureMismatch);
        }
        let body_hash = sha256(self.request.body);
        let mut text = Vec::with_capacity(CANONICAL_BYTES_USUAL);
        if let Some(given) = self.evidence.content_sha256 {
            write_hex(&body_hash, &mut text);
            if text != given {
                return Err(Refusal::ContentHash);
            }
            text.clear();
        }
        self.decide(Payload::Hash(body_hash), text, key)
    }

    /// The same for a request whose body somebody else has, who says what stands for it: its hash
    /// in hexadecimal digits, or what the protocol has in its place, such as S3's
    /// `UNSIGNED-PAYLOAD`.
    ///
    /// # Errors
    ///
    /// Those of [`Claim::verify`].
    pub fn verify_without_body(
        &self,
        payload: &str,
        key: Option<&SigningKey>,
        expected: &Expected<'_>,
    ) -> Result<(), Refusal> {
        self.check(expected)?;
        if self.evidence.content_sha256.is_some_and(|given| given != payload.as_bytes()) {
            return Err(Refusal::ContentHash);
        }
        let text = Vec::with_capacity(CANONICAL_BYTES_USUAL);
        self.decide(Payload::Said(payload), text, key)
    }

    /// Compares signatures; `text` is an empty buffer.
    fn decide(
        &self,
        payload: Payload<'_>,
        mut text: Vec<u8>,
        key: Option<&SigningKey>,
    ) -> Result<(), Refusal> {
        self.write_canonical_request(payload, &mut text);
        let canonical_hash = sha256(&text);
        text.clear();
        write_string_to_sign(
            &self.evidence.signed_at,
            &self.evidence.credential,
            &canonical_hash,
            &mut text,
        );
        let signature = key.unwrap_or(&DUMMY_SIGNING_KEY).sign(&text);
        let is_same = bool::from(signature.ct_eq(&self.evidence.signature));
        match (key, is_same) {
            (Some(_), true) => Ok(()),
            (Some(_), false) => Err(Refusal::SignatureMismatch),
            (None, _) => Err(Refusal::UnknownAccessKey),
        }
    }

    /// The canonical request as this side makes it, to compare with a signer's when signatures
    /// differ.
    ///
    /// It holds the session token: not for logs.
    #[must_use]
    pub fn canonical_request(&self) -> Vec<u8> {
        let mut text = Vec::with_capacity(CANONICAL_BYTES_USUAL);
        self.write_canonical_request(Payload::Hash(sha256(self.request.body)), &mut text);
        text
    }

    fn write_canonical_request(&self, payload: Payload<'_>, out: &mut Vec<u8>) {
        let canonical = CanonicalRequest {
            method: self.request.method,
            path: self.request.path,
            path_rule: self.path_rule,
            query: &self.canonical_query,
            headers: self.request.headers,
            signed_headers: &self.evidence.signed_headers,
            payload,
        };
        canonical.write(out);
    }
}

/// `algorithm \n time \n scope \n hex(SHA256(canonical request))`
pub(crate) fn write_string_to_sign(
    signed_at: &Instant,
    credential: &Credential<'_>,
    canonical_hash: &[u8; HASH_BYTES],
    out: &mut Vec<u8>,
) {
    let scope =
        [credential.date, "/", credential.region, "/", credential.service, "/", TERMINATOR, "\n"];
    for part in [ALGORITHM, "\n", signed_at.as_str(), "\n"].into_iter().chain(scope) {
        out.extend_from_slice(part.as_bytes());
    }
    write_hex(canonical_hash, out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    /// A claim with a well-formed signature, handed to `look` with its request.
    fn with_claim(look: impl FnOnce(HttpRequest<'_>, Claim<'_>)) {
        let authorization = format!(
            "{ALGORITHM} Credential=AKIDEXAMPLE/20150830/us-east-1/kms/{TERMINATOR}, SignedHeaders=host;x-amz-date, Signature={}",
            "0".repeat(2 * HASH_BYTES)
        );
        let headers: [(&str, &[u8]); 3] = [
            ("host", b"localhost"),
            ("x-amz-date", b"20150830T123600Z"),
            ("authorization", authorization.as_bytes()),
        ];
        let request =
            HttpRequest { method: "POST", path: "/", query: None, headers: &headers, body: b"{}" };
        match parse(&request) {
            Ok(claim) => look(request, claim),
            Err(refusal) => panic!("{refusal}"),
        }
    }

    /// The dummy key is no secret, so a stranger can sign with it. It must open nothing.
    #[test]
    fn a_signature_made_with_the_dummy_key_is_an_unknown_access_key() {
        with_claim(|request, mut claim| {
            let canonical_hash = sha256(&claim.canonical_request());
            let mut text = Vec::new();
            let Evidence { signed_at, credential, .. } = &claim.evidence;
            write_string_to_sign(signed_at, credential, &canonical_hash, &mut text);
            claim.evidence.signature = DUMMY_SIGNING_KEY.sign(&text);
            let expected = Expected { services: &["kms"], now: claim.signed_at };
            let unknown = claim.verify(&request, None, &expected);
            assert_eq!(unknown, Err(Refusal::UnknownAccessKey));
            // The signature is right; only the missing access key refuses it.
            assert_eq!(claim.verify(&request, Some(&DUMMY_SIGNING_KEY), &expected), Ok(()));
        });
    }

    #[test]
    fn a_claim_is_verified_with_its_own_request_only() {
        with_claim(|request, claim| {
            let copy = (request.headers.to_vec(), request.body.to_vec());
            let same = HttpRequest { headers: &copy.0, body: &copy.1, ..request };
            let other = HttpRequest { body: b"[]", ..request };
            assert!(claim.request.is(&request));
            assert!(claim.request.is(&same));
            assert!(!claim.request.is(&other));
            assert!(!claim.request.is(&HttpRequest { query: Some(""), ..request }));
            let expected = Expected { services: &["kms"], now: claim.signed_at };
            let verdict = claim.verify(&other, Some(&DUMMY_SIGNING_KEY), &expected);
            assert_eq!(verdict, Err(Refusal::SignatureMismatch));
        });
    }

    /// The public members are there to be read; what is verified does not follow them.
    #[test]
    fn a_changed_member_loosens_nothing() {
        with_claim(|request, mut claim| {
            let expected = Expected { services: &["sts"], now: claim.signed_at };
            claim.service = "sts";
            let verdict = claim.verify(&request, Some(&DUMMY_SIGNING_KEY), &expected);
            assert!(matches!(verdict, Err(Refusal::Scope { .. })));
        });
    }
}
