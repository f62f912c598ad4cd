//! `model`: prints what `wire` says of every operation, for the oracle that compares it with AWS's.

use crate::repository::Repository;
use crate::{Failure, Outcome};

/// Answers the description as JSON.
pub(crate) fn run(_repository: &Repository, _arguments: &[String]) -> Outcome {
    serde_json::to_string_pretty(&service::model())
        .map_err(|error| Failure::broken("the description", error))
}
