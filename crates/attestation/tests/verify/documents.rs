//! A genuine document is believed; one that breaks a rule is not, whoever signed it.

use std::collections::BTreeMap;

use attestation::testing::{Claims, Enclave, encoded};
use attestation::{
    AttestationError, Attested, CABUNDLE_CERTIFICATES_MAX, CLOCK_SKEW_MAX, DOCUMENT_AGE_MAX,
    DOCUMENT_BYTES_MAX, PAYLOAD_BYTES_MAX, verify,
};
use ciborium::Value;
use jiff::SignedDuration;

use crate::world::WORLD;

/// `{1: -35}`, ES384.
const ES384: &[u8] = &[0xa1, 0x01, 0x38, 0x22];

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// The outcome for a genuine signature over the usual fields, one of which is another.
fn with(name: &str, value: Value) -> Result<Attested, AttestationError> {
    let mut fields = without(name);
    fields.push((text(name), value));
    WORLD.verify_fields(fields)
}

/// The usual fields but one.
fn without(name: &str) -> Vec<(Value, Value)> {
    let mut fields = WORLD.enclave.fields(&WORLD.claims());
    fields.retain(|(key, _)| *key != text(name));
    fields
}

/// An envelope of any parts, whose signature covers what COSE has it cover.
fn envelope(protected: &[u8], unprotected: Value, payload: &[u8]) -> Value {
    let bytes = |bytes: &[u8]| Value::Bytes(bytes.to_vec());
    let signed = [text("Signature1"), bytes(protected), bytes(b""), bytes(payload)];
    let signature = WORLD.enclave.signature(&encoded(&Value::Array(signed.into())));
    Value::Array(vec![bytes(protected), unprotected, bytes(payload), Value::Bytes(signature)])
}

fn usual_payload() -> Vec<u8> {
    encoded(&Value::Map(WORLD.enclave.fields(&WORLD.claims())))
}

#[test]
fn a_genuine_document_is_believed() {
    let claims = WORLD.claims();
    let expected = Attested {
        module_id: claims.module_id.clone(),
        time: WORLD.now,
        pcrs: claims.pcrs.clone(),
        nitro_tpm_pcrs: BTreeMap::new(),
        public_key_der: WORLD.recipient.public_key_der(),
    };
    assert_eq!(expected.enclave_image_digest(), Some(&[1; 48][..]));
    let document = WORLD.enclave.attest(&claims);
    assert_eq!(WORLD.verify(&document).unwrap(), expected);
    // Tag 18 may stand in front.
    assert_eq!(WORLD.verify(&[&[0xd2], &document[..]].concat()).unwrap(), expected);
    // Nor does the document's maker here agree with its reader alone: the parts are put together
    // by hand.
    let envelope = envelope(ES384, Value::Map(vec![]), &usual_payload());
    assert_eq!(WORLD.verify(&encoded(&envelope)).unwrap(), expected);
}

#[test]
fn a_document_of_an_instance_is_believed() {
    let nitro_tpm_pcrs = BTreeMap::from([(4, vec![4; 48]), (7, vec![7; 48])]);
    let claims =
        Claims { pcrs: BTreeMap::new(), nitro_tpm_pcrs: nitro_tpm_pcrs.clone(), ..WORLD.claims() };
    let attested = WORLD.verify(&WORLD.enclave.attest(&claims)).unwrap();
    assert!(attested.pcrs.is_empty());
    assert_eq!(attested.nitro_tpm_pcrs, nitro_tpm_pcrs);
    assert_eq!(attested.enclave_image_digest(), None);
}

#[test]
fn the_lengths_of_cbor_may_be_indefinite() {
    let fields = WORLD.enclave.fields(&WORLD.claims());
    let mut payload = vec![0xbf];
    for (key, value) in fields {
        payload.extend([encoded(&key), encoded(&value)].concat());
    }
    payload.push(0xff);
    assert!(WORLD.verify(&WORLD.enclave.sign(&payload)).is_ok());
    payload.pop();
    assert_eq!(WORLD.verify(&WORLD.enclave.sign(&payload)).err(), Some(AttestationError::Payload));
}

#[test]
fn fields_have_their_types_and_sizes() {
    let bytes = |length| Value::Bytes(vec![7; length]);
    let array = |length, item: Value| Value::Array(vec![item; length]);
    let integer = |number: i128| Value::from(number);
    let pcr = |index, length| Value::Map(vec![(integer(index), bytes(length))]);
    let pcrs = |count: i128| Value::Map((0..count).map(|i| (integer(i), bytes(48))).collect());
    let refused: &[(&'static str, &[Value])] = &[
        ("module_id", &[text(""), bytes(4), Value::Null, integer(1)]),
        ("digest", &[text(""), text("SHA256"), text("sha384"), text("SHA384 "), bytes(6)]),
        (
            "timestamp",
            &[
                integer(0),
                integer(-1),
                integer(1 << 62),
                integer(1 << 64),
                Value::Float(1.0),
                text("1"),
                Value::Null,
            ],
        ),
        (
            "pcrs",
            &[
                pcrs(0),
                pcrs(33),
                pcr(32, 48),
                pcr(-1, 48),
                pcr(256, 48),
                pcr(0, 0),
                pcr(0, 31),
                pcr(0, 47),
                pcr(0, 49),
                pcr(0, 65),
                Value::Map(vec![(text("0"), bytes(48))]),
                Value::Map(vec![(integer(0), text("0"))]),
                Value::Map(vec![(integer(0), bytes(48)), (integer(0), bytes(48))]),
                array(1, bytes(48)),
                Value::Null,
            ],
        ),
        ("certificate", &[bytes(0), bytes(1_025), text("certificate"), Value::Null]),
        (
            "cabundle",
            &[
                array(0, bytes(1)),
                array(CABUNDLE_CERTIFICATES_MAX + 1, bytes(1)),
                array(1, bytes(0)),
                array(1, bytes(1_025)),
                array(1, text("certificate")),
                array(1, Value::Null),
                bytes(1),
                Value::Null,
            ],
        ),
        ("public_key", &[bytes(0), bytes(1_025), text("key"), array(1, bytes(1))]),
        ("user_data", &[bytes(1_025), text("data"), integer(1)]),
        ("nonce", &[bytes(1_025), text("nonce"), Value::Bool(true)]),
    ];
    for (name, values) in refused {
        for (number, value) in values.iter().enumerate() {
            let outcome = with(name, value.clone());
            assert_eq!(outcome.err(), Some(AttestationError::Field(name)), "{name} {number}");
        }
    }
    let accepted: &[(&str, &[Value])] = &[
        ("pcrs", &[pcrs(1), pcrs(32), pcr(31, 32), pcr(0, 48), pcr(0, 64)]),
        ("user_data", &[Value::Null, bytes(0), bytes(1_024)]),
        ("nonce", &[Value::Null, bytes(0), bytes(1_024)]),
    ];
    for (name, values) in accepted {
        for (number, value) in values.iter().enumerate() {
            assert!(with(name, value.clone()).is_ok(), "{name} {number}");
        }
    }
}

#[test]
fn fields_are_those_of_the_list_and_each_is_there_once() {
    for name in ["module_id", "digest", "timestamp", "pcrs", "certificate", "cabundle"] {
        let missing = AttestationError::MissingField(name);
        assert_eq!(WORLD.verify_fields(without(name)).err(), Some(missing));
    }
    for name in ["user_data", "nonce"] {
        assert!(WORLD.verify_fields(without(name)).is_ok());
    }
    for (name, value) in WORLD.enclave.fields(&WORLD.claims()) {
        let name = name.as_text().unwrap();
        let mut twice = WORLD.enclave.fields(&WORLD.claims());
        twice.push((text(name), value));
        let Err(AttestationError::RepeatedField(repeated)) = WORLD.verify_fields(twice) else {
            panic!("{name} twice was believed");
        };
        assert_eq!(repeated, name);
    }
    for name in ["", "Module_id", "pcrs ", "extra", "module_id\0"] {
        assert_eq!(with(name, Value::Null).err(), Some(AttestationError::UnknownField));
    }
    let both = with("nitrotpm_pcrs", Value::Map(vec![(4.into(), Value::Bytes(vec![4; 48]))]));
    assert_eq!(both.err(), Some(AttestationError::RepeatedField("pcrs")));
}

#[test]
fn a_payload_is_one_map_with_text_keys() {
    let usual = usual_payload();
    for payload in [
        &[0x00][..],
        &[0x80],
        &[0xf6],
        &[0xff],
        &[&usual[..], &[0x00]].concat(),
        &[&[0xc0], &usual[..]].concat(),
        &[&[0x81], &usual[..]].concat(),
        &encoded(&Value::Bytes(usual.clone())),
        &encoded(&Value::Map(vec![(1.into(), 1.into())])),
    ] {
        let outcome = WORLD.verify(&WORLD.enclave.sign(payload));
        assert_eq!(outcome.err(), Some(AttestationError::Payload), "{payload:02x?}");
    }
    for length in 0..usual.len() {
        assert!(WORLD.verify(&WORLD.enclave.sign(&usual[..length])).is_err(), "{length} bytes");
    }
    let empty = WORLD.verify_fields(vec![]);
    assert_eq!(empty.err(), Some(AttestationError::MissingField("module_id")));
}

#[test]
fn headers_are_those_of_es384_alone() {
    let empty = || Value::Map(vec![]);
    let header = |entries: &[(i32, i32)]| {
        let entries = entries.iter().map(|(key, value)| ((*key).into(), (*value).into()));
        encoded(&Value::Map(entries.collect()))
    };
    let protected: &[Vec<u8>] = &[
        vec![],
        header(&[]),
        // ES256, ES512, EdDSA, PS384, HMAC 256, reserved, and one that IANA has not.
        header(&[(1, -7)]),
        header(&[(1, -36)]),
        header(&[(1, -8)]),
        header(&[(1, -38)]),
        header(&[(1, 5)]),
        header(&[(1, 0)]),
        header(&[(1, -70_000)]),
        header(&[(1, -35), (1, -35)]),
        header(&[(1, -35), (1, -7)]),
        header(&[(1, -35), (3, 0)]),
        header(&[(1, -35), (99, 0)]),
        header(&[(2, -35)]),
        encoded(&Value::Map(vec![(1.into(), text("ES384"))])),
        encoded(&Value::Array(vec![])),
        [ES384, &[0]].concat(),
        ES384[..3].to_vec(),
    ];
    let payload = usual_payload();
    for protected in protected {
        let outcome = WORLD.verify(&encoded(&envelope(protected, empty(), &payload)));
        assert_eq!(outcome.err(), Some(AttestationError::Headers), "{protected:02x?}");
    }
    for entry in [(1, -35), (1, -7), (4, 4), (99, 0)] {
        let unprotected = Value::Map(vec![(entry.0.into(), entry.1.into())]);
        let outcome = WORLD.verify(&encoded(&envelope(ES384, unprotected, &payload)));
        assert_eq!(outcome.err(), Some(AttestationError::Headers), "{entry:?}");
    }
    assert!(WORLD.verify(&encoded(&envelope(ES384, empty(), &payload))).is_ok());
}

#[test]
fn an_envelope_has_four_parts_of_their_types_and_sizes() {
    let usual = envelope(ES384, Value::Map(vec![]), &usual_payload());
    let Value::Array(usual) = usual else { panic!("an envelope is an array") };
    let refused = |value: &Value| {
        let outcome = WORLD.verify(&encoded(value));
        assert_eq!(outcome.err(), Some(AttestationError::Envelope), "{value:?}");
    };
    for part in 0..4 {
        let mut fewer = usual.clone();
        fewer.remove(part);
        refused(&Value::Array(fewer));
        for other in [Value::Null, 1.into(), text("text"), Value::Array(vec![])] {
            let mut altered = usual.clone();
            altered[part] = other;
            refused(&Value::Array(altered));
        }
    }
    let mut more = usual.clone();
    more.push(Value::Null);
    refused(&Value::Array(more));
    for (part, length) in [(2, 0), (2, PAYLOAD_BYTES_MAX + 1), (3, 0), (3, 95), (3, 97), (3, 64)] {
        let mut altered = usual.clone();
        altered[part] = Value::Bytes(vec![0; length]);
        refused(&Value::Array(altered));
    }
    // Tags: COSE_Sign, COSE_Mac0, and one around the right one.
    let document = Value::Array(usual);
    for tag in [98, 17, 55_799] {
        refused(&Value::Tag(tag, Box::new(document.clone())));
        refused(&Value::Tag(tag, Box::new(Value::Tag(18, Box::new(document.clone())))));
    }
    refused(&Value::Tag(18, Box::new(Value::Tag(18, Box::new(document.clone())))));
    refused(&Value::Bytes(encoded(&document)));
    let trailing = [encoded(&document), vec![0]].concat();
    assert_eq!(WORLD.verify(&trailing).err(), Some(AttestationError::Envelope));
}

#[test]
fn a_longest_payload_fits_and_a_longer_document_is_not_read() {
    let longest = vec![0; PAYLOAD_BYTES_MAX];
    let document = [&[0xd2], &WORLD.enclave.sign(&longest)[..]].concat();
    assert_eq!(document.len(), PAYLOAD_BYTES_MAX + 109);
    assert_eq!(WORLD.verify(&document).err(), Some(AttestationError::Payload));
    let bytes = DOCUMENT_BYTES_MAX + 1;
    let too_long = AttestationError::TooLong { bytes, bytes_max: DOCUMENT_BYTES_MAX };
    assert_eq!(WORLD.verify(&vec![0; bytes]).err(), Some(too_long));
}

#[test]
fn the_signature_is_that_of_the_certificate() {
    let other = Enclave::new(&WORLD.root, WORLD.now);
    let payload = usual_payload();
    let foreign = WORLD.verify(&other.sign(&payload));
    assert_eq!(foreign.err(), Some(AttestationError::Signature));
    // Right key, but the payload alone is signed, or the context of another structure.
    let bytes = |bytes: &[u8]| Value::Bytes(bytes.to_vec());
    let counter = [text("CounterSignature"), bytes(ES384), bytes(b""), bytes(&payload)];
    for signed in [payload.clone(), encoded(&Value::Array(counter.into()))] {
        let signature = WORLD.enclave.signature(&signed);
        let parts = vec![bytes(ES384), Value::Map(vec![]), bytes(&payload), bytes(&signature)];
        let outcome = WORLD.verify(&encoded(&Value::Array(parts)));
        assert_eq!(outcome.err(), Some(AttestationError::Signature));
    }
    for signature in [[0; 96], [0xff; 96]] {
        let parts = vec![bytes(ES384), Value::Map(vec![]), bytes(&payload), bytes(&signature)];
        let outcome = WORLD.verify(&encoded(&Value::Array(parts)));
        assert_eq!(outcome.err(), Some(AttestationError::Signature));
    }
}

#[test]
fn a_document_is_fresh_for_five_minutes() {
    let document = WORLD.enclave.attest(&WORLD.claims());
    let after = |time: SignedDuration| verify(&document, &WORLD.roots, WORLD.now + time);
    let millisecond = SignedDuration::from_millis(1);
    assert!(after(DOCUMENT_AGE_MAX).is_ok());
    let age = DOCUMENT_AGE_MAX + millisecond;
    assert_eq!(after(age).err(), Some(AttestationError::TooOld { age }));
    assert!(after(-CLOCK_SKEW_MAX).is_ok());
    let ahead = CLOCK_SKEW_MAX + millisecond;
    assert_eq!(after(-ahead).err(), Some(AttestationError::FromTheFuture { ahead }));
    assert_eq!(
        AttestationError::TooOld { age: SignedDuration::from_mins(90) }.to_string(),
        "the document was made 1h 30m ago"
    );
}

#[test]
fn a_document_names_an_rsa_key() {
    use rcgen::PublicKeyData;

    let key = |bytes: Vec<u8>| with("public_key", Value::Bytes(bytes)).err();
    let no_key = Some(AttestationError::PublicKey);
    assert_eq!(with("public_key", Value::Null).err(), no_key);
    assert_eq!(WORLD.verify_fields(without("public_key")).err(), no_key);
    let rsa = WORLD.recipient.public_key_der();
    assert_eq!(key(rsa.clone()), None);
    assert_eq!(key(rsa[1..].to_vec()), no_key);
    assert_eq!(key([&rsa[..], &[0]].concat()), no_key);
    assert_eq!(key(attestation::testing::key_pair().subject_public_key_info()), no_key);
}
