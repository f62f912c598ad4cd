//! Sign, Verify.

use custody::Message;
use wire::enums::{KeyUsage, MessageType, SigningAlgorithmSpec};
use wire::error_codes::ErrorCode;
use wire::kms::sign::{SignRequest, SignResponse, VerifyRequest, VerifyResponse};
use wire::shape::required;
use wire::values::{Blob, OneOf};

use super::CRYPTOGRAPHIC;
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::facts::{Cryptography, Facts};
use crate::operation::{Operation, Spec};
use crate::snapshot::KeySnapshot;
use crate::target::{KeyName, OneKey, Target};
use crate::trail::Done;

/// Bytes of ML-DSA's message representative (FIPS 204, section 6.2).
const MESSAGE_REPRESENTATIVE_BYTES: usize = 64;

/// Facts that both operations share.
const SIGNING: Spec = Spec { key_usage: Some(KeyUsage::SignVerify), ..CRYPTOGRAPHIC };

/// Signs a message or its digest.
pub(crate) struct Sign;

impl Operation for Sign {
    type Request = SignRequest;
    type Target = OneKey;
    type Response = SignResponse;
    const SPEC: Spec = Spec { name: "Sign", actions: &["kms:Sign"], ..SIGNING };

    fn complete(request: &mut SignRequest) {
        complete(&mut request.message_type);
    }

    fn names(request: &SignRequest) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    fn facts(request: &SignRequest) -> Facts<'_> {
        facts(
            request.signing_algorithm.as_ref(),
            request.message_type.as_ref(),
            request.grant_tokens.as_deref(),
            request.dry_run,
        )
    }

    fn suits(request: &SignRequest, target: &OneKey) -> Result<(), ServiceError> {
        suits(&target.key, &message(request)?)
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        request: &SignRequest,
    ) -> Result<Done<SignResponse>, ServiceError> {
        let key = &target.key;
        let message = message(request)?;
        let material = key.current_material()?;
        let signature =
            context.custodian().sign(&material.identity, &material.wrapped, message).await?;
        Ok(Done::read(SignResponse {
            key_id: key.arn(),
            signature: Blob::from(signature),
            signing_algorithm: message.signing_algorithm,
        }))
    }
}

/// Tells whether a signature is the key's for that message. A wrong one is an error, never an answer.
pub(crate) struct Verify;

impl Operation for Verify {
    type Request = VerifyRequest;
    type Target = OneKey;
    type Response = VerifyResponse;
    const SPEC: Spec = Spec { name: "Verify", actions: &["kms:Verify"], ..SIGNING };

    fn complete(request: &mut VerifyRequest) {
        complete(&mut request.message_type);
    }

    fn names(request: &VerifyRequest) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    fn facts(request: &VerifyRequest) -> Facts<'_> {
        facts(
            request.signing_algorithm.as_ref(),
            request.message_type.as_ref(),
            request.grant_tokens.as_deref(),
            request.dry_run,
        )
    }

    fn suits(request: &VerifyRequest, target: &OneKey) -> Result<(), ServiceError> {
        suits(&target.key, &message_to_verify(request)?)
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        request: &VerifyRequest,
    ) -> Result<Done<VerifyResponse>, ServiceError> {
        let key = &target.key;
        let message = message_to_verify(request)?;
        let signature = required(&request.signature)?.as_slice();
        let material = key.current_material()?;
        let custodian = context.custodian();
        match custodian.verify(&material.identity, &material.wrapped, message, signature).await? {
            true => Ok(Done::read(VerifyResponse {
                key_id: key.arn(),
                signature_valid: true,
                signing_algorithm: message.signing_algorithm,
            })),
            false => Err(ServiceError::bare(ErrorCode::KMSInvalidSignatureException)),
        }
    }
}

fn message(request: &SignRequest) -> Result<Message<'_>, ServiceError> {
    message_of(&request.signing_algorithm, &request.message_type, &request.message)
}

fn message_to_verify(request: &VerifyRequest) -> Result<Message<'_>, ServiceError> {
    message_of(&request.signing_algorithm, &request.message_type, &request.message)
}

fn message_of<'r>(
    signing_algorithm: &Option<OneOf<SigningAlgorithmSpec>>,
    message_type: &Option<OneOf<MessageType>>,
    message: &'r Option<Blob>,
) -> Result<Message<'r>, ServiceError> {
    let unknown = || ServiceError::internal("an unknown algorithm or type passed validation");
    Ok(Message {
        signing_algorithm: required(signing_algorithm)?.known().ok_or_else(unknown)?,
        message_type: required(message_type)?.known().ok_or_else(unknown)?,
        bytes: required(message)?.as_slice(),
    })
}

/// A message type that was left out is RAW, and is recorded so.
fn complete(message_type: &mut Option<OneOf<MessageType>>) {
    message_type.get_or_insert(OneOf::from(MessageType::Raw));
}

fn facts<'r>(
    signing_algorithm: Option<&OneOf<SigningAlgorithmSpec>>,
    message_type: Option<&OneOf<MessageType>>,
    grant_tokens: Option<&'r [String]>,
    dry_run: Option<bool>,
) -> Facts<'r> {
    Facts {
        cryptography: Cryptography {
            signing_algorithm: signing_algorithm.and_then(OneOf::known),
            message_type: message_type.and_then(OneOf::known),
            ..Cryptography::default()
        },
        grant_tokens: grant_tokens.unwrap_or_default(),
        dry_run: dry_run.unwrap_or_default(),
        ..Facts::default()
    }
}

/// Whether the algorithm is the key's, the type the algorithm's and the length the type's, in this order.
fn suits(key: &KeySnapshot, message: &Message<'_>) -> Result<(), ServiceError> {
    let key_spec = key.key().key_spec;
    let Message { signing_algorithm, message_type, bytes } = message;
    if !crypto::key_specs::row(key_spec).signing_algorithms.contains(signing_algorithm) {
        return Err(ServiceError::wrong_algorithm(signing_algorithm, key_spec));
    }
    let incompatible = |with: String| {
        ServiceError::validation(format!(
            "Message type {message_type} is incompatible with {with}."
        ))
    };
    let bytes_expected = match (message_type, signing_algorithm) {
        (MessageType::Raw, SigningAlgorithmSpec::Ed25519PhSha512)
        | (MessageType::Digest, SigningAlgorithmSpec::Ed25519Sha512) => {
            return Err(incompatible(format!("algorithm {signing_algorithm}")));
        }
        (MessageType::Raw, _) => return Ok(()),
        (MessageType::ExternalMu, SigningAlgorithmSpec::MlDsaShake256) => {
            MESSAGE_REPRESENTATIVE_BYTES
        }
        (MessageType::ExternalMu, _) => {
            return Err(incompatible(format!("key spec {key_spec}")));
        }
        (MessageType::Digest, _) => crypto::key_specs::digest_bytes(*signing_algorithm)
            .ok_or_else(|| incompatible(format!("key spec {key_spec}")))?,
    };
    match bytes.len() == bytes_expected {
        true => Ok(()),
        false => Err(ServiceError::validation(format!(
            "Digest is invalid length for algorithm {signing_algorithm}."
        ))),
    }
}
