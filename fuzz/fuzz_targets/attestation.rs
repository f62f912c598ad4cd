//! Attestation documents: whatever strangers send is refused, and whatever is signed is read without harm.
#![no_main]

use std::sync::LazyLock;

use attestation::testing::{Claims, Enclave, Recipient, Root};
use attestation::{Attested, Roots, seal_for, verify};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

const SECONDS: i64 = 1_772_366_400;

struct World {
    enclave: Enclave,
    roots: Roots,
    genuine: Vec<u8>,
    attested: Attested,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let (root, recipient) = (Root::generate(), Recipient::generate());
    let enclave = Enclave::new(&root, now());
    let genuine = enclave.attest(&Claims::new(now(), &recipient.public_key_der()));
    let roots = root.roots();
    let attested = verify(&genuine, &roots, now()).expect("a genuine document is believed");
    World { enclave, roots, genuine, attested }
});

fuzz_target!(|input: &[u8]| {
    let Some((part, rest)) = input.split_first() else { return };
    match part % 4 {
        0 => assert!(believed(rest).is_none(), "a document that nobody signed was believed"),
        1 => signed(rest),
        2 => altered(rest),
        _ => sealed(rest),
    }
});

fn now() -> Timestamp {
    Timestamp::from_second(SECONDS).expect("2026 is a time")
}

fn believed(document: &[u8]) -> Option<Attested> {
    verify(document, &WORLD.roots, now()).ok()
}

/// The input as what an enclave signed.
fn signed(payload: &[u8]) {
    if let Some(attested) = believed(&WORLD.enclave.sign(payload)) {
        assert!(!attested.module_id.is_empty());
        assert_ne!(attested.pcrs.is_empty(), attested.nitro_tpm_pcrs.is_empty());
        assert!(attested.pcrs.keys().chain(attested.nitro_tpm_pcrs.keys()).all(|pcr| *pcr < 32));
    }
}

/// A genuine document, from a place on the input in place of what stands there. A tag in front or
/// a length written longer says the same, and only that is believed.
fn altered(input: &[u8]) {
    let Some((place, inserted)) = input.split_first_chunk::<2>() else { return };
    let mut document = WORLD.genuine.clone();
    let start = usize::from(u16::from_le_bytes(*place)) % document.len();
    let end = document.len().min(start + inserted.len());
    document.splice(start..end, inserted.iter().copied());
    if let Some(attested) = believed(&document) {
        assert_eq!(attested, WORLD.attested);
    }
}

/// The input as a key to answer to.
fn sealed(public_key_der: &[u8]) {
    let fill = |bytes: &mut [u8]| {
        bytes.fill(7);
        Ok::<(), ()>(())
    };
    let _ = seal_for(public_key_der, b"plaintext", fill);
}
