//! Managed policies: CreatePolicy, GetPolicy, DeletePolicy, ListPolicies, TagPolicy, UntagPolicy,
//! ListPolicyTags, ListEntitiesForPolicy.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    enums::{EntityType, PolicyScope, PolicyUsage},
    rules::*,
    tags::{REQUIRED_TAGS, TAGS, Tag},
};
use crate::{
    model::{answer, family},
    query::iso8601,
    shape::{Shape, Visitor},
    values::OneOf,
};

/// A managed policy without its document.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Policy {
    /// Its name.
    pub policy_name: String,
    /// Its unique id, such as `ANPA...`.
    pub policy_id: String,
    /// Its ARN.
    pub arn: String,
    /// Its path.
    pub path: String,
    /// The version in force.
    pub default_version_id: String,
    /// How many entities it is attached to.
    pub attachment_count: i64,
    /// How many entities it bounds.
    pub permissions_boundary_usage_count: i64,
    /// Whether it can be attached at all.
    pub is_attachable: bool,
    /// The description for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it was created.
    #[serde(with = "iso8601")]
    pub create_date: Timestamp,
    /// When its newest version was created.
    #[serde(with = "iso8601")]
    pub update_date: Timestamp,
    /// Its tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
}
answer!(
    Policy: "PolicyName", "PolicyId", "Arn", "Path", "DefaultVersionId", "AttachmentCount",
    "PermissionsBoundaryUsageCount", "IsAttachable", "Description", "CreateDate", "UpdateDate",
    "Tags"
);

/// A managed policy as an attachment.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AttachedPolicy {
    /// The policy's name.
    pub policy_name: String,
    /// The policy's ARN.
    pub policy_arn: String,
}
answer!(AttachedPolicy: "PolicyName", "PolicyArn");

/// A group that a policy is attached to.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyGroup {
    /// The group's name.
    pub group_name: String,
    /// The group's unique id, such as `AGPA...`.
    pub group_id: String,
}
answer!(PolicyGroup: "GroupName", "GroupId");

/// A user that a policy is attached to.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyUser {
    /// The user's name.
    pub user_name: String,
    /// The user's unique id, such as `AIDA...`.
    pub user_id: String,
}
answer!(PolicyUser: "UserName", "UserId");

/// A role that a policy is attached to.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyRole {
    /// The role's name.
    pub role_name: String,
    /// The role's unique id, such as `AROA...`.
    pub role_id: String,
}
answer!(PolicyRole: "RoleName", "RoleId");

/// The request of CreatePolicy.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct CreatePolicyRequest {
    /// The policy's name.
    pub policy_name: Option<String>,
    /// The path, such as `/division/`; `/` unless given.
    pub path: Option<String>,
    /// The policy as JSON.
    pub policy_document: Option<String>,
    /// The description for people.
    pub description: Option<String>,
    /// The policy's tags.
    pub tags: Option<Vec<Tag>>,
}

impl Shape for CreatePolicyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("PolicyName", &self.policy_name, &REQUIRED_POLICY_NAME);
        visitor.member("Path", &self.path, &POLICY_PATH);
        visitor.member("PolicyDocument", &self.policy_document, &REQUIRED_POLICY_DOCUMENT);
        visitor.member("Description", &self.description, &POLICY_DESCRIPTION);
        visitor.member("Tags", &self.tags, &TAGS);
    }
}

/// The answer of CreatePolicy.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreatePolicyResponse {
    /// The policy.
    pub policy: Policy,
}
answer!(CreatePolicyResponse: "Policy");

/// The request of GetPolicy.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GetPolicyRequest {
    /// The policy's ARN.
    pub policy_arn: Option<String>,
}

impl Shape for GetPolicyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("PolicyArn", &self.policy_arn, &REQUIRED_ARN);
    }
}

/// The answer of GetPolicy.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetPolicyResponse {
    /// The policy.
    pub policy: Policy,
}
answer!(GetPolicyResponse: "Policy");

/// The request of DeletePolicy.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct DeletePolicyRequest {
    /// The policy's ARN.
    pub policy_arn: Option<String>,
}

impl Shape for DeletePolicyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("PolicyArn", &self.policy_arn, &REQUIRED_ARN);
    }
}

/// The request of ListPolicies.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListPoliciesRequest {
    /// Whose policies; all unless given.
    pub scope: Option<OneOf<PolicyScope>>,
    /// Whether to leave out policies that are attached to nobody.
    pub only_attached: Option<bool>,
    /// Only those whose paths begin so.
    pub path_prefix: Option<String>,
    /// Only policies that are used so.
    pub policy_usage_filter: Option<OneOf<PolicyUsage>>,
    /// Where the previous page ended.
    pub marker: Option<String>,
    /// The most items to be told at once; 100 unless given.
    pub max_items: Option<i64>,
}

impl Shape for ListPoliciesRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("Scope", &self.scope, &POLICY_SCOPE);
        visitor.member("OnlyAttached", &self.only_attached, &FLAG);
        visitor.member("PathPrefix", &self.path_prefix, &POLICY_PATH);
        visitor.member("PolicyUsageFilter", &self.policy_usage_filter, &POLICY_USAGE);
        visitor.member("Marker", &self.marker, &MARKER);
        visitor.member("MaxItems", &self.max_items, &MAX_ITEMS);
    }
}

/// The answer of ListPolicies.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListPoliciesResponse {
    /// The policies of this page.
    pub policies: Vec<Policy>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}
answer!(ListPoliciesResponse: "Policies", "IsTruncated", "Marker");

/// The request of TagPolicy.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct TagPolicyRequest {
    /// The policy's ARN.
    pub policy_arn: Option<String>,
    /// The tags to add or to change.
    pub tags: Option<Vec<Tag>>,
}

impl Shape for TagPolicyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("PolicyArn", &self.policy_arn, &REQUIRED_ARN);
        visitor.member("Tags", &self.tags, &REQUIRED_TAGS);
    }
}

/// The request of UntagPolicy.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct UntagPolicyRequest {
    /// The policy's ARN.
    pub policy_arn: Option<String>,
    /// The names of the tags to remove.
    pub tag_keys: Option<Vec<String>>,
}

impl Shape for UntagPolicyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("PolicyArn", &self.policy_arn, &REQUIRED_ARN);
        visitor.member("TagKeys", &self.tag_keys, &REQUIRED_TAG_KEYS);
    }
}

/// The request of ListPolicyTags.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListPolicyTagsRequest {
    /// The policy's ARN.
    pub policy_arn: Option<String>,
    /// Where the previous page ended.
    pub marker: Option<String>,
    /// The most items to be told at once; 100 unless given.
    pub max_items: Option<i64>,
}

impl Shape for ListPolicyTagsRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("PolicyArn", &self.policy_arn, &REQUIRED_ARN);
        visitor.member("Marker", &self.marker, &MARKER);
        visitor.member("MaxItems", &self.max_items, &MAX_ITEMS);
    }
}

/// The answer of ListPolicyTags.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListPolicyTagsResponse {
    /// Its tags.
    pub tags: Vec<Tag>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}
answer!(ListPolicyTagsResponse: "Tags", "IsTruncated", "Marker");

/// The request of ListEntitiesForPolicy.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListEntitiesForPolicyRequest {
    /// The policy's ARN.
    pub policy_arn: Option<String>,
    /// Only entities of this kind.
    pub entity_filter: Option<OneOf<EntityType>>,
    /// Only those whose paths begin so.
    pub path_prefix: Option<String>,
    /// Only policies that are used so.
    pub policy_usage_filter: Option<OneOf<PolicyUsage>>,
    /// Where the previous page ended.
    pub marker: Option<String>,
    /// The most items to be told at once; 100 unless given.
    pub max_items: Option<i64>,
}

impl Shape for ListEntitiesForPolicyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("PolicyArn", &self.policy_arn, &REQUIRED_ARN);
        visitor.member("EntityFilter", &self.entity_filter, &ENTITY_TYPE);
        visitor.member("PathPrefix", &self.path_prefix, &PATH);
        visitor.member("PolicyUsageFilter", &self.policy_usage_filter, &POLICY_USAGE);
        visitor.member("Marker", &self.marker, &MARKER);
        visitor.member("MaxItems", &self.max_items, &MAX_ITEMS);
    }
}

/// The answer of ListEntitiesForPolicy.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListEntitiesForPolicyResponse {
    /// The groups of this page.
    pub policy_groups: Vec<PolicyGroup>,
    /// The users of this page.
    pub policy_users: Vec<PolicyUser>,
    /// The roles of this page.
    pub policy_roles: Vec<PolicyRole>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}
answer!(
    ListEntitiesForPolicyResponse: "PolicyGroups", "PolicyUsers", "PolicyRoles", "IsTruncated",
    "Marker"
);

family! {
    CreatePolicyRequest = "CreatePolicy" -> CreatePolicyResponse;
    GetPolicyRequest = "GetPolicy" -> GetPolicyResponse;
    DeletePolicyRequest = "DeletePolicy" -> ();
    ListPoliciesRequest = "ListPolicies" -> ListPoliciesResponse;
    TagPolicyRequest = "TagPolicy" -> ();
    UntagPolicyRequest = "UntagPolicy" -> ();
    ListPolicyTagsRequest = "ListPolicyTags" -> ListPolicyTagsResponse;
    ListEntitiesForPolicyRequest = "ListEntitiesForPolicy" -> ListEntitiesForPolicyResponse;
}
