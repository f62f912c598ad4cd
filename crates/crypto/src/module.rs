//! Which cryptographic module does the work, and whether it is the one that was validated.

use crate::ffi;

/// Whether this build is for AWS-LC's FIPS module (`docs/fips.md`).
pub const IS_FIPS_BUILD: bool = cfg!(feature = "fips");

/// Whether this build has SM2, which stands outside the module (`docs/decisions/0008-sm2-is-a-feature.md`).
pub const IS_SM2_BUILD: bool = cfg!(feature = "sm2");

/// What a FIPS build does outside the services that the module approves; the server does it all the same.
///
/// The module's service indicator tells (`openssl/service_indicator.h`), but for the last two: OAEP's padding stands outside the
/// module, and a key of a seed is made by a function that the indicator does not know. secp256k1 is no curve of FIPS 186-5; over a
/// digest that the caller made, the module cannot know what was hashed.
pub const NOT_APPROVED: &[&str] = &[
    "ECC_SECG_P256K1",
    "MessageType DIGEST with RSA and ECC_NIST keys",
    "RSAES_OAEP_SHA_1 and RSAES_OAEP_SHA_256, also for imports and Recipient",
    "making ML_KEM keys",
];

/// A build for the FIPS module found itself without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is a FIPS build, and AWS-LC does not run in FIPS mode")]
pub struct NotFips;

/// What the module calls itself, with its version.
#[must_use]
pub fn name() -> &'static str {
    ffi::module_name()
}

/// To be asked before the first key is touched: in a FIPS build, whether the module runs in FIPS mode, its self-tests passed.
///
/// # Errors
/// [`NotFips`] when it does not; never in other builds.
pub fn check() -> Result<(), NotFips> {
    match IS_FIPS_BUILD {
        true => aws_lc_rs::try_fips_mode().map_err(|_| NotFips),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_is_the_one_that_the_build_is_for() {
        assert_eq!(check(), Ok(()));
        assert!(name().contains("AWS-LC"), "{}", name());
        assert_eq!(name().contains("FIPS"), IS_FIPS_BUILD, "{}", name());
    }
}

/// [`NOT_APPROVED`], asked of the module itself.
#[cfg(all(test, feature = "fips"))]
mod indicator {
    use wire::enums::{
        DataKeyPairSpec, EncryptionAlgorithmSpec, KeySpec, KeyUsage, MessageType,
        SigningAlgorithmSpec,
    };
    use wire::names::{KeyId, KeyMaterialId};

    use crate::blob::{Blob, Header};
    use crate::{
        SecretKey, SystemRng, WorkingKey, data_key_pairs, ffi, key_material, key_specs, symmetric,
    };

    /// What a call gives, and the number of approved services that it was. An approved service counts as one; what is made of
    /// approved parts, but not approved itself, counts as its parts.
    fn counted<T>(call: impl FnOnce() -> T) -> (u64, T) {
        let before = ffi::approved_services();
        let answer = call();
        (ffi::approved_services() - before, answer)
    }

    fn working_key(key_spec: KeySpec, key_usage: KeyUsage) -> WorkingKey {
        let material = key_material::generate(key_spec, &SystemRng).unwrap();
        WorkingKey::parse(key_spec, key_usage, material.expose()).unwrap()
    }

    fn keys_for(key_usage: KeyUsage) -> impl Iterator<Item = (KeySpec, WorkingKey)> {
        let specs = KeySpec::ALL.iter().copied().filter(move |key_spec| {
            let row = key_specs::row(*key_spec);
            row.is_built && row.admits(key_usage) && *key_spec != KeySpec::SymmetricDefault
        });
        specs.map(move |key_spec| (key_spec, working_key(key_spec, key_usage)))
    }

    #[test]
    fn keys_are_made_by_approved_services_but_those_on_secp256k1_and_of_ml_kem() {
        for key_spec in KeySpec::ALL.iter().filter(|spec| key_specs::row(**spec).is_built) {
            let (services, _) = counted(|| key_material::generate(*key_spec, &SystemRng).unwrap());
            assert_eq!(services == 1, *key_spec != KeySpec::EccSecgP256k1, "{key_spec}");
        }
        for spec in DataKeyPairSpec::ALL.iter().filter(|spec| **spec != DataKeyPairSpec::Sm2) {
            let (services, _) = counted(|| data_key_pairs::generate(*spec, &SystemRng).unwrap());
            let is_approved = !matches!(
                spec,
                DataKeyPairSpec::EccSecgP256k1
                    | DataKeyPairSpec::MlKem512
                    | DataKeyPairSpec::MlKem768
                    | DataKeyPairSpec::MlKem1024
            );
            assert_eq!(services == 1, is_approved, "{spec}");
        }
    }

    /// A message that the algorithm takes as of that type, if it takes any.
    fn message(algorithm: SigningAlgorithmSpec, message_type: MessageType) -> Option<Vec<u8>> {
        use SigningAlgorithmSpec as Algorithm;
        let digest_bytes = match algorithm {
            Algorithm::RsassaPssSha256
            | Algorithm::RsassaPkcs1V15Sha256
            | Algorithm::EcdsaSha256 => 32,
            Algorithm::RsassaPssSha384
            | Algorithm::RsassaPkcs1V15Sha384
            | Algorithm::EcdsaSha384 => 48,
            Algorithm::RsassaPssSha512
            | Algorithm::RsassaPkcs1V15Sha512
            | Algorithm::EcdsaSha512 => 64,
            // Hashes what it is given as DIGEST, and takes it as nothing else.
            Algorithm::Ed25519PhSha512 => {
                return (message_type == MessageType::Digest).then(|| vec![7; 64]);
            }
            Algorithm::Ed25519Sha512 => {
                return (message_type == MessageType::Raw).then(|| vec![7; 100]);
            }
            Algorithm::MlDsaShake256 => {
                return (message_type != MessageType::Digest).then(|| vec![7; 64]);
            }
            Algorithm::Sm2Dsa => return None,
        };
        match message_type {
            MessageType::Raw => Some(vec![7; 100]),
            MessageType::Digest => Some(vec![7; digest_bytes]),
            MessageType::ExternalMu => None,
        }
    }

    #[test]
    fn signing_is_approved_but_on_secp256k1_and_of_others_digests() {
        let mut executed = 0;
        for (key_spec, key) in keys_for(KeyUsage::SignVerify) {
            for algorithm in key_specs::row(key_spec).signing_algorithms {
                for message_type in MessageType::ALL {
                    let Some(message) = message(*algorithm, *message_type) else { continue };
                    let is_approved = key_spec != KeySpec::EccSecgP256k1
                        && (*message_type != MessageType::Digest
                            || *algorithm == SigningAlgorithmSpec::Ed25519PhSha512);
                    let expected = u64::from(is_approved);
                    let (services, signature) = counted(|| {
                        key.sign(*algorithm, *message_type, &message, &SystemRng).unwrap()
                    });
                    assert_eq!(services, expected, "sign {key_spec} {algorithm} {message_type}");
                    let (services, is_valid) = counted(|| {
                        key.verify(*algorithm, *message_type, &message, &signature).unwrap()
                    });
                    assert!(is_valid);
                    assert_eq!(services, expected, "verify {key_spec} {algorithm} {message_type}");
                    executed += 1;
                }
            }
        }
        // Of three RSA specs six algorithms and of four curves one, each in two ways; Ed25519 in two; of three ML-DSA specs two.
        assert_eq!(executed, 3 * 6 * 2 + 4 * 2 + 2 + 3 * 2);
    }

    #[test]
    fn encryption_under_rsa_keys_is_not_approved() {
        let key = working_key(KeySpec::Rsa2048, KeyUsage::EncryptDecrypt);
        for algorithm in
            [EncryptionAlgorithmSpec::RsaesOaepSha1, EncryptionAlgorithmSpec::RsaesOaepSha256]
        {
            // The hash of the label and the seed.
            let (services, _) =
                counted(|| key.encrypt(algorithm, b"plaintext", &SystemRng).unwrap());
            assert_eq!(services, 2, "{algorithm}");
        }
    }

    #[test]
    fn macs_agreement_and_encapsulation_are_approved() {
        for (key_spec, key) in keys_for(KeyUsage::GenerateVerifyMac) {
            for algorithm in key_specs::row(key_spec).mac_algorithms {
                let (services, mac) = counted(|| key.mac(*algorithm, b"message").unwrap());
                assert_eq!(services, 1, "{key_spec}");
                let verified = counted(|| key.verify_mac(*algorithm, b"message", &mac).unwrap());
                assert_eq!(verified, (1, true), "{key_spec}");
            }
        }
        for (key_spec, key) in keys_for(KeyUsage::KeyAgreement) {
            let public_key_der = key.public_key_der().unwrap();
            let (services, _) = counted(|| key.derive_shared_secret(public_key_der).is_ok());
            // Validation of the peer's key, and the agreement.
            assert_eq!(services, 2, "{key_spec}");
        }
        for (key_spec, key) in keys_for(KeyUsage::EncapsulateDecapsulate) {
            let (services, (_, ciphertext)) = counted(|| key.encapsulate().unwrap());
            assert_eq!(services, 1, "{key_spec}");
            let (services, _) = counted(|| key.decapsulate(&ciphertext).unwrap());
            assert_eq!(services, 1, "{key_spec}");
        }
    }

    #[test]
    fn symmetric_encryption_is_approved() {
        let key = SecretKey::generate(&SystemRng).unwrap();
        let header = Header {
            key_id: KeyId::from_uuid_bytes([2; 16]),
            key_material_id: KeyMaterialId::from_bytes([3; 32]),
        };
        // The nonce of the derivation, the derivation, and the sealing.
        let encrypt = || symmetric::encrypt(&key, &header, b"context", b"plaintext", &SystemRng);
        let (services, ciphertext) = counted(|| encrypt().unwrap());
        assert_eq!(services, 3);
        let blob = Blob::parse(&ciphertext).unwrap();
        let (services, _) = counted(|| symmetric::decrypt(&key, &blob, b"context").unwrap());
        assert_eq!(services, 2);
    }
}
