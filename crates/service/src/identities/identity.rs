//! One user, group, role, managed policy or OIDC provider as requests see it: its rows, and its documents compiled.

use std::sync::Arc;

use policy::{Document, DocumentKind};
use store::{IdentityKind, IdentityRecord, IdentityRow};
use wire::names::{AccountId, Partition};

use crate::error::ServiceError;

/// One identity at one moment. Immutable: a change makes a new one.
pub(crate) struct Identity {
    record: IdentityRecord,
    documents: Vec<Arc<Document>>,
    trust: Option<Arc<Document>>,
}

impl Identity {
    /// Compiles what the store verified. Only readable policies are ever saved.
    pub(crate) fn new(record: IdentityRecord) -> Result<Identity, ServiceError> {
        let row = &record.identity;
        let unreadable = |error: policy::DocumentError| {
            let arn = arn_of(row, Partition::Aws);
            ServiceError::internal(format!("a stored policy of {arn} cannot be read: {error}"))
        };
        let is_version = row.kind == IdentityKind::Policy;
        let documents = record
            .policies
            .iter()
            .filter(|policy| policy.is_default || !is_version)
            .map(|policy| Document::parse_identity(&policy.document).map(Arc::new))
            .collect::<Result<_, _>>()
            .map_err(unreadable)?;
        let trust = row.assume_role_policy.as_deref();
        let trust = trust
            .map(|text| Document::parse_as(DocumentKind::RoleTrust, text).map(Arc::new))
            .transpose()
            .map_err(unreadable)?;
        Ok(Identity { record, documents, trust })
    }

    /// All rows.
    pub(crate) fn record(&self) -> &IdentityRecord {
        &self.record
    }

    /// The identity's own row.
    pub(crate) fn row(&self) -> &IdentityRow {
        &self.record.identity
    }

    /// What it is.
    pub(crate) fn kind(&self) -> IdentityKind {
        self.row().kind
    }

    /// The unique id.
    pub(crate) fn id(&self) -> &str {
        &self.row().identity_id
    }

    /// The name.
    pub(crate) fn name(&self) -> &str {
        &self.row().name
    }

    /// The account that it belongs to.
    pub(crate) fn account(&self) -> AccountId {
        self.row().account
    }

    /// The ARN, as a partition writes it.
    pub(crate) fn arn(&self, partition: Partition) -> String {
        arn_of(self.row(), partition)
    }

    /// The ARN as rows of others name it.
    pub(crate) fn stored_arn(&self) -> String {
        self.arn(Partition::Aws)
    }

    /// Its inline policies, or the version of a managed policy that is in force.
    pub(crate) fn documents(&self) -> &[Arc<Document>] {
        &self.documents
    }

    /// Who may assume it, if it is a role.
    pub(crate) fn trust(&self) -> Option<&Arc<Document>> {
        self.trust.as_ref()
    }

    /// The unique ids of the groups that it is in.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &str> {
        self.record.memberships.iter().map(|row| row.group_id.as_str())
    }

    /// Whether it is in a group.
    pub(crate) fn is_member_of(&self, group_id: &str) -> bool {
        self.groups().any(|id| id == group_id)
    }

    /// Whether a managed policy is attached to it or is its boundary.
    pub(crate) fn names_policy(&self, arn: &str) -> bool {
        self.has_attached(arn) || self.row().permissions_boundary.as_deref() == Some(arn)
    }

    /// Whether a managed policy is attached to it.
    pub(crate) fn has_attached(&self, arn: &str) -> bool {
        self.record.attachments.iter().any(|row| row.policy_arn == arn)
    }
}

/// The ARN of an identity from its row: `arn:aws:iam::111122223333:user/division/name`.
pub(crate) fn arn_of(row: &IdentityRow, partition: Partition) -> String {
    let IdentityRow { account, kind, path, name, .. } = row;
    format!("arn:{}:iam::{account}:{}{path}{name}", partition.as_str(), kind.as_str())
}

/// The ARN of a managed policy, taken apart.
pub(crate) struct PolicyArn<'a> {
    partition: &'a str,
    owner: &'a str,
    resource: &'a str,
}

impl<'a> PolicyArn<'a> {
    /// Reads the ARN of a managed policy, of an account or AWS's own.
    pub(crate) fn parse(arn: &'a str) -> Option<PolicyArn<'a>> {
        let mut fields = arn.splitn(6, ':');
        let mut field = || fields.next();
        let (prefix, partition, service) = (field()?, field()?, field()?);
        let (region, owner, resource) = (field()?, field()?, field()?);
        let is_policy = resource.starts_with("policy/") && !resource.ends_with('/');
        (prefix == "arn" && service == "iam" && region.is_empty() && is_policy)
            .then_some(PolicyArn { partition, owner, resource })
    }

    /// The ARN as rows keep it; none if it is another partition's than the caller's.
    pub(crate) fn stored(&self, partition: Partition) -> Option<String> {
        let PolicyArn { owner, resource, .. } = self;
        (self.partition == partition.as_str()).then(|| format!("arn:aws:iam::{owner}:{resource}"))
    }

    /// The name of the policy, if it is that account's.
    pub(crate) fn in_account(&self, account: AccountId) -> Option<&'a str> {
        let name = self.resource.rsplit('/').next()?;
        (self.owner == account.as_str()).then_some(name)
    }
}
