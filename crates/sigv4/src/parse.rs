//! From a raw request to a claim, by either of the two forms.

use std::borrow::Cow;

use crate::authorization::Authorization;
use crate::claim::{Claim, Evidence};
use crate::credential::Credential;
use crate::instant::Instant;
use crate::key::{HASH_BYTES, read_hex};
use crate::query::Query;
use crate::refusal::{Refusal, echo};
use crate::request::HttpRequest;
use crate::signed_headers;

/// Reads what `request` claims, from its `Authorization` header or its query string.
///
/// # Errors
///
/// Whatever can be refused without a key and a clock: no credential or more than one, a malformed
/// one, a decisive header that is not signed, a scope of another day.
pub fn parse<'a>(request: &HttpRequest<'a>) -> Result<Claim<'a>, Refusal> {
    request.check_form()?;
    let query = Query::parse(request.query)?;
    let authorization = request.single("authorization")?;
    match (authorization, query.signing_parameter()) {
        (Some(header), None) => header_form(request, header, &query),
        (None, Some(_)) => query_form(request, &query),
        (Some(_), Some(parameter)) => Err(Refusal::TwoCredentials { parameter }),
        (None, None) => Err(Refusal::MissingToken),
    }
}

fn header_form<'a>(
    request: &HttpRequest<'a>,
    header: &'a [u8],
    query: &Query<'a>,
) -> Result<Claim<'a>, Refusal> {
    let date = date_header(request)?;
    let authorization = Authorization::parse(header, date.is_some())?;
    let Some((date_name, date)) = date else {
        return Err(malformed_date(b""));
    };
    let signed_at = match date_name {
        "date" => Instant::parse_date_header(date),
        _ => Instant::parse(date),
    };
    let signed_at = signed_at.ok_or_else(|| malformed_date(date))?;
    signed_headers::check(authorization.signed_headers, request, Some(date_name))?;
    let parts = authorization.credential.split('/');
    let evidence = Evidence {
        credential: Credential::parse(authorization.credential, parts, &signed_at)?,
        signed_at,
        signed_headers: Cow::Borrowed(authorization.signed_headers),
        signature: read_signature(authorization.signature)?,
        content_sha256: request.single("x-amz-content-sha256")?,
        expires_seconds: None,
    };
    let session_token = request.single("x-amz-security-token")?.map(std::str::from_utf8);
    let session_token = session_token
        .transpose()
        .map_err(|_| Refusal::malformed_header("x-amz-security-token"))?
        .map(Cow::Borrowed);
    Ok(Claim::new(request, query.to_canonical(), evidence, session_token, false))
}

/// The one header that dates the request. With both there is doubt which counts, and signers differ
/// about it.
fn date_header<'a>(request: &HttpRequest<'a>) -> Result<Option<(&'static str, &'a [u8])>, Refusal> {
    match (request.single("x-amz-date")?, request.single("date")?) {
        (Some(_), Some(_)) => Err(Refusal::repeated_header("date")),
        (Some(text), None) => Ok(Some(("x-amz-date", text))),
        (None, Some(text)) => Ok(Some(("date", text))),
        (None, None) => Ok(None),
    }
}

fn query_form<'a>(request: &HttpRequest<'a>, query: &Query<'a>) -> Result<Claim<'a>, Refusal> {
    let presigned = query.presigned()?;
    // What the query says must not be said a second time by a header.
    for name in ["x-amz-date", "date", "x-amz-security-token", "x-amz-content-sha256"] {
        if request.single(name)?.is_some() {
            return Err(Refusal::repeated_header(name));
        }
    }
    let date = presigned.date.as_bytes();
    let signed_at = Instant::parse(date).ok_or_else(|| malformed_date(date))?;
    signed_headers::check(&presigned.signed_headers, request, None)?;
    let encoded_slash = |part: &'a str| part.split("%2F").flat_map(|part| part.split("%2f"));
    let parts = presigned.credential.split('/').flat_map(encoded_slash);
    let evidence = Evidence {
        credential: Credential::parse(presigned.credential, parts, &signed_at)?,
        signed_at,
        signed_headers: Cow::Owned(presigned.signed_headers),
        signature: read_signature(presigned.signature)?,
        content_sha256: presigned.content_sha256.map(str::as_bytes),
        expires_seconds: presigned.expires_seconds,
    };
    Ok(Claim::new(request, query.to_canonical(), evidence, presigned.session_token, true))
}

fn malformed_date(text: &[u8]) -> Refusal {
    Refusal::MalformedDate { date: echo(&String::from_utf8_lossy(text)) }
}

fn read_signature(text: &str) -> Result<[u8; HASH_BYTES], Refusal> {
    read_hex(text.as_bytes()).ok_or(Refusal::SignatureMismatch)
}
