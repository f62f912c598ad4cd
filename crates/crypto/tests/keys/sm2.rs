//! SM2: the examples of the standard, and what is refused.
//!
//! The figures are those of the annexes of GM/T 0003.5-2012 (GB/T 32918.5-2017), which use one key, one k and the curve that
//! AWS has. A test of the server against OpenSSL is in `tests/conformance/test_sm2.py`.

use crypto::import_wrapping::UnwrappingKey;
use crypto::{
    CryptoError, InvalidCiphertext, InvalidKeyMaterial, InvalidPublicKey, Rng, RngError, SystemRng,
    VerifyingKey, WorkingKey, data_key_pairs, key_material, key_specs,
};
use wire::enums::{
    DataKeyPairSpec, EncryptionAlgorithmSpec, KeySpec, KeyUsage, MessageType, SigningAlgorithmSpec,
    WrappingAlgorithm, WrappingKeySpec,
};

use crate::vectors::bytes;

const D: &str = "3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8";
const X: &str = "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020";
const Y: &str = "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13";
const K: &str = "59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21";
/// The order of the group.
const N: &str = "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123";

const SM2DSA: SigningAlgorithmSpec = SigningAlgorithmSpec::Sm2Dsa;
const SM2PKE: EncryptionAlgorithmSpec = EncryptionAlgorithmSpec::Sm2Pke;

/// Draws the same 32 bytes each time.
struct Drawn(&'static str);

impl Rng for Drawn {
    fn fill(&self, out: &mut [u8]) -> Result<(), RngError> {
        out.copy_from_slice(&bytes(self.0));
        Ok(())
    }
}

/// A source that has failed.
struct Empty;

impl Rng for Empty {
    fn fill(&self, _out: &mut [u8]) -> Result<(), RngError> {
        Err(RngError)
    }
}

/// `PrivateKeyInfo` of `d` without its public key, on the curve whose object identifier ends in these bytes.
fn private_key_der(d: &str, curve: &str) -> Vec<u8> {
    let algorithm = format!("301306072A8648CE3D020106082A811CCF5501{curve}");
    bytes(&format!("3041020100{algorithm}042730250201010420{d}"))
}

/// `SubjectPublicKeyInfo` of a point in one of SEC 1's forms, at most 65 bytes.
fn public_key_der(point: &str) -> Vec<u8> {
    let bits_bytes = 1 + point.len() / 2;
    let all_bytes = 23 + bits_bytes;
    let algorithm = "301306072A8648CE3D020106082A811CCF5501822D";
    bytes(&format!("30{all_bytes:02X}{algorithm}03{bits_bytes:02X}00{point}"))
}

fn key(d: &str, key_usage: KeyUsage) -> WorkingKey {
    let material = key_material::import(KeySpec::Sm2, &private_key_der(d, "822D")).unwrap();
    WorkingKey::parse(KeySpec::Sm2, key_usage, material.expose()).unwrap()
}

#[test]
fn the_signature_of_the_standard_verifies() {
    let key = key(D, KeyUsage::SignVerify);
    let public_key = public_key_der(&format!("04{X}{Y}"));
    assert_eq!(key.public_key_der(), Some(&public_key[..]));
    let key = VerifyingKey::parse(KeySpec::Sm2, &public_key).unwrap();
    // r and s; both have the highest bit, and so a zero before it.
    let signature = bytes(concat!(
        "3046022100F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3",
        "022100B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA",
    ));
    let verify =
        |message_type, message: &[u8]| key.verify(SM2DSA, message_type, message, &signature);
    assert_eq!(verify(MessageType::Raw, b"message digest"), Ok(true));
    assert_eq!(verify(MessageType::Raw, b"message digesT"), Ok(false));
    let digest = bytes("F0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640");
    assert_eq!(verify(MessageType::Digest, &digest), Ok(true));
    assert_eq!(verify(MessageType::Digest, &[7; 32]), Ok(false));
}

#[test]
fn a_message_is_never_signed_twice_in_one_way() {
    let key = key(D, KeyUsage::SignVerify);
    let sign = |rng: &dyn Rng| key.sign(SM2DSA, MessageType::Raw, b"message", rng);
    assert_ne!(sign(&SystemRng), sign(&SystemRng));
    assert_eq!(sign(&Drawn(K)), sign(&Drawn(K)));
    assert_eq!(sign(&Empty), Err(CryptoError::Refused));
}

#[test]
fn the_ciphertext_of_the_standard_is_made_and_decrypted() {
    let key = key(D, KeyUsage::EncryptDecrypt);
    // x1, y1, C3 and C2.
    let expected = bytes(concat!(
        "307C",
        "022004EBFC718E8D1798620432268E77FEB6415E2EDE0E073C0F4F640ECD2E149A73",
        "022100E858F9D81E5430A57B36DAAB8F950A3C64E6EE6A63094D99283AFF767E124DF0",
        "042059983C18F809E262923C53AEC295D30383B54E39D609D160AFCB1908D0BD8766",
        "041321886CA989CA9C7D58087307CA93092D651EFA",
    ));
    let plaintext = b"encryption standard";
    let ciphertext = key.encrypt(SM2PKE, plaintext, &Drawn(K)).unwrap();
    assert_eq!(ciphertext, expected);
    assert_eq!(key.decrypt(SM2PKE, &expected).unwrap().expose(), plaintext);
    assert_eq!(key.encrypt(SM2PKE, plaintext, &Empty), Err(CryptoError::Refused));
}

/// `[k]P_B`, which the encryption of the standard shows, is what the holders of k and of d agree on.
#[test]
fn the_shared_point_of_the_standard_is_agreed_on() {
    let expected = bytes("335E18D751E51F040E27D468138B7AB1DC86AD7F981D7D416222FD6AB3ED230D");
    let (one, other) = (key(D, KeyUsage::KeyAgreement), key(K, KeyUsage::KeyAgreement));
    for (key, peer) in [(&one, &other), (&other, &one)] {
        let secret = key.derive_shared_secret(peer.public_key_der().unwrap()).unwrap();
        assert_eq!(secret.expose(), expected);
        assert_eq!(key_specs::shared_secret_bytes(KeySpec::Sm2), Some(expected.len()));
    }
}

#[test]
fn encryption_has_its_bounds() {
    let key = key(D, KeyUsage::EncryptDecrypt);
    for bytes in [1, 31, 32, 33, 1024] {
        let plaintext = vec![7; bytes];
        let ciphertext = key.encrypt(SM2PKE, &plaintext, &SystemRng).unwrap();
        assert_eq!(key.decrypt(SM2PKE, &ciphertext).unwrap().expose(), plaintext);
    }
    let longer = key.encrypt(SM2PKE, &[7; 1025], &SystemRng);
    assert_eq!(longer, Err(CryptoError::TooLong { bytes: 1025, bytes_max: 1024 }));
    // t would be of no length, and nothing would hide that there is nothing.
    assert_eq!(key.encrypt(SM2PKE, b"", &SystemRng), Err(CryptoError::Refused));
    let ciphertext = key.encrypt(SM2PKE, b"plaintext", &SystemRng).unwrap();
    for algorithm in EncryptionAlgorithmSpec::ALL.iter().filter(|other| **other != SM2PKE) {
        assert_eq!(key.encrypt(*algorithm, b"p", &SystemRng), Err(CryptoError::Unsupported));
        assert_eq!(key.decrypt(*algorithm, &ciphertext).err(), Some(InvalidCiphertext));
    }
}

#[test]
fn an_altered_ciphertext_is_refused() {
    let key = key(D, KeyUsage::EncryptDecrypt);
    let ciphertext = key.encrypt(SM2PKE, b"plaintext", &SystemRng).unwrap();
    for bit in 0..ciphertext.len() * 8 {
        let mut altered = ciphertext.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(key.decrypt(SM2PKE, &altered).err(), Some(InvalidCiphertext), "bit {bit}");
    }
    for bytes in 0..ciphertext.len() {
        assert_eq!(key.decrypt(SM2PKE, &ciphertext[..bytes]).err(), Some(InvalidCiphertext));
    }
    let longer = [&ciphertext[..], &[0]].concat();
    assert_eq!(key.decrypt(SM2PKE, &longer).err(), Some(InvalidCiphertext));
    let another = self::key(K, KeyUsage::EncryptDecrypt);
    assert_eq!(another.decrypt(SM2PKE, &ciphertext).err(), Some(InvalidCiphertext));
}

#[test]
fn only_numbers_that_sign_are_keys() {
    let import = |d: &str, curve| key_material::import(KeySpec::Sm2, &private_key_der(d, curve));
    let last = |digits: &str| format!("{}{digits}", N.strip_suffix("23").unwrap());
    assert!(import(&last("21"), "822D").is_ok());
    for d in [last("22"), last("23"), last("24"), "00".repeat(32), "FF".repeat(32)] {
        assert_eq!(import(&d, "822D").err(), Some(InvalidKeyMaterial::Unsound), "{d}");
    }
    // The last byte of the curve's object identifier is another.
    assert_eq!(import(D, "822E").err(), Some(InvalidKeyMaterial::Unsound));
}

#[test]
fn peers_come_in_one_form() {
    let key = key(D, KeyUsage::KeyAgreement);
    let derive = |point: &str| key.derive_shared_secret(&public_key_der(point)).map(drop);
    assert_eq!(derive(&format!("04{X}{Y}")), Ok(()));
    // Y is odd.
    assert_eq!(derive(&format!("03{X}")), Err(InvalidPublicKey));
    assert_eq!(derive(&format!("07{X}{Y}")), Err(InvalidPublicKey));
    assert_eq!(derive(&format!("04{Y}{X}")), Err(InvalidPublicKey));
    assert_eq!(derive("00"), Err(InvalidPublicKey));
}

#[test]
fn wrapped_material_is_unwrapped_by_the_one_algorithm() {
    let unwrapping_key = UnwrappingKey::generate(WrappingKeySpec::Sm2, &SystemRng).unwrap();
    let again = UnwrappingKey::from_pkcs8(unwrapping_key.to_pkcs8().unwrap().expose()).unwrap();
    assert_eq!(again.public_key_der(), unwrapping_key.public_key_der());
    let pkcs8 = unwrapping_key.to_pkcs8().unwrap();
    let key = WorkingKey::parse(KeySpec::Sm2, KeyUsage::EncryptDecrypt, pkcs8.expose()).unwrap();
    let pair = data_key_pairs::generate(DataKeyPairSpec::Sm2, &SystemRng).unwrap();
    let wrapped = key.encrypt(SM2PKE, pair.private_key_der.expose(), &SystemRng).unwrap();
    let unwrapped = again.unwrap(WrappingAlgorithm::Sm2Pke, &wrapped).unwrap();
    let material = key_material::import(KeySpec::Sm2, unwrapped.expose()).unwrap();
    assert_eq!(material.expose(), pair.private_key_der.expose());
    for algorithm in WrappingAlgorithm::ALL {
        let is_refused = again.unwrap(*algorithm, &wrapped).is_err();
        assert_eq!(is_refused, *algorithm != WrappingAlgorithm::Sm2Pke, "{algorithm}");
    }
}
