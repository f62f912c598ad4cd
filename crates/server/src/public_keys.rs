//! The public keys that sign digests and the beginnings of journals, from a file with what ListPublicKeys told.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use audit::trail::PublicKey;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;

/// The public keys cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "{}: {cause}; expected what `aws cloudtrail list-public-keys --start-time 2026-01-01` tells",
    path.display()
)]
pub struct PublicKeysError {
    path: PathBuf,
    cause: io::Error,
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

/// Reads the keys of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<PublicKey>, PublicKeysError> {
    parse(path).map_err(|cause| PublicKeysError { path: path.to_owned(), cause })
}

fn parse(path: &Path) -> io::Result<Vec<PublicKey>> {
    let list: KeyList = serde_json::from_slice(&fs::read(path)?)?;
    let read = |key: ListedKey| {
        let der = STANDARD.decode(key.value).map_err(io::Error::other)?;
        Ok(PublicKey { fingerprint: key.fingerprint, der })
    };
    list.public_key_list.into_iter().map(read).collect()
}
