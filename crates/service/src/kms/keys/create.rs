//! CreateKey.

use store::{KeyPolicyRow, KeyRecord, KeyRow, MultiRegionRow, TagRow};
use wire::enums::{CustomerMasterKeySpec, KeyManager, KeySpec, KeyState, KeyUsage, OriginType};
use wire::kms::keys::{CreateKeyRequest, CreateKeyResponse};
use wire::names::{KeyId, KeyMaterialId};
use wire::values::OneOf;

use super::super::materials::new_material;
use super::super::{DEFAULT, is_made_in, key_policies, tags};
use super::{custom_key_store_not_found, metadata};
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::facts::{Facts, NewKeyFacts};
use crate::linked_roles::MultiRegionRole;
use crate::operation::{Operation, Spec};
use crate::quotas::check_keys;
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
            new_key: key_spec(request).ok().map(|key_spec| NewKeyFacts {
                key_spec,
                key_usage: key_usage(request),
                origin: origin(request),
                multi_region: request.multi_region.unwrap_or_default(),
            }),
            ..Facts::default()
        }
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<NoTarget>,
        request: &CreateKeyRequest,
    ) -> Result<Done<CreateKeyResponse>, ServiceError> {
        let key_spec = key_spec(request)?;
        if !is_made_in(key_spec, context.call().region) {
            return Err(not_supported(key_spec));
        }
        let (policy, named) = key_policies::accept(
            context,
            request.policy.as_deref(),
            request.bypass_policy_lockout_safety_check.unwrap_or_default(),
        )?;
        let record = new_key(context, request, policy).await?;
        let created = Resource::of_key(&record.key);
        let keys_max = context.host().quotas.keys_max(record.key.account, record.key.region);
        let of_multi_region = record.key.multi_region.then(|| MultiRegionRole::of(context));
        let linked_role = of_multi_region.transpose()?;
        context
            .change_with_events(vec![created], move |transaction, events| {
                check_keys(transaction, &record.key, keys_max)?;
                named.refuse_gone(transaction)?;
                transaction.save_key(&record)?;
                if let Some(linked_role) = linked_role {
                    linked_role.make_if_absent(transaction, events)?;
                }
                Ok(CreateKeyResponse { key_metadata: metadata(&record) })
            })
            .await
    }
}

/// Refuses kinds of keys that do not exist, and those that this server does not make in any Region.
fn check_kind(request: &CreateKeyRequest) -> Result<(), ServiceError> {
    let key_spec = key_spec(request)?;
    let facts = crypto::key_specs::row(key_spec);
    match request.key_usage.as_ref().and_then(OneOf::known) {
        None if key_spec != KeySpec::SymmetricDefault => {
            return Err(ServiceError::validation(
                "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
            ));
        }
        Some(key_usage) if !facts.admits(key_usage) => {
            return Err(ServiceError::validation(format!(
                "KeyUsage {key_usage} is not compatible with KeySpec {key_spec}"
            )));
        }
        None | Some(_) => {}
    }
    check_origin(request)?;
    match facts.is_built {
        true => Ok(()),
        false => Err(not_supported(key_spec)),
    }
}

fn not_supported(key_spec: KeySpec) -> ServiceError {
    ServiceError::unsupported(format!("KeySpec {key_spec} is not supported."))
}

/// The spec by either of its names; a symmetric encryption key unless one is given.
fn key_spec(request: &CreateKeyRequest) -> Result<KeySpec, ServiceError> {
    Ok(match (&request.key_spec, &request.customer_master_key_spec) {
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
    })
}

fn key_usage(request: &CreateKeyRequest) -> KeyUsage {
    request.key_usage.as_ref().and_then(OneOf::known).unwrap_or(KeyUsage::EncryptDecrypt)
}

fn origin(request: &CreateKeyRequest) -> OriginType {
    request.origin.as_ref().and_then(OneOf::known).unwrap_or(OriginType::AwsKms)
}

fn check_origin(request: &CreateKeyRequest) -> Result<(), ServiceError> {
    let origin = origin(request);
    match origin {
        OriginType::AwsKms if request.xks_key_id.is_some() => Err(ServiceError::validation(
            "You can only specify an XksKeyId for a KMS key whose Origin is EXTERNAL_KEY_STORE.",
        )),
        OriginType::AwsKms if request.custom_key_store_id.is_some() => {
            Err(ServiceError::validation(
                "You cannot specify a CustomKeyStoreId for a KMS key whose Origin is AWS_KMS.",
            ))
        }
        OriginType::AwsKms => Ok(()),
        OriginType::External if request.custom_key_store_id.is_some() => {
            Err(ServiceError::validation(
                "You cannot specify a CustomKeyStoreId for a KMS key whose Origin is EXTERNAL.",
            ))
        }
        OriginType::External if request.xks_key_id.is_some() => Err(ServiceError::validation(
            "You can only specify an XksKeyId for a KMS key whose Origin is EXTERNAL_KEY_STORE.",
        )),
        OriginType::External => Ok(()),
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

/// A key, with fresh material unless somebody is to import it. Custody has undone once what it did with the material before
/// the key is handed out (promise P2).
async fn new_key(
    context: &Context<'_>,
    request: &CreateKeyRequest,
    policy: String,
) -> Result<KeyRecord, ServiceError> {
    let key = key_row(context, request)?;
    let material = match key.current_key_material_id {
        Some(id) => Some(new_material(context, &key, id).await?),
        None => None,
    };
    let tags = request
        .tags
        .as_deref()
        .unwrap_or_default()
        .iter()
        .map(tags::row)
        .collect::<Result<Vec<TagRow>, _>>()?;
    Ok(KeyRecord {
        materials: material.into_iter().collect(),
        policy: KeyPolicyRow { document: policy },
        aliases: Vec::new(),
        tags,
        rotation: None,
        multi_region: key
            .multi_region
            .then(|| MultiRegionRow { primary_region: key.region, replica_regions: Vec::new() }),
        material_rotations: Vec::new(),
        material_imports: Vec::new(),
        key,
    })
}

fn key_row(context: &Context<'_>, request: &CreateKeyRequest) -> Result<KeyRow, ServiceError> {
    let (host, call) = (context.host(), context.call());
    let key_spec = key_spec(request)?;
    let origin = origin(request);
    let multi_region = request.multi_region.unwrap_or_default();
    let random = *host.uuid()?.as_bytes();
    let is_imported = origin == OriginType::External;
    Ok(KeyRow {
        account: call.account(),
        region: call.region,
        key_id: match multi_region {
            true => KeyId::multi_region_from_bytes(random),
            false => KeyId::from_uuid_bytes(random),
        },
        sequence: 0,
        key_spec,
        key_usage: key_usage(request),
        origin,
        key_manager: KeyManager::Customer,
        multi_region,
        state: if is_imported { KeyState::PendingImport } else { KeyState::Enabled },
        description: request.description.clone().unwrap_or_default(),
        created: context.now(),
        deletion_date: None,
        pending_window_days: None,
        current_key_material_id: match is_imported {
            true => None,
            false => Some(KeyMaterialId::from_bytes(crypto::rng::array(&*host.rng)?)),
        },
    })
}
