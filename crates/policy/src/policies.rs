//! The documents that apply to a request, and where a statement stands among them.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use wire::names::AccountId;

use crate::document::{Document, DocumentKind};
use crate::grants::Grants;

/// The documents that apply to a request. What is empty or absent does not limit, unless its field
/// says otherwise; [`Policies::default`] has no document at all, which allows the root user only.
#[derive(Clone, Copy, Default)]
pub struct Policies<'a> {
    /// The account of the resource; `None` for an operation without a resource that has a policy.
    pub resource_account: Option<AccountId>,
    /// The policy of the resource: of a key, or the trust policy of a role that is to be assumed.
    pub resource_policy: Option<&'a Document>,
    /// The identity policies of the caller, its own and its groups'; of a session those of the role
    /// or user behind it.
    pub identity: &'a [&'a Document],
    /// The permissions boundary of the user or role, also of the one behind a session.
    pub boundary: Option<&'a Document>,
    /// The policies that were passed when the session was made, inline and managed alike. A role
    /// session without any is not limited; the session of a federated user without any has no
    /// permissions through its user (AWS STS API Reference, "GetFederationToken").
    pub session: &'a [&'a Document],
    /// The service control policies of the caller's account, level by level from the root of the
    /// organization down to the account. At each level one must allow, so an empty level allows
    /// nothing.
    ///
    /// Left empty for the management account and for service-linked roles, which AWS exempts; who
    /// they are is known to the caller of this crate. Services acting for themselves are not
    /// concerned either, which [`decide`](crate::decide) knows (AWS Organizations User Guide,
    /// "Service control policies").
    pub service_control: &'a [Vec<Arc<Document>>],
    /// The resource control policies of the resource's account, of all levels: they can only deny,
    /// since AWS attaches `RCPFullAWSAccess` everywhere. Left empty for service-linked roles and
    /// for AWS managed keys, which AWS exempts (AWS Organizations User Guide, "Resource control
    /// policies").
    pub resource_control: &'a [Arc<Document>],
    /// The policy of the endpoint through which the request came.
    pub endpoint: Option<&'a Document>,
    /// The grants on the key that may be the caller's; `None` for an action that no grant permits.
    pub grants: Option<Grants<'a>>,
}

/// Kinds of policies, as AWS names them in a refusal (IAM User Guide, "Troubleshoot access denied
/// error messages").
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum PolicyKind {
    /// AWS's "resource control policy".
    ResourceControl,
    /// AWS's "service control policy".
    ServiceControl,
    /// AWS's "VPC endpoint policy".
    Endpoint,
    /// The key policy: AWS's "resource-based policy".
    KeyPolicy,
    /// AWS's "role trust policy".
    RoleTrust,
    /// AWS's "identity-based policy".
    Identity,
    /// AWS's "permissions boundary".
    Boundary,
    /// AWS's "session policy".
    Session,
}

impl PolicyKind {
    /// AWS's name for the kind, as its refusals write it.
    pub fn as_str(self) -> &'static str {
        match self {
            PolicyKind::ResourceControl => "resource control policy",
            PolicyKind::ServiceControl => "service control policy",
            PolicyKind::Endpoint => "VPC endpoint policy",
            PolicyKind::KeyPolicy => "resource-based policy",
            PolicyKind::RoleTrust => "role trust policy",
            PolicyKind::Identity => "identity-based policy",
            PolicyKind::Boundary => "permissions boundary",
            PolicyKind::Session => "session policy",
        }
    }

    /// The kind of document that belongs here; another can only deny here. An identity policy names
    /// nobody, so in the place of a key policy it would allow everybody.
    pub(crate) fn document_kind(self) -> DocumentKind {
        match self {
            PolicyKind::ResourceControl => DocumentKind::ResourceControl,
            PolicyKind::ServiceControl => DocumentKind::ServiceControl,
            PolicyKind::Endpoint => DocumentKind::Endpoint,
            PolicyKind::KeyPolicy => DocumentKind::KeyPolicy,
            PolicyKind::RoleTrust => DocumentKind::RoleTrust,
            PolicyKind::Identity | PolicyKind::Boundary | PolicyKind::Session => {
                DocumentKind::Identity
            }
        }
    }
}

impl fmt::Display for PolicyKind {
    /// As [`PolicyKind::as_str`].
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A statement among the documents of a decision; [`Policies::sid`] tells its `Sid`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct StatementRef {
    /// The kind of document.
    pub policy: PolicyKind,
    /// Which of the documents of this kind, counted from 0; of service control policies, counted
    /// through all levels.
    pub document: usize,
    /// Which statement of the document, counted from 0.
    pub statement: usize,
}

impl<'a> Policies<'a> {
    /// What kind of policy the resource has.
    pub(crate) fn resource_policy_kind(&self) -> PolicyKind {
        match self.resource_policy.map(Document::kind) {
            Some(DocumentKind::RoleTrust) => PolicyKind::RoleTrust,
            Some(
                DocumentKind::KeyPolicy
                | DocumentKind::Identity
                | DocumentKind::ServiceControl
                | DocumentKind::ResourceControl
                | DocumentKind::Endpoint,
            )
            | None => PolicyKind::KeyPolicy,
        }
    }

    /// All documents of a kind, in the order in which [`StatementRef::document`] counts them.
    pub(crate) fn of_kind(&self, policy: PolicyKind) -> impl Iterator<Item = &'a Document> {
        type Sources<'a> = (
            Option<&'a Document>,
            &'a [&'a Document],
            &'a [Arc<Document>],
            &'a [Vec<Arc<Document>>],
        );
        let (one, many, shared, levels): Sources<'a> = match policy {
            PolicyKind::ResourceControl => (None, &[], self.resource_control, &[]),
            PolicyKind::ServiceControl => (None, &[], &[], self.service_control),
            PolicyKind::Endpoint => (self.endpoint, &[], &[], &[]),
            PolicyKind::KeyPolicy | PolicyKind::RoleTrust => {
                let here = policy == self.resource_policy_kind();
                (self.resource_policy.filter(|_| here), &[], &[], &[])
            }
            PolicyKind::Identity => (None, self.identity, &[], &[]),
            PolicyKind::Boundary => (self.boundary, &[], &[], &[]),
            PolicyKind::Session => (None, self.session, &[], &[]),
        };
        let shared = shared.iter().chain(levels.iter().flatten()).map(|document| &**document);
        one.into_iter().chain(many.iter().copied()).chain(shared)
    }

    /// The document that holds a statement of a decision on these policies.
    pub fn document(&self, statement: StatementRef) -> Option<&'a Document> {
        self.of_kind(statement.policy).nth(statement.document)
    }

    /// The `Sid` of a statement of a decision on these policies; `None` if it has none.
    pub fn sid(&self, statement: StatementRef) -> Option<&'a str> {
        self.document(statement).and_then(|document| document.sid(statement.statement))
    }
}
