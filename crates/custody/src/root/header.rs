//! What stands beside the domain keys in the store: where the root key comes from, and a proof that one is the right one.
//!
//! ```text
//! P   = wrap(K_R, AAD, "")
//! AAD = encode("keystead root key 1", deployment, provider, parameters)
//! ```
//!
//! with `wrap` of [`crypto::wrap`] and `encode` of [`crypto::fields`]. Nobody who lacks the root key can make a proof, so that a
//! header which was altered, or belongs to another deployment, admits no key.

use std::fmt;
use std::str::FromStr;

use crypto::fields::Fields;

use super::{PassphraseParameters, RootKey, ShareParameters};
use crate::{CustodyError, DeploymentId};

/// Where a root key comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootProvider {
    /// A file in the data directory.
    File,
    /// A passphrase, by Argon2id.
    Passphrase,
    /// Shares that several people hold.
    Shamir,
}

impl RootProvider {
    /// All of them.
    pub const ALL: [RootProvider; 3] =
        [RootProvider::File, RootProvider::Passphrase, RootProvider::Shamir];

    /// The name as configured and stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            RootProvider::File => "file",
            RootProvider::Passphrase => "passphrase",
            RootProvider::Shamir => "shamir",
        }
    }
}

impl fmt::Display for RootProvider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// A text is not the name of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a provider of root keys; expected file, passphrase or shamir")]
pub struct InvalidProvider;

impl FromStr for RootProvider {
    type Err = InvalidProvider;

    fn from_str(text: &str) -> Result<RootProvider, InvalidProvider> {
        RootProvider::ALL
            .into_iter()
            .find(|provider| provider.as_str() == text)
            .ok_or(InvalidProvider)
    }
}

/// What a provider needs besides its secret to have the root key again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootParameters {
    /// Nothing.
    File,
    /// Salt and cost.
    Passphrase(PassphraseParameters),
    /// Which shares, and how many.
    Shamir(ShareParameters),
}

impl RootParameters {
    /// Whose they are.
    #[must_use]
    pub const fn provider(&self) -> RootProvider {
        match self {
            RootParameters::File => RootProvider::File,
            RootParameters::Passphrase(_) => RootProvider::Passphrase,
            RootParameters::Shamir(_) => RootProvider::Shamir,
        }
    }

    /// As they are stored.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            RootParameters::File => Vec::new(),
            RootParameters::Passphrase(parameters) => parameters.to_bytes(),
            RootParameters::Shamir(parameters) => parameters.to_bytes(),
        }
    }

    /// Reads what [`RootParameters::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`CustodyError::RootHeader`] for another form, and for parameters out of bounds: nothing is spent on them.
    pub fn from_bytes(
        provider: RootProvider,
        bytes: &[u8],
    ) -> Result<RootParameters, CustodyError> {
        let parameters = match provider {
            RootProvider::File => bytes.is_empty().then_some(RootParameters::File),
            RootProvider::Passphrase => {
                PassphraseParameters::from_bytes(bytes).map(RootParameters::Passphrase)
            }
            RootProvider::Shamir => ShareParameters::from_bytes(bytes).map(RootParameters::Shamir),
        };
        parameters.ok_or(CustodyError::RootHeader { provider })
    }
}

/// The header of a deployment's root key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootHeader {
    /// Where the key comes from.
    pub parameters: RootParameters,
    /// `P`; see the module.
    pub proof: Vec<u8>,
}

impl RootHeader {
    /// The header of this root key.
    ///
    /// # Errors
    /// The provider's failure.
    pub fn new(
        root: &dyn RootKey,
        deployment_id: DeploymentId,
        parameters: RootParameters,
    ) -> Result<RootHeader, CustodyError> {
        let proof = root.wrap(&aad(deployment_id, &parameters), &[])?;
        Ok(RootHeader { parameters, proof })
    }

    /// Takes a root key only if it is the one whose header this is.
    ///
    /// # Errors
    /// [`CustodyError::RootKeyRefused`] for another key, another deployment or an altered header; the provider's failure.
    pub fn check(
        &self,
        root: &dyn RootKey,
        deployment_id: DeploymentId,
    ) -> Result<(), CustodyError> {
        root.unwrap(&aad(deployment_id, &self.parameters), &self.proof).map(drop)
    }
}

fn aad(deployment_id: DeploymentId, parameters: &RootParameters) -> Vec<u8> {
    Fields::new("keystead root key 1")
        .bytes(deployment_id.as_bytes())
        .text(parameters.provider().as_str())
        .bytes(&parameters.to_bytes())
        .finish()
}
