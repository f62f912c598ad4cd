//! Where files are delivered to.

use std::{
    fs::DirBuilder,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{TrailError, files};

/// What stands behind an object's name in the name of the file of its metadata.
pub const METADATA_SUFFIX: &str = ".metadata.json";

/// A file to be delivered.
pub struct Object<'a> {
    /// Its name, with slashes.
    pub key: &'a str,
    /// Its bytes.
    pub body: &'a [u8],
    /// What S3 keeps as `x-amz-meta-*`.
    pub metadata: &'a [(&'static str, &'a str)],
}

/// Something that keeps files by name. Putting one again replaces it.
pub trait Destination: Send + Sync {
    /// Returns once the object is durable.
    ///
    /// # Errors
    /// When it may not be; it is put again later.
    fn put(&self, object: &Object<'_>) -> Result<(), TrailError>;
}

impl<D: Destination + ?Sized> Destination for Arc<D> {
    fn put(&self, object: &Object<'_>) -> Result<(), TrailError> {
        (**self).put(object)
    }
}

/// A folder whose files are the objects, with metadata in files beside them.
pub struct Folder(PathBuf);

impl Folder {
    /// Makes the folder if it is not there. Later it is never made anew: where it is gone, a disk is not mounted.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(path: &Path) -> Result<Folder, TrailError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(TrailError::disk("make", path))?;
        Ok(Folder(path.to_owned()))
    }
}

impl Destination for Folder {
    fn put(&self, object: &Object<'_>) -> Result<(), TrailError> {
        let path = self.0.join(object.key);
        files::make_below(&self.0, path.parent().unwrap_or(&self.0))?;
        // First, so that no object is ever without it.
        if !object.metadata.is_empty() {
            let metadata: serde_json::Map<_, _> = object
                .metadata
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).into()))
                .collect();
            let mut beside = path.as_os_str().to_owned();
            beside.push(METADATA_SUFFIX);
            let text = serde_json::Value::Object(metadata).to_string();
            files::write(Path::new(&beside), text.as_bytes())?;
        }
        files::write(&path, object.body)
    }
}
