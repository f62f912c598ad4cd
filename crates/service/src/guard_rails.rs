//! What limits everybody: the policies of an organization, and that of the endpoint.
//!
//! AWS Organizations keeps service control policies (the most that the principals of an account may be allowed) and
//! resource control policies (the most that anybody may be allowed on the resources of an account), attached to a root,
//! organizational units and accounts; a VPC endpoint has a policy for all that passes it. Here they are files of the
//! operator, compiled when they are read, and only lent to a decision. Nobody can change them through the API.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use foldhash::fast::RandomState;
use policy::{Document, DocumentError, DocumentKind};
use wire::names::AccountId;

/// Organizational units under each other, below the root (AWS Organizations User Guide, "Quotas").
const UNITS_DEEP_MAX: usize = 5;

/// What AWS attaches to every root, unit and account.
const FULL_AWS_ACCESS: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// A policy as its file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyText {
    /// What the operator calls it: the path of its file.
    pub name: String,
    /// The document, in JSON.
    pub text: String,
}

/// A policy attached to a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttachedPolicy {
    /// AWS's managed policy of that name, which allows everything.
    FullAwsAccess,
    /// A document of the operator.
    Document(PolicyText),
}

/// A root, an organizational unit or an account, with the policies attached to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationTarget {
    /// `r-...`, `ou-...`, or the twelve digits of an account.
    pub id: String,
    /// The root or unit in which it lies; the root lies in none.
    pub parent: Option<String>,
    /// Its service control policies, of which one must allow.
    pub service_control_policies: Vec<AttachedPolicy>,
    /// Its resource control policies, which only deny.
    pub resource_control_policies: Vec<PolicyText>,
}

/// An organization. All accounts of the deployment belong to it; those that are no target lie directly in its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// `o-...`
    pub id: String,
    /// The account that its policies do not limit.
    pub management_account: Option<AccountId>,
    /// One root, units and accounts.
    pub targets: Vec<OrganizationTarget>,
}

/// Why guard rails were refused.
#[derive(Debug, thiserror::Error)]
pub enum GuardRailsError {
    /// An id is of no form that AWS Organizations has.
    #[error("{id}: expected {expected}")]
    Id {
        /// The id as written.
        id: String,
        /// What a right one looks like.
        expected: &'static str,
    },
    /// A target stands where none can.
    #[error("target {id}: {problem}")]
    Target {
        /// Which target.
        id: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A policy cannot be used as such.
    #[error("{name}: not a {kind}: {cause}{}", cause.cause().map_or_else(String::new, |more| format!(" ({more})")))]
    Policy {
        /// The policy's name.
        name: String,
        /// What it was to be.
        kind: &'static str,
        /// Why it is none.
        cause: DocumentError,
    },
}

/// The guard rails in force; without any, nothing is limited.
#[derive(Default)]
pub struct GuardRails {
    organization: Option<Rails>,
    endpoint: Option<Document>,
}

/// The compiled organization.
struct Rails {
    id: Box<str>,
    management_account: Option<AccountId>,
    /// What limits the accounts that are targets.
    accounts: HashMap<AccountId, Limits, RandomState>,
    /// What limits all others.
    others: Limits,
}

/// What limits one account.
struct Limits {
    /// From the root down to the account.
    service_control: Vec<Vec<Arc<Document>>>,
    resource_control: Vec<Arc<Document>>,
    /// `o-.../r-.../ou-.../`
    path: Box<str>,
}

impl GuardRails {
    /// Compiles guard rails.
    ///
    /// # Errors
    /// When an id, a place in the tree or a policy is wrong.
    pub fn new(
        organization: Option<&Organization>,
        endpoint_policy: Option<&PolicyText>,
    ) -> Result<GuardRails, GuardRailsError> {
        let compile_endpoint = |policy| compile(DocumentKind::Endpoint, "endpoint policy", policy);
        Ok(GuardRails {
            organization: organization.map(Rails::new).transpose()?,
            endpoint: endpoint_policy.map(compile_endpoint).transpose()?,
        })
    }

    /// What limits the principals of an account, level by level from the root. AWS exempts the management account.
    pub(crate) fn service_control(&self, account: AccountId) -> &[Vec<Arc<Document>>] {
        self.limits(account).map(|limits| &*limits.service_control).unwrap_or_default()
    }

    /// What limits all who would use the resources of an account. AWS exempts the management account.
    pub(crate) fn resource_control(&self, account: AccountId) -> &[Arc<Document>] {
        self.limits(account).map(|limits| &*limits.resource_control).unwrap_or_default()
    }

    /// The policy of the endpoint.
    pub(crate) fn endpoint(&self) -> Option<&Document> {
        self.endpoint.as_ref()
    }

    /// `aws:PrincipalOrgID`, `aws:ResourceOrgID`.
    pub(crate) fn organization_id(&self) -> Option<&str> {
        self.organization.as_ref().map(|rails| &*rails.id)
    }

    /// `aws:PrincipalOrgPaths`, `aws:ResourceOrgPaths`: the one path on which an account lies.
    pub(crate) fn path(&self, account: AccountId) -> Option<&str> {
        self.organization.as_ref().map(|rails| &*rails.of(account).path)
    }

    fn limits(&self, account: AccountId) -> Option<&Limits> {
        let rails = self.organization.as_ref()?;
        (rails.management_account != Some(account)).then(|| rails.of(account))
    }
}

impl Rails {
    fn new(organization: &Organization) -> Result<Rails, GuardRailsError> {
        let id = &organization.id;
        check_id(id, is_organization_id(id), "an organization id such as o-a1b2c3d4e5")?;
        let tree = Tree::new(organization)?;
        let mut accounts = HashMap::default();
        for target in &organization.targets {
            // Of units too, so that one in the wrong place is noticed.
            let limits = tree.limits(target, id)?;
            if let Ok(account) = target.id.parse::<AccountId>() {
                accounts.insert(account, limits);
            }
        }
        Ok(Rails {
            id: id.as_str().into(),
            management_account: organization.management_account,
            accounts,
            others: tree.limits(tree.root, id)?,
        })
    }

    fn of(&self, account: AccountId) -> &Limits {
        self.accounts.get(&account).unwrap_or(&self.others)
    }
}

/// A target with its policies compiled.
struct Node<'o> {
    target: &'o OrganizationTarget,
    service_control: Vec<Arc<Document>>,
    resource_control: Vec<Arc<Document>>,
}

impl Node<'_> {
    fn new(target: &OrganizationTarget) -> Result<Node<'_>, GuardRailsError> {
        if target.service_control_policies.is_empty() {
            return Err(misplaced(target, "no service control policy is attached: all is denied"));
        }
        let service_control = target.service_control_policies.iter().map(|policy| match policy {
            AttachedPolicy::FullAwsAccess => Ok(Arc::clone(&FULL_ACCESS)),
            AttachedPolicy::Document(policy) => {
                compile(DocumentKind::ServiceControl, "service control policy", policy)
                    .map(Arc::new)
            }
        });
        let resource_control = target.resource_control_policies.iter().map(|policy| {
            compile(DocumentKind::ResourceControl, "resource control policy", policy).map(Arc::new)
        });
        Ok(Node {
            target,
            service_control: service_control.collect::<Result<_, _>>()?,
            resource_control: resource_control.collect::<Result<_, _>>()?,
        })
    }
}

/// The targets by id.
struct Tree<'o> {
    root: &'o OrganizationTarget,
    nodes: HashMap<&'o str, Node<'o>, RandomState>,
}

impl<'o> Tree<'o> {
    fn new(organization: &'o Organization) -> Result<Tree<'o>, GuardRailsError> {
        let mut nodes = HashMap::default();
        let mut root = None;
        for target in &organization.targets {
            let id = target.id.as_str();
            let is_known = is_root_id(id) || is_unit_id(id) || is_account_id(id);
            check_id(id, is_known, "r-ab12, ou-ab12-11111111 or the 12 digits of an account")?;
            if is_root_id(id) && root.replace(target).is_some() {
                return Err(misplaced(target, "an organization has one root"));
            }
            if nodes.insert(id, Node::new(target)?).is_some() {
                return Err(misplaced(target, "it is here twice"));
            }
        }
        let root = root.ok_or_else(|| GuardRailsError::Target {
            id: "r-ab12".to_owned(),
            problem: "an organization has a root, and here is none",
        })?;
        Ok(Tree { root, nodes })
    }

    /// What limits whoever lies in the target.
    fn limits(
        &self,
        target: &'o OrganizationTarget,
        organization_id: &str,
    ) -> Result<Limits, GuardRailsError> {
        let chain = self.chain(target)?;
        let units = chain.iter().map(|node| node.target.id.as_str());
        let units = units.filter(|id| !is_account_id(id));
        let path = [organization_id].into_iter().chain(units).map(|id| format!("{id}/"));
        Ok(Limits {
            service_control: chain.iter().map(|node| node.service_control.clone()).collect(),
            resource_control: chain.iter().flat_map(|node| node.resource_control.clone()).collect(),
            path: path.collect::<String>().into(),
        })
    }

    /// From the root down to the target.
    fn chain(&self, target: &'o OrganizationTarget) -> Result<Vec<&Node<'o>>, GuardRailsError> {
        let mut chain: Vec<_> = self.nodes.get(target.id.as_str()).into_iter().collect();
        let mut place = target;
        while !is_root_id(&place.id) {
            let parent = place.parent.as_deref();
            let parent = parent.ok_or_else(|| misplaced(place, "it has no parent"))?;
            if is_account_id(parent) {
                return Err(misplaced(place, "its parent is an account, in which nothing lies"));
            }
            let node = self.nodes.get(parent);
            let node = node.ok_or_else(|| misplaced(place, "its parent is no target"))?;
            chain.push(node);
            place = node.target;
            // The root, the units and the account.
            if chain.len() > UNITS_DEEP_MAX + 2 {
                return Err(misplaced(target, "it lies in more than five units, or in itself"));
            }
        }
        if place.parent.is_some() {
            return Err(misplaced(place, "the root has no parent"));
        }
        chain.reverse();
        Ok(chain)
    }
}

static FULL_ACCESS: LazyLock<Arc<Document>> = LazyLock::new(|| {
    let document = Document::parse_as(DocumentKind::ServiceControl, FULL_AWS_ACCESS);
    Arc::new(document.expect("the text above is a policy, which a test of this module reads"))
});

fn compile(
    kind: DocumentKind,
    kind_name: &'static str,
    policy: &PolicyText,
) -> Result<Document, GuardRailsError> {
    Document::parse_as(kind, &policy.text).map_err(|cause| GuardRailsError::Policy {
        name: policy.name.clone(),
        kind: kind_name,
        cause,
    })
}

fn misplaced(target: &OrganizationTarget, problem: &'static str) -> GuardRailsError {
    GuardRailsError::Target { id: target.id.clone(), problem }
}

fn check_id(id: &str, is_right: bool, expected: &'static str) -> Result<(), GuardRailsError> {
    match is_right {
        true => Ok(()),
        false => Err(GuardRailsError::Id { id: id.to_owned(), expected }),
    }
}

/// Ids as the AWS Organizations API Reference has them.
fn is_organization_id(id: &str) -> bool {
    id.strip_prefix("o-").is_some_and(|rest| is_word(rest, 10))
}

fn is_root_id(id: &str) -> bool {
    id.strip_prefix("r-").is_some_and(|rest| is_word(rest, 4))
}

fn is_unit_id(id: &str) -> bool {
    let parts = id.strip_prefix("ou-").and_then(|rest| rest.split_once('-'));
    parts.is_some_and(|(root, unit)| is_word(root, 4) && is_word(unit, 8))
}

fn is_account_id(id: &str) -> bool {
    id.parse::<AccountId>().is_ok()
}

fn is_word(text: &str, length_min: usize) -> bool {
    let is_lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (length_min..=32).contains(&text.len()) && text.bytes().all(is_lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(id: &str, parent: Option<&str>) -> OrganizationTarget {
        OrganizationTarget {
            id: id.to_owned(),
            parent: parent.map(str::to_owned),
            service_control_policies: vec![AttachedPolicy::FullAwsAccess],
            resource_control_policies: Vec::new(),
        }
    }

    fn organization(targets: Vec<OrganizationTarget>) -> Organization {
        let management_account = "111122223333".parse().ok();
        Organization { id: "o-a1b2c3d4e5".to_owned(), management_account, targets }
    }

    fn problem(targets: Vec<OrganizationTarget>) -> String {
        let refused = GuardRails::new(Some(&organization(targets)), None);
        refused.err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn an_account_is_limited_by_all_that_it_lies_in() {
        let rails = GuardRails::new(
            Some(&organization(vec![
                target("222233334444", Some("ou-ab12-11111111")),
                target("ou-ab12-11111111", Some("r-ab12")),
                target("r-ab12", None),
            ])),
            None,
        );
        let rails = rails.unwrap();
        let account = |digits: &str| digits.parse::<AccountId>().unwrap();
        assert_eq!(rails.service_control(account("222233334444")).len(), 3);
        assert_eq!(
            rails.path(account("222233334444")),
            Some("o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/")
        );
        assert_eq!(rails.service_control(account("333344445555")).len(), 1);
        assert_eq!(rails.path(account("333344445555")), Some("o-a1b2c3d4e5/r-ab12/"));
        assert!(rails.service_control(account("111122223333")).is_empty());
    }

    #[test]
    fn without_guard_rails_nothing_is_limited() {
        let rails = GuardRails::default();
        let account = "222233334444".parse().unwrap();
        assert!(rails.service_control(account).is_empty() && rails.endpoint().is_none());
        assert!(rails.resource_control(account).is_empty() && rails.path(account).is_none());
    }

    #[test]
    fn a_wrong_tree_is_refused_with_its_place() {
        let unit = |parent| target("ou-ab12-11111111", parent);
        let root = || target("r-ab12", None);
        assert!(problem(vec![unit(Some("r-ab12"))]).contains("here is none"));
        assert!(problem(vec![root(), target("r-cd34", None)]).contains("one root"));
        assert!(problem(vec![root(), root()]).contains("one root"));
        assert!(problem(vec![root(), unit(None)]).contains("no parent"));
        assert!(problem(vec![root(), unit(Some("r-zz99"))]).contains("is no target"));
        assert!(problem(vec![root(), unit(Some("ou-ab12-11111111"))]).contains("in itself"));
        assert!(problem(vec![target("r-ab12", Some("r-ab12"))]).contains("the root has no parent"));
        assert!(problem(vec![root(), target("222", Some("r-ab12"))]).starts_with("222: expected"));
        let account = target("222233334444", Some("r-ab12"));
        let below = unit(Some("222233334444"));
        assert!(problem(vec![root(), account, below]).contains("an account, in which"));
        let mut bare = root();
        bare.service_control_policies.clear();
        assert!(problem(vec![bare]).contains("all is denied"));
    }

    #[test]
    fn a_policy_of_another_kind_is_refused_with_its_name() {
        let mut root = target("r-ab12", None);
        let text = FULL_AWS_ACCESS.to_owned();
        root.resource_control_policies = vec![PolicyText { name: "ours.json".to_owned(), text }];
        let told = problem(vec![root]);
        assert!(told.starts_with("ours.json: not a resource control policy: "), "{told}");
    }
}
