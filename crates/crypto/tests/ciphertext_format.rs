//! The checked-in vectors of `docs/ciphertext-format.md` decrypt, today and for ever.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crypto::blob::{Blob, OVERHEAD_BYTES};
use crypto::{InvalidCiphertext, SecretKey, encryption_context, symmetric};
use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Deserialize)]
struct Vector {
    name: String,
    material: String,
    key_id: String,
    key_material_id: String,
    encryption_context: BTreeMap<String, String>,
    encoded_context: String,
    kdf_nonce: String,
    gcm_nonce: String,
    plaintext: String,
    blob: String,
}

#[derive(Deserialize)]
struct InvalidVector {
    name: String,
    material: String,
    encryption_context: BTreeMap<String, String>,
    blob: String,
}

fn load<T: DeserializeOwned>(name: &str) -> Vec<T> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name);
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let (pairs, rest) = hexadecimal.as_bytes().as_chunks::<2>();
    assert!(rest.is_empty());
    pairs
        .iter()
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn decrypt(
    material: &str,
    blob: &[u8],
    encoded_context: &[u8],
) -> Result<Vec<u8>, InvalidCiphertext> {
    let material = SecretKey::from_slice(&bytes(material)).unwrap();
    let plaintext = symmetric::decrypt(&material, &Blob::parse(blob)?, encoded_context)?;
    Ok(plaintext.into_exposed())
}

#[test]
fn every_vector_decrypts() {
    let vectors: Vec<Vector> = load("ciphertext-v1.json");
    assert!(vectors.len() >= 10);
    for vector in vectors {
        let name = &vector.name;
        let encoded_context = encryption_context::encode(&vector.encryption_context);
        assert_eq!(encoded_context, bytes(&vector.encoded_context), "{name}");

        let blob = bytes(&vector.blob);
        let header = Blob::parse(&blob).unwrap().header();
        assert_eq!(header.key_id.to_string(), vector.key_id, "{name}");
        assert_eq!(header.key_material_id.to_string(), vector.key_material_id, "{name}");
        assert_eq!(blob[50..66], bytes(&vector.kdf_nonce), "{name}");
        assert_eq!(blob[66..78], bytes(&vector.gcm_nonce), "{name}");

        let plaintext = decrypt(&vector.material, &blob, &encoded_context);
        assert_eq!(plaintext, Ok(bytes(&vector.plaintext)), "{name}");
        assert_eq!(blob.len(), vector.plaintext.len() / 2 + OVERHEAD_BYTES, "{name}");
    }
}

#[test]
fn no_invalid_vector_decrypts() {
    let vectors: Vec<InvalidVector> = load("ciphertext-v1-invalid.json");
    assert!(vectors.len() >= 10);
    for vector in vectors {
        let encoded_context = encryption_context::encode(&vector.encryption_context);
        let plaintext = decrypt(&vector.material, &bytes(&vector.blob), &encoded_context);
        assert_eq!(plaintext, Err(InvalidCiphertext), "{}", vector.name);
    }
}
