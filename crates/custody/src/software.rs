//! The custodian that keeps material in this process: unwrapped into locked memory, bounded, wiped
//! on eviction.

use std::sync::Arc;

use crypto::blob::{Blob, Header};
use crypto::data_key_pairs::{self, DataKeyPair};
use crypto::wrap::{self, WRAP_OVERHEAD_BYTES};
use crypto::{
    InvalidCiphertext, KEY_BYTES, Rng, SecretBytes, SecretKey, WorkingKey, key_material, rng,
    symmetric,
};
use foldhash::fast::RandomState;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{OptionsBuilder, UnitWeighter};
use wire::enums::{DataKeyPairSpec, EncryptionAlgorithmSpec, KeySpec, KeyUsage, MacAlgorithmSpec};

use crate::arena::{Arena, Backing, KeySlot};
use crate::working_keys::{HeldKey, WorkingKeys};
use crate::workshop::Workshop;
use crate::{
    Custodial, Custodian, CustodyError, DomainPurpose, Keyring, MaterialIdentity, Message,
    WrappedMaterial,
};

/// Size of the arena unless configured, in bytes: 16,384 keys.
pub const ARENA_BYTES_DEFAULT: usize = 1 << 20;

/// One slot in this many is left to requests whose material was evicted under them.
const SLOTS_FOR_EACH_SPARE: usize = 16;

/// Most parts that the cache is divided into, so that threads do not wait for each other.
const CACHE_SHARDS_MAX: usize = 16;

/// Fewest slots for each part of the cache: the fewer there are, the more unevenly they fill.
const SLOTS_FOR_EACH_SHARD: usize = 256;

/// Keeps unwrapped material in a locked [`Arena`] of fixed size.
///
/// The cache answers by the whole identity and only for the very wrapped bytes that were unwrapped;
/// whatever else a row holds must open under its identity's AAD first. An evicted key is wiped when
/// the last request that borrows it ends. When no slot is free, stored material is unwrapped for
/// the one request, and new material is not made.
pub struct SoftwareCustodian {
    keyring: Arc<Keyring>,
    rng: Arc<dyn Rng>,
    arena: Arc<Arena>,
    cache: MaterialCache,
    working_keys: Arc<WorkingKeys>,
    workshop: Arc<Workshop>,
}

type MaterialCache = Cache<
    MaterialIdentity,
    Arc<CachedMaterial>,
    UnitWeighter,
    RandomState,
    DefaultLifecycle<MaterialIdentity, Arc<CachedMaterial>>,
>;

/// Unwrapped material and what it was unwrapped from, side by side: each request reads both.
struct CachedMaterial {
    domain_key_version: u32,
    wrapped: [u8; WRAPPED_KEY_BYTES],
    slot: KeySlot,
}

/// Length of a wrapped key, in bytes.
const WRAPPED_KEY_BYTES: usize = KEY_BYTES + WRAP_OVERHEAD_BYTES;

impl CachedMaterial {
    /// Whether it was unwrapped from exactly this, so that no other row lives on what this one
    /// proved.
    fn is_of(&self, wrapped: &WrappedMaterial) -> bool {
        let WrappedMaterial { domain_key_version, bytes } = wrapped;
        self.domain_key_version == *domain_key_version && self.wrapped == bytes.as_slice()
    }
}

impl SoftwareCustodian {
    /// Makes a custodian with an arena of at least `arena_bytes` bytes, 64 for each symmetric key held, that leaves slow
    /// work to `workshop`.
    ///
    /// # Errors
    /// [`CustodyError::Arena`] when so much memory cannot be locked.
    pub fn new(
        keyring: Arc<Keyring>,
        rng: Arc<dyn Rng>,
        arena_bytes: usize,
        workshop: Arc<Workshop>,
    ) -> Result<SoftwareCustodian, CustodyError> {
        let arena = Arena::new(arena_bytes)?;
        let cache = material_cache(arena.slots());
        let working_keys = Arc::new(WorkingKeys::new(Arc::clone(&keyring), Arc::clone(&rng)));
        Ok(SoftwareCustodian { keyring, rng, arena, cache, working_keys, workshop })
    }

    /// Number of keys held unwrapped.
    #[must_use]
    pub fn keys_held(&self) -> usize {
        self.cache.len()
    }

    /// Number of keys that the arena has room for.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.arena.slots()
    }

    /// Number of slots in use: keys held, and evicted ones that a request still borrows.
    #[must_use]
    pub fn slots_taken(&self) -> usize {
        self.arena.slots_taken()
    }

    /// What kind of memory holds them.
    #[must_use]
    pub fn backing(&self) -> Backing {
        self.arena.backing()
    }

    /// Runs `operate` with the material of an identity: from the cache, or unwrapped and then
    /// cached.
    fn with_material<T>(
        &self,
        identity: &MaterialIdentity,
        wrapped: &WrappedMaterial,
        operate: impl FnOnce(&SecretKey) -> Result<T, CustodyError>,
    ) -> Result<T, CustodyError> {
        if let Some(cached) = self.cache.get(identity).filter(|cached| cached.is_of(wrapped)) {
            return operate(cached.slot.key());
        }
        match self.unwrap(identity, wrapped)? {
            Unwrapped::Held(cached) => {
                let cached = Arc::new(cached);
                self.cache.insert(*identity, Arc::clone(&cached));
                operate(cached.slot.key())
            }
            Unwrapped::ForThisRequest(key) => operate(&key),
        }
    }

    /// `K_I = unwrap(K_D, AAD, W)`, within locked memory if there is a slot.
    fn unwrap(
        &self,
        identity: &MaterialIdentity,
        wrapped: &WrappedMaterial,
    ) -> Result<Unwrapped, CustodyError> {
        let WrappedMaterial { domain_key_version, bytes } = wrapped;
        let domain_key_version = *domain_key_version;
        let refused = |_| CustodyError::MaterialRefused {
            key_id: identity.key_id,
            key_material_id: identity.key_material_id,
            domain_key_version,
        };
        let domain_key = self.keyring.key(DomainPurpose::Material, domain_key_version)?;
        let wrapped = <[u8; WRAPPED_KEY_BYTES]>::try_from(bytes.as_slice())
            .map_err(|_| refused(InvalidCiphertext))?;
        let aad = identity.aad(domain_key_version);
        match self.arena.vacant_slot() {
            Some(slot) => slot
                .fill(|place| wrap::unwrap_within(domain_key, &aad, &wrapped, place).map(drop))
                .map(|slot| Unwrapped::Held(CachedMaterial { domain_key_version, wrapped, slot })),
            None => wrap::unwrap(domain_key, &aad, &wrapped)
                .and_then(|key| SecretKey::from_slice(key.expose()).ok_or(InvalidCiphertext))
                .map(Unwrapped::ForThisRequest),
        }
        .map_err(refused)
    }

    fn generate_symmetric(
        &self,
        identity: &MaterialIdentity,
    ) -> Result<WrappedMaterial, CustodyError> {
        let slot = self.arena.vacant_slot().ok_or(CustodyError::ArenaFull)?;
        let material = slot.draw(&*self.rng)?;
        self.keep_symmetric(identity, &material)
    }

    fn keep_symmetric(
        &self,
        identity: &MaterialIdentity,
        material: &KeySlot,
    ) -> Result<WrappedMaterial, CustodyError> {
        let (domain_key_version, domain_key) = self.keyring.newest_key(DomainPurpose::Material);
        let aad = identity.aad(domain_key_version);
        let bytes = wrap::wrap(domain_key, &aad, material.key().expose())?;
        let wrapped = WrappedMaterial { domain_key_version, bytes };
        self.test(identity, &wrapped, material.key())?;
        Ok(wrapped)
    }

    /// Copies material that came from outside into locked memory.
    fn slot_of(&self, material: &SecretBytes) -> Result<KeySlot, CustodyError> {
        let key: &[u8; KEY_BYTES] =
            material.expose().try_into().map_err(|_| CustodyError::InvalidKeyMaterial)?;
        let slot = self.arena.vacant_slot().ok_or(CustodyError::ArenaFull)?;
        slot.fill(|bytes| {
            let place = bytes.first_chunk_mut::<KEY_BYTES>().ok_or(CustodyError::ArenaFull)?;
            place.copy_from_slice(key);
            Ok(())
        })
    }

    /// Uses a private key: RSA in the workshop, everything else, which takes a fraction of a millisecond, at once.
    async fn use_private_key<T: Send + 'static>(
        &self,
        identity: &MaterialIdentity,
        wrapped: &WrappedMaterial,
        work: impl FnOnce(&HeldKey) -> Result<T, CustodyError> + Send + 'static,
    ) -> Result<T, CustodyError> {
        if !is_rsa(identity.key_spec) {
            return work(&*self.working_keys.get(identity, wrapped)?);
        }
        let (identity, wrapped) = (*identity, wrapped.clone());
        let working_keys = Arc::clone(&self.working_keys);
        self.workshop.work(move || work(&*working_keys.get(&identity, &wrapped)?)).await
    }

    /// Decrypts through the wrapped form what was encrypted with the material itself.
    fn test(
        &self,
        identity: &MaterialIdentity,
        wrapped: &WrappedMaterial,
        material: &SecretKey,
    ) -> Result<(), CustodyError> {
        let plaintext: [u8; 32] = rng::array(&*self.rng)?;
        let context = crypto::encryption_context::encode_empty();
        let header = header_of(identity);
        let bytes = symmetric::encrypt(material, &header, &context, &plaintext, &*self.rng)?;
        let decrypted = Blob::parse(&bytes)
            .map_err(CustodyError::from)
            .and_then(|blob| self.decrypt_now(identity, wrapped, &context, &blob));
        match decrypted {
            Ok(decrypted) if decrypted.expose() == plaintext => Ok(()),
            Ok(_) | Err(_) => {
                self.forget(identity);
                Err(CustodyError::SelfTestFailed)
            }
        }
    }

    fn decrypt_now(
        &self,
        identity: &MaterialIdentity,
        wrapped: &WrappedMaterial,
        encoded_context: &[u8],
        blob: &Blob<'_>,
    ) -> Result<SecretBytes, CustodyError> {
        // The header is authenticated anyway; a blob of another key does not even reach the
        // material.
        if blob.header() != header_of(identity) {
            return Err(CustodyError::InvalidCiphertext);
        }
        self.with_material(identity, wrapped, |material| {
            Ok(symmetric::decrypt(material, blob, encoded_context)?)
        })
    }
}

impl Custodian for SoftwareCustodian {
    fn generate<'a>(&'a self, identity: &'a MaterialIdentity) -> Custodial<'a, WrappedMaterial> {
        Box::pin(async move {
            let key_spec = identity.key_spec;
            if key_spec == KeySpec::SymmetricDefault {
                return self.generate_symmetric(identity);
            }
            if is_rsa(key_spec) {
                let material = self.workshop.material(key_spec, &self.rng).await?;
                let (working_keys, identity) = (Arc::clone(&self.working_keys), *identity);
                return self.workshop.work(move || working_keys.keep(&identity, &material)).await;
            }
            self.working_keys.keep(identity, &key_material::generate(key_spec, &*self.rng)?)
        })
    }

    fn keep<'a>(
        &'a self,
        identity: &'a MaterialIdentity,
        material: &'a SecretBytes,
    ) -> Custodial<'a, WrappedMaterial> {
        Box::pin(async move {
            if identity.key_spec == KeySpec::SymmetricDefault {
                return self.keep_symmetric(identity, &self.slot_of(material)?);
            }
            if is_rsa(identity.key_spec) {
                let material = SecretBytes::new(material.expose().to_vec());
                let (working_keys, identity) = (Arc::clone(&self.working_keys), *identity);
                return self.workshop.work(move || working_keys.keep(&identity, &material)).await;
            }
            self.working_keys.keep(identity, material)
        })
    }

    fn rewrap<'a>(
        &'a self,
        identity: &'a MaterialIdentity,
        wrapped: &'a WrappedMaterial,
        next: &'a MaterialIdentity,
    ) -> Custodial<'a, WrappedMaterial> {
        Box::pin(async move {
            let material = self.working_keys.unwrap(identity, wrapped)?;
            self.keep(next, &material).await
        })
    }

    fn encrypt<'a>(
        &'a self,
        identity: &'a MaterialIdentity,
        wrapped: &'a WrappedMaterial,
        encoded_context: &'a [u8],
        plaintext: &'a [u8],
    ) -> Custodial<'a, Vec<u8>> {
        Box::pin(async move {
            let header = header_of(identity);
            self.with_material(identity, wrapped, |material| {
                Ok(symmetric::encrypt(material, &header, encoded_context, plaintext, &*self.rng)?)
            })
        })
    }

    fn decrypt<'a>(
        &'a self,
        identity: &'a MaterialIdentity,
        wrapped: &'a WrappedMaterial,
        encoded_context: &'a [u8],
        blob: Blob<'a>,
    ) -> Custodial<'a, SecretBytes> {
        Box::pin(async move { self.decrypt_now(identity, wrapped, encoded_context, &blob) })
    }

    fn public_key<'a>(
        &'a self,
        identity: &'a MaterialIdentity,
        wrapped: &'a WrappedMaterial,
    ) -> Custodial<'a, Vec<u8>> {
        Box::pin(async move {
            let held = self.working_keys.get(identity, wrapped)?;
            let key_spec = identity.key_spec;
            let public_key =
                held.key.public_key_der().ok_or(CustodyError::NotCapable { key_spec })?;
            Ok(public_key.to_vec())
        })
    }

    fn sign<'a>(
        &'a self,
        identity: &'a MaterialIdentity,
        wrapped: &'a WrappedMaterial,
        message: Message<'a>,
    ) -> Custodial<'a, Vec<u8>> {
        Box::pin(async move {
            let Message { signing_algorithm, message_type, bytes } = message;
            let (bytes, rng) = (bytes.to_vec(), Arc::clone(&self.rng));
            let sign = move |held: &HeldKey| {
                Ok(held.key.sign(signing_algorithm, message_type, &bytes, &*rng)?)
            };
            self.use_private_key(identity, wrapped, sign).await
        })
    }

    fn verify<'a>(
        &'a self,
        identity: &'a MaterialIdentity,
        wrapped: &'a WrappedMaterial,
        message: Message<'a>,
        signature: &'a [u8],
    ) -> Custodial<'a, bool> {
        Box::pin(async move {
            let Message { signing_algorithm, message_type, bytes } = message;
            let held = self.working_keys.get(identity, wrapped)?;
            Ok(held.key.verify(signing_algorithm, message_type, bytes, signature)?)
        })
    }

    fn encrypt_asymmetric<'a>(
        &'a self,
        identity: &'a MaterialIdentity,
        wrapped: &'a WrappedMaterial,
        algorithm: EncryptionAlgorithmSpec,
        plaintext: &'a [u8],
    ) -> Custodial<'a, Vec<u8>> {
        Box::pin(async move {
            let held = self.working_keys.get(identity, wrapped)?;
            Ok(held.key.encrypt(algorithm, plaintext, &*self.rng)?)
        })
    }

    fn decrypt_asymmetric<'a>(
        &'a self,
        identity: &'a MaterialIdentity,
        wrapped: &'a WrappedMaterial,
        algorithm: EncryptionAlgorithmSpec,
        ciphertext: &'a [u8],
    ) -> Custodial<'a, SecretBytes> {
        Box::pin(async move {
            let ciphertext = ciphertext.to_vec();
            let decrypt = move |held: &HeldKey| Ok(held.key.decrypt(algorithm, &ciphertext)?);
            self.use_private_key(identity, wrapped, decrypt).await
        })
    }

    fn mac<'a>(
        &'a self,
        identity: &'a MaterialIdentity,
        wrapped: &'a WrappedMaterial,
        algorithm: MacAlgorithmSpec,
        message: &'a [u8],
    ) -> Custodial<'a, Vec<u8>> {
        Box::pin(async move {
            Ok(self.working_keys.get(identity, wrapped)?.key.mac(algorithm, message)?)
        })
    }

    fn verify_mac<'a>(
        &'a self,
        identity: &'a MaterialIdentity,
        wrapped: &'a WrappedMaterial,
        algorithm: MacAlgorithmSpec,
        message: &'a [u8],
        mac: &'a [u8],
    ) -> Custodial<'a, bool> {
        Box::pin(async move {
            Ok(self.working_keys.get(identity, wrapped)?.key.verify_mac(algorithm, message, mac)?)
        })
    }

    fn derive_shared_secret<'a>(
        &'a self,
        identity: &'a MaterialIdentity,
        wrapped: &'a WrappedMaterial,
        public_key_der: &'a [u8],
    ) -> Custodial<'a, SecretBytes> {
        Box::pin(async move {
            Ok(self
                .working_keys
                .get(identity, wrapped)?
                .key
                .derive_shared_secret(public_key_der)?)
        })
    }

    fn encapsulate<'a>(
        &'a self,
        identity: &'a MaterialIdentity,
        wrapped: &'a WrappedMaterial,
    ) -> Custodial<'a, (SecretBytes, Vec<u8>)> {
        Box::pin(async move { Ok(self.working_keys.get(identity, wrapped)?.key.encapsulate()?) })
    }

    fn decapsulate<'a>(
        &'a self,
        identity: &'a MaterialIdentity,
        wrapped: &'a WrappedMaterial,
        ciphertext: &'a [u8],
    ) -> Custodial<'a, SecretBytes> {
        Box::pin(async move {
            Ok(self.working_keys.get(identity, wrapped)?.key.decapsulate(ciphertext)?)
        })
    }

    fn data_key_pair(&self, spec: DataKeyPairSpec) -> Custodial<'_, DataKeyPair> {
        Box::pin(async move {
            if !is_rsa(spec.key_spec()) {
                return Ok(data_key_pairs::generate(spec, &*self.rng)?);
            }
            let private_key_der = self.workshop.material(spec.key_spec(), &self.rng).await?;
            pair_of(spec, private_key_der)
        })
    }

    fn forget(&self, identity: &MaterialIdentity) {
        self.cache.remove(identity);
        self.working_keys.forget(identity);
    }
}

/// Material fresh from its wrapping.
enum Unwrapped {
    /// In locked memory.
    Held(CachedMaterial),
    /// In ordinary memory, wiped after use.
    ForThisRequest(SecretKey),
}

/// Whether working with the private key takes so long that requests must not wait for it.
fn is_rsa(key_spec: KeySpec) -> bool {
    matches!(key_spec, KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096)
}

/// RSA material is a private key in the very form that a pair has.
fn pair_of(
    spec: DataKeyPairSpec,
    private_key_der: SecretBytes,
) -> Result<DataKeyPair, CustodyError> {
    let key_spec = spec.key_spec();
    let key = WorkingKey::parse(key_spec, KeyUsage::SignVerify, private_key_der.expose())?;
    let public_key = key.public_key_der().ok_or(CustodyError::NotCapable { key_spec })?;
    Ok(DataKeyPair { public_key_der: public_key.to_vec(), private_key_der })
}

/// What a blob of this material says about its origin.
fn header_of(identity: &MaterialIdentity) -> Header {
    Header { key_id: identity.key_id, key_material_id: identity.key_material_id }
}

/// A cache for the material of an arena: fewer keys than slots, so that a key can be unwrapped
/// before another makes room for it.
fn material_cache(slots: usize) -> MaterialCache {
    let capacity = slots - (slots / SLOTS_FOR_EACH_SPARE).max(1);
    let options = OptionsBuilder::new()
        .estimated_items_capacity(capacity)
        .weight_capacity(u64::try_from(capacity).unwrap_or(u64::MAX))
        .shards((slots / SLOTS_FOR_EACH_SHARD).clamp(1, CACHE_SHARDS_MAX))
        .build()
        .expect("both capacities are set");
    Cache::with_options(options, UnitWeighter, RandomState::default(), DefaultLifecycle::default())
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use crypto::SystemRng;
    use wire::enums::{KeySpec, KeyUsage, OriginType};
    use wire::names::{KeyId, KeyMaterialId, Partition};

    use super::*;
    use crate::{DeploymentId, FileRootKey};

    fn custodian() -> SoftwareCustodian {
        let directory = tempfile::tempdir().unwrap();
        let root = FileRootKey::create(&directory.path().join("root-key"), &SystemRng).unwrap();
        let deployment_id = DeploymentId::from_bytes([1; 16]);
        let now = jiff::Timestamp::UNIX_EPOCH;
        let (keyring, _) = Keyring::create(&root, deployment_id, now, &SystemRng).unwrap();
        let workshop = Arc::new(Workshop::start());
        SoftwareCustodian::new(Arc::new(keyring), Arc::new(SystemRng), 1, workshop).unwrap()
    }

    fn identity() -> MaterialIdentity {
        MaterialIdentity {
            deployment_id: DeploymentId::from_bytes([1; 16]),
            partition: Partition::Aws,
            account: "111122223333".parse().unwrap(),
            region: "eu-central-1".parse().unwrap(),
            key_id: KeyId::from_uuid_bytes([7; 16]),
            key_material_id: KeyMaterialId::from_bytes([7; 32]),
            key_spec: KeySpec::SymmetricDefault,
            key_usage: KeyUsage::EncryptDecrypt,
            origin: OriginType::AwsKms,
        }
    }

    #[test]
    fn material_that_is_not_what_was_wrapped_fails_its_test() {
        let custodian = custodian();
        let wrapped = custodian.generate_symmetric(&identity()).unwrap();
        custodian.forget(&identity());
        let other = SecretKey::generate(&SystemRng).unwrap();
        let unreadable = WrappedMaterial { bytes: vec![1; WRAPPED_KEY_BYTES], ..wrapped.clone() };
        for wrapped in [wrapped, unreadable] {
            let tested = custodian.test(&identity(), &wrapped, &other);
            assert!(matches!(tested, Err(CustodyError::SelfTestFailed)));
            assert_eq!((custodian.keys_held(), custodian.slots_taken()), (0, 0));
        }
    }

    #[test]
    fn without_a_free_slot_stored_material_still_serves() {
        let custodian = custodian();
        let wrapped = custodian.generate_symmetric(&identity()).unwrap();
        custodian.forget(&identity());
        let taken: Vec<_> = std::iter::from_fn(|| custodian.arena.vacant_slot()).collect();
        assert_eq!(taken.len(), custodian.slots());
        let identity = identity();
        let mut encrypted = custodian.encrypt(&identity, &wrapped, &[], b"p");
        let Poll::Ready(Ok(blob)) =
            encrypted.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        else {
            panic!("software custody encrypts at once");
        };
        let blob = Blob::parse(&blob).unwrap();
        let decrypted = custodian.decrypt_now(&identity, &wrapped, &[], &blob).unwrap();
        assert_eq!(decrypted.expose(), b"p");
        assert_eq!(custodian.keys_held(), 0);
        assert!(matches!(custodian.generate_symmetric(&identity), Err(CustodyError::ArenaFull)));
        drop(taken);
        assert!(custodian.generate_symmetric(&identity).is_ok());
    }
}
