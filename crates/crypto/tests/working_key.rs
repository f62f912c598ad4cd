//! Every spec through its life: material is generated, parsed, used, and refused where it does not
//! fit.

use crypto::{SystemRng, WorkingKey, key_material, key_specs};
use wire::enums::{KeySpec, KeyUsage, MessageType};

fn message_types() -> [(MessageType, usize); 5] {
    [
        (MessageType::Raw, 100),
        (MessageType::Digest, 32),
        (MessageType::Digest, 48),
        (MessageType::Digest, 64),
        (MessageType::ExternalMu, 64),
    ]
}

#[test]
fn what_a_key_signs_it_verifies() {
    for key_spec in KeySpec::ALL {
        let row = key_specs::row(*key_spec);
        if !row.is_built || !row.admits(KeyUsage::SignVerify) {
            continue;
        }
        let material = key_material::generate(*key_spec, &SystemRng).unwrap();
        let key = WorkingKey::parse(*key_spec, KeyUsage::SignVerify, material.expose()).unwrap();
        for algorithm in row.signing_algorithms {
            let mut signed = 0;
            for (message_type, bytes) in message_types() {
                let message = vec![7; bytes];
                let Ok(signature) = key.sign(*algorithm, message_type, &message) else { continue };
                signed += 1;
                assert_eq!(key.verify(*algorithm, message_type, &message, &signature), Ok(true));
            }
            println!("{key_spec} {algorithm} {signed}");
            assert!(signed > 0);
        }
    }
}
