//! Time of one encryption and one decryption of a 32-byte data key, on one core.
//!
//! `cargo bench -p keystead-crypto`; the aim is 2.5 us each.
#![expect(clippy::print_stdout, reason = "it prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use crypto::blob::{Blob, Header};
use crypto::{SecretKey, SystemRng, encryption_context, rng, symmetric};
use wire::names::{KeyId, KeyMaterialId};

/// Calls timed together: few enough that some rounds meet no interruption.
const CALLS: u32 = 200;
const ROUNDS: u32 = 5_000;

fn main() {
    let material = SecretKey::generate(&SystemRng).expect("the system has randomness");
    let header = Header {
        key_id: KeyId::from_uuid_bytes([1; 16]),
        key_material_id: KeyMaterialId::from_bytes([2; 32]),
    };
    let context = encryption_context::encode(&BTreeMap::from([("tenant".into(), "a1b2".into())]));
    let encrypt = || symmetric::encrypt(&material, &header, &context, &[7; 32], &SystemRng);
    let blob = encrypt().expect("it encrypts");

    measure("128 random bits", || {
        black_box(rng::array::<16>(&SystemRng)).expect("the system has randomness");
    });
    measure("encrypt", || drop(black_box(encrypt())));
    measure("decrypt", || {
        let parsed = Blob::parse(black_box(&blob));
        drop(black_box(parsed.and_then(|blob| symmetric::decrypt(&material, &blob, &context))));
    });
}

/// Prints the best round, in microseconds for one call.
fn measure(name: &str, call: impl Fn()) {
    let round = || {
        let begin = Instant::now();
        (0..CALLS).for_each(|_| call());
        begin.elapsed() / CALLS
    };
    let best = (0..ROUNDS).map(|_| round()).min().unwrap_or_default();
    println!("{name}: {:.2} us", best.as_secs_f64() * 1e6);
}
