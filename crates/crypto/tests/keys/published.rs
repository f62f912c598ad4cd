//! Keys, signatures and ciphertexts of other libraries, and ours that they check.
//!
//! `keys.json` holds private keys that Python's `cryptography` made (OpenSSL 4.0.0), what it and
//! PyCryptodome (for Ed25519ph) made with them, and what this crate made. Here the first is checked
//! by this crate; `tests/vectors/test_key_formats.py` checks the second by `cryptography`.

use crypto::{SystemRng, WorkingKey, key_material, key_specs};
use serde::Deserialize;
use wire::enums::{EncryptionAlgorithmSpec, KeySpec, KeyUsage, MessageType, SigningAlgorithmSpec};

use crate::vectors::{bytes, load};

#[derive(Deserialize)]
struct Vector {
    key_spec: String,
    private_key_der: String,
    public_key_der: String,
    #[serde(default)]
    signatures: Vec<Signature>,
    #[serde(default)]
    ciphertexts: Vec<Ciphertext>,
    #[serde(default)]
    agreements: Vec<Agreement>,
    #[serde(default)]
    encapsulations: Vec<Encapsulation>,
}

#[derive(Deserialize)]
struct Signature {
    algorithm: String,
    message_type: String,
    message: String,
    signature: String,
}

#[derive(Deserialize)]
struct Ciphertext {
    algorithm: String,
    plaintext: String,
    ciphertext: String,
}

#[derive(Deserialize)]
struct Agreement {
    public_key_der: String,
    shared_secret: String,
}

#[derive(Deserialize)]
struct Encapsulation {
    ciphertext: String,
    shared_secret: String,
}

/// The key of a vector at work; its public key is that of the other library.
fn parse(vector: &Vector, key_usage: KeyUsage) -> WorkingKey {
    let key_spec: KeySpec = vector.key_spec.parse().unwrap();
    let material = key_material::import(key_spec, &bytes(&vector.private_key_der)).unwrap();
    let key = WorkingKey::parse(key_spec, key_usage, material.expose()).unwrap();
    assert_eq!(key.public_key_der(), Some(&bytes(&vector.public_key_der)[..]));
    key
}

/// Whether an algorithm signs one message always in one way.
fn is_deterministic(algorithm: SigningAlgorithmSpec) -> bool {
    let name = algorithm.as_str();
    name.starts_with("RSASSA_PKCS1") || name.starts_with("ED25519")
}

#[test]
fn keys_have_the_public_keys_of_other_libraries() {
    let vectors: Vec<Vector> = load("keys.json");
    // All but ML_KEM_512, which `cryptography` does not have.
    assert_eq!(vectors.len(), 13);
    for vector in &vectors {
        let row = key_specs::row(vector.key_spec.parse().unwrap());
        for key_usage in row.usages {
            parse(vector, *key_usage);
        }
    }
}

#[test]
fn signatures_of_other_libraries_verify() {
    let mut count = 0;
    for vector in &load::<Vec<Vector>>("keys.json") {
        if vector.signatures.is_empty() {
            continue;
        }
        let key = parse(vector, KeyUsage::SignVerify);
        for made in &vector.signatures {
            let algorithm = made.algorithm.parse().unwrap();
            let message_type: MessageType = made.message_type.parse().unwrap();
            let (message, signature) = (bytes(&made.message), bytes(&made.signature));
            let verified = key.verify(algorithm, message_type, &message, &signature);
            assert_eq!(verified, Ok(true), "{} {algorithm}", vector.key_spec);
            if is_deterministic(algorithm) {
                assert_eq!(key.sign(algorithm, message_type, &message, &SystemRng), Ok(signature));
            }
            count += 1;
        }
    }
    assert_eq!(count, 68);
}

#[test]
fn ciphertexts_of_other_libraries_decrypt() {
    let mut count = 0;
    for vector in &load::<Vec<Vector>>("keys.json") {
        if vector.ciphertexts.is_empty() {
            continue;
        }
        let key = parse(vector, KeyUsage::EncryptDecrypt);
        for made in &vector.ciphertexts {
            let algorithm: EncryptionAlgorithmSpec = made.algorithm.parse().unwrap();
            let plaintext = key.decrypt(algorithm, &bytes(&made.ciphertext)).unwrap();
            assert_eq!(plaintext.expose(), bytes(&made.plaintext));
            count += 1;
        }
    }
    assert_eq!(count, 12);
}

#[test]
fn secrets_are_those_of_other_libraries() {
    let mut count = 0;
    for vector in &load::<Vec<Vector>>("keys.json") {
        for made in &vector.agreements {
            let key = parse(vector, KeyUsage::KeyAgreement);
            let secret = key.derive_shared_secret(&bytes(&made.public_key_der)).unwrap();
            assert_eq!(secret.expose(), bytes(&made.shared_secret));
            count += 1;
        }
        for made in &vector.encapsulations {
            let key = parse(vector, KeyUsage::EncapsulateDecapsulate);
            let secret = key.decapsulate(&bytes(&made.ciphertext)).unwrap();
            assert_eq!(secret.expose(), bytes(&made.shared_secret));
            count += 1;
        }
    }
    assert_eq!(count, 3 + 4);
}
