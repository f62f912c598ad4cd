//! Keys in a file that the operator keeps: looked at for each token, since a new file is obeyed at once.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use service::{FoundKeys, KeySet};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    task::spawn_blocking,
    time::timeout,
};

use crate::{
    follow::Stamp,
    limits::{OIDC_WAIT_TIME_MAX, OUTGOING_ANSWER_BYTES_MAX},
    outgoing::read_at_most,
};

/// A JSON Web Key Set in a file.
pub(super) struct KeyFile {
    path: PathBuf,
    read: Arc<Mutex<Option<Known>>>,
}

type Known = (Stamp, Arc<KeySet>);

impl KeyFile {
    pub(super) fn new(path: PathBuf) -> KeyFile {
        KeyFile { path, read: Arc::default() }
    }

    /// The keys as they are in the file now; none if it cannot be read, of which the operator is told.
    pub(super) async fn find(&self) -> FoundKeys {
        let looked = async {
            let known = Arc::clone(&self.read).lock_owned().await;
            let path = self.path.clone();
            // Whoever looks keeps the lock until the machine has answered, so that a disk that hangs holds one thread.
            spawn_blocking(move || look(&path, known)).await.map_err(io::Error::other)?
        };
        let looked = timeout(OIDC_WAIT_TIME_MAX, looked).await;
        match looked.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(keys) => FoundKeys::Keys(keys),
            Err(error) => {
                let path = self.path.display();
                tracing::warn!(%path, %error, "the keys of an OIDC issuer cannot be read");
                FoundKeys::Unknown
            }
        }
    }
}

fn look(path: &Path, mut known: OwnedMutexGuard<Option<Known>>) -> io::Result<Arc<KeySet>> {
    let file = File::open(path)?;
    let stamp = Stamp::of(&file.metadata()?);
    if let Some((_, keys)) = known.as_ref().filter(|(seen, _)| *seen == stamp) {
        return Ok(Arc::clone(keys));
    }
    let text = read_at_most(file, OUTGOING_ANSWER_BYTES_MAX)?;
    let keys = Arc::new(KeySet::parse(&text).map_err(io::Error::other)?);
    *known = Some((stamp, Arc::clone(&keys)));
    Ok(keys)
}
