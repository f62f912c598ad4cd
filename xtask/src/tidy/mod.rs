//! `tidy`: what style.md promises and rustfmt and clippy do not check.

mod rust;
mod text;

use crate::repository::{Repository, TextFile};
use crate::{Outcome, outcome};

/// No file of code is longer.
const FILE_LINES_MAX: usize = 600;
/// Nine files in ten stay below.
const FILE_LINES_P90_MAX: usize = 450;
/// Half of all files stay below.
const FILE_LINES_MEDIAN_MAX: usize = 200;
/// No function is longer.
const FUNCTION_LINES_MAX: usize = 100;
/// One screen, which one function in a hundred may exceed.
const FUNCTION_LINES_SCREEN: usize = 70;
/// Of so many functions one may exceed the screen.
const FUNCTIONS_PER_LONG_ONE: usize = 100;

/// Endings of files that people write and read as code.
const CODE: &[&str] = &[".rs", ".py", ".js", ".mjs", ".sh", ".ci/run"];

/// Checks the whole tree.
pub(crate) fn run(repository: &Repository, _arguments: &[String]) -> Outcome {
    let files = repository.text_files()?;
    let mut findings = Vec::new();
    for file in &files {
        findings.extend(text::findings(file));
    }
    findings.extend(file_sizes(&files));
    let functions = rust_findings(&files, &mut findings);
    outcome(findings, format!("tidy: {} files, {functions} functions", files.len()))
}

/// Checks the lengths of the files of code, one by one and together.
fn file_sizes(files: &[TextFile]) -> Vec<String> {
    let mut findings = Vec::new();
    let mut sizes = Vec::new();
    for file in files.iter().filter(|file| CODE.iter().any(|end| file.path.ends_with(end))) {
        let lines = file.text.lines().count();
        sizes.push(lines);
        if lines > FILE_LINES_MAX {
            findings.push(format!("{}: {lines} lines, at most {FILE_LINES_MAX}", file.path));
        }
    }
    sizes.sort_unstable();
    for (name, percent, bound) in
        [("median", 50, FILE_LINES_MEDIAN_MAX), ("p90", 90, FILE_LINES_P90_MAX)]
    {
        let lines = sizes.get(sizes.len() * percent / 100).copied().unwrap_or_default();
        if lines > bound {
            findings.push(format!("{name} of the files of code: {lines} lines, at most {bound}"));
        }
    }
    findings
}

/// Checks what is particular to Rust and answers how many functions there are.
fn rust_findings(files: &[TextFile], findings: &mut Vec<String>) -> usize {
    let mut count = 0;
    let mut over_the_screen = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with(".rs")) {
        let code = rust::code_only(&file.text);
        for line in rust::exceptions_without_reason(&code) {
            findings.push(format!("{}:{line}: an allow or expect without `reason`", file.path));
        }
        for function in rust::functions(&code) {
            count += 1;
            let place = format!(
                "{}:{}: `{}` has {} lines",
                file.path, function.line, function.name, function.lines
            );
            if function.lines > FUNCTION_LINES_MAX {
                findings.push(format!("{place}, at most {FUNCTION_LINES_MAX}"));
            } else if function.lines > FUNCTION_LINES_SCREEN {
                over_the_screen.push(place);
            }
        }
    }
    if over_the_screen.len() * FUNCTIONS_PER_LONG_ONE > count {
        for place in over_the_screen {
            findings.push(format!("{place}, and too many of {count} exceed the screen"));
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: String) -> TextFile {
        TextFile { path: path.to_owned(), text }
    }

    #[test]
    fn long_files_are_found_when_they_are_code() {
        let long = "x\n".repeat(FILE_LINES_MAX + 1);
        let short = "x\n".repeat(10);
        let files: Vec<TextFile> = (0..20)
            .map(|number| file(&format!("{number}.rs"), short.clone()))
            .chain([file("long.rs", long.clone()), file("data.json", long)])
            .collect();
        assert_eq!(file_sizes(&files), ["long.rs: 601 lines, at most 600"]);
    }

    #[test]
    fn one_function_in_a_hundred_may_exceed_the_screen() {
        let long = format!("fn long() {{\n{}}}\n", "    x;\n".repeat(80));
        let crowd = "fn short() {}\n".repeat(99);
        let mut findings = Vec::new();
        assert_eq!(rust_findings(&[file("a.rs", format!("{long}{crowd}"))], &mut findings), 100);
        assert!(findings.is_empty());
        rust_findings(&[file("a.rs", long)], &mut findings);
        assert_eq!(findings.len(), 1);
    }

    #[test]
    fn a_function_over_a_hundred_lines_is_always_found() {
        let long = format!("fn long() {{\n{}}}\n", "    x;\n".repeat(99));
        let crowd = "fn short() {}\n".repeat(500);
        let mut findings = Vec::new();
        rust_findings(&[file("a.rs", format!("{long}{crowd}"))], &mut findings);
        assert_eq!(findings, ["a.rs:1: `long` has 101 lines, at most 100"]);
    }
}
