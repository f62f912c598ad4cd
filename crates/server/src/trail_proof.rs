//! The proof of a delivered trail, from its files and the public keys alone: no server and no network is needed.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use audit::trail::{self, Problem, TrailError, Verified};

use crate::public_keys::{self, PublicKeysError};

/// Why a trail was not proven.
#[derive(Debug, thiserror::Error)]
pub enum TrailProofError {
    /// The public keys cannot be read.
    #[error(transparent)]
    PublicKeys(#[from] PublicKeysError),
    /// The files cannot be read.
    #[error(transparent)]
    Trail(#[from] TrailError),
    /// There is nothing to prove.
    #[error(
        "{}: no digests here; expected the folder in which AWSLogs lies, or a prefix of it",
        .0.display()
    )]
    NoDigests(PathBuf),
    /// Files are not as they were delivered.
    #[error("not proven: {count} problems, the first of them: {}: {}", first.object, first.what)]
    NotProven {
        /// How many problems there are.
        count: usize,
        /// The first of them.
        first: Problem,
    },
    /// What was found cannot be told.
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
}

/// Proves that the log files are those of which the digests tell, and the digests those that were signed, each chained to the
/// one before. Tells every file that is not as it was delivered.
///
/// # Errors
/// See [`TrailProofError`].
pub fn verify(
    folder: &Path,
    public_keys: &Path,
    out: &mut impl Write,
) -> Result<(), TrailProofError> {
    let keys = public_keys::read(public_keys)?;
    let Verified { digests_count, log_files_count, records_count, undigested_count, problems } =
        trail::verify(folder, &keys)?;
    for Problem { object, what } in &problems {
        writeln!(out, "{object}: {what}")?;
    }
    if let Some(first) = problems.first() {
        return Err(TrailProofError::NotProven { count: problems.len(), first: first.clone() });
    }
    if digests_count == 0 {
        return Err(TrailProofError::NoDigests(folder.to_owned()));
    }
    writeln!(
        out,
        "whole: {records_count} records in {log_files_count} log files, by {digests_count} digests"
    )?;
    if undigested_count > 0 {
        writeln!(out, "not proven yet: {undigested_count} log files since the last digests")?;
    }
    Ok(out.flush()?)
}
