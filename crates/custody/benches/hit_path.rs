//! Time of one encryption and one decryption through the custodian with cached material, on one
//! core.
//!
//! `cargo bench -p keystead-custody`; the custodian may cost 100 ns over `crypto` alone. 10,000
//! keys are held, as in a warm server, and asked for by turns.
#![expect(clippy::print_stdout, reason = "it prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "it measures time")]

use std::hint::black_box;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crypto::blob::{Blob, Header};
use crypto::{SecretKey, SystemRng, symmetric};
use custody::{
    ARENA_BYTES_DEFAULT, Custodial, Custodian, DeploymentId, FileRootKey, Keyring,
    MaterialIdentity, SoftwareCustodian, Workshop, WrappedMaterial,
};
use wire::enums::{KeySpec, KeyUsage, OriginType};
use wire::names::{KeyId, KeyMaterialId, Partition};

const KEYS: u32 = 10_000;
/// As many as are timed together.
const HOT_KEYS: usize = 50;
const ROUNDS: u32 = 100;
/// Calls timed together: few enough that some rounds meet no interruption.
const CALLS: u32 = 50;
const PLAINTEXT: [u8; 32] = [7; 32];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let root = FileRootKey::create(&directory.path().join("root-key"), &SystemRng)?;
    let deployment_id = DeploymentId::generate(&SystemRng)?;
    let (keyring, _) =
        Keyring::create(&root, deployment_id, jiff::Timestamp::UNIX_EPOCH, &SystemRng)?;
    let custodian = SoftwareCustodian::new(
        Arc::new(keyring),
        Arc::new(SystemRng),
        ARENA_BYTES_DEFAULT,
        Arc::new(Workshop::start()),
    )?;
    println!("backing: {:?}, slots: {}", custodian.backing(), custodian.slots());

    let mut rows = Vec::new();
    for number in 0..KEYS {
        let identity = identity(deployment_id, number)?;
        let wrapped = call(custodian.generate(&identity)).ok_or("no material")?;
        let blob =
            call(custodian.encrypt(&identity, &wrapped, &[], &PLAINTEXT)).ok_or("no blob")?;
        rows.push((identity, wrapped, blob));
    }
    println!("keys held: {}", custodian.keys_held());

    let material = SecretKey::generate(&SystemRng)?;
    let encrypt_alone = |(identity, _, _): &Row| {
        let header = Header { key_id: identity.key_id, key_material_id: identity.key_material_id };
        drop(black_box(symmetric::encrypt(&material, &header, &[], &PLAINTEXT, &SystemRng)));
    };
    let decrypt_alone = |(_, _, blob): &Row| {
        drop(black_box(Blob::parse(blob).map(|blob| symmetric::decrypt(&material, &blob, &[]))));
    };
    let encrypt = |(identity, wrapped, _): &Row| {
        drop(black_box(call(custodian.encrypt(identity, wrapped, &[], &PLAINTEXT))));
    };
    let decrypt = |(identity, wrapped, blob): &Row| {
        let decrypt = |blob| call(custodian.decrypt(identity, wrapped, &[], blob));
        drop(black_box(Blob::parse(blob).map(decrypt)));
    };
    let hot = rows.get(..HOT_KEYS).ok_or("too few keys")?;
    for (which, rows) in [("all keys by turns", rows.as_slice()), ("the same 50 keys", hot)] {
        println!("{which}:");
        measure("encrypt, crypto alone", rows, encrypt_alone);
        measure("encrypt, custodian", rows, encrypt);
        measure("decrypt, crypto alone", rows, decrypt_alone);
        measure("decrypt, custodian", rows, decrypt);
    }
    rows.iter().for_each(|(identity, _, _)| custodian.forget(identity));
    println!("material unwrapped anew:");
    measure("encrypt, custodian", &rows, |row| {
        encrypt(row);
        custodian.forget(&row.0);
    });
    Ok(())
}

type Row = (MaterialIdentity, WrappedMaterial, Vec<u8>);

/// Prints the best of all rounds, in nanoseconds for one call.
fn measure(name: &str, rows: &[Row], operate: impl Fn(&Row)) {
    let time = |rows: &[Row]| {
        let begin = Instant::now();
        rows.iter().for_each(&operate);
        begin.elapsed() / CALLS
    };
    let calls = usize::try_from(CALLS).unwrap_or(1);
    let best = (0..ROUNDS).flat_map(|_| rows.chunks_exact(calls)).map(time).min();
    println!("  {name}: {} ns", best.unwrap_or_default().as_nanos());
}

/// The answer of a custodian that answers at once.
fn call<T>(mut future: Custodial<'_, T>) -> Option<T> {
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer.ok(),
        Poll::Pending => None,
    }
}

/// The identity of the n-th key. Its ids are spread as random ones are.
fn identity(
    deployment_id: DeploymentId,
    number: u32,
) -> Result<MaterialIdentity, Box<dyn std::error::Error>> {
    let mut key_material_id = [0; 32];
    for chunk in key_material_id.as_chunks_mut::<4>().0 {
        *chunk = number.wrapping_mul(0x9e37_79b9).to_be_bytes();
    }
    let mut key_id = [0; 16];
    key_id.first_chunk_mut::<4>().ok_or("too short")?.copy_from_slice(&number.to_be_bytes());
    Ok(MaterialIdentity {
        deployment_id,
        partition: Partition::Aws,
        account: "111122223333".parse()?,
        region: "eu-central-1".parse()?,
        key_id: KeyId::from_uuid_bytes(key_id),
        key_material_id: KeyMaterialId::from_bytes(key_material_id),
        key_spec: KeySpec::SymmetricDefault,
        key_usage: KeyUsage::EncryptDecrypt,
        origin: OriginType::AwsKms,
    })
}
