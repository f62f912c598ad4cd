//! Who is who: GetCallerIdentity, GetAccessKeyInfo.

use serde::{Deserialize, Serialize};

use super::rules::*;
use crate::{
    model::{answer, family},
    names::AccountId,
    shape::{Shape, Visitor},
};

/// The request of GetCallerIdentity.
#[derive(Deserialize, Default)]
pub struct GetCallerIdentityRequest {}

impl Shape for GetCallerIdentityRequest {
    fn members(&self, _: &mut dyn Visitor) {}
}

/// The answer of GetCallerIdentity.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetCallerIdentityResponse {
    /// The user's unique id, such as `AIDA...`.
    pub user_id: String,
    /// The account.
    pub account: AccountId,
    /// Its ARN.
    pub arn: String,
}
answer!(GetCallerIdentityResponse: "UserId", "Account", "Arn");

/// The request of GetAccessKeyInfo.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GetAccessKeyInfoRequest {
    /// The access key's id.
    pub access_key_id: Option<String>,
}

impl Shape for GetAccessKeyInfoRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("AccessKeyId", &self.access_key_id, &REQUIRED_ACCESS_KEY_ID);
    }
}

/// The answer of GetAccessKeyInfo.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetAccessKeyInfoResponse {
    /// The account.
    pub account: AccountId,
}
answer!(GetAccessKeyInfoResponse: "Account");

family! {
    GetCallerIdentityRequest = "GetCallerIdentity" -> GetCallerIdentityResponse;
    GetAccessKeyInfoRequest = "GetAccessKeyInfo" -> GetAccessKeyInfoResponse;
}
