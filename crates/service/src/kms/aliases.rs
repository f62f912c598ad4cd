//! CreateAlias, UpdateAlias, DeleteAlias, ListAliases.

use std::sync::Arc;

use store::{AliasRow, KeyRecord};
use wire::enums::KeySpec;
use wire::error_codes::ErrorCode;
use wire::kms::aliases::{
    AliasListEntry, CreateAliasRequest, DeleteAliasRequest, ListAliasesRequest,
    ListAliasesResponse, UpdateAliasRequest,
};
use wire::names::{AccountId, AliasArn, AliasName, Region};
use wire::shape::required;

use super::DEFAULT;
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::key_state::KeyStateRule;
use crate::managed_keys::Template;
use crate::operation::{AnswerForm, Operation, Spec};
use crate::page::{self, Page};
use crate::quotas::RequestQuota;
use crate::snapshot::KeySnapshot;
use crate::target::{AliasAndKeys, AliasNames, OptionalKey, Target};
use crate::trail::Done;

/// How many aliases may stand for one key (AWS: resource quotas).
pub(crate) const ALIASES_FOR_A_KEY_MAX: u64 = 50;

/// Gives a key a name.
pub(crate) struct CreateAlias;

impl Operation for CreateAlias {
    type Request = CreateAliasRequest;
    type Target = AliasAndKeys;
    type Response = ();
    const SPEC: Spec = Spec {
        name: "CreateAlias",
        actions: &["kms:CreateAlias"],
        invalid_arn: ErrorCode::NotFoundException,
        key_state: KeyStateRule::NotPendingDeletion,
        answer: AnswerForm::Empty,
        records_key: true,
        ..DEFAULT
    };

    fn names(
        request: &CreateAliasRequest,
    ) -> Result<<AliasAndKeys as Target>::Names<'_>, ServiceError> {
        Ok(AliasNames {
            alias: customer_alias(required(&request.alias_name)?)?,
            exists: false,
            target_key_id: Some(required(&request.target_key_id)?),
        })
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<AliasAndKeys>,
        _request: &CreateAliasRequest,
    ) -> Result<Done<()>, ServiceError> {
        let arn = target.alias.clone();
        let key = target
            .next
            .clone()
            .ok_or_else(|| ServiceError::internal("CreateAlias was resolved without a key"))?;
        let now = context.now();
        context
            .change(Vec::new(), move |transaction| {
                if transaction.alias(arn.account, arn.region, &arn.alias)?.is_some() {
                    return Err(ServiceError::new(
                        ErrorCode::AlreadyExistsException,
                        format!("An alias with the name {arn} already exists"),
                    ));
                }
                let mut record = Context::same_key(transaction, &key)?;
                let row = AliasRow {
                    alias: arn.alias.clone(),
                    key_id: record.key.key_id,
                    created: now,
                    updated: now,
                };
                add(&mut record, row)?;
                transaction.save_key(&record)?;
                Ok(())
            })
            .await
    }
}

/// Lets a name stand for another key.
pub(crate) struct UpdateAlias;

impl Operation for UpdateAlias {
    type Request = UpdateAliasRequest;
    type Target = AliasAndKeys;
    type Response = ();
    const SPEC: Spec = Spec {
        name: "UpdateAlias",
        actions: &["kms:UpdateAlias"],
        invalid_arn: ErrorCode::NotFoundException,
        // The former key may be pending deletion; the next one may not, which `suits` checks.
        key_state: KeyStateRule::Any,
        answer: AnswerForm::Empty,
        records_key: true,
        ..DEFAULT
    };

    fn names(
        request: &UpdateAliasRequest,
    ) -> Result<<AliasAndKeys as Target>::Names<'_>, ServiceError> {
        Ok(AliasNames {
            alias: customer_alias(required(&request.alias_name)?)?,
            exists: true,
            target_key_id: Some(required(&request.target_key_id)?),
        })
    }

    fn suits(_request: &UpdateAliasRequest, target: &AliasAndKeys) -> Result<(), ServiceError> {
        let (Some(former), Some(next)) = (&target.former, &target.next) else { return Ok(()) };
        KeyStateRule::NotPendingDeletion.check(next.arn_text(), next.state())?;
        // Usage tells HMAC keys and signers apart; only encryption is done by keys of two types.
        let is_symmetric = |key: &KeySnapshot| key.key().key_spec == KeySpec::SymmetricDefault;
        let same_kind = is_symmetric(former) == is_symmetric(next)
            && former.key().key_usage == next.key().key_usage;
        match same_kind {
            true => Ok(()),
            false => Err(ServiceError::validation(
                "The current and new KMS key must be the same type (both symmetric or both asymmetric or both HMAC), and they must have the same key usage.",
            )),
        }
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<AliasAndKeys>,
        _request: &UpdateAliasRequest,
    ) -> Result<Done<()>, ServiceError> {
        let arn = target.alias.clone();
        let (Some(former), Some(next)) = (target.former.clone(), target.next.clone()) else {
            return Err(ServiceError::internal("UpdateAlias was resolved without its keys"));
        };
        let now = context.now();
        context
            .change(Vec::new(), move |transaction| {
                let mut record = Context::same_key(transaction, &former)?;
                let mut row = take(&mut record, &arn)?;
                row.updated = now;
                if former.key_id() == next.key_id() {
                    add(&mut record, row)?;
                    transaction.save_key(&record)?;
                    return Ok(());
                }
                transaction.save_key(&record)?;
                let mut record = Context::same_key(transaction, &next)?;
                row.key_id = next.key_id();
                add(&mut record, row)?;
                transaction.save_key(&record)?;
                Ok(())
            })
            .await
    }
}

/// Takes a name away; its key stays as it is.
pub(crate) struct DeleteAlias;

impl Operation for DeleteAlias {
    type Request = DeleteAliasRequest;
    type Target = AliasAndKeys;
    type Response = ();
    const SPEC: Spec = Spec {
        name: "DeleteAlias",
        actions: &["kms:DeleteAlias"],
        answer: AnswerForm::Empty,
        request_quota: RequestQuota::Own(15),
        records_key: true,
        ..DEFAULT
    };

    fn names(
        request: &DeleteAliasRequest,
    ) -> Result<<AliasAndKeys as Target>::Names<'_>, ServiceError> {
        let alias = customer_alias(required(&request.alias_name)?)?;
        Ok(AliasNames { alias, exists: true, target_key_id: None })
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<AliasAndKeys>,
        _request: &DeleteAliasRequest,
    ) -> Result<Done<()>, ServiceError> {
        let arn = target.alias.clone();
        let former = target
            .former
            .clone()
            .ok_or_else(|| ServiceError::internal("DeleteAlias was resolved without a key"))?;
        context
            .change(Vec::new(), move |transaction| {
                let mut record = Context::same_key(transaction, &former)?;
                take(&mut record, &arn)?;
                transaction.save_key(&record)?;
                Ok(())
            })
            .await
    }
}

/// Lists the names of the account in the Region, or those of one key.
pub(crate) struct ListAliases;

impl Operation for ListAliases {
    type Request = ListAliasesRequest;
    type Target = OptionalKey;
    type Response = ListAliasesResponse;
    const SPEC: Spec = Spec {
        name: "ListAliases",
        actions: &["kms:ListAliases"],
        read_only: true,
        request_quota: RequestQuota::Own(500),
        ..DEFAULT
    };

    fn names(request: &ListAliasesRequest) -> Result<Option<&str>, ServiceError> {
        Ok(request.key_id.as_deref())
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OptionalKey>,
        request: &ListAliasesRequest,
    ) -> Result<Done<ListAliasesResponse>, ServiceError> {
        let limit = page::limit(request.limit, 50, 100)?;
        let key = target.0.as_ref().map(|key| Arc::clone(&key.key));
        let filter = key.as_ref().map(|key| key.key_id().to_string()).unwrap_or_default();
        let after: Option<AliasName> =
            page::after(context, "ListAliases", &filter, request.marker.as_deref())?;
        let (account, region) = (context.call().account(), context.call().region);
        let entries = match key {
            Some(key) => {
                let rows = of_key(key.record(), after.as_ref(), limit + 1);
                rows.into_iter().map(|row| entry(account, region, row)).collect()
            }
            None => {
                let begin = after.clone();
                let read = context.host().store.read(move |snapshot| {
                    snapshot.aliases_page(account, region, begin.as_ref(), page::one_more(limit))
                });
                let rows = read.await?.into_iter().map(|row| entry(account, region, row));
                with_predefined(rows.collect(), (account, region), after.as_ref(), limit + 1)
            }
        };
        let page = Page::cut(entries, limit);
        let next_marker = match page.last_if_truncated() {
            Some(entry) => {
                Some(page::marker(context, "ListAliases", &filter, entry.alias_name.as_str())?)
            }
            None => None,
        };
        Ok(Done::read(ListAliasesResponse {
            truncated: next_marker.is_some(),
            next_marker,
            aliases: page.items,
        }))
    }
}

fn of_key(record: &KeyRecord, after: Option<&AliasName>, limit: usize) -> Vec<AliasRow> {
    let mut rows: Vec<AliasRow> = record
        .aliases
        .iter()
        .filter(|row| after.is_none_or(|after| row.alias > *after))
        .cloned()
        .collect();
    rows.sort_by(|left, right| left.alias.cmp(&right.alias));
    rows.truncate(limit);
    rows
}

fn entry(account: AccountId, region: Region, row: AliasRow) -> AliasListEntry {
    AliasListEntry {
        alias_arn: AliasArn { region, account, alias: row.alias.clone() },
        alias_name: row.alias,
        target_key_id: Some(row.key_id),
        creation_date: Some(row.created),
        last_updated_date: Some(row.updated),
    }
}

/// Adds the predefined aliases whose keys are not made yet to a page of those that stand for keys.
fn with_predefined(
    mut entries: Vec<AliasListEntry>,
    (account, region): (AccountId, Region),
    after: Option<&AliasName>,
    limit: usize,
) -> Vec<AliasListEntry> {
    for alias in Template::predefined_aliases() {
        let is_known = entries.iter().any(|entry| entry.alias_name == alias);
        if !is_known && after.is_none_or(|after| alias > *after) {
            entries.push(AliasListEntry {
                alias_arn: AliasArn { region, account, alias: alias.clone() },
                alias_name: alias,
                target_key_id: None,
                creation_date: None,
                last_updated_date: None,
            });
        }
    }
    entries.sort_by(|left, right| left.alias_name.cmp(&right.alias_name));
    entries.truncate(limit);
    entries
}

/// An alias name that customers may use: `alias/aws/` belongs to services.
fn customer_alias(text: &str) -> Result<AliasName, ServiceError> {
    if !text.starts_with("alias/") {
        return Err(ServiceError::validation(
            "Alias must start with the prefix \"alias/\". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
        ));
    }
    if text.starts_with("alias/aws/") {
        return Err(ServiceError::bare(ErrorCode::NotAuthorizedException));
    }
    let invalid =
        || ServiceError::validation(format!("{text} contains invalid characters for an alias"));
    if text.contains(':') || text == "alias/" {
        return Err(invalid());
    }
    text.parse().map_err(|_| invalid())
}

fn add(record: &mut KeyRecord, row: AliasRow) -> Result<(), ServiceError> {
    if u64::try_from(record.aliases.len()).is_ok_and(|count| count >= ALIASES_FOR_A_KEY_MAX) {
        return Err(ServiceError::new(
            ErrorCode::LimitExceededException,
            format!("A key can have at most {ALIASES_FOR_A_KEY_MAX} aliases."),
        ));
    }
    record.aliases.push(row);
    Ok(())
}

fn take(record: &mut KeyRecord, arn: &AliasArn) -> Result<AliasRow, ServiceError> {
    let position = record
        .aliases
        .iter()
        .position(|row| row.alias == arn.alias)
        .ok_or_else(|| ServiceError::alias_not_found(arn))?;
    Ok(record.aliases.remove(position))
}
