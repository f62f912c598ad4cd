//! What is deleted leaves no byte in the database's files.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::mpsc;

use store::{Store, StoreError};
use wire::names::KeyId;

use crate::support::*;

/// Begins every 16 bytes of the wrapped material in these tests; a number and `>` end them.
const MARK: &[u8] = b"<material";

/// Wrapped material about as long as `bytes`, each part of which tells its number.
fn marked(number: usize, bytes: usize) -> Vec<u8> {
    format!("<material{number:06}>").into_bytes().repeat(bytes.div_ceil(16))
}

/// The numbers of all material of which any file of the database holds a part.
fn found(folder: &Path) -> BTreeSet<usize> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.flat_map(|path| numbers(&std::fs::read(path).unwrap())).collect()
}

fn numbers(bytes: &[u8]) -> Vec<usize> {
    let places = bytes.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK);
    let ends = places.map(|(place, _)| place + MARK.len());
    let texts = ends.filter_map(|end| std::str::from_utf8(bytes.get(end..end + 6)?).ok());
    texts.filter_map(|number| number.parse().ok()).collect()
}

/// The first numbers of a fixed sequence that looks like chance.
struct Chance(u64);

impl Chance {
    /// A number below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        // Knuth's multiplier for 64 bits; the upper half of the state is the better one.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

/// Ids that are scattered as real ones are.
fn scattered(number: usize) -> KeyId {
    let number = u128::try_from(number).unwrap();
    let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    KeyId::from_uuid_bytes(spread.to_be_bytes())
}

async fn make(store: &Store, number: usize, bytes: usize) {
    let mut record = key(1);
    record.key.key_id = scattered(number);
    record.materials[0].wrapped = marked(number, bytes);
    save(store, &record).await;
}

async fn delete(store: &Store, number: usize) {
    let deleted: Result<_, StoreError> =
        store.write(move |transaction| transaction.delete_key(region(0), scattered(number))).await;
    assert!(deleted.unwrap());
}

async fn scrub(store: &Store) -> bool {
    store.scrub().await.unwrap()
}

#[tokio::test]
async fn a_deleted_keys_material_is_in_no_file() {
    let place = Place::new();
    let folder = place.folder.path();
    for number in [1, 2] {
        make(&place.store, number, 60).await;
    }
    let in_log = std::fs::read(folder.join("keystead.db-wal")).unwrap();
    assert_eq!(BTreeSet::from_iter(numbers(&in_log)), BTreeSet::from([1, 2]));
    assert!(scrub(&place.store).await);
    let in_database = std::fs::read(place.path()).unwrap();
    assert_eq!(BTreeSet::from_iter(numbers(&in_database)), BTreeSet::from([1, 2]));

    delete(&place.store, 1).await;
    assert_eq!(found(folder), BTreeSet::from([2]));
    assert!(scrub(&place.store).await);
    assert_eq!(found(folder), BTreeSet::from([2]));
    let place = place.close_and_open();
    assert_eq!(found(place.folder.path()), BTreeSet::from([2]));
    assert!(load(&place.store, region(0), scattered(2)).await.unwrap().is_some());
}

/// Imported material that is deleted or expires leaves its row, without the bytes.
#[tokio::test]
async fn emptied_and_removed_material_is_in_no_file() {
    let place = Place::new();
    let mut record = key(1);
    record.materials = vec![material(1), material(2), material(3)];
    for (number, material) in (1..).zip(&mut record.materials) {
        material.wrapped = marked(number, 60);
    }
    let mut record = save(&place.store, &record).await;
    let folder = place.folder.path();
    assert_eq!(found(folder), BTreeSet::from([1, 2, 3]));
    record.materials[0].wrapped.clear();
    let mut record = save(&place.store, &record).await;
    assert_eq!(found(folder), BTreeSet::from([2, 3]));
    record.materials.remove(1);
    save(&place.store, &record).await;
    assert_eq!(found(folder), BTreeSet::from([3]));
}

/// Keys of many sizes come and go, so that rows move between pages and leave copies that their
/// deletion does not reach.
#[tokio::test]
async fn a_scrub_finds_the_copies_that_moving_rows_left() {
    let mut missed = 0;
    for seed in [1, 19, 28] {
        let place = Place::new();
        let mut chance = Chance(seed);
        let mut live = Vec::new();
        for number in 0..1_000 {
            if live.len() > 20 && chance.below(100) < 45 {
                let gone = live.swap_remove(chance.below(live.len()));
                delete(&place.store, gone).await;
            } else {
                let sizes = [60, 60, 76, 150, 300, 1_300, 2_500];
                make(&place.store, number, sizes[chance.below(sizes.len())]).await;
                live.push(number);
            }
        }
        let live = BTreeSet::from_iter(live);
        let before = found(place.folder.path());
        assert!(live.is_subset(&before));
        missed += before.len() - live.len();

        assert!(scrub(&place.store).await);
        assert_eq!(found(place.folder.path()), live);
        let place = place.close_and_open();
        for number in &live {
            let record = load(&place.store, region(0), scattered(*number)).await.unwrap().unwrap();
            assert_eq!(numbers(&record.materials[0].wrapped)[0], *number);
        }
    }
    assert!(missed > 0, "SQLite leaves no copies any more: then a scrub need not rewrite a table");
}

/// A reader that looks at a state from before the deletion, and the way to end its look.
async fn reader(store: &Store) -> (tokio::task::JoinHandle<()>, mpsc::Sender<()>) {
    let (release, held) = mpsc::channel::<()>();
    let (tell, looks) = tokio::sync::oneshot::channel();
    let store = store.clone();
    let reader = tokio::spawn(async move {
        let outcome: Result<(), StoreError> = store
            .read(move |_| {
                tell.send(()).unwrap();
                held.recv().unwrap();
                Ok(())
            })
            .await;
        outcome.unwrap();
    });
    looks.await.unwrap();
    (reader, release)
}

#[tokio::test]
async fn a_scrub_that_a_reader_holds_up_says_so() {
    let place = Place::new();
    make(&place.store, 1, 60).await;
    let (reader, release) = reader(&place.store).await;
    delete(&place.store, 1).await;
    assert!(!scrub(&place.store).await);
    assert_eq!(found(place.folder.path()), BTreeSet::from([1]));
    release.send(()).unwrap();
    reader.await.unwrap();
    assert!(scrub(&place.store).await);
    assert_eq!(found(place.folder.path()), BTreeSet::new());
}

/// What the disk holds when a process is killed between a deletion and the end of its wipe.
#[tokio::test]
async fn the_next_start_ends_a_wipe_that_was_cut_short() {
    let place = Place::new();
    make(&place.store, 1, 60).await;
    let (reader, release) = reader(&place.store).await;
    delete(&place.store, 1).await;
    let copy = in_memory();
    for name in ["keystead.db", "keystead.db-wal"] {
        std::fs::copy(place.folder.path().join(name), copy.path().join(name)).unwrap();
    }
    assert_eq!(found(copy.path()), BTreeSet::from([1]));
    release.send(()).unwrap();
    reader.await.unwrap();

    let store = open(&copy.path().join("keystead.db")).unwrap();
    assert_eq!(found(copy.path()), BTreeSet::new());
    assert_eq!(load(&store, region(0), scattered(1)).await.unwrap(), None);
}

#[tokio::test]
async fn a_closed_store_is_not_scrubbed() {
    let place = Place::new();
    place.store.close().await.unwrap();
    let refused = place.store.scrub().await;
    assert!(matches!(refused, Err(StoreError::Closed)), "{refused:?}");
}

/// A scrub changes nothing that anybody reads, and the file is still ours.
#[tokio::test]
async fn a_scrub_between_acts_changes_no_row() {
    let place = Place::new();
    let mut records = Vec::new();
    for number in 1..=9 {
        records.push(save(&place.store, &key(number)).await);
    }
    let saved = place.store.write(|transaction| transaction.save_key(&key(10)));
    let (scrubbed, saved) = tokio::join!(place.store.scrub(), saved);
    let sequence: Result<_, StoreError> = saved;
    assert!(scrubbed.unwrap());
    let position = place.store.position();
    assert_eq!(sequence.unwrap(), position);
    records[0] = save(&place.store, &records[0]).await;
    let place = place.close_and_open();
    for record in records {
        let found = load(&place.store, region(0), record.key.key_id).await.unwrap();
        assert_eq!(found, Some(record));
    }
}

/// Whoever starts next can make up for a scrub that the process before did not come to.
#[tokio::test]
async fn a_scrub_is_due_from_a_deletion_until_it_is_done() {
    fn look(snapshot: &store::Snapshot<'_>) -> Result<bool, StoreError> {
        snapshot.is_scrub_due()
    }
    async fn is_due(store: &Store) -> bool {
        store.read(look).await.unwrap()
    }
    let place = Place::new();
    make(&place.store, 1, 60).await;
    assert!(!is_due(&place.store).await);
    delete(&place.store, 1).await;
    assert!(is_due(&place.store).await);
    let place = place.close_and_open();
    assert!(is_due(&place.store).await);
    assert!(scrub(&place.store).await);
    assert!(!is_due(&place.store).await);
}
