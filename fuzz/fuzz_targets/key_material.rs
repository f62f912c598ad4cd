//! Imported keys: whatever is taken is a key that works, and has one material.
#![no_main]

use crypto::{SystemRng, WorkingKey, key_material, key_specs};
use libfuzzer_sys::fuzz_target;
use wire::enums::{KeySpec, KeyUsage, MessageType};

fuzz_target!(|input: &[u8]| {
    let Some((number, bytes)) = input.split_first() else { return };
    let key_spec = KeySpec::ALL[usize::from(*number) % KeySpec::ALL.len()];
    let row = key_specs::row(key_spec);
    for key_usage in KeyUsage::ALL {
        // Stored material is ours, but no bytes may do harm.
        drop(WorkingKey::parse(key_spec, *key_usage, bytes));
    }
    let Ok(material) = key_material::import(key_spec, bytes) else { return };
    if material.expose().first() == Some(&0x30) && material.len() > 64 {
        let again = key_material::import(key_spec, material.expose()).expect("it is a key");
        assert_eq!(again.expose(), material.expose(), "a key has two materials");
    }
    for key_usage in row.usages.iter().filter(|_| key_spec != KeySpec::SymmetricDefault) {
        let key = WorkingKey::parse(key_spec, *key_usage, material.expose()).expect("it is a key");
        if *key_usage == KeyUsage::SignVerify {
            sign(&key, row);
        }
    }
});

fn sign(key: &WorkingKey, row: key_specs::KeySpecRow) {
    let algorithm = row.signing_algorithms[0];
    let signature =
        key.sign(algorithm, MessageType::Raw, b"message", &SystemRng).expect("it signs");
    let verified = key.verify(algorithm, MessageType::Raw, b"message", &signature);
    assert_eq!(verified, Ok(true), "a key's halves do not belong together");
}
