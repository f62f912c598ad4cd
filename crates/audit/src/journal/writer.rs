//! The segment being written, and the place in the journal that writing has reached.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    disk::{Disk, SegmentFile},
    error::JournalError,
    frame::{self, TRAILER_BYTES, Trailer},
    recover::Tail,
    segment::{self, Header},
};

use super::{JournalOptions, pending::Pending};

/// Bytes a buffer may keep for the next batch.
const BUFFER_BYTES_KEPT: usize = 1024 * 1024;

/// How far the journal has come.
#[derive(Clone, Copy)]
pub(super) struct Position {
    pub(super) sequence: u64,
    pub(super) records: u64,
    pub(super) outbox: u64,
    /// Whether nothing stands behind the last mark.
    pub(super) marked: bool,
}

impl Position {
    /// Of a journal without frames.
    pub(super) const START: Position =
        Position { sequence: 0, records: 0, outbox: 0, marked: true };
}

/// The segment being written.
pub(super) struct Writer {
    pub(super) file: Arc<dyn SegmentFile>,
    pub(super) path: PathBuf,
    pub(super) length: u64,
    pub(super) head: Trailer,
    pub(super) position: Position,
    /// The other buffer, empty between two writes.
    batch: Vec<u8>,
}

impl Writer {
    /// Goes on in the segment that a life before has left.
    pub(super) fn resume(
        disk: &dyn Disk,
        options: &JournalOptions,
        tail: Tail,
    ) -> Result<Writer, JournalError> {
        let Tail { path, length, head, sequence, marked, recovered } = tail;
        let file = disk
            .open(&path, options.segment_bytes_max)
            .map_err(JournalError::disk("open", &path))?;
        let (records, outbox) = (recovered.records, recovered.outbox_watermark);
        let position = Position { sequence, records, outbox, marked };
        Ok(Writer { file, path, length, head, position, batch: Vec::new() })
    }

    /// Makes the first segment, synced with its name, before anything is written to it.
    pub(super) fn begin(
        disk: &dyn Disk,
        directory: &Path,
        options: &JournalOptions,
    ) -> Result<Writer, JournalError> {
        let path = segment::path(directory, Position::START.sequence + 1);
        let file = disk
            .create(&path, options.segment_bytes_max)
            .map_err(JournalError::disk("create", &path))?;
        let no_head = [0; TRAILER_BYTES];
        let writer = Writer::begin_in(file, directory, options, no_head, Position::START)?;
        writer.file.sync().map_err(JournalError::disk("sync", &path))?;
        disk.sync_directory(directory).map_err(JournalError::disk("sync", directory))?;
        Ok(writer)
    }

    /// Begins the segment that follows a position in an empty file, which is not synced.
    pub(super) fn begin_in(
        file: Arc<dyn SegmentFile>,
        directory: &Path,
        options: &JournalOptions,
        previous_head: Trailer,
        position: Position,
    ) -> Result<Writer, JournalError> {
        let header = Header {
            deployment: options.deployment,
            first_sequence: position.sequence + 1,
            records: position.records,
            outbox: position.outbox,
            previous_head,
        };
        let path = segment::path(directory, header.first_sequence);
        let bytes = header.encode();
        file.write_all(&bytes).map_err(JournalError::disk("write", &path))?;
        let head = *bytes.last_chunk().expect("a header ends with its trailer");
        let length = segment::offset_after(0, bytes.len());
        Ok(Writer { file, path, length, head, position, batch: Vec::new() })
    }

    /// Takes the frames that wait; `false` if there are none. The lock on them is the caller's.
    pub(super) fn take(&mut self, pending: &mut Pending) -> bool {
        pending.take(&mut self.batch).inspect(|position| self.position = *position).is_some()
    }

    /// Chains and writes the frames taken with one write(2), and gives their bytes. After an error
    /// the file's end is unknown.
    pub(super) fn write(&mut self, durable: u64) -> Result<u64, JournalError> {
        self.head = frame::seal(&mut self.batch, self.head, durable);
        let frames = self.batch.get(TRAILER_BYTES..).unwrap_or_default();
        self.file.write_all(frames).map_err(JournalError::disk("write", &self.path))?;
        let bytes = segment::offset_after(0, frames.len());
        self.length = self.length.saturating_add(bytes);
        self.batch.clear();
        self.batch.shrink_to(BUFFER_BYTES_KEPT);
        Ok(bytes)
    }
}
