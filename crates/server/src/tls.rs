//! The TLS identity: read from two files, followed while they change, and never replaced by a pair that is not right.
//!
//! A connection keeps the configuration that it began with, so a change drops none.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use arc_swap::ArcSwap;
use rustls::{
    CipherSuite, NamedGroup, ProtocolVersion, ServerConfig, ServerConnection,
    crypto::{CryptoProvider, aws_lc_rs},
    version::{TLS12, TLS13},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use service::TlsDetails;
use tokio_rustls::TlsAcceptor;
use x509_cert::der::Decode;
use zeroize::Zeroizing;

use crate::{configuration::TlsFiles, follow::Followed, limits::CERTIFICATE_BYTES_MAX};

/// The pair that new connections are greeted with.
pub(crate) struct Certificates {
    files: TlsFiles,
    current: ArcSwap<ServerConfig>,
    /// When the first certificate of the chain expires, in seconds since 1970.
    expiry_second: AtomicI64,
}

/// Why a certificate and its key cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{}: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the machine says.
        cause: io::Error,
    },
    /// A file has no PEM block of the kind expected.
    #[error("{}: expected {expected}", path.display())]
    NotPem {
        /// The file.
        path: PathBuf,
        /// What a right file has.
        expected: &'static str,
    },
    /// The two do not belong together, or are of a kind that TLS does not take.
    #[error("{} with {}: {cause}", files.certificate.display(), files.key.display())]
    Unfit {
        /// The pair.
        files: TlsFiles,
        /// What rustls says.
        cause: rustls::Error,
    },
}

impl Certificates {
    /// Reads the pair and proves that it belongs together.
    pub(crate) fn load(files: TlsFiles) -> Result<Certificates, TlsError> {
        let (current, expiry_second) = read(&files)?;
        let (current, expiry_second) = (ArcSwap::from_pointee(current), expiry_second.into());
        Ok(Certificates { files, current, expiry_second })
    }

    /// Reads the pair again; the old one stays when the new one is not right.
    pub(crate) fn reload(&self) -> Result<(), TlsError> {
        let (current, expiry_second) = read(&self.files)?;
        self.current.store(Arc::new(current));
        self.expiry_second.store(expiry_second, Ordering::Relaxed);
        Ok(())
    }

    /// When the first certificate of the chain expires, in seconds since 1970.
    pub(crate) fn expiry_second(&self) -> i64 {
        self.expiry_second.load(Ordering::Relaxed)
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.current.load_full())
    }
}

impl Followed for Certificates {
    fn name(&self) -> &'static str {
        "certificate"
    }

    fn files(&self) -> Vec<PathBuf> {
        vec![self.files.certificate.clone(), self.files.key.clone()]
    }

    fn reload_and_tell(&self) -> bool {
        let reloaded = self.reload();
        match &reloaded {
            Ok(()) => tracing::info!(
                certificate = %self.files.certificate.display(),
                "new certificate in use"
            ),
            Err(error) => tracing::error!(%error, "new certificate refused: the old one stays"),
        }
        reloaded.is_ok()
    }
}

/// The pair, and when the first certificate of its chain expires.
fn read(files: &TlsFiles) -> Result<(ServerConfig, i64), TlsError> {
    let not_pem = |path: &Path, expected| TlsError::NotPem { path: path.to_owned(), expected };
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(&read_file(&files.certificate)?)
            .collect::<Result<_, _>>()
            .ok()
            .filter(|chain: &Vec<_>| !chain.is_empty())
            .ok_or_else(|| not_pem(&files.certificate, "a CERTIFICATE block in PEM"))?;
    let key = PrivateKeyDer::from_pem_slice(&read_file(&files.key)?)
        .map_err(|_| not_pem(&files.key, "a PRIVATE KEY block in PEM"))?;
    let expiry_second = chain.iter().filter_map(expiry_second).min().unwrap_or(i64::MAX);
    let configuration = configuration(chain, key)
        .map_err(|cause| TlsError::Unfit { files: files.clone(), cause })?;
    Ok((configuration, expiry_second))
}

/// `notAfter` of a certificate (RFC 5280, section 4.1.2.5), in seconds since 1970; none where rustls reads more than we do.
fn expiry_second(certificate: &CertificateDer<'_>) -> Option<i64> {
    let certificate = x509_cert::Certificate::from_der(certificate).ok()?;
    let not_after = certificate.tbs_certificate().validity().not_after.to_unix_duration();
    i64::try_from(not_after.as_secs()).ok()
}

fn read_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    let unreadable = |cause| TlsError::Unreadable { path: path.to_owned(), cause };
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(path)
        .and_then(|file| file.take(CERTIFICATE_BYTES_MAX).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    Ok(bytes)
}

/// TLS 1.3, and 1.2 with ECDHE and AEAD only; no renegotiation and no early data exist here. ALPN is HTTP/1.1 alone.
fn configuration(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, rustls::Error> {
    let mut configuration = ServerConfig::builder_with_provider(Arc::new(provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    configuration.alpn_protocols = vec![b"http/1.1".to_vec()];
    configuration.max_early_data_size = 0;
    Ok(configuration)
}

/// Makes our choice of algorithms the process's, for libraries that ask for it; once, first thing.
pub fn install_provider() {
    if provider().install_default().is_err() {
        tracing::debug!("another provider was installed first");
    }
}

/// AWS-LC's algorithms, with the key exchange that survives quantum computers first. A FIPS build has only what the module
/// approves: not X25519 alone, and not ChaCha20.
pub(crate) fn provider() -> CryptoProvider {
    use aws_lc_rs::kx_group::{SECP256R1, SECP384R1, X25519, X25519MLKEM768};
    let mut kx_groups = vec![X25519MLKEM768, X25519, SECP256R1, SECP384R1];
    if cfg!(feature = "fips") {
        kx_groups.retain(|group| group.fips());
    }
    CryptoProvider { kx_groups, ..aws_lc_rs::default_provider() }
}

/// What was agreed, in the words of CloudTrail's `tlsDetails`.
pub(crate) fn details(connection: &ServerConnection) -> Option<TlsDetails> {
    Some(TlsDetails {
        version: version(connection.protocol_version()?)?,
        cipher_suite: cipher_suite(connection.negotiated_cipher_suite()?.suite())?,
        key_exchange: key_exchange(connection.negotiated_key_exchange_group()?.name())?,
    })
}

fn version(version: ProtocolVersion) -> Option<&'static str> {
    let spoken = [(ProtocolVersion::TLSv1_3, "TLSv1.3"), (ProtocolVersion::TLSv1_2, "TLSv1.2")];
    spoken.into_iter().find_map(|(known, name)| (known == version).then_some(name))
}

/// The name of the IANA registry, which rustls spells differently for TLS 1.3.
fn cipher_suite(suite: CipherSuite) -> Option<&'static str> {
    let respelled = [
        (CipherSuite::TLS13_AES_128_GCM_SHA256, "TLS_AES_128_GCM_SHA256"),
        (CipherSuite::TLS13_AES_256_GCM_SHA384, "TLS_AES_256_GCM_SHA384"),
        (CipherSuite::TLS13_CHACHA20_POLY1305_SHA256, "TLS_CHACHA20_POLY1305_SHA256"),
    ];
    respelled
        .into_iter()
        .find_map(|(known, name)| (known == suite).then_some(name))
        .or_else(|| suite.as_str())
}

fn key_exchange(group: NamedGroup) -> Option<&'static str> {
    if group == NamedGroup::X25519 { Some("x25519") } else { group.as_str() }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{follow::stamps, self_signed};

    fn pair(folder: &Path) -> TlsFiles {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        self_signed::write(folder, &[], now).unwrap()
    }

    #[test]
    fn a_pair_is_taken_and_a_bad_new_one_leaves_the_old_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let certificates = Certificates::load(pair(folder.path())).ok().unwrap();
        let before = Arc::as_ptr(&certificates.current.load());
        let expiry = jiff::Timestamp::from_second(certificates.expiry_second()).unwrap();
        let start: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        assert!(expiry > start && expiry < start + jiff::SignedDuration::from_hours(24 * 3_660));

        let other = tempfile::tempdir().unwrap();
        fs::copy(pair(other.path()).key, &certificates.files.key).unwrap();
        assert!(matches!(certificates.reload(), Err(TlsError::Unfit { .. })));
        fs::write(&certificates.files.key, "nothing").unwrap();
        let told = certificates.reload().unwrap_err().to_string();
        assert!(told.contains("expected a PRIVATE KEY block in PEM"), "{told}");
        fs::remove_file(&certificates.files.certificate).unwrap();
        assert!(matches!(certificates.reload(), Err(TlsError::Unreadable { .. })));
        assert_eq!(Arc::as_ptr(&certificates.current.load()), before);
    }

    #[test]
    fn a_changed_file_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let certificates = Certificates::load(pair(folder.path())).ok().unwrap();
        let before = stamps(&certificates.files());
        assert!(before == stamps(&certificates.files()));
        fs::write(&certificates.files.key, "other").unwrap();
        assert!(before != stamps(&certificates.files()));
    }

    #[test]
    fn a_fips_build_speaks_only_what_is_approved() {
        let folder = tempfile::tempdir().unwrap();
        let certificates = Certificates::load(pair(folder.path())).ok().unwrap();
        assert_eq!(certificates.current.load().fips(), cfg!(feature = "fips"));
        let groups = provider().kx_groups;
        let has_x25519 = groups.iter().any(|group| group.name() == NamedGroup::X25519);
        assert_eq!(has_x25519, !cfg!(feature = "fips"));
    }

    #[test]
    fn only_strong_suites_and_the_quantum_safe_exchange_first() {
        let provider = provider();
        let groups: Vec<_> = provider.kx_groups.iter().map(|group| group.name()).collect();
        assert_eq!(groups.first(), Some(&NamedGroup::X25519MLKEM768));
        for suite in provider.cipher_suites {
            let name = cipher_suite(suite.suite()).unwrap();
            let is_aead = name.contains("_GCM_") || name.contains("_POLY1305_");
            assert!(is_aead, "{name}");
            assert!(suite.tls13().is_some() || name.starts_with("TLS_ECDHE_"), "{name}");
        }
    }
}
