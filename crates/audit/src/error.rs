//! How the journal fails. The texts are for the operator; a caller never reads them.

use std::{io, path::PathBuf, sync::Arc};

use thiserror::Error;

use crate::frame::RECORD_BYTES_MAX;

/// Why a record could not be written, or a journal not be opened or read.
#[derive(Clone, Debug, Error)]
pub enum JournalError {
    /// The disk refused. After this in an append or a sync the journal stays stopped: what the
    /// kernel still holds of the file is unknown, so nothing may be promised on it any more.
    #[error("cannot {action} {}: {source}", path.display())]
    Disk {
        /// What was tried.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The operating system's answer.
        source: Arc<io::Error>,
    },
    /// The file is not what was written. Never repaired: the evidence stays as it is.
    #[error("the journal is damaged: {} at byte {offset}: {damage}", file.display())]
    Damaged {
        /// The segment.
        file: PathBuf,
        /// Where in it the first bad frame begins.
        offset: u64,
        /// What is wrong there.
        damage: Damage,
    },
    /// A segment of another deployment lies in the directory.
    #[error("{} belongs to another deployment", file.display())]
    OtherDeployment {
        /// The segment.
        file: PathBuf,
    },
    /// A segment was written by a newer Keystead.
    #[error("{} has format version {version}, which this version cannot read", file.display())]
    UnknownVersion {
        /// The segment.
        file: PathBuf,
        /// The version that it names.
        version: u32,
    },
    /// The statement where the journal begins cannot be believed, or nothing follows it.
    #[error("{}: {what}", file.display())]
    Beginning {
        /// The statement.
        file: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// A record has no bytes; an empty frame means something else.
    #[error("a record cannot be empty")]
    EmptyRecord,
    /// A record is longer than [`RECORD_BYTES_MAX`].
    #[error("a record of {bytes} bytes is over the limit of {RECORD_BYTES_MAX}")]
    RecordTooLong {
        /// Its length.
        bytes: usize,
    },
    /// The disk is too slow for the calls that wait; this record was not taken.
    #[error("too many records wait for the disk")]
    Backlog,
    /// The journal was closed.
    #[error("the journal is closed")]
    Closed,
    /// The thread that syncs ended without being told to.
    #[error("the journal's thread has ended")]
    Stopped,
}

/// What is wrong with a frame or a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Damage {
    /// The file ends within it.
    #[error("it is cut off")]
    CutOff,
    /// Its length cannot be.
    #[error("its length cannot be")]
    Length,
    /// It is out of its place.
    #[error("frame {found} stands where {expected} belongs")]
    Sequence {
        /// The number that follows from the frame before.
        expected: u64,
        /// The number found.
        found: u64,
    },
    /// Its content does not give its hash.
    #[error("its content does not match its hash")]
    Hash,
    /// It does not begin as a segment does.
    #[error("it is not a segment's header")]
    Header,
    /// It does not continue the segment before it.
    #[error("it does not continue the segment before it")]
    Link,
    /// It is not where a follower stopped: another journal, or an older copy of this one.
    #[error("it is not where a follower of the journal had stopped")]
    Position,
}

impl JournalError {
    pub(crate) fn disk(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> JournalError {
        let path = path.into();
        move |source| JournalError::Disk { action, path, source: Arc::new(source) }
    }
}
