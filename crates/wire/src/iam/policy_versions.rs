//! Versions of managed policies: CreatePolicyVersion, GetPolicyVersion, DeletePolicyVersion,
//! ListPolicyVersions, SetDefaultPolicyVersion.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::rules::*;
use crate::{
    model::{answer, family},
    query::iso8601,
    shape::{Shape, Visitor},
    values::PolicyDocument,
};

/// A version of a managed policy.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyVersion {
    /// The policy; lists leave it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<PolicyDocument>,
    /// Its id, such as `v2`.
    pub version_id: String,
    /// Whether it is the one in force.
    pub is_default_version: bool,
    /// When it was created.
    #[serde(with = "iso8601")]
    pub create_date: Timestamp,
}
answer!(PolicyVersion: "Document", "VersionId", "IsDefaultVersion", "CreateDate");

/// The request of CreatePolicyVersion.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct CreatePolicyVersionRequest {
    /// The policy's ARN.
    pub policy_arn: Option<String>,
    /// The policy as JSON.
    pub policy_document: Option<String>,
    /// Whether the new version is to be the one in force.
    pub set_as_default: Option<bool>,
}

impl Shape for CreatePolicyVersionRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("PolicyArn", &self.policy_arn, &REQUIRED_ARN);
        visitor.member("PolicyDocument", &self.policy_document, &REQUIRED_POLICY_DOCUMENT);
        visitor.member("SetAsDefault", &self.set_as_default, &FLAG);
    }
}

/// The answer of CreatePolicyVersion.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreatePolicyVersionResponse {
    /// The version.
    pub policy_version: PolicyVersion,
}
answer!(CreatePolicyVersionResponse: "PolicyVersion");

/// The request of GetPolicyVersion.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct GetPolicyVersionRequest {
    /// The policy's ARN.
    pub policy_arn: Option<String>,
    /// The version's id, such as `v2`.
    pub version_id: Option<String>,
}

impl Shape for GetPolicyVersionRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("PolicyArn", &self.policy_arn, &REQUIRED_ARN);
        visitor.member("VersionId", &self.version_id, &REQUIRED_VERSION_ID);
    }
}

/// The answer of GetPolicyVersion.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetPolicyVersionResponse {
    /// The version.
    pub policy_version: PolicyVersion,
}
answer!(GetPolicyVersionResponse: "PolicyVersion");

/// The request of DeletePolicyVersion.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct DeletePolicyVersionRequest {
    /// The policy's ARN.
    pub policy_arn: Option<String>,
    /// The version's id, such as `v2`.
    pub version_id: Option<String>,
}

impl Shape for DeletePolicyVersionRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("PolicyArn", &self.policy_arn, &REQUIRED_ARN);
        visitor.member("VersionId", &self.version_id, &REQUIRED_VERSION_ID);
    }
}

/// The request of ListPolicyVersions.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListPolicyVersionsRequest {
    /// The policy's ARN.
    pub policy_arn: Option<String>,
    /// Where the previous page ended.
    pub marker: Option<String>,
    /// The most items to be told at once; 100 unless given.
    pub max_items: Option<i64>,
}

impl Shape for ListPolicyVersionsRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("PolicyArn", &self.policy_arn, &REQUIRED_ARN);
        visitor.member("Marker", &self.marker, &MARKER);
        visitor.member("MaxItems", &self.max_items, &MAX_ITEMS);
    }
}

/// The answer of ListPolicyVersions.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListPolicyVersionsResponse {
    /// The versions of this page.
    pub versions: Vec<PolicyVersion>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}
answer!(ListPolicyVersionsResponse: "Versions", "IsTruncated", "Marker");

/// The request of SetDefaultPolicyVersion.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct SetDefaultPolicyVersionRequest {
    /// The policy's ARN.
    pub policy_arn: Option<String>,
    /// The version's id, such as `v2`.
    pub version_id: Option<String>,
}

impl Shape for SetDefaultPolicyVersionRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("PolicyArn", &self.policy_arn, &REQUIRED_ARN);
        visitor.member("VersionId", &self.version_id, &REQUIRED_VERSION_ID);
    }
}

family! {
    CreatePolicyVersionRequest = "CreatePolicyVersion" -> CreatePolicyVersionResponse;
    GetPolicyVersionRequest = "GetPolicyVersion" -> GetPolicyVersionResponse;
    DeletePolicyVersionRequest = "DeletePolicyVersion" -> ();
    ListPolicyVersionsRequest = "ListPolicyVersions" -> ListPolicyVersionsResponse;
    SetDefaultPolicyVersionRequest = "SetDefaultPolicyVersion" -> ();
}
