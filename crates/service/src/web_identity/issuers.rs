//! Where the signing keys of OIDC providers are found. How they come is the matter of whoever assembles the service.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::token::KeySet;

/// The keys of one issuer, once they are found.
pub type FindingKeys<'k> = Pin<Box<dyn Future<Output = FoundKeys> + Send + 'k>>;

/// The issuers of OIDC tokens whose keys can be had.
pub trait Issuers: Send + Sync {
    /// The keys of the issuer of this URL, letter for letter. Where a key of this id is not among those at hand, newer ones
    /// may be waited for, but never for long: nobody has believed the token that asks.
    fn find<'k>(&'k self, issuer: &'k str, key_id: Option<&'k str>) -> FindingKeys<'k>;
}

/// What is known of the keys of an issuer.
pub enum FoundKeys {
    /// Its keys, whether or not the one asked for is among them.
    Keys(Arc<KeySet>),
    /// Nobody said where its keys are, or they cannot be read.
    Unknown,
    /// They are elsewhere, and could not be fetched.
    Unreachable,
}
