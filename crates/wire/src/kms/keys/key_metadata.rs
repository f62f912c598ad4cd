//! What DescribeKey and CreateKey tell of a key.

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    enums::{
        CustomerMasterKeySpec, EncapsulationAlgorithmSpec, EncryptionAlgorithmSpec,
        ExpirationModel, KeyAgreementAlgorithmSpec, KeyManager, KeySpec, KeyState, KeyUsage,
        MacAlgorithmSpec, MultiRegionKeyType, OriginType, SigningAlgorithmSpec,
    },
    json::epoch,
    model::answer,
    names::{AccountId, KeyArn, KeyId, KeyMaterialId, Region},
};

/// All that is told of a key. Members that do not apply to it are absent.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeyMetadata {
    /// The account that owns the key.
    #[serde(rename = "AWSAccountId")]
    pub aws_account_id: AccountId,
    /// Its id.
    pub key_id: KeyId,
    /// Its ARN.
    pub arn: KeyArn,
    /// When it was created.
    #[serde(with = "epoch")]
    pub creation_date: Timestamp,
    /// Whether it can be used.
    pub enabled: bool,
    /// The description for people, perhaps empty.
    pub description: String,
    /// What it may be used for.
    pub key_usage: KeyUsage,
    /// Its state.
    pub key_state: KeyState,
    /// When it will be deleted; only while it is pending deletion.
    #[serde(with = "epoch::option", skip_serializing_if = "Option::is_none")]
    pub deletion_date: Option<Timestamp>,
    /// When its imported material expires.
    #[serde(with = "epoch::option", skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Timestamp>,
    /// Where its material comes from.
    pub origin: OriginType,
    /// The custom key store that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_key_store_id: Option<String>,
    /// The CloudHSM cluster that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_hsm_cluster_id: Option<String>,
    /// Whether its imported material expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration_model: Option<ExpirationModel>,
    /// Who manages it.
    pub key_manager: KeyManager,
    /// Its kind by the older name; newer kinds have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_master_key_spec: Option<CustomerMasterKeySpec>,
    /// Its kind.
    pub key_spec: KeySpec,
    /// The encryption algorithms that it supports in its usage.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub encryption_algorithms: Vec<EncryptionAlgorithmSpec>,
    /// The signing algorithms that it supports in its usage.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signing_algorithms: Vec<SigningAlgorithmSpec>,
    /// The key agreement algorithms that it supports in its usage.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub key_agreement_algorithms: Vec<KeyAgreementAlgorithmSpec>,
    /// The encapsulation algorithms that it supports in its usage.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub encapsulation_algorithms: Vec<EncapsulationAlgorithmSpec>,
    /// Whether it is a multi-Region key.
    pub multi_region: bool,
    /// Its related keys, if it is a multi-Region key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multi_region_configuration: Option<MultiRegionConfiguration>,
    /// How long its deletion waits for its replicas' to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_deletion_window_in_days: Option<u16>,
    /// The MAC algorithms that it supports in its usage.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mac_algorithms: Vec<MacAlgorithmSpec>,
    /// The key in an external key store that it stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_key_configuration: Option<XksKeyConfiguration>,
    /// The version of its material that encrypts; symmetric keys only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_key_material_id: Option<KeyMaterialId>,
}
answer!(
    KeyMetadata: "AWSAccountId", "KeyId", "Arn", "CreationDate", "Enabled", "Description",
    "KeyUsage", "KeyState", "DeletionDate", "ValidTo", "Origin", "CustomKeyStoreId",
    "CloudHsmClusterId", "ExpirationModel", "KeyManager", "CustomerMasterKeySpec", "KeySpec",
    "EncryptionAlgorithms", "SigningAlgorithms", "KeyAgreementAlgorithms",
    "EncapsulationAlgorithms", "MultiRegion", "MultiRegionConfiguration",
    "PendingDeletionWindowInDays", "MacAlgorithms", "XksKeyConfiguration", "CurrentKeyMaterialId"
);

/// The related keys of a multi-Region key.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MultiRegionConfiguration {
    /// Whether the key described is the primary key or a replica.
    pub multi_region_key_type: MultiRegionKeyType,
    /// The primary key.
    pub primary_key: MultiRegionKey,
    /// The replicas.
    pub replica_keys: Vec<MultiRegionKey>,
}
answer!(MultiRegionConfiguration: "MultiRegionKeyType", "PrimaryKey", "ReplicaKeys");

/// One of the related keys of a multi-Region key.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MultiRegionKey {
    /// Its ARN.
    pub arn: KeyArn,
    /// The Region that it lives in.
    pub region: Region,
}
answer!(MultiRegionKey: "Arn", "Region");

/// The key in an external key store that a KMS key stands for.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct XksKeyConfiguration {
    /// Its id there.
    pub id: String,
}
answer!(XksKeyConfiguration: "Id");
