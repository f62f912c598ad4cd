//! DeriveSharedSecret, Encapsulate, Decapsulate.

use wire::enums::{EncapsulationAlgorithmSpec, KeyAgreementAlgorithmSpec, KeyUsage};
use wire::kms::shared_secrets::{
    DecapsulateRequest, DecapsulateResponse, DeriveSharedSecretRequest, DeriveSharedSecretResponse,
    EncapsulateRequest, EncapsulateResponse,
};
use wire::shape::required;
use wire::values::{Blob, OneOf};

use super::CRYPTOGRAPHIC;
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::facts::{Cryptography, Facts};
use crate::operation::{Operation, Spec};
use crate::target::{KeyName, OneKey, Target};
use crate::trail::Done;

/// Agrees on a secret with the holder of another key on the same curve.
pub(crate) struct DeriveSharedSecret;

impl Operation for DeriveSharedSecret {
    type Request = DeriveSharedSecretRequest;
    type Target = OneKey;
    type Response = DeriveSharedSecretResponse;
    const SPEC: Spec = Spec {
        name: "DeriveSharedSecret",
        actions: &["kms:DeriveSharedSecret"],
        key_usage: Some(KeyUsage::KeyAgreement),
        ..CRYPTOGRAPHIC
    };

    fn names(
        request: &DeriveSharedSecretRequest,
    ) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    fn facts(request: &DeriveSharedSecretRequest) -> Facts<'_> {
        Facts {
            cryptography: Cryptography {
                key_agreement_algorithm: Some(KeyAgreementAlgorithmSpec::Ecdh),
                ..Cryptography::default()
            },
            recipient: request.recipient.as_ref(),
            grant_tokens: request.grant_tokens.as_deref().unwrap_or_default(),
            dry_run: request.dry_run.unwrap_or_default(),
            ..Facts::default()
        }
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        request: &DeriveSharedSecretRequest,
    ) -> Result<Done<DeriveSharedSecretResponse>, ServiceError> {
        let key = &target.key;
        let public_key = required(&request.public_key)?.as_slice();
        let material = key.current_material()?;
        let shared_secret = context
            .custodian()
            .derive_shared_secret(&material.identity, &material.wrapped, public_key)
            .await?;
        let (shared_secret, ciphertext_for_recipient) = context.for_recipient(shared_secret)?;
        Ok(Done::read(DeriveSharedSecretResponse {
            key_id: key.arn(),
            shared_secret,
            ciphertext_for_recipient,
            key_agreement_algorithm: KeyAgreementAlgorithmSpec::Ecdh,
            key_origin: key.key().origin,
        }))
    }
}

/// Makes a secret and the ciphertext that carries it to the key (FIPS 203).
pub(crate) struct Encapsulate;

impl Operation for Encapsulate {
    type Request = EncapsulateRequest;
    type Target = OneKey;
    type Response = EncapsulateResponse;
    const SPEC: Spec = Spec {
        name: "Encapsulate",
        actions: &["kms:Encapsulate"],
        key_usage: Some(KeyUsage::EncapsulateDecapsulate),
        ..CRYPTOGRAPHIC
    };

    fn names(request: &EncapsulateRequest) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    fn facts(request: &EncapsulateRequest) -> Facts<'_> {
        Facts {
            grant_tokens: request.grant_tokens.as_deref().unwrap_or_default(),
            dry_run: request.dry_run.unwrap_or_default(),
            ..Facts::default()
        }
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        request: &EncapsulateRequest,
    ) -> Result<Done<EncapsulateResponse>, ServiceError> {
        let key = &target.key;
        let material = key.current_material()?;
        let (shared_secret, ciphertext) =
            context.custodian().encapsulate(&material.identity, &material.wrapped).await?;
        Ok(Done::read(EncapsulateResponse {
            key_id: key.arn(),
            shared_secret: Blob::from(shared_secret.into_exposed()),
            shared_secret_ciphertext_blob: Blob::from(ciphertext),
            encapsulation_algorithm: algorithm(&request.encapsulation_algorithm)?,
        }))
    }
}

/// Takes the secret out of the ciphertext that carries it.
pub(crate) struct Decapsulate;

impl Operation for Decapsulate {
    type Request = DecapsulateRequest;
    type Target = OneKey;
    type Response = DecapsulateResponse;
    const SPEC: Spec = Spec {
        name: "Decapsulate",
        actions: &["kms:Decapsulate"],
        key_usage: Some(KeyUsage::EncapsulateDecapsulate),
        ..CRYPTOGRAPHIC
    };

    fn names(request: &DecapsulateRequest) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    fn facts(request: &DecapsulateRequest) -> Facts<'_> {
        Facts {
            grant_tokens: request.grant_tokens.as_deref().unwrap_or_default(),
            dry_run: request.dry_run.unwrap_or_default(),
            ..Facts::default()
        }
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        request: &DecapsulateRequest,
    ) -> Result<Done<DecapsulateResponse>, ServiceError> {
        let key = &target.key;
        let ciphertext = required(&request.shared_secret_ciphertext_blob)?.as_slice();
        let material = key.current_material()?;
        let shared_secret = context
            .custodian()
            .decapsulate(&material.identity, &material.wrapped, ciphertext)
            .await?;
        Ok(Done::read(DecapsulateResponse {
            key_id: key.arn(),
            shared_secret: Blob::from(shared_secret.into_exposed()),
            encapsulation_algorithm: algorithm(&request.encapsulation_algorithm)?,
        }))
    }
}

fn algorithm(
    given: &Option<OneOf<EncapsulationAlgorithmSpec>>,
) -> Result<EncapsulationAlgorithmSpec, ServiceError> {
    required(given)?.known().ok_or_else(|| {
        ServiceError::internal("an unknown encapsulation algorithm passed validation")
    })
}
