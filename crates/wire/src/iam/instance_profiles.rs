//! Instance profiles: GetInstanceProfile and ListInstanceProfiles, and ListInstanceProfilesForRole, which clients
//! ask before they make or delete a role.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{roles::Role, rules::*, tags::Tag};
use crate::{
    model::{answer, family},
    query::iso8601,
    shape::{Shape, Visitor},
};

/// A container that passes a role to a machine.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct InstanceProfile {
    /// Its path.
    pub path: String,
    /// Its name.
    pub instance_profile_name: String,
    /// Its unique id.
    pub instance_profile_id: String,
    /// Its ARN.
    pub arn: String,
    /// When it was created.
    #[serde(with = "iso8601")]
    pub create_date: Timestamp,
    /// The role in it.
    pub roles: Vec<Role>,
    /// Its tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
}
answer!(
    InstanceProfile: "Path", "InstanceProfileName", "InstanceProfileId", "Arn", "CreateDate",
    "Roles", "Tags"
);

/// The request of GetInstanceProfile.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GetInstanceProfileRequest {
    /// The instance profile's name.
    pub instance_profile_name: Option<String>,
}

impl Shape for GetInstanceProfileRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member(
            "InstanceProfileName",
            &self.instance_profile_name,
            &REQUIRED_INSTANCE_PROFILE_NAME,
        );
    }
}

/// The answer of GetInstanceProfile.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetInstanceProfileResponse {
    /// The instance profile.
    pub instance_profile: InstanceProfile,
}
answer!(GetInstanceProfileResponse: "InstanceProfile");

/// The request of ListInstanceProfiles.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListInstanceProfilesRequest {
    /// The path below which they are listed; all unless given.
    pub path_prefix: Option<String>,
    /// Where the previous page ended.
    pub marker: Option<String>,
    /// The most items to be told at once; 100 unless given.
    pub max_items: Option<i64>,
}

impl Shape for ListInstanceProfilesRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("PathPrefix", &self.path_prefix, &PATH_PREFIX);
        visitor.member("Marker", &self.marker, &MARKER);
        visitor.member("MaxItems", &self.max_items, &MAX_ITEMS);
    }
}

/// The answer of ListInstanceProfiles.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListInstanceProfilesResponse {
    /// The instance profiles of this page.
    pub instance_profiles: Vec<InstanceProfile>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}
answer!(ListInstanceProfilesResponse: "InstanceProfiles", "IsTruncated", "Marker");

/// The request of ListInstanceProfilesForRole.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListInstanceProfilesForRoleRequest {
    /// The role's name.
    pub role_name: Option<String>,
    /// Where the previous page ended.
    pub marker: Option<String>,
    /// The most items to be told at once; 100 unless given.
    pub max_items: Option<i64>,
}

impl Shape for ListInstanceProfilesForRoleRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("RoleName", &self.role_name, &REQUIRED_ROLE_NAME);
        visitor.member("Marker", &self.marker, &MARKER);
        visitor.member("MaxItems", &self.max_items, &MAX_ITEMS);
    }
}

/// The answer of ListInstanceProfilesForRole.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListInstanceProfilesForRoleResponse {
    /// The instance profiles of this page.
    pub instance_profiles: Vec<InstanceProfile>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}
answer!(ListInstanceProfilesForRoleResponse: "InstanceProfiles", "IsTruncated", "Marker");

family! {
    GetInstanceProfileRequest = "GetInstanceProfile" -> GetInstanceProfileResponse;
    ListInstanceProfilesRequest = "ListInstanceProfiles" -> ListInstanceProfilesResponse;
    ListInstanceProfilesForRoleRequest = "ListInstanceProfilesForRole"
        -> ListInstanceProfilesForRoleResponse;
}
