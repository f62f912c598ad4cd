//! Policies of groups, inline and attached: PutGroupPolicy, GetGroupPolicy, DeleteGroupPolicy,
//! ListGroupPolicies, AttachGroupPolicy, DetachGroupPolicy, ListAttachedGroupPolicies.

use serde::{Deserialize, Serialize};

use super::{policies::AttachedPolicy, rules::*};
use crate::{
    model::{answer, family},
    shape::{Shape, Visitor},
    values::PolicyDocument,
};

/// The request of PutGroupPolicy.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct PutGroupPolicyRequest {
    /// The group's name.
    pub group_name: Option<String>,
    /// The policy's name.
    pub policy_name: Option<String>,
    /// The policy as JSON.
    pub policy_document: Option<String>,
}

impl Shape for PutGroupPolicyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("GroupName", &self.group_name, &REQUIRED_GROUP_NAME);
        visitor.member("PolicyName", &self.policy_name, &REQUIRED_POLICY_NAME);
        visitor.member("PolicyDocument", &self.policy_document, &REQUIRED_POLICY_DOCUMENT);
    }
}

/// The request of GetGroupPolicy.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GetGroupPolicyRequest {
    /// The group's name.
    pub group_name: Option<String>,
    /// The policy's name.
    pub policy_name: Option<String>,
}

impl Shape for GetGroupPolicyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("GroupName", &self.group_name, &REQUIRED_GROUP_NAME);
        visitor.member("PolicyName", &self.policy_name, &REQUIRED_POLICY_NAME);
    }
}

/// The answer of GetGroupPolicy.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetGroupPolicyResponse {
    /// The group's name.
    pub group_name: String,
    /// The policy's name.
    pub policy_name: String,
    /// The policy.
    pub policy_document: PolicyDocument,
}
answer!(GetGroupPolicyResponse: "GroupName", "PolicyName", "PolicyDocument");

/// The request of DeleteGroupPolicy.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteGroupPolicyRequest {
    /// The group's name.
    pub group_name: Option<String>,
    /// The policy's name.
    pub policy_name: Option<String>,
}

impl Shape for DeleteGroupPolicyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("GroupName", &self.group_name, &REQUIRED_GROUP_NAME);
        visitor.member("PolicyName", &self.policy_name, &REQUIRED_POLICY_NAME);
    }
}

/// The request of ListGroupPolicies.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListGroupPoliciesRequest {
    /// The group's name.
    pub group_name: Option<String>,
    /// Where the previous page ended.
    pub marker: Option<String>,
    /// The most items to be told at once; 100 unless given.
    pub max_items: Option<i64>,
}

impl Shape for ListGroupPoliciesRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("GroupName", &self.group_name, &REQUIRED_GROUP_NAME);
        visitor.member("Marker", &self.marker, &MARKER);
        visitor.member("MaxItems", &self.max_items, &MAX_ITEMS);
    }
}

/// The answer of ListGroupPolicies.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListGroupPoliciesResponse {
    /// The names of the policies of this page.
    pub policy_names: Vec<String>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}
answer!(ListGroupPoliciesResponse: "PolicyNames", "IsTruncated", "Marker");

/// The request of AttachGroupPolicy.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct AttachGroupPolicyRequest {
    /// The group's name.
    pub group_name: Option<String>,
    /// The policy's ARN.
    pub policy_arn: Option<String>,
}

impl Shape for AttachGroupPolicyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("GroupName", &self.group_name, &REQUIRED_GROUP_NAME);
        visitor.member("PolicyArn", &self.policy_arn, &REQUIRED_ARN);
    }
}

/// The request of DetachGroupPolicy.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct DetachGroupPolicyRequest {
    /// The group's name.
    pub group_name: Option<String>,
    /// The policy's ARN.
    pub policy_arn: Option<String>,
}

impl Shape for DetachGroupPolicyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("GroupName", &self.group_name, &REQUIRED_GROUP_NAME);
        visitor.member("PolicyArn", &self.policy_arn, &REQUIRED_ARN);
    }
}

/// The request of ListAttachedGroupPolicies.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListAttachedGroupPoliciesRequest {
    /// The group's name.
    pub group_name: Option<String>,
    /// Only those whose paths begin so.
    pub path_prefix: Option<String>,
    /// Where the previous page ended.
    pub marker: Option<String>,
    /// The most items to be told at once; 100 unless given.
    pub max_items: Option<i64>,
}

impl Shape for ListAttachedGroupPoliciesRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("GroupName", &self.group_name, &REQUIRED_GROUP_NAME);
        visitor.member("PathPrefix", &self.path_prefix, &POLICY_PATH);
        visitor.member("Marker", &self.marker, &MARKER);
        visitor.member("MaxItems", &self.max_items, &MAX_ITEMS);
    }
}

/// The answer of ListAttachedGroupPolicies.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListAttachedGroupPoliciesResponse {
    /// The attached policies of this page.
    pub attached_policies: Vec<AttachedPolicy>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}
answer!(ListAttachedGroupPoliciesResponse: "AttachedPolicies", "IsTruncated", "Marker");

family! {
    PutGroupPolicyRequest = "PutGroupPolicy" -> ();
    GetGroupPolicyRequest = "GetGroupPolicy" -> GetGroupPolicyResponse;
    DeleteGroupPolicyRequest = "DeleteGroupPolicy" -> ();
    ListGroupPoliciesRequest = "ListGroupPolicies" -> ListGroupPoliciesResponse;
    AttachGroupPolicyRequest = "AttachGroupPolicy" -> ();
    DetachGroupPolicyRequest = "DetachGroupPolicy" -> ();
    ListAttachedGroupPoliciesRequest = "ListAttachedGroupPolicies"
        -> ListAttachedGroupPoliciesResponse;
}
