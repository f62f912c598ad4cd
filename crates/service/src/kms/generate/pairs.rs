//! GenerateDataKeyPair, GenerateDataKeyPairWithoutPlaintext.

use crypto::data_key_pairs::DataKeyPair;
use wire::enums::DataKeyPairSpec;
use wire::kms::generate::{
    GenerateDataKeyPairRequest, GenerateDataKeyPairResponse,
    GenerateDataKeyPairWithoutPlaintextRequest, GenerateDataKeyPairWithoutPlaintextResponse,
};
use wire::shape::required;
use wire::values::{Blob, EncryptionContext, OneOf};

use super::super::{CRYPTOGRAPHIC, is_made_in};
use super::{facts, suits};
use crate::authorize::Authorized;
use crate::context::{Context, Encryption};
use crate::error::ServiceError;
use crate::facts::{Cryptography, Facts};
use crate::meter::Metering;
use crate::operation::{Operation, Spec};
use crate::quotas::RequestQuota;
use crate::snapshot::KeySnapshot;
use crate::target::{KeyName, OneKey, Target};
use crate::trail::Done;

/// A key pair, its private key in the clear and encrypted under a key.
pub(crate) struct GenerateDataKeyPair;

impl Operation for GenerateDataKeyPair {
    type Request = GenerateDataKeyPairRequest;
    type Target = OneKey;
    type Response = GenerateDataKeyPairResponse;
    const SPEC: Spec = Spec {
        name: "GenerateDataKeyPair",
        actions: &["kms:GenerateDataKeyPair"],
        request_quota: RequestQuota::DataKeyPair,
        metering: Metering::DataKeyPair,
        ..CRYPTOGRAPHIC
    };

    fn check(request: &GenerateDataKeyPairRequest) -> Result<(), ServiceError> {
        pair_spec(&request.key_pair_spec).map(drop)
    }

    fn names(
        request: &GenerateDataKeyPairRequest,
    ) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    fn facts(request: &GenerateDataKeyPairRequest) -> Facts<'_> {
        Facts {
            cryptography: cryptography(&request.key_pair_spec),
            recipient: request.recipient.as_ref(),
            ..facts(
                request.encryption_context.as_ref(),
                request.grant_tokens.as_deref(),
                request.dry_run,
            )
        }
    }

    fn suits(request: &GenerateDataKeyPairRequest, target: &OneKey) -> Result<(), ServiceError> {
        suits_pair(&target.key, &request.key_pair_spec)
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        request: &GenerateDataKeyPairRequest,
    ) -> Result<Done<GenerateDataKeyPairResponse>, ServiceError> {
        let key = &target.key;
        let spec = pair_spec(&request.key_pair_spec)?;
        let (pair, private_key_ciphertext_blob) =
            data_key_pair(context, key, spec, request.encryption_context.as_ref()).await?;
        let (private_key_plaintext, ciphertext_for_recipient) =
            context.for_recipient(pair.private_key_der)?;
        Ok(Done::read(GenerateDataKeyPairResponse {
            private_key_ciphertext_blob,
            key_material_id: key.told_key_material_id(),
            private_key_plaintext,
            public_key: Blob::from(pair.public_key_der),
            key_id: key.arn(),
            key_pair_spec: spec,
            ciphertext_for_recipient,
        })
        .by_material(key.told_key_material_id()))
    }
}

/// A key pair, its private key encrypted under a key, for later.
pub(crate) struct GenerateDataKeyPairWithoutPlaintext;

impl Operation for GenerateDataKeyPairWithoutPlaintext {
    type Request = GenerateDataKeyPairWithoutPlaintextRequest;
    type Target = OneKey;
    type Response = GenerateDataKeyPairWithoutPlaintextResponse;
    const SPEC: Spec = Spec {
        name: "GenerateDataKeyPairWithoutPlaintext",
        actions: &["kms:GenerateDataKeyPairWithoutPlaintext"],
        request_quota: RequestQuota::DataKeyPair,
        metering: Metering::DataKeyPair,
        ..CRYPTOGRAPHIC
    };

    fn check(request: &GenerateDataKeyPairWithoutPlaintextRequest) -> Result<(), ServiceError> {
        pair_spec(&request.key_pair_spec).map(drop)
    }

    fn names(
        request: &GenerateDataKeyPairWithoutPlaintextRequest,
    ) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    fn facts(request: &GenerateDataKeyPairWithoutPlaintextRequest) -> Facts<'_> {
        Facts {
            cryptography: cryptography(&request.key_pair_spec),
            ..facts(
                request.encryption_context.as_ref(),
                request.grant_tokens.as_deref(),
                request.dry_run,
            )
        }
    }

    fn suits(
        request: &GenerateDataKeyPairWithoutPlaintextRequest,
        target: &OneKey,
    ) -> Result<(), ServiceError> {
        suits_pair(&target.key, &request.key_pair_spec)
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        request: &GenerateDataKeyPairWithoutPlaintextRequest,
    ) -> Result<Done<GenerateDataKeyPairWithoutPlaintextResponse>, ServiceError> {
        let key = &target.key;
        let spec = pair_spec(&request.key_pair_spec)?;
        let (pair, private_key_ciphertext_blob) =
            data_key_pair(context, key, spec, request.encryption_context.as_ref()).await?;
        Ok(Done::read(GenerateDataKeyPairWithoutPlaintextResponse {
            private_key_ciphertext_blob,
            public_key: Blob::from(pair.public_key_der),
            key_id: key.arn(),
            key_pair_spec: spec,
            key_material_id: key.told_key_material_id(),
        })
        .by_material(key.told_key_material_id()))
    }
}

/// A fresh pair, and its private key encrypted.
async fn data_key_pair(
    context: &Context<'_>,
    key: &KeySnapshot,
    spec: DataKeyPairSpec,
    encryption_context: Option<&EncryptionContext>,
) -> Result<(DataKeyPair, Blob), ServiceError> {
    let pair = context.custodian().data_key_pair(spec).await?;
    let encryption = Encryption::symmetric(encryption_context);
    let ciphertext = context.encrypt(key, encryption, pair.private_key_der.expose()).await?;
    Ok((pair, Blob::from(ciphertext)))
}

/// Whether the key encrypts, and its Region makes such pairs.
fn suits_pair(
    key: &KeySnapshot,
    given: &Option<OneOf<DataKeyPairSpec>>,
) -> Result<(), ServiceError> {
    suits(key)?;
    let spec = pair_spec(given)?;
    match is_made_in(spec.key_spec(), key.key().region) {
        true => Ok(()),
        false => Err(not_supported(spec)),
    }
}

/// The spec of the pair, if it can be made in any Region.
fn pair_spec(given: &Option<OneOf<DataKeyPairSpec>>) -> Result<DataKeyPairSpec, ServiceError> {
    let spec = required(given)?
        .known()
        .ok_or_else(|| ServiceError::internal("an unknown key pair spec passed validation"))?;
    match crypto::key_specs::is_built(spec.key_spec()) {
        true => Ok(spec),
        false => Err(not_supported(spec)),
    }
}

fn not_supported(spec: DataKeyPairSpec) -> ServiceError {
    ServiceError::unsupported(format!("KeyPairSpec {spec} is not supported."))
}

fn cryptography(given: &Option<OneOf<DataKeyPairSpec>>) -> Cryptography {
    Cryptography {
        data_key_pair_spec: given.as_ref().and_then(OneOf::known),
        ..Cryptography::default()
    }
}
