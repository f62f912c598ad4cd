//! How fast: the server beside a bare echo, on one core each, in one run.
//!
//! Machines are shared and noisy, so that a figure means something only beside another one of the same minute. The
//! release server and a bare hyper echo are pinned to the same core, the load comes from the other one, both are loaded
//! by turns, and what is told is the ratio. `docs/performance.md` tells the method and the figures.

mod algorithms;
mod client;
mod durability;
mod echo;
mod error;
mod load;
mod measure;
mod process;
mod report;
mod requests;
mod stages;
mod throttled;
mod users;

use std::process::ExitCode;

use error::Failure;

const USAGE: &str = "usage: cargo xtask bench [ratio | memory | start | scale | algorithms | mixed | throttled | durability] [--seconds N] [--rounds N] [--keys N] [--binary PATH]

  ratio    requests a second beside a bare echo, CPU time, p50 and p99 (what runs when nothing is named)
  memory   resident memory, idle and with 10,000 warm keys
  start    time from start to the first answer, with 10 keys and with 100,000 (--keys)
  scale    the same speed with 10 keys and with 1,000,000 (--keys), and cold reads
  algorithms  signing, MACs and data key pairs, beside what AWS-LC takes for them by itself
  mixed    p99 of Encrypt at half load, alone and while RSA-4096 keys are being made
  throttled  CPU time of a call beyond its quota, beside a served one
  durability  Encrypt when each answer waits for the disk, beside the default, and what a record takes
";

/// What the command line asks for.
pub(crate) struct Options {
    pub(crate) stage: String,
    pub(crate) seconds: u64,
    pub(crate) rounds: usize,
    pub(crate) keys_count: Option<usize>,
    pub(crate) binary: std::path::PathBuf,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let outcome = match arguments.next().as_deref() {
        // The echo is this program too, started by itself on the server's core.
        Some("echo") => echo::run(),
        first => options(first, arguments).and_then(|options| stages::run(&options)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report::complain(&failure);
            ExitCode::FAILURE
        }
    }
}

fn options(first: Option<&str>, rest: impl Iterator<Item = String>) -> Result<Options, Failure> {
    let mut options = Options {
        stage: "ratio".to_owned(),
        seconds: 3,
        rounds: 5,
        keys_count: None,
        binary: "target/release/keystead".into(),
    };
    let mut words = first.map(str::to_owned).into_iter().chain(rest);
    while let Some(word) = words.next() {
        let mut value =
            || words.next().ok_or_else(|| Failure::new(format!("{word} wants a value\n\n{USAGE}")));
        let number = |text: String| {
            text.parse().map_err(|_| Failure::new(format!("{text} is no number\n\n{USAGE}")))
        };
        match word.as_str() {
            "--seconds" => options.seconds = number(value()?)?,
            "--rounds" => options.rounds = value()?.parse()?,
            "--keys" => options.keys_count = Some(value()?.parse()?),
            "--binary" => options.binary = value()?.into(),
            "ratio" | "memory" | "start" | "scale" | "algorithms" | "mixed" | "throttled"
            | "durability" => options.stage = word,
            _ => return Err(Failure::new(format!("unknown: {word}\n\n{USAGE}"))),
        }
    }
    Ok(options)
}
