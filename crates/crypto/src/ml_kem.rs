//! ML-KEM keys (FIPS 203).

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::kem::{self, Ciphertext, DecapsulationKey, EncapsulationKey};

use crate::data_key_pairs::DataKeyPair;
use crate::ffi::MlKemParameterSet;
use crate::{CryptoError, InvalidCiphertext, InvalidKeyMaterial, Rng, RngError, SecretBytes, ffi};

/// Length of the seed d || z, which is the material of a key, in bytes.
pub(crate) const SEED_BYTES: usize = 64;

/// What stands before the seed in its `PrivateKeyInfo`: two sequences, version 0, the object
/// identifier, and the octets that hold the choice `[0]` of 64 bytes (RFC 9935, section 6).
const PKCS8_HEAD_BYTES: usize = 22;

/// What stands before `ek` in its `SubjectPublicKeyInfo`: two sequences, the object identifier, and
/// the bit string with no bits unused (RFC 9935, section 4).
const SPKI_HEAD_BYTES: usize = 22;

/// A parameter set of FIPS 203, section 8.
pub(crate) struct ParameterSet {
    algorithm: &'static kem::Algorithm,
    keys_of_seed: MlKemParameterSet,
    pkcs8_head: [u8; PKCS8_HEAD_BYTES],
    spki_head: [u8; SPKI_HEAD_BYTES],
}

pub(crate) static ML_KEM_512: ParameterSet =
    ParameterSet::new(&kem::ML_KEM_512, MlKemParameterSet::ML_KEM_512, 1, 800);
pub(crate) static ML_KEM_768: ParameterSet =
    ParameterSet::new(&kem::ML_KEM_768, MlKemParameterSet::ML_KEM_768, 2, 1184);
pub(crate) static ML_KEM_1024: ParameterSet =
    ParameterSet::new(&kem::ML_KEM_1024, MlKemParameterSet::ML_KEM_1024, 3, 1568);

/// A fresh d || z (FIPS 203, algorithm 19).
pub(crate) fn generate(rng: &dyn Rng) -> Result<SecretBytes, RngError> {
    SecretBytes::generate(SEED_BYTES, rng)
}

impl ParameterSet {
    /// The parameter set with the object identifier 2.16.840.1.101.3.4.4.`kem` (RFC 9935, section 3)
    /// and an `ek` of that length (FIPS 203, table 3).
    const fn new(
        algorithm: &'static kem::Algorithm,
        keys_of_seed: MlKemParameterSet,
        kem: u8,
        encapsulation_key_bytes: u16,
    ) -> ParameterSet {
        let pkcs8_head = [
            0x30, 0x54, 0x02, 0x01, 0x00, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65,
            0x03, 0x04, 0x04, kem, 0x04, 0x42, 0x80, 0x40,
        ];
        // The bit string begins with the number of its unused bits; before it stand 17 bytes.
        let [bits_high, bits_low] = (encapsulation_key_bytes + 1).to_be_bytes();
        let [all_high, all_low] = (encapsulation_key_bytes + 1 + 17).to_be_bytes();
        let spki_head = [
            0x30, 0x82, all_high, all_low, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65,
            0x03, 0x04, 0x04, kem, 0x03, 0x82, bits_high, bits_low, 0x00,
        ];
        ParameterSet { algorithm, keys_of_seed, pkcs8_head, spki_head }
    }

    /// `PrivateKeyInfo` of a seed: the seed form has one length, so its DER is a head and the seed.
    fn private_key_der(&self, seed: &[u8; SEED_BYTES]) -> SecretBytes {
        let mut der = Vec::with_capacity(PKCS8_HEAD_BYTES + SEED_BYTES);
        der.extend_from_slice(&self.pkcs8_head);
        der.extend_from_slice(seed);
        SecretBytes::new(der)
    }

    /// `SubjectPublicKeyInfo` of `ek`, which has one length: a head and the key.
    fn public_key_der(&self, encapsulation_key: &[u8]) -> Vec<u8> {
        [&self.spki_head, encapsulation_key].concat()
    }

    /// A fresh key pair; the private key in the seed form of RFC 9935.
    pub(crate) fn generate_pair(&self, rng: &dyn Rng) -> Result<DataKeyPair, CryptoError> {
        let seed = generate(rng)?;
        let seed = seed.expose().first_chunk().ok_or(CryptoError::Refused)?;
        let keys = ffi::ml_kem_keys_of_seed(self.keys_of_seed, seed)?;
        let public_key_der = self.public_key_der(&keys.encapsulation_key);
        Ok(DataKeyPair { private_key_der: self.private_key_der(seed), public_key_der })
    }

    /// d || z of a `PrivateKeyInfo` in the seed form. Expanded keys have no seed, and cannot be
    /// imported.
    pub(crate) fn import(&self, bytes: &[u8]) -> Result<SecretBytes, InvalidKeyMaterial> {
        let seed = bytes.strip_prefix(&self.pkcs8_head).ok_or(InvalidKeyMaterial::Unsound)?;
        InvalidKeyMaterial::unless_length(seed, SEED_BYTES)?;
        Ok(SecretBytes::copy(seed))
    }
}

/// A key that encapsulates and decapsulates.
pub(crate) struct KeyPair {
    decapsulation_key: DecapsulationKey,
    encapsulation_key: EncapsulationKey,
    public_key_der: Vec<u8>,
}

impl KeyPair {
    pub(crate) fn parse(
        parameter_set: &ParameterSet,
        material: &[u8],
    ) -> Result<KeyPair, InvalidKeyMaterial> {
        InvalidKeyMaterial::unless_length(material, SEED_BYTES)?;
        let seed = material.first_chunk().ok_or(InvalidKeyMaterial::Unsound)?;
        let keys = ffi::ml_kem_keys_of_seed(parameter_set.keys_of_seed, seed)?;
        let algorithm = parameter_set.algorithm;
        Ok(KeyPair {
            decapsulation_key: DecapsulationKey::new(algorithm, keys.decapsulation_key.expose())?,
            encapsulation_key: EncapsulationKey::new(algorithm, &keys.encapsulation_key)?,
            public_key_der: parameter_set.public_key_der(&keys.encapsulation_key),
        })
    }

    pub(crate) fn public_key_der(&self) -> &[u8] {
        &self.public_key_der
    }

    /// `(K, c) = ML-KEM.Encaps(ek)` (FIPS 203, algorithm 20).
    pub(crate) fn encapsulate(&self) -> Result<(SecretBytes, Vec<u8>), Unspecified> {
        let (ciphertext, secret) = self.encapsulation_key.encapsulate()?;
        Ok((SecretBytes::copy(secret.as_ref()), ciphertext.as_ref().to_vec()))
    }

    /// `K = ML-KEM.Decaps(dk, c)` (FIPS 203, algorithm 21): a ciphertext of the right length always
    /// gives a secret, a forged one another secret.
    pub(crate) fn decapsulate(&self, ciphertext: &[u8]) -> Result<SecretBytes, InvalidCiphertext> {
        let secret = self.decapsulation_key.decapsulate(Ciphertext::from(ciphertext))?;
        Ok(SecretBytes::copy(secret.as_ref()))
    }
}
