//! Opaque tokens that only this deployment can make: pagination markers and their like.
//!
//! ```text
//! token = base64url(0x01 || payload || T)
//! T     = HMAC-SHA-256(K, encode("keystead token 1", purpose, binding, payload))
//! ```
//!
//! with `encode` of [`crate::fields`] and base64url of RFC 4648 section 5, unpadded. The payload is
//! authenticated, not hidden. The binding is what the token is good for (account, Region, filter):
//! it is authenticated and not carried, so a token taken elsewhere does not open.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

use crate::mac::{MacKey, TAG_BYTES};
use crate::{CryptoError, SecretKey};

/// Longest payload, in bytes. The token then has 727 characters; the model admits 1,024 for a
/// marker.
pub const PAYLOAD_BYTES_MAX: usize = 512;

/// Longest token that is looked at, in characters.
const TOKEN_CHARACTERS_MAX: usize = (1 + PAYLOAD_BYTES_MAX + TAG_BYTES).div_ceil(3) * 4;

/// First byte of a token.
const FORMAT: u8 = 1;

/// First field of every authenticated list.
const LABEL: &str = "keystead token 1";

/// The key that makes and checks tokens.
///
/// ```compile_fail,E0277
/// fn shown<T: std::fmt::Debug>() {}
/// shown::<crypto::token::TokenKey>();
/// ```
pub struct TokenKey(MacKey);

impl TokenKey {
    /// Makes the key.
    #[must_use]
    pub fn new(key: &SecretKey) -> TokenKey {
        TokenKey(MacKey::new(key))
    }

    /// Makes a token for one purpose ("ListKeys"), bound to the bytes of `binding`.
    ///
    /// # Errors
    /// [`CryptoError::TooLong`] when the payload exceeds [`PAYLOAD_BYTES_MAX`].
    pub fn seal(
        &self,
        purpose: &str,
        binding: &[u8],
        payload: &[u8],
    ) -> Result<String, CryptoError> {
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(CryptoError::TooLong {
                bytes: payload.len(),
                bytes_max: PAYLOAD_BYTES_MAX,
            });
        }
        let mut token = Vec::with_capacity(1 + payload.len() + TAG_BYTES);
        token.push(FORMAT);
        token.extend_from_slice(payload);
        token.extend_from_slice(&self.tag(purpose, binding, payload));
        Ok(URL_SAFE_NO_PAD.encode(token))
    }

    /// The payload of a token made by this key for this purpose and binding; `None` for anything
    /// else.
    #[must_use]
    pub fn open(&self, purpose: &str, binding: &[u8], token: &str) -> Option<Vec<u8>> {
        if token.len() > TOKEN_CHARACTERS_MAX {
            return None;
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (&FORMAT, rest) = bytes.split_first()? else { return None };
        let (payload, tag) = rest.split_last_chunk::<TAG_BYTES>()?;
        if !bool::from(self.tag(purpose, binding, payload).ct_eq(tag)) {
            return None;
        }
        let end = 1 + payload.len();
        bytes.truncate(end);
        bytes.remove(0);
        Some(bytes)
    }

    fn tag(&self, purpose: &str, binding: &[u8], payload: &[u8]) -> [u8; TAG_BYTES] {
        self.0.tag([LABEL.as_bytes(), purpose.as_bytes(), binding, payload])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(byte: u8) -> TokenKey {
        TokenKey::new(&SecretKey::new([byte; 32]))
    }

    #[test]
    fn a_token_is_good_for_its_purpose_and_binding_only() {
        let token = key(1).seal("ListKeys", b"111122223333/eu-central-1", b"after").unwrap();
        assert_eq!(
            key(1).open("ListKeys", b"111122223333/eu-central-1", &token).unwrap(),
            b"after"
        );
        assert!(key(1).open("ListAliases", b"111122223333/eu-central-1", &token).is_none());
        assert!(key(1).open("ListKeys", b"111122223333/eu-central-2", &token).is_none());
        assert!(key(1).open("ListKeys1", b"11122223333/eu-central-1", &token).is_none());
        assert!(key(2).open("ListKeys", b"111122223333/eu-central-1", &token).is_none());
    }

    #[test]
    fn every_altered_character_is_refused() {
        let token = key(1).seal("ListKeys", b"", b"after").unwrap();
        for position in 0..token.len() {
            for character in ['A', 'z', '-', '=', '/', ' ', '\u{e9}'] {
                let mut altered: Vec<char> = token.chars().collect();
                if altered[position] != character {
                    altered[position] = character;
                    let altered: String = altered.into_iter().collect();
                    assert!(key(1).open("ListKeys", b"", &altered).is_none(), "{position}");
                }
            }
            let (cut, _) = token.split_at(position);
            assert!(key(1).open("ListKeys", b"", cut).is_none());
        }
    }

    #[test]
    fn the_longest_payload_fits_a_marker() {
        let token = key(1).seal("ListKeys", b"", &[7; PAYLOAD_BYTES_MAX]).unwrap();
        assert!(token.len() <= 1_024);
        assert_eq!(key(1).open("ListKeys", b"", &token).unwrap(), [7; PAYLOAD_BYTES_MAX]);
        assert!(key(1).seal("ListKeys", b"", &[7; PAYLOAD_BYTES_MAX + 1]).is_err());
        assert!(key(1).open("ListKeys", b"", &"A".repeat(1_000_000)).is_none());
    }

    proptest! {
        #[test]
        fn tokens_open(
            purpose in ".{0,20}",
            binding: Vec<u8>,
            payload in prop::collection::vec(any::<u8>(), 0..100),
        ) {
            let token = key(1).seal(&purpose, &binding, &payload).unwrap();
            prop_assert_eq!(key(1).open(&purpose, &binding, &token), Some(payload));
        }

        #[test]
        fn noise_does_not_open(token in ".{0,200}") {
            prop_assert_eq!(key(1).open("ListKeys", b"", &token), None);
        }
    }
}
