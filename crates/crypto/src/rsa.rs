//! RSA keys (RFC 8017): RSASSA-PSS, RSASSA-PKCS1-v1_5 and RSAES-OAEP.
//!
//! AWS-LC has a type for signing and another for encryption, so a key is parsed for its usage.

use std::sync::OnceLock;

use aws_lc_rs::digest::{self, SHA256, SHA384, SHA512};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{
    KeyPair, KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm,
    OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey,
};
use aws_lc_rs::signature::{
    KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RSA_PSS_SHA256,
    RSA_PSS_SHA384, RSA_PSS_SHA512, RsaParameters, RsaSignatureEncoding,
};
use wire::enums::{EncryptionAlgorithmSpec, MessageType, SigningAlgorithmSpec};
use zeroize::Zeroizing;

use crate::data_key_pairs::DataKeyPair;
use crate::encryption::PublicKeyEncryption;
use crate::signing::{Hashable, Signer, Verifier, unless_canonical};
use crate::{
    CryptoError, InvalidCiphertext, InvalidKeyMaterial, InvalidPublicKey, Rng, SecretBytes, ffi,
};

/// A fresh key pair with the public exponent 65537. Takes up to seconds.
pub(crate) fn generate(size: KeySize) -> Result<DataKeyPair, Unspecified> {
    let key_pair = KeyPair::generate(size)?;
    let private_key: Pkcs8V1Der<'_> = key_pair.as_der()?;
    let public_key: PublicKeyX509Der<'_> = key_pair.public_key().as_der()?;
    Ok(DataKeyPair::copy(private_key.as_ref(), public_key.as_ref()))
}

/// `PrivateKeyInfo` of one RSA key of that size, as AWS-LC writes it.
pub(crate) fn import(size: KeySize, bytes: &[u8]) -> Result<SecretBytes, InvalidKeyMaterial> {
    let key = PrivateDecryptingKey::from_pkcs8(bytes)?;
    if key.key_size_bits() != size.len() * 8 {
        return Err(InvalidKeyMaterial::Unsound);
    }
    ffi::Key::from_pkcs8(bytes)?.check_rsa()?;
    let der: Pkcs8V1Der<'_> = key.as_der()?;
    Ok(SecretBytes::copy(der.as_ref()))
}

/// The ways to sign with an RSA key; [`Scheme::of`] gives each its place.
const SCHEMES: usize = 6;

/// One way to sign with an RSA key. The salt of PSS is as long as the digest, as in AWS.
struct Scheme {
    /// Which of the [`SCHEMES`] it is.
    place: usize,
    hash: &'static digest::Algorithm,
    signing: &'static RsaSignatureEncoding,
    verification: &'static RsaParameters,
}

impl Scheme {
    fn of(algorithm: SigningAlgorithmSpec) -> Result<Scheme, CryptoError> {
        let (place, hash, signing, verification) = match algorithm {
            SigningAlgorithmSpec::RsassaPssSha256 => {
                (0, &SHA256, &RSA_PSS_SHA256, &RSA_PSS_2048_8192_SHA256)
            }
            SigningAlgorithmSpec::RsassaPssSha384 => {
                (1, &SHA384, &RSA_PSS_SHA384, &RSA_PSS_2048_8192_SHA384)
            }
            SigningAlgorithmSpec::RsassaPssSha512 => {
                (2, &SHA512, &RSA_PSS_SHA512, &RSA_PSS_2048_8192_SHA512)
            }
            SigningAlgorithmSpec::RsassaPkcs1V15Sha256 => {
                (3, &SHA256, &RSA_PKCS1_SHA256, &RSA_PKCS1_2048_8192_SHA256)
            }
            SigningAlgorithmSpec::RsassaPkcs1V15Sha384 => {
                (4, &SHA384, &RSA_PKCS1_SHA384, &RSA_PKCS1_2048_8192_SHA384)
            }
            SigningAlgorithmSpec::RsassaPkcs1V15Sha512 => {
                (5, &SHA512, &RSA_PKCS1_SHA512, &RSA_PKCS1_2048_8192_SHA512)
            }
            SigningAlgorithmSpec::EcdsaSha256
            | SigningAlgorithmSpec::EcdsaSha384
            | SigningAlgorithmSpec::EcdsaSha512
            | SigningAlgorithmSpec::Sm2Dsa
            | SigningAlgorithmSpec::MlDsaShake256
            | SigningAlgorithmSpec::Ed25519Sha512
            | SigningAlgorithmSpec::Ed25519PhSha512 => return Err(CryptoError::Unsupported),
        };
        Ok(Scheme { place, hash, signing, verification })
    }
}

/// A private key that signs.
pub(crate) struct SigningKey {
    key_pair: KeyPair,
    verifying_key: VerifyingKey,
}

impl SigningKey {
    pub(crate) fn parse(size: KeySize, material: &[u8]) -> Result<SigningKey, InvalidKeyMaterial> {
        let key_pair = KeyPair::from_pkcs8(material)?;
        let public_key: PublicKeyX509Der<'_> = key_pair.public_key().as_der()?;
        let verifying_key = VerifyingKey::parse(size, public_key.as_ref())?;
        Ok(SigningKey { key_pair, verifying_key })
    }
}

impl Signer for SigningKey {
    fn sign(
        &self,
        algorithm: SigningAlgorithmSpec,
        message_type: MessageType,
        message: &[u8],
        _rng: &dyn Rng,
    ) -> Result<Vec<u8>, CryptoError> {
        let scheme = Scheme::of(algorithm)?;
        let mut signature = vec![0; self.key_pair.public_modulus_len()];
        match Hashable::new(message_type, message, scheme.hash)? {
            Hashable::Message(message) => {
                let rng = SystemRandom::new();
                self.key_pair.sign(scheme.signing, &rng, message, &mut signature)?;
            }
            Hashable::Digest(digest) => {
                self.key_pair.sign_digest(scheme.signing, &digest, &mut signature)?;
            }
        }
        Ok(signature)
    }

    fn verifier(&self) -> &dyn Verifier {
        &self.verifying_key
    }
}

/// A public key that verifies.
pub(crate) struct VerifyingKey {
    public_key_der: Vec<u8>,
    /// AWS-LC binds a parsed public key to one scheme; each is parsed when first wanted, since most
    /// keys only ever see one.
    by_scheme: [OnceLock<ParsedPublicKey>; SCHEMES],
}

impl VerifyingKey {
    pub(crate) fn parse(
        size: KeySize,
        public_key_der: &[u8],
    ) -> Result<VerifyingKey, InvalidPublicKey> {
        let public_key = PublicEncryptingKey::from_der(public_key_der)?;
        unless_canonical(public_key_der, public_key.as_der())?;
        if public_key.key_size_bits() != size.len() * 8 {
            return Err(InvalidPublicKey);
        }
        Ok(VerifyingKey { public_key_der: public_key_der.to_vec(), by_scheme: Default::default() })
    }

    fn parsed_for(&self, scheme: &Scheme) -> Result<&ParsedPublicKey, CryptoError> {
        let cell = self.by_scheme.get(scheme.place).expect("places are below SCHEMES");
        if let Some(parsed) = cell.get() {
            return Ok(parsed);
        }
        let parsed = ParsedPublicKey::new(scheme.verification, &self.public_key_der)
            .map_err(|_| CryptoError::Refused)?;
        Ok(cell.get_or_init(|| parsed))
    }
}

impl Verifier for VerifyingKey {
    fn verify(
        &self,
        algorithm: SigningAlgorithmSpec,
        message_type: MessageType,
        message: &[u8],
        signature: &[u8],
    ) -> Result<bool, CryptoError> {
        let scheme = Scheme::of(algorithm)?;
        let parsed = self.parsed_for(&scheme)?;
        let verified = match Hashable::new(message_type, message, scheme.hash)? {
            Hashable::Message(message) => parsed.verify_sig(message, signature),
            Hashable::Digest(digest) => parsed.verify_digest_sig(&digest, signature),
        };
        Ok(verified.is_ok())
    }

    fn public_key_der(&self) -> &[u8] {
        &self.public_key_der
    }
}

/// The one hash of an OAEP algorithm: of the label, which is empty, and of MGF1.
fn oaep(algorithm: EncryptionAlgorithmSpec) -> Option<&'static OaepAlgorithm> {
    match algorithm {
        EncryptionAlgorithmSpec::RsaesOaepSha1 => Some(&OAEP_SHA1_MGF1SHA1),
        EncryptionAlgorithmSpec::RsaesOaepSha256 => Some(&OAEP_SHA256_MGF1SHA256),
        EncryptionAlgorithmSpec::SymmetricDefault | EncryptionAlgorithmSpec::Sm2Pke => None,
    }
}

/// A key that encrypts and decrypts.
pub(crate) struct EncryptionKey {
    private_key: PrivateDecryptingKey,
    decrypting: OaepPrivateDecryptingKey,
    encrypting: OaepPublicEncryptingKey,
    public_key_der: Vec<u8>,
}

impl EncryptionKey {
    pub(crate) fn parse(
        size: KeySize,
        material: &[u8],
    ) -> Result<EncryptionKey, InvalidKeyMaterial> {
        let private_key = PrivateDecryptingKey::from_pkcs8(material)?;
        if private_key.key_size_bits() != size.len() * 8 {
            return Err(InvalidKeyMaterial::Unsound);
        }
        Ok(EncryptionKey::new(private_key)?)
    }

    pub(crate) fn new(private_key: PrivateDecryptingKey) -> Result<EncryptionKey, Unspecified> {
        let public_key = private_key.public_key();
        let der: PublicKeyX509Der<'_> = public_key.as_der()?;
        // Clones share the one parsed key.
        Ok(EncryptionKey {
            decrypting: OaepPrivateDecryptingKey::new(private_key.clone())?,
            encrypting: OaepPublicEncryptingKey::new(public_key)?,
            public_key_der: der.as_ref().to_vec(),
            private_key,
        })
    }

    pub(crate) fn to_pkcs8(&self) -> Result<SecretBytes, Unspecified> {
        let der: Pkcs8V1Der<'_> = self.private_key.as_der()?;
        Ok(SecretBytes::copy(der.as_ref()))
    }

    /// `k`, the length of the modulus and of every ciphertext, in bytes.
    pub(crate) fn modulus_bytes(&self) -> usize {
        self.decrypting.key_size_bytes()
    }
}

impl PublicKeyEncryption for EncryptionKey {
    /// `C = RSAES-OAEP-ENCRYPT((n, e), M, L = "")` (RFC 8017, 7.1.1).
    fn encrypt(
        &self,
        algorithm: EncryptionAlgorithmSpec,
        plaintext: &[u8],
        _rng: &dyn Rng,
    ) -> Result<Vec<u8>, CryptoError> {
        let algorithm = oaep(algorithm).ok_or(CryptoError::Unsupported)?;
        let bytes_max = self.encrypting.max_plaintext_size(algorithm);
        if plaintext.len() > bytes_max {
            return Err(CryptoError::TooLong { bytes: plaintext.len(), bytes_max });
        }
        let mut ciphertext = vec![0; self.encrypting.ciphertext_size()];
        let bytes = self.encrypting.encrypt(algorithm, plaintext, &mut ciphertext, None)?.len();
        ciphertext.truncate(bytes);
        Ok(ciphertext)
    }

    /// `M = RSAES-OAEP-DECRYPT(K, C, L = "")` (RFC 8017, 7.1.2), or a failure that says nothing.
    fn decrypt(
        &self,
        algorithm: EncryptionAlgorithmSpec,
        ciphertext: &[u8],
    ) -> Result<SecretBytes, InvalidCiphertext> {
        let algorithm = oaep(algorithm).ok_or(InvalidCiphertext)?;
        let mut plaintext = Zeroizing::new(vec![0; self.decrypting.min_output_size()]);
        let bytes = self.decrypting.decrypt(algorithm, ciphertext, &mut plaintext, None)?.len();
        plaintext.truncate(bytes);
        Ok(SecretBytes::new(std::mem::take(&mut *plaintext)))
    }

    fn public_key_der(&self) -> &[u8] {
        &self.public_key_der
    }
}
