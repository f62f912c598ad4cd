//! A certificate and key to try TLS with: P-256, signed by itself, for the names given.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use jiff::{Timestamp, ToSpan, tz::Offset};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use zeroize::Zeroizing;

use crate::{banner::quoted, configuration::TlsFiles};

const VALIDITY_DAYS: i64 = 365;
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Why no pair was made.
#[derive(Debug, thiserror::Error)]
pub enum SelfSignedError {
    /// A file cannot be written; an existing one is never overwritten.
    #[error("{}: {cause}", path.display())]
    Unwritable {
        /// The file or folder.
        path: PathBuf,
        /// What the machine says.
        cause: io::Error,
    },
    /// A name is neither a DNS name nor an IP address.
    #[error(
        "--name: expected DNS names and IP addresses, for example: --name kms.example.com: {0}"
    )]
    Name(rcgen::Error),
    /// The certificate cannot be made.
    #[error("cannot make the certificate: {0}")]
    Certificate(rcgen::Error),
    /// The date is out of the range of certificates.
    #[error("the machine's date is out of range: {0}")]
    Date(jiff::Error),
}

/// Writes `certificate.pem` and `key.pem` (mode 0600) into the folder, valid for a year from yesterday.
///
/// The names are DNS names or IP addresses; without any it is this machine's loopback names.
pub fn write(folder: &Path, names: &[String], now: Timestamp) -> Result<TlsFiles, SelfSignedError> {
    let (certificate, key) = make(names, now)?;
    fs::create_dir_all(folder)
        .map_err(|cause| SelfSignedError::Unwritable { path: folder.to_owned(), cause })?;
    let files =
        TlsFiles { certificate: folder.join("certificate.pem"), key: folder.join("key.pem") };
    write_new(&files.key, key.as_bytes(), 0o600)?;
    write_new(&files.certificate, certificate.as_bytes(), 0o644)?;
    Ok(files)
}

/// How the pair is used, for the one who had it made.
pub fn how_to_use(files: &TlsFiles) -> String {
    let certificate = quoted(&files.certificate.display().to_string());
    let key = quoted(&files.key.display().to_string());
    format!(
        "{certificate}\n{key}\n\n\
         keystead serve --tls-certificate {certificate} --tls-key {key}\n\
         export AWS_CA_BUNDLE={certificate}\n"
    )
}

fn make(names: &[String], now: Timestamp) -> Result<(String, Zeroizing<String>), SelfSignedError> {
    let names = if names.is_empty() { NAMES.map(str::to_owned).to_vec() } else { names.to_vec() };
    let common_name = names.first().cloned().unwrap_or_default();
    let mut parameters = CertificateParams::new(names).map_err(SelfSignedError::Name)?;
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, common_name);
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let today = Offset::UTC.to_datetime(now).date();
    let day = |days: i64| {
        let date = today.checked_add(days.days()).map_err(SelfSignedError::Date)?;
        Ok((i32::from(date.year()), date.month().unsigned_abs(), date.day().unsigned_abs()))
    };
    let (year, month, day_of_month) = day(-1)?;
    parameters.not_before = date_time_ymd(year, month, day_of_month);
    let (year, month, day_of_month) = day(VALIDITY_DAYS)?;
    parameters.not_after = date_time_ymd(year, month, day_of_month);
    let key = KeyPair::generate().map_err(SelfSignedError::Certificate)?;
    let certificate = parameters.self_signed(&key).map_err(SelfSignedError::Certificate)?;
    Ok((certificate.pem(), Zeroizing::new(key.serialize_pem())))
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), SelfSignedError> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| file.write_all(bytes))
        .map_err(|cause| SelfSignedError::Unwritable { path: path.to_owned(), cause })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_key_is_for_its_owner_only_and_nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        let files = write(folder.path(), &[], now).unwrap();
        assert_eq!(fs::metadata(&files.key).unwrap().permissions().mode() & 0o777, 0o600);
        let told = write(folder.path(), &[], now).unwrap_err().to_string();
        assert!(told.contains("key.pem: File exists"), "{told}");
    }

    #[test]
    fn a_name_that_no_certificate_can_bear_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        let names = ["k\u{e9}y".to_owned()];
        assert!(matches!(write(folder.path(), &names, now), Err(SelfSignedError::Name(_))));
    }
}
