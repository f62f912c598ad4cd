//! Grants: CreateGrant, ListGrants, ListRetirableGrants, RetireGrant, RevokeGrant.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{family, rules::*};
use crate::{
    enums::{GrantOperation, WireEnum},
    json::epoch,
    model::answer,
    names::{GrantId, KeyArn},
    shape::{Kind, Range, Rule, Shape, Visitor},
    values::{EncryptionContext, OneOf},
};

/// What a grant demands of the requests that it allows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GrantConstraints {
    /// Pairs that the encryption context must hold among others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_context_subset: Option<EncryptionContext>,
    /// Pairs that must be the whole encryption context.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_context_equals: Option<EncryptionContext>,
    /// The ARN of the resource on whose behalf a service must call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_arn: Option<String>,
}
answer!(GrantConstraints: "EncryptionContextSubset", "EncryptionContextEquals", "SourceArn");

impl Shape for GrantConstraints {
    fn members(&self, visitor: &mut dyn Visitor) {
        let (subset, equals) = (&self.encryption_context_subset, &self.encryption_context_equals);
        visitor.member("EncryptionContextSubset", subset, &ENCRYPTION_CONTEXT);
        visitor.member("EncryptionContextEquals", equals, &ENCRYPTION_CONTEXT);
        visitor.member("SourceArn", &self.source_arn, &SOURCE_ARN);
    }
}

const REQUIRED_OPERATIONS: Rule =
    Rule::of(Kind::List { length: Range::ANY, item: &Kind::Enumeration(GrantOperation::TEXTS) })
        .required();
const CONSTRAINTS: Rule =
    Rule::of(Kind::Structure(|visitor| GrantConstraints::default().members(visitor)));

/// The request of CreateGrant.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct CreateGrantRequest {
    /// The key's id or ARN.
    pub key_id: Option<String>,
    /// The ARN of the principal that gets the permissions.
    pub grantee_principal: Option<String>,
    /// The ARN of the principal that may retire the grant.
    pub retiring_principal: Option<String>,
    /// What the grantee may do.
    pub operations: Option<Vec<OneOf<GrantOperation>>>,
    /// What its requests must fulfil.
    pub constraints: Option<GrantConstraints>,
    /// Grants that may be too new to be known everywhere.
    pub grant_tokens: Option<Vec<String>>,
    /// A name by which a repeated request finds the grant that it has made already.
    pub name: Option<String>,
    /// Whether everything but the grant itself is to be tried.
    pub dry_run: Option<bool>,
    /// The service that gets the permissions, in place of a principal.
    pub grantee_service_principal: Option<String>,
    /// The service that may retire the grant, in place of a principal.
    pub retiring_service_principal: Option<String>,
}

impl Shape for CreateGrantRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member("GranteePrincipal", &self.grantee_principal, &PRINCIPAL_ID);
        visitor.member("RetiringPrincipal", &self.retiring_principal, &PRINCIPAL_ID);
        visitor.member("Operations", &self.operations, &REQUIRED_OPERATIONS);
        visitor.member("Constraints", &self.constraints, &CONSTRAINTS);
        visitor.member("GrantTokens", &self.grant_tokens, &GRANT_TOKENS);
        visitor.member("Name", &self.name, &GRANT_NAME);
        visitor.member("DryRun", &self.dry_run, &FLAG);
        let (grantee, retiring) =
            (&self.grantee_service_principal, &self.retiring_service_principal);
        visitor.member("GranteeServicePrincipal", grantee, &SERVICE_PRINCIPAL);
        visitor.member("RetiringServicePrincipal", retiring, &SERVICE_PRINCIPAL);
    }
}

/// The answer of CreateGrant.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateGrantResponse {
    /// Proof that the grant was made, good for a few minutes.
    pub grant_token: String,
    /// The id of the grant.
    pub grant_id: GrantId,
}
answer!(CreateGrantResponse: "GrantToken", "GrantId");

/// The request of ListGrants.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListGrantsRequest {
    /// The most grants to be told at once.
    pub limit: Option<i64>,
    /// Where the previous page ended.
    pub marker: Option<String>,
    /// The key's id or ARN.
    pub key_id: Option<String>,
    /// Tell this grant alone.
    pub grant_id: Option<String>,
    /// Tell the grants of this principal alone.
    pub grantee_principal: Option<String>,
    /// Tell the grants of this service alone.
    pub grantee_service_principal: Option<String>,
}

impl Shape for ListGrantsRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("Limit", &self.limit, &LIMIT);
        visitor.member("Marker", &self.marker, &MARKER);
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member("GrantId", &self.grant_id, &GRANT_ID);
        visitor.member("GranteePrincipal", &self.grantee_principal, &PRINCIPAL_ID);
        let grantee = &self.grantee_service_principal;
        visitor.member("GranteeServicePrincipal", grantee, &SERVICE_PRINCIPAL);
    }
}

/// A grant in a list.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GrantListEntry {
    /// The key.
    pub key_id: KeyArn,
    /// The id of the grant.
    pub grant_id: GrantId,
    /// The name, empty if none was given.
    pub name: String,
    /// When the grant was made.
    #[serde(with = "epoch")]
    pub creation_date: Timestamp,
    /// Who has the permissions, unless it is a service that was named as one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grantee_principal: Option<String>,
    /// Who may retire the grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retiring_principal: Option<String>,
    /// The account that made the grant, as the ARN of its root user.
    pub issuing_account: String,
    /// What the grantee may do.
    pub operations: Vec<GrantOperation>,
    /// What its requests must fulfil.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraints: Option<GrantConstraints>,
    /// The service that has the permissions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grantee_service_principal: Option<String>,
    /// The service that may retire the grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retiring_service_principal: Option<String>,
}
answer!(
    GrantListEntry: "KeyId", "GrantId", "Name", "CreationDate", "GranteePrincipal",
    "RetiringPrincipal", "IssuingAccount", "Operations", "Constraints",
    "GranteeServicePrincipal", "RetiringServicePrincipal"
);

/// The answer of ListGrants and of ListRetirableGrants.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListGrantsResponse {
    /// The grants of this page.
    pub grants: Vec<GrantListEntry>,
    /// Where this page ends, if there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
    /// Whether there are more.
    pub truncated: bool,
}
answer!(ListGrantsResponse: "Grants", "NextMarker", "Truncated");

/// The request of ListRetirableGrants.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct ListRetirableGrantsRequest {
    /// The most grants to be told at once.
    pub limit: Option<i64>,
    /// Where the previous page ended.
    pub marker: Option<String>,
    /// Who may retire the grants, a principal of the caller's account.
    pub retiring_principal: Option<String>,
    /// The service that may retire the grants.
    pub retiring_service_principal: Option<String>,
}

impl Shape for ListRetirableGrantsRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("Limit", &self.limit, &LIMIT);
        visitor.member("Marker", &self.marker, &MARKER);
        visitor.member("RetiringPrincipal", &self.retiring_principal, &PRINCIPAL_ID);
        let retiring = &self.retiring_service_principal;
        visitor.member("RetiringServicePrincipal", retiring, &SERVICE_PRINCIPAL);
    }
}

/// The request of RetireGrant.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct RetireGrantRequest {
    /// A token of the grant, in place of its key and id.
    pub grant_token: Option<String>,
    /// The key's id or ARN.
    pub key_id: Option<String>,
    /// The id of the grant.
    pub grant_id: Option<String>,
    /// Whether everything but the retirement itself is to be tried.
    pub dry_run: Option<bool>,
}

impl Shape for RetireGrantRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("GrantToken", &self.grant_token, &GRANT_TOKEN);
        visitor.member("KeyId", &self.key_id, &KEY_ID);
        visitor.member("GrantId", &self.grant_id, &GRANT_ID);
        visitor.member("DryRun", &self.dry_run, &FLAG);
    }
}

/// The request of RevokeGrant.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct RevokeGrantRequest {
    /// The key's id or ARN.
    pub key_id: Option<String>,
    /// The id of the grant.
    pub grant_id: Option<String>,
    /// Whether everything but the revocation itself is to be tried.
    pub dry_run: Option<bool>,
}

impl Shape for RevokeGrantRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("KeyId", &self.key_id, &REQUIRED_KEY_ID);
        visitor.member("GrantId", &self.grant_id, &REQUIRED_GRANT_ID);
        visitor.member("DryRun", &self.dry_run, &FLAG);
    }
}

family! {
    CreateGrantRequest = "CreateGrant" -> CreateGrantResponse;
    ListGrantsRequest = "ListGrants" -> ListGrantsResponse;
    ListRetirableGrantsRequest = "ListRetirableGrants" -> ListGrantsResponse;
    RetireGrantRequest = "RetireGrant" -> ();
    RevokeGrantRequest = "RevokeGrant" -> ();
}
