//! AWS owned keys: the server's own KMS keys, under which it keeps its own secrets.
//!
//! "AWS owned keys are a collection of KMS keys that an AWS service owns and manages for use in multiple AWS accounts" (AWS KMS
//! Developer Guide, "AWS KMS keys"). Each version of one is 256-bit material like any other, wrapped by a domain key:
//!
//! ```text
//! W   = wrap(K_D, AAD, K_O)
//! AAD = encode("keystead owned key 1", deployment, name, key id, key material id, wrapping version, domain key version)
//! ```
//!
//! with `wrap` of [`crypto::wrap`]. The newest version wraps; the older ones unwrap what they wrapped, until nothing is left of
//! it. A secret names what wraps it by one number, the wrapping version. Below [`WRAPPING_VERSIONS_START`] it is a domain key's:
//! so secrets from before there were owned keys still open.

use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};

use crypto::fields::Fields;
use crypto::{KEY_BYTES, Rng, SecretBytes, SecretKey, rng, wrap};
use wire::names::{KeyId, KeyMaterialId};

use crate::arena::{Arena, KeySlot, SLOT_BYTES};
use crate::{CustodyError, DeploymentId, DomainPurpose, Keyring, WrappedMaterial};

/// The first number that names a version of an owned key; what is lower names a domain key.
pub const WRAPPING_VERSIONS_START: u32 = 1 << 24;

/// Most versions of one owned key at a time: the newest, and those whose secrets are still being moved.
pub const OWNED_KEY_VERSIONS_MAX: usize = 8;

/// Slots for all versions, old and new side by side while one set takes another's place.
const SLOTS_COUNT: usize = 2 * OwnedKey::ALL.len() * OWNED_KEY_VERSIONS_MAX;

/// An AWS owned key, by what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OwnedKey {
    /// Wraps secret access keys.
    AccessKeys,
    /// Seals session tokens and forward access tokens.
    SessionTokens,
}

impl OwnedKey {
    /// All of them.
    pub const ALL: [OwnedKey; 2] = [OwnedKey::AccessKeys, OwnedKey::SessionTokens];

    /// The name, as stored, bound into the wrapping and told to operators.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            OwnedKey::AccessKeys => "iam-access-keys",
            OwnedKey::SessionTokens => "sts-session-tokens",
        }
    }

    /// The number under which secrets name a version of the key, which counts from 1.
    #[must_use]
    pub const fn wrapping_version(self, version: u32) -> u32 {
        let start = match self {
            OwnedKey::AccessKeys => WRAPPING_VERSIONS_START,
            OwnedKey::SessionTokens => 2 * WRAPPING_VERSIONS_START,
        };
        start.saturating_add(version)
    }

    /// The version that such a number names; `None` if it is not one of this key.
    #[must_use]
    pub const fn version_of(self, wrapping_version: u32) -> Option<u32> {
        match wrapping_version.checked_sub(self.wrapping_version(0)) {
            Some(version) if version > 0 && version < WRAPPING_VERSIONS_START => Some(version),
            Some(_) | None => None,
        }
    }
}

/// A text is not the name of an owned key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an AWS owned key; expected iam-access-keys or sts-session-tokens")]
pub struct InvalidOwnedKey;

impl FromStr for OwnedKey {
    type Err = InvalidOwnedKey;

    fn from_str(text: &str) -> Result<OwnedKey, InvalidOwnedKey> {
        OwnedKey::ALL.into_iter().find(|key| key.as_str() == text).ok_or(InvalidOwnedKey)
    }
}

/// A version of an owned key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedKeyMaterial {
    /// Which owned key.
    pub owned_key: OwnedKey,
    /// The id of the KMS key, the same for all versions.
    pub key_id: KeyId,
    /// The id of this version's material.
    pub key_material_id: KeyMaterialId,
    /// The number under which secrets name it; see [`OwnedKey::wrapping_version`].
    pub wrapping_version: u32,
    /// The material, wrapped by a domain key.
    pub wrapped: WrappedMaterial,
}

impl OwnedKeyMaterial {
    fn aad(&self, deployment_id: DeploymentId, domain_key_version: u32) -> Vec<u8> {
        Fields::new("keystead owned key 1")
            .bytes(deployment_id.as_bytes())
            .text(self.owned_key.as_str())
            .text(self.key_id.as_str())
            .bytes(self.key_material_id.as_bytes())
            .number(self.wrapping_version.into())
            .number(domain_key_version.into())
            .finish()
    }
}

/// Versions of owned keys, unwrapped and not in use yet; see [`Keyring::install_owned_keys`].
pub struct OpenedOwnedKeys(Vec<OpenVersion>);

struct OpenVersion {
    owned_key: OwnedKey,
    wrapping_version: u32,
    key: KeySlot,
}

/// The owned keys in use.
pub(crate) struct OwnedKeys {
    arena: Arc<Arena>,
    versions: RwLock<Vec<OpenVersion>>,
}

impl OwnedKeys {
    /// None yet.
    pub(crate) fn new() -> Result<OwnedKeys, CustodyError> {
        let arena = Arena::new(SLOTS_COUNT * SLOT_BYTES)?;
        Ok(OwnedKeys { arena, versions: RwLock::default() })
    }
}

impl Keyring {
    /// Draws a version of an owned key and wraps it under the newest domain key. The caller stores it, and installs it when
    /// that is durable.
    ///
    /// Before it answers, it has opened the wrapped form: a version that could not be read back is never acknowledged.
    ///
    /// # Errors
    /// Failures of chance, locked memory and the cryptographic module.
    pub fn draw_owned_key(
        &self,
        owned_key: OwnedKey,
        key_id: KeyId,
        version: u32,
        rng: &dyn Rng,
    ) -> Result<OwnedKeyMaterial, CustodyError> {
        let slot = self.owned_keys().arena.vacant_slot().ok_or(CustodyError::ArenaFull)?;
        let key = slot.draw(rng)?;
        let (domain_key_version, domain_key) = self.newest_key(DomainPurpose::Material);
        let mut material = OwnedKeyMaterial {
            owned_key,
            key_id,
            key_material_id: KeyMaterialId::from_bytes(rng::array(rng)?),
            wrapping_version: owned_key.wrapping_version(version),
            wrapped: WrappedMaterial { domain_key_version, bytes: Vec::new() },
        };
        let aad = material.aad(self.deployment_id(), domain_key_version);
        material.wrapped.bytes = wrap::wrap(domain_key, &aad, key.key().expose())?;
        let opened = self.open_owned_key(&material)?;
        match opened.key.key().expose() == key.key().expose() {
            true => Ok(material),
            false => Err(CustodyError::SelfTestFailed),
        }
    }

    /// Unwraps versions of owned keys, so that installing them cannot fail.
    ///
    /// # Errors
    /// [`CustodyError::MaterialRefused`] when one was altered, swapped or copied; [`CustodyError::UnknownDomainKey`] and
    /// failures of locked memory.
    pub fn open_owned_keys(
        &self,
        stored: &[OwnedKeyMaterial],
    ) -> Result<OpenedOwnedKeys, CustodyError> {
        let mut opened = stored
            .iter()
            .map(|material| self.open_owned_key(material))
            .collect::<Result<Vec<_>, CustodyError>>()?;
        opened.sort_by_key(|version| version.wrapping_version);
        Ok(OpenedOwnedKeys(opened))
    }

    /// Puts these versions in place of all before: the newest of each key wraps from now on, and what is not among them is
    /// wiped.
    pub fn install_owned_keys(&self, opened: OpenedOwnedKeys) {
        // A plain assignment cannot panic half-way.
        let mut versions =
            self.owned_keys().versions.write().unwrap_or_else(PoisonError::into_inner);
        *versions = opened.0;
    }

    fn open_owned_key(&self, material: &OwnedKeyMaterial) -> Result<OpenVersion, CustodyError> {
        let OwnedKeyMaterial { owned_key, key_id, key_material_id, wrapping_version, wrapped } =
            material;
        let domain_key_version = wrapped.domain_key_version;
        let refused = CustodyError::MaterialRefused {
            key_id: *key_id,
            key_material_id: *key_material_id,
            domain_key_version,
        };
        if owned_key.version_of(*wrapping_version).is_none() {
            return Err(refused);
        }
        let domain_key = self.key(DomainPurpose::Material, domain_key_version)?;
        let aad = material.aad(self.deployment_id(), domain_key_version);
        let slot = self.owned_keys().arena.vacant_slot().ok_or(CustodyError::ArenaFull)?;
        let key = slot.fill(|place| {
            match wrap::unwrap_within(domain_key, &aad, &wrapped.bytes, place) {
                Ok(KEY_BYTES) => Ok(()),
                Ok(_) | Err(_) => Err(refused),
            }
        })?;
        Ok(OpenVersion { owned_key: *owned_key, wrapping_version: *wrapping_version, key })
    }

    /// `W = wrap(K_O, AAD, secret)` under the newest version; `aad` is made for the version's number, which is answered too.
    pub(crate) fn wrap_under(
        &self,
        owned_key: OwnedKey,
        aad: impl FnOnce(u32) -> Vec<u8>,
        secret: &[u8],
    ) -> Result<(u32, Vec<u8>), CustodyError> {
        let versions = self.owned_keys().versions.read().unwrap_or_else(PoisonError::into_inner);
        let newest = versions.iter().rfind(|version| version.owned_key == owned_key);
        let newest = newest.ok_or(CustodyError::UnknownOwnedKeyVersion {
            name: owned_key.as_str(),
            wrapping_version: owned_key.wrapping_version(0),
        })?;
        let number = newest.wrapping_version;
        Ok((number, wrap::wrap(newest.key.key(), &aad(number), secret)?))
    }

    /// Unwraps what that version of the owned key wrapped, or a domain key before there were owned keys.
    pub(crate) fn unwrap_under(
        &self,
        owned_key: OwnedKey,
        wrapping_version: u32,
        aad: &[u8],
        wrapped: &[u8],
    ) -> Result<SecretBytes, CustodyError> {
        let open = |key: &SecretKey| Ok(wrap::unwrap(key, aad, wrapped)?);
        if wrapping_version < WRAPPING_VERSIONS_START {
            return open(self.key(DomainPurpose::Credential, wrapping_version)?);
        }
        let versions = self.owned_keys().versions.read().unwrap_or_else(PoisonError::into_inner);
        let named = versions.iter().find(|version| {
            version.owned_key == owned_key && version.wrapping_version == wrapping_version
        });
        let name = owned_key.as_str();
        open(
            named.ok_or(CustodyError::UnknownOwnedKeyVersion { name, wrapping_version })?.key.key(),
        )
    }
}
