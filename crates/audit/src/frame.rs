//! The frame: one record in a segment, chained to the one before it.
//!
//! Integers are big-endian.
//!
//! ```text
//! frame   = length u32 ‖ sequence u64 ‖ durable u64 ‖ outbox u64 ‖ payload[length] ‖ trailer[32]
//! trailer = SHA-256(previous trailer ‖ length ‖ sequence ‖ durable ‖ outbox ‖ payload)
//! ```
//!
//! The previous trailer is the 32 bytes that stand before the frame in the file, at a segment's
//! beginning those of its header. So a frame is checked by hashing the file's bytes as they lie,
//! and a reader that lost its place can find it again.
//!
//! `sequence` counts frames from 1 through all segments. `durable` is the last frame known to be
//! synced when this one was written: it tells damage from a torn tail (`recover`). `outbox` is the
//! record's number in the store's outbox, 0 for none. A frame without a payload is a mark: a
//! journal that was closed ends with one.

use aws_lc_rs::digest::{SHA256, digest};

/// Bytes of the longest record. CloudTrail's own events end at 256 KB; the bounds of [`crate::Record`]
/// keep ours below 512 KiB.
pub const RECORD_BYTES_MAX: usize = 1024 * 1024;

/// Bytes before a frame's payload.
pub(crate) const FIXED_BYTES: usize = 28;

/// Bytes of a SHA-256 value.
pub(crate) const TRAILER_BYTES: usize = 32;

/// Bytes of a frame without its payload.
pub(crate) const OVERHEAD_BYTES: usize = FIXED_BYTES + TRAILER_BYTES;

/// A frame's hash, and so the chain's head after it.
pub(crate) type Trailer = [u8; TRAILER_BYTES];

/// What stands before the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fixed {
    pub(crate) payload_bytes: usize,
    pub(crate) sequence: u64,
    pub(crate) durable: u64,
    pub(crate) outbox: u64,
}

impl Fixed {
    /// Reads the fixed part; `None` when the payload's length is over the bound.
    pub(crate) fn parse(bytes: &[u8; FIXED_BYTES]) -> Option<Fixed> {
        let (length, rest) = bytes.split_first_chunk()?;
        let (sequence, rest) = rest.split_first_chunk()?;
        let (durable, rest) = rest.split_first_chunk()?;
        let payload_bytes = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        (payload_bytes <= RECORD_BYTES_MAX).then_some(Fixed {
            payload_bytes,
            sequence: u64::from_be_bytes(*sequence),
            durable: u64::from_be_bytes(*durable),
            outbox: u64::from_be_bytes(*rest.first_chunk()?),
        })
    }
}

/// Appends a frame whose `durable` and trailer are still zero; [`seal`] fills them.
pub(crate) fn push(buffer: &mut Vec<u8>, sequence: u64, outbox: u64, payload: &[u8]) {
    let length = u32::try_from(payload.len()).expect("RECORD_BYTES_MAX is below 2^32");
    buffer.reserve(OVERHEAD_BYTES + payload.len());
    buffer.extend_from_slice(&length.to_be_bytes());
    buffer.extend_from_slice(&sequence.to_be_bytes());
    buffer.extend_from_slice(&[0; 8]);
    buffer.extend_from_slice(&outbox.to_be_bytes());
    buffer.extend_from_slice(payload);
    buffer.extend_from_slice(&[0; TRAILER_BYTES]);
}

/// Completes pushed frames in place. `buffer` begins with room for the head, which is written
/// there; the head after the last frame is returned.
pub(crate) fn seal(buffer: &mut [u8], mut head: Trailer, durable: u64) -> Trailer {
    let mut rest = buffer;
    loop {
        let Some(before) = rest.first_chunk_mut() else { return head };
        *before = head;
        let Some(fixed) = rest.get(TRAILER_BYTES..).and_then(<[u8]>::first_chunk) else {
            return head;
        };
        let Some(fixed) = Fixed::parse(fixed) else { return head };
        if let Some(place) = rest.get_mut(DURABLE_START..DURABLE_START + 8) {
            place.copy_from_slice(&durable.to_be_bytes());
        }
        let hashed_bytes = TRAILER_BYTES + FIXED_BYTES + fixed.payload_bytes;
        let Some((hashed, after)) = rest.split_at_mut_checked(hashed_bytes) else { return head };
        head = trailer_of(hashed);
        rest = after;
    }
}

/// Where `durable` lies, counted from the previous trailer.
const DURABLE_START: usize = TRAILER_BYTES + 12;

/// The hash of bytes that begin with the previous trailer and end with the payload.
pub(crate) fn trailer_of(hashed: &[u8]) -> Trailer {
    let value = digest(&SHA256, hashed);
    *value.as_ref().first_chunk().expect("SHA-256 gives 32 bytes")
}

/// The frame at the beginning of `bytes`, which start with the trailer before it; `None` unless it
/// is whole and its hash is right.
pub(crate) fn check(bytes: &[u8]) -> Option<Fixed> {
    let fixed = Fixed::parse(bytes.get(TRAILER_BYTES..)?.first_chunk()?)?;
    let hashed_bytes = TRAILER_BYTES + FIXED_BYTES + fixed.payload_bytes;
    let (hashed, rest) = bytes.split_at_checked(hashed_bytes)?;
    (*rest.first_chunk::<TRAILER_BYTES>()? == trailer_of(hashed)).then_some(fixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_and_chain_are_as_specified() {
        let mut buffer = vec![0; TRAILER_BYTES];
        push(&mut buffer, 7, 3, b"one");
        push(&mut buffer, 8, 0, b"");
        let head = seal(&mut buffer, [9; 32], 6);
        let mut first = vec![0, 0, 0, 3];
        first.extend(7_u64.to_be_bytes());
        first.extend(6_u64.to_be_bytes());
        first.extend(3_u64.to_be_bytes());
        first.extend(b"one");
        let first_trailer = digest(&SHA256, &[&[9; 32], first.as_slice()].concat());
        let mut second = vec![0, 0, 0, 0];
        second.extend(8_u64.to_be_bytes());
        second.extend(6_u64.to_be_bytes());
        second.extend(0_u64.to_be_bytes());
        let second_trailer = digest(&SHA256, &[first_trailer.as_ref(), &second].concat());
        let file =
            [&[9; 32], &*first, first_trailer.as_ref(), &second, second_trailer.as_ref()].concat();
        assert_eq!(buffer, file);
        assert_eq!(&head, second_trailer.as_ref());
        assert_eq!(check(&buffer).map(|fixed| fixed.sequence), Some(7));
    }

    #[test]
    fn a_length_over_the_bound_is_no_frame() {
        let mut fixed = [0; FIXED_BYTES];
        let length = u32::try_from(RECORD_BYTES_MAX).unwrap() + 1;
        fixed[..4].copy_from_slice(&length.to_be_bytes());
        assert_eq!(Fixed::parse(&fixed), None);
    }
}
