//! What each key spec can do: usages and algorithms, as one table.
//!
//! The rows follow "Key spec reference" of the AWS KMS Developer Guide. What AWS names and this
//! build cannot make yet has its row too: [`KeySpecRow::is_built`] tells.

use wire::enums::{
    EncapsulationAlgorithmSpec as Encapsulation, EncryptionAlgorithmSpec as Encryption,
    KeyAgreementAlgorithmSpec as Agreement, KeySpec, KeyUsage, MacAlgorithmSpec as Mac,
    SigningAlgorithmSpec as Signing,
};

/// What keys of one spec can do. Which algorithms a key has depends on its usage too: those of
/// another usage do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeySpecRow {
    /// Usages that `CreateKey` admits; the first is the only one of a symmetric or HMAC spec.
    pub usages: &'static [KeyUsage],
    /// Algorithms of a key for `ENCRYPT_DECRYPT`.
    pub encryption_algorithms: &'static [Encryption],
    /// Algorithms of a key for `SIGN_VERIFY`.
    pub signing_algorithms: &'static [Signing],
    /// Algorithms of a key for `GENERATE_VERIFY_MAC`.
    pub mac_algorithms: &'static [Mac],
    /// Algorithms of a key for `KEY_AGREEMENT`.
    pub key_agreement_algorithms: &'static [Agreement],
    /// Algorithms of a key for `ENCAPSULATE_DECAPSULATE`.
    pub encapsulation_algorithms: &'static [Encapsulation],
    /// Length of an RSA key's modulus, in bytes.
    pub modulus_bytes: Option<usize>,
    /// Length of an HMAC key, in bytes ("HMAC keys" of the guide: that of the digest).
    pub hmac_bytes: Option<usize>,
    /// Length of the secret of a key agreement (the curve's field) or encapsulation, in bytes.
    pub shared_secret_bytes: Option<usize>,
    /// Whether this build makes keys of the spec.
    pub is_built: bool,
}

/// A row that can do nothing, to be said more of.
const NOTHING: KeySpecRow = KeySpecRow {
    usages: &[],
    encryption_algorithms: &[],
    signing_algorithms: &[],
    mac_algorithms: &[],
    key_agreement_algorithms: &[],
    encapsulation_algorithms: &[],
    modulus_bytes: None,
    hmac_bytes: None,
    shared_secret_bytes: None,
    is_built: true,
};

const SYMMETRIC: KeySpecRow = KeySpecRow {
    usages: &[KeyUsage::EncryptDecrypt],
    encryption_algorithms: &[Encryption::SymmetricDefault],
    ..NOTHING
};

const SM2: KeySpecRow = KeySpecRow {
    usages: &[KeyUsage::EncryptDecrypt, KeyUsage::SignVerify, KeyUsage::KeyAgreement],
    encryption_algorithms: &[Encryption::Sm2Pke],
    signing_algorithms: &[Signing::Sm2Dsa],
    key_agreement_algorithms: &[Agreement::Ecdh],
    shared_secret_bytes: Some(32),
    is_built: cfg!(feature = "sm2"),
    ..NOTHING
};

const SECG_P256K1: KeySpecRow = signing_only(&[Signing::EcdsaSha256]);
const EDWARDS25519: KeySpecRow = signing_only(&[Signing::Ed25519Sha512, Signing::Ed25519PhSha512]);
const ML_DSA: KeySpecRow = signing_only(&[Signing::MlDsaShake256]);

const ML_KEM: KeySpecRow = KeySpecRow {
    usages: &[KeyUsage::EncapsulateDecapsulate],
    encapsulation_algorithms: &[Encapsulation::MlKem],
    shared_secret_bytes: Some(32),
    ..NOTHING
};

const fn rsa(modulus_bytes: usize) -> KeySpecRow {
    KeySpecRow {
        usages: &[KeyUsage::EncryptDecrypt, KeyUsage::SignVerify],
        encryption_algorithms: &[Encryption::RsaesOaepSha1, Encryption::RsaesOaepSha256],
        signing_algorithms: &[
            Signing::RsassaPkcs1V15Sha256,
            Signing::RsassaPkcs1V15Sha384,
            Signing::RsassaPkcs1V15Sha512,
            Signing::RsassaPssSha256,
            Signing::RsassaPssSha384,
            Signing::RsassaPssSha512,
        ],
        modulus_bytes: Some(modulus_bytes),
        ..NOTHING
    }
}

const fn nist_curve(field_bytes: usize, signing_algorithms: &'static [Signing]) -> KeySpecRow {
    KeySpecRow {
        usages: &[KeyUsage::SignVerify, KeyUsage::KeyAgreement],
        signing_algorithms,
        key_agreement_algorithms: &[Agreement::Ecdh],
        shared_secret_bytes: Some(field_bytes),
        ..NOTHING
    }
}

const fn signing_only(signing_algorithms: &'static [Signing]) -> KeySpecRow {
    KeySpecRow { usages: &[KeyUsage::SignVerify], signing_algorithms, ..NOTHING }
}

const fn hmac(key_bytes: usize, mac_algorithms: &'static [Mac]) -> KeySpecRow {
    KeySpecRow {
        usages: &[KeyUsage::GenerateVerifyMac],
        mac_algorithms,
        hmac_bytes: Some(key_bytes),
        ..NOTHING
    }
}

/// The row of a spec.
#[must_use]
pub const fn row(key_spec: KeySpec) -> KeySpecRow {
    match key_spec {
        KeySpec::SymmetricDefault => SYMMETRIC,
        KeySpec::Rsa2048 => rsa(256),
        KeySpec::Rsa3072 => rsa(384),
        KeySpec::Rsa4096 => rsa(512),
        KeySpec::EccNistP256 => nist_curve(32, &[Signing::EcdsaSha256]),
        KeySpec::EccNistP384 => nist_curve(48, &[Signing::EcdsaSha384]),
        KeySpec::EccNistP521 => nist_curve(66, &[Signing::EcdsaSha512]),
        KeySpec::EccSecgP256k1 => SECG_P256K1,
        KeySpec::EccNistEdwards25519 => EDWARDS25519,
        KeySpec::Sm2 => SM2,
        KeySpec::Hmac224 => hmac(28, &[Mac::HmacSha224]),
        KeySpec::Hmac256 => hmac(32, &[Mac::HmacSha256]),
        KeySpec::Hmac384 => hmac(48, &[Mac::HmacSha384]),
        KeySpec::Hmac512 => hmac(64, &[Mac::HmacSha512]),
        KeySpec::MlDsa44 | KeySpec::MlDsa65 | KeySpec::MlDsa87 => ML_DSA,
        KeySpec::MlKem512 | KeySpec::MlKem768 | KeySpec::MlKem1024 => ML_KEM,
    }
}

impl KeySpecRow {
    /// Whether a key of the spec may be made for that usage.
    #[must_use]
    pub fn admits(&self, key_usage: KeyUsage) -> bool {
        self.usages.contains(&key_usage)
    }
}

/// Length of the digest that `MessageType` `DIGEST` wants, in bytes; `None` where the algorithm
/// takes no digest ("Sign" in the AWS KMS API reference).
#[must_use]
pub const fn digest_bytes(algorithm: Signing) -> Option<usize> {
    match algorithm {
        Signing::RsassaPssSha256
        | Signing::RsassaPkcs1V15Sha256
        | Signing::EcdsaSha256
        | Signing::Sm2Dsa => Some(32),
        Signing::RsassaPssSha384 | Signing::RsassaPkcs1V15Sha384 | Signing::EcdsaSha384 => Some(48),
        Signing::RsassaPssSha512
        | Signing::RsassaPkcs1V15Sha512
        | Signing::EcdsaSha512
        | Signing::Ed25519PhSha512 => Some(64),
        Signing::MlDsaShake256 | Signing::Ed25519Sha512 => None,
    }
}

/// Length of an HMAC key of the spec, in bytes; `None` for other specs.
#[must_use]
pub const fn hmac_bytes(key_spec: KeySpec) -> Option<usize> {
    row(key_spec).hmac_bytes
}

/// Length of the secret that `DeriveSharedSecret` or `Encapsulate` gives, in bytes; `None` for
/// specs that share none.
#[must_use]
pub const fn shared_secret_bytes(key_spec: KeySpec) -> Option<usize> {
    row(key_spec).shared_secret_bytes
}

/// Longest plaintext of `SM2PKE`, in bytes ("Encrypt" in the AWS KMS API reference).
pub const SM2PKE_PLAINTEXT_BYTES_MAX: usize = 1024;

/// Longest plaintext of public-key encryption, in bytes; `None` where the algorithm is not one of
/// the key's.
///
/// Of RSAES-OAEP, `mLen <= k - 2hLen - 2` (RFC 8017, 7.1.1).
#[must_use]
pub const fn plaintext_bytes_max(key_spec: KeySpec, algorithm: Encryption) -> Option<usize> {
    let hash_bytes = match algorithm {
        Encryption::RsaesOaepSha1 => 20,
        Encryption::RsaesOaepSha256 => 32,
        Encryption::Sm2Pke if matches!(key_spec, KeySpec::Sm2) => {
            return Some(SM2PKE_PLAINTEXT_BYTES_MAX);
        }
        Encryption::SymmetricDefault | Encryption::Sm2Pke => return None,
    };
    match row(key_spec).modulus_bytes {
        Some(modulus_bytes) => Some(modulus_bytes - 2 * hash_bytes - 2),
        None => None,
    }
}

/// Whether this build makes keys of the spec.
#[must_use]
pub const fn is_built(key_spec: KeySpec) -> bool {
    row(key_spec).is_built
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usage_of_every_spec_has_an_algorithm_and_no_other_has() {
        for key_spec in KeySpec::ALL {
            let row = row(*key_spec);
            assert!(!row.usages.is_empty(), "{key_spec}");
            for (usage, has_algorithm) in [
                (KeyUsage::EncryptDecrypt, !row.encryption_algorithms.is_empty()),
                (KeyUsage::SignVerify, !row.signing_algorithms.is_empty()),
                (KeyUsage::GenerateVerifyMac, !row.mac_algorithms.is_empty()),
                (KeyUsage::KeyAgreement, !row.key_agreement_algorithms.is_empty()),
                (KeyUsage::EncapsulateDecapsulate, !row.encapsulation_algorithms.is_empty()),
            ] {
                assert_eq!(row.admits(usage), has_algorithm, "{key_spec} {usage}");
            }
        }
    }

    #[test]
    fn encryption_takes_what_the_guide_says() {
        for (key_spec, sha_1, sha_256) in [
            (KeySpec::Rsa2048, 214, 190),
            (KeySpec::Rsa3072, 342, 318),
            (KeySpec::Rsa4096, 470, 446),
        ] {
            let bytes_max = |algorithm| plaintext_bytes_max(key_spec, algorithm);
            assert_eq!(bytes_max(Encryption::RsaesOaepSha1), Some(sha_1));
            assert_eq!(bytes_max(Encryption::RsaesOaepSha256), Some(sha_256));
            assert_eq!(bytes_max(Encryption::SymmetricDefault), None);
            assert_eq!(bytes_max(Encryption::Sm2Pke), None);
        }
        assert_eq!(plaintext_bytes_max(KeySpec::Hmac256, Encryption::RsaesOaepSha1), None);
        assert_eq!(plaintext_bytes_max(KeySpec::Sm2, Encryption::RsaesOaepSha1), None);
        assert_eq!(plaintext_bytes_max(KeySpec::Sm2, Encryption::Sm2Pke), Some(1024));
    }

    #[test]
    fn every_spec_is_built_but_sm2_without_its_feature() {
        for key_spec in KeySpec::ALL {
            let expected = *key_spec != KeySpec::Sm2 || cfg!(feature = "sm2");
            assert_eq!(is_built(*key_spec), expected, "{key_spec}");
        }
    }
}
