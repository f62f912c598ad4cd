//! Access keys: CreateAccessKey, UpdateAccessKey, DeleteAccessKey, ListAccessKeys,
//! GetAccessKeyLastUsed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{enums::Status, rules::*};
use crate::{
    model::{answer, family},
    query::iso8601,
    shape::{Shape, Visitor},
    values::{OneOf, SecretText},
};

/// A new access key, with its secret.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccessKey {
    /// The user whom it belongs to.
    pub user_name: String,
    /// The access key's id.
    pub access_key_id: String,
    /// Whether it can be used; a new one can.
    pub status: Status,
    /// The secret, told this once.
    pub secret_access_key: SecretText,
    /// When it was created.
    #[serde(with = "iso8601")]
    pub create_date: Timestamp,
}
answer!(AccessKey: "UserName", "AccessKeyId", "Status", "SecretAccessKey", "CreateDate");

/// An access key without its secret.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccessKeyMetadata {
    /// The user whom it belongs to.
    pub user_name: String,
    /// The access key's id.
    pub access_key_id: String,
    /// Whether it can be used.
    pub status: Status,
    /// When it was created.
    #[serde(with = "iso8601")]
    pub create_date: Timestamp,
}
answer!(AccessKeyMetadata: "UserName", "AccessKeyId", "Status", "CreateDate");

/// When and for what an access key was last used.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccessKeyLastUsed {
    /// When; absent if never.
    #[serde(with = "iso8601::option", skip_serializing_if = "Option::is_none")]
    pub last_used_date: Option<Timestamp>,
    /// The service, such as `kms`; `N/A` if never.
    pub service_name: String,
    /// The Region; `N/A` if never.
    pub region: String,
}
answer!(AccessKeyLastUsed: "LastUsedDate", "ServiceName", "Region");

/// The request of CreateAccessKey.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct CreateAccessKeyRequest {
    /// The user's name; the caller unless given.
    pub user_name: Option<String>,
}

impl Shape for CreateAccessKeyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("UserName", &self.user_name, &EXISTING_USER_NAME);
    }
}

/// The answer of CreateAccessKey.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateAccessKeyResponse {
    /// The access key.
    pub access_key: AccessKey,
}
answer!(CreateAccessKeyResponse: "AccessKey");

/// The request of UpdateAccessKey.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateAccessKeyRequest {
    /// The user's name; the caller unless given.
    pub user_name: Option<String>,
    /// The access key's id.
    pub access_key_id: Option<String>,
    /// The new status.
    pub status: Option<OneOf<Status>>,
}

impl Shape for UpdateAccessKeyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("UserName", &self.user_name, &EXISTING_USER_NAME);
        visitor.member("AccessKeyId", &self.access_key_id, &REQUIRED_ACCESS_KEY_ID);
        visitor.member("Status", &self.status, &REQUIRED_STATUS);
    }
}

/// The request of DeleteAccessKey.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteAccessKeyRequest {
    /// The user's name; the caller unless given.
    pub user_name: Option<String>,
    /// The access key's id.
    pub access_key_id: Option<String>,
}

impl Shape for DeleteAccessKeyRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("UserName", &self.user_name, &EXISTING_USER_NAME);
        visitor.member("AccessKeyId", &self.access_key_id, &REQUIRED_ACCESS_KEY_ID);
    }
}

/// The request of ListAccessKeys.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListAccessKeysRequest {
    /// The user's name; the caller unless given.
    pub user_name: Option<String>,
    /// Where the previous page ended.
    pub marker: Option<String>,
    /// The most items to be told at once; 100 unless given.
    pub max_items: Option<i64>,
}

impl Shape for ListAccessKeysRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("UserName", &self.user_name, &EXISTING_USER_NAME);
        visitor.member("Marker", &self.marker, &MARKER);
        visitor.member("MaxItems", &self.max_items, &MAX_ITEMS);
    }
}

/// The answer of ListAccessKeys.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListAccessKeysResponse {
    /// The access keys of this page.
    pub access_key_metadata: Vec<AccessKeyMetadata>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}
answer!(ListAccessKeysResponse: "AccessKeyMetadata", "IsTruncated", "Marker");

/// The request of GetAccessKeyLastUsed.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GetAccessKeyLastUsedRequest {
    /// The access key's id.
    pub access_key_id: Option<String>,
}

impl Shape for GetAccessKeyLastUsedRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("AccessKeyId", &self.access_key_id, &REQUIRED_ACCESS_KEY_ID);
    }
}

/// The answer of GetAccessKeyLastUsed.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetAccessKeyLastUsedResponse {
    /// The user whom it belongs to; absent if it is the root user's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// Its last use.
    pub access_key_last_used: AccessKeyLastUsed,
}
answer!(GetAccessKeyLastUsedResponse: "UserName", "AccessKeyLastUsed");

family! {
    CreateAccessKeyRequest = "CreateAccessKey" -> CreateAccessKeyResponse;
    UpdateAccessKeyRequest = "UpdateAccessKey" -> ();
    DeleteAccessKeyRequest = "DeleteAccessKey" -> ();
    ListAccessKeysRequest = "ListAccessKeys" -> ListAccessKeysResponse;
    GetAccessKeyLastUsedRequest = "GetAccessKeyLastUsed" -> GetAccessKeyLastUsedResponse;
}
