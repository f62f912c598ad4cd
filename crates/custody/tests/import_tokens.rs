//! Import tokens: good for the key and the deployment that they were made for, and unreadable to whoever carries them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Deployment, identity};
use crypto::SystemRng;
use crypto::import_wrapping::UnwrappingKey;
use custody::{CustodyError, ImportToken};
use jiff::Timestamp;
use wire::enums::{WrappingAlgorithm, WrappingKeySpec};
use wire::names::KeyArn;

fn arn(number: u16) -> KeyArn {
    let identity = identity(number);
    KeyArn { region: identity.region, account: identity.account, key_id: identity.key_id }
}

fn token() -> ImportToken {
    ImportToken {
        unwrapping_key: UnwrappingKey::generate(WrappingKeySpec::Rsa2048, &SystemRng).unwrap(),
        wrapping_algorithm: WrappingAlgorithm::RsaAesKeyWrapSha256,
        expiry: Timestamp::from_second(1_800_000_000).unwrap(),
    }
}

#[test]
fn a_token_says_what_was_sealed_to_its_own_key_and_deployment_alone() {
    let deployment = Deployment::new();
    let token = token();
    let sealed = deployment.keyring.seal_import_token(&arn(1), &token).unwrap();
    // AWS's model admits 6,144 bytes; the token of the largest wrapping key must fit too.
    assert!(sealed.len() < 2_048);
    let opened = deployment.keyring.open_import_token(&arn(1), &sealed).unwrap();
    assert_eq!(opened.expiry, token.expiry);
    assert_eq!(opened.wrapping_algorithm, token.wrapping_algorithm);
    assert_eq!(opened.unwrapping_key.public_key_der(), token.unwrapping_key.public_key_der());
    let elsewhere = KeyArn { region: "us-east-1".parse().unwrap(), ..arn(1) };
    for (keyring, arn) in [
        (&deployment.keyring, arn(2)),
        (&deployment.keyring, elsewhere),
        (&Deployment::new().keyring, arn(1)),
    ] {
        let refused = keyring.open_import_token(&arn, &sealed);
        assert!(matches!(refused, Err(CustodyError::InvalidImportToken)));
    }
}

#[test]
fn an_altered_or_shortened_token_is_refused() {
    let deployment = Deployment::new();
    let sealed = deployment.keyring.seal_import_token(&arn(1), &token()).unwrap();
    let refused = |token: &[u8]| {
        matches!(
            deployment.keyring.open_import_token(&arn(1), token),
            Err(CustodyError::InvalidImportToken)
        )
    };
    for position in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[position] ^= 0x80;
        assert!(refused(&altered), "byte {position}");
        assert!(refused(&sealed[..position]), "{position} bytes");
    }
}
