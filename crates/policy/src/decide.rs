//! The decision: which documents speak, in which order, and which statement had the last word.
//!
//! AWS KMS Developer Guide, "Determining access"; IAM User Guide, "Policy evaluation logic". A
//! denial in any document wins. Otherwise the key policy is asked first, since without it nobody,
//! not even the root user of the key's account, may use a key.

use std::borrow::Cow;

use wire::names::AccountId;

use crate::conditions::context::ConditionContext;
use crate::document::{Document, DocumentKind};
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

/// The documents that apply.
#[derive(Clone, Copy, Default)]
pub struct Policies<'a> {
    /// The account of the key; `None` for an operation without a key.
    pub key_account: Option<AccountId>,
    /// The policy of the key; `None` for an operation without a key.
    pub key_policy: Option<&'a Document>,
    /// The identity policies of the caller: its own and its groups'.
    pub identity: &'a [&'a Document],
}

/// The answer, with its reason.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Decision {
    /// The request may go on.
    Allowed {
        /// What allowed it.
        by: Grounds,
    },
    /// The request must be refused.
    Denied(Denial),
}

/// What allowed a request: the key policy, the caller's side, or both where both are needed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Grounds {
    /// The statement of the key policy that names the caller or the caller's account.
    pub key_policy: Option<StatementRef>,
    /// What allowed it in the caller's account; `None` if that side was not needed.
    pub identity: Option<IdentityGrounds>,
}

/// What allowed a request in the caller's account.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum IdentityGrounds {
    /// The caller is the root user, who needs no identity policy.
    RootUser,
    /// A statement of an identity policy.
    Statement(StatementRef),
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
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

/// Kinds of policies, as AWS names them in a refusal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PolicyKind {
    /// The key policy: AWS's "resource-based policy".
    KeyPolicy,
    /// An identity policy: AWS's "identity-based policy".
    Identity,
}

/// A statement among the documents of a decision; [`Policies::sid`] tells its `Sid`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StatementRef {
    /// The kind of document.
    pub policy: PolicyKind,
    /// Which of the identity policies, counted from 0; 0 for the key policy.
    pub document: usize,
    /// Which statement of the document, counted from 0.
    pub statement: usize,
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

impl<'a> Policies<'a> {
    /// The document that holds a statement of a decision on these policies.
    pub fn document(&self, statement: StatementRef) -> Option<&'a Document> {
        match statement.policy {
            PolicyKind::KeyPolicy => self.key_policy,
            PolicyKind::Identity => self.identity.get(statement.document).copied(),
        }
    }

    /// The `Sid` of a statement of a decision on these policies; `None` if it has none.
    pub fn sid(&self, statement: StatementRef) -> Option<&'a str> {
        self.document(statement).and_then(|document| document.sid(statement.statement))
    }
}

/// Decides a request.
pub fn decide(query: &Query<'_>, policies: &Policies<'_>) -> Decision {
    let mut buffer = [0; ACTION_BYTES];
    let action = lower_case(query.action, &mut buffer);
    let mut key_findings = Findings::default();
    if let Some(document) = policies.key_policy {
        key_findings.examine(query, &action, document, PolicyKind::KeyPolicy, 0);
    }
    let mut identity_findings = Findings::default();
    for (index, document) in policies.identity.iter().enumerate() {
        identity_findings.examine(query, &action, document, PolicyKind::Identity, index);
    }
    if let Some(statement) = key_findings.denial.or(identity_findings.denial) {
        let policy = statement.policy;
        return Decision::Denied(Denial::Explicit { policy, statement });
    }
    let identity = match query.principal.kind {
        PrincipalKind::Root => Some(IdentityGrounds::RootUser),
        PrincipalKind::User | PrincipalKind::RoleSession { .. } => {
            identity_findings.caller.map(IdentityGrounds::Statement)
        }
        PrincipalKind::Service { .. } => None,
    };
    match (key_side(query.principal, policies, key_findings), identity) {
        (KeySide::Silent, _) => implicit_denial(PolicyKind::KeyPolicy),
        (KeySide::Allows(statement), _) => {
            Decision::Allowed { by: Grounds { key_policy: Some(statement), identity: None } }
        }
        (KeySide::LeavesToIdentity(_), None) => implicit_denial(PolicyKind::Identity),
        (KeySide::LeavesToIdentity(key_policy), identity) => {
            Decision::Allowed { by: Grounds { key_policy, identity } }
        }
    }
}

fn implicit_denial(policy: PolicyKind) -> Decision {
    Decision::Denied(Denial::Implicit { policy })
}

/// What the key policy says when nothing denies.
enum KeySide {
    /// It allows the caller, who needs nothing else.
    Allows(StatementRef),
    /// The caller's identity policies decide: the key policy gave them the say, or there is none.
    LeavesToIdentity(Option<StatementRef>),
    /// It allows neither the caller nor its account.
    Silent,
}

fn key_side(principal: &Principal, policies: &Policies<'_>, findings: Findings) -> KeySide {
    let same_account = policies.key_account == Some(principal.account);
    if policies.key_policy.is_none() {
        // An operation without a key, or on an alias of the caller's own account.
        return if policies.key_account.is_none() || same_account {
            KeySide::LeavesToIdentity(None)
        } else {
            KeySide::Silent
        };
    }
    let sufficient = match principal.kind {
        PrincipalKind::Service { .. } => true,
        PrincipalKind::Root | PrincipalKind::User | PrincipalKind::RoleSession { .. } => {
            same_account
        }
    };
    match (findings.caller, findings.account) {
        (Some(statement), _) if sufficient => KeySide::Allows(statement),
        (Some(statement), _) | (None, Some(statement)) => {
            KeySide::LeavesToIdentity(Some(statement))
        }
        (None, None) => KeySide::Silent,
    }
}

/// The first statement of each kind that applies.
#[derive(Clone, Copy, Default)]
struct Findings {
    /// It denies.
    denial: Option<StatementRef>,
    /// It allows the caller itself.
    caller: Option<StatementRef>,
    /// It allows the caller's account.
    account: Option<StatementRef>,
}

impl Findings {
    /// Notes what the statements of a document say.
    fn examine(
        &mut self,
        query: &Query<'_>,
        action: &str,
        document: &Document,
        policy: PolicyKind,
        index: usize,
    ) {
        // An identity policy names nobody, so in the place of a key policy it would name everybody:
        // a document in the wrong place can only deny.
        let in_place = match policy {
            PolicyKind::KeyPolicy => document.kind() == DocumentKind::KeyPolicy,
            PolicyKind::Identity => document.kind() == DocumentKind::Identity,
        };
        for (number, statement) in document.statements().iter().enumerate() {
            // One statement that allows the caller is reason enough; only denials still matter.
            let may_allow = in_place && self.caller.is_none();
            if statement.effect == Effect::Allow && !may_allow {
                continue;
            }
            let Some(reach) = statement.applies(query, action) else {
                continue;
            };
            let found = Some(StatementRef { policy, document: index, statement: number });
            match (statement.effect, reach) {
                (Effect::Deny, Reach::Caller | Reach::Account) => {
                    self.denial = self.denial.or(found);
                    return;
                }
                (Effect::Allow, Reach::Caller) => self.caller = found,
                (Effect::Allow, Reach::Account) => self.account = self.account.or(found),
            }
        }
    }
}

/// Room for the action in lower case; the longest of KMS has 39 bytes.
const ACTION_BYTES: usize = 64;

/// The action in lower case, without allocation unless it is longer than any action there is.
fn lower_case<'b>(action: &str, buffer: &'b mut [u8; ACTION_BYTES]) -> Cow<'b, str> {
    let lowered = buffer.get_mut(..action.len()).and_then(|room| {
        room.copy_from_slice(action.as_bytes());
        room.make_ascii_lowercase();
        std::str::from_utf8(room).ok()
    });
    lowered.map_or_else(|| Cow::Owned(action.to_ascii_lowercase()), Cow::Borrowed)
}
