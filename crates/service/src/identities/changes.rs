//! Changes of identities: committed with their record, and taken over by memory before they are answered.

use std::sync::Arc;

use crypto::Rng;
use crypto::fields::Fields;
use custody::Keyring;
use jiff::Timestamp;
use sigv4::SecretAccessKey;
use store::{
    AccessKeyStatus, IdentityKind, IdentityRecord, IdentityRow, Transaction, UserAccessKeyRow,
};
use wire::names::{AccountId, Partition};

use super::identity::arn_of;
use super::{Identities, Identity, in_partitions};
use crate::accounts::AccessKey;
use crate::credentials::{Credential, Credentials};
use crate::error::ServiceError;
use crate::host::Host;
use crate::principals;

/// Letters of a unique id after its kind.
const ID_LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Characters of a unique id after its kind.
const ID_CHARACTERS_COUNT: usize = 17;

/// What changes of identities need inside a transaction, which runs on another thread.
#[derive(Clone)]
pub(crate) struct Changes {
    identities: Arc<Identities>,
    credentials: Arc<Credentials>,
    keyring: Arc<Keyring>,
}

impl Changes {
    pub(crate) fn new(host: &Host) -> Changes {
        Changes {
            identities: Arc::clone(&host.identities),
            credentials: Arc::clone(&host.credentials),
            keyring: Arc::clone(&host.keyring),
        }
    }

    /// The newest rows of an identity, if it is still what the checks saw.
    pub(crate) fn same(
        transaction: &Transaction<'_>,
        checked: &Identity,
    ) -> Result<IdentityRecord, ServiceError> {
        let record = transaction.identity(checked.account(), checked.id())?;
        record
            .filter(|record| record.identity.sequence == checked.row().sequence)
            .ok_or_else(ServiceError::superseded)
    }

    /// Makes or updates an identity.
    pub(crate) fn save(
        &self,
        transaction: &mut Transaction<'_>,
        mut record: IdentityRecord,
    ) -> Result<Arc<Identity>, ServiceError> {
        let former = transaction.identity(record.identity.account, &record.identity.identity_id)?;
        record.identity.sequence = transaction.save_identity(&record)?;
        let keys = AccessKeys::of(former.as_ref(), &record);
        let identity = Arc::new(Identity::new(record)?);
        let (changes, installed) = (self.clone(), Arc::clone(&identity));
        let secrets = self.fresh_secrets(&identity, &keys)?;
        transaction.after_commit(move || {
            let row = installed.row();
            let (account, identity_id) = (row.account, row.identity_id.clone());
            changes.identities.install(&installed);
            changes.take_over(account, &identity_id, &keys, secrets);
        });
        Ok(identity)
    }

    /// What unwraps and wraps secrets.
    pub(crate) fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// Wraps the secrets of a user's access keys anew that something older than this version wraps.
    pub(crate) fn rewrap(
        &self,
        transaction: &mut Transaction<'_>,
        account: AccountId,
        identity_id: &str,
        newest: u32,
    ) -> Result<(), ServiceError> {
        let Some(mut record) = transaction.identity(account, identity_id)? else { return Ok(()) };
        for row in record.access_keys.iter_mut().filter(|row| row.domain_key_version < newest) {
            let aad = aad(account, identity_id, &row.access_key_id);
            let wrapped = &row.wrapped_secret;
            let secret = self.keyring.unwrap_credential(row.domain_key_version, &aad, wrapped)?;
            (row.domain_key_version, row.wrapped_secret) =
                self.keyring.wrap_credential(&aad, secret.expose())?;
        }
        self.save(transaction, record).map(drop)
    }

    /// Deletes an identity.
    pub(crate) fn delete(
        &self,
        transaction: &mut Transaction<'_>,
        checked: &Identity,
    ) -> Result<(), ServiceError> {
        let record = Changes::same(transaction, checked)?;
        transaction.delete_identity(checked.account(), checked.id())?;
        self.rename_principal(transaction, &record.identity, |_| {
            record.identity.identity_id.clone()
        })?;
        let (changes, account) = (self.clone(), checked.account());
        transaction.after_commit(move || {
            changes.identities.remove(account, &record.identity.identity_id);
            let ids: Vec<_> = record.access_keys.into_iter().map(|row| row.access_key_id).collect();
            changes.credentials.replace(&[], &ids, Vec::new());
        });
        Ok(())
    }

    /// Gives a user or role another name in all key policies, trust policies and grants that name it: the new one of what is
    /// renamed, and the unique id of what is deleted, so that whoever takes its name later gains nothing (IAM User Guide,
    /// "AWS JSON policy elements: Principal").
    pub(crate) fn rename_principal(
        &self,
        transaction: &mut Transaction<'_>,
        former: &IdentityRow,
        instead: impl Fn(Partition) -> String,
    ) -> Result<(), ServiceError> {
        if !matches!(former.kind, IdentityKind::User | IdentityKind::Role) {
            return Ok(());
        }
        let names = in_partitions(|partition| (arn_of(former, partition), instead(partition)));
        let rewritten = |document: &str| {
            names.iter().find_map(|(arn, instead)| principals::rewrite(document, arn, instead))
        };
        // Its name ends its ARN, which ends the text.
        let text = format!("/{}\"", former.name);
        let is_named = |document: &str| rewritten(document).is_some();
        for (region, key_id) in transaction.keys_with_policies(&text, is_named)? {
            let Some(mut record) = transaction.key(region, key_id)? else { continue };
            if let Some(document) = rewritten(&record.policy.document) {
                record.policy.document = document;
                transaction.save_key(&record)?;
            }
        }
        for (arn, instead) in &names {
            transaction.rename_grant_principal(arn, instead)?;
        }
        for (account, identity_id) in transaction.roles_with_policies(&text, is_named)? {
            let Some(mut record) = transaction.identity(account, &identity_id)? else { continue };
            let trust = record.identity.assume_role_policy.as_deref().and_then(rewritten);
            if trust.is_some() {
                record.identity.assume_role_policy = trust;
                self.save(transaction, record)?;
            }
        }
        Ok(())
    }

    /// The secrets of the access keys that have become active.
    fn fresh_secrets(
        &self,
        identity: &Identity,
        keys: &AccessKeys,
    ) -> Result<Vec<(String, SecretAccessKey)>, ServiceError> {
        let rows = identity.record().access_keys.iter();
        rows.filter(|row| keys.fresh.contains(&row.access_key_id))
            .map(|row| Ok((row.access_key_id.clone(), unwrap(&self.keyring, identity, row)?)))
            .collect()
    }

    fn take_over(
        &self,
        account: AccountId,
        identity_id: &str,
        keys: &AccessKeys,
        secrets: Vec<(String, SecretAccessKey)>,
    ) {
        let Some(holder) = self.identities.holder(account, identity_id) else { return };
        let fresh = secrets
            .into_iter()
            .map(|(id, secret)| Credential::of(&id, account, Arc::clone(&holder), secret));
        self.credentials.replace(&keys.inactive, &keys.deleted, fresh.collect());
    }
}

/// The access keys of a user over one change.
struct AccessKeys {
    /// Those that are there after it and cannot be used.
    inactive: Vec<String>,
    /// Those that are there no longer.
    deleted: Vec<String>,
    /// Those that can be used after it and could not before.
    fresh: Vec<String>,
}

impl AccessKeys {
    fn of(former: Option<&IdentityRecord>, record: &IdentityRecord) -> AccessKeys {
        let former = former.map(|former| former.access_keys.as_slice()).unwrap_or_default();
        let ids = |rows: &[UserAccessKeyRow], status| -> Vec<String> {
            let rows = rows.iter().filter(|row| row.status == status);
            rows.map(|row| row.access_key_id.clone()).collect()
        };
        let was_active = ids(former, AccessKeyStatus::Active);
        let mut fresh = ids(&record.access_keys, AccessKeyStatus::Active);
        fresh.retain(|id| !was_active.contains(id));
        let is_there = |id: &str| record.access_keys.iter().any(|row| row.access_key_id == id);
        let deleted = former.iter().map(|row| row.access_key_id.clone());
        AccessKeys {
            inactive: ids(&record.access_keys, AccessKeyStatus::Inactive),
            deleted: deleted.filter(|id| !is_there(id)).collect(),
            fresh,
        }
    }
}

/// Takes an identity into memory when the service is opened.
pub(crate) fn load(
    keyring: &Keyring,
    credentials: &Credentials,
    identities: &Identities,
    record: IdentityRecord,
) -> Result<(), ServiceError> {
    let identity = Arc::new(Identity::new(record)?);
    identities.install(&identity);
    let Some(holder) = identities.holder(identity.account(), identity.id()) else { return Ok(()) };
    let rows = identity.record().access_keys.iter();
    let active = rows.filter(|row| row.status == AccessKeyStatus::Active);
    let loaded = active
        .map(|row| {
            let secret = unwrap(keyring, &identity, row)?;
            let holder = Arc::clone(&holder);
            Ok(Credential::of(&row.access_key_id, identity.account(), holder, secret))
        })
        .collect::<Result<Vec<_>, ServiceError>>()?;
    credentials.add(loaded);
    Ok(())
}

/// The row of a user's access key, its secret wrapped.
pub(crate) fn access_key_row(
    keyring: &Keyring,
    user: &Identity,
    access_key: &AccessKey,
    now: Timestamp,
) -> Result<UserAccessKeyRow, ServiceError> {
    let aad = aad(user.account(), user.id(), &access_key.access_key_id);
    let (domain_key_version, wrapped_secret) =
        keyring.wrap_credential(&aad, access_key.secret_access_key.as_bytes())?;
    Ok(UserAccessKeyRow {
        access_key_id: access_key.access_key_id.clone(),
        status: AccessKeyStatus::Active,
        domain_key_version,
        wrapped_secret,
        created: now,
    })
}

fn unwrap(
    keyring: &Keyring,
    user: &Identity,
    row: &UserAccessKeyRow,
) -> Result<SecretAccessKey, ServiceError> {
    let aad = aad(user.account(), user.id(), &row.access_key_id);
    let secret = keyring.unwrap_credential(row.domain_key_version, &aad, &row.wrapped_secret)?;
    let secret = String::from_utf8(secret.into_exposed())
        .map_err(|_| ServiceError::internal("an unwrapped secret access key is no text"))?;
    Ok(SecretAccessKey::new(secret))
}

fn aad(account: AccountId, identity_id: &str, access_key_id: &str) -> Vec<u8> {
    Fields::new("keystead user access key 1")
        .text(account.as_str())
        .text(identity_id)
        .text(access_key_id)
        .finish()
}

/// The rows of an identity that is to be made, by path and name.
pub(crate) fn fresh_record(
    rng: &dyn Rng,
    account: AccountId,
    kind: IdentityKind,
    (path, name): (&str, &str),
    now: Timestamp,
) -> Result<IdentityRecord, ServiceError> {
    Ok(IdentityRecord {
        identity: IdentityRow {
            account,
            identity_id: generate_id(rng, kind)?,
            kind,
            sequence: 0,
            name: name.to_owned(),
            path: path.to_owned(),
            created: now,
            updated: now,
            description: None,
            permissions_boundary: None,
            assume_role_policy: None,
            max_session_seconds: None,
            versions_made: None,
        },
        policies: Vec::new(),
        attachments: Vec::new(),
        memberships: Vec::new(),
        tags: Vec::new(),
        access_keys: Vec::new(),
        client_ids: Vec::new(),
        thumbprints: Vec::new(),
    })
}

/// A fresh unique id in AWS's form (IAM User Guide, "IAM identifiers").
fn generate_id(rng: &dyn Rng, kind: IdentityKind) -> Result<String, ServiceError> {
    let prefix = match kind {
        IdentityKind::User => "AIDA",
        IdentityKind::Group => "AGPA",
        IdentityKind::Role => "AROA",
        IdentityKind::Policy => "ANPA",
        // AWS tells no unique id of these, and neither do we.
        IdentityKind::OidcProvider => "OIDC",
    };
    let bytes: [u8; ID_CHARACTERS_COUNT] = crypto::rng::array(rng)?;
    // The alphabet has a power of two letters, so that the remainder is as random as the byte.
    let letters = bytes.iter().map(|byte| {
        let letter = ID_LETTERS.get(usize::from(*byte) % ID_LETTERS.len());
        letter.map_or('A', |letter| char::from(*letter))
    });
    Ok(prefix.chars().chain(letters).collect())
}
