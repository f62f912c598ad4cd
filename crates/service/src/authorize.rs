//! May the caller: the decision for everything that a target asks about, and the value that proves it was made.

use std::ops::Deref;

use attestation::Attested;
use policy::{Decision, Denial, Policies, PolicyKind, Query};

use crate::conditions::Conditions;
use crate::error::ServiceError;
use crate::facts::Facts;
use crate::operation::Api;
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
    // AWS lets nobody be denied to ask who they are.
    if lookup.spec.api == Api::Kms {
        for (position, ask) in target.asks().iter().flatten().enumerate() {
            let conditions =
                Conditions::new(lookup.call, Some(ask), facts, position).attested(recipient);
            decide(lookup, ask, lookup.spec.action(position), &conditions)?;
            // Making a key with tags needs both permissions.
            if matches!(ask, Ask::Nothing) && !facts.tags.is_empty() {
                decide(lookup, ask, "kms:TagResource", &conditions)?;
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
    let alias_arn;
    let (resource, policies) = match ask {
        Ask::Nothing => ("*", Policies::default()),
        Ask::Alias(arn) => {
            alias_arn = arn.to_string();
            (alias_arn.as_str(), Policies::default())
        }
        Ask::Key(key, _) => {
            let policies = Policies {
                key_account: Some(key.account()),
                key_policy: Some(key.policy()),
                identity: &[],
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
    Err(ServiceError::access_denied(
        &call.principal().arn,
        action,
        resource,
        &because(denial, action),
    ))
}

/// AWS's account of a refusal (IAM user guide, "Access denied error messages").
fn because(denial: Denial, action: &str) -> String {
    let kind = |policy| match policy {
        PolicyKind::KeyPolicy => "resource-based policy",
        PolicyKind::Identity => "identity-based policy",
    };
    match denial {
        Denial::Explicit { policy: PolicyKind::KeyPolicy, .. } => {
            "with an explicit deny in a resource-based policy".to_owned()
        }
        Denial::Explicit { policy: PolicyKind::Identity, .. } => {
            "with an explicit deny in an identity-based policy".to_owned()
        }
        Denial::Implicit { policy } => {
            format!("because no {} allows the {action} action", kind(policy))
        }
    }
}
