//! The query string: its canonical form, and the presigned credential that it may carry.

use std::borrow::Cow;

use crate::authorization::ALGORITHM;
use crate::canonical::write_encoded;
use crate::limits::{PRESIGNED_EXPIRES_SECONDS_MAX, QUERY_BYTES_MAX, QUERY_PARAMETERS_MAX};
use crate::refusal::{Refusal, echo};

/// The parameters of the query form that must be there, in the order in which AWS names the absent
/// ones.
const REQUIRED: [&str; 5] =
    ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"];

/// Those that may be there.
const OPTIONAL: [&str; 3] = ["X-Amz-Expires", "X-Amz-Security-Token", "X-Amz-Content-Sha256"];

/// A query string, decoded and sorted.
pub(crate) struct Query<'a> {
    parameters: Vec<Parameter<'a>>,
}

/// One parameter. Name and value are in canonical form; a plain value reads the same in it.
struct Parameter<'a> {
    name: String,
    value: String,
    raw_value: &'a str,
}

/// The credential of a presigned request, as written.
pub(crate) struct Presigned<'a> {
    pub(crate) credential: &'a str,
    pub(crate) date: &'a str,
    pub(crate) expires_seconds: Option<u32>,
    pub(crate) signed_headers: String,
    pub(crate) signature: &'a str,
    pub(crate) session_token: Option<Cow<'a, str>>,
    pub(crate) content_sha256: Option<&'a str>,
}

impl<'a> Query<'a> {
    /// Decodes and sorts `text`. Names are refused twice over: a second value of a name, because
    /// the order of two values is not signed, and a signing parameter in another case, because
    /// readers differ about it.
    pub(crate) fn parse(text: Option<&'a str>) -> Result<Self, Refusal> {
        let text = text.unwrap_or_default();
        if text.len() > QUERY_BYTES_MAX {
            return Err(Refusal::TooLarge { what: "query string" });
        }
        let mut parameters = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            if parameters.len() == QUERY_PARAMETERS_MAX {
                return Err(Refusal::TooLarge { what: "number of query parameters" });
            }
            let (name, raw_value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = canonical(name)?;
            let is_variant = |known: &str| known.eq_ignore_ascii_case(&name) && known != name;
            if REQUIRED.into_iter().chain(OPTIONAL).any(is_variant) {
                return Err(Refusal::MalformedQuery { why: "Signing parameter in another case" });
            }
            parameters.push(Parameter { name, value: canonical(raw_value)?, raw_value });
        }
        parameters.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        let names = parameters.iter().map(|parameter| &parameter.name);
        match names.clone().zip(names.skip(1)).find(|(name, next)| name == next) {
            None => Ok(Self { parameters }),
            Some((name, _)) => Err(Refusal::Repeated { name: echo(name) }),
        }
    }

    /// The first signing parameter in it, if there is any.
    pub(crate) fn signing_parameter(&self) -> Option<&'static str> {
        REQUIRED.into_iter().chain(OPTIONAL).find(|name| self.find(name).is_some())
    }

    /// The canonical query string: everything but the signature itself.
    pub(crate) fn to_canonical(&self) -> String {
        let mut text = String::new();
        for parameter in &self.parameters {
            if parameter.name == "X-Amz-Signature" {
                continue;
            }
            if !text.is_empty() {
                text.push('&');
            }
            text.push_str(&parameter.name);
            text.push('=');
            text.push_str(&parameter.value);
        }
        text
    }

    /// The credential that the query carries.
    pub(crate) fn presigned(&self) -> Result<Presigned<'a>, Refusal> {
        let raw = |name| self.find(name).map(|parameter| parameter.raw_value);
        let [algorithm, credential, signature, signed_headers, date] =
            REQUIRED.map(|name| raw(name).filter(|value| !value.is_empty()));
        let (Some(algorithm), Some(credential), Some(signature), Some(signed_headers), Some(date)) =
            (algorithm, credential, signature, signed_headers, date)
        else {
            return Err(self.incomplete());
        };
        if algorithm != ALGORITHM {
            return Err(Refusal::UnsupportedAlgorithm { algorithm: echo(algorithm) });
        }
        Ok(Presigned {
            credential,
            date,
            expires_seconds: raw("X-Amz-Expires").map(parse_expires).transpose()?,
            signed_headers: decode_text(signed_headers)?.into_owned(),
            signature,
            session_token: raw("X-Amz-Security-Token").map(decode_text).transpose()?,
            content_sha256: raw("X-Amz-Content-Sha256"),
        })
    }

    fn find(&self, name: &str) -> Option<&Parameter<'a>> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// AWS's sentences for the absent parameters.
    fn incomplete(&self) -> Refusal {
        let is_absent =
            |name: &&str| self.find(name).is_none_or(|parameter| parameter.value.is_empty());
        let missing = REQUIRED
            .into_iter()
            .filter(is_absent)
            .map(|name| format!("AWS query-string parameters must include '{name}'. "))
            .collect();
        Refusal::IncompleteQuery { missing }
    }
}

/// Plain digits only: no sign, no space, no escape.
fn parse_expires(text: &str) -> Result<u32, Refusal> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = if is_number { text.parse().ok() } else { None };
    seconds
        .filter(|seconds| (1..=PRESIGNED_EXPIRES_SECONDS_MAX).contains(seconds))
        .ok_or(Refusal::MalformedExpires)
}

/// Decoded and encoded again, so that every way of writing one value has one canonical form.
fn canonical(raw: &str) -> Result<String, Refusal> {
    let mut encoded = Vec::with_capacity(raw.len());
    write_encoded(&decode(raw)?, &mut encoded);
    Ok(String::from_utf8(encoded).expect("percent-encoded text is ASCII"))
}

fn decode_text(raw: &str) -> Result<Cow<'_, str>, Refusal> {
    match decode(raw)? {
        Cow::Borrowed(_) => Ok(Cow::Borrowed(raw)),
        Cow::Owned(bytes) => String::from_utf8(bytes)
            .map(Cow::Owned)
            .map_err(|_| Refusal::MalformedQuery { why: "Text that is not UTF-8" }),
    }
}

/// Undoes percent-encoding. A plus is a space here as it is to the readers of forms, so that both
/// see one value.
fn decode(raw: &str) -> Result<Cow<'_, [u8]>, Refusal> {
    if !raw.bytes().any(|byte| byte == b'%' || byte == b'+') {
        return Ok(Cow::Borrowed(raw.as_bytes()));
    }
    let mut decoded = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    let digit = |bytes: &mut std::str::Bytes<'_>| {
        let value = bytes.next().and_then(|byte| char::from(byte).to_digit(16));
        value.and_then(|value| u8::try_from(value).ok())
    };
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => match (digit(&mut bytes), digit(&mut bytes)) {
                (Some(high), Some(low)) => high << 4 | low,
                _ => return Err(Refusal::MalformedQuery { why: "Illegal % escape" }),
            },
            plain => plain,
        });
    }
    Ok(Cow::Owned(decoded))
}
