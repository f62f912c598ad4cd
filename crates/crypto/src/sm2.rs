//! SM2 keys (GB/T 32918, GM/T 0003): SM2DSA, SM2PKE, and ECDH on the same curve.
//!
//! AWS-LC has no SM2, so this is RustCrypto's `sm2`. It is written to take the same time whatever the secret is, but nobody
//! has audited it for that (`SECURITY.md`), and of what it copies to the stack it wipes only a part. What lives longer than a
//! call is a [`SecretKey`], which wipes itself.

use std::mem;

use ::sm2::dsa::signature::hazmat::{PrehashVerifier, RandomizedPrehashSigner};
use ::sm2::dsa::signature::{RandomizedSigner, Verifier as _};
use ::sm2::dsa::{self, Signature};
use ::sm2::elliptic_curve::Generate;
use ::sm2::elliptic_curve::rand_core::{TryCryptoRng, TryRng};
use ::sm2::pkcs8::der::Decode;
use ::sm2::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use ::sm2::pke::{Cipher, DecryptingKey, EncryptingKey, Mode};
use ::sm2::{PublicKey, Scalar, SecretKey};
use wire::enums::{EncryptionAlgorithmSpec, MessageType, SigningAlgorithmSpec};
use zeroize::Zeroizing;

use crate::agreement::Agreement;
use crate::data_key_pairs::DataKeyPair;
use crate::encryption::PublicKeyEncryption;
use crate::key_specs::SM2PKE_PLAINTEXT_BYTES_MAX;
use crate::signing::{Signer, Verifier, exactly};
use crate::{
    CryptoError, InvalidCiphertext, InvalidKeyMaterial, InvalidPublicKey, Rng, RngError,
    SecretBytes, rng,
};

/// The `ID_A` that is hashed into `Z_A` (GM/T 0009-2012, 10): AWS admits no other for a message; who wants one gives the
/// digest ("Offline verification with SM2 key pairs" of the Developer Guide).
const DISTINGUISHING_ID: &str = "1234567812345678";

/// Length of SM3's digest, in bytes (GB/T 32905).
const DIGEST_BYTES: usize = 32;

/// A fresh key pair: `d` in `[1, n-1]` (GB/T 32918.1, 6.1).
pub(crate) fn generate(rng: &dyn Rng) -> Result<DataKeyPair, CryptoError> {
    let key = SecretKey::try_generate_from_rng(&mut Source(rng))?;
    let private_key_der = private_key_der(&key).map_err(|_| CryptoError::Refused)?;
    let public_key_der = public_key_der(&key.public_key()).map_err(|_| CryptoError::Refused)?;
    Ok(DataKeyPair { private_key_der, public_key_der })
}

/// `PrivateKeyInfo` of one key on the curve, made anew from `d` and its public key: one key has one encoding.
///
/// `d = n-1` is on the curve and cannot sign: `1 + d` then has no inverse (GB/T 32918.2, 6.1).
pub(crate) fn import(bytes: &[u8]) -> Result<SecretBytes, InvalidKeyMaterial> {
    let key = parse(bytes)?;
    let next: Scalar = *key.to_nonzero_scalar() + Scalar::ONE;
    match next == Scalar::ZERO {
        true => Err(InvalidKeyMaterial::Unsound),
        false => private_key_der(&key),
    }
}

/// A private key that signs.
pub(crate) struct SigningKey {
    key: SecretKey,
    verifying_key: VerifyingKey,
}

impl SigningKey {
    pub(crate) fn parse(material: &[u8]) -> Result<SigningKey, InvalidKeyMaterial> {
        let key = parse(material)?;
        let verifying_key = VerifyingKey::new(key.public_key())?;
        Ok(SigningKey { key, verifying_key })
    }
}

impl Signer for SigningKey {
    /// `(r, s)` in DER (GM/T 0009-2012, 7.3), with `k` derived from `d`, `e` and 32 random bytes as RFC 6979, 3.6 has it.
    fn sign(
        &self,
        algorithm: SigningAlgorithmSpec,
        message_type: MessageType,
        message: &[u8],
        rng: &dyn Rng,
    ) -> Result<Vec<u8>, CryptoError> {
        let message = Message::new(algorithm, message_type, message)?;
        // Made for each signature: unlike the secret key, it does not wipe itself.
        let key =
            dsa::SigningKey::new(DISTINGUISHING_ID, &self.key).map_err(|_| CryptoError::Refused)?;
        let signature = match message {
            Message::Whole(message) => key.try_sign_with_rng(&mut Source(rng), message),
            Message::Digest(digest) => key.sign_prehash_with_rng(&mut Source(rng), digest),
        };
        let signature: Signature = signature.map_err(|_| CryptoError::Refused)?;
        Ok(signature.to_der().as_bytes().to_vec())
    }

    fn verifier(&self) -> &dyn Verifier {
        &self.verifying_key
    }
}

/// A public key that verifies.
pub(crate) struct VerifyingKey {
    key: dsa::VerifyingKey,
    public_key_der: Vec<u8>,
}

impl VerifyingKey {
    pub(crate) fn parse(public_key_der: &[u8]) -> Result<VerifyingKey, InvalidPublicKey> {
        VerifyingKey::new(parse_public(public_key_der)?)
    }

    fn new(public_key: PublicKey) -> Result<VerifyingKey, InvalidPublicKey> {
        let key =
            dsa::VerifyingKey::new(DISTINGUISHING_ID, public_key).map_err(|_| InvalidPublicKey)?;
        Ok(VerifyingKey { key, public_key_der: public_key_der(&public_key)? })
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
        let message = Message::new(algorithm, message_type, message)?;
        let Ok(signature) = Signature::from_der(signature) else { return Ok(false) };
        let verified = match message {
            Message::Whole(message) => self.key.verify(message, &signature),
            Message::Digest(digest) => self.key.verify_prehash(digest, &signature),
        };
        Ok(verified.is_ok())
    }

    fn public_key_der(&self) -> &[u8] {
        &self.public_key_der
    }
}

/// What SM2DSA signs.
enum Message<'m> {
    /// `M`; what is signed is `e = SM3(Z_A || M)`.
    Whole(&'m [u8]),
    /// `e` itself, with whatever `ID_A` its maker chose.
    Digest(&'m [u8; DIGEST_BYTES]),
}

impl Message<'_> {
    fn new(
        algorithm: SigningAlgorithmSpec,
        message_type: MessageType,
        message: &[u8],
    ) -> Result<Message<'_>, CryptoError> {
        match (algorithm, message_type) {
            (SigningAlgorithmSpec::Sm2Dsa, MessageType::Raw) => Ok(Message::Whole(message)),
            (SigningAlgorithmSpec::Sm2Dsa, MessageType::Digest) => {
                Ok(Message::Digest(exactly(message)?))
            }
            _ => Err(CryptoError::Unsupported),
        }
    }
}

/// A key that encrypts and decrypts.
pub(crate) struct EncryptionKey {
    key: SecretKey,
    encrypting: EncryptingKey,
    public_key_der: Vec<u8>,
}

impl EncryptionKey {
    pub(crate) fn parse(material: &[u8]) -> Result<EncryptionKey, InvalidKeyMaterial> {
        let key = parse(material)?;
        let public_key = key.public_key();
        let public_key_der = public_key_der(&public_key)?;
        let encrypting = EncryptingKey::new_with_mode(public_key, Mode::C1C3C2);
        Ok(EncryptionKey { key, encrypting, public_key_der })
    }

    pub(crate) fn to_pkcs8(&self) -> Result<SecretBytes, CryptoError> {
        private_key_der(&self.key).map_err(|_| CryptoError::Refused)
    }

    /// `M` of a ciphertext of any length (GB/T 32918.4, 7.1): imported material may be longer than what
    /// [`PublicKeyEncryption::encrypt`] takes.
    pub(crate) fn unwrap(&self, ciphertext: &[u8]) -> Result<SecretBytes, InvalidCiphertext> {
        let cipher: Cipher<'_> = Cipher::from_der(ciphertext).map_err(|_| InvalidCiphertext)?;
        if cipher.c2().is_empty() {
            return Err(InvalidCiphertext);
        }
        let key = DecryptingKey::new_with_mode(self.key.to_nonzero_scalar(), Mode::C1C3C2);
        let mut plaintext = Zeroizing::new(vec![0; cipher.c2().len()]);
        key.decrypt_cipher_with_buf(&cipher, &mut plaintext).map_err(|_| InvalidCiphertext)?;
        Ok(SecretBytes::new(mem::take(&mut *plaintext)))
    }
}

impl PublicKeyEncryption for EncryptionKey {
    /// `C1 || C3 || C2` (GB/T 32918.4, 6.1) as `SM2Cipher ::= SEQUENCE { x, y, hash, text }` in DER (GM/T 0009-2012, 7.2), the
    /// form that AWS takes and gives ("Offline operations" of the Developer Guide).
    fn encrypt(
        &self,
        algorithm: EncryptionAlgorithmSpec,
        plaintext: &[u8],
        rng: &dyn Rng,
    ) -> Result<Vec<u8>, CryptoError> {
        if algorithm != EncryptionAlgorithmSpec::Sm2Pke {
            return Err(CryptoError::Unsupported);
        }
        let (bytes, bytes_max) = (plaintext.len(), SM2PKE_PLAINTEXT_BYTES_MAX);
        if bytes > bytes_max {
            return Err(CryptoError::TooLong { bytes, bytes_max });
        }
        self.encrypting.encrypt_der(&mut Source(rng), plaintext).map_err(|_| CryptoError::Refused)
    }

    fn decrypt(
        &self,
        algorithm: EncryptionAlgorithmSpec,
        ciphertext: &[u8],
    ) -> Result<SecretBytes, InvalidCiphertext> {
        if algorithm != EncryptionAlgorithmSpec::Sm2Pke {
            return Err(InvalidCiphertext);
        }
        let plaintext = self.unwrap(ciphertext)?;
        match plaintext.len() <= SM2PKE_PLAINTEXT_BYTES_MAX {
            true => Ok(plaintext),
            false => Err(InvalidCiphertext),
        }
    }

    fn public_key_der(&self) -> &[u8] {
        &self.public_key_der
    }
}

/// A key that agrees on secrets.
pub(crate) struct AgreementKey {
    key: SecretKey,
    public_key_der: Vec<u8>,
}

impl AgreementKey {
    pub(crate) fn parse(material: &[u8]) -> Result<AgreementKey, InvalidKeyMaterial> {
        let key = parse(material)?;
        let public_key_der = public_key_der(&key.public_key())?;
        Ok(AgreementKey { key, public_key_der })
    }
}

impl Agreement for AgreementKey {
    /// `Z = x(d_A Q_B)` (SP 800-56A rev. 3, 5.7.1.2): the curve's cofactor is 1. It is not the key exchange of GB/T 32918.3;
    /// AWS calls it ECDH.
    fn derive_shared_secret(&self, public_key_der: &[u8]) -> Result<SecretBytes, InvalidPublicKey> {
        let secret = self.key.diffie_hellman(&parse_public(public_key_der)?);
        Ok(SecretBytes::copy(secret.raw_secret_bytes()))
    }

    fn public_key_der(&self) -> &[u8] {
        &self.public_key_der
    }
}

/// A `PrivateKeyInfo` (RFC 5208) with an `ECPrivateKey` (RFC 5915) on the curve 1.2.156.10197.1.301.
fn parse(bytes: &[u8]) -> Result<SecretKey, InvalidKeyMaterial> {
    SecretKey::from_pkcs8_der(bytes).map_err(|_| InvalidKeyMaterial::Unsound)
}

fn private_key_der(key: &SecretKey) -> Result<SecretBytes, InvalidKeyMaterial> {
    let der = key.to_pkcs8_der().map_err(|_| InvalidKeyMaterial::Unsound)?;
    Ok(SecretBytes::copy(der.as_bytes()))
}

/// A `SubjectPublicKeyInfo` (RFC 5480) in the one form that [`public_key_der`] writes.
fn parse_public(bytes: &[u8]) -> Result<PublicKey, InvalidPublicKey> {
    let public_key = PublicKey::from_public_key_der(bytes).map_err(|_| InvalidPublicKey)?;
    if public_key_der(&public_key)? == bytes { Ok(public_key) } else { Err(InvalidPublicKey) }
}

fn public_key_der(public_key: &PublicKey) -> Result<Vec<u8>, InvalidPublicKey> {
    Ok(public_key.to_public_key_der().map_err(|_| InvalidPublicKey)?.into_vec())
}

/// [`Rng`] with the traits that `sm2` asks for.
struct Source<'r>(&'r dyn Rng);

impl TryRng for Source<'_> {
    type Error = RngError;

    fn try_next_u32(&mut self) -> Result<u32, RngError> {
        Ok(u32::from_le_bytes(rng::array(self.0)?))
    }

    fn try_next_u64(&mut self) -> Result<u64, RngError> {
        Ok(u64::from_le_bytes(rng::array(self.0)?))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), RngError> {
        self.0.fill(out)
    }
}

impl TryCryptoRng for Source<'_> {}
