//! Users: CreateUser, GetUser, UpdateUser, DeleteUser, ListUsers, TagUser, UntagUser, ListUserTags.

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
};

/// A user.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct User {
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
    /// When the password was last used.
    #[serde(with = "iso8601::option", skip_serializing_if = "Option::is_none")]
    pub password_last_used: Option<Timestamp>,
    /// What bounds its permissions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions_boundary: Option<AttachedPermissionsBoundary>,
    /// Its tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
}
answer!(
    User: "Path", "UserName", "UserId", "Arn", "CreateDate", "PasswordLastUsed",
    "PermissionsBoundary", "Tags"
);

/// The request of CreateUser.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct CreateUserRequest {
    /// The path, such as `/division/`; `/` unless given.
    pub path: Option<String>,
    /// The user's name.
    pub user_name: Option<String>,
    /// The ARN of the managed policy that bounds the user.
    pub permissions_boundary: Option<String>,
    /// The user's tags.
    pub tags: Option<Vec<Tag>>,
}

impl Shape for CreateUserRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("Path", &self.path, &PATH);
        visitor.member("UserName", &self.user_name, &REQUIRED_USER_NAME);
        visitor.member("PermissionsBoundary", &self.permissions_boundary, &ARN);
        visitor.member("Tags", &self.tags, &TAGS);
    }
}

/// The answer of CreateUser.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateUserResponse {
    /// The user.
    pub user: User,
}
answer!(CreateUserResponse: "User");

/// The request of GetUser.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GetUserRequest {
    /// The user's name; the caller unless given.
    pub user_name: Option<String>,
}

impl Shape for GetUserRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("UserName", &self.user_name, &EXISTING_USER_NAME);
    }
}

/// The answer of GetUser.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetUserResponse {
    /// The user.
    pub user: User,
}
answer!(GetUserResponse: "User");

/// The request of UpdateUser.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateUserRequest {
    /// The user's name.
    pub user_name: Option<String>,
    /// The new path.
    pub new_path: Option<String>,
    /// The new name.
    pub new_user_name: Option<String>,
}

impl Shape for UpdateUserRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("UserName", &self.user_name, &REQUIRED_EXISTING_USER_NAME);
        visitor.member("NewPath", &self.new_path, &PATH);
        visitor.member("NewUserName", &self.new_user_name, &USER_NAME);
    }
}

/// The request of DeleteUser.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteUserRequest {
    /// The user's name.
    pub user_name: Option<String>,
}

impl Shape for DeleteUserRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("UserName", &self.user_name, &REQUIRED_EXISTING_USER_NAME);
    }
}

/// The request of ListUsers.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListUsersRequest {
    /// Only those whose paths begin so.
    pub path_prefix: Option<String>,
    /// Where the previous page ended.
    pub marker: Option<String>,
    /// The most items to be told at once; 100 unless given.
    pub max_items: Option<i64>,
}

impl Shape for ListUsersRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("PathPrefix", &self.path_prefix, &PATH_PREFIX);
        visitor.member("Marker", &self.marker, &MARKER);
        visitor.member("MaxItems", &self.max_items, &MAX_ITEMS);
    }
}

/// The answer of ListUsers.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListUsersResponse {
    /// The users of this page.
    pub users: Vec<User>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}
answer!(ListUsersResponse: "Users", "IsTruncated", "Marker");

/// The request of TagUser.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct TagUserRequest {
    /// The user's name.
    pub user_name: Option<String>,
    /// The tags to add or to change.
    pub tags: Option<Vec<Tag>>,
}

impl Shape for TagUserRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("UserName", &self.user_name, &REQUIRED_EXISTING_USER_NAME);
        visitor.member("Tags", &self.tags, &REQUIRED_TAGS);
    }
}

/// The request of UntagUser.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct UntagUserRequest {
    /// The user's name.
    pub user_name: Option<String>,
    /// The names of the tags to remove.
    pub tag_keys: Option<Vec<String>>,
}

impl Shape for UntagUserRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("UserName", &self.user_name, &REQUIRED_EXISTING_USER_NAME);
        visitor.member("TagKeys", &self.tag_keys, &REQUIRED_TAG_KEYS);
    }
}

/// The request of ListUserTags.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListUserTagsRequest {
    /// The user's name.
    pub user_name: Option<String>,
    /// Where the previous page ended.
    pub marker: Option<String>,
    /// The most items to be told at once; 100 unless given.
    pub max_items: Option<i64>,
}

impl Shape for ListUserTagsRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("UserName", &self.user_name, &REQUIRED_EXISTING_USER_NAME);
        visitor.member("Marker", &self.marker, &MARKER);
        visitor.member("MaxItems", &self.max_items, &MAX_ITEMS);
    }
}

/// The answer of ListUserTags.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListUserTagsResponse {
    /// Its tags.
    pub tags: Vec<Tag>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}
answer!(ListUserTagsResponse: "Tags", "IsTruncated", "Marker");

family! {
    CreateUserRequest = "CreateUser" -> CreateUserResponse;
    GetUserRequest = "GetUser" -> GetUserResponse;
    UpdateUserRequest = "UpdateUser" -> ();
    DeleteUserRequest = "DeleteUser" -> ();
    ListUsersRequest = "ListUsers" -> ListUsersResponse;
    TagUserRequest = "TagUser" -> ();
    UntagUserRequest = "UntagUser" -> ();
    ListUserTagsRequest = "ListUserTags" -> ListUserTagsResponse;
}
