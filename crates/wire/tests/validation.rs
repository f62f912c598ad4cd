//! Violations are told all at once and in AWS's words.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail as tests do"
)]

use serde::de::DeserializeOwned;
use wire::{
    json::decode,
    kms::{
        aliases::CreateAliasRequest,
        encrypt::{DecryptRequest, EncryptRequest},
        generate::GenerateDataKeyRequest,
        import::ImportKeyMaterialRequest,
        key_policies::PutKeyPolicyRequest,
        keys::{CreateKeyRequest, ListKeysRequest, UpdateKeyDescriptionRequest},
        multi_region::UpdatePrimaryRegionRequest,
        rotation::EnableKeyRotationRequest,
        tags::{TagResourceRequest, UntagResourceRequest},
    },
    shape::{Shape, required, validate},
};

fn violations<R: Shape + DeserializeOwned + Default>(body: &str) -> String {
    let request: R = decode(body.as_bytes()).unwrap();
    validate(&request).map_or_else(|violations| violations.to_string(), |()| String::new())
}

const KEY_ID: &str = "0987dcba-09fe-87dc-65ba-ab0987654321";

#[test]
fn a_sound_request_has_no_violations() {
    let body = format!(
        r#"{{"KeyId":"{KEY_ID}","Plaintext":"aGVsbG8=","EncryptionContext":{{"a":""}},
            "GrantTokens":["t"],"EncryptionAlgorithm":"SYMMETRIC_DEFAULT","DryRun":false}}"#
    );
    assert_eq!(violations::<EncryptRequest>(&body), "");
    let request: EncryptRequest = decode(body.as_bytes()).unwrap();
    assert_eq!(required(&request.key_id).map(String::as_str), Ok(KEY_ID));
    assert!(required(&EncryptRequest::default().key_id).is_err());
}

#[test]
fn missing_members() {
    assert_eq!(
        violations::<UpdateKeyDescriptionRequest>(r#"{"KeyId":"a"}"#),
        "1 validation error detected: Value null at 'description' failed to satisfy constraint: \
         Member must not be null"
    );
    assert_eq!(
        violations::<EncryptRequest>(""),
        "2 validation errors detected: Value null at 'keyId' failed to satisfy constraint: \
         Member must not be null; Value null at 'plaintext' failed to satisfy constraint: \
         Member must not be null"
    );
}

#[test]
fn lengths_count_characters_and_bytes() {
    assert_eq!(
        violations::<UpdateKeyDescriptionRequest>(r#"{"KeyId":"","Description":""}"#),
        "1 validation error detected: Value '' at 'keyId' failed to satisfy constraint: \
         Member must have length greater than or equal to 1"
    );
    let describe = |length| {
        let description = "€".repeat(length);
        violations::<UpdateKeyDescriptionRequest>(&format!(
            r#"{{"KeyId":"a","Description":"{description}"}}"#
        ))
    };
    assert_eq!(describe(8192), "");
    assert!(describe(8193).ends_with(
        "€' at 'description' failed to satisfy constraint: \
         Member must have length less than or equal to 8192"
    ));
}

#[test]
fn secrets_and_bytes_are_not_repeated() {
    assert_eq!(
        violations::<EncryptRequest>(r#"{"KeyId":"a","Plaintext":""}"#),
        "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: \
         Member must have length greater than or equal to 1"
    );
    let long = "AAAA".repeat(2049);
    assert_eq!(
        violations::<DecryptRequest>(&format!(r#"{{"CiphertextBlob":"{long}"}}"#)),
        "1 validation error detected: Value at 'ciphertextBlob' failed to satisfy constraint: \
         Member must have length less than or equal to 6144"
    );
}

#[test]
fn patterns() {
    assert_eq!(
        violations::<CreateAliasRequest>(r#"{"AliasName":"alias/a b","TargetKeyId":"a"}"#),
        "1 validation error detected: Value 'alias/a b' at 'aliasName' failed to satisfy \
         constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$"
    );
    assert_eq!(
        violations::<CreateAliasRequest>(r#"{"AliasName":"","TargetKeyId":"a"}"#),
        "2 validation errors detected: Value '' at 'aliasName' failed to satisfy constraint: \
         Member must have length greater than or equal to 1; Value '' at 'aliasName' failed to \
         satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$"
    );
    assert_eq!(
        violations::<PutKeyPolicyRequest>(r#"{"KeyId":"a","Policy":"Ā","PolicyName":"de-fault"}"#),
        "2 validation errors detected: Value 'de-fault' at 'policyName' failed to satisfy \
         constraint: Member must satisfy regular expression pattern: [\\w]+; Value 'Ā' at 'policy' \
         failed to satisfy constraint: Member must satisfy regular expression pattern: \
         [\\u0009\\u000A\\u000D\\u0020-\\u00FF]+"
    );
}

#[test]
fn enumerations_list_their_values() {
    assert_eq!(
        violations::<GenerateDataKeyRequest>(r#"{"KeyId":"a","KeySpec":"aes_256"}"#),
        "1 validation error detected: Value 'aes_256' at 'keySpec' failed to satisfy constraint: \
         Member must satisfy enum value set: [AES_256, AES_128]"
    );
}

#[test]
fn numbers() {
    assert_eq!(
        violations::<ListKeysRequest>(r#"{"Limit":0}"#),
        "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: \
         Member must have value greater than or equal to 1"
    );
    assert_eq!(
        violations::<ListKeysRequest>(r#"{"Limit":1001}"#),
        "1 validation error detected: Value '1001' at 'limit' failed to satisfy constraint: \
         Member must have value less than or equal to 1000"
    );
    assert!(violations::<ListKeysRequest>(r#"{"Limit":-1}"#).contains("greater than or equal"));
    assert!(
        violations::<ListKeysRequest>(r#"{"Limit":4294967297}"#).contains("less than or equal")
    );
}

#[test]
fn the_bounds_of_a_rotation_period() {
    let violation = |days: u16| {
        violations::<EnableKeyRotationRequest>(&format!(
            r#"{{"KeyId":"a","RotationPeriodInDays":{days}}}"#
        ))
    };
    assert_eq!((violation(90).as_str(), violation(2560).as_str()), ("", ""));
    assert!(violation(89).ends_with("Member must have value greater than or equal to 90"));
    assert!(violation(2561).ends_with("Member must have value less than or equal to 2560"));
}

#[test]
fn the_names_of_regions_and_key_materials() {
    let region = |name: &str| {
        violations::<UpdatePrimaryRegionRequest>(&format!(
            r#"{{"KeyId":"a","PrimaryRegion":"{name}"}}"#
        ))
    };
    assert_eq!(region("eu-central-1"), "");
    assert_eq!(
        region("Frankfurt"),
        "1 validation error detected: Value 'Frankfurt' at 'primaryRegion' failed to satisfy \
         constraint: Member must satisfy regular expression pattern: ^([a-z]+-){2,3}\\d+$"
    );
    let material = |id: &str| {
        violations::<ImportKeyMaterialRequest>(&format!(
            r#"{{"KeyId":"a","ImportToken":"AAAA","EncryptedKeyMaterial":"AAAA",
                "KeyMaterialId":"{id}","KeyMaterialDescription":"spring 2026"}}"#
        ))
    };
    assert_eq!(material(&"0f".repeat(32)), "");
    assert_eq!(
        material("0F"),
        "2 validation errors detected: Value '0F' at 'keyMaterialId' failed to satisfy \
         constraint: Member must have length greater than or equal to 64; Value '0F' at \
         'keyMaterialId' failed to satisfy constraint: Member must satisfy regular expression \
         pattern: ^[a-f0-9]+$"
    );
}

#[test]
fn lists_of_plain_items() {
    assert_eq!(
        violations::<UntagResourceRequest>(r#"{"KeyId":"a","TagKeys":["ok","",""]}"#),
        "1 validation error detected: Value '[ok, , ]' at 'tagKeys' failed to satisfy constraint: \
         Member must satisfy constraint: [Member must have length less than or equal to 128, \
         Member must have length greater than or equal to 1]"
    );
    assert_eq!(
        violations::<ListKeysRequest>(r#"{"ResourceOwners":[]}"#),
        "1 validation error detected: Value '[]' at 'resourceOwners' failed to satisfy \
         constraint: Member must have length greater than or equal to 1"
    );
    assert_eq!(
        violations::<ListKeysRequest>(r#"{"ResourceOwners":["SELF","ME"]}"#),
        "1 validation error detected: Value '[SELF, ME]' at 'resourceOwners' failed to satisfy \
         constraint: Member must satisfy constraint: [Member must satisfy enum value set: \
         [SELF, OTHER_ACCOUNTS_VIA_RAM]]"
    );
    let tokens = ["\"t\""; 11].join(",");
    assert!(
        violations::<EncryptRequest>(&format!(
            r#"{{"KeyId":"a","Plaintext":"AAAA","GrantTokens":[{tokens}]}}"#
        ))
        .ends_with(
            "at 'grantTokens' failed to satisfy constraint: \
             Member must have length less than or equal to 10"
        )
    );
}

#[test]
fn structures_are_told_by_their_paths() {
    assert_eq!(
        violations::<TagResourceRequest>(
            r#"{"KeyId":"a","Tags":[{"TagKey":"","TagValue":""},{"TagKey":"k"}]}"#
        ),
        "2 validation errors detected: Value '' at 'tags.1.member.tagKey' failed to satisfy \
         constraint: Member must have length greater than or equal to 1; \
         Value null at 'tags.2.member.tagValue' failed to satisfy constraint: \
         Member must not be null"
    );
    assert_eq!(
        violations::<DecryptRequest>(r#"{"Recipient":{"KeyEncryptionAlgorithm":"x"}}"#),
        "1 validation error detected: Value 'x' at 'recipient.keyEncryptionAlgorithm' failed to \
         satisfy constraint: Member must satisfy enum value set: [RSAES_OAEP_SHA_256]"
    );
}

#[test]
fn the_text_of_many_violations_is_bounded() {
    let tags = ["{}"; 10_000].join(",");
    let text = violations::<CreateKeyRequest>(&format!(r#"{{"Tags":[{tags}]}}"#));
    assert!(text.starts_with("50 validation errors detected: "));
    assert!(text.len() < 10_000);
}
