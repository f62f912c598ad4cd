//! The thread that keeps the index behind the journal, out of every call's way. A look-up makes up for what it is behind.

use std::{io, sync::Arc, time::Duration};

use super::Index;
use crate::following::FollowingThread;

/// How often it is looked for new records.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Records that are taken in at once; a look-up waits for so many at most.
const RECORDS_AT_ONCE_MAX: usize = 256;

impl Index {
    /// Starts the thread. Nobody needs to wait for its end, since the index can be made anew from any state.
    ///
    /// # Errors
    /// When the machine gives no thread.
    pub fn follow(self: Arc<Self>) -> io::Result<FollowingThread> {
        FollowingThread::start("journal-index", move || match self.catch_up(RECORDS_AT_ONCE_MAX) {
            Ok(true) => LOOK_INTERVAL,
            Ok(false) => Duration::ZERO,
            Err(error) => {
                tracing::error!(%error, "the index over the journal stands still");
                LOOK_INTERVAL
            }
        })
    }
}
