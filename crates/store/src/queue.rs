//! A bounded queue between callers and the store's threads.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::{Result, StoreError};

/// What waits for a thread. Many may push, many may pop; closing lets what waits still be popped.
pub(crate) struct Queue<T> {
    bound: usize,
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    waiting: VecDeque<T>,
    is_closed: bool,
}

/// What a thread found at the queue.
pub(crate) enum Popped<T> {
    /// What waited, oldest first, at least one.
    Some(Vec<T>),
    /// Nothing came in the time given.
    Nothing,
    /// The queue is closed and empty.
    Closed,
}

impl<T> Queue<T> {
    pub(crate) fn new(bound: usize) -> Queue<T> {
        let state = State { waiting: VecDeque::new(), is_closed: false };
        Queue { bound, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Appends without waiting.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] when the queue is full, [`StoreError::Closed`] when it is closed.
    pub(crate) fn push(&self, item: T) -> Result<()> {
        let mut state = self.lock();
        if state.is_closed {
            return Err(StoreError::Closed);
        }
        if state.waiting.len() >= self.bound {
            return Err(StoreError::Busy);
        }
        state.waiting.push_back(item);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Takes all that waits up to `most`; waits for the first, for ever or as long as given.
    pub(crate) fn pop(&self, most: usize, wait: Option<Duration>) -> Popped<T> {
        let mut state = self.lock();
        loop {
            let count = state.waiting.len().min(most);
            if count > 0 {
                return Popped::Some(state.waiting.drain(..count).collect());
            }
            if state.is_closed {
                return Popped::Closed;
            }
            state = match wait {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(wait) => {
                    let (state, timeout) = self
                        .changed
                        .wait_timeout(state, wait)
                        .unwrap_or_else(PoisonError::into_inner);
                    if timeout.timed_out() && state.waiting.is_empty() && !state.is_closed {
                        return Popped::Nothing;
                    }
                    state
                }
            };
        }
    }

    /// Refuses what comes from now on; what waits can still be popped.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_all();
    }

    /// The state is sound whenever the lock is free: no holder can panic between two changes of it.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn popped(queue: &Queue<u8>, most: usize) -> Vec<u8> {
        match queue.pop(most, Some(Duration::ZERO)) {
            Popped::Some(items) => items,
            Popped::Nothing | Popped::Closed => Vec::new(),
        }
    }

    #[test]
    fn keeps_the_order_and_the_bound() {
        let queue = Queue::new(3);
        (1..=3).for_each(|item| queue.push(item).unwrap());
        assert!(matches!(queue.push(4), Err(StoreError::Busy)));
        assert_eq!(popped(&queue, 2), [1, 2]);
        assert_eq!(popped(&queue, 2), [3]);
        assert!(matches!(queue.pop(1, Some(Duration::ZERO)), Popped::Nothing));
    }

    #[test]
    fn a_closed_queue_gives_what_waits_and_takes_nothing() {
        let queue = Queue::new(3);
        queue.push(1).unwrap();
        queue.close();
        assert!(matches!(queue.push(2), Err(StoreError::Closed)));
        assert_eq!(popped(&queue, 9), [1]);
        assert!(matches!(queue.pop(1, None), Popped::Closed));
    }
}
