//! The trait of whatever keeps key material and works with it.

use std::pin::Pin;

use crypto::SecretBytes;
use crypto::blob::Blob;
use crypto::data_key_pairs::DataKeyPair;
use wire::enums::{
    DataKeyPairSpec, EncryptionAlgorithmSpec, MacAlgorithmSpec, MessageType, SigningAlgorithmSpec,
};

use crate::{CustodyError, MaterialIdentity};

/// What a custodian's operation answers: a future, since hardware and external key stores are asked
/// over a wire.
pub type Custodial<'a, T> = Pin<Box<dyn Future<Output = Result<T, CustodyError>> + Send + 'a>>;

/// Key material as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedMaterial {
    /// The version of the domain key that wraps it.
    pub domain_key_version: u32,
    /// The wrapped bytes, in the custodian's own form.
    pub bytes: Vec<u8>,
}

/// What is to be signed, and how to read it.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    /// The algorithm, one of the key's.
    pub signing_algorithm: SigningAlgorithmSpec,
    /// Whether `bytes` are the message, its digest or ML-DSA's message representative.
    pub message_type: MessageType,
    /// The bytes themselves.
    pub bytes: &'a [u8],
}

/// Keeps key material, so that nobody else need see it.
///
/// Every method that works with material takes the identity that it is bound to and its wrapped form. The caller has decided that the operation is allowed; a custodian refuses only what does not fit
/// together. Dropping a future before it is ready may or may not undo what it began; no operation
/// leaves anything behind but cached material.
pub trait Custodian: Send + Sync {
    /// Makes new material for an identity, of its spec.
    ///
    /// Before it answers, it has undone through the wrapped form what it did with the material, so
    /// that material which could not be read back is never acknowledged.
    ///
    /// # Errors
    /// [`CustodyError::SelfTestFailed`] when that test fails, [`CustodyError::Busy`] when too much
    /// is being made already, and the failures of chance and module.
    fn generate<'a>(&'a self, identity: &'a MaterialIdentity) -> Custodial<'a, WrappedMaterial>;

    /// Encrypts a plaintext under the material; answers the blob ([`crypto::symmetric`]).
    ///
    /// # Errors
    /// [`CustodyError::MaterialRefused`] and [`CustodyError::UnknownDomainKey`] when the stored row
    /// is not what it was, and the failures of chance and module.
    fn encrypt<'a>(
        &'a self,
        identity: &'a MaterialIdentity,
        wrapped: &'a WrappedMaterial,
        encoded_context: &'a [u8],
        plaintext: &'a [u8],
    ) -> Custodial<'a, Vec<u8>>;

    /// Decrypts a blob under the material that its header names.
    ///
    /// # Errors
    /// [`CustodyError::InvalidCiphertext`] when blob, context or material do not belong together;
    /// otherwise as [`Custodian::encrypt`].
    fn decrypt<'a>(
        &'a self,
        identity: &'a MaterialIdentity,
        wrapped: &'a WrappedMaterial,
        encoded_context: &'a [u8],
        blob: Blob<'a>,
    ) -> Custodial<'a, SecretBytes>;

    /// Takes material that somebody else made, in the form of [`crypto::key_material::import`],
    /// and tests it as [`Custodian::generate`] does.
    ///
    /// # Errors
    /// As [`Custodian::generate`].
    fn keep<'a>(
        &'a self,
        identity: &'a MaterialIdentity,
        material: &'a SecretBytes,
    ) -> Custodial<'a, WrappedMaterial>;

    /// Wraps the material of one identity for another: the same key in another Region.
    ///
    /// # Errors
    /// As [`Custodian::encrypt`].
    fn rewrap<'a>(
        &'a self,
        identity: &'a MaterialIdentity,
        wrapped: &'a WrappedMaterial,
        next: &'a MaterialIdentity,
    ) -> Custodial<'a, WrappedMaterial>;

    /// The public key as SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7) in DER.
    ///
    /// # Errors
    /// [`CustodyError::NotCapable`] when the key has none, else as [`Custodian::encrypt`].
    fn public_key<'a>(
        &'a self,
        identity: &'a MaterialIdentity,
        wrapped: &'a WrappedMaterial,
    ) -> Custodial<'a, Vec<u8>>;

    /// Signs; ECDSA signatures are DER (RFC 3279, section 2.2.3).
    ///
    /// # Errors
    /// [`CustodyError::Busy`], [`CustodyError::NotCapable`], else as [`Custodian::encrypt`].
    fn sign<'a>(
        &'a self,
        identity: &'a MaterialIdentity,
        wrapped: &'a WrappedMaterial,
        message: Message<'a>,
    ) -> Custodial<'a, Vec<u8>>;

    /// Whether a signature is the key's for that message.
    ///
    /// # Errors
    /// As [`Custodian::sign`].
    fn verify<'a>(
        &'a self,
        identity: &'a MaterialIdentity,
        wrapped: &'a WrappedMaterial,
        message: Message<'a>,
        signature: &'a [u8],
    ) -> Custodial<'a, bool>;

    /// Encrypts with the public key.
    ///
    /// # Errors
    /// As [`Custodian::sign`].
    fn encrypt_asymmetric<'a>(
        &'a self,
        identity: &'a MaterialIdentity,
        wrapped: &'a WrappedMaterial,
        algorithm: EncryptionAlgorithmSpec,
        plaintext: &'a [u8],
    ) -> Custodial<'a, Vec<u8>>;

    /// Decrypts with the private key.
    ///
    /// # Errors
    /// [`CustodyError::InvalidCiphertext`], else as [`Custodian::sign`].
    fn decrypt_asymmetric<'a>(
        &'a self,
        identity: &'a MaterialIdentity,
        wrapped: &'a WrappedMaterial,
        algorithm: EncryptionAlgorithmSpec,
        ciphertext: &'a [u8],
    ) -> Custodial<'a, SecretBytes>;

    /// The MAC of a message.
    ///
    /// # Errors
    /// As [`Custodian::sign`].
    fn mac<'a>(
        &'a self,
        identity: &'a MaterialIdentity,
        wrapped: &'a WrappedMaterial,
        algorithm: MacAlgorithmSpec,
        message: &'a [u8],
    ) -> Custodial<'a, Vec<u8>>;

    /// Whether a MAC is the key's for that message; compared in constant time.
    ///
    /// # Errors
    /// As [`Custodian::sign`].
    fn verify_mac<'a>(
        &'a self,
        identity: &'a MaterialIdentity,
        wrapped: &'a WrappedMaterial,
        algorithm: MacAlgorithmSpec,
        message: &'a [u8],
        mac: &'a [u8],
    ) -> Custodial<'a, bool>;

    /// The x-coordinate that ECDH gives with a peer's public key, in SubjectPublicKeyInfo DER.
    ///
    /// # Errors
    /// [`CustodyError::InvalidPublicKey`] when it is not one on the key's curve, else as
    /// [`Custodian::sign`].
    fn derive_shared_secret<'a>(
        &'a self,
        identity: &'a MaterialIdentity,
        wrapped: &'a WrappedMaterial,
        public_key_der: &'a [u8],
    ) -> Custodial<'a, SecretBytes>;

    /// A fresh shared secret and the ciphertext that carries it to the key (FIPS 203, section 6.2).
    ///
    /// # Errors
    /// As [`Custodian::sign`].
    fn encapsulate<'a>(
        &'a self,
        identity: &'a MaterialIdentity,
        wrapped: &'a WrappedMaterial,
    ) -> Custodial<'a, (SecretBytes, Vec<u8>)>;

    /// The shared secret that a ciphertext carries (FIPS 203, section 6.3).
    ///
    /// # Errors
    /// [`CustodyError::InvalidCiphertext`] for a wrong length alone; any other ciphertext gives a
    /// secret, as the standard has it. Else as [`Custodian::sign`].
    fn decapsulate<'a>(
        &'a self,
        identity: &'a MaterialIdentity,
        wrapped: &'a WrappedMaterial,
        ciphertext: &'a [u8],
    ) -> Custodial<'a, SecretBytes>;

    /// A key pair for use elsewhere.
    ///
    /// # Errors
    /// [`CustodyError::Busy`] and the failures of chance and module.
    fn data_key_pair(&self, spec: DataKeyPairSpec) -> Custodial<'_, DataKeyPair>;

    /// Drops cached material, as its deletion asks. The row must be gone first: an operation still
    /// under way with the old row would cache it once more.
    fn forget(&self, identity: &MaterialIdentity);
}
