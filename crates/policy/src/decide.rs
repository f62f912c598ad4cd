//! The decision: which documents speak, in which order, and which statement had the last word.
//!
//! AWS KMS Developer Guide, "Determining access"; IAM User Guide, "Policy evaluation logic". A
//! denial in any document wins. Then the guard rails of the organization and of the endpoint must
//! allow. Then the policy of the resource is asked, since without it nobody, not even the root user
//! of the key's account, may use a key: it allows the caller, or leaves it to the caller's identity
//! policies, within the limits of its permissions boundary and its session. Where no policy allows,
//! a grant may.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Serialize;

use crate::conditions::Condition;
use crate::conditions::context::ConditionContext;
use crate::document::Document;
use crate::grants::Grants;
use crate::policies::{Policies, PolicyKind, StatementRef};
use crate::principal::{Principal, PrincipalKind, Reach};
use crate::statement::Effect;

/// What is asked.
#[derive(Clone, Copy)]
pub struct Query<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// The IAM action, `kms:Encrypt`, in any case.
    pub action: &'a str,
    /// The ARN of the key or alias; `*` for an operation on neither.
    pub resource: &'a str,
    /// What else is known of the request.
    pub context: &'a dyn ConditionContext,
}

/// The answer, with its reason.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum Decision {
    /// The request may go on.
    Allowed {
        /// What allowed it.
        by: Grounds,
    },
    /// The request must be refused.
    Denied(Denial),
}

/// What allowed a request: the policy of the resource, the caller's side, or both where both are
/// needed; or a grant alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Grounds {
    /// The statement of the key policy or trust policy that names the caller or its account.
    pub resource_policy: Option<StatementRef>,
    /// What allowed it in the caller's account; `None` if that side was not needed.
    pub identity: Option<IdentityGrounds>,
    /// Which of the candidates among the grants allowed it; `None` if no grant was needed.
    pub grant: Option<usize>,
}

/// What allowed a request in the caller's account.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum IdentityGrounds {
    /// The caller is the root user, or was federated by it: the root user needs no identity policy.
    RootUser,
    /// A statement of an identity policy.
    Statement(StatementRef),
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum Denial {
    /// A statement denies it.
    Explicit {
        /// The kind of policy that holds the statement.
        policy: PolicyKind,
        /// The statement.
        statement: StatementRef,
    },
    /// Nothing allows it.
    Implicit {
        /// The kind of policy in which an allowance is missing.
        policy: PolicyKind,
    },
}

impl Decision {
    /// May the request go on?
    pub fn is_allowed(&self) -> bool {
        match self {
            Decision::Allowed { .. } => true,
            Decision::Denied(_) => false,
        }
    }
}

impl Grounds {
    /// The statements that allowed.
    pub fn statements(&self) -> impl Iterator<Item = StatementRef> {
        let identity = match self.identity {
            Some(IdentityGrounds::Statement(statement)) => Some(statement),
            Some(IdentityGrounds::RootUser) | None => None,
        };
        self.resource_policy.into_iter().chain(identity)
    }
}

/// Decides a request.
pub fn decide(query: &Query<'_>, policies: &Policies<'_>) -> Decision {
    let mut buffer = [0; ACTION_BYTES];
    let action = lower_case(query.action, &mut buffer);
    let question = Question::new(query, policies, &action);
    match weigh(&question, policies) {
        Ok(by) => Decision::Allowed { by },
        Err(denial) => Decision::Denied(denial),
    }
}

/// Decides a request as its most favourable like would be decided: conditions on keys that are open
/// hold in statements that allow, and do not hold in statements that deny. What this refuses is
/// refused whatever a request says of those keys. Keys are asked about in lower case.
pub fn decide_at_best(
    query: &Query<'_>,
    policies: &Policies<'_>,
    is_open: &dyn Fn(&str) -> bool,
) -> Decision {
    let mut buffer = [0; ACTION_BYTES];
    let action = lower_case(query.action, &mut buffer);
    let question = Question { is_open: Some(is_open), ..Question::new(query, policies, &action) };
    match weigh(&question, policies) {
        Ok(by) => Decision::Allowed { by },
        Err(denial) => Decision::Denied(denial),
    }
}

/// Is there a grant or a statement of the resource's own policy that allows the caller or its account, whatever else
/// denies? Nobody else needs to learn that the resource exists.
pub fn lets_in(query: &Query<'_>, policies: &Policies<'_>) -> bool {
    let mut buffer = [0; ACTION_BYTES];
    let action = lower_case(query.action, &mut buffer);
    let question = Question::new(query, policies, &action);
    let kind = policies.resource_policy_kind();
    let allows = |document: &Document| {
        let statements = document.statements().iter();
        let mut allowing = statements.filter(|statement| statement.effect == Effect::Allow);
        document.kind() == kind.document_kind()
            && allowing.any(|statement| statement.applies(&question).is_some())
    };
    let granted = || policies.grants?.allowing(query.principal, |_| true);
    policies.resource_policy.is_some_and(allows) || granted().is_some()
}

/// A query with what is worked out once for all statements.
pub(crate) struct Question<'q> {
    pub(crate) principal: &'q Principal,
    /// The action in lower case.
    pub(crate) action: &'q str,
    pub(crate) resource: &'q str,
    pub(crate) context: &'q dyn ConditionContext,
    /// The caller has a permissions boundary.
    pub(crate) bounded: bool,
    /// See [`decide_at_best`].
    is_open: Option<&'q dyn Fn(&str) -> bool>,
}

impl<'q> Question<'q> {
    /// `action` is the query's action in lower case.
    pub(crate) fn new(query: &Query<'q>, policies: &Policies<'_>, action: &'q str) -> Question<'q> {
        let Query { principal, action: _, resource, context } = *query;
        let bounded = policies.boundary.is_some();
        Question { principal, action, resource, context, bounded, is_open: None }
    }

    /// Does a condition of a statement with that effect hold?
    pub(crate) fn holds(&self, condition: &Condition, effect: Effect) -> bool {
        match self.is_open {
            Some(is_open) if is_open(&condition.key) => effect == Effect::Allow,
            Some(_) | None => condition.holds(self.context),
        }
    }
}

/// AWS's order: all denials first, then each kind of policy that must allow.
fn weigh(question: &Question<'_>, policies: &Policies<'_>) -> Result<Grounds, Denial> {
    let ask = |policy, documents: &[&Document]| {
        Findings::of(question, policy, 0, documents.iter().copied())
    };
    let resource_control = policies.resource_control.iter().map(|document| &**document);
    Findings::of(question, PolicyKind::ResourceControl, 0, resource_control)?;
    let service_control = ask_levels(question, policies.service_control)?;
    let endpoint = ask(PolicyKind::Endpoint, policies.endpoint.as_slice())?;
    let resource = ask(policies.resource_policy_kind(), policies.resource_policy.as_slice())?;
    let identity = ask(PolicyKind::Identity, policies.identity)?;
    let boundary = ask(PolicyKind::Boundary, policies.boundary.as_slice())?;
    let session = ask(PolicyKind::Session, policies.session)?;

    require(PolicyKind::ServiceControl, service_control)?;
    require(PolicyKind::Endpoint, policies.endpoint.is_none() || endpoint.allows())?;
    let within_limits = || {
        require(PolicyKind::Boundary, policies.boundary.is_none() || boundary.allows())?;
        let limited = !policies.session.is_empty() || question.principal.needs_session_policy();
        require(PolicyKind::Session, !limited || session.allows())
    };
    let identity = identity_side(question.principal, identity);
    let by_policies = match resource_side(question.principal, policies, resource) {
        ResourceSide::Silent => Err(Denial::Implicit { policy: policies.resource_policy_kind() }),
        ResourceSide::AllowsCaller(statement) => {
            Ok(Grounds { resource_policy: Some(statement), identity: None, grant: None })
        }
        ResourceSide::AllowsIssuer(statement) => within_limits().map(|()| Grounds {
            resource_policy: Some(statement),
            identity: None,
            grant: None,
        }),
        ResourceSide::LeavesToIdentity(resource_policy) => {
            require(PolicyKind::Identity, identity.is_some())
                .and_then(|()| within_limits())
                .map(|()| Grounds { resource_policy, identity, grant: None })
        }
    };
    // A grant is as good as a key policy that names its grantee.
    let permits = |reach| match reach {
        Reach::Caller => true,
        Reach::Issuer => within_limits().is_ok(),
        Reach::Account => identity.is_some() && within_limits().is_ok(),
    };
    let granted = |grants: Grants<'_>| grants.allowing(question.principal, permits).map(by_grant);
    match (by_policies, policies.grants) {
        (by_policies, None) => by_policies,
        (Ok(grounds), Some(Grants { alone: false, .. })) => Ok(grounds),
        (Ok(_), Some(grants)) => {
            granted(grants).ok_or(Denial::Implicit { policy: policies.resource_policy_kind() })
        }
        (Err(denial), Some(grants)) => granted(grants).ok_or(denial),
    }
}

fn by_grant(candidate: usize) -> Grounds {
    Grounds { resource_policy: None, identity: None, grant: Some(candidate) }
}

fn require(policy: PolicyKind, allows: bool) -> Result<(), Denial> {
    if allows { Ok(()) } else { Err(Denial::Implicit { policy }) }
}

/// Does each level of service control policies allow?
fn ask_levels(question: &Question<'_>, levels: &[Vec<Arc<Document>>]) -> Result<bool, Denial> {
    if !question.principal.has_service_control() {
        return Ok(true);
    }
    let mut all_allow = true;
    let mut first = 0;
    for level in levels {
        let documents = level.iter().map(|document| &**document);
        let findings = Findings::of(question, PolicyKind::ServiceControl, first, documents)?;
        all_allow &= findings.allows();
        first += level.len();
    }
    Ok(all_allow)
}

/// What the resource has to say when nothing denies.
enum ResourceSide {
    /// It allows the caller itself, who needs nothing else.
    AllowsCaller(StatementRef),
    /// It allows the role or user behind the caller's session, whose limits stay.
    AllowsIssuer(StatementRef),
    /// The caller's identity policies decide: the resource gave them the say, or has no policy.
    LeavesToIdentity(Option<StatementRef>),
    /// It allows neither the caller nor its account.
    Silent,
}

/// Within an account, who is named needs no identity policy; from another account both sides must
/// allow (IAM User Guide, "Policy evaluation for requests within a single account" and
/// "Cross-account policy evaluation logic").
fn resource_side(
    principal: &Principal,
    policies: &Policies<'_>,
    findings: Findings,
) -> ResourceSide {
    let same_account = policies.resource_account == Some(principal.account);
    if policies.resource_policy.is_none() {
        // An operation without a key, or on an alias of the caller's own account.
        return if policies.resource_account.is_none() || same_account {
            ResourceSide::LeavesToIdentity(None)
        } else {
            ResourceSide::Silent
        };
    }
    let sufficient = match principal.kind {
        // Neither has identity policies.
        PrincipalKind::Service { .. } | PrincipalKind::WebIdentity { .. } => true,
        PrincipalKind::Root
        | PrincipalKind::User
        | PrincipalKind::RoleSession { .. }
        | PrincipalKind::FederatedUser { .. } => same_account,
    };
    let Findings { caller, issuer, account } = findings;
    match (caller, issuer) {
        (Some(statement), _) if sufficient => ResourceSide::AllowsCaller(statement),
        (_, Some(statement)) if sufficient => ResourceSide::AllowsIssuer(statement),
        (_, _) => match caller.or(issuer).or(account) {
            Some(statement) => ResourceSide::LeavesToIdentity(Some(statement)),
            None => ResourceSide::Silent,
        },
    }
}

/// What allows the caller in its own account, if anything does.
fn identity_side(principal: &Principal, findings: Findings) -> Option<IdentityGrounds> {
    match &principal.kind {
        PrincipalKind::Root | PrincipalKind::FederatedUser { user_arn: None } => {
            Some(IdentityGrounds::RootUser)
        }
        PrincipalKind::User
        | PrincipalKind::RoleSession { .. }
        | PrincipalKind::FederatedUser { user_arn: Some(_) } => {
            findings.caller.map(IdentityGrounds::Statement)
        }
        PrincipalKind::Service { .. } | PrincipalKind::WebIdentity { .. } => None,
    }
}

/// The first statement that allows, by how closely it names the caller.
#[derive(Clone, Copy, Default)]
struct Findings {
    /// It allows the caller itself.
    caller: Option<StatementRef>,
    /// It allows the role or user behind the caller's session.
    issuer: Option<StatementRef>,
    /// It allows the caller's account.
    account: Option<StatementRef>,
}

impl Findings {
    /// What documents of one kind say, the first of them counted as `first`; the error is the first
    /// statement that denies.
    fn of<'d>(
        question: &Question<'_>,
        policy: PolicyKind,
        first: usize,
        documents: impl Iterator<Item = &'d Document>,
    ) -> Result<Findings, Denial> {
        let mut findings = Findings::default();
        for (index, document) in documents.enumerate() {
            findings.examine(question, document, policy, first + index)?;
        }
        Ok(findings)
    }

    /// Does any statement allow, however closely it names the caller? So guard rails are read.
    fn allows(&self) -> bool {
        self.caller.or(self.issuer).or(self.account).is_some()
    }

    fn examine(
        &mut self,
        question: &Question<'_>,
        document: &Document,
        policy: PolicyKind,
        index: usize,
    ) -> Result<(), Denial> {
        let in_place = document.kind() == policy.document_kind();
        for (number, statement) in document.statements().iter().enumerate() {
            // One statement that allows the caller is reason enough; only denials still matter.
            let may_allow = in_place && self.caller.is_none();
            if statement.effect == Effect::Allow && !may_allow {
                continue;
            }
            let Some(reach) = statement.applies(question) else {
                continue;
            };
            let found = StatementRef { policy, document: index, statement: number };
            match (statement.effect, reach) {
                (Effect::Deny, _) => return Err(Denial::Explicit { policy, statement: found }),
                (Effect::Allow, Reach::Caller) => self.caller = Some(found),
                (Effect::Allow, Reach::Issuer) => self.issuer = self.issuer.or(Some(found)),
                (Effect::Allow, Reach::Account) => self.account = self.account.or(Some(found)),
            }
        }
        Ok(())
    }
}

/// Room for the action in lower case; the longest of KMS has 39 bytes.
pub(crate) const ACTION_BYTES: usize = 64;

/// The action in lower case, without allocation unless it is longer than any action there is.
pub(crate) fn lower_case<'b>(action: &str, buffer: &'b mut [u8; ACTION_BYTES]) -> Cow<'b, str> {
    let lowered = buffer.get_mut(..action.len()).and_then(|room| {
        room.copy_from_slice(action.as_bytes());
        room.make_ascii_lowercase();
        std::str::from_utf8(room).ok()
    });
    lowered.map_or_else(|| Cow::Owned(action.to_ascii_lowercase()), Cow::Borrowed)
}
