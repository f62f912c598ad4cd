//! Members of the wrong type are refused in AWS's words.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail as tests do"
)]

use wire::{
    json::{SerializationError, decode},
    kms::{
        encrypt::{DecryptRequest, EncryptRequest},
        keys::{CreateKeyRequest, ListKeysRequest, ScheduleKeyDeletionRequest},
        tags::TagResourceRequest,
    },
};

const LIST: &str = "Start of list found where not expected";
const OBJECT: &str = "Start of structure or map found where not expected.";

fn refusal<T: serde::de::DeserializeOwned + Default>(body: &str) -> Option<String> {
    let error: SerializationError =
        decode::<T>(body.as_bytes()).err().unwrap_or_else(|| panic!("accepted: {body}"));
    error.message
}

/// Puts each value in the place of `_` and compares the text of the refusal.
fn refused<T: serde::de::DeserializeOwned + Default>(body: &str, cases: &[(&str, &str)]) {
    for (value, text) in cases {
        let body = body.replace('_', value);
        assert_eq!(refusal::<T>(&body).as_deref(), Some(*text), "{body}");
    }
}

#[test]
fn strings() {
    refused::<EncryptRequest>(
        r#"{"KeyId": _}"#,
        &[
            ("1", "NUMBER_VALUE can not be converted to a String"),
            ("-1", "NUMBER_VALUE can not be converted to a String"),
            ("1.5", "NUMBER_VALUE can not be converted to a String"),
            ("18446744073709551616", "NUMBER_VALUE can not be converted to a String"),
            ("true", "TRUE_VALUE can not be converted to a String"),
            ("false", "FALSE_VALUE can not be converted to a String"),
            ("[]", LIST),
            ("[1]", LIST),
            ("{}", OBJECT),
        ],
    );
}

#[test]
fn enumerations_are_strings() {
    refused::<CreateKeyRequest>(
        r#"{"KeySpec": _}"#,
        &[("1", "NUMBER_VALUE can not be converted to a String"), ("[]", LIST), ("{}", OBJECT)],
    );
}

#[test]
fn integers() {
    refused::<ListKeysRequest>(
        r#"{"Limit": _}"#,
        &[
            (r#""1""#, "STRING_VALUE can not be converted to an Integer"),
            ("1.5", "NUMBER_VALUE can not be converted to an Integer"),
            ("1e-1", "NUMBER_VALUE can not be converted to an Integer"),
            ("true", "TRUE_VALUE can not be converted to an Integer"),
            ("[]", LIST),
            ("{}", OBJECT),
        ],
    );
    let days = |number: &str| {
        let body = format!(r#"{{"PendingWindowInDays": {number}}}"#);
        decode::<ScheduleKeyDeletionRequest>(body.as_bytes()).unwrap().pending_window_in_days
    };
    assert_eq!(days("7"), Some(7));
    assert_eq!(days("7.0"), Some(7));
    assert_eq!(days("3e1"), Some(30));
    assert_eq!(days("-0"), Some(0));
    assert_eq!(days("4294967303"), Some(4_294_967_303));
    assert_eq!(days("18446744073709551623"), Some(i64::MAX));
    assert_eq!(days("9223372036854775808"), Some(i64::MAX));
    assert_eq!(days("-9223372036854775809"), Some(i64::MIN));
    assert_eq!(days("1e300"), Some(i64::MAX));
    assert_eq!(days("null"), None);
}

#[test]
fn booleans() {
    refused::<EncryptRequest>(
        r#"{"DryRun": _}"#,
        &[
            (r#""true""#, "STRING_VALUE can not be converted to an Boolean"),
            ("1", "NUMBER_VALUE can not be converted to a Boolean"),
            ("[]", LIST),
            ("{}", OBJECT),
        ],
    );
}

#[test]
fn blobs() {
    refused::<EncryptRequest>(
        r#"{"Plaintext": _}"#,
        &[
            ("1", "NUMBER_VALUE can not be converted to a Blob"),
            ("true", "TRUE_VALUE can not be converted to a Blob"),
            ("[]", LIST),
            ("{}", OBJECT),
            (r#""AAE""#, "Base64 encoded length is expected a multiple of 4 bytes but found: 3"),
            (r#""AA-=""#, "Invalid Base64 character: '-'"),
            (r#""AAE=\n""#, "Invalid Base64 character: '\n'"),
            (r#"" AAE=""#, "Invalid Base64 character: ' '"),
            (r#""AAF=""#, "Invalid last non-pad Base64 character dectected"),
        ],
    );
    let request: EncryptRequest = decode(br#"{"Plaintext": "aGVsbG8\u003d"}"#).unwrap();
    assert_eq!(request.plaintext.unwrap().as_slice(), b"hello");
}

#[test]
fn a_refused_plaintext_is_not_repeated() {
    let text = refusal::<EncryptRequest>(r#"{"Plaintext": "c2VjcmV0c2VjcmV0c2VjcmV0!"}"#).unwrap();
    assert_eq!(text, "Invalid Base64 character: '!'");
}

#[test]
fn lists() {
    refused::<EncryptRequest>(
        r#"{"GrantTokens": _}"#,
        &[
            (r#""a""#, "Expected list or null"),
            ("1", "Expected list or null"),
            ("false", "Expected list or null"),
            ("{}", OBJECT),
            ("[1]", "NUMBER_VALUE can not be converted to a String"),
            ("[[]]", LIST),
        ],
    );
    refused::<TagResourceRequest>(
        r#"{"Tags": _}"#,
        &[("[1]", "Expected null"), (r#"["a"]"#, "Expected null")],
    );
}

#[test]
fn maps() {
    refused::<EncryptRequest>(
        r#"{"EncryptionContext": _}"#,
        &[
            (r#""a""#, "Expected map or null"),
            ("1", "Expected map or null"),
            ("[]", LIST),
            (r#"{"a": 1}"#, "NUMBER_VALUE can not be converted to a String"),
            (r#"{"a": {}}"#, OBJECT),
            (r#"{"a": "1", "b": "2", "a": "1"}"#, "Duplicate key in map"),
        ],
    );
}

#[test]
fn structures_are_not_lists() {
    // serde's derived readers would take a list for a structure.
    refused::<DecryptRequest>(
        r#"{"Recipient": _}"#,
        &[(r#""a""#, "Expected null"), ("[]", LIST), (r#"["RSAES_OAEP_SHA_256", "AAAA"]"#, LIST)],
    );
    refused::<TagResourceRequest>(r#"{"Tags": [["k", "v"]]}"#, &[("", LIST)]);
    refused::<EncryptRequest>("_", &[("[]", LIST), (r#"["key"]"#, LIST)]);
}

#[test]
fn members_come_once() {
    for body in [
        r#"{"KeyId": "a", "KeyId": "a"}"#,
        r#"{"KeyId": null, "KeyId": "a"}"#,
        r#"{"KeyId": "a", "\u004beyId": "b"}"#,
    ] {
        assert_eq!(refusal::<EncryptRequest>(body).as_deref(), Some("duplicate field `KeyId`"));
    }
    let nested = r#"{"Tags": [{"TagKey": "a", "TagKey": "b"}]}"#;
    assert_eq!(refusal::<TagResourceRequest>(nested).as_deref(), Some("duplicate field `TagKey`"));
}

#[test]
fn names_are_case_sensitive_and_unknown_ones_ignored() {
    let body =
        br#"{"keyId": "a", "KEYID": 1, "Unknown": {"KeyId": [1, {"x": null}]}, "KeyId": "b"}"#;
    let request: EncryptRequest = decode(body).unwrap();
    assert_eq!(request.key_id.as_deref(), Some("b"));
    let nested = br#"{"Tags": [{"TagKey": "k", "Other": [[]], "tagValue": 1, "TagValue": ""}]}"#;
    let request: TagResourceRequest = decode(nested).unwrap();
    let tags = request.tags.unwrap();
    assert_eq!((tags[0].tag_key.as_deref(), tags[0].tag_value.as_deref()), (Some("k"), Some("")));
}

#[test]
fn null_is_absence() {
    let request: EncryptRequest =
        decode(br#"{"KeyId": null, "Plaintext": null, "EncryptionContext": null, "DryRun": null}"#)
            .unwrap();
    assert!(request.key_id.is_none() && request.plaintext.is_none());
    assert!(request.encryption_context.is_none() && request.dry_run.is_none());
}
