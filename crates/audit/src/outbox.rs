//! Which records of the store's outbox never reached the journal.
//!
//! A state change commits its record to the outbox in its own transaction; the journal gets it
//! afterwards. After a crash the outbox may hold records on both sides of that step.

use std::{collections::BTreeSet, path::Path};

use crate::{
    error::JournalError,
    recover,
    segment::{self, Segment},
};

/// The outbox numbers among `pending` that are not in the journal, ascending: those to append now.
///
/// Reads backwards from the last segment and stops at the first one before which no pending
/// number can stand, so that the usual start reads one segment.
///
/// # Errors
/// As opening the journal.
pub fn missing_outbox(directory: &Path, pending: &[u64]) -> Result<Vec<u64>, JournalError> {
    let mut missing: BTreeSet<u64> = pending.iter().copied().collect();
    let mut is_last = true;
    let (named, next) = segment::list_in_use(directory)?;
    for segment in next.map(Ok).into_iter().chain(named.into_iter().rev().map(Segment::open)) {
        if missing.is_empty() {
            break;
        }
        let mut segment = segment?;
        remove_found(&mut segment, &mut missing, is_last)?;
        is_last = false;
        if missing.first().is_some_and(|lowest| *lowest > segment.header().outbox) {
            break;
        }
    }
    Ok(missing.into_iter().collect())
}

fn remove_found(
    segment: &mut Segment,
    missing: &mut BTreeSet<u64>,
    is_last: bool,
) -> Result<(), JournalError> {
    loop {
        match segment.next() {
            Ok(Some((fixed, _))) => {
                missing.remove(&fixed.outbox);
            }
            Ok(None) => return Ok(()),
            Err(error) if is_last => return recover::torn_bytes(segment, error).map(|_| ()),
            Err(error) => return Err(error),
        }
    }
}
