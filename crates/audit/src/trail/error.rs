//! How delivery fails. The texts are for the operator.

use std::{error::Error, io, path::PathBuf};

use thiserror::Error;

use crate::JournalError;

/// Why something was not delivered. Nothing is lost by it: the journal has the records, and they are delivered once the
/// cause is gone.
#[derive(Debug, Error)]
pub enum TrailError {
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal is not the one of which records were delivered.
    #[error(
        "record {sequence} of the journal is not the one that was delivered: the journal was cut off or written anew"
    )]
    OtherJournal {
        /// The last record that was delivered.
        sequence: u64,
    },
    /// The disk refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Disk {
        /// What was tried.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// The destination did not take an object.
    #[error("{object}: {cause}")]
    Destination {
        /// The object's name.
        object: String,
        /// Why not.
        cause: Box<dyn Error + Send + Sync>,
    },
    /// The file that says how far delivery came is not what was written.
    #[error("{}: {source}", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The file that says how far delivery came was written by somebody else.
    #[error(
        "{}: it is not as this server sealed it; without the file, the whole journal is delivered anew",
        path.display()
    )]
    UnsealedState {
        /// The file.
        path: PathBuf,
    },
    /// The file that says how far delivery came cannot be sealed.
    #[error("how far delivery came cannot be sealed: {0}")]
    Sealing(Box<dyn Error + Send + Sync>),
    /// A digest cannot be signed.
    #[error("a digest cannot be signed: {0}")]
    Signing(#[from] crypto::CryptoError),
    /// The key that a digest was begun with is not there any more.
    #[error("the digest key {fingerprint} is missing")]
    KeyMissing {
        /// Its fingerprint.
        fingerprint: String,
    },
}

impl TrailError {
    pub(super) fn disk(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> TrailError {
        let path = path.into();
        move |source| TrailError::Disk { action, path, source }
    }
}
