//! What the bytes mean: key specs, ciphertext blobs and the algorithms behind them.
//!
//! Every algorithm is AWS-LC's, but SM2 in a build with the feature `sm2`; this crate decides layouts, labels and bounds, and writes them
//! down (`docs/ciphertext-format.md`). It is pure: no I/O, no clock, and the only chance it takes
//! on its own is what AWS-LC draws inside its module: the GCM nonce ([`symmetric`] says why), the
//! numbers of RSA and EC keys and the seeds of Ed25519 and ML-DSA, and what signatures and
//! public-key encryption are randomised with. For these the module has no other interface, or none
//! that FIPS 140-3 approves. It does not know where a key lives or who may use it; key material
//! arrives as a [`SecretKey`] or as bytes that become a [`WorkingKey`].

mod agreement;
pub mod blob;
pub mod data_key_pairs;
pub mod digest_signing;
mod ec;
mod ed25519;
mod encryption;
pub mod encryption_context;
mod error;
mod family;
mod ffi;
pub mod fields;
mod gcm;
mod hmac;
pub mod import_wrapping;
pub mod jws;
pub mod key_material;
pub mod key_specs;
mod mac;
mod ml_dsa;
mod ml_kem;
pub mod module;
pub mod rng;
mod rsa;
pub mod seal;
mod secret;
mod signing;
#[cfg(feature = "sm2")]
mod sm2;
pub mod symmetric;
pub mod token;
mod verifying_key;
mod working_key;
pub mod wrap;

#[cfg(all(feature = "fips", feature = "sm2"))]
compile_error!("SM2 is not approved by FIPS 140-3, and stands outside AWS-LC: docs/fips.md");

pub use error::{CryptoError, InvalidCiphertext, InvalidKeyMaterial, InvalidPublicKey};
pub use rng::{Rng, RngError, SystemRng};
pub use secret::{KEY_BYTES, SecretBytes, SecretKey};
pub use verifying_key::VerifyingKey;
pub use working_key::WorkingKey;
