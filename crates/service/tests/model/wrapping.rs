//! Key material as customers bring it: made here, and wrapped under the public key of GetParametersForImport.

use std::sync::OnceLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use base64::prelude::{BASE64_STANDARD, Engine};

use crate::step::KeySpec;

/// How many different materials sequences choose from.
pub(crate) const MATERIALS_COUNT: u8 = 4;

/// The material of a spec that a number stands for.
pub(crate) fn material(key_spec: KeySpec, number: u8) -> Vec<u8> {
    match key_spec {
        KeySpec::SymmetricDefault | KeySpec::Hmac256 => vec![number + 1; 32],
        KeySpec::EccNistP256 => private_keys()[usize::from(number)].clone(),
    }
}

/// `PrivateKeyInfo` of keys made once for each run.
fn private_keys() -> &'static [Vec<u8>] {
    static PRIVATE_KEYS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    PRIVATE_KEYS.get_or_init(|| {
        let random = SystemRandom::new();
        let generate = |_| {
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random)
                .unwrap()
                .as_ref()
                .to_vec()
        };
        (0..MATERIALS_COUNT).map(generate).collect()
    })
}

/// `RSAES_OAEP_SHA_256` under a public key in DER; both in base64.
pub(crate) fn wrap(public_key: &str, material: &[u8]) -> String {
    let public_key = BASE64_STANDARD.decode(public_key).unwrap();
    let public_key = PublicEncryptingKey::from_der(&public_key).unwrap();
    let public_key = OaepPublicEncryptingKey::new(public_key).unwrap();
    let mut wrapped = vec![0; public_key.ciphertext_size()];
    let wrapped =
        public_key.encrypt(&OAEP_SHA256_MGF1SHA256, material, &mut wrapped, None).unwrap();
    BASE64_STANDARD.encode(wrapped)
}
