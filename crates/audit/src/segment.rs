//! The segment: a file of frames behind a header, named after its first frame.
//!
//! Integers are big-endian.
//!
//! ```text
//! file    = header ‖ frame* ‖ zeros
//! header  = "KSJOURNL" ‖ version u32 ‖ deployment[16] ‖ first sequence u64 ‖ records u64
//!           ‖ outbox u64 ‖ previous head[32] ‖ trailer[32]
//! trailer = SHA-256(everything before it)
//! name    = first sequence, sixteen hexadecimal digits, ".log"
//! ```
//!
//! `records` counts the records of all segments before this one, `outbox` is the highest outbox
//! number among them, `previous head` the trailer that ends the segment before, zeros in the
//! first. The header's trailer begins the chain of its frames, so the chain runs through all
//! segments. The zeros are room for more frames; a complete segment has none. No frame begins with
//! zeros only. A segment is complete and synced before the next one has its name. Until then the next
//! one is called "next": frames go into it already, while the one before is being completed.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use crate::{
    error::{Damage, JournalError},
    frame::{self, FIXED_BYTES, Fixed, TRAILER_BYTES, Trailer},
};

const MAGIC: [u8; 8] = *b"KSJOURNL";

const VERSION: u32 = 1;

/// Bytes of the header.
pub(crate) const HEADER_BYTES: usize = 116;

/// Bytes read from a segment at a time.
const READ_BYTES: usize = 256 * 1024;

/// What a segment says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) deployment: [u8; 16],
    pub(crate) first_sequence: u64,
    pub(crate) records: u64,
    pub(crate) outbox: u64,
    pub(crate) previous_head: Trailer,
}

impl Header {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_BYTES);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_be_bytes());
        out.extend_from_slice(&self.deployment);
        out.extend_from_slice(&self.first_sequence.to_be_bytes());
        out.extend_from_slice(&self.records.to_be_bytes());
        out.extend_from_slice(&self.outbox.to_be_bytes());
        out.extend_from_slice(&self.previous_head);
        let trailer = frame::trailer_of(&out);
        out.extend_from_slice(&trailer);
        out
    }

    /// Reads a header and the head that it begins.
    fn parse(bytes: &[u8; HEADER_BYTES]) -> Result<(Header, Trailer), HeaderError> {
        Header::split(bytes).ok_or(HeaderError::Damaged)?
    }

    /// `None` when the magic or the hash is wrong.
    fn split(bytes: &[u8; HEADER_BYTES]) -> Option<Result<(Header, Trailer), HeaderError>> {
        let rest = bytes.strip_prefix(&MAGIC)?;
        let (version, rest) = rest.split_first_chunk()?;
        let version = u32::from_be_bytes(*version);
        if version != VERSION {
            return Some(Err(HeaderError::UnknownVersion(version)));
        }
        let (deployment, rest) = rest.split_first_chunk()?;
        let (first_sequence, rest) = rest.split_first_chunk()?;
        let (records, rest) = rest.split_first_chunk()?;
        let (outbox, rest) = rest.split_first_chunk()?;
        let (previous_head, rest) = rest.split_first_chunk()?;
        let trailer = *rest.first_chunk()?;
        let header = Header {
            deployment: *deployment,
            first_sequence: u64::from_be_bytes(*first_sequence),
            records: u64::from_be_bytes(*records),
            outbox: u64::from_be_bytes(*outbox),
            previous_head: *previous_head,
        };
        let (hashed, _) = bytes.split_at_checked(HEADER_BYTES - TRAILER_BYTES)?;
        (frame::trailer_of(hashed) == trailer).then_some(Ok((header, trailer)))
    }
}

enum HeaderError {
    Damaged,
    UnknownVersion(u32),
}

/// The path of the segment that begins with a frame.
pub(crate) fn path(directory: &Path, first_sequence: u64) -> PathBuf {
    directory.join(format!("{first_sequence:016x}.log"))
}

/// The path of the segment that has no name yet.
pub(crate) fn next_path(directory: &Path) -> PathBuf {
    directory.join("next")
}

/// The segments of a directory in order. Files with other names are not the journal's.
pub(crate) fn list(directory: &Path) -> Result<Vec<PathBuf>, JournalError> {
    let entries = fs::read_dir(directory).map_err(JournalError::disk("read", directory))?;
    let mut paths = Vec::new();
    for entry in entries {
        let name = entry.map_err(JournalError::disk("read", directory))?.file_name();
        let sequence = name
            .to_str()
            .and_then(|name| name.strip_suffix(".log"))
            .filter(|digits| digits.len() == 16)
            .and_then(|digits| u64::from_str_radix(digits, 16).ok());
        // Comparing with the name written anew refuses signs and capital digits.
        if let Some(path) = sequence.map(|sequence| path(directory, sequence))
            && path.file_name() == Some(&name)
        {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// The segments of a journal that may be in use: the named ones in order, then the one that has no
/// name yet, if anything was written to it.
///
/// The latter is opened before the directory is listed: were it named in between, it would be in
/// the list, and what was written before the call is found in any case.
pub(crate) fn list_in_use(
    directory: &Path,
) -> Result<(Vec<PathBuf>, Option<Segment>), JournalError> {
    let next = match Segment::open_unnamed(next_path(directory)) {
        Ok(segment) => Some(segment),
        Err(JournalError::Disk { source, .. }) if source.kind() == io::ErrorKind::NotFound => None,
        // Its header is not written yet, or never was.
        Err(JournalError::Damaged { .. }) => None,
        Err(error) => return Err(error),
    };
    let named = list(directory)?;
    let next = next.filter(|next| named.last() < Some(&path_of(directory, next)));
    Ok((named, next))
}

/// A segment read from its beginning, each frame checked before it is given.
pub(crate) struct Segment {
    path: PathBuf,
    header: Header,
    file: BufReader<File>,
    /// The previous trailer and the frame being read.
    window: Vec<u8>,
    head: Trailer,
    /// Where the next frame begins.
    offset: u64,
    sequence_next: u64,
    length: u64,
}

impl Segment {
    /// Opens a segment and checks its header and its name.
    pub(crate) fn open(path: PathBuf) -> Result<Segment, JournalError> {
        let segment = Segment::open_unnamed(path)?;
        let directory = segment.path.parent().unwrap_or(Path::new(""));
        if path_of(directory, &segment) != segment.path {
            return Err(segment.header_damage());
        }
        Ok(segment)
    }

    /// Opens a segment whatever it is called and checks its header.
    pub(crate) fn open_unnamed(path: PathBuf) -> Result<Segment, JournalError> {
        let file = File::open(&path).map_err(JournalError::disk("open", &path))?;
        let length = file.metadata().map_err(JournalError::disk("measure", &path))?.len();
        let mut file = BufReader::with_capacity(READ_BYTES, file);
        let mut bytes = [0; HEADER_BYTES];
        let damaged = |damage| JournalError::Damaged { file: path.clone(), offset: 0, damage };
        if length < offset_after(0, HEADER_BYTES) {
            return Err(damaged(Damage::CutOff));
        }
        file.read_exact(&mut bytes).map_err(JournalError::disk("read", &path))?;
        let (header, head) = Header::parse(&bytes).map_err(|error| match error {
            HeaderError::Damaged => damaged(Damage::Header),
            HeaderError::UnknownVersion(version) => {
                JournalError::UnknownVersion { file: path.clone(), version }
            }
        })?;
        Ok(Segment {
            header,
            file,
            window: Vec::new(),
            head,
            offset: offset_after(0, HEADER_BYTES),
            sequence_next: header.first_sequence,
            length,
            path,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// The chain's head after the frames read so far.
    pub(crate) fn head(&self) -> Trailer {
        self.head
    }

    /// Where the next frame begins.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The number that the next frame must have.
    pub(crate) fn sequence_next(&self) -> u64 {
        self.sequence_next
    }

    /// The file, to be read at places that are known.
    pub(crate) fn into_file(self) -> File {
        self.file.into_inner()
    }

    /// The file's length in bytes when it was opened.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The next frame and its payload; `None` where nothing was written behind the last one.
    pub(crate) fn next(&mut self) -> Result<Option<(Fixed, &[u8])>, JournalError> {
        self.window.clear();
        self.window.extend_from_slice(&self.head);
        if self.fill(FIXED_BYTES)? == 0 {
            return Ok(None);
        }
        let is_room = self.window.get(TRAILER_BYTES..).is_some_and(|bytes| written(bytes) == 0);
        if is_room && self.is_zero_to_the_end()? {
            return Ok(None);
        }
        let fixed = self.window.get(TRAILER_BYTES..).and_then(<[u8]>::first_chunk);
        let fixed = Fixed::parse(fixed.ok_or_else(|| self.damaged(Damage::CutOff))?)
            .ok_or_else(|| self.damaged(Damage::Length))?;
        if fixed.sequence != self.sequence_next {
            let (expected, found) = (self.sequence_next, fixed.sequence);
            return Err(self.damaged(Damage::Sequence { expected, found }));
        }
        let rest_bytes = fixed.payload_bytes + TRAILER_BYTES;
        if self.fill(rest_bytes)? < rest_bytes {
            return Err(self.damaged(Damage::CutOff));
        }
        let (hashed, trailer) = self.window.split_last_chunk().expect("a trailer was read");
        if frame::trailer_of(hashed) != *trailer {
            return Err(self.damaged(Damage::Hash));
        }
        self.head = *trailer;
        self.offset = offset_after(self.offset, FIXED_BYTES + rest_bytes);
        self.sequence_next = self.sequence_next.saturating_add(1);
        let start = TRAILER_BYTES + FIXED_BYTES;
        Ok(Some((fixed, self.window.get(start..start + fixed.payload_bytes).unwrap_or_default())))
    }

    /// The trailer at the end of the file, without reading what stands before it.
    pub(crate) fn last_trailer(&mut self) -> Result<Trailer, JournalError> {
        let mut trailer = [0; TRAILER_BYTES];
        let back = i64::try_from(TRAILER_BYTES).expect("32 fits");
        self.file
            .seek(SeekFrom::End(-back))
            .and_then(|_| self.file.read_exact(&mut trailer))
            .map_err(JournalError::disk("read", &self.path))?;
        Ok(trailer)
    }

    /// What was written to the file by now, from the last good trailer on. The room behind it is
    /// left out; so are zeros in which what was written ends, unless they may be of a trailer.
    pub(crate) fn remainder(&mut self) -> Result<Vec<u8>, JournalError> {
        let mut bytes = Vec::new();
        let start = self.offset.saturating_sub(offset_after(0, TRAILER_BYTES));
        self.file
            .seek(SeekFrom::Start(start))
            .and_then(|_| self.file.read_to_end(&mut bytes))
            .map_err(JournalError::disk("read", &self.path))?;
        bytes.truncate(written(&bytes).saturating_add(TRAILER_BYTES));
        Ok(bytes)
    }

    /// Whether all that was not read yet is room. Reads on, so that no frame can be read after it.
    fn is_zero_to_the_end(&mut self) -> Result<bool, JournalError> {
        let read = written_bytes(&mut self.file);
        read.map(|bytes| bytes == 0).map_err(JournalError::disk("read", &self.path))
    }

    fn header_damage(&self) -> JournalError {
        JournalError::Damaged { file: self.path.clone(), offset: 0, damage: Damage::Header }
    }

    pub(crate) fn damaged(&self, damage: Damage) -> JournalError {
        JournalError::Damaged { file: self.path.clone(), offset: self.offset, damage }
    }

    /// Reads up to `bytes` more into the window and says how many came.
    fn fill(&mut self, bytes: usize) -> Result<usize, JournalError> {
        let limit = u64::try_from(bytes).unwrap_or(u64::MAX);
        let mut limited = Read::take(&mut self.file, limit);
        limited.read_to_end(&mut self.window).map_err(JournalError::disk("read", &self.path))
    }
}

/// The path that the segment's header asks for.
fn path_of(directory: &Path, segment: &Segment) -> PathBuf {
    path(directory, segment.header.first_sequence)
}

/// How many of these bytes there are up to the last one that is not zero. Room is compared by the
/// page, since there are many megabytes of it.
pub(crate) fn written(bytes: &[u8]) -> usize {
    const ZEROS: [u8; 4096] = [0; 4096];
    let mut rest = bytes;
    while let Some((before, page)) = rest.split_last_chunk() {
        if *page != ZEROS {
            break;
        }
        rest = before;
    }
    rest.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}

/// How many bytes were written to the rest of a file, behind which there is only room.
pub(crate) fn written_bytes(file: &mut impl BufRead) -> io::Result<u64> {
    let (mut passed, mut written) = (0, 0);
    loop {
        let bytes = file.fill_buf()?;
        if bytes.is_empty() {
            return Ok(written);
        }
        let (count, here) = (bytes.len(), self::written(bytes));
        if here > 0 {
            written = offset_after(passed, here);
        }
        passed = offset_after(passed, count);
        file.consume(count);
    }
}

/// A place in the file after so many bytes more.
pub(crate) fn offset_after(offset: u64, bytes: usize) -> u64 {
    offset.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX))
}
