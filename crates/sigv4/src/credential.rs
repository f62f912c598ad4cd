//! The credential scope: `keyid/date/region/service/aws4_request`.

use crate::instant::Instant;
use crate::limits::{ACCESS_KEY_ID_BYTES_MAX, SCOPE_PART_BYTES_MAX};
use crate::refusal::{Refusal, echo};

/// The last part of every SigV4 scope and of the key derivation.
pub(crate) const TERMINATOR: &str = "aws4_request";

/// A credential whose day, Region form and terminator have been checked.
#[derive(Clone, Copy)]
pub(crate) struct Credential<'a> {
    pub(crate) access_key_id: &'a str,
    pub(crate) date: &'a str,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
}

impl<'a> Credential<'a> {
    /// Reads the five parts and refuses those that cannot belong to a request of `signed_at`.
    ///
    /// `whole` is only for the refusal; `parts` come already split, because the query form writes
    /// the slash as `%2F`.
    pub(crate) fn parse(
        whole: &str,
        mut parts: impl Iterator<Item = &'a str>,
        signed_at: &Instant,
    ) -> Result<Self, Refusal> {
        let malformed = || Refusal::MalformedCredential { credential: echo(whole) };
        let mut part = |bytes_max: usize| {
            let text = parts.next().ok_or_else(malformed)?;
            let is_plain = text.bytes().all(is_unreserved);
            if text.is_empty() || text.len() > bytes_max || !is_plain {
                return Err(malformed());
            }
            Ok(text)
        };
        let access_key_id = part(ACCESS_KEY_ID_BYTES_MAX)?;
        let date = part(SCOPE_PART_BYTES_MAX)?;
        let region = part(SCOPE_PART_BYTES_MAX)?;
        let service = part(SCOPE_PART_BYTES_MAX)?;
        let terminator = part(SCOPE_PART_BYTES_MAX)?;
        if parts.next().is_some() {
            return Err(malformed());
        }
        let differences = differences(date, region, terminator, signed_at);
        if differences.is_empty() {
            Ok(Self { access_key_id, date, region, service })
        } else {
            Err(Refusal::Scope { differences })
        }
    }
}

/// AWS's sentences for a scope that does not fit the request, joined as AWS joins them; empty when
/// it fits.
fn differences(date: &str, region: &str, terminator: &str, signed_at: &Instant) -> String {
    let mut sentences = Vec::new();
    let region_is_plain = region
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !region_is_plain {
        sentences.push("Credential should be scoped to a valid region.".to_owned());
    }
    if terminator != TERMINATOR {
        sentences.push(format!(
            "Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{terminator}'."
        ));
    }
    if date != signed_at.day() {
        sentences.push(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{date}' != '{}', from '{}'.",
            signed_at.day(),
            signed_at.as_str()
        ));
    }
    sentences.join(" ")
}

/// RFC 3986 2.3: the bytes that SigV4 never encodes.
pub(crate) fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}
