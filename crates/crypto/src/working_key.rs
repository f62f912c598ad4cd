//! Keys at work: parsed once, used by every request and thread.

use wire::enums::{
    EncryptionAlgorithmSpec, KeySpec, KeyUsage, MacAlgorithmSpec, MessageType, SigningAlgorithmSpec,
};

use crate::agreement::Agreement;
use crate::encryption::PublicKeyEncryption;
use crate::family::Family;
use crate::signing::Signer;
#[cfg(feature = "sm2")]
use crate::sm2;
use crate::{
    CryptoError, InvalidCiphertext, InvalidKeyMaterial, InvalidPublicKey, Rng, SecretBytes, ec,
    ed25519, hmac, ml_dsa, ml_kem, rsa,
};

/// A key of any spec but `SYMMETRIC_DEFAULT` ([`crate::symmetric`] takes its material as it is),
/// ready for requests of its usage.
///
/// Parsing costs up to milliseconds, so a key is parsed once and kept; no operation parses or copies
/// it again. What is held of it is wiped when it is dropped. It has no `Debug` and no `Clone`:
///
/// ```compile_fail,E0277
/// fn shown<T: std::fmt::Debug>() {}
/// shown::<crypto::WorkingKey>();
/// ```
/// ```compile_fail,E0277
/// fn copied<T: Clone>() {}
/// copied::<crypto::WorkingKey>();
/// ```
pub struct WorkingKey(Key);

enum Key {
    Hmac(Box<hmac::MacKey>),
    Signing(Box<dyn Signer>),
    Encryption(Box<dyn PublicKeyEncryption>),
    Agreement(Box<dyn Agreement>),
    MlKem(ml_kem::KeyPair),
}

impl WorkingKey {
    /// Parses material, as [`crate::key_material`] gives it, for a usage of its spec.
    ///
    /// # Errors
    /// [`InvalidKeyMaterial::Unsupported`] for `SYMMETRIC_DEFAULT`, a spec that is not built and a
    /// usage that the spec has not; else [`InvalidKeyMaterial`] when it is not material of the spec.
    pub fn parse(
        key_spec: KeySpec,
        key_usage: KeyUsage,
        material: &[u8],
    ) -> Result<WorkingKey, InvalidKeyMaterial> {
        let key = match (Family::of(key_spec), key_usage) {
            (Family::Hmac(hash), KeyUsage::GenerateVerifyMac) => {
                Key::Hmac(Box::new(hmac::MacKey::parse(hash, material)?))
            }
            (Family::Rsa(size), KeyUsage::SignVerify) => {
                Key::Signing(Box::new(rsa::SigningKey::parse(size, material)?))
            }
            (Family::Rsa(size), KeyUsage::EncryptDecrypt) => {
                Key::Encryption(Box::new(rsa::EncryptionKey::parse(size, material)?))
            }
            (Family::Ec(curve), KeyUsage::SignVerify) => {
                Key::Signing(Box::new(ec::SigningKey::parse(curve, material)?))
            }
            (Family::Ec(curve), KeyUsage::KeyAgreement) => {
                Key::Agreement(Box::new(ec::AgreementKey::parse(curve, material)?))
            }
            (Family::Ed25519, KeyUsage::SignVerify) => {
                Key::Signing(Box::new(ed25519::SigningKey::parse(material)?))
            }
            (Family::MlDsa(parameter_set), KeyUsage::SignVerify) => {
                Key::Signing(Box::new(ml_dsa::SigningKey::parse(parameter_set, material)?))
            }
            (Family::MlKem(parameter_set), KeyUsage::EncapsulateDecapsulate) => {
                Key::MlKem(ml_kem::KeyPair::parse(parameter_set, material)?)
            }
            #[cfg(feature = "sm2")]
            (Family::Sm2, KeyUsage::SignVerify) => {
                Key::Signing(Box::new(sm2::SigningKey::parse(material)?))
            }
            #[cfg(feature = "sm2")]
            (Family::Sm2, KeyUsage::EncryptDecrypt) => {
                Key::Encryption(Box::new(sm2::EncryptionKey::parse(material)?))
            }
            #[cfg(feature = "sm2")]
            (Family::Sm2, KeyUsage::KeyAgreement) => {
                Key::Agreement(Box::new(sm2::AgreementKey::parse(material)?))
            }
            _ => return Err(InvalidKeyMaterial::Unsupported),
        };
        Ok(WorkingKey(key))
    }

    /// The public key as `SubjectPublicKeyInfo` in DER (RFC 5280), as `GetPublicKey` gives it; `None`
    /// for HMAC.
    #[must_use]
    pub fn public_key_der(&self) -> Option<&[u8]> {
        match &self.0 {
            Key::Hmac(_) => None,
            Key::Signing(key) => Some(key.verifier().public_key_der()),
            Key::Encryption(key) => Some(key.public_key_der()),
            Key::Agreement(key) => Some(key.public_key_der()),
            Key::MlKem(key) => Some(key.public_key_der()),
        }
    }

    /// Signs a message ([`MessageType::Raw`]), its digest ([`MessageType::Digest`]) or ML-DSA's mu
    /// ([`MessageType::ExternalMu`]).
    ///
    /// ECDSA signatures are DER; the salt of PSS is as long as the digest; ML-DSA's context is empty.
    /// AWS-LC draws what it needs of chance inside its module; SM2 draws it from `rng`.
    ///
    /// # Errors
    /// [`CryptoError::WrongLength`] for a digest or mu of the wrong length;
    /// [`CryptoError::Unsupported`] for an algorithm that is not the key's, or that does not go with
    /// the message type; [`CryptoError::Refused`] when the module refuses.
    pub fn sign(
        &self,
        algorithm: SigningAlgorithmSpec,
        message_type: MessageType,
        message: &[u8],
        rng: &dyn Rng,
    ) -> Result<Vec<u8>, CryptoError> {
        let Key::Signing(key) = &self.0 else { return Err(CryptoError::Unsupported) };
        key.sign(algorithm, message_type, message, rng)
    }

    /// Whether the signature is one of the message; `Ok(false)` when it is not, or is malformed.
    ///
    /// # Errors
    /// As [`WorkingKey::sign`].
    pub fn verify(
        &self,
        algorithm: SigningAlgorithmSpec,
        message_type: MessageType,
        message: &[u8],
        signature: &[u8],
    ) -> Result<bool, CryptoError> {
        let Key::Signing(key) = &self.0 else { return Err(CryptoError::Unsupported) };
        key.verifier().verify(algorithm, message_type, message, signature)
    }

    /// Encrypts with RSAES-OAEP and the empty label, or with SM2PKE, whose chance is drawn from `rng`.
    ///
    /// # Errors
    /// [`CryptoError::TooLong`] above [`crate::key_specs::plaintext_bytes_max`];
    /// [`CryptoError::Unsupported`] for another key or algorithm; [`CryptoError::Refused`] when the
    /// module refuses.
    pub fn encrypt(
        &self,
        algorithm: EncryptionAlgorithmSpec,
        plaintext: &[u8],
        rng: &dyn Rng,
    ) -> Result<Vec<u8>, CryptoError> {
        let Key::Encryption(key) = &self.0 else { return Err(CryptoError::Unsupported) };
        key.encrypt(algorithm, plaintext, rng)
    }

    /// Decrypts what [`WorkingKey::encrypt`], or anyone with the public key, encrypted.
    ///
    /// # Errors
    /// [`InvalidCiphertext`] for every cause, another key or algorithm too, without telling which.
    pub fn decrypt(
        &self,
        algorithm: EncryptionAlgorithmSpec,
        ciphertext: &[u8],
    ) -> Result<SecretBytes, InvalidCiphertext> {
        let Key::Encryption(key) = &self.0 else { return Err(InvalidCiphertext) };
        key.decrypt(algorithm, ciphertext)
    }

    /// The HMAC of a message, whole.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] for another key or algorithm.
    pub fn mac(&self, algorithm: MacAlgorithmSpec, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let Key::Hmac(key) = &self.0 else { return Err(CryptoError::Unsupported) };
        key.mac(algorithm, message)
    }

    /// Whether `mac` is the HMAC of the message, compared in constant time; a truncated one is not.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] for another key or algorithm.
    pub fn verify_mac(
        &self,
        algorithm: MacAlgorithmSpec,
        message: &[u8],
        mac: &[u8],
    ) -> Result<bool, CryptoError> {
        let Key::Hmac(key) = &self.0 else { return Err(CryptoError::Unsupported) };
        key.verify_mac(algorithm, message, mac)
    }

    /// The x-coordinate that ECDH agrees on with a peer, as long as the curve's field. It is no key
    /// yet: the caller's caller derives one.
    ///
    /// # Errors
    /// [`InvalidPublicKey`] when the peer's is not what `GetPublicKey` gives for a key on the same
    /// curve, and for a key that agrees on nothing.
    pub fn derive_shared_secret(
        &self,
        public_key_der: &[u8],
    ) -> Result<SecretBytes, InvalidPublicKey> {
        let Key::Agreement(key) = &self.0 else { return Err(InvalidPublicKey) };
        key.derive_shared_secret(public_key_der)
    }

    /// A fresh shared secret of 32 bytes, and its ciphertext of 768, 1,088 or 1,568 bytes.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] for another key; [`CryptoError::Refused`] when the module
    /// refuses.
    pub fn encapsulate(&self) -> Result<(SecretBytes, Vec<u8>), CryptoError> {
        let Key::MlKem(key) = &self.0 else { return Err(CryptoError::Unsupported) };
        Ok(key.encapsulate()?)
    }

    /// The shared secret of a ciphertext. A forged one of the right length gives another secret, not
    /// an error (FIPS 203, 6.3: implicit rejection).
    ///
    /// # Errors
    /// [`InvalidCiphertext`] for a wrong length, and for another key.
    pub fn decapsulate(&self, ciphertext: &[u8]) -> Result<SecretBytes, InvalidCiphertext> {
        let Key::MlKem(key) = &self.0 else { return Err(InvalidCiphertext) };
        key.decapsulate(ciphertext)
    }
}
