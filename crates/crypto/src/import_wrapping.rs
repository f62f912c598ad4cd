//! How key material is wrapped on its way here (`GetParametersForImport`, `ImportKeyMaterial`).

use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded};
use aws_lc_rs::rsa::PrivateDecryptingKey;
use wire::enums::{EncryptionAlgorithmSpec, KeySpec, WrappingAlgorithm, WrappingKeySpec};
use zeroize::Zeroizing;

use crate::encryption::PublicKeyEncryption;
#[cfg(feature = "sm2")]
use crate::sm2;
use crate::{
    CryptoError, InvalidCiphertext, InvalidKeyMaterial, Rng, SecretBytes, key_material, rsa,
};

/// The private key of one `GetParametersForImport`.
pub struct UnwrappingKey(Key);

enum Key {
    Rsa(rsa::EncryptionKey),
    #[cfg(feature = "sm2")]
    Sm2(sm2::EncryptionKey),
}

impl UnwrappingKey {
    /// A fresh key, with chance and cost as in [`crate::key_material::generate`].
    ///
    /// # Errors
    /// As [`crate::key_material::generate`].
    pub fn generate(spec: WrappingKeySpec, rng: &dyn Rng) -> Result<UnwrappingKey, CryptoError> {
        let key_spec = match spec {
            WrappingKeySpec::Rsa2048 => KeySpec::Rsa2048,
            WrappingKeySpec::Rsa3072 => KeySpec::Rsa3072,
            WrappingKeySpec::Rsa4096 => KeySpec::Rsa4096,
            WrappingKeySpec::Sm2 => KeySpec::Sm2,
        };
        let material = key_material::generate(key_spec, rng)?;
        UnwrappingKey::from_pkcs8(material.expose()).map_err(|_| CryptoError::Refused)
    }

    /// Reads what [`UnwrappingKey::to_pkcs8`] wrote.
    ///
    /// # Errors
    /// [`InvalidKeyMaterial`] for anything else.
    pub fn from_pkcs8(bytes: &[u8]) -> Result<UnwrappingKey, InvalidKeyMaterial> {
        #[cfg(feature = "sm2")]
        if let Ok(key) = sm2::EncryptionKey::parse(bytes) {
            return Ok(UnwrappingKey(Key::Sm2(key)));
        }
        let key = rsa::EncryptionKey::new(PrivateDecryptingKey::from_pkcs8(bytes)?)?;
        Ok(UnwrappingKey(Key::Rsa(key)))
    }

    /// `PrivateKeyInfo` in DER (RFC 5208).
    ///
    /// # Errors
    /// [`CryptoError::Refused`] when the module refuses.
    pub fn to_pkcs8(&self) -> Result<SecretBytes, CryptoError> {
        match &self.0 {
            Key::Rsa(key) => Ok(key.to_pkcs8()?),
            #[cfg(feature = "sm2")]
            Key::Sm2(key) => key.to_pkcs8(),
        }
    }

    /// `SubjectPublicKeyInfo` in DER (RFC 5280).
    #[must_use]
    pub fn public_key_der(&self) -> &[u8] {
        match &self.0 {
            Key::Rsa(key) => key.public_key_der(),
            #[cfg(feature = "sm2")]
            Key::Sm2(key) => key.public_key_der(),
        }
    }

    /// Unwraps key material.
    ///
    /// `RSAES_OAEP_*` is RFC 8017, 7.1. `RSA_AES_KEY_WRAP_*` is `CKM_RSA_AES_KEY_WRAP` of PKCS #11
    /// (version 3.0, 2.1.21) with an AES key of 256 bits: `RSAES-OAEP(K) || KWP-AE_K(material)`, the
    /// second after RFC 5649.
    ///
    /// `SM2PKE` is GB/T 32918.4, in the DER of [`crate::WorkingKey::encrypt`].
    ///
    /// # Errors
    /// [`InvalidCiphertext`] for every cause without telling which, an algorithm that is not the
    /// key's and `RSAES_PKCS1_V1_5`, which is not built, too.
    pub fn unwrap(
        &self,
        algorithm: WrappingAlgorithm,
        encrypted: &[u8],
    ) -> Result<SecretBytes, InvalidCiphertext> {
        match &self.0 {
            Key::Rsa(key) => unwrap_by_rsa(key, algorithm, encrypted),
            #[cfg(feature = "sm2")]
            Key::Sm2(key) if algorithm == WrappingAlgorithm::Sm2Pke => key.unwrap(encrypted),
            #[cfg(feature = "sm2")]
            Key::Sm2(_) => Err(InvalidCiphertext),
        }
    }
}

fn unwrap_by_rsa(
    key: &rsa::EncryptionKey,
    algorithm: WrappingAlgorithm,
    encrypted: &[u8],
) -> Result<SecretBytes, InvalidCiphertext> {
    match algorithm {
        WrappingAlgorithm::RsaesOaepSha1 => {
            key.decrypt(EncryptionAlgorithmSpec::RsaesOaepSha1, encrypted)
        }
        WrappingAlgorithm::RsaesOaepSha256 => {
            key.decrypt(EncryptionAlgorithmSpec::RsaesOaepSha256, encrypted)
        }
        WrappingAlgorithm::RsaAesKeyWrapSha1 => {
            unwrap_twice(key, EncryptionAlgorithmSpec::RsaesOaepSha1, encrypted)
        }
        WrappingAlgorithm::RsaAesKeyWrapSha256 => {
            unwrap_twice(key, EncryptionAlgorithmSpec::RsaesOaepSha256, encrypted)
        }
        WrappingAlgorithm::RsaesPkcs1V15 | WrappingAlgorithm::Sm2Pke => Err(InvalidCiphertext),
    }
}

fn unwrap_twice(
    key: &rsa::EncryptionKey,
    algorithm: EncryptionAlgorithmSpec,
    encrypted: &[u8],
) -> Result<SecretBytes, InvalidCiphertext> {
    let (encrypted_key, wrapped) =
        encrypted.split_at_checked(key.modulus_bytes()).ok_or(InvalidCiphertext)?;
    let key = key.decrypt(algorithm, encrypted_key)?;
    let key = AesKek::new(&AES_256, key.expose())?;
    let mut material = Zeroizing::new(vec![0; wrapped.len()]);
    let bytes = key.unwrap_with_padding(wrapped, &mut material)?.len();
    material.truncate(bytes);
    Ok(SecretBytes::new(std::mem::take(&mut *material)))
}
