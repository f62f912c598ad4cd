//! The root key, which wraps the domain keys and nothing else, and where it comes from.
//!
//! Each provider ends in a [`LockedRootKey`]: [`FileRootKey`] reads it from a file, [`passphrase`] derives it, [`shares`] joins
//! it from what several people hold. A [`RootHeader`], stored beside the domain keys, says which of them it is and knows the
//! right key when it sees it. Changing the provider wraps the domain keys anew
//! ([`rewrap`](crate::WrappedDomainKey::rewrap)) and nothing else.

mod file;
mod header;
mod hexadecimal;
mod passphrase;
mod shares;
mod unsealing;

use crypto::{KEY_BYTES, Rng, SecretBytes, wrap};

pub use file::FileRootKey;
pub use header::{InvalidProvider, RootHeader, RootParameters, RootProvider};
pub use passphrase::{
    PASSPHRASE_BYTES_MAX, PASSPHRASE_BYTES_MIN, PassphraseParameters, passphrase_root_key,
};
pub use shares::{InvalidShare, SHARES_MAX, Share, ShareParameters, THRESHOLD_MIN, split_root_key};
pub use unsealing::{Offered, SHARES_KEPT, Unsealing};

use crate::CustodyError;
use crate::arena::{Arena, KeySlot, SLOT_BYTES, VacantSlot};

/// A key at the top of the hierarchy, wherever it lives.
pub trait RootKey: Send + Sync {
    /// Wraps a secret, bound to `aad`.
    ///
    /// # Errors
    /// The provider's failure.
    fn wrap(&self, aad: &[u8], secret: &[u8]) -> Result<Vec<u8>, CustodyError>;

    /// Unwraps what [`RootKey::wrap`] made with the same `aad`.
    ///
    /// # Errors
    /// [`CustodyError::RootKeyRefused`] for another root key, another `aad` or altered bytes; the
    /// provider's failure.
    fn unwrap(&self, aad: &[u8], wrapped: &[u8]) -> Result<SecretBytes, CustodyError>;
}

/// A root key that stands in a slot of locked memory of its own.
///
/// ```compile_fail,E0277
/// fn shown<T: std::fmt::Debug>() {}
/// shown::<custody::LockedRootKey>();
/// ```
pub struct LockedRootKey(KeySlot);

impl LockedRootKey {
    /// Draws a fresh key, in place.
    fn draw(rng: &dyn Rng) -> Result<LockedRootKey, CustodyError> {
        Ok(LockedRootKey(locked_slot()?.draw(rng)?))
    }

    /// Copies the key into locked memory; the caller wipes its own.
    fn copy(key: &[u8; KEY_BYTES]) -> Result<LockedRootKey, CustodyError> {
        LockedRootKey::write(|place| {
            place.copy_from_slice(key);
            Ok(())
        })
    }

    /// Has `write` put the key where it stays.
    fn write(
        write: impl FnOnce(&mut [u8; KEY_BYTES]) -> Result<(), CustodyError>,
    ) -> Result<LockedRootKey, CustodyError> {
        let slot = locked_slot()?.fill(|bytes| {
            write(bytes.first_chunk_mut::<KEY_BYTES>().ok_or(CustodyError::ArenaFull)?)
        })?;
        Ok(LockedRootKey(slot))
    }

    fn expose(&self) -> &[u8; KEY_BYTES] {
        self.0.key().expose()
    }
}

impl RootKey for LockedRootKey {
    fn wrap(&self, aad: &[u8], secret: &[u8]) -> Result<Vec<u8>, CustodyError> {
        Ok(wrap::wrap(self.0.key(), aad, secret)?)
    }

    fn unwrap(&self, aad: &[u8], wrapped: &[u8]) -> Result<SecretBytes, CustodyError> {
        wrap::unwrap(self.0.key(), aad, wrapped).map_err(|_| CustodyError::RootKeyRefused)
    }
}

/// A slot in locked memory of its own.
fn locked_slot() -> Result<VacantSlot, CustodyError> {
    Arena::new(SLOT_BYTES)?.vacant_slot().ok_or(CustodyError::ArenaFull)
}
