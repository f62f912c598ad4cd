//! How far the journal was looked at for events: a small file that is replaced whole.

use std::{fs, io, path::Path};

use audit::FeedPosition;
use serde::{Deserialize, Serialize};

use super::queue;

/// Its name beside the queue.
pub(super) const FILE: &str = "position";

#[derive(Serialize, Deserialize)]
struct Written {
    sequence: u64,
    /// In hexadecimal digits.
    head: Option<String>,
}

/// The position that was kept; none where nothing was, or what is there is none.
pub(super) fn load(path: &Path) -> io::Result<Option<FeedPosition>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let Ok(Written { sequence, head }) = serde_json::from_slice(&bytes) else { return Ok(None) };
    let head = head.as_deref().map(unhex);
    // A head that is none is as one that fits nothing.
    Ok(Some(FeedPosition { sequence, head: head.map(Option::unwrap_or_default) }))
}

/// Forgets the position: the next life begins with what comes then.
pub(super) fn forget(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Keeps a position durably.
pub(super) fn save(path: &Path, position: FeedPosition) -> io::Result<()> {
    let hex = |head: [u8; 32]| head.iter().map(|byte| format!("{byte:02x}")).collect();
    let written = Written { sequence: position.sequence, head: position.head.map(hex) };
    queue::write(path, &serde_json::to_vec(&written)?)
}

fn unhex(digits: &str) -> Option<[u8; 32]> {
    let mut head = [0; 32];
    let is_hex =
        digits.len() == 2 * head.len() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let pairs = is_hex.then(|| digits.as_bytes().chunks(2))?;
    for (byte, pair) in head.iter_mut().zip(pairs) {
        *byte = u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        assert_eq!(load(&path).unwrap(), None);
        for head in [None, Some([0xa7; 32])] {
            let position = FeedPosition { sequence: 12, head };
            save(&path, position).unwrap();
            assert_eq!(load(&path).unwrap(), Some(position));
        }
        forget(&path).unwrap();
        assert_eq!(load(&path).unwrap(), None);
        forget(&path).unwrap();
        fs::write(&path, r#"{"sequence":12,"head":"a7"}"#).unwrap();
        let unfit = Some(FeedPosition { sequence: 12, head: Some([0; 32]) });
        assert_eq!(load(&path).unwrap(), unfit);
        fs::write(&path, "12").unwrap();
        assert_eq!(load(&path).unwrap(), None);
    }
}
