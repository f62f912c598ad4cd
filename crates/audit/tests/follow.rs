//! Following a journal over many segments and many lives: every record once, and no other journal's.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::Path, time::Duration};

use audit::{Durability, Follower, FollowerPosition, Journal, JournalError, JournalOptions};
use proptest::prelude::*;
use tempfile::TempDir;

fn options() -> JournalOptions {
    let durability = Durability::Interval(Duration::from_millis(1));
    JournalOptions { durability, segment_bytes_max: 2_048, ..JournalOptions::new([3; 16]) }
}

/// Appends records that tell their numbers, in a life of their own.
fn append(directory: &Path, numbers: std::ops::Range<usize>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (journal, _) = Journal::open(directory, options()).unwrap();
    runtime.block_on(async {
        for number in numbers {
            journal.append(record(number).as_bytes(), None).await.unwrap();
            // So that segments end about where they should.
            journal.sync().await.unwrap();
        }
        let last = journal.sync_all().await.unwrap();
        assert_eq!(journal.synced(), last);
        journal.close().await.unwrap();
    });
}

fn record(number: usize) -> String {
    format!("record {number} {}", "x".repeat(number % 97))
}

/// Follows so many records from a position on; answers them and the position after them.
fn follow(
    directory: &Path,
    position: Option<FollowerPosition>,
    count_max: usize,
) -> (Vec<String>, Option<FollowerPosition>) {
    let mut follower = match position {
        Some(position) => Follower::resume(directory, &position).unwrap(),
        None => Follower::new(directory, None).unwrap(),
    };
    let mut records = Vec::new();
    while records.len() < count_max
        && let Some(followed) = follower.next_record().unwrap()
    {
        assert_eq!(follower.position().unwrap().sequence, followed.sequence);
        records.push(String::from_utf8(followed.record).unwrap());
    }
    (records, follower.position())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_record_is_followed_once(
        steps in prop::collection::vec((0_usize..40, 1_usize..60), 1..8),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let (mut appended, mut followed, mut position) = (0, Vec::new(), None);
        for (append_count, follow_count) in steps {
            append(directory.path(), appended..appended + append_count);
            appended += append_count;
            let (records, next) = follow(directory.path(), position, follow_count);
            followed.extend(records);
            position = next;
        }
        followed.extend(follow(directory.path(), position, usize::MAX).0);
        prop_assert_eq!(followed, (0..appended).map(record).collect::<Vec<_>>());
    }
}

fn journal_of(count: usize) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    append(directory.path(), 0..count);
    directory
}

#[test]
fn a_segment_that_was_passed_whole_may_be_gone() {
    let directory = journal_of(200);
    let mut follower = Follower::new(directory.path(), None).unwrap();
    let mut position = None;
    let mut followed = 0;
    while let Some(record) = follower.next_record().unwrap() {
        if record.segment > 1 {
            break;
        }
        position = follower.position();
        followed += 1;
    }
    fs::remove_file(directory.path().join("0000000000000001.log")).unwrap();
    let (rest, _) = follow(directory.path(), position, usize::MAX);
    assert_eq!(rest, (followed..200).map(record).collect::<Vec<_>>());
}

#[test]
fn another_journal_is_not_followed_on() {
    let one = journal_of(50);
    let (_, position) = follow(one.path(), None, 20);
    let position = position.unwrap();
    let other = tempfile::tempdir().unwrap();
    append(other.path(), 1_000..1_050);
    let shorter = journal_of(5);
    for directory in [other.path(), shorter.path(), tempfile::tempdir().unwrap().path()] {
        let refused = Follower::resume(directory, &position).err().unwrap();
        assert!(matches!(refused, JournalError::Damaged { .. }), "{refused}");
        assert!(refused.to_string().contains("had stopped"), "{refused}");
    }
    for changed in [
        FollowerPosition { offset: position.offset + 1, ..position },
        FollowerPosition { segment: position.segment + 1, ..position },
        FollowerPosition { head: [7; 32], ..position },
    ] {
        assert!(Follower::resume(one.path(), &changed).is_err(), "{changed:?}");
    }
    assert_eq!(follow(one.path(), Some(position), 1).0, [record(20)]);
}
