//! The requests and answers of AWS STS, family by family, in the AWS Query protocol.

pub mod assume_role;
pub mod authorization_messages;
pub mod caller_identity;
pub mod credentials;
mod rules;
pub mod sessions;

use serde_json::Value;

use crate::model::{Answer, operation};

/// Describes each operation of STS that has shapes here, by family.
pub(crate) const OPERATIONS: &[fn() -> (&'static str, Value)] = &[
    operation::<caller_identity::GetCallerIdentityRequest>,
    operation::<caller_identity::GetAccessKeyInfoRequest>,
    operation::<assume_role::AssumeRoleRequest>,
    operation::<assume_role::AssumeRoleWithWebIdentityRequest>,
    operation::<sessions::GetSessionTokenRequest>,
    operation::<sessions::GetFederationTokenRequest>,
    operation::<authorization_messages::DecodeAuthorizationMessageRequest>,
];

/// The structures inside answers, by their names in the model, with their members.
pub(crate) const STRUCTURES: &[(&str, &[&str])] = &[
    ("Credentials", credentials::Credentials::MEMBERS),
    ("AssumedRoleUser", assume_role::AssumedRoleUser::MEMBERS),
    ("TrustedIdentityPropagationContext", assume_role::TrustedIdentityPropagationContext::MEMBERS),
    ("OriginIdentity", assume_role::OriginIdentity::MEMBERS),
    ("TransactionContext", assume_role::TransactionContext::MEMBERS),
    ("FederatedUser", sessions::FederatedUser::MEMBERS),
];
