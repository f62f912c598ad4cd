//! What keys do for their usage: encryption, MACs, agreement, encapsulation; and no more.

use crypto::{
    CryptoError, InvalidCiphertext, InvalidKeyMaterial, SystemRng, WorkingKey, key_material,
    key_specs,
};
use wire::enums::{
    EncryptionAlgorithmSpec, KeySpec, KeyUsage, MacAlgorithmSpec, MessageType, SigningAlgorithmSpec,
};

use crate::made::{MATERIALS, other, parse, specs_for};

#[test]
fn material_has_the_length_of_its_spec() {
    for (key_spec, material) in &*MATERIALS {
        let bytes = match key_spec {
            KeySpec::SymmetricDefault => 32..=32,
            KeySpec::Hmac224 => 28..=28,
            KeySpec::Hmac256 => 32..=32,
            KeySpec::Hmac384 => 48..=48,
            KeySpec::Hmac512 => 64..=64,
            KeySpec::Rsa2048 => 1214..=1220,
            KeySpec::Rsa3072 => 1790..=1796,
            KeySpec::Rsa4096 => 2370..=2376,
            KeySpec::EccNistP256 => 138..=138,
            KeySpec::EccNistP384 => 185..=185,
            KeySpec::EccNistP521 => 241..=241,
            KeySpec::EccSecgP256k1 => 135..=135,
            KeySpec::EccNistEdwards25519 => 48..=48,
            KeySpec::MlDsa44 | KeySpec::MlDsa65 | KeySpec::MlDsa87 => 32..=32,
            KeySpec::MlKem512 | KeySpec::MlKem768 | KeySpec::MlKem1024 => 64..=64,
            KeySpec::Sm2 => 138..=138,
        };
        assert!(bytes.contains(&material.len()), "{key_spec}: {}", material.len());
        assert!(material.len() <= key_material::material_bytes_max());
        let again = key_material::generate(KeySpec::Hmac256, &SystemRng).unwrap();
        assert_ne!(again.expose(), material);
    }
    assert_eq!(
        key_material::generate(KeySpec::Sm2, &SystemRng).err(),
        (!key_specs::is_built(KeySpec::Sm2)).then_some(CryptoError::Unsupported)
    );
}

#[test]
fn a_spec_has_the_usages_of_its_row() {
    for key_spec in KeySpec::ALL {
        let material = MATERIALS.get(key_spec).map_or(&[][..], Vec::as_slice);
        for key_usage in KeyUsage::ALL {
            let row = key_specs::row(*key_spec);
            let parsed = WorkingKey::parse(*key_spec, *key_usage, material).err();
            let works =
                row.is_built && row.admits(*key_usage) && *key_spec != KeySpec::SymmetricDefault;
            let expected = (!works).then_some(InvalidKeyMaterial::Unsupported);
            assert_eq!(parsed, expected, "{key_spec} {key_usage}");
        }
    }
}

/// Length of material that is bytes without form, which any bytes of that length are.
fn formless_bytes(key_spec: KeySpec) -> Option<usize> {
    let row = key_specs::row(key_spec);
    if row.signing_algorithms.contains(&SigningAlgorithmSpec::MlDsaShake256) {
        return Some(32);
    }
    if !row.encapsulation_algorithms.is_empty() {
        return Some(64);
    }
    row.hmac_bytes
}

#[test]
fn material_of_one_spec_is_not_that_of_another() {
    for (key_spec, material) in &*MATERIALS {
        for other_spec in MATERIALS.keys().filter(|other_spec| *other_spec != key_spec) {
            for key_usage in key_specs::row(*other_spec).usages {
                let parsed = WorkingKey::parse(*other_spec, *key_usage, material);
                let fits = formless_bytes(*other_spec) == Some(material.len());
                assert_eq!(parsed.is_ok(), fits, "{key_spec} as {other_spec}");
            }
        }
    }
}

#[test]
fn public_keys_have_the_lengths_that_aws_gives() {
    let expected = |key_spec| match key_spec {
        KeySpec::Rsa2048 => 294,
        KeySpec::Rsa3072 => 422,
        KeySpec::Rsa4096 => 550,
        KeySpec::EccNistP256 | KeySpec::Sm2 => 91,
        KeySpec::EccNistP384 => 120,
        KeySpec::EccNistP521 => 158,
        KeySpec::EccSecgP256k1 => 88,
        KeySpec::EccNistEdwards25519 => 44,
        KeySpec::MlDsa44 => 1334,
        KeySpec::MlDsa65 => 1974,
        KeySpec::MlDsa87 => 2614,
        KeySpec::MlKem512 => 822,
        KeySpec::MlKem768 => 1206,
        KeySpec::MlKem1024 => 1590,
        KeySpec::SymmetricDefault
        | KeySpec::Hmac224
        | KeySpec::Hmac256
        | KeySpec::Hmac384
        | KeySpec::Hmac512 => 0,
    };
    for key_usage in KeyUsage::ALL {
        for key_spec in specs_for(*key_usage) {
            let key = parse(key_spec, *key_usage).unwrap();
            let bytes = key.public_key_der().map_or(0, <[u8]>::len);
            assert_eq!(bytes, expected(key_spec), "{key_spec} {key_usage}");
        }
    }
}

#[test]
fn one_key_has_one_public_key_whatever_it_is_for() {
    for (key_spec, usages) in [
        (KeySpec::Rsa2048, [KeyUsage::SignVerify, KeyUsage::EncryptDecrypt]),
        (KeySpec::EccNistP384, [KeyUsage::SignVerify, KeyUsage::KeyAgreement]),
    ] {
        let [first, second] = usages.map(|key_usage| parse(key_spec, key_usage).unwrap());
        assert_eq!(first.public_key_der(), second.public_key_der());
    }
}

#[test]
fn rsa_decrypts_what_it_encrypted_and_nothing_else() {
    for key_spec in [KeySpec::Rsa2048, KeySpec::Rsa3072, KeySpec::Rsa4096] {
        let key = parse(key_spec, KeyUsage::EncryptDecrypt).unwrap();
        let sha_1 = EncryptionAlgorithmSpec::RsaesOaepSha1;
        let sha_256 = EncryptionAlgorithmSpec::RsaesOaepSha256;
        for (algorithm, other) in [(sha_1, sha_256), (sha_256, sha_1)] {
            let bytes_max = key_specs::plaintext_bytes_max(key_spec, algorithm).unwrap();
            for bytes in [0, 1, 32, bytes_max] {
                let ciphertext = key.encrypt(algorithm, &vec![7; bytes], &SystemRng).unwrap();
                assert_eq!(Some(ciphertext.len()), key_specs::row(key_spec).modulus_bytes);
                let plaintext = key.decrypt(algorithm, &ciphertext).unwrap();
                assert_eq!(plaintext.expose(), vec![7; bytes]);
                assert_eq!(key.decrypt(other, &ciphertext).err(), Some(InvalidCiphertext));
            }
            assert_eq!(
                key.encrypt(algorithm, &vec![7; bytes_max + 1], &SystemRng),
                Err(CryptoError::TooLong { bytes: bytes_max + 1, bytes_max })
            );
            let ciphertext = key.encrypt(algorithm, b"plaintext", &SystemRng).unwrap();
            for place in (0..ciphertext.len()).step_by(31) {
                let mut altered = ciphertext.clone();
                altered[place] ^= 1;
                assert_eq!(key.decrypt(algorithm, &altered).err(), Some(InvalidCiphertext));
            }
            for altered in [&ciphertext[1..], &[], &[&[0], &ciphertext[..]].concat()] {
                assert_eq!(key.decrypt(algorithm, altered).err(), Some(InvalidCiphertext));
            }
        }
        for algorithm in
            [EncryptionAlgorithmSpec::SymmetricDefault, EncryptionAlgorithmSpec::Sm2Pke]
        {
            assert_eq!(
                key.encrypt(algorithm, b"plaintext", &SystemRng),
                Err(CryptoError::Unsupported)
            );
            assert_eq!(key.decrypt(algorithm, &[7; 256]).err(), Some(InvalidCiphertext));
        }
    }
}

#[test]
fn macs_are_whole_and_of_one_message() {
    for key_spec in specs_for(KeyUsage::GenerateVerifyMac) {
        let key = parse(key_spec, KeyUsage::GenerateVerifyMac).unwrap();
        for algorithm in MacAlgorithmSpec::ALL {
            if !key_specs::row(key_spec).mac_algorithms.contains(algorithm) {
                assert_eq!(key.mac(*algorithm, b"message"), Err(CryptoError::Unsupported));
                let verified = key.verify_mac(*algorithm, b"message", &[7; 32]);
                assert_eq!(verified, Err(CryptoError::Unsupported));
                continue;
            }
            let mac = key.mac(*algorithm, b"message").unwrap();
            assert_eq!(Some(mac.len()), key_specs::hmac_bytes(key_spec));
            assert_eq!(key.verify_mac(*algorithm, b"message", &mac), Ok(true));
            assert_eq!(key.verify_mac(*algorithm, b"another", &mac), Ok(false));
            for bit in 0..mac.len() * 8 {
                let mut altered = mac.clone();
                altered[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(key.verify_mac(*algorithm, b"message", &altered), Ok(false));
            }
            for length in 0..mac.len() {
                assert_eq!(key.verify_mac(*algorithm, b"message", &mac[..length]), Ok(false));
            }
        }
    }
}

#[test]
fn both_sides_agree_on_one_secret() {
    for key_spec in specs_for(KeyUsage::KeyAgreement) {
        let ours = parse(key_spec, KeyUsage::KeyAgreement).unwrap();
        let theirs = other(key_spec, KeyUsage::KeyAgreement);
        let secret = ours.derive_shared_secret(theirs.public_key_der().unwrap()).unwrap();
        let same = theirs.derive_shared_secret(ours.public_key_der().unwrap()).unwrap();
        assert_eq!(secret.expose(), same.expose());
        assert_eq!(Some(secret.len()), key_specs::shared_secret_bytes(key_spec));
    }
}

#[test]
fn a_peer_has_the_one_encoding_of_a_point_on_the_same_curve() {
    for key_spec in specs_for(KeyUsage::KeyAgreement) {
        let key = parse(key_spec, KeyUsage::KeyAgreement).unwrap();
        let peer = other(key_spec, KeyUsage::KeyAgreement);
        let peer = peer.public_key_der().unwrap();
        let is_refused = |public_key_der: &[u8]| key.derive_shared_secret(public_key_der).is_err();
        for bit in 0..peer.len() * 8 {
            let mut altered = peer.to_vec();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(is_refused(&altered), "{key_spec} bit {bit}");
        }
        for length in 0..peer.len() {
            assert!(is_refused(&peer[..length]));
        }
        assert!(is_refused(&[peer, &[0]].concat()));
        // The point alone.
        let field_bytes = key_specs::shared_secret_bytes(key_spec).unwrap();
        assert!(is_refused(&peer[peer.len() - 2 * field_bytes - 1..]));
        for other_spec in specs_for(KeyUsage::SignVerify).filter(|spec| *spec != key_spec) {
            let other = parse(other_spec, KeyUsage::SignVerify).unwrap();
            assert!(is_refused(other.public_key_der().unwrap()), "{key_spec} {other_spec}");
        }
    }
}

#[test]
fn encapsulated_secrets_are_decapsulated() {
    for (key_spec, ciphertext_bytes) in
        [(KeySpec::MlKem512, 768), (KeySpec::MlKem768, 1088), (KeySpec::MlKem1024, 1568)]
    {
        let key = parse(key_spec, KeyUsage::EncapsulateDecapsulate).unwrap();
        let (secret, ciphertext) = key.encapsulate().unwrap();
        assert_eq!((secret.len(), ciphertext.len()), (32, ciphertext_bytes));
        assert_eq!(key.decapsulate(&ciphertext).unwrap().expose(), secret.expose());
        assert_ne!(key.encapsulate().unwrap().0.expose(), secret.expose());

        // Implicit rejection: a forged ciphertext gives a secret of its own, each time the same.
        let mut forged = ciphertext.clone();
        forged[0] ^= 1;
        let rejected = key.decapsulate(&forged).unwrap();
        assert_eq!(rejected.len(), 32);
        assert_ne!(rejected.expose(), secret.expose());
        assert_eq!(key.decapsulate(&forged).unwrap().expose(), rejected.expose());
        for wrong in [&ciphertext[1..], &[], &[&ciphertext[..], &[0]].concat()] {
            assert_eq!(key.decapsulate(wrong).err(), Some(InvalidCiphertext));
        }
    }
}

#[test]
fn a_key_does_what_its_usage_says_and_nothing_else() {
    for key_usage in KeyUsage::ALL {
        for key_spec in specs_for(*key_usage) {
            let key = parse(key_spec, *key_usage).unwrap();
            let unless = |usage: KeyUsage| usage != *key_usage;
            if unless(KeyUsage::SignVerify) {
                let algorithm = SigningAlgorithmSpec::EcdsaSha256;
                let signed = key.sign(algorithm, MessageType::Raw, b"message", &SystemRng);
                assert_eq!(signed, Err(CryptoError::Unsupported));
                let verified = key.verify(algorithm, MessageType::Raw, b"message", &[7; 70]);
                assert_eq!(verified, Err(CryptoError::Unsupported));
            }
            if unless(KeyUsage::EncryptDecrypt) {
                let algorithm = EncryptionAlgorithmSpec::RsaesOaepSha256;
                assert_eq!(
                    key.encrypt(algorithm, b"message", &SystemRng),
                    Err(CryptoError::Unsupported)
                );
                assert!(key.decrypt(algorithm, &[7; 256]).is_err());
            }
            if unless(KeyUsage::GenerateVerifyMac) {
                let algorithm = MacAlgorithmSpec::HmacSha256;
                assert_eq!(key.mac(algorithm, b"message"), Err(CryptoError::Unsupported));
                let verified = key.verify_mac(algorithm, b"message", &[7; 32]);
                assert_eq!(verified, Err(CryptoError::Unsupported));
            }
            if unless(KeyUsage::KeyAgreement) {
                assert!(key.derive_shared_secret(key.public_key_der().unwrap_or(&[])).is_err());
            }
            if unless(KeyUsage::EncapsulateDecapsulate) {
                assert_eq!(key.encapsulate().err(), Some(CryptoError::Unsupported));
                assert!(key.decapsulate(&[7; 768]).is_err());
            }
        }
    }
}
