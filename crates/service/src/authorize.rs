//! May the caller: the decision for everything that a target asks about, and the value that proves it was made.

use std::ops::Deref;
use std::sync::Arc;

use attestation::Attested;
use custody::AuthorizationMessages;
use policy::{
    ConditionContext, Decision, Denial, Grant, GrantPermissions, GrantedRequest, Grants, Grounds,
    Policies, PolicyKind, Principal, Query,
};
use wire::enums::{GrantOperation, KeyManager};
use wire::names::{AliasArn, GrantId, KeyArn};

use crate::authorization_messages;
use crate::call::Call;
use crate::conditions::Conditions;
use crate::error::ServiceError;
use crate::facts::Facts;
use crate::grantee_grants::{GranteeGrants, permissions_asked};
use crate::linked_roles;
use crate::managed_keys;
use crate::snapshot::KeySnapshot;
use crate::target::{Ask, Lookup, NamedBy, Target};

/// A target that the caller may act on. Only this module makes one, and a handler has no other way to a key.
pub(crate) struct Authorized<T> {
    target: T,
    grant: Option<GrantId>,
}

impl<T> Authorized<T> {
    /// The grant by which alone the caller may, if it is one that policies do not make needless.
    pub(crate) fn grant(&self) -> Option<GrantId> {
        self.grant
    }
}

impl<T: Target> Authorized<T> {
    /// The target, unless a part of it is missing.
    pub(crate) fn complete(mut self) -> Result<Authorized<T>, ServiceError> {
        match self.target.take_missing() {
            Some(error) => Err(error),
            None => Ok(self),
        }
    }
}

impl<T> Deref for Authorized<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.target
    }
}

/// A target that no policy lets the caller act on.
pub(crate) struct Refused<T> {
    target: T,
    error: ServiceError,
}

/// Asks policies about every part of the target; the first refusal ends the call, unless
/// [grants](Refused::ask_grants) allow it.
pub(crate) fn authorize<T: Target>(
    lookup: &Lookup<'_>,
    target: T,
    facts: &Facts<'_>,
    recipient: Option<&Attested>,
) -> Result<Authorized<T>, Box<Refused<T>>> {
    match ask_policies(lookup, &target, facts, recipient) {
        Ok(()) => Ok(Authorized { target, grant: None }),
        Err(error) => Err(Box::new(Refused { target, error })),
    }
}

fn ask_policies(
    lookup: &Lookup<'_>,
    target: &impl Target,
    facts: &Facts<'_>,
    recipient: Option<&Attested>,
) -> Result<(), ServiceError> {
    // AWS lets nobody be denied some things, such as to ask who they are.
    if lookup.spec.undeniable {
        return Ok(());
    }
    // A refusal that grants may overturn is not told yet.
    let messages = lookup.host.authorization_messages.as_ref();
    let messages = messages.filter(|_| !grants_may_answer(lookup, target));
    for (position, ask) in target.asks().iter().flatten().enumerate() {
        let conditions = Conditions::new(lookup.call, Some(ask), facts, position)
            .of_target(target)
            .attested(recipient);
        for action in actions_asked(lookup, ask, facts, position) {
            decide(lookup, ask, action, &conditions, None, messages)?;
        }
    }
    Ok(())
}

/// The actions that the question at `position` asks for: the operation's own, and those that the request needs besides.
pub(crate) fn actions_asked(
    lookup: &Lookup<'_>,
    ask: &Ask<'_>,
    facts: &Facts<'_>,
    position: usize,
) -> impl Iterator<Item = &'static str> + use<> {
    // Making a key with tags needs both permissions.
    let makes_tagged_key = matches!(ask, Ask::Nothing) && !facts.tags.is_empty();
    let of_token = lookup.call.caller.web_identity();
    let source_identity = of_token.and_then(|of_token| of_token.source_identity.as_deref());
    let session = lookup.call.caller.session();
    let sets_source_identity =
        facts.sts.carried_source_identity(session).or(source_identity).is_some();
    let has_tags =
        !facts.iam.tags.is_empty() || of_token.is_some_and(|of_token| !of_token.tags.is_empty());
    let actions = [
        Some(lookup.spec.action(position)),
        makes_tagged_key.then_some("kms:TagResource"),
        sets_source_identity.then_some("sts:SetSourceIdentity"),
        lookup.spec.tagging_action.filter(|_| has_tags),
    ];
    actions.into_iter().flatten()
}

/// Whether each question is about a key and one that a grant can answer.
pub(crate) fn grants_may_answer(lookup: &Lookup<'_>, target: &impl Target) -> bool {
    target.asks().iter().flatten().enumerate().all(|(position, ask)| {
        matches!(ask, Ask::Key(..)) && lookup.spec.grant_operation(position).is_some()
    })
}

impl<T: Target> Refused<T> {
    /// Asks again with the grants that the caller has on the keys of the target. They are loaded only now, since few
    /// calls need them.
    pub(crate) async fn ask_grants(
        self: Box<Self>,
        lookup: &Lookup<'_>,
        facts: Facts<'_>,
        recipient: Option<&Attested>,
    ) -> Result<Authorized<T>, ServiceError> {
        let Refused { target, error } = *self;
        let messages = lookup.host.authorization_messages.as_ref();
        let mut permitted = None;
        for (position, ask) in target.asks().iter().flatten().enumerate() {
            // Where one question is about no key, none of them can be answered by a grant.
            let (Ask::Key(key, _), Some(operation)) = (ask, lookup.spec.grant_operation(position))
            else {
                return Err(error);
            };
            let child = facts.grant.asked.map(permissions_asked);
            let request = granted_request(lookup.call, &facts, position, operation, child.as_ref());
            let known = grants_known(lookup, key).await?;
            let covering: Vec<_> =
                known.iter().filter_map(|grants| grants.covering(&request)).collect();
            let candidates: Vec<_> = covering.iter().map(|(_, grant)| *grant).collect();
            let grants = Grants { request, candidates: &candidates, alone: false };
            let conditions = Conditions::new(lookup.call, Some(ask), &facts, position)
                .of_target(&target)
                .attested(recipient);
            let action = lookup.spec.action(position);
            let grounds = decide(lookup, ask, action, &conditions, Some(grants), messages)?;
            let grant = grounds.grant.and_then(|place| covering.get(place));
            permitted = grant.map(|(grant_id, _)| *grant_id).or(permitted);
        }
        Ok(Authorized { target, grant: permitted })
    }
}

/// The request at `position`, as grants see it.
pub(crate) fn granted_request<'f>(
    call: &'f Call<'_>,
    facts: &Facts<'f>,
    position: usize,
    operation: GrantOperation,
    child: Option<&'f GrantPermissions>,
) -> GrantedRequest<'f> {
    GrantedRequest {
        operation,
        encryption_context: facts.encryption_contexts.get(position).copied().flatten(),
        source_arn: call.caller.service().and_then(|itself| itself.source_arn.as_deref()),
        child,
    }
}

/// The grants on a key by which the caller may be permitted something, under each of its names.
pub(crate) async fn grants_known(
    lookup: &Lookup<'_>,
    key: &KeySnapshot,
) -> Result<Vec<Arc<GranteeGrants>>, ServiceError> {
    let mut known = Vec::new();
    for name in lookup.call.principal().grantee_names() {
        known.push(lookup.host.grants_of(key, name).await?);
    }
    Ok(known)
}

fn decide(
    lookup: &Lookup<'_>,
    ask: &Ask<'_>,
    action: &'static str,
    conditions: &Conditions<'_>,
    grants: Option<Grants<'_>>,
    messages: Option<&AuthorizationMessages>,
) -> Result<Grounds, ServiceError> {
    put(lookup, ask, action, conditions, grants, |query, policies| {
        match within_registration(lookup, ask, policy::decide(query, policies)) {
            Decision::Allowed { by } => Ok(by),
            Decision::Denied(denial) => {
                Err(refusal(lookup, ask, query, policies, denial, messages))
            }
        }
    })?
}

/// What policies decided; but of what a service is not registered for they allow it nothing.
pub(crate) fn within_registration(
    lookup: &Lookup<'_>,
    ask: &Ask<'_>,
    decision: Decision,
) -> Decision {
    match decision {
        Decision::Allowed { .. } if !is_of_served_account(lookup, ask) => {
            Decision::Denied(Denial::Implicit { policy: PolicyKind::KeyPolicy })
        }
        Decision::Allowed { .. } | Decision::Denied(_) => decision,
    }
}

/// Puts one question of the caller, with every policy that has a say in it, to a decision or to an explanation of one.
pub(crate) fn put<T>(
    lookup: &Lookup<'_>,
    ask: &Ask<'_>,
    action: &str,
    conditions: &dyn ConditionContext,
    grants: Option<Grants<'_>>,
    to: impl FnOnce(&Query<'_>, &Policies<'_>) -> T,
) -> Result<T, ServiceError> {
    let documents = lookup.call.documents();
    let asker = Asker { principal: lookup.call.principal(), own: documents.policies() };
    put_for(lookup.call, asker, ask, action, conditions, grants, to)
}

/// Somebody who may ask, with what decides whatever is asked.
#[derive(Clone, Copy)]
pub(crate) struct Asker<'p> {
    pub(crate) principal: &'p Principal,
    pub(crate) own: Policies<'p>,
}

/// Puts a question of anybody, who need not be the caller.
pub(crate) fn put_for<T>(
    call: &Call<'_>,
    asker: Asker<'_>,
    ask: &Ask<'_>,
    action: &str,
    conditions: &dyn ConditionContext,
    grants: Option<Grants<'_>>,
    to: impl FnOnce(&Query<'_>, &Policies<'_>) -> T,
) -> Result<T, ServiceError> {
    let Asker { principal, own } = asker;
    let alias_arn;
    let allowances: Vec<&Grant>;
    let (resource, policies) = match ask {
        Ask::Nothing => ("*", own),
        Ask::Identity { arn, .. } => (*arn, own),
        Ask::Role { arn, role } => {
            let asked = role.and_then(|role| role.trust().map(|trust| (role.account(), trust)));
            let (account, trust) = asked.ok_or_else(|| role_denied(call, action, arn))?;
            let policies = Policies {
                resource_account: Some(account),
                resource_policy: Some(trust),
                resource_control: call.guard_rails.resource_control(account),
                ..own
            };
            (*arn, policies)
        }
        Ask::Alias(arn) => {
            alias_arn = arn.to_string();
            let resource_control = call.guard_rails.resource_control(arn.account);
            (alias_arn.as_str(), Policies { resource_control, ..own })
        }
        Ask::Key(key, _) => (key.arn_text(), Policies { grants, ..of_key(call, key, own) }),
        Ask::Grant(key, retirement) => {
            allowances = retirement.iter().collect();
            let grants = Grants { request: RETIREMENT, candidates: &allowances, alone: true };
            let policies = Policies { grants: Some(grants), ..of_key(call, key, own) };
            (key.arn_text(), policies)
        }
    };
    let policies = match linked_roles::is_session(principal) {
        true => Policies { service_control: &[], resource_control: &[], ..policies },
        false => policies,
    };
    let query = Query { principal, action, resource, context: conditions };
    Ok(to(&query, &policies))
}

fn refusal(
    lookup: &Lookup<'_>,
    ask: &Ask<'_>,
    query: &Query<'_>,
    policies: &Policies<'_>,
    denial: Denial,
    messages: Option<&AuthorizationMessages>,
) -> ServiceError {
    if let Ask::Role { arn, .. } = ask {
        return role_denied(lookup.call, query.action, arn);
    }
    if let Some(untold) = untold(lookup, ask, query, policies) {
        return untold;
    }
    let Query { principal, action, resource, context } = *query;
    let unmade = match ask {
        Ask::Key(key, _) => managed_keys::alias_of_unmade(key).map(|alias| alias.to_string()),
        Ask::Nothing | Ask::Alias(_) | Ask::Grant(..) | Ask::Identity { .. } | Ask::Role { .. } => {
            None
        }
    };
    let resource = unmade.as_deref().unwrap_or(resource);
    let error =
        ServiceError::access_denied(&principal.arn, action, resource, &because(denial, action));
    let told = Query { principal, action, resource, context };
    let encoded = messages.and_then(|messages| {
        authorization_messages::encode(messages, lookup.call, &told, policies, denial)
    });
    match encoded {
        Some(encoded) => error.with_authorization_message(&encoded),
        None => error,
    }
}

/// The refusal of a caller whom a key of another account does not let in: the same as if there were no such key, whatever
/// the caller's own policies say of it (threat T-11).
fn untold(
    lookup: &Lookup<'_>,
    ask: &Ask<'_>,
    query: &Query<'_>,
    policies: &Policies<'_>,
) -> Option<ServiceError> {
    let (key, named_by) = match ask {
        Ask::Key(key, named_by) => (key, *named_by),
        Ask::Grant(key, _) => (key, &NamedBy::Key),
        Ask::Nothing | Ask::Alias(_) | Ask::Identity { .. } | Ask::Role { .. } => return None,
    };
    if key.account() == lookup.call.account() {
        return None;
    }
    match named_by {
        NamedBy::Ciphertext => Some(ServiceError::ciphertext_of_unknown_key()),
        NamedBy::Key | NamedBy::Alias(_) if policy::lets_in(query, policies) => None,
        NamedBy::Key => Some(lookup.invisible_to(query.action, key.arn_text())),
        NamedBy::Alias(alias) => {
            let KeyArn { region, account, .. } = key.arn();
            let arn = AliasArn { region, account, alias: alias.clone() };
            Some(lookup.invisible_to(query.action, &arn.to_string()))
        }
    }
}

/// Whether the key or role is of an account that the caller may call for, if the caller is a service.
fn is_of_served_account(lookup: &Lookup<'_>, ask: &Ask<'_>) -> bool {
    let Some(itself) = lookup.call.caller.service() else { return true };
    match ask {
        Ask::Key(key, _) | Ask::Grant(key, _) => itself.service.serves_account(key.account()),
        Ask::Role { role, .. } => {
            role.is_some_and(|role| itself.service.serves_account(role.account()))
        }
        Ask::Nothing | Ask::Alias(_) | Ask::Identity { .. } => true,
    }
}

fn role_denied(call: &Call<'_>, action: &str, role_arn: &str) -> ServiceError {
    match call.caller.web_identity() {
        Some(_) => ServiceError::web_identity_denied(),
        None => ServiceError::role_denied(&call.principal().arn, action, role_arn),
    }
}

/// RetireGrant, as grants see it.
const RETIREMENT: GrantedRequest<'static> = GrantedRequest {
    operation: GrantOperation::RetireGrant,
    encryption_context: None,
    source_arn: None,
    child: None,
};

/// The caller's own policies with that of a key, and with what limits the resources of the key's account. AWS managed
/// keys are not limited so (AWS Organizations User Guide, "Resource control policies").
fn of_key<'p>(call: &'p Call<'_>, key: &'p KeySnapshot, own: Policies<'p>) -> Policies<'p> {
    let resource_control = match key.key().key_manager {
        KeyManager::Customer => call.guard_rails.resource_control(key.account()),
        KeyManager::Aws => &[],
    };
    Policies {
        resource_account: Some(key.account()),
        resource_policy: Some(key.policy()),
        resource_control,
        ..own
    }
}

/// AWS's account of a refusal (IAM User Guide, "Troubleshoot access denied error messages").
pub(crate) fn because(denial: Denial, action: &str) -> String {
    match denial {
        Denial::Explicit { policy, .. } => {
            let article = match policy {
                PolicyKind::Identity => "an",
                PolicyKind::RoleTrust => "the",
                PolicyKind::ResourceControl
                | PolicyKind::ServiceControl
                | PolicyKind::Endpoint
                | PolicyKind::KeyPolicy
                | PolicyKind::Boundary
                | PolicyKind::Session => "a",
            };
            format!("with an explicit deny in {article} {policy}")
        }
        Denial::Implicit { policy } => format!("because no {policy} allows the {action} action"),
    }
}

#[cfg(test)]
mod tests {
    use policy::StatementRef;

    use super::*;

    /// The sentences of the IAM User Guide, "Troubleshoot access denied error messages". For an
    /// explicit denial by a session policy the guide has "a sessions policy" in its example and
    /// "a session policy" everywhere else.
    #[test]
    fn refusals_are_told_in_awss_words() {
        let rows = [
            (PolicyKind::ResourceControl, "a resource control policy"),
            (PolicyKind::ServiceControl, "a service control policy"),
            (PolicyKind::Endpoint, "a VPC endpoint policy"),
            (PolicyKind::KeyPolicy, "a resource-based policy"),
            (PolicyKind::RoleTrust, "the role trust policy"),
            (PolicyKind::Identity, "an identity-based policy"),
            (PolicyKind::Boundary, "a permissions boundary"),
            (PolicyKind::Session, "a session policy"),
        ];
        for (policy, name) in rows {
            let statement = StatementRef { policy, document: 0, statement: 0 };
            let explicit = because(Denial::Explicit { policy, statement }, "kms:Encrypt");
            assert_eq!(explicit, format!("with an explicit deny in {name}"));
            let (_article, kind) = name.split_once(' ').unwrap_or_default();
            let implicit = because(Denial::Implicit { policy }, "kms:Encrypt");
            assert_eq!(implicit, format!("because no {kind} allows the kms:Encrypt action"));
        }
    }
}
