//! Groups: CreateGroup, GetGroup, UpdateGroup, DeleteGroup, ListGroups, AddUserToGroup,
//! RemoveUserFromGroup, ListGroupsForUser.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{rules::*, users::User};
use crate::{
    model::{answer, family},
    query::iso8601,
    shape::{Shape, Visitor},
};

/// A group.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Group {
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
}
answer!(Group: "Path", "GroupName", "GroupId", "Arn", "CreateDate");

/// The request of CreateGroup.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct CreateGroupRequest {
    /// The path, such as `/division/`; `/` unless given.
    pub path: Option<String>,
    /// The group's name.
    pub group_name: Option<String>,
}

impl Shape for CreateGroupRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("Path", &self.path, &PATH);
        visitor.member("GroupName", &self.group_name, &REQUIRED_GROUP_NAME);
    }
}

/// The answer of CreateGroup.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateGroupResponse {
    /// The group.
    pub group: Group,
}
answer!(CreateGroupResponse: "Group");

/// The request of GetGroup.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GetGroupRequest {
    /// The group's name.
    pub group_name: Option<String>,
    /// Where the previous page ended.
    pub marker: Option<String>,
    /// The most items to be told at once; 100 unless given.
    pub max_items: Option<i64>,
}

impl Shape for GetGroupRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("GroupName", &self.group_name, &REQUIRED_GROUP_NAME);
        visitor.member("Marker", &self.marker, &MARKER);
        visitor.member("MaxItems", &self.max_items, &MAX_ITEMS);
    }
}

/// The answer of GetGroup.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetGroupResponse {
    /// The group.
    pub group: Group,
    /// The users of this page.
    pub users: Vec<User>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}
answer!(GetGroupResponse: "Group", "Users", "IsTruncated", "Marker");

/// The request of UpdateGroup.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateGroupRequest {
    /// The group's name.
    pub group_name: Option<String>,
    /// The new path.
    pub new_path: Option<String>,
    /// The new name.
    pub new_group_name: Option<String>,
}

impl Shape for UpdateGroupRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("GroupName", &self.group_name, &REQUIRED_GROUP_NAME);
        visitor.member("NewPath", &self.new_path, &PATH);
        visitor.member("NewGroupName", &self.new_group_name, &GROUP_NAME);
    }
}

/// The request of DeleteGroup.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteGroupRequest {
    /// The group's name.
    pub group_name: Option<String>,
}

impl Shape for DeleteGroupRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("GroupName", &self.group_name, &REQUIRED_GROUP_NAME);
    }
}

/// The request of ListGroups.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListGroupsRequest {
    /// Only those whose paths begin so.
    pub path_prefix: Option<String>,
    /// Where the previous page ended.
    pub marker: Option<String>,
    /// The most items to be told at once; 100 unless given.
    pub max_items: Option<i64>,
}

impl Shape for ListGroupsRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("PathPrefix", &self.path_prefix, &PATH_PREFIX);
        visitor.member("Marker", &self.marker, &MARKER);
        visitor.member("MaxItems", &self.max_items, &MAX_ITEMS);
    }
}

/// The answer of ListGroups.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListGroupsResponse {
    /// The groups of this page.
    pub groups: Vec<Group>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}
answer!(ListGroupsResponse: "Groups", "IsTruncated", "Marker");

/// The request of AddUserToGroup.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct AddUserToGroupRequest {
    /// The group's name.
    pub group_name: Option<String>,
    /// The user's name.
    pub user_name: Option<String>,
}

impl Shape for AddUserToGroupRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("GroupName", &self.group_name, &REQUIRED_GROUP_NAME);
        visitor.member("UserName", &self.user_name, &REQUIRED_EXISTING_USER_NAME);
    }
}

/// The request of RemoveUserFromGroup.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct RemoveUserFromGroupRequest {
    /// The group's name.
    pub group_name: Option<String>,
    /// The user's name.
    pub user_name: Option<String>,
}

impl Shape for RemoveUserFromGroupRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("GroupName", &self.group_name, &REQUIRED_GROUP_NAME);
        visitor.member("UserName", &self.user_name, &REQUIRED_EXISTING_USER_NAME);
    }
}

/// The request of ListGroupsForUser.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListGroupsForUserRequest {
    /// The user's name.
    pub user_name: Option<String>,
    /// Where the previous page ended.
    pub marker: Option<String>,
    /// The most items to be told at once; 100 unless given.
    pub max_items: Option<i64>,
}

impl Shape for ListGroupsForUserRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("UserName", &self.user_name, &REQUIRED_EXISTING_USER_NAME);
        visitor.member("Marker", &self.marker, &MARKER);
        visitor.member("MaxItems", &self.max_items, &MAX_ITEMS);
    }
}

/// The answer of ListGroupsForUser.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListGroupsForUserResponse {
    /// The groups of this page.
    pub groups: Vec<Group>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}
answer!(ListGroupsForUserResponse: "Groups", "IsTruncated", "Marker");

family! {
    CreateGroupRequest = "CreateGroup" -> CreateGroupResponse;
    GetGroupRequest = "GetGroup" -> GetGroupResponse;
    UpdateGroupRequest = "UpdateGroup" -> ();
    DeleteGroupRequest = "DeleteGroup" -> ();
    ListGroupsRequest = "ListGroups" -> ListGroupsResponse;
    AddUserToGroupRequest = "AddUserToGroup" -> ();
    RemoveUserFromGroupRequest = "RemoveUserFromGroup" -> ();
    ListGroupsForUserRequest = "ListGroupsForUser" -> ListGroupsForUserResponse;
}
