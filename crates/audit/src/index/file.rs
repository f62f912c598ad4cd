//! The index of one complete segment: entries in order, and fences to find a place among them.
//!
//! Integers are big-endian.
//!
//! ```text
//! file   = "KSINDEX1" ‖ first sequence u64 ‖ entries u64 ‖ earliest u32 ‖ latest u32 ‖ entry* ‖ fence*
//! entry  = key u64 ‖ seconds u32 ‖ offset u32
//! fence  = the first entry of each 1,024
//! name   = first sequence, sixteen hexadecimal digits, ".index"
//! ```
//!
//! It has its name once it is whole and synced. What it says is not trusted: a record that it
//! points to is read and compared with what is sought.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufWriter, Read, Write},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use crate::{error::JournalError, recover, segment::offset_after};

const MAGIC: [u8; 8] = *b"KSINDEX1";
const HEADER_BYTES: usize = 32;
const ENTRY_BYTES: usize = 16;
/// Entries between two fences.
const PAGE_ENTRIES: u64 = 1_024;

/// That a record with some attribute happened at a time and lies at a place of its segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    /// Of account, Region, attribute and value.
    pub(super) key: u64,
    /// Since 1970.
    pub(super) seconds: u32,
    /// Where the frame begins. Segments are far shorter than 4 GiB.
    pub(super) offset: u32,
}

impl Entry {
    fn encode(self) -> [u8; ENTRY_BYTES] {
        let number =
            u128::from(self.key) << 64 | u128::from(self.seconds) << 32 | u128::from(self.offset);
        number.to_be_bytes()
    }

    fn decode(bytes: &[u8; ENTRY_BYTES]) -> Entry {
        let (key, rest) = bytes.split_first_chunk().unwrap_or((&[0; 8], &[]));
        let (seconds, rest) = rest.split_first_chunk().unwrap_or((&[0; 4], &[]));
        let offset = rest.first_chunk().unwrap_or(&[0; 4]);
        Entry {
            key: u64::from_be_bytes(*key),
            seconds: u32::from_be_bytes(*seconds),
            offset: u32::from_be_bytes(*offset),
        }
    }
}

/// What is known of the index of a complete segment without looking into its entries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Complete {
    pub(super) first_sequence: u64,
    entries_count: u64,
    pub(super) earliest: u32,
    pub(super) latest: u32,
}

fn path(directory: &Path, first_sequence: u64) -> PathBuf {
    directory.join(format!("{first_sequence:016x}.index"))
}

impl Complete {
    /// The index of a segment, if there is a whole one.
    pub(super) fn find(directory: &Path, first_sequence: u64) -> Option<Complete> {
        let mut file = File::open(path(directory, first_sequence)).ok()?;
        let mut bytes = [0; HEADER_BYTES];
        file.read_exact(&mut bytes).ok()?;
        let rest = bytes.strip_prefix(&MAGIC)?;
        let (first, rest) = rest.split_first_chunk()?;
        let (entries_count, rest) = rest.split_first_chunk()?;
        let (earliest, rest) = rest.split_first_chunk()?;
        let complete = Complete {
            first_sequence: u64::from_be_bytes(*first),
            entries_count: u64::from_be_bytes(*entries_count),
            earliest: u32::from_be_bytes(*earliest),
            latest: u32::from_be_bytes(*rest.first_chunk()?),
        };
        let is_whole = complete.first_sequence == first_sequence
            && Some(file.metadata().ok()?.len()) == complete.file_bytes();
        is_whole.then_some(complete)
    }

    /// Writes the index of a segment from its entries in order.
    pub(super) fn write(
        directory: &Path,
        first_sequence: u64,
        entries: &[Entry],
    ) -> Result<Complete, JournalError> {
        let seconds = || entries.iter().map(|entry| entry.seconds);
        let complete = Complete {
            first_sequence,
            entries_count: u64::try_from(entries.len()).unwrap_or(u64::MAX),
            earliest: seconds().min().unwrap_or_default(),
            latest: seconds().max().unwrap_or_default(),
        };
        let unnamed = directory.join("next");
        let named = path(directory, first_sequence);
        complete.write_to(&unnamed, entries).map_err(JournalError::disk("write", &unnamed))?;
        fs::rename(&unnamed, &named).map_err(JournalError::disk("rename", &named))?;
        recover::sync_directory(directory)?;
        Ok(complete)
    }

    /// Deletes it.
    pub(super) fn remove(&self, directory: &Path) -> Result<(), JournalError> {
        let path = path(directory, self.first_sequence);
        fs::remove_file(&path).map_err(JournalError::disk("remove", &path))
    }

    fn write_to(&self, path: &Path, entries: &[Entry]) -> std::io::Result<()> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
        let mut out = BufWriter::new(file);
        out.write_all(&MAGIC)?;
        out.write_all(&self.first_sequence.to_be_bytes())?;
        out.write_all(&self.entries_count.to_be_bytes())?;
        out.write_all(&self.earliest.to_be_bytes())?;
        out.write_all(&self.latest.to_be_bytes())?;
        let page = usize::try_from(PAGE_ENTRIES).unwrap_or(usize::MAX);
        for entry in entries.iter().chain(entries.iter().step_by(page)) {
            out.write_all(&entry.encode())?;
        }
        out.into_inner()?.sync_all()
    }

    /// Bytes of the file; `None` when the header says what cannot be.
    fn file_bytes(&self) -> Option<u64> {
        let numbers = self.entries_count.checked_add(self.entries_count.div_ceil(PAGE_ENTRIES))?;
        numbers
            .checked_mul(offset_after(0, ENTRY_BYTES))?
            .checked_add(offset_after(0, HEADER_BYTES))
    }

    pub(super) fn open(&self, directory: &Path) -> Result<Opened, JournalError> {
        let path = path(directory, self.first_sequence);
        let file = File::open(&path).map_err(JournalError::disk("open", &path))?;
        let mut opened =
            Opened { file, path, entries_count: self.entries_count, fences: Vec::new() };
        let fences_count = self.entries_count.div_ceil(PAGE_ENTRIES);
        opened.fences = opened.read(self.entries_count, fences_count)?;
        Ok(opened)
    }
}

/// The index of a complete segment while it is looked into.
pub(super) struct Opened {
    file: File,
    path: PathBuf,
    entries_count: u64,
    fences: Vec<Entry>,
}

impl Opened {
    /// The entries from one place up to another one.
    pub(super) fn read(&self, start: u64, count: u64) -> Result<Vec<Entry>, JournalError> {
        let entry_bytes = offset_after(0, ENTRY_BYTES);
        let bytes_count = usize::try_from(count.saturating_mul(entry_bytes)).unwrap_or_default();
        let mut bytes = vec![0; bytes_count];
        let offset = offset_after(start.saturating_mul(entry_bytes), HEADER_BYTES);
        self.file
            .read_exact_at(&mut bytes, offset)
            .map_err(JournalError::disk("read", &self.path))?;
        Ok(bytes.as_chunks().0.iter().map(Entry::decode).collect())
    }

    /// How many entries there are before the given one.
    pub(super) fn count_before(&self, entry: Entry) -> Result<u64, JournalError> {
        let pages = self.fences.partition_point(|fence| *fence < entry);
        let Some(page) = pages.checked_sub(1) else { return Ok(0) };
        let start = u64::try_from(page).unwrap_or_default().saturating_mul(PAGE_ENTRIES);
        let count = PAGE_ENTRIES.min(self.entries_count.saturating_sub(start));
        let within = self.read(start, count)?.partition_point(|other| *other < entry);
        Ok(offset_after(start, within))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn places_are_those_of_the_sorted_entries(
            numbers in prop::collection::vec((0_u64..50, 0_u32..50, any::<u32>()), 0..5_000),
            sought in (0_u64..50, 0_u32..50),
        ) {
            let directory = tempfile::tempdir().unwrap();
            let mut entries: Vec<Entry> = numbers
                .into_iter()
                .map(|(key, seconds, offset)| Entry { key, seconds, offset })
                .collect();
            entries.sort_unstable();
            Complete::write(directory.path(), 7, &entries).unwrap();
            let opened = Complete::find(directory.path(), 7).unwrap().open(directory.path()).unwrap();
            let sought = Entry { key: sought.0, seconds: sought.1, offset: 0 };
            let place = entries.partition_point(|entry| *entry < sought);
            prop_assert_eq!(opened.count_before(sought).unwrap(), offset_after(0, place));
            prop_assert_eq!(opened.read(0, offset_after(0, entries.len())).unwrap(), entries);
        }
    }

    #[test]
    fn a_torn_index_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let entry = Entry { key: 1, seconds: 2, offset: 3 };
        Complete::write(directory.path(), 7, &[entry; 3]).unwrap();
        let path = path(directory.path(), 7);
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            assert!(Complete::find(directory.path(), 7).is_none(), "{length}");
        }
        fs::write(&path, &whole).unwrap();
        assert!(Complete::find(directory.path(), 7).is_some());
        assert!(Complete::find(directory.path(), 8).is_none());
    }
}
