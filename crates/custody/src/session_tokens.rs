//! Session tokens: what temporary credentials stand for, sealed and handed to whoever will call with them.
//!
//! ```text
//! token = version[4] || wrap(K_D, AAD, contents)
//! AAD   = encode("keystead session token 1", deployment, access key id, version)
//! ```
//!
//! with `wrap` of [`crypto::wrap`], `K_D` the credential domain key of that version and integers big-endian. The server
//! remembers nothing: the secret that signs, the caller and the expiry come back with every request, so that a session
//! outlives a restart and costs no row. Bound to its access key id, a token is worth nothing beside another.

use crypto::fields::Fields;
use crypto::{SecretBytes, wrap};

use crate::{CustodyError, DomainPurpose, Keyring};

impl Keyring {
    /// Seals the contents of a session for its access key id.
    ///
    /// # Errors
    /// Failures of the cryptographic module, and contents above [`crypto::wrap::SECRET_BYTES_MAX`].
    pub fn seal_session_token(
        &self,
        access_key_id: &str,
        contents: &SecretBytes,
    ) -> Result<Vec<u8>, CustodyError> {
        let (version, domain_key) = self.newest_key(DomainPurpose::Credential);
        let mut sealed = version.to_be_bytes().to_vec();
        let aad = self.session_aad(version, access_key_id);
        sealed.extend(wrap::wrap(domain_key, &aad, contents.expose())?);
        Ok(sealed)
    }

    /// Opens what [`Keyring::seal_session_token`] made for the same access key id; whether it has expired is the caller's
    /// to see. None for anything else.
    #[must_use]
    pub fn open_session_token(&self, access_key_id: &str, sealed: &[u8]) -> Option<SecretBytes> {
        let (version, wrapped) = sealed.split_first_chunk()?;
        let version = u32::from_be_bytes(*version);
        let domain_key = self.key(DomainPurpose::Credential, version).ok()?;
        wrap::unwrap(domain_key, &self.session_aad(version, access_key_id), wrapped).ok()
    }

    fn session_aad(&self, version: u32, access_key_id: &str) -> Vec<u8> {
        Fields::new("keystead session token 1")
            .bytes(self.deployment_id().as_bytes())
            .text(access_key_id)
            .number(version.into())
            .finish()
    }
}
