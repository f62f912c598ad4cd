//! Following a journal while it is written: each record once its frame is whole, and where it lies.
//!
//! A reader sees a write of others in parts. A frame that is not whole yet, or whose hash is not
//! yet right, is as good as absent, and looked at again; so a follower neither stops at what is
//! being written nor gives what was never written. Whether the files are damaged is for [`crate::read`]
//! to say.

use std::{
    fs::File,
    io::ErrorKind,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    error::{Damage, JournalError},
    frame::{self, FIXED_BYTES, Fixed, OVERHEAD_BYTES, RECORD_BYTES_MAX, TRAILER_BYTES, Trailer},
    segment::{self, HEADER_BYTES, Segment},
};

/// Bytes read at a time.
const READ_BYTES: usize = 256 * 1024;

/// A record that was followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// The first frame of the segment that it lies in, which tells the segment.
    pub segment: u64,
    /// The frame's number, from 1.
    pub sequence: u64,
    /// Where in the segment its frame begins.
    pub offset: u64,
    /// The record as it was appended.
    pub record: Vec<u8>,
    /// The chain's head after this frame, a SHA-256 value.
    pub head: [u8; 32],
}

/// How far a follower came: enough to go on from there later, and to notice another journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FollowerPosition {
    /// The first frame of the segment in which the next record is expected.
    pub segment: u64,
    /// The number of the last frame that was passed.
    pub sequence: u64,
    /// Where in the segment the next frame begins.
    pub offset: u64,
    /// The chain's head after the last frame that was passed, a SHA-256 value.
    pub head: [u8; TRAILER_BYTES],
}

/// Follows a journal from the beginning of one of its segments, or from where another follower stopped.
pub struct Follower {
    directory: PathBuf,
    place: Option<Place>,
}

/// Where the next frame is expected.
struct Place {
    file: Arc<File>,
    path: PathBuf,
    first_sequence: u64,
    sequence_next: u64,
    offset: u64,
    head: Trailer,
    /// Bytes of the file from the trailer before `offset` on; they may be older than the file.
    buffer: Vec<u8>,
    /// How many of them were passed.
    passed: usize,
}

impl Follower {
    /// Begins at the segment that begins with a frame, or at the oldest one.
    ///
    /// # Errors
    /// [`JournalError`] when the directory cannot be read or that segment not be opened.
    pub fn new(directory: &Path, first_sequence: Option<u64>) -> Result<Follower, JournalError> {
        let mut follower = Follower { directory: directory.to_owned(), place: None };
        if let Some(first_sequence) = first_sequence {
            let segment = Segment::open(segment::path(directory, first_sequence))?;
            follower.place = Some(Place::beginning(segment));
        }
        Ok(follower)
    }

    /// Begins at the newest segment that has a name, if there is one yet.
    ///
    /// # Errors
    /// As [`Follower::new`].
    pub fn of_newest(directory: &Path) -> Result<Follower, JournalError> {
        let mut follower = Follower { directory: directory.to_owned(), place: None };
        if let Some(path) = segment::list(directory)?.pop() {
            follower.place = Some(Place::beginning(Segment::open(path)?));
        }
        Ok(follower)
    }

    /// Begins where a follower stopped. The segment may be gone since, if all of it was passed.
    ///
    /// # Errors
    /// As [`Follower::new`]; [`Damage::Position`] when the journal does not have that head at that place.
    pub fn resume(directory: &Path, position: &FollowerPosition) -> Result<Follower, JournalError> {
        let place = match Place::within(directory, position)? {
            Some(place) => Some(place),
            None => Place::behind(directory, position)?,
        };
        if place.is_some() {
            return Ok(Follower { directory: directory.to_owned(), place });
        }
        let file = segment::path(directory, position.segment);
        Err(JournalError::Damaged { file, offset: position.offset, damage: Damage::Position })
    }

    /// How far it came; `None` before the first record.
    #[must_use]
    pub fn position(&self) -> Option<FollowerPosition> {
        self.place.as_ref().map(|place| FollowerPosition {
            segment: place.first_sequence,
            sequence: place.sequence_next.saturating_sub(1),
            offset: place.offset,
            head: place.head,
        })
    }

    /// The next record; `None` while no more are written.
    ///
    /// # Errors
    /// [`JournalError`] when the disk refuses, or a frame stands where another belongs.
    pub fn next_record(&mut self) -> Result<Option<Followed>, JournalError> {
        loop {
            let Some(place) = &mut self.place else {
                let (named, unnamed) = segment::list_in_use(&self.directory)?;
                let is_first = named.len() == 1;
                let segment = match named.into_iter().next() {
                    // The very first one has its name before its header.
                    Some(path) if is_first => open_if_there(path)?,
                    Some(path) => Some(Segment::open(path)?),
                    None => unnamed,
                };
                let Some(segment) = segment else { return Ok(None) };
                self.place = Some(Place::beginning(segment));
                continue;
            };
            match place.next()? {
                Some(followed) if followed.record.is_empty() => {}
                Some(followed) => return Ok(Some(followed)),
                None => match place.following(&self.directory) {
                    Some(segment) => self.place = Some(Place::beginning(segment)),
                    None => return Ok(None),
                },
            }
        }
    }

    /// The segment in which the next record is expected, told by its first frame.
    pub(crate) fn segment(&self) -> Option<(u64, Arc<File>)> {
        self.place.as_ref().map(|place| (place.first_sequence, Arc::clone(&place.file)))
    }
}

impl Place {
    fn beginning(segment: Segment) -> Place {
        Place {
            path: segment.path().to_owned(),
            first_sequence: segment.sequence_next(),
            sequence_next: segment.sequence_next(),
            offset: segment.offset(),
            head: segment.head(),
            file: Arc::new(segment.into_file()),
            buffer: Vec::new(),
            passed: 0,
        }
    }

    /// A place within the segment of a position, whether that has its name by now or not.
    fn within(
        directory: &Path,
        position: &FollowerPosition,
    ) -> Result<Option<Place>, JournalError> {
        let paths = [segment::path(directory, position.segment), segment::next_path(directory)];
        for path in paths {
            let Some(segment) = open_if_there(path)? else { continue };
            if segment.header().first_sequence != position.segment {
                continue;
            }
            let mut place = Place::beginning(segment);
            place.sequence_next = position.sequence.saturating_add(1);
            place.offset = position.offset;
            place.head = position.head;
            place.fill(TRAILER_BYTES)?;
            return Ok((place.rest() == position.head).then_some(place));
        }
        Ok(None)
    }

    /// The beginning of the segment that follows a position, if the one of the position is gone.
    fn behind(
        directory: &Path,
        position: &FollowerPosition,
    ) -> Result<Option<Place>, JournalError> {
        let path = segment::path(directory, position.sequence.saturating_add(1));
        let segment = open_if_there(path)?;
        Ok(segment
            .filter(|segment| segment.header().previous_head == position.head)
            .map(Place::beginning))
    }

    fn next(&mut self) -> Result<Option<Followed>, JournalError> {
        let whole = match self.whole() {
            Some(fixed) => Some(fixed),
            None => {
                self.fill(READ_BYTES)?;
                if self.is_longer() {
                    self.fill(OVERHEAD_BYTES + TRAILER_BYTES + RECORD_BYTES_MAX)?;
                }
                self.whole()
            }
        };
        let Some(fixed) = whole else { return Ok(None) };
        if fixed.sequence != self.sequence_next {
            let damage = Damage::Sequence { expected: self.sequence_next, found: fixed.sequence };
            let (file, offset) = (self.path.clone(), self.offset);
            return Err(JournalError::Damaged { file, offset, damage });
        }
        let payload_start = TRAILER_BYTES + FIXED_BYTES;
        let rest = self.rest();
        let record = rest.get(payload_start..payload_start + fixed.payload_bytes);
        let record = record.unwrap_or_default().to_vec();
        let trailer = rest.get(payload_start + fixed.payload_bytes..).and_then(<[u8]>::first_chunk);
        self.head = trailer.copied().unwrap_or(self.head);
        let frame_bytes = OVERHEAD_BYTES + fixed.payload_bytes;
        let offset = self.offset;
        self.passed += frame_bytes;
        self.offset = segment::offset_after(offset, frame_bytes);
        self.sequence_next = self.sequence_next.saturating_add(1);
        Ok(Some(Followed {
            segment: self.first_sequence,
            sequence: fixed.sequence,
            offset,
            record,
            head: self.head,
        }))
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.passed..).unwrap_or_default()
    }

    /// The next frame, if the buffer has it whole and it continues the chain.
    fn whole(&self) -> Option<Fixed> {
        let rest = self.rest();
        (*rest.first_chunk::<TRAILER_BYTES>()? == self.head).then_some(())?;
        frame::check(rest)
    }

    /// Whether the next frame says that it is longer than what was read.
    fn is_longer(&self) -> bool {
        let rest = self.rest();
        let fixed = rest.get(TRAILER_BYTES..).and_then(<[u8]>::first_chunk).and_then(Fixed::parse);
        fixed.is_some_and(|fixed| rest.len() < TRAILER_BYTES + OVERHEAD_BYTES + fixed.payload_bytes)
            && rest.len() >= READ_BYTES
    }

    /// Reads the buffer anew, from the trailer before the next frame on.
    fn fill(&mut self, bytes: usize) -> Result<(), JournalError> {
        let start = self.offset.saturating_sub(segment::offset_after(0, TRAILER_BYTES));
        self.buffer.resize(bytes, 0);
        self.passed = 0;
        let mut filled = 0;
        while let Some(room) = self.buffer.get_mut(filled..).filter(|room| !room.is_empty()) {
            let from = segment::offset_after(start, filled);
            match self.file.read_at(room, from).map_err(JournalError::disk("read", &self.path))? {
                0 => break,
                count => filled += count,
            }
        }
        self.buffer.truncate(filled);
        Ok(())
    }

    /// The segment that continues this one, if it has begun: then nothing more comes into this one.
    fn following(&self, directory: &Path) -> Option<Segment> {
        let paths = [segment::path(directory, self.sequence_next), segment::next_path(directory)];
        paths.into_iter().find_map(|path| {
            let segment = Segment::open_unnamed(path).ok()?;
            let header = segment.header();
            let continues = header.first_sequence == self.sequence_next
                && header.previous_head == self.head
                && header.first_sequence != self.first_sequence;
            continues.then_some(segment)
        })
    }
}

/// A segment, if there is a file with a header.
fn open_if_there(path: PathBuf) -> Result<Option<Segment>, JournalError> {
    match Segment::open_unnamed(path) {
        Ok(segment) => Ok(Some(segment)),
        Err(JournalError::Disk { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
        // Room for a segment that has not begun.
        Err(JournalError::Damaged { damage: Damage::CutOff | Damage::Header, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads one record whose place is known, if what stands there is a whole frame.
///
/// # Errors
/// When the disk refuses.
pub(crate) fn record_at(
    file: &File,
    path: &Path,
    offset: u64,
) -> Result<Option<Vec<u8>>, JournalError> {
    let before = segment::offset_after(0, TRAILER_BYTES);
    if offset < segment::offset_after(0, HEADER_BYTES) {
        return Ok(None);
    }
    let read = |bytes: &mut [u8]| match file.read_exact_at(bytes, offset - before) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(JournalError::disk("read", path)(error)),
    };
    let mut start = [0; TRAILER_BYTES + FIXED_BYTES];
    if !read(&mut start)? {
        return Ok(None);
    }
    let fixed = start.get(TRAILER_BYTES..).and_then(<[u8]>::first_chunk).and_then(Fixed::parse);
    let Some(fixed) = fixed else { return Ok(None) };
    let mut whole = vec![0; TRAILER_BYTES + OVERHEAD_BYTES + fixed.payload_bytes];
    if !read(&mut whole)? || frame::check(&whole).is_none() {
        return Ok(None);
    }
    let start = TRAILER_BYTES + FIXED_BYTES;
    Ok(whole.get(start..start + fixed.payload_bytes).map(<[u8]>::to_vec))
}
