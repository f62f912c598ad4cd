//! One process for one data directory: a lock that the kernel lets go when its holder ends, however it ends.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rustix::fs::FlockOperation;

const LOCK_FILE: &str = "lock";
const PID_BYTES_MAX: u64 = 16;

/// The right to use a data directory, for as long as it lives.
pub(crate) struct Lock {
    _held: File,
}

/// Why the data directory is not ours.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("{}: in use by {holder}; stop that one, or give another --data-dir", data_dir.display())]
    Held {
        /// The directory.
        data_dir: PathBuf,
        /// The other process, by number and command where they are known.
        holder: String,
    },
    /// The lock file cannot be opened or written.
    #[error("{}: {cause}", path.display())]
    Unusable {
        /// The lock file.
        path: PathBuf,
        /// What the machine says.
        cause: io::Error,
    },
}

impl Lock {
    /// Takes the lock of this directory or tells at once who has it.
    pub(crate) fn take(data_dir: &Path) -> Result<Lock, LockError> {
        let path = data_dir.join(LOCK_FILE);
        let unusable = |cause| LockError::Unusable { path: path.clone(), cause };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(unusable)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(LockError::Held {
                    data_dir: data_dir.to_owned(),
                    holder: holder(&file),
                });
            }
            Err(errno) => return Err(unusable(errno.into())),
        }
        write_pid(&mut file).map_err(unusable)?;
        Ok(Lock { _held: file })
    }
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

/// Names the process that wrote its number into the lock; it may have ended since, or not have written it yet.
fn holder(file: &File) -> String {
    let mut text = String::new();
    let pid = match file.take(PID_BYTES_MAX).read_to_string(&mut text) {
        Ok(_) => text.trim().parse::<u32>().ok(),
        Err(_) => None,
    };
    let Some(pid) = pid else { return "another process".to_owned() };
    match fs::read_to_string(format!("/proc/{pid}/comm")) {
        Ok(command) => format!("process {pid} ({})", command.trim_end()),
        Err(_) => format!("process {pid}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_of_the_first_and_may_follow_it() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path()).ok().unwrap();
        let told = Lock::take(folder.path()).err().unwrap().to_string();
        assert!(told.contains(&format!("in use by process {} (", std::process::id())), "{told}");
        drop(first);
        assert!(Lock::take(folder.path()).is_ok());
    }

    #[test]
    fn a_directory_that_is_not_there_is_told_by_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let told = Lock::take(&folder.path().join("none")).err().unwrap().to_string();
        assert!(told.contains("none/lock: No such file"), "{told}");
    }
}
