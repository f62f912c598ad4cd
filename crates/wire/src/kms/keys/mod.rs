//! Keys: CreateKey, DescribeKey, ListKeys, UpdateKeyDescription, EnableKey, DisableKey,
//! ScheduleKeyDeletion, CancelKeyDeletion, GetKeyLastUsage.

mod key_metadata;
mod last_usage;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use key_metadata::{
    KeyMetadata, MultiRegionConfiguration, MultiRegionKey, XksKeyConfiguration,
};
pub use last_usage::{GetKeyLastUsageRequest, GetKeyLastUsageResponse, KeyLastUsageData};

use super::{
    family,
    rules::*,
    tags::{TAGS, Tag},
};
use crate::{
    enums::{CustomerMasterKeySpec, KeySpec, KeyState, KeyUsage, OriginType, ResourceOwner},
    json::epoch,
    model::answer,
    names::{KeyArn, KeyId},
    shape::{Shape, Visitor},
    values::OneOf,
};

/// The request of CreateKey.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct CreateKeyRequest {
    /// The key policy; the default policy if absent.
    pub policy: Option<String>,
    /// A description for people.
    pub description: Option<String>,
    /// What the key may be used for.
    pub key_usage: Option<OneOf<KeyUsage>>,
    /// The kind of key, by the older name of `key_spec`.
    pub customer_master_key_spec: Option<OneOf<CustomerMasterKeySpec>>,
    /// The kind of key.
    pub key_spec: Option<OneOf<KeySpec>>,
    /// Where the key material comes from.
    pub origin: Option<OneOf<OriginType>>,
    /// The custom key store that is to hold the key material.
    pub custom_key_store_id: Option<String>,
    /// Whether a policy is accepted that locks its author out.
    pub bypass_policy_lockout_safety_check: Option<bool>,
    /// The key's first tags.
    pub tags: Option<Vec<Tag>>,
    /// Whether the key is to be a multi-Region primary key.
    pub multi_region: Option<bool>,
    /// The key in an external key store.
    pub xks_key_id: Option<String>,
}

impl Shape for CreateKeyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("Policy", &self.policy, &POLICY);
        visitor.member("Description", &self.description, &DESCRIPTION);
        visitor.member("KeyUsage", &self.key_usage, &KEY_USAGE);
        visitor.member(
            "CustomerMasterKeySpec",
            &self.customer_master_key_spec,
            &CUSTOMER_MASTER_KEY_SPEC,
        );
        visitor.member("KeySpec", &self.key_spec, &KEY_SPEC);
        visitor.member("Origin", &self.origin, &ORIGIN);
        visitor.member("CustomKeyStoreId", &self.custom_key_store_id, &CUSTOM_KEY_STORE_ID);
        visitor.member(
            "BypassPolicyLockoutSafetyCheck",
            &self.bypass_policy_lockout_safety_check,
            &FLAG,
        );
        visitor.member("Tags", &self.tags, &TAGS);
        visitor.member("MultiRegion", &self.multi_region, &FLAG);
        visitor.member("XksKeyId", &self.xks_key_id, &XKS_KEY_ID);
    }
}

/// The answer of CreateKey.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateKeyResponse {
    /// The new key.
    pub key_metadata: KeyMetadata,
}
answer!(CreateKeyResponse: "KeyMetadata");

/// The request of DescribeKey.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeKeyRequest {
    /// The key, in any form.
    pub key_id: Option<String>,
    /// Grants that may be too new to be known everywhere.
    pub grant_tokens: Option<Vec<String>>,
}

impl Shape for DescribeKeyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member("GrantTokens", &self.grant_tokens, &GRANT_TOKENS);
    }
}

/// The answer of DescribeKey.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeKeyResponse {
    /// The key.
    pub key_metadata: KeyMetadata,
}
answer!(DescribeKeyResponse: "KeyMetadata");

/// The request of ListKeys.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListKeysRequest {
    /// The most keys to be told at once.
    pub limit: Option<i64>,
    /// Where the previous page ended.
    pub marker: Option<String>,
    /// Whose keys to tell; the caller's own if absent.
    pub resource_owners: Option<Vec<OneOf<ResourceOwner>>>,
}

impl Shape for ListKeysRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("Limit", &self.limit, &LIMIT);
        visitor.member("Marker", &self.marker, &MARKER);
        visitor.member("ResourceOwners", &self.resource_owners, &RESOURCE_OWNERS);
    }
}

/// The answer of ListKeys.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListKeysResponse {
    /// The keys of this page.
    pub keys: Vec<KeyListEntry>,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
    /// Whether there are more.
    pub truncated: bool,
}
answer!(ListKeysResponse: "Keys", "NextMarker", "Truncated");

/// A key in a list.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeyListEntry {
    /// Its id.
    pub key_id: KeyId,
    /// Its ARN.
    pub key_arn: KeyArn,
}
answer!(KeyListEntry: "KeyId", "KeyArn");

/// The request of UpdateKeyDescription.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateKeyDescriptionRequest {
    /// The key's id or ARN.
    pub key_id: Option<String>,
    /// The new description, perhaps empty.
    pub description: Option<String>,
}

impl Shape for UpdateKeyDescriptionRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member("Description", &self.description, &REQUIRED_DESCRIPTION);
    }
}

/// The request of EnableKey.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct EnableKeyRequest {
    /// The key's id or ARN.
    pub key_id: Option<String>,
}

impl Shape for EnableKeyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
    }
}

/// The request of DisableKey.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct DisableKeyRequest {
    /// The key's id or ARN.
    pub key_id: Option<String>,
}

impl Shape for DisableKeyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
    }
}

/// The request of ScheduleKeyDeletion.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ScheduleKeyDeletionRequest {
    /// The key's id or ARN.
    pub key_id: Option<String>,
    /// How long to wait before the deletion; the service's own bounds are narrower than the model's.
    pub pending_window_in_days: Option<i64>,
}

impl Shape for ScheduleKeyDeletionRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member("PendingWindowInDays", &self.pending_window_in_days, &PENDING_WINDOW_DAYS);
    }
}

/// The answer of ScheduleKeyDeletion.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ScheduleKeyDeletionResponse {
    /// The key.
    pub key_id: KeyArn,
    /// When it will be deleted; absent while replicas of it remain.
    #[serde(with = "epoch::option", skip_serializing_if = "Option::is_none")]
    pub deletion_date: Option<Timestamp>,
    /// Its state from now on.
    pub key_state: KeyState,
    /// How long the deletion waits.
    pub pending_window_in_days: u16,
}
answer!(
    ScheduleKeyDeletionResponse: "KeyId", "DeletionDate", "KeyState", "PendingWindowInDays"
);

/// The request of CancelKeyDeletion.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct CancelKeyDeletionRequest {
    /// The key's id or ARN.
    pub key_id: Option<String>,
}

impl Shape for CancelKeyDeletionRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
    }
}

/// The answer of CancelKeyDeletion.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CancelKeyDeletionResponse {
    /// The key.
    pub key_id: KeyArn,
}
answer!(CancelKeyDeletionResponse: "KeyId");

family! {
    CreateKeyRequest = "CreateKey" -> CreateKeyResponse;
    DescribeKeyRequest = "DescribeKey" -> DescribeKeyResponse;
    ListKeysRequest = "ListKeys" -> ListKeysResponse;
    UpdateKeyDescriptionRequest = "UpdateKeyDescription" -> ();
    EnableKeyRequest = "EnableKey" -> ();
    DisableKeyRequest = "DisableKey" -> ();
    ScheduleKeyDeletionRequest = "ScheduleKeyDeletion" -> ScheduleKeyDeletionResponse;
    CancelKeyDeletionRequest = "CancelKeyDeletion" -> CancelKeyDeletionResponse;
}
