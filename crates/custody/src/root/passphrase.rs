//! A root key from a passphrase.
//!
//! ```text
//! K_R = Argon2id(passphrase, salt; m = 64 MiB, t = 3, p = 4, 32 bytes)
//! ```
//!
//! RFC 9106; the parameters are the second that its section 4 recommends, and are stored, so that a later version can choose
//! others. They need no seal of their own: with another salt or cost another key comes out.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use crypto::{KEY_BYTES, Rng, rng};
use zeroize::Zeroize;

use super::LockedRootKey;
use crate::CustodyError;

/// Bytes of the shortest passphrase that is taken for a new root key.
pub const PASSPHRASE_BYTES_MIN: usize = 16;
/// Bytes of the longest passphrase.
pub const PASSPHRASE_BYTES_MAX: usize = 1_024;

const SALT_BYTES: usize = 16;
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;
/// What a header may ask for: whoever can write the store must not have the server take all memory, or hash for hours.
const MEMORY_KIB_MAX: u32 = 1024 * 1024;
const PASSES_MAX: u32 = 16;
const LANES_MAX: u32 = 16;

/// How a passphrase becomes a root key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassphraseParameters {
    salt: [u8; SALT_BYTES],
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl PassphraseParameters {
    /// A fresh salt and the recommended cost.
    ///
    /// # Errors
    /// Failures of chance.
    pub fn generate(rng: &dyn Rng) -> Result<PassphraseParameters, CustodyError> {
        let salt = rng::array(rng)?;
        Ok(PassphraseParameters { salt, memory_kib: MEMORY_KIB, passes: PASSES, lanes: LANES })
    }

    /// `[m]_32 || [t]_32 || [p]_32 || salt`
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let PassphraseParameters { salt, memory_kib, passes, lanes } = self;
        let mut bytes: Vec<u8> =
            [memory_kib, passes, lanes].into_iter().flat_map(u32::to_be_bytes).collect();
        bytes.extend_from_slice(&salt);
        bytes
    }

    /// Refuses what is out of bounds.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<PassphraseParameters> {
        let (numbers, salt) = bytes.split_at_checked(3 * size_of::<u32>())?;
        let (&[memory_kib, passes, lanes], []) = numbers.as_chunks::<4>() else { return None };
        let parameters = PassphraseParameters {
            salt: salt.try_into().ok()?,
            memory_kib: u32::from_be_bytes(memory_kib),
            passes: u32::from_be_bytes(passes),
            lanes: u32::from_be_bytes(lanes),
        };
        let is_bounded = (1..=LANES_MAX).contains(&parameters.lanes)
            && (1..=PASSES_MAX).contains(&parameters.passes)
            && (8 * parameters.lanes..=MEMORY_KIB_MAX).contains(&parameters.memory_kib);
        is_bounded.then_some(parameters)
    }
}

/// Derives the root key, which takes some tenths of a second and 64 MiB of ordinary memory, wiped after use.
///
/// # Errors
/// [`CustodyError::PassphraseLength`] for more than [`PASSPHRASE_BYTES_MAX`] bytes or none;
/// [`CustodyError::PassphraseHash`] when there is not enough memory; failures of locked memory.
pub fn passphrase_root_key(
    passphrase: &[u8],
    parameters: &PassphraseParameters,
) -> Result<LockedRootKey, CustodyError> {
    if !(1..=PASSPHRASE_BYTES_MAX).contains(&passphrase.len()) {
        return Err(CustodyError::PassphraseLength);
    }
    let PassphraseParameters { salt, memory_kib, passes, lanes } = parameters;
    let parameters = Params::new(*memory_kib, *passes, *lanes, Some(KEY_BYTES))
        .map_err(|_| CustodyError::PassphraseHash)?;
    let mut blocks = Vec::new();
    blocks.try_reserve_exact(parameters.block_count()).map_err(|_| CustodyError::PassphraseHash)?;
    blocks.resize(parameters.block_count(), Block::default());
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
    let key = LockedRootKey::write(|place| {
        argon2
            .hash_password_into_with_memory(passphrase, salt, place, blocks.as_mut_slice())
            .map_err(|_| CustodyError::PassphraseHash)
    });
    blocks.iter_mut().for_each(Zeroize::zeroize);
    key
}
