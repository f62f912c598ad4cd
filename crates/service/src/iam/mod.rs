//! The operations of AWS IAM, family by family. IAM is one for all Regions of a partition.

pub(crate) mod absent;
pub(crate) mod access_keys;
pub(crate) mod account_aliases;
pub(crate) mod account_details;
pub(crate) mod accounts;
pub(crate) mod context_keys;
pub(crate) mod group_policies;
pub(crate) mod groups;
mod holder_policies;
pub(crate) mod open_id_connect_provider_tags;
pub(crate) mod open_id_connect_providers;
mod paging;
pub(crate) mod permissions_boundaries;
pub(crate) mod policies;
pub(crate) mod policy_tags;
pub(crate) mod policy_versions;
mod quotas;
pub(crate) mod role_policies;
pub(crate) mod roles;
pub(crate) mod service_linked_roles;
pub(crate) mod simulation;
mod tagging;
mod target;
pub(crate) mod user_policies;
pub(crate) mod users;

use std::sync::Arc;

use policy::{Document, DocumentKind};
use serde::Serialize;
use store::{IdentityRecord, IdentityTagRow, Transaction};
use wire::error_codes::ErrorCode;
use wire::iam::tags::Tag;
use wire::query::IAM_NAMESPACE;

use crate::context::Context;
use crate::error::ServiceError;
use crate::identities::{Changes, Identity};
use crate::key_state::KeyStateRule;
use crate::meter::Metering;
use crate::operation::{AnswerForm, Api, KeyForms, Spec};
use crate::quotas::RequestQuota;
use crate::trail::Done;

pub(crate) use target::existing_policy;

/// Facts that the operations of IAM share; each row says only what differs.
const DEFAULT: Spec = Spec {
    name: "",
    api: Api::Iam,
    actions: &[],
    undeniable: false,
    tagging_action: None,
    key_forms: KeyForms::Key,
    key_state: KeyStateRule::Any,
    key_usage: None,
    invalid_arn: ErrorCode::InvalidInput,
    cross_account: false,
    is_use: false,
    read_only: false,
    unrecorded: &[],
    records_answer: false,
    records_key: false,
    request_quota: RequestQuota::Unlimited,
    metering: Metering::Free,
    answer: AnswerForm::Xml(IAM_NAMESPACE),
};

/// Facts of operations that only tell.
const READING: Spec = Spec { read_only: true, ..DEFAULT };

/// Facts of operations that make something and tell what.
const CREATING: Spec = Spec { records_answer: true, ..DEFAULT };

/// Commits a change of one identity that is still what the checks saw.
async fn change<R>(
    context: &Context<'_>,
    checked: &Arc<Identity>,
    edit: impl FnOnce(&mut IdentityRecord, &Transaction<'_>) -> Result<R, ServiceError> + Send + 'static,
) -> Result<Done<R>, ServiceError>
where
    R: Serialize + Send + 'static,
{
    let (changes, checked) = (Changes::new(context.host()), Arc::clone(checked));
    context
        .change(Vec::new(), move |transaction| {
            let mut record = Changes::same(transaction, &checked)?;
            let response = edit(&mut record, transaction)?;
            changes.save(transaction, record)?;
            Ok(response)
        })
        .await
}

/// Refuses a document that is no policy of that kind.
pub(crate) fn check_document(kind: DocumentKind, document: &str) -> Result<(), ServiceError> {
    Document::parse_as(kind, document).map(drop).map_err(|error| {
        ServiceError::new(ErrorCode::MalformedPolicyDocumentException, error.to_string())
    })
}

/// Characters of a policy that count towards its quota: "IAM doesn't count white space" (IAM User Guide, quotas).
pub(crate) fn counted_characters(document: &str) -> usize {
    document.chars().filter(|character| !character.is_whitespace()).count()
}

/// An ARN that rows keep, as the caller's partition writes it.
fn shown_arn(context: &Context<'_>, stored_arn: &str) -> String {
    let partition = context.call().region.partition();
    match stored_arn.strip_prefix("arn:aws:") {
        Some(rest) => format!("arn:{}:{rest}", partition.as_str()),
        None => stored_arn.to_owned(),
    }
}

/// Tags as they are told.
fn tags_of(record: &IdentityRecord) -> Vec<Tag> {
    let tag = |row: &IdentityTagRow| Tag {
        key: Some(row.tag_key.clone()),
        value: Some(row.tag_value.clone()),
    };
    record.tags.iter().map(tag).collect()
}

/// Adds tags, over those of the same key. Keys are told apart whatever the case of their letters.
fn put_tags(record: &mut IdentityRecord, tags: &[Tag]) -> Result<(), ServiceError> {
    for tag in tags {
        let (tag_key, tag_value) = (tag.key.clone(), tag.value.clone());
        let tag_key = tag_key.unwrap_or_default();
        record.tags.retain(|row| !row.tag_key.eq_ignore_ascii_case(&tag_key));
        record.tags.push(IdentityTagRow { tag_key, tag_value: tag_value.unwrap_or_default() });
    }
    quotas::check("TagsPerEntity", record.tags.len(), quotas::TAGS_MAX)
}

/// Tags of a request that makes something; each key may stand there once.
pub(crate) fn check_new_tags(tags: Option<&[Tag]>) -> Result<(), ServiceError> {
    let mut keys: Vec<_> = tags
        .unwrap_or_default()
        .iter()
        .map(|tag| tag.key.as_deref().unwrap_or_default().to_ascii_lowercase())
        .collect();
    keys.sort_unstable();
    let count = keys.len();
    keys.dedup();
    match keys.len() == count {
        true => Ok(()),
        false => Err(ServiceError::new(
            ErrorCode::InvalidInput,
            "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
        )),
    }
}
