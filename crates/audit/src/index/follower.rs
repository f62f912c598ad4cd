//! The thread that keeps the index behind the journal, out of every call's way.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::Duration,
};

use super::Index;

/// How often it is looked for new records.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Records that are taken in at once; a look-up waits for so many at most.
const RECORDS_AT_ONCE_MAX: usize = 256;
/// How far below all other threads it stands (setpriority(2)): where calls take all of the machine, the index stays
/// behind, and a look-up makes up for it.
const NICENESS: i32 = 19;

/// A thread that follows the journal until this is dropped.
pub struct IndexFollower {
    stopped: Arc<(Mutex<bool>, Condvar)>,
}

impl IndexFollower {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the machine gives no thread.
    pub fn start(index: Arc<Index>) -> io::Result<IndexFollower> {
        let stopped = Arc::new((Mutex::new(false), Condvar::new()));
        let follower = IndexFollower { stopped: Arc::clone(&stopped) };
        thread::Builder::new().name("journal-index".to_owned()).spawn(move || {
            // Linux counts the niceness of each thread by itself. A thread that may not give way works all the same.
            rustix::process::setpriority_process(None, NICENESS).ok();
            follow(&index, &stopped);
        })?;
        Ok(follower)
    }
}

/// Lets the thread end with what it is at; nobody waits for it, since the index can be made anew from any state.
impl Drop for IndexFollower {
    fn drop(&mut self) {
        let (stopped, changed) = &*self.stopped;
        *stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }
}

fn follow(index: &Index, (stopped, changed): &(Mutex<bool>, Condvar)) {
    loop {
        let wait = match index.catch_up(RECORDS_AT_ONCE_MAX) {
            Ok(true) => LOOK_INTERVAL,
            Ok(false) => Duration::ZERO,
            Err(error) => {
                tracing::error!(%error, "the index over the journal stands still");
                LOOK_INTERVAL
            }
        };
        let guard = stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_timeout_while(guard, wait, |stopped| !*stopped);
        let (is_stopped, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if *is_stopped {
            return;
        }
    }
}
