//! Signatures: by every algorithm of every spec, over every type of message that goes with it.
use crypto::{CryptoError, SystemRng, VerifyingKey, WorkingKey, key_specs};
use wire::enums::{KeySpec, KeyUsage, MessageType, SigningAlgorithmSpec};

use crate::made::{other, parse, specs_for};

/// A message of each type that could mean something to some algorithm.
fn messages() -> Vec<(MessageType, Vec<u8>)> {
    let raw = [1, 32, 64, 4096].map(|bytes| (MessageType::Raw, vec![7; bytes]));
    let digests = [28, 32, 48, 64].map(|bytes| (MessageType::Digest, vec![7; bytes]));
    let mus = [32, 64].map(|bytes| (MessageType::ExternalMu, vec![7; bytes]));
    raw.into_iter().chain(digests).chain(mus).collect()
}

/// What signing must answer, by what AWS documents at `MessageType`.
fn refusal(
    algorithm: SigningAlgorithmSpec,
    message_type: MessageType,
    message: &[u8],
) -> Option<CryptoError> {
    let wrong_length = |bytes_expected| {
        (message.len() != bytes_expected)
            .then_some(CryptoError::WrongLength { bytes: message.len(), bytes_expected })
    };
    let is_ml_dsa = algorithm == SigningAlgorithmSpec::MlDsaShake256;
    match message_type {
        MessageType::Raw => {
            (algorithm == SigningAlgorithmSpec::Ed25519PhSha512).then_some(CryptoError::Unsupported)
        }
        MessageType::Digest => match key_specs::digest_bytes(algorithm) {
            Some(bytes_expected) => wrong_length(bytes_expected),
            None => Some(CryptoError::Unsupported),
        },
        MessageType::ExternalMu if is_ml_dsa => wrong_length(64),
        MessageType::ExternalMu => Some(CryptoError::Unsupported),
    }
}

#[test]
fn every_key_signs_by_its_algorithms_and_verifies_what_it_signed() {
    let mut signatures = 0;
    for key_spec in specs_for(KeyUsage::SignVerify) {
        let key = parse(key_spec, KeyUsage::SignVerify).unwrap();
        let public_key = VerifyingKey::parse(key_spec, key.public_key_der().unwrap()).unwrap();
        for algorithm in key_specs::row(key_spec).signing_algorithms {
            for (message_type, message) in messages() {
                let place = format!("{key_spec} {algorithm} {message_type} {}", message.len());
                let signed = key.sign(*algorithm, message_type, &message, &SystemRng);
                let refusal = refusal(*algorithm, message_type, &message);
                assert_eq!(signed.as_ref().err(), refusal.as_ref(), "{place}");
                let signature = signed.unwrap_or_default();
                let verified = key.verify(*algorithm, message_type, &message, &signature);
                assert_eq!(verified, refusal.map_or(Ok(true), Err), "{place}");
                let verified = public_key.verify(*algorithm, message_type, &message, &signature);
                assert_eq!(verified, refusal.map_or(Ok(true), Err), "{place}");
                signatures += usize::from(refusal.is_none());
            }
        }
    }
    // RSA: 3 sizes of 6 algorithms, each with 4 messages and 1 digest; EC: 4 curves; Ed25519: 4
    // messages, 1 digest; ML-DSA: 3 of 4 messages and 1 mu; SM2, where it is built, 4 messages and 1 digest.
    let sm2 = if key_specs::is_built(KeySpec::Sm2) { 5 } else { 0 };
    assert_eq!(signatures, 3 * 6 * 5 + 4 * 5 + 5 + 3 * 5 + sm2);
}

#[test]
fn a_signature_is_of_one_message_by_one_key() {
    for key_spec in specs_for(KeyUsage::SignVerify).filter(|spec| *spec != KeySpec::Rsa4096) {
        let key = parse(key_spec, KeyUsage::SignVerify).unwrap();
        let other = other(key_spec, KeyUsage::SignVerify);
        for algorithm in key_specs::row(key_spec).signing_algorithms {
            let (message_type, message) = match key_specs::digest_bytes(*algorithm) {
                Some(bytes) => (MessageType::Digest, vec![7; bytes]),
                None => (MessageType::Raw, vec![7; 100]),
            };
            let signature = key.sign(*algorithm, message_type, &message, &SystemRng).unwrap();
            let verify = |key: &WorkingKey, message: &[u8], signature: &[u8]| {
                key.verify(*algorithm, message_type, message, signature)
            };
            assert_eq!(verify(&key, &message, &signature), Ok(true));
            assert_eq!(verify(&other, &message, &signature), Ok(false));
            let mut another = message.clone();
            another[0] ^= 1;
            assert_eq!(verify(&key, &another, &signature), Ok(false));
            for place in [0, signature.len() / 2, signature.len() - 1] {
                let mut altered = signature.clone();
                altered[place] ^= 1;
                assert_eq!(verify(&key, &message, &altered), Ok(false), "{key_spec} {place}");
            }
            for altered in [&signature[1..], &[], &[&signature[..], &[0]].concat()] {
                assert_eq!(verify(&key, &message, altered), Ok(false), "{key_spec}");
            }
        }
    }
}

#[test]
fn no_key_takes_an_algorithm_of_another() {
    for key_spec in specs_for(KeyUsage::SignVerify) {
        let key = parse(key_spec, KeyUsage::SignVerify).unwrap();
        for algorithm in SigningAlgorithmSpec::ALL {
            if key_specs::row(key_spec).signing_algorithms.contains(algorithm) {
                continue;
            }
            for (message_type, message) in messages() {
                let signed = key.sign(*algorithm, message_type, &message, &SystemRng);
                assert_eq!(signed, Err(CryptoError::Unsupported), "{key_spec} {algorithm}");
                let verified = key.verify(*algorithm, message_type, &message, &[7; 64]);
                assert_eq!(verified, Err(CryptoError::Unsupported), "{key_spec} {algorithm}");
            }
        }
    }
}

#[test]
fn a_digest_and_its_message_have_one_signature() {
    let digest =
        |algorithm, message: &[u8]| aws_lc_rs::digest::digest(algorithm, message).as_ref().to_vec();
    let message = b"a message".to_vec();
    for (key_spec, algorithm, hash) in [
        (KeySpec::Rsa2048, SigningAlgorithmSpec::RsassaPssSha256, &aws_lc_rs::digest::SHA256),
        (KeySpec::Rsa2048, SigningAlgorithmSpec::RsassaPkcs1V15Sha512, &aws_lc_rs::digest::SHA512),
        (KeySpec::EccNistP384, SigningAlgorithmSpec::EcdsaSha384, &aws_lc_rs::digest::SHA384),
        (KeySpec::EccSecgP256k1, SigningAlgorithmSpec::EcdsaSha256, &aws_lc_rs::digest::SHA256),
    ] {
        let key = parse(key_spec, KeyUsage::SignVerify).unwrap();
        let digest = digest(hash, &message);
        let signature = key.sign(algorithm, MessageType::Raw, &message, &SystemRng).unwrap();
        assert_eq!(key.verify(algorithm, MessageType::Digest, &digest, &signature), Ok(true));
        let signature = key.sign(algorithm, MessageType::Digest, &digest, &SystemRng).unwrap();
        assert_eq!(key.verify(algorithm, MessageType::Raw, &message, &signature), Ok(true));
    }
}

#[test]
fn threads_share_a_key() {
    let key = parse(KeySpec::MlDsa44, KeyUsage::SignVerify).unwrap();
    let algorithm = SigningAlgorithmSpec::MlDsaShake256;
    std::thread::scope(|scope| {
        for number in 0..4 {
            let key = &key;
            scope.spawn(move || {
                for message_type in [MessageType::Raw, MessageType::ExternalMu] {
                    let message = [number; 64];
                    let signature =
                        key.sign(algorithm, message_type, &message, &SystemRng).unwrap();
                    assert_eq!(key.verify(algorithm, message_type, &message, &signature), Ok(true));
                }
            });
        }
    });
}
