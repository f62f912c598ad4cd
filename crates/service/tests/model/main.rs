//! The life of keys against a reference model, in this process.
//!
//! `rules` says in plain Rust what AWS's documentation says of keys, their versions, states, aliases and tags, of import,
//! rotation, multi-Region keys, deletion and time. Random sequences of calls are made to the service and told to the model, and
//! after each step all that can be seen must agree. A failure prints the shortest sequence that shows it, and how to run that
//! again. `.ci/run` runs this, and the same over HTTP (`over_http.rs`):
//!
//! ```text
//! cargo test --workspace --features keystead/test-clock --test model
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod answers;
mod driver;
mod generate;
mod ids;
mod in_process;
mod mutants;
mod names;
mod reach;
mod request;
mod rules;
mod run;
mod signing;
mod step;
mod stories;
mod subject;
mod wrapping;

use in_process::InProcess;

/// Sequences in CI.
const SEQUENCES_COUNT: u32 = 1_000;

#[test]
fn random_sequences_agree_with_the_model() {
    run::run(SEQUENCES_COUNT, InProcess::new);
}
