//! Keys on elliptic curves in short Weierstrass form: ECDSA (FIPS 186-5) and ECDH (SP 800-56A rev. 3).

use aws_lc_rs::agreement::{self, ECDH_P256, ECDH_P384, ECDH_P521};
use aws_lc_rs::digest::{self, SHA256, SHA384, SHA512};
use aws_lc_rs::encoding::{AsBigEndian, AsDer, EcPrivateKeyBin, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256K1_SHA256_ASN1,
    ECDSA_P256K1_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_ASN1_SIGNING,
    ECDSA_P521_SHA512_ASN1, ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    EcdsaVerificationAlgorithm, KeyPair, ParsedPublicKey,
};
use wire::enums::{MessageType, SigningAlgorithmSpec};

use crate::agreement::Agreement;
use crate::data_key_pairs::DataKeyPair;
use crate::signing::{Hashable, Signer, Verifier, unless_canonical};
use crate::{CryptoError, InvalidKeyMaterial, InvalidPublicKey, Rng, SecretBytes, ffi};

/// A curve, with the one signing algorithm of its keys. Signatures are DER (X9.62, RFC 3279).
pub(crate) struct Curve {
    algorithm: SigningAlgorithmSpec,
    hash: &'static digest::Algorithm,
    signing: &'static EcdsaSigningAlgorithm,
    verification: &'static EcdsaVerificationAlgorithm,
    /// `None` where AWS has no key agreement.
    agreement: Option<&'static agreement::Algorithm>,
}

pub(crate) static NIST_P256: Curve = Curve {
    algorithm: SigningAlgorithmSpec::EcdsaSha256,
    hash: &SHA256,
    signing: &ECDSA_P256_SHA256_ASN1_SIGNING,
    verification: &ECDSA_P256_SHA256_ASN1,
    agreement: Some(&ECDH_P256),
};

pub(crate) static NIST_P384: Curve = Curve {
    algorithm: SigningAlgorithmSpec::EcdsaSha384,
    hash: &SHA384,
    signing: &ECDSA_P384_SHA384_ASN1_SIGNING,
    verification: &ECDSA_P384_SHA384_ASN1,
    agreement: Some(&ECDH_P384),
};

pub(crate) static NIST_P521: Curve = Curve {
    algorithm: SigningAlgorithmSpec::EcdsaSha512,
    hash: &SHA512,
    signing: &ECDSA_P521_SHA512_ASN1_SIGNING,
    verification: &ECDSA_P521_SHA512_ASN1,
    agreement: Some(&ECDH_P521),
};

pub(crate) static SECG_P256K1: Curve = Curve {
    algorithm: SigningAlgorithmSpec::EcdsaSha256,
    hash: &SHA256,
    signing: &ECDSA_P256K1_SHA256_ASN1_SIGNING,
    verification: &ECDSA_P256K1_SHA256_ASN1,
    agreement: None,
};

impl Curve {
    pub(crate) fn generate(&self) -> Result<DataKeyPair, Unspecified> {
        let key_pair = EcdsaKeyPair::generate(self.signing)?;
        let public_key: PublicKeyX509Der<'_> = key_pair.public_key().as_der()?;
        Ok(DataKeyPair::copy(key_pair.to_pkcs8v1()?.as_ref(), public_key.as_ref()))
    }

    /// `PrivateKeyInfo` of one key on the curve, as AWS-LC writes it.
    ///
    /// AWS-LC checks that d is in range and that a public key, if given, is d G. It keeps to the
    /// form that it read (public key absent, or compressed); made anew from d and Q, one key has
    /// one encoding. AWS admits every form of the point, and refuses curves that are not named
    /// ("Requirements for imported key material" of the Developer Guide).
    pub(crate) fn import(&self, bytes: &[u8]) -> Result<SecretBytes, InvalidKeyMaterial> {
        ffi::Key::from_pkcs8(bytes)?.check_named_curve()?;
        let key_pair = EcdsaKeyPair::from_pkcs8(self.signing, bytes)?;
        let d: EcPrivateKeyBin<'_> = key_pair.private_key().as_be_bytes()?;
        let q = key_pair.public_key().as_ref();
        let key_pair = EcdsaKeyPair::from_private_key_and_public_key(self.signing, d.as_ref(), q)?;
        Ok(SecretBytes::copy(key_pair.to_pkcs8v1()?.as_ref()))
    }

    /// The message as the curve's one algorithm takes it.
    fn read<'m>(
        &self,
        algorithm: SigningAlgorithmSpec,
        message_type: MessageType,
        message: &'m [u8],
    ) -> Result<Hashable<'m>, CryptoError> {
        if algorithm != self.algorithm {
            return Err(CryptoError::Unsupported);
        }
        Hashable::new(message_type, message, self.hash)
    }
}

/// A private key that signs.
pub(crate) struct SigningKey {
    curve: &'static Curve,
    key_pair: EcdsaKeyPair,
    verifying_key: VerifyingKey,
}

impl SigningKey {
    pub(crate) fn parse(
        curve: &'static Curve,
        material: &[u8],
    ) -> Result<SigningKey, InvalidKeyMaterial> {
        let key_pair = EcdsaKeyPair::from_pkcs8(curve.signing, material)?;
        let public_key: PublicKeyX509Der<'_> = key_pair.public_key().as_der()?;
        let verifying_key = VerifyingKey::parse(curve, public_key.as_ref())?;
        Ok(SigningKey { curve, key_pair, verifying_key })
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
        let signature = match self.curve.read(algorithm, message_type, message)? {
            Hashable::Message(message) => self.key_pair.sign(&SystemRandom::new(), message),
            Hashable::Digest(digest) => self.key_pair.sign_digest(&digest),
        };
        Ok(signature?.as_ref().to_vec())
    }

    fn verifier(&self) -> &dyn Verifier {
        &self.verifying_key
    }
}

/// A public key that verifies.
pub(crate) struct VerifyingKey {
    curve: &'static Curve,
    public_key_der: Vec<u8>,
    parsed: ParsedPublicKey,
}

impl VerifyingKey {
    pub(crate) fn parse(
        curve: &'static Curve,
        public_key_der: &[u8],
    ) -> Result<VerifyingKey, InvalidPublicKey> {
        let parsed = ParsedPublicKey::new(curve.verification, public_key_der)?;
        unless_canonical(public_key_der, parsed.as_der())?;
        Ok(VerifyingKey { curve, public_key_der: public_key_der.to_vec(), parsed })
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
        let verified = match self.curve.read(algorithm, message_type, message)? {
            Hashable::Message(message) => self.parsed.verify_sig(message, signature),
            Hashable::Digest(digest) => self.parsed.verify_digest_sig(&digest, signature),
        };
        Ok(verified.is_ok())
    }

    fn public_key_der(&self) -> &[u8] {
        &self.public_key_der
    }
}

/// A key that agrees on secrets.
pub(crate) struct AgreementKey {
    algorithm: &'static agreement::Algorithm,
    private_key: agreement::PrivateKey,
    public_key_der: Vec<u8>,
    /// Length of the public key's point in its uncompressed form, in bytes.
    point_bytes: usize,
}

impl AgreementKey {
    pub(crate) fn parse(
        curve: &Curve,
        material: &[u8],
    ) -> Result<AgreementKey, InvalidKeyMaterial> {
        let algorithm = curve.agreement.ok_or(InvalidKeyMaterial::Unsupported)?;
        let private_key = agreement::PrivateKey::from_private_key_der(algorithm, material)?;
        let public_key = private_key.compute_public_key()?;
        let der: PublicKeyX509Der<'_> = public_key.as_der()?;
        let public_key_der = der.as_ref().to_vec();
        let point_bytes = public_key.as_ref().len();
        Ok(AgreementKey { algorithm, private_key, public_key_der, point_bytes })
    }
}

impl Agreement for AgreementKey {
    /// `Z = x(h d_A Q_B)` (SP 800-56A rev. 3, 5.7.1.2), with h = 1 on these curves.
    ///
    /// The peer's key must be what `GetPublicKey` gives: RFC 5480 with a named curve and an
    /// uncompressed point. On one curve such encodings differ in the point alone, so all before it
    /// is compared with our own, and AWS-LC, which also reads explicit parameters, checks only
    /// whether the point is on the curve.
    fn derive_shared_secret(&self, public_key_der: &[u8]) -> Result<SecretBytes, InvalidPublicKey> {
        let head_bytes = self.public_key_der.len() - self.point_bytes;
        let head = self.public_key_der.get(..head_bytes).ok_or(InvalidPublicKey)?;
        let point = public_key_der.strip_prefix(head).ok_or(InvalidPublicKey)?;
        // The form byte 0x04: uncompressed (SEC 1, 2.3.3).
        if point.len() != self.point_bytes || point.first() != Some(&0x04) {
            return Err(InvalidPublicKey);
        }
        let peer = agreement::UnparsedPublicKey::new(self.algorithm, point);
        agreement::agree(&self.private_key, peer, InvalidPublicKey, |secret| {
            Ok(SecretBytes::copy(secret))
        })
    }

    fn public_key_der(&self) -> &[u8] {
        &self.public_key_der
    }
}
