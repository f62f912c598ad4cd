//! What is told, on standard output.

use std::fmt::Display;
use std::io::Write;

/// Writes one line. A reader who has gone away does not stop the measurement.
pub(crate) fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{text}").and_then(|()| out.flush()).is_err() {
        complain(&"nobody reads the figures");
    }
}

/// Writes one line about what went wrong.
pub(crate) fn complain(what: &dyn Display) {
    let mut out = std::io::stderr().lock();
    // There is nowhere left to say that even this failed.
    writeln!(out, "bench: {what}").unwrap_or_default();
}
