//! Opening a journal that some life before wrote: check, cut the torn tail, say where to go on.
//!
//! A power cut may leave any part of what was not yet synced, so the end of the last segment can
//! be torn; a frame that was synced cannot. The two are told apart by the frames themselves: if a
//! whole frame behind the bad place says that the place was synced (`durable`), or the journal was
//! closed, the file was damaged and is refused. Otherwise nothing behind the bad place was promised
//! in strict mode, nor outlived its interval in interval mode, and it is cut.

use std::{
    fs,
    io::BufReader,
    path::{Path, PathBuf},
};

use crate::{
    beginning::{Beginning, SignedBeginning},
    error::{Damage, JournalError},
    frame::{self, FIXED_BYTES, Fixed, TRAILER_BYTES, Trailer},
    segment::{self, HEADER_BYTES, Header, Segment},
};

/// What was found when a journal was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// The highest outbox number in the journal, 0 for none. A lower one may still be missing if
    /// two appends overtook each other before a crash; [`crate::missing_outbox`] knows.
    pub outbox_watermark: u64,
    /// Bytes cut from the end: the unfinished write of a crash.
    pub torn_bytes: u64,
    /// Records in the journal.
    pub records: u64,
}

/// Where the journal goes on.
pub(crate) struct Tail {
    pub(crate) path: PathBuf,
    pub(crate) length: u64,
    pub(crate) head: Trailer,
    pub(crate) sequence: u64,
    /// Whether the last frame is a mark.
    pub(crate) marked: bool,
    pub(crate) recovered: Recovered,
}

/// Checks the journal and cuts its torn tail; `None` when it holds no segment. What is believed
/// from here on is synced, even if the life before only wrote it.
pub(crate) fn recover(
    directory: &Path,
    deployment: [u8; 16],
) -> Result<(Option<Tail>, u64), JournalError> {
    let beginning = SignedBeginning::find(directory)?.map(|signed| signed.beginning);
    if let Some(beginning) = &beginning {
        beginning.remove_older(directory)?;
    }
    let mut paths = segment::list(directory)?;
    beginning.as_ref().map_or(Ok(()), |beginning| beginning.check_followed(directory, &paths))?;
    let unborn_bytes = remove_unborn(directory, &mut paths)?;
    let is_next_left = !adopt_next(directory, &mut paths)?;
    let (complete, unborn_bytes) = (unborn_bytes.is_some(), unborn_bytes.unwrap_or(0));
    let mut link = Link::start(Some(deployment), beginning.as_ref());
    let Some(last) = paths.pop() else {
        let left_bytes = if is_next_left { remove_next(directory)? } else { 0 };
        return Ok((None, unborn_bytes + left_bytes));
    };
    for path in paths {
        let mut segment = Segment::open(path)?;
        link.check(&segment)?;
        link.follow(segment.last_trailer()?);
    }
    let mut segment = Segment::open(last)?;
    link.check(&segment)?;
    let mut tail = read_last(&mut segment, complete)?;
    sync_last(&segment, tail.length)?;
    sync_directory(directory)?;
    // Only now: what is refused as damaged is left as it is.
    let left_bytes = if is_next_left { remove_next(directory)? } else { 0 };
    tail.recovered.torn_bytes += unborn_bytes + left_bytes;
    Ok((Some(tail), unborn_bytes))
}

/// Takes away a last segment of which not even the header is whole: the crash came while it was
/// made, before anything was written to it. Gives the bytes of it if there was one.
fn remove_unborn(directory: &Path, paths: &mut Vec<PathBuf>) -> Result<Option<u64>, JournalError> {
    let Some(last) = paths.last() else { return Ok(None) };
    match Segment::open(last.clone()) {
        Err(JournalError::Damaged { .. }) => {}
        Ok(_) => return Ok(None),
        Err(error) => return Err(error),
    }
    let written_bytes = written_bytes(last)?;
    if written_bytes > segment::offset_after(0, HEADER_BYTES) {
        return Ok(None);
    }
    fs::remove_file(last).map_err(JournalError::disk("remove", last))?;
    sync_directory(directory)?;
    paths.pop();
    Ok(Some(written_bytes))
}

/// How many bytes were written to a file, without the room behind them.
fn written_bytes(path: &Path) -> Result<u64, JournalError> {
    fs::File::open(path)
        .and_then(|file| segment::written_bytes(&mut BufReader::new(file)))
        .map_err(JournalError::disk("read", path))
}

/// Gives the segment that has no name yet its name, if it continues the last one: the crash came while the one was being
/// completed. `false` if there is one that does not; then the last one has a torn tail, so that nothing of the next was durable.
fn adopt_next(directory: &Path, paths: &mut Vec<PathBuf>) -> Result<bool, JournalError> {
    let next = segment::next_path(directory);
    if !next.exists() {
        return Ok(true);
    }
    let Some(last) = paths.last() else { return Ok(false) };
    let header = match Segment::open_unnamed(next.clone()) {
        Ok(segment) => *segment.header(),
        Err(JournalError::Damaged { .. }) => return Ok(false),
        Err(error) => return Err(error),
    };
    let mut segment = Segment::open(last.clone())?;
    loop {
        match segment.next() {
            Ok(None) => break,
            Ok(Some(_)) => {}
            Err(JournalError::Damaged { .. }) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    if header.first_sequence != segment.sequence_next() || header.previous_head != segment.head() {
        return Ok(false);
    }
    sync_last(&segment, segment.offset())?;
    let named = segment::path(directory, header.first_sequence);
    fs::File::open(&next)
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(&next, &named))
        .map_err(JournalError::disk("rename", &named))?;
    sync_directory(directory)?;
    paths.push(named);
    Ok(true)
}

/// Takes away the segment without a name; gives the bytes of it.
fn remove_next(directory: &Path) -> Result<u64, JournalError> {
    let next = segment::next_path(directory);
    let length = written_bytes(&next)?;
    fs::remove_file(&next).map_err(JournalError::disk("remove", &next))?;
    sync_directory(directory)?;
    Ok(length)
}

/// Reads the last segment to its end. `complete`: a later segment had been begun, so this one was
/// synced and nothing of it can be torn.
fn read_last(segment: &mut Segment, complete: bool) -> Result<Tail, JournalError> {
    let Header { records, outbox, .. } = *segment.header();
    let mut recovered = Recovered { outbox_watermark: outbox, torn_bytes: 0, records };
    // A header needs no mark: it vouches for the segments before it, and nothing follows it yet.
    let mut marked = true;
    loop {
        match segment.next() {
            Ok(None) => break,
            Ok(Some((fixed, _))) => {
                marked = fixed.payload_bytes == 0;
                recovered.records += u64::from(!marked);
                recovered.outbox_watermark = recovered.outbox_watermark.max(fixed.outbox);
            }
            Err(error) if complete => return Err(error),
            Err(error) => {
                recovered.torn_bytes = torn_bytes(segment, error)?;
                break;
            }
        }
    }
    Ok(Tail {
        path: segment.path().to_owned(),
        length: segment.offset(),
        head: segment.head(),
        sequence: segment.sequence_next() - 1,
        marked,
        recovered,
    })
}

/// How many bytes behind a bad place are a torn tail, up to the last one that is not zero; `error` if
/// they are damage.
pub(crate) fn torn_bytes(segment: &mut Segment, error: JournalError) -> Result<u64, JournalError> {
    if !matches!(error, JournalError::Damaged { .. }) {
        return Err(error);
    }
    let bytes = segment.remainder()?;
    let lost = segment.sequence_next();
    let mut rest = bytes.as_slice();
    while rest.len() > TRAILER_BYTES {
        if let Some(fixed) = whole_frame(rest, lost) {
            if fixed.sequence == lost && rest.len() == bytes.len() {
                // A reader met a write under way, which is complete by now.
                return Ok(0);
            }
            if fixed.durable >= lost {
                return Err(error);
            }
        }
        rest = rest.split_first().map_or(&[], |(_, rest)| rest);
    }
    Ok(segment::offset_after(0, segment::written(&bytes).saturating_sub(TRAILER_BYTES)))
}

/// A frame at this place that can follow the lost one. The hash is taken only where the numbers
/// fit, which is nowhere by chance.
fn whole_frame(bytes: &[u8], lost: u64) -> Option<Fixed> {
    let fixed = Fixed::parse(bytes.get(TRAILER_BYTES..)?.first_chunk::<FIXED_BYTES>()?)?;
    let possible = fixed.sequence >= lost && fixed.durable < fixed.sequence;
    if possible { frame::check(bytes) } else { None }
}

fn sync_last(segment: &Segment, length: u64) -> Result<(), JournalError> {
    let path = segment.path();
    let file = fs::OpenOptions::new().write(true).open(path);
    let file = file.map_err(JournalError::disk("open", path))?;
    if segment.length() != length {
        file.set_len(length).map_err(JournalError::disk("cut", path))?;
    }
    file.sync_all().map_err(JournalError::disk("sync", path))
}

pub(crate) fn sync_directory(directory: &Path) -> Result<(), JournalError> {
    fs::File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(JournalError::disk("sync", directory))
}

/// What the next segment must continue.
pub(crate) struct Link {
    deployment: Option<[u8; 16]>,
    previous_head: Trailer,
    /// The number of the first frame, known at the beginning and after a segment read whole.
    first_sequence: Option<u64>,
}

impl Link {
    /// Before the first segment, or the first one that is left.
    pub(crate) fn start(deployment: Option<[u8; 16]>, beginning: Option<&Beginning>) -> Link {
        let no_head = [0; TRAILER_BYTES];
        match beginning {
            None => Link { deployment, previous_head: no_head, first_sequence: Some(1) },
            Some(beginning) => Link {
                deployment: deployment.or_else(|| beginning.deployment()),
                previous_head: beginning.head().unwrap_or(no_head),
                first_sequence: Some(beginning.sequence.saturating_add(1)),
            },
        }
    }

    /// Before a segment whose predecessors are not read: it is believed to follow them.
    pub(crate) fn start_at(segment: &Segment) -> Link {
        let header = segment.header();
        Link {
            deployment: Some(header.deployment),
            previous_head: header.previous_head,
            first_sequence: Some(header.first_sequence),
        }
    }

    pub(crate) fn check(&mut self, segment: &Segment) -> Result<(), JournalError> {
        let header = segment.header();
        if *self.deployment.get_or_insert(header.deployment) != header.deployment {
            return Err(JournalError::OtherDeployment { file: segment.path().to_owned() });
        }
        let in_place = self.first_sequence.is_none_or(|first| first == header.first_sequence);
        if !in_place || header.previous_head != self.previous_head {
            let file = segment.path().to_owned();
            return Err(JournalError::Damaged { file, offset: 0, damage: Damage::Link });
        }
        Ok(())
    }

    /// After a segment of which only the last trailer was read. Its number of frames is not known,
    /// but bound by the trailer.
    pub(crate) fn follow(&mut self, trailer: Trailer) {
        self.previous_head = trailer;
        self.first_sequence = None;
    }

    /// After a segment that was read to its end.
    pub(crate) fn follow_read(&mut self, segment: &Segment) {
        self.previous_head = segment.head();
        self.first_sequence = Some(segment.sequence_next());
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// A segment of ten frames of one byte each, every frame saying how far the syncs had come
    /// when it was written.
    fn segment_of(directory: &Path, durables: [u64; 10]) -> Vec<u8> {
        let header = Header {
            deployment: [1; 16],
            first_sequence: 1,
            records: 0,
            outbox: 0,
            previous_head: [0; 32],
        };
        let mut bytes = header.encode();
        for (sequence, durable) in (1..).zip(durables) {
            let mut frame = vec![0; TRAILER_BYTES];
            frame::push(&mut frame, sequence, 0, b"x");
            frame::seal(&mut frame, *bytes.last_chunk().unwrap(), durable);
            bytes.extend_from_slice(&frame[TRAILER_BYTES..]);
        }
        fs::write(segment::path(directory, 1), &bytes).unwrap();
        bytes
    }

    /// A power cut wrote the pages of the last interval out of order: frame 5 never came.
    fn lose_frame_5(directory: &Path, durables: [u64; 10]) -> Result<Recovered, JournalError> {
        let mut bytes = segment_of(directory, durables);
        let start = HEADER_BYTES + 4 * 61;
        bytes[start..start + 61].fill(0);
        fs::write(segment::path(directory, 1), &bytes).unwrap();
        recover(directory, [1; 16]).map(|(tail, _)| tail.unwrap().recovered)
    }

    #[test]
    fn a_hole_in_what_was_not_synced_is_a_torn_tail() {
        let directory = TempDir::new().unwrap();
        let recovered = lose_frame_5(directory.path(), [0, 0, 0, 3, 3, 3, 3, 3, 3, 3]).unwrap();
        assert_eq!(recovered.records, 4);
        assert_eq!(recovered.torn_bytes, 6 * 61);
        let again = recover(directory.path(), [1; 16]).unwrap().0.unwrap().recovered;
        assert_eq!(again, Recovered { torn_bytes: 0, ..recovered });
    }

    #[test]
    fn a_hole_in_what_was_synced_is_damage() {
        let directory = TempDir::new().unwrap();
        let refused = lose_frame_5(directory.path(), [0, 0, 0, 3, 3, 3, 3, 3, 3, 5]);
        let start = segment::offset_after(0, HEADER_BYTES + 4 * 61);
        assert!(matches!(refused, Err(JournalError::Damaged { offset, .. }) if offset == start));
    }

    #[test]
    fn zeros_behind_the_last_frame_are_room_for_more() {
        let directory = TempDir::new().unwrap();
        let mut bytes = segment_of(directory.path(), [0; 10]);
        bytes.extend_from_slice(&[0; 5000]);
        fs::write(segment::path(directory.path(), 1), &bytes).unwrap();
        let recovered = recover(directory.path(), [1; 16]).unwrap().0.unwrap().recovered;
        assert_eq!((recovered.records, recovered.torn_bytes), (10, 0));
        let path = segment::path(directory.path(), 1);
        assert_eq!(fs::metadata(path).unwrap().len(), segment::offset_after(0, HEADER_BYTES + 610));
    }
}
