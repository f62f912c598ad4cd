//! Roles: CreateRole, GetRole, UpdateRole, UpdateRoleDescription, DeleteRole, ListRoles,
//! UpdateAssumeRolePolicy, TagRole, UntagRole, ListRoleTags.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    permissions_boundaries::AttachedPermissionsBoundary,
    rules::*,
    tags::{REQUIRED_TAGS, TAGS, Tag},
};
use crate::{
    model::{answer, family},
    query::iso8601,
    shape::{Shape, Visitor},
    values::PolicyDocument,
};

/// A role.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Role {
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
    /// The description for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The longest session, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_session_duration: Option<i64>,
    /// The longest session of the console, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_signin_session_duration: Option<i64>,
    /// What bounds its permissions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions_boundary: Option<AttachedPermissionsBoundary>,
    /// Its tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
    /// Its last use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_last_used: Option<RoleLastUsed>,
    /// The template that it was made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_role_template: Option<SourceRoleTemplate>,
}
answer!(
    Role: "Path", "RoleName", "RoleId", "Arn", "CreateDate", "AssumeRolePolicyDocument",
    "Description", "MaxSessionDuration", "MaxSigninSessionDuration", "PermissionsBoundary", "Tags",
    "RoleLastUsed", "SourceRoleTemplate"
);

/// When and where a role was last used.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RoleLastUsed {
    /// When; absent if not in the last 400 days.
    #[serde(with = "iso8601::option", skip_serializing_if = "Option::is_none")]
    pub last_used_date: Option<Timestamp>,
    /// The Region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}
answer!(RoleLastUsed: "LastUsedDate", "Region");

/// The template that a role was made from.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SourceRoleTemplate {
    /// The template's ARN.
    pub template_arn: String,
    /// The template's version.
    pub template_minor_version: i64,
}
answer!(SourceRoleTemplate: "TemplateArn", "TemplateMinorVersion");

/// The request of CreateRole.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct CreateRoleRequest {
    /// The path, such as `/division/`; `/` unless given.
    pub path: Option<String>,
    /// The role's name.
    pub role_name: Option<String>,
    /// The trust policy as JSON: who may assume the role.
    pub assume_role_policy_document: Option<String>,
    /// The description for people.
    pub description: Option<String>,
    /// The longest session, in seconds; an hour unless given.
    pub max_session_duration: Option<i64>,
    /// The longest session of the console, in seconds.
    pub max_signin_session_duration: Option<i64>,
    /// The ARN of the managed policy that bounds the role.
    pub permissions_boundary: Option<String>,
    /// The role's tags.
    pub tags: Option<Vec<Tag>>,
}

impl Shape for CreateRoleRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("Path", &self.path, &PATH);
        visitor.member("RoleName", &self.role_name, &REQUIRED_ROLE_NAME);
        visitor.member(
            "AssumeRolePolicyDocument",
            &self.assume_role_policy_document,
            &REQUIRED_POLICY_DOCUMENT,
        );
        visitor.member("Description", &self.description, &ROLE_DESCRIPTION);
        visitor.member(
            "MaxSessionDuration",
            &self.max_session_duration,
            &MAX_SESSION_DURATION_SECONDS,
        );
        visitor.member(
            "MaxSigninSessionDuration",
            &self.max_signin_session_duration,
            &MAX_SIGNIN_SESSION_DURATION_SECONDS,
        );
        visitor.member("PermissionsBoundary", &self.permissions_boundary, &ARN);
        visitor.member("Tags", &self.tags, &TAGS);
    }
}

/// The answer of CreateRole.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateRoleResponse {
    /// The role.
    pub role: Role,
}
answer!(CreateRoleResponse: "Role");

/// The request of GetRole.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GetRoleRequest {
    /// The role's name.
    pub role_name: Option<String>,
}

impl Shape for GetRoleRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("RoleName", &self.role_name, &REQUIRED_ROLE_NAME);
    }
}

/// The answer of GetRole.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetRoleResponse {
    /// The role.
    pub role: Role,
}
answer!(GetRoleResponse: "Role");

/// The request of UpdateRole.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateRoleRequest {
    /// The role's name.
    pub role_name: Option<String>,
    /// The description for people.
    pub description: Option<String>,
    /// The longest session, in seconds.
    pub max_session_duration: Option<i64>,
    /// The longest session of the console, in seconds.
    pub max_signin_session_duration: Option<i64>,
    /// Whether the longest session of the console is to be forgotten.
    pub reset_max_signin_session_duration: Option<bool>,
}

impl Shape for UpdateRoleRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("RoleName", &self.role_name, &REQUIRED_ROLE_NAME);
        visitor.member("Description", &self.description, &ROLE_DESCRIPTION);
        visitor.member(
            "MaxSessionDuration",
            &self.max_session_duration,
            &MAX_SESSION_DURATION_SECONDS,
        );
        visitor.member(
            "MaxSigninSessionDuration",
            &self.max_signin_session_duration,
            &MAX_SIGNIN_SESSION_DURATION_SECONDS,
        );
        visitor.member(
            "ResetMaxSigninSessionDuration",
            &self.reset_max_signin_session_duration,
            &FLAG,
        );
    }
}

/// The answer of UpdateRole.
#[derive(Serialize)]
pub struct UpdateRoleResponse {}
answer!(UpdateRoleResponse:);

/// The request of UpdateRoleDescription.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateRoleDescriptionRequest {
    /// The role's name.
    pub role_name: Option<String>,
    /// The description for people.
    pub description: Option<String>,
}

impl Shape for UpdateRoleDescriptionRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("RoleName", &self.role_name, &REQUIRED_ROLE_NAME);
        visitor.member("Description", &self.description, &REQUIRED_ROLE_DESCRIPTION);
    }
}

/// The answer of UpdateRoleDescription.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateRoleDescriptionResponse {
    /// The role.
    pub role: Role,
}
answer!(UpdateRoleDescriptionResponse: "Role");

/// The request of DeleteRole.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteRoleRequest {
    /// The role's name.
    pub role_name: Option<String>,
}

impl Shape for DeleteRoleRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("RoleName", &self.role_name, &REQUIRED_ROLE_NAME);
    }
}

/// The request of ListRoles.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListRolesRequest {
    /// Only those whose paths begin so.
    pub path_prefix: Option<String>,
    /// Where the previous page ended.
    pub marker: Option<String>,
    /// The most items to be told at once; 100 unless given.
    pub max_items: Option<i64>,
}

impl Shape for ListRolesRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("PathPrefix", &self.path_prefix, &PATH_PREFIX);
        visitor.member("Marker", &self.marker, &MARKER);
        visitor.member("MaxItems", &self.max_items, &MAX_ITEMS);
    }
}

/// The answer of ListRoles.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListRolesResponse {
    /// The roles of this page.
    pub roles: Vec<Role>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}
answer!(ListRolesResponse: "Roles", "IsTruncated", "Marker");

/// The request of UpdateAssumeRolePolicy.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateAssumeRolePolicyRequest {
    /// The role's name.
    pub role_name: Option<String>,
    /// The new trust policy as JSON.
    pub policy_document: Option<String>,
}

impl Shape for UpdateAssumeRolePolicyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("RoleName", &self.role_name, &REQUIRED_ROLE_NAME);
        visitor.member("PolicyDocument", &self.policy_document, &REQUIRED_POLICY_DOCUMENT);
    }
}

/// The request of TagRole.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct TagRoleRequest {
    /// The role's name.
    pub role_name: Option<String>,
    /// The tags to add or to change.
    pub tags: Option<Vec<Tag>>,
}

impl Shape for TagRoleRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("RoleName", &self.role_name, &REQUIRED_ROLE_NAME);
        visitor.member("Tags", &self.tags, &REQUIRED_TAGS);
    }
}

/// The request of UntagRole.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct UntagRoleRequest {
    /// The role's name.
    pub role_name: Option<String>,
    /// The names of the tags to remove.
    pub tag_keys: Option<Vec<String>>,
}

impl Shape for UntagRoleRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("RoleName", &self.role_name, &REQUIRED_ROLE_NAME);
        visitor.member("TagKeys", &self.tag_keys, &REQUIRED_TAG_KEYS);
    }
}

/// The request of ListRoleTags.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListRoleTagsRequest {
    /// The role's name.
    pub role_name: Option<String>,
    /// Where the previous page ended.
    pub marker: Option<String>,
    /// The most items to be told at once; 100 unless given.
    pub max_items: Option<i64>,
}

impl Shape for ListRoleTagsRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("RoleName", &self.role_name, &REQUIRED_ROLE_NAME);
        visitor.member("Marker", &self.marker, &MARKER);
        visitor.member("MaxItems", &self.max_items, &MAX_ITEMS);
    }
}

/// The answer of ListRoleTags.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListRoleTagsResponse {
    /// Its tags.
    pub tags: Vec<Tag>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}
answer!(ListRoleTagsResponse: "Tags", "IsTruncated", "Marker");

family! {
    CreateRoleRequest = "CreateRole" -> CreateRoleResponse;
    GetRoleRequest = "GetRole" -> GetRoleResponse;
    UpdateRoleRequest = "UpdateRole" -> UpdateRoleResponse;
    UpdateRoleDescriptionRequest = "UpdateRoleDescription" -> UpdateRoleDescriptionResponse;
    DeleteRoleRequest = "DeleteRole" -> ();
    ListRolesRequest = "ListRoles" -> ListRolesResponse;
    UpdateAssumeRolePolicyRequest = "UpdateAssumeRolePolicy" -> ();
    TagRoleRequest = "TagRole" -> ();
    UntagRoleRequest = "UntagRole" -> ();
    ListRoleTagsRequest = "ListRoleTags" -> ListRoleTagsResponse;
}
