//! Files that are read again while the server runs: on SIGHUP, and when one of them has changed.

use std::{
    fs::{self, Metadata},
    os::unix::fs::MetadataExt,
    path::PathBuf,
    sync::Arc,
};

use service::{OperatorAct, Service};
use tokio::signal::unix::Signal;

use crate::{limits::FILES_POLL, metrics::Metrics};

/// Something that was read from files.
pub(crate) trait Followed: Send + Sync {
    /// What it is, as metrics call it.
    fn name(&self) -> &'static str;

    /// The files that it was read from.
    fn files(&self) -> Vec<PathBuf>;

    /// Reads them again, logs what came of it and tells whether the new is in force; what was read before stays when the
    /// new is not right.
    fn reload_and_tell(&self) -> bool;
}

/// Reloads on SIGHUP and when a file has changed; never ends. With nothing to follow the signal is heard and does nothing.
pub(crate) async fn follow(
    all: Vec<Arc<dyn Followed>>,
    mut hang_up: Signal,
    metrics: Arc<Metrics>,
    service: Service,
) {
    let mut seen: Vec<_> = all.iter().map(|followed| stamps(&followed.files())).collect();
    let mut poll = tokio::time::interval(FILES_POLL);
    loop {
        let is_asked = tokio::select! {
            _ = hang_up.recv() => true,
            _ = poll.tick() => false,
        };
        for (followed, seen) in all.iter().zip(&mut seen) {
            let files = followed.files();
            let now = stamps(&files);
            if is_asked || now != *seen {
                let (name, is_in_force) = (followed.name(), followed.reload_and_tell());
                metrics.reloaded(name, is_in_force);
                tell(&service, OperatorAct::Reload { name, is_in_force }).await;
                // A file that is named only now may have changed after it was read: all are read once more.
                *seen = if followed.files() == files { now } else { Vec::new() };
            }
        }
    }
}

/// Has the trail tell an act. A journal that cannot be written answers no call, which is how it shows.
pub(crate) async fn tell(service: &Service, act: OperatorAct<'_>) {
    if let Err(error) = service.tell(act).await {
        tracing::error!(%error, ?act, "an act of the operator is in no record");
    }
}

/// What shows that a file is not the one read before; a file that is away counts as changed too.
#[derive(PartialEq, Eq)]
pub(crate) struct Stamp {
    inode: u64,
    bytes: u64,
    seconds: i64,
    nanoseconds: i64,
}

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Stamp {
        Stamp {
            inode: metadata.ino(),
            bytes: metadata.len(),
            seconds: metadata.mtime(),
            nanoseconds: metadata.mtime_nsec(),
        }
    }
}

pub(crate) fn stamps(files: &[PathBuf]) -> Vec<Option<Stamp>> {
    let stamp = |path: &PathBuf| fs::metadata(path).ok().map(|metadata| Stamp::of(&metadata));
    files.iter().map(stamp).collect()
}
