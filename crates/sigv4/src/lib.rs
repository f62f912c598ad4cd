//! Who says it: AWS Signature Version 4, verified and made.
//!
//! A request says which access key signed it, and this crate decides whether that is true. It must
//! not know KMS, the store or any HTTP library: a request comes in as borrowed text and bytes
//! ([`HttpRequest`]), the signing key and the time are arguments, and what leaves is a [`Claim`] or
//! a [`Refusal`].
//!
//! The order is fixed: [`parse`] reads what is claimed and refuses every request that leaves
//! something decisive unsigned; the caller looks up the key of [`Claim::access_key_id`];
//! [`Claim::verify`] believes it or not. Rules: AWS, "Signature Version 4 signing process" (IAM
//! User Guide, `reference_sigv`).

mod authorization;
mod canonical;
mod claim;
mod credential;
mod instant;
mod key;
pub mod limits;
mod parse;
mod query;
mod refusal;
mod request;
mod sign;
mod signed_headers;

pub use canonical::PathRule;
pub use claim::{Claim, Expected};
pub use key::{SecretAccessKey, SigningKey};
pub use parse::parse;
pub use refusal::Refusal;
pub use request::HttpRequest;
pub use sign::{Credentials, Scope, payload_hash, presign, sign};
