//! A journal whose oldest segments were deleted: proven as far as it is there, and refused where anybody else did it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::Path};

use audit::{
    Beginning, Index, Journal, JournalError, JournalOptions, SignedBeginning, Sought,
    newest_segment_began,
    trail::{DigestKey, fingerprint},
};
use crypto::digest_signing::DigestSigningKey;
use jiff::Timestamp;
use tempfile::TempDir;

const RECORDS: u64 = 100;
const SEGMENT_BYTES: u64 = 4096;

fn options() -> JournalOptions {
    JournalOptions { segment_bytes_max: SEGMENT_BYTES, ..JournalOptions::new([7; 16]) }
}

/// The time of a record: one a minute.
fn time(number: u64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + i64::try_from(number).unwrap() * 60).unwrap()
}

fn record(number: u64) -> Vec<u8> {
    let padding = "x".repeat(200);
    let time = time(number);
    format!(
        r#"{{"userIdentity":{{"type":"Root"}},"eventTime":"{time}","eventSource":"kms.amazonaws.com","eventName":"Encrypt","awsRegion":"us-east-1","eventID":"{number}","readOnly":true,"recipientAccountId":"111122223333","padding":"{padding}"}}"#
    )
    .into_bytes()
}

fn append(directory: &Path, numbers: impl Iterator<Item = u64>) {
    let (journal, _) = Journal::open(directory, options()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for number in numbers {
            journal.append(&record(number), Some(number)).await.unwrap();
            journal.sync().await.unwrap();
        }
        journal.close().await.unwrap();
    });
}

fn key() -> DigestKey {
    let key = DigestSigningKey::generate().unwrap();
    DigestKey { fingerprint: fingerprint(key.public_key_der()), key }
}

/// A journal of several segments.
fn journal() -> TempDir {
    let directory = TempDir::new().unwrap();
    append(directory.path(), 1..=RECORDS);
    assert!(segments(directory.path()) > 4);
    directory
}

fn segments(directory: &Path) -> usize {
    let is_segment = |name: &str| name.ends_with(".log");
    names(directory).iter().filter(|name| is_segment(name)).count()
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn sequences(directory: &Path) -> Vec<u64> {
    audit::read(directory).unwrap().map(|frame| frame.unwrap().sequence).collect()
}

fn prune(directory: &Path, before: u64, needed: u64, key: &DigestKey) -> Option<Beginning> {
    let now = time(2 * RECORDS);
    let beginning = Beginning::after_old(directory, time(before), needed, now).unwrap()?;
    beginning.clone().establish(directory, key).unwrap();
    Some(beginning)
}

#[test]
fn what_is_old_goes_and_the_rest_is_proven() {
    let (journal, key) = (journal(), key());
    let directory = journal.path();
    let all = sequences(directory);
    let beginning = prune(directory, 60, u64::MAX, &key).unwrap();
    assert!((30..60).contains(&beginning.sequence), "{beginning:?}");
    assert_eq!(beginning.records, beginning.sequence);
    assert_eq!(beginning.deleted, time(2 * RECORDS));
    let left: Vec<u64> =
        all.into_iter().filter(|sequence| *sequence > beginning.sequence).collect();
    assert_eq!(sequences(directory), left);
    let frames = audit::read(directory).unwrap();
    let signed = frames.beginning().unwrap();
    assert_eq!(signed.beginning, beginning);
    assert!(signed.is_of([key.key.public_key_der()]));
    assert!(!signed.is_of([self::key().key.public_key_der()]));
    // Nothing more is old, and the journal goes on where it was.
    assert_eq!(prune(directory, 60, u64::MAX, &key), None);
    append(directory, RECORDS + 1..=RECORDS + 20);
    let (journal, recovered) = Journal::open(directory, options()).unwrap();
    assert_eq!((recovered.records, recovered.outbox_watermark), (RECORDS + 20, RECORDS + 20));
    drop(journal);
    let again = prune(directory, 90, u64::MAX, &key).unwrap();
    assert!(again.sequence > beginning.sequence && again.records > beginning.records);
    assert_eq!(*sequences(directory).first().unwrap(), again.sequence + 1);
    assert_eq!(audit::missing_outbox(directory, &[RECORDS, 999]).unwrap(), [999]);
}

#[test]
fn what_is_needed_or_written_stays() {
    let (journal, key) = (journal(), key());
    let directory = journal.path();
    let beginning = prune(directory, 90, 30, &key).unwrap();
    assert!(beginning.sequence < 30);
    assert!(sequences(directory).contains(&30), "the one that is needed is there");
    let last = sequences(directory).pop();
    prune(directory, 2 * RECORDS, u64::MAX, &key).unwrap();
    // The last one may have begun with the mark of the end, which has no time.
    assert!(segments(directory) <= 2);
    assert_eq!(sequences(directory).pop(), last, "the segment that is written stays");
}

#[test]
fn a_crash_between_statement_and_deletion_is_made_up_for() {
    let (journal, key) = (journal(), key());
    let directory = journal.path();
    let kept = TempDir::new().unwrap();
    for name in names(directory) {
        fs::copy(directory.join(&name), kept.path().join(&name)).unwrap();
    }
    let beginning = prune(directory, 60, u64::MAX, &key).unwrap();
    let left = names(directory);
    for name in names(kept.path()).into_iter().skip(1) {
        fs::copy(kept.path().join(&name), directory.join(&name)).unwrap();
    }
    assert_ne!(names(directory), left);
    assert_eq!(*sequences(directory).first().unwrap(), beginning.sequence + 1);
    drop(Journal::open(directory, options()).unwrap());
    assert_eq!(names(directory), left);
}

#[test]
fn a_beginning_that_is_gone_or_changed_is_refused() {
    let (journal, key) = (journal(), key());
    let directory = journal.path();
    let statement = directory.join("beginning");
    prune(directory, 60, u64::MAX, &key).unwrap();
    let text = fs::read_to_string(&statement).unwrap();
    let refused = |what: &str| {
        let is_read =
            audit::read(directory).is_ok_and(|mut frames| frames.all(|frame| frame.is_ok()));
        assert!(!is_read, "{what} was read");
        assert!(Journal::open(directory, options()).is_err(), "{what} was opened");
    };
    fs::remove_file(&statement).unwrap();
    refused("a journal without its beginning");
    for position in (0..text.len()).step_by(7) {
        let mut changed = text.clone().into_bytes();
        changed[position] = if changed[position] == b'1' { b'2' } else { b'1' };
        fs::write(&statement, &changed).unwrap();
        refused(&format!("a statement changed at {position}"));
    }
    fs::write(&statement, &text).unwrap();
    assert!(SignedBeginning::find(directory).unwrap().is_some());
    // A later beginning than the one that was signed.
    let first = names(directory).into_iter().find(|name| name.ends_with(".log")).unwrap();
    let bytes = fs::read(directory.join(&first)).unwrap();
    fs::remove_file(directory.join(&first)).unwrap();
    refused("a journal without its next segment");
    fs::write(directory.join(&first), bytes).unwrap();
    assert!(sequences(directory).len() > 10);
    // The beginning of another journal.
    let other = self::journal();
    prune(other.path(), 90, u64::MAX, &self::key()).unwrap();
    fs::copy(other.path().join("beginning"), &statement).unwrap();
    refused("a statement of another journal");
}

#[test]
fn nothing_is_signed_that_was_not_written() {
    let journal = journal();
    let directory = journal.path();
    let third = names(directory).into_iter().nth(2).unwrap();
    fs::remove_file(directory.join(third)).unwrap();
    let found = Beginning::after_old(directory, time(RECORDS), u64::MAX, time(RECORDS));
    assert!(matches!(found, Err(JournalError::Damaged { .. })), "{found:?}");
}

#[test]
fn the_index_forgets_what_is_deleted() {
    let (journal, key) = (journal(), key());
    let directory = journal.path();
    let folder = TempDir::new().unwrap();
    let index = Index::open(directory, folder.path()).unwrap();
    assert_eq!(index.following(), 0);
    assert!(index.catch_up(usize::MAX).unwrap());
    let beginning = Beginning::after_old(directory, time(60), index.following(), time(0));
    let beginning = beginning.unwrap().unwrap();
    let first = beginning.sequence + 1;
    index.forget_before(first).unwrap();
    beginning.establish(directory, &key).unwrap();
    let sought = Sought {
        account_id: "111122223333",
        region: "us-east-1",
        attribute: None,
        earliest: time(0),
        latest: time(RECORDS),
    };
    let ids = |index: &Index| -> Vec<String> {
        let found = index.look_up(&sought, None, usize::MAX).unwrap();
        found.into_iter().map(|found| found.summary.event_id).collect()
    };
    let left: Vec<String> = (first..=RECORDS).rev().map(|number| number.to_string()).collect();
    assert_eq!(ids(&index), left);
    assert_eq!(names(folder.path()).len() + 1, segments(directory));
    let opened = Index::open(directory, folder.path()).unwrap();
    assert!(opened.catch_up(usize::MAX).unwrap());
    assert_eq!(ids(&opened), left);
}

#[test]
fn an_old_segment_is_followed_by_the_next_one_on_demand() {
    let directory = TempDir::new().unwrap();
    let (journal, _) = Journal::open(directory.path(), JournalOptions::new([7; 16])).unwrap();
    assert_eq!(newest_segment_began(directory.path()).unwrap(), None);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        journal.append(&record(1), None).await.unwrap();
        journal.append(&record(2), None).await.unwrap();
        assert_eq!(newest_segment_began(directory.path()).unwrap(), Some(time(1)));
        journal.begin_segment();
        while journal.stats().segments < 2 {
            journal.append(&record(3), None).await.unwrap();
        }
        journal.append(&record(4), None).await.unwrap();
        journal.close().await.unwrap();
    });
    assert_eq!(segments(directory.path()), 2);
    assert!(sequences(directory.path()).len() > 3);
}
