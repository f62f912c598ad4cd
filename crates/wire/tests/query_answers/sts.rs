//! The members of answers of STS are those stated beside their structs.

use std::collections::BTreeMap;

use wire::sts::{
    assume_role::*, authorization_messages::*, caller_identity::*, credentials::*, sessions::*,
};

use super::{stated, text, time};

fn credentials() -> Credentials {
    Credentials {
        access_key_id: text(),
        secret_access_key: text().into(),
        session_token: text().into(),
        expiration: time(),
    }
}

fn assumed_role_user() -> AssumedRoleUser {
    AssumedRoleUser { assumed_role_id: text(), arn: text() }
}

fn trusted_identity_propagation_context() -> TrustedIdentityPropagationContext {
    TrustedIdentityPropagationContext {
        origin_identity: origin_identity(),
        transaction_context: Some(transaction_context()),
    }
}

fn origin_identity() -> OriginIdentity {
    OriginIdentity {
        subject: text(),
        subject_type: text(),
        issuer: text(),
        federated_provider_arn: Some(text()),
    }
}

fn transaction_context() -> TransactionContext {
    TransactionContext { identity_provider: Some(BTreeMap::from([(text(), text())])) }
}

fn federated_user() -> FederatedUser {
    FederatedUser { federated_user_id: text(), arn: text() }
}

#[test]
fn the_members_of_caller_identity_are_stated() {
    stated(&GetCallerIdentityResponse {
        user_id: text(),
        account: "111122223333".parse().unwrap(),
        arn: text(),
    });
    stated(&GetAccessKeyInfoResponse { account: "111122223333".parse().unwrap() });
}

#[test]
fn the_members_of_credentials_are_stated() {
    stated(&credentials());
}

#[test]
fn the_members_of_assume_role_are_stated() {
    stated(&assumed_role_user());
    stated(&trusted_identity_propagation_context());
    stated(&origin_identity());
    stated(&transaction_context());
    stated(&AssumeRoleResponse {
        credentials: credentials(),
        assumed_role_user: assumed_role_user(),
        packed_policy_size: Some(1),
        source_identity: Some(text()),
        session_token_utilization: Some(1),
        session_token_size: Some(1),
    });
    stated(&AssumeRoleWithWebIdentityResponse {
        credentials: credentials(),
        subject_from_web_identity_token: Some(text()),
        assumed_role_user: assumed_role_user(),
        packed_policy_size: Some(1),
        provider: Some(text()),
        audience: Some(text()),
        source_identity: Some(text()),
        session_token_utilization: Some(1),
        session_token_size: Some(1),
        trusted_identity_propagation_context: Some(trusted_identity_propagation_context()),
    });
}

#[test]
fn the_members_of_sessions_are_stated() {
    stated(&federated_user());
    stated(&GetSessionTokenResponse {
        credentials: credentials(),
        session_token_utilization: Some(1),
        session_token_size: Some(1),
    });
    stated(&GetFederationTokenResponse {
        credentials: credentials(),
        federated_user: federated_user(),
        packed_policy_size: Some(1),
        session_token_utilization: Some(1),
        session_token_size: Some(1),
    });
}

#[test]
fn the_members_of_authorization_messages_are_stated() {
    stated(&DecodeAuthorizationMessageResponse { decoded_message: text() });
}
