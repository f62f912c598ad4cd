//! The layout of a symmetric ciphertext blob, format version 1.
//!
//! | Offset | Bytes | Field |
//! |---|---|---|
//! | 0 | 1 | version, 0x01 |
//! | 1 | 1 | form of the key id: 0x00 UUID, 0x01 `mrk-` |
//! | 2 | 16 | key id |
//! | 18 | 32 | key material id |
//! | 50 | 16 | KDF nonce N |
//! | 66 | 12 | GCM nonce IV |
//! | 78 | len(P) | ciphertext C |
//! | 78 + len(P) | 16 | tag T |
//!
//! The first 66 bytes are the header H. `docs/ciphertext-format.md` is the specification; this
//! module reads and writes the layout, [`crate::symmetric`] gives it meaning.

use wire::names::{KeyId, KeyMaterialId};

use crate::InvalidCiphertext;
use crate::gcm::{NONCE_BYTES, TAG_BYTES};

/// The version byte.
pub const FORMAT_VERSION: u8 = 1;

/// Length of the KDF nonce N, in bytes.
pub const KDF_NONCE_BYTES: usize = 16;

/// Length of the header H, in bytes.
pub const HEADER_BYTES: usize = 1 + KEY_ID_BYTES + 32 + KDF_NONCE_BYTES;

/// Bytes that a blob has over its plaintext.
pub const OVERHEAD_BYTES: usize = HEADER_BYTES + NONCE_BYTES + TAG_BYTES;

/// Longest blob, in bytes: what the model admits as `CiphertextBlob`.
pub const BLOB_BYTES_MAX: usize = 6_144;

/// Longest plaintext, in bytes. `Encrypt` admits 4,096; private keys of data key pairs are shorter
/// too.
pub const PLAINTEXT_BYTES_MAX: usize = BLOB_BYTES_MAX - OVERHEAD_BYTES;

/// Form byte and 16 bytes of id.
const KEY_ID_BYTES: usize = 17;

/// Form byte of a UUID key id.
const FORM_UUID: u8 = 0;

/// Form byte of a multi-Region key id.
const FORM_MULTI_REGION: u8 = 1;

/// What a blob says about its origin. All of it is authenticated when the blob is decrypted, and
/// none before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The KMS key that encrypted.
    pub key_id: KeyId,
    /// The version of that key's material.
    pub key_material_id: KeyMaterialId,
}

impl Header {
    /// `H = 0x01 || form || key id || key material id || N`
    pub(crate) fn encode(&self, kdf_nonce: &[u8; KDF_NONCE_BYTES]) -> [u8; HEADER_BYTES] {
        let form = if self.key_id.is_multi_region() { FORM_MULTI_REGION } else { FORM_UUID };
        concatenate(&[
            &[FORMAT_VERSION, form],
            &self.key_id.uuid_bytes(),
            self.key_material_id.as_bytes(),
            kdf_nonce,
        ])
    }
}

/// A blob taken apart, not yet believed.
#[derive(Debug, Clone, Copy)]
pub struct Blob<'a> {
    header: Header,
    pub(crate) header_bytes: &'a [u8; HEADER_BYTES],
    pub(crate) gcm_nonce: &'a [u8; NONCE_BYTES],
    pub(crate) ciphertext_and_tag: &'a [u8],
}

impl<'a> Blob<'a> {
    /// Takes the bytes apart.
    ///
    /// # Errors
    /// [`InvalidCiphertext`] when they are not a blob of a version that this build knows.
    pub fn parse(bytes: &'a [u8]) -> Result<Blob<'a>, InvalidCiphertext> {
        if bytes.len() < OVERHEAD_BYTES || bytes.len() > BLOB_BYTES_MAX {
            return Err(InvalidCiphertext);
        }
        Blob::split(bytes).ok_or(InvalidCiphertext)
    }

    /// What the blob says about its origin.
    #[must_use]
    pub fn header(&self) -> Header {
        self.header
    }

    fn split(bytes: &'a [u8]) -> Option<Blob<'a>> {
        let (header_bytes, rest) = bytes.split_first_chunk::<HEADER_BYTES>()?;
        let (gcm_nonce, ciphertext_and_tag) = rest.split_first_chunk()?;
        let ([version, form], rest) = header_bytes.split_first_chunk()?;
        let (key_id, rest) = rest.split_first_chunk::<16>()?;
        let (key_material_id, _kdf_nonce) = rest.split_first_chunk::<32>()?;
        let key_id = match (*version, *form) {
            (FORMAT_VERSION, FORM_UUID) => KeyId::from_uuid_bytes(*key_id),
            (FORMAT_VERSION, FORM_MULTI_REGION) => KeyId::multi_region_from_bytes(*key_id),
            (_, _) => return None,
        };
        let key_material_id = KeyMaterialId::from_bytes(*key_material_id);
        let header = Header { key_id, key_material_id };
        Some(Blob { header, header_bytes, gcm_nonce, ciphertext_and_tag })
    }
}

/// Joins parts whose lengths add up to `N`.
pub(crate) fn concatenate<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut out = [0; N];
    let mut rest = out.as_mut_slice();
    for part in parts {
        let (place, after) = rest.split_at_mut(part.len());
        place.copy_from_slice(part);
        rest = after;
    }
    debug_assert!(rest.is_empty(), "the parts fill the array");
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes_of(header: &Header, rest: &[u8]) -> Vec<u8> {
        [&header.encode(&[3; KDF_NONCE_BYTES])[..], rest].concat()
    }

    #[test]
    fn the_overhead_is_below_100_bytes() {
        assert_eq!((HEADER_BYTES, OVERHEAD_BYTES), (66, 94));
    }

    #[test]
    fn the_header_is_read_back() {
        for key_id in [KeyId::from_uuid_bytes([1; 16]), KeyId::multi_region_from_bytes([1; 16])] {
            let header = Header { key_id, key_material_id: KeyMaterialId::from_bytes([2; 32]) };
            let bytes = bytes_of(&header, &[4; NONCE_BYTES + TAG_BYTES]);
            let blob = Blob::parse(&bytes).unwrap();
            assert_eq!(blob.header(), header);
            assert_eq!(blob.gcm_nonce, &[4; NONCE_BYTES]);
        }
    }

    #[test]
    fn lengths_versions_and_forms_are_checked() {
        let header = Header {
            key_id: KeyId::from_uuid_bytes([1; 16]),
            key_material_id: KeyMaterialId::from_bytes([2; 32]),
        };
        let bytes = bytes_of(&header, &[4; BLOB_BYTES_MAX - HEADER_BYTES]);
        assert!(Blob::parse(&bytes).is_ok());
        assert!(Blob::parse(&[&bytes[..], &[0]].concat()).is_err());
        for length in 0..OVERHEAD_BYTES {
            assert!(Blob::parse(&bytes[..length]).is_err());
        }
        for version in (0..=255).filter(|version| *version != FORMAT_VERSION) {
            assert!(Blob::parse(&[&[version], &bytes[1..]].concat()).is_err());
        }
        for form in 2..=255 {
            assert!(Blob::parse(&[&[FORMAT_VERSION, form], &bytes[2..]].concat()).is_err());
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let parsed = Blob::parse(&bytes);
            prop_assert!(parsed.is_err() || bytes[0] == FORMAT_VERSION);
        }
    }
}
