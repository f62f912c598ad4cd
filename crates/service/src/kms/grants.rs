//! CreateGrant, ListGrants, ListRetirableGrants, RetireGrant, RevokeGrant.

mod creation;

pub(crate) use self::creation::{CreateGrant, GRANTS_FOR_A_KEY_MAX};

use std::sync::Arc;

use store::{GrantRow, Snapshot, StoreError};
use wire::kms::grants::{
    GrantListEntry, ListGrantsRequest, ListGrantsResponse, ListRetirableGrantsRequest,
    RetireGrantRequest, RevokeGrantRequest,
};
use wire::names::{GrantId, KeyArn, KeyId, Region};
use wire::shape::required;

use super::DEFAULT;
use crate::authorize::Authorized;
use crate::context::Context;
use crate::error::ServiceError;
use crate::facts::{Facts, GrantFacts};
use crate::grantee_grants::{constraints_of, is_service};
use crate::operation::{AnswerForm, Operation, Spec};
use crate::page::{self, Page};
use crate::quotas::RequestQuota;
use crate::snapshot::KeySnapshot;
use crate::target::{GrantName, GrantToRetire, GrantToRevoke, KeyName, NoTarget, OneKey, Target};
use crate::trail::Done;

/// The most grants on a page, and how many there are unless the caller says.
const PAGE_MAX: usize = 100;
const PAGE_USUAL: usize = 50;

/// Lists the grants on a key.
pub(crate) struct ListGrants;

impl Operation for ListGrants {
    type Request = ListGrantsRequest;
    type Target = OneKey;
    type Response = ListGrantsResponse;
    const SPEC: Spec = Spec {
        name: "ListGrants",
        actions: &["kms:ListGrants"],
        request_quota: RequestQuota::Own(100),
        cross_account: true,
        read_only: true,
        ..DEFAULT
    };

    fn check(request: &ListGrantsRequest) -> Result<(), ServiceError> {
        if request.grantee_service_principal.is_some() {
            return Err(only_for_services("GranteeServicePrincipal"));
        }
        request.grant_id.as_deref().map_or(Ok(()), |text| grant_id(text).map(drop))
    }

    fn names(request: &ListGrantsRequest) -> Result<<OneKey as Target>::Names<'_>, ServiceError> {
        Ok(KeyName::Text(required(&request.key_id)?))
    }

    fn facts(_request: &ListGrantsRequest) -> Facts<'_> {
        of_existing_grant(false)
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<OneKey>,
        request: &ListGrantsRequest,
    ) -> Result<Done<ListGrantsResponse>, ServiceError> {
        let limit = page::limit(request.limit, PAGE_USUAL, PAGE_MAX)?;
        let grantee = request.grantee_principal.clone();
        let wanted = request.grant_id.as_deref().map(grant_id).transpose()?;
        let wanted_text = wanted.map(|id| id.to_string()).unwrap_or_default();
        let key = &target.key;
        let (region, key_id) = (key.key().region, key.key_id());
        let filter =
            format!("{} {wanted_text} {}", key.arn_text(), grantee.as_deref().unwrap_or_default());
        let after: Option<GrantId> =
            page::after(context, "ListGrants", &filter, request.marker.as_deref())?;
        let rows = context
            .host()
            .store
            .read(move |snapshot| match wanted {
                Some(grant_id) => one_grant(snapshot, region, key_id, grant_id, grantee.as_deref()),
                None => {
                    let limit = page::one_more(limit);
                    snapshot.grants_page(region, key_id, grantee.as_deref(), after, limit)
                }
            })
            .await?;
        let page = Page::cut(rows, limit);
        let next_marker = match page.last_if_truncated() {
            Some(row) => {
                Some(page::marker(context, "ListGrants", &filter, &row.grant_id.to_string())?)
            }
            None => None,
        };
        let entries = page.items.iter().map(|row| entry(row, key.arn()));
        Ok(Done::read(ListGrantsResponse {
            grants: entries.collect::<Result<_, _>>()?,
            truncated: next_marker.is_some(),
            next_marker,
        }))
    }
}

/// The grant of that id, if it is the grantee's.
fn one_grant(
    snapshot: &Snapshot<'_>,
    region: Region,
    key_id: KeyId,
    grant_id: GrantId,
    grantee: Option<&str>,
) -> Result<Vec<GrantRow>, StoreError> {
    let grant = snapshot.grant(region, key_id, grant_id)?;
    let grant = grant.filter(|grant| grantee.is_none_or(|grantee| grant.grantee == grantee));
    Ok(grant.into_iter().collect())
}

/// Lists the grants that a principal may retire.
pub(crate) struct ListRetirableGrants;

impl Operation for ListRetirableGrants {
    type Request = ListRetirableGrantsRequest;
    type Target = NoTarget;
    type Response = ListGrantsResponse;
    const SPEC: Spec = Spec {
        name: "ListRetirableGrants",
        actions: &["kms:ListRetirableGrants"],
        request_quota: RequestQuota::Own(100),
        read_only: true,
        ..DEFAULT
    };

    fn check(request: &ListRetirableGrantsRequest) -> Result<(), ServiceError> {
        if request.retiring_service_principal.is_some() {
            return Err(only_for_services("RetiringServicePrincipal"));
        }
        match request.retiring_principal {
            Some(_) => Ok(()),
            None => Err(ServiceError::validation("RetiringPrincipal must be specified.")),
        }
    }

    fn names(
        _request: &ListRetirableGrantsRequest,
    ) -> Result<<NoTarget as Target>::Names<'_>, ServiceError> {
        Ok(())
    }

    async fn handle(
        context: &Context<'_>,
        _target: Authorized<NoTarget>,
        request: &ListRetirableGrantsRequest,
    ) -> Result<Done<ListGrantsResponse>, ServiceError> {
        let limit = page::limit(request.limit, PAGE_USUAL, PAGE_MAX)?;
        let retiring = required(&request.retiring_principal)?.clone();
        check_own_principal(context, &retiring)?;
        let after: Option<String> =
            page::after(context, "ListRetirableGrants", &retiring, request.marker.as_deref())?;
        let after = after.as_deref().map(place).transpose()?;
        let (region, principal) = (context.call().region, retiring.clone());
        let rows = context
            .host()
            .store
            .read(move |snapshot| retirable(snapshot, region, &principal, after, limit))
            .await?;
        let page = Page::cut(rows, limit);
        let next_marker = match page.last_if_truncated() {
            Some((row, _)) => {
                let last = format!("{}/{}", row.key_id, row.grant_id);
                Some(page::marker(context, "ListRetirableGrants", &retiring, &last)?)
            }
            None => None,
        };
        let entries = page.items.iter().map(|(row, key)| entry(row, *key));
        Ok(Done::read(ListGrantsResponse {
            grants: entries.collect::<Result<_, _>>()?,
            truncated: next_marker.is_some(),
            next_marker,
        }))
    }
}

/// "You must specify a principal in your AWS account" (API reference, ListRetirableGrants).
fn check_own_principal(context: &Context<'_>, retiring: &str) -> Result<(), ServiceError> {
    let Some(principal) = policy::PrincipalPattern::from_arn(retiring) else {
        return Err(ServiceError::invalid_principal(retiring));
    };
    let call = context.call();
    if principal.account() == Some(call.account()) {
        return Ok(());
    }
    let action = "kms:ListRetirableGrants";
    let because = format!("because no resource-based policy allows the {action} action");
    Err(ServiceError::access_denied(&call.principal().arn, action, retiring, &because))
}

/// Grants with the ARNs of their keys, which may be of other accounts.
fn retirable(
    snapshot: &Snapshot<'_>,
    region: Region,
    retiring: &str,
    after: Option<(KeyId, GrantId)>,
    limit: usize,
) -> Result<Vec<(GrantRow, KeyArn)>, StoreError> {
    let rows = snapshot.retirable_grants_page(region, retiring, after, page::one_more(limit))?;
    let mut found: Vec<(GrantRow, KeyArn)> = Vec::with_capacity(rows.len());
    for row in rows {
        let known = found.last().map(|(_, key)| *key).filter(|key| key.key_id == row.key_id);
        let arn = match known {
            Some(arn) => Some(arn),
            None => snapshot.key(region, row.key_id)?.map(|record| {
                let account = record.key.account;
                KeyArn { region, account, key_id: row.key_id }
            }),
        };
        // No grant stands without its key.
        if let Some(arn) = arn {
            found.push((row, arn));
        }
    }
    Ok(found)
}

/// Where a page of retirable grants ends.
fn place(text: &str) -> Result<(KeyId, GrantId), ServiceError> {
    let parsed = text
        .split_once('/')
        .and_then(|(key_id, grant_id)| Some((key_id.parse().ok()?, grant_id.parse().ok()?)));
    parsed.ok_or_else(ServiceError::invalid_marker)
}

/// Ends a grant on the part of those for whom it was made.
pub(crate) struct RetireGrant;

impl Operation for RetireGrant {
    type Request = RetireGrantRequest;
    type Target = GrantToRetire;
    type Response = ();
    const SPEC: Spec = Spec {
        name: "RetireGrant",
        actions: &["kms:RetireGrant"],
        request_quota: RequestQuota::Own(50),
        cross_account: true,
        unrecorded: &["GrantToken"],
        answer: AnswerForm::Empty,
        ..DEFAULT
    };

    fn check(request: &RetireGrantRequest) -> Result<(), ServiceError> {
        let has_key_or_id = request.key_id.is_some() || request.grant_id.is_some();
        let has_both = request.key_id.is_some() && request.grant_id.is_some();
        match (&request.grant_token, has_key_or_id, has_both) {
            (Some(_), false, _) => Ok(()),
            (None, _, true) => grant_id(required(&request.grant_id)?).map(drop),
            (Some(_), true, _) | (None, _, false) => Err(ServiceError::validation(
                "Either the grant token, or the key ID and the grant ID, must be specified.",
            )),
        }
    }

    fn names(
        request: &RetireGrantRequest,
    ) -> Result<<GrantToRetire as Target>::Names<'_>, ServiceError> {
        Ok(match &request.grant_token {
            Some(token) => GrantName::Token(token),
            None => {
                let id = grant_id(required(&request.grant_id)?)?;
                GrantName::Id(required(&request.key_id)?, id)
            }
        })
    }

    fn facts(request: &RetireGrantRequest) -> Facts<'_> {
        Facts { dry_run: request.dry_run.unwrap_or_default(), ..Facts::default() }
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<GrantToRetire>,
        _request: &RetireGrantRequest,
    ) -> Result<Done<()>, ServiceError> {
        delete(context, &target.key, target.grant.grant_id).await
    }
}

/// Ends a grant on the part of those who are in charge of the key.
pub(crate) struct RevokeGrant;

impl Operation for RevokeGrant {
    type Request = RevokeGrantRequest;
    type Target = GrantToRevoke;
    type Response = ();
    const SPEC: Spec = Spec {
        name: "RevokeGrant",
        actions: &["kms:RevokeGrant"],
        request_quota: RequestQuota::Own(50),
        cross_account: true,
        answer: AnswerForm::Empty,
        ..DEFAULT
    };

    fn check(request: &RevokeGrantRequest) -> Result<(), ServiceError> {
        grant_id(required(&request.grant_id)?).map(drop)
    }

    fn names(
        request: &RevokeGrantRequest,
    ) -> Result<<GrantToRevoke as Target>::Names<'_>, ServiceError> {
        Ok((required(&request.key_id)?, grant_id(required(&request.grant_id)?)?))
    }

    fn facts(request: &RevokeGrantRequest) -> Facts<'_> {
        of_existing_grant(request.dry_run.unwrap_or_default())
    }

    fn suits(request: &RevokeGrantRequest, target: &GrantToRevoke) -> Result<(), ServiceError> {
        match target.grant {
            Some(_) => Ok(()),
            None => Err(ServiceError::grant_not_found(grant_id(required(&request.grant_id)?)?)),
        }
    }

    async fn handle(
        context: &Context<'_>,
        target: Authorized<GrantToRevoke>,
        request: &RevokeGrantRequest,
    ) -> Result<Done<()>, ServiceError> {
        let grant_id = grant_id(required(&request.grant_id)?)?;
        delete(context, &target.key.key, grant_id).await
    }
}

/// Deletes a grant on a key that is still as it was when the caller was found to be allowed to.
async fn delete(
    context: &Context<'_>,
    key: &Arc<KeySnapshot>,
    grant_id: GrantId,
) -> Result<Done<()>, ServiceError> {
    let checked = Arc::clone(key);
    context
        .change(Vec::new(), move |transaction| {
            let key = Context::same_key(transaction, &checked)?.key;
            match transaction.delete_grant(key.region, key.key_id, grant_id)? {
                true => Ok(()),
                false => Err(ServiceError::grant_not_found(grant_id)),
            }
        })
        .await
}

/// The facts of operations on grants that stand. None was made by a service for one of its resources.
fn of_existing_grant<'r>(dry_run: bool) -> Facts<'r> {
    let grant = GrantFacts { asked: None, is_for_aws_resource: Some(false) };
    Facts { grant, dry_run, ..Facts::default() }
}

fn grant_id(text: &str) -> Result<GrantId, ServiceError> {
    text.parse().map_err(|_| ServiceError::invalid_grant_id())
}

/// A member that AWS has for service principals; none of them calls here.
fn only_for_services(member: &str) -> ServiceError {
    ServiceError::validation(format!("{member} can be specified by service principals only."))
}

/// A grant as it is told.
fn entry(row: &GrantRow, key: KeyArn) -> Result<GrantListEntry, ServiceError> {
    let as_principal = |text: &String| (!is_service(text)).then(|| text.clone());
    let as_service = |text: &String| is_service(text).then(|| text.clone());
    Ok(GrantListEntry {
        key_id: key,
        grant_id: row.grant_id,
        name: row.name.clone(),
        creation_date: row.created,
        grantee_principal: as_principal(&row.grantee),
        retiring_principal: row.retiring.as_ref().and_then(as_principal),
        issuing_account: policy::root_arn(row.issuing_account, key.region.partition()),
        operations: row.operations.clone(),
        constraints: constraints_of(row)?,
        grantee_service_principal: as_service(&row.grantee),
        retiring_service_principal: row.retiring.as_ref().and_then(as_service),
    })
}
