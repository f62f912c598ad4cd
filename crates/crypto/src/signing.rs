//! What every key that signs, and every key that verifies, has in common.

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::encoding::PublicKeyX509Der;
use aws_lc_rs::error::Unspecified;
use wire::enums::{MessageType, SigningAlgorithmSpec};

use crate::{CryptoError, InvalidPublicKey, Rng};

/// A private key that signs.
///
/// What a signature needs of chance (ECDSA's k, the salt of PSS, ML-DSA's rnd) AWS-LC draws inside
/// its module: none of its interfaces takes it as an argument. SM2 draws it from `rng`.
pub(crate) trait Signer: Send + Sync {
    /// Signs a message, a digest or a mu.
    fn sign(
        &self,
        algorithm: SigningAlgorithmSpec,
        message_type: MessageType,
        message: &[u8],
        rng: &dyn Rng,
    ) -> Result<Vec<u8>, CryptoError>;

    /// The public half.
    fn verifier(&self) -> &dyn Verifier;
}

/// A public key that verifies.
pub(crate) trait Verifier: Send + Sync {
    /// Whether the signature is one of the message; an error only where [`Signer::sign`] would
    /// refuse the message too.
    fn verify(
        &self,
        algorithm: SigningAlgorithmSpec,
        message_type: MessageType,
        message: &[u8],
        signature: &[u8],
    ) -> Result<bool, CryptoError>;

    /// `SubjectPublicKeyInfo` in DER (RFC 5280).
    fn public_key_der(&self) -> &[u8];
}

/// What an algorithm that hashes first is given: `M`, or `H(M)`.
///
/// Both end in the same signature. They are kept apart because a FIPS module approves only those
/// whose hash it made itself.
pub(crate) enum Hashable<'m> {
    /// `M`, for the module to hash.
    Message(&'m [u8]),
    /// `H(M)`, as the caller says.
    Digest(Digest),
}

impl Hashable<'_> {
    /// Reads a message for an algorithm whose hash is `hash`.
    ///
    /// # Errors
    /// [`CryptoError::WrongLength`] for a digest of another length than the hash's;
    /// [`CryptoError::Unsupported`] for a mu.
    pub(crate) fn new<'m>(
        message_type: MessageType,
        message: &'m [u8],
        hash: &'static digest::Algorithm,
    ) -> Result<Hashable<'m>, CryptoError> {
        match message_type {
            MessageType::Raw => Ok(Hashable::Message(message)),
            MessageType::Digest => Digest::import_less_safe(message, hash)
                .map(Hashable::Digest)
                .map_err(|_| wrong_length(message, hash.output_len())),
            MessageType::ExternalMu => Err(CryptoError::Unsupported),
        }
    }
}

/// The message as exactly `N` bytes.
///
/// # Errors
/// [`CryptoError::WrongLength`] when it has not as many.
pub(crate) fn exactly<const N: usize>(message: &[u8]) -> Result<&[u8; N], CryptoError> {
    message.try_into().map_err(|_| wrong_length(message, N))
}

fn wrong_length(message: &[u8], bytes_expected: usize) -> CryptoError {
    CryptoError::WrongLength { bytes: message.len(), bytes_expected }
}

/// Refuses an encoding that is not the one that AWS-LC writes for the key that it read from it:
/// `aws-lc-rs` also reads bare keys, explicit curves and what is followed by other bytes.
pub(crate) fn unless_canonical(
    public_key_der: &[u8],
    written: Result<PublicKeyX509Der<'_>, Unspecified>,
) -> Result<(), InvalidPublicKey> {
    if written?.as_ref() == public_key_der { Ok(()) } else { Err(InvalidPublicKey) }
}
