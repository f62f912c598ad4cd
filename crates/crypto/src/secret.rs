//! Types that hold secrets: wiped when dropped, and unable to be shown, copied or serialised.

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{Rng, RngError};

/// Length of every symmetric key of the hierarchy, in bytes (AES-256, HMAC-SHA-256).
pub const KEY_BYTES: usize = 32;

/// A 256-bit symmetric key.
///
/// It has no `Debug`, `Clone`, `PartialEq` or `Serialize`, and is wiped when dropped:
///
/// ```compile_fail,E0277
/// fn shown<T: std::fmt::Debug>() {}
/// shown::<crypto::SecretKey>();
/// ```
/// ```compile_fail,E0277
/// fn copied<T: Clone>() {}
/// copied::<crypto::SecretKey>();
/// ```
///
/// The layout is that of `[u8; 32]`, so that locked memory can lend its bytes as a key.
#[derive(Zeroize, ZeroizeOnDrop)]
#[repr(transparent)]
pub struct SecretKey([u8; KEY_BYTES]);

impl SecretKey {
    /// Takes the bytes as a key. The caller wipes its own copy.
    #[must_use]
    pub fn new(bytes: [u8; KEY_BYTES]) -> SecretKey {
        SecretKey(bytes)
    }

    /// Copies a slice of exactly [`KEY_BYTES`] bytes; `None` for another length.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<SecretKey> {
        let mut key = SecretKey::zeros();
        (bytes.len() == KEY_BYTES).then(|| {
            key.0.copy_from_slice(bytes);
            key
        })
    }

    /// Draws a fresh key, in place.
    ///
    /// # Errors
    /// [`RngError`] when the source of randomness fails.
    pub fn generate(rng: &dyn Rng) -> Result<SecretKey, RngError> {
        let mut key = SecretKey::zeros();
        rng.fill(&mut key.0)?;
        Ok(key)
    }

    /// The bytes themselves. Every use of a key's bytes goes through this name.
    #[must_use]
    pub fn expose(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// Room for a key that is about to be written.
    pub(crate) fn zeros() -> SecretKey {
        SecretKey([0; KEY_BYTES])
    }

    /// The bytes, to be written in place (a derivation's output).
    pub(crate) fn expose_mut(&mut self) -> &mut [u8; KEY_BYTES] {
        &mut self.0
    }
}

/// Secret bytes of any length: plaintexts and unwrapped secrets.
///
/// It has no `Debug`, `Clone`, `PartialEq` or `Serialize`, and its whole capacity is wiped when
/// dropped:
///
/// ```compile_fail,E0277
/// fn shown<T: std::fmt::Debug>() {}
/// shown::<crypto::SecretBytes>();
/// ```
/// ```compile_fail,E0277
/// fn copied<T: Clone>() {}
/// copied::<crypto::SecretBytes>();
/// ```
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    /// Takes over the vector, which must not have been grown while it held the secret: a
    /// reallocation leaves a copy behind.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> SecretBytes {
        SecretBytes(bytes)
    }

    /// Copies the bytes, once. The caller wipes its own.
    #[must_use]
    pub fn copy(bytes: &[u8]) -> SecretBytes {
        SecretBytes(bytes.to_vec())
    }

    /// Draws so many fresh bytes, in place.
    ///
    /// # Errors
    /// [`RngError`] when the source of randomness fails.
    pub(crate) fn generate(bytes: usize, rng: &dyn Rng) -> Result<SecretBytes, RngError> {
        let mut secret = SecretBytes(vec![0; bytes]);
        rng.fill(&mut secret.0)?;
        Ok(secret)
    }

    /// The bytes themselves. Every use of a secret's bytes goes through this name.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Gives the vector away without a copy. Whoever takes it wipes it.
    #[must_use]
    pub fn into_exposed(mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> SecretBytes {
        SecretBytes::new(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Does not compile if the type has the trait: two implementations then fit `AmbiguousIf<_>`.
    macro_rules! assert_has_not {
        ($type:ty: $($name:ident = $trait:path),+) => {
            $(const _: fn() = || {
                trait AmbiguousIf<Marker> { fn check() {} }
                impl<T: ?Sized> AmbiguousIf<()> for T {}
                struct $name;
                impl<T: ?Sized + $trait> AmbiguousIf<$name> for T {}
                <$type as AmbiguousIf<_>>::check();
            };)+
        };
    }

    assert_has_not!(SecretKey: Shown = std::fmt::Debug, Written = std::fmt::Display,
        Copied = Clone, Compared = PartialEq, Serialised = serde::Serialize);
    assert_has_not!(SecretBytes: Shown = std::fmt::Debug, Written = std::fmt::Display,
        Copied = Clone, Compared = PartialEq, Serialised = serde::Serialize);

    #[test]
    fn only_the_right_length_is_a_key() {
        assert!(SecretKey::from_slice(&[7; 31]).is_none());
        assert!(SecretKey::from_slice(&[7; 33]).is_none());
        assert_eq!(SecretKey::from_slice(&[7; 32]).unwrap().expose(), &[7; 32]);
    }

    #[test]
    fn wiping_leaves_nothing() {
        let mut key = SecretKey::new([7; KEY_BYTES]);
        key.zeroize();
        assert_eq!(key.expose(), &[0; KEY_BYTES]);
        let mut bytes = SecretBytes::new(vec![7; 100]);
        bytes.zeroize();
        assert!(bytes.is_empty());
    }

    #[test]
    fn a_vector_is_given_away_without_a_copy() {
        let bytes = vec![7; 100];
        let address = bytes.as_ptr();
        let given = SecretBytes::new(bytes).into_exposed();
        assert_eq!(given.as_ptr(), address);
    }
}
