//! How the server calls others: one exchange at a time, bounded in every way, with hosts that the operator names or allows.

mod addresses;
mod client;
mod url;

use std::{
    fs::File,
    io::{self, Read},
};

pub(crate) use client::{Client, FetchError, Fetched, read};
pub use url::Url;

/// The whole file, unless it is longer than that.
pub(crate) fn read_at_most(file: File, bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let limit = u64::try_from(bytes_max).map_or(u64::MAX, |bytes| bytes.saturating_add(1));
    file.take(limit).read_to_end(&mut text)?;
    match text.len() <= bytes_max {
        true => Ok(text),
        false => Err(io::Error::other(format!("the file is longer than {bytes_max} bytes"))),
    }
}
