//! Material on its way here: every wrapping, with our own second reading of the wrapping side.

use aws_lc_rs::key_wrap::{AES_128, AES_256, AesKek, KeyWrapPadded};
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPublicEncryptingKey,
    PublicEncryptingKey,
};
use crypto::import_wrapping::UnwrappingKey;
use crypto::{CryptoError, InvalidCiphertext, SystemRng, data_key_pairs, key_material, key_specs};
use wire::enums::{DataKeyPairSpec, KeySpec, WrappingAlgorithm, WrappingKeySpec};

/// The two algorithms of each hash: of what fits, and of anything.
const ALGORITHMS: [(&OaepAlgorithm, WrappingAlgorithm, WrappingAlgorithm); 2] = [
    (&OAEP_SHA1_MGF1SHA1, WrappingAlgorithm::RsaesOaepSha1, WrappingAlgorithm::RsaAesKeyWrapSha1),
    (
        &OAEP_SHA256_MGF1SHA256,
        WrappingAlgorithm::RsaesOaepSha256,
        WrappingAlgorithm::RsaAesKeyWrapSha256,
    ),
];

fn encrypt(key: &UnwrappingKey, oaep: &'static OaepAlgorithm, plaintext: &[u8]) -> Vec<u8> {
    let public_key = PublicEncryptingKey::from_der(key.public_key_der()).unwrap();
    let public_key = OaepPublicEncryptingKey::new(public_key).unwrap();
    let mut ciphertext = vec![0; public_key.ciphertext_size()];
    public_key.encrypt(oaep, plaintext, &mut ciphertext, None).unwrap();
    ciphertext
}

fn wrap(key: &UnwrappingKey, oaep: &'static OaepAlgorithm, aes: &[u8], material: &[u8]) -> Vec<u8> {
    let cipher = if aes.len() == 16 { &AES_128 } else { &AES_256 };
    let mut wrapped = vec![0; material.len() + 16];
    let wrapped = AesKek::new(cipher, aes)
        .unwrap()
        .wrap_with_padding(material, &mut wrapped)
        .unwrap()
        .to_vec();
    [encrypt(key, oaep, aes), wrapped].concat()
}

fn is_refused(key: &UnwrappingKey, algorithm: WrappingAlgorithm, encrypted: &[u8]) -> bool {
    key.unwrap(algorithm, encrypted).err() == Some(InvalidCiphertext)
}

#[test]
fn what_is_wrapped_unwraps_by_the_same_algorithm_alone() {
    for spec in [WrappingKeySpec::Rsa2048, WrappingKeySpec::Rsa3072, WrappingKeySpec::Rsa4096] {
        let key = UnwrappingKey::generate(spec, &SystemRng).unwrap();
        for (oaep, direct, wrapped) in ALGORITHMS {
            for bytes in [1, 28, 32, 64, 138] {
                let material = vec![7; bytes];
                for (algorithm, encrypted) in [
                    (direct, encrypt(&key, oaep, &material)),
                    (wrapped, wrap(&key, oaep, &[9; 32], &material)),
                ] {
                    assert_eq!(key.unwrap(algorithm, &encrypted).unwrap().expose(), material);
                    for other in WrappingAlgorithm::ALL.iter().filter(|other| **other != algorithm)
                    {
                        assert!(is_refused(&key, *other, &encrypted), "{algorithm} as {other}");
                    }
                }
            }
        }
    }
}

#[test]
fn an_rsa_key_is_wrapped_and_imported() {
    let pair = data_key_pairs::generate(DataKeyPairSpec::Rsa4096, &SystemRng).unwrap();
    let key = UnwrappingKey::generate(WrappingKeySpec::Rsa2048, &SystemRng).unwrap();
    for (oaep, _, algorithm) in ALGORITHMS {
        let encrypted = wrap(&key, oaep, &[9; 32], pair.private_key_der.expose());
        let unwrapped = key.unwrap(algorithm, &encrypted).unwrap();
        let material = key_material::import(KeySpec::Rsa4096, unwrapped.expose()).unwrap();
        assert_eq!(material.expose(), pair.private_key_der.expose());
    }
}

#[test]
fn whatever_was_altered_is_refused() {
    let key = UnwrappingKey::generate(WrappingKeySpec::Rsa2048, &SystemRng).unwrap();
    let another = UnwrappingKey::generate(WrappingKeySpec::Rsa2048, &SystemRng).unwrap();
    for (oaep, direct, wrapped) in ALGORITHMS {
        for (algorithm, encrypted) in [
            (direct, encrypt(&key, oaep, &[7; 32])),
            (wrapped, wrap(&key, oaep, &[9; 32], &[7; 32])),
        ] {
            assert!(is_refused(&another, algorithm, &encrypted));
            for byte in (0..encrypted.len()).step_by(5) {
                let mut altered = encrypted.clone();
                altered[byte] ^= 1;
                assert!(is_refused(&key, algorithm, &altered), "{algorithm} byte {byte}");
            }
            for length in (0..encrypted.len()).step_by(7) {
                assert!(is_refused(&key, algorithm, &encrypted[..length]));
            }
            assert!(is_refused(&key, algorithm, &[&encrypted[..], &[0]].concat()));
            assert!(is_refused(&key, algorithm, &[&encrypted[..], &[0; 8]].concat()));
        }
    }
}

#[test]
fn the_inner_key_has_256_bits() {
    let key = UnwrappingKey::generate(WrappingKeySpec::Rsa2048, &SystemRng).unwrap();
    for (oaep, _, algorithm) in ALGORITHMS {
        assert!(is_refused(&key, algorithm, &wrap(&key, oaep, &[9; 16], &[7; 32])));
    }
}

#[test]
fn a_key_is_read_back_with_its_public_half() {
    for spec in [WrappingKeySpec::Rsa2048, WrappingKeySpec::Rsa3072] {
        let key = UnwrappingKey::generate(spec, &SystemRng).unwrap();
        let again = UnwrappingKey::from_pkcs8(key.to_pkcs8().unwrap().expose()).unwrap();
        assert_eq!(again.public_key_der(), key.public_key_der());
        let encrypted = encrypt(&key, &OAEP_SHA256_MGF1SHA256, b"material");
        let unwrapped = again.unwrap(WrappingAlgorithm::RsaesOaepSha256, &encrypted).unwrap();
        assert_eq!(unwrapped.expose(), b"material");
    }
    assert!(UnwrappingKey::from_pkcs8(b"material").is_err());
    let sm2 = UnwrappingKey::generate(WrappingKeySpec::Sm2, &SystemRng);
    let is_unbuilt = !key_specs::is_built(KeySpec::Sm2);
    assert_eq!(sm2.err(), is_unbuilt.then_some(CryptoError::Unsupported));
}
