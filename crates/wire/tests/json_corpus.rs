//! Bodies that are not the JSON they should be: refused, quickly, and by every reader alike.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail as tests do"
)]

use std::time::{Duration, Instant};

use proptest::prelude::*;
use wire::{
    json::decode,
    kms::{encrypt::EncryptRequest, tags::TagResourceRequest},
};

fn is_accepted(body: &[u8]) -> bool {
    decode::<EncryptRequest>(body).is_ok()
}

#[test]
fn what_is_not_json_is_refused_without_a_text() {
    let bodies: &[&[u8]] = &[
        b" ",
        b"{",
        b"}",
        b"null",
        b"\"KeyId\"",
        b"1",
        b"{} {}",
        b"{}x",
        b"{}\0",
        b"\0",
        b"{\"KeyId\":\"a\",}",
        b"{\"KeyId\"}",
        b"{\"KeyId\":}",
        b"{KeyId:\"a\"}",
        b"{'KeyId':'a'}",
        b"{\"KeyId\":\"a\" \"DryRun\":true}",
        b"{\"KeyId\":\"a\0b\"}",
        b"{\"KeyId\":\"a\nb\"}",
        b"{\"KeyId\":\"\\x41\"}",
        b"{\"KeyId\":\"\\u12\"}",
        b"{\"KeyId\":\"\\ud800\"}",
        b"{\"KeyId\":\"\\udc00\"}",
        b"{\"KeyId\":\"\\ud800\\u0041\"}",
        b"{\"\\ud800\":1}",
        b"{\"Unknown\":\"\\ud800\"}",
        b"{\"Unknown\":{\"a\":[\"\\udfff\"]}}",
        b"{\"Unknown\":{\"\\udfff\":1}}",
        b"{\"KeyId\":\"\xff\"}",
        b"{\"Unknown\":\"\xc0\x80\"}",
        b"{\"Unknown\":\"\xed\xa0\x80\"}",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\0}\0",
        b"\xfe\xff\0{\0}",
        b"{\0}\0",
        b"{\"DryRun\":True}",
        b"{\"DryRun\":tru}",
        b"{\"Unknown\":NaN}",
        b"{\"Unknown\":Infinity}",
        b"{\"Unknown\":01}",
        b"{\"Unknown\":+1}",
        b"{\"Unknown\":.5}",
        b"{\"Unknown\":1.}",
        b"{\"Unknown\":0x10}",
        b"{\"Unknown\":1e999}",
        b"{\"Unknown\":-1e999}",
        b"{/**/}",
        b"[",
        b"{\"GrantTokens\":[null]}",
        b"{\"EncryptionContext\":{\"a\":null}}",
    ];
    for body in bodies {
        let shown = String::from_utf8_lossy(body);
        match decode::<EncryptRequest>(body) {
            Ok(_) => panic!("accepted: {shown}"),
            Err(error) => {
                assert_eq!(error.message.as_deref(), expected_text(body), "{shown}");
            }
        }
    }
}

/// A list where the request should be is the one malformed body that AWS has a text for.
fn expected_text(body: &[u8]) -> Option<&'static str> {
    body.starts_with(b"[").then_some("Start of list found where not expected")
}

#[test]
fn odd_but_sound_json_is_accepted() {
    let bodies: &[&[u8]] = &[
        b"",
        b"{}",
        b" \t\r\n{ } \n",
        b"{\"Unknown\":-0}",
        b"{\"Unknown\":-0.0e-0}",
        b"{\"Unknown\":1e-999}",
        b"{\"Unknown\":123456789012345678901234567890}",
        b"{\"Unknown\":[1,2,{\"a\":[true,false,null]}],\"Unknown\":2}",
        b"{\"KeyId\":\"\\ud83d\\ude00 \\u0000 \\/ \xc3\xbf\"}",
        b"{\"\":1}",
        b"{\"EncryptionContext\":{\"\":\"\",\"a\":\"a\",\"A\":\"a\"}}",
    ];
    for body in bodies {
        assert!(is_accepted(body), "{}", String::from_utf8_lossy(body));
    }
}

fn nested(open: &str, close: &str, depth: usize) -> String {
    format!(r#"{{"Unknown":{}{}}}"#, open.repeat(depth), close.repeat(depth))
}

#[test]
fn nesting_is_bounded() {
    assert!(is_accepted(nested("[", "]", 15).as_bytes()));
    assert!(!is_accepted(nested("[", "]", 16).as_bytes()));
    let objects = |depth| nested(r#"{"a":"#, "}", depth).replace(":}", ":1}");
    assert!(is_accepted(objects(15).as_bytes()));
    assert!(!is_accepted(objects(16).as_bytes()));
    let error = decode::<EncryptRequest>(nested("[", "]", 16).as_bytes()).err().unwrap();
    assert_eq!(error.message, None);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test is about time that passes")]
fn hostile_bodies_are_refused_quickly() {
    let deep = "[".repeat(100_000);
    let started = Instant::now();
    for body in [
        deep.clone(),
        nested("[", "]", 100_000),
        nested(r#"{"a":"#, "}", 100_000),
        format!(r#"{{"Tags":{deep}"#),
        format!(r#"{{"Tags":[{{"x":{deep}"#),
    ] {
        assert!(decode::<TagResourceRequest>(body.as_bytes()).is_err());
    }
    let members: String = (0..1_000_000).map(|n| format!(r#""k{n}":1,"#)).collect();
    assert!(is_accepted(format!(r#"{{{members}"KeyId":"a"}}"#).as_bytes()));
    assert!(!is_accepted(format!(r#"{{{members}"KeyId":1}}"#).as_bytes()));
    // A debug build takes a few seconds on a busy machine; quadratic time would take hours.
    assert!(started.elapsed() < Duration::from_secs(30));
}

fn json_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::hash_map(any::<String>(), inner, 0..4)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn bytes_are_accepted_only_if_a_second_reader_does(
        body in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(&b"{}\":, "[..])], 0..64),
    ) {
        if !body.is_empty() && is_accepted(&body) {
            prop_assert!(serde_json::from_slice::<serde_json::Value>(&body).is_ok());
        }
    }

    #[test]
    fn nearly_json_agrees_with_a_second_reader(
        body in r#"\{"Unknown":[\[\]{}",:0-9eE.+\\ut -]{0,24}\}"#,
    ) {
        let second: Result<serde_json::Value, _> = serde_json::from_str(&body);
        prop_assert_eq!(is_accepted(body.as_bytes()), second.is_ok());
    }

    #[test]
    fn any_unknown_member_is_ignored(value in json_value()) {
        let body = serde_json::json!({ "KeyId": "a", "Unknown": value }).to_string();
        let request: EncryptRequest = decode(body.as_bytes()).unwrap();
        prop_assert_eq!(request.key_id.as_deref(), Some("a"));
    }

    #[test]
    fn any_cut_body_is_refused(value in json_value(), place in any::<prop::sample::Index>()) {
        let body = serde_json::json!({ "KeyId": "a", "Unknown": value }).to_string();
        let cut = place.index(body.len() - 1) + 1;
        prop_assert!(!is_accepted(&body.as_bytes()[..cut]));
    }

    #[test]
    fn encryption_contexts_are_read_as_given(
        pairs in prop::collection::btree_map(any::<String>(), any::<String>(), 0..8),
    ) {
        let body = serde_json::json!({ "EncryptionContext": &pairs }).to_string();
        let request: EncryptRequest = decode(body.as_bytes()).unwrap();
        prop_assert_eq!(&*request.encryption_context.unwrap(), &pairs);
    }

    #[test]
    fn a_context_key_that_comes_twice_is_refused(
        pairs in prop::collection::vec((any::<String>(), any::<String>()), 1..8),
        again in any::<prop::sample::Index>(),
        value in any::<String>(),
    ) {
        let text = |text: &str| serde_json::to_string(text).unwrap();
        let repeated = again.get(&pairs).0.clone();
        let members: Vec<String> = pairs
            .iter()
            .chain([&(repeated, value)])
            .map(|(key, value)| format!("{}:{}", text(key), text(value)))
            .collect();
        let body = format!(r#"{{"EncryptionContext":{{{}}}}}"#, members.join(","));
        prop_assert!(!is_accepted(body.as_bytes()));
    }

    #[test]
    fn blobs_are_read_as_they_are_written(bytes in any::<Vec<u8>>()) {
        let answer = wire::kms::generate::GenerateRandomResponse {
            plaintext: Some(bytes.clone().into()),
            ciphertext_for_recipient: None,
        };
        let request: EncryptRequest = decode(&wire::json::encode(&answer)).unwrap();
        let read = request.plaintext.unwrap().into_bytes();
        prop_assert_eq!(read, bytes);
    }
}
