//! The journal's thread: it alone syncs, begins segments and closes.

use std::{
    mem,
    sync::{Arc, atomic::Ordering},
    thread,
    time::Duration,
};

use crate::{disk::SegmentFile, error::JournalError, segment};

use super::{Durability, shared::Shared, writer::Writer};

/// The next segment is made when this part of the current one is full: one half.
const PREPARE_DIVISOR: u64 = 2;

/// Works off orders until the journal is closed or has failed.
pub(super) fn run(shared: &Shared) {
    let _ending = Ending(shared);
    let mut keeper = Keeper { shared, next: None };
    let gather = match shared.options.durability {
        Durability::Strict => Duration::ZERO,
        Durability::Interval(interval) => interval,
    };
    loop {
        let orders = shared.take_orders(gather);
        let done = if orders.close {
            keeper.close()
        } else if orders.begin {
            // Not one without a frame: the next one would have its name.
            keeper.roll(segment::offset_after(1, segment::HEADER_BYTES))
        } else if orders.roll {
            keeper.roll(shared.options.segment_bytes_max)
        } else {
            keeper.sync_and_prepare()
        };
        if let Err(failure) = done {
            shared.fail(failure);
        }
        if orders.close || shared.failure.get().is_some() {
            return;
        }
    }
}

struct Keeper<'s> {
    shared: &'s Shared,
    /// The file of the next segment, made ahead.
    next: Option<Arc<dyn SegmentFile>>,
}

impl Keeper<'_> {
    /// Writes and syncs what was appended, and makes the next segment's file when it will soon be wanted.
    fn sync_and_prepare(&mut self) -> Result<(), JournalError> {
        let length = self.sync()?;
        if length >= self.shared.options.segment_bytes_max / PREPARE_DIVISOR && self.next.is_none()
        {
            self.next = Some(self.make_next()?);
        }
        Ok(())
    }

    /// Writes and syncs what was appended; gives the segment's length. Appends go on meanwhile.
    fn sync(&self) -> Result<u64, JournalError> {
        let shared = self.shared;
        let (file, path, sequence, length) = shared.with_writer(|writer| {
            let file = Arc::clone(&writer.file);
            Ok((file, writer.path.clone(), writer.position.sequence, writer.length))
        })?;
        if sequence > shared.durable.load(Ordering::Relaxed) {
            file.sync().map_err(JournalError::disk("sync", path))?;
            shared.counters.syncs.fetch_add(1, Ordering::Relaxed);
            shared.set_durable(sequence);
        }
        Ok(length)
    }

    fn make_next(&self) -> Result<Arc<dyn SegmentFile>, JournalError> {
        let path = segment::next_path(&self.shared.directory);
        let room_bytes = self.shared.options.segment_bytes_max;
        self.shared.disk.create(&path, room_bytes).map_err(JournalError::disk("create", &path))
    }

    /// Ends a segment that is so long and begins the next. The file is held only to change from one to the other; appends go on while the
    /// one is completed and the other gets its name, in this order.
    fn roll(&mut self, bytes_min: u64) -> Result<(), JournalError> {
        let shared = self.shared;
        if self.sync()? < bytes_min {
            return Ok(());
        }
        let next = match self.next.take() {
            Some(next) => next,
            None => self.make_next()?,
        };
        let (former, path) = shared.with_writer(|writer| {
            let (head, position) = (writer.head, writer.position);
            let next = Arc::clone(&next);
            let begun = Writer::begin_in(next, &shared.directory, &shared.options, head, position)?;
            let path = begun.path.clone();
            Ok((mem::replace(writer, begun), path))
        })?;
        self.finish(&former)?;
        next.sync().map_err(JournalError::disk("sync", &path))?;
        let unnamed = segment::next_path(&shared.directory);
        shared.disk.rename(&unnamed, &path).map_err(JournalError::disk("rename", &path))?;
        let directory = &shared.directory;
        shared.disk.sync_directory(directory).map_err(JournalError::disk("sync", directory))?;
        shared.counters.segments.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn close(&mut self) -> Result<(), JournalError> {
        if self.next.take().is_some() {
            let path = segment::next_path(&self.shared.directory);
            self.shared.disk.remove(&path).map_err(JournalError::disk("remove", &path))?;
        }
        self.sync()?;
        // The mark comes after the sync, so that it vouches for all that stands before it.
        self.shared.push_mark();
        self.sync()?;
        self.shared.with_writer(|writer| self.finish(writer))
    }

    fn finish(&self, writer: &Writer) -> Result<(), JournalError> {
        writer.file.finish(writer.length).map_err(JournalError::disk("sync", &writer.path))?;
        self.shared.counters.syncs.fetch_add(1, Ordering::Relaxed);
        self.shared.set_durable(writer.position.sequence);
        Ok(())
    }
}

/// Tells that the thread is gone, even if it panicked, so that nobody waits for it.
struct Ending<'a>(&'a Shared);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.fail(JournalError::Stopped);
        }
        self.0.end();
    }
}
