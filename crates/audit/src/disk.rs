//! What the journal asks of the file system, as a trait so that tests can make each call fail.

use std::{
    fs::{File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Arc,
};

use rustix::{
    fs::{FallocateFlags, fallocate},
    io::Errno,
};

/// The directory's side: files come and go.
pub(crate) trait Disk: Send + Sync {
    /// Makes a file that must not exist yet, mode 0600, with zeros for `bytes_reserved`.
    fn create(&self, path: &Path, bytes_reserved: u64) -> io::Result<Arc<dyn SegmentFile>>;

    /// Opens a file for writing at its end, with zeros behind it up to `bytes_reserved`.
    fn open(&self, path: &Path, bytes_reserved: u64) -> io::Result<Arc<dyn SegmentFile>>;

    /// Gives a file its name for good. No file has it yet.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Takes away a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a directory durable.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
}

/// One open segment.
pub(crate) trait SegmentFile: Send + Sync {
    /// Writes all bytes behind those before with one write(2), if the kernel takes them so.
    fn write_all(&self, bytes: &[u8]) -> io::Result<()>;

    /// fdatasync(2).
    fn sync(&self) -> io::Result<()>;

    /// Cuts off the zeros beyond `length` and syncs content and length.
    fn finish(&self, length: u64) -> io::Result<()>;
}

/// The operating system's.
pub(crate) struct SystemDisk;

impl Disk for SystemDisk {
    fn create(&self, path: &Path, bytes_reserved: u64) -> io::Result<Arc<dyn SegmentFile>> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        reserve(&file, bytes_reserved)?;
        Ok(Arc::new(file))
    }

    fn open(&self, path: &Path, bytes_reserved: u64) -> io::Result<Arc<dyn SegmentFile>> {
        let mut file = OpenOptions::new().write(true).open(path)?;
        file.seek(SeekFrom::End(0))?;
        reserve(&file, bytes_reserved)?;
        Ok(Arc::new(file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }
}

impl SegmentFile for File {
    fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        let mut file = self;
        Write::write_all(&mut file, bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn finish(&self, length: u64) -> io::Result<()> {
        self.set_len(length)?;
        self.sync_all()
    }
}

/// Takes the blocks now, so that a full disk is met when a segment begins and not at a record, and
/// gives the file its length now. A write that moves the end of a file waits while the file system
/// commits its own journal, for some ten milliseconds on ext4; one that does not move it goes on.
/// A file system that cannot reserve is used without.
fn reserve(file: &File, bytes: u64) -> io::Result<()> {
    match fallocate(file, FallocateFlags::empty(), 0, bytes) {
        Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}
