//! All identities of an account at once: GetAccountAuthorizationDetails.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    enums::EntityType, instance_profiles::InstanceProfile,
    permissions_boundaries::AttachedPermissionsBoundary, policies::AttachedPolicy,
    policy_versions::PolicyVersion, roles::RoleLastUsed, rules::*, tags::Tag,
};
use crate::{
    model::{answer, family},
    query::iso8601,
    shape::{Shape, Visitor},
    values::{OneOf, PolicyDocument},
};

/// A user with all that decides what it may.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UserDetail {
    /// Its path.
    pub path: String,
    /// The user's name.
    pub user_name: String,
    /// The user's unique id, such as `AIDA...`.
    pub user_id: String,
    /// Its ARN.
    pub arn: String,
    /// When it was created.
    #[serde(with = "iso8601")]
    pub create_date: Timestamp,
    /// The inline policies; absent where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub user_policy_list: Vec<PolicyDetail>,
    /// The groups that the user is in.
    pub group_list: Vec<String>,
    /// The managed policies attached to it.
    pub attached_managed_policies: Vec<AttachedPolicy>,
    /// What bounds its permissions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions_boundary: Option<AttachedPermissionsBoundary>,
    /// Its tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
}
answer!(
    UserDetail: "Path", "UserName", "UserId", "Arn", "CreateDate", "UserPolicyList", "GroupList",
    "AttachedManagedPolicies", "PermissionsBoundary", "Tags"
);

/// A group with all that decides what its members may.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GroupDetail {
    /// Its path.
    pub path: String,
    /// The group's name.
    pub group_name: String,
    /// The group's unique id, such as `AGPA...`.
    pub group_id: String,
    /// Its ARN.
    pub arn: String,
    /// When it was created.
    #[serde(with = "iso8601")]
    pub create_date: Timestamp,
    /// The inline policies.
    pub group_policy_list: Vec<PolicyDetail>,
    /// The managed policies attached to it.
    pub attached_managed_policies: Vec<AttachedPolicy>,
}
answer!(
    GroupDetail: "Path", "GroupName", "GroupId", "Arn", "CreateDate", "GroupPolicyList",
    "AttachedManagedPolicies"
);

/// A role with all that decides what it may.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RoleDetail {
    /// Its path.
    pub path: String,
    /// The role's name.
    pub role_name: String,
    /// The role's unique id, such as `AROA...`.
    pub role_id: String,
    /// Its ARN.
    pub arn: String,
    /// When it was created.
    #[serde(with = "iso8601")]
    pub create_date: Timestamp,
    /// The trust policy: who may assume the role.
    pub assume_role_policy_document: PolicyDocument,
    /// The instance profiles that the role is in.
    pub instance_profile_list: Vec<InstanceProfile>,
    /// The inline policies.
    pub role_policy_list: Vec<PolicyDetail>,
    /// The managed policies attached to it.
    pub attached_managed_policies: Vec<AttachedPolicy>,
    /// What bounds its permissions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions_boundary: Option<AttachedPermissionsBoundary>,
    /// Its tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
    /// Its last use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_last_used: Option<RoleLastUsed>,
}
answer!(
    RoleDetail: "Path", "RoleName", "RoleId", "Arn", "CreateDate", "AssumeRolePolicyDocument",
    "InstanceProfileList", "RolePolicyList", "AttachedManagedPolicies", "PermissionsBoundary",
    "Tags", "RoleLastUsed"
);

/// A managed policy with all its versions.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ManagedPolicyDetail {
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
    /// Its versions, with their documents.
    pub policy_version_list: Vec<PolicyVersion>,
}
answer!(
    ManagedPolicyDetail: "PolicyName", "PolicyId", "Arn", "Path", "DefaultVersionId",
    "AttachmentCount", "PermissionsBoundaryUsageCount", "IsAttachable", "Description", "CreateDate",
    "UpdateDate", "PolicyVersionList"
);

/// An inline policy.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyDetail {
    /// The policy's name.
    pub policy_name: String,
    /// The policy.
    pub policy_document: PolicyDocument,
}
answer!(PolicyDetail: "PolicyName", "PolicyDocument");

/// The request of GetAccountAuthorizationDetails.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GetAccountAuthorizationDetailsRequest {
    /// The kinds of entities to be told; all unless given.
    pub filter: Option<Vec<OneOf<EntityType>>>,
    /// The most items to be told at once; 100 unless given.
    pub max_items: Option<i64>,
    /// Where the previous page ended.
    pub marker: Option<String>,
}

impl Shape for GetAccountAuthorizationDetailsRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("Filter", &self.filter, &ENTITY_TYPES);
        visitor.member("MaxItems", &self.max_items, &MAX_ITEMS);
        visitor.member("Marker", &self.marker, &MARKER);
    }
}

/// The answer of GetAccountAuthorizationDetails.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetAccountAuthorizationDetailsResponse {
    /// The users of this page.
    pub user_detail_list: Vec<UserDetail>,
    /// The groups of this page.
    pub group_detail_list: Vec<GroupDetail>,
    /// The roles of this page.
    pub role_detail_list: Vec<RoleDetail>,
    /// The policies of this page.
    pub policies: Vec<ManagedPolicyDetail>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}
answer!(
    GetAccountAuthorizationDetailsResponse: "UserDetailList", "GroupDetailList", "RoleDetailList",
    "Policies", "IsTruncated", "Marker"
);

family! {
    GetAccountAuthorizationDetailsRequest = "GetAccountAuthorizationDetails"
        -> GetAccountAuthorizationDetailsResponse;
}
