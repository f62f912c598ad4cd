//! The members of answers of IAM and STS are those stated beside their structs.

#![allow(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

mod iam;
mod simulation;
mod sts;

use jiff::Timestamp;
use wire::model::Answer;

/// Compares the members of a fully populated answer with those stated beside its struct.
fn stated<A: Answer>(answer: &A) {
    let value = serde_json::to_value(answer).unwrap();
    let mut written: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    let mut stated: Vec<&str> = A::MEMBERS.to_vec();
    written.sort_unstable();
    stated.sort_unstable();
    assert_eq!(written, stated);
}

fn text() -> String {
    "text".to_owned()
}

fn time() -> Timestamp {
    Timestamp::UNIX_EPOCH
}
