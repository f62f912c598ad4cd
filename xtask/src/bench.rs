//! `bench`: builds the server and the benchmark in release, and runs the benchmark with the arguments given.

use std::process::Command;

use crate::Outcome;
use crate::release::succeed;
use crate::repository::Repository;

/// Speed, memory and start of the release server; `docs/performance.md` tells what the stages measure.
pub(crate) fn run(_repository: &Repository, arguments: &[String]) -> Outcome {
    let build = ["build", "--release", "--locked", "--package", "keystead", "--package", "bench"];
    succeed(Command::new("cargo").args(build))?;
    succeed(Command::new("target/release/bench").args(arguments))?;
    Ok("bench: done".to_owned())
}
