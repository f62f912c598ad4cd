//! Imported material: what is a sound key of the spec is taken in one form, and nothing else is.
use crypto::module::IS_FIPS_BUILD;
use crypto::{
    CryptoError, InvalidKeyMaterial, SecretBytes, SystemRng, WorkingKey, data_key_pairs,
    key_material, key_specs,
};
use proptest::prelude::*;
use serde::Deserialize;
use wire::enums::{DataKeyPairSpec, KeySpec, KeyUsage};

use crate::made::MATERIALS;
use crate::vectors::{bytes, load};

#[derive(Deserialize)]
struct Vector {
    name: String,
    key_spec: String,
    bytes: String,
    /// Absent from those that are refused.
    material: Option<String>,
}

fn import(vector: &Vector) -> Result<SecretBytes, InvalidKeyMaterial> {
    key_material::import(vector.key_spec.parse().unwrap(), &bytes(&vector.bytes))
}

/// Which of the specs' material is raw, and given and taken as it is.
fn is_raw(key_spec: KeySpec) -> bool {
    key_spec == KeySpec::SymmetricDefault || key_specs::hmac_bytes(key_spec).is_some()
}

#[test]
fn every_form_of_a_key_becomes_one_material() {
    let vectors: Vec<Vector> = load("key-material.json");
    assert_eq!(vectors.len(), 13);
    for vector in &vectors {
        let material = import(vector).map(SecretBytes::into_exposed);
        let expected = bytes(vector.material.as_ref().unwrap());
        assert_eq!(material, Ok(expected), "{}", vector.name);
    }
}

#[test]
fn whatever_is_not_one_sound_key_of_the_spec_is_refused() {
    let vectors: Vec<Vector> = load("key-material-invalid.json");
    assert_eq!(vectors.len(), 143);
    for vector in &vectors {
        // The FIPS module's AWS-LC passes over what follows the last field inside the outer sequence.
        if IS_FIPS_BUILD && vector.name == "a byte after the last field" {
            let sound: Vec<Vector> = load("key-material.json");
            let without = import(sound.iter().find(|sound| sound.name == "RSA").unwrap()).unwrap();
            assert_eq!(import(vector).unwrap().expose(), without.expose());
            continue;
        }
        assert!(import(vector).is_err(), "{}: {}", vector.key_spec, vector.name);
    }
}

#[test]
fn what_was_generated_is_imported_as_it_is() {
    for (key_spec, material) in &*MATERIALS {
        let is_seed = !is_raw(*key_spec) && material.len() <= 64 && material.len() != 48;
        let imported = key_material::import(*key_spec, material).map(SecretBytes::into_exposed);
        // Seeds are imported in PKCS #8.
        let expected = if is_seed { Err(()) } else { Ok(material.clone()) };
        assert_eq!(imported.map_err(|_| ()), expected, "{key_spec}");
    }
}

#[test]
fn no_spec_takes_the_key_of_another() {
    for (key_spec, material) in &*MATERIALS {
        for other in KeySpec::ALL.iter().filter(|other| *other != key_spec) {
            let same_length = MATERIALS.get(other).is_some_and(|m| m.len() == material.len());
            let imported = key_material::import(*other, material);
            assert_eq!(imported.is_ok(), is_raw(*other) && same_length, "{key_spec} as {other}");
        }
    }
}

/// What a key with one bit flipped is imported as.
fn import_flipped(key_spec: KeySpec, material: &[u8], bit: usize) -> Option<Vec<u8>> {
    let mut altered = material.to_vec();
    altered[bit / 8] ^= 1 << (bit % 8);
    key_material::import(key_spec, &altered).ok().map(SecretBytes::into_exposed)
}

#[test]
fn a_flipped_bit_never_makes_another_key() {
    // Some flips make another encoding of the same key: version 1 (RFC 5958) of version 0, and the
    // hybrid form of a point.
    let curves =
        [KeySpec::EccNistP256, KeySpec::EccNistP384, KeySpec::EccNistP521, KeySpec::EccSecgP256k1];
    let sm2 = key_specs::is_built(KeySpec::Sm2).then_some(KeySpec::Sm2);
    for key_spec in curves.into_iter().chain(sm2) {
        let material = MATERIALS.get(&key_spec).unwrap();
        for bit in 0..material.len() * 8 {
            if let Some(imported) = import_flipped(key_spec, material, bit) {
                assert_eq!(&imported, material, "{key_spec} bit {bit}");
            }
        }
    }
    let material = MATERIALS.get(&KeySpec::Rsa2048).unwrap();
    for byte in 0..material.len() {
        if let Some(imported) = import_flipped(KeySpec::Rsa2048, material, byte * 8 + byte % 8) {
            assert_eq!(&imported, material, "byte {byte}");
        }
    }
    // The last 32 bytes are the seed, and any seed is a key.
    let material = MATERIALS.get(&KeySpec::EccNistEdwards25519).unwrap();
    for bit in 0..(material.len() - 32) * 8 {
        if let Some(imported) = import_flipped(KeySpec::EccNistEdwards25519, material, bit) {
            assert_eq!(&imported, material, "bit {bit}");
        }
    }
}

#[test]
fn data_key_pairs_are_imported_with_the_public_key_that_was_given() {
    for spec in DataKeyPairSpec::ALL.iter().filter(|spec| key_specs::is_built(spec.key_spec())) {
        let pair = data_key_pairs::generate(*spec, &SystemRng).unwrap();
        let key_spec = spec.key_spec();
        let material = key_material::import(key_spec, pair.private_key_der.expose()).unwrap();
        for key_usage in key_specs::row(key_spec).usages {
            let key = WorkingKey::parse(key_spec, *key_usage, material.expose()).unwrap();
            assert_eq!(key.public_key_der(), Some(&pair.public_key_der[..]), "{spec}");
        }
        let another = data_key_pairs::generate(*spec, &SystemRng).unwrap();
        assert_ne!(another.public_key_der, pair.public_key_der);
    }
    let sm2 = data_key_pairs::generate(DataKeyPairSpec::Sm2, &SystemRng);
    let is_unbuilt = !key_specs::is_built(KeySpec::Sm2);
    assert_eq!(sm2.err(), is_unbuilt.then_some(CryptoError::Unsupported));
}

fn any_spec() -> impl Strategy<Value = KeySpec> {
    proptest::sample::select(KeySpec::ALL)
}

fn any_usage() -> impl Strategy<Value = KeyUsage> {
    proptest::sample::select(KeyUsage::ALL)
}

proptest! {
    #[test]
    fn noise_is_never_more_than_refused(
        key_spec in any_spec(),
        key_usage in any_usage(),
        noise in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        drop(key_material::import(key_spec, &noise));
        drop(WorkingKey::parse(key_spec, key_usage, &noise));
    }

    #[test]
    fn mutations_are_refused_or_a_key_that_works(
        from in any_spec(),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        length in any::<prop::sample::Index>(),
        cuts in any::<bool>(),
    ) {
        let Some(material) = MATERIALS.get(&from) else { return Ok(()) };
        let mut altered = material.clone();
        altered[place.index(material.len())] = byte;
        if cuts {
            altered.truncate(length.index(material.len()));
        }
        if let Ok(imported) = key_material::import(from, &altered) {
            for key_usage in key_specs::row(from).usages {
                let parsed = WorkingKey::parse(from, *key_usage, imported.expose());
                prop_assert_eq!(parsed.is_ok(), from != KeySpec::SymmetricDefault);
            }
        }
        for key_usage in KeyUsage::ALL {
            drop(WorkingKey::parse(from, *key_usage, &altered));
        }
    }
}
