//! Domain keys open under their own root key, deployment, purpose and version only.
#![expect(clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{DEPLOYMENT, Deployment};
use crypto::SystemRng;
use custody::{CustodyError, DeploymentId, DomainPurpose, FileRootKey, Keyring, WrappedDomainKey};

fn error_of(
    root: &FileRootKey,
    deployment_id: DeploymentId,
    stored: &[WrappedDomainKey],
) -> CustodyError {
    match Keyring::open(root, deployment_id, stored) {
        Err(error) => error,
        Ok(_) => panic!("the keyring opened"),
    }
}

#[test]
fn a_keyring_opens_again_with_the_same_keys() {
    let deployment = Deployment::new();
    let root = FileRootKey::open(&deployment.root_key_file()).unwrap();
    let again = Keyring::open(&root, DEPLOYMENT, &deployment.stored).unwrap();
    let first = &deployment.keyring;

    let seal = first.seal_keys().newest().tag(&[b"row"]);
    assert!(again.seal_keys().check(1, &[b"row"], &seal));
    let token = first.token_key().seal("ListKeys", b"binding", b"after").unwrap();
    assert_eq!(again.token_key().open("ListKeys", b"binding", &token).unwrap(), b"after");
    again.install_owned_keys(again.open_owned_keys(&deployment.owned_keys).unwrap());
    let (version, wrapped) = first.wrap_credential(b"AKIAEXAMPLE", b"secret").unwrap();
    let secret = again.unwrap_credential(version, b"AKIAEXAMPLE", &wrapped).unwrap();
    assert_eq!(secret.expose(), b"secret");
}

#[test]
fn another_root_key_is_named_as_the_cause() {
    let deployment = Deployment::new();
    let other =
        FileRootKey::create(&deployment.directory.path().join("other"), &SystemRng).unwrap();
    let error = error_of(&other, DEPLOYMENT, &deployment.stored);
    assert!(matches!(error, CustodyError::WrongRootKey { version: 1, .. }));
    assert_eq!(
        error.to_string(),
        "the root key does not open the MATERIAL domain key of version 1: this root key belongs to \
         another deployment, or the stored domain key was altered"
    );
}

#[test]
fn deployment_purpose_version_and_bytes_are_bound() {
    let deployment = Deployment::new();
    let (root, stored) = (&deployment.root, &deployment.stored);
    let elsewhere = error_of(root, DeploymentId::from_bytes([9; 16]), stored);
    assert!(matches!(elsewhere, CustodyError::WrongRootKey { .. }));

    for one in 0..stored.len() {
        let mut altered = stored.clone();
        altered[one].version = 2;
        assert!(matches!(error_of(root, DEPLOYMENT, &altered), CustodyError::WrongRootKey { .. }));
        for other in (0..stored.len()).filter(|other| *other != one) {
            let mut swapped = stored.clone();
            swapped[one].wrapped = stored[other].wrapped.clone();
            let error = error_of(root, DEPLOYMENT, &swapped);
            assert!(matches!(error, CustodyError::WrongRootKey { .. }));
        }
        for byte in 0..stored[one].wrapped.len() {
            let mut altered = stored.clone();
            altered[one].wrapped[byte] ^= 0x80;
            let error = error_of(root, DEPLOYMENT, &altered);
            assert!(matches!(error, CustodyError::WrongRootKey { .. }));
        }
    }
}

#[test]
fn a_purpose_without_a_key_or_with_one_twice_is_refused() {
    let deployment = Deployment::new();
    for purpose in DomainPurpose::ALL {
        let (of_purpose, others): (Vec<_>, Vec<_>) =
            deployment.stored.iter().cloned().partition(|stored| stored.purpose == purpose);
        let doubled = [&deployment.stored[..], &of_purpose].concat();
        for stored in [others, doubled] {
            let error = error_of(&deployment.root, DEPLOYMENT, &stored);
            let CustodyError::DomainKeysIncomplete { purpose: named } = error else {
                panic!("{error}");
            };
            assert_eq!(named, purpose);
        }
    }
}

#[test]
fn a_credential_opens_for_its_owner_and_version_only() {
    let keyring = Deployment::new().keyring;
    let (version, wrapped) = keyring.wrap_credential(b"AKIAEXAMPLE", b"secret").unwrap();
    assert!(matches!(
        keyring.unwrap_credential(version, b"AKIAANOTHER", &wrapped),
        Err(CustodyError::InvalidCiphertext)
    ));
    assert!(matches!(
        keyring.unwrap_credential(version + 1, b"AKIAEXAMPLE", &wrapped),
        Err(CustodyError::UnknownOwnedKeyVersion { name: "iam-access-keys", .. })
    ));
    assert!(matches!(
        keyring.unwrap_credential(2, b"AKIAEXAMPLE", &wrapped),
        Err(CustodyError::UnknownDomainKey { purpose: DomainPurpose::Credential, version: 2 })
    ));
}

#[test]
fn purposes_are_read_as_they_are_shown() {
    for purpose in DomainPurpose::ALL {
        assert_eq!(purpose.to_string().parse(), Ok(purpose));
    }
    assert!("material".parse::<DomainPurpose>().is_err());
}
