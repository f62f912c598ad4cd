//! The feed over many lives of a journal: each synced record once, and no journal taken for another.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::Path, time::Duration};

use audit::{Durability, Feed, FeedPosition, Journal, JournalOptions};
use tempfile::TempDir;

const ALL: u64 = u64::MAX;
const START: FeedPosition = FeedPosition { sequence: 0, head: None };

/// Appends records in a life of their own; gives back what is synced at its end.
fn append(directory: &Path, texts: impl IntoIterator<Item = String>) -> u64 {
    let options = JournalOptions {
        durability: Durability::Interval(Duration::from_millis(1)),
        segment_bytes_max: 1_024,
        ..JournalOptions::new([5; 16])
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (journal, _) = Journal::open(directory, options).unwrap();
    runtime.block_on(async {
        for text in texts {
            journal.append(text.as_bytes(), None).await.unwrap();
            journal.sync().await.unwrap();
        }
        let synced = journal.synced();
        journal.close().await.unwrap();
        synced
    })
}

fn texts(prefix: &str, count: usize) -> impl Iterator<Item = String> {
    (0..count).map(move |number| format!("{prefix}-{number:060}"))
}

/// Takes up to so many records.
fn take(feed: &mut Feed, count_max: usize, synced: u64) -> Vec<String> {
    let mut taken = Vec::new();
    while taken.len() < count_max {
        let Some(followed) = feed.next_record(synced).unwrap() else { break };
        taken.push(String::from_utf8(followed.record).unwrap());
    }
    taken
}

#[test]
fn each_record_is_fed_once_wherever_it_was_interrupted() {
    let place = TempDir::new().unwrap();
    append(place.path(), texts("first", 40));
    let synced = append(place.path(), texts("second", 40));
    let all: Vec<String> = texts("first", 40).chain(texts("second", 40)).collect();
    for step in [1, 7, 80, 81] {
        let (mut fed, mut position) = (Vec::new(), START);
        loop {
            let mut feed = Feed::after(place.path(), position, synced).unwrap().unwrap();
            let taken = take(&mut feed, step, ALL);
            position = feed.position();
            if taken.is_empty() {
                break;
            }
            fed.extend(taken);
        }
        assert_eq!(fed, all, "{step}");
    }
    assert_eq!(take(&mut Feed::of_all(place.path()).unwrap(), 100, ALL), all);
}

#[test]
fn what_is_not_synced_waits() {
    let place = TempDir::new().unwrap();
    append(place.path(), texts("record", 10));
    let mut feed = Feed::after(place.path(), START, ALL).unwrap().unwrap();
    assert_eq!(take(&mut feed, 100, 4).len(), 4);
    assert_eq!((take(&mut feed, 100, 4).len(), feed.position().sequence), (0, 4));
    assert_eq!(take(&mut feed, 100, 5), [format!("record-{:060}", 4)]);
    assert_eq!(take(&mut feed, 100, ALL).len(), 5);
}

#[test]
fn one_who_begins_at_the_end_is_fed_what_comes() {
    let place = TempDir::new().unwrap();
    let sequence = append(place.path(), texts("old", 30));
    let mut feed = Feed::after(place.path(), FeedPosition { sequence, head: None }, sequence)
        .unwrap()
        .unwrap();
    assert_eq!(take(&mut feed, 100, ALL), [""; 0]);
    append(place.path(), texts("new", 3));
    assert_eq!(take(&mut feed, 100, ALL), texts("new", 3).collect::<Vec<_>>());
}

#[test]
fn another_journal_is_not_taken_for_the_one_that_was_read() {
    let place = TempDir::new().unwrap();
    let [ours, copy] = ["ours", "copy"].map(|name| place.path().join(name));
    append(&ours, texts("ours", 20));
    fs::create_dir(&copy).unwrap();
    for file in fs::read_dir(&ours).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), copy.join(file.file_name())).unwrap();
    }
    let synced = append(&ours, texts("later", 20));
    let mut feed = Feed::after(&ours, START, synced).unwrap().unwrap();
    take(&mut feed, 30, ALL);
    let position = feed.position();
    // The older copy ends before the position; and it has other records there after it went on.
    assert!(Feed::after(&copy, position, 20).unwrap().is_none());
    assert!(Feed::after(&copy, position, ALL).unwrap().is_none());
    let synced = append(&copy, texts("other", 30));
    assert!(Feed::after(&copy, position, synced).unwrap().is_none());
    assert!(Feed::after(&ours, position, synced).unwrap().is_some());
}
