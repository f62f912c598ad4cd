//! The material of keys: fresh, and imported.
//!
//! Material is what custody wraps and [`crate::WorkingKey`] parses:
//!
//! | Spec | Material |
//! |---|---|
//! | `SYMMETRIC_DEFAULT` | 32 bytes |
//! | `HMAC_*` | as many bytes as the digest has |
//! | `RSA_*`, `ECC_*` | `PrivateKeyInfo` in DER (RFC 5208), as AWS-LC writes it |
//! | `SM2` | the same, as `sm2` writes it |
//! | `ML_DSA_*` | the seed xi, 32 bytes (FIPS 204) |
//! | `ML_KEM_*` | the seed d, z, 64 bytes (FIPS 203) |
//!
//! One key has one material, so that two imports of a key can be compared by their bytes.

use wire::enums::KeySpec;

use crate::family::Family;
#[cfg(feature = "sm2")]
use crate::sm2;
use crate::{CryptoError, InvalidKeyMaterial, KEY_BYTES, Rng, SecretBytes, ed25519, ml_kem, rsa};

/// Fresh material of a spec.
///
/// RSA takes up to seconds: the caller runs it off the threads that answer requests. AWS-LC draws
/// the numbers of RSA and EC keys and the seeds of Ed25519 and ML-DSA inside its module; all else is
/// drawn from `rng`.
///
/// # Errors
/// [`CryptoError::Rng`] when randomness fails; [`CryptoError::Unsupported`] for a spec that is not
/// built; [`CryptoError::Refused`] when the module refuses.
pub fn generate(key_spec: KeySpec, rng: &dyn Rng) -> Result<SecretBytes, CryptoError> {
    match Family::of(key_spec) {
        Family::Symmetric => Ok(SecretBytes::generate(KEY_BYTES, rng)?),
        Family::Hmac(hash) => Ok(hash.generate(rng)?),
        Family::Rsa(size) => Ok(rsa::generate(size)?.private_key_der),
        Family::Ec(curve) => Ok(curve.generate()?.private_key_der),
        Family::Ed25519 => Ok(ed25519::generate()?.private_key_der),
        Family::MlDsa(parameter_set) => Ok(parameter_set.generate()?),
        Family::MlKem(_) => Ok(ml_kem::generate(rng)?),
        #[cfg(feature = "sm2")]
        Family::Sm2 => Ok(sm2::generate(rng)?.private_key_der),
        #[cfg(not(feature = "sm2"))]
        Family::Sm2 => Err(CryptoError::Unsupported),
    }
}

/// Reads material from outside: raw bytes for symmetric and HMAC specs, else `PrivateKeyInfo` or
/// `OneAsymmetricKey` in DER, which for ML-DSA and ML-KEM must be in the seed form (RFC 9881, 9935).
///
/// Checked is what AWS-LC can check: length, type, curve and size; that nothing follows; that the
/// halves of a key and the numbers of an RSA key belong together, and its factors are prime. For RSA
/// that takes as long as generation (half a second for `RSA_4096`), and belongs off the threads that
/// answer requests as well.
///
/// # Errors
/// [`InvalidKeyMaterial`] for anything else than one sound key of the spec.
pub fn import(key_spec: KeySpec, bytes: &[u8]) -> Result<SecretBytes, InvalidKeyMaterial> {
    match Family::of(key_spec) {
        Family::Symmetric => raw(bytes, KEY_BYTES),
        Family::Hmac(hash) => raw(bytes, hash.key_bytes()),
        Family::Rsa(size) => rsa::import(size, bytes),
        Family::Ec(curve) => curve.import(bytes),
        Family::Ed25519 => ed25519::import(bytes),
        Family::MlDsa(parameter_set) => parameter_set.import(bytes),
        Family::MlKem(parameter_set) => parameter_set.import(bytes),
        #[cfg(feature = "sm2")]
        Family::Sm2 => sm2::import(bytes),
        #[cfg(not(feature = "sm2"))]
        Family::Sm2 => Err(InvalidKeyMaterial::Unsupported),
    }
}

fn raw(bytes: &[u8], bytes_expected: usize) -> Result<SecretBytes, InvalidKeyMaterial> {
    InvalidKeyMaterial::unless_length(bytes, bytes_expected)?;
    Ok(SecretBytes::copy(bytes))
}

/// Room for the material of any spec, in bytes.
///
/// The longest is an RSA key of 4,096 bits: two numbers of 513 bytes, five of 257, two small ones,
/// and the DER around them.
#[must_use]
pub const fn material_bytes_max() -> usize {
    2560
}
