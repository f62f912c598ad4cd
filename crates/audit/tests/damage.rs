//! What an attacker or a bad disk does to the files is found; what a crash does is cut.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use audit::{Durability, Journal, JournalError, JournalOptions, read};
use proptest::prelude::*;
use tempfile::TempDir;

const HEADER_BYTES: usize = 116;
const OVERHEAD_BYTES: usize = 60;
const RECORDS: usize = 9;

fn options(segment_bytes_max: u64) -> JournalOptions {
    JournalOptions {
        durability: Durability::Strict,
        segment_bytes_max,
        ..JournalOptions::new([5; 16])
    }
}

fn record(number: usize) -> Vec<u8> {
    format!("{{\"event\":{number}}}").into_bytes()
}

/// A closed journal of some records.
fn journal(segment_bytes_max: u64) -> TempDir {
    let directory = TempDir::new().unwrap();
    let (journal, _) = Journal::open(directory.path(), options(segment_bytes_max)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        for number in 0..RECORDS {
            journal.append(&record(number), Some(1)).await.unwrap();
            // The change of segments is the thread's; let it happen where it is due.
            journal.sync().await.unwrap();
        }
        journal.close().await.unwrap();
    });
    directory
}

fn segments(directory: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// A journal in one segment: its directory, its file, the file's bytes.
fn single() -> (TempDir, PathBuf, Vec<u8>) {
    let directory = journal(1 << 20);
    let file = segments(directory.path()).remove(0);
    let bytes = fs::read(&file).unwrap();
    (directory, file, bytes)
}

/// Where the records' frames lie; the mark follows.
fn places() -> Vec<Range<usize>> {
    let mut places = Vec::new();
    let mut start = HEADER_BYTES;
    for number in 0..RECORDS {
        let end = start + OVERHEAD_BYTES + record(number).len();
        places.push(start..end);
        start = end;
    }
    places
}

/// The records that reading gives, or why it refuses.
fn read_all(directory: &Path) -> Result<Vec<Vec<u8>>, JournalError> {
    read(directory)?.map(|frame| frame.map(|frame| frame.record)).collect()
}

fn is_prefix(found: &[Vec<u8>]) -> bool {
    found.iter().enumerate().all(|(number, found)| *found == record(number))
}

/// Opens and reads must agree: either both refuse, or both find the same clean prefix.
fn refused_or_prefix(directory: &Path) -> Option<usize> {
    let before = read_all(directory);
    match Journal::open(directory, options(1 << 20)) {
        Err(_) => {
            assert!(before.is_err(), "opening refused what reading believed");
            None
        }
        Ok((journal, recovered)) => {
            drop(journal);
            let found = read_all(directory).unwrap();
            assert!(is_prefix(&found));
            assert_eq!(recovered.records, u64::try_from(found.len()).unwrap());
            if let Ok(before) = before {
                assert_eq!(before, found);
            }
            Some(found.len())
        }
    }
}

/// How many bytes there are up to the last one that is not zero: what follows may as well be room.
fn written_bytes(bytes: &[u8]) -> u64 {
    let last = bytes.iter().rposition(|byte| *byte != 0);
    u64::try_from(last.map_or(0, |last| last + 1)).unwrap()
}

#[test]
fn a_journal_cut_anywhere_opens_to_a_prefix() {
    let (directory, file, bytes) = single();
    let places = places();
    for length in 0..bytes.len() {
        fs::write(&file, &bytes[..length]).unwrap();
        let whole = places.iter().filter(|place| place.end <= length).count();
        let opened = Journal::open(directory.path(), options(1 << 20));
        let (journal, recovered) = opened.unwrap();
        drop(journal);
        let good = if length < HEADER_BYTES {
            0
        } else {
            places.iter().map(|place| place.end).rfind(|end| *end <= length).unwrap_or(HEADER_BYTES)
        };
        assert_eq!(recovered.torn_bytes, written_bytes(&bytes[good..length]));
        assert_eq!(read_all(directory.path()).unwrap().len(), whole);
    }
}

#[test]
fn every_flipped_byte_is_found_or_leaves_a_prefix() {
    let (directory, file, bytes) = single();
    let mark = places()[RECORDS - 1].end;
    for position in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[position] ^= 0x40;
        fs::write(&file, &flipped).unwrap();
        let found = refused_or_prefix(directory.path());
        // Before the last record's hash, the mark still vouches for what was there.
        if (HEADER_BYTES..mark - 32).contains(&position) {
            assert_eq!(found, None, "byte {position}");
        }
        assert_ne!(found, Some(RECORDS + 1));
    }
}

#[test]
fn every_flip_in_every_segment_is_found_or_leaves_a_prefix() {
    let directory = journal(300);
    let paths = segments(directory.path());
    assert!(paths.len() > 2);
    for path in &paths {
        let bytes = fs::read(path).unwrap();
        for position in (0..bytes.len()).step_by(3) {
            let mut flipped = bytes.clone();
            flipped[position] ^= 0x01;
            fs::write(path, &flipped).unwrap();
            match read_all(directory.path()) {
                Ok(found) => assert!(path == paths.last().unwrap() && is_prefix(&found)),
                Err(error) => assert!(matches!(
                    error,
                    JournalError::Damaged { .. }
                        | JournalError::UnknownVersion { .. }
                        | JournalError::OtherDeployment { .. }
                )),
            }
        }
        fs::write(path, &bytes).unwrap();
    }
    assert_eq!(read_all(directory.path()).unwrap().len(), RECORDS);
}

/// Frames put together anew from the file's own.
fn rearranged(bytes: &[u8], order: &[usize]) -> Vec<u8> {
    let places = places();
    let mut out = bytes[..HEADER_BYTES].to_vec();
    for number in order {
        out.extend_from_slice(&bytes[places[*number].clone()]);
    }
    out.extend_from_slice(&bytes[places[RECORDS - 1].end..]);
    out
}

fn assert_damaged(directory: &Path, file: &Path, at: usize) {
    for refused in [Journal::open(directory, options(1 << 20)).err(), read_all(directory).err()] {
        let Some(JournalError::Damaged { file: named, offset, .. }) = refused else {
            panic!("not refused at {at}: {refused:?}");
        };
        assert_eq!((named.as_path(), offset), (file, u64::try_from(places()[at].start).unwrap()));
    }
}

#[test]
fn deleted_doubled_and_swapped_frames_are_refused_where_they_are() {
    let (directory, file, bytes) = single();
    let all: Vec<usize> = (0..RECORDS).collect();
    assert_eq!(rearranged(&bytes, &all), bytes);
    for number in 0..RECORDS - 1 {
        let mut deleted = all.clone();
        deleted.remove(number);
        let mut swapped = all.clone();
        swapped.swap(number, number + 1);
        let mut doubled = all.clone();
        doubled.insert(number, number);
        for (order, at) in [(deleted, number), (swapped, number), (doubled, number + 1)] {
            // With another frame at the end, the mark no longer vouches: a prefix is left.
            if order.last() == Some(&(RECORDS - 1)) {
                fs::write(&file, rearranged(&bytes, &order)).unwrap();
                assert_damaged(directory.path(), &file, at);
            }
        }
    }
}

#[test]
fn a_frame_renumbered_into_another_place_is_refused() {
    let (directory, file, bytes) = single();
    // Sealed by the rules, but behind another frame.
    let places = places();
    let (good, place) = (places[4].clone(), places[5].clone());
    let mut forged = bytes.clone();
    forged[good].copy_from_slice(&bytes[place]);
    let sequence = places[4].start + 11;
    forged[sequence] = 5;
    fs::write(&file, &forged).unwrap();
    assert_damaged(directory.path(), &file, 4);
}

#[test]
fn a_missing_segment_is_refused() {
    let directory = journal(300);
    let paths = segments(directory.path());
    for path in &paths[..paths.len() - 1] {
        let bytes = fs::read(path).unwrap();
        fs::remove_file(path).unwrap();
        let opened = Journal::open(directory.path(), options(300)).err();
        assert!(matches!(opened, Some(JournalError::Damaged { .. })), "{opened:?}");
        assert!(read_all(directory.path()).is_err());
        fs::write(path, bytes).unwrap();
    }
    // One that takes another's name is refused too.
    let bytes = fs::read(&paths[0]).unwrap();
    fs::write(&paths[1], bytes).unwrap();
    assert!(Journal::open(directory.path(), options(300)).is_err());
}

#[test]
fn a_newer_format_is_refused_by_name() {
    let (directory, file, mut bytes) = single();
    bytes[11] = 2;
    fs::write(&file, &bytes).unwrap();
    let opened = Journal::open(directory.path(), options(1 << 20)).err();
    assert!(matches!(opened, Some(JournalError::UnknownVersion { version: 2, .. })));
}

#[test]
fn a_segment_whose_making_was_interrupted_is_made_anew() {
    let directory = journal(300);
    let paths = segments(directory.path());
    let last = fs::read(paths.last().unwrap()).unwrap();
    for length in 0..HEADER_BYTES {
        fs::write(paths.last().unwrap(), &last[..length]).unwrap();
        let (_, recovered) = Journal::open(directory.path(), options(1 << 20)).unwrap();
        assert_eq!(recovered.torn_bytes, written_bytes(&last[..length]));
    }
    // The segment before was complete by then: damage at its end is no torn tail.
    let before = &paths[paths.len() - 2];
    let bytes = fs::read(before).unwrap();
    fs::write(before, &bytes[..bytes.len() - 1]).unwrap();
    fs::write(paths.last().unwrap(), b"").unwrap();
    assert!(Journal::open(directory.path(), options(300)).is_err());
}

#[test]
fn a_segment_without_its_name_is_taken_if_it_continues_the_last_one() {
    let directory = journal(300);
    let paths = segments(directory.path());
    let whole = read_all(directory.path()).unwrap();
    let (last, next) = (paths.last().unwrap(), directory.path().join("next"));
    // A process was killed after it had begun the segment and before it named it.
    fs::rename(last, &next).unwrap();
    let (opened, recovered) = Journal::open(directory.path(), options(1 << 20)).unwrap();
    drop(opened);
    assert_eq!(recovered.torn_bytes, 0);
    assert_eq!(read_all(directory.path()).unwrap(), whole);
    assert!(last.exists() && !next.exists());
}

#[test]
fn the_room_of_a_life_that_was_killed_is_no_damage() {
    let room = [0; 100_000];
    let (directory, file, bytes) = single();
    let whole = read_all(directory.path()).unwrap();
    fs::write(&file, [&bytes, &room[..]].concat()).unwrap();
    assert_eq!(read_all(directory.path()).unwrap(), whole);
    let (opened, recovered) = Journal::open(directory.path(), options(1 << 20)).unwrap();
    drop(opened);
    assert_eq!((recovered.torn_bytes, read_all(directory.path()).unwrap()), (0, whole));
    // A first segment of which nothing was written is made anew.
    fs::write(&file, room).unwrap();
    let (_, recovered) = Journal::open(directory.path(), options(1 << 20)).unwrap();
    assert_eq!((recovered.torn_bytes, recovered.records), (0, 0));
}

#[test]
fn the_room_of_a_segment_that_was_being_completed_is_no_damage() {
    let room = [0; 100_000];
    let directory = journal(300);
    let paths = segments(directory.path());
    let whole = read_all(directory.path()).unwrap();
    let (last, before) = (paths.last().unwrap(), &paths[paths.len() - 2]);
    let next = directory.path().join("next");
    fs::rename(last, &next).unwrap();
    for path in [before, &next] {
        fs::write(path, [&fs::read(path).unwrap(), &room[..]].concat()).unwrap();
    }
    assert_eq!(read_all(directory.path()).unwrap(), whole);
    let (opened, recovered) = Journal::open(directory.path(), options(1 << 20)).unwrap();
    drop(opened);
    assert_eq!(recovered.torn_bytes, 0);
    assert_eq!(read_all(directory.path()).unwrap(), whole);
    assert!(last.exists() && !next.exists());
    // Had the next one its name, the one before would have been complete.
    fs::write(before, [&fs::read(before).unwrap(), &room[..]].concat()).unwrap();
    assert!(Journal::open(directory.path(), options(1 << 20)).is_err());
}

#[test]
fn a_segment_without_its_name_that_continues_nothing_is_taken_away() {
    let directory = journal(300);
    let paths = segments(directory.path());
    let (last, next) = (paths.last().unwrap(), directory.path().join("next"));
    let bytes = fs::read(last).unwrap();
    // The power was cut before the one before was synced: its last frames are lost, and with them all behind them.
    fs::rename(last, &next).unwrap();
    let before = &paths[paths.len() - 2];
    let torn = fs::read(before).unwrap();
    fs::write(before, &torn[..torn.len() - 1]).unwrap();
    let (opened, recovered) = Journal::open(directory.path(), options(1 << 20)).unwrap();
    drop(opened);
    assert!(recovered.torn_bytes > u64::try_from(bytes.len()).unwrap());
    assert!(!next.exists());
    // Neither is half a header.
    fs::write(&next, &bytes[..8]).unwrap();
    let (opened, recovered) = Journal::open(directory.path(), options(1 << 20)).unwrap();
    drop(opened);
    assert_eq!((recovered.torn_bytes, next.exists()), (8, false));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_in_a_segment_are_refused_or_a_prefix(
        position in HEADER_BYTES..700_usize,
        noise in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let (directory, file, mut bytes) = single();
        let position = position.min(bytes.len());
        let end = (position + noise.len()).min(bytes.len());
        bytes.splice(position..end, noise);
        fs::write(&file, &bytes).unwrap();
        refused_or_prefix(directory.path());
    }
}
