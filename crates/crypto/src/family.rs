//! The families of key specs: which standard a spec belongs to, and with which parameters.

use aws_lc_rs::rsa::KeySize;
use wire::enums::KeySpec;

use crate::{ec, hmac, ml_dsa, ml_kem};

/// A key spec, as the standard that it belongs to and the parameters that tell it from its kin.
///
/// What differs only by parameters is written once for the family.
pub(crate) enum Family {
    /// A key of 32 bytes for [`crate::symmetric`].
    Symmetric,
    /// FIPS 198-1.
    Hmac(&'static hmac::Hash),
    /// RFC 8017.
    Rsa(KeySize),
    /// FIPS 186-5 and SP 800-56A rev. 3, on a curve in short Weierstrass form.
    Ec(&'static ec::Curve),
    /// RFC 8032.
    Ed25519,
    /// FIPS 204.
    MlDsa(&'static ml_dsa::ParameterSet),
    /// FIPS 203.
    MlKem(&'static ml_kem::ParameterSet),
    /// GB/T 32918: AWS-LC has none, so only a build with the feature `sm2` has.
    Sm2,
}

impl Family {
    pub(crate) const fn of(key_spec: KeySpec) -> Family {
        match key_spec {
            KeySpec::SymmetricDefault => Family::Symmetric,
            KeySpec::Hmac224 => Family::Hmac(&hmac::SHA_224),
            KeySpec::Hmac256 => Family::Hmac(&hmac::SHA_256),
            KeySpec::Hmac384 => Family::Hmac(&hmac::SHA_384),
            KeySpec::Hmac512 => Family::Hmac(&hmac::SHA_512),
            KeySpec::Rsa2048 => Family::Rsa(KeySize::Rsa2048),
            KeySpec::Rsa3072 => Family::Rsa(KeySize::Rsa3072),
            KeySpec::Rsa4096 => Family::Rsa(KeySize::Rsa4096),
            KeySpec::EccNistP256 => Family::Ec(&ec::NIST_P256),
            KeySpec::EccNistP384 => Family::Ec(&ec::NIST_P384),
            KeySpec::EccNistP521 => Family::Ec(&ec::NIST_P521),
            KeySpec::EccSecgP256k1 => Family::Ec(&ec::SECG_P256K1),
            KeySpec::EccNistEdwards25519 => Family::Ed25519,
            KeySpec::MlDsa44 => Family::MlDsa(&ml_dsa::ML_DSA_44),
            KeySpec::MlDsa65 => Family::MlDsa(&ml_dsa::ML_DSA_65),
            KeySpec::MlDsa87 => Family::MlDsa(&ml_dsa::ML_DSA_87),
            KeySpec::MlKem512 => Family::MlKem(&ml_kem::ML_KEM_512),
            KeySpec::MlKem768 => Family::MlKem(&ml_kem::ML_KEM_768),
            KeySpec::MlKem1024 => Family::MlKem(&ml_kem::ML_KEM_1024),
            KeySpec::Sm2 => Family::Sm2,
        }
    }
}
