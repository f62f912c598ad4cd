//! A root key in a file.
//!
//! A file beside the data protects from a stolen database alone, not from whoever takes the
//! directory.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crypto::{KEY_BYTES, Rng, SecretBytes};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use zeroize::Zeroizing;

use super::{LockedRootKey, RootKey, hexadecimal};
use crate::CustodyError;

/// A root key that is read from a file: 64 hexadecimal digits and a line feed, mode 0600.
///
/// ```compile_fail,E0277
/// fn shown<T: std::fmt::Debug>() {}
/// shown::<custody::FileRootKey>();
/// ```
pub struct FileRootKey(LockedRootKey);

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
        let key = LockedRootKey::draw(rng)?;
        let mut text = Zeroizing::new([b'\n'; FILE_BYTES]);
        hexadecimal::write(key.expose(), text.as_mut_slice());
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
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        hexadecimal::read(digits, key.as_mut_slice()).ok_or_else(|| refused(FORM))?;
        LockedRootKey::copy(&key).map(FileRootKey)
    }

    /// Puts the file at `next` in the place of the one at `path`, durably.
    ///
    /// # Errors
    /// [`CustodyError::RootKeyIo`].
    pub fn replace(next: &Path, path: &Path) -> Result<(), CustodyError> {
        fs::rename(next, path).and_then(|()| sync_folder(path)).map_err(io_error(path))
    }

    /// Removes a file whose key wraps nothing any more, durably; none may be there.
    ///
    /// # Errors
    /// [`CustodyError::RootKeyIo`].
    pub fn remove(path: &Path) -> Result<(), CustodyError> {
        match fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.and_then(|()| sync_folder(path)).map_err(io_error(path)),
        }
    }
}

impl From<FileRootKey> for LockedRootKey {
    fn from(key: FileRootKey) -> LockedRootKey {
        key.0
    }
}

impl RootKey for FileRootKey {
    fn wrap(&self, aad: &[u8], secret: &[u8]) -> Result<Vec<u8>, CustodyError> {
        self.0.wrap(aad, secret)
    }

    fn unwrap(&self, aad: &[u8], wrapped: &[u8]) -> Result<SecretBytes, CustodyError> {
        self.0.unwrap(aad, wrapped)
    }
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
    sync_folder(path)
}

/// Syncs the folder that the file stands in.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
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

fn io_error(path: &Path) -> impl Fn(io::Error) -> CustodyError {
    move |cause| CustodyError::RootKeyIo { path: path.into(), cause }
}
