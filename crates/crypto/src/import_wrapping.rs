//! How key material is wrapped on its way here (`GetParametersForImport`, `ImportKeyMaterial`).

use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded};
use aws_lc_rs::rsa::{KeySize, PrivateDecryptingKey};
use wire::enums::{EncryptionAlgorithmSpec, WrappingAlgorithm, WrappingKeySpec};
use zeroize::Zeroizing;

use crate::rsa::EncryptionKey;
use crate::{CryptoError, InvalidCiphertext, InvalidKeyMaterial, SecretBytes};

/// The private key of one `GetParametersForImport`.
pub struct UnwrappingKey(EncryptionKey);

impl UnwrappingKey {
    /// A fresh key. Takes up to seconds, like every RSA key.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] for SM2, which is not built; [`CryptoError::Refused`] when the
    /// module refuses.
    pub fn generate(spec: WrappingKeySpec) -> Result<UnwrappingKey, CryptoError> {
        let size = match spec {
            WrappingKeySpec::Rsa2048 => KeySize::Rsa2048,
            WrappingKeySpec::Rsa3072 => KeySize::Rsa3072,
            WrappingKeySpec::Rsa4096 => KeySize::Rsa4096,
            WrappingKeySpec::Sm2 => return Err(CryptoError::Unsupported),
        };
        Ok(UnwrappingKey(EncryptionKey::new(PrivateDecryptingKey::generate(size)?)?))
    }

    /// Reads what [`UnwrappingKey::to_pkcs8`] wrote.
    ///
    /// # Errors
    /// [`InvalidKeyMaterial`] for anything else.
    pub fn from_pkcs8(bytes: &[u8]) -> Result<UnwrappingKey, InvalidKeyMaterial> {
        Ok(UnwrappingKey(EncryptionKey::new(PrivateDecryptingKey::from_pkcs8(bytes)?)?))
    }

    /// `PrivateKeyInfo` in DER (RFC 5208).
    ///
    /// # Errors
    /// [`CryptoError::Refused`] when the module refuses.
    pub fn to_pkcs8(&self) -> Result<SecretBytes, CryptoError> {
        Ok(self.0.to_pkcs8()?)
    }

    /// `SubjectPublicKeyInfo` in DER (RFC 5280).
    #[must_use]
    pub fn public_key_der(&self) -> &[u8] {
        self.0.public_key_der()
    }

    /// Unwraps key material.
    ///
    /// `RSAES_OAEP_*` is RFC 8017, 7.1. `RSA_AES_KEY_WRAP_*` is `CKM_RSA_AES_KEY_WRAP` of PKCS #11
    /// (version 3.0, 2.1.21) with an AES key of 256 bits: `RSAES-OAEP(K) || KWP-AE_K(material)`, the
    /// second after RFC 5649.
    ///
    /// # Errors
    /// [`InvalidCiphertext`] for every cause without telling which, `RSAES_PKCS1_V1_5` and `SM2PKE`
    /// too, which are not built.
    pub fn unwrap(
        &self,
        algorithm: WrappingAlgorithm,
        encrypted: &[u8],
    ) -> Result<SecretBytes, InvalidCiphertext> {
        match algorithm {
            WrappingAlgorithm::RsaesOaepSha1 => {
                self.0.decrypt(EncryptionAlgorithmSpec::RsaesOaepSha1, encrypted)
            }
            WrappingAlgorithm::RsaesOaepSha256 => {
                self.0.decrypt(EncryptionAlgorithmSpec::RsaesOaepSha256, encrypted)
            }
            WrappingAlgorithm::RsaAesKeyWrapSha1 => {
                self.unwrap_twice(EncryptionAlgorithmSpec::RsaesOaepSha1, encrypted)
            }
            WrappingAlgorithm::RsaAesKeyWrapSha256 => {
                self.unwrap_twice(EncryptionAlgorithmSpec::RsaesOaepSha256, encrypted)
            }
            WrappingAlgorithm::RsaesPkcs1V15 | WrappingAlgorithm::Sm2Pke => Err(InvalidCiphertext),
        }
    }

    fn unwrap_twice(
        &self,
        algorithm: EncryptionAlgorithmSpec,
        encrypted: &[u8],
    ) -> Result<SecretBytes, InvalidCiphertext> {
        let (encrypted_key, wrapped) =
            encrypted.split_at_checked(self.0.modulus_bytes()).ok_or(InvalidCiphertext)?;
        let key = self.0.decrypt(algorithm, encrypted_key)?;
        let key = AesKek::new(&AES_256, key.expose())?;
        let mut material = Zeroizing::new(vec![0; wrapped.len()]);
        let bytes = key.unwrap_with_padding(wrapped, &mut material)?.len();
        material.truncate(bytes);
        Ok(SecretBytes::new(std::mem::take(&mut *material)))
    }
}
