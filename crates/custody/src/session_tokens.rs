//! Session tokens: what temporary credentials stand for, sealed and handed to whoever will call with them.
//!
//! ```text
//! token = version[4] || wrap(K_O, AAD, contents)
//! AAD   = encode("keystead session token 1", deployment, access key id, version)
//! ```
//!
//! with `wrap` of [`crypto::wrap`], `K_O` that version of [`OwnedKey::SessionTokens`] and integers big-endian. The server
//! remembers nothing: the secret that signs, the caller and the expiry come back with every request, so that a session
//! outlives a restart and costs no row. Bound to its access key id, a token is worth nothing beside another.

use crypto::SecretBytes;
use crypto::fields::Fields;

use crate::{CustodyError, Keyring, OwnedKey};

impl Keyring {
    /// Seals the contents of a session for its access key id.
    ///
    /// # Errors
    /// [`CustodyError::UnknownOwnedKeyVersion`] before an owned key is installed, failures of the cryptographic module, and
    /// contents above [`crypto::wrap::SECRET_BYTES_MAX`].
    pub fn seal_session_token(
        &self,
        access_key_id: &str,
        contents: &SecretBytes,
    ) -> Result<Vec<u8>, CustodyError> {
        let aad = |version| self.session_aad(version, access_key_id);
        let (version, wrapped) =
            self.wrap_under(OwnedKey::SessionTokens, aad, contents.expose())?;
        let mut sealed = version.to_be_bytes().to_vec();
        sealed.extend(wrapped);
        Ok(sealed)
    }

    /// Opens what [`Keyring::seal_session_token`] made for the same access key id; whether it has expired is the caller's
    /// to see. None for anything else.
    #[must_use]
    pub fn open_session_token(&self, access_key_id: &str, sealed: &[u8]) -> Option<SecretBytes> {
        let (version, wrapped) = sealed.split_first_chunk()?;
        let version = u32::from_be_bytes(*version);
        let aad = self.session_aad(version, access_key_id);
        self.unwrap_under(OwnedKey::SessionTokens, version, &aad, wrapped).ok()
    }

    fn session_aad(&self, version: u32, access_key_id: &str) -> Vec<u8> {
        Fields::new("keystead session token 1")
            .bytes(self.deployment_id().as_bytes())
            .text(access_key_id)
            .number(version.into())
            .finish()
    }
}
