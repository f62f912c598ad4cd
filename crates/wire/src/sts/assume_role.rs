//! Sessions of roles: AssumeRole, AssumeRoleWithWebIdentity.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    credentials::{Credentials, POLICY_ARNS, PolicyDescriptor},
    rules::*,
};
use crate::{
    iam::tags::{TAGS, Tag},
    limits::PROVIDED_CONTEXTS_MAX,
    model::{answer, family},
    shape::{Kind, Range, Rule, Shape, Visitor},
    values::SecretText,
};

/// A context that a trusted provider vouches for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProvidedContext {
    /// The provider's ARN.
    pub provider_arn: Option<String>,
    /// What it vouches for, signed.
    pub context_assertion: Option<String>,
}

impl Shape for ProvidedContext {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("ProviderArn", &self.provider_arn, &ARN);
        visitor.member("ContextAssertion", &self.context_assertion, &CONTEXT_ASSERTION);
    }
}

const PROVIDED_CONTEXTS: Rule = Rule::of(Kind::List {
    length: Range::of(1, PROVIDED_CONTEXTS_MAX),
    item: &Kind::Structure(|visitor| ProvidedContext::default().members(visitor)),
});

/// The session as a principal.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssumedRoleUser {
    /// The role's unique id and the name of the session, with a colon between.
    pub assumed_role_id: String,
    /// The session's ARN.
    pub arn: String,
}
answer!(AssumedRoleUser: "AssumedRoleId", "Arn");

/// The identity that a token vouched for, as it is passed on.
///
/// Its texts are sensitive in the model, so it cannot be printed.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TrustedIdentityPropagationContext {
    /// Whom the provider vouched for.
    pub origin_identity: OriginIdentity,
    /// On what occasion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_context: Option<TransactionContext>,
}
answer!(TrustedIdentityPropagationContext: "OriginIdentity", "TransactionContext");

/// The identity as its provider knows it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OriginIdentity {
    /// The subject.
    pub subject: String,
    /// The kind of the subject.
    pub subject_type: String,
    /// The issuer.
    pub issuer: String,
    /// The provider's ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub federated_provider_arn: Option<String>,
}
answer!(OriginIdentity: "Subject", "SubjectType", "Issuer", "FederatedProviderArn");

/// What the provider says of the occasion.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TransactionContext {
    /// The provider's claims.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_provider: Option<BTreeMap<String, String>>,
}
answer!(TransactionContext: "IdentityProvider");

/// The request of AssumeRole.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct AssumeRoleRequest {
    /// The role's ARN.
    pub role_arn: Option<String>,
    /// The name of the session, which is part of its ARN.
    pub role_session_name: Option<String>,
    /// Managed policies that narrow the session.
    pub policy_arns: Option<Vec<PolicyDescriptor>>,
    /// A policy that narrows the session, as JSON.
    pub policy: Option<String>,
    /// How long the session lasts, in seconds.
    pub duration_seconds: Option<i64>,
    /// The tags of the session.
    pub tags: Option<Vec<Tag>>,
    /// The names of the tags that are passed on to the roles that the new credentials assume.
    pub transitive_tag_keys: Option<Vec<String>>,
    /// What the role's owner agreed on with the caller.
    pub external_id: Option<String>,
    /// The device that made the one-time code.
    pub serial_number: Option<String>,
    /// The one-time code.
    pub token_code: Option<String>,
    /// Who is behind the session, for all sessions that follow from it.
    pub source_identity: Option<String>,
    /// Contexts that trusted providers vouch for.
    pub provided_contexts: Option<Vec<ProvidedContext>>,
    /// The least length of the session token, in bytes.
    pub minimum_session_token_size: Option<i64>,
}

impl Shape for AssumeRoleRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("RoleArn", &self.role_arn, &REQUIRED_ARN);
        visitor.member("RoleSessionName", &self.role_session_name, &REQUIRED_ROLE_SESSION_NAME);
        visitor.member("PolicyArns", &self.policy_arns, &POLICY_ARNS);
        visitor.member("Policy", &self.policy, &UNRESTRICTED_SESSION_POLICY);
        visitor.member("DurationSeconds", &self.duration_seconds, &ROLE_DURATION_SECONDS);
        visitor.member("Tags", &self.tags, &TAGS);
        visitor.member("TransitiveTagKeys", &self.transitive_tag_keys, &TAG_KEYS);
        visitor.member("ExternalId", &self.external_id, &EXTERNAL_ID);
        visitor.member("SerialNumber", &self.serial_number, &SERIAL_NUMBER);
        visitor.member("TokenCode", &self.token_code, &TOKEN_CODE);
        visitor.member("SourceIdentity", &self.source_identity, &SOURCE_IDENTITY);
        visitor.member("ProvidedContexts", &self.provided_contexts, &PROVIDED_CONTEXTS);
        visitor.member(
            "MinimumSessionTokenSize",
            &self.minimum_session_token_size,
            &MINIMUM_SESSION_TOKEN_SIZE_BYTES,
        );
    }
}

/// The answer of AssumeRole.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssumeRoleResponse {
    /// The credentials of the session.
    pub credentials: Credentials,
    /// The session as a principal.
    pub assumed_role_user: AssumedRoleUser,
    /// How much of the room for policies and tags is taken, in per cent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packed_policy_size: Option<i64>,
    /// Who is behind the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
    /// How much of the session token's room is taken, in per cent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_token_utilization: Option<i64>,
    /// The length of the session token, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_token_size: Option<i64>,
}
answer!(
    AssumeRoleResponse: "Credentials", "AssumedRoleUser", "PackedPolicySize", "SourceIdentity",
    "SessionTokenUtilization", "SessionTokenSize"
);

/// The request of AssumeRoleWithWebIdentity.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub struct AssumeRoleWithWebIdentityRequest {
    /// The role's ARN.
    pub role_arn: Option<String>,
    /// The name of the session, which is part of its ARN.
    pub role_session_name: Option<String>,
    /// The provider's token.
    pub web_identity_token: Option<SecretText>,
    /// The provider's host, for those that are not OIDC.
    pub provider_id: Option<String>,
    /// Managed policies that narrow the session.
    pub policy_arns: Option<Vec<PolicyDescriptor>>,
    /// A policy that narrows the session, as JSON.
    pub policy: Option<String>,
    /// How long the session lasts, in seconds.
    pub duration_seconds: Option<i64>,
    /// The least length of the session token, in bytes.
    pub minimum_session_token_size: Option<i64>,
}

impl Shape for AssumeRoleWithWebIdentityRequest {
    fn members(&self, visitor: &mut dyn Visitor) {
        visitor.member("RoleArn", &self.role_arn, &REQUIRED_ARN);
        visitor.member("RoleSessionName", &self.role_session_name, &REQUIRED_ROLE_SESSION_NAME);
        visitor.member("WebIdentityToken", &self.web_identity_token, &REQUIRED_WEB_IDENTITY_TOKEN);
        visitor.member("ProviderId", &self.provider_id, &PROVIDER_ID);
        visitor.member("PolicyArns", &self.policy_arns, &POLICY_ARNS);
        visitor.member("Policy", &self.policy, &SESSION_POLICY);
        visitor.member("DurationSeconds", &self.duration_seconds, &ROLE_DURATION_SECONDS);
        visitor.member(
            "MinimumSessionTokenSize",
            &self.minimum_session_token_size,
            &MINIMUM_SESSION_TOKEN_SIZE_BYTES,
        );
    }
}

/// The answer of AssumeRoleWithWebIdentity.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssumeRoleWithWebIdentityResponse {
    /// The credentials of the session.
    pub credentials: Credentials,
    /// The subject that the token names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_from_web_identity_token: Option<String>,
    /// The session as a principal.
    pub assumed_role_user: AssumedRoleUser,
    /// How much of the room for policies and tags is taken, in per cent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packed_policy_size: Option<i64>,
    /// The issuer of the token, or the provider that was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The audience that the token names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// Who is behind the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
    /// How much of the session token's room is taken, in per cent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_token_utilization: Option<i64>,
    /// The length of the session token, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_token_size: Option<i64>,
    /// The identity that the token vouched for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted_identity_propagation_context: Option<TrustedIdentityPropagationContext>,
}
answer!(
    AssumeRoleWithWebIdentityResponse: "Credentials", "SubjectFromWebIdentityToken",
    "AssumedRoleUser", "PackedPolicySize", "Provider", "Audience", "SourceIdentity",
    "SessionTokenUtilization", "SessionTokenSize", "TrustedIdentityPropagationContext"
);

family! {
    AssumeRoleRequest = "AssumeRole" -> AssumeRoleResponse;
    AssumeRoleWithWebIdentityRequest = "AssumeRoleWithWebIdentity"
        -> AssumeRoleWithWebIdentityResponse;
}
