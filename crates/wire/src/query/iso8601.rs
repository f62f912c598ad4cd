//! Timestamps in answers of the Query protocol, for `#[serde(with = "iso8601")]`.
//!
//! IAM and STS write UTC to the second, as in `2026-01-02T03:04:05Z`. None of their requests that
//! are built here has a timestamp.

use jiff::Timestamp;
use serde::Serializer;

/// Writes a time, rounded down to seconds.
///
/// # Errors
/// What the serializer itself fails with.
pub fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&time.strftime("%Y-%m-%dT%H:%M:%SZ"))
}

/// The same for an optional time.
pub mod option {
    use super::*;

    /// Writes a time, or its absence.
    ///
    /// # Errors
    /// What the serializer itself fails with.
    pub fn serialize<S: Serializer>(
        time: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => super::serialize(time, serializer),
            None => serializer.serialize_none(),
        }
    }
}
