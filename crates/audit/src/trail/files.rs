//! Files that are there whole or not at all, and what goes into them.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use aws_lc_rs::digest::{SHA256, digest};
use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};

use super::TrailError;

/// What stands behind the name of a file that is not whole yet.
const PARTIAL_SUFFIX: &str = ".partial";

/// Bytes of a log or digest file, uncompressed, that are read; more than any that is written.
const CONTENT_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Writes a file beside its place, syncs it and gives it its name.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), TrailError> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(PARTIAL_SUFFIX);
    let partial = Path::new(&partial);
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(partial);
    let mut file = file.map_err(TrailError::disk("make", partial))?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(TrailError::disk("write", partial))?;
    fs::rename(partial, path).map_err(TrailError::disk("name", path))?;
    path.parent().map_or(Ok(()), sync_directory)
}

/// Makes the missing folders between a root, which must be there, and a folder below it.
pub(super) fn make_below(root: &Path, folder: &Path) -> Result<(), TrailError> {
    if folder == root || folder.is_dir() {
        return Ok(());
    }
    let Some(parent) = folder.parent() else { return Ok(()) };
    make_below(root, parent)?;
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(TrailError::disk("make", folder)(error))
        }
        Ok(()) | Err(_) => sync_directory(parent),
    }
}

fn sync_directory(path: &Path) -> Result<(), TrailError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(TrailError::disk("sync", path))
}

/// Compressed as gzip (RFC 1952), without a time or name: the same bytes give the same file.
pub(super) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder
        .write_all(content)
        .and_then(|()| encoder.finish())
        .expect("a vector takes all that is written to it")
}

/// The content of a gzip file; an error for one that is none, or is longer than any that was written.
pub(super) fn gunzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    MultiGzDecoder::new(bytes).take(CONTENT_BYTES_MAX).read_to_end(&mut content)?;
    Ok(content)
}

/// SHA-256 (FIPS 180-4).
pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().try_into().expect("a SHA-256 hash has 32 bytes")
}

/// The same in hexadecimal digits.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&sha256(bytes))
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of hexadecimal digits.
pub(crate) fn unhex(digits: &str) -> Option<Vec<u8>> {
    let is_hex =
        digits.len().is_multiple_of(2) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let pairs = is_hex.then(|| digits.as_bytes().chunks(2))?;
    pairs.map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_the_same_each_time_and_reads_back() {
        let content = b"{\"Records\":[]}".repeat(1000);
        assert_eq!(gzip(&content), gzip(&content));
        assert_eq!(gunzip(&gzip(&content)).unwrap(), content);
        assert!(gunzip(b"{}").is_err());
    }

    #[test]
    fn hexadecimal_digits_are_read_as_they_are_written() {
        assert_eq!(unhex(&hex(&[0, 171, 255])), Some(vec![0, 171, 255]));
        assert_eq!((unhex("0"), unhex("0g"), unhex("+1")), (None, None, None));
    }

    #[test]
    fn nothing_is_made_where_the_root_is_missing() {
        let place = tempfile::TempDir::new().unwrap();
        let root = place.path().join("root");
        assert!(make_below(&root, &root.join("a/b")).is_err());
        fs::create_dir(&root).unwrap();
        make_below(&root, &root.join("a/b")).unwrap();
        write(&root.join("a/b/file"), b"x").unwrap();
        assert_eq!(fs::read(root.join("a/b/file")).unwrap(), b"x");
        assert_eq!(fs::read_dir(root.join("a/b")).unwrap().count(), 1);
    }
}
