//! An explanation as it is told: with the names of its policies, as text and as data.

use std::fmt;

use policy::{
    Decision, Denial, DocumentExplanation, Explanation, Grounds, IdentityGrounds, PolicyKind,
    StatementExplanation, StatementRef,
};
use serde::Serialize;
use wire::names::GrantId;

use crate::authorize::because;
use crate::target::{Ask, Lookup};

/// How a supposed call is decided, and the whole walk to it. `Display` is the text, `Serialize` the data.
#[derive(Clone, Debug, Serialize)]
pub struct Explained {
    /// The caller's ARN; of a session, the session's.
    pub principal: String,
    /// The action, as AWS writes it.
    pub action: &'static str,
    /// The ARN of the key or alias; `*` for an operation on neither.
    pub resource: String,
    /// The decision.
    pub decision: Verdict,
    /// The decision's reason, where no statement and no grant is it.
    pub reason: Option<String>,
    /// The statements that had the last word.
    pub deciding: Vec<DecidingStatement>,
    /// The grant by which alone it is allowed.
    pub grant_id: Option<String>,
    /// The state of the key, which is asked after policies.
    pub key_state: Option<&'static str>,
    /// Every document with a say in it, in the order in which denials are looked for.
    pub documents: Vec<NamedDocument>,
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

/// Tells an explanation of the question at `position`. `grant_ids` are those of the candidates.
pub(super) fn tell(
    lookup: &Lookup<'_>,
    ask: &Ask<'_>,
    principal: &str,
    resource: &str,
    position: usize,
    explanation: Explanation,
    grant_ids: &[GrantId],
) -> Explained {
    let action = lookup.spec.action(position);
    let Explanation { decision, deciding, documents } = explanation;
    let names = Names::of(lookup, resource);
    let documents: Vec<NamedDocument> = documents
        .into_iter()
        .map(|document| NamedDocument {
            name: names.name(document.policy, document.document),
            explanation: document,
        })
        .collect();
    let (verdict, reason, grant) = match decision {
        Decision::Allowed { by: Grounds { grant: Some(place), .. } } => {
            (Verdict::Allowed, None, grant_ids.get(place))
        }
        Decision::Allowed { by: Grounds { identity: Some(IdentityGrounds::RootUser), .. } } => {
            let reason = "as the root user, who needs no identity-based policy".to_owned();
            (Verdict::Allowed, Some(reason), None)
        }
        Decision::Allowed { .. } => (Verdict::Allowed, None, None),
        Decision::Denied(denial @ Denial::Explicit { .. }) => {
            (Verdict::ExplicitDeny, Some(because(denial, action)), None)
        }
        Decision::Denied(denial @ Denial::Implicit { .. }) => {
            (Verdict::ImplicitDeny, Some(because(denial, action)), None)
        }
    };
    let key_state = match ask {
        Ask::Key(key, _) | Ask::Grant(key, _) => Some(key.state().as_str()),
        Ask::Nothing | Ask::Alias(_) | Ask::Identity { .. } | Ask::Role { .. } => None,
    };
    Explained {
        principal: principal.to_owned(),
        action,
        resource: resource.to_owned(),
        decision: verdict,
        reason,
        deciding: deciding
            .iter()
            .filter_map(|place| deciding_statement(&documents, *place))
            .collect(),
        grant_id: grant.map(ToString::to_string),
        key_state,
        documents,
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
        let Explained { principal, action, resource, .. } = self;
        let may = match self.decision {
            Verdict::Allowed => "may",
            Verdict::ExplicitDeny | Verdict::ImplicitDeny => "may not",
        };
        writeln!(formatter, "{principal} {may} {action} on {resource}")?;
        if let Some(reason) = &self.reason {
            writeln!(formatter, "  {reason}")?;
        }
        for statement in &self.deciding {
            writeln!(formatter, "  by {statement}")?;
        }
        if let Some(grant_id) = &self.grant_id {
            writeln!(formatter, "  by grant {grant_id}")?;
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
