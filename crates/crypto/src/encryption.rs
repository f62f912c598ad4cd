//! What every key that encrypts with its public half has in common.

use wire::enums::EncryptionAlgorithmSpec;

use crate::{CryptoError, InvalidCiphertext, Rng, SecretBytes};

/// A key pair that encrypts and decrypts.
pub(crate) trait PublicKeyEncryption: Send + Sync {
    /// Encrypts. What RSA needs of chance AWS-LC draws inside its module; SM2 draws it from `rng`.
    fn encrypt(
        &self,
        algorithm: EncryptionAlgorithmSpec,
        plaintext: &[u8],
        rng: &dyn Rng,
    ) -> Result<Vec<u8>, CryptoError>;

    /// Decrypts, or fails in a way that says nothing.
    fn decrypt(
        &self,
        algorithm: EncryptionAlgorithmSpec,
        ciphertext: &[u8],
    ) -> Result<SecretBytes, InvalidCiphertext>;

    /// `SubjectPublicKeyInfo` in DER (RFC 5280).
    fn public_key_der(&self) -> &[u8];
}
