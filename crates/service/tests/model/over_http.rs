//! The life of keys against the same reference model, over HTTP: what `main.rs` asks of the service in this process is asked of the
//! real binary, which is killed instead of closed whenever a sequence restarts it.
//!
//! `KEYSTEAD_TEST_CLOCK_BINARY` names a binary whose clock can be moved; without it this fails. `.ci/run` sets it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod answers;
mod driver;
mod generate;
mod http;
mod ids;
mod names;
mod request;
mod rules;
mod run;
mod signing;
mod step;
mod subject;
mod wrapping;

use http::Server;

/// Sequences in CI: each takes a server of its own.
const SEQUENCES_COUNT: u32 = 40;

#[test]
fn random_sequences_agree_with_the_model_over_http() {
    run::run(SEQUENCES_COUNT, Server::start);
}
