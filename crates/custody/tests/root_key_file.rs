//! The root key's file: whole, private and unaltered, or refused with its reason.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use crypto::SystemRng;
use custody::{CustodyError, FileRootKey, RootKey};

fn refusal(path: &Path) -> &'static str {
    match FileRootKey::open(path) {
        Err(CustodyError::RootKeyFile { why, .. }) => why,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("the file was taken"),
    }
}

fn io_failure(answer: Result<FileRootKey, CustodyError>) -> ErrorKind {
    match answer {
        Err(CustodyError::RootKeyIo { cause, .. }) => cause.kind(),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("the file was taken"),
    }
}

fn write(path: &Path, content: &[u8]) {
    fs::write(path, content).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_file_is_made_once_and_read_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("root-key");
    let made = FileRootKey::create(&path, &SystemRng).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing else is left");

    let wrapped = made.wrap(b"aad", b"secret").unwrap();
    let read = FileRootKey::open(&path).unwrap();
    assert_eq!(read.unwrap(b"aad", &wrapped).unwrap().expose(), b"secret");
    assert!(matches!(read.unwrap(b"other", &wrapped), Err(CustodyError::RootKeyRefused)));

    let before = fs::read(&path).unwrap();
    assert_eq!(io_failure(FileRootKey::create(&path, &SystemRng)), ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&path).unwrap(), before, "the file that was there is untouched");
}

#[test]
fn what_a_crash_left_of_a_file_is_not_in_the_way() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("root-key");
    write(&directory.path().join("root-key.unfinished"), b"half a key");
    assert!(FileRootKey::create(&path, &SystemRng).is_ok());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_file_that_others_can_touch_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("root-key");
    FileRootKey::create(&path, &SystemRng).unwrap();
    for mode in [0o640, 0o604, 0o660, 0o644, 0o602, 0o700, 0o777] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        assert!(refusal(&path).contains("chmod 600"), "{mode:o}");
    }
    fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
    assert!(FileRootKey::open(&path).is_ok(), "stricter is welcome");
}

#[test]
fn a_file_of_another_form_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("root-key");
    let digits = b"0123456789abcdef".repeat(4);
    for content in [
        &b""[..],
        b"\n",
        &digits,
        &digits[..63],
        &[&digits[1..], b"\n"].concat(),
        &[&digits[..], b"\n\n"].concat(),
        &[&digits[..], b"0\n"].concat(),
        &[&digits[..], b"\r\n"].concat(),
        &[&digits[1..], b"g\n"].concat(),
        &[&digits[1..], b" \n"].concat(),
        &[&digits[1..], b"\xe9\n"].concat(),
        &digits.repeat(1_000),
    ] {
        write(&path, content);
        assert!(refusal(&path).contains("hexadecimal digits"), "{content:?}");
    }
    write(&path, &[&digits[..], b"\n"].concat());
    assert!(FileRootKey::open(&path).is_ok());
}

#[test]
fn only_a_regular_file_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("root-key");
    FileRootKey::create(&path, &SystemRng).unwrap();
    let link = directory.path().join("link");
    symlink(&path, &link).unwrap();
    assert!(matches!(FileRootKey::open(&link), Err(CustodyError::RootKeyIo { .. })));
    assert_eq!(refusal(directory.path()), "it must be a regular file");
    assert_eq!(io_failure(FileRootKey::open(&directory.path().join("none"))), ErrorKind::NotFound);
}

#[test]
fn an_altered_digit_is_another_root_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("root-key");
    let wrapped = FileRootKey::create(&path, &SystemRng).unwrap().wrap(b"aad", b"secret").unwrap();
    let content = fs::read(&path).unwrap();
    for place in 0..64 {
        let mut altered = content.clone();
        altered[place] = if altered[place] == b'0' { b'1' } else { b'0' };
        write(&path, &altered);
        let root = FileRootKey::open(&path).unwrap();
        assert!(matches!(root.unwrap(b"aad", &wrapped), Err(CustodyError::RootKeyRefused)));
    }
}
