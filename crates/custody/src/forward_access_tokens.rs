//! Forward access tokens: as whom a service may call, sealed and handed to that service.
//!
//! ```text
//! token = version[4] || wrap(K_O, AAD, contents)
//! AAD   = encode("keystead forward access token 1", deployment, service name, version)
//! ```
//!
//! as session tokens are, under a label of their own. Bound to its service, a token is worth nothing to another.

use crypto::SecretBytes;
use crypto::fields::Fields;

use crate::{CustodyError, Keyring, OwnedKey};

impl Keyring {
    /// Seals the contents of a forward access session for its service.
    ///
    /// # Errors
    /// [`CustodyError::UnknownOwnedKeyVersion`] before an owned key is installed, failures of the cryptographic module, and
    /// contents above [`crypto::wrap::SECRET_BYTES_MAX`].
    pub fn seal_forward_access_token(
        &self,
        service_name: &str,
        contents: &SecretBytes,
    ) -> Result<Vec<u8>, CustodyError> {
        let aad = |version| self.forward_access_aad(version, service_name);
        let (version, wrapped) =
            self.wrap_under(OwnedKey::SessionTokens, aad, contents.expose())?;
        let mut sealed = version.to_be_bytes().to_vec();
        sealed.extend(wrapped);
        Ok(sealed)
    }

    /// Opens what [`Keyring::seal_forward_access_token`] made for the same service; whether it has expired is the
    /// caller's to see. None for anything else.
    #[must_use]
    pub fn open_forward_access_token(
        &self,
        service_name: &str,
        sealed: &[u8],
    ) -> Option<SecretBytes> {
        let (version, wrapped) = sealed.split_first_chunk()?;
        let version = u32::from_be_bytes(*version);
        let aad = self.forward_access_aad(version, service_name);
        self.unwrap_under(OwnedKey::SessionTokens, version, &aad, wrapped).ok()
    }

    fn forward_access_aad(&self, version: u32, service_name: &str) -> Vec<u8> {
        Fields::new("keystead forward access token 1")
            .bytes(self.deployment_id().as_bytes())
            .text(service_name)
            .number(version.into())
            .finish()
    }
}
