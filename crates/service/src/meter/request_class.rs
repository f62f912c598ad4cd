//! What a request is for a tariff (AWS KMS pricing page, "Key usage"; reference 2.21).

use wire::enums::KeySpec;

/// How the requests of an operation are metered; the row of the operation says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Metering {
    /// They cost nothing: all APIs but KMS.
    Free,
    /// Each is a request of the first class, whatever key it is about.
    Plain,
    /// By the spec of the keys that they use.
    ByKey,
    /// By the spec of the data key pair that is asked for.
    DataKeyPair,
}

/// A kind of request that tariffs price. The order is that of the price, as far as keys decide it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RequestClass {
    /// Not priced at all.
    Free,
    /// Symmetric and HMAC keys, and all that uses no key.
    Symmetric,
    /// RSA_2048 keys.
    Rsa2048,
    /// All other asymmetric keys.
    Asymmetric,
    /// Data key pairs that are not RSA.
    DataKeyPair,
    /// RSA data key pairs.
    RsaDataKeyPair,
}

impl RequestClass {
    /// The name in counters and tariffs; never changed, since it is on disk.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            RequestClass::Free => "free",
            RequestClass::Symmetric => "symmetric",
            RequestClass::Rsa2048 => "rsa_2048",
            RequestClass::Asymmetric => "asymmetric",
            RequestClass::DataKeyPair => "data_key_pair",
            RequestClass::RsaDataKeyPair => "rsa_data_key_pair",
        }
    }

    /// The class of requests that use a key.
    pub(crate) fn of_key(key_spec: KeySpec) -> RequestClass {
        match key_spec {
            KeySpec::SymmetricDefault
            | KeySpec::Hmac224
            | KeySpec::Hmac256
            | KeySpec::Hmac384
            | KeySpec::Hmac512 => RequestClass::Symmetric,
            KeySpec::Rsa2048 => RequestClass::Rsa2048,
            KeySpec::Rsa3072
            | KeySpec::Rsa4096
            | KeySpec::EccNistP256
            | KeySpec::EccNistP384
            | KeySpec::EccNistP521
            | KeySpec::EccSecgP256k1
            | KeySpec::EccNistEdwards25519
            | KeySpec::MlDsa44
            | KeySpec::MlDsa65
            | KeySpec::MlDsa87
            | KeySpec::MlKem512
            | KeySpec::MlKem768
            | KeySpec::MlKem1024
            | KeySpec::Sm2 => RequestClass::Asymmetric,
        }
    }

    /// The class of requests for data key pairs of a spec, as the request names it.
    pub(crate) fn of_key_pair(key_pair_spec: &str) -> RequestClass {
        match key_pair_spec.starts_with("RSA_") {
            true => RequestClass::RsaDataKeyPair,
            false => RequestClass::DataKeyPair,
        }
    }
}
