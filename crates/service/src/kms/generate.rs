//! GenerateDataKey, GenerateDataKeyWithoutPlaintext, GenerateDataKeyPair, GenerateDataKeyPairWithoutPlaintext, GenerateRandom.

mod pairs;

use crypto::SecretBytes;
use wire::enums::{DataKeySpec, EncryptionAlgorithmSpec, KeySpec};
use wire::kms::generate::{
    GenerateDataKeyRequest, GenerateDataKeyResponse, GenerateDataKeyWithoutPlaintextRequest,
    GenerateDataKeyWithoutPlaintextResponse, GenerateRandomRequest, GenerateRandomResponse,
};
use wire::shape::required;
use wire::values::{Blob, EncryptionContext, OneOf};

pub(crate) use self::pairs::{GenerateDataKeyPair, GenerateDataKeyPairWithoutPlaintext};
use super::{CRYPTOGRAPHIC, DEFAULT};
use crate::authorize::Authorized;
use crate::context::{Context, Encryption};
use crate::error::ServiceError;
use crate::facts::Facts;
use crate::operation::{Operation, Spec};
use crate::quotas::RequestQuota;
use crate::snapshot::KeySnapshot;
use crate::target::{KeyName, NoTarget, OneKey, Target};
use crate::trail::Done;

/// A data key in the clear and encrypted under a key.
pub(crate) struct GenerateDataKey;

impl Operation for GenerateDataKey {
    type Request = GenerateDataKeyRequest;
    type Target = OneKey;
    type Response = GenerateDataKeyResponse;
    const SPEC: Spec =
        Spec { name: "GenerateDataKey", actions: &["kms:GenerateDataKey"], ..CRYPTOGRAPHIC };

    fn check(request: &GenerateDataKeyRequest) -> Result<(), ServiceError> {
        data_key_bytes(request.key_spec.as_ref(), request.number_of_bytes).map(drop)
    }

    fn names(
        request: &GenerateDataKeyRequest,
    ) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    fn facts(request: &GenerateDataKeyRequest) -> Facts<'_> {
        Facts {
            recipient: request.recipient.as_ref(),
            ..facts(
                request.encryption_context.as_ref(),
                request.grant_tokens.as_deref(),
                request.dry_run,
            )
        }
    }

    fn suits(_request: &GenerateDataKeyRequest, target: &OneKey) -> Result<(), ServiceError> {
        suits(&target.key)
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        request: &GenerateDataKeyRequest,
    ) -> Result<Done<GenerateDataKeyResponse>, ServiceError> {
        let key = &target.key;
        let (plaintext, ciphertext_blob) = data_key(
            context,
            key,
            data_key_bytes(request.key_spec.as_ref(), request.number_of_bytes)?,
            request.encryption_context.as_ref(),
        )
        .await?;
        let (plaintext, ciphertext_for_recipient) = context.for_recipient(plaintext)?;
        Ok(Done::read(GenerateDataKeyResponse {
            ciphertext_blob,
            // "This field is omitted if the request includes the Recipient parameter" (API reference, GenerateDataKey).
            key_material_id: key.told_key_material_id().filter(|_| plaintext.is_some()),
            plaintext,
            ciphertext_for_recipient,
            key_id: key.arn(),
        })
        .by_material(key.told_key_material_id()))
    }
}

/// A data key encrypted under a key, for later.
pub(crate) struct GenerateDataKeyWithoutPlaintext;

impl Operation for GenerateDataKeyWithoutPlaintext {
    type Request = GenerateDataKeyWithoutPlaintextRequest;
    type Target = OneKey;
    type Response = GenerateDataKeyWithoutPlaintextResponse;
    const SPEC: Spec = Spec {
        name: "GenerateDataKeyWithoutPlaintext",
        actions: &["kms:GenerateDataKeyWithoutPlaintext"],
        ..CRYPTOGRAPHIC
    };

    fn check(request: &GenerateDataKeyWithoutPlaintextRequest) -> Result<(), ServiceError> {
        data_key_bytes(request.key_spec.as_ref(), request.number_of_bytes).map(drop)
    }

    fn names(
        request: &GenerateDataKeyWithoutPlaintextRequest,
    ) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    fn facts(request: &GenerateDataKeyWithoutPlaintextRequest) -> Facts<'_> {
        facts(request.encryption_context.as_ref(), request.grant_tokens.as_deref(), request.dry_run)
    }

    fn suits(
        _request: &GenerateDataKeyWithoutPlaintextRequest,
        target: &OneKey,
    ) -> Result<(), ServiceError> {
        suits(&target.key)
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        request: &GenerateDataKeyWithoutPlaintextRequest,
    ) -> Result<Done<GenerateDataKeyWithoutPlaintextResponse>, ServiceError> {
        let key = &target.key;
        let (_, ciphertext_blob) = data_key(
            context,
            key,
            data_key_bytes(request.key_spec.as_ref(), request.number_of_bytes)?,
            request.encryption_context.as_ref(),
        )
        .await?;
        Ok(Done::read(GenerateDataKeyWithoutPlaintextResponse {
            ciphertext_blob,
            key_id: key.arn(),
            key_material_id: key.told_key_material_id(),
        })
        .by_material(key.told_key_material_id()))
    }
}

/// Random bytes.
pub(crate) struct GenerateRandom;

impl Operation for GenerateRandom {
    type Request = GenerateRandomRequest;
    type Target = NoTarget;
    type Response = GenerateRandomResponse;
    const SPEC: Spec = Spec {
        name: "GenerateRandom",
        actions: &["kms:GenerateRandom"],
        read_only: true,
        unrecorded: &["Recipient"],
        request_quota: RequestQuota::Cryptographic,
        ..DEFAULT
    };

    fn check(request: &GenerateRandomRequest) -> Result<(), ServiceError> {
        match request.number_of_bytes {
            Some(_) => Ok(()),
            None => Err(ServiceError::validation("NumberOfBytes is required.")),
        }
    }

    fn names(_request: &GenerateRandomRequest) -> Result<(), ServiceError> {
        Ok(())
    }

    fn facts(request: &GenerateRandomRequest) -> Facts<'_> {
        Facts { recipient: request.recipient.as_ref(), ..Facts::default() }
    }

    fn suits(request: &GenerateRandomRequest, _target: &NoTarget) -> Result<(), ServiceError> {
        match &request.custom_key_store_id {
            Some(id) => Err(super::keys::custom_key_store_not_found(id)),
            None => Ok(()),
        }
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<NoTarget>,
        request: &GenerateRandomRequest,
    ) -> Result<Done<GenerateRandomResponse>, ServiceError> {
        let bytes_count = usize::try_from(*required(&request.number_of_bytes)?)
            .map_err(ServiceError::internal)?;
        let (plaintext, ciphertext_for_recipient) =
            context.for_recipient(context.random_bytes(bytes_count)?)?;
        Ok(Done::read(GenerateRandomResponse { plaintext, ciphertext_for_recipient }))
    }
}

/// What a request for a data key says that policies can ask about.
pub(super) fn facts<'r>(
    encryption_context: Option<&'r EncryptionContext>,
    grant_tokens: Option<&'r [String]>,
    dry_run: Option<bool>,
) -> Facts<'r> {
    Facts {
        encryption_contexts: [encryption_context, None],
        encryption_algorithms: [Some(EncryptionAlgorithmSpec::SymmetricDefault), None],
        grant_tokens: grant_tokens.unwrap_or_default(),
        dry_run: dry_run.unwrap_or_default(),
        ..Facts::default()
    }
}

/// A fresh data key, and the same encrypted under a key.
async fn data_key(
    context: &Context<'_>,
    key: &KeySnapshot,
    bytes_count: usize,
    encryption_context: Option<&EncryptionContext>,
) -> Result<(SecretBytes, Blob), ServiceError> {
    let plaintext = context.random_bytes(bytes_count)?;
    let encryption = Encryption::symmetric(encryption_context);
    let ciphertext_blob = context.encrypt(key, encryption, plaintext.expose()).await?;
    Ok((plaintext, Blob::from(ciphertext_blob)))
}

/// Only a symmetric key encrypts data keys; the usage ENCRYPT_DECRYPT does not tell it from RSA keys.
pub(super) fn suits(key: &KeySnapshot) -> Result<(), ServiceError> {
    let key_spec = key.key().key_spec;
    match key_spec == KeySpec::SymmetricDefault {
        true => Ok(()),
        false => {
            Err(ServiceError::wrong_algorithm(EncryptionAlgorithmSpec::SymmetricDefault, key_spec))
        }
    }
}

/// How many bytes a data key has: a spec or a number, one of the two.
fn data_key_bytes(
    key_spec: Option<&OneOf<DataKeySpec>>,
    number_of_bytes: Option<i64>,
) -> Result<usize, ServiceError> {
    match (key_spec.and_then(OneOf::known), number_of_bytes) {
        (Some(DataKeySpec::Aes256), None) => Ok(32),
        (Some(DataKeySpec::Aes128), None) => Ok(16),
        (None, Some(bytes_count)) => usize::try_from(bytes_count).map_err(ServiceError::internal),
        (Some(_), Some(_)) | (None, None) => {
            Err(ServiceError::validation("Please specify either number of bytes or key spec."))
        }
    }
}
