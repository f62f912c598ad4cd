//! Tasks of the repository: `cargo xtask NAME`, one file for each, one line in [`TASKS`] for each.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what a task prints is its result; this is no part of the server"
)]

mod bench;
mod layers;
mod model;
mod release;
mod repository;
mod tidy;

use std::process::ExitCode;

use repository::Repository;

/// What a task answers: the line to print when all is well, or why it is not.
type Outcome = Result<String, Failure>;

/// Why a task did not end well.
#[derive(Debug)]
enum Failure {
    /// The task ran and disagrees with the tree, one line for each place.
    Findings(Vec<String>),
    /// The task could not do its work.
    Broken(String),
}

impl Failure {
    /// A task that could not do `what`, and the error that stopped it.
    fn broken(what: impl std::fmt::Display, error: impl std::fmt::Display) -> Failure {
        Failure::Broken(format!("{what}: {error}"))
    }
}

/// Turns the findings of a check into its outcome.
fn outcome(findings: Vec<String>, well: String) -> Outcome {
    if findings.is_empty() { Ok(well) } else { Err(Failure::Findings(findings)) }
}

/// One task: the name typed after `cargo xtask`, one line of help, and what runs.
struct Task {
    name: &'static str,
    about: &'static str,
    run: fn(&Repository, &[String]) -> Outcome,
}

/// Every task there is.
const TASKS: &[Task] = &[
    Task {
        name: "bench",
        about: "the release server beside a bare echo: ratio, memory, start, scale",
        run: bench::run,
    },
    Task {
        name: "layers",
        about: "each crate depends on lower ones only, and is what crates/README.md says",
        run: layers::run,
    },
    Task {
        name: "model",
        about: "what is built of AWS's model, as JSON for tests/conformance/test_model.py",
        run: model::run,
    },
    Task {
        name: "release",
        about: "the server optimised by a profile of its own work, as target/guided/keystead",
        run: release::run,
    },
    Task {
        name: "tidy",
        about: "sizes of files and functions, reasons of exceptions, blanks, hosts and paths",
        run: tidy::run,
    },
];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        eprintln!("usage: cargo xtask NAME");
        for task in TASKS {
            eprintln!("  {:<8} {}", task.name, task.about);
        }
        return ExitCode::from(2);
    };
    let rest: Vec<String> = arguments.collect();
    match Repository::open().and_then(|repository| (task.run)(&repository, &rest)) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(Failure::Findings(findings)) => {
            for finding in &findings {
                println!("{finding}");
            }
            eprintln!("{name}: {} finding(s)", findings.len());
            ExitCode::FAILURE
        }
        Err(Failure::Broken(why)) => {
            eprintln!("{name}: {why}");
            ExitCode::FAILURE
        }
    }
}
