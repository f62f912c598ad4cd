//! No change to a signed request goes unnoticed, and what we sign we accept.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "a test may panic; clippy knows test functions only, not their helpers"
)]

mod support;

use jiff::Timestamp;
use proptest::prelude::*;
use sigv4::{
    Credentials, Expected, HttpRequest, PathRule, Scope, SecretAccessKey, SigningKey, presign, sign,
};
use support::{Draft, NOW, Sent};

/// Mutated requests, half in the header form and half in the query form.
const MUTATIONS: u32 = 10_000;

/// Headers that decide what a request means; none of them can be added to a signed request.
const ADDED: [&str; 6] =
    ["authorization", "content-type", "date", "host", "x-amz-content-sha256", "x-amz-target"];

/// Changes one thing, whatever it is. `place` and `byte` choose what becomes of it.
fn mutate(mut sent: Sent, part: usize, place: usize, byte: u8) -> Sent {
    let header = place % sent.headers.len();
    match part % 8 {
        0 => change(&mut sent.body, place, byte),
        1 => sent.method = change_text(&sent.method, place, byte),
        2 => sent.path = change_text(&sent.path, place, byte),
        3 => {
            let query = sent.query.as_deref().unwrap_or_default();
            sent.query = Some(change_text(query, place, byte));
        }
        4 => {
            sent.headers.remove(header);
        }
        5 => {
            let name = ADDED[place % ADDED.len()];
            sent = sent.header(name, [byte]);
        }
        _ => change(&mut sent.headers[header].1, place / 16, byte),
    }
    sent
}

/// Changes, removes or inserts one byte.
fn change(bytes: &mut Vec<u8>, place: usize, byte: u8) {
    let place = place % (bytes.len() + 1);
    match (byte % 3, bytes.get_mut(place)) {
        (0, Some(old)) => *old ^= (byte / 3) % 127 + 1,
        (1, Some(_)) => {
            bytes.remove(place);
        }
        _ => bytes.insert(place, byte),
    }
}

fn change_text(text: &str, place: usize, byte: u8) -> String {
    let mut bytes = text.as_bytes().to_vec();
    change(&mut bytes, place, byte % 128);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What a request says to a server. Spellings of the same thing are equal: spaces that are folded,
/// empty path segments and parameters, escapes.
#[derive(Debug, PartialEq)]
struct Meaning {
    method: String,
    path: String,
    parameters: Vec<String>,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

fn meaning(sent: &Sent) -> Meaning {
    let segments: Vec<&str> =
        sent.path.split('/').filter(|segment| !segment.is_empty() && *segment != ".").collect();
    let query = sent.query.as_deref().unwrap_or_default();
    let mut parameters: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| format!("{}={}", decode(name), decode(value)))
        .collect();
    parameters.sort();
    let value = |name: &str, value: &[u8]| -> Vec<u8> {
        let words = value.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
        let words: Vec<&[u8]> = words.collect();
        // Between the pairs of this one there may be spaces or none.
        if name == "authorization" { words.concat() } else { words.join(&b' ') }
    };
    let headers = sent.headers.iter().map(|(name, text)| (name.clone(), value(name, text)));
    Meaning {
        method: sent.method.clone(),
        path: segments.join("/"),
        parameters,
        headers: headers.collect(),
        body: sent.body.clone(),
    }
}

/// Every byte as its number, so that nothing decoded can look like a separator.
fn decode(text: &str) -> String {
    let mut rest = text;
    let mut decoded = String::new();
    while let Some(letter) = rest.chars().next() {
        let escape = rest.strip_prefix('%').and_then(|digits| digits.get(..2));
        match escape.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                decoded.push_str(&format!("<{byte}>"));
                rest = &rest[3..];
            }
            None => {
                let mut bytes = [0; 4];
                for byte in letter.encode_utf8(&mut bytes).bytes() {
                    decoded.push_str(&format!("<{}>", if byte == b'+' { b' ' } else { byte }));
                }
                rest = &rest[letter.len_utf8()..];
            }
        }
    }
    decoded
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(MUTATIONS))]

    /// Every header of the draft is signed, so whatever changes the meaning of the request is
    /// refused.
    #[test]
    fn a_mutated_request_is_refused(
        is_presigned in any::<bool>(),
        part in any::<usize>(),
        place in any::<usize>(),
        byte in any::<u8>(),
    ) {
        let draft = if is_presigned { Draft::query_form() } else { Draft::header_form() };
        let draft = draft.parameter("Action", "a b").header("x-amz-security-token", "to  ken");
        let draft = if is_presigned { draft.without_header("x-amz-security-token") } else { draft };
        let sent = if is_presigned { draft.presign() } else { draft.sign() };
        prop_assert_eq!(sent.judge(), Ok(()));
        let mutated = mutate(sent.clone(), part, place, byte);
        if mutated.judge().is_ok() {
            prop_assert_eq!(meaning(&mutated), meaning(&sent));
        }
    }
}

proptest! {
    /// Both forms of [`sign`], with whatever body, header value and parameter.
    #[test]
    fn what_is_signed_is_accepted(
        body in proptest::collection::vec(any::<u8>(), 0..300),
        note in "[ -~äß]{0,40}",
        value in "[ -~äß]{0,40}",
        path in "(/[ -~&&[^?]]{0,8}){1,4}",
        token in proptest::option::of("[A-Za-z0-9+/=]{1,60}"),
        expires_seconds in 1_u32..=604_800,
    ) {
        let secret = SecretAccessKey::new("secret".to_owned());
        let credentials = Credentials {
            access_key_id: "AKIDEXAMPLE",
            secret_access_key: &secret,
            session_token: token.as_deref(),
        };
        let scope = Scope { region: "eu-central-1", service: "kms", path_rule: PathRule::Normalized };
        let now: Timestamp = NOW.parse().unwrap();
        let query: String = value.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let query = format!("b=&a={query}");
        let headers: [(&str, &[u8]); 2] = [("host", b"localhost"), ("x-amz-note", note.as_bytes())];
        let request =
            HttpRequest { method: "POST", path: &path, query: Some(&query), headers: &headers, body: &body };

        let added = sign(&request, &credentials, &scope, now).unwrap();
        let mut signed_headers = headers.to_vec();
        signed_headers.extend(added.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
        let signed = HttpRequest { headers: &signed_headers, ..request };
        let presigned_query = presign(&request, &credentials, &scope, now, expires_seconds).unwrap();
        let presigned = HttpRequest { query: Some(&presigned_query), ..request };

        for (request, is_presigned) in [(signed, false), (presigned, true)] {
            let claim = sigv4::parse(&request).map_err(|refusal| TestCaseError::fail(refusal.to_string()))?;
            prop_assert_eq!(claim.session_token.as_deref(), token.as_deref());
            prop_assert_eq!(claim.presigned, is_presigned);
            prop_assert_eq!(claim.signed_at, now);
            prop_assert_eq!((claim.date, claim.region), ("20150830", "eu-central-1"));
            let key = SigningKey::derive(&secret, claim.date, claim.region, claim.service);
            let expected = Expected { services: &["kms"], now };
            prop_assert_eq!(claim.verify(&request, Some(&key), &expected), Ok(()));
        }
    }

    /// Nothing panics, whatever the text.
    #[test]
    fn any_text_is_judged(
        authorization in any::<Vec<u8>>(),
        tail in ".{0,80}",
        query in ".{0,80}",
        path in ".{0,20}",
        date in any::<Vec<u8>>(),
    ) {
        let prefixed = format!("AWS4-HMAC-SHA256 {tail}");
        for header in [authorization.as_slice(), prefixed.as_bytes()] {
            let headers: [(&str, &[u8]); 3] =
                [("host", b"a"), ("x-amz-date", &date), ("authorization", header)];
            let request =
                HttpRequest { method: "GET", path: &path, query: Some(&query), headers: &headers, body: b"" };
            prop_assert!(sigv4::parse(&request).is_err());
        }
        let query = format!("X-Amz-Signature={query}&{query}");
        let request =
            HttpRequest { method: "GET", path: &path, query: Some(&query), headers: &[], body: b"" };
        prop_assert!(sigv4::parse(&request).is_err());
    }
}
