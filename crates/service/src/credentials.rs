//! Access keys in memory: whom each belongs to, and the signing keys derived from it.
//!
//! All access keys of the deployment are held, so that looking up one that does not exist takes as long as one that
//! does and touches nothing outside (threat N-6).

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use foldhash::fast::RandomState;
use sigv4::{SecretAccessKey, SigningKey};
use store::CallerKind;
use wire::names::AccountId;

use crate::identities::Holder;
use crate::last_used::{LastUsed, Unkept};
use crate::services::SYSTEM_ACCOUNT;
use crate::sessions::{Session, SessionKind};

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
    /// Shared with whatever stands for the same access key before and after: one that is put out of use and in again.
    last_used: Arc<LastUsed>,
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
            last_used: Arc::default(),
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

    /// Where its uses are noted: with the access key, or with the role that a session is of. Temporary access keys of users
    /// have no last use that anybody could ask for.
    pub(crate) fn last_used(&self) -> Option<&LastUsed> {
        match self.session().map(|session| &session.claims().kind) {
            None => Some(&self.last_used),
            Some(SessionKind::Role(_)) => Some(self.holder.last_used()),
            Some(SessionKind::Same | SessionKind::Federated(_)) => None,
        }
    }
}

/// What a signing key is good for.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// The day, `YYYYMMDD`.
    pub(crate) date: &'a str,
    /// The Region, as the signer wrote it.
    pub(crate) region: &'a str,
    /// The service.
    pub(crate) service: &'a str,
}

/// A secret and the signing keys derived from it that good signatures were made with.
struct Signer {
    secret: SecretAccessKey,
    kept: Mutex<Vec<Kept>>,
    #[cfg(test)]
    derivations_count: std::sync::atomic::AtomicUsize,
}

/// A signing key with the scope that it is for.
struct Kept {
    date: Box<str>,
    region: Box<str>,
    service: Box<str>,
    key: Arc<SigningKey>,
}

impl Kept {
    fn is_for(&self, scope: Scope<'_>) -> bool {
        *self.date == *scope.date
            && *self.region == *scope.region
            && *self.service == *scope.service
    }
}

impl Signer {
    fn new(secret: SecretAccessKey) -> Signer {
        Signer {
            secret,
            kept: Mutex::default(),
            #[cfg(test)]
            derivations_count: std::sync::atomic::AtomicUsize::default(),
        }
    }

    fn derive(&self, scope: Scope<'_>) -> SigningKey {
        #[cfg(test)]
        self.derivations_count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        SigningKey::derive(&self.secret, scope.date, scope.region, scope.service)
    }

    fn find(&self, scope: Scope<'_>) -> Option<Arc<SigningKey>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|kept| kept.is_for(scope)).map(|kept| Arc::clone(&kept.key))
    }

    fn keep(&self, scope: Scope<'_>, key: SigningKey) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // Two requests at once may have derived the same.
        if kept.iter().any(|kept| kept.is_for(scope)) {
            return;
        }
        if kept.len() >= SIGNING_KEYS_FOR_AN_ACCESS_KEY_MAX {
            kept.remove(0);
        }
        kept.push(Kept {
            date: scope.date.into(),
            region: scope.region.into(),
            service: scope.service.into(),
            key: Arc::new(key),
        });
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
    /// The last uses of those that were in use since the start, until they are deleted.
    last_used: HashMap<Box<str>, (AccountId, Arc<LastUsed>), RandomState>,
    accounts: HashSet<AccountId, RandomState>,
}

impl Held {
    fn insert(&mut self, mut credential: Credential) {
        let access_key_id = credential.access_key_id.clone();
        let fresh = || (credential.account, Arc::clone(&credential.last_used));
        let (_, last_used) = self.last_used.entry(access_key_id.clone()).or_insert_with(fresh);
        credential.last_used = Arc::clone(last_used);
        self.by_access_key_id.insert(access_key_id, Arc::new(credential));
    }
}

impl Credentials {
    /// The credential behind an access key id.
    pub(crate) fn find(&self, access_key_id: &str) -> Option<Arc<Credential>> {
        self.read(|held| held.by_access_key_id.get(access_key_id).cloned())
    }

    /// Decides by `verify`, which is given the credential's signing key for the scope, or none if there is no credential.
    ///
    /// A key is kept once it has verified a signature, so that whoever only knows an access key id cannot drive out the
    /// keys of its owner with scopes that are never used. Each refusal costs one derivation, whether the access key
    /// exists, and whether the key was kept: its time tells neither (threat N-6).
    ///
    /// # Errors
    ///
    /// Those of `verify`, which must refuse where it is given no key.
    pub(crate) fn verify(
        &self,
        credential: Option<&Credential>,
        scope: Scope<'_>,
        verify: impl FnOnce(Option<&SigningKey>) -> Result<(), sigv4::Refusal>,
    ) -> Result<(), sigv4::Refusal> {
        let signer = credential.map_or(&self.decoy, |credential| &credential.signer);
        let is_known = credential.is_some();
        // Whatever the decoy holds verifies nothing: its secret is no secret.
        if let Some(key) = signer.find(scope).filter(|_| is_known) {
            return verify(Some(&key)).inspect_err(|_| drop(signer.derive(scope)));
        }
        let key = signer.derive(scope);
        verify(is_known.then_some(&key))?;
        signer.keep(scope, key);
        Ok(())
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
            held.insert(credential);
        }
    }

    /// Takes over what has been committed of a user's access keys: those that are inactive or deleted are good no longer,
    /// and the credentials of those that have become active are `fresh`.
    pub(crate) fn replace(&self, inactive: &[String], deleted: &[String], fresh: Vec<Credential>) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        for access_key_id in inactive.iter().chain(deleted) {
            held.by_access_key_id.remove(access_key_id.as_str());
        }
        for access_key_id in deleted {
            held.last_used.remove(access_key_id.as_str());
        }
        fresh.into_iter().for_each(|credential| held.insert(credential));
    }

    /// The uses of an access key since the start; none if it could not be used since.
    pub(crate) fn last_used(&self, access_key_id: &str) -> Option<Arc<LastUsed>> {
        self.read(|held| {
            held.last_used.get(access_key_id).map(|(_, last_used)| Arc::clone(last_used))
        })
    }

    /// The last uses that the store does not have yet. Those of services are left out: nobody can ask for them.
    pub(crate) fn unkept_uses(&self) -> Vec<Unkept> {
        self.read(|held| {
            let uses =
                held.last_used.iter().map(|(id, (account, last_used))| (id, *account, last_used));
            uses.filter(|(_, account, _)| *account != *SYSTEM_ACCOUNT)
                .filter_map(|(id, account, used)| used.unkept(account, CallerKind::AccessKey, id))
                .collect()
        })
    }

    fn read<T>(&self, act: impl FnOnce(&Held) -> T) -> T {
        act(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use jiff::Timestamp;
    use sigv4::{Expected, HttpRequest, PathRule, Refusal};

    use super::*;

    const REGIONS: [&str; 17] = [
        "eu-a-1", "eu-b-1", "eu-c-1", "eu-d-1", "eu-e-1", "eu-f-1", "eu-g-1", "eu-h-1", "eu-i-1",
        "eu-j-1", "eu-k-1", "eu-l-1", "eu-m-1", "eu-n-1", "eu-o-1", "eu-p-1", "eu-q-1",
    ];

    /// Credentials with one access key, `AKIDKNOWN`, whose secret is `right`.
    fn one() -> (Credentials, Arc<Credential>) {
        let credentials = Credentials::default();
        let account: AccountId = "111122223333".parse().unwrap();
        let secret = SecretAccessKey::new("right".to_owned());
        credentials.add(vec![Credential::of_root("AKIDKNOWN", account, secret)]);
        let known = credentials.find("AKIDKNOWN").unwrap();
        (credentials, known)
    }

    /// Has a request verified that is signed with a secret for a Region.
    fn call(
        credentials: &Credentials,
        access_key_id: &str,
        secret: &str,
        region: &str,
    ) -> Result<(), Refusal> {
        let now: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
        let unsigned = HttpRequest {
            method: "POST",
            path: "/",
            query: None,
            headers: &[("host", b"localhost")],
            body: b"{}",
        };
        let signer = sigv4::Credentials {
            access_key_id,
            secret_access_key: &SecretAccessKey::new(secret.to_owned()),
            session_token: None,
        };
        let scope = sigv4::Scope { region, service: "kms", path_rule: PathRule::default() };
        let signed = sigv4::sign(&unsigned, &signer, &scope, now).unwrap();
        let mut headers = unsigned.headers.to_vec();
        headers.extend(signed.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
        let request = HttpRequest { headers: &headers, ..unsigned };
        let claim = sigv4::parse(&request).unwrap();
        let scope = Scope { date: claim.date, region: claim.region, service: claim.service };
        let credential = credentials.find(claim.access_key_id);
        let expected = Expected { services: &["kms"], now };
        credentials
            .verify(credential.as_deref(), scope, |key| claim.verify(&request, key, &expected))
    }

    fn derivations(signer: &Signer) -> usize {
        signer.derivations_count.load(Ordering::Relaxed)
    }

    #[test]
    fn a_stranger_drives_no_signing_key_of_the_owner_out() {
        let (credentials, known) = one();
        assert_eq!(call(&credentials, "AKIDKNOWN", "right", "eu-central-1"), Ok(()));
        assert_eq!(derivations(&known.signer), 1);
        for region in REGIONS {
            let refused = call(&credentials, "AKIDKNOWN", "wrong", region);
            assert_eq!(refused, Err(Refusal::SignatureMismatch));
        }
        let before = derivations(&known.signer);
        assert_eq!(call(&credentials, "AKIDKNOWN", "right", "eu-central-1"), Ok(()));
        assert_eq!(derivations(&known.signer), before);
    }

    #[test]
    fn the_owner_has_the_latest_scopes_kept() {
        let (credentials, known) = one();
        for region in REGIONS {
            assert_eq!(call(&credentials, "AKIDKNOWN", "right", region), Ok(()));
        }
        assert_eq!(known.signer.kept.lock().unwrap().len(), SIGNING_KEYS_FOR_AN_ACCESS_KEY_MAX);
        for (region, derived) in [(REGIONS[16], 17), (REGIONS[1], 17), (REGIONS[0], 18)] {
            assert_eq!(call(&credentials, "AKIDKNOWN", "right", region), Ok(()));
            assert_eq!(derivations(&known.signer), derived, "{region}");
        }
    }

    #[test]
    fn an_access_key_keeps_its_last_use_until_it_is_deleted() {
        let (credentials, known) = one();
        let again = || {
            let secret = SecretAccessKey::new("right".to_owned());
            vec![Credential::of_root("AKIDKNOWN", known.account, secret)]
        };
        let second = |second| Timestamp::from_second(second).unwrap();
        let told = || credentials.last_used("AKIDKNOWN")?.noted().map(|last| last.used);
        known.last_used().unwrap().note(second(1), "kms", "eu-central-1");
        let id = ["AKIDKNOWN".to_owned()];
        credentials.replace(&id, &[], Vec::new());
        assert!(credentials.find("AKIDKNOWN").is_none());
        assert_eq!(told(), Some(second(1)));
        assert_eq!(credentials.unkept_uses().len(), 1);
        credentials.replace(&[], &[], again());
        assert_eq!(told(), Some(second(1)));
        credentials.find("AKIDKNOWN").unwrap().last_used().unwrap().note(
            second(2),
            "kms",
            "eu-central-1",
        );
        assert_eq!(told(), Some(second(2)));
        credentials.replace(&[], &id, Vec::new());
        assert_eq!(told(), None);
        assert!(credentials.unkept_uses().is_empty());
        credentials.add(again());
        assert_eq!(told(), None);
    }

    #[test]
    fn last_uses_of_services_are_not_kept() {
        let credentials = Credentials::default();
        let secret = SecretAccessKey::new("right".to_owned());
        let holder = Arc::new(Holder::of_root(*SYSTEM_ACCOUNT));
        credentials.add(vec![Credential::of("AKIDSERVICE", *SYSTEM_ACCOUNT, holder, secret)]);
        let service = credentials.find("AKIDSERVICE").unwrap();
        service.last_used().unwrap().note(Timestamp::UNIX_EPOCH, "kms", "eu-central-1");
        assert!(credentials.unkept_uses().is_empty());
    }

    /// Whether the access key exists, and whether its key for the scope is kept, costs the same.
    #[test]
    fn each_refusal_derives_once() {
        let (credentials, known) = one();
        assert_eq!(call(&credentials, "AKIDKNOWN", "right", "eu-central-1"), Ok(()));
        let both = || (derivations(&known.signer), derivations(&credentials.decoy));
        let mut expected = both();
        for region in ["eu-central-1", "eu-west-1", "eu-west-1"] {
            let refused = call(&credentials, "AKIDKNOWN", "wrong", region);
            assert_eq!(refused, Err(Refusal::SignatureMismatch));
            expected.0 += 1;
            assert_eq!(both(), expected, "{region}");
            let refused = call(&credentials, "AKIDUNKNOWN", "right", region);
            assert_eq!(refused, Err(Refusal::UnknownAccessKey));
            expected.1 += 1;
            assert_eq!(both(), expected, "{region}");
        }
        assert!(credentials.decoy.kept.lock().unwrap().is_empty());
    }
}
