//! Sealed answers open with the recipient's key, in OpenSSL, and in the form that AWS KMS has.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cell::Cell;
use std::convert::Infallible;
use std::process::Command;

use attestation::testing::Recipient;
use attestation::{PLAINTEXT_BYTES_MAX, SealError, seal_for};
use aws_lc_rs::rsa::{
    OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey, PublicEncryptingKey,
};
use aws_lc_rs::{digest, encoding::AsDer};
use rustls_pki_types::{PrivatePkcs8KeyDer, pem::PemObject};

/// Bytes that differ between draws, and between tests' answers: 1, 1, ... then 2, 2, ...
fn counting() -> impl Fn(&mut [u8]) -> Result<(), Infallible> {
    let draws = Cell::new(0);
    move |bytes| {
        draws.set(draws.get() + 1);
        bytes.fill(draws.get());
        Ok(())
    }
}

fn sealed(recipient: &Recipient, plaintext: &[u8]) -> Vec<u8> {
    seal_for(&recipient.public_key_der(), plaintext, counting()).unwrap()
}

/// What `openssl cms` makes of an answer.
fn opened_by_openssl(recipient: &Recipient, sealed: &[u8]) -> Option<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let (key, answer) = (folder.path().join("key.pem"), folder.path().join("answer"));
    std::fs::write(&key, recipient.key_pem()).unwrap();
    std::fs::write(&answer, sealed).unwrap();
    let output = Command::new("openssl")
        .args(["cms", "-decrypt", "-inform", "DER", "-inkey"])
        .arg(key)
        .arg("-in")
        .arg(answer)
        .output()
        .expect("openssl is installed");
    output.status.success().then_some(output.stdout)
}

#[test]
fn openssl_opens_what_is_sealed() {
    let recipient = Recipient::generate();
    for length in [0, 1, 15, 16, 17, 32, 1_024, PLAINTEXT_BYTES_MAX] {
        let plaintext: Vec<u8> = (0..=255).cycle().take(length).collect();
        let sealed = sealed(&recipient, &plaintext);
        assert_eq!(opened_by_openssl(&recipient, &sealed), Some(plaintext), "{length} bytes");
    }
    assert_eq!(opened_by_openssl(&Recipient::generate(), &sealed(&recipient, b"secret")), None);
}

/// Every byte of an answer but the identifier, the encrypted key and the ciphertext, written out
/// from RFC 5652, RFC 8017 and what AWS KMS sends.
#[test]
fn the_form_is_that_of_aws() {
    let recipient = Recipient::generate();
    let sealed = sealed(&recipient, &[7; 40]);

    let mut rest = sealed.as_slice();
    // ContentInfo, its type, its content.
    take(&mut rest, "30 80 06 09 2a 86 48 86 f7 0d 01 07 03 a0 80");
    // EnvelopedData version 2 and one recipient of version 2.
    take(&mut rest, "30 80 02 01 02 31 82 01 6b 30 82 01 67 02 01 02");
    // [0] subjectKeyIdentifier.
    take(&mut rest, "80 20");
    let identifier = rest.split_off(..32).unwrap();
    let public_key = recipient.public_key_der();
    assert_eq!(identifier, digest::digest(&digest::SHA256, &public_key).as_ref());
    // RSAES-OAEP, SHA-256, MGF1 of SHA-256.
    take(&mut rest, "30 3c 06 09 2a 86 48 86 f7 0d 01 01 07 30 2f");
    take(&mut rest, "a0 0f 30 0d 06 09 60 86 48 01 65 03 04 02 01 05 00");
    take(&mut rest, "a1 1c 30 1a 06 09 2a 86 48 86 f7 0d 01 01 08");
    take(&mut rest, "30 0d 06 09 60 86 48 01 65 03 04 02 01 05 00");
    take(&mut rest, "04 82 01 00");
    let encrypted_key = rest.split_off(..256).unwrap();
    // EncryptedContentInfo: data, AES-256-CBC, its initialisation vector.
    take(&mut rest, "30 80 06 09 2a 86 48 86 f7 0d 01 07 01");
    take(&mut rest, "30 1d 06 09 60 86 48 01 65 03 04 01 2a 04 10");
    assert_eq!(rest.split_off(..16).unwrap(), [2; 16]);
    // [0] encryptedContent, three blocks; four ends.
    take(&mut rest, "80 30");
    rest.split_off(..48).unwrap();
    assert_eq!(rest, [0; 8]);

    let key = PrivatePkcs8KeyDer::from_pem_slice(recipient.key_pem().as_bytes()).unwrap();
    let key = PrivateDecryptingKey::from_pkcs8(key.secret_pkcs8_der()).unwrap();
    let key = OaepPrivateDecryptingKey::new(key).unwrap();
    let mut content_key = vec![0; key.min_output_size()];
    let content_key =
        key.decrypt(&OAEP_SHA256_MGF1SHA256, encrypted_key, &mut content_key, None).unwrap();
    assert_eq!(content_key, [1; 32]);
}

/// Takes bytes written in hexadecimal off the front.
fn take(rest: &mut &[u8], expected: &str) {
    let expected: Vec<u8> =
        expected.split(' ').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
    assert_eq!(rest.split_off(..expected.len()), Some(expected.as_slice()));
}

#[test]
fn every_answer_has_its_own_key() {
    let recipient = Recipient::generate();
    let calls = Cell::new(0);
    let fill = |bytes: &mut [u8]| {
        calls.set(calls.get() + 1);
        bytes.fill(calls.get());
        Ok::<(), Infallible>(())
    };
    let public_key = recipient.public_key_der();
    let first = seal_for(&public_key, b"secret", fill).unwrap();
    let second = seal_for(&public_key, b"secret", fill).unwrap();
    assert_eq!(calls.get(), 4);
    assert_ne!(first, second);
    assert_eq!(opened_by_openssl(&recipient, &second), Some(b"secret".to_vec()));
}

#[test]
fn what_cannot_be_sealed_is_refused() {
    let public_key = Recipient::generate().public_key_der();
    let seal = |key: &[u8], plaintext: &[u8]| seal_for(key, plaintext, counting()).err();
    assert_eq!(
        seal(&public_key, &[0; PLAINTEXT_BYTES_MAX + 1]),
        Some(SealError::TooLong { bytes: PLAINTEXT_BYTES_MAX + 1, bytes_max: PLAINTEXT_BYTES_MAX })
    );
    assert_eq!(seal_for(&public_key, b"secret", |_| Err("dry")).err(), Some(SealError::Randomness));
    for length in 0..public_key.len() {
        assert_eq!(seal(&public_key[..length], b""), Some(SealError::PublicKey));
    }
    assert_eq!(seal(&[&public_key[..], &[0]].concat(), b""), Some(SealError::PublicKey));
}

#[test]
fn only_rsa_keys_of_2048_bits_or_more_are_answered_to() {
    use rcgen::PublicKeyData;

    let seal = |key: &[u8]| seal_for(key, b"secret", counting());
    let elliptic = attestation::testing::key_pair().subject_public_key_info();
    assert_eq!(seal(&elliptic).err(), Some(SealError::PublicKey));
    for bits in [1_024, 1_536] {
        assert_eq!(seal(&rsa_public_key(bits)).err(), Some(SealError::PublicKey), "{bits} bits");
    }
    for bits in [2_048, 3_072, 4_096] {
        let key = rsa_public_key(bits);
        assert!(seal(&key).is_ok(), "{bits} bits");
        // The same key, but as PKCS#1 has it, or told to be a signature key (RSASSA-PSS).
        let bare = &key[24..];
        assert_eq!(seal(bare).err(), Some(SealError::PublicKey));
        let mut for_signatures = key.clone();
        let oid = key.windows(9).position(|window| window == RSA_ENCRYPTION).unwrap();
        for_signatures[oid + 8] = 10;
        assert_eq!(seal(&for_signatures).err(), Some(SealError::PublicKey));
    }
}

/// `rsaEncryption`, encoded.
const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];

/// SubjectPublicKeyInfo of a new key, made by OpenSSL, since AWS-LC makes no short ones.
fn rsa_public_key(bits: usize) -> Vec<u8> {
    let command = format!(
        "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:{bits} 2>/dev/null \
         | openssl pkey -pubout -outform DER"
    );
    let output = Command::new("sh").args(["-c", &command]).output().unwrap();
    assert!(output.status.success(), "openssl is installed");
    if bits >= 2_048 {
        let parsed = PublicEncryptingKey::from_der(&output.stdout).unwrap();
        assert_eq!(parsed.as_der().unwrap().as_ref(), output.stdout);
    }
    output.stdout
}
