//! One action of AWS KMS on one key or alias, without a request.

use policy::GrantPermissions;
use wire::enums::{EncryptionAlgorithmSpec, KeyUsage};
use wire::names::{AliasArn, KeyRef};
use wire::values::EncryptionContext;

use super::question::{Asked, Walked};
use super::{ExplainError, SupposedCall, call, peer};
use crate::authorize::grants_known;
use crate::conditions::Conditions;
use crate::facts::{Facts, GrantFacts};
use crate::host::Host;
use crate::operation::{Api, Spec};
use crate::operations;
use crate::target::{Ask, Lookup, OneKey};

/// Operations about no key and no alias.
pub(crate) const WITHOUT_KEY: [&str; 5] =
    ["CreateKey", "ListKeys", "ListAliases", "GenerateRandom", "ListRetirableGrants"];
/// Operations that ask about an alias, and then about its key.
pub(crate) const OF_ALIASES: [&str; 3] = ["CreateAlias", "UpdateAlias", "DeleteAlias"];

/// The operation that asks for the action, and the place of that question. Who may retire a grant is a matter of that
/// grant, which only a request names.
pub(super) fn asked(action: &str) -> Option<(&'static Spec, usize)> {
    operations::of_action(action)
        .filter(|(spec, _)| spec.api == Api::Kms && spec.name != "RetireGrant")
}

/// Explains the one question.
pub(super) async fn answer(
    host: &Host,
    supposed: &SupposedCall,
    (spec, position): (&'static Spec, usize),
) -> Result<Walked, ExplainError> {
    let peer = peer();
    let call = call(host, supposed, spec, &peer, b"")?;
    let lookup = Lookup { host, call: &call, spec, position };
    let named = Named::find(&lookup, supposed.resource.as_deref()).await?;
    let grants = match (&named, spec.grant_operation(position)) {
        (Named::Key(one), Some(_)) => Some(grants_known(&lookup, &one.key).await?),
        (Named::Key(_) | Named::Alias(_) | Named::Nothing, _) => None,
    };
    let encryption_context = EncryptionContext::from(supposed.encryption_context.clone());
    let facts = facts(spec, position, &encryption_context);
    facts.check()?;
    // A grant that permits CreateGrant covers at least the grant that permits nothing.
    let child = GrantPermissions::default();
    let ask = named.ask();
    let asked = Asked {
        ask: &ask,
        action: spec.action(position),
        position,
        facts: &facts,
        conditions: Conditions::new(&call, Some(&ask), &facts, position),
        grants: grants.as_deref(),
        child: Some(&child),
        context: &supposed.context,
    };
    Ok(asked.explain(&lookup)?)
}

/// What the question is about.
enum Named {
    Nothing,
    Alias(AliasArn),
    Key(OneKey),
}

impl Named {
    async fn find(lookup: &Lookup<'_>, key: Option<&str>) -> Result<Named, ExplainError> {
        let name = lookup.spec.name;
        let Some(text) = key else {
            return match WITHOUT_KEY.contains(&name) {
                true => Ok(Named::Nothing),
                false => Err(ExplainError::NoKey(name)),
            };
        };
        if WITHOUT_KEY.contains(&name) {
            return Err(ExplainError::NeedlessKey(name));
        }
        let call = lookup.call;
        match KeyRef::parse(text) {
            Ok(KeyRef::AliasArn(arn)) if OF_ALIASES.contains(&name) => Ok(Named::Alias(arn)),
            Ok(KeyRef::AliasName(alias)) if OF_ALIASES.contains(&name) => {
                Ok(Named::Alias(AliasArn { region: call.region, account: call.account(), alias }))
            }
            Ok(_) | Err(_) => Ok(Named::Key(lookup.key(text).await?)),
        }
    }

    fn ask(&self) -> Ask<'_> {
        match self {
            Named::Nothing => Ask::Nothing,
            Named::Alias(arn) => Ask::Alias(arn),
            Named::Key(OneKey { key, named_by }) => Ask::Key(key, named_by),
        }
    }
}

/// What a request says of itself with only an encryption context in it.
fn facts<'r>(
    spec: &'static Spec,
    position: usize,
    encryption_context: &'r EncryptionContext,
) -> Facts<'r> {
    let mut facts = Facts::default();
    if let Some(place) = facts.encryption_contexts.get_mut(position) {
        *place = Some(encryption_context).filter(|context| !context.is_empty());
    }
    // AWS's default; and what data keys are always encrypted with.
    let algorithm = (spec.key_usage == Some(KeyUsage::EncryptDecrypt))
        .then_some(EncryptionAlgorithmSpec::SymmetricDefault);
    if let Some(place) = facts.encryption_algorithms.get_mut(position) {
        *place = algorithm;
    }
    let is_about_grants = ["CreateGrant", "ListGrants", "RevokeGrant"].contains(&spec.name);
    facts.grant = GrantFacts { asked: None, is_for_aws_resource: is_about_grants.then_some(false) };
    facts
}
