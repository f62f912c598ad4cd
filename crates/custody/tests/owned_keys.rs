//! AWS owned keys: each version opens as itself alone, and wraps for its own purpose alone.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{DEPLOYMENT, Deployment, draw};
use crypto::SecretBytes;
use custody::{CustodyError, FileRootKey, Keyring, OwnedKey, OwnedKeyMaterial};

const AAD: &[u8] = b"AKIAEXAMPLE";

/// Makes these the versions in use.
fn install(keyring: &Keyring, versions: &[OwnedKeyMaterial]) {
    keyring.install_owned_keys(keyring.open_owned_keys(versions).unwrap());
}

#[test]
fn an_old_version_still_unwraps_and_the_newest_wraps() {
    let deployment = Deployment::new();
    let keyring = &deployment.keyring;
    let (first, wrapped) = keyring.wrap_credential(AAD, b"secret").unwrap();
    assert_eq!(OwnedKey::AccessKeys.version_of(first), Some(1));

    let mut versions = vec![draw(keyring, OwnedKey::AccessKeys, 2)];
    versions.extend(deployment.owned_keys.clone());
    install(keyring, &versions);
    let (second, _) = keyring.wrap_credential(AAD, b"secret").unwrap();
    assert_eq!(OwnedKey::AccessKeys.version_of(second), Some(2));
    assert_eq!(keyring.unwrap_credential(first, AAD, &wrapped).unwrap().expose(), b"secret");
    assert!(keyring.unwrap_credential(second, AAD, &wrapped).is_err(), "another version");
}

#[test]
fn a_destroyed_version_unwraps_nothing() {
    let deployment = Deployment::new();
    let keyring = &deployment.keyring;
    let (first, wrapped) = keyring.wrap_credential(AAD, b"secret").unwrap();
    install(keyring, &[draw(keyring, OwnedKey::AccessKeys, 2)]);
    let refused = keyring.unwrap_credential(first, AAD, &wrapped).err();
    assert!(matches!(refused, Some(CustodyError::UnknownOwnedKeyVersion { .. })));
    let token = keyring.seal_session_token("ASIA", &SecretBytes::copy(b"contents"));
    assert!(
        matches!(token, Err(CustodyError::UnknownOwnedKeyVersion { .. })),
        "no such key is left"
    );
}

#[test]
fn what_an_owned_key_wraps_no_other_purpose_opens() {
    let deployment = Deployment::new();
    let keyring = &deployment.keyring;
    let token = keyring.seal_session_token("ASIA", &SecretBytes::copy(b"contents")).unwrap();
    let (number, sealed) = token.split_first_chunk().unwrap();
    let number = u32::from_be_bytes(*number);
    assert_eq!(OwnedKey::SessionTokens.version_of(number), Some(1));
    assert_eq!(OwnedKey::AccessKeys.version_of(number), None);
    let refused = keyring.unwrap_credential(number, b"ASIA", sealed).err();
    assert!(matches!(refused, Some(CustodyError::UnknownOwnedKeyVersion { .. })));
    assert!(keyring.open_forward_access_token("ASIA", &token).is_none(), "another kind of token");
}

#[test]
fn stored_versions_open_only_as_they_were_made() {
    let deployment = Deployment::new();
    let keyring = &deployment.keyring;
    let made = draw(keyring, OwnedKey::AccessKeys, 2);
    let other = draw(keyring, OwnedKey::AccessKeys, 3);
    assert!(keyring.open_owned_keys(&[made.clone(), other.clone()]).is_ok());

    let mut altered: Vec<OwnedKeyMaterial> = (0..made.wrapped.bytes.len())
        .map(|position| {
            let mut altered = made.clone();
            altered.wrapped.bytes[position] ^= 1;
            altered
        })
        .collect();
    altered.push(OwnedKeyMaterial { owned_key: OwnedKey::SessionTokens, ..made.clone() });
    altered.push(OwnedKeyMaterial { key_material_id: other.key_material_id, ..made.clone() });
    altered.push(OwnedKeyMaterial { wrapping_version: other.wrapping_version, ..made.clone() });
    altered.push(OwnedKeyMaterial { wrapped: other.wrapped, ..made.clone() });
    for material in altered {
        let refused = keyring.open_owned_keys(std::slice::from_ref(&material)).err();
        assert!(matches!(refused, Some(CustodyError::MaterialRefused { .. })), "{material:?}");
    }
    assert!(Deployment::new().keyring.open_owned_keys(&[made]).is_err(), "another deployment");
}

#[test]
fn owned_keys_outlive_a_restart() {
    let deployment = Deployment::new();
    let (number, wrapped) = deployment.keyring.wrap_credential(AAD, b"secret").unwrap();
    let root = FileRootKey::open(&deployment.root_key_file()).unwrap();
    let again = Keyring::open(&root, DEPLOYMENT, &deployment.stored).unwrap();
    assert!(again.unwrap_credential(number, AAD, &wrapped).is_err(), "not installed yet");
    install(&again, &deployment.owned_keys);
    assert_eq!(again.unwrap_credential(number, AAD, &wrapped).unwrap().expose(), b"secret");
}

#[test]
fn rotating_again_and_again_leaks_no_locked_memory() {
    let deployment = Deployment::new();
    for version in 2..200 {
        install(&deployment.keyring, &[draw(&deployment.keyring, OwnedKey::AccessKeys, version)]);
    }
    assert!(deployment.keyring.wrap_credential(AAD, b"secret").is_ok());
}
