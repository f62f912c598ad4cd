//! May the caller: the decision for everything that a target asks about, and the value that proves it was made.

use std::ops::Deref;

use attestation::Attested;
use policy::{Decision, Denial, Policies, PolicyKind, Query};

use crate::conditions::Conditions;
use crate::error::ServiceError;
use crate::facts::Facts;
use crate::target::{Ask, Lookup, NamedBy, Target};

/// A target that the caller may act on. Only [`authorize`] makes one, and a handler has no other way to a key.
pub(crate) struct Authorized<T>(T);

impl<T> Deref for Authorized<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Asks policies about every part of the target; the first refusal ends the call.
pub(crate) fn authorize<T: Target>(
    lookup: &Lookup<'_>,
    target: T,
    facts: &Facts<'_>,
    recipient: Option<&Attested>,
) -> Result<Authorized<T>, ServiceError> {
    // AWS lets nobody be denied some things, such as to ask who they are.
    if !lookup.spec.undeniable {
        for (position, ask) in target.asks().iter().flatten().enumerate() {
            let conditions =
                Conditions::new(lookup.call, Some(ask), facts, position).attested(recipient);
            decide(lookup, ask, lookup.spec.action(position), &conditions)?;
            // Making a key with tags needs both permissions.
            if matches!(ask, Ask::Nothing) && !facts.tags.is_empty() {
                decide(lookup, ask, "kms:TagResource", &conditions)?;
            }
            if facts.sts.source_identity.is_some() {
                decide(lookup, ask, "sts:SetSourceIdentity", &conditions)?;
            }
            if let Some(action) = lookup.spec.tagging_action.filter(|_| !facts.iam.tags.is_empty())
            {
                decide(lookup, ask, action, &conditions)?;
            }
        }
    }
    Ok(Authorized(target))
}

fn decide(
    lookup: &Lookup<'_>,
    ask: &Ask<'_>,
    action: &'static str,
    conditions: &Conditions<'_>,
) -> Result<(), ServiceError> {
    let call = lookup.call;
    let own = call.caller.documents();
    let alias_arn;
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
        Ask::Key(key, _) => {
            let policies = Policies {
                resource_account: Some(key.account()),
                resource_policy: Some(key.policy()),
                ..own.policies()
            };
            (key.arn_text(), policies)
        }
    };
    let query = Query { principal: call.principal(), action, resource, context: conditions };
    let denial = match policy::decide(&query, &policies) {
        Decision::Allowed { .. } => return Ok(()),
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
