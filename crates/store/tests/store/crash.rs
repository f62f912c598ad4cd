//! What survives a killed process, a cut log and flipped bits.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use store::{KeyRecord, LockedStore, Store, StoreError, StoreOptions};

use crate::support::*;

/// How often a process is killed.
const KILLS: usize = 12;

/// The key whose description counts up.
const COUNTER: u8 = 255;

/// Writes until it is killed, and tells each success on its output. Run by the test below in a
/// process of its own, whose working folder holds the database.
#[tokio::test]
#[ignore = "runs until it is killed; the test below starts it"]
async fn writes_until_it_is_killed() {
    let store = open(Path::new("keystead.db")).unwrap();
    let first = load(&store, region(0), key_id(COUNTER)).await.unwrap();
    let mut counter = match first {
        Some(counter) => counter,
        None => save(&store, &key(COUNTER)).await,
    };
    let mut tasks = Vec::new();
    for task in 0..4_u8 {
        let store = store.clone();
        tasks.push(tokio::spawn(async move {
            for round in 0_u32.. {
                make_or_delete(&store, task, round).await;
            }
        }));
    }
    for count in 0_u64.. {
        let before: u64 = counter.key.description.parse().unwrap_or(0);
        counter.key.description = (before + 1).to_string();
        counter.policy.document = format!("policy {}", before + 1);
        counter.tags = vec![tag("count", &(before + 1).to_string())];
        counter = save(&store, &counter).await;
        tell(&format!("counted {}", before + 1));
        assert!(count < 1_000_000, "nobody kills this process");
    }
}

/// One key for each task and number, made and deleted in turn; the outbox is told each time.
async fn make_or_delete(store: &Store, task: u8, round: u32) {
    let number = task * 50 + u8::try_from(round % 50).unwrap();
    let done: Result<_, StoreError> = store
        .write(move |transaction| {
            let exists = transaction.key(region(0), key_id(number))?.is_some();
            if exists {
                transaction.delete_key(region(0), key_id(number))?;
            } else {
                let mut record = key(number);
                record.aliases = vec![alias_row(&format!("n{number}"), key_id(number))];
                transaction.save_key(&record)?;
            }
            if transaction.pending_records()?.len() > 100 {
                let oldest = transaction.pending_records()?[50].number;
                transaction.drop_records(oldest)?;
            }
            let record = format!("{number} {}", !exists);
            Ok((exists, transaction.append_record(record.as_bytes())?))
        })
        .await;
    let (existed, record) = done.unwrap();
    tell(&format!("{} {number} {record}", if existed { "deleted" } else { "made" }));
}

fn tell(line: &str) {
    std::io::stdout().write_all(format!("\nsaid {line}\n").as_bytes()).unwrap();
}

/// What was acknowledged before the kill.
#[derive(Default)]
struct Acknowledged {
    counted: u64,
    /// The newest record's number for each key, and whether the key was there then.
    keys: std::collections::BTreeMap<u8, (u64, bool)>,
}

impl Acknowledged {
    fn hear(&mut self, line: &str) {
        let words: Vec<_> = line.split(' ').collect();
        match words.as_slice() {
            ["said", "counted", count] => self.counted = count.parse().unwrap(),
            ["said", what @ ("made" | "deleted"), number, record] => {
                let (number, record) = (number.parse().unwrap(), record.parse().unwrap());
                self.keys.insert(number, (record, *what == "made"));
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_killed_process_loses_nothing_acknowledged_and_leaves_nothing_half() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Acknowledged::default();
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::writes_until_it_is_killed", "--ignored", "--nocapture"])
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Some die while the store is being made, others in full flight.
        let said = lines.by_ref().map(Result::unwrap).filter(|line| line.starts_with("said"));
        said.take(kill * 17).for_each(|line| acknowledged.hear(&line));
        child.kill().unwrap();
        child.wait().unwrap();
        lines.map_while(Result::ok).for_each(|line| acknowledged.hear(&line));
        check(folder.path(), &acknowledged).await;
    }
    assert!(acknowledged.counted > 0 && acknowledged.keys.len() > 20, "nothing was tested");
}

async fn check(folder: &Path, acknowledged: &Acknowledged) {
    let store = open(&folder.join("keystead.db")).unwrap();
    let counter = load(&store, region(0), key_id(COUNTER)).await.unwrap();
    if let Some(counter) = &counter {
        let count: u64 = counter.key.description.parse().unwrap_or(0);
        assert!(count >= acknowledged.counted, "an acknowledged change was lost");
        assert!(count <= acknowledged.counted + 1, "a change was made that nobody asked for");
        if count > 0 {
            assert_eq!(counter.policy.document, format!("policy {count}"), "a half change");
            assert_eq!(counter.tags, [tag("count", &count.to_string())], "a half change");
        }
    }
    assert!(counter.is_some() || acknowledged.counted == 0, "an acknowledged key was lost");
    let records: Result<_, StoreError> = store
        .read(|snapshot| {
            assert!(snapshot.changes_after(snapshot.position())?.is_some());
            snapshot.pending_records()
        })
        .await;
    // What was done after the last answer that we heard: at most one act of each task.
    let mut unheard = BTreeSet::new();
    let mut expected = acknowledged.keys.clone();
    for record in records.unwrap() {
        let text = String::from_utf8(record.record).unwrap();
        let (number, is_made) = text.split_once(' ').unwrap();
        let (number, is_made) = (number.parse().unwrap(), is_made.parse().unwrap());
        if acknowledged.keys.values().all(|(newest, _)| *newest != record.number) {
            unheard.insert(record.number);
        }
        if expected.get(&number).is_none_or(|(newest, _)| *newest < record.number) {
            expected.insert(number, (record.number, is_made));
        }
    }
    for number in 0..200 {
        let found = load(&store, region(0), key_id(number)).await.unwrap();
        let is_expected = expected.get(&number).is_some_and(|(_, is_made)| *is_made);
        assert_eq!(found.is_some(), is_expected, "key {number} and the outbox differ");
    }
    store.close().await.unwrap();
}

/// A history of commits in a log that was never emptied, with the log's length after each.
struct History {
    place: Place,
    /// The log's length in bytes and the keys that stood then.
    commits: Vec<(usize, Vec<KeyRecord>)>,
}

impl History {
    async fn new() -> History {
        let place = Place::new();
        let log = place.folder.path().join("keystead.db-wal");
        let mut commits = Vec::new();
        let mut keys: Vec<KeyRecord> = Vec::new();
        commits.push((std::fs::metadata(&log).unwrap().len(), Vec::new()));
        for number in 0..8 {
            let mut record = key(number);
            record.aliases = vec![alias_row(&format!("n{number}"), key_id(number))];
            keys.push(save(&place.store, &record).await);
            commits.push((std::fs::metadata(&log).unwrap().len(), keys.clone()));
            keys[0].key.description.push('.');
            keys[0] = save(&place.store, &keys[0]).await;
            commits.push((std::fs::metadata(&log).unwrap().len(), keys.clone()));
        }
        let commits =
            commits.into_iter().map(|(length, keys)| (usize::try_from(length).unwrap(), keys));
        History { commits: commits.collect(), place }
    }

    fn file(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.place.folder.path().join(name)).unwrap()
    }
}

/// Opens a database made of these two files and loads all keys that the history ever had.
async fn load_keys(database: &[u8], log: &[u8]) -> Result<Vec<KeyRecord>, StoreError> {
    let folder = in_memory();
    let path = folder.path().join("keystead.db");
    std::fs::write(&path, database).unwrap();
    std::fs::write(folder.path().join("keystead.db-wal"), log).unwrap();
    let options = StoreOptions { reader_threads: 1, ..StoreOptions::default() };
    let store = LockedStore::open(&path, options)?.unlock(seal_keys())?;
    store
        .read(|snapshot| {
            let keys = (0..8).map(|number| snapshot.key(region(0), key_id(number)));
            let keys: Result<Vec<_>, _> = keys.collect();
            snapshot.changes_after(0)?;
            Ok(keys?.into_iter().flatten().collect())
        })
        .await
}

#[tokio::test]
async fn a_cut_log_opens_at_the_last_whole_commit() {
    let history = History::new().await;
    let (database, log) = (history.file("keystead.db"), history.file("keystead.db-wal"));
    let step = log.len() / 400 + 1;
    let borders = history.commits.iter().flat_map(|(length, _)| [length - 1, *length, length + 1]);
    let cuts: BTreeSet<_> = (0..log.len()).step_by(step).chain(borders).collect();
    for cut in cuts.into_iter().filter(|cut| *cut <= log.len()) {
        let expected = history.commits.iter().rev().find(|(length, _)| *length <= cut);
        let expected = expected.map_or(&[][..], |(_, keys)| keys);
        let found = load_keys(&database, &log[..cut]).await.unwrap();
        assert!(found == expected, "cut at {cut} of {}", log.len());
    }
}

#[tokio::test]
async fn a_flipped_bit_in_the_log_opens_at_a_whole_commit_or_is_refused() {
    let history = History::new().await;
    let (database, log) = (history.file("keystead.db"), history.file("keystead.db-wal"));
    let step = log.len() / 300 + 1;
    for place in (0..log.len()).step_by(step) {
        let mut flipped = log.clone();
        flipped[place] ^= 1 << (place % 8);
        if let Ok(found) = load_keys(&database, &flipped).await {
            let is_commit = history.commits.iter().any(|(_, keys)| *keys == found);
            assert!(is_commit, "flipped at {place} of {}", log.len());
        }
    }
}

#[tokio::test]
async fn a_flipped_bit_in_the_database_changes_nothing_or_is_refused() {
    let history = History::new().await;
    history.place.store.close().await.unwrap();
    let database = history.file("keystead.db");
    let expected = &history.commits.last().unwrap().1;
    let step = database.len() / 400 + 1;
    let mut refused = 0;
    for place in (0..database.len()).step_by(step) {
        let mut flipped = database.clone();
        flipped[place] ^= 1 << (place % 8);
        match load_keys(&flipped, &[]).await {
            Ok(found) => assert!(found == *expected, "flipped at {place} of {}", database.len()),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 10, "only {refused} flips hit anything");
}
