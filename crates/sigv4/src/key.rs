//! Secrets: the secret access key, the signing key derived from it, and what is computed with them.

use std::sync::LazyLock;

use aws_lc_rs::{digest, hmac};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Bytes of a SHA-256 hash, a signature and a signing key.
pub(crate) const HASH_BYTES: usize = 32;

/// A secret access key. It cannot be printed, compared or cloned, and is wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SecretAccessKey(String);

impl SecretAccessKey {
    /// Takes the secret over; the caller keeps no copy.
    #[must_use]
    pub fn new(secret: String) -> Self {
        Self(secret)
    }
}

/// The key that signs one day's requests to one service in one Region, with both pads of the HMAC already absorbed.
/// AWS-LC wipes it when dropped.
///
/// Deriving costs four HMACs, so callers keep it; it is as secret as what it came from, for that scope.
pub struct SigningKey(hmac::Key);

/// Stands in for the key of an access key that does not exist, so that the refusal costs the same work.
/// It opens nothing: whatever is computed with it is refused.
pub(crate) static DUMMY_SIGNING_KEY: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey(hmac::Key::new(hmac::HMAC_SHA256, &[0; HASH_BYTES])));

impl SigningKey {
    /// `HMAC(HMAC(HMAC(HMAC("AWS4" || secret, date), region), service), "aws4_request")`
    ///
    /// `date` is the scope's `YYYYMMDD`. Source: IAM User Guide, "Create a signed AWS API request",
    /// step 4.
    #[must_use]
    pub fn derive(secret: &SecretAccessKey, date: &str, region: &str, service: &str) -> Self {
        let seed = Zeroizing::new([b"AWS4", secret.0.as_bytes()].concat());
        let mut key = Zeroizing::new(hmac_sha256(&seed, date.as_bytes()));
        for part in [region, service, crate::credential::TERMINATOR] {
            key = Zeroizing::new(hmac_sha256(&*key, part.as_bytes()));
        }
        Self(hmac::Key::new(hmac::HMAC_SHA256, &*key))
    }

    /// `HMAC(key, string_to_sign)`
    pub(crate) fn sign(&self, string_to_sign: &[u8]) -> [u8; HASH_BYTES] {
        tag(&self.0, string_to_sign)
    }
}

/// HMAC-SHA-256 (FIPS 198-1).
fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; HASH_BYTES] {
    tag(&hmac::Key::new(hmac::HMAC_SHA256, key), message)
}

fn tag(key: &hmac::Key, message: &[u8]) -> [u8; HASH_BYTES] {
    let tag = hmac::sign(key, message);
    tag.as_ref().try_into().expect("an HMAC-SHA-256 tag has 32 bytes")
}

/// SHA-256 (FIPS 180-4).
pub(crate) fn sha256(message: &[u8]) -> [u8; HASH_BYTES] {
    let hash = digest::digest(&digest::SHA256, message);
    hash.as_ref().try_into().expect("a SHA-256 hash has 32 bytes")
}

/// Appends `bytes` as lower-case hexadecimal digits.
pub(crate) fn write_hex(bytes: &[u8; HASH_BYTES], out: &mut Vec<u8>) {
    let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
    out.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)]));
}

/// Reads exactly 64 lower-case hexadecimal digits.
pub(crate) fn read_hex(text: &[u8]) -> Option<[u8; HASH_BYTES]> {
    let text: &[u8; 2 * HASH_BYTES] = text.try_into().ok()?;
    let mut bytes = [0; HASH_BYTES];
    let (pairs, _) = text.as_chunks::<2>();
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(bytes)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// IAM User Guide, "Example signing key derivation": the published key of 2015-08-30,
    /// us-east-1, iam.
    #[test]
    fn the_published_signing_key_is_derived() {
        let secret = SecretAccessKey::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned());
        let key = SigningKey::derive(&secret, "20150830", "us-east-1", "iam");
        // The key cannot be shown, so it is known by what it computes.
        let published = "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9";
        let published = read_hex(published.as_bytes()).unwrap();
        assert_eq!(key.sign(b"text"), hmac_sha256(&published, b"text"));
    }

    #[test]
    fn only_64_lower_case_digits_are_read() {
        let digits = "0123456789abcdef".repeat(4);
        let bytes = read_hex(digits.as_bytes()).unwrap();
        let mut text = Vec::new();
        write_hex(&bytes, &mut text);
        assert_eq!(text, digits.as_bytes());
        let short = "0".repeat(63);
        for text in [&short, &format!("{digits}0"), &digits.to_uppercase(), ""] {
            assert!(read_hex(text.as_bytes()).is_none(), "{text}");
        }
        for stray in ["/", ":", "`", "g", "@", "G"] {
            assert!(read_hex(format!("{short}{stray}").as_bytes()).is_none(), "{stray}");
        }
    }
}
