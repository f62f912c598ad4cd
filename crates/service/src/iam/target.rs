//! What requests to IAM act on: an identity by its name, or a part of the tree of paths.

use std::sync::Arc;

use store::{IdentityKind, Transaction};
use wire::error_codes::ErrorCode;
use wire::names::{AccountId, Partition};

use crate::context::Context;
use crate::error::ServiceError;
use crate::identities::{Identity, PolicyArn, managed_policy};
use crate::linked_roles;
use crate::target::{ASKS_MAX, Ask, Lookup, Target};
use crate::trail::Resource;

/// A user, group or role that a request names.
pub(crate) struct OneIdentity {
    arn: String,
    name: String,
    kind: IdentityKind,
    identity: Option<Arc<Identity>>,
}

/// How a request names an identity.
pub(crate) struct IdentityName<'r> {
    /// What it is.
    pub(super) kind: IdentityKind,
    /// Its name; of a user who is not named, the caller.
    pub(super) name: Option<&'r str>,
    /// The path of what is to be made.
    pub(super) path: Option<&'r str>,
}

impl<'r> IdentityName<'r> {
    /// One that should exist.
    pub(super) fn existing(kind: IdentityKind, name: &'r str) -> IdentityName<'r> {
        IdentityName { kind, name: Some(name), path: None }
    }

    /// A user, or the caller.
    pub(super) fn user_or_caller(name: Option<&'r str>) -> IdentityName<'r> {
        IdentityName { kind: IdentityKind::User, name, path: None }
    }

    /// One that is to be made.
    pub(super) fn new(
        kind: IdentityKind,
        name: &'r str,
        path: Option<&'r str>,
    ) -> IdentityName<'r> {
        IdentityName { kind, name: Some(name), path: Some(path.unwrap_or("/")) }
    }
}

impl OneIdentity {
    /// The identity, which must exist.
    pub(super) fn existing(&self) -> Result<&Arc<Identity>, ServiceError> {
        self.identity.as_ref().ok_or_else(|| no_such(self.kind, &self.name))
    }

    /// The identity, which must exist and be its account's to change.
    pub(super) fn changeable(&self) -> Result<&Arc<Identity>, ServiceError> {
        let identity = self.existing()?;
        match linked_roles::is_linked(identity.row()) {
            true => Err(protected(identity.name())),
            false => Ok(identity),
        }
    }

    /// Refuses a name that is taken.
    pub(super) fn refuse_existing(&self) -> Result<(), ServiceError> {
        match self.identity {
            None => Ok(()),
            Some(_) => Err(already_exists(self.kind, &self.name)),
        }
    }
}

impl OneIdentity {
    /// The same for a managed policy, of which AWS says it in other words.
    pub(super) fn refuse_existing_policy(&self) -> Result<(), ServiceError> {
        match self.identity {
            None => Ok(()),
            Some(_) => Err(super::policies::taken(&self.name)),
        }
    }
}

impl Target for OneIdentity {
    type Names<'r> = IdentityName<'r>;

    async fn resolve(
        lookup: &Lookup<'_>,
        names: Self::Names<'_>,
    ) -> Result<OneIdentity, ServiceError> {
        let IdentityName { kind, name, path } = names;
        let (caller, partition) = (&lookup.call.caller, lookup.call.region.partition());
        let Some(name) = name else {
            let user = caller.user().ok_or_else(|| {
                ServiceError::validation(
                    "Must specify userName when calling with non-User credentials",
                )
            })?;
            return Ok(OneIdentity {
                arn: user.arn(partition),
                name: user.name().to_owned(),
                kind,
                identity: Some(Arc::clone(user)),
            });
        };
        let identity = lookup.host.identities.find(caller.account(), kind, name);
        let arn = match (&identity, path) {
            (Some(identity), None) => identity.arn(partition),
            (_, path) => {
                let path = path.unwrap_or("/");
                format!("{}{path}{name}", tree(caller.account(), partition, kind))
            }
        };
        Ok(OneIdentity { arn, name: name.to_owned(), kind, identity })
    }

    fn asks(&self) -> [Option<Ask<'_>>; ASKS_MAX] {
        let identity = self.identity.as_deref();
        [Some(Ask::Identity { arn: &self.arn, identity }), None, None]
    }

    fn resources(&self) -> Vec<Resource> {
        Vec::new()
    }
}

/// All identities of a kind below a path.
pub(crate) struct Tree(String);

impl Target for Tree {
    type Names<'r> = (IdentityKind, Option<&'r str>);

    async fn resolve(
        lookup: &Lookup<'_>,
        (kind, path): Self::Names<'_>,
    ) -> Result<Tree, ServiceError> {
        let partition = lookup.call.region.partition();
        let root = tree(lookup.call.account(), partition, kind);
        Ok(Tree(format!("{root}{}", path.unwrap_or("/"))))
    }

    fn asks(&self) -> [Option<Ask<'_>>; ASKS_MAX] {
        [Some(Ask::Identity { arn: &self.0, identity: None }), None, None]
    }

    fn resources(&self) -> Vec<Resource> {
        Vec::new()
    }
}

/// A managed policy that a request names by its ARN: one of the caller's account, or AWS's.
pub(crate) struct OnePolicy {
    /// The ARN as rows keep it.
    pub(super) stored_arn: String,
    arn: String,
    policy: Option<Arc<Identity>>,
}

impl OnePolicy {
    /// A policy of the caller's account, which can be changed.
    pub(super) fn own(&self) -> Result<&Arc<Identity>, ServiceError> {
        self.policy.as_ref().ok_or_else(|| match managed_policy(&self.stored_arn) {
            // AWS's answer to a change of its own policies.
            Some(_) => ServiceError::new(
                ErrorCode::AccessDeniedException,
                format!("Cannot perform the operation on the AWS managed policy {}.", self.arn),
            ),
            None => no_such_policy(&self.arn),
        })
    }

    /// The policy of the caller's account; none if it is AWS's.
    pub(super) fn found(&self) -> Option<&Arc<Identity>> {
        self.policy.as_ref()
    }

    /// That there is no such policy.
    pub(super) fn missing(&self) -> ServiceError {
        no_such_policy(&self.arn)
    }
}

impl Target for OnePolicy {
    type Names<'r> = &'r str;

    async fn resolve(lookup: &Lookup<'_>, arn: Self::Names<'_>) -> Result<OnePolicy, ServiceError> {
        let (account, partition) = (lookup.call.account(), lookup.call.region.partition());
        let parsed = PolicyArn::parse(arn);
        let stored_arn = parsed.as_ref().and_then(|parsed| parsed.stored(partition));
        let (Some(parsed), Some(stored_arn)) = (parsed, stored_arn) else {
            return Err(ServiceError::validation(format!("ARN {arn} is not valid.")));
        };
        let name = parsed.in_account(account);
        let policy =
            name.and_then(|name| lookup.host.identities.find(account, IdentityKind::Policy, name));
        let policy = policy.filter(|policy| policy.stored_arn() == stored_arn);
        Ok(OnePolicy { stored_arn, arn: arn.to_owned(), policy })
    }

    fn asks(&self) -> [Option<Ask<'_>>; ASKS_MAX] {
        let identity = self.policy.as_deref();
        [Some(Ask::Identity { arn: &self.arn, identity }), None, None]
    }

    fn resources(&self) -> Vec<Resource> {
        Vec::new()
    }
}

/// What all ARNs of a kind begin with.
pub(super) fn tree(account: AccountId, partition: Partition, kind: IdentityKind) -> String {
    format!("arn:{}:iam::{account}:{}", partition.as_str(), kind.as_str())
}

/// A managed policy that can be attached, as the checks saw it.
pub(crate) struct Attachable {
    /// The ARN as rows keep it.
    pub(crate) stored_arn: String,
    /// The policy of the account; none if it is AWS's, which nobody deletes.
    own: Option<Arc<Identity>>,
}

impl Attachable {
    /// Refuses to save a policy that was deleted after the checks, even if another was made under its name since: nobody
    /// asked for that one.
    pub(super) fn refuse_gone(&self, transaction: &Transaction<'_>) -> Result<(), ServiceError> {
        let Some(checked) = &self.own else { return Ok(()) };
        let row = checked.row();
        match transaction.identity_named(row.account, row.kind, &row.name)? {
            Some(identity_id) if identity_id == row.identity_id => Ok(()),
            Some(_) | None => Err(ServiceError::superseded()),
        }
    }
}

/// The managed policy with an ARN, if there is one that a user, group or role of the account can have.
pub(super) fn attachable(
    context: &Context<'_>,
    account: AccountId,
    arn: &str,
) -> Result<Attachable, ServiceError> {
    let policy = existing_policy(context, account, arn)?;
    let of_aws = managed_policy(&policy.stored_arn);
    match of_aws.is_some_and(|of_aws| &*of_aws.path == linked_roles::PATH_PREFIX) {
        true => Err(ServiceError::new(
            ErrorCode::PolicyNotAttachable,
            "Cannot attach a Service Role Policy to a Customer Role.",
        )),
        false => Ok(policy),
    }
}

/// The managed policy with an ARN, if there is one.
pub(crate) fn existing_policy(
    context: &Context<'_>,
    account: AccountId,
    arn: &str,
) -> Result<Attachable, ServiceError> {
    let call = context.call();
    let parsed = PolicyArn::parse(arn)
        .ok_or_else(|| ServiceError::validation(format!("ARN {arn} is not valid.")))?;
    let stored_arn = parsed.stored(call.region.partition());
    let found = |stored_arn: String| {
        if managed_policy(&stored_arn).is_some() {
            return Some(Attachable { stored_arn, own: None });
        }
        let name = parsed.in_account(account)?;
        let own = context.host().identities.find(account, IdentityKind::Policy, name)?;
        (own.stored_arn() == stored_arn).then_some(Attachable { stored_arn, own: Some(own) })
    };
    stored_arn.and_then(found).ok_or_else(|| {
        ServiceError::new(
            ErrorCode::NoSuchEntity,
            format!("Policy {arn} does not exist or is not attachable."),
        )
    })
}

/// Nothing has that name.
pub(super) fn no_such(kind: IdentityKind, name: &str) -> ServiceError {
    let kind = kind.as_str();
    let message = format!("The {kind} with name {name} cannot be found.");
    ServiceError::new(ErrorCode::NoSuchEntity, message)
}

/// The role is its service's.
fn protected(role_name: &str) -> ServiceError {
    let message = format!(
        "Cannot perform the operation on the protected role '{role_name}' - this role is only modifiable by AWS"
    );
    ServiceError::new(ErrorCode::UnmodifiableEntity, message)
}

/// The name is taken.
pub(super) fn already_exists(kind: IdentityKind, name: &str) -> ServiceError {
    let kind = title(kind);
    let message = format!("{kind} with name {name} already exists.");
    ServiceError::new(ErrorCode::EntityAlreadyExists, message)
}

fn no_such_policy(arn: &str) -> ServiceError {
    ServiceError::new(ErrorCode::NoSuchEntity, format!("Policy {arn} was not found."))
}

fn title(kind: IdentityKind) -> &'static str {
    match kind {
        IdentityKind::User => "User",
        IdentityKind::Group => "Group",
        IdentityKind::Role => "Role",
        IdentityKind::Policy => "Policy",
        IdentityKind::OidcProvider => "Provider",
    }
}

#[cfg(test)]
mod tests {
    use crypto::seal::{SealKey, SealKeys};
    use crypto::{SecretKey, SystemRng};
    use jiff::Timestamp;
    use store::{
        AccountRecord, AccountRow, IdentityPolicyRow, IdentityRecord, LockedStore, StoreOptions,
    };

    use super::*;
    use crate::identities::fresh_record;

    /// A managed policy with an id of its own for each call.
    fn policy_named(account: AccountId, name: &str) -> IdentityRecord {
        let kind = IdentityKind::Policy;
        let now = Timestamp::UNIX_EPOCH;
        let mut record = fresh_record(&SystemRng, account, kind, ("/", name), now).unwrap();
        record.policies.push(IdentityPolicyRow {
            policy_name: "v1".to_owned(),
            document: r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#.to_owned(),
            created: now,
            is_default: true,
        });
        record
    }

    #[tokio::test]
    async fn a_policy_that_was_deleted_since_is_refused_even_if_its_name_is_taken_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keystead.db");
        let seal_keys = SealKeys::new(SealKey::new(1, &SecretKey::new([7; 32])), Vec::new());
        let locked = LockedStore::open(&path, StoreOptions::default()).unwrap();
        let store = locked.unlock(seal_keys).unwrap();
        let account: AccountId = "111122223333".parse().unwrap();
        let attachable = |record: &IdentityRecord| Attachable {
            stored_arn: format!("arn:aws:iam::{account}:policy/{}", record.identity.name),
            own: Some(Arc::new(Identity::new(record.clone()).unwrap())),
        };
        let (former, later) = (policy_named(account, "Use"), policy_named(account, "USE"));
        let of_aws = Attachable { stored_arn: "arn:aws:iam::aws:policy/Use".to_owned(), own: None };
        let (of_former, of_later) = (attachable(&former), attachable(&later));
        let judged: Result<_, ServiceError> = store
            .write(move |transaction| {
                let row = AccountRow { account, sequence: 0, created: Timestamp::UNIX_EPOCH };
                transaction.save_account(&AccountRecord {
                    account: row,
                    access_keys: Vec::new(),
                    owned_keys: Vec::new(),
                    aliases: Vec::new(),
                    role_deletions: Vec::new(),
                })?;
                let judge = |transaction: &Transaction<'_>| {
                    [&of_former, &of_later, &of_aws].map(|policy| {
                        let refused = policy.refuse_gone(transaction).err();
                        refused.is_some_and(|error| error.is_superseded())
                    })
                };
                transaction.save_identity(&former)?;
                let before = judge(transaction);
                transaction.delete_identity(account, &former.identity.identity_id)?;
                let between = judge(transaction);
                transaction.save_identity(&later)?;
                Ok([before, between, judge(transaction)])
            })
            .await;
        let expected = [[false, true, false], [true, true, false], [true, false, false]];
        assert_eq!(judged.unwrap(), expected);
    }
}
