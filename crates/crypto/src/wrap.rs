//! Wrapping of stored secrets: root key over domain keys, domain keys over material and
//! credentials.
//!
//! ```text
//! W = 0x01 || IV || C || T,  (C, T) = GCM-AE_K(IV, secret, AAD)
//! ```
//!
//! AES-256-GCM (NIST SP 800-38D) with a random 96-bit IV. The caller encodes AAD with
//! [`crate::fields`]: it names what the secret is and whose, so that a wrapped secret moved to
//! another row does not open. A wrapping key wraps at most 2^32 secrets (SP 800-38D 8.3), a number
//! far above the rows of a deployment.

use crate::gcm::{self, NONCE_BYTES, TAG_BYTES};
use crate::{CryptoError, InvalidCiphertext, SecretBytes, SecretKey};

/// First byte of a wrapped secret.
const FORMAT: u8 = 1;

/// Bytes that wrapping adds.
pub const WRAP_OVERHEAD_BYTES: usize = 1 + NONCE_BYTES + TAG_BYTES;

/// Longest secret that is wrapped, in bytes (room for an RSA-4096 private key).
pub const SECRET_BYTES_MAX: usize = 8_192;

/// `W = 0x01 || IV || C || T`
///
/// # Errors
/// [`CryptoError::TooLong`] above [`SECRET_BYTES_MAX`]; [`CryptoError::Refused`] when the module
/// refuses.
pub fn wrap(key: &SecretKey, aad: &[u8], secret: &[u8]) -> Result<Vec<u8>, CryptoError> {
    if secret.len() > SECRET_BYTES_MAX {
        return Err(CryptoError::TooLong { bytes: secret.len(), bytes_max: SECRET_BYTES_MAX });
    }
    Ok(gcm::seal(key, aad, &[FORMAT], secret)?)
}

/// `secret = GCM-AD_K(IV, C, AAD, T)`
///
/// # Errors
/// [`InvalidCiphertext`] for another key, another AAD or altered bytes, without telling which.
pub fn unwrap(
    key: &SecretKey,
    aad: &[u8],
    wrapped: &[u8],
) -> Result<SecretBytes, InvalidCiphertext> {
    let (nonce, ciphertext_and_tag) = split(wrapped)?;
    Ok(gcm::open(key, aad, nonce, ciphertext_and_tag)?)
}

/// As [`unwrap`], but decrypts within `place`, so that the secret is never anywhere else; gives its
/// length in bytes. What follows it in `place` is wiped; on failure all that was written is.
///
/// # Errors
/// [`InvalidCiphertext`] as [`unwrap`], and when `place` is shorter than the secret and its tag.
pub fn unwrap_within(
    key: &SecretKey,
    aad: &[u8],
    wrapped: &[u8],
    place: &mut [u8],
) -> Result<usize, InvalidCiphertext> {
    let (nonce, ciphertext_and_tag) = split(wrapped)?;
    let used = place.get_mut(..ciphertext_and_tag.len()).ok_or(InvalidCiphertext)?;
    used.copy_from_slice(ciphertext_and_tag);
    let opened = gcm::open_in_place(key, aad, nonce, used);
    place.iter_mut().skip(opened.unwrap_or(0)).for_each(|byte| *byte = 0);
    Ok(opened?)
}

/// Splits `0x01 || IV || C || T` into IV and `C || T`.
fn split(wrapped: &[u8]) -> Result<(&[u8; NONCE_BYTES], &[u8]), InvalidCiphertext> {
    let Some((&FORMAT, rest)) = wrapped.split_first() else { return Err(InvalidCiphertext) };
    let (nonce, rest) = rest.split_first_chunk().ok_or(InvalidCiphertext)?;
    if rest.len() < TAG_BYTES || rest.len() > SECRET_BYTES_MAX + TAG_BYTES {
        return Err(InvalidCiphertext);
    }
    Ok((nonce, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> SecretKey {
        SecretKey::new([byte; 32])
    }

    #[test]
    fn what_is_wrapped_unwraps() {
        for length in [0, 1, 32, SECRET_BYTES_MAX] {
            let wrapped = wrap(&key(1), b"aad", &vec![7; length]).unwrap();
            assert_eq!(wrapped.len(), length + WRAP_OVERHEAD_BYTES);
            assert_eq!(unwrap(&key(1), b"aad", &wrapped).unwrap().expose(), vec![7; length]);
        }
        assert!(wrap(&key(1), b"aad", &[7; SECRET_BYTES_MAX + 1]).is_err());
    }

    #[test]
    fn every_other_key_aad_or_byte_is_refused() {
        let wrapped = wrap(&key(1), b"aad", &[7; 32]).unwrap();
        assert!(unwrap(&key(2), b"aad", &wrapped).is_err());
        assert!(unwrap(&key(1), b"aae", &wrapped).is_err());
        for length in 0..wrapped.len() {
            assert!(unwrap(&key(1), b"aad", &wrapped[..length]).is_err());
        }
        for bit in 0..wrapped.len() * 8 {
            let mut altered = wrapped.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(unwrap(&key(1), b"aad", &altered).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_place_holds_the_secret_and_nothing_else() {
        let wrapped = wrap(&key(1), b"aad", &[7; 32]).unwrap();
        let mut place = [0xff; 64];
        assert_eq!(unwrap_within(&key(1), b"aad", &wrapped, &mut place), Ok(32));
        assert_eq!(place[..32], [7; 32]);
        assert_eq!(place[32..], [0; 32]);
        assert!(unwrap_within(&key(2), b"aad", &wrapped, &mut place).is_err());
        assert_eq!(place, [0; 64]);
        assert!(unwrap_within(&key(1), b"aad", &wrapped, &mut [0; 47]).is_err());
    }
}
