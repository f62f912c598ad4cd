//! Seals on rows: the proof that a row of the store was written by this deployment.
//!
//! ```text
//! T = HMAC-SHA-256(K_v, encode("keystead row seal 1", P_1, ..., P_m))
//! ```
//!
//! with `encode` of [`crate::fields`]. The store chooses the parts (table, identity, sequence,
//! content); keys have versions so that they can be replaced while older seals still verify.

use subtle::ConstantTimeEq;

use crate::SecretKey;
use crate::mac::{MacKey, TAG_BYTES};

/// Length of a seal, in bytes.
pub const SEAL_BYTES: usize = TAG_BYTES;

/// First field of every sealed list.
const LABEL: &str = "keystead row seal 1";

/// One version of the key that seals rows.
///
/// ```compile_fail,E0277
/// fn shown<T: std::fmt::Debug>() {}
/// shown::<crypto::seal::SealKey>();
/// ```
pub struct SealKey {
    version: u32,
    key: MacKey,
}

impl SealKey {
    /// Makes the key of a version.
    #[must_use]
    pub fn new(version: u32, key: &SecretKey) -> SealKey {
        SealKey { version, key: MacKey::new(key) }
    }

    /// The version, to be stored beside each seal.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The seal over the parts; each part's length is sealed with it.
    #[must_use]
    pub fn tag(&self, parts: &[&[u8]]) -> [u8; SEAL_BYTES] {
        self.key.tag([LABEL.as_bytes()].into_iter().chain(parts.iter().copied()))
    }

    /// True when `tag` is the seal over the parts. Constant in time for tags of the right length.
    #[must_use]
    pub fn check(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        self.tag(parts).ct_eq(tag).into()
    }
}

/// All versions of the key that seals rows: the newest seals, each verifies its own.
pub struct SealKeys {
    newest: SealKey,
    older: Vec<SealKey>,
}

impl SealKeys {
    /// Gathers the newest version, which seals, and those before it, which only verify.
    #[must_use]
    pub fn new(newest: SealKey, older: Vec<SealKey>) -> SealKeys {
        SealKeys { newest, older }
    }

    /// The version that seals.
    #[must_use]
    pub fn newest(&self) -> &SealKey {
        &self.newest
    }

    /// The key of a version, if there is one.
    #[must_use]
    pub fn version(&self, version: u32) -> Option<&SealKey> {
        std::iter::once(&self.newest).chain(&self.older).find(|key| key.version == version)
    }

    /// True when `tag` is the seal over the parts under that version of the key.
    #[must_use]
    pub fn check(&self, version: u32, parts: &[&[u8]], tag: &[u8]) -> bool {
        self.version(version).is_some_and(|key| key.check(parts, tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(version: u32, byte: u8) -> SealKey {
        SealKey::new(version, &SecretKey::new([byte; 32]))
    }

    #[test]
    fn a_seal_covers_each_part_and_its_borders() {
        let key = key(1, 7);
        let tag = key.tag(&[b"keys", b"row", b"content"]);
        assert!(key.check(&[b"keys", b"row", b"content"], &tag));
        for other in [
            [&b"keyz"[..], b"row", b"content"],
            [b"keysr", b"ow", b"content"],
            [b"keys", b"row", b"contenu"],
            [b"row", b"keys", b"content"],
        ] {
            assert!(!key.check(&other, &tag));
        }
        assert!(!key.check(&[b"keys", b"row"], &tag));
        assert!(!key.check(&[b"keys", b"row", b"content", b""], &tag));
        assert!(!key.check(&[b"keys", b"row", b"content"], &tag[..31]));
        assert!(!key.check(&[b"keys", b"row", b"content"], &[]));
    }

    #[test]
    fn each_version_verifies_its_own() {
        let old = key(1, 7).tag(&[b"row"]);
        let keys = SealKeys::new(key(2, 8), vec![key(1, 7)]);
        assert_eq!(keys.newest().version(), 2);
        assert!(keys.check(1, &[b"row"], &old));
        assert!(!keys.check(2, &[b"row"], &old));
        assert!(!keys.check(3, &[b"row"], &old));
    }
}
