//! Measures the store with many keys: `cargo run --release -p keystead-store --example many_keys --
//! FOLDER KEYS`.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a measurement reads the clock and prints"
)]

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use crypto::SecretKey;
use crypto::seal::{SealKey, SealKeys};
use jiff::Timestamp;
use store::{
    AliasRow, KeyPolicyRow, KeyRecord, KeyRow, LockedStore, MaterialRow, Store, StoreError,
    StoreOptions, TagRow,
};
use wire::enums::{KeyManager, KeyMaterialState, KeySpec, KeyState, KeyUsage, OriginType};
use wire::names::{AccountId, KeyId, KeyMaterialId, Region};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Keys that one act makes while the store is filled.
const KEYS_PER_ACT: u64 = 500;

/// Times that each look is repeated.
const REPEATS: u32 = 2_000;

/// Looks that are timed together.
const BATCH: u32 = 50;

/// A default key policy has about this length.
const POLICY_BYTES: usize = 300;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("which folder?")?;
    let keys: u64 = arguments.next().ok_or("how many keys?")?.parse()?;
    let path = Path::new(&folder).join("keystead.db");
    tokio::runtime::Builder::new_multi_thread().build()?.block_on(measure(&path, keys))
}

async fn measure(path: &Path, keys: u64) -> Outcome<()> {
    let store = open(path)?;
    let filling = Instant::now();
    for first in (0..keys).step_by(usize::try_from(KEYS_PER_ACT)?) {
        fill(&store, first..keys.min(first + KEYS_PER_ACT)).await?;
    }
    println!("{keys} keys made: {:?}", filling.elapsed());
    store.close().await?;
    drop(store);
    println!("database: {} MiB", std::fs::metadata(path)?.len() >> 20);

    let opening = Instant::now();
    let store = open(path)?;
    println!("open and unlock: {:?}", opening.elapsed());

    look(
        &store,
        "one key again and again, in one act",
        move |_| 1,
        |look, number| look.key(region()?, key_id(number)).map(drop),
    )
    .await?;
    let scattered = move |round: u64| round.wrapping_mul(2_654_435_761) % keys;
    look(&store, "keys here and there, in one act", scattered, |look, number| {
        look.key(region()?, key_id(number)).map(drop)
    })
    .await?;
    look(&store, "an alias", scattered, |look, number| {
        look.alias(account(number)?, region()?, &alias(number)?).map(drop)
    })
    .await?;
    let one_by_one = Instant::now();
    for round in 0..REPEATS {
        let number = scattered(u64::from(round));
        let read: Result<_, StoreError> =
            store.read(move |look| look.key(region()?, key_id(number))).await;
        read?;
    }
    println!("keys here and there, an act each: {:?}", one_by_one.elapsed() / REPEATS);
    counts_and_pages(&store).await?;
    for callers in [1, 16, 64] {
        writes(&store, keys, callers).await?;
    }
    let closing = Instant::now();
    store.close().await?;
    println!("close: {:?}", closing.elapsed());
    Ok(())
}

async fn look(
    store: &Store,
    what: &str,
    number: impl Fn(u64) -> u64 + Send + 'static,
    act: fn(&store::Snapshot<'_>, u64) -> Result<(), StoreError>,
) -> Outcome<()> {
    let took: Result<Duration, StoreError> = store
        .read(move |snapshot| {
            // The best of many batches: what the store costs, not what its neighbours on the
            // machine do.
            let mut best = Duration::MAX;
            for batch in 0..REPEATS / BATCH {
                let begun = Instant::now();
                for round in batch * BATCH..(batch + 1) * BATCH {
                    act(snapshot, number(u64::from(round)))?;
                }
                best = best.min(begun.elapsed() / BATCH);
            }
            Ok(best)
        })
        .await;
    println!("{what}: {:?}", took?);
    Ok(())
}

async fn counts_and_pages(store: &Store) -> Outcome<()> {
    let took: Result<_, StoreError> = store
        .read(|snapshot| {
            let counting = Instant::now();
            let count = snapshot.count_keys(account(0)?, region()?)?;
            let counting = counting.elapsed();
            let paging = Instant::now();
            let page = snapshot.keys_page(account(0)?, region()?, Some(key_id(7)), 1_000)?.len();
            let paging = paging.elapsed();
            let due = Instant::now();
            let found = snapshot.keys_due(Timestamp::UNIX_EPOCH, 100)?.len();
            Ok((count, counting, page, paging, found, due.elapsed()))
        })
        .await;
    let (count, counting, page, paging, found, due) = took?;
    println!("count of {count} keys of one account: {counting:?}");
    println!("page of {page} keys: {paging:?}; {found} due keys: {due:?}");
    Ok(())
}

/// Saves of keys by so many callers at once.
async fn writes(store: &Store, keys: u64, callers: u64) -> Outcome<()> {
    const SAVES: u64 = 20;
    let begun = Instant::now();
    let mut tasks = Vec::new();
    for caller in 0..callers {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            for save in 0..SAVES {
                let number = (caller * SAVES + save) % keys;
                let saved: Result<_, StoreError> = store
                    .write(move |transaction| {
                        if let Some(mut record) = transaction.key(region()?, key_id(number))? {
                            record.key.description.push('.');
                            transaction.save_key(&record)?;
                        }
                        transaction.append_record(&[b'x'; 900])
                    })
                    .await;
                store.write(move |transaction| transaction.drop_records(saved?)).await?;
            }
            Ok::<_, StoreError>(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    let rate = f64::from(u32::try_from(callers * SAVES * 2)?) / begun.elapsed().as_secs_f64();
    println!("writes with {callers} callers: {rate:.0}/s");
    Ok(())
}

async fn fill(store: &Store, numbers: std::ops::Range<u64>) -> Outcome<()> {
    let filled: Result<(), StoreError> = store
        .write(move |transaction| {
            for number in numbers {
                transaction.save_key(&record(number)?)?;
            }
            Ok(())
        })
        .await;
    Ok(filled?)
}

fn open(path: &Path) -> Result<Store, StoreError> {
    let key = SealKey::new(1, &SecretKey::new([7; 32]));
    let locked = LockedStore::open(path, StoreOptions::default())?;
    locked.unlock(SealKeys::new(key, Vec::new()))
}

fn key_id(number: u64) -> KeyId {
    // Scattered as real ids are: the multiplier is odd, so no two numbers share an id.
    let spread = u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    KeyId::from_uuid_bytes(spread.to_be_bytes())
}

/// Ten accounts share the keys.
fn account(number: u64) -> Result<AccountId, StoreError> {
    let account = format!("{:012}", 111_122_223_330 + number % 10);
    account.parse().map_err(|_| StoreError::OutOfRange { what: "an account" })
}

fn region() -> Result<Region, StoreError> {
    "eu-central-1".parse().map_err(|_| StoreError::OutOfRange { what: "a Region" })
}

fn alias(number: u64) -> Result<wire::names::AliasName, StoreError> {
    let alias = format!("alias/application-{number}");
    alias.parse().map_err(|_| StoreError::OutOfRange { what: "an alias" })
}

fn record(number: u64) -> Result<KeyRecord, StoreError> {
    let created = Timestamp::UNIX_EPOCH;
    let key_id = key_id(number);
    let mut material_id = [0; 32];
    material_id[..8].copy_from_slice(&number.to_be_bytes());
    let key_material_id = KeyMaterialId::from_bytes(material_id);
    Ok(KeyRecord {
        key: KeyRow {
            account: account(number)?,
            region: region()?,
            key_id,
            sequence: 0,
            key_spec: KeySpec::SymmetricDefault,
            key_usage: KeyUsage::EncryptDecrypt,
            origin: OriginType::AwsKms,
            key_manager: KeyManager::Customer,
            multi_region: false,
            state: KeyState::Enabled,
            description: "a key of the measurement".to_owned(),
            created,
            deletion_date: None,
            pending_window_days: None,
            current_key_material_id: Some(key_material_id),
        },
        materials: vec![MaterialRow {
            key_material_id,
            domain_key_version: 1,
            wrapped: vec![1; 60],
            created,
            state: KeyMaterialState::Current,
        }],
        policy: KeyPolicyRow { document: "p".repeat(POLICY_BYTES) },
        aliases: vec![AliasRow { alias: alias(number)?, key_id, created, updated: created }],
        tags: vec![TagRow { tag_key: "Stage".to_owned(), tag_value: "production".to_owned() }],
        rotation: None,
        multi_region: None,
        material_rotations: Vec::new(),
        material_imports: Vec::new(),
    })
}
