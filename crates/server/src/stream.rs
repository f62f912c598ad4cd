//! The stream below HTTP: it tells its connection when bytes arrive, and refuses heads whose lines end in LF alone.
//!
//! RFC 9112, section 2.2, lets a reader take a lone LF for the end of a line, and hyper does. A proxy that does not
//! would see one header where hyper sees two, and another end of the request: so a lone LF ends the connection here.

use std::{
    io::{self, BufRead},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{connection::Connection, refusals::Reason};

/// A stream and what it knows of the head that it reads.
pub(crate) struct Watched<S> {
    stream: S,
    connection: Arc<Connection>,
    line_ends: LineEnds,
}

impl<S> Watched<S> {
    pub(crate) fn new(stream: S, connection: Arc<Connection>) -> Watched<S> {
        Watched { stream, connection, line_ends: LineEnds::default() }
    }
}

/// Follows a head over the pieces in which it arrives.
#[derive(Default)]
struct LineEnds {
    /// The last byte before what is looked at now.
    last_byte: u8,
    /// Bytes of the line that goes on; an empty one has the CR of its end alone.
    line_bytes: usize,
    has_request_line: bool,
    is_over: bool,
}

impl LineEnds {
    /// A head begins with the next piece.
    fn begin(&mut self) {
        *self = LineEnds { last_byte: self.last_byte, ..LineEnds::default() };
    }

    /// Reads on; false when a line ends in LF alone. What follows the empty line is not looked at.
    fn follow(&mut self, piece: &[u8]) -> bool {
        let mut rest = piece;
        while !self.is_over && !rest.is_empty() {
            let from_here = rest;
            // Reading from memory does not fail.
            let count = rest.skip_until(b'\n').unwrap_or(from_here.len());
            let line = from_here.get(..count).unwrap_or_default();
            let Some(text) = line.strip_suffix(b"\n") else {
                self.line_bytes = self.line_bytes.saturating_add(line.len());
                break;
            };
            if text.last().copied().unwrap_or(self.last_byte) != b'\r' {
                return false;
            }
            let is_empty = self.line_bytes.saturating_add(text.len()) == 1;
            // RFC 9112, section 2.2: empty lines before the request line are passed over.
            self.is_over = is_empty && self.has_request_line;
            self.has_request_line |= !is_empty;
            self.line_bytes = 0;
            self.last_byte = b'\n';
        }
        self.last_byte = piece.last().copied().unwrap_or(self.last_byte);
        true
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let filled_before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if !matches!(read, Poll::Ready(Ok(()))) {
            return read;
        }
        let piece = buffer.filled().get(filled_before..).unwrap_or_default();
        if !piece.is_empty() && self.connection.bytes_arrived() {
            self.line_ends.begin();
        }
        if self.line_ends.follow(piece) {
            return read;
        }
        // Told from here, since hyper may take the error for the end of the stream.
        self.connection.refuse_head(Reason::LoneLineFeed);
        Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "a line ends in LF alone")))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Follows the text in pieces of these lengths, the last one being whatever is left.
    fn follow(text: &str, lengths: &[usize]) -> bool {
        let mut line_ends = LineEnds::default();
        let mut rest = text.as_bytes();
        for length in lengths {
            let (piece, after) = rest.split_at((*length).min(rest.len()));
            if !line_ends.follow(piece) {
                return false;
            }
            rest = after;
        }
        line_ends.follow(rest)
    }

    const REQUEST: &str = "\r\nPOST / HTTP/1.1\r\nA: b\r\n\r\nbody\nof\n\nlines";

    #[test]
    fn a_lone_lf_is_refused_in_a_head_only() {
        assert!(follow(REQUEST, &[]));
        for wrong in [
            "POST / HTTP/1.1\n",
            "\nPOST / HTTP/1.1\r\n",
            "POST / HTTP/1.1\r\nA: b\nC: d\r\n\r\n",
            "POST / HTTP/1.1\r\nA: b\r\n\n",
        ] {
            assert!(!follow(wrong, &[]), "{wrong:?}");
        }
    }

    #[test]
    fn the_next_head_is_followed_too() {
        let mut line_ends = LineEnds::default();
        assert!(line_ends.follow(REQUEST.as_bytes()));
        line_ends.begin();
        assert!(!line_ends.follow(b"POST / HTTP/1.1\n"));
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(
            text in "[\r\n ab]{0,40}",
            lengths in proptest::collection::vec(0_usize..5, 0..20),
        ) {
            prop_assert_eq!(follow(&text, &lengths), follow(&text, &[]));
            prop_assert!(follow(REQUEST, &lengths));
        }
    }
}
