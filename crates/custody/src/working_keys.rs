//! Parsed keys of every kind but symmetric encryption, ready for the next request.
//!
//! A private key costs up to a millisecond to parse, so it is parsed once and kept while it is used. Its numbers then stand
//! in AWS-LC's own memory (of SM2 keys in the heap), not in the [`crate::arena`]: they are wiped when the key is dropped, and the process is kept
//! from core dumps and debuggers ([`crate::harden_process`]). `SECURITY.md` says what that leaves open.

use std::sync::Arc;

use crypto::{InvalidKeyMaterial, Rng, SecretBytes, WorkingKey, key_specs, wrap};
use foldhash::fast::RandomState;
use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache, DefaultLifecycle};
use wire::enums::{KeyUsage, MessageType};

use crate::{CustodyError, DomainPurpose, Keyring, MaterialIdentity, WrappedMaterial};

/// Parsed keys that are kept. An RSA-4096 key takes some 10 KB.
const KEYS_MAX: usize = 2048;

/// What new keys are tested with.
const TEST_MESSAGE: &[u8] = b"keystead key test";

/// See the module's text.
pub(crate) struct WorkingKeys {
    keyring: Arc<Keyring>,
    rng: Arc<dyn Rng>,
    cache: KeyCache,
}

type KeyCache = Cache<
    MaterialIdentity,
    Arc<HeldKey>,
    UnitWeighter,
    RandomState,
    DefaultLifecycle<MaterialIdentity, Arc<HeldKey>>,
>;

/// A parsed key and what it was unwrapped from.
pub(crate) struct HeldKey {
    wrapped: WrappedMaterial,
    pub(crate) key: WorkingKey,
}

impl WorkingKeys {
    pub(crate) fn new(keyring: Arc<Keyring>, rng: Arc<dyn Rng>) -> WorkingKeys {
        let cache = Cache::with(
            KEYS_MAX,
            u64::try_from(KEYS_MAX).unwrap_or(u64::MAX),
            UnitWeighter,
            RandomState::default(),
            DefaultLifecycle::default(),
        );
        WorkingKeys { keyring, rng, cache }
    }

    /// The parsed key of an identity, from the cache or unwrapped from exactly these bytes.
    pub(crate) fn get(
        &self,
        identity: &MaterialIdentity,
        wrapped: &WrappedMaterial,
    ) -> Result<Arc<HeldKey>, CustodyError> {
        if let Some(held) = self.cache.get(identity).filter(|held| held.wrapped == *wrapped) {
            return Ok(held);
        }
        let material = self.unwrap(identity, wrapped)?;
        let key = parse(identity, &material).map_err(|error| match error {
            // It opened under its whole identity: another build made the key.
            InvalidKeyMaterial::Unsupported => {
                CustodyError::NotCapable { key_spec: identity.key_spec }
            }
            InvalidKeyMaterial::WrongLength { .. } | InvalidKeyMaterial::Unsound => {
                refused(identity, wrapped)
            }
        })?;
        let held = Arc::new(HeldKey { wrapped: wrapped.clone(), key });
        self.cache.insert(*identity, Arc::clone(&held));
        Ok(held)
    }

    /// `K = unwrap(K_D, AAD, W)`, in ordinary memory that is wiped after use.
    pub(crate) fn unwrap(
        &self,
        identity: &MaterialIdentity,
        wrapped: &WrappedMaterial,
    ) -> Result<SecretBytes, CustodyError> {
        let WrappedMaterial { domain_key_version, bytes } = wrapped;
        let domain_key = self.keyring.key(DomainPurpose::Material, *domain_key_version)?;
        wrap::unwrap(domain_key, &identity.aad(*domain_key_version), bytes)
            .map_err(|_| refused(identity, wrapped))
    }

    /// Wraps material for an identity under the newest domain key.
    pub(crate) fn wrap(
        &self,
        identity: &MaterialIdentity,
        material: &SecretBytes,
    ) -> Result<WrappedMaterial, CustodyError> {
        let (domain_key_version, domain_key) = self.keyring.newest_key(DomainPurpose::Material);
        let bytes = wrap::wrap(domain_key, &identity.aad(domain_key_version), material.expose())?;
        Ok(WrappedMaterial { domain_key_version, bytes })
    }

    /// Wraps new material and shows that the key which comes back out of its wrapping undoes what the material itself does.
    pub(crate) fn keep(
        &self,
        identity: &MaterialIdentity,
        material: &SecretBytes,
    ) -> Result<WrappedMaterial, CustodyError> {
        let original = parse(identity, material).map_err(|_| CustodyError::InvalidKeyMaterial)?;
        let wrapped = self.wrap(identity, material)?;
        let tested = self
            .get(identity, &wrapped)
            .and_then(|held| agree(identity, &original, &held.key, &*self.rng));
        match tested {
            Ok(true) => Ok(wrapped),
            Ok(false) | Err(_) => {
                self.forget(identity);
                Err(CustodyError::SelfTestFailed)
            }
        }
    }

    pub(crate) fn forget(&self, identity: &MaterialIdentity) {
        self.cache.remove(identity);
    }
}

/// Whether one key undoes what the other does, in the key's usage.
fn agree(
    identity: &MaterialIdentity,
    original: &WorkingKey,
    restored: &WorkingKey,
    rng: &dyn Rng,
) -> Result<bool, CustodyError> {
    let row = key_specs::row(identity.key_spec);
    let not_capable = || CustodyError::NotCapable { key_spec: identity.key_spec };
    let message = TEST_MESSAGE;
    Ok(match identity.key_usage {
        KeyUsage::SignVerify => {
            let algorithm = *row.signing_algorithms.first().ok_or_else(not_capable)?;
            let signature = restored.sign(algorithm, MessageType::Raw, message, rng)?;
            original.verify(algorithm, MessageType::Raw, message, &signature)?
        }
        KeyUsage::EncryptDecrypt => {
            let algorithm = *row.encryption_algorithms.first().ok_or_else(not_capable)?;
            let ciphertext = original.encrypt(algorithm, message, rng)?;
            restored.decrypt(algorithm, &ciphertext)?.expose() == message
        }
        KeyUsage::GenerateVerifyMac => {
            let algorithm = *row.mac_algorithms.first().ok_or_else(not_capable)?;
            original.verify_mac(algorithm, message, &restored.mac(algorithm, message)?)?
        }
        KeyUsage::KeyAgreement => {
            let public_key = |key: &'_ WorkingKey| {
                key.public_key_der().map(<[u8]>::to_vec).ok_or_else(not_capable)
            };
            let one = original.derive_shared_secret(&public_key(restored)?)?;
            let other = restored.derive_shared_secret(&public_key(original)?)?;
            one.expose() == other.expose()
        }
        KeyUsage::EncapsulateDecapsulate => {
            let (secret, ciphertext) = original.encapsulate()?;
            restored.decapsulate(&ciphertext)?.expose() == secret.expose()
        }
    })
}

fn parse(
    identity: &MaterialIdentity,
    material: &SecretBytes,
) -> Result<WorkingKey, InvalidKeyMaterial> {
    WorkingKey::parse(identity.key_spec, identity.key_usage, material.expose())
}

fn refused(identity: &MaterialIdentity, wrapped: &WrappedMaterial) -> CustodyError {
    CustodyError::MaterialRefused {
        key_id: identity.key_id,
        key_material_id: identity.key_material_id,
        domain_key_version: wrapped.domain_key_version,
    }
}
