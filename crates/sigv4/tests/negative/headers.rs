//! Dates, the list of signed headers, the content hash, and forms that an HTTP parser may let
//! through.

use crate::support::{BODY, DATE, Draft, hash};
use crate::{Case, INCOMPLETE, INVALID};

/// `X-Amz-Date` and `Date`.
pub(crate) fn date() -> Vec<Case> {
    let dated = |text: &str| Draft::header_form().dated(text).sign();
    let http = |text: &str| Draft::kms().header("date", text).sign();
    vec![
        ("no date", Draft::kms().sign(), INCOMPLETE, "either a 'X-Amz-Date' or a 'Date' header"),
        ("both dates", Draft::header_form().header("date", DATE).sign(), INVALID, "exactly once"),
        (
            "two dates",
            Draft::header_form().header("x-amz-date", DATE).sign(),
            INVALID,
            "'x-amz-date'",
        ),
        (
            "extended form",
            dated("2015-08-30T12:36:00Z"),
            INCOMPLETE,
            "Date must be in ISO-8601 'basic format'. Got '2015-08-30T12:36:00Z'.",
        ),
        ("lower-case z", dated("20150830T123600z"), INCOMPLETE, "basic format"),
        ("space for T", dated("20150830 123600Z"), INCOMPLETE, "basic format"),
        ("no zone", dated("20150830T123600"), INCOMPLETE, "basic format"),
        ("offset", dated("20150830T123600+0000"), INCOMPLETE, "basic format"),
        ("fraction", dated("20150830T123600.0Z"), INCOMPLETE, "basic format"),
        ("impossible day", dated("20150231T123600Z"), INCOMPLETE, "basic format"),
        ("second 60", dated("20150830T123560Z"), INCOMPLETE, "basic format"),
        ("sign for a digit", dated("20150830T12360+Z"), INCOMPLETE, "basic format"),
        ("space at the end", dated("20150830T123600Z "), INCOMPLETE, "basic format"),
        ("empty date", dated(""), INCOMPLETE, "basic format"),
        ("too old", dated("20150830T123059Z"), INVALID, "Signature expired: 20150830T123059Z"),
        (
            "too new",
            dated("20150830T124101Z"),
            INVALID,
            "Signature not yet current: 20150830T124101Z",
        ),
        ("year 0001", dated("00010101T000000Z"), INVALID, "Signature expired"),
        ("year 9999", dated("99991230T000000Z"), INVALID, "not yet current"),
        ("other zone in Date", http("Sun, 30 Aug 2015 12:36:00 EST"), INCOMPLETE, "basic format"),
        (
            "wrong weekday in Date",
            http("Mon, 30 Aug 2015 12:36:00 GMT"),
            INCOMPLETE,
            "basic format",
        ),
        (
            "unsigned Date",
            Draft::kms().header("date", DATE).not_signing("date").sign(),
            INVALID,
            "'date' must be a 'SignedHeader'",
        ),
    ]
}

/// The list of signed headers, and what must be on it.
pub(crate) fn signed_header() -> Vec<Case> {
    let signing = |list: &str| Draft::header_form().signing(list).sign();
    let unsigned = |name: &str| {
        let draft = match name {
            "x-amz-security-token" | "x-amz-made-up" => Draft::header_form().header(name, "value"),
            "x-amz-content-sha256" => Draft::header_form().header(name, hash(BODY.as_bytes())),
            _ => Draft::header_form(),
        };
        draft.not_signing(name).sign()
    };
    let repeated = |name: &str| Draft::header_form().header(name, "another").sign();
    let token = Draft::header_form().header("x-amz-security-token", "one");
    vec![
        (
            "unsorted",
            signing("host;content-type;x-amz-date;x-amz-target"),
            INVALID,
            "must be sorted",
        ),
        (
            "duplicated",
            signing("content-type;host;host;x-amz-date;x-amz-target"),
            INVALID,
            "must be sorted and name each header once",
        ),
        (
            "upper-case",
            signing("Content-Type;host;x-amz-date;x-amz-target"),
            INVALID,
            "lower-case header names",
        ),
        ("empty name", signing(";content-type;host;x-amz-date;x-amz-target"), INVALID, "joined by"),
        ("commas", signing("content-type host x-amz-date x-amz-target"), INVALID, "joined by ';'"),
        (
            "absent header",
            signing("content-type;host;x-amz-absent;x-amz-date;x-amz-target"),
            INVALID,
            "does not have",
        ),
        (
            "unsigned host",
            unsigned("host"),
            INVALID,
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        ("no host", Draft::header_form().without_header("host").sign(), INVALID, "':authority'"),
        ("unsigned x-amz-date", unsigned("x-amz-date"), INVALID, "'x-amz-date' must be"),
        ("unsigned x-amz-target", unsigned("x-amz-target"), INVALID, "'x-amz-target' must be"),
        (
            "unsigned token",
            unsigned("x-amz-security-token"),
            INVALID,
            "'x-amz-security-token' must",
        ),
        ("unsigned content hash", unsigned("x-amz-content-sha256"), INVALID, "-sha256' must be"),
        ("unsigned made-up header", unsigned("x-amz-made-up"), INVALID, "'x-amz-made-up' must be"),
        ("unsigned content-type", unsigned("content-type"), INVALID, "'content-type' must be"),
        ("two hosts", repeated("host"), INVALID, "'host' must be given exactly once"),
        ("two targets", repeated("x-amz-target"), INVALID, "'x-amz-target' must be given"),
        ("two content types", repeated("content-type"), INVALID, "exactly once"),
        ("two tokens", token.header("x-amz-security-token", "two").sign(), INVALID, "exactly once"),
    ]
}

/// `x-amz-content-sha256`.
pub(crate) fn body() -> Vec<Case> {
    let hashed = |text: &str| {
        let mut draft = Draft::header_form().header("x-amz-content-sha256", text);
        draft.content_hash = Some(text.to_owned());
        draft.sign()
    };
    let words = "x-amz-content-sha256 does not match";
    let mut replaced = Draft::header_form();
    replaced.content_hash = Some("UNSIGNED-PAYLOAD".to_owned());
    vec![
        ("unsigned payload", hashed("UNSIGNED-PAYLOAD"), INVALID, words),
        ("streamed", hashed("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), INVALID, words),
        ("streamed, unsigned", hashed("STREAMING-UNSIGNED-PAYLOAD-TRAILER"), INVALID, words),
        ("hash of another body", hashed(&hash(b"{}")), INVALID, words),
        ("hash in upper case", hashed(&hash(BODY.as_bytes()).to_ascii_uppercase()), INVALID, words),
        ("empty hash", hashed(""), INVALID, words),
        ("unsigned payload without header", replaced.sign(), INVALID, "we calculated"),
    ]
}

/// Bytes and sizes that an HTTP parser may let through.
pub(crate) fn form() -> Vec<Case> {
    let valued = |value: &[u8]| Draft::header_form().header("x-amz-note", value).sign();
    let words = "'x-amz-note' holds characters that cannot be signed";
    let mut many = Draft::header_form();
    for position in 0..64 {
        many = many.header(&format!("x-{position:02}"), "");
    }
    let mut long = Draft::header_form();
    long.path = format!("/{}", "a".repeat(2_048));
    let mut method = Draft::header_form();
    method.method = "POST\n/".to_owned();
    let parameters = (0..65)
        .fold(Draft::header_form(), |draft, position| draft.parameter(&format!("p{position}"), ""));
    vec![
        ("NUL", valued(b"a\0b"), INVALID, words),
        ("carriage return", valued(b"a\rb"), INVALID, words),
        ("line feed", valued(b"a\nx-amz-target:TrentService.Decrypt"), INVALID, words),
        ("folded line", valued(b"a\r\n b"), INVALID, words),
        ("tab", valued(b"a\tb"), INVALID, words),
        ("delete", valued(b"a\x7fb"), INVALID, words),
        ("not UTF-8", valued(b"a\xffb"), INVALID, words),
        (
            "upper-case header name",
            Draft::header_form().header("X-Amz-Note", "a").sign(),
            INVALID,
            "cannot be signed",
        ),
        ("line feed in the method", method.sign(), INVALID, "'method' holds"),
        ("too many headers", many.sign(), INVALID, "header count"),
        ("path too long", long.sign(), INVALID, "path"),
        (
            "query too long",
            Draft::header_form().parameter("a", &"b".repeat(16_384)).sign(),
            INVALID,
            "query string",
        ),
        ("too many parameters", parameters.sign(), INVALID, "query parameters"),
        (
            "parameter twice",
            Draft::header_form().parameter("a", "1").parameter("a", "2").sign(),
            INVALID,
            "'a' must be",
        ),
        (
            "bad escape",
            Draft::header_form().sign().query(|_| "a=%2".to_owned()),
            INVALID,
            "% escape",
        ),
        (
            "signed escape",
            Draft::header_form().sign().query(|_| "a=%+1".to_owned()),
            INVALID,
            "% escape",
        ),
    ]
}
