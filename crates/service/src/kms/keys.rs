//! CreateKey, DescribeKey, ListKeys, UpdateKeyDescription, EnableKey, DisableKey, ScheduleKeyDeletion,
//! CancelKeyDeletion, GetKeyLastUsage.

mod create;
mod deletion;
mod last_usage;
mod list;
mod metadata;

use std::sync::Arc;

use store::KeyRow;
use wire::enums::KeyState;
use wire::error_codes::ErrorCode;
use wire::kms::keys::{
    DescribeKeyRequest, DescribeKeyResponse, DisableKeyRequest, EnableKeyRequest,
    UpdateKeyDescriptionRequest,
};
use wire::shape::required;

pub(crate) use self::create::CreateKey;
pub(crate) use self::deletion::{CancelKeyDeletion, ScheduleKeyDeletion};
pub(crate) use self::last_usage::GetKeyLastUsage;
pub(crate) use self::list::ListKeys;
pub(crate) use self::metadata::earliest_expiry;
pub(super) use self::metadata::{Algorithms, metadata};
use super::DEFAULT;
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::facts::Facts;
use crate::key_state::KeyStateRule;
use crate::operation::{AnswerForm, KeyForms, Operation, Spec};
use crate::quotas::RequestQuota;
use crate::target::{KeyName, OneKey, Target};
use crate::trail::Done;

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
        request_quota: RequestQuota::Own(2_000),
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
        _request: &DescribeKeyRequest,
    ) -> Result<Done<DescribeKeyResponse>, ServiceError> {
        Ok(Done::read(DescribeKeyResponse { key_metadata: metadata(target.key.record()) }))
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
        request: &UpdateKeyDescriptionRequest,
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
        records_key: true,
        ..DEFAULT
    };

    fn names(request: &EnableKeyRequest) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        _request: &EnableKeyRequest,
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
        records_key: true,
        ..DEFAULT
    };

    fn names(request: &DisableKeyRequest) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        _request: &DisableKeyRequest,
    ) -> Result<Done<()>, ServiceError> {
        change_key(context, &target, |key| key.state = KeyState::Disabled).await
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

/// No custom key store can be made here, so none has that id.
pub(super) fn custom_key_store_not_found(id: &str) -> ServiceError {
    ServiceError::new(
        ErrorCode::CustomKeyStoreNotFoundException,
        format!("Custom key store '{id}' does not exist"),
    )
}
