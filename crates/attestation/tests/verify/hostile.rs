//! No change of a genuine document passes, and nothing that strangers send does harm.

use std::sync::LazyLock;

use attestation::testing::encoded;
use attestation::{AttestationError, DOCUMENT_BYTES_MAX, verify};
use ciborium::Value;
use jiff::Timestamp;
use proptest::prelude::*;

use crate::world::WORLD;

static GENUINE: LazyLock<Vec<u8>> = LazyLock::new(|| WORLD.enclave.attest(&WORLD.claims()));

#[test]
fn a_flipped_bit_is_refused() {
    assert!(WORLD.verify(&GENUINE).is_ok());
    let signature = (GENUINE.len() - 96) * 8;
    let one_in_each_byte = (0..GENUINE.len() - 96).map(|byte| byte * 8 + byte % 8);
    for bit in one_in_each_byte.chain(signature..GENUINE.len() * 8) {
        let mut altered = GENUINE.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert!(WORLD.verify(&altered).is_err(), "bit {bit}");
    }
}

#[test]
fn a_cut_document_is_refused() {
    for length in 0..GENUINE.len() {
        let outcome = WORLD.verify(&GENUINE[..length]);
        assert_eq!(outcome.err(), Some(AttestationError::Envelope), "{length} bytes");
    }
}

/// Items in items, up to the longest document, in every way that CBOR has.
#[test]
fn nesting_ends() {
    let room = DOCUMENT_BYTES_MAX - 8;
    for opening in [&[0x81][..], &[0x9f], &[0xa1, 0x00], &[0xbf, 0x00], &[0xd2], &[0xc0], &[0xa1]] {
        let nested = opening.repeat(room / opening.len());
        assert_eq!(WORLD.verify(&nested).err(), Some(AttestationError::Envelope));
        let four = [&[0x84, 0x44, 0xa1, 0x01, 0x38, 0x22, 0xa0][..], &nested].concat();
        assert!(WORLD.verify(&four[..DOCUMENT_BYTES_MAX.min(four.len())]).is_err());
        let payload = opening.repeat(16_000 / opening.len());
        assert_eq!(
            WORLD.verify(&WORLD.enclave.sign(&payload)).err(),
            Some(AttestationError::Payload)
        );
    }
}

/// A header may hold a signature whose header holds a signature, and so on (RFC 9338), each
/// encoded in a byte string, which no limit on the nesting of CBOR sees.
#[test]
fn signatures_within_headers_end() {
    const COUNTERSIGNATURE: i32 = 7;
    let mut header = encoded(&Value::Map(vec![]));
    while header.len() < DOCUMENT_BYTES_MAX - 200 {
        let signature =
            [Value::Bytes(header), Value::Map(vec![]), Value::Bytes(vec![])].to_vec().into();
        header = encoded(&Value::Map(vec![(COUNTERSIGNATURE.into(), signature)]));
    }
    let parts = |protected, unprotected| {
        let payload = Value::Bytes(vec![0xa0]);
        encoded(&Value::Array(vec![protected, unprotected, payload, Value::Bytes(vec![0; 96])]))
    };
    let protected = parts(Value::Bytes(header.clone()), Value::Map(vec![]));
    assert_eq!(WORLD.verify(&protected).err(), Some(AttestationError::Headers));
    let signature: Value =
        [Value::Bytes(header), Value::Map(vec![]), Value::Bytes(vec![])].to_vec().into();
    let unprotected = Value::Map(vec![(COUNTERSIGNATURE.into(), signature)]);
    let unprotected = parts(Value::Bytes(vec![0xa1, 0x01, 0x38, 0x22]), unprotected);
    assert!(WORLD.verify(&unprotected).is_err());
}

#[test]
fn lengths_that_lie_are_refused() {
    for head in [0x5b, 0x7b, 0x9b, 0xbb] {
        for length in [u64::MAX, u64::from(u32::MAX), 1 << 40, 1 << 20] {
            let lie = [&[head][..], &length.to_be_bytes()].concat();
            assert_eq!(WORLD.verify(&lie).err(), Some(AttestationError::Envelope));
            let payload = WORLD.enclave.sign(&lie);
            assert_eq!(WORLD.verify(&payload).err(), Some(AttestationError::Payload));
        }
    }
}

#[test]
fn every_time_is_one() {
    for now in [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX] {
        let outcome = verify(&GENUINE, &WORLD.roots, now);
        assert!(matches!(outcome, Err(AttestationError::Chain(_))), "{now}");
    }
}

/// A change to a document: what stands from a place on is replaced.
fn changed(document: &[u8], place: usize, removed: usize, inserted: &[u8]) -> Vec<u8> {
    let mut changed = document.to_vec();
    let start = place % changed.len();
    let end = changed.len().min(start + removed);
    changed.splice(start..end, inserted.iter().copied());
    changed
}

/// Any item of CBOR that is not too deep, and often one that a document could have.
fn item() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(Value::from),
        proptest::collection::vec(any::<u8>(), 0..80).prop_map(Value::Bytes),
        "[a-z_]{0,12}|SHA384".prop_map(Value::Text),
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<f64>().prop_map(Value::Float),
    ];
    leaf.prop_recursive(3, 40, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
            proptest::collection::vec((inner.clone(), inner.clone()), 0..8).prop_map(Value::Map),
            (any::<u64>(), inner).prop_map(|(tag, inner)| Value::Tag(tag, Box::new(inner))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(WORLD.verify(&bytes).is_err());
        prop_assert!(WORLD.verify(&WORLD.enclave.sign(&bytes)).is_err());
    }

    /// Whatever passes says what the enclave said: a tag in front, or a length written longer.
    #[test]
    fn no_change_of_a_document_says_something_else(
        place in any::<usize>(),
        removed in 0_usize..40,
        inserted in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let outcome = WORLD.verify(&changed(&GENUINE, place, removed, &inserted));
        if let Ok(attested) = outcome {
            prop_assert_eq!(attested, WORLD.verify(&GENUINE).unwrap());
        }
    }

    #[test]
    fn any_item_is_refused(item in item()) {
        let bytes = encoded(&item);
        prop_assert!(WORLD.verify(&bytes).is_err());
        prop_assert!(WORLD.verify(&WORLD.enclave.sign(&bytes)).is_err());
    }

    /// The fields of a genuine document, some of which are anything.
    #[test]
    fn any_field_is_looked_at(replaced in proptest::collection::vec((0_usize..9, item()), 1..3)) {
        let mut fields = WORLD.enclave.fields(&WORLD.claims());
        for (number, item) in replaced {
            fields[number].1 = item;
        }
        if let Ok(attested) = WORLD.verify_fields(fields) {
            prop_assert!(!attested.module_id.is_empty());
            prop_assert!((1..=32).contains(&attested.pcrs.len()));
        }
    }
}
