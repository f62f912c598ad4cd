//! Policies of roles, inline and attached: PutRolePolicy, GetRolePolicy, DeleteRolePolicy,
//! ListRolePolicies, AttachRolePolicy, DetachRolePolicy, ListAttachedRolePolicies.

use serde::{Deserialize, Serialize};

use super::{policies::AttachedPolicy, rules::*};
use crate::{
    model::{answer, family},
    shape::{Shape, Visitor},
    values::PolicyDocument,
};

/// The request of PutRolePolicy.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct PutRolePolicyRequest {
    /// The role's name.
    pub role_name: Option<String>,
    /// The policy's name.
    pub policy_name: Option<String>,
    /// The policy as JSON.
    pub policy_document: Option<String>,
}

impl Shape for PutRolePolicyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("RoleName", &self.role_name, &REQUIRED_ROLE_NAME);
        visitor.member("PolicyName", &self.policy_name, &REQUIRED_POLICY_NAME);
        visitor.member("PolicyDocument", &self.policy_document, &REQUIRED_POLICY_DOCUMENT);
    }
}

/// The request of GetRolePolicy.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GetRolePolicyRequest {
    /// The role's name.
    pub role_name: Option<String>,
    /// The policy's name.
    pub policy_name: Option<String>,
}

impl Shape for GetRolePolicyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("RoleName", &self.role_name, &REQUIRED_ROLE_NAME);
        visitor.member("PolicyName", &self.policy_name, &REQUIRED_POLICY_NAME);
    }
}

/// The answer of GetRolePolicy.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetRolePolicyResponse {
    /// The role's name.
    pub role_name: String,
    /// The policy's name.
    pub policy_name: String,
    /// The policy.
    pub policy_document: PolicyDocument,
}
answer!(GetRolePolicyResponse: "RoleName", "PolicyName", "PolicyDocument");

/// The request of DeleteRolePolicy.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteRolePolicyRequest {
    /// The role's name.
    pub role_name: Option<String>,
    /// The policy's name.
    pub policy_name: Option<String>,
}

impl Shape for DeleteRolePolicyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("RoleName", &self.role_name, &REQUIRED_ROLE_NAME);
        visitor.member("PolicyName", &self.policy_name, &REQUIRED_POLICY_NAME);
    }
}

/// The request of ListRolePolicies.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListRolePoliciesRequest {
    /// The role's name.
    pub role_name: Option<String>,
    /// Where the previous page ended.
    pub marker: Option<String>,
    /// The most items to be told at once; 100 unless given.
    pub max_items: Option<i64>,
}

impl Shape for ListRolePoliciesRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("RoleName", &self.role_name, &REQUIRED_ROLE_NAME);
        visitor.member("Marker", &self.marker, &MARKER);
        visitor.member("MaxItems", &self.max_items, &MAX_ITEMS);
    }
}

/// The answer of ListRolePolicies.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListRolePoliciesResponse {
    /// The names of the policies of this page.
    pub policy_names: Vec<String>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}
answer!(ListRolePoliciesResponse: "PolicyNames", "IsTruncated", "Marker");

/// The request of AttachRolePolicy.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct AttachRolePolicyRequest {
    /// The role's name.
    pub role_name: Option<String>,
    /// The policy's ARN.
    pub policy_arn: Option<String>,
}

impl Shape for AttachRolePolicyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("RoleName", &self.role_name, &REQUIRED_ROLE_NAME);
        visitor.member("PolicyArn", &self.policy_arn, &REQUIRED_ARN);
    }
}

/// The request of DetachRolePolicy.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct DetachRolePolicyRequest {
    /// The role's name.
    pub role_name: Option<String>,
    /// The policy's ARN.
    pub policy_arn: Option<String>,
}

impl Shape for DetachRolePolicyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("RoleName", &self.role_name, &REQUIRED_ROLE_NAME);
        visitor.member("PolicyArn", &self.policy_arn, &REQUIRED_ARN);
    }
}

/// The request of ListAttachedRolePolicies.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListAttachedRolePoliciesRequest {
    /// The role's name.
    pub role_name: Option<String>,
    /// Only those whose paths begin so.
    pub path_prefix: Option<String>,
    /// Where the previous page ended.
    pub marker: Option<String>,
    /// The most items to be told at once; 100 unless given.
    pub max_items: Option<i64>,
}

impl Shape for ListAttachedRolePoliciesRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("RoleName", &self.role_name, &REQUIRED_ROLE_NAME);
        visitor.member("PathPrefix", &self.path_prefix, &POLICY_PATH);
        visitor.member("Marker", &self.marker, &MARKER);
        visitor.member("MaxItems", &self.max_items, &MAX_ITEMS);
    }
}

/// The answer of ListAttachedRolePolicies.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListAttachedRolePoliciesResponse {
    /// The attached policies of this page.
    pub attached_policies: Vec<AttachedPolicy>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}
answer!(ListAttachedRolePoliciesResponse: "AttachedPolicies", "IsTruncated", "Marker");

family! {
    PutRolePolicyRequest = "PutRolePolicy" -> ();
    GetRolePolicyRequest = "GetRolePolicy" -> GetRolePolicyResponse;
    DeleteRolePolicyRequest = "DeleteRolePolicy" -> ();
    ListRolePoliciesRequest = "ListRolePolicies" -> ListRolePoliciesResponse;
    AttachRolePolicyRequest = "AttachRolePolicy" -> ();
    DetachRolePolicyRequest = "DetachRolePolicy" -> ();
    ListAttachedRolePoliciesRequest = "ListAttachedRolePolicies"
        -> ListAttachedRolePoliciesResponse;
}
