//! A simulation: who asks, by which policies, in which request.

use std::sync::Arc;

use policy::{
    Decision, Denial, Document, DocumentKind, GrantPermissions, Grants, Policies, PolicyKind,
    Principal, PrincipalKind, Query,
};
use store::IdentityKind;
use wire::iam::enums::PolicySource;
use wire::names::{AccountId, GrantId, KeyRef};

use super::caller::Supposed;
use super::context::{Entries, SupposedConditions};
use super::invalid;
use super::outcome::{Outcome, Walk};
use crate::authorize::{Asker, granted_request, put_for};
use crate::call::Call;
use crate::conditions::Conditions;
use crate::error::ServiceError;
use crate::explain::WITHOUT_KEY;
use crate::facts::Facts;
use crate::grantee_grants::GranteeGrants;
use crate::host::Host;
use crate::iam::context_keys::ContextKeys;
use crate::identities::{HeldName, HeldPolicy};
use crate::operation::Spec;
use crate::operations;
use crate::snapshot::KeySnapshot;
use crate::target::{Ask, NamedBy};

/// A policy of the simulation.
pub(super) struct Source {
    /// What the simulation calls it.
    pub(super) id: String,
    /// Where it comes from.
    pub(super) kind: PolicySource,
    /// As it was written.
    pub(super) text: String,
    /// The same, compiled.
    pub(super) document: Arc<Document>,
}

impl Source {
    /// A policy of a user, group or role.
    pub(super) fn of_identity(held: HeldPolicy) -> Source {
        let HeldPolicy { name, text, document } = held;
        let (id, kind) = match name {
            HeldName::Inline { kind, holder, policy } => {
                let source = match kind {
                    IdentityKind::User => PolicySource::User,
                    IdentityKind::Group => PolicySource::Group,
                    IdentityKind::Role => PolicySource::Role,
                    IdentityKind::Policy | IdentityKind::OidcProvider => PolicySource::None,
                };
                (format!("{}_{holder}_{policy}", kind.as_str()), source)
            }
            HeldName::Managed(arn) => {
                let source = match arn.starts_with("arn:aws:iam::aws:") {
                    true => PolicySource::AwsManaged,
                    false => PolicySource::UserManaged,
                };
                (arn.rsplit('/').next().unwrap_or(&arn).to_owned(), source)
            }
        };
        Source { id, kind, text, document }
    }
}

/// Compiles a policy of the request.
pub(super) fn read(kind: DocumentKind, text: &str) -> Result<Arc<Document>, ServiceError> {
    let document = Document::parse_as(kind, text);
    document.map(Arc::new).map_err(|error| invalid(error.to_string()))
}

/// Compiles the one policy of a list that holds one at most.
pub(super) fn only(
    member: &str,
    texts: Option<&[String]>,
) -> Result<Option<Arc<Document>>, ServiceError> {
    match texts.unwrap_or_default() {
        [] => Ok(None),
        [text] => read(DocumentKind::Identity, text).map(Some),
        [_, _, ..] => Err(invalid(format!("{member} can hold only one policy."))),
    }
}

/// See the module's text.
pub(super) struct Scenario<'c> {
    pub(super) host: &'c Host,
    pub(super) call: &'c Call<'c>,
    /// Who asks.
    pub(super) caller: Supposed,
    /// The owner of resources whose ARNs name none, if it is not the caller's account.
    pub(super) owner: Option<AccountId>,
    /// What the request says.
    pub(super) entries: Entries,
    /// The policy that every resource is supposed to have.
    pub(super) resource_policy: Option<Source>,
    /// The identity policies.
    pub(super) sources: Vec<Source>,
    /// The permissions boundary.
    pub(super) boundary: Option<Arc<Document>>,
    /// The service control policies, from the root of the organization down.
    pub(super) service_control: Vec<Vec<Arc<Document>>>,
}

/// A key of the calling account, and what its own policies and grants are asked with.
struct Known {
    key: Arc<KeySnapshot>,
    grants: Vec<Arc<GranteeGrants>>,
}

/// One action on one resource.
struct Question<'q> {
    action: &'q str,
    resource: &'q str,
    /// The operation that asks for the action, and at which place.
    operation: Option<(&'static Spec, usize)>,
    /// The key, if it is asked by its own policy.
    own_policy: Option<&'q Known>,
    /// That policy.
    key_policy: Option<Source>,
    /// The condition keys that all policies ask for.
    keys: ContextKeys,
}

impl Scenario<'_> {
    /// The condition keys that the policies of the simulation ask for.
    pub(super) fn keys(&self) -> Result<ContextKeys, ServiceError> {
        let mut keys = ContextKeys::default();
        for source in self.sources.iter().chain(&self.resource_policy) {
            keys.add_text(&source.text)?;
        }
        Ok(keys)
    }

    /// Decides one action on one resource.
    pub(super) async fn decide(
        &self,
        keys: &ContextKeys,
        action: &str,
        resource: &str,
    ) -> Result<Outcome, ServiceError> {
        let operation = operations::of_action(action);
        let known = match operation {
            Some((spec, _)) => self.known(spec, resource).await?,
            None => None,
        };
        let own_policy = known.as_ref().filter(|_| self.resource_policy.is_none());
        let key_policy = own_policy.map(|Known { key, .. }| Source {
            id: key.arn_text().to_owned(),
            kind: PolicySource::Resource,
            text: key.record().policy.document.clone(),
            document: Arc::new(key.policy().clone()),
        });
        let mut keys = keys.clone();
        if let Some(policy) = &key_policy {
            keys.add_text(&policy.text)?;
        }
        let position = operation.map(|(_, position)| position).unwrap_or_default();
        let facts = self.facts(position);
        let known = known.as_ref();
        let of_key = known.map(|Known { key, .. }| Ask::Key(key, &NamedBy::Key));
        let conditions = SupposedConditions {
            call: self.call,
            caller: &self.caller,
            entries: &self.entries,
            key: known.map(|Known { key, .. }| &**key),
            resource_account: Some(self.account_of(resource)).filter(|_| resource != "*"),
            conditions: Conditions::new(self.call, of_key.as_ref(), &facts, position),
        };
        let question = Question { action, resource, operation, own_policy, key_policy, keys };
        self.ask(&question, &facts, &conditions)
    }

    fn ask(
        &self,
        question: &Question<'_>,
        facts: &Facts<'_>,
        conditions: &SupposedConditions<'_>,
    ) -> Result<Outcome, ServiceError> {
        let Question { action, resource, operation, own_policy, key_policy, keys } = question;
        let child = GrantPermissions::default();
        let request = own_policy.and(*operation).and_then(|(spec, position)| {
            let granted = spec.grant_operation(position)?;
            Some((spec, granted_request(self.call, facts, position, granted, Some(&child))))
        });
        let known_grants = own_policy.iter().flat_map(|Known { grants, .. }| grants);
        let covering: Vec<_> =
            known_grants.filter_map(|grants| grants.covering(&request.as_ref()?.1)).collect();
        let candidates: Vec<_> = covering.iter().map(|(_, grant)| *grant).collect();
        let grant_ids: Vec<GrantId> = covering.iter().map(|(grant_id, _)| *grant_id).collect();
        let grants = request.map(|(spec, request)| Grants {
            request,
            candidates: &candidates,
            // Of the policies only a denial counts for it.
            alone: spec.name == "RetireGrant",
        });
        let identity: Vec<&Document> =
            self.sources.iter().map(|source| &*source.document).collect();
        let given = self.resource_policy.as_ref();
        let own = Policies {
            resource_account: given.map(|_| self.account_of(resource)),
            resource_policy: given.map(|source| &*source.document),
            identity: &identity,
            boundary: self.boundary.as_deref(),
            service_control: &self.service_control,
            ..Policies::default()
        };
        let asker = Asker { principal: &self.caller.principal, own };
        let ask = match own_policy {
            Some(Known { key, .. }) => Ask::Key(key, &NamedBy::Key),
            None => Ask::Identity { arn: resource, identity: None },
        };
        put_for(self.call, asker, &ask, action, conditions, grants, |query, policies| {
            let mut explanation = policy::explain(query, policies);
            explanation.decision = match self.can_reach(question) {
                true => by_either(query, policies, explanation.decision),
                false => Decision::Denied(Denial::Implicit { policy: PolicyKind::KeyPolicy }),
            };
            let own_account = query.principal.account;
            let walk = Walk {
                explanation,
                sources: &self.sources,
                resource_policy: key_policy.as_ref().or(given),
                grant_ids: &grant_ids,
                allowed_by_organizations: allowed_by_organizations(query, policies),
                is_bounded: policies.boundary.is_some(),
                is_across: policies.resource_account.is_some_and(|owner| owner != own_account),
                is_of_resource: *resource != "*",
            };
            walk.outcome(keys, query.context)
        })
    }

    /// Operations that AWS keeps within the account answer others as if there were no key.
    fn can_reach(&self, question: &Question<'_>) -> bool {
        question.own_policy.zip(question.operation).is_none_or(|(known, (spec, _))| {
            spec.cross_account || known.key.account() == self.caller.principal.account
        })
    }

    /// The key that the resource is, if the action is one on keys. Keys of other accounts are not looked at.
    async fn known(
        &self,
        spec: &'static Spec,
        resource: &str,
    ) -> Result<Option<Known>, ServiceError> {
        let is_on_keys = spec.actions.iter().any(|action| action.starts_with("kms:"));
        let Ok(KeyRef::KeyArn(arn)) = KeyRef::parse(resource) else { return Ok(None) };
        if !is_on_keys || WITHOUT_KEY.contains(&spec.name) || arn.account != self.call.account() {
            return Ok(None);
        }
        let found = self.host.key((arn.region, arn.key_id)).await?;
        let Some(key) = found.filter(|key| key.account() == arn.account) else { return Ok(None) };
        let mut grants = Vec::new();
        for name in self.caller.principal.grantee_names().collect::<Vec<_>>() {
            grants.push(self.host.grants_of(&key, name).await?);
        }
        Ok(Some(Known { key, grants }))
    }

    fn facts(&self, position: usize) -> Facts<'_> {
        let mut facts = Facts::default();
        let context = &self.entries.encryption_context;
        if let Some(place) = facts.encryption_contexts.get_mut(position) {
            *place = Some(context).filter(|context| !context.is_empty());
        }
        facts
    }

    /// The account that owns a resource.
    fn account_of(&self, resource: &str) -> AccountId {
        let named = resource.split(':').nth(4).and_then(|account| account.parse().ok());
        named.or(self.owner).unwrap_or(self.caller.principal.account)
    }
}

/// Only AWS KMS asks its resource's policy first. Elsewhere, within one account, what the resource's policy does not
/// allow an identity policy may (IAM User Guide, "Policy evaluation for requests within a single account").
fn by_either(query: &Query<'_>, policies: &Policies<'_>, decision: Decision) -> Decision {
    let is_of_kms =
        query.action.get(..4).is_some_and(|service| service.eq_ignore_ascii_case("kms:"));
    let is_silent = decision
        == Decision::Denied(Denial::Implicit { policy: PolicyKind::KeyPolicy })
        && policies.resource_account == Some(query.principal.account);
    match is_silent && !is_of_kms {
        true => policy::decide(query, &Policies { resource_policy: None, ..*policies }),
        false => decision,
    }
}

/// What the service control policies alone say, if there are any: the root user needs no other allowance.
fn allowed_by_organizations(query: &Query<'_>, policies: &Policies<'_>) -> Option<bool> {
    let Policies { service_control, .. } = *policies;
    let principal = Principal { kind: PrincipalKind::Root, ..query.principal.clone() };
    let alone = Policies { service_control, ..Policies::default() };
    let decision = policy::decide(&Query { principal: &principal, ..*query }, &alone);
    (!service_control.is_empty()).then(|| decision.is_allowed())
}
