//! What the bytes mean: key specs, ciphertext blobs and the algorithms behind them.
//!
//! Every algorithm is AWS-LC's; this crate decides layouts, labels and bounds, and writes them
//! down (`docs/ciphertext-format.md`). It is pure: no I/O, no clock, and the only chance it takes
//! on its own is the GCM nonce, which AWS-LC draws inside its module ([`symmetric`] says why).
//! It does not know where a key lives or who may use it; key material arrives as a [`SecretKey`].

pub mod blob;
pub mod encryption_context;
mod error;
pub mod fields;
mod gcm;
pub mod key_specs;
mod mac;
pub mod rng;
pub mod seal;
mod secret;
pub mod symmetric;
pub mod token;
pub mod wrap;

pub use error::{CryptoError, InvalidCiphertext};
pub use rng::{Rng, RngError, SystemRng};
pub use secret::{KEY_BYTES, SecretBytes, SecretKey};
