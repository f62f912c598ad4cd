//! CreateKey.

use store::{KeyPolicyRow, KeyRecord, KeyRow, MaterialRow, TagRow};
use wire::enums::{
    CustomerMasterKeySpec, KeyManager, KeyMaterialState, KeySpec, KeyState, KeyUsage, OriginType,
};
use wire::kms::keys::{CreateKeyRequest, CreateKeyResponse};
use wire::names::{KeyId, KeyMaterialId};
use wire::values::OneOf;

use super::super::{DEFAULT, key_policies, tags};
use super::{custom_key_store_not_found, metadata};
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::facts::Facts;
use crate::operation::{Operation, Spec};
use crate::target::NoTarget;
use crate::trail::{Done, Resource};

/// Makes a key.
pub(crate) struct CreateKey;

impl Operation for CreateKey {
    type Request = CreateKeyRequest;
    type Target = NoTarget;
    type Response = CreateKeyResponse;
    const SPEC: Spec =
        Spec { name: "CreateKey", actions: &["kms:CreateKey"], records_answer: true, ..DEFAULT };

    fn check(request: &CreateKeyRequest) -> Result<(), ServiceError> {
        check_kind(request)?;
        tags::check(request.tags.as_deref().unwrap_or_default())?;
        match &request.policy {
            Some(policy) => key_policies::check_size(policy),
            None => Ok(()),
        }
    }

    fn names(_request: &CreateKeyRequest) -> Result<(), ServiceError> {
        Ok(())
    }

    fn facts(request: &CreateKeyRequest) -> Facts<'_> {
        Facts {
            bypass_policy_lockout_safety_check: request
                .bypass_policy_lockout_safety_check
                .unwrap_or_default(),
            tags: request.tags.as_deref().unwrap_or_default(),
            ..Facts::default()
        }
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<NoTarget>,
        request: &CreateKeyRequest,
    ) -> Result<Done<CreateKeyResponse>, ServiceError> {
        let policy = key_policies::accept(
            context,
            request.policy.as_deref(),
            request.bypass_policy_lockout_safety_check.unwrap_or_default(),
        )?;
        let record = new_key(context, request, policy).await?;
        let created = Resource::of_key(&record.key);
        context
            .change(vec![created], move |transaction| {
                transaction.save_key(&record)?;
                Ok(CreateKeyResponse { key_metadata: metadata(&record.key) })
            })
            .await
    }
}

/// Refuses kinds of keys that do not exist, and those that this server does not make yet.
fn check_kind(request: &CreateKeyRequest) -> Result<(), ServiceError> {
    let key_spec = match (&request.key_spec, &request.customer_master_key_spec) {
        (Some(_), Some(_)) => {
            return Err(ServiceError::validation(
                "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.",
            ));
        }
        (Some(key_spec), None) => key_spec.known().unwrap_or(KeySpec::SymmetricDefault),
        (None, Some(key_spec)) => {
            key_spec.known().map_or(KeySpec::SymmetricDefault, CustomerMasterKeySpec::key_spec)
        }
        (None, None) => KeySpec::SymmetricDefault,
    };
    let key_usage = request.key_usage.as_ref().and_then(OneOf::known);
    let facts = crypto::key_specs::row(key_spec);
    match key_usage {
        None if key_spec != KeySpec::SymmetricDefault => {
            return Err(ServiceError::validation(
                "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
            ));
        }
        Some(key_usage) if !facts.admits(key_usage) => {
            return Err(ServiceError::validation(format!(
                "KeyUsage {} is not compatible with KeySpec {}",
                key_usage.as_str(),
                key_spec.as_str()
            )));
        }
        None | Some(_) => {}
    }
    check_origin(request)?;
    if !facts.is_built {
        return Err(ServiceError::unsupported(format!(
            "KeySpec {} is not supported.",
            key_spec.as_str()
        )));
    }
    Ok(())
}

fn check_origin(request: &CreateKeyRequest) -> Result<(), ServiceError> {
    let origin = request.origin.as_ref().and_then(OneOf::known).unwrap_or(OriginType::AwsKms);
    match origin {
        OriginType::AwsKms if request.xks_key_id.is_some() => Err(ServiceError::validation(
            "You can only specify an XksKeyId for a KMS key whose Origin is EXTERNAL_KEY_STORE.",
        )),
        OriginType::AwsKms if request.custom_key_store_id.is_some() => {
            Err(ServiceError::validation(
                "You cannot specify a CustomKeyStoreId for a KMS key whose Origin is AWS_KMS.",
            ))
        }
        OriginType::AwsKms if request.multi_region == Some(true) => {
            Err(ServiceError::unsupported("Multi-Region keys are not supported."))
        }
        OriginType::AwsKms => Ok(()),
        OriginType::External => Err(ServiceError::unsupported("Origin EXTERNAL is not supported.")),
        OriginType::AwsCloudHsm | OriginType::ExternalKeyStore => {
            match &request.custom_key_store_id {
                Some(id) => Err(custom_key_store_not_found(id)),
                None => Err(ServiceError::validation(format!(
                    "You must specify a CustomKeyStoreId for a KMS key whose Origin is {}.",
                    origin.as_str()
                ))),
            }
        }
    }
}

/// A key with fresh material, which custody has used once in both directions before it is handed out (promise P2).
async fn new_key(
    context: &Context<'_>,
    request: &CreateKeyRequest,
    policy: String,
) -> Result<KeyRecord, ServiceError> {
    let host = context.host();
    let call = context.call();
    let key_material_id = KeyMaterialId::from_bytes(crypto::rng::array(&*host.rng)?);
    let key = KeyRow {
        account: call.account(),
        region: call.region,
        key_id: KeyId::from_uuid_bytes(*host.uuid()?.as_bytes()),
        sequence: 0,
        key_spec: KeySpec::SymmetricDefault,
        key_usage: KeyUsage::EncryptDecrypt,
        origin: OriginType::AwsKms,
        key_manager: KeyManager::Customer,
        multi_region: false,
        state: KeyState::Enabled,
        description: request.description.clone().unwrap_or_default(),
        created: context.now(),
        deletion_date: None,
        pending_window_days: None,
        current_key_material_id: Some(key_material_id),
    };
    let identity = custody::MaterialIdentity {
        deployment_id: host.deployment_id,
        partition: key.region.partition(),
        account: key.account,
        region: key.region,
        key_id: key.key_id,
        key_material_id,
        key_spec: key.key_spec,
        key_usage: key.key_usage,
        origin: key.origin,
    };
    let wrapped = context.custodian().generate(&identity).await?;
    let tags = request
        .tags
        .as_deref()
        .unwrap_or_default()
        .iter()
        .map(tags::row)
        .collect::<Result<Vec<TagRow>, _>>()?;
    Ok(KeyRecord {
        materials: vec![MaterialRow {
            key_material_id,
            domain_key_version: wrapped.domain_key_version,
            wrapped: wrapped.bytes,
            created: context.now(),
            state: KeyMaterialState::Current,
        }],
        policy: KeyPolicyRow { document: policy },
        aliases: Vec::new(),
        tags,
        rotation: None,
        multi_region: None,
        material_rotations: Vec::new(),
        material_imports: Vec::new(),
        key,
    })
}
