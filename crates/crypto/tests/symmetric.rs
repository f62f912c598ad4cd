//! Blobs decrypt as they were encrypted, and nothing else decrypts (threats T-3 and T-4).
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use crypto::blob::{BLOB_BYTES_MAX, Blob, Header, OVERHEAD_BYTES, PLAINTEXT_BYTES_MAX};
use crypto::{CryptoError, InvalidCiphertext, SecretBytes, SecretKey, SystemRng, symmetric};
use proptest::prelude::*;
use wire::names::{KeyId, KeyMaterialId};

const HEADER_END: usize = 66;

fn header(key: u8, material: u8) -> Header {
    Header {
        key_id: KeyId::from_uuid_bytes([key; 16]),
        key_material_id: KeyMaterialId::from_bytes([material; 32]),
    }
}

fn material(byte: u8) -> SecretKey {
    SecretKey::new([byte; 32])
}

fn encrypt(header: &Header, context: &[u8], plaintext: &[u8]) -> Vec<u8> {
    symmetric::encrypt(&material(1), header, context, plaintext, &SystemRng).unwrap()
}

fn decrypt(blob: &[u8], context: &[u8]) -> Result<SecretBytes, InvalidCiphertext> {
    symmetric::decrypt(&material(1), &Blob::parse(blob)?, context)
}

#[test]
fn every_flipped_bit_is_invalid() {
    let blob = encrypt(&header(2, 3), b"context", b"plaintext");
    for bit in 0..blob.len() * 8 {
        let mut altered = blob.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert!(decrypt(&altered, b"context").is_err(), "bit {bit}");
    }
    for length in 0..blob.len() {
        assert!(decrypt(&blob[..length], b"context").is_err());
    }
    assert!(decrypt(&[&blob[..], &[0]].concat(), b"context").is_err());
    assert!(decrypt(&blob, b"context").is_ok());
}

#[test]
fn a_relabelled_blob_is_invalid() {
    // Same material under two ids: only the header differs, and it is authenticated.
    for number in 0..=255 {
        let one = encrypt(&header(2, 3), b"", &[number; 32]);
        let other = encrypt(&header(4, 5), b"", &[number; 32]);
        for range in [0..HEADER_END, 1..18, 18..50, 50..66, 66..78] {
            let mut relabelled = one.clone();
            relabelled[range.clone()].copy_from_slice(&other[range]);
            assert_eq!(
                decrypt(&relabelled, b"").err(),
                (relabelled != one).then_some(InvalidCiphertext)
            );
        }
    }
}

#[test]
fn a_uuid_key_and_a_multi_region_key_of_the_same_bytes_differ() {
    let multi_region = Header { key_id: KeyId::multi_region_from_bytes([2; 16]), ..header(2, 3) };
    let mut blob = encrypt(&multi_region, b"", b"plaintext");
    assert!(decrypt(&blob, b"").is_ok());
    blob[1] = 0;
    assert!(decrypt(&blob, b"").is_err());
}

#[test]
fn other_material_and_other_contexts_are_invalid() {
    let blob = encrypt(&header(2, 3), b"context", b"plaintext");
    let parsed = Blob::parse(&blob).unwrap();
    assert!(symmetric::decrypt(&material(9), &parsed, b"context").is_err());
    for other in [&b""[..], b"Context", b"context ", b"contex"] {
        assert!(decrypt(&blob, other).is_err());
    }
}

#[test]
fn plaintexts_are_bounded_so_that_blobs_are() {
    let longest = encrypt(&header(2, 3), b"", &[7; PLAINTEXT_BYTES_MAX]);
    assert_eq!((longest.len(), longest.capacity()), (BLOB_BYTES_MAX, BLOB_BYTES_MAX));
    assert!(decrypt(&longest, b"").is_ok());
    let too_long = [7; PLAINTEXT_BYTES_MAX + 1];
    assert_eq!(
        symmetric::encrypt(&material(1), &header(2, 3), b"", &too_long, &SystemRng),
        Err(CryptoError::TooLong {
            bytes: PLAINTEXT_BYTES_MAX + 1,
            bytes_max: PLAINTEXT_BYTES_MAX
        })
    );
}

proptest! {
    #[test]
    fn what_is_encrypted_decrypts(
        key in any::<u8>(),
        context in prop::collection::vec(any::<u8>(), 0..200),
        plaintext in prop::collection::vec(any::<u8>(), 0..5_000),
    ) {
        let blob = encrypt(&header(key, 3), &context, &plaintext);
        prop_assert_eq!(blob.len(), plaintext.len() + OVERHEAD_BYTES);
        let decrypted = decrypt(&blob, &context).map(SecretBytes::into_exposed);
        prop_assert_eq!(decrypted, Ok(plaintext));
    }

    #[test]
    fn noise_does_not_decrypt(
        mut blob in prop::collection::vec(any::<u8>(), 0..300),
        context in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        blob.iter_mut().take(1).for_each(|version| *version = 1);
        blob.iter_mut().skip(1).take(1).for_each(|form| *form &= 1);
        prop_assert!(decrypt(&blob, &context).is_err());
    }
}
