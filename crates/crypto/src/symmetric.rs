//! Encryption under a symmetric KMS key (`SYMMETRIC_DEFAULT`).
//!
//! ```text
//! H      = 0x01 || form || key id || key material id || N
//! K_O    = KDF(K_I, Label, Context = H, L = 256)
//! (C, T) = GCM-AE_{K_O}(IV, P, A = EC)
//! blob   = H || IV || C || T
//! ```
//!
//! N is 128 and IV 96 random bits. KDF is that of NIST SP 800-108 rev. 1, section 4.1, in counter
//! mode with HMAC-SHA-256; GCM is that of SP 800-38D with AES-256. `K_I` is the key material and
//! `EC` the canonical encryption context ([`crate::encryption_context`]).
//!
//! Each message has its own key `K_O`, so no GCM key comes near its bound and a repeated IV alone
//! does no harm: a collision needs 128 + 96 equal bits. H is authenticated through `K_O`: another
//! header is another key. `docs/ciphertext-format.md` specifies the format; blobs stay decryptable
//! for ever.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::kdf::{KbkdfCtrHmacAlgorithmId, get_kbkdf_ctr_hmac_algorithm, kbkdf_ctr_hmac};

use crate::blob::{Blob, HEADER_BYTES, Header, PLAINTEXT_BYTES_MAX, concatenate};
use crate::{CryptoError, InvalidCiphertext, Rng, SecretBytes, SecretKey, gcm, rng};

/// Label of the derivation (SP 800-108 rev. 1, 4): names the purpose of `K_O`.
const LABEL: &[u8] = b"keystead symmetric encryption";

/// `[L]_32`, the length of `K_O` in bits.
const LENGTH_BITS: [u8; 4] = 256_u32.to_be_bytes();

/// Length of `Label || 0x00 || Context || [L]_32`, in bytes.
const FIXED_INPUT_BYTES: usize = LABEL.len() + 1 + HEADER_BYTES + LENGTH_BITS.len();

/// `blob = H || IV || C || T`, allocated once.
///
/// `encoded_context` is `EC`; it is authenticated and not carried.
///
/// # Errors
/// [`CryptoError::TooLong`] above [`PLAINTEXT_BYTES_MAX`]; [`CryptoError::Rng`] when randomness
/// fails; [`CryptoError::Refused`] when the module refuses.
pub fn encrypt(
    material: &SecretKey,
    header: &Header,
    encoded_context: &[u8],
    plaintext: &[u8],
    rng: &dyn Rng,
) -> Result<Vec<u8>, CryptoError> {
    if plaintext.len() > PLAINTEXT_BYTES_MAX {
        return Err(CryptoError::TooLong {
            bytes: plaintext.len(),
            bytes_max: PLAINTEXT_BYTES_MAX,
        });
    }
    let header = header.encode(&rng::array(rng)?);
    let mut message_key = SecretKey::zeros();
    derive(material, &header, &mut message_key)?;
    Ok(gcm::seal(&message_key, encoded_context, &header, plaintext)?)
}

/// `P = GCM-AD_{K_O}(IV, C, A = EC, T)`
///
/// # Errors
/// [`InvalidCiphertext`] when anything differs from what it was at encryption, without telling
/// what.
pub fn decrypt(
    material: &SecretKey,
    blob: &Blob<'_>,
    encoded_context: &[u8],
) -> Result<SecretBytes, InvalidCiphertext> {
    let mut message_key = SecretKey::zeros();
    derive(material, blob.header_bytes, &mut message_key)?;
    Ok(gcm::open(&message_key, encoded_context, blob.gcm_nonce, blob.ciphertext_and_tag)?)
}

/// `K_O = HMAC-SHA-256(K_I, [1]_32 || Label || 0x00 || Context || [L]_32)`, one block of the
/// counter mode.
///
/// It is written where it stays: a key that is returned by value leaves copies on the stack.
fn derive(
    material: &SecretKey,
    header: &[u8; HEADER_BYTES],
    message_key: &mut SecretKey,
) -> Result<(), Unspecified> {
    let algorithm =
        get_kbkdf_ctr_hmac_algorithm(KbkdfCtrHmacAlgorithmId::Sha256).ok_or(Unspecified)?;
    let fixed_input: [u8; FIXED_INPUT_BYTES] = concatenate(&[LABEL, &[0x00], header, &LENGTH_BITS]);
    kbkdf_ctr_hmac(algorithm, material.expose(), &fixed_input, message_key.expose_mut())
}
