//! One event to a webhook, signed in the form of the Standard Webhooks specification 1.0.0 (standardwebhooks.com).

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use service::Event;
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use crate::configuration::Webhook;
use crate::limits::{WEBHOOK_SECRETS_BYTES_MAX, WEBHOOK_SECRETS_MAX};
use crate::outgoing::{Client, FetchError, read_at_most};

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// What stands before a secret.
const SECRET_PREFIX: &str = "whsec_";
/// Bytes of a secret, the specification's bounds.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// Sends an event. The secrets are read each time, so that new ones are used at once.
pub(super) async fn send(
    webhook: &Webhook,
    event: &Event,
    now: Timestamp,
) -> Result<(), FetchError> {
    let keys = keys(&webhook.secret_file).await?;
    let body = event.to_json();
    let headers = headers(&keys, &event.id, now.as_second(), &body)
        .ok_or_else(|| FetchError::document("the id of the event is no header"))?;
    let client =
        Client { ca_file: webhook.ca_file.clone(), bearer_token_file: None, public_only: false };
    client.post(&webhook.url, headers, Bytes::from(body)).await
}

/// `webhook-signature = v1,base64(HMAC-SHA-256(secret, id . timestamp . body))`, one for each secret, with spaces between.
fn headers(keys: &[Key], id: &str, timestamp: i64, body: &str) -> Option<HeaderMap> {
    let signed = format!("{id}.{timestamp}.{body}");
    let signatures: Vec<String> = keys
        .iter()
        .map(|key| format!("v1,{}", STANDARD.encode(sign(key, signed.as_bytes()))))
        .collect();
    let mut headers = HeaderMap::new();
    headers.insert(ID, HeaderValue::from_str(id).ok()?);
    headers.insert(TIMESTAMP, HeaderValue::from(timestamp));
    headers.insert(SIGNATURE, HeaderValue::from_str(&signatures.join(" ")).ok()?);
    Some(headers)
}

async fn keys(path: &Path) -> Result<Vec<Key>, FetchError> {
    let path: PathBuf = path.to_owned();
    let opened = path.clone();
    let read = spawn_blocking(move || {
        let text = read_at_most(File::open(opened)?, WEBHOOK_SECRETS_BYTES_MAX)?;
        parse(&Zeroizing::new(text)).ok_or_else(|| {
            io::Error::other("not one to four lines of whsec_ and 24 to 64 bytes in base64")
        })
    });
    let read = read.await.map_err(io::Error::other).flatten();
    read.map_err(|cause| FetchError::File { path, cause })
}

/// The secrets, a line each.
fn parse(text: &[u8]) -> Option<Vec<Key>> {
    let lines: Vec<&str> = str::from_utf8(text).ok()?.lines().map(str::trim).collect();
    let lines = lines.into_iter().filter(|line| !line.is_empty());
    let keys = lines.map(|line| {
        let secret = Zeroizing::new(STANDARD.decode(line.strip_prefix(SECRET_PREFIX)?).ok()?);
        SECRET_BYTES.contains(&secret.len()).then(|| Key::new(HMAC_SHA256, &secret))
    });
    let keys = keys.collect::<Option<Vec<_>>>()?;
    (1..=WEBHOOK_SECRETS_MAX).contains(&keys.len()).then_some(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference implementations.
    #[test]
    fn a_signature_is_that_of_the_specification() {
        let keys = parse(b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
        let headers =
            headers(&keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, "{\"test\": 2432232314}");
        assert_eq!(headers.unwrap()[SIGNATURE], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn all_secrets_of_the_file_sign() {
        let line = format!("{SECRET_PREFIX}{}", STANDARD.encode([7; 32]));
        let keys = parse(format!("{line}\n\n {line} \n").as_bytes()).unwrap();
        let headers = headers(&keys, "a", 1, "{}").unwrap();
        let signatures: Vec<_> = headers[SIGNATURE].to_str().unwrap().split(' ').collect();
        assert_eq!((signatures.len(), signatures[0]), (2, signatures[1]));
        assert_eq!((&headers[ID], &headers[TIMESTAMP]), (&"a".parse().unwrap(), &1.into()));
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        let secret = |bytes: usize| format!("{SECRET_PREFIX}{}", STANDARD.encode(vec![7; bytes]));
        assert!(parse(secret(24).as_bytes()).is_some());
        assert!(parse([secret(32).as_str(); 4].join("\n").as_bytes()).is_some());
        for text in [
            String::new(),
            "\n".to_owned(),
            secret(23),
            secret(65),
            STANDARD.encode([7; 32]),
            format!("{}\nx", secret(32)),
            [secret(32).as_str(); 5].join("\n"),
        ] {
            assert!(parse(text.as_bytes()).is_none(), "{text}");
        }
        assert!(parse(b"\xff").is_none());
    }
}
