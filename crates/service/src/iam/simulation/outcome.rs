//! What is told of a simulation.

use std::collections::{BTreeMap, BTreeSet};

use policy::{
    ConditionContext, Decision, Denial, DocumentExplanation, Effect, Explanation, Grounds,
    PolicyKind,
};
use wire::iam::enums::{PolicyEvaluationDecision, PolicySource};
use wire::iam::evaluation_results::{
    EvaluationResult, OrganizationsDecisionDetail, PermissionsBoundaryDecisionDetail,
    ResourceSpecificResult, Statement,
};
use wire::names::GrantId;

use super::positions;
use super::scenario::Source;
use crate::explain::{OF_ALIASES, WITHOUT_KEY};
use crate::iam::context_keys::ContextKeys;
use crate::operations;

/// The ARNs of keys and aliases, as the Service Authorization Reference writes them.
const KEY: &str = "arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}";
const ALIAS: &str = "arn:${Partition}:kms:${Region}:${Account}:alias/${Alias}";

/// The decisions of each kind of policy.
type Details = BTreeMap<String, PolicyEvaluationDecision>;

/// The walk of one decision, and what is needed to tell it.
pub(super) struct Walk<'a> {
    pub(super) explanation: Explanation,
    /// The identity policies.
    pub(super) sources: &'a [Source],
    /// The policy of the resource.
    pub(super) resource_policy: Option<&'a Source>,
    /// The ids of the grants that were candidates.
    pub(super) grant_ids: &'a [GrantId],
    /// What service control policies say, if there are any.
    pub(super) allowed_by_organizations: Option<bool>,
    /// Whether there is a permissions boundary.
    pub(super) is_bounded: bool,
    /// Whether the resource is another account's.
    pub(super) is_across: bool,
    /// Whether it is about a resource, and not about all.
    pub(super) is_of_resource: bool,
}

/// The outcome of one action on one resource.
pub(super) struct Outcome {
    decision: PolicyEvaluationDecision,
    matched: Vec<Statement>,
    missing: Vec<String>,
    allowed_by_organizations: Option<bool>,
    allowed_by_boundary: Option<bool>,
    details: Option<Details>,
}

impl Walk<'_> {
    /// Tells the walk.
    pub(super) fn outcome(&self, keys: &ContextKeys, context: &dyn ConditionContext) -> Outcome {
        let missing = keys.iter().filter(|(key, _)| context.values(key).is_none());
        let denied_by_organizations = self.allowed_by_organizations == Some(false);
        Outcome {
            decision: match self.explanation.decision {
                Decision::Allowed { .. } => PolicyEvaluationDecision::Allowed,
                Decision::Denied(Denial::Explicit { .. }) => PolicyEvaluationDecision::ExplicitDeny,
                Decision::Denied(Denial::Implicit { .. }) => PolicyEvaluationDecision::ImplicitDeny,
            },
            matched: self.matched(),
            missing: missing.map(|(_, written)| written.to_owned()).collect(),
            allowed_by_organizations: self.allowed_by_organizations,
            allowed_by_boundary: self
                .is_bounded
                .then(|| self.said(PolicyKind::Boundary) == PolicyEvaluationDecision::Allowed),
            details: (self.is_of_resource && !denied_by_organizations).then(|| self.details()),
        }
    }

    fn documents(&self, policy: PolicyKind) -> impl Iterator<Item = &DocumentExplanation> {
        let documents = self.explanation.documents.iter();
        documents.filter(move |document| document.policy == policy)
    }

    /// What the policies of one kind say for themselves.
    fn said(&self, policy: PolicyKind) -> PolicyEvaluationDecision {
        let mut said = PolicyEvaluationDecision::ImplicitDeny;
        for document in self.documents(policy) {
            for statement in document.statements.iter().filter(|statement| statement.applies) {
                match statement.effect {
                    Effect::Deny => return PolicyEvaluationDecision::ExplicitDeny,
                    Effect::Allow if document.in_place => said = PolicyEvaluationDecision::Allowed,
                    Effect::Allow => {}
                }
            }
        }
        said
    }

    /// Told where two accounts have a say; within one account there is nothing to tell.
    fn details(&self) -> Details {
        let identity = ("IAM Policy", Some(PolicyKind::Identity));
        let resource = ("Resource Policy", Some(PolicyKind::KeyPolicy));
        let boundary =
            ("Permissions Boundary Policy", Some(PolicyKind::Boundary).filter(|_| self.is_bounded));
        let all = [identity, resource, boundary].into_iter().filter(|_| self.is_across);
        all.filter_map(|(name, policy)| Some((name.to_owned(), self.said(policy?)))).collect()
    }

    /// The statements of identity policies and of the resource's policy that made the decision.
    fn matched(&self) -> Vec<Statement> {
        let effect = match self.explanation.decision {
            Decision::Allowed { by: Grounds { grant: Some(place), .. } } => {
                return self.grant_ids.get(place).map(of_grant).into_iter().collect();
            }
            Decision::Allowed { .. } => Effect::Allow,
            Decision::Denied(Denial::Explicit { .. }) => Effect::Deny,
            Decision::Denied(Denial::Implicit { .. }) => return Vec::new(),
        };
        let of_resource = self.documents(PolicyKind::KeyPolicy);
        let documents = self.documents(PolicyKind::Identity).chain(of_resource);
        let mut matched = Vec::new();
        for document in documents.filter(|document| document.in_place || effect == Effect::Deny) {
            let source = match document.policy {
                PolicyKind::Identity => self.sources.get(document.document),
                PolicyKind::KeyPolicy
                | PolicyKind::RoleTrust
                | PolicyKind::Boundary
                | PolicyKind::Session
                | PolicyKind::ServiceControl
                | PolicyKind::ResourceControl
                | PolicyKind::Endpoint => self.resource_policy,
            };
            let Some(source) = source else { continue };
            for statement in &document.statements {
                if statement.applies && statement.effect == effect {
                    matched.push(of_statement(source, statement.statement.statement));
                }
            }
        }
        matched
    }
}

fn of_statement(source: &Source, statement: usize) -> Statement {
    let (start, end) = positions::of_statement(&source.text, statement).unzip();
    Statement {
        source_policy_id: Some(source.id.clone()),
        source_policy_type: source.kind,
        start_position: start,
        end_position: end,
    }
}

/// A grant has no text in which a statement could stand.
fn of_grant(grant_id: &GrantId) -> Statement {
    Statement {
        source_policy_id: Some(grant_id.to_string()),
        source_policy_type: PolicySource::None,
        start_position: None,
        end_position: None,
    }
}

/// Tells the outcomes of one action on its resources.
pub(super) fn told(action: &str, outcomes: Vec<(&str, Outcome)>) -> EvaluationResult {
    let decisions = outcomes.iter().map(|(_, outcome)| outcome.decision);
    let decision = decisions.max_by_key(|decision| strictness(*decision));
    let decision = decision.unwrap_or(PolicyEvaluationDecision::ImplicitDeny);
    let mut matched: Vec<Statement> = Vec::new();
    for (_, outcome) in outcomes.iter().filter(|(_, outcome)| outcome.decision == decision) {
        for statement in &outcome.matched {
            if !matched.contains(statement) {
                matched.push(statement.clone());
            }
        }
    }
    let missing: BTreeSet<&String> =
        outcomes.iter().flat_map(|(_, outcome)| &outcome.missing).collect();
    let missing = missing.into_iter().cloned().collect();
    let organizations =
        outcomes.iter().filter_map(|(_, outcome)| outcome.allowed_by_organizations).min();
    let boundary = outcomes.iter().filter_map(|(_, outcome)| outcome.allowed_by_boundary).min();
    let details = outcomes.iter().filter_map(|(_, outcome)| outcome.details.as_ref());
    let details =
        details.fold(None, |all, details| Some(strictest(all.unwrap_or_default(), details)));
    let is_listed = outcomes.iter().any(|(resource, _)| *resource != "*");
    let specific = outcomes.into_iter().filter(|_| is_listed);
    EvaluationResult {
        eval_action_name: action.to_owned(),
        eval_resource_name: Some(if is_listed { template(action) } else { "*" }.to_owned()),
        eval_decision: decision,
        matched_statements: matched,
        missing_context_values: missing,
        organizations_decision_detail: organizations
            .map(|allowed| OrganizationsDecisionDetail { allowed_by_organizations: allowed }),
        permissions_boundary_decision_detail: boundary.map(of_boundary),
        eval_decision_details: details,
        resource_specific_results: specific
            .map(|(resource, outcome)| of_resource(resource, outcome))
            .collect(),
    }
}

fn of_resource(resource: &str, outcome: Outcome) -> ResourceSpecificResult {
    ResourceSpecificResult {
        eval_resource_name: resource.to_owned(),
        eval_resource_decision: outcome.decision,
        matched_statements: outcome.matched,
        missing_context_values: outcome.missing,
        eval_decision_details: outcome.details,
        permissions_boundary_decision_detail: outcome.allowed_by_boundary.map(of_boundary),
    }
}

fn of_boundary(allowed: bool) -> PermissionsBoundaryDecisionDetail {
    PermissionsBoundaryDecisionDetail { allowed_by_permissions_boundary: allowed }
}

fn strictness(decision: PolicyEvaluationDecision) -> u8 {
    match decision {
        PolicyEvaluationDecision::Allowed => 0,
        PolicyEvaluationDecision::ImplicitDeny => 1,
        PolicyEvaluationDecision::ExplicitDeny => 2,
    }
}

/// Of each kind of policy the strictest decision.
fn strictest(mut all: Details, more: &Details) -> Details {
    for (name, decision) in more {
        let held = all.entry(name.clone()).or_insert(*decision);
        if strictness(*decision) > strictness(*held) {
            *held = *decision;
        }
    }
    all
}

/// The ARN format of what the action is about, of which AWS KMS's are known here.
fn template(action: &str) -> &'static str {
    match operations::of_action(action) {
        Some((spec, position)) if spec.action(position).starts_with("kms:") => {
            if WITHOUT_KEY.contains(&spec.name) {
                "*"
            } else if OF_ALIASES.contains(&spec.name) {
                ALIAS
            } else {
                KEY
            }
        }
        Some(_) | None => "*",
    }
}
