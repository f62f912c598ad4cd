//! Who can use a key, and by which statement or grant.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use policy::{Decision, Effect, PrincipalPattern, StatementExplanation, root_arn};
use serde::Serialize;
use store::{GrantRow, IdentityKind};
use wire::enums::GrantOperation;
use wire::names::{AliasArn, GrantId, KeyArn, KeyRef, Partition, Region};

use super::one_action::{answer, asked};
use super::told::{find, named};
use super::{DecidingStatement, ExplainError, SupposedCall, Walked, region_of};
use crate::error::ServiceError;
use crate::grantee_grants::constraints_of;
use crate::host::Host;
use crate::principals;
use crate::snapshot::KeySnapshot;

/// Grants that are told of one key; a key can have 50,000.
const GRANTS_TOLD_MAX: u32 = 1_000;

/// Who can do something to a key. `Display` is the text, `Serialize` the data.
#[derive(Clone, Debug, Serialize)]
pub struct KeyUsers {
    /// The action.
    pub action: &'static str,
    /// The key's ARN.
    pub key: String,
    /// Those whom policies let, by ARN: the account's root user, users and roles, and of other accounts those whom the key
    /// policy names.
    pub users: Vec<KeyUser>,
    /// The grants that permit it; a denial in a policy still stands above them.
    pub grants: Vec<GrantToUse>,
    /// Whether there are more grants than are told.
    pub more_grants: bool,
    /// Whom the key policy names and nobody here is: services, other deployments' principals, everyone, and deleted ones.
    pub unknown: Vec<String>,
}

/// Somebody whom policies let.
#[derive(Clone, Debug, Serialize)]
pub struct KeyUser {
    /// The ARN.
    pub principal: String,
    /// Whether it depends on the request: on `conditions`, or on what stands in `unless`.
    pub conditional: bool,
    /// The statements by which; none for the root user where it needs none.
    pub by: Vec<DecidingStatement>,
    /// Those of their conditions that a request may or may not meet.
    pub conditions: Vec<String>,
    /// Statements that deny it to other requests.
    pub unless: Vec<DecidingStatement>,
}

/// A grant that permits it.
#[derive(Clone, Debug, Serialize)]
pub struct GrantToUse {
    /// The grant.
    pub grant_id: String,
    /// To whom it was given.
    pub grantee: String,
    /// Its constraints, as they were given.
    pub constraints: Option<wire::kms::grants::GrantConstraints>,
}

/// Tells who can do what the call asks for to its key. The principal of the call does not matter.
pub(crate) async fn who_can(
    host: &Host,
    supposed: &SupposedCall,
) -> Result<KeyUsers, ExplainError> {
    let (spec, position) = asked(&supposed.action)
        .filter(|(spec, position)| spec.action(*position).starts_with("kms:"))
        .ok_or_else(|| ExplainError::NoKeyAction(supposed.action.clone()))?;
    let region = region_of(host, supposed, spec.api)?;
    let partition = region.partition();
    let key = key_of(host, supposed, region, spec.name).await?;
    let (principals, unknown) = principals_of(host, &key, partition);
    let mut users = Vec::new();
    for principal in principals {
        let call = SupposedCall {
            principal: principal.clone(),
            resource: Some(key.arn_text().to_owned()),
            ..supposed.clone()
        };
        match answer(host, &call, (spec, position)).await {
            Ok(walked) => users.extend(user(principal, &walked)),
            // An operation that AWS keeps within the account, or a principal that was deleted just now.
            Err(ExplainError::Service(_) | ExplainError::Principal(_)) => {}
            Err(error) => return Err(error),
        }
        // An account may have thousands of users, and calls are waiting.
        tokio::task::yield_now().await;
    }
    let (grants, more_grants) = match spec.grant_operation(position) {
        Some(operation) => grants_of(host, &key, operation).await?,
        None => (Vec::new(), false),
    };
    let key = key.arn_text().to_owned();
    Ok(KeyUsers { action: spec.action(position), key, users, grants, more_grants, unknown })
}

/// The key, whosever it is. Only an alias has to say its account.
async fn key_of(
    host: &Host,
    supposed: &SupposedCall,
    region: Region,
    operation: &'static str,
) -> Result<Arc<KeySnapshot>, ExplainError> {
    let text = supposed.resource.as_deref().ok_or(ExplainError::NoKey(operation))?;
    let unknown = || ExplainError::Key(text.to_owned());
    let (address, account) = match KeyRef::parse(text) {
        Ok(KeyRef::KeyId(key_id)) => ((region, key_id), None),
        Ok(KeyRef::KeyArn(KeyArn { region, account, key_id })) => ((region, key_id), Some(account)),
        Ok(KeyRef::AliasArn(AliasArn { region, account, alias })) => {
            let target = host.alias_target(account, region, &alias).await?;
            ((region, target.ok_or_else(unknown)?), Some(account))
        }
        Ok(KeyRef::AliasName(_)) | Err(_) => return Err(unknown()),
    };
    let found = host.key(address).await?;
    let is_owned = |key: &Arc<KeySnapshot>| account.is_none_or(|account| key.account() == account);
    found.filter(is_owned).ok_or_else(unknown)
}

/// Everybody who is to be asked about, by ARN, and whom the key policy names beside them.
fn principals_of(
    host: &Host,
    key: &KeySnapshot,
    partition: Partition,
) -> (BTreeSet<String>, Vec<String>) {
    let account = key.account();
    let mut known = BTreeSet::from([root_arn(account, partition)]);
    for kind in [IdentityKind::User, IdentityKind::Role] {
        let identities = host.identities.all(account, kind);
        known.extend(identities.iter().map(|identity| identity.arn(partition)));
    }
    let mut unknown = BTreeSet::new();
    for principal in key.policy().principals() {
        let may_call =
            matches!(principal, PrincipalPattern::Account { .. } | PrincipalPattern::Arn { .. });
        let arn = named(principal, partition);
        match may_call && principals::exists(host, partition, principal) {
            true => known.insert(arn),
            false => unknown.insert(arn),
        };
    }
    (known, unknown.into_iter().collect())
}

/// Somebody whom policies let, at least with some requests.
fn user(principal: String, walked: &Walked) -> Option<KeyUser> {
    let Decision::Allowed { by: grounds } = walked.at_best else { return None };
    let documents = &walked.question.documents;
    let allowing: Vec<_> =
        grounds.statements().filter_map(|place| find(documents, place)).collect();
    let statement_conditions = allowing.iter().flat_map(|(_, statement)| &statement.conditions);
    let conditions: Vec<String> = statement_conditions
        .filter(|condition| walked.is_open(&condition.key))
        .map(|condition| {
            format!("{} {} {:?}", condition.operator, condition.key, condition.written)
        })
        .collect();
    let denies = |statement: &&StatementExplanation| {
        let is_about = statement.principal.is_some() && statement.action && statement.resource;
        let may_apply = statement
            .conditions
            .iter()
            .all(|condition| condition.holds || walked.is_open(&condition.key));
        statement.effect == Effect::Deny && is_about && may_apply
    };
    let unless: Vec<DecidingStatement> = documents
        .iter()
        .flat_map(|document| {
            let statements = document.explanation.statements.iter().filter(denies);
            statements.map(move |statement| DecidingStatement::of(document, statement))
        })
        .collect();
    Some(KeyUser {
        principal,
        conditional: !conditions.is_empty() || !unless.is_empty(),
        by: allowing.iter().map(|(document, one)| DecidingStatement::of(document, one)).collect(),
        conditions,
        unless,
    })
}

/// The grants on a key that permit an operation, and whether there are more.
async fn grants_of(
    host: &Host,
    key: &KeySnapshot,
    operation: GrantOperation,
) -> Result<(Vec<GrantToUse>, bool), ServiceError> {
    let (region, key_id) = (key.key().region, key.key_id());
    let mut told = Vec::new();
    let mut after: Option<GrantId> = None;
    loop {
        let rows = host
            .store
            .read(move |snapshot| {
                snapshot.grants_page(region, key_id, None, after, GRANTS_TOLD_MAX)
            })
            .await?;
        let Some(last) = rows.last() else { return Ok((told, false)) };
        after = Some(last.grant_id);
        for row in rows.iter().filter(|row| row.operations.contains(&operation)) {
            if told.len() >= usize::try_from(GRANTS_TOLD_MAX).unwrap_or(usize::MAX) {
                return Ok((told, true));
            }
            told.push(grant(row)?);
        }
    }
}

fn grant(row: &GrantRow) -> Result<GrantToUse, ServiceError> {
    Ok(GrantToUse {
        grant_id: row.grant_id.to_string(),
        grantee: row.grantee.clone(),
        constraints: constraints_of(row)?,
    })
}

impl fmt::Display for KeyUsers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "who can {} on {}", self.action, self.key)?;
        for KeyUser { principal, conditional, by, conditions, unless } in &self.users {
            let depends = if *conditional { ", depending on the request" } else { "" };
            writeln!(formatter, "{principal}{depends}")?;
            for statement in by {
                writeln!(formatter, "  by {statement}")?;
            }
            for condition in conditions {
                writeln!(formatter, "  if {condition}")?;
            }
            for statement in unless {
                writeln!(formatter, "  unless {statement}")?;
            }
        }
        for GrantToUse { grant_id, grantee, constraints } in &self.grants {
            let constrained = if constraints.is_some() { ", under constraints" } else { "" };
            writeln!(formatter, "{grantee}{constrained}\n  by grant {grant_id}")?;
        }
        if self.more_grants {
            writeln!(formatter, "and more grants")?;
        }
        for name in &self.unknown {
            writeln!(formatter, "the key policy also names {name}")?;
        }
        Ok(())
    }
}
