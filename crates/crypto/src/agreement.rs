//! What every key that agrees on secrets has in common.

use crate::{InvalidPublicKey, SecretBytes};

/// A private key that agrees on secrets with peers on the same curve.
pub(crate) trait Agreement: Send + Sync {
    /// The x-coordinate of the point that both sides reach, as long as the curve's field.
    fn derive_shared_secret(&self, public_key_der: &[u8]) -> Result<SecretBytes, InvalidPublicKey>;

    /// `SubjectPublicKeyInfo` in DER (RFC 5280).
    fn public_key_der(&self) -> &[u8];
}
