//! The frames that wait for the disk, in memory.

use crate::{
    error::JournalError,
    frame::{self, OVERHEAD_BYTES, TRAILER_BYTES},
};

use super::{PENDING_BYTES_MAX, writer::Position};

/// Frames that wait to be written, not yet chained, behind room for the head.
pub(super) struct Pending {
    bytes: Vec<u8>,
    /// After the last frame here.
    pub(super) position: Position,
    pub(super) closed: bool,
    /// Whether the thread was told of these frames.
    pub(super) told: bool,
}

impl Pending {
    pub(super) fn new(position: Position) -> Pending {
        Pending { bytes: vec![0; TRAILER_BYTES], position, closed: false, told: false }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.len() == TRAILER_BYTES
    }

    /// Takes a record, unless the journal is closed or too much waits, and gives its number.
    pub(super) fn accept(&mut self, record: &[u8], outbox: u64) -> Result<u64, JournalError> {
        if self.closed {
            return Err(JournalError::Closed);
        }
        if self.bytes.len() + OVERHEAD_BYTES + record.len() > PENDING_BYTES_MAX {
            return Err(JournalError::Backlog);
        }
        Ok(self.push(record, outbox))
    }

    /// Puts a mark at the end, unless there is one.
    pub(super) fn mark(&mut self) {
        if !self.position.marked {
            self.push(&[], 0);
        }
    }

    fn push(&mut self, payload: &[u8], outbox: u64) -> u64 {
        let position = &mut self.position;
        position.marked = payload.is_empty();
        position.sequence += 1;
        position.records += u64::from(!position.marked);
        position.outbox = position.outbox.max(outbox);
        frame::push(&mut self.bytes, position.sequence, outbox, payload);
        position.sequence
    }

    /// Gives the frames to the writer in exchange for its empty buffer; `None` if there are none.
    pub(super) fn take(&mut self, batch: &mut Vec<u8>) -> Option<Position> {
        if self.is_empty() {
            return None;
        }
        std::mem::swap(&mut self.bytes, batch);
        self.bytes.resize(TRAILER_BYTES, 0);
        Some(self.position)
    }
}
