//! Key policies: GetKeyPolicy, PutKeyPolicy, ListKeyPolicies.

use serde::{Deserialize, Serialize};

use super::{family, rules::*};
use crate::{
    model::answer,
    shape::{Shape, Visitor},
};

/// The request of GetKeyPolicy.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GetKeyPolicyRequest {
    /// The key's id or ARN.
    pub key_id: Option<String>,
    /// The policy's name; `default` if absent.
    pub policy_name: Option<String>,
}

impl Shape for GetKeyPolicyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member("PolicyName", &self.policy_name, &POLICY_NAME);
    }
}

/// The answer of GetKeyPolicy.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetKeyPolicyResponse {
    /// The policy document.
    pub policy: String,
    /// The policy's name.
    pub policy_name: String,
}
answer!(GetKeyPolicyResponse: "Policy", "PolicyName");

/// The request of PutKeyPolicy.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct PutKeyPolicyRequest {
    /// The key's id or ARN.
    pub key_id: Option<String>,
    /// The policy's name; `default` if absent.
    pub policy_name: Option<String>,
    /// The new policy document.
    pub policy: Option<String>,
    /// Whether a policy is accepted that locks its author out.
    pub bypass_policy_lockout_safety_check: Option<bool>,
}

impl Shape for PutKeyPolicyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member("PolicyName", &self.policy_name, &POLICY_NAME);
        visitor.member("Policy", &self.policy, &REQUIRED_POLICY);
        visitor.member(
            "BypassPolicyLockoutSafetyCheck",
            &self.bypass_policy_lockout_safety_check,
            &FLAG,
        );
    }
}

/// The request of ListKeyPolicies.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListKeyPoliciesRequest {
    /// The key's id or ARN.
    pub key_id: Option<String>,
    /// The most names to be told at once.
    pub limit: Option<i64>,
    /// Where the previous page ended.
    pub marker: Option<String>,
}

impl Shape for ListKeyPoliciesRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member("Limit", &self.limit, &LIMIT);
        visitor.member("Marker", &self.marker, &MARKER);
    }
}

/// The answer of ListKeyPolicies.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListKeyPoliciesResponse {
    /// The names of this page.
    pub policy_names: Vec<String>,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
    /// Whether there are more.
    pub truncated: bool,
}
answer!(ListKeyPoliciesResponse: "PolicyNames", "NextMarker", "Truncated");

family! {
    GetKeyPolicyRequest = "GetKeyPolicy" -> GetKeyPolicyResponse;
    PutKeyPolicyRequest = "PutKeyPolicy" -> ();
    ListKeyPoliciesRequest = "ListKeyPolicies" -> ListKeyPoliciesResponse;
}
