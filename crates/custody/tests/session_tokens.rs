//! Session tokens: good beside their own access key id and in their own deployment alone.

mod common;

use common::Deployment;
use crypto::SecretBytes;

const ACCESS_KEY_ID: &str = "ASIAEXAMPLEEXAMPLE01";

fn contents() -> SecretBytes {
    SecretBytes::copy(b"secret, role and expiry")
}

#[test]
fn a_token_opens_beside_its_access_key_id_in_its_deployment() {
    let deployment = Deployment::new();
    let sealed = deployment.keyring.seal_session_token(ACCESS_KEY_ID, &contents()).unwrap();
    let opened = deployment.keyring.open_session_token(ACCESS_KEY_ID, &sealed).unwrap();
    assert_eq!(opened.expose(), contents().expose());
    assert!(deployment.keyring.open_session_token("ASIAEXAMPLEEXAMPLE02", &sealed).is_none());
    assert!(Deployment::new().keyring.open_session_token(ACCESS_KEY_ID, &sealed).is_none());
}

#[test]
fn a_token_hides_what_it_says_and_no_two_are_alike() {
    let deployment = Deployment::new();
    let seal = || deployment.keyring.seal_session_token(ACCESS_KEY_ID, &contents()).unwrap();
    let (one, other) = (seal(), seal());
    assert_ne!(one, other);
    assert!(!one.windows(4).any(|window| window == b"role"));
}

#[test]
fn an_altered_or_shortened_token_does_not_open() {
    let deployment = Deployment::new();
    let sealed = deployment.keyring.seal_session_token(ACCESS_KEY_ID, &contents()).unwrap();
    for position in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[position] ^= 1;
        assert!(deployment.keyring.open_session_token(ACCESS_KEY_ID, &altered).is_none());
        let (cut, _) = sealed.split_at(position);
        assert!(deployment.keyring.open_session_token(ACCESS_KEY_ID, cut).is_none());
    }
}

#[test]
fn contents_have_a_bound() {
    let deployment = Deployment::new();
    let long = SecretBytes::new(vec![0; crypto::wrap::SECRET_BYTES_MAX + 1]);
    assert!(deployment.keyring.seal_session_token(ACCESS_KEY_ID, &long).is_err());
}
