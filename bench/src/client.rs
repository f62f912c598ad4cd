//! One connection that sends finished requests and reads answers: as little HTTP as a load needs.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::error::Failure;

/// Bytes of an answer that are read at once; a list of a thousand keys fits.
const ANSWER_BYTES_MAX: usize = 512 * 1024;

/// A kept-alive connection.
pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// The part of an answer that the load looks at.
pub(crate) struct Answer<'a> {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: &'a [u8],
}

impl Client {
    /// Connects.
    pub(crate) async fn connect(address: &str) -> Result<Client, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Client { stream, buffer: vec![0; ANSWER_BYTES_MAX] })
    }

    /// Sends a whole request and reads the whole answer.
    pub(crate) async fn call(&mut self, request: &[u8]) -> Result<Answer<'_>, Failure> {
        self.stream.write_all(request).await?;
        let mut filled = 0;
        loop {
            let free = self.buffer.get_mut(filled..).filter(|free| !free.is_empty());
            let free = free.ok_or_else(|| Failure::new("an answer is larger than the buffer"))?;
            let read = self.stream.read(free).await?;
            if read == 0 {
                return Err(Failure::new("the connection was closed"));
            }
            filled += read;
            let so_far = self.buffer.get(..filled).unwrap_or_default();
            if let Some((status, body_start, body_end)) = measure(so_far)
                && filled >= body_end
            {
                let body = self.buffer.get(body_start..body_end).unwrap_or_default();
                return Ok(Answer { status, body });
            }
        }
    }
}

/// Status, and where the body begins and ends, once the head is there.
fn measure(bytes: &[u8]) -> Option<(u16, usize, usize)> {
    let head_end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = str::from_utf8(bytes.get(..head_end)?).ok()?;
    let status = head.get(9..12)?.parse().ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let body_start = head_end + 4;
    Some((status, body_start, body_start + length.unwrap_or(0)))
}
