//! HMAC keys of the KMS (FIPS 198-1).

use aws_lc_rs::hmac;
use wire::enums::MacAlgorithmSpec;

use crate::{CryptoError, InvalidKeyMaterial, Rng, RngError, SecretBytes};

/// A hash function of FIPS 180-4 and the one algorithm of its keys.
pub(crate) struct Hash {
    hmac: hmac::Algorithm,
    algorithm: MacAlgorithmSpec,
}

pub(crate) static SHA_224: Hash =
    Hash { hmac: hmac::HMAC_SHA224, algorithm: MacAlgorithmSpec::HmacSha224 };
pub(crate) static SHA_256: Hash =
    Hash { hmac: hmac::HMAC_SHA256, algorithm: MacAlgorithmSpec::HmacSha256 };
pub(crate) static SHA_384: Hash =
    Hash { hmac: hmac::HMAC_SHA384, algorithm: MacAlgorithmSpec::HmacSha384 };
pub(crate) static SHA_512: Hash =
    Hash { hmac: hmac::HMAC_SHA512, algorithm: MacAlgorithmSpec::HmacSha512 };

impl Hash {
    /// Length of a key, in bytes: that of the digest, as AWS has it.
    pub(crate) fn key_bytes(&self) -> usize {
        self.hmac.digest_algorithm().output_len()
    }

    pub(crate) fn generate(&self, rng: &dyn Rng) -> Result<SecretBytes, RngError> {
        SecretBytes::generate(self.key_bytes(), rng)
    }
}

/// A key with both pads already absorbed. AWS-LC wipes it when dropped.
pub(crate) struct MacKey {
    hash: &'static Hash,
    key: hmac::Key,
}

impl MacKey {
    pub(crate) fn parse(
        hash: &'static Hash,
        material: &[u8],
    ) -> Result<MacKey, InvalidKeyMaterial> {
        InvalidKeyMaterial::unless_length(material, hash.key_bytes())?;
        Ok(MacKey { hash, key: hmac::Key::new(hash.hmac, material) })
    }

    /// `T = HMAC(K, M)`, not truncated.
    pub(crate) fn mac(
        &self,
        algorithm: MacAlgorithmSpec,
        message: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.only(algorithm)?;
        Ok(hmac::sign(&self.key, message).as_ref().to_vec())
    }

    /// Whether `mac` is the whole of T, in constant time.
    pub(crate) fn verify_mac(
        &self,
        algorithm: MacAlgorithmSpec,
        message: &[u8],
        mac: &[u8],
    ) -> Result<bool, CryptoError> {
        self.only(algorithm)?;
        Ok(hmac::verify(&self.key, message, mac).is_ok())
    }

    fn only(&self, algorithm: MacAlgorithmSpec) -> Result<(), CryptoError> {
        if algorithm == self.hash.algorithm { Ok(()) } else { Err(CryptoError::Unsupported) }
    }
}
