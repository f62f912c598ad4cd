//! Policies of users, inline and attached: PutUserPolicy, GetUserPolicy, DeleteUserPolicy,
//! ListUserPolicies, AttachUserPolicy, DetachUserPolicy, ListAttachedUserPolicies.

use serde::{Deserialize, Serialize};

use super::{policies::AttachedPolicy, rules::*};
use crate::{
    model::{answer, family},
    shape::{Shape, Visitor},
    values::PolicyDocument,
};

/// The request of PutUserPolicy.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct PutUserPolicyRequest {
    /// The user's name.
    pub user_name: Option<String>,
    /// The policy's name.
    pub policy_name: Option<String>,
    /// The policy as JSON.
    pub policy_document: Option<String>,
}

impl Shape for PutUserPolicyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("UserName", &self.user_name, &REQUIRED_EXISTING_USER_NAME);
        visitor.member("PolicyName", &self.policy_name, &REQUIRED_POLICY_NAME);
        visitor.member("PolicyDocument", &self.policy_document, &REQUIRED_POLICY_DOCUMENT);
    }
}

/// The request of GetUserPolicy.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GetUserPolicyRequest {
    /// The user's name.
    pub user_name: Option<String>,
    /// The policy's name.
    pub policy_name: Option<String>,
}

impl Shape for GetUserPolicyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("UserName", &self.user_name, &REQUIRED_EXISTING_USER_NAME);
        visitor.member("PolicyName", &self.policy_name, &REQUIRED_POLICY_NAME);
    }
}

/// The answer of GetUserPolicy.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetUserPolicyResponse {
    /// The user's name.
    pub user_name: String,
    /// The policy's name.
    pub policy_name: String,
    /// The policy.
    pub policy_document: PolicyDocument,
}
answer!(GetUserPolicyResponse: "UserName", "PolicyName", "PolicyDocument");

/// The request of DeleteUserPolicy.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteUserPolicyRequest {
    /// The user's name.
    pub user_name: Option<String>,
    /// The policy's name.
    pub policy_name: Option<String>,
}

impl Shape for DeleteUserPolicyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("UserName", &self.user_name, &REQUIRED_EXISTING_USER_NAME);
        visitor.member("PolicyName", &self.policy_name, &REQUIRED_POLICY_NAME);
    }
}

/// The request of ListUserPolicies.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListUserPoliciesRequest {
    /// The user's name.
    pub user_name: Option<String>,
    /// Where the previous page ended.
    pub marker: Option<String>,
    /// The most items to be told at once; 100 unless given.
    pub max_items: Option<i64>,
}

impl Shape for ListUserPoliciesRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("UserName", &self.user_name, &REQUIRED_EXISTING_USER_NAME);
        visitor.member("Marker", &self.marker, &MARKER);
        visitor.member("MaxItems", &self.max_items, &MAX_ITEMS);
    }
}

/// The answer of ListUserPolicies.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListUserPoliciesResponse {
    /// The names of the policies of this page.
    pub policy_names: Vec<String>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}
answer!(ListUserPoliciesResponse: "PolicyNames", "IsTruncated", "Marker");

/// The request of AttachUserPolicy.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct AttachUserPolicyRequest {
    /// The user's name.
    pub user_name: Option<String>,
    /// The policy's ARN.
    pub policy_arn: Option<String>,
}

impl Shape for AttachUserPolicyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("UserName", &self.user_name, &REQUIRED_USER_NAME);
        visitor.member("PolicyArn", &self.policy_arn, &REQUIRED_ARN);
    }
}

/// The request of DetachUserPolicy.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct DetachUserPolicyRequest {
    /// The user's name.
    pub user_name: Option<String>,
    /// The policy's ARN.
    pub policy_arn: Option<String>,
}

impl Shape for DetachUserPolicyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("UserName", &self.user_name, &REQUIRED_USER_NAME);
        visitor.member("PolicyArn", &self.policy_arn, &REQUIRED_ARN);
    }
}

/// The request of ListAttachedUserPolicies.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListAttachedUserPoliciesRequest {
    /// The user's name.
    pub user_name: Option<String>,
    /// Only those whose paths begin so.
    pub path_prefix: Option<String>,
    /// Where the previous page ended.
    pub marker: Option<String>,
    /// The most items to be told at once; 100 unless given.
    pub max_items: Option<i64>,
}

impl Shape for ListAttachedUserPoliciesRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("UserName", &self.user_name, &REQUIRED_USER_NAME);
        visitor.member("PathPrefix", &self.path_prefix, &POLICY_PATH);
        visitor.member("Marker", &self.marker, &MARKER);
        visitor.member("MaxItems", &self.max_items, &MAX_ITEMS);
    }
}

/// The answer of ListAttachedUserPolicies.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListAttachedUserPoliciesResponse {
    /// The attached policies of this page.
    pub attached_policies: Vec<AttachedPolicy>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}
answer!(ListAttachedUserPoliciesResponse: "AttachedPolicies", "IsTruncated", "Marker");

family! {
    PutUserPolicyRequest = "PutUserPolicy" -> ();
    GetUserPolicyRequest = "GetUserPolicy" -> GetUserPolicyResponse;
    DeleteUserPolicyRequest = "DeleteUserPolicy" -> ();
    ListUserPoliciesRequest = "ListUserPolicies" -> ListUserPoliciesResponse;
    AttachUserPolicyRequest = "AttachUserPolicy" -> ();
    DetachUserPolicyRequest = "DetachUserPolicy" -> ();
    ListAttachedUserPoliciesRequest = "ListAttachedUserPolicies"
        -> ListAttachedUserPoliciesResponse;
}
