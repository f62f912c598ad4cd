//! The records of a journal as they come.

use std::{
    io::{ErrorKind, Write},
    path::Path,
    time::Duration,
};

use ::audit::Follower;

use super::{AuditError, Form, Selection, folder_of};

/// How often the journal is looked at.
const POLL: Duration = Duration::from_millis(200);

/// Tells the records that a selection takes as they are written, until standard output is closed or the process is ended.
/// Those that are there already are told if the selection says since when, and otherwise passed over.
///
/// # Errors
/// When the journal cannot be read or a record not be told.
pub fn tail(
    path: &Path,
    selection: &Selection,
    form: Form,
    out: &mut impl Write,
) -> Result<(), AuditError> {
    match follow(path, selection, form, out) {
        Err(AuditError::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        ended => ended,
    }
}

fn follow(
    path: &Path,
    selection: &Selection,
    form: Form,
    out: &mut impl Write,
) -> Result<(), AuditError> {
    let folder = folder_of(path)?;
    let not_proven = |cause| AuditError::NotProven { cause, last_sequence: 0 };
    let mut follower = match selection.since {
        Some(_) => Follower::new(&folder, None),
        None => Follower::of_newest(&folder),
    }
    .map_err(not_proven)?;
    let mut is_told = selection.since.is_some();
    loop {
        while let Some(followed) = follower.next_record().map_err(not_proven)? {
            if is_told {
                form.tell(selection, followed.sequence, &followed.record, out)?;
            }
        }
        out.flush()?;
        is_told = true;
        pause();
    }
}

#[expect(clippy::disallowed_methods, reason = "the command does nothing else meanwhile")]
fn pause() {
    std::thread::sleep(POLL);
}
