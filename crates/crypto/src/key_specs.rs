//! What each key spec can do: usages and algorithms, as one table.
//!
//! The rows follow "Key spec reference" of the AWS KMS Developer Guide. What AWS names and this
//! build cannot make yet has its row too: [`KeySpecRow::is_built`] tells.

use wire::enums::{
    EncryptionAlgorithmSpec as Encryption, KeyAgreementAlgorithmSpec as Agreement, KeySpec,
    KeyUsage, MacAlgorithmSpec as Mac, SigningAlgorithmSpec as Signing,
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
    /// Whether `ENCAPSULATE_DECAPSULATE` has the algorithm `ML_KEM`.
    pub is_encapsulation: bool,
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
    is_encapsulation: false,
    is_built: false,
};

const SYMMETRIC: KeySpecRow = KeySpecRow {
    usages: &[KeyUsage::EncryptDecrypt],
    encryption_algorithms: &[Encryption::SymmetricDefault],
    is_built: true,
    ..NOTHING
};

const RSA: KeySpecRow = KeySpecRow {
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
    ..NOTHING
};

const SM2: KeySpecRow = KeySpecRow {
    usages: &[KeyUsage::EncryptDecrypt, KeyUsage::SignVerify, KeyUsage::KeyAgreement],
    encryption_algorithms: &[Encryption::Sm2Pke],
    signing_algorithms: &[Signing::Sm2Dsa],
    key_agreement_algorithms: &[Agreement::Ecdh],
    ..NOTHING
};

const SECG_P256K1: KeySpecRow = signing_only(&[Signing::EcdsaSha256]);
const EDWARDS25519: KeySpecRow = signing_only(&[Signing::Ed25519Sha512, Signing::Ed25519PhSha512]);
const ML_DSA: KeySpecRow = signing_only(&[Signing::MlDsaShake256]);

const ML_KEM: KeySpecRow =
    KeySpecRow { usages: &[KeyUsage::EncapsulateDecapsulate], is_encapsulation: true, ..NOTHING };

const fn nist_curve(signing_algorithms: &'static [Signing]) -> KeySpecRow {
    KeySpecRow {
        usages: &[KeyUsage::SignVerify, KeyUsage::KeyAgreement],
        signing_algorithms,
        key_agreement_algorithms: &[Agreement::Ecdh],
        ..NOTHING
    }
}

const fn signing_only(signing_algorithms: &'static [Signing]) -> KeySpecRow {
    KeySpecRow { usages: &[KeyUsage::SignVerify], signing_algorithms, ..NOTHING }
}

const fn hmac(mac_algorithms: &'static [Mac]) -> KeySpecRow {
    KeySpecRow { usages: &[KeyUsage::GenerateVerifyMac], mac_algorithms, ..NOTHING }
}

/// The row of a spec.
#[must_use]
pub const fn row(key_spec: KeySpec) -> KeySpecRow {
    match key_spec {
        KeySpec::SymmetricDefault => SYMMETRIC,
        KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096 => RSA,
        KeySpec::EccNistP256 => nist_curve(&[Signing::EcdsaSha256]),
        KeySpec::EccNistP384 => nist_curve(&[Signing::EcdsaSha384]),
        KeySpec::EccNistP521 => nist_curve(&[Signing::EcdsaSha512]),
        KeySpec::EccSecgP256k1 => SECG_P256K1,
        KeySpec::EccNistEdwards25519 => EDWARDS25519,
        KeySpec::Sm2 => SM2,
        KeySpec::Hmac224 => hmac(&[Mac::HmacSha224]),
        KeySpec::Hmac256 => hmac(&[Mac::HmacSha256]),
        KeySpec::Hmac384 => hmac(&[Mac::HmacSha384]),
        KeySpec::Hmac512 => hmac(&[Mac::HmacSha512]),
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
                (KeyUsage::EncapsulateDecapsulate, row.is_encapsulation),
            ] {
                assert_eq!(row.admits(usage), has_algorithm, "{key_spec} {usage}");
            }
        }
    }

    #[test]
    fn only_symmetric_default_is_built() {
        let built: Vec<_> = KeySpec::ALL.iter().filter(|key_spec| is_built(**key_spec)).collect();
        assert_eq!(built, [&KeySpec::SymmetricDefault]);
    }
}
