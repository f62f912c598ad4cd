//! Requests that must be refused, each signed correctly for what it claims, so that only the rule
//! under test can refuse it. The first tests show that the same drafts, left alone, are accepted.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "a test may panic; clippy knows test functions only, not their helpers"
)]

mod credentials;
mod headers;
mod query;
#[path = "../support/mod.rs"]
mod support;

use support::{DATE, Draft, Sent, hash};

const MISSING: &str = "MissingAuthenticationTokenException";
const INCOMPLETE: &str = "IncompleteSignatureException";
const INVALID: &str = "InvalidSignatureException";
const UNKNOWN: &str = "UnrecognizedClientException";

/// What is wrong, the request, the error's name, and words of its text.
type Case = (&'static str, Sent, &'static str, &'static str);

/// Every table below, counted, so that a case cannot get lost.
const CASES: usize = 154;

#[test]
fn each_case_is_refused_by_its_rule() {
    let tables = [
        credentials::scheme(),
        credentials::pairs(),
        credentials::credential(),
        headers::date(),
        headers::signed_header(),
        credentials::signature(),
        headers::body(),
        headers::form(),
        query::query(),
        query::second_source(),
        query::repeated(),
    ];
    let cases: Vec<Case> = tables.into_iter().flatten().collect();
    for (what, sent, code, words) in &cases {
        let refusal = sent.judge().err().unwrap_or_else(|| panic!("accepted: {what}"));
        assert_eq!((refusal.code(), *what), (*code, *what), "{refusal}");
        assert!(refusal.to_string().contains(words), "{what}: {refusal}");
    }
    assert_eq!(cases.len(), CASES);
}

#[test]
fn the_drafts_themselves_are_accepted() {
    let token = Draft::header_form().header("x-amz-security-token", "IQoJb3JpZ2luX2VjEXAMPLE==");
    let accepted = [
        Draft::header_form().sign(),
        token.sign(),
        Draft::header_form().not_signing("user-agent").sign(),
        Draft::header_form().not_signing("amz-sdk-invocation-id").sign(),
        Draft::header_form().header("x-amz-content-sha256", hash(support::BODY.as_bytes())).sign(),
        Draft::header_form().scoped(1, "eu-central-1").sign(),
        Draft::header_form().scoped(2, "sts").sign(),
        Draft::header_form().parameter("a", "b c/ä+").parameter("A", "").sign(),
        Draft::kms().header("date", DATE).sign(),
        Draft::kms().header("date", "Sun, 30 Aug 2015 12:36:00 GMT").sign(),
        Draft::header_form().header("x-note", "  a   b  ").header("x-note", "c").sign(),
        Draft::query_form().presign(),
        Draft::query_form().without("X-Amz-Expires").presign(),
        Draft::query_form().with("X-Amz-Expires", "1").presign(),
        Draft::query_form().with("X-Amz-Expires", "604800").presign(),
        Draft::query_form().parameter("X-Amz-Security-Token", "a/b+c==").presign(),
        Draft::query_form()
            .parameter("X-Amz-Content-Sha256", &hash(support::BODY.as_bytes()))
            .presign(),
        Draft::query_form().presign().query(|query| query.replace("%2F", "%2f")),
        Draft::query_form().presign().query(|query| query.replace("%2F", "/")),
    ];
    for (position, sent) in accepted.iter().enumerate() {
        assert_eq!(sent.judge(), Ok(()), "draft {position}");
    }
}

#[test]
fn the_clock_window_is_five_minutes_either_way() {
    let sent = Draft::header_form().sign();
    for now in ["12:31:00", "12:31:01", "12:40:59", "12:41:00"] {
        assert_eq!(sent.judge_at(&format!("2015-08-30T{now}Z")), Ok(()), "{now}");
    }
    let refusal = sent.judge_at("2015-08-30T12:41:01Z").unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)"
    );
    assert_eq!(refusal.code(), INVALID);
    let refusal = sent.judge_at("2015-08-30T12:30:59Z").unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)"
    );
    assert_eq!(refusal.code(), INVALID);
}

#[test]
fn a_presigned_request_lives_for_its_seconds_and_no_longer() {
    for (expires, last, after) in [
        (Some("3600"), "2015-08-30T13:36:00Z", "2015-08-30T13:36:01Z"),
        (Some("1"), "2015-08-30T12:36:01Z", "2015-08-30T12:36:02Z"),
        (Some("604800"), "2015-09-06T12:36:00Z", "2015-09-06T12:36:01Z"),
        (None, "2015-08-30T12:41:00Z", "2015-08-30T12:41:01Z"),
    ] {
        let draft = Draft::query_form().without("X-Amz-Expires");
        let sent = match expires {
            Some(seconds) => draft.with("X-Amz-Expires", seconds).presign(),
            None => draft.presign(),
        };
        assert_eq!(sent.judge_at(last), Ok(()), "{expires:?}");
        assert_eq!(sent.judge_at(after).unwrap_err().code(), INVALID, "{expires:?}");
        assert_eq!(sent.judge_at("2015-08-30T12:31:00Z"), Ok(()), "{expires:?}");
        assert_eq!(sent.judge_at("2015-08-30T12:30:59Z").unwrap_err().code(), INVALID);
    }
}
