//! The domain keys: one line of versions for each purpose, each version wrapped by the root key.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crypto::fields::Fields;
use crypto::seal::{SealKey, SealKeys};
use crypto::token::TokenKey;
use crypto::{KEY_BYTES, Rng, SecretBytes, SecretKey};
use wire::names::{KeyId, KeyMaterialId};

use crate::arena::{Arena, KeySlot, SLOT_BYTES};
use crate::owned_keys::OwnedKeys;
use crate::{CustodyError, DeploymentId, OwnedKey, RootKey};

/// What a domain key is for. A key serves one purpose only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DomainPurpose {
    /// Wraps the material of KMS keys.
    Material,
    /// Seals rows of the store.
    RowSeal,
    /// Authenticates opaque tokens.
    Token,
    /// Wraps the private keys in import tokens, and opens secrets from before there were owned keys.
    Credential,
}

impl DomainPurpose {
    /// All purposes.
    pub const ALL: [DomainPurpose; 4] = [
        DomainPurpose::Material,
        DomainPurpose::RowSeal,
        DomainPurpose::Token,
        DomainPurpose::Credential,
    ];

    /// The name as stored and as bound into the wrapping.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            DomainPurpose::Material => "MATERIAL",
            DomainPurpose::RowSeal => "ROW_SEAL",
            DomainPurpose::Token => "TOKEN",
            DomainPurpose::Credential => "CREDENTIAL",
        }
    }
}

impl fmt::Display for DomainPurpose {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// A text is not the name of a purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a purpose of a domain key")]
pub struct InvalidPurpose;

impl FromStr for DomainPurpose {
    type Err = InvalidPurpose;

    fn from_str(text: &str) -> Result<DomainPurpose, InvalidPurpose> {
        DomainPurpose::ALL
            .into_iter()
            .find(|purpose| purpose.as_str() == text)
            .ok_or(InvalidPurpose)
    }
}

/// A domain key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedDomainKey {
    /// Its version within its purpose, from 1.
    pub version: u32,
    /// What it is for.
    pub purpose: DomainPurpose,
    /// The key wrapped by the root key, in the form of the root key's provider.
    pub wrapped: Vec<u8>,
    /// When it was made. Told to operators; decides nothing, and is not bound.
    pub created: jiff::Timestamp,
}

impl WrappedDomainKey {
    /// Wraps stored domain keys under another root key. Nothing else changes, so that whatever they wrap stays as it is.
    ///
    /// # Errors
    /// As [`Keyring::open`], with which the answer has been tried.
    pub fn rewrap(
        stored: &[WrappedDomainKey],
        old: &dyn RootKey,
        new: &dyn RootKey,
        deployment_id: DeploymentId,
    ) -> Result<Vec<WrappedDomainKey>, CustodyError> {
        let rewrapped = stored
            .iter()
            .map(|key| {
                let (purpose, version) = (key.purpose, key.version);
                let aad = domain_key_aad(deployment_id, purpose, version);
                let secret = match old.unwrap(&aad, &key.wrapped) {
                    Err(CustodyError::RootKeyRefused) => {
                        return Err(CustodyError::WrongRootKey { purpose, version });
                    }
                    unwrapped => unwrapped?,
                };
                Ok(WrappedDomainKey { wrapped: new.wrap(&aad, secret.expose())?, ..key.clone() })
            })
            .collect::<Result<Vec<_>, CustodyError>>()?;
        // What could not be opened at the next start is not stored now.
        Keyring::open(new, deployment_id, &rewrapped)?;
        Ok(rewrapped)
    }
}

/// The domain keys of a deployment, open.
pub struct Keyring {
    deployment_id: DeploymentId,
    material: Versions,
    row_seal: Versions,
    token: Versions,
    credential: Versions,
    owned: OwnedKeys,
}

/// All versions of the key of one purpose: the newest works, the older ones read what they made.
struct Versions {
    newest: DomainKey,
    older: Vec<DomainKey>,
}

struct DomainKey {
    version: u32,
    key: KeySlot,
}

/// Version of the first key of each purpose.
const FIRST_VERSION: u32 = 1;

impl Keyring {
    /// Draws the first domain key of each purpose and wraps it under the root key; the caller
    /// stores what is answered, and uses the keyring only when that is durable.
    ///
    /// # Errors
    /// Failures of chance, locked memory and the root key's provider.
    pub fn create(
        root: &dyn RootKey,
        deployment_id: DeploymentId,
        now: jiff::Timestamp,
        rng: &dyn Rng,
    ) -> Result<(Keyring, Vec<WrappedDomainKey>), CustodyError> {
        let arena = Arena::new(SLOT_BYTES)?;
        let wrapped = DomainPurpose::ALL
            .into_iter()
            .map(|purpose| {
                let key = arena.vacant_slot().ok_or(CustodyError::ArenaFull)?.draw(rng)?;
                let aad = domain_key_aad(deployment_id, purpose, FIRST_VERSION);
                let wrapped = root.wrap(&aad, key.key().expose())?;
                Ok(WrappedDomainKey { version: FIRST_VERSION, purpose, wrapped, created: now })
            })
            .collect::<Result<Vec<_>, CustodyError>>()?;
        // Opened from the wrapped form: what could not be opened at the next start is not
        // acknowledged now.
        let keyring = Keyring::open(root, deployment_id, &wrapped)?;
        Ok((keyring, wrapped))
    }

    /// Opens the stored domain keys with the root key.
    ///
    /// # Errors
    /// [`CustodyError::WrongRootKey`] when one does not open;
    /// [`CustodyError::DomainKeysIncomplete`] when a purpose has none, or two of one version;
    /// failures of locked memory and the root key's provider.
    pub fn open(
        root: &dyn RootKey,
        deployment_id: DeploymentId,
        stored: &[WrappedDomainKey],
    ) -> Result<Keyring, CustodyError> {
        let arena = Arena::new(stored.len() * SLOT_BYTES)?;
        let versions = |purpose| Versions::open(root, deployment_id, purpose, stored, &arena);
        Ok(Keyring {
            deployment_id,
            material: versions(DomainPurpose::Material)?,
            row_seal: versions(DomainPurpose::RowSeal)?,
            token: versions(DomainPurpose::Token)?,
            credential: versions(DomainPurpose::Credential)?,
            owned: OwnedKeys::new()?,
        })
    }

    /// The deployment whose keys these are.
    #[must_use]
    pub fn deployment_id(&self) -> DeploymentId {
        self.deployment_id
    }

    /// The keys that seal rows, all versions.
    #[must_use]
    pub fn seal_keys(&self) -> SealKeys {
        let seal_key = |key: &DomainKey| SealKey::new(key.version, key.key.key());
        let Versions { newest, older } = &self.row_seal;
        SealKeys::new(seal_key(newest), older.iter().map(seal_key).collect())
    }

    /// The key that authenticates tokens. Tokens are short-lived, so only the newest version
    /// counts.
    #[must_use]
    pub fn token_key(&self) -> TokenKey {
        TokenKey::new(self.token.newest.key.key())
    }

    /// Wraps a secret access key under the newest version of [`OwnedKey::AccessKeys`]; answers that version's number too.
    ///
    /// `aad` names whose credential it is ([`crypto::fields`]); deployment and version are bound
    /// besides.
    ///
    /// # Errors
    /// [`CustodyError::UnknownOwnedKeyVersion`] before an owned key is installed, and failures of the cryptographic module.
    pub fn wrap_credential(
        &self,
        aad: &[u8],
        secret: &[u8],
    ) -> Result<(u32, Vec<u8>), CustodyError> {
        self.wrap_under(OwnedKey::AccessKeys, |version| self.credential_aad(version, aad), secret)
    }

    /// Unwraps what [`Keyring::wrap_credential`] made with the same `aad`.
    ///
    /// # Errors
    /// [`CustodyError::InvalidCiphertext`] when it is another's credential or was altered;
    /// [`CustodyError::UnknownOwnedKeyVersion`] and [`CustodyError::UnknownDomainKey`] when there is no such version.
    pub fn unwrap_credential(
        &self,
        version: u32,
        aad: &[u8],
        wrapped: &[u8],
    ) -> Result<SecretBytes, CustodyError> {
        let aad = self.credential_aad(version, aad);
        self.unwrap_under(OwnedKey::AccessKeys, version, &aad, wrapped)
    }

    /// The id of material that somebody else made: `HMAC-SHA-256(K, encode("key material id", key id, material))` under the
    /// first key that seals rows.
    ///
    /// The same material imported into the same key has the same id, in every Region, and the id tells nothing of material
    /// that could be guessed. "KMS assigns a unique identifier to the key material based on the KMS key ID and the imported
    /// key material" (AWS KMS API reference, `ImportKeyMaterial`).
    #[must_use]
    pub fn key_material_id(&self, key_id: KeyId, material: &SecretBytes) -> KeyMaterialId {
        let Versions { newest, older } = &self.row_seal;
        let first = older.first().unwrap_or(newest);
        let parts = [b"key material id".as_slice(), key_id.as_str().as_bytes(), material.expose()];
        KeyMaterialId::from_bytes(SealKey::new(first.version, first.key.key()).tag(&parts))
    }

    /// The AWS owned keys in use.
    pub(crate) fn owned_keys(&self) -> &OwnedKeys {
        &self.owned
    }

    /// The newest key of a purpose and its version.
    pub(crate) fn newest_key(&self, purpose: DomainPurpose) -> (u32, &SecretKey) {
        let newest = &self.versions(purpose).newest;
        (newest.version, newest.key.key())
    }

    /// The key of a purpose and version.
    pub(crate) fn key(
        &self,
        purpose: DomainPurpose,
        version: u32,
    ) -> Result<&SecretKey, CustodyError> {
        let Versions { newest, older } = self.versions(purpose);
        std::iter::once(newest)
            .chain(older)
            .find(|key| key.version == version)
            .map(|key| key.key.key())
            .ok_or(CustodyError::UnknownDomainKey { purpose, version })
    }

    fn versions(&self, purpose: DomainPurpose) -> &Versions {
        match purpose {
            DomainPurpose::Material => &self.material,
            DomainPurpose::RowSeal => &self.row_seal,
            DomainPurpose::Token => &self.token,
            DomainPurpose::Credential => &self.credential,
        }
    }

    fn credential_aad(&self, version: u32, aad: &[u8]) -> Vec<u8> {
        Fields::new("keystead credential 1")
            .bytes(self.deployment_id.as_bytes())
            .number(version.into())
            .bytes(aad)
            .finish()
    }
}

impl Versions {
    /// Opens the versions of one purpose among the stored keys.
    fn open(
        root: &dyn RootKey,
        deployment_id: DeploymentId,
        purpose: DomainPurpose,
        stored: &[WrappedDomainKey],
        arena: &Arc<Arena>,
    ) -> Result<Versions, CustodyError> {
        let incomplete = CustodyError::DomainKeysIncomplete { purpose };
        let mut keys = stored
            .iter()
            .filter(|stored| stored.purpose == purpose)
            .map(|stored| DomainKey::open(root, deployment_id, stored, arena))
            .collect::<Result<Vec<_>, CustodyError>>()?;
        keys.sort_by_key(|key| key.version);
        if keys.array_windows().any(|[one, next]| one.version == next.version) {
            return Err(incomplete);
        }
        let newest = keys.pop().ok_or(incomplete)?;
        Ok(Versions { newest, older: keys })
    }
}

impl DomainKey {
    fn open(
        root: &dyn RootKey,
        deployment_id: DeploymentId,
        stored: &WrappedDomainKey,
        arena: &Arc<Arena>,
    ) -> Result<DomainKey, CustodyError> {
        let WrappedDomainKey { version, purpose, wrapped, created: _ } = stored;
        let (version, purpose) = (*version, *purpose);
        let wrong_root_key = CustodyError::WrongRootKey { purpose, version };
        let aad = domain_key_aad(deployment_id, purpose, version);
        let secret = match root.unwrap(&aad, wrapped) {
            Err(CustodyError::RootKeyRefused) => return Err(wrong_root_key),
            unwrapped => unwrapped?,
        };
        let Ok(secret) = <&[u8; KEY_BYTES]>::try_from(secret.expose()) else {
            return Err(wrong_root_key);
        };
        let slot = arena.vacant_slot().ok_or(CustodyError::ArenaFull)?;
        let key = slot.fill(|bytes| {
            let place = bytes.first_chunk_mut::<KEY_BYTES>().ok_or(CustodyError::ArenaFull)?;
            place.copy_from_slice(secret);
            Ok::<_, CustodyError>(())
        })?;
        Ok(DomainKey { version, key })
    }
}

/// `AAD = encode(label, deployment, purpose, version)`, with `encode` of [`crypto::fields`].
fn domain_key_aad(deployment_id: DeploymentId, purpose: DomainPurpose, version: u32) -> Vec<u8> {
    Fields::new("keystead domain key 1")
        .bytes(deployment_id.as_bytes())
        .text(purpose.as_str())
        .number(version.into())
        .finish()
}
