//! The seals of the files that tell how far trails came.
//!
//! ```text
//! seal = version[4] || wrap(K_D, AAD, "")
//! AAD  = encode("keystead trail state 1", deployment, trail name, SHA-256(state), version)
//! ```
//!
//! with `wrap` of [`crypto::wrap`], `K_D` the credential domain key of that version and integers big-endian. Nothing in a state
//! is secret; the seal keeps others from moving the trail over records that were not delivered.

use crypto::fields::Fields;
use crypto::wrap;

use crate::{CustodyError, DomainPurpose, Keyring};

impl Keyring {
    /// Seals a state with that hash for a trail.
    ///
    /// # Errors
    /// Failures of the cryptographic module.
    pub fn seal_trail_state(&self, name: &str, hash: &[u8; 32]) -> Result<Vec<u8>, CustodyError> {
        let (version, domain_key) = self.newest_key(DomainPurpose::Credential);
        let mut seal = version.to_be_bytes().to_vec();
        seal.extend(wrap::wrap(domain_key, &self.trail_state_aad(name, hash, version), b"")?);
        Ok(seal)
    }

    /// Whether it is what [`Keyring::seal_trail_state`] made for the same trail and hash.
    #[must_use]
    pub fn is_trail_state_seal(&self, name: &str, hash: &[u8; 32], seal: &[u8]) -> bool {
        let Some((version, wrapped)) = seal.split_first_chunk() else { return false };
        let version = u32::from_be_bytes(*version);
        let aad = self.trail_state_aad(name, hash, version);
        let domain_key = self.key(DomainPurpose::Credential, version);
        domain_key.is_ok_and(|domain_key| wrap::unwrap(domain_key, &aad, wrapped).is_ok())
    }

    fn trail_state_aad(&self, name: &str, hash: &[u8; 32], version: u32) -> Vec<u8> {
        Fields::new("keystead trail state 1")
            .bytes(self.deployment_id().as_bytes())
            .text(name)
            .bytes(hash)
            .number(version.into())
            .finish()
    }
}
