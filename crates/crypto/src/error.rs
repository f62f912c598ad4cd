//! The few ways in which an operation of this crate fails.

use aws_lc_rs::error::Unspecified;

use crate::RngError;

/// Why bytes could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// The source of randomness failed; nothing was made.
    #[error(transparent)]
    Rng(#[from] RngError),
    /// The input is longer than the format admits.
    #[error("{bytes} bytes given, at most {bytes_max} are admitted")]
    TooLong {
        /// Length given, in bytes.
        bytes: usize,
        /// Longest length admitted, in bytes.
        bytes_max: usize,
    },
    /// AWS-LC refused; it does not say why, by design.
    #[error("the cryptographic module refused the operation")]
    Refused,
}

impl From<Unspecified> for CryptoError {
    fn from(_: Unspecified) -> CryptoError {
        CryptoError::Refused
    }
}

/// The ciphertext, its encryption context or its key is not what it was at encryption.
///
/// One value for every cause, so that an answer built from it cannot be an oracle: wrong length,
/// unknown version, altered header, altered context, altered ciphertext and another key look the
/// same. AWS names it `InvalidCiphertextException`, without a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the ciphertext is invalid")]
pub struct InvalidCiphertext;

impl From<Unspecified> for InvalidCiphertext {
    fn from(_: Unspecified) -> InvalidCiphertext {
        InvalidCiphertext
    }
}
