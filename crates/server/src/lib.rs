//! How it is reached: configuration, TLS, HTTP, health and metrics.
//!
//! The binary hands over what its command line said; here it is weighed ([`configuration`]), the data directory is
//! locked and opened, and requests are taken in, bounded and answered. What a request means is the service's matter:
//! no policy, no SQL and no key material is known here.

pub mod accounts;
mod admin;
pub mod audit;
mod banner;
pub mod configuration;
mod connection;
mod control;
mod event_sinks;
pub mod explain;
mod follow;
mod guard_rails;
mod http;
mod issuers;
mod limits;
mod listener;
mod lock;
mod logging;
mod metrics;
mod outgoing;
pub mod owned_keys;
mod phase;
mod public_keys;
mod refusals;
mod root_credentials;
pub mod root_key;
mod sealed;
mod secrets;
pub mod self_signed;
pub mod serve;
mod service_registry;
pub mod services;
mod shutdown;
mod stream;
mod tls;
mod trail_bucket;
pub mod trail_proof;
#[cfg(test)]
mod unaudited;
pub mod usage;

pub use guard_rails::GuardRailsFileError;
pub use lock::LockError;
pub use tls::{TlsError, install_provider};
