//! Reading a journal: every record of a directory in order, each checked before it is given.

use std::{
    path::{Path, PathBuf},
    vec,
};

use crate::{
    beginning::SignedBeginning,
    error::{Damage, JournalError},
    frame::Fixed,
    recover::{self, Link},
    segment::{self, Segment},
};

/// A record of the journal whose place in the chain was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The frame's number, from 1. Marks have numbers too, so that records may skip one.
    pub sequence: u64,
    /// The record's number in the store's outbox, if it came through it.
    pub outbox: Option<u64>,
    /// The record as it was appended.
    pub record: Vec<u8>,
    /// The chain's head after this frame, a SHA-256 value.
    pub head: [u8; 32],
}

/// Begins to read the journal in a directory, which may be in use. Every frame of every segment is
/// checked, and that each segment continues the one before.
///
/// # Errors
/// [`JournalError::Disk`] when the directory cannot be read.
pub fn read(directory: &Path) -> Result<Frames, JournalError> {
    // In this order: what is in the list goes on from a beginning that is as new or newer.
    let (mut paths, next) = segment::list_in_use(directory)?;
    let signed = SignedBeginning::find(directory)?;
    let beginning = signed.as_ref().map(|signed| &signed.beginning);
    if let Some(beginning) = beginning {
        beginning.drop_older(directory, &mut paths);
        beginning.check_followed(directory, &paths)?;
    }
    let link = Link::start(None, beginning);
    Ok(Frames { beginning: signed, ..Frames::new(paths, next, link) })
}

/// Begins to read at the segment in which a frame stands, with the frames before it in that segment. Each frame is checked,
/// but not that the segment follows those before it: whoever knows the head of an earlier read compares it.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_around(directory: &Path, sequence: u64) -> Result<Frames, JournalError> {
    let (mut paths, next) = segment::list_in_use(directory)?;
    let wanted = segment::path(directory, sequence);
    let earlier_count = paths.iter().filter(|path| **path <= wanted).count().saturating_sub(1);
    paths.drain(..earlier_count.min(paths.len()));
    let link = match paths.first() {
        Some(first) => Link::start_at(&Segment::open(first.clone())?),
        None => Link::start(None, None),
    };
    Ok(Frames::new(paths, next, link))
}

/// Whether a journal lies in the directory: a file is called as a segment is.
///
/// # Errors
/// [`JournalError::Disk`] when the directory cannot be read.
pub fn is_journal(directory: &Path) -> Result<bool, JournalError> {
    let has_named = !segment::list(directory)?.is_empty();
    Ok(has_named || segment::next_path(directory).is_file())
}

/// The records of a journal. Ends after the first error.
pub struct Frames {
    beginning: Option<SignedBeginning>,
    paths: vec::IntoIter<PathBuf>,
    /// What follows the last path while that is being completed.
    next: Option<Segment>,
    segment: Option<Segment>,
    link: Link,
    torn_bytes: u64,
    ended: bool,
}

impl Frames {
    fn new(paths: Vec<PathBuf>, next: Option<Segment>, link: Link) -> Frames {
        let paths = paths.into_iter();
        Frames { beginning: None, paths, next, segment: None, link, torn_bytes: 0, ended: false }
    }

    /// Where the journal begins, if older segments were deleted.
    #[must_use]
    pub fn beginning(&self) -> Option<&SignedBeginning> {
        self.beginning.as_ref()
    }

    /// Bytes of an unfinished write at the end, known once the iterator has ended: of a crash, or
    /// of a running server.
    #[must_use]
    pub fn torn_bytes(&self) -> u64 {
        self.torn_bytes
    }

    fn step(&mut self) -> Result<Option<Frame>, JournalError> {
        loop {
            let Some(segment) = &mut self.segment else {
                let Some(path) = self.paths.next() else {
                    // One that does not fit was left by a crash: nothing of it was durable.
                    let next = self.next.take().filter(|next| self.link.check(next).is_ok());
                    let Some(next) = next else { return Ok(None) };
                    self.segment = Some(next);
                    continue;
                };
                let segment = match Segment::open(path) {
                    // The last segment is just being made, or a crash came then.
                    Err(JournalError::Damaged { damage: Damage::CutOff, .. })
                        if self.paths.len() == 0 =>
                    {
                        return Ok(None);
                    }
                    opened => opened?,
                };
                self.link.check(&segment)?;
                self.segment = Some(segment);
                continue;
            };
            let read =
                segment.next().map(|frame| frame.map(|(fixed, payload)| (fixed, payload.to_vec())));
            match read {
                Ok(Some((Fixed { payload_bytes: 0, .. }, _))) => {}
                Ok(Some((fixed, record))) => {
                    return Ok(Some(Frame {
                        sequence: fixed.sequence,
                        outbox: (fixed.outbox != 0).then_some(fixed.outbox),
                        record,
                        head: segment.head(),
                    }));
                }
                Ok(None) => {
                    self.link.follow_read(segment);
                    self.segment = None;
                }
                Err(error) if self.paths.len() > 0 => return Err(error),
                Err(error) => {
                    self.torn_bytes = recover::torn_bytes(segment, error)?;
                    return Ok(None);
                }
            }
        }
    }
}

impl Iterator for Frames {
    type Item = Result<Frame, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let step = self.step().transpose();
        self.ended = !matches!(step, Some(Ok(_)));
        step
    }
}
