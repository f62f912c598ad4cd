//! The signing keys of OIDC providers, from files that the operator keeps.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use foldhash::fast::RandomState;

use super::token::Keys;

/// Bytes of a file that are read.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// The issuers whose keys are known.
#[derive(Default)]
pub(crate) struct Issuers(HashMap<String, KeyFile, RandomState>);

/// A JSON Web Key Set in a file.
struct KeyFile {
    path: PathBuf,
    read: Mutex<Option<(Stamp, Arc<Keys>)>>,
}

/// By what a file that was changed is told from what was read.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: SystemTime,
    bytes: u64,
    /// A file that took the place of another is another, however fast it came.
    inode: u64,
}

impl Issuers {
    /// Those issuers, by URL, with the files of their keys.
    pub(crate) fn new(files: Vec<(String, PathBuf)>) -> Issuers {
        let files = files.into_iter();
        Issuers(files.map(|(url, path)| (url, KeyFile { path, read: Mutex::default() })).collect())
    }

    /// The keys of an issuer as they are in its file now; none if nothing is known of it or the file cannot be read, of which
    /// the operator is told.
    pub(super) fn keys(&self, url: &str) -> Option<Arc<Keys>> {
        let file = self.0.get(url)?;
        let keys = file.keys();
        if let Err(error) = &keys {
            let path = file.path.display();
            tracing::warn!(%path, %error, "the keys of an OIDC provider cannot be read");
        }
        keys.ok()
    }
}

impl KeyFile {
    fn keys(&self) -> io::Result<Arc<Keys>> {
        let file = File::open(&self.path)?;
        let metadata = file.metadata()?;
        let stamp =
            Stamp { modified: metadata.modified()?, bytes: metadata.len(), inode: metadata.ino() };
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, keys)) = read.as_ref().filter(|(known, _)| *known == stamp) {
            return Ok(Arc::clone(keys));
        }
        let mut text = Vec::new();
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut text)?;
        if u64::try_from(text.len()).is_ok_and(|bytes| bytes > FILE_BYTES_MAX) {
            return Err(io::Error::other("the file is longer than 256 KiB"));
        }
        let keys = Arc::new(Keys::parse(&text)?);
        *read = Some((stamp, Arc::clone(&keys)));
        Ok(keys)
    }
}
