//! CreateKey, DescribeKey, ListKeys, UpdateKeyDescription, EnableKey, DisableKey, ScheduleKeyDeletion,
//! CancelKeyDeletion.

use std::sync::Arc;

use jiff::SignedDuration;
use store::{KeyMaterialState, KeyPolicyRow, KeyRecord, KeyRow, MaterialRow, TagRow};
use wire::enums::{
    CustomerMasterKeySpec, KeyManager, KeySpec, KeyState, KeyUsage, OriginType, ResourceOwner,
};
use wire::error_codes::ErrorCode;
use wire::kms::keys::{
    CancelKeyDeletionRequest, CancelKeyDeletionResponse, CreateKeyRequest, CreateKeyResponse,
    DescribeKeyRequest, DescribeKeyResponse, DisableKeyRequest, EnableKeyRequest, KeyListEntry,
    KeyMetadata, ListKeysRequest, ListKeysResponse, ScheduleKeyDeletionRequest,
    ScheduleKeyDeletionResponse, UpdateKeyDescriptionRequest,
};
use wire::names::{KeyId, KeyMaterialId};
use wire::shape::required;
use wire::values::OneOf;

use super::{DEFAULT, key_policies, tags};
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::facts::Facts;
use crate::key_state::KeyStateRule;
use crate::operation::{AnswerForm, KeyForms, Operation, Spec};
use crate::page::{self, Page};
use crate::snapshot::arn_of;
use crate::target::{KeyName, NoTarget, OneKey, Target};
use crate::trail::{Done, Resource};

/// The shortest waiting period before deletion that AWS accepts, in days.
const PENDING_WINDOW_DAYS_MIN: i64 = 7;
/// The longest, in days.
const PENDING_WINDOW_DAYS_MAX: i64 = 30;
/// The one taken when none is given, in days.
const PENDING_WINDOW_DAYS_DEFAULT: i64 = 30;

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
        request: CreateKeyRequest,
    ) -> Result<Done<CreateKeyResponse>, ServiceError> {
        let policy = key_policies::accept(
            context,
            request.policy.as_deref(),
            request.bypass_policy_lockout_safety_check.unwrap_or_default(),
        )?;
        let record = new_key(context, &request, policy).await?;
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

/// No custom key store can be made here, so none has that id.
pub(super) fn custom_key_store_not_found(id: &str) -> ServiceError {
    ServiceError::new(
        ErrorCode::CustomKeyStoreNotFoundException,
        format!("Custom key store '{id}' does not exist"),
    )
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
        key,
    })
}

/// Tells everything about a key but its material.
pub(crate) struct DescribeKey;

impl Operation for DescribeKey {
    type Request = DescribeKeyRequest;
    type Target = OneKey;
    type Response = DescribeKeyResponse;
    const SPEC: Spec = Spec {
        name: "DescribeKey",
        actions: &["kms:DescribeKey"],
        key_forms: KeyForms::KeyOrAlias,
        cross_account: true,
        read_only: true,
        unrecorded: &["GrantTokens"],
        ..DEFAULT
    };

    fn names(request: &DescribeKeyRequest) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    fn facts(request: &DescribeKeyRequest) -> Facts<'_> {
        Facts {
            grant_tokens: request.grant_tokens.as_deref().unwrap_or_default(),
            ..Facts::default()
        }
    }

    async fn handle(
        _context: &Context<'_>,
        target: Authorized<OneKey>,
        _request: DescribeKeyRequest,
    ) -> Result<Done<DescribeKeyResponse>, ServiceError> {
        Ok(Done::read(DescribeKeyResponse { key_metadata: metadata(target.key.key()) }))
    }
}

/// Lists the keys of the caller's account in the Region.
pub(crate) struct ListKeys;

impl Operation for ListKeys {
    type Request = ListKeysRequest;
    type Target = NoTarget;
    type Response = ListKeysResponse;
    const SPEC: Spec =
        Spec { name: "ListKeys", actions: &["kms:ListKeys"], read_only: true, ..DEFAULT };

    fn names(_request: &ListKeysRequest) -> Result<(), ServiceError> {
        Ok(())
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<NoTarget>,
        request: ListKeysRequest,
    ) -> Result<Done<ListKeysResponse>, ServiceError> {
        let mut owners: Vec<&str> = request
            .resource_owners
            .iter()
            .flatten()
            .filter_map(OneOf::known)
            .map(ResourceOwner::as_str)
            .collect();
        owners.sort_unstable();
        let lists_own = owners.is_empty() || owners.contains(&ResourceOwner::SelfOwned.as_str());
        let limit = page::limit(request.limit, 100, 1000)?;
        let filter = owners.join(" ");
        let after: Option<KeyId> =
            page::after(context, "ListKeys", &filter, request.marker.as_deref())?;
        if !lists_own {
            // Nothing can be shared with an account yet, so the list of others' keys is empty.
            return Ok(Done::read(ListKeysResponse {
                keys: Vec::new(),
                next_marker: None,
                truncated: false,
            }));
        }
        let (account, region) = (context.call().account(), context.call().region);
        let keys = context
            .host()
            .store
            .read(move |snapshot| snapshot.keys_page(account, region, after, page::one_more(limit)))
            .await?;
        let page = Page::cut(keys, limit);
        let next_marker = match page.last_if_truncated() {
            Some(key) => Some(page::marker(context, "ListKeys", &filter, key.key_id.as_str())?),
            None => None,
        };
        Ok(Done::read(ListKeysResponse {
            truncated: next_marker.is_some(),
            next_marker,
            keys: page
                .items
                .into_iter()
                .map(|key| KeyListEntry { key_id: key.key_id, key_arn: arn_of(&key) })
                .collect(),
        }))
    }
}

/// Replaces the description of a key.
pub(crate) struct UpdateKeyDescription;

impl Operation for UpdateKeyDescription {
    type Request = UpdateKeyDescriptionRequest;
    type Target = OneKey;
    type Response = ();
    const SPEC: Spec = Spec {
        name: "UpdateKeyDescription",
        actions: &["kms:UpdateKeyDescription"],
        key_state: KeyStateRule::NotPendingDeletion,
        answer: AnswerForm::Empty,
        ..DEFAULT
    };

    fn names(
        request: &UpdateKeyDescriptionRequest,
    ) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        request: UpdateKeyDescriptionRequest,
    ) -> Result<Done<()>, ServiceError> {
        let description = required(&request.description)?.clone();
        change_key(context, &target, move |key| key.description = description).await
    }
}

/// Lets a key work again.
pub(crate) struct EnableKey;

impl Operation for EnableKey {
    type Request = EnableKeyRequest;
    type Target = OneKey;
    type Response = ();
    const SPEC: Spec = Spec {
        name: "EnableKey",
        actions: &["kms:EnableKey"],
        key_state: KeyStateRule::Switchable,
        answer: AnswerForm::Empty,
        ..DEFAULT
    };

    fn names(request: &EnableKeyRequest) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        _request: EnableKeyRequest,
    ) -> Result<Done<()>, ServiceError> {
        change_key(context, &target, |key| key.state = KeyState::Enabled).await
    }
}

/// Keeps a key from working until it is enabled again.
pub(crate) struct DisableKey;

impl Operation for DisableKey {
    type Request = DisableKeyRequest;
    type Target = OneKey;
    type Response = ();
    const SPEC: Spec = Spec {
        name: "DisableKey",
        actions: &["kms:DisableKey"],
        key_state: KeyStateRule::Switchable,
        answer: AnswerForm::Empty,
        ..DEFAULT
    };

    fn names(request: &DisableKeyRequest) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        _request: DisableKeyRequest,
    ) -> Result<Done<()>, ServiceError> {
        change_key(context, &target, |key| key.state = KeyState::Disabled).await
    }
}

/// Sets the date on which a key and its material are destroyed.
pub(crate) struct ScheduleKeyDeletion;

impl Operation for ScheduleKeyDeletion {
    type Request = ScheduleKeyDeletionRequest;
    type Target = OneKey;
    type Response = ScheduleKeyDeletionResponse;
    const SPEC: Spec = Spec {
        name: "ScheduleKeyDeletion",
        actions: &["kms:ScheduleKeyDeletion"],
        key_state: KeyStateRule::Deletable,
        records_answer: true,
        ..DEFAULT
    };

    fn check(request: &ScheduleKeyDeletionRequest) -> Result<(), ServiceError> {
        let Some(days) = request.pending_window_in_days else { return Ok(()) };
        let (bound, relation) = match days {
            ..PENDING_WINDOW_DAYS_MIN => (PENDING_WINDOW_DAYS_MIN, "greater"),
            PENDING_WINDOW_DAYS_MIN..=PENDING_WINDOW_DAYS_MAX => return Ok(()),
            _ => (PENDING_WINDOW_DAYS_MAX, "less"),
        };
        Err(ServiceError::validation(format!(
            "1 validation error detected: Value '{days}' at 'pendingWindowInDays' failed to satisfy constraint: Member must have value {relation} than or equal to {bound}"
        )))
    }

    fn names(
        request: &ScheduleKeyDeletionRequest,
    ) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    fn facts(request: &ScheduleKeyDeletionRequest) -> Facts<'_> {
        Facts { pending_window_days: request.pending_window_in_days, ..Facts::default() }
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        request: ScheduleKeyDeletionRequest,
    ) -> Result<Done<ScheduleKeyDeletionResponse>, ServiceError> {
        let days = request.pending_window_in_days.unwrap_or(PENDING_WINDOW_DAYS_DEFAULT);
        let pending_window_days = u16::try_from(days).map_err(ServiceError::internal)?;
        let deletion_date = context.now() + SignedDuration::from_hours(24 * days);
        let checked = Arc::clone(&target.key);
        context
            .change(Vec::new(), move |transaction| {
                let mut record = Context::same_key(transaction, &checked)?;
                record.key.state = KeyState::PendingDeletion;
                record.key.deletion_date = Some(deletion_date);
                record.key.pending_window_days = Some(pending_window_days);
                transaction.save_key(&record)?;
                Ok(ScheduleKeyDeletionResponse {
                    key_id: checked.arn(),
                    deletion_date: Some(deletion_date),
                    key_state: KeyState::PendingDeletion,
                    pending_window_in_days: pending_window_days,
                })
            })
            .await
    }
}

/// Takes the deletion date away; the key stays disabled.
pub(crate) struct CancelKeyDeletion;

impl Operation for CancelKeyDeletion {
    type Request = CancelKeyDeletionRequest;
    type Target = OneKey;
    type Response = CancelKeyDeletionResponse;
    const SPEC: Spec = Spec {
        name: "CancelKeyDeletion",
        actions: &["kms:CancelKeyDeletion"],
        key_state: KeyStateRule::PendingDeletion,
        records_answer: true,
        ..DEFAULT
    };

    fn names(
        request: &CancelKeyDeletionRequest,
    ) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        _request: CancelKeyDeletionRequest,
    ) -> Result<Done<CancelKeyDeletionResponse>, ServiceError> {
        let checked = Arc::clone(&target.key);
        context
            .change(Vec::new(), move |transaction| {
                let mut record = Context::same_key(transaction, &checked)?;
                record.key.state = KeyState::Disabled;
                record.key.deletion_date = None;
                record.key.pending_window_days = None;
                transaction.save_key(&record)?;
                Ok(CancelKeyDeletionResponse { key_id: checked.arn() })
            })
            .await
    }
}

/// Changes the row of a key, with nothing to answer.
async fn change_key(
    context: &Context<'_>,
    target: &Authorized<OneKey>,
    edit: impl FnOnce(&mut KeyRow) + Send + 'static,
) -> Result<Done<()>, ServiceError> {
    let checked = Arc::clone(&target.key);
    context
        .change(Vec::new(), move |transaction| {
            let mut record = Context::same_key(transaction, &checked)?;
            edit(&mut record.key);
            transaction.save_key(&record)?;
            Ok(())
        })
        .await
}

/// What AWS tells of a key: `KeyMetadata` of the API reference.
fn metadata(key: &KeyRow) -> KeyMetadata {
    let row = crypto::key_specs::row(key.key_spec);
    // Which algorithms a key has depends on what it was made for.
    let of_usage = |usage| key.key_usage == usage;
    KeyMetadata {
        aws_account_id: key.account,
        key_id: key.key_id,
        arn: arn_of(key),
        creation_date: key.created,
        enabled: key.state == KeyState::Enabled,
        description: key.description.clone(),
        key_usage: key.key_usage,
        key_state: key.state,
        deletion_date: key.deletion_date,
        valid_to: None,
        origin: key.origin,
        custom_key_store_id: None,
        cloud_hsm_cluster_id: None,
        expiration_model: None,
        key_manager: key.key_manager,
        customer_master_key_spec: key.key_spec.customer_master_key_spec(),
        key_spec: key.key_spec,
        encryption_algorithms: algorithms(
            of_usage(KeyUsage::EncryptDecrypt),
            row.encryption_algorithms,
        ),
        signing_algorithms: algorithms(of_usage(KeyUsage::SignVerify), row.signing_algorithms),
        key_agreement_algorithms: algorithms(
            of_usage(KeyUsage::KeyAgreement),
            row.key_agreement_algorithms,
        ),
        encapsulation_algorithms: Vec::new(),
        multi_region: key.multi_region,
        multi_region_configuration: None,
        pending_deletion_window_in_days: None,
        mac_algorithms: algorithms(of_usage(KeyUsage::GenerateVerifyMac), row.mac_algorithms),
        xks_key_configuration: None,
        current_key_material_id: key.current_key_material_id,
    }
}

fn algorithms<A: Copy>(of_usage: bool, algorithms: &[A]) -> Vec<A> {
    if of_usage { algorithms.to_vec() } else { Vec::new() }
}
