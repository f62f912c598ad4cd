//! Multi-Region keys: ReplicateKey, UpdatePrimaryRegion.

use serde::{Deserialize, Serialize};

use super::{
    family,
    keys::KeyMetadata,
    rules::*,
    tags::{TAGS, Tag},
};
use crate::{
    model::answer,
    shape::{Shape, Visitor},
};

/// The request of ReplicateKey.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ReplicateKeyRequest {
    /// The primary key's id or ARN.
    pub key_id: Option<String>,
    /// The Region that is to have a replica.
    pub replica_region: Option<String>,
    /// The replica's key policy; the default policy if absent.
    pub policy: Option<String>,
    /// Whether a policy is accepted that locks its author out.
    pub bypass_policy_lockout_safety_check: Option<bool>,
    /// The replica's description for people.
    pub description: Option<String>,
    /// The replica's first tags.
    pub tags: Option<Vec<Tag>>,
}

impl Shape for ReplicateKeyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member("ReplicaRegion", &self.replica_region, &REQUIRED_REGION);
        visitor.member("Policy", &self.policy, &POLICY);
        visitor.member(
            "BypassPolicyLockoutSafetyCheck",
            &self.bypass_policy_lockout_safety_check,
            &FLAG,
        );
        visitor.member("Description", &self.description, &DESCRIPTION);
        visitor.member("Tags", &self.tags, &TAGS);
    }
}

/// The answer of ReplicateKey.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReplicateKeyResponse {
    /// The replica.
    pub replica_key_metadata: KeyMetadata,
    /// Its key policy.
    pub replica_policy: String,
    /// Its tags, perhaps none.
    pub replica_tags: Vec<Tag>,
}
answer!(ReplicateKeyResponse: "ReplicaKeyMetadata", "ReplicaPolicy", "ReplicaTags");

/// The request of UpdatePrimaryRegion.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct UpdatePrimaryRegionRequest {
    /// The primary key's id or ARN.
    pub key_id: Option<String>,
    /// The Region whose replica is to be the primary key from now on.
    pub primary_region: Option<String>,
}

impl Shape for UpdatePrimaryRegionRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member("PrimaryRegion", &self.primary_region, &REQUIRED_REGION);
    }
}

family! {
    ReplicateKeyRequest = "ReplicateKey" -> ReplicateKeyResponse;
    UpdatePrimaryRegionRequest = "UpdatePrimaryRegion" -> ();
}
