//! Access keys in memory: whom each belongs to, and the signing keys derived from it.
//!
//! All access keys of the deployment are held, so that looking up one that does not exist takes as long as one that
//! does and touches nothing outside (threat N-6).

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use foldhash::fast::RandomState;
use sigv4::{SecretAccessKey, SigningKey};
use wire::names::AccountId;

use crate::identities::Holder;
use crate::services::SYSTEM_ACCOUNT;
use crate::sessions::Session;

/// Signing keys kept for one access key: a day's work in a few Regions, and the next day's.
const SIGNING_KEYS_FOR_AN_ACCESS_KEY_MAX: usize = 16;

/// An access key and the caller that it stands for.
pub(crate) struct Credential {
    access_key_id: Box<str>,
    account: AccountId,
    account_text: Box<str>,
    holder: Arc<Holder>,
    session: Option<Session>,
    signer: Signer,
}

impl Credential {
    /// An access key of an account's root user.
    pub(crate) fn of_root(
        access_key_id: &str,
        account: AccountId,
        secret: SecretAccessKey,
    ) -> Credential {
        Credential::of(access_key_id, account, Arc::new(Holder::of_root(account)), secret)
    }

    /// An access key of a user, or of a session.
    pub(crate) fn of(
        access_key_id: &str,
        account: AccountId,
        holder: Arc<Holder>,
        secret: SecretAccessKey,
    ) -> Credential {
        Credential {
            access_key_id: access_key_id.into(),
            account,
            account_text: account.to_string().into_boxed_str(),
            holder,
            session: None,
            signer: Signer::new(secret),
        }
    }

    /// The id that requests name.
    pub(crate) fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The account of the caller.
    pub(crate) fn account(&self) -> AccountId {
        self.account
    }

    /// The account's twelve digits.
    pub(crate) fn account_text(&self) -> &str {
        &self.account_text
    }

    /// The same for a session.
    pub(crate) fn of_session(self, session: Session) -> Credential {
        Credential { session: Some(session), ..self }
    }

    /// The session, if the credential is temporary.
    pub(crate) fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// Whose it is.
    pub(crate) fn holder(&self) -> &Holder {
        &self.holder
    }
}

/// A secret and the signing keys derived from it, each once.
struct Signer {
    secret: SecretAccessKey,
    signing_keys: Mutex<Vec<(Scope, Arc<SigningKey>)>>,
}

/// What a signing key is good for.
struct Scope {
    date: Box<str>,
    region: Box<str>,
    service: Box<str>,
}

impl Signer {
    fn new(secret: SecretAccessKey) -> Signer {
        Signer { secret, signing_keys: Mutex::new(Vec::new()) }
    }

    fn signing_key(&self, date: &str, region: &str, service: &str) -> Arc<SigningKey> {
        let mut kept = self.signing_keys.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().find(|(scope, _)| {
            *scope.date == *date && *scope.region == *region && *scope.service == *service
        });
        if let Some((_, key)) = found {
            return Arc::clone(key);
        }
        let key = Arc::new(SigningKey::derive(&self.secret, date, region, service));
        if kept.len() >= SIGNING_KEYS_FOR_AN_ACCESS_KEY_MAX {
            kept.remove(0);
        }
        let scope = Scope { date: date.into(), region: region.into(), service: service.into() };
        kept.push((scope, Arc::clone(&key)));
        key
    }
}

/// All access keys and accounts.
pub(crate) struct Credentials {
    held: RwLock<Held>,
    /// Does for access keys that do not exist the work that those that exist have done. Nothing is verified with it.
    decoy: Signer,
}

impl Default for Credentials {
    fn default() -> Credentials {
        let secret = SecretAccessKey::new("as long as the secrets that AWS draws...".to_owned());
        Credentials { held: RwLock::default(), decoy: Signer::new(secret) }
    }
}

#[derive(Default)]
struct Held {
    by_access_key_id: HashMap<Box<str>, Arc<Credential>, RandomState>,
    accounts: HashSet<AccountId, RandomState>,
}

impl Credentials {
    /// The credential behind an access key id.
    pub(crate) fn find(&self, access_key_id: &str) -> Option<Arc<Credential>> {
        self.read(|held| held.by_access_key_id.get(access_key_id).cloned())
    }

    /// The signing key of a credential for one scope, or, after the same work, none.
    pub(crate) fn signing_key(
        &self,
        credential: Option<&Credential>,
        date: &str,
        region: &str,
        service: &str,
    ) -> Option<Arc<SigningKey>> {
        let signer = credential.map_or(&self.decoy, |credential| &credential.signer);
        let key = signer.signing_key(date, region, service);
        credential.is_some().then_some(key)
    }

    /// Whether the account exists here.
    pub(crate) fn has_account(&self, account: AccountId) -> bool {
        self.read(|held| held.accounts.contains(&account))
    }

    /// All accounts, in order.
    pub(crate) fn accounts(&self) -> Vec<AccountId> {
        let mut accounts: Vec<AccountId> =
            self.read(|held| held.accounts.iter().copied().collect());
        accounts.sort_unstable();
        accounts
    }

    /// Adds what has been committed: from now on the access keys are good.
    pub(crate) fn add(&self, credentials: Vec<Credential>) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        for credential in credentials {
            // Services have access keys and are no tenant.
            if credential.account != *SYSTEM_ACCOUNT {
                held.accounts.insert(credential.account);
            }
            held.by_access_key_id.insert(credential.access_key_id.clone(), Arc::new(credential));
        }
    }

    /// Takes over what has been committed of a user's access keys: those of `active` that are not known yet are in
    /// `fresh`, and the others of `all` are good no longer.
    pub(crate) fn replace(&self, all: &[String], active: &[String], fresh: Vec<Credential>) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        for access_key_id in all.iter().filter(|id| !active.contains(id)) {
            held.by_access_key_id.remove(access_key_id.as_str());
        }
        for credential in fresh {
            held.by_access_key_id.insert(credential.access_key_id.clone(), Arc::new(credential));
        }
    }

    fn read<T>(&self, act: impl FnOnce(&Held) -> T) -> T {
        act(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }
}
