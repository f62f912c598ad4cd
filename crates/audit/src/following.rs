//! A thread that does something behind the journal, out of every call's way, until it is told to end.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

/// How far below all other threads it stands (setpriority(2)): where calls take all of the machine, it stays behind.
const NICENESS: i32 = 19;

/// A thread that works behind the journal until this is dropped.
pub struct FollowingThread {
    stopped: Arc<(Mutex<bool>, Condvar)>,
    handle: Option<JoinHandle<()>>,
}

impl FollowingThread {
    /// Starts the thread: it takes one step after another, and waits as long as each step says.
    ///
    /// # Errors
    /// When the machine gives no thread.
    pub fn start(
        name: &str,
        mut step: impl FnMut() -> Duration + Send + 'static,
    ) -> io::Result<FollowingThread> {
        let stopped = Arc::new((Mutex::new(false), Condvar::new()));
        let mut following = FollowingThread { stopped: Arc::clone(&stopped), handle: None };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            // Linux counts the niceness of each thread by itself. A thread that may not give way works all the same.
            rustix::process::setpriority_process(None, NICENESS).ok();
            let (stopped, changed) = &*stopped;
            loop {
                let wait = step();
                let guard = stopped.lock().unwrap_or_else(PoisonError::into_inner);
                let waited = changed.wait_timeout_while(guard, wait, |stopped| !*stopped);
                let (is_stopped, _) = waited.unwrap_or_else(PoisonError::into_inner);
                if *is_stopped {
                    return;
                }
            }
        })?;
        following.handle = Some(thread);
        Ok(following)
    }

    /// Lets the thread end with the step that it is at, and waits for that: then it holds nothing any more.
    pub fn end(mut self) {
        self.stop();
        if self.handle.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("a thread behind the journal panicked");
        }
    }

    fn stop(&self) {
        let (stopped, changed) = &*self.stopped;
        *stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }
}

/// Nobody waits for the thread then: what its last step does not keep is done again by the next life.
impl Drop for FollowingThread {
    fn drop(&mut self) {
        self.stop();
    }
}
