//! The journal through its public door: many tasks, many segments, many lives.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};

use audit::{Durability, Frame, Journal, JournalError, JournalOptions, missing_outbox, read};
use tempfile::TempDir;

const DEPLOYMENT: [u8; 16] = [3; 16];

fn options(durability: Durability, segment_bytes_max: u64) -> JournalOptions {
    JournalOptions { durability, segment_bytes_max, ..JournalOptions::new(DEPLOYMENT) }
}

fn often() -> Durability {
    Durability::Interval(Duration::from_millis(5))
}

fn frames(directory: &Path) -> Vec<Frame> {
    read(directory).unwrap().map(Result::unwrap).collect()
}

fn runtime(workers: usize) -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(workers).build().unwrap()
}

#[test]
fn every_record_of_64_tasks_is_there_once() {
    for workers in [1, 4] {
        let directory = TempDir::new().unwrap();
        let (journal, _) = Journal::open(directory.path(), options(often(), 1 << 20)).unwrap();
        let journal = Arc::new(journal);
        runtime(workers).block_on(async {
            let mut tasks = Vec::new();
            for task in 0..64_u64 {
                let journal = Arc::clone(&journal);
                tasks.push(tokio::spawn(async move {
                    for number in 0..1000_u64 {
                        let outbox = task * 1000 + number + 1;
                        let record = format!("record {outbox}");
                        journal.append(record.as_bytes(), Some(outbox)).await.unwrap();
                        // Gives the thread its turn, however busy the machine is.
                        if number % 250 == task {
                            journal.sync().await.unwrap();
                        }
                    }
                }));
            }
            for task in tasks {
                task.await.unwrap();
            }
            journal.close().await.unwrap();
        });
        let stats = journal.stats();
        assert_eq!((stats.records, stats.unsynced_frames), (64_000, 0));
        assert!(stats.segments > 1 && stats.writes < 64_000, "{stats:?}");
        let found = frames(directory.path());
        let numbers: BTreeSet<u64> = found.iter().filter_map(|frame| frame.outbox).collect();
        assert_eq!((found.len(), numbers.len()), (64_000, 64_000));
        assert!(found.iter().zip(1..).all(|(frame, sequence)| frame.sequence == sequence));
        assert!(found.iter().all(|frame| {
            frame.record == format!("record {}", frame.outbox.unwrap()).as_bytes()
        }));
        let (_, recovered) = Journal::open(directory.path(), options(often(), 1 << 20)).unwrap();
        assert_eq!(recovered.records, 64_000);
        assert_eq!(recovered.outbox_watermark, 64_000);
        assert_eq!(recovered.torn_bytes, 0);
    }
}

#[test]
fn a_journal_goes_on_over_many_lives() {
    let directory = TempDir::new().unwrap();
    let runtime = runtime(1);
    let mut heads = BTreeSet::new();
    for life in 0..20_u64 {
        let durability = if life % 2 == 0 { Durability::Strict } else { often() };
        let (journal, recovered) =
            Journal::open(directory.path(), options(durability, 2048)).unwrap();
        assert_eq!((recovered.records, recovered.torn_bytes), (life * 7, 0));
        assert_eq!(recovered.outbox_watermark, life);
        runtime.block_on(async {
            for number in 0..7 {
                let outbox = (number == 3).then_some(life + 1);
                journal.append(&[b'x'; 100], outbox).await.unwrap();
            }
            if life % 3 == 0 {
                journal.close().await.unwrap();
                assert!(matches!(journal.append(b"x", None).await, Err(JournalError::Closed)));
                assert!(!journal.is_healthy());
                journal.close().await.unwrap();
            }
        });
        drop(journal);
        heads.extend(frames(directory.path()).last().map(|frame| frame.head));
    }
    assert_eq!(heads.len(), 20);
    assert!(std::fs::read_dir(directory.path()).unwrap().count() > 5);
}

#[test]
fn an_idle_life_leaves_no_trace() {
    let directory = TempDir::new().unwrap();
    for _ in 0..3 {
        drop(Journal::open(directory.path(), options(often(), 4096)).unwrap());
    }
    let file = directory.path().join("0000000000000001.log");
    assert_eq!(file.metadata().unwrap().len(), 116);
    let (journal, _) = Journal::open(directory.path(), options(often(), 4096)).unwrap();
    runtime(1).block_on(journal.append(b"one", None)).unwrap();
    drop(journal);
    let bytes = std::fs::read(&file).unwrap();
    drop(Journal::open(directory.path(), options(often(), 4096)).unwrap());
    assert_eq!(std::fs::read(&file).unwrap(), bytes);
}

#[test]
fn a_life_that_was_killed_loses_nothing_written() {
    let directory = TempDir::new().unwrap();
    let (journal, _) = Journal::open(directory.path(), JournalOptions::new(DEPLOYMENT)).unwrap();
    runtime(1).block_on(journal.append(b"one", Some(1))).unwrap();
    // What a kill leaves: the files as they are at this moment.
    let copy = TempDir::new().unwrap();
    let name = "0000000000000001.log";
    std::fs::copy(directory.path().join(name), copy.path().join(name)).unwrap();
    let (_, recovered) = Journal::open(copy.path(), JournalOptions::new(DEPLOYMENT)).unwrap();
    assert_eq!((recovered.records, recovered.torn_bytes), (1, 0));
}

#[test]
fn a_journal_can_be_read_while_it_grows() {
    let directory = TempDir::new().unwrap();
    let (journal, _) = Journal::open(directory.path(), options(often(), 4096)).unwrap();
    let journal = Arc::new(journal);
    let runtime = runtime(1);
    let writer = {
        let journal = Arc::clone(&journal);
        runtime.spawn(async move {
            for number in 0..5000_u32 {
                journal.append(&number.to_be_bytes(), None).await.unwrap();
            }
        })
    };
    let mut longest = 0;
    while !writer.is_finished() {
        let found = frames(directory.path());
        assert!(
            found
                .iter()
                .zip(0_u32..)
                .all(|(frame, number)| { frame.record == number.to_be_bytes() })
        );
        assert!(found.len() >= longest);
        longest = found.len();
    }
    runtime.block_on(writer).unwrap();
    assert_eq!(frames(directory.path()).len(), 5000);
}

#[test]
fn outbox_records_that_were_overtaken_are_found_missing() {
    let directory = TempDir::new().unwrap();
    let (journal, _) = Journal::open(directory.path(), options(Durability::Strict, 512)).unwrap();
    runtime(1).block_on(async {
        for outbox in [1, 2, 4, 3, 6, 9, 7, 8, 12, 14] {
            journal.append(&[b'x'; 100], Some(outbox)).await.unwrap();
            journal.append(&[b'y'; 100], None).await.unwrap();
        }
        journal.sync().await.unwrap();
    });
    assert!(journal.stats().segments > 3);
    let missing = |pending: &[u64]| missing_outbox(directory.path(), pending).unwrap();
    assert_eq!(missing(&(1..=15).collect::<Vec<_>>()), [5, 10, 11, 13, 15]);
    assert_eq!(missing(&[15, 16]), [15, 16]);
    assert_eq!(missing(&[1]), [0_u64; 0]);
    assert_eq!(missing(&[]), [0_u64; 0]);
}

#[test]
fn another_deployment_is_refused() {
    let directory = TempDir::new().unwrap();
    drop(Journal::open(directory.path(), JournalOptions::new([1; 16])).unwrap());
    let opened = Journal::open(directory.path(), JournalOptions::new([2; 16]));
    assert!(matches!(opened.err(), Some(JournalError::OtherDeployment { .. })));
}

#[test]
fn other_files_are_left_alone() {
    let directory = TempDir::new().unwrap();
    for name in ["notes.txt", "+000000000000001.log", "000000000000000A.log", "1.log"] {
        std::fs::write(directory.path().join(name), "mine").unwrap();
    }
    drop(Journal::open(directory.path(), JournalOptions::new(DEPLOYMENT)).unwrap());
    assert_eq!(std::fs::read(directory.path().join("1.log")).unwrap(), b"mine");
    assert_eq!(frames(directory.path()).len(), 0);
}
