//! The trait of whatever keeps key material and works with it.

use std::pin::Pin;

use crypto::SecretBytes;
use crypto::blob::Blob;

use crate::{CustodyError, MaterialIdentity};

/// What a custodian's operation answers: a future, since hardware and external key stores are asked
/// over a wire.
pub type Custodial<'a, T> = Pin<Box<dyn Future<Output = Result<T, CustodyError>> + Send + 'a>>;

/// Key material as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedMaterial {
    /// The version of the domain key that wraps it.
    pub domain_key_version: u32,
    /// The wrapped bytes, in the custodian's own form.
    pub bytes: Vec<u8>,
}

/// Keeps key material, so that nobody else need see it.
///
/// The caller has decided that the operation is allowed; a custodian refuses only what does not fit
/// together. Dropping a future before it is ready may or may not undo what it began; no operation
/// leaves anything behind but cached material.
pub trait Custodian: Send + Sync {
    /// Makes new material for an identity.
    ///
    /// Before it answers, it has decrypted through the wrapped form what it encrypted with the
    /// material, so that material which could not be read back is never acknowledged.
    ///
    /// # Errors
    /// [`CustodyError::SelfTestFailed`] when that test fails, and the failures of chance and
    /// module.
    fn generate<'a>(&'a self, identity: &'a MaterialIdentity) -> Custodial<'a, WrappedMaterial>;

    /// Encrypts a plaintext under the material; answers the blob ([`crypto::symmetric`]).
    ///
    /// # Errors
    /// [`CustodyError::MaterialRefused`] and [`CustodyError::UnknownDomainKey`] when the stored row
    /// is not what it was, and the failures of chance and module.
    fn encrypt<'a>(
        &'a self,
        identity: &'a MaterialIdentity,
        wrapped: &'a WrappedMaterial,
        encoded_context: &'a [u8],
        plaintext: &'a [u8],
    ) -> Custodial<'a, Vec<u8>>;

    /// Decrypts a blob under the material that its header names.
    ///
    /// # Errors
    /// [`CustodyError::InvalidCiphertext`] when blob, context or material do not belong together;
    /// otherwise as [`Custodian::encrypt`].
    fn decrypt<'a>(
        &'a self,
        identity: &'a MaterialIdentity,
        wrapped: &'a WrappedMaterial,
        encoded_context: &'a [u8],
        blob: Blob<'a>,
    ) -> Custodial<'a, SecretBytes>;

    /// Drops cached material, as its deletion asks. The row must be gone first: an operation still
    /// under way with the old row would cache it once more.
    fn forget(&self, identity: &MaterialIdentity);
}
