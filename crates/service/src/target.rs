//! What a request acts on: from the names that the caller used to keys that exist (reference 2.3).

mod grants;

pub(crate) use self::grants::{GrantName, GrantToMake, GrantToRetire, GrantToRevoke, MadeFor};

use std::future::Future;
use std::sync::Arc;

use crypto::blob::Blob;
use policy::Grant;
use wire::error_codes::ErrorCode;
use wire::names::{AccountId, AliasArn, AliasName, KeyArn, KeyRef, KeyRefError, Region};

use crate::call::Call;
use crate::error::ServiceError;
use crate::host::Host;
use crate::identities::Identity;
use crate::managed_keys;
use crate::operation::{KeyForms, Spec};
use crate::snapshot::KeySnapshot;
use crate::trail::Resource;

/// Resolves names for one call.
pub(crate) struct Lookup<'a> {
    pub(crate) host: &'a Host,
    pub(crate) call: &'a Call<'a>,
    pub(crate) spec: &'static Spec,
    /// Which of the operation's actions will be asked about what is looked up.
    pub(crate) position: usize,
}

/// One question to authorization: may the caller do this to that?
pub(crate) enum Ask<'t> {
    /// Something that is no resource: creating, listing, random bytes.
    Nothing,
    /// A key, and how the request named it.
    Key(&'t KeySnapshot, &'t NamedBy),
    /// An alias, of which only identity policies speak.
    Alias(&'t AliasArn),
    /// A grant on a key, and what alone lets somebody retire it.
    Grant(&'t KeySnapshot, &'t [Grant]),
    /// A user, group, role or managed policy, or a part of the tree of their paths, of which only identity policies speak.
    Identity {
        /// Its ARN; of one that does not exist, the ARN that it would have.
        arn: &'t str,
        /// The identity, if it exists.
        identity: Option<&'t Identity>,
    },
    /// A role that is to be assumed: its trust policy is asked, as key policies are for keys.
    Role {
        /// Its ARN, as the request has it.
        arn: &'t str,
        /// The role, if it exists.
        role: Option<&'t Identity>,
    },
}

/// The most questions that one operation asks: UpdateAlias asks about an alias and two keys.
pub(crate) const ASKS_MAX: usize = 3;

/// What an operation acts on.
pub(crate) trait Target: Send + Sync + Sized {
    /// The names in the request, before anything is known of them.
    type Names<'r>: Send;

    /// Finds what the names name.
    fn resolve(
        lookup: &Lookup<'_>,
        names: Self::Names<'_>,
    ) -> impl Future<Output = Result<Self, ServiceError>> + Send;

    /// The questions to authorization, in the order of the operation's actions.
    fn asks(&self) -> [Option<Ask<'_>>; ASKS_MAX];

    /// Why a part could not be found. It is told only to a caller who may act on all that was: others would learn from it
    /// that those parts exist (threat T-11).
    fn take_missing(&mut self) -> Option<ServiceError> {
        None
    }

    /// Whether both keys of ReEncrypt are one: `kms:ReEncryptOnSameKey`.
    fn reencrypts_on_same_key(&self) -> Option<bool> {
        None
    }

    /// What the record names as the call's resources.
    fn resources(&self) -> Vec<Resource>;

    /// What the record says besides, as JSON.
    fn additional_event_data(&self) -> Option<Vec<u8>> {
        None
    }
}

/// No resource.
pub(crate) struct NoTarget;

impl Target for NoTarget {
    type Names<'r> = ();

    async fn resolve(_lookup: &Lookup<'_>, (): Self::Names<'_>) -> Result<NoTarget, ServiceError> {
        Ok(NoTarget)
    }

    fn asks(&self) -> [Option<Ask<'_>>; ASKS_MAX] {
        [Some(Ask::Nothing), None, None]
    }

    fn resources(&self) -> Vec<Resource> {
        Vec::new()
    }
}

/// One key.
pub(crate) struct OneKey {
    /// The key.
    pub(crate) key: Arc<KeySnapshot>,
    /// How the request named it.
    pub(crate) named_by: NamedBy,
}

/// How a request named a key.
pub(crate) enum NamedBy {
    /// By key ID or key ARN.
    Key,
    /// By an alias: `kms:RequestAlias`.
    Alias(AliasName),
    /// By a ciphertext alone.
    Ciphertext,
}

impl Target for OneKey {
    type Names<'r> = KeyName<'r>;

    async fn resolve(lookup: &Lookup<'_>, name: Self::Names<'_>) -> Result<OneKey, ServiceError> {
        match name {
            KeyName::Text(text) => lookup.key(text).await,
            KeyName::Ciphertext(blob) => lookup.key_of_ciphertext(blob).await,
        }
    }

    fn asks(&self) -> [Option<Ask<'_>>; ASKS_MAX] {
        [Some(Ask::Key(&self.key, &self.named_by)), None, None]
    }

    fn resources(&self) -> Vec<Resource> {
        vec![match managed_keys::alias_of_unmade(&self.key) {
            Some(alias) => {
                Resource::Unmade { key: Arc::clone(&self.key), alias_arn: alias.to_string() }
            }
            None => Resource::Key(Arc::clone(&self.key)),
        }]
    }
}

/// How a request names a key.
pub(crate) enum KeyName<'r> {
    /// By one of the identifier forms.
    Text(&'r str),
    /// By a ciphertext that says which key made it.
    Ciphertext(&'r [u8]),
}

/// A key that may be left out.
pub(crate) struct OptionalKey(pub(crate) Option<OneKey>);

impl Target for OptionalKey {
    type Names<'r> = Option<&'r str>;

    async fn resolve(
        lookup: &Lookup<'_>,
        name: Self::Names<'_>,
    ) -> Result<OptionalKey, ServiceError> {
        Ok(OptionalKey(match name {
            Some(text) => Some(lookup.key(text).await?),
            None => None,
        }))
    }

    fn asks(&self) -> [Option<Ask<'_>>; ASKS_MAX] {
        [Some(Ask::Nothing), None, None]
    }

    fn resources(&self) -> Vec<Resource> {
        self.0.iter().flat_map(OneKey::resources).collect()
    }
}

/// The two keys of ReEncrypt.
pub(crate) struct TwoKeys {
    /// The key that decrypts.
    pub(crate) source: OneKey,
    /// The key that encrypts, if it was found.
    destination: Option<OneKey>,
    /// Why it was not.
    missing: Option<ServiceError>,
}

impl TwoKeys {
    /// The key that encrypts, which every target has that is [complete](crate::authorize::Authorized::complete).
    pub(crate) fn destination(&self) -> Result<&OneKey, ServiceError> {
        self.destination
            .as_ref()
            .ok_or_else(|| ServiceError::internal("a missing key went unnoticed"))
    }
}

impl Target for TwoKeys {
    type Names<'r> = (KeyName<'r>, &'r str);

    async fn resolve(lookup: &Lookup<'_>, names: Self::Names<'_>) -> Result<TwoKeys, ServiceError> {
        let source = OneKey::resolve(lookup, names.0).await?;
        let second = Lookup { position: 1, ..*lookup };
        let (destination, missing) = match second.key(names.1).await {
            Ok(destination) => (Some(destination), None),
            Err(error) => (None, Some(error)),
        };
        Ok(TwoKeys { source, destination, missing })
    }

    fn asks(&self) -> [Option<Ask<'_>>; ASKS_MAX] {
        [
            Some(Ask::Key(&self.source.key, &self.source.named_by)),
            self.destination.as_ref().map(|OneKey { key, named_by }| Ask::Key(key, named_by)),
            None,
        ]
    }

    fn take_missing(&mut self) -> Option<ServiceError> {
        self.missing.take()
    }

    fn reencrypts_on_same_key(&self) -> Option<bool> {
        let source = self.source.key.key();
        // Two keys of a multi-Region key are two.
        Some(self.destination.as_ref().is_some_and(|OneKey { key, .. }| {
            (source.region, source.key_id) == (key.key().region, key.key_id())
        }))
    }

    fn resources(&self) -> Vec<Resource> {
        [&self.source].into_iter().chain(&self.destination).flat_map(OneKey::resources).collect()
    }
}

/// A key to be copied into another Region: asks about the key, and about making one.
pub(crate) struct Replica(pub(crate) OneKey);

impl Target for Replica {
    type Names<'r> = &'r str;

    async fn resolve(lookup: &Lookup<'_>, name: Self::Names<'_>) -> Result<Replica, ServiceError> {
        Ok(Replica(lookup.key(name).await?))
    }

    fn asks(&self) -> [Option<Ask<'_>>; ASKS_MAX] {
        [Some(Ask::Key(&self.0.key, &self.0.named_by)), Some(Ask::Nothing), None]
    }

    fn resources(&self) -> Vec<Resource> {
        self.0.resources()
    }
}

/// A key and its related key in another Region.
pub(crate) struct RelatedKeys {
    /// The key that the request names.
    pub(crate) key: OneKey,
    /// The name of its related key in the Region that the request names.
    pub(crate) related_arn: KeyArn,
    /// The related key, if there is one.
    pub(crate) related: Option<Arc<KeySnapshot>>,
}

impl Target for RelatedKeys {
    type Names<'r> = (&'r str, &'r str);

    async fn resolve(
        lookup: &Lookup<'_>,
        (name, region): Self::Names<'_>,
    ) -> Result<RelatedKeys, ServiceError> {
        let key = lookup.key(name).await?;
        let region: Region = region
            .parse()
            .map_err(|_| ServiceError::internal("a malformed Region passed validation"))?;
        let related_arn = KeyArn { region, ..key.key.arn() };
        let found = match region == key.key.key().region {
            true => None,
            false => lookup.host.key((region, related_arn.key_id)).await?,
        };
        let related = found.filter(|related| related.account() == related_arn.account);
        Ok(RelatedKeys { key, related_arn, related })
    }

    fn asks(&self) -> [Option<Ask<'_>>; ASKS_MAX] {
        [
            Some(Ask::Key(&self.key.key, &self.key.named_by)),
            self.related.as_deref().map(|related| Ask::Key(related, &NamedBy::Key)),
            None,
        ]
    }

    fn resources(&self) -> Vec<Resource> {
        // The related key is told of by an event of its own Region.
        self.key.resources()
    }
}

/// An alias and the keys that it stands for before and after the call.
pub(crate) struct AliasAndKeys {
    /// The alias.
    pub(crate) alias: AliasArn,
    /// The key that it stands for now; absent when the call creates the alias.
    pub(crate) former: Option<Arc<KeySnapshot>>,
    /// The key that it will stand for; absent when the call deletes the alias.
    pub(crate) next: Option<Arc<KeySnapshot>>,
}

/// The names in a request about an alias.
pub(crate) struct AliasNames<'r> {
    /// The alias.
    pub(crate) alias: AliasName,
    /// Whether the alias must exist already.
    pub(crate) exists: bool,
    /// The key that it shall stand for.
    pub(crate) target_key_id: Option<&'r str>,
}

impl Target for AliasAndKeys {
    type Names<'r> = AliasNames<'r>;

    async fn resolve(
        lookup: &Lookup<'_>,
        names: Self::Names<'_>,
    ) -> Result<AliasAndKeys, ServiceError> {
        let (account, region) = (lookup.call.account(), lookup.call.region);
        let alias = AliasArn { region, account, alias: names.alias };
        let former = match names.exists {
            true => Some(lookup.alias(&alias).await?.key),
            false => None,
        };
        let next = match names.target_key_id {
            Some(text) => Some(lookup.alias_target(text).await?),
            None => None,
        };
        Ok(AliasAndKeys { alias, former, next })
    }

    fn asks(&self) -> [Option<Ask<'_>>; ASKS_MAX] {
        [
            Some(Ask::Alias(&self.alias)),
            self.former.as_deref().map(|key| Ask::Key(key, &NamedBy::Key)),
            self.next.as_deref().map(|key| Ask::Key(key, &NamedBy::Key)),
        ]
    }

    fn resources(&self) -> Vec<Resource> {
        let keys = self.former.iter().chain(&self.next);
        let keys = keys.map(|key| Resource::Key(Arc::clone(key)));
        let mut resources: Vec<Resource> = keys.collect();
        // CloudTrail names what was there before first: the key of a new alias, else the alias.
        let position = if self.former.is_some() { 0 } else { resources.len() };
        resources.insert(position, Resource::of_alias(&self.alias));
        resources
    }
}

impl Lookup<'_> {
    /// The key that an identifier names, in the forms that the operation accepts.
    pub(crate) async fn key(&self, text: &str) -> Result<OneKey, ServiceError> {
        let reference = KeyRef::parse(text).map_err(|error| match error {
            KeyRefError::InvalidKeyId => ServiceError::invalid_key_id(text),
            KeyRefError::InvalidArn => ServiceError::invalid_arn(self.spec.invalid_arn, text),
        })?;
        if self.spec.key_forms == KeyForms::Key {
            match reference {
                KeyRef::AliasName(_) => return Err(ServiceError::invalid_key_id(text)),
                KeyRef::AliasArn(_) => {
                    return Err(ServiceError::alias_arn_unsupported(self.spec.invalid_arn));
                }
                KeyRef::KeyId(_) | KeyRef::KeyArn(_) => {}
            }
        }
        let (account, region) = (self.call.account(), self.call.region);
        match reference {
            KeyRef::KeyId(key_id) => self.key_at(&KeyArn { region, account, key_id }).await,
            KeyRef::KeyArn(arn) => self.key_at(&arn).await,
            KeyRef::AliasName(alias) => self.alias(&AliasArn { region, account, alias }).await,
            KeyRef::AliasArn(arn) => self.alias(&arn).await,
        }
    }

    async fn key_at(&self, arn: &KeyArn) -> Result<OneKey, ServiceError> {
        self.refuse_another_region(arn.region)?;
        let found = self.host.key((arn.region, arn.key_id)).await?;
        match found.filter(|key| key.account() == arn.account) {
            Some(key) => {
                self.refuse_another_account(arn.account, key.arn_text())?;
                Ok(OneKey { key, named_by: NamedBy::Key })
            }
            None if arn.account == self.call.account() => Err(ServiceError::key_not_found(arn)),
            None => Err(self.invisible(&arn.to_string())),
        }
    }

    async fn alias(&self, arn: &AliasArn) -> Result<OneKey, ServiceError> {
        self.refuse_another_region(arn.region)?;
        let target = self.host.alias_target(arn.account, arn.region, &arn.alias).await?;
        let Some(key_id) = target else {
            if arn.account != self.call.account() {
                return Err(self.invisible(&arn.to_string()));
            }
            let key = managed_keys::unmade(self, arn)?;
            let key = key.ok_or_else(|| ServiceError::alias_not_found(arn))?;
            return Ok(OneKey { key, named_by: NamedBy::Alias(arn.alias.clone()) });
        };
        let key = self.host.key((arn.region, key_id)).await?;
        // The alias and its key were read one after the other; a key that no longer lists the alias has lost it since.
        match key.filter(|key| key.record().aliases.iter().any(|row| row.alias == arn.alias)) {
            Some(key) => {
                self.refuse_another_account(arn.account, &arn.to_string())?;
                Ok(OneKey { key, named_by: NamedBy::Alias(arn.alias.clone()) })
            }
            None => Err(ServiceError::alias_not_found(arn)),
        }
    }

    /// The key that an alias shall stand for: never named by another alias, never of another account.
    async fn alias_target(&self, text: &str) -> Result<Arc<KeySnapshot>, ServiceError> {
        if matches!(KeyRef::parse(text), Ok(KeyRef::AliasName(_) | KeyRef::AliasArn(_))) {
            return Err(ServiceError::validation("Aliases must refer to keys. Not aliases"));
        }
        Ok(self.key(text).await?.key)
    }

    async fn key_of_ciphertext(&self, blob: &[u8]) -> Result<OneKey, ServiceError> {
        let Ok(blob) = Blob::parse(blob) else {
            return Err(ServiceError::bare(ErrorCode::InvalidCiphertextException));
        };
        match self.host.key((self.call.region, blob.header().key_id)).await? {
            Some(key) => Ok(OneKey { key, named_by: NamedBy::Ciphertext }),
            None => Err(ServiceError::ciphertext_of_unknown_key()),
        }
    }

    fn refuse_another_region(&self, region: Region) -> Result<(), ServiceError> {
        match region == self.call.region {
            true => Ok(()),
            false => Err(ServiceError::arn_of_another_region(region)),
        }
    }

    /// Operations that AWS keeps within the account answer as if the key could not be seen.
    fn refuse_another_account(
        &self,
        account: AccountId,
        resource: &str,
    ) -> Result<(), ServiceError> {
        match self.spec.cross_account || account == self.call.account() {
            true => Ok(()),
            false => Err(self.invisible(resource)),
        }
    }

    /// What a caller of another account learns of a key that does not exist: the same as of one that is not shared.
    fn invisible(&self, resource: &str) -> ServiceError {
        self.invisible_to(self.spec.action(self.position), resource)
    }

    /// The same for one of the actions that the operation asks about.
    pub(crate) fn invisible_to(&self, action: &str, resource: &str) -> ServiceError {
        let because = format!("because no resource-based policy allows the {action} action");
        ServiceError::access_denied(&self.call.principal().arn, action, resource, &because)
    }
}
