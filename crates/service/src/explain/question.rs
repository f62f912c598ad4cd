//! One question of a supposed call, put to its explanation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use policy::{
    ConditionContext, ConditionValues, Decision, GrantPermissions, GrantedRequest, Grants,
    Policies, PrincipalKind, Query,
};
use wire::names::GrantId;

use super::told::{self, AnsweredQuestion};
use crate::authorize::{granted_request, put, within_registration};
use crate::conditions::Conditions;
use crate::error::ServiceError;
use crate::facts::Facts;
use crate::grantee_grants::GranteeGrants;
use crate::target::{Ask, Lookup};

/// Why a service is refused that policies allow.
const UNREGISTERED: &str = "because the service is not registered for the account of the resource";

/// A question, with what a request says that asks it.
pub(super) struct Asked<'a> {
    pub(super) ask: &'a Ask<'a>,
    pub(super) action: &'static str,
    /// Its place among the questions of the operation.
    pub(super) position: usize,
    pub(super) facts: &'a Facts<'a>,
    pub(super) conditions: Conditions<'a>,
    /// The caller's grants on the key, if a grant can answer the question.
    pub(super) grants: Option<&'a [Arc<GranteeGrants>]>,
    /// What the grant that is to be made would permit.
    pub(super) child: Option<&'a GrantPermissions>,
    /// What the operator said of condition keys.
    pub(super) context: &'a [(String, String)],
}

/// What came of a question.
pub(crate) struct Walked {
    /// The ARN of who asked.
    pub(super) principal: String,
    pub(super) question: AnsweredQuestion,
    /// What policies alone say to the most favourable request of this caller.
    pub(super) at_best: Decision,
    /// The condition keys of those documents that are for the request to fill.
    open: BTreeSet<String>,
}

impl Walked {
    pub(super) fn is_open(&self, key: &str) -> bool {
        self.open.contains(key)
    }
}

impl Asked<'_> {
    /// Explains what policies and grants answer.
    pub(super) fn explain(&self, lookup: &Lookup<'_>) -> Result<Walked, ServiceError> {
        let Asked { ask, action, position, facts, child, .. } = *self;
        let operation = lookup.spec.grant_operation(position).filter(|_| self.grants.is_some());
        let request = operation
            .map(|operation| granted_request(lookup.call, facts, position, operation, child));
        let covering = |request: &GrantedRequest<'_>| -> Vec<_> {
            let known = self.grants.unwrap_or_default();
            known.iter().filter_map(|grants| grants.covering(request)).collect()
        };
        let covering = request.as_ref().map(covering).unwrap_or_default();
        let candidates: Vec<_> = covering.iter().map(|(_, grant)| *grant).collect();
        let grants =
            request.map(|request| Grants { request, candidates: &candidates, alone: false });
        let grant_ids: Vec<GrantId> = covering.iter().map(|(grant_id, _)| *grant_id).collect();
        let conditions = Given { values: given(self.context), otherwise: &self.conditions };
        put(lookup, ask, action, &conditions, grants, |query, policies| {
            let Query { principal, .. } = *query;
            let mut explanation = policy::explain(query, policies);
            let decision = within_registration(lookup, ask, explanation.decision);
            let is_beyond_registration = decision != explanation.decision;
            if is_beyond_registration {
                explanation.decision = decision;
                explanation.deciding.clear();
            }
            let is_open = |key: &str| {
                !conditions.values.contains_key(key) && is_of_request(key, &principal.kind)
            };
            let alone = Policies { grants: None, ..*policies };
            let at_best = policy::decide_at_best(query, &alone, &is_open);
            let at_best = within_registration(lookup, ask, at_best);
            let mut question = told::tell(lookup, ask, query, explanation, &grant_ids);
            if is_beyond_registration {
                question.reason = Some(UNREGISTERED.to_owned());
            }
            let statements =
                question.documents.iter().flat_map(|document| &document.explanation.statements);
            let keys = statements.flat_map(|statement| &statement.conditions).map(|one| &one.key);
            let open = keys.filter(|key| is_open(key)).cloned().collect();
            Walked { principal: principal.arn.to_string(), question, at_best, open }
        })
    }
}

/// Whether it is for the request or its session to say what a condition key has, rather than a fact of the caller or the
/// key. The key is in lower case.
fn is_of_request(key: &str, caller: &PrincipalKind) -> bool {
    let of_session = matches!(caller, PrincipalKind::RoleSession { .. });
    match key {
        "aws:principalarn"
        | "aws:principalaccount"
        | "aws:principaltype"
        | "aws:username"
        | "aws:principalisawsservice"
        | "aws:principalorgid"
        | "aws:principalorgpaths"
        | "aws:resourceorgid"
        | "aws:resourceorgpaths"
        | "aws:requestedregion"
        | "aws:resourceaccount"
        | "kms:calleraccount"
        | "kms:keyspec"
        | "kms:keyusage"
        | "kms:customermasterkeyspec"
        | "kms:customermasterkeyusage"
        | "kms:keyorigin"
        | "kms:multiregion"
        | "kms:multiregionkeytype"
        | "kms:resourcealiases" => false,
        // A session adds its name and tags of its own, and only it has the others.
        "aws:userid"
        | "aws:sourceidentity"
        | "aws:tokenissuetime"
        | "aws:multifactorauthpresent" => of_session,
        _ if key.starts_with("aws:principaltag/") => of_session,
        _ => !key.starts_with("aws:resourcetag/"),
    }
}

/// Condition keys whose values the operator gave, before those of the call.
struct Given<'a> {
    /// By condition key in lower case.
    values: BTreeMap<String, Vec<&'a str>>,
    otherwise: &'a dyn ConditionContext,
}

fn given(context: &[(String, String)]) -> BTreeMap<String, Vec<&str>> {
    let mut values: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (key, value) in context {
        values.entry(key.to_ascii_lowercase()).or_default().push(value);
    }
    values
}

impl ConditionContext for Given<'_> {
    fn values(&self, key: &str) -> Option<ConditionValues<'_>> {
        match self.values.get(key).map(Vec::as_slice) {
            Some([value]) => Some(ConditionValues::from(*value)),
            Some(values) => Some(ConditionValues::many(values.iter().copied())),
            None => self.otherwise.values(key),
        }
    }
}
