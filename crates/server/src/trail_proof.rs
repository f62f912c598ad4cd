//! The proof of a delivered trail, from its files and the public keys alone: no server and no network is needed.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use audit::trail::{self, Problem, PublicKey, TrailError, Verified};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;

/// Why a trail was not proven.
#[derive(Debug, thiserror::Error)]
pub enum TrailProofError {
    /// The public keys cannot be read.
    #[error(
        "{}: {cause}; expected what `aws cloudtrail list-public-keys --start-time 2026-01-01` tells",
        path.display()
    )]
    PublicKeys {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: io::Error,
    },
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

/// The answer of ListPublicKeys, as the AWS CLI writes it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyList {
    public_key_list: Vec<ListedKey>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListedKey {
    value: String,
    fingerprint: String,
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
    let keys = read_keys(public_keys)
        .map_err(|cause| TrailProofError::PublicKeys { path: public_keys.to_owned(), cause })?;
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

fn read_keys(path: &Path) -> io::Result<Vec<PublicKey>> {
    let list: KeyList = serde_json::from_slice(&fs::read(path)?)?;
    let read = |key: ListedKey| {
        let der = STANDARD.decode(key.value).map_err(io::Error::other)?;
        Ok(PublicKey { fingerprint: key.fingerprint, der })
    };
    list.public_key_list.into_iter().map(read).collect()
}
