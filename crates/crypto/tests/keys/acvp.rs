//! What NIST's validation programme asks, where Wycheproof has nothing: figures of single vectors of
//! [ACVP-Server](https://github.com/usnistgov/ACVP-Server), `gen-val/json-files`, named by group and case in `acvp.json`.
//!
//! | Files | Commit | Here |
//! |---|---|---|
//! | `KDF-1.0` | d167776d1 | counter mode, HMAC-SHA2-256, a counter of 32 bits before the fixed data |
//! | `ML-DSA-sigVer-FIPS204` | a7f283c | those with `externalMu`: for each parameter set one that passes, one that must not |
//! | `ML-KEM-keyGen-FIPS203` | 15c0f3d | d and z, and the `ek` of them |
//! | `ML-KEM-encapDecap-FIPS203` | ad33b3d | decapsulation |
//! | `EDDSA-SigVer-1.0` | 203f667c2 | Ed25519 with `preHash`, in `src/ffi.rs`: AWS admits messages of 64 bytes alone, and these have 128 |
//!
//! The KDF and decapsulation are asked of AWS-LC, by the functions that this crate calls: the crate's own KDF has a fixed
//! input that nobody chooses, and its ML-KEM keys come of seeds, which these files do not have. Encapsulation, and signing with
//! a rnd of zeros, have no interface that takes the randomness. Of the cases with 953 bits of `keyOut` the whole bytes are kept.

use aws_lc_rs::kdf::{KbkdfCtrHmacAlgorithmId, get_kbkdf_ctr_hmac_algorithm, kbkdf_ctr_hmac};
use aws_lc_rs::kem::{self, Ciphertext, DecapsulationKey};
use crypto::{VerifyingKey, WorkingKey, key_material};
use serde::Deserialize;
use wire::enums::{KeySpec, KeyUsage, MessageType, SigningAlgorithmSpec};

use crate::made::parse;
use crate::vectors::{bytes, load};

#[derive(Deserialize)]
struct Vectors {
    kdf_counter_hmac_sha_256: Vec<Kdf>,
    ml_dsa_external_mu: Vec<ExternalMu>,
    ml_kem_key_generation: Vec<KeyGeneration>,
    ml_kem_decapsulation: Vec<Decapsulation>,
}

#[derive(Deserialize)]
struct Kdf {
    tc_id: u32,
    key_in: String,
    fixed_data: String,
    key_out: String,
}

#[derive(Deserialize)]
struct ExternalMu {
    tc_id: u32,
    key_spec: String,
    pk: String,
    mu: String,
    signature: String,
    test_passed: bool,
}

#[derive(Deserialize)]
struct KeyGeneration {
    tc_id: u32,
    key_spec: String,
    d: String,
    z: String,
    ek: String,
}

#[derive(Deserialize)]
struct Decapsulation {
    tc_id: u32,
    key_spec: String,
    dk: String,
    c: String,
    k: String,
}

fn vectors() -> Vectors {
    load("acvp.json")
}

#[test]
fn the_kdf_is_that_of_sp_800_108() {
    let algorithm = get_kbkdf_ctr_hmac_algorithm(KbkdfCtrHmacAlgorithmId::Sha256).unwrap();
    let vectors = vectors().kdf_counter_hmac_sha_256;
    assert_eq!(vectors.len(), 6);
    for vector in &vectors {
        let expected = bytes(&vector.key_out);
        let mut key_out = vec![0; expected.len()];
        let (key_in, fixed_data) = (bytes(&vector.key_in), bytes(&vector.fixed_data));
        kbkdf_ctr_hmac(algorithm, &key_in, &fixed_data, &mut key_out).unwrap();
        assert_eq!(key_out, expected, "{}", vector.tc_id);
    }
}

/// `SubjectPublicKeyInfo` of a key: the head of any key of the spec (RFC 9881), and the key.
fn public_key_der(key_spec: KeySpec, public_key: &[u8]) -> Vec<u8> {
    let key = parse(key_spec, KeyUsage::SignVerify).unwrap();
    let der = key.public_key_der().unwrap();
    [&der[..der.len() - public_key.len()], public_key].concat()
}

#[test]
fn ml_dsa_verifies_by_an_external_mu() {
    let vectors = vectors().ml_dsa_external_mu;
    assert_eq!(vectors.len(), 6);
    for vector in &vectors {
        let key_spec = vector.key_spec.parse().unwrap();
        let public_key = public_key_der(key_spec, &bytes(&vector.pk));
        let key = VerifyingKey::parse(key_spec, &public_key).unwrap();
        let verified = key.verify(
            SigningAlgorithmSpec::MlDsaShake256,
            MessageType::ExternalMu,
            &bytes(&vector.mu),
            &bytes(&vector.signature),
        );
        assert_eq!(verified, Ok(vector.test_passed), "{}", vector.tc_id);
    }
}

#[test]
fn ml_kem_keys_come_of_d_and_z() {
    let vectors = vectors().ml_kem_key_generation;
    assert_eq!(vectors.len(), 6);
    for vector in &vectors {
        let key_spec = vector.key_spec.parse().unwrap();
        let seed = [bytes(&vector.d), bytes(&vector.z)].concat();
        let key = WorkingKey::parse(key_spec, KeyUsage::EncapsulateDecapsulate, &seed).unwrap();
        assert!(key.public_key_der().unwrap().ends_with(&bytes(&vector.ek)), "{}", vector.tc_id);
    }
}

#[test]
fn ml_kem_decapsulates() {
    let vectors = vectors().ml_kem_decapsulation;
    assert_eq!(vectors.len(), 4);
    for vector in &vectors {
        let (key_spec, algorithm) = [
            (KeySpec::MlKem512, &kem::ML_KEM_512),
            (KeySpec::MlKem768, &kem::ML_KEM_768),
            (KeySpec::MlKem1024, &kem::ML_KEM_1024),
        ]
        .into_iter()
        .find(|(key_spec, _)| key_spec.as_str() == vector.key_spec)
        .unwrap();
        let dk = bytes(&vector.dk);
        let key = DecapsulationKey::new(algorithm, &dk).unwrap();
        let secret = key.decapsulate(Ciphertext::from(&bytes(&vector.c)[..])).unwrap();
        assert_eq!(secret.as_ref(), bytes(&vector.k), "{}", vector.tc_id);
        // Without its seed it is no key that can be imported.
        assert!(key_material::import(key_spec, &dk).is_err());
    }
}
