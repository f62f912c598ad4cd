//! Buffers that records are written into, used again and again.
//!
//! A record is longer than what the allocator serves from its fast lists, so that a new buffer for each one costs more than
//! writing it.

use std::sync::{Mutex, PoisonError};

/// Buffers kept; more than this many records are hardly ever written at once.
const BUFFERS_MAX: usize = 64;
/// Longer buffers are not kept: a record of this size is rare.
const BUFFER_BYTES_MAX: usize = 16 * 1024;

/// See the module's text.
#[derive(Default)]
pub(crate) struct Buffers {
    kept: Mutex<Vec<Vec<u8>>>,
}

impl Buffers {
    /// An empty buffer.
    pub(crate) fn take(&self) -> Vec<u8> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// Takes a buffer back.
    pub(crate) fn give(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < BUFFERS_MAX && buffer.capacity() <= BUFFER_BYTES_MAX {
            kept.push(buffer);
        }
    }
}
