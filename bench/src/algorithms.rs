//! The cryptography of each kind of key: what is asked of the server, and the same done here without one.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crypto::{SystemRng, WorkingKey, data_key_pairs, key_material};
use serde_json::{Value, json};
use wire::enums::{
    DataKeyPairSpec, KeySpec, KeyUsage, MacAlgorithmSpec, MessageType, SigningAlgorithmSpec,
};

use crate::error::Failure;
use crate::requests::{PLAINTEXT, Work};

/// How long the cryptography is done by itself, at least.
const RAW_TIME_MIN: Duration = Duration::from_secs(1);
/// The message of everything.
const MESSAGE: &[u8] = b"0123456789abcdef0123456789abcdef";

/// One kind of work.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// What CreateKey is asked for.
    pub(crate) kind: Value,
    pub(crate) work: Work,
    raw: Raw,
}

/// The same without a server.
enum Raw {
    Sign(KeySpec, SigningAlgorithmSpec),
    Mac(KeySpec, MacAlgorithmSpec),
    Pair(DataKeyPairSpec),
}

/// What is measured.
pub(crate) fn cases() -> Vec<Case> {
    vec![
        sign("Sign P-256", KeySpec::EccNistP256, SigningAlgorithmSpec::EcdsaSha256),
        sign("Sign RSA-2048", KeySpec::Rsa2048, SigningAlgorithmSpec::RsassaPssSha256),
        sign("Sign ML-DSA-65", KeySpec::MlDsa65, SigningAlgorithmSpec::MlDsaShake256),
        sign("Sign Ed25519", KeySpec::EccNistEdwards25519, SigningAlgorithmSpec::Ed25519Sha512),
        mac("GenerateMac 256", KeySpec::Hmac256, MacAlgorithmSpec::HmacSha256),
        pair("Pair P-256", DataKeyPairSpec::EccNistP256),
        pair("Pair RSA-2048", DataKeyPairSpec::Rsa2048),
    ]
}

fn sign(name: &'static str, key_spec: KeySpec, algorithm: SigningAlgorithmSpec) -> Case {
    Case {
        name,
        kind: json!({ "KeySpec": key_spec, "KeyUsage": "SIGN_VERIFY" }),
        work: Work {
            operation: "Sign",
            parameters: json!({ "Message": PLAINTEXT, "SigningAlgorithm": algorithm }),
        },
        raw: Raw::Sign(key_spec, algorithm),
    }
}

fn mac(name: &'static str, key_spec: KeySpec, algorithm: MacAlgorithmSpec) -> Case {
    Case {
        name,
        kind: json!({ "KeySpec": key_spec, "KeyUsage": "GENERATE_VERIFY_MAC" }),
        work: Work {
            operation: "GenerateMac",
            parameters: json!({ "Message": PLAINTEXT, "MacAlgorithm": algorithm }),
        },
        raw: Raw::Mac(key_spec, algorithm),
    }
}

fn pair(name: &'static str, spec: DataKeyPairSpec) -> Case {
    Case {
        name,
        kind: json!({}),
        work: Work { operation: "GenerateDataKeyPair", parameters: json!({ "KeyPairSpec": spec }) },
        raw: Raw::Pair(spec),
    }
}

impl Case {
    /// How long the cryptography of one request takes by itself.
    pub(crate) fn raw_time(&self) -> Result<Duration, Failure> {
        match &self.raw {
            Raw::Sign(key_spec, algorithm) => {
                let key = key(*key_spec, KeyUsage::SignVerify)?;
                time(|| {
                    drop(black_box(key.sign(*algorithm, MessageType::Raw, MESSAGE, &SystemRng)));
                })
            }
            Raw::Mac(key_spec, algorithm) => {
                let key = key(*key_spec, KeyUsage::GenerateVerifyMac)?;
                time(|| drop(black_box(key.mac(*algorithm, MESSAGE))))
            }
            Raw::Pair(spec) => {
                time(|| drop(black_box(data_key_pairs::generate(*spec, &SystemRng))))
            }
        }
    }
}

fn key(key_spec: KeySpec, key_usage: KeyUsage) -> Result<WorkingKey, Failure> {
    let material = key_material::generate(key_spec, &SystemRng)?;
    Ok(WorkingKey::parse(key_spec, key_usage, material.expose())?)
}

#[expect(clippy::disallowed_methods, reason = "work is measured by the machine's clock")]
fn time(mut work: impl FnMut()) -> Result<Duration, Failure> {
    let (start, mut count) = (Instant::now(), 0_u32);
    while start.elapsed() < RAW_TIME_MIN {
        work();
        count += 1;
    }
    start.elapsed().checked_div(count).ok_or_else(|| Failure::new("nothing was measured"))
}
