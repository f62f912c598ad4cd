//! Answers: their members by name and order, and the description of all that is built.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail as tests do"
)]

use jiff::Timestamp;
use serde_json::{Value, json};
use wire::{
    enums::*,
    json::encode,
    kms::{
        aliases::*, encrypt::*, generate::*, import::*, key_policies::*, keys::*, mac::*,
        multi_region::*, public_keys::*, rotation::*, shared_secrets::*, sign::*, tags::*,
    },
    model::{Answer, description, operation},
    names::{AccountId, AliasArn, AliasName, KeyArn, KeyId, KeyMaterialId, Region},
    values::Blob,
};

fn account() -> AccountId {
    "111122223333".parse().unwrap()
}

fn region() -> Region {
    "eu-central-1".parse().unwrap()
}

fn key_id() -> KeyId {
    KeyId::from_uuid_bytes([0x11; 16])
}

fn arn() -> KeyArn {
    KeyArn { region: region(), account: account(), key_id: key_id() }
}

fn blob() -> Blob {
    Blob::from(vec![0; 3])
}

fn time() -> Timestamp {
    Timestamp::from_millisecond(1_680_000_000_123).unwrap()
}

fn material() -> KeyMaterialId {
    KeyMaterialId::from_bytes([0xab; 32])
}

fn multi_region_key() -> MultiRegionKey {
    MultiRegionKey { arn: arn(), region: region() }
}

fn multi_region_configuration() -> MultiRegionConfiguration {
    MultiRegionConfiguration {
        multi_region_key_type: MultiRegionKeyType::Primary,
        primary_key: multi_region_key(),
        replica_keys: vec![multi_region_key()],
    }
}

/// No real key has all of these members.
fn key_metadata() -> KeyMetadata {
    KeyMetadata {
        aws_account_id: account(),
        key_id: key_id(),
        arn: arn(),
        creation_date: time(),
        enabled: true,
        description: String::new(),
        key_usage: KeyUsage::EncryptDecrypt,
        key_state: KeyState::Enabled,
        deletion_date: Some(time()),
        valid_to: Some(time()),
        origin: OriginType::AwsKms,
        custom_key_store_id: Some("cks".to_owned()),
        cloud_hsm_cluster_id: Some("cluster".to_owned()),
        expiration_model: Some(ExpirationModel::KeyMaterialExpires),
        key_manager: KeyManager::Customer,
        customer_master_key_spec: Some(CustomerMasterKeySpec::SymmetricDefault),
        key_spec: KeySpec::SymmetricDefault,
        encryption_algorithms: vec![EncryptionAlgorithmSpec::SymmetricDefault],
        signing_algorithms: vec![SigningAlgorithmSpec::Sm2Dsa],
        key_agreement_algorithms: vec![KeyAgreementAlgorithmSpec::Ecdh],
        encapsulation_algorithms: vec![EncapsulationAlgorithmSpec::MlKem],
        multi_region: true,
        multi_region_configuration: Some(multi_region_configuration()),
        pending_deletion_window_in_days: Some(7),
        mac_algorithms: vec![MacAlgorithmSpec::HmacSha256],
        xks_key_configuration: Some(XksKeyConfiguration { id: "x".to_owned() }),
        current_key_material_id: Some(material()),
    }
}

fn alias_entry() -> AliasListEntry {
    let alias: AliasName = "alias/a".parse().unwrap();
    AliasListEntry {
        alias_name: alias.clone(),
        alias_arn: AliasArn { region: region(), account: account(), alias },
        target_key_id: Some(key_id()),
        creation_date: Some(time()),
        last_updated_date: Some(time()),
    }
}

/// Compares the members of a fully populated answer with those stated beside its struct.
fn stated<A: Answer>(answer: &A) {
    let text = String::from_utf8(encode(answer)).unwrap();
    let value: serde_json::Map<String, Value> = serde_json::from_str(&text).unwrap();
    let mut stated: Vec<&str> = A::MEMBERS.to_vec();
    assert!(stated.iter().is_sorted_by_key(|name| text.find(&format!("\"{name}\":"))), "{text}");
    stated.sort_unstable();
    let mut written: Vec<&str> = value.keys().map(String::as_str).collect();
    written.sort_unstable();
    assert_eq!(written, stated);
}

#[test]
fn the_members_of_key_answers_are_stated() {
    stated(&key_metadata());
    stated(&multi_region_configuration());
    stated(&multi_region_key());
    stated(&XksKeyConfiguration { id: String::new() });
    stated(&CreateKeyResponse { key_metadata: key_metadata() });
    stated(&DescribeKeyResponse { key_metadata: key_metadata() });
    let entry = KeyListEntry { key_id: key_id(), key_arn: arn() };
    stated(&entry);
    stated(&ListKeysResponse {
        keys: vec![entry],
        next_marker: Some(String::new()),
        truncated: true,
    });
    stated(&ScheduleKeyDeletionResponse {
        key_id: arn(),
        deletion_date: Some(time()),
        key_state: KeyState::PendingDeletion,
        pending_window_in_days: 30,
    });
    stated(&CancelKeyDeletionResponse { key_id: arn() });
}

#[test]
fn the_members_of_alias_policy_and_tag_answers_are_stated() {
    let next_marker = || Some(String::new());
    stated(&alias_entry());
    stated(&ListAliasesResponse {
        aliases: vec![alias_entry()],
        next_marker: next_marker(),
        truncated: true,
    });
    stated(&GetKeyPolicyResponse { policy: String::new(), policy_name: String::new() });
    stated(&ListKeyPoliciesResponse {
        policy_names: vec!["default".to_owned()],
        next_marker: next_marker(),
        truncated: true,
    });
    let tag = Tag { tag_key: Some(String::new()), tag_value: Some(String::new()) };
    stated(&tag);
    stated(&ListResourceTagsResponse {
        tags: vec![tag],
        next_marker: next_marker(),
        truncated: true,
    });
}

#[test]
fn the_members_of_cryptographic_answers_are_stated() {
    stated(&EncryptResponse {
        ciphertext_blob: blob(),
        key_id: arn(),
        encryption_algorithm: EncryptionAlgorithmSpec::SymmetricDefault,
    });
    stated(&DecryptResponse {
        key_id: arn(),
        plaintext: Some(blob()),
        encryption_algorithm: EncryptionAlgorithmSpec::SymmetricDefault,
        ciphertext_for_recipient: Some(blob()),
        key_material_id: Some(material()),
    });
    stated(&ReEncryptResponse {
        ciphertext_blob: blob(),
        source_key_id: arn(),
        key_id: arn(),
        source_encryption_algorithm: EncryptionAlgorithmSpec::SymmetricDefault,
        destination_encryption_algorithm: EncryptionAlgorithmSpec::SymmetricDefault,
        source_key_material_id: Some(material()),
        destination_key_material_id: Some(material()),
    });
    stated(&GenerateDataKeyResponse {
        ciphertext_blob: blob(),
        plaintext: Some(blob()),
        key_id: arn(),
        ciphertext_for_recipient: Some(blob()),
        key_material_id: Some(material()),
    });
    stated(&GenerateDataKeyWithoutPlaintextResponse {
        ciphertext_blob: blob(),
        key_id: arn(),
        key_material_id: Some(material()),
    });
    stated(&GenerateRandomResponse {
        plaintext: Some(blob()),
        ciphertext_for_recipient: Some(blob()),
    });
}

#[test]
fn the_members_of_answers_of_key_types_are_stated() {
    stated(&SignResponse {
        key_id: arn(),
        signature: blob(),
        signing_algorithm: SigningAlgorithmSpec::EcdsaSha256,
    });
    stated(&VerifyResponse {
        key_id: arn(),
        signature_valid: true,
        signing_algorithm: SigningAlgorithmSpec::EcdsaSha256,
    });
    stated(&GenerateMacResponse {
        mac: blob(),
        mac_algorithm: MacAlgorithmSpec::HmacSha256,
        key_id: arn(),
    });
    stated(&VerifyMacResponse {
        key_id: arn(),
        mac_valid: true,
        mac_algorithm: MacAlgorithmSpec::HmacSha256,
    });
    stated(&GetPublicKeyResponse {
        key_id: arn(),
        public_key: blob(),
        customer_master_key_spec: Some(CustomerMasterKeySpec::Rsa2048),
        key_spec: KeySpec::Rsa2048,
        key_usage: KeyUsage::SignVerify,
        encryption_algorithms: vec![EncryptionAlgorithmSpec::RsaesOaepSha256],
        signing_algorithms: vec![SigningAlgorithmSpec::EcdsaSha256],
        key_agreement_algorithms: vec![KeyAgreementAlgorithmSpec::Ecdh],
        encapsulation_algorithms: vec![EncapsulationAlgorithmSpec::MlKem],
    });
    stated(&DeriveSharedSecretResponse {
        key_id: arn(),
        shared_secret: Some(blob()),
        ciphertext_for_recipient: Some(blob()),
        key_agreement_algorithm: KeyAgreementAlgorithmSpec::Ecdh,
        key_origin: OriginType::AwsKms,
    });
    stated(&EncapsulateResponse {
        key_id: arn(),
        shared_secret: blob(),
        shared_secret_ciphertext_blob: blob(),
        encapsulation_algorithm: EncapsulationAlgorithmSpec::MlKem,
    });
    stated(&DecapsulateResponse {
        key_id: arn(),
        shared_secret: blob(),
        encapsulation_algorithm: EncapsulationAlgorithmSpec::MlKem,
    });
    stated(&GenerateDataKeyPairResponse {
        private_key_ciphertext_blob: blob(),
        private_key_plaintext: Some(blob()),
        public_key: blob(),
        key_id: arn(),
        key_pair_spec: DataKeyPairSpec::Rsa2048,
        ciphertext_for_recipient: Some(blob()),
        key_material_id: Some(material()),
    });
    stated(&GenerateDataKeyPairWithoutPlaintextResponse {
        private_key_ciphertext_blob: blob(),
        public_key: blob(),
        key_id: arn(),
        key_pair_spec: DataKeyPairSpec::Rsa2048,
        key_material_id: Some(material()),
    });
}

#[test]
fn the_members_of_answers_of_lifecycles_are_stated() {
    stated(&GetParametersForImportResponse {
        key_id: arn(),
        import_token: blob(),
        public_key: blob(),
        parameters_valid_to: time(),
    });
    stated(&ImportKeyMaterialResponse { key_id: arn(), key_material_id: Some(material()) });
    stated(&DeleteImportedKeyMaterialResponse { key_id: arn(), key_material_id: Some(material()) });
    stated(&GetKeyRotationStatusResponse {
        key_rotation_enabled: true,
        key_id: arn(),
        rotation_period_in_days: Some(365),
        next_rotation_date: Some(time()),
        on_demand_rotation_start_date: Some(time()),
    });
    stated(&RotateKeyOnDemandResponse { key_id: arn() });
    let entry = RotationsListEntry {
        key_id: key_id(),
        key_material_id: material(),
        key_material_description: Some(String::new()),
        import_state: Some(ImportState::Imported),
        key_material_state: KeyMaterialState::Current,
        expiration_model: Some(ExpirationModel::KeyMaterialExpires),
        valid_to: Some(time()),
        rotation_date: Some(time()),
        rotation_type: Some(RotationType::OnDemand),
    };
    stated(&entry);
    stated(&ListKeyRotationsResponse {
        rotations: vec![entry],
        next_marker: Some(String::new()),
        truncated: true,
    });
    stated(&ReplicateKeyResponse {
        replica_key_metadata: key_metadata(),
        replica_policy: String::new(),
        replica_tags: Vec::new(),
    });
    stated(&KeyLastUsageData {
        operation: Some(KeyLastUsageOperation::Sign),
        timestamp: Some(time()),
        cloud_trail_event_id: Some(String::new()),
        kms_request_id: Some(String::new()),
    });
}

#[test]
fn the_last_usage_of_an_unused_key_is_an_empty_object() {
    let answer = GetKeyLastUsageResponse {
        key_id: arn(),
        key_last_usage: KeyLastUsageData::default(),
        tracking_start_date: time(),
        key_creation_date: time(),
    };
    stated(&answer);
    let written: Value = serde_json::from_slice(&encode(&answer)).unwrap();
    assert_eq!(written["KeyLastUsage"], json!({}));
    assert_eq!(written["TrackingStartDate"], json!(1_680_000_000.123));
}

#[test]
fn absent_members_are_left_out() {
    let answer = DecryptResponse {
        key_id: arn(),
        plaintext: Some(Blob::from(b"hello".to_vec())),
        encryption_algorithm: EncryptionAlgorithmSpec::SymmetricDefault,
        ciphertext_for_recipient: None,
        key_material_id: None,
    };
    let written: Value = serde_json::from_slice(&encode(&answer)).unwrap();
    assert_eq!(
        written,
        json!({
            "KeyId": "arn:aws:kms:eu-central-1:111122223333:key/11111111-1111-1111-1111-111111111111",
            "Plaintext": "aGVsbG8=",
            "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        })
    );
}

#[test]
fn what_is_described_has_its_members_and_rules() {
    let description = description([
        operation::<EncryptRequest>(),
        operation::<TagResourceRequest>(),
        operation::<EnableKeyRequest>(),
    ]);
    assert_eq!(description["operations"].as_object().unwrap().len(), 3);
    assert_eq!(
        description["operations"]["Encrypt"]["request"][0],
        json!({
            "name": "KeyId", "required": true, "sensitive": false,
            "type": "string", "min": 1, "max": 2048,
        })
    );
    assert_eq!(
        description["operations"]["TagResource"]["request"][1],
        json!({
            "name": "Tags", "required": true, "sensitive": false, "type": "list",
            "item": { "type": "structure", "members": [
                { "name": "TagKey", "required": true, "sensitive": false,
                  "type": "string", "min": 1, "max": 128 },
                { "name": "TagValue", "required": true, "sensitive": false,
                  "type": "string", "min": 0, "max": 256 },
            ]},
        })
    );
    assert_eq!(description["operations"]["EnableKey"]["answer"], json!([]));
    assert_eq!(description["enumerations"]["DataKeySpec"], json!(["AES_256", "AES_128"]));
    assert_eq!(description["structures"]["KeyListEntry"], json!(["KeyId", "KeyArn"]));
    let errors = description["errors"].as_array().unwrap();
    assert!(errors.contains(&json!({
        "name": "KMSInternalException", "status": 500, "modelled": true,
        "query": ["KMSInternalException", 500],
    })));
}
