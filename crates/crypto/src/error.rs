//! The few ways in which an operation of this crate fails.

use aws_lc_rs::error::{KeyRejected, Unspecified};

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
    /// The input has exactly one length, and this is another (a digest, ML-DSA's mu).
    #[error("{bytes} bytes given, exactly {bytes_expected} are admitted")]
    WrongLength {
        /// Length given, in bytes.
        bytes: usize,
        /// The one length admitted, in bytes.
        bytes_expected: usize,
    },
    /// The key does not do that at all, or not with that algorithm and message type.
    #[error("the key does not do that with that algorithm and message type")]
    Unsupported,
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

/// Why bytes are not the key material of a spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeyMaterial {
    /// The material of the spec has another length.
    #[error("{bytes} bytes given, keys of the spec have {bytes_expected}")]
    WrongLength {
        /// Length given, in bytes.
        bytes: usize,
        /// Length of the spec's material, in bytes.
        bytes_expected: usize,
    },
    /// It is not the encoding of one private key of the spec, or its numbers do not belong
    /// together.
    #[error("not a sound private key of the spec")]
    Unsound,
    /// This build has no keys of the spec, or none for the usage.
    #[error("this build has no keys of the spec for the usage")]
    Unsupported,
}

impl InvalidKeyMaterial {
    /// Refuses material of another length.
    pub(crate) fn unless_length(
        material: &[u8],
        bytes_expected: usize,
    ) -> Result<(), InvalidKeyMaterial> {
        if material.len() == bytes_expected {
            return Ok(());
        }
        Err(InvalidKeyMaterial::WrongLength { bytes: material.len(), bytes_expected })
    }
}

impl From<Unspecified> for InvalidKeyMaterial {
    fn from(_: Unspecified) -> InvalidKeyMaterial {
        InvalidKeyMaterial::Unsound
    }
}

impl From<KeyRejected> for InvalidKeyMaterial {
    fn from(_: KeyRejected) -> InvalidKeyMaterial {
        InvalidKeyMaterial::Unsound
    }
}

/// Bytes are not the `SubjectPublicKeyInfo` of a key of the spec; for a key agreement, of a point on
/// the curve of the key that agrees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a public key of the spec")]
pub struct InvalidPublicKey;

impl From<Unspecified> for InvalidPublicKey {
    fn from(_: Unspecified) -> InvalidPublicKey {
        InvalidPublicKey
    }
}

impl From<KeyRejected> for InvalidPublicKey {
    fn from(_: KeyRejected) -> InvalidPublicKey {
        InvalidPublicKey
    }
}

impl From<InvalidPublicKey> for InvalidKeyMaterial {
    /// For the public half of a private key that was read.
    fn from(_: InvalidPublicKey) -> InvalidKeyMaterial {
        InvalidKeyMaterial::Unsound
    }
}
