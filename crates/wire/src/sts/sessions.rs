//! Sessions of users: GetSessionToken, GetFederationToken.

use serde::{Deserialize, Serialize};

use super::{
    credentials::{Credentials, POLICY_ARNS, PolicyDescriptor},
    rules::*,
};
use crate::{
    iam::tags::{TAGS, Tag},
    model::{answer, family},
    shape::{Shape, Visitor},
};

/// The session as a principal.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct FederatedUser {
    /// The account and the name, with a colon between.
    pub federated_user_id: String,
    /// The session's ARN.
    pub arn: String,
}
answer!(FederatedUser: "FederatedUserId", "Arn");

/// The request of GetSessionToken.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GetSessionTokenRequest {
    /// How long the session lasts, in seconds.
    pub duration_seconds: Option<i64>,
    /// The device that made the one-time code.
    pub serial_number: Option<String>,
    /// The one-time code.
    pub token_code: Option<String>,
    /// The least length of the session token, in bytes.
    pub minimum_session_token_size: Option<i64>,
}

impl Shape for GetSessionTokenRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("DurationSeconds", &self.duration_seconds, &DURATION_SECONDS);
        visitor.member("SerialNumber", &self.serial_number, &SERIAL_NUMBER);
        visitor.member("TokenCode", &self.token_code, &TOKEN_CODE);
        visitor.member(
            "MinimumSessionTokenSize",
            &self.minimum_session_token_size,
            &MINIMUM_SESSION_TOKEN_SIZE_BYTES,
        );
    }
}

/// The answer of GetSessionToken.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetSessionTokenResponse {
    /// The credentials of the session.
    pub credentials: Credentials,
    /// How much of the session token's room is taken, in per cent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_token_utilization: Option<i64>,
    /// The length of the session token, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_token_size: Option<i64>,
}
answer!(GetSessionTokenResponse: "Credentials", "SessionTokenUtilization", "SessionTokenSize");

/// The request of GetFederationToken.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GetFederationTokenRequest {
    /// The name of the federated user.
    pub name: Option<String>,
    /// A policy that narrows the session, as JSON.
    pub policy: Option<String>,
    /// Managed policies that narrow the session.
    pub policy_arns: Option<Vec<PolicyDescriptor>>,
    /// How long the session lasts, in seconds.
    pub duration_seconds: Option<i64>,
    /// The tags of the session.
    pub tags: Option<Vec<Tag>>,
    /// The least length of the session token, in bytes.
    pub minimum_session_token_size: Option<i64>,
}

impl Shape for GetFederationTokenRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("Name", &self.name, &REQUIRED_FEDERATED_USER_NAME);
        visitor.member("Policy", &self.policy, &SESSION_POLICY);
        visitor.member("PolicyArns", &self.policy_arns, &POLICY_ARNS);
        visitor.member("DurationSeconds", &self.duration_seconds, &DURATION_SECONDS);
        visitor.member("Tags", &self.tags, &TAGS);
        visitor.member(
            "MinimumSessionTokenSize",
            &self.minimum_session_token_size,
            &MINIMUM_SESSION_TOKEN_SIZE_BYTES,
        );
    }
}

/// The answer of GetFederationToken.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetFederationTokenResponse {
    /// The credentials of the session.
    pub credentials: Credentials,
    /// The session as a principal.
    pub federated_user: FederatedUser,
    /// How much of the room for policies and tags is taken, in per cent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packed_policy_size: Option<i64>,
    /// How much of the session token's room is taken, in per cent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_token_utilization: Option<i64>,
    /// The length of the session token, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_token_size: Option<i64>,
}
answer!(
    GetFederationTokenResponse: "Credentials", "FederatedUser", "PackedPolicySize",
    "SessionTokenUtilization", "SessionTokenSize"
);

family! {
    GetSessionTokenRequest = "GetSessionToken" -> GetSessionTokenResponse;
    GetFederationTokenRequest = "GetFederationToken" -> GetFederationTokenResponse;
}
