//! The index over the journal by which events are looked up: made from the journal alone, behind it,
//! and made anew where it is absent or torn (docs/decisions/0009).
//!
//! Each complete segment has a file of sorted entries beside the journal; those of the segment that
//! is being written are in memory. A key is a hash of account, Region, attribute and value, and
//! entries of one key are in the order of time; so a page is found by looking into the newest segments
//! first and stopping when it is full.

mod file;
mod follower;

use std::{
    fs::{DirBuilder, File},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
};

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;

use self::file::{Complete, Entry};
use crate::{
    error::JournalError,
    follow::{self, Followed, Follower},
    segment,
    summary::{Attribute, Summary},
};

/// Entries read at a time from the index of a complete segment.
const CHUNK_ENTRIES: u64 = 128;

/// What is looked up.
#[derive(Clone, Copy, Debug)]
pub struct Sought<'a> {
    /// The account whose log is looked into.
    pub account_id: &'a str,
    /// The Region.
    pub region: &'a str,
    /// What events must have; all are sought if absent.
    pub attribute: Option<(Attribute, &'a str)>,
    /// The earliest moment, itself included.
    pub earliest: Timestamp,
    /// The latest moment, itself included.
    pub latest: Timestamp,
}

impl Sought<'_> {
    fn key(&self) -> u64 {
        let (tag, value) =
            self.attribute.map_or((TAG_OF_ALL, ""), |(attribute, value)| (attribute.tag(), value));
        key(self.account_id, self.region, tag, value)
    }

    fn is(&self, summary: &Summary) -> bool {
        summary.account_id.as_deref() == Some(self.account_id)
            && summary.region == self.region
            && self.earliest <= summary.event_time
            && summary.event_time <= self.latest
            && self
                .attribute
                .is_none_or(|(attribute, value)| summary.values(attribute).contains(&value))
    }
}

/// The place of an event among all that are told, the newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    segment: u64,
    seconds: u32,
    offset: u32,
}

impl std::fmt::Display for Position {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}.{}", self.segment, self.seconds, self.offset)
    }
}

/// A text that is no position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a position in the index")]
pub struct InvalidPosition;

impl FromStr for Position {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Position, InvalidPosition> {
        let parse = || {
            let (segment, rest) = text.split_once('.')?;
            let (seconds, offset) = rest.split_once('.')?;
            Some(Position {
                segment: segment.parse().ok()?,
                seconds: seconds.parse().ok()?,
                offset: offset.parse().ok()?,
            })
        };
        parse().ok_or(InvalidPosition)
    }
}

/// An event that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its place.
    pub position: Position,
    /// What it was found by.
    pub summary: Summary,
    /// The whole record.
    pub record: Vec<u8>,
}

/// The index. Its methods wait for the disk: they are not for threads that serve calls.
pub struct Index {
    journal: PathBuf,
    directory: PathBuf,
    state: Mutex<State>,
}

struct State {
    follower: Follower,
    /// A record that could not be taken in, since the disk refused the index of the segment before it.
    failed: Option<Followed>,
    complete: Vec<Complete>,
    /// The segment that is being followed, and its entries.
    segment: Option<u64>,
    entries: Vec<Entry>,
}

impl Index {
    /// Opens the index in a directory, which is made if it is missing, over the journal in another.
    /// Segments whose index is absent or torn are followed anew by [`Index::catch_up`].
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn open(journal: &Path, directory: &Path) -> Result<Index, JournalError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(JournalError::disk("make", directory))?;
        let mut complete = Vec::new();
        let mut first_unindexed = None;
        for path in segment::list(journal)? {
            let first_sequence = segment::Segment::open(path)?.sequence_next();
            match Complete::find(directory, first_sequence) {
                Some(found) => complete.push(found),
                None => {
                    first_unindexed = Some(first_sequence);
                    break;
                }
            }
        }
        // With nothing unindexed the journal ended in a segment that has an index: an older copy of
        // the journal. Then that last one is followed again.
        let first_unindexed =
            first_unindexed.or_else(|| complete.pop().map(|last| last.first_sequence));
        let state = State {
            follower: Follower::new(journal, first_unindexed)?,
            failed: None,
            complete,
            segment: None,
            entries: Vec::new(),
        };
        Ok(Index {
            journal: journal.to_owned(),
            directory: directory.to_owned(),
            state: Mutex::new(state),
        })
    }

    /// The first frame of the segment that is being followed; older segments are not needed any more. 0 before any is.
    #[must_use]
    pub fn following(&self) -> u64 {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // A record that failed waits for the index of the segment before its own.
        state.segment.unwrap_or_default()
    }

    /// Forgets the segments that begin before a frame, before they are deleted.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn forget_before(&self, first_sequence: u64) -> Result<(), JournalError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_kept = |complete: &Complete| complete.first_sequence >= first_sequence;
        let forgotten: Vec<Complete> =
            state.complete.extract_if(.., |complete| !is_kept(complete)).collect();
        drop(state);
        forgotten.iter().try_for_each(|complete| complete.remove(&self.directory))
    }

    /// Takes up to so many records of the journal into the index, and tells whether that were all.
    ///
    /// # Errors
    /// When the disk refuses or the journal is not what was written.
    pub fn catch_up(&self, records_count_max: usize) -> Result<bool, JournalError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..records_count_max {
            let next = match state.failed.take() {
                Some(followed) => Some(followed),
                None => state.follower.next_record()?,
            };
            let Some(followed) = next else {
                // So that a look-up finds them in order.
                state.entries.sort();
                return Ok(true);
            };
            if let Err(error) = self.take(&mut state, &followed) {
                state.failed = Some(followed);
                return Err(error);
            }
        }
        Ok(false)
    }

    fn take(&self, state: &mut State, followed: &Followed) -> Result<(), JournalError> {
        if state.segment != Some(followed.segment) {
            if let Some(first_sequence) = state.segment {
                state.entries.sort();
                let complete = Complete::write(&self.directory, first_sequence, &state.entries)?;
                state.complete.push(complete);
                state.entries.clear();
            }
            state.segment = Some(followed.segment);
        }
        let Some(summary) = Summary::of(&followed.record) else { return Ok(()) };
        // What nobody is identified in is in nobody's log.
        let Some(account_id) = &summary.account_id else { return Ok(()) };
        let of_key = |key| Entry {
            key,
            seconds: seconds(summary.event_time),
            offset: u32::try_from(followed.offset).unwrap_or(u32::MAX),
        };
        let first_of_record = state.entries.len();
        state.entries.push(of_key(key(account_id, &summary.region, TAG_OF_ALL, "")));
        for attribute in Attribute::ALL {
            for value in summary.values(attribute) {
                let key = key(account_id, &summary.region, attribute.tag(), value);
                let is_told = |entry: &Entry| entry.key == key;
                // Both resources of a call may be of one type.
                if !state.entries.get(first_of_record..).is_some_and(|own| own.iter().any(is_told))
                {
                    state.entries.push(of_key(key));
                }
            }
        }
        Ok(())
    }

    /// Up to so many events after a position, or from the newest on: the newest first.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn look_up(
        &self,
        sought: &Sought<'_>,
        after: Option<Position>,
        count_max: usize,
    ) -> Result<Vec<Found>, JournalError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.entries.sort();
        let mut found = Vec::new();
        let search = Search { index: self, sought, after, count_max, key: sought.key() };
        if let Some(first_sequence) = state.segment {
            let file = match state.follower.segment() {
                Some((followed, file)) if followed == first_sequence => file,
                // The next segment has begun and has no record yet.
                Some(_) | None => {
                    let path = segment::path(&self.journal, first_sequence);
                    Arc::new(File::open(&path).map_err(JournalError::disk("open", &path))?)
                }
            };
            let (lowest, end) = search.bounds(first_sequence);
            let entries = &state.entries;
            let start = entries.partition_point(|entry| *entry < lowest);
            let end = entries.partition_point(|entry| *entry < end).max(start);
            let entries = entries.get(start..end).unwrap_or_default();
            search.take(first_sequence, &file, entries, &mut found)?;
        }
        for complete in state.complete.iter().rev() {
            if found.len() >= count_max {
                break;
            }
            if search.is_within(complete) {
                search.take_of(complete, &mut found)?;
            }
        }
        Ok(found)
    }
}

struct Search<'a> {
    index: &'a Index,
    sought: &'a Sought<'a>,
    after: Option<Position>,
    count_max: usize,
    key: u64,
}

impl Search<'_> {
    /// Whether anything of a segment can be what is sought.
    fn is_within(&self, complete: &Complete) -> bool {
        self.after.is_none_or(|after| complete.first_sequence <= after.segment)
            && complete.earliest <= seconds(self.sought.latest)
            && seconds(self.sought.earliest) <= complete.latest
    }

    /// The first entry that may be taken of a segment, and the one before which they end.
    fn bounds(&self, first_sequence: u64) -> (Entry, Entry) {
        let entry = |seconds, offset| Entry { key: self.key, seconds, offset };
        let lowest = entry(seconds(self.sought.earliest), 0);
        let end = match self.after {
            Some(after) if after.segment == first_sequence => entry(after.seconds, after.offset),
            // All of it came after that position.
            Some(after) if after.segment < first_sequence => lowest,
            Some(_) | None => entry(seconds(self.sought.latest).saturating_add(1), 0),
        };
        (lowest, end)
    }

    fn take_of(&self, complete: &Complete, found: &mut Vec<Found>) -> Result<(), JournalError> {
        let opened = complete.open(&self.index.directory)?;
        let (lowest, end) = self.bounds(complete.first_sequence);
        let start = opened.count_before(lowest)?;
        let mut end = opened.count_before(end)?;
        if end <= start {
            return Ok(());
        }
        let path = segment::path(&self.index.journal, complete.first_sequence);
        let file = File::open(&path).map_err(JournalError::disk("open", &path))?;
        while end > start && found.len() < self.count_max {
            let from = end.saturating_sub(CHUNK_ENTRIES).max(start);
            let entries = opened.read(from, end - from)?;
            self.take(complete.first_sequence, &file, &entries, found)?;
            end = from;
        }
        Ok(())
    }

    /// Takes the events of entries, the last one first, if they are what is sought.
    fn take(
        &self,
        first_sequence: u64,
        file: &File,
        entries: &[Entry],
        found: &mut Vec<Found>,
    ) -> Result<(), JournalError> {
        let path = segment::path(&self.index.journal, first_sequence);
        for entry in entries.iter().rev().filter(|entry| entry.key == self.key) {
            if found.len() >= self.count_max {
                break;
            }
            let record = follow::record_at(file, &path, u64::from(entry.offset))?;
            let Some(record) = record else { continue };
            let Some(summary) = Summary::of(&record) else { continue };
            if self.sought.is(&summary) {
                let Entry { seconds, offset, .. } = *entry;
                let position = Position { segment: first_sequence, seconds, offset };
                found.push(Found { position, summary, record });
            }
        }
        Ok(())
    }
}

/// Tells the key of all events of an account and Region; attributes have tags from 1.
const TAG_OF_ALL: u8 = 0;

/// The key of an attribute: the first bytes of SHA-256(tag ‖ account ‖ 0 ‖ Region ‖ 0 ‖ value). Two
/// that are alike by chance cost a record that is read in vain.
fn key(account_id: &str, region: &str, tag: u8, value: &str) -> u64 {
    let parts =
        [&[tag], account_id.as_bytes(), &[0], region.as_bytes(), &[0], value.as_bytes()].concat();
    let hash = digest(&SHA256, &parts);
    u64::from_be_bytes(*hash.as_ref().first_chunk().expect("SHA-256 gives 32 bytes"))
}

/// Whole seconds since 1970, up to the year 2106.
fn seconds(time: Timestamp) -> u32 {
    u32::try_from(time.as_second().max(0)).unwrap_or(u32::MAX)
}
