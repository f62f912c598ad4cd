//! Every key spec through the AWS SDK for Rust. Signatures that Debian's OpenSSL knows are verified by it, outside the server.

mod server;

use std::path::Path;
use std::process::Command;

use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{
    DataKeyPairSpec, EncapsulationAlgorithmSpec, EncryptionAlgorithmSpec, KeyMetadata, KeySpec,
    KeyUsageType, MacAlgorithmSpec, MessageType, SigningAlgorithmSpec,
};

use server::Server;

const MESSAGE: &[u8] = b"a message";

async fn new_key(kms: &Client, key_spec: &str, key_usage: KeyUsageType) -> KeyMetadata {
    let answer = kms.create_key().key_spec(KeySpec::from(key_spec)).key_usage(key_usage);
    let answer = answer.send().await.unwrap_or_else(|error| panic!("{key_spec}: {error:?}"));
    answer.key_metadata.expect("CreateKey answers metadata")
}

#[tokio::test]
async fn every_kind_of_key() {
    let server = Server::start();
    let kms = server.client();
    for key_spec in [
        "RSA_2048",
        "ECC_NIST_P256",
        "ECC_NIST_P384",
        "ECC_NIST_P521",
        "ECC_SECG_P256K1",
        "ECC_NIST_EDWARDS25519",
        "ML_DSA_44",
        "ML_DSA_65",
        "ML_DSA_87",
    ] {
        signing(&kms, &new_key(&kms, key_spec, KeyUsageType::SignVerify).await).await;
    }
    for key_spec in ["HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512"] {
        macs(&kms, &new_key(&kms, key_spec, KeyUsageType::GenerateVerifyMac).await).await;
    }
    for key_spec in ["ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"] {
        agreement(&kms, key_spec).await;
    }
    encryption(&kms, &new_key(&kms, "RSA_2048", KeyUsageType::EncryptDecrypt).await).await;
    for key_spec in ["ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"] {
        let key = new_key(&kms, key_spec, KeyUsageType::from("ENCAPSULATE_DECAPSULATE")).await;
        encapsulation(&kms, &key).await;
    }
    pairs(&kms).await;
    server.stop();
}

async fn signing(kms: &Client, key: &KeyMetadata) {
    for algorithm in key.signing_algorithms() {
        let is_prehashed = algorithm.as_str() == "ED25519_PH_SHA_512";
        let message = Blob::new(if is_prehashed { vec![7; 64] } else { MESSAGE.to_vec() });
        let message_type = if is_prehashed { MessageType::Digest } else { MessageType::Raw };
        let signed = kms
            .sign()
            .key_id(key.key_id())
            .message(message.clone())
            .message_type(message_type.clone())
            .signing_algorithm(algorithm.clone())
            .send()
            .await
            .unwrap_or_else(|error| panic!("{algorithm}: {error:?}"));
        let signature = signed.signature.expect("a signature");
        let verify = |signature: Vec<u8>| {
            kms.verify()
                .key_id(key.key_id())
                .message(message.clone())
                .message_type(message_type.clone())
                .signing_algorithm(algorithm.clone())
                .signature(Blob::new(signature))
                .send()
        };
        assert!(verify(signature.as_ref().to_vec()).await.expect("Verify").signature_valid());
        let mut forged = signature.as_ref().to_vec();
        *forged.last_mut().expect("not empty") ^= 1;
        let refused = verify(forged).await.expect_err("a forged signature");
        assert!(refused.into_service_error().is_kms_invalid_signature_exception());
        let public_key = kms.get_public_key().key_id(key.key_id()).send().await.expect("a key");
        openssl_verifies(
            algorithm,
            public_key.public_key.expect("SPKI").as_ref(),
            message.as_ref(),
            signature.as_ref(),
        );
    }
}

/// What the `openssl` command says of a signature, where Debian's knows the algorithm.
fn openssl_verifies(
    algorithm: &SigningAlgorithmSpec,
    public_key: &[u8],
    message: &[u8],
    signature: &[u8],
) {
    let directory = tempfile::tempdir().expect("a directory");
    let file = |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    };
    let (key, message) = (file("key", public_key), file("message", message));
    let signature = file("signature", signature);
    let digest = match algorithm.as_str().rsplit('_').next() {
        Some("256") => "-sha256",
        Some("384") => "-sha384",
        _ => "-sha512",
    };
    let mut openssl = Command::new("openssl");
    let text = algorithm.as_str();
    if text.starts_with("RSASSA_PSS") {
        openssl.args(["dgst", digest, "-sigopt", "rsa_padding_mode:pss", "-keyform", "DER"]);
        openssl.args(["-sigopt", "rsa_pss_saltlen:digest"]);
        verify_file(openssl.arg("-verify").arg(&key), &signature).arg(&message);
    } else if text.starts_with("RSASSA") || text.starts_with("ECDSA") {
        openssl.args(["dgst", digest, "-keyform", "DER", "-verify"]).arg(&key);
        verify_file(&mut openssl, &signature).arg(&message);
    } else if text == "ED25519_SHA_512" {
        openssl.args(["pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-rawin", "-inkey"]);
        openssl.arg(&key).arg("-in").arg(&message).arg("-sigfile").arg(&signature);
    } else {
        return;
    }
    let output = openssl.output().expect("the openssl command");
    assert!(output.status.success(), "{text}: {}", String::from_utf8_lossy(&output.stderr));
}

fn verify_file<'c>(openssl: &'c mut Command, signature: &Path) -> &'c mut Command {
    openssl.arg("-signature").arg(signature)
}

async fn macs(kms: &Client, key: &KeyMetadata) {
    let algorithm: MacAlgorithmSpec = key.mac_algorithms()[0].clone();
    let call = kms.generate_mac().key_id(key.key_id()).message(Blob::new(MESSAGE));
    let made = call.mac_algorithm(algorithm.clone()).send().await.expect("GenerateMac");
    let mac = made.mac.expect("a MAC");
    let call = kms.verify_mac().key_id(key.key_id()).message(Blob::new(MESSAGE)).mac(mac);
    assert!(call.mac_algorithm(algorithm).send().await.expect("VerifyMac").mac_valid());
}

async fn agreement(kms: &Client, key_spec: &str) {
    let one = new_key(kms, key_spec, KeyUsageType::KeyAgreement).await;
    let other = new_key(kms, key_spec, KeyUsageType::KeyAgreement).await;
    let mut secrets = Vec::new();
    for (own, peer) in [(&one, &other), (&other, &one)] {
        let public_key = kms.get_public_key().key_id(peer.key_id()).send().await.expect("a key");
        let derived = kms
            .derive_shared_secret()
            .key_id(own.key_id())
            .key_agreement_algorithm("ECDH".into())
            .public_key(public_key.public_key.expect("SPKI"))
            .send()
            .await
            .expect("DeriveSharedSecret");
        secrets.push(derived.shared_secret.expect("a secret").into_inner());
    }
    assert_eq!(secrets[0], secrets[1]);
}

async fn encryption(kms: &Client, key: &KeyMetadata) {
    for algorithm in key.encryption_algorithms() {
        let algorithm: &EncryptionAlgorithmSpec = algorithm;
        let call = kms.encrypt().key_id(key.key_id()).plaintext(Blob::new(MESSAGE));
        let encrypted = call.encryption_algorithm(algorithm.clone()).send().await.expect("Encrypt");
        let ciphertext = encrypted.ciphertext_blob.expect("a ciphertext");
        let call = kms.decrypt().key_id(key.key_id()).ciphertext_blob(ciphertext);
        let decrypted = call.encryption_algorithm(algorithm.clone()).send().await.expect("Decrypt");
        assert_eq!(decrypted.plaintext.expect("a plaintext").as_ref(), MESSAGE);
    }
}

async fn encapsulation(kms: &Client, key: &KeyMetadata) {
    let algorithm = EncapsulationAlgorithmSpec::from("ML_KEM");
    let call = kms.encapsulate().key_id(key.key_id()).encapsulation_algorithm(algorithm.clone());
    let made = call.send().await.expect("Encapsulate");
    let call = kms.decapsulate().key_id(key.key_id()).encapsulation_algorithm(algorithm);
    let taken = call
        .shared_secret_ciphertext_blob(made.shared_secret_ciphertext_blob.expect("a ciphertext"))
        .send()
        .await
        .expect("Decapsulate");
    assert_eq!(taken.shared_secret, made.shared_secret);
}

async fn pairs(kms: &Client) {
    let key = kms.create_key().send().await.expect("CreateKey").key_metadata.expect("metadata");
    for spec in [DataKeyPairSpec::Rsa2048, DataKeyPairSpec::EccNistP256] {
        let call = kms.generate_data_key_pair().key_id(key.key_id()).key_pair_spec(spec);
        let pair = call.send().await.expect("GenerateDataKeyPair");
        let ciphertext = pair.private_key_ciphertext_blob.expect("an encrypted private key");
        let decrypted = kms.decrypt().ciphertext_blob(ciphertext).send().await.expect("Decrypt");
        assert_eq!(decrypted.plaintext, pair.private_key_plaintext);
    }
}
