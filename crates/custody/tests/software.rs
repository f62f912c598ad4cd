//! The software custodian: what it encrypts it decrypts, within the bounds of its arena.

mod common;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use common::{Deployment, call, identity};
use crypto::blob::{Blob, OVERHEAD_BYTES};
use crypto::{Rng, RngError, SystemRng};
use custody::{Custodian, CustodyError, SoftwareCustodian, Workshop};

/// One page of slots.
const SMALLEST_ARENA_BYTES: usize = 1;

#[test]
fn what_is_encrypted_decrypts_and_only_in_its_context() {
    let custodian = Deployment::new().custodian(1 << 16);
    let own = identity(1);
    let wrapped = call(custodian.generate(&own)).unwrap();
    let blob = call(custodian.encrypt(&own, &wrapped, b"context", b"plaintext")).unwrap();
    assert_eq!(blob.len(), b"plaintext".len() + OVERHEAD_BYTES);
    let parsed = Blob::parse(&blob).unwrap();
    assert_eq!(parsed.header().key_id, own.key_id);
    assert_eq!(parsed.header().key_material_id, own.key_material_id);

    let plaintext = call(custodian.decrypt(&own, &wrapped, b"context", parsed)).unwrap();
    assert_eq!(plaintext.expose(), b"plaintext");
    assert!(matches!(
        call(custodian.decrypt(&own, &wrapped, b"Context", parsed)),
        Err(CustodyError::InvalidCiphertext)
    ));
    let other = identity(2);
    let other_wrapped = call(custodian.generate(&other)).unwrap();
    assert!(matches!(
        call(custodian.decrypt(&other, &other_wrapped, b"context", parsed)),
        Err(CustodyError::InvalidCiphertext)
    ));
}

#[test]
fn more_keys_than_slots_are_served_and_the_arena_never_grows() {
    let custodian = Deployment::new().custodian(SMALLEST_ARENA_BYTES);
    let rows: Vec<_> = (0..500)
        .map(|number| (identity(number), call(custodian.generate(&identity(number))).unwrap()))
        .collect();
    assert!(custodian.keys_held() < custodian.slots());
    let blobs: Vec<_> = rows
        .iter()
        .map(|(identity, wrapped)| call(custodian.encrypt(identity, wrapped, &[], b"p")).unwrap())
        .collect();
    for ((identity, wrapped), blob) in rows.iter().zip(&blobs) {
        let blob = Blob::parse(blob).unwrap();
        let plaintext = call(custodian.decrypt(identity, wrapped, &[], blob)).unwrap();
        assert_eq!(plaintext.expose(), b"p");
        assert!(custodian.slots_taken() <= custodian.slots());
    }
    assert_eq!(
        custodian.slots_taken(),
        custodian.keys_held(),
        "evicted keys give back their slots"
    );
}

#[test]
fn threads_that_evict_each_other_all_get_their_keys() {
    let custodian = Arc::new(Deployment::new().custodian(SMALLEST_ARENA_BYTES));
    let rows: Arc<Vec<_>> = Arc::new(
        (0..200)
            .map(|number| (identity(number), call(custodian.generate(&identity(number))).unwrap()))
            .collect(),
    );
    let threads: Vec<_> = (0..4)
        .map(|first: usize| {
            let (custodian, rows) = (Arc::clone(&custodian), Arc::clone(&rows));
            thread::spawn(move || {
                for round in 0..2_000 {
                    let (identity, wrapped) = &rows[(first * 50 + round * 7) % rows.len()];
                    let blob = call(custodian.encrypt(identity, wrapped, &[], b"p")).unwrap();
                    let blob = Blob::parse(&blob).unwrap();
                    let plaintext = call(custodian.decrypt(identity, wrapped, &[], blob)).unwrap();
                    assert_eq!(plaintext.expose(), b"p");
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(custodian.slots_taken(), custodian.keys_held());
}

#[test]
fn forgotten_material_gives_back_its_slot() {
    let custodian = Deployment::new().custodian(1 << 16);
    let wrapped = call(custodian.generate(&identity(1))).unwrap();
    assert_eq!((custodian.keys_held(), custodian.slots_taken()), (1, 1));
    custodian.forget(&identity(1));
    assert_eq!((custodian.keys_held(), custodian.slots_taken()), (0, 0));
    assert!(call(custodian.encrypt(&identity(1), &wrapped, &[], b"p")).is_ok());
}

#[test]
fn rewrapped_material_of_the_same_identity_is_believed_only_if_it_opens() {
    let custodian = Deployment::new().custodian(1 << 16);
    let own = identity(1);
    let first = call(custodian.generate(&own)).unwrap();
    let blob = call(custodian.encrypt(&own, &first, &[], b"p")).unwrap();
    // Genuine, but other material under the same identity: it opens, and does not decrypt.
    let second = call(custodian.generate(&own)).unwrap();
    let parsed = Blob::parse(&blob).unwrap();
    assert!(matches!(
        call(custodian.decrypt(&own, &second, &[], parsed)),
        Err(CustodyError::InvalidCiphertext)
    ));
    assert_eq!(call(custodian.decrypt(&own, &first, &[], parsed)).unwrap().expose(), b"p");
}

#[test]
fn a_hundred_thousand_nonces_of_four_threads_are_distinct() {
    const BLOBS_FOR_EACH_THREAD: usize = 25_000;
    let custodian = Arc::new(Deployment::new().custodian(1 << 16));
    let wrapped = Arc::new(call(custodian.generate(&identity(1))).unwrap());
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (custodian, wrapped) = (Arc::clone(&custodian), Arc::clone(&wrapped));
            thread::spawn(move || {
                let encrypt =
                    |_| call(custodian.encrypt(&identity(1), &wrapped, &[], &[])).unwrap();
                (0..BLOBS_FOR_EACH_THREAD).map(encrypt).collect::<Vec<_>>()
            })
        })
        .collect();
    let blobs: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    let kdf_nonces: HashSet<_> = blobs.iter().map(|blob| &blob[50..66]).collect();
    let gcm_nonces: HashSet<_> = blobs.iter().map(|blob| &blob[66..78]).collect();
    assert_eq!(kdf_nonces.len(), 4 * BLOBS_FOR_EACH_THREAD);
    assert_eq!(gcm_nonces.len(), 4 * BLOBS_FOR_EACH_THREAD);
}

/// Fails at the n-th call and from then on.
struct FailingRng {
    calls_left: AtomicU64,
}

impl Rng for FailingRng {
    fn fill(&self, out: &mut [u8]) -> Result<(), RngError> {
        let spend = |calls: u64| calls.checked_sub(1);
        match self.calls_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, spend) {
            Ok(_) => SystemRng.fill(out),
            Err(_) => Err(RngError),
        }
    }
}

#[test]
fn generation_fails_whole_when_chance_fails_at_any_call() {
    let deployment = Deployment::new();
    let mut calls = 0;
    loop {
        let rng = Arc::new(FailingRng { calls_left: AtomicU64::new(calls) });
        let custodian = SoftwareCustodian::new(
            Arc::clone(&deployment.keyring),
            rng,
            SMALLEST_ARENA_BYTES,
            Arc::new(Workshop::start()),
        )
        .unwrap();
        match call(custodian.generate(&identity(1))) {
            Err(CustodyError::Crypto(_)) => assert_eq!(custodian.slots_taken(), 0),
            Err(error) => panic!("{error}"),
            Ok(_) => break,
        }
        calls += 1;
    }
    assert_eq!(calls, 3, "material, test plaintext, test nonce");
}
