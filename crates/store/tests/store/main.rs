//! The store from outside: what is remembered, what is refused and what survives.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod attacked;
mod caller_usages;
mod crash;
mod grants;
mod groups;
mod identities;
mod lifecycles;
mod metering;
mod migration;
mod model;
mod owned_keys;
mod records;
mod scrub;
mod support;
mod tamper;
