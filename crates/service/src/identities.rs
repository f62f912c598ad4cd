//! All identities of IAM in memory, their policies compiled, changed in step with every commit.
//!
//! Who signs is found by access key (`credentials`), and each credential holds the [`Holder`] of its caller: what that
//! caller may do is one pointer away from a request, without a lock. A change of a user, group, role or managed policy
//! makes the standing of those whom it concerns anew in the store's writer thread, before the change is answered, so that
//! the next request obeys it.

mod changes;
mod identity;
mod managed_policies;
mod standing;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use foldhash::fast::RandomState;
use policy::Document;
use store::{CallerKind, IdentityKind};
use wire::names::{AccountId, Partition};

use crate::last_used::Unkept;

pub(crate) use changes::{Changes, access_key_row, fresh_record, load};
pub(crate) use identity::{Identity, PolicyArn, PrincipalArn, arn_of};
pub(crate) use managed_policies::{ManagedPolicy, managed_policies, managed_policy};
pub(crate) use standing::{Holder, NOTHING, Standing, in_partitions, of_partition};

/// All identities of all accounts.
#[derive(Default)]
pub(crate) struct Identities {
    accounts: RwLock<HashMap<AccountId, Account, RandomState>>,
}

/// An identity policy of a user, group or role.
pub(crate) struct HeldPolicy {
    /// What it is called.
    pub(crate) name: HeldName,
    /// The document as it was written.
    pub(crate) text: String,
    /// The document, compiled.
    pub(crate) document: Arc<Document>,
}

/// What an identity policy is called.
pub(crate) enum HeldName {
    /// An inline policy, by whose it is and its name.
    Inline { kind: IdentityKind, holder: String, policy: String },
    /// A managed policy, by its stored ARN.
    Managed(String),
}

/// The identities of one account.
#[derive(Default)]
struct Account {
    by_id: HashMap<Box<str>, Arc<Identity>, RandomState>,
    /// Unique ids by kind and name in lower case: names are unique whatever the case of their letters.
    by_name: BTreeMap<(IdentityKind, Box<str>), Box<str>>,
    /// Of users and roles, by unique id.
    holders: HashMap<Box<str>, Arc<Holder>, RandomState>,
}

impl Identities {
    /// The identity of that kind and name.
    pub(crate) fn find(
        &self,
        account: AccountId,
        kind: IdentityKind,
        name: &str,
    ) -> Option<Arc<Identity>> {
        let key = (kind, name.to_ascii_lowercase().into_boxed_str());
        self.read(account, |held| held.by_id.get(held.by_name.get(&key)?).cloned()).flatten()
    }

    /// The identity with that unique id.
    pub(crate) fn with_id(&self, account: AccountId, identity_id: &str) -> Option<Arc<Identity>> {
        self.read(account, |held| held.by_id.get(identity_id).cloned()).flatten()
    }

    /// All identities of a kind, by name.
    pub(crate) fn all(&self, account: AccountId, kind: IdentityKind) -> Vec<Arc<Identity>> {
        self.read(account, |held| {
            let of_kind = held.by_name.range((kind, Box::from(""))..);
            let of_kind = of_kind.take_while(|((found, _), _)| *found == kind);
            of_kind.filter_map(|(_, identity_id)| held.by_id.get(identity_id).cloned()).collect()
        })
        .unwrap_or_default()
    }

    /// The user who has that access key, in use or not. Looks at all users of the account.
    pub(crate) fn user_with_access_key(
        &self,
        account: AccountId,
        access_key_id: &str,
    ) -> Option<Arc<Identity>> {
        let has_it = |identity: &&Arc<Identity>| {
            let mut rows = identity.record().access_keys.iter();
            rows.any(|row| row.access_key_id == access_key_id)
        };
        self.read(account, |held| held.by_id.values().find(has_it).cloned()).flatten()
    }

    /// The last uses of roles that the store does not have yet.
    pub(crate) fn unkept_uses(&self) -> Vec<Unkept> {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        let holders = accounts.iter().flat_map(|(account, held)| {
            held.holders.iter().map(move |(identity_id, holder)| (*account, identity_id, holder))
        });
        holders
            .filter_map(|(account, identity_id, holder)| {
                holder.last_used().unkept(account, CallerKind::Role, identity_id)
            })
            .collect()
    }

    /// How many identities of a kind there are.
    pub(crate) fn count(&self, account: AccountId, kind: IdentityKind) -> usize {
        self.read(account, |held| {
            let of_kind = held.by_name.range((kind, Box::from(""))..);
            of_kind.take_while(|((found, _), _)| *found == kind).count()
        })
        .unwrap_or_default()
    }

    /// The managed policy of that ARN as it is in force, as identities of the account know it.
    pub(crate) fn policy(&self, account: AccountId, stored_arn: &str) -> Option<Arc<Document>> {
        if let Some(policy) = managed_policy(stored_arn) {
            return policy.document();
        }
        self.read(account, |held| held.policy(account, stored_arn)).flatten()
    }

    /// What the identity policies of a user or role are called, in the order of its standing's documents.
    pub(crate) fn policy_names(&self, identity: &Identity, partition: Partition) -> Vec<String> {
        self.read(identity.account(), |held| held.policy_names_of(identity, partition))
            .unwrap_or_default()
    }

    /// The identity policies of a user, group or role with their texts, in the same order.
    pub(crate) fn held_policies(&self, identity: &Identity) -> Vec<HeldPolicy> {
        self.read(identity.account(), |held| held.held_policies_of(identity)).unwrap_or_default()
    }

    /// What stands for a user or role in the credentials of its sessions and access keys.
    pub(crate) fn holder(&self, account: AccountId, identity_id: &str) -> Option<Arc<Holder>> {
        self.read(account, |held| held.holders.get(identity_id).cloned()).flatten()
    }

    /// Whether a user, a role or a session of a role can have this ARN.
    pub(crate) fn is_principal(&self, account: AccountId, arn: &str, partition: Partition) -> bool {
        PrincipalArn::parse(account, arn, partition).is_some_and(|named| {
            let found = self.find(account, named.kind, named.name);
            found.is_some_and(|found| named.is_of(found.row()))
        })
    }

    /// Takes over an identity as it was committed.
    pub(crate) fn install(&self, identity: &Arc<Identity>) {
        let row = &identity.record().identity;
        let mut accounts = self.accounts.write().unwrap_or_else(PoisonError::into_inner);
        let held = accounts.entry(row.account).or_default();
        let identity_id: Box<str> = row.identity_id.as_str().into();
        held.forget_name(&identity_id);
        let name = (row.kind, row.name.to_ascii_lowercase().into_boxed_str());
        held.by_name.insert(name, identity_id.clone());
        held.by_id.insert(identity_id, Arc::clone(identity));
        held.refresh(identity);
    }

    /// Forgets an identity that was deleted: what it had signed for is refused from now on.
    pub(crate) fn remove(&self, account: AccountId, identity_id: &str) {
        let mut accounts = self.accounts.write().unwrap_or_else(PoisonError::into_inner);
        let Some(held) = accounts.get_mut(&account) else { return };
        held.forget_name(identity_id);
        if let Some(holder) = held.holders.remove(identity_id) {
            holder.end();
        }
        if let Some(identity) = held.by_id.remove(identity_id) {
            held.refresh_others(&identity);
        }
    }

    fn read<T>(&self, account: AccountId, act: impl FnOnce(&Account) -> T) -> Option<T> {
        self.accounts.read().unwrap_or_else(PoisonError::into_inner).get(&account).map(act)
    }
}

impl Account {
    fn forget_name(&mut self, identity_id: &str) {
        let Some(former) = self.by_id.get(identity_id) else { return };
        let row = &former.record().identity;
        self.by_name.remove(&(row.kind, row.name.to_ascii_lowercase().into_boxed_str()));
    }

    /// Makes anew what an identity, or those whom it concerns, may do.
    fn refresh(&mut self, identity: &Arc<Identity>) {
        match identity.kind() {
            IdentityKind::User | IdentityKind::Role => {
                let standing =
                    Standing::of_identity(identity, self.documents_of(identity), |arn| {
                        self.policy(identity.account(), arn)
                    });
                let holder = self.holders.entry(identity.id().into()).or_default();
                holder.stand(standing);
            }
            IdentityKind::Group | IdentityKind::Policy => self.refresh_others(identity),
            // Nobody's policies depend on it.
            IdentityKind::OidcProvider => {}
        }
    }

    /// Makes anew what those users and roles may do whom a group or a managed policy concerns.
    fn refresh_others(&mut self, changed: &Identity) {
        let arn = changed.stored_arn();
        let is_concerned = |other: &&Arc<Identity>| match (changed.kind(), other.kind()) {
            (IdentityKind::Group, IdentityKind::User) => other.is_member_of(changed.id()),
            (IdentityKind::Policy, IdentityKind::User | IdentityKind::Role) => {
                let mut groups = other.groups().filter_map(|group_id| self.by_id.get(group_id));
                other.names_policy(&arn) || groups.any(|group| group.names_policy(&arn))
            }
            (
                IdentityKind::User
                | IdentityKind::Group
                | IdentityKind::Role
                | IdentityKind::Policy
                | IdentityKind::OidcProvider,
                _,
            ) => false,
        };
        let concerned: Vec<_> = self.by_id.values().filter(is_concerned).cloned().collect();
        for identity in concerned {
            self.refresh(&identity);
        }
    }

    /// The identity policies of a user or role: its own, and its groups'.
    fn documents_of(&self, identity: &Identity) -> Vec<Arc<Document>> {
        self.holders_of(identity)
            .flat_map(|holder| {
                let attached = self.attached_to(holder).map(|(_, document)| document);
                holder.documents().iter().cloned().chain(attached).collect::<Vec<_>>()
            })
            .collect()
    }

    /// What the policies of [`Account::documents_of`] are called, in the same order.
    fn policy_names_of(&self, identity: &Identity, partition: Partition) -> Vec<String> {
        self.holders_of(identity)
            .flat_map(|holder| {
                let arn = holder.arn(partition);
                let inline = holder.record().policies.iter();
                let inline =
                    inline.map(|row| format!("inline policy {} of {arn}", row.policy_name));
                let attached = self.attached_to(holder);
                let attached = attached.map(|(policy, _)| format!("{policy}, attached to {arn}"));
                inline.chain(attached).collect::<Vec<_>>()
            })
            .collect()
    }

    /// The same policies with their texts.
    fn held_policies_of(&self, identity: &Identity) -> Vec<HeldPolicy> {
        self.holders_of(identity)
            .flat_map(|holder| {
                let rows = holder.record().policies.iter().zip(holder.documents());
                let inline = rows.map(|(row, document)| HeldPolicy {
                    name: HeldName::Inline {
                        kind: holder.kind(),
                        holder: holder.name().to_owned(),
                        policy: row.policy_name.clone(),
                    },
                    text: row.document.clone(),
                    document: Arc::clone(document),
                });
                let attached = self.attached_to(holder).filter_map(|(arn, document)| {
                    let text = self.text_of(holder.account(), arn)?;
                    Some(HeldPolicy { name: HeldName::Managed(arn.to_owned()), text, document })
                });
                inline.chain(attached).collect::<Vec<_>>()
            })
            .collect()
    }

    /// The text of a managed policy, in the version that is in force.
    fn text_of(&self, account: AccountId, arn: &str) -> Option<String> {
        if let Some(policy) = managed_policy(arn) {
            return Some(policy.text().to_owned());
        }
        let policy = self.managed(account, arn)?;
        let in_force = policy.record().policies.iter().find(|row| row.is_default)?;
        Some(in_force.document.clone())
    }

    /// A user or role and its groups.
    fn holders_of<'a>(&'a self, identity: &'a Identity) -> impl Iterator<Item = &'a Identity> {
        let groups = identity.groups().filter_map(|group_id| self.by_id.get(group_id));
        std::iter::once(identity).chain(groups.map(|group| &**group))
    }

    /// The managed policies attached to one, as they are in force, by their stored ARNs.
    fn attached_to<'a>(
        &'a self,
        holder: &'a Identity,
    ) -> impl Iterator<Item = (&'a str, Arc<Document>)> {
        holder.record().attachments.iter().filter_map(|row| {
            let document = self.policy(holder.account(), &row.policy_arn)?;
            Some((row.policy_arn.as_str(), document))
        })
    }

    /// The managed policy of that ARN, as it is in force.
    fn policy(&self, account: AccountId, arn: &str) -> Option<Arc<Document>> {
        if let Some(policy) = managed_policy(arn) {
            return policy.document();
        }
        self.managed(account, arn)?.documents().first().cloned()
    }

    /// The account's own managed policy of that ARN.
    fn managed(&self, account: AccountId, arn: &str) -> Option<&Arc<Identity>> {
        let name = PolicyArn::parse(arn)?.in_account(account)?;
        let key = (IdentityKind::Policy, name.to_ascii_lowercase().into_boxed_str());
        // A namesake of another path is another policy.
        let policy = self.by_id.get(self.by_name.get(&key)?);
        policy.filter(|policy| policy.stored_arn() == arn)
    }
}
