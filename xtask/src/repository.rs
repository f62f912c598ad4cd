//! The work tree that the tasks look at: its root, and the files that are or would be tracked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Failure;

/// The work tree.
pub(crate) struct Repository {
    root: PathBuf,
}

/// A text file of the tree.
pub(crate) struct TextFile {
    /// Path from the root, with `/`.
    pub(crate) path: String,
    /// The whole text.
    pub(crate) text: String,
}

impl Repository {
    /// Finds the root: the folder above this package.
    pub(crate) fn open() -> Result<Repository, Failure> {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = package
            .parent()
            .ok_or_else(|| Failure::Broken(format!("{} has no parent", package.display())))?;
        Ok(Repository { root: root.to_path_buf() })
    }

    /// Reads one file as text.
    pub(crate) fn read(&self, path: &str) -> Result<String, Failure> {
        fs::read_to_string(self.root.join(path)).map_err(|error| Failure::broken(path, error))
    }

    /// The place of a file or folder, which need not exist.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// True when the file exists.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.root.join(path).is_file()
    }

    /// Names of the folders directly inside `path`, sorted.
    pub(crate) fn folders(&self, path: &str) -> Result<Vec<String>, Failure> {
        let entries =
            fs::read_dir(self.root.join(path)).map_err(|error| Failure::broken(path, error))?;
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| Failure::broken(path, error))?;
            if entry.path().is_dir() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// Every text file that git tracks, or would track after `git add --all`. Files that are not
    /// UTF-8 (a fuzz seed, a golden database) are left out: no rule of the tasks speaks of them.
    pub(crate) fn text_files(&self) -> Result<Vec<TextFile>, Failure> {
        let listing = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(&self.root)
            .output()
            .map_err(|error| Failure::broken("git ls-files", error))?;
        if !listing.status.success() {
            let said = String::from_utf8_lossy(&listing.stderr);
            return Err(Failure::broken("git ls-files", said));
        }
        let names = String::from_utf8(listing.stdout)
            .map_err(|error| Failure::broken("git ls-files", error))?;
        let files = names.split('\0').filter(|name| !name.is_empty()).filter_map(|path| {
            // A tracked file may be deleted in the work tree; then there is nothing to check.
            let bytes = fs::read(self.root.join(path)).ok()?;
            let text = String::from_utf8(bytes).ok()?;
            Some(TextFile { path: path.to_owned(), text })
        });
        Ok(files.collect())
    }
}
