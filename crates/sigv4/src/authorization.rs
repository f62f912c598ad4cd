//! The header form: `Authorization: AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`.

use crate::limits::AUTHORIZATION_BYTES_MAX;
use crate::refusal::{Refusal, echo};

/// The only algorithm that is verified.
pub(crate) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What every algorithm name of this family begins with; another scheme is no AWS credential.
const FAMILY: &str = "AWS4-";

/// The three parts of the header, as written.
pub(crate) struct Authorization<'a> {
    pub(crate) credential: &'a str,
    pub(crate) signed_headers: &'a str,
    pub(crate) signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Reads the header. `has_date` is for the refusal alone: AWS lists an absent date among the
    /// absent parts.
    pub(crate) fn parse(header: &'a [u8], has_date: bool) -> Result<Self, Refusal> {
        if header.len() > AUTHORIZATION_BYTES_MAX {
            return Err(Refusal::TooLarge { what: "Authorization header" });
        }
        let Ok(header) = std::str::from_utf8(header) else {
            return Err(Refusal::malformed_header("authorization"));
        };
        if !header.starts_with(FAMILY) {
            return Err(Refusal::MissingToken);
        }
        let (algorithm, pairs) = header.split_once(' ').unwrap_or((header, ""));
        let pairs = pairs.trim_matches(' ');
        if algorithm != ALGORITHM {
            return Err(Refusal::UnsupportedAlgorithm { algorithm: echo(algorithm) });
        }
        let mut credential = None;
        let mut signed_headers = None;
        let mut signature = None;
        for pair in pairs.split(',').filter(|_| !pairs.is_empty()) {
            let malformed = |why| Refusal::MalformedAuthorization { why };
            let Some((name, value)) = pair.trim_matches(' ').split_once('=') else {
                return Err(malformed("Invalid key=value pair (missing equal-sign)"));
            };
            let place = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => return Err(malformed("Unknown parameter")),
            };
            if place.replace(value).is_some() {
                return Err(malformed("Repeated parameter"));
            }
        }
        let present = |part: Option<&'a str>| part.filter(|value| !value.is_empty());
        match (present(credential), present(signed_headers), present(signature), has_date) {
            (Some(credential), Some(signed_headers), Some(signature), true) => {
                Ok(Self { credential, signed_headers, signature })
            }
            (credential, signed_headers, signature, has_date) => Err(incomplete(
                credential.is_some(),
                signature.is_some(),
                signed_headers.is_some(),
                has_date,
            )),
        }
    }
}

/// AWS's sentences for the absent parts, in AWS's order.
fn incomplete(credential: bool, signature: bool, signed_headers: bool, date: bool) -> Refusal {
    let missing: String = [
        (credential, "'Credential' parameter. "),
        (signature, "'Signature' parameter. "),
        (signed_headers, "'SignedHeaders' parameter. "),
        (date, "existence of either a 'X-Amz-Date' or a 'Date' header. "),
    ]
    .into_iter()
    .filter(|(is_present, _)| !is_present)
    .map(|(_, part)| format!("Authorization header requires {part}"))
    .collect();
    Refusal::IncompleteHeader { missing, algorithm: ALGORITHM }
}
