//! The root key, which wraps the domain keys and nothing else, and its file provider.
//!
//! A file beside the data protects from a stolen database alone, not from whoever takes the
//! directory; other providers will. Changing the provider re-wraps the domain keys.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crypto::{KEY_BYTES, Rng, SecretBytes, wrap};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use zeroize::Zeroizing;

use crate::CustodyError;
use crate::arena::{Arena, KeySlot, SLOT_BYTES, VacantSlot};

/// A key at the top of the hierarchy, wherever it lives.
pub trait RootKey: Send + Sync {
    /// Wraps a secret, bound to `aad`.
    ///
    /// # Errors
    /// The provider's failure.
    fn wrap(&self, aad: &[u8], secret: &[u8]) -> Result<Vec<u8>, CustodyError>;

    /// Unwraps what [`RootKey::wrap`] made with the same `aad`.
    ///
    /// # Errors
    /// [`CustodyError::RootKeyRefused`] for another root key, another `aad` or altered bytes; the
    /// provider's failure.
    fn unwrap(&self, aad: &[u8], wrapped: &[u8]) -> Result<SecretBytes, CustodyError>;
}

/// A root key that is read from a file: 64 hexadecimal digits and a line feed, mode 0600.
///
/// ```compile_fail,E0277
/// fn shown<T: std::fmt::Debug>() {}
/// shown::<custody::FileRootKey>();
/// ```
pub struct FileRootKey(KeySlot);

/// Length of the file, in bytes.
const FILE_BYTES: usize = 2 * KEY_BYTES + 1;

/// What a file of another form is told.
const FORM: &str = "it must hold 64 hexadecimal digits and a line feed";

/// Permission bits of the file.
const FILE_MODE: u32 = 0o600;

impl FileRootKey {
    /// Draws a root key and writes its file, which must not exist.
    ///
    /// The file appears whole or not at all, and is durable (file and directory synced) when this
    /// returns.
    ///
    /// # Errors
    /// [`CustodyError::RootKeyIo`], with `AlreadyExists` if there is a file; failures of chance and
    /// locked memory.
    pub fn create(path: &Path, rng: &dyn Rng) -> Result<FileRootKey, CustodyError> {
        let key = locked_slot()?.draw(rng)?;
        let mut text = Zeroizing::new([b'\n'; FILE_BYTES]);
        write_hex(key.key().expose(), text.as_mut_slice());
        write_new(path, text.as_slice()).map_err(io_error(path))?;
        Ok(FileRootKey(key))
    }

    /// Reads the root key from its file.
    ///
    /// # Errors
    /// [`CustodyError::RootKeyFile`] when it is no regular file, is not this user's (or root's)
    /// with mode 0600 or stricter, or is not 64 hexadecimal digits and a line feed;
    /// [`CustodyError::RootKeyIo`] when it cannot be read.
    pub fn open(path: &Path) -> Result<FileRootKey, CustodyError> {
        let refused = |why| CustodyError::RootKeyFile { path: path.into(), why };
        // Not through a symbolic link, which could point at a file of another's choice.
        let mut file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_NONBLOCK)
            .open(path)
            .map_err(io_error(path))?;
        check_metadata(&file.metadata().map_err(io_error(path))?).map_err(refused)?;

        // One byte of room more than the file may have tells a longer one.
        let mut text = Zeroizing::new([0; FILE_BYTES + 1]);
        let length = read_up_to(&mut file, text.as_mut_slice()).map_err(io_error(path))?;
        let digits = match text.get(..length).and_then(|text| text.strip_suffix(b"\n")) {
            Some(digits) if length == FILE_BYTES => digits,
            Some(_) | None => return Err(refused(FORM)),
        };
        let key = locked_slot()?.fill(|bytes| read_hex(digits, bytes).ok_or(()));
        key.map(FileRootKey).map_err(|()| refused(FORM))
    }
}

impl RootKey for FileRootKey {
    fn wrap(&self, aad: &[u8], secret: &[u8]) -> Result<Vec<u8>, CustodyError> {
        Ok(wrap::wrap(self.0.key(), aad, secret)?)
    }

    fn unwrap(&self, aad: &[u8], wrapped: &[u8]) -> Result<SecretBytes, CustodyError> {
        wrap::unwrap(self.0.key(), aad, wrapped).map_err(|_| CustodyError::RootKeyRefused)
    }
}

/// A slot in locked memory of its own.
fn locked_slot() -> Result<VacantSlot, CustodyError> {
    Arena::new(SLOT_BYTES)?.vacant_slot().ok_or(CustodyError::ArenaFull)
}

/// What is wrong with the file, if anything.
fn check_metadata(metadata: &fs::Metadata) -> Result<(), &'static str> {
    let user = rustix::process::geteuid().as_raw();
    if !metadata.is_file() {
        Err("it must be a regular file")
    } else if metadata.uid() != user && metadata.uid() != 0 {
        Err("it must belong to the user that runs the server")
    } else if metadata.mode() & 0o777 & !FILE_MODE != 0 {
        Err("nobody but its owner may read or write it: chmod 600")
    } else {
        Ok(())
    }
}

/// Writes a file that must not exist, durably, so that it never exists in part.
fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    // Left by a crash; a key that was never used.
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(FILE_MODE)
        .custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC)
        .open(&unfinished)?;
    file.write_all(content)?;
    file.sync_all()?;
    let renamed = renameat_with(CWD, &unfinished, CWD, path, RenameFlags::NOREPLACE);
    if let Err(errno) = renamed {
        fs::remove_file(&unfinished)?;
        return Err(errno.into());
    }
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

/// Reads until the end or until `out` is full; gives the number of bytes read.
fn read_up_to(file: &mut File, out: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while let Some(rest) = out.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read(rest)? {
            0 => break,
            bytes => length += bytes,
        }
    }
    Ok(length)
}

fn write_hex(key: &[u8; KEY_BYTES], out: &mut [u8]) {
    let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
    for (pair, byte) in out.as_chunks_mut::<2>().0.iter_mut().zip(key) {
        *pair = [digit(byte >> 4), digit(byte & 0x0f)];
    }
}

fn read_hex(digits: &[u8], out: &mut [u8]) -> Option<()> {
    let value =
        |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    for (byte, [high, low]) in out.iter_mut().zip(pairs) {
        *byte = (value(*high)? << 4) | value(*low)?;
    }
    (pairs.len() == KEY_BYTES).then_some(())
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> CustodyError {
    move |cause| CustodyError::RootKeyIo { path: path.into(), cause }
}
