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

/// The ARN of a user, of a role or of a session of a role, taken apart.
pub(crate) struct PrincipalArn<'a> {
    arn: &'a str,
    partition: Partition,
    is_session: bool,
    /// What it, or what its session is of, would be.
    pub(crate) kind: IdentityKind,
    /// The name of that.
    pub(crate) name: &'a str,
}

impl<'a> PrincipalArn<'a> {
    /// Reads such an ARN of an account, as a partition writes it.
    pub(crate) fn parse(
        account: AccountId,
        arn: &'a str,
        partition: Partition,
    ) -> Option<PrincipalArn<'a>> {
        let prefix = |service| format!("arn:{}:{service}::{account}:", partition.as_str());
        if let Some(session) = arn.strip_prefix(prefix("sts").as_str()) {
            let (name, _) = session.strip_prefix("assumed-role/")?.split_once('/')?;
            let kind = IdentityKind::Role;
            return Some(PrincipalArn { arn, partition, is_session: true, kind, name });
        }
        let (kind, rest) = arn.strip_prefix(prefix("iam").as_str())?.split_once('/')?;
        let kind: IdentityKind = kind.parse().ok()?;
        let name = rest.rsplit('/').next().unwrap_or(rest);
        matches!(kind, IdentityKind::User | IdentityKind::Role).then_some(PrincipalArn {
            arn,
            partition,
            is_session: false,
            kind,
            name,
        })
    }

    /// Whether it is the ARN of that identity or of its sessions. Names are found whatever the case of their letters, and
    /// without their paths, but an ARN names only what it says.
    pub(crate) fn is_of(&self, row: &IdentityRow) -> bool {
        match self.is_session {
            true => row.name == self.name,
            false => arn_of(row, self.partition) == self.arn,
        }
    }
}
