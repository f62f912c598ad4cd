//! Public keys of peers: two readers, on the NIST curves one of them AWS-LC's, agree on which are on a key's curve.
#![no_main]

use std::sync::LazyLock;

use crypto::{SystemRng, VerifyingKey, WorkingKey, key_material, key_specs};
use libfuzzer_sys::fuzz_target;
use wire::enums::{KeySpec, KeyUsage};

static KEYS: LazyLock<Vec<(KeySpec, WorkingKey)>> = LazyLock::new(|| {
    let specs = [KeySpec::EccNistP256, KeySpec::EccNistP384, KeySpec::EccNistP521, KeySpec::Sm2];
    specs.map(|key_spec| (key_spec, generate(key_spec))).into()
});

fn generate(key_spec: KeySpec) -> WorkingKey {
    let material = key_material::generate(key_spec, &SystemRng).expect("keys are made");
    WorkingKey::parse(key_spec, KeyUsage::KeyAgreement, material.expose()).expect("it is a key")
}

fuzz_target!(|input: &[u8]| {
    for (key_spec, key) in &*KEYS {
        let secret = key.derive_shared_secret(input);
        let is_key = VerifyingKey::parse(*key_spec, input).is_ok();
        assert_eq!(secret.is_ok(), is_key, "the readers disagree");
        if let Ok(secret) = secret {
            assert_eq!(Some(secret.len()), key_specs::shared_secret_bytes(*key_spec));
        }
    }
    for key_spec in KeySpec::ALL {
        drop(VerifyingKey::parse(*key_spec, input));
    }
});
