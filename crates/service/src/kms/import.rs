//! GetParametersForImport, ImportKeyMaterial, DeleteImportedKeyMaterial.

mod delete;
mod place;

use std::sync::Arc;

use crypto::import_wrapping::UnwrappingKey;
use crypto::{SecretBytes, key_material, key_specs};
use custody::ImportToken;
use jiff::{SignedDuration, Timestamp};
use wire::enums::{
    DataKeyPairSpec, ExpirationModel, ImportType, KeySpec, OriginType, WrappingAlgorithm,
    WrappingKeySpec,
};
use wire::error_codes::ErrorCode;
use wire::kms::import::{
    GetParametersForImportRequest, GetParametersForImportResponse, ImportKeyMaterialRequest,
    ImportKeyMaterialResponse,
};
use wire::names::KeyMaterialId;
use wire::shape::required;
use wire::values::{Blob, OneOf};

pub(crate) use self::delete::{DeleteImportedKeyMaterial, lose};
use self::place::Import;
pub(crate) use self::place::end_wait;
pub(crate) use self::place::lacks_material;
pub(super) use self::place::not_imported;
use super::{DEFAULT, is_made_in};
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::facts::{Facts, Lifecycle};
use crate::key_state::KeyStateRule;
use crate::operation::{Operation, Spec};
use crate::quotas::RequestQuota;
use crate::snapshot::{KeySnapshot, identity_of};
use crate::target::{KeyName, OneKey, Target};
use crate::trail::Done;

/// How long a token and its wrapping key are good (API reference, GetParametersForImport).
const TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// The farthest expiry of material that AWS accepts (API reference, `ValidTo`).
const VALIDITY_MAX: SignedDuration = SignedDuration::from_hours(24 * 365);

/// Gives a wrapping key and a token to import material with.
pub(crate) struct GetParametersForImport;

impl Operation for GetParametersForImport {
    type Request = GetParametersForImportRequest;
    type Target = OneKey;
    type Response = GetParametersForImportResponse;
    const SPEC: Spec = Spec {
        name: "GetParametersForImport",
        actions: &["kms:GetParametersForImport"],
        key_state: KeyStateRule::Importable,
        read_only: true,
        request_quota: RequestQuota::Own(1),
        ..DEFAULT
    };

    fn check(request: &GetParametersForImportRequest) -> Result<(), ServiceError> {
        let (spec, algorithm) = (wrapping_key_spec(request)?, wrapping_algorithm(request)?);
        let is_sm2 = spec == DataKeyPairSpec::Sm2;
        let is_supported = match algorithm {
            WrappingAlgorithm::RsaesPkcs1V15 => false,
            WrappingAlgorithm::Sm2Pke => is_sm2,
            WrappingAlgorithm::RsaesOaepSha1
            | WrappingAlgorithm::RsaesOaepSha256
            | WrappingAlgorithm::RsaAesKeyWrapSha1
            | WrappingAlgorithm::RsaAesKeyWrapSha256 => !is_sm2,
        };
        match is_supported {
            true => Ok(()),
            false => Err(ServiceError::unsupported(format!(
                "Wrapping algorithm {algorithm} is not supported with wrapping key spec {spec}."
            ))),
        }
    }

    fn names(
        request: &GetParametersForImportRequest,
    ) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    fn facts(request: &GetParametersForImportRequest) -> Facts<'_> {
        Facts {
            lifecycle: Lifecycle {
                wrapping_algorithm: request.wrapping_algorithm.as_ref().and_then(OneOf::known),
                wrapping_key_spec: request.wrapping_key_spec.as_ref().and_then(OneOf::known),
                ..Lifecycle::default()
            },
            ..Facts::default()
        }
    }

    fn kind(_request: &GetParametersForImportRequest, target: &OneKey) -> Result<(), ServiceError> {
        check_origin(&target.key)
    }

    fn suits(request: &GetParametersForImportRequest, target: &OneKey) -> Result<(), ServiceError> {
        let key = target.key.key();
        let (wrapping_key_spec, algorithm) =
            (wrapping_key_spec(request)?, wrapping_algorithm(request)?);
        if !is_made_in(wrapping_key_spec.key_spec(), key.region) {
            return Err(wrapping_key_spec_not_supported());
        }
        match can_be_wrapped(key.key_spec, algorithm, wrapping_key_spec) {
            true => Ok(()),
            false => Err(ServiceError::unsupported(format!(
                "Key material of key spec {} cannot be wrapped with this wrapping algorithm and wrapping key spec.",
                key.key_spec
            ))),
        }
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        request: &GetParametersForImportRequest,
    ) -> Result<Done<GetParametersForImportResponse>, ServiceError> {
        let pair = context.custodian().data_key_pair(wrapping_key_spec(request)?).await?;
        let unwrapping_key = UnwrappingKey::from_pkcs8(pair.private_key_der.expose())
            .map_err(ServiceError::internal)?;
        let token = ImportToken {
            unwrapping_key,
            wrapping_algorithm: wrapping_algorithm(request)?,
            // The token counts in whole seconds; what is told is what it says.
            expiry: Timestamp::from_second((context.now() + TOKEN_LIFE).as_second())
                .map_err(ServiceError::internal)?,
        };
        let key_id = target.key.arn();
        let import_token = context.host().keyring.seal_import_token(&key_id, &token)?;
        Ok(Done::read(GetParametersForImportResponse {
            key_id,
            import_token: Blob::from(import_token),
            public_key: Blob::from(pair.public_key_der),
            parameters_valid_to: token.expiry,
        }))
    }
}

/// Takes material that somebody else made.
pub(crate) struct ImportKeyMaterial;

impl Operation for ImportKeyMaterial {
    type Request = ImportKeyMaterialRequest;
    type Target = OneKey;
    type Response = ImportKeyMaterialResponse;
    const SPEC: Spec = Spec {
        name: "ImportKeyMaterial",
        actions: &["kms:ImportKeyMaterial"],
        key_state: KeyStateRule::Importing,
        unrecorded: &["ImportToken"],
        records_answer: true,
        request_quota: RequestQuota::Own(15),
        ..DEFAULT
    };

    fn check(request: &ImportKeyMaterialRequest) -> Result<(), ServiceError> {
        let is_new =
            request.import_type.as_ref().and_then(OneOf::known) == Some(ImportType::NewKeyMaterial);
        match (expiration_model(request), request.valid_to) {
            (ExpirationModel::KeyMaterialExpires, None) => Err(ServiceError::validation(
                "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES",
            )),
            (ExpirationModel::KeyMaterialDoesNotExpire, Some(_)) => Err(ServiceError::validation(
                "A validTo date must not be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE",
            )),
            (ExpirationModel::KeyMaterialExpires, Some(_))
            | (ExpirationModel::KeyMaterialDoesNotExpire, None)
                if is_new && request.key_material_id.is_some() =>
            {
                Err(ServiceError::validation(
                    "KeyMaterialId cannot be specified if the ImportType is NEW_KEY_MATERIAL",
                ))
            }
            (ExpirationModel::KeyMaterialExpires, Some(_))
            | (ExpirationModel::KeyMaterialDoesNotExpire, None) => Ok(()),
        }
    }

    fn names(
        request: &ImportKeyMaterialRequest,
    ) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    fn facts(request: &ImportKeyMaterialRequest) -> Facts<'_> {
        Facts {
            lifecycle: Lifecycle {
                expiration_model: Some(expiration_model(request)),
                valid_to: request.valid_to,
                ..Lifecycle::default()
            },
            ..Facts::default()
        }
    }

    fn kind(_request: &ImportKeyMaterialRequest, target: &OneKey) -> Result<(), ServiceError> {
        check_origin(&target.key)
    }

    fn suits(request: &ImportKeyMaterialRequest, target: &OneKey) -> Result<(), ServiceError> {
        let says_which = request.import_type.is_some()
            || request.key_material_id.is_some()
            || request.key_material_description.is_some();
        match says_which && target.key.key().key_spec != KeySpec::SymmetricDefault {
            true => Err(ServiceError::unsupported(
                "ImportType, KeyMaterialId and KeyMaterialDescription are only supported for symmetric encryption KMS keys.",
            )),
            false => Ok(()),
        }
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        request: &ImportKeyMaterialRequest,
    ) -> Result<Done<ImportKeyMaterialResponse>, ServiceError> {
        let (host, now) = (context.host(), context.now());
        check_validity(request.valid_to, now)?;
        let material = unwrap(context, &target.key, request).await?;
        let key = target.key.key();
        let key_material_id = host.keyring.key_material_id(key.key_id, &material);
        if request.key_material_id.as_ref().is_some_and(|id| *id != key_material_id.to_string()) {
            return Err(ServiceError::incorrect_key_material(
                "The key material does not match the specified KeyMaterialId.",
            ));
        }
        let identity = identity_of(host.deployment_id, key, key_material_id);
        let import = Import {
            key_material_id,
            wrapped: host.custodian.keep(&identity, &material).await?,
            import_type: request.import_type.as_ref().and_then(OneOf::known),
            description: request.key_material_description.clone(),
            valid_to: request.valid_to,
            now,
        };
        let checked = Arc::clone(&target.key);
        context
            .change(Vec::new(), move |transaction| {
                let record = Context::same_key(transaction, &checked)?;
                place::place(transaction, record, checked.arn_text(), &import)?;
                Ok(ImportKeyMaterialResponse {
                    key_id: checked.arn(),
                    key_material_id: told(&checked, key_material_id),
                })
            })
            .await
    }
}

/// Opens the token, and with it the material. Checking an RSA key takes up to half a second, so it is done in the workshop.
async fn unwrap(
    context: &Context<'_>,
    key: &KeySnapshot,
    request: &ImportKeyMaterialRequest,
) -> Result<SecretBytes, ServiceError> {
    let token = required(&request.import_token)?.as_slice();
    let token = context.host().keyring.open_import_token(&key.arn(), token)?;
    if token.expiry <= context.now() {
        return Err(ServiceError::bare(ErrorCode::ExpiredImportTokenException));
    }
    let encrypted = required(&request.encrypted_key_material)?.as_slice().to_vec();
    let key_spec = key.key().key_spec;
    let work = move || {
        let bytes = token.unwrapping_key.unwrap(token.wrapping_algorithm, &encrypted)?;
        Ok(key_material::import(key_spec, bytes.expose())?)
    };
    Ok(context.host().workshop.work(work).await?)
}

fn check_validity(valid_to: Option<Timestamp>, now: Timestamp) -> Result<(), ServiceError> {
    let Some(valid_to) = valid_to else { return Ok(()) };
    if valid_to <= now {
        return Err(ServiceError::validation("The validTo date must be in the future."));
    }
    match valid_to > now + VALIDITY_MAX {
        true => Err(ServiceError::validation("The validTo date must be within 365 days.")),
        false => Ok(()),
    }
}

/// The id of imported material, which is told for symmetric encryption keys alone.
fn told(key: &KeySnapshot, key_material_id: KeyMaterialId) -> Option<KeyMaterialId> {
    (key.key().key_spec == KeySpec::SymmetricDefault).then_some(key_material_id)
}

/// Material expires unless the caller says otherwise.
fn expiration_model(request: &ImportKeyMaterialRequest) -> ExpirationModel {
    let given = request.expiration_model.as_ref().and_then(OneOf::known);
    given.unwrap_or(ExpirationModel::KeyMaterialExpires)
}

/// The table of "Select a wrapping algorithm" in the Developer Guide.
fn can_be_wrapped(
    key_spec: KeySpec,
    algorithm: WrappingAlgorithm,
    wrapping_key_spec: DataKeyPairSpec,
) -> bool {
    let is_rsa = matches!(key_spec, KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096);
    let has_form =
        key_spec != KeySpec::SymmetricDefault && key_specs::hmac_bytes(key_spec).is_none();
    match algorithm {
        WrappingAlgorithm::RsaesOaepSha1 | WrappingAlgorithm::RsaesOaepSha256 => {
            let is_too_small = wrapping_key_spec == DataKeyPairSpec::Rsa2048;
            !(is_rsa || is_too_small && key_spec == KeySpec::EccNistP521)
        }
        WrappingAlgorithm::Sm2Pke => has_form,
        WrappingAlgorithm::RsaAesKeyWrapSha1
        | WrappingAlgorithm::RsaAesKeyWrapSha256
        | WrappingAlgorithm::RsaesPkcs1V15 => true,
    }
}

fn wrapping_algorithm(
    request: &GetParametersForImportRequest,
) -> Result<WrappingAlgorithm, ServiceError> {
    required(&request.wrapping_algorithm)?
        .known()
        .ok_or_else(|| ServiceError::internal("an unknown wrapping algorithm passed validation"))
}

/// The wrapping key as the pair that custody makes for it.
fn wrapping_key_spec(
    request: &GetParametersForImportRequest,
) -> Result<DataKeyPairSpec, ServiceError> {
    match required(&request.wrapping_key_spec)?.known() {
        Some(WrappingKeySpec::Rsa2048) => Ok(DataKeyPairSpec::Rsa2048),
        Some(WrappingKeySpec::Rsa3072) => Ok(DataKeyPairSpec::Rsa3072),
        Some(WrappingKeySpec::Rsa4096) => Ok(DataKeyPairSpec::Rsa4096),
        Some(WrappingKeySpec::Sm2) if key_specs::is_built(KeySpec::Sm2) => Ok(DataKeyPairSpec::Sm2),
        Some(WrappingKeySpec::Sm2) => Err(wrapping_key_spec_not_supported()),
        None => Err(ServiceError::internal("an unknown wrapping key spec passed validation")),
    }
}

/// SM2 is the only one that is not made everywhere.
fn wrapping_key_spec_not_supported() -> ServiceError {
    ServiceError::unsupported("Wrapping key spec SM2 is not supported.")
}

fn check_origin(key: &KeySnapshot) -> Result<(), ServiceError> {
    match key.key().origin {
        OriginType::External => Ok(()),
        origin @ (OriginType::AwsKms | OriginType::AwsCloudHsm | OriginType::ExternalKeyStore) => {
            Err(ServiceError::wrong_origin(key.arn_text(), origin))
        }
    }
}
