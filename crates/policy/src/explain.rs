//! The whole walk of a decision, for people: every statement of every document, and what of it
//! matched.
//!
//! [`decide`] stops where it knows enough; this looks at everything, with the same tests of
//! the same compiled statements, and takes the decision itself from [`decide`].

use std::fmt;

use serde::Serialize;

use crate::conditions::Condition;
use crate::decide::{ACTION_BYTES, Decision, Denial, Query, Question, decide, lower_case};
use crate::document::Document;
use crate::policies::{Policies, PolicyKind, StatementRef};
use crate::principal::Reach;
use crate::statement::{Effect, Statement};

/// What was decided and why. `Display` is a text of one line for each statement and condition;
/// `Serialize` gives the same as data.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Explanation {
    /// What [`decide`] says.
    pub decision: Decision,
    /// The statements that had the last word: the one that denies, or those that allow. None if the
    /// request is refused for want of an allowance, or allowed to the root user by no statement.
    pub deciding: Vec<StatementRef>,
    /// All documents that concern the caller, in the order in which denials are looked for.
    pub documents: Vec<DocumentExplanation>,
}

/// What a document says of a request.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct DocumentExplanation {
    /// The kind of policy that the document serves as.
    pub policy: PolicyKind,
    /// Which of the documents of this kind, counted as in [`StatementRef::document`].
    pub document: usize,
    /// The level of a service control policy, counted from 0 at the root of the organization.
    pub level: Option<usize>,
    /// Whether it is a document of this kind; another allows nothing here.
    pub in_place: bool,
    /// Its statements.
    pub statements: Vec<StatementExplanation>,
}

/// What a statement says of a request.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct StatementExplanation {
    /// The statement.
    pub statement: StatementRef,
    /// Its `Sid`.
    pub sid: Option<String>,
    /// What it does when it applies.
    pub effect: Effect,
    /// How closely it names the caller; `None` if it does not, and so does not apply.
    pub principal: Option<Reach>,
    /// Whether it is about the action.
    pub action: bool,
    /// Whether it is about the resource.
    pub resource: bool,
    /// Its conditions, all of which must hold.
    pub conditions: Vec<ConditionExplanation>,
    /// Whether it applies to the request: all of the above.
    pub applies: bool,
}

/// What a condition says of a request.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ConditionExplanation {
    /// The operator as written, such as `ForAnyValue:StringLike`.
    pub operator: String,
    /// The condition key in lower case.
    pub key: String,
    /// The values in the policy, as written.
    pub written: Vec<String>,
    /// The values in the request; none if the request has no such key.
    pub requested: Vec<String>,
    /// Whether the condition holds.
    pub holds: bool,
}

const DENIALS_FIRST: [PolicyKind; 8] = [
    PolicyKind::ResourceControl,
    PolicyKind::ServiceControl,
    PolicyKind::Endpoint,
    PolicyKind::KeyPolicy,
    PolicyKind::RoleTrust,
    PolicyKind::Identity,
    PolicyKind::Boundary,
    PolicyKind::Session,
];

/// Decides a request and explains the decision. Much slower than [`decide`].
pub fn explain(query: &Query<'_>, policies: &Policies<'_>) -> Explanation {
    let mut buffer = [0; ACTION_BYTES];
    let action = lower_case(query.action, &mut buffer);
    let question = Question::new(query, policies, &action);
    let decision = decide(query, policies);
    let kinds = DENIALS_FIRST.into_iter().filter(|policy| {
        *policy != PolicyKind::ServiceControl || query.principal.has_service_control()
    });
    let documents = kinds.flat_map(|policy| {
        let question = &question;
        policies.of_kind(policy).enumerate().map(move |(index, document)| DocumentExplanation {
            policy,
            document: index,
            level: level(policies, policy, index),
            in_place: document.kind() == policy.document_kind(),
            statements: explain_statements(question, policy, index, document),
        })
    });
    Explanation { decision, deciding: deciding(decision), documents: documents.collect() }
}

fn deciding(decision: Decision) -> Vec<StatementRef> {
    match decision {
        Decision::Allowed { by } => by.statements().collect(),
        Decision::Denied(Denial::Explicit { statement, .. }) => vec![statement],
        Decision::Denied(Denial::Implicit { .. }) => Vec::new(),
    }
}

/// The level that a service control policy stands on.
fn level(policies: &Policies<'_>, policy: PolicyKind, document: usize) -> Option<usize> {
    if policy != PolicyKind::ServiceControl {
        return None;
    }
    let mut through = 0;
    policies.service_control.iter().position(|level| {
        through += level.len();
        document < through
    })
}

fn explain_statements(
    question: &Question<'_>,
    policy: PolicyKind,
    index: usize,
    document: &Document,
) -> Vec<StatementExplanation> {
    let numbered = document.statements().iter().enumerate();
    let explained = numbered.map(|(number, statement)| {
        let place = StatementRef { policy, document: index, statement: number };
        explain_statement(question, place, statement)
    });
    explained.collect()
}

fn explain_statement(
    question: &Question<'_>,
    place: StatementRef,
    statement: &Statement,
) -> StatementExplanation {
    let conditions = statement.conditions().iter();
    StatementExplanation {
        statement: place,
        sid: statement.sid.as_deref().map(str::to_owned),
        effect: statement.effect,
        principal: statement.reach(question),
        action: statement.is_about_action(question),
        resource: statement.is_about_resource(question),
        conditions: conditions.map(|condition| explain_condition(question, condition)).collect(),
        applies: statement.applies(question).is_some(),
    }
}

fn explain_condition(question: &Question<'_>, condition: &Condition) -> ConditionExplanation {
    let requested = question.context.values(&condition.key);
    let requested = requested.as_ref().map_or(&[][..], |values| values.as_slice());
    ConditionExplanation {
        operator: condition.operator.to_string(),
        key: condition.key.to_string(),
        written: condition.written.iter().map(ToString::to_string).collect(),
        requested: requested.iter().map(|value| value.as_text().into_owned()).collect(),
        holds: condition.holds(question.context),
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.decision {
            Decision::Allowed { .. } => writeln!(formatter, "allowed")?,
            Decision::Denied(Denial::Explicit { policy, .. }) => {
                writeln!(formatter, "denied by a statement of {policy}")?;
            }
            Decision::Denied(Denial::Implicit { policy }) => {
                writeln!(formatter, "denied: {policy} does not allow it")?;
            }
        }
        for document in &self.documents {
            write!(formatter, "{} {}", document.policy, document.document)?;
            match document.level {
                Some(level) => writeln!(formatter, " of level {level}")?,
                None => writeln!(formatter)?,
            }
            for statement in &document.statements {
                let decides = self.deciding.contains(&statement.statement);
                write!(formatter, "{} {statement}", if decides { "->" } else { "  " })?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for StatementExplanation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let yes_or_no = |matches: bool| if matches { "yes" } else { "no" };
        let effect = match self.effect {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        };
        let principal = match self.principal {
            Some(Reach::Caller) => "caller",
            Some(Reach::Issuer) => "role or user of the session",
            Some(Reach::Account) => "account",
            None => "no",
        };
        writeln!(
            formatter,
            "{effect} {}{}: applies {}, principal {principal}, action {}, resource {}",
            self.statement.statement,
            self.sid.as_deref().map(|sid| format!(" {sid:?}")).unwrap_or_default(),
            yes_or_no(self.applies),
            yes_or_no(self.action),
            yes_or_no(self.resource),
        )?;
        for condition in &self.conditions {
            let ConditionExplanation { operator, key, written, requested, holds } = condition;
            writeln!(
                formatter,
                "     {operator} {key}: holds {}, policy {written:?}, request {requested:?}",
                yes_or_no(*holds),
            )?;
        }
        Ok(())
    }
}
