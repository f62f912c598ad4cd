//! Ed25519 keys (RFC 8032).

use aws_lc_rs::encoding::{AsBigEndian, AsDer, Curve25519SeedBin, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, ParsedPublicKey};
use wire::enums::{MessageType, SigningAlgorithmSpec};

use crate::data_key_pairs::DataKeyPair;
use crate::signing::{Signer, Verifier, exactly, unless_canonical};
use crate::{CryptoError, InvalidKeyMaterial, InvalidPublicKey, Rng, SecretBytes, ffi};

/// Length of a public key, in bytes.
pub(crate) const PUBLIC_KEY_BYTES: usize = 32;

/// A fresh key pair (RFC 8032, 5.1.5).
///
/// The module draws the seed itself: it is the form that FIPS 140-3 approves.
pub(crate) fn generate() -> Result<DataKeyPair, Unspecified> {
    let key_pair = Ed25519KeyPair::generate()?;
    let public_key: PublicKeyX509Der<'_> = key_pair.public_key().as_der()?;
    Ok(DataKeyPair::copy(key_pair.to_pkcs8v1()?.as_ref(), public_key.as_ref()))
}

/// `PrivateKeyInfo` of one Ed25519 key (RFC 8410), as AWS-LC writes it: without the public key.
pub(crate) fn import(bytes: &[u8]) -> Result<SecretBytes, InvalidKeyMaterial> {
    ffi::Key::from_pkcs8(bytes)?;
    let key_pair = Ed25519KeyPair::from_pkcs8(bytes)?;
    Ok(SecretBytes::copy(key_pair.to_pkcs8v1()?.as_ref()))
}

/// A private key that signs.
pub(crate) struct SigningKey {
    key_pair: Ed25519KeyPair,
    prehashed: ffi::Ed25519PhKey,
    verifying_key: VerifyingKey,
}

impl SigningKey {
    pub(crate) fn parse(material: &[u8]) -> Result<SigningKey, InvalidKeyMaterial> {
        let key_pair = Ed25519KeyPair::from_pkcs8(material)?;
        let seed: Curve25519SeedBin<'_> = key_pair.seed()?.as_be_bytes()?;
        let seed = seed.as_ref().first_chunk().ok_or(InvalidKeyMaterial::Unsound)?;
        let public_key: PublicKeyX509Der<'_> = key_pair.public_key().as_der()?;
        let verifying_key = VerifyingKey::parse(public_key.as_ref())?;
        Ok(SigningKey { prehashed: ffi::Ed25519PhKey::from_seed(seed), key_pair, verifying_key })
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
        match Message::new(algorithm, message_type, message)? {
            Message::Pure(message) => Ok(self.key_pair.try_sign(message)?.as_ref().to_vec()),
            Message::Prehashed(message) => Ok(self.prehashed.sign(message)?.to_vec()),
        }
    }

    fn verifier(&self) -> &dyn Verifier {
        &self.verifying_key
    }
}

/// A public key that verifies.
pub(crate) struct VerifyingKey {
    public_key: [u8; PUBLIC_KEY_BYTES],
    public_key_der: Vec<u8>,
    parsed: ParsedPublicKey,
}

impl VerifyingKey {
    pub(crate) fn parse(public_key_der: &[u8]) -> Result<VerifyingKey, InvalidPublicKey> {
        let parsed = ParsedPublicKey::new(&ED25519, public_key_der)?;
        unless_canonical(public_key_der, parsed.as_der())?;
        // The encoding ends with the key (RFC 8410, 4).
        let public_key = *public_key_der.last_chunk().ok_or(InvalidPublicKey)?;
        Ok(VerifyingKey { public_key, public_key_der: public_key_der.to_vec(), parsed })
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
        match Message::new(algorithm, message_type, message)? {
            Message::Pure(message) => Ok(self.parsed.verify_sig(message, signature).is_ok()),
            Message::Prehashed(message) => {
                Ok(ffi::ed25519ph_verify(&self.public_key, message, signature))
            }
        }
    }

    fn public_key_der(&self) -> &[u8] {
        &self.public_key_der
    }
}

/// What the key signs, by algorithm and message type.
enum Message<'m> {
    /// `M` of Ed25519 (RFC 8032, 5.1.6).
    Pure(&'m [u8]),
    /// `M` of Ed25519ph: 64 bytes.
    ///
    /// AWS calls it a digest, and hashes it once more: `PH(M)` of RFC 8032 is SHA-512 of the
    /// "digest" given ("Sign" in the API reference, at `MessageType`).
    Prehashed(&'m [u8; 64]),
}

impl Message<'_> {
    fn new(
        algorithm: SigningAlgorithmSpec,
        message_type: MessageType,
        message: &[u8],
    ) -> Result<Message<'_>, CryptoError> {
        match (algorithm, message_type) {
            (SigningAlgorithmSpec::Ed25519Sha512, MessageType::Raw) => Ok(Message::Pure(message)),
            (SigningAlgorithmSpec::Ed25519PhSha512, MessageType::Digest) => {
                Ok(Message::Prehashed(exactly(message)?))
            }
            _ => Err(CryptoError::Unsupported),
        }
    }
}
