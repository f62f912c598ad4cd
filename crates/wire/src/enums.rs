//! The enumerations of the KMS model, with all their values.
//!
//! Values that are not built yet are here too: what AWS names is understood, and refused by the
//! service with its proper error.

use std::fmt;

/// An enumeration of the model. `Copy`, and shown as its wire text.
pub trait WireEnum: Copy + Eq + fmt::Debug + 'static {
    /// The name of the enumeration in the model.
    const NAME: &'static str;
    /// All values, in the model's order.
    const ALL: &'static [Self];
    /// The wire texts of all values, in the model's order.
    const TEXTS: &'static [&'static str];

    /// The wire text of the value.
    fn as_str(self) -> &'static str;

    /// The value with that wire text; case counts.
    fn from_text(text: &str) -> Option<Self>;
}

/// A text is not a value of the enumeration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a value of {enumeration}")]
pub struct UnknownValue {
    pub(crate) enumeration: &'static str,
}

/// Declares enumerations whose values have wire texts.
macro_rules! wire_enum {
    ($(
        $(#[$comment:meta])*
        $name:ident = $model:literal { $($(#[$value_comment:meta])* $value:ident = $text:literal),+ $(,)? }
    )+) => {$(
        $(#[$comment])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $(#[doc = concat!("`", $text, "`")] $(#[$value_comment])* $value,)+
        }

        impl $name {
            /// All values, in the model's order.
            pub const ALL: &'static [$name] = &[$($name::$value),+];

            /// The wire text of the value.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$value => $text),+ }
            }
        }

        impl WireEnum for $name {
            const NAME: &'static str = $model;
            const ALL: &'static [$name] = $name::ALL;
            const TEXTS: &'static [&'static str] = &[$($text),+];

            fn as_str(self) -> &'static str {
                $name::as_str(self)
            }

            fn from_text(text: &str) -> Option<$name> {
                match text { $($text => Some($name::$value),)+ _ => None }
            }
        }

        impl std::str::FromStr for $name {
            type Err = UnknownValue;

            fn from_str(text: &str) -> Result<$name, UnknownValue> {
                $name::from_text(text).ok_or(UnknownValue { enumeration: $model })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    )+

        /// The name and the wire texts of every enumeration, for the model oracle.
        pub const ENUMERATIONS: &[(&str, &[&str])] = &[$(($model, <$name as WireEnum>::TEXTS)),+];
    };
}
pub(crate) use wire_enum;

wire_enum! {
    /// What a key may be used for.
    KeyUsage = "KeyUsageType" {
        SignVerify = "SIGN_VERIFY",
        EncryptDecrypt = "ENCRYPT_DECRYPT",
        GenerateVerifyMac = "GENERATE_VERIFY_MAC",
        KeyAgreement = "KEY_AGREEMENT",
        EncapsulateDecapsulate = "ENCAPSULATE_DECAPSULATE",
    }

    /// The kind and size of key material.
    KeySpec = "KeySpec" {
        Rsa2048 = "RSA_2048",
        Rsa3072 = "RSA_3072",
        Rsa4096 = "RSA_4096",
        EccNistP256 = "ECC_NIST_P256",
        EccNistP384 = "ECC_NIST_P384",
        EccNistP521 = "ECC_NIST_P521",
        EccSecgP256k1 = "ECC_SECG_P256K1",
        SymmetricDefault = "SYMMETRIC_DEFAULT",
        Hmac224 = "HMAC_224",
        Hmac256 = "HMAC_256",
        Hmac384 = "HMAC_384",
        Hmac512 = "HMAC_512",
        Sm2 = "SM2",
        MlDsa44 = "ML_DSA_44",
        MlDsa65 = "ML_DSA_65",
        MlDsa87 = "ML_DSA_87",
        EccNistEdwards25519 = "ECC_NIST_EDWARDS25519",
        MlKem512 = "ML_KEM_512",
        MlKem768 = "ML_KEM_768",
        MlKem1024 = "ML_KEM_1024",
    }

    /// The older name of [`KeySpec`], which newer specs were never added to.
    CustomerMasterKeySpec = "CustomerMasterKeySpec" {
        Rsa2048 = "RSA_2048",
        Rsa3072 = "RSA_3072",
        Rsa4096 = "RSA_4096",
        EccNistP256 = "ECC_NIST_P256",
        EccNistP384 = "ECC_NIST_P384",
        EccNistP521 = "ECC_NIST_P521",
        EccSecgP256k1 = "ECC_SECG_P256K1",
        SymmetricDefault = "SYMMETRIC_DEFAULT",
        Hmac224 = "HMAC_224",
        Hmac256 = "HMAC_256",
        Hmac384 = "HMAC_384",
        Hmac512 = "HMAC_512",
        Sm2 = "SM2",
    }

    /// Where key material comes from.
    OriginType = "OriginType" {
        AwsKms = "AWS_KMS",
        External = "EXTERNAL",
        AwsCloudHsm = "AWS_CLOUDHSM",
        ExternalKeyStore = "EXTERNAL_KEY_STORE",
    }

    /// The state of a key.
    KeyState = "KeyState" {
        Creating = "Creating",
        Enabled = "Enabled",
        Disabled = "Disabled",
        PendingDeletion = "PendingDeletion",
        PendingImport = "PendingImport",
        PendingReplicaDeletion = "PendingReplicaDeletion",
        Unavailable = "Unavailable",
        Updating = "Updating",
    }

    /// Whether imported key material expires.
    ExpirationModel = "ExpirationModelType" {
        KeyMaterialExpires = "KEY_MATERIAL_EXPIRES",
        KeyMaterialDoesNotExpire = "KEY_MATERIAL_DOES_NOT_EXPIRE",
    }

    /// Who manages a key.
    KeyManager = "KeyManagerType" {
        Aws = "AWS",
        Customer = "CUSTOMER",
    }

    /// An encryption algorithm.
    EncryptionAlgorithmSpec = "EncryptionAlgorithmSpec" {
        SymmetricDefault = "SYMMETRIC_DEFAULT",
        RsaesOaepSha1 = "RSAES_OAEP_SHA_1",
        RsaesOaepSha256 = "RSAES_OAEP_SHA_256",
        Sm2Pke = "SM2PKE",
    }

    /// A signing algorithm.
    SigningAlgorithmSpec = "SigningAlgorithmSpec" {
        RsassaPssSha256 = "RSASSA_PSS_SHA_256",
        RsassaPssSha384 = "RSASSA_PSS_SHA_384",
        RsassaPssSha512 = "RSASSA_PSS_SHA_512",
        RsassaPkcs1V15Sha256 = "RSASSA_PKCS1_V1_5_SHA_256",
        RsassaPkcs1V15Sha384 = "RSASSA_PKCS1_V1_5_SHA_384",
        RsassaPkcs1V15Sha512 = "RSASSA_PKCS1_V1_5_SHA_512",
        EcdsaSha256 = "ECDSA_SHA_256",
        EcdsaSha384 = "ECDSA_SHA_384",
        EcdsaSha512 = "ECDSA_SHA_512",
        Sm2Dsa = "SM2DSA",
        MlDsaShake256 = "ML_DSA_SHAKE_256",
        Ed25519Sha512 = "ED25519_SHA_512",
        Ed25519PhSha512 = "ED25519_PH_SHA_512",
    }

    /// A key agreement algorithm.
    KeyAgreementAlgorithmSpec = "KeyAgreementAlgorithmSpec" {
        Ecdh = "ECDH",
    }

    /// A key encapsulation algorithm.
    EncapsulationAlgorithmSpec = "EncapsulationAlgorithmSpec" {
        MlKem = "ML_KEM",
    }

    /// A MAC algorithm.
    MacAlgorithmSpec = "MacAlgorithmSpec" {
        HmacSha224 = "HMAC_SHA_224",
        HmacSha256 = "HMAC_SHA_256",
        HmacSha384 = "HMAC_SHA_384",
        HmacSha512 = "HMAC_SHA_512",
    }

    /// The role of a multi-Region key among its related keys.
    MultiRegionKeyType = "MultiRegionKeyType" {
        Primary = "PRIMARY",
        Replica = "REPLICA",
    }

    /// Whose keys ListKeys tells.
    ResourceOwner = "ResourceOwnerType" {
        SelfOwned = "SELF",
        OtherAccountsViaRam = "OTHER_ACCOUNTS_VIA_RAM",
    }

    /// How a plaintext is encrypted for an attested recipient.
    KeyEncryptionMechanism = "KeyEncryptionMechanism" {
        RsaesOaepSha256 = "RSAES_OAEP_SHA_256",
    }

    /// How a dry run differs from the call that it tries.
    DryRunModifier = "DryRunModifierType" {
        IgnoreCiphertext = "IGNORE_CIPHERTEXT",
    }

    /// The length of a data key by name.
    DataKeySpec = "DataKeySpec" {
        Aes256 = "AES_256",
        Aes128 = "AES_128",
    }

    /// Whether a message is to be hashed, is a digest already, or is ML-DSA's message representative.
    MessageType = "MessageType" {
        Raw = "RAW",
        Digest = "DIGEST",
        ExternalMu = "EXTERNAL_MU",
    }

    /// The kind and size of the key that wraps material on its way here.
    WrappingKeySpec = "WrappingKeySpec" {
        Rsa2048 = "RSA_2048",
        Rsa3072 = "RSA_3072",
        Rsa4096 = "RSA_4096",
        Sm2 = "SM2",
    }

    /// How material is wrapped on its way here.
    WrappingAlgorithm = "AlgorithmSpec" {
        /// Refused since October 2023.
        RsaesPkcs1V15 = "RSAES_PKCS1_V1_5",
        RsaesOaepSha1 = "RSAES_OAEP_SHA_1",
        RsaesOaepSha256 = "RSAES_OAEP_SHA_256",
        RsaAesKeyWrapSha1 = "RSA_AES_KEY_WRAP_SHA_1",
        RsaAesKeyWrapSha256 = "RSA_AES_KEY_WRAP_SHA_256",
        Sm2Pke = "SM2PKE",
    }

    /// Whether imported material is known to the key already.
    ImportType = "ImportType" {
        NewKeyMaterial = "NEW_KEY_MATERIAL",
        ExistingKeyMaterial = "EXISTING_KEY_MATERIAL",
    }

    /// Whether imported material is here.
    ImportState = "ImportState" {
        Imported = "IMPORTED",
        PendingImport = "PENDING_IMPORT",
    }

    /// What a version of the material is for.
    KeyMaterialState = "KeyMaterialState" {
        /// It only decrypts what it encrypted before a rotation.
        NonCurrent = "NON_CURRENT",
        /// It encrypts and decrypts.
        Current = "CURRENT",
        /// It waits for a rotation on demand.
        PendingRotation = "PENDING_ROTATION",
        /// It waits to be imported into every replica.
        PendingMultiRegionImportAndRotation = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION",
    }

    /// What made a rotation happen.
    RotationType = "RotationType" {
        Automatic = "AUTOMATIC",
        OnDemand = "ON_DEMAND",
    }

    /// Which versions of the material ListKeyRotations tells.
    IncludeKeyMaterial = "IncludeKeyMaterial" {
        AllKeyMaterial = "ALL_KEY_MATERIAL",
        RotationsOnly = "ROTATIONS_ONLY",
    }

    /// The kind and size of a data key pair.
    DataKeyPairSpec = "DataKeyPairSpec" {
        Rsa2048 = "RSA_2048",
        Rsa3072 = "RSA_3072",
        Rsa4096 = "RSA_4096",
        EccNistP256 = "ECC_NIST_P256",
        EccNistP384 = "ECC_NIST_P384",
        EccNistP521 = "ECC_NIST_P521",
        EccSecgP256k1 = "ECC_SECG_P256K1",
        Sm2 = "SM2",
        EccNistEdwards25519 = "ECC_NIST_EDWARDS25519",
        MlKem512 = "ML_KEM_512",
        MlKem768 = "ML_KEM_768",
        MlKem1024 = "ML_KEM_1024",
    }

    /// The operations that count as use of a key.
    KeyLastUsageOperation = "KeyLastUsageTrackingOperation" {
        Decrypt = "Decrypt",
        DeriveSharedSecret = "DeriveSharedSecret",
        Encrypt = "Encrypt",
        GenerateDataKey = "GenerateDataKey",
        GenerateDataKeyPair = "GenerateDataKeyPair",
        GenerateDataKeyPairWithoutPlaintext = "GenerateDataKeyPairWithoutPlaintext",
        GenerateDataKeyWithoutPlaintext = "GenerateDataKeyWithoutPlaintext",
        GenerateMac = "GenerateMac",
        ReEncrypt = "ReEncrypt",
        Sign = "Sign",
        Verify = "Verify",
        VerifyMac = "VerifyMac",
        Encapsulate = "Encapsulate",
        Decapsulate = "Decapsulate",
    }
}

impl CustomerMasterKeySpec {
    /// The same spec under its newer name.
    pub fn key_spec(self) -> KeySpec {
        KeySpec::from_text(self.as_str())
            .expect("every CustomerMasterKeySpec is a KeySpec, by a test below")
    }
}

impl DataKeyPairSpec {
    /// The key spec of the same name.
    pub fn key_spec(self) -> KeySpec {
        KeySpec::from_text(self.as_str())
            .expect("every DataKeyPairSpec is a KeySpec, by a test below")
    }
}

impl KeySpec {
    /// The same spec under its older name, if it has one.
    pub fn customer_master_key_spec(self) -> Option<CustomerMasterKeySpec> {
        CustomerMasterKeySpec::from_text(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip<E: WireEnum>() {
        assert_eq!(E::ALL.len(), E::TEXTS.len());
        for (value, text) in E::ALL.iter().zip(E::TEXTS) {
            assert_eq!(value.as_str(), *text);
            assert_eq!(E::from_text(text), Some(*value));
            assert_eq!(E::from_text(&format!("{text} ")), None);
        }
    }

    #[test]
    fn every_value_is_read_as_it_is_shown() {
        round_trip::<KeyUsage>();
        round_trip::<KeySpec>();
        round_trip::<OriginType>();
        round_trip::<KeyState>();
        round_trip::<SigningAlgorithmSpec>();
        assert_eq!("RSA_2048".parse(), Ok(KeySpec::Rsa2048));
        assert!("rsa_2048".parse::<KeySpec>().is_err());
    }

    #[test]
    fn the_older_specs_are_specs() {
        for older in CustomerMasterKeySpec::ALL {
            assert_eq!(older.key_spec().customer_master_key_spec(), Some(*older));
        }
        for pair in DataKeyPairSpec::ALL {
            assert_eq!(pair.key_spec().as_str(), pair.as_str());
        }
        assert_eq!(KeySpec::MlDsa44.customer_master_key_spec(), None);
    }
}
