//! The credential in the query string, and a second source beside the first.

use crate::support::{DATE, Draft, hash};
use crate::{Case, INCOMPLETE, INVALID, UNKNOWN};

/// The credential in the query string.
pub(crate) fn query() -> Vec<Case> {
    let draft = Draft::query_form;
    let without = |name: &str| draft().without(name).presign();
    let expiring = |text: &str| draft().with("X-Amz-Expires", text).presign();
    let credential = |text: &str| draft().with("X-Amz-Credential", text).presign();
    let unsigned_body = {
        let mut draft = draft().parameter("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD");
        draft.content_hash = Some("UNSIGNED-PAYLOAD".to_owned());
        draft.presign()
    };
    let mut old = draft().with("X-Amz-Date", "20150830T113559Z");
    old.date = "20150830T113559Z".to_owned();
    vec![
        (
            "no algorithm",
            without("X-Amz-Algorithm"),
            INCOMPLETE,
            "AWS query-string parameters must include 'X-Amz-Algorithm'. Re-examine the query-string parameters.",
        ),
        ("no credential", without("X-Amz-Credential"), INCOMPLETE, "include 'X-Amz-Credential'"),
        ("no date", without("X-Amz-Date"), INCOMPLETE, "include 'X-Amz-Date'"),
        (
            "empty list",
            draft().parameter("X-Amz-SignedHeaders", "").presign(),
            INCOMPLETE,
            "include 'X-Amz-SignedHeaders'",
        ),
        (
            "no signature",
            draft()
                .presign()
                .query(|query| query.split("&X-Amz-Signature").next().unwrap().to_owned()),
            INCOMPLETE,
            "include 'X-Amz-Signature'",
        ),
        (
            "other algorithm",
            draft().with("X-Amz-Algorithm", "AWS4-HMAC-SHA1").presign(),
            INCOMPLETE,
            "Unsupported",
        ),
        ("expires 0", expiring("0"), INCOMPLETE, "between 1 and 604800"),
        ("expires 604801", expiring("604801"), INCOMPLETE, "between 1 and 604800"),
        ("expires negative", expiring("-1"), INCOMPLETE, "between 1 and 604800"),
        ("expires with plus", expiring("+60"), INCOMPLETE, "between 1 and 604800"),
        ("expires empty", expiring(""), INCOMPLETE, "between 1 and 604800"),
        ("expires overflowing", expiring("4294967297"), INCOMPLETE, "between 1 and 604800"),
        (
            "expired",
            old.presign(),
            INVALID,
            "Signature expired: 20150830T113559Z is now earlier than 20150830T113600Z",
        ),
        ("bad date", draft().with("X-Amz-Date", "20150830").presign(), INCOMPLETE, "basic format"),
        ("four parts", credential("AKIA/20150830/us-east-1/aws4_request"), INCOMPLETE, "exactly 5"),
        ("unknown access key", credential("AKIA/20150830/us-east-1/kms/aws4_request"), UNKNOWN, ""),
        ("other day", credential("AKIA/20150831/us-east-1/kms/aws4_request"), INVALID, "Date in"),
        ("unsigned host", draft().not_signing("host").presign(), INVALID, "':authority'"),
        ("unsigned target", draft().not_signing("x-amz-target").presign(), INVALID, "x-amz-target"),
        ("unsigned payload", unsigned_body, INVALID, "x-amz-content-sha256 does not match"),
    ]
}

/// A credential in the query beside the one in the header.
pub(crate) fn second_source() -> Vec<Case> {
    let signed = || Draft::header_form().sign();
    let with_query = |text: &'static str| signed().query(|_| text.to_owned());
    vec![
        (
            "signature in the query of a header-signed request",
            with_query("X-Amz-Signature=00"),
            INVALID,
            "Found both 'X-Amz-Signature' as a query-string param and 'Authorization' as HTTP header.",
        ),
        (
            "the same, signed",
            Draft::header_form().parameter("X-Amz-Date", DATE).sign(),
            INVALID,
            "Found both",
        ),
        ("credential in both", with_query("X-Amz-Credential=a"), INVALID, "Found both"),
        ("lower-case signature", with_query("x-amz-signature=00"), INVALID, "another case"),
        (
            "escaped lower-case signature",
            with_query("x%2Damz-signature=00"),
            INVALID,
            "another case",
        ),
    ]
}

/// The same thing said twice, or something added to a presigned request.
pub(crate) fn repeated() -> Vec<Case> {
    let presigned = || Draft::query_form().presign();
    vec![
        (
            "two signatures",
            presigned().query(|query| format!("{query}&X-Amz-Signature=00")),
            INVALID,
            "exactly once",
        ),
        (
            "two expiries",
            Draft::query_form().parameter("X-Amz-Expires", "1").presign(),
            INVALID,
            "exactly once",
        ),
        (
            "lower-case expiry",
            Draft::query_form().parameter("x-amz-expires", "9").presign(),
            INVALID,
            "another case",
        ),
        (
            "header date beside the query",
            Draft::query_form().header("x-amz-date", DATE).presign(),
            INVALID,
            "exactly once",
        ),
        (
            "header token beside the query",
            Draft::query_form().header("x-amz-security-token", "a").presign(),
            INVALID,
            "exactly once",
        ),
        (
            "header hash beside the query",
            Draft::query_form().header("x-amz-content-sha256", hash(b"")).presign(),
            INVALID,
            "exactly once",
        ),
        (
            "token added after",
            presigned().query(|query| format!("{query}&X-Amz-Security-Token=a")),
            INVALID,
            "we calculated",
        ),
        (
            "parameter added after",
            presigned().query(|query| format!("{query}&a=b")),
            INVALID,
            "we calculated",
        ),
    ]
}
