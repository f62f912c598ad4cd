//! Rules for every text file: blanks, unfinished work without an issue, places of one machine.

use crate::repository::TextFile;

/// Folders whose files are data given from outside or made to be odd.
const DATA: &[&str] = &["corpus", "vectors"];

/// Notes of unfinished work; each must carry `(#number)` of its issue.
const NOTES: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME")];

/// Folders of one machine. Split, so that this file passes its own check.
const MACHINE_PATHS: &[&str] =
    &[concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/wo", "rk/"), concat!("/Us", "ers/")];

/// Hosts and settings that tie the tree to one way of fetching packages.
const HOSTS: &[&str] = &[
    concat!("registry.", "npmjs.org"),
    concat!("files.", "pythonhosted.org"),
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("index", "-url"),
    concat!("arti", "factory"),
];

/// The one source that a Cargo lock file may name.
const CARGO_SOURCE: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Everything wrong with one file, as lines `path:line: what`.
pub(super) fn findings(file: &TextFile) -> Vec<String> {
    let data = file.path.split('/').any(|part| DATA.contains(&part));
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(file.text.split('\n')) {
        let place = format!("{}:{number}", file.path);
        findings.extend(places(&file.path, line).map(|what| format!("{place}: {what}")));
        if !data {
            findings.extend(style(&file.path, line).map(|what| format!("{place}: {what}")));
        }
    }
    if !data && !file.text.is_empty() && !file.text.ends_with('\n') {
        findings.push(format!("{}: no line break at the end", file.path));
    }
    findings
}

/// Hosts and machine paths, which no file may hold.
fn places(path: &str, line: &str) -> impl Iterator<Item = String> {
    let mut found: Vec<String> = HOSTS
        .iter()
        .filter(|host| line.contains(*host))
        .map(|host| format!("names a package host ({host})"))
        .collect();
    for folder in MACHINE_PATHS {
        if line.split_once(folder).is_some_and(|(before, _)| starts_a_path(before)) {
            found.push(format!("names a folder of one machine ({folder})"));
        }
    }
    let lock_source = line.trim_start().strip_prefix("source = \"");
    if path.ends_with("Cargo.lock") && lock_source.is_some_and(|s| !s.starts_with(CARGO_SOURCE)) {
        found.push("names a source other than crates.io".to_owned());
    }
    if path.ends_with("package-lock.json") && line.contains("\"resolved\"") {
        found.push("names where a package was fetched".to_owned());
    }
    found.into_iter()
}

/// True unless the text before a `/` is itself part of a path (`docs/home/` is no machine's).
fn starts_a_path(before: &str) -> bool {
    !before.ends_with(|last: char| last.is_alphanumeric() || matches!(last, '.' | '_' | '-' | '}'))
}

/// Rules of style for a line.
fn style(path: &str, line: &str) -> impl Iterator<Item = String> {
    let mut found = Vec::new();
    if line.ends_with([' ', '\t', '\r']) {
        found.push("blanks at the end".to_owned());
    }
    for note in NOTES {
        let Some((before, after)) = line.split_once(note) else { continue };
        let whole = !before.ends_with(char::is_alphanumeric)
            && !after.starts_with(|next: char| next.is_alphanumeric() || next == '_');
        if whole && !names_an_issue(after) {
            found.push(format!("{note} without its issue: write {note}(#number)"));
        }
    }
    let unescaped =
        line.split_once(concat!("|", "safe")).or_else(|| line.split_once(concat!("| ", "safe")));
    if let Some((_, after)) = unescaped.filter(|_| !path.ends_with(".md"))
        && !after.starts_with(|next: char| next.is_alphanumeric() || next == '_')
    {
        found.push("writes a page's text unescaped".to_owned());
    }
    found.into_iter()
}

/// True when the text begins `(#number)`.
fn names_an_issue(after: &str) -> bool {
    after
        .strip_prefix("(#")
        .and_then(|rest| rest.split_once(')'))
        .is_some_and(|(number, _)| number.parse::<u32>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        findings(&TextFile { path: path.to_owned(), text: text.to_owned() }).len()
    }

    #[test]
    fn a_clean_file_passes() {
        assert_eq!(count("a.rs", "fn a() {}\n"), 0);
        assert_eq!(count("a.rs", ""), 0);
    }

    #[test]
    fn blanks_and_a_missing_line_break_are_found() {
        assert_eq!(count("a.md", "a \nb\t\n"), 2);
        assert_eq!(count("a.md", "a"), 1);
        assert_eq!(count("fuzz/corpus/arn/a", "a "), 0);
    }

    #[test]
    fn unfinished_work_names_its_issue() {
        for note in NOTES {
            assert_eq!(count("a.rs", &format!("// {note}: later\n")), 1);
            assert_eq!(count("a.rs", &format!("// {note}(#12): later\n")), 0);
            assert_eq!(count("a.rs", &format!("// {note}(#): later\n")), 1);
            assert_eq!(count("a.rs", &format!("// my{note}s\n")), 0);
        }
    }

    #[test]
    fn folders_of_one_machine_are_found() {
        for folder in MACHINE_PATHS {
            assert_eq!(count("a.md", &format!("see {folder}x\n")), 1);
            assert_eq!(count("a.md", &format!("see docs{folder}x\n")), 0);
        }
    }

    #[test]
    fn lock_files_name_no_host() {
        assert_eq!(count("Cargo.lock", &format!("source = \"{CARGO_SOURCE}\"\n")), 0);
        assert_eq!(count("Cargo.lock", "source = \"registry+https://example.org\"\n"), 1);
        assert_eq!(count("package-lock.json", "  \"resolved\": \"https://example.org\",\n"), 1);
        for host in HOSTS {
            assert_eq!(count("a.toml", &format!("{host}\n")), 1);
        }
    }

    #[test]
    fn pages_are_escaped() {
        let filter = concat!("|", "safe");
        assert_eq!(count("page.html", &format!("{{{{ name{filter} }}}}\n")), 1);
        assert_eq!(count("page.html", &format!("{{{{ name{filter}ly }}}}\n")), 0);
    }
}
