//! Key pairs that are given away (`GenerateDataKeyPair`).

use wire::enums::DataKeyPairSpec;

use crate::family::Family;
#[cfg(feature = "sm2")]
use crate::sm2;
use crate::{CryptoError, Rng, SecretBytes, ed25519, rsa};

/// A key pair in the encodings that its owner works with.
pub struct DataKeyPair {
    /// `PrivateKeyInfo` in DER (RFC 5208); of ML-KEM in the seed form (RFC 9935).
    pub private_key_der: SecretBytes,
    /// `SubjectPublicKeyInfo` in DER (RFC 5280).
    pub public_key_der: Vec<u8>,
}

impl DataKeyPair {
    pub(crate) fn copy(private_key_der: &[u8], public_key_der: &[u8]) -> DataKeyPair {
        DataKeyPair {
            private_key_der: SecretBytes::copy(private_key_der),
            public_key_der: public_key_der.to_vec(),
        }
    }
}

/// A fresh key pair of a spec, with chance and cost as in [`crate::key_material::generate`].
///
/// # Errors
/// [`CryptoError::Rng`] when randomness fails; [`CryptoError::Unsupported`] for a spec that is not
/// built; [`CryptoError::Refused`] when the module refuses.
pub fn generate(spec: DataKeyPairSpec, rng: &dyn Rng) -> Result<DataKeyPair, CryptoError> {
    match Family::of(spec.key_spec()) {
        Family::Rsa(size) => Ok(rsa::generate(size)?),
        Family::Ec(curve) => Ok(curve.generate()?),
        Family::Ed25519 => Ok(ed25519::generate()?),
        Family::MlKem(parameter_set) => parameter_set.generate_pair(rng),
        #[cfg(feature = "sm2")]
        Family::Sm2 => sm2::generate(rng),
        #[cfg(not(feature = "sm2"))]
        Family::Sm2 => Err(CryptoError::Unsupported),
        Family::Symmetric | Family::Hmac(_) | Family::MlDsa(_) => Err(CryptoError::Unsupported),
    }
}
