//! The file with the root user's access key, in the form of AWS's shared credentials file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use service::AccessKey;

/// Where the file is.
pub(crate) fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("root-credentials")
}

/// Writes the file for its owner only and waits for the disk.
///
/// It is written before the access key is stored: a start that dies between the two leaves a file that the next
/// first start replaces, where the other order would leave an account that nobody can use.
pub(crate) fn write(data_dir: &Path, access_key: &AccessKey) -> io::Result<()> {
    let path = path(data_dir);
    let new = path.with_extension("new");
    match fs::remove_file(&new) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let text = Zeroizing::new(format!(
        "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        access_key.access_key_id,
        access_key.secret_access_key.as_str()
    ));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, &path)?;
    File::open(data_dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_file_is_a_default_profile_for_its_owner_only_and_replaces_a_leftover() {
        let folder = tempfile::tempdir().unwrap();
        let access_key = AccessKey {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_access_key: Zeroizing::new("secret".to_owned()),
        };
        write(folder.path(), &access_key).unwrap();
        write(folder.path(), &access_key).unwrap();
        let path = path(folder.path());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(
            fs::read_to_string(path).unwrap(),
            "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = secret\n"
        );
    }
}
