//! Documents are believed when the Nitro hypervisor signed them, and in no other case.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod chain;
mod documents;
mod hostile;
mod world;
