//! `release`: the server, optimised by a profile of its own work, as `target/guided/keystead`.
//!
//! The compiler builds the server once so that it counts what it runs, the benchmark loads that one, and a second build puts
//! what ran often together and inlines along it. The profile is made anew each time: two such builds are not equal byte for
//! byte, as two of `cargo build --release` are.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::repository::Repository;
use crate::{Failure, Outcome};

/// Below `target/`: both builds, what was counted, and the server.
const GUIDED: &str = "target/guided";

/// What the counted server is loaded with: the frequent operations, then every kind of cryptography.
const LOADS: [[&str; 5]; 2] = [
    ["ratio", "--rounds", "1", "--seconds", "3"],
    ["algorithms", "--rounds", "1", "--seconds", "1"],
];

/// Builds, loads and builds again: a quarter of an hour on two cores.
pub(crate) fn run(repository: &Repository, _arguments: &[String]) -> Outcome {
    let guided = repository.path(GUIDED);
    let host = told_by_rustc("host: ")?;
    let merge = profdata(&host)?;
    let (counts, profile) = (guided.join("counts"), guided.join("profile"));
    if counts.exists() {
        fs::remove_dir_all(&counts).map_err(|error| Failure::broken(counts.display(), error))?;
    }
    let counting = build(&guided.join("counting"), &host, &flag("generate", &counts))?;
    succeed(Command::new("cargo").args(["build", "--release", "--locked", "--package", "bench"]))?;
    for load in LOADS {
        let mut command = Command::new("target/release/bench");
        succeed(command.args(load).arg("--binary").arg(&counting))?;
    }
    succeed(Command::new(merge).arg("merge").arg("--output").arg(&profile).arg(&counts))?;
    let built = build(&guided.join("optimised"), &host, &flag("use", &profile))?;
    let server = guided.join("keystead");
    fs::copy(&built, &server).map_err(|error| Failure::broken(server.display(), error))?;
    Ok(format!("release: {}", server.display()))
}

fn flag(what: &str, path: &Path) -> String {
    format!("-Cprofile-{what}={}", path.display())
}

/// Builds the server into a folder of its own. The target is named, so that the flag is not for what runs while building.
fn build(target_dir: &Path, host: &str, flag: &str) -> Result<PathBuf, Failure> {
    let mut command = Command::new("cargo");
    command.args(["build", "--release", "--locked", "--package", "keystead", "--target", host]);
    succeed(command.arg("--target-dir").arg(target_dir).env("RUSTFLAGS", flag))?;
    Ok(target_dir.join(host).join("release/keystead"))
}

/// The tool of the compiler's own LLVM that adds up what was counted.
fn profdata(host: &str) -> Result<PathBuf, Failure> {
    let output = Command::new("rustc").args(["--print", "sysroot"]).output();
    let output = output.map_err(|error| Failure::broken("rustc", error))?;
    let sysroot = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    let tool = sysroot.join("lib/rustlib").join(host).join("bin/llvm-profdata");
    match tool.is_file() {
        true => Ok(tool),
        false => Err(Failure::Broken(
            "llvm-profdata is missing: `rustup component add llvm-tools` brings it".to_owned(),
        )),
    }
}

/// What follows a word in what `rustc -vV` tells.
fn told_by_rustc(word: &str) -> Result<String, Failure> {
    let output = Command::new("rustc").arg("-vV").output();
    let output = output.map_err(|error| Failure::broken("rustc", error))?;
    let told = String::from_utf8_lossy(&output.stdout);
    let line = told.lines().find_map(|line| line.strip_prefix(word));
    line.map(str::to_owned).ok_or_else(|| Failure::Broken(format!("rustc tells no {word}")))
}

/// Runs a command to its good end.
pub(crate) fn succeed(command: &mut Command) -> Result<(), Failure> {
    let program = command.get_program().to_owned();
    let status = command.status();
    let status = status.map_err(|error| Failure::broken(Path::new(&program).display(), error))?;
    match status.success() {
        true => Ok(()),
        false => {
            let words: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
            let program = program.to_string_lossy();
            Err(Failure::Broken(format!("{program} {} ended with {status}", words.join(" "))))
        }
    }
}
