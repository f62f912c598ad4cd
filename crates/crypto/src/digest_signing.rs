//! The key that signs the digest files of a trail: RSA of 2,048 bits, RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, section 8.2).
//!
//! CloudTrail calls the algorithm `SHA256withRSA`. Signing one message twice gives one signature, so a digest that is written
//! again after a crash is the same file.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey,
};

use crate::{CryptoError, InvalidKeyMaterial, SecretBytes};

/// A private key that signs digest files.
pub struct DigestSigningKey(KeyPair);

impl DigestSigningKey {
    /// Makes a key. Takes up to a second.
    ///
    /// # Errors
    /// Failures of the cryptographic module.
    pub fn generate() -> Result<DigestSigningKey, CryptoError> {
        Ok(DigestSigningKey(KeyPair::generate(KeySize::Rsa2048)?))
    }

    /// Reads what [`DigestSigningKey::to_pkcs8`] wrote.
    ///
    /// # Errors
    /// [`InvalidKeyMaterial`] for anything else.
    pub fn from_pkcs8(bytes: &[u8]) -> Result<DigestSigningKey, InvalidKeyMaterial> {
        Ok(DigestSigningKey(KeyPair::from_pkcs8(bytes).map_err(|_| InvalidKeyMaterial::Unsound)?))
    }

    /// `PrivateKeyInfo` (RFC 5958) in DER.
    ///
    /// # Errors
    /// Failures of the cryptographic module.
    pub fn to_pkcs8(&self) -> Result<SecretBytes, CryptoError> {
        let der: Pkcs8V1Der<'_> = self.0.as_der()?;
        Ok(SecretBytes::copy(der.as_ref()))
    }

    /// `RSAPublicKey` (RFC 8017, appendix A.1.1) in DER, as CloudTrail's ListPublicKeys tells it.
    #[must_use]
    pub fn public_key_der(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    /// The signature of a message.
    ///
    /// # Errors
    /// Failures of the cryptographic module.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)?;
        Ok(signature)
    }
}

/// Whether a signature is that of the key of an `RSAPublicKey` in DER for the message.
#[must_use]
pub fn verify(public_key_der: &[u8], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public_key_der)
        .verify(message, signature)
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_read_back_signs_alike_and_for_its_message_alone() {
        let key = DigestSigningKey::generate().unwrap();
        let read = DigestSigningKey::from_pkcs8(key.to_pkcs8().unwrap().expose()).unwrap();
        let signature = key.sign(b"digest").unwrap();
        assert_eq!(read.sign(b"digest").unwrap(), signature);
        assert_eq!(read.public_key_der(), key.public_key_der());
        assert!(verify(key.public_key_der(), b"digest", &signature));
        assert!(!verify(key.public_key_der(), b"digesT", &signature));
        let other = DigestSigningKey::generate().unwrap();
        assert!(!verify(other.public_key_der(), b"digest", &signature));
    }
}
