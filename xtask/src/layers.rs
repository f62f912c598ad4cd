//! `layers`: a crate depends on lower ones only, and is what its line in `crates/README.md` says.
//!
//! The table of heights is the one in `crates/README.md`; there is no second copy here.

use std::collections::BTreeMap;

use toml::Table;

use crate::repository::Repository;
use crate::{Failure, Outcome, outcome};

/// Where the heights and the first sentences stand.
const TABLE: &str = "crates/README.md";

/// Outside crates that only some of ours may name, since the layers promise it: SQL in `store`,
/// HTTP and TLS in `server`, async nowhere below `custody`.
const RESERVED: &[(&str, &[&str])] = &[
    ("rusqlite", &["store"]),
    ("hyper", &["server"]),
    ("hyper-util", &["server"]),
    ("http", &["server"]),
    ("http-body-util", &["server"]),
    ("rustls", &["server"]),
    ("tokio-rustls", &["server"]),
    ("tokio", &["custody", "store", "audit", "service", "server", "keystead"]),
    ("libc", &["custody"]),
    ("clap", &["server", "keystead"]),
];

/// A row of the table.
struct Row {
    height: u8,
    sentence: String,
}

/// Checks every crate under `crates/`.
pub(crate) fn run(repository: &Repository, _arguments: &[String]) -> Outcome {
    let rows = rows(&repository.read(TABLE)?)?;
    let folders = repository.folders("crates")?;
    let mut findings = Vec::new();
    for name in rows.keys().filter(|name| !folders.contains(name)) {
        findings.push(format!("{TABLE}: there is no crate `{name}`"));
    }
    for folder in &folders {
        let Some(row) = rows.get(folder) else {
            findings.push(format!("{TABLE}: crate `{folder}` has no line"));
            continue;
        };
        let manifest_path = format!("crates/{folder}/Cargo.toml");
        let manifest: Table = repository
            .read(&manifest_path)?
            .parse()
            .map_err(|error| Failure::broken(&manifest_path, error))?;
        for dependency in dependencies(&manifest) {
            if let Some(why) = misplaced(folder, row, &dependency, &rows) {
                findings.push(format!("{manifest_path}: {why}"));
            }
        }
        let root = root_module(repository, folder)?;
        let sentence = first_sentence(&repository.read(&root)?);
        if sentence != row.sentence {
            findings.push(format!("{root}: says \"{sentence}\", {TABLE} \"{}\"", row.sentence));
        }
    }
    outcome(findings, format!("layers: {} crates in order", folders.len()))
}

/// Why `folder` must not name `dependency`, if it must not.
fn misplaced(
    folder: &str,
    row: &Row,
    dependency: &str,
    rows: &BTreeMap<String, Row>,
) -> Option<String> {
    if let Some(other) = rows.get(dependency).filter(|other| other.height >= row.height) {
        let (height, other) = (row.height, other.height);
        return Some(format!("`{folder}` (height {height}) depends on `{dependency}` ({other})"));
    }
    let (_, allowed) = RESERVED.iter().find(|(reserved, _)| *reserved == dependency)?;
    (!allowed.contains(&folder))
        .then(|| format!("`{dependency}` is for {} only", allowed.join(", ")))
}

/// The rows of the table, by crate.
fn rows(page: &str) -> Result<BTreeMap<String, Row>, Failure> {
    let mut rows = BTreeMap::new();
    for line in page.lines() {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [height, name, sentence] = cells.as_slice() else { continue };
        let Ok(height) = height.parse() else { continue };
        let name = name.trim_matches('`').to_owned();
        let row = Row { height, sentence: (*sentence).to_owned() };
        if rows.insert(name, row).is_some() {
            return Err(Failure::Broken(format!("{TABLE}: two lines for one crate: {line}")));
        }
    }
    if rows.is_empty() {
        return Err(Failure::Broken(format!("{TABLE}: no table of heights")));
    }
    Ok(rows)
}

/// Names of everything that ends up in the binary. Development dependencies are exempt: a test may
/// look at its crate from above (a store test that builds real keys), and ships nowhere.
fn dependencies(manifest: &Table) -> Vec<String> {
    let targets = manifest
        .get("target")
        .and_then(toml::Value::as_table)
        .into_iter()
        .flat_map(|targets| targets.values().filter_map(toml::Value::as_table));
    let mut names = Vec::new();
    for table in targets.chain([manifest]) {
        for section in ["dependencies", "build-dependencies"] {
            let section = table.get(section).and_then(toml::Value::as_table);
            names.extend(section.into_iter().flat_map(|section| section.keys().cloned()));
        }
    }
    names
}

/// The file whose first sentence speaks for the crate.
fn root_module(repository: &Repository, folder: &str) -> Result<String, Failure> {
    ["lib.rs", "main.rs"]
        .into_iter()
        .map(|file| format!("crates/{folder}/src/{file}"))
        .find(|path| repository.has(path))
        .ok_or_else(|| Failure::Broken(format!("crates/{folder} has neither lib.rs nor main.rs")))
}

/// The first sentence of a file's `//!` comment.
fn first_sentence(source: &str) -> String {
    let paragraph: Vec<&str> = source
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(str::trim)
        .take_while(|line| !line.is_empty())
        .collect();
    let paragraph = paragraph.join(" ");
    match paragraph.split_once(". ") {
        Some((sentence, _)) => format!("{sentence}."),
        None => paragraph,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "| Height | Crate | What |\n|---|---|---|\n| 1 | `wire` | What. |\n\
                        | 3 | `store` | Rows. |\n| 3 | `custody` | Keys. |\n";

    #[test]
    fn a_crate_may_name_lower_ones_only() {
        let rows = rows(PAGE).unwrap();
        let store = &rows["store"];
        assert_eq!(misplaced("store", store, "wire", &rows), None);
        assert!(misplaced("store", store, "custody", &rows).is_some());
        assert!(misplaced("wire", &rows["wire"], "store", &rows).is_some());
    }

    #[test]
    fn outside_crates_stay_where_the_layers_say() {
        let rows = rows(PAGE).unwrap();
        assert_eq!(misplaced("store", &rows["store"], "rusqlite", &rows), None);
        assert!(misplaced("custody", &rows["custody"], "rusqlite", &rows).is_some());
    }

    #[test]
    fn every_kind_of_dependency_counts_except_those_of_tests() {
        let manifest: Table = "[dependencies]\na = '1'\n[build-dependencies]\nb = '1'\n\
                               [target.'cfg(unix)'.dependencies]\nc = '1'\n\
                               [dev-dependencies]\nd = '1'\n"
            .parse()
            .unwrap();
        let mut names = dependencies(&manifest);
        names.sort();
        assert_eq!(names, ["a", "b", "c"]);
    }

    #[test]
    fn the_first_sentence_may_span_lines_and_ends_at_the_full_stop() {
        assert_eq!(first_sentence("//! One: a,\n//! b. Two.\n//!\n//! More."), "One: a, b.");
        assert_eq!(first_sentence("//! One.\n\nfn x() {}"), "One.");
        assert_eq!(first_sentence("fn x() {}"), "");
    }
}
