//! The public half of keys that sign, by itself.

use wire::enums::{KeySpec, MessageType, SigningAlgorithmSpec};

use crate::family::Family;
use crate::signing::Verifier;
#[cfg(feature = "sm2")]
use crate::sm2;
use crate::{CryptoError, InvalidPublicKey, ec, ed25519, ml_dsa, rsa};

/// A public key that verifies what a [`crate::WorkingKey`] of its spec signed, wherever that key is.
///
/// It is the same code that [`crate::WorkingKey::verify`] runs.
pub struct VerifyingKey(Box<dyn Verifier>);

impl VerifyingKey {
    /// Reads a `SubjectPublicKeyInfo` in DER (RFC 5280), as [`crate::WorkingKey::public_key_der`]
    /// gives it; no other encoding of the same key is taken.
    ///
    /// # Errors
    /// [`InvalidPublicKey`] for anything else than one public key of a spec that signs.
    pub fn parse(
        key_spec: KeySpec,
        public_key_der: &[u8],
    ) -> Result<VerifyingKey, InvalidPublicKey> {
        let verifier: Box<dyn Verifier> = match Family::of(key_spec) {
            Family::Rsa(size) => Box::new(rsa::VerifyingKey::parse(size, public_key_der)?),
            Family::Ec(curve) => Box::new(ec::VerifyingKey::parse(curve, public_key_der)?),
            Family::Ed25519 => Box::new(ed25519::VerifyingKey::parse(public_key_der)?),
            Family::MlDsa(parameter_set) => {
                Box::new(ml_dsa::VerifyingKey::parse(parameter_set, public_key_der)?)
            }
            #[cfg(feature = "sm2")]
            Family::Sm2 => Box::new(sm2::VerifyingKey::parse(public_key_der)?),
            #[cfg(not(feature = "sm2"))]
            Family::Sm2 => return Err(InvalidPublicKey),
            Family::Symmetric | Family::Hmac(_) | Family::MlKem(_) => return Err(InvalidPublicKey),
        };
        Ok(VerifyingKey(verifier))
    }

    /// Whether the signature is one of the message; `Ok(false)` when it is not, or is malformed.
    ///
    /// # Errors
    /// As [`crate::WorkingKey::sign`].
    pub fn verify(
        &self,
        algorithm: SigningAlgorithmSpec,
        message_type: MessageType,
        message: &[u8],
        signature: &[u8],
    ) -> Result<bool, CryptoError> {
        self.0.verify(algorithm, message_type, message, signature)
    }
}
