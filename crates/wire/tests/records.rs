//! `requestParameters` as CloudTrail writes them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail as tests do"
)]

use proptest::prelude::*;
use serde::de::DeserializeOwned;
use wire::{
    json::decode,
    kms::{
        encrypt::{DecryptRequest, EncryptRequest},
        generate::GenerateDataKeyRequest,
        import::ImportKeyMaterialRequest,
        keys::CreateKeyRequest,
        tags::UntagResourceRequest,
    },
    shape::{Shape, cloudtrail_date, record},
};

fn recorded<R: Shape + DeserializeOwned + Default>(body: &str, unrecorded: &[&str]) -> String {
    let request: R = decode(body.as_bytes()).unwrap();
    let mut out = Vec::new();
    record(&request, unrecorded, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn secrets_and_unrecorded_members_are_left_out() {
    assert_eq!(
        recorded::<EncryptRequest>(
            r#"{"KeyId":"alias/a","Plaintext":"c2VjcmV0","EncryptionContext":{"b":"2","a":"1\""},
                "GrantTokens":["token"],"EncryptionAlgorithm":"SYMMETRIC_DEFAULT","DryRun":true}"#,
            &["GrantTokens"],
        ),
        r#"{"keyId":"alias/a","encryptionContext":{"a":"1\"","b":"2"},"encryptionAlgorithm":"SYMMETRIC_DEFAULT","dryRun":true}"#
    );
    assert_eq!(
        recorded::<DecryptRequest>(
            r#"{"CiphertextBlob":"AAAA","Recipient":{"KeyEncryptionAlgorithm":"RSAES_OAEP_SHA_256",
                "AttestationDocument":"AAAA"}}"#,
            &["GrantTokens"],
        ),
        r#"{"recipient":{"keyEncryptionAlgorithm":"RSAES_OAEP_SHA_256"}}"#
    );
}

#[test]
fn every_type_is_written() {
    assert_eq!(
        recorded::<CreateKeyRequest>(
            r#"{"Description":"","MultiRegion":false,"Tags":[{"TagKey":"k","TagValue":"v"}],
                "KeySpec":"odd"}"#,
            &[],
        ),
        r#"{"description":"","keySpec":"odd","tags":[{"tagKey":"k","tagValue":"v"}],"multiRegion":false}"#
    );
    assert_eq!(
        recorded::<GenerateDataKeyRequest>(
            r#"{"KeyId":"a","NumberOfBytes":32,"EncryptionContext":{}}"#,
            &[],
        ),
        r#"{"keyId":"a","encryptionContext":{},"numberOfBytes":32}"#
    );
    assert_eq!(
        recorded::<UntagResourceRequest>(r#"{"KeyId":"a","TagKeys":["x","y"]}"#, &[]),
        r#"{"keyId":"a","tagKeys":["x","y"]}"#
    );
    assert_eq!(recorded::<UntagResourceRequest>(r#"{"TagKeys":[]}"#, &[]), r#"{"tagKeys":[]}"#);
    assert_eq!(recorded::<UntagResourceRequest>("{}", &[]), "{}");
    assert_eq!(
        recorded::<ImportKeyMaterialRequest>(
            r#"{"KeyId":"a","ImportToken":"AAAA","EncryptedKeyMaterial":"AAAA",
                "ValidTo":1680000000}"#,
            &[],
        ),
        r#"{"keyId":"a","validTo":"Mar 28, 2023, 10:40:00 AM"}"#
    );
}

#[test]
fn dates_are_written_as_cloudtrail_does() {
    let date = |text: &str| cloudtrail_date(text.parse().unwrap());
    assert_eq!(date("2022-08-10T22:38:27Z"), "Aug 10, 2022, 10:38:27 PM");
    assert_eq!(date("2022-08-01T00:08:07.9Z"), "Aug 1, 2022, 12:08:07 AM");
}

proptest! {
    #[test]
    fn what_is_recorded_is_json_with_the_texts_given(
        key_id in any::<String>(),
        pairs in prop::collection::btree_map(any::<String>(), any::<String>(), 0..5),
        plaintext in any::<[u8; 24]>(),
    ) {
        let request = EncryptRequest {
            key_id: Some(key_id.clone()),
            plaintext: Some(plaintext.to_vec().into()),
            encryption_context: Some(pairs.clone().into()),
            ..EncryptRequest::default()
        };
        let mut out = Vec::new();
        record(&request, &[], &mut out);
        let read: serde_json::Value = serde_json::from_slice(&out).unwrap();
        prop_assert_eq!(read, serde_json::json!({ "keyId": key_id, "encryptionContext": pairs }));
    }
}
