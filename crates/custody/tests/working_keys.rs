//! Keys of every kind in software custody: made, tested, used, moved to another Region and refused when their rows are not
//! what they were.

mod common;

use common::{Deployment, identity, wait};
use crypto::{SecretBytes, SystemRng, key_material, key_specs};
use custody::{Custodian, CustodyError, MaterialIdentity, Message, WrappedMaterial};
use wire::enums::{DataKeyPairSpec, KeySpec, KeyUsage, MessageType};

const ARENA_BYTES: usize = 1 << 16;

fn identity_of(number: u16, key_spec: KeySpec, key_usage: KeyUsage) -> MaterialIdentity {
    MaterialIdentity { key_spec, key_usage, ..identity(number) }
}

fn kinds() -> impl Iterator<Item = (KeySpec, KeyUsage)> {
    KeySpec::ALL
        .iter()
        .copied()
        .filter(|key_spec| *key_spec != KeySpec::SymmetricDefault && key_specs::is_built(*key_spec))
        // The larger RSA keys take seconds and go the same way.
        .filter(|key_spec| !matches!(key_spec, KeySpec::Rsa3072 | KeySpec::Rsa4096))
        .flat_map(|key_spec| {
            key_specs::row(key_spec).usages.iter().map(move |usage| (key_spec, *usage))
        })
}

#[test]
fn keys_of_every_kind_work_from_their_wrapping_alone() {
    let deployment = Deployment::new();
    for (number, (key_spec, key_usage)) in (1..).zip(kinds()) {
        let own = identity_of(number, key_spec, key_usage);
        let wrapped = wait(deployment.custodian(ARENA_BYTES).generate(&own)).unwrap();
        // Another custodian over the same keyring has nothing in its caches.
        let custodian = deployment.custodian(ARENA_BYTES);
        let row = key_specs::row(key_spec);
        let message = b"message";
        match key_usage {
            KeyUsage::SignVerify => {
                let message = Message {
                    signing_algorithm: row.signing_algorithms[0],
                    message_type: MessageType::Raw,
                    bytes: message,
                };
                let signature = wait(custodian.sign(&own, &wrapped, message)).unwrap();
                assert!(wait(custodian.verify(&own, &wrapped, message, &signature)).unwrap());
                let other = Message { bytes: b"Message", ..message };
                assert!(!wait(custodian.verify(&own, &wrapped, other, &signature)).unwrap());
            }
            KeyUsage::EncryptDecrypt => {
                let algorithm = row.encryption_algorithms[0];
                let ciphertext =
                    wait(custodian.encrypt_asymmetric(&own, &wrapped, algorithm, message)).unwrap();
                let decrypted =
                    wait(custodian.decrypt_asymmetric(&own, &wrapped, algorithm, &ciphertext));
                assert_eq!(decrypted.unwrap().expose(), message);
            }
            KeyUsage::GenerateVerifyMac => {
                let algorithm = row.mac_algorithms[0];
                let mac = wait(custodian.mac(&own, &wrapped, algorithm, message)).unwrap();
                let verify = |mac: &[u8]| {
                    wait(custodian.verify_mac(&own, &wrapped, algorithm, message, mac))
                };
                assert!(verify(&mac).unwrap());
                assert!(!verify(&mac[1..]).unwrap());
            }
            KeyUsage::KeyAgreement => {
                let public_key = wait(custodian.public_key(&own, &wrapped)).unwrap();
                wait(custodian.derive_shared_secret(&own, &wrapped, &public_key)).unwrap();
                let refused = wait(custodian.derive_shared_secret(&own, &wrapped, b"no key"));
                assert!(matches!(refused, Err(CustodyError::InvalidPublicKey)));
            }
            KeyUsage::EncapsulateDecapsulate => {
                let (secret, ciphertext) = wait(custodian.encapsulate(&own, &wrapped)).unwrap();
                let same = wait(custodian.decapsulate(&own, &wrapped, &ciphertext)).unwrap();
                assert_eq!(same.expose(), secret.expose());
            }
        }
    }
}

#[test]
fn a_key_of_another_identity_or_another_row_is_refused() {
    let deployment = Deployment::new();
    let own = identity_of(1, KeySpec::Hmac256, KeyUsage::GenerateVerifyMac);
    let algorithm = key_specs::row(own.key_spec).mac_algorithms[0];
    let custodian = deployment.custodian(ARENA_BYTES);
    let wrapped = wait(custodian.generate(&own)).unwrap();
    let mut altered = wrapped.bytes.clone();
    altered[20] ^= 1;
    let altered = WrappedMaterial { bytes: altered, ..wrapped.clone() };
    let elsewhere = MaterialIdentity { region: "us-east-1".parse().unwrap(), ..own };
    // The true row is cached by now; neither of the others may live on it.
    wait(custodian.mac(&own, &wrapped, algorithm, b"m")).unwrap();
    for (identity, wrapped) in [(&own, &altered), (&elsewhere, &wrapped)] {
        let refused = wait(custodian.mac(identity, wrapped, algorithm, b"m"));
        assert!(matches!(refused, Err(CustodyError::MaterialRefused { .. })));
    }
}

#[test]
fn a_key_moves_to_another_region_without_changing() {
    let deployment = Deployment::new();
    let custodian = deployment.custodian(ARENA_BYTES);
    for (key_spec, key_usage) in [
        (KeySpec::SymmetricDefault, KeyUsage::EncryptDecrypt),
        (KeySpec::EccNistP256, KeyUsage::SignVerify),
    ] {
        let own = identity_of(1, key_spec, key_usage);
        let replica = MaterialIdentity { region: "us-east-1".parse().unwrap(), ..own };
        let wrapped = wait(custodian.generate(&own)).unwrap();
        let rewrapped = wait(custodian.rewrap(&own, &wrapped, &replica)).unwrap();
        if key_spec == KeySpec::SymmetricDefault {
            let blob = wait(custodian.encrypt(&own, &wrapped, b"", b"plaintext")).unwrap();
            let blob = crypto::blob::Blob::parse(&blob).unwrap();
            let plaintext = wait(custodian.decrypt(&replica, &rewrapped, b"", blob)).unwrap();
            assert_eq!(plaintext.expose(), b"plaintext");
        } else {
            assert_eq!(
                wait(custodian.public_key(&own, &wrapped)).unwrap(),
                wait(custodian.public_key(&replica, &rewrapped)).unwrap()
            );
        }
        // The row of one Region is worth nothing in the other.
        let swapped = wait(custodian.rewrap(&replica, &wrapped, &own));
        assert!(matches!(swapped, Err(CustodyError::MaterialRefused { .. })));
    }
}

#[test]
fn material_from_elsewhere_is_kept_if_it_is_some_of_the_spec() {
    let deployment = Deployment::new();
    let custodian = deployment.custodian(ARENA_BYTES);
    let own = identity_of(1, KeySpec::EccNistP384, KeyUsage::SignVerify);
    let material = key_material::generate(own.key_spec, &SystemRng).unwrap();
    let wrapped = wait(custodian.keep(&own, &material)).unwrap();
    assert!(wait(custodian.public_key(&own, &wrapped)).is_ok());
    let other = identity_of(2, KeySpec::EccNistP256, KeyUsage::SignVerify);
    let symmetric = identity(3);
    for identity in [&other, &symmetric] {
        let refused = wait(custodian.keep(identity, &material));
        assert!(matches!(refused, Err(CustodyError::InvalidKeyMaterial)));
    }
}

#[test]
fn imported_material_has_one_id_in_one_key() {
    let deployment = Deployment::new();
    let keyring = &deployment.keyring;
    let (one, other) = (identity(1).key_id, identity(2).key_id);
    let (material, others) = (SecretBytes::new(vec![1; 32]), SecretBytes::new(vec![2; 32]));
    let id = keyring.key_material_id(one, &material);
    assert_eq!(id, keyring.key_material_id(one, &SecretBytes::new(vec![1; 32])));
    assert_ne!(id, keyring.key_material_id(other, &material));
    assert_ne!(id, keyring.key_material_id(one, &others));
    assert_ne!(id, Deployment::new().keyring.key_material_id(one, &material));
}

#[test]
fn pairs_are_made_ahead_once_their_spec_is_asked_for() {
    let custodian = Deployment::new().custodian(ARENA_BYTES);
    let mut public_keys = std::collections::HashSet::new();
    for _ in 0..6 {
        let pair = wait(custodian.data_key_pair(DataKeyPairSpec::Rsa2048)).unwrap();
        assert!(public_keys.insert(pair.public_key_der), "a pair was given away twice");
    }
}
