//! ML-DSA keys (FIPS 204), hedged, with the empty context string.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::signature::{
    self, KeyPair, ML_DSA_44_SIGNING, ML_DSA_65_SIGNING, ML_DSA_87_SIGNING, ParsedPublicKey,
    PqdsaKeyPair, PqdsaSigningAlgorithm, PqdsaVerificationAlgorithm,
};
use subtle::ConstantTimeEq;
use wire::enums::{MessageType, SigningAlgorithmSpec};

use crate::signing::{Signer, Verifier, exactly, unless_canonical};
use crate::{CryptoError, InvalidKeyMaterial, InvalidPublicKey, Rng, SecretBytes, ffi};

/// Length of the seed xi, which is the material of a key, in bytes.
pub(crate) const SEED_BYTES: usize = 32;

/// A parameter set of FIPS 204, section 4.
pub(crate) struct ParameterSet {
    signing: &'static PqdsaSigningAlgorithm,
    verification: &'static PqdsaVerificationAlgorithm,
}

pub(crate) static ML_DSA_44: ParameterSet =
    ParameterSet { signing: &ML_DSA_44_SIGNING, verification: &signature::ML_DSA_44 };

pub(crate) static ML_DSA_65: ParameterSet =
    ParameterSet { signing: &ML_DSA_65_SIGNING, verification: &signature::ML_DSA_65 };

pub(crate) static ML_DSA_87: ParameterSet =
    ParameterSet { signing: &ML_DSA_87_SIGNING, verification: &signature::ML_DSA_87 };

impl ParameterSet {
    /// The xi of a fresh key (FIPS 204, algorithm 1).
    ///
    /// The module draws it itself and makes the key: it is the form that FIPS 140-3 approves. The
    /// seed form of RFC 9881, which AWS-LC writes, ends with xi.
    pub(crate) fn generate(&self) -> Result<SecretBytes, Unspecified> {
        let encoded = PqdsaKeyPair::generate(self.signing)?.to_pkcs8v1()?;
        let seed = encoded.as_ref().last_chunk::<SEED_BYTES>().ok_or(Unspecified)?;
        Ok(SecretBytes::copy(seed))
    }

    /// xi of a `PrivateKeyInfo` in the seed form of RFC 9881.
    ///
    /// The form has one encoding, which ends with xi: the bytes must be those that AWS-LC writes
    /// for their own last 32. Expanded keys have no seed, and cannot be imported.
    pub(crate) fn import(&self, bytes: &[u8]) -> Result<SecretBytes, InvalidKeyMaterial> {
        let seed = bytes.last_chunk::<SEED_BYTES>().ok_or(InvalidKeyMaterial::Unsound)?;
        let encoded = PqdsaKeyPair::from_seed(self.signing, seed)?.to_pkcs8v1()?;
        if !bool::from(encoded.as_ref().ct_eq(bytes)) {
            return Err(InvalidKeyMaterial::Unsound);
        }
        Ok(SecretBytes::copy(seed))
    }
}

/// A private key that signs.
pub(crate) struct SigningKey {
    key_pair: PqdsaKeyPair,
    external_mu: ffi::MlDsaKey,
    verifying_key: VerifyingKey,
}

impl SigningKey {
    pub(crate) fn parse(
        parameter_set: &ParameterSet,
        material: &[u8],
    ) -> Result<SigningKey, InvalidKeyMaterial> {
        InvalidKeyMaterial::unless_length(material, SEED_BYTES)?;
        let key_pair = PqdsaKeyPair::from_seed(parameter_set.signing, material)?;
        let public_key: PublicKeyX509Der<'_> = key_pair.public_key().as_der()?;
        let verifying_key = VerifyingKey::parse(parameter_set, public_key.as_ref())?;
        let external_mu = ffi::MlDsaKey::from_pkcs8(key_pair.to_pkcs8v1()?.as_ref())?;
        Ok(SigningKey { key_pair, external_mu, verifying_key })
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
        let mut signature = vec![0; self.key_pair.algorithm().signature_len()];
        let bytes = match Message::new(algorithm, message_type, message)? {
            Message::Raw(message) => self.key_pair.sign(message, &mut signature)?,
            Message::ExternalMu(mu) => self.external_mu.sign_mu(mu, &mut signature)?,
        };
        signature.truncate(bytes);
        Ok(signature)
    }

    fn verifier(&self) -> &dyn Verifier {
        &self.verifying_key
    }
}

/// A public key that verifies.
pub(crate) struct VerifyingKey {
    public_key_der: Vec<u8>,
    parsed: ParsedPublicKey,
    external_mu: ffi::MlDsaKey,
}

impl VerifyingKey {
    pub(crate) fn parse(
        parameter_set: &ParameterSet,
        public_key_der: &[u8],
    ) -> Result<VerifyingKey, InvalidPublicKey> {
        let parsed = ParsedPublicKey::new(parameter_set.verification, public_key_der)?;
        unless_canonical(public_key_der, parsed.as_der())?;
        let external_mu = ffi::MlDsaKey::from_public_key_der(public_key_der)?;
        Ok(VerifyingKey { public_key_der: public_key_der.to_vec(), parsed, external_mu })
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
            Message::Raw(message) => Ok(self.parsed.verify_sig(message, signature).is_ok()),
            Message::ExternalMu(mu) => Ok(self.external_mu.verify_mu(mu, signature)?),
        }
    }

    fn public_key_der(&self) -> &[u8] {
        &self.public_key_der
    }
}

/// What the key signs, by message type.
enum Message<'m> {
    /// `M`.
    Raw(&'m [u8]),
    /// `mu = H(H(pk, 64) || 0x00 || 0x00 || M, 64)` (FIPS 204, algorithms 2 and 7).
    ExternalMu(&'m [u8; 64]),
}

impl Message<'_> {
    fn new(
        algorithm: SigningAlgorithmSpec,
        message_type: MessageType,
        message: &[u8],
    ) -> Result<Message<'_>, CryptoError> {
        if algorithm != SigningAlgorithmSpec::MlDsaShake256 {
            return Err(CryptoError::Unsupported);
        }
        match message_type {
            MessageType::Raw => Ok(Message::Raw(message)),
            MessageType::ExternalMu => Ok(Message::ExternalMu(exactly(message)?)),
            MessageType::Digest => Err(CryptoError::Unsupported),
        }
    }
}
