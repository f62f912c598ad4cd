//! Ciphertext blobs: what we made is read back, and any change to it, or anything else, is refused.
#![no_main]

use crypto::blob::{Blob, Header, PLAINTEXT_BYTES_MAX};
use crypto::{SecretKey, SystemRng, symmetric};
use libfuzzer_sys::fuzz_target;
use wire::names::{KeyId, KeyMaterialId};

const CONTEXT: &[u8] = b"an encoded context";

fuzz_target!(|input: &[u8]| {
    let material = SecretKey::new([7; 32]);
    if let Ok(blob) = Blob::parse(input) {
        assert!(symmetric::decrypt(&material, &blob, CONTEXT).is_err(), "a forged blob decrypted");
    }
    let Some((&[place, bit], plaintext)) = input.split_first_chunk::<2>() else { return };
    let header = Header {
        key_id: KeyId::from_uuid_bytes([1; 16]),
        key_material_id: KeyMaterialId::from_bytes([2; 32]),
    };
    let Ok(mut bytes) = symmetric::encrypt(&material, &header, CONTEXT, plaintext, &SystemRng)
    else {
        assert!(plaintext.len() > PLAINTEXT_BYTES_MAX);
        return;
    };
    let blob = Blob::parse(&bytes).expect("what was encrypted is a blob");
    assert_eq!(blob.header(), header);
    let decrypted = symmetric::decrypt(&material, &blob, CONTEXT).expect("it decrypts");
    assert_eq!(decrypted.expose(), plaintext);
    assert!(symmetric::decrypt(&material, &blob, b"another context").is_err());

    let place = usize::from(place) * 31 % bytes.len();
    bytes[place] ^= 1 << (bit % 8);
    if let Ok(blob) = Blob::parse(&bytes) {
        assert!(symmetric::decrypt(&material, &blob, CONTEXT).is_err(), "a changed blob decrypted");
    }
});
