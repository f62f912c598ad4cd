//! The keys that sign digest files, wrapped to be stored.
//!
//! ```text
//! wrapped = version[4] || wrap(K_D, AAD, PKCS#8)
//! AAD     = encode("keystead digest key 1", deployment, fingerprint, creation, version)
//! ```
//!
//! with `wrap` of [`crypto::wrap`], `K_D` the credential domain key of that version, integers big-endian and the creation in
//! seconds since 1970-01-01T00:00:00Z. So a row that was changed or brought from elsewhere opens no key.

use crypto::digest_signing::DigestSigningKey;
use crypto::fields::Fields;
use crypto::wrap;
use jiff::Timestamp;

use crate::{CustodyError, DomainPurpose, Keyring};

impl Keyring {
    /// Wraps a key for its row.
    ///
    /// # Errors
    /// Failures of the cryptographic module.
    pub fn wrap_digest_key(
        &self,
        key: &DigestSigningKey,
        fingerprint: &str,
        created: Timestamp,
    ) -> Result<Vec<u8>, CustodyError> {
        let (version, domain_key) = self.newest_key(DomainPurpose::Credential);
        let aad = self.digest_key_aad(version, fingerprint, created);
        let mut wrapped = version.to_be_bytes().to_vec();
        wrapped.extend(wrap::wrap(domain_key, &aad, key.to_pkcs8()?.expose())?);
        Ok(wrapped)
    }

    /// Opens what [`Keyring::wrap_digest_key`] made for the same row.
    ///
    /// # Errors
    /// [`CustodyError::DigestKeyRefused`] for anything else, [`CustodyError::UnknownDomainKey`] when its domain key is gone.
    pub fn unwrap_digest_key(
        &self,
        wrapped: &[u8],
        fingerprint: &str,
        created: Timestamp,
    ) -> Result<DigestSigningKey, CustodyError> {
        let refused = || CustodyError::DigestKeyRefused;
        let (version, wrapped) = wrapped.split_first_chunk().ok_or_else(refused)?;
        let version = u32::from_be_bytes(*version);
        let domain_key = self.key(DomainPurpose::Credential, version)?;
        let aad = self.digest_key_aad(version, fingerprint, created);
        let contents = wrap::unwrap(domain_key, &aad, wrapped).map_err(|_| refused())?;
        DigestSigningKey::from_pkcs8(contents.expose()).map_err(|_| refused())
    }

    fn digest_key_aad(&self, version: u32, fingerprint: &str, created: Timestamp) -> Vec<u8> {
        let created = u64::try_from(created.as_second()).unwrap_or_default();
        Fields::new("keystead digest key 1")
            .bytes(self.deployment_id().as_bytes())
            .text(fingerprint)
            .number(created)
            .number(version.into())
            .finish()
    }
}
