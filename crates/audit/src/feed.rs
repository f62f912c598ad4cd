//! The journal's records for one who keeps how far he came: those that are synced, each in its turn, over any number of lives.
//!
//! A record that is written but not synced may be gone after a power cut, and another have its number. So only what is synced
//! is fed, and whoever kept a position finds the same record there, or is told that the journal is another one.

use std::path::Path;

use crate::{
    error::JournalError,
    follow::{Followed, Follower},
    segment,
};

/// How far a feed came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedPosition {
    /// The number of a frame; what comes after it is fed. 0 before the first one.
    pub sequence: u64,
    /// The chain's head after that frame, if it was read.
    pub head: Option<[u8; 32]>,
}

/// Feeds the records of a journal.
pub struct Feed {
    follower: Follower,
    position: FeedPosition,
    /// A record that was read and is not known to be synced.
    held: Option<Followed>,
}

impl Feed {
    /// Begins with the oldest record that there is.
    ///
    /// # Errors
    /// [`JournalError`] when the directory cannot be read.
    pub fn of_all(directory: &Path) -> Result<Feed, JournalError> {
        let follower = Follower::new(directory, None)?;
        Ok(Feed { follower, position: FeedPosition { sequence: 0, head: None }, held: None })
    }

    /// Goes on after a position, in a journal whose frames are known to be synced up to a number. `None` if the journal does
    /// not have that frame: it is another one, an older copy, or its segment was taken away.
    ///
    /// # Errors
    /// [`JournalError`] when the disk refuses.
    pub fn after(
        directory: &Path,
        position: FeedPosition,
        synced: u64,
    ) -> Result<Option<Feed>, JournalError> {
        if position.sequence > synced {
            return Ok(None);
        }
        let wanted = segment::path(directory, position.sequence);
        let named = segment::list(directory)?;
        // Names are first frames, so that they are in order.
        let first_sequence = match named.into_iter().rfind(|path| *path <= wanted) {
            Some(path) => Some(segment::Segment::open(path)?.sequence_next()),
            None => None,
        };
        let follower = Follower::new(directory, first_sequence)?;
        let mut feed =
            Feed { follower, position: FeedPosition { sequence: 0, head: None }, held: None };
        while let Some(followed) = feed.follower.next_record()? {
            if followed.sequence < position.sequence {
                continue;
            }
            let is_there = followed.sequence == position.sequence;
            if position.head.is_some_and(|head| !is_there || followed.head != head) {
                return Ok(None);
            }
            feed.held = Some(followed).filter(|_| !is_there);
            feed.position = position;
            return Ok(Some(feed));
        }
        // Nothing follows. That frame may have been one without a record, if nobody read it as one.
        feed.position = position;
        Ok(position.head.is_none().then_some(feed))
    }

    /// The next record, if it is among the frames that are known to be synced up to a number.
    ///
    /// # Errors
    /// As [`Follower::next_record`].
    pub fn next_record(&mut self, synced: u64) -> Result<Option<Followed>, JournalError> {
        let next = match self.held.take() {
            Some(followed) => Some(followed),
            None => self.follower.next_record()?,
        };
        let Some(followed) = next else { return Ok(None) };
        if followed.sequence > synced {
            self.held = Some(followed);
            return Ok(None);
        }
        self.position = FeedPosition { sequence: followed.sequence, head: Some(followed.head) };
        Ok(Some(followed))
    }

    /// After the last record that was fed.
    #[must_use]
    pub fn position(&self) -> FeedPosition {
        self.position
    }
}
