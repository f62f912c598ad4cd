//! What a caller is and may do, at one moment.

use std::sync::{Arc, LazyLock};

use arc_swap::ArcSwapOption;
use policy::{Document, Principal, PrincipalKind};
use wire::names::{AccountId, Partition};

use super::Identity;
use crate::last_used::LastUsed;

/// A caller through all its changes: a root user, a user, a role or a web identity. Its credentials hold it.
#[derive(Default)]
pub(crate) struct Holder {
    current: ArcSwapOption<Standing>,
    /// Of a role: uses of others are noted with their access keys.
    last_used: LastUsed,
}

impl Holder {
    /// A root user: nothing changes what it may do.
    pub(crate) fn of_root(account: AccountId) -> Holder {
        Holder::with(Standing::of_root(account))
    }

    /// Somebody for whom a provider vouches: no policies are its own.
    pub(crate) fn of_web_identity(principals: [Principal; 3]) -> Holder {
        let standing =
            Standing { principals, identity: None, documents: Vec::new(), boundary: None };
        Holder::with(standing)
    }

    fn with(standing: Standing) -> Holder {
        let current = ArcSwapOption::from_pointee(standing);
        Holder { current, last_used: LastUsed::default() }
    }

    /// What the caller is now; none once it is deleted.
    pub(crate) fn standing(&self) -> Option<Arc<Standing>> {
        self.current.load_full()
    }

    /// When a session of the role last made a call.
    pub(crate) fn last_used(&self) -> &LastUsed {
        &self.last_used
    }

    pub(super) fn stand(&self, standing: Standing) {
        self.current.store(Some(Arc::new(standing)));
    }

    pub(super) fn end(&self) {
        self.current.store(None);
    }
}

/// A caller at one moment: who it is in each partition, and its policies. Immutable.
pub(crate) struct Standing {
    principals: [Principal; 3],
    identity: Option<Arc<Identity>>,
    documents: Vec<Arc<Document>>,
    boundary: Option<Arc<Document>>,
}

/// In force where a boundary or a session policy is named that is not there: nothing is within it.
pub(crate) static NOTHING: LazyLock<Arc<Document>> = LazyLock::new(|| {
    let nothing = r#"{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;
    Arc::new(Document::parse_identity(nothing).expect("a constant policy that a test parses"))
});

impl Standing {
    fn of_root(account: AccountId) -> Standing {
        let principal = |partition| Principal {
            account,
            arn: policy::root_arn(account, partition).into_boxed_str(),
            kind: PrincipalKind::Root,
        };
        let principals = in_partitions(principal);
        Standing { principals, identity: None, documents: Vec::new(), boundary: None }
    }

    /// A user or role with its identity policies. `policy` finds managed policies by ARN.
    pub(super) fn of_identity(
        identity: &Arc<Identity>,
        documents: Vec<Arc<Document>>,
        policy: impl Fn(&str) -> Option<Arc<Document>>,
    ) -> Standing {
        let principal = |partition| Principal {
            account: identity.account(),
            arn: identity.arn(partition).into_boxed_str(),
            kind: PrincipalKind::User,
        };
        let boundary = identity.row().permissions_boundary.as_deref();
        let boundary = boundary.map(|arn| policy(arn).unwrap_or_else(|| Arc::clone(&NOTHING)));
        Standing {
            principals: in_partitions(principal),
            identity: Some(Arc::clone(identity)),
            documents,
            boundary,
        }
    }

    /// The caller, as policies see it in a partition. Of a role it is the role itself, which calls only through sessions.
    pub(crate) fn principal(&self, partition: Partition) -> &Principal {
        of_partition(&self.principals, partition)
    }

    /// The user or role; none for a root user and a web identity.
    pub(crate) fn identity(&self) -> Option<&Arc<Identity>> {
        self.identity.as_ref()
    }

    /// Its identity policies, its own and its groups'.
    pub(crate) fn documents(&self) -> &[Arc<Document>] {
        &self.documents
    }

    /// Its permissions boundary.
    pub(crate) fn boundary(&self) -> Option<&Document> {
        self.boundary.as_deref()
    }
}

/// The same for each partition: an ARN never crosses from one into another.
pub(crate) fn in_partitions<T>(make: impl Fn(Partition) -> T) -> [T; 3] {
    [make(Partition::Aws), make(Partition::AwsCn), make(Partition::AwsUsGov)]
}

/// The one for a partition.
pub(crate) fn of_partition<T>(all: &[T; 3], partition: Partition) -> &T {
    let [aws, aws_cn, aws_us_gov] = all;
    match partition {
        Partition::Aws => aws,
        Partition::AwsCn => aws_cn,
        Partition::AwsUsGov => aws_us_gov,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_a_document() {
        assert_eq!(NOTHING.statement_count(), 1);
    }
}
