//! Which headers are signed, and which have to be.
//!
//! A header that the service obeys and the signature does not cover belongs to whoever stands
//! between: that hole was fixed in several S3-compatible servers. So everything that says what the
//! request means must be listed.

use crate::limits::HEADERS_MAX;
use crate::refusal::Refusal;
use crate::request::{HttpRequest, is_header_name};

/// One bit for each header of a request.
type HeaderSet = u64;
const _: () = assert!(HEADERS_MAX <= 64, "a HeaderSet has a bit for each header");

/// Refuses a list that is not sorted, distinct and lower-case, names an absent header, or leaves
/// out a header that must be signed. `date_header` is the header the date was read from, `None`
/// when it came from the query.
pub(crate) fn check(
    list: &str,
    request: &HttpRequest<'_>,
    date_header: Option<&str>,
) -> Result<(), Refusal> {
    let refuse = |why| Err(Refusal::SignedHeaders { why });
    let mut signed: HeaderSet = 0;
    let mut previous = "";
    let (mut has_host, mut has_date) = (false, date_header.is_none());
    for name in list.split(';') {
        if !is_header_name(name) {
            return refuse("must be lower-case header names joined by ';'");
        }
        if name <= previous {
            return refuse("must be sorted and name each header once");
        }
        previous = name;
        let same_name = named(name, request)?;
        if same_name == 0 {
            return refuse("names a header that the request does not have");
        }
        // Values of one name are joined by commas when signed, so two headers read like one with a
        // comma in it.
        if must_be_signed(name) && same_name.count_ones() > 1 {
            return Err(Refusal::repeated_header(name));
        }
        signed |= same_name;
        has_host |= name == "host";
        has_date |= date_header == Some(name);
    }
    if !has_host {
        return Err(Refusal::unsigned("host"));
    }
    if let Some(date_header) = date_header.filter(|_| !has_date) {
        return Err(Refusal::unsigned(date_header));
    }
    for (position, (name, _)) in request.headers.iter().enumerate() {
        if signed & 1 << position == 0 && must_be_signed(name) {
            return Err(Refusal::unsigned(name));
        }
    }
    Ok(())
}

/// The headers called `name`, whose values must be text that reads in one way only.
fn named(name: &str, request: &HttpRequest<'_>) -> Result<HeaderSet, Refusal> {
    let mut set: HeaderSet = 0;
    for (position, (given, value)) in request.headers.iter().enumerate() {
        if *given == name {
            set |= 1 << position;
            if !is_signable(value) {
                return Err(Refusal::malformed_header(name));
            }
        }
    }
    Ok(set)
}

/// Headers that say what a request means, and so must be signed when present, and stand there once.
fn must_be_signed(name: &str) -> bool {
    name.starts_with("x-amz-") || name == "host" || name == "content-type"
}

/// UTF-8 without control characters. A line feed would write lines of the canonical request;
/// signers do not agree whether a tab is a space.
fn is_signable(value: &[u8]) -> bool {
    !value.iter().any(u8::is_ascii_control) && std::str::from_utf8(value).is_ok()
}
