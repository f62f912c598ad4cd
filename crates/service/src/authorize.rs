//! May the caller: the decision for everything that a target asks about, and the value that proves it was made.

use std::ops::Deref;

use attestation::Attested;
use policy::{
    Decision, Denial, Grant, GrantedRequest, Grants, Grounds, Policies, PolicyKind, Query,
};
use wire::enums::GrantOperation;
use wire::names::GrantId;

use crate::conditions::Conditions;
use crate::error::ServiceError;
use crate::facts::Facts;
use crate::grantee_grants::permissions_asked;
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
    for (position, ask) in target.asks().iter().flatten().enumerate() {
        let conditions = Conditions::new(lookup.call, Some(ask), facts, position)
            .of_target(target)
            .attested(recipient);
        let decide = |action| decide(lookup, ask, action, &conditions, None);
        decide(lookup.spec.action(position))?;
        // Making a key with tags needs both permissions.
        if matches!(ask, Ask::Nothing) && !facts.tags.is_empty() {
            decide("kms:TagResource")?;
        }
        let session = lookup.call.caller.session();
        if facts.sts.carried_source_identity(session).is_some() {
            decide("sts:SetSourceIdentity")?;
        }
        if let Some(action) = lookup.spec.tagging_action.filter(|_| !facts.iam.tags.is_empty()) {
            decide(action)?;
        }
    }
    Ok(())
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
        let mut permitted = None;
        for (position, ask) in target.asks().iter().flatten().enumerate() {
            // Where one question is about no key, none of them can be answered by a grant.
            let (Ask::Key(key, _), Some(operation)) = (ask, lookup.spec.grant_operation(position))
            else {
                return Err(error);
            };
            let child = facts.grant.asked.map(permissions_asked);
            let request = GrantedRequest {
                operation,
                encryption_context: facts.encryption_contexts.get(position).copied().flatten(),
                // No service calls on behalf of a resource.
                source_arn: None,
                child: child.as_ref(),
            };
            let mut known = Vec::new();
            for name in lookup.call.principal().grantee_names() {
                known.push(lookup.host.grants_of(key, name).await?);
            }
            let covering: Vec<_> =
                known.iter().filter_map(|grants| grants.covering(&request)).collect();
            let candidates: Vec<_> = covering.iter().map(|(_, grant)| *grant).collect();
            let grants = Grants { request, candidates: &candidates, alone: false };
            let conditions = Conditions::new(lookup.call, Some(ask), &facts, position)
                .of_target(&target)
                .attested(recipient);
            let action = lookup.spec.action(position);
            let grounds = decide(lookup, ask, action, &conditions, Some(grants))?;
            let grant = grounds.grant.and_then(|place| covering.get(place));
            permitted = grant.map(|(grant_id, _)| *grant_id).or(permitted);
        }
        Ok(Authorized { target, grant: permitted })
    }
}

fn decide(
    lookup: &Lookup<'_>,
    ask: &Ask<'_>,
    action: &'static str,
    conditions: &Conditions<'_>,
    grants: Option<Grants<'_>>,
) -> Result<Grounds, ServiceError> {
    let call = lookup.call;
    let own = call.caller.documents();
    let alias_arn;
    let allowances: Vec<&Grant>;
    let (resource, policies) = match ask {
        Ask::Nothing => ("*", own.policies()),
        Ask::Identity { arn, .. } => (*arn, own.policies()),
        Ask::Role { arn, role } => {
            let asked = role.and_then(|role| role.trust().map(|trust| (role.account(), trust)));
            let (account, trust) = asked
                .ok_or_else(|| ServiceError::role_denied(&call.principal().arn, action, arn))?;
            let policies = Policies {
                resource_account: Some(account),
                resource_policy: Some(trust),
                ..own.policies()
            };
            (*arn, policies)
        }
        Ask::Alias(arn) => {
            alias_arn = arn.to_string();
            (alias_arn.as_str(), own.policies())
        }
        Ask::Key(key, _) => (key.arn_text(), Policies { grants, ..of_key(key, own.policies()) }),
        Ask::Grant(key, retirement) => {
            allowances = retirement.iter().collect();
            let grants = Grants { request: RETIREMENT, candidates: &allowances, alone: true };
            let policies = Policies { grants: Some(grants), ..of_key(key, own.policies()) };
            (key.arn_text(), policies)
        }
    };
    let query = Query { principal: call.principal(), action, resource, context: conditions };
    let denial = match policy::decide(&query, &policies) {
        Decision::Allowed { by } => return Ok(by),
        Decision::Denied(denial) => denial,
    };
    if let Ask::Key(key, NamedBy::Ciphertext) = ask
        && key.account() != call.account()
    {
        return Err(ServiceError::ciphertext_of_unknown_key());
    }
    if let Ask::Role { arn, .. } = ask {
        return Err(ServiceError::role_denied(&call.principal().arn, action, arn));
    }
    Err(ServiceError::access_denied(
        &call.principal().arn,
        action,
        resource,
        &because(denial, action),
    ))
}

/// RetireGrant, as grants see it.
const RETIREMENT: GrantedRequest<'static> = GrantedRequest {
    operation: GrantOperation::RetireGrant,
    encryption_context: None,
    source_arn: None,
    child: None,
};

/// The caller's own policies with that of a key.
fn of_key<'p>(key: &'p KeySnapshot, own: Policies<'p>) -> Policies<'p> {
    Policies { resource_account: Some(key.account()), resource_policy: Some(key.policy()), ..own }
}

/// AWS's account of a refusal (IAM User Guide, "Troubleshoot access denied error messages").
fn because(denial: Denial, action: &str) -> String {
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
