//! The journal's thread: it alone syncs, begins segments and closes.

use std::{
    sync::{Arc, atomic::Ordering},
    thread,
    time::Duration,
};

use crate::error::JournalError;

use super::{Durability, shared::Shared, writer::Writer};

/// Works off orders until the journal is closed or has failed.
pub(super) fn run(shared: &Shared) {
    let _ending = Ending(shared);
    let gather = match shared.options.durability {
        Durability::Strict => Duration::ZERO,
        Durability::Interval(interval) => interval,
    };
    loop {
        let orders = shared.take_orders(gather);
        let done = if orders.close {
            close(shared)
        } else if orders.roll {
            roll(shared)
        } else {
            sync(shared)
        };
        if let Err(failure) = done {
            shared.fail(failure);
        }
        if orders.close || shared.failure.get().is_some() {
            return;
        }
    }
}

/// Writes and syncs what was appended. Appends go on meanwhile.
fn sync(shared: &Shared) -> Result<(), JournalError> {
    let (file, path, sequence) = shared.with_writer(|writer| {
        Ok((Arc::clone(&writer.file), writer.path.clone(), writer.position.sequence))
    })?;
    if sequence > shared.durable.load(Ordering::Relaxed) {
        file.sync().map_err(JournalError::disk("sync", path))?;
        shared.counters.syncs.fetch_add(1, Ordering::Relaxed);
        shared.set_durable(sequence);
    }
    Ok(())
}

/// Ends the segment and begins the next. Most of the sync happens before the file is held, so that
/// appends wait for little.
fn roll(shared: &Shared) -> Result<(), JournalError> {
    sync(shared)?;
    shared.with_writer(|writer| {
        if writer.length < shared.options.segment_bytes_max {
            return Ok(());
        }
        finish(shared, writer)?;
        *writer = Writer::begin(
            &*shared.disk,
            &shared.directory,
            &shared.options,
            writer.head,
            writer.position,
        )?;
        shared.counters.segments.fetch_add(1, Ordering::Relaxed);
        Ok(())
    })
}

fn close(shared: &Shared) -> Result<(), JournalError> {
    sync(shared)?;
    // The mark comes after the sync, so that it vouches for all that stands before it.
    shared.push_mark();
    sync(shared)?;
    shared.with_writer(|writer| finish(shared, writer))
}

fn finish(shared: &Shared, writer: &Writer) -> Result<(), JournalError> {
    writer.file.finish(writer.length).map_err(JournalError::disk("sync", &writer.path))?;
    shared.counters.syncs.fetch_add(1, Ordering::Relaxed);
    shared.set_durable(writer.position.sequence);
    Ok(())
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
