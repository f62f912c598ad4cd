//! Import tokens: the private half of a wrapping key, sealed and handed to whoever will use it.
//!
//! ```text
//! token = version[4] || wrap(K_D, AAD, expiry[8] || algorithm length[1] || algorithm || PKCS#8)
//! AAD   = encode("keystead import token 1", deployment, key ARN, version)
//! ```
//!
//! with `wrap` of [`crypto::wrap`], `K_D` the credential domain key of that version, integers big-endian and the expiry in
//! seconds since 1970-01-01T00:00:00Z. The server remembers nothing: what it needs to unwrap comes back with the material,
//! so a token outlives a restart and an unused one leaves no trace.

use std::str::FromStr;

use crypto::fields::Fields;
use crypto::import_wrapping::UnwrappingKey;
use crypto::{SecretBytes, wrap};
use jiff::Timestamp;
use wire::enums::WrappingAlgorithm;
use wire::names::KeyArn;

use crate::{CustodyError, DomainPurpose, Keyring};

/// What an import token says.
pub struct ImportToken {
    /// The key that unwraps the material.
    pub unwrapping_key: UnwrappingKey,
    /// How the material is wrapped.
    pub wrapping_algorithm: WrappingAlgorithm,
    /// When the token is no longer good; whole seconds.
    pub expiry: Timestamp,
}

impl Keyring {
    /// Seals a token for one key.
    ///
    /// # Errors
    /// Failures of the cryptographic module.
    pub fn seal_import_token(
        &self,
        key: &KeyArn,
        token: &ImportToken,
    ) -> Result<Vec<u8>, CustodyError> {
        let (version, domain_key) = self.newest_key(DomainPurpose::Credential);
        let algorithm = token.wrapping_algorithm.as_str().as_bytes();
        let algorithm_length = u8::try_from(algorithm.len()).unwrap_or(u8::MAX);
        let private_key = token.unwrapping_key.to_pkcs8()?;
        let mut contents = Vec::with_capacity(9 + algorithm.len() + private_key.len());
        contents.extend_from_slice(&token.expiry.as_second().to_be_bytes());
        contents.push(algorithm_length);
        contents.extend_from_slice(algorithm);
        contents.extend_from_slice(private_key.expose());
        let contents = SecretBytes::new(contents);
        let mut sealed = version.to_be_bytes().to_vec();
        sealed.extend(wrap::wrap(domain_key, &self.aad(version, key), contents.expose())?);
        Ok(sealed)
    }

    /// Opens what [`Keyring::seal_import_token`] made for the same key; whether it has expired is the caller's to see.
    ///
    /// # Errors
    /// [`CustodyError::InvalidImportToken`] for anything else.
    pub fn open_import_token(
        &self,
        key: &KeyArn,
        sealed: &[u8],
    ) -> Result<ImportToken, CustodyError> {
        let invalid = || CustodyError::InvalidImportToken;
        let (version, wrapped) = sealed.split_first_chunk().ok_or_else(invalid)?;
        let version = u32::from_be_bytes(*version);
        let domain_key = self.key(DomainPurpose::Credential, version).map_err(|_| invalid())?;
        let contents =
            wrap::unwrap(domain_key, &self.aad(version, key), wrapped).map_err(|_| invalid())?;
        // Authentic from here on: what does not read was sealed by another version of this server.
        parse(contents.expose()).ok_or_else(invalid)
    }

    fn aad(&self, version: u32, key: &KeyArn) -> Vec<u8> {
        Fields::new("keystead import token 1")
            .bytes(self.deployment_id().as_bytes())
            .text(&key.to_string())
            .number(version.into())
            .finish()
    }
}

fn parse(contents: &[u8]) -> Option<ImportToken> {
    let (expiry, rest) = contents.split_first_chunk()?;
    let (&algorithm_length, rest) = rest.split_first()?;
    let (algorithm, private_key) = rest.split_at_checked(algorithm_length.into())?;
    Some(ImportToken {
        unwrapping_key: UnwrappingKey::from_pkcs8(private_key).ok()?,
        wrapping_algorithm: WrappingAlgorithm::from_str(str::from_utf8(algorithm).ok()?).ok()?,
        expiry: Timestamp::from_second(i64::from_be_bytes(*expiry)).ok()?,
    })
}
