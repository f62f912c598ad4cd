//! The `Authorization` header, its credential and its signature.

use crate::support::{ACCESS_KEY_ID, Draft, SECRET, Sent};
use crate::{Case, INCOMPLETE, INVALID, MISSING, UNKNOWN};

/// Whether the header is of this scheme at all.
pub(crate) fn scheme() -> Vec<Case> {
    let signed = || Draft::header_form().sign();
    let header = |text: &str| signed().authorization(|_| text.to_owned());
    let algorithm = |name: &str| {
        let mut draft = Draft::header_form();
        draft.algorithm = name.to_owned();
        draft.sign()
    };
    let mut bare = signed();
    bare.headers.retain(|(name, _)| name != "authorization");
    vec![
        ("no Authorization", bare, MISSING, "Missing Authentication Token"),
        ("empty Authorization", header(""), MISSING, ""),
        ("Basic", header("Basic YTpi"), MISSING, ""),
        ("Bearer", header("Bearer AWS4-HMAC-SHA256"), MISSING, ""),
        ("version 2", header("AWS AKIAIOSFODNN7EXAMPLE:c2ln"), MISSING, ""),
        ("lower-case algorithm", algorithm("aws4-hmac-sha256"), MISSING, ""),
        ("SHA-512", algorithm("AWS4-HMAC-SHA512"), INCOMPLETE, "'AWS4-HMAC-SHA512'"),
        ("ECDSA", algorithm("AWS4-ECDSA-P256-SHA256"), INCOMPLETE, "Unsupported AWS 'algorithm'"),
        ("algorithm cut short", algorithm("AWS4-HMAC-SHA25"), INCOMPLETE, "Unsupported"),
        (
            "algorithm alone",
            header("AWS4-HMAC-SHA256"),
            INCOMPLETE,
            "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization=AWS4-HMAC-SHA256",
        ),
    ]
}

/// Its three pairs, absent, empty, repeated and misspelt.
pub(crate) fn pairs() -> Vec<Case> {
    let signed = || Draft::header_form().sign();
    let without = |part: &str| {
        signed().authorization(|header| {
            let (algorithm, pairs) = header.split_once(' ').unwrap();
            let kept: Vec<&str> =
                pairs.split(", ").filter(|pair| !pair.starts_with(part)).collect();
            format!("{algorithm} {}", kept.join(", "))
        })
    };
    let emptied = |part: &str| {
        let pair = format!("{part}=");
        signed().authorization(|header| {
            let (before, after) = header.split_once(&pair).unwrap();
            let rest = after.split_once(',').map_or(String::new(), |(_, rest)| format!(",{rest}"));
            format!("{before}{pair}{rest}")
        })
    };
    let twice = signed().authorization(str::to_owned);
    let copy = twice.headers.last().cloned().unwrap().1;
    vec![
        ("no Credential", without("Credential"), INCOMPLETE, "requires 'Credential'"),
        ("no SignedHeaders", without("SignedHeaders"), INCOMPLETE, "requires 'SignedHeaders'"),
        ("no Signature", without("Signature"), INCOMPLETE, "requires 'Signature'"),
        ("empty Credential", emptied("Credential"), INCOMPLETE, "requires 'Credential'"),
        ("empty SignedHeaders", emptied("SignedHeaders"), INCOMPLETE, "requires 'SignedHeaders'"),
        ("empty Signature", emptied("Signature"), INCOMPLETE, "requires 'Signature'"),
        (
            "pair without equal-sign",
            signed().authorization(|header| format!("{header}, Extra")),
            INCOMPLETE,
            "Invalid key=value pair (missing equal-sign)",
        ),
        (
            "unknown pair",
            signed().authorization(|header| format!("{header}, Extra=1")),
            INCOMPLETE,
            "Unknown parameter",
        ),
        (
            "repeated pair",
            signed().authorization(|header| format!("{header}, Signature={}", "0".repeat(64))),
            INCOMPLETE,
            "Repeated parameter",
        ),
        (
            "lower-case pair",
            signed().authorization(|header| header.replace("Signature=", "signature=")),
            INCOMPLETE,
            "Unknown parameter",
        ),
        (
            "comma after the signature",
            signed().authorization(|header| format!("{header},")),
            INCOMPLETE,
            "missing equal-sign",
        ),
        ("two Authorization headers", twice.header("authorization", copy), INVALID, "exactly once"),
        (
            "Authorization too long",
            signed().authorization(|header| format!("{header}{}", " ".repeat(4_096))),
            INVALID,
            "exceeds the maximum",
        ),
    ]
}

/// The five parts of the credential, each altered and signed as altered.
pub(crate) fn credential() -> Vec<Case> {
    let scoped = |part, text: &str| Draft::header_form().scoped(part, text).sign();
    let named = |id: &str, secret: &str| {
        let mut draft = Draft::header_form();
        draft.access_key_id = id.to_owned();
        draft.secret = secret.to_owned();
        draft.sign()
    };
    let four = Draft::header_form()
        .sign()
        .authorization(|header| header.replace("/us-east-1/kms/", "/us-east-1/"));
    let six = Draft::header_form().sign().authorization(|h| h.replace("/kms/", "/kms/kms/"));
    let other = "AKIAI44QH8DHBEXAMPLE";
    vec![
        ("four parts", four, INCOMPLETE, "exactly 5 slash-delimited elements"),
        ("six parts", six, INCOMPLETE, "exactly 5 slash-delimited elements"),
        ("empty access key", named("", SECRET), INCOMPLETE, "exactly 5"),
        ("encoded slash in it", named("AKIA%2FB", SECRET), INCOMPLETE, "exactly 5"),
        ("space in it", named("AKIA B", SECRET), INCOMPLETE, "exactly 5"),
        ("access key too long", named(&"A".repeat(129), SECRET), INCOMPLETE, "exactly 5"),
        ("empty date", scoped(0, ""), INCOMPLETE, "exactly 5"),
        ("empty region", scoped(1, ""), INCOMPLETE, "exactly 5"),
        ("empty service", scoped(2, ""), INCOMPLETE, "exactly 5"),
        ("region too long", scoped(1, &"a".repeat(33)), INCOMPLETE, "exactly 5"),
        (
            "day before",
            scoped(0, "20150829"),
            INVALID,
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150829' != '20150830', from '20150830T123600Z'.",
        ),
        ("day after", scoped(0, "20150831"), INVALID, "'20150831' != '20150830'"),
        ("no day", scoped(0, "today"), INVALID, "'today' != '20150830'"),
        ("upper-case region", scoped(1, "US-EAST-1"), INVALID, "scoped to a valid region"),
        ("other service", scoped(2, "s3"), INVALID, "scoped to correct service: 'kms'."),
        ("upper-case service", scoped(2, "KMS"), INVALID, "correct service: 'kms'"),
        (
            "other terminator",
            scoped(3, "aws5_request"),
            INVALID,
            "'aws4_request', not 'aws5_request'",
        ),
        ("unknown access key", named(other, SECRET), UNKNOWN, "The security token included"),
        ("unknown, secret equal to id", named(other, other), UNKNOWN, ""),
        ("unknown, empty secret", named(other, ""), UNKNOWN, ""),
        ("known in lower case", named(&ACCESS_KEY_ID.to_ascii_lowercase(), SECRET), UNKNOWN, ""),
        (
            "known, secret equal to id",
            named(ACCESS_KEY_ID, ACCESS_KEY_ID),
            INVALID,
            "we calculated",
        ),
        ("known, empty secret", named(ACCESS_KEY_ID, ""), INVALID, "we calculated"),
    ]
}

/// The signature's own form, and requests changed after it was made.
pub(crate) fn signature() -> Vec<Case> {
    let signature = |rewrite: fn(&str) -> String| Draft::header_form().sign().signature(rewrite);
    let changed = |change: fn(&mut Sent)| {
        let mut sent = Draft::header_form().sign();
        change(&mut sent);
        sent
    };
    let words = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
    vec![
        ("upper-case", signature(str::to_ascii_uppercase), INVALID, words),
        ("63 digits", signature(|text| text[1..].to_owned()), INVALID, words),
        ("65 digits", signature(|text| format!("{text}0")), INVALID, words),
        ("not hexadecimal", signature(|text| format!("{}g", &text[1..])), INVALID, words),
        ("all zero", signature(|_| "0".repeat(64)), INVALID, words),
        ("garbage after it", signature(|text| format!("{text} trailing")), INVALID, words),
        ("reversed", signature(|text| text.chars().rev().collect()), INVALID, words),
        ("other method", changed(|sent| sent.method = "GET".to_owned()), INVALID, words),
        ("other path", changed(|sent| sent.path = "/other".to_owned()), INVALID, words),
        ("query added", changed(|sent| sent.query = Some("a=b".to_owned())), INVALID, words),
        ("body changed", changed(|sent| sent.body.push(b' ')), INVALID, words),
        (
            "target changed",
            changed(|sent| sent.headers[2].1 = b"TrentService.Decrypt".to_vec()),
            INVALID,
            words,
        ),
        (
            "scope changed",
            changed(|sent| {
                *sent =
                    sent.clone().authorization(|text| text.replace("/us-east-1/", "/us-east-2/"));
            }),
            INVALID,
            words,
        ),
    ]
}
