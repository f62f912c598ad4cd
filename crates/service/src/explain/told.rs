//! An explanation as it is told: with the names of its policies, as text and as data.

use std::fmt;

use policy::{
    Decision, Denial, DocumentExplanation, Explanation, Grant, Grounds, IdentityGrounds,
    PolicyKind, PrincipalPattern, Query, StatementExplanation, StatementRef, root_arn,
};
use serde::Serialize;
use wire::enums::GrantOperation;
use wire::names::{GrantId, Partition};

use crate::authorize::because;
use crate::managed_keys;
use crate::target::{Ask, Lookup};

/// How a supposed call is decided, and the whole walk to it. `Display` is the text, `Serialize` the data.
#[derive(Clone, Debug, Serialize)]
pub struct Explained {
    /// The caller's ARN; of a session, the session's.
    pub principal: String,
    /// The action or operation, as AWS writes it.
    pub action: String,
    /// The decision: that of the first question whose answer is no, if there is one.
    pub decision: Verdict,
    /// Whether nobody can be denied it, and policies are not asked.
    pub undeniable: bool,
    /// Why a part of what it is about cannot be found. Whoever may act on the rest is told, and the call is refused.
    pub missing: Option<String>,
    /// Why a call with just the supposed request would be refused before policies are asked.
    pub refused_before: Option<String>,
    /// The questions of the call, in their order.
    pub questions: Vec<AnsweredQuestion>,
}

impl Explained {
    /// What the answers to some questions come to.
    pub(super) fn of(
        principal: String,
        action: String,
        questions: Vec<AnsweredQuestion>,
    ) -> Explained {
        let refused = questions.iter().map(|one| one.decision).find(|one| *one != Verdict::Allowed);
        Explained {
            principal,
            action,
            decision: refused.unwrap_or(Verdict::Allowed),
            undeniable: false,
            missing: None,
            refused_before: None,
            questions,
        }
    }

    /// Refuses a call of which a part is missing, if there is one.
    pub(super) fn miss(&mut self, missing: Option<String>) {
        if missing.is_some() && self.decision == Verdict::Allowed {
            self.decision = Verdict::ImplicitDeny;
        }
        self.missing = missing;
    }
}

/// One question of a call, and its answer.
#[derive(Clone, Debug, Serialize)]
pub struct AnsweredQuestion {
    /// The action, as AWS writes it.
    pub action: String,
    /// The ARN of the key, alias or identity; `*` where it is about no resource.
    pub resource: String,
    /// The decision.
    pub decision: Verdict,
    /// The decision's reason, where no statement and no grant is it.
    pub reason: Option<String>,
    /// The statements that had the last word.
    pub deciding: Vec<DecidingStatement>,
    /// The grant by which alone it is allowed.
    pub grant_id: Option<String>,
    /// Of retiring a grant: who may, unless a policy denies it, and why.
    pub retirable_by: Vec<Retirement>,
    /// The state of the key, which is asked after policies.
    pub key_state: Option<&'static str>,
    /// Every document with a say in it, in the order in which denials are looked for.
    pub documents: Vec<NamedDocument>,
}

/// Somebody who may retire a grant.
#[derive(Clone, Debug, Serialize)]
pub struct Retirement {
    /// The principal, as the grant names it.
    pub principal: String,
    /// Why.
    pub because: &'static str,
}

/// A decision, in the words of IAM's policy simulator (IAM API Reference, "EvaluationResult").
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// Allowed.
    Allowed,
    /// Refused by a statement.
    ExplicitDeny,
    /// Refused because nothing allows it.
    ImplicitDeny,
}

/// A statement that had the last word.
#[derive(Clone, Debug, Serialize)]
pub struct DecidingStatement {
    /// The policy that holds it.
    pub policy: String,
    /// Its place there, counted from 0.
    pub statement: usize,
    /// Its `Sid`.
    pub sid: Option<String>,
}

/// What a document says, under its name.
#[derive(Clone, Debug, Serialize)]
pub struct NamedDocument {
    /// What the document is called.
    pub name: String,
    /// What it says.
    #[serde(flatten)]
    pub explanation: DocumentExplanation,
}

/// Tells an explanation of a question. `grant_ids` are those of the candidates.
pub(super) fn tell(
    lookup: &Lookup<'_>,
    ask: &Ask<'_>,
    query: &Query<'_>,
    explanation: Explanation,
    grant_ids: &[GrantId],
) -> AnsweredQuestion {
    let Query { action, resource, .. } = *query;
    let Explanation { decision, deciding, documents } = explanation;
    let names = Names::of(lookup, resource);
    let documents: Vec<NamedDocument> = documents
        .into_iter()
        .map(|document| NamedDocument {
            name: names.name(document.policy, document.document),
            explanation: document,
        })
        .collect();
    let key = match ask {
        Ask::Key(key, _) | Ask::Grant(key, _) => Some(*key),
        Ask::Nothing | Ask::Alias(_) | Ask::Identity { .. } | Ask::Role { .. } => None,
    };
    // The id of a key that is not made yet means nothing.
    let unmade = key.and_then(managed_keys::alias_of_unmade);
    let grant = match decision {
        Decision::Allowed { by } => by.grant,
        Decision::Denied(_) => None,
    };
    let (verdict, reason) = reason(ask, decision, action);
    AnsweredQuestion {
        action: action.to_owned(),
        resource: unmade.map_or_else(|| resource.to_owned(), |alias| alias.to_string()),
        decision: verdict,
        reason,
        deciding: deciding
            .iter()
            .filter_map(|place| deciding_statement(&documents, *place))
            .collect(),
        grant_id: grant.and_then(|place| grant_ids.get(place)).map(ToString::to_string),
        retirable_by: retirements(ask),
        key_state: key.map(|key| key.state().as_str()),
        documents,
    }
}

/// The decision and its reason, where no statement and no grant that can be named is it.
fn reason(ask: &Ask<'_>, decision: Decision, action: &str) -> (Verdict, Option<String>) {
    match decision {
        Decision::Allowed { by: Grounds { grant: Some(place), .. } } => {
            let retirement = retirement_at(ask, place).map(|(_, because)| because);
            (Verdict::Allowed, retirement.map(|because| format!("because {because}")))
        }
        Decision::Allowed { by: Grounds { identity: Some(IdentityGrounds::RootUser), .. } } => {
            let reason = "as the root user, who needs no identity-based policy".to_owned();
            (Verdict::Allowed, Some(reason))
        }
        Decision::Allowed { .. } => (Verdict::Allowed, None),
        Decision::Denied(denial @ Denial::Explicit { .. }) => {
            (Verdict::ExplicitDeny, Some(because(denial, action)))
        }
        // No policy can allow it.
        Decision::Denied(Denial::Implicit { .. }) if matches!(ask, Ask::Grant(..)) => (
            Verdict::ImplicitDeny,
            Some("because the grant is not the caller's to retire".to_owned()),
        ),
        Decision::Denied(denial @ Denial::Implicit { .. }) => {
            (Verdict::ImplicitDeny, Some(because(denial, action)))
        }
    }
}

/// Who may retire the grant that a question is about.
fn retirements(ask: &Ask<'_>) -> Vec<Retirement> {
    let Ask::Grant(key, allowances) = ask else { return Vec::new() };
    let partition = key.key().region.partition();
    let permitted = (0..allowances.len()).filter_map(|place| retirement_at(ask, place));
    let permitted = permitted
        .filter(|(grant, _)| grant.permissions.operations.contains(&GrantOperation::RetireGrant));
    permitted
        .map(|(grant, because)| Retirement { principal: named(&grant.grantee, partition), because })
        .collect()
}

/// What lets somebody retire a grant, in the order of [`grantee_grants::to_retire`](crate::grantee_grants::to_retire).
fn retirement_at<'t>(ask: &Ask<'t>, place: usize) -> Option<(&'t Grant, &'static str)> {
    const REASONS: [&str; 3] = [
        "the grant permits its grantee to retire it",
        "the grant was made by this account",
        "it is the grant's retiring principal",
    ];
    let Ask::Grant(_, allowances) = ask else { return None };
    Some((allowances.get(place)?, *REASONS.get(place)?))
}

/// A principal as policies and grants name it; an account by its root user.
pub(super) fn named(principal: &PrincipalPattern, partition: Partition) -> String {
    match principal {
        PrincipalPattern::Account { account, .. } => root_arn(*account, partition),
        PrincipalPattern::Arn { arn, .. } => arn.to_string(),
        PrincipalPattern::Everyone => "*".to_owned(),
        PrincipalPattern::Service(name)
        | PrincipalPattern::Federated(name)
        | PrincipalPattern::UniqueId(name)
        | PrincipalPattern::CanonicalUser(name) => name.to_string(),
    }
}

fn deciding_statement(
    documents: &[NamedDocument],
    place: StatementRef,
) -> Option<DecidingStatement> {
    let (document, explained) = find(documents, place)?;
    Some(DecidingStatement::of(document, explained))
}

/// The statement of a decision, and the document that it stands in.
pub(super) fn find(
    documents: &[NamedDocument],
    place: StatementRef,
) -> Option<(&NamedDocument, &StatementExplanation)> {
    documents.iter().find_map(|document| {
        let mut statements = document.explanation.statements.iter();
        Some((document, statements.find(|explained| explained.statement == place)?))
    })
}

impl DecidingStatement {
    pub(super) fn of(
        document: &NamedDocument,
        explained: &StatementExplanation,
    ) -> DecidingStatement {
        DecidingStatement {
            policy: document.name.clone(),
            statement: explained.statement.statement,
            sid: explained.sid.clone(),
        }
    }
}

/// What the documents of a question are called.
struct Names<'a> {
    resource: &'a str,
    identity: Vec<String>,
    boundary: Option<String>,
}

impl<'a> Names<'a> {
    fn of(lookup: &Lookup<'_>, resource: &'a str) -> Names<'a> {
        let call = lookup.call;
        let identity = call.caller.identity();
        let partition = call.region.partition();
        let names = |identity| lookup.host.identities.policy_names(identity, partition);
        Names {
            resource,
            identity: identity.map(|identity| names(identity)).unwrap_or_default(),
            boundary: identity.and_then(|identity| identity.row().permissions_boundary.clone()),
        }
    }

    fn name(&self, policy: PolicyKind, document: usize) -> String {
        let numbered = || format!("{policy} {document}");
        match policy {
            PolicyKind::KeyPolicy => format!("key policy of {}", self.resource),
            PolicyKind::RoleTrust => format!("trust policy of {}", self.resource),
            PolicyKind::Identity => self.identity.get(document).cloned().unwrap_or_else(numbered),
            PolicyKind::Boundary => match &self.boundary {
                Some(arn) => format!("permissions boundary {arn}"),
                None => numbered(),
            },
            PolicyKind::Session
            | PolicyKind::ResourceControl
            | PolicyKind::ServiceControl
            | PolicyKind::Endpoint => numbered(),
        }
    }
}

impl fmt::Display for Explained {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Explained { principal, action, decision, .. } = self;
        match self.questions.as_slice() {
            [question] if self.missing.is_none() => question.write(formatter, principal)?,
            [] => writeln!(formatter, "{principal} {} {action}", may(*decision))?,
            questions => {
                let count = questions.len();
                let questions_asked =
                    if count == 1 { "1 question".to_owned() } else { format!("{count} questions") };
                writeln!(
                    formatter,
                    "{principal} {} {action}, which asks {questions_asked}",
                    may(*decision)
                )?;
                for question in questions {
                    writeln!(formatter)?;
                    question.write(formatter, principal)?;
                }
            }
        }
        if self.undeniable {
            writeln!(formatter, "  because nobody can be denied it; policies are not asked")?;
        }
        if let Some(missing) = &self.missing {
            writeln!(formatter, "\nwhoever may do that is told of the rest: {missing}")?;
        }
        if let Some(refused) = &self.refused_before {
            writeln!(
                formatter,
                "\na call with just this request would be refused before policies are asked: {refused}"
            )?;
        }
        Ok(())
    }
}

fn may(decision: Verdict) -> &'static str {
    match decision {
        Verdict::Allowed => "may",
        Verdict::ExplicitDeny | Verdict::ImplicitDeny => "may not",
    }
}

impl AnsweredQuestion {
    fn write(&self, formatter: &mut fmt::Formatter<'_>, principal: &str) -> fmt::Result {
        let AnsweredQuestion { action, resource, .. } = self;
        writeln!(formatter, "{principal} {} {action} on {resource}", may(self.decision))?;
        if let Some(reason) = &self.reason {
            writeln!(formatter, "  {reason}")?;
        }
        for statement in &self.deciding {
            writeln!(formatter, "  by {statement}")?;
        }
        if let Some(grant_id) = &self.grant_id {
            writeln!(formatter, "  by grant {grant_id}")?;
        }
        for Retirement { principal, because } in &self.retirable_by {
            writeln!(formatter, "  {principal} may retire it, because {because}")?;
        }
        if let Some(key_state) = self.key_state {
            writeln!(formatter, "  the key's state, asked later: {key_state}")?;
        }
        for NamedDocument { name, explanation } in &self.documents {
            writeln!(formatter, "\n{name} ({})", explanation.policy)?;
            for statement in &explanation.statements {
                let place = statement.statement.statement;
                let is_deciding = |decides: &&DecidingStatement| {
                    decides.policy == *name && decides.statement == place
                };
                let mark =
                    if self.deciding.iter().any(|one| is_deciding(&one)) { "->" } else { "  " };
                write!(formatter, "{mark} {statement}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for DecidingStatement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DecidingStatement { policy, statement, sid } = self;
        match sid {
            Some(sid) => write!(formatter, "statement {statement} ({sid}) of {policy}"),
            None => write!(formatter, "statement {statement} of {policy}"),
        }
    }
}
