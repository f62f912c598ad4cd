//! Encrypt, Decrypt, ReEncrypt.

use wire::enums::{DryRunModifier, EncryptionAlgorithmSpec, KeySpec};
use wire::error_codes::ErrorCode;
use wire::kms::encrypt::{
    DecryptRequest, DecryptResponse, EncryptRequest, EncryptResponse, ReEncryptRequest,
    ReEncryptResponse,
};
use wire::shape::required;
use wire::values::{Blob, EncryptionContext, OneOf};

use super::CRYPTOGRAPHIC;
use crate::authorize::Authorized;
use crate::context::{Context, Encryption};
use crate::error::ServiceError;
use crate::facts::Facts;
use crate::operation::{Operation, Spec};
use crate::snapshot::KeySnapshot;
use crate::target::{KeyName, OneKey, Target, TwoKeys};
use crate::trail::{Done, Materials};

/// Encrypts up to 4,096 bytes under a key.
pub(crate) struct Encrypt;

impl Operation for Encrypt {
    type Request = EncryptRequest;
    type Target = OneKey;
    type Response = EncryptResponse;
    const SPEC: Spec = Spec { name: "Encrypt", actions: &["kms:Encrypt"], ..CRYPTOGRAPHIC };

    fn complete(request: &mut EncryptRequest) {
        complete(&mut request.encryption_algorithm);
    }

    fn names(request: &EncryptRequest) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    fn facts(request: &EncryptRequest) -> Facts<'_> {
        Facts {
            encryption_contexts: [request.encryption_context.as_ref(), None],
            encryption_algorithms: [Some(algorithm(request.encryption_algorithm.as_ref())), None],
            grant_tokens: request.grant_tokens.as_deref().unwrap_or_default(),
            dry_run: request.dry_run.unwrap_or_default(),
            ..Facts::default()
        }
    }

    fn suits(request: &EncryptRequest, target: &OneKey) -> Result<(), ServiceError> {
        let algorithm = algorithm(request.encryption_algorithm.as_ref());
        suits(&target.key, algorithm, request.encryption_context.as_ref())?;
        check_size(&target.key, algorithm, required(&request.plaintext)?.as_slice())
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        request: &EncryptRequest,
    ) -> Result<Done<EncryptResponse>, ServiceError> {
        let key = &target.key;
        let plaintext = required(&request.plaintext)?.as_slice();
        let encryption = Encryption {
            algorithm: algorithm(request.encryption_algorithm.as_ref()),
            context: request.encryption_context.as_ref(),
        };
        let ciphertext_blob = context.encrypt(key, encryption, plaintext).await?;
        Ok(Done::read(EncryptResponse {
            ciphertext_blob: Blob::from(ciphertext_blob),
            key_id: key.arn(),
            encryption_algorithm: encryption.algorithm,
        })
        .by_material(key.told_key_material_id()))
    }
}

/// Decrypts what a key encrypted; the ciphertext itself says which.
pub(crate) struct Decrypt;

impl Operation for Decrypt {
    type Request = DecryptRequest;
    type Target = OneKey;
    type Response = DecryptResponse;
    const SPEC: Spec = Spec { name: "Decrypt", actions: &["kms:Decrypt"], ..CRYPTOGRAPHIC };

    fn check(request: &DecryptRequest) -> Result<(), ServiceError> {
        let ignores_ciphertext =
            ignores_ciphertext(request.dry_run, request.dry_run_modifiers.as_deref())?;
        check_ciphertext("ciphertextBlob", request.ciphertext_blob.as_ref(), ignores_ciphertext)?;
        check_algorithm_names_key(
            request.encryption_algorithm.as_ref(),
            request.key_id.as_deref(),
            ignores_ciphertext,
        )
    }

    fn complete(request: &mut DecryptRequest) {
        complete(&mut request.encryption_algorithm);
    }

    fn names(request: &DecryptRequest) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        match &request.key_id {
            Some(key_id) => Ok(KeyName::Text(key_id)),
            None => Ok(KeyName::Ciphertext(required(&request.ciphertext_blob)?.as_slice())),
        }
    }

    fn facts(request: &DecryptRequest) -> Facts<'_> {
        Facts {
            encryption_contexts: [request.encryption_context.as_ref(), None],
            encryption_algorithms: [Some(algorithm(request.encryption_algorithm.as_ref())), None],
            recipient: request.recipient.as_ref(),
            grant_tokens: request.grant_tokens.as_deref().unwrap_or_default(),
            dry_run: request.dry_run.unwrap_or_default(),
            ..Facts::default()
        }
    }

    fn kind(request: &DecryptRequest, target: &OneKey) -> Result<(), ServiceError> {
        check_symmetric_ciphertext(
            &target.key,
            algorithm(request.encryption_algorithm.as_ref()),
            request.ciphertext_blob.as_ref(),
        )
    }

    fn suits(request: &DecryptRequest, target: &OneKey) -> Result<(), ServiceError> {
        suits(
            &target.key,
            algorithm(request.encryption_algorithm.as_ref()),
            request.encryption_context.as_ref(),
        )
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        request: &DecryptRequest,
    ) -> Result<Done<DecryptResponse>, ServiceError> {
        let key = &target.key;
        let blob = required(&request.ciphertext_blob)?.as_slice();
        let encryption = Encryption {
            algorithm: algorithm(request.encryption_algorithm.as_ref()),
            context: request.encryption_context.as_ref(),
        };
        let decrypted = context.decrypt(key, encryption, blob).await?;
        let (plaintext, ciphertext_for_recipient) = context.for_recipient(decrypted.bytes)?;
        Ok(Done::read(DecryptResponse {
            key_id: key.arn(),
            // "This field is omitted if the request includes the Recipient parameter" (API reference, Decrypt).
            key_material_id: decrypted.key_material_id.filter(|_| plaintext.is_some()),
            plaintext,
            encryption_algorithm: encryption.algorithm,
            ciphertext_for_recipient,
        })
        .by_material(decrypted.key_material_id))
    }
}

/// Decrypts under one key and encrypts under another; the plaintext never leaves.
pub(crate) struct ReEncrypt;

impl Operation for ReEncrypt {
    type Request = ReEncryptRequest;
    type Target = TwoKeys;
    type Response = ReEncryptResponse;
    const SPEC: Spec = Spec {
        name: "ReEncrypt",
        actions: &["kms:ReEncryptFrom", "kms:ReEncryptTo"],
        ..CRYPTOGRAPHIC
    };

    fn check(request: &ReEncryptRequest) -> Result<(), ServiceError> {
        let ignores_ciphertext =
            ignores_ciphertext(request.dry_run, request.dry_run_modifiers.as_deref())?;
        check_ciphertext("ciphertextBlob", request.ciphertext_blob.as_ref(), ignores_ciphertext)?;
        check_algorithm_names_key(
            request.source_encryption_algorithm.as_ref(),
            request.source_key_id.as_deref(),
            ignores_ciphertext,
        )
    }

    fn complete(request: &mut ReEncryptRequest) {
        complete(&mut request.source_encryption_algorithm);
        complete(&mut request.destination_encryption_algorithm);
    }

    fn names(request: &ReEncryptRequest) -> Result<<TwoKeys as Target>::Names<'_>, ServiceError> {
        let source = match &request.source_key_id {
            Some(key_id) => KeyName::Text(key_id),
            None => KeyName::Ciphertext(required(&request.ciphertext_blob)?.as_slice()),
        };
        Ok((source, required(&request.destination_key_id)?))
    }

    fn facts(request: &ReEncryptRequest) -> Facts<'_> {
        Facts {
            encryption_contexts: [
                request.source_encryption_context.as_ref(),
                request.destination_encryption_context.as_ref(),
            ],
            encryption_algorithms: [
                Some(algorithm(request.source_encryption_algorithm.as_ref())),
                Some(algorithm(request.destination_encryption_algorithm.as_ref())),
            ],
            grant_tokens: request.grant_tokens.as_deref().unwrap_or_default(),
            dry_run: request.dry_run.unwrap_or_default(),
            ..Facts::default()
        }
    }

    fn kind(request: &ReEncryptRequest, target: &TwoKeys) -> Result<(), ServiceError> {
        check_symmetric_ciphertext(
            &target.source.key,
            algorithm(request.source_encryption_algorithm.as_ref()),
            request.ciphertext_blob.as_ref(),
        )
    }

    fn suits(request: &ReEncryptRequest, target: &TwoKeys) -> Result<(), ServiceError> {
        suits(
            &target.source.key,
            algorithm(request.source_encryption_algorithm.as_ref()),
            request.source_encryption_context.as_ref(),
        )?;
        suits(
            &target.destination()?.key,
            algorithm(request.destination_encryption_algorithm.as_ref()),
            request.destination_encryption_context.as_ref(),
        )
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<TwoKeys>,
        request: &ReEncryptRequest,
    ) -> Result<Done<ReEncryptResponse>, ServiceError> {
        let (source, destination) = (&target.source.key, &target.destination()?.key);
        let blob = required(&request.ciphertext_blob)?.as_slice();
        let former = Encryption {
            algorithm: algorithm(request.source_encryption_algorithm.as_ref()),
            context: request.source_encryption_context.as_ref(),
        };
        let next = Encryption {
            algorithm: algorithm(request.destination_encryption_algorithm.as_ref()),
            context: request.destination_encryption_context.as_ref(),
        };
        let decrypted = context.decrypt(source, former, blob).await?;
        check_size(destination, next.algorithm, decrypted.bytes.expose())?;
        let ciphertext_blob = context.encrypt(destination, next, decrypted.bytes.expose()).await?;
        let materials = Materials {
            source: decrypted.key_material_id,
            destination: destination.told_key_material_id(),
            ..Materials::default()
        };
        Ok(Done::read(ReEncryptResponse {
            ciphertext_blob: Blob::from(ciphertext_blob),
            source_key_id: source.arn(),
            key_id: destination.arn(),
            source_encryption_algorithm: former.algorithm,
            destination_encryption_algorithm: next.algorithm,
            source_key_material_id: materials.source,
            destination_key_material_id: materials.destination,
        })
        .by_materials(materials))
    }
}

/// An algorithm that was left out is symmetric encryption, and is recorded so.
fn complete(algorithm: &mut Option<OneOf<EncryptionAlgorithmSpec>>) {
    algorithm.get_or_insert(OneOf::from(EncryptionAlgorithmSpec::SymmetricDefault));
}

/// The algorithm of a request; symmetric encryption unless it says otherwise.
fn algorithm(given: Option<&OneOf<EncryptionAlgorithmSpec>>) -> EncryptionAlgorithmSpec {
    given.and_then(OneOf::known).unwrap_or(EncryptionAlgorithmSpec::SymmetricDefault)
}

/// Whether the algorithm is the key's, and there is no context that it could not bind.
fn suits(
    key: &KeySnapshot,
    algorithm: EncryptionAlgorithmSpec,
    encryption_context: Option<&EncryptionContext>,
) -> Result<(), ServiceError> {
    let key_spec = key.key().key_spec;
    if !crypto::key_specs::row(key_spec).encryption_algorithms.contains(&algorithm) {
        return Err(ServiceError::wrong_algorithm(algorithm, key_spec));
    }
    let has_context = encryption_context.is_some_and(|context| !context.is_empty());
    match has_context && algorithm != EncryptionAlgorithmSpec::SymmetricDefault {
        true => Err(ServiceError::validation(
            "EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs.",
        )),
        false => Ok(()),
    }
}

/// What an asymmetric key can encrypt is bounded: by the modulus of RSA, by AWS for SM2.
fn check_size(
    key: &KeySnapshot,
    algorithm: EncryptionAlgorithmSpec,
    plaintext: &[u8],
) -> Result<(), ServiceError> {
    let key_spec = key.key().key_spec;
    let Some(bytes_max) = crypto::key_specs::plaintext_bytes_max(key_spec, algorithm) else {
        return Ok(());
    };
    match plaintext.len() <= bytes_max {
        true => Ok(()),
        false => Err(ServiceError::validation(format!(
            "Algorithm {algorithm} and key spec {key_spec} cannot encrypt data larger than {bytes_max} bytes."
        ))),
    }
}

/// A key that no symmetric ciphertext can be of, named together with one. AWS reads the ciphertext before it looks at the
/// key's usage (reference 2.2, "Variations").
fn check_symmetric_ciphertext(
    key: &KeySnapshot,
    algorithm: EncryptionAlgorithmSpec,
    ciphertext_blob: Option<&Blob>,
) -> Result<(), ServiceError> {
    let (EncryptionAlgorithmSpec::SymmetricDefault, Some(ciphertext_blob)) =
        (algorithm, ciphertext_blob)
    else {
        return Ok(());
    };
    if key.key().key_spec == KeySpec::SymmetricDefault {
        return Ok(());
    }
    Err(match crypto::blob::Blob::parse(ciphertext_blob.as_slice()) {
        Ok(_) => ServiceError::incorrect_key(),
        Err(_) => ServiceError::bare(ErrorCode::InvalidCiphertextException),
    })
}

/// Whether the caller asks only about permissions. The modifier means something for a dry run alone.
fn ignores_ciphertext(
    dry_run: Option<bool>,
    modifiers: Option<&[OneOf<DryRunModifier>]>,
) -> Result<bool, ServiceError> {
    let asked = modifiers
        .unwrap_or_default()
        .iter()
        .any(|modifier| modifier.known() == Some(DryRunModifier::IgnoreCiphertext));
    match asked && dry_run != Some(true) {
        true => Err(ServiceError::validation(
            "DryRunModifiers can only be specified when DryRun is true.",
        )),
        false => Ok(asked),
    }
}

/// The model marks the ciphertext optional for the sake of dry runs; every other call must bring one.
fn check_ciphertext(
    member: &str,
    blob: Option<&Blob>,
    ignores_ciphertext: bool,
) -> Result<(), ServiceError> {
    match blob.is_some() || ignores_ciphertext {
        true => Ok(()),
        false => Err(ServiceError::validation(format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
        ))),
    }
}

/// Only a symmetric ciphertext says which key made it, and only if there is one.
fn check_algorithm_names_key(
    given: Option<&OneOf<EncryptionAlgorithmSpec>>,
    key_id: Option<&str>,
    ignores_ciphertext: bool,
) -> Result<(), ServiceError> {
    let needs_key_id =
        ignores_ciphertext || algorithm(given) != EncryptionAlgorithmSpec::SymmetricDefault;
    match needs_key_id && key_id.is_none() {
        true => Err(ServiceError::validation("KeyId must not be null")),
        false => Ok(()),
    }
}
