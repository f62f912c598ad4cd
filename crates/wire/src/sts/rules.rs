//! The rules of members of STS's requests, as the model states them.
//!
//! Some bind otherwise than those of IAM of the same name.

pub(super) use crate::iam::TAG_KEYS;
use crate::{
    limits::*,
    shape::{Kind, Range, Rule, pattern::*},
};

const POLICY_PATTERN: &str = r"[\u0009\u000A\u000D\u0020-\u00FF]+";

/// A name of so many characters.
const fn name(length: Range) -> Rule {
    Rule::of(Kind::patterned(length, r"[\w+=,.@-]*", is_name_or_empty))
}

pub(super) const ARN: Rule = Rule::of(Kind::patterned(
    Range::of(ARN_CHARS_MIN, ARN_CHARS_MAX),
    r"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+",
    is_arn_text,
));
pub(super) const REQUIRED_ARN: Rule = ARN.required();
pub(super) const REQUIRED_ROLE_SESSION_NAME: Rule =
    name(Range::of(2, ROLE_SESSION_NAME_CHARS_MAX)).required();
pub(super) const REQUIRED_FEDERATED_USER_NAME: Rule =
    name(Range::of(2, FEDERATED_USER_NAME_CHARS_MAX)).required();
pub(super) const SOURCE_IDENTITY: Rule = name(Range::of(2, SOURCE_IDENTITY_CHARS_MAX));
pub(super) const SESSION_POLICY: Rule = Rule::of(Kind::patterned(
    Range::of(1, SESSION_POLICY_CHARS_MAX),
    POLICY_PATTERN,
    is_policy_text,
));
pub(super) const UNRESTRICTED_SESSION_POLICY: Rule =
    Rule::of(Kind::patterned(Range::at_least(1), POLICY_PATTERN, is_policy_text));
pub(super) const ROLE_DURATION_SECONDS: Rule = Rule::of(Kind::Integer(Range::of(
    SESSION_DURATION_SECONDS_MIN,
    ROLE_SESSION_DURATION_SECONDS_MAX,
)));
pub(super) const DURATION_SECONDS: Rule = Rule::of(Kind::Integer(Range::of(
    SESSION_DURATION_SECONDS_MIN,
    USER_SESSION_DURATION_SECONDS_MAX,
)));
pub(super) const EXTERNAL_ID: Rule = Rule::of(Kind::patterned(
    Range::of(2, EXTERNAL_ID_CHARS_MAX),
    r"[\w+=,.@:\/-]*",
    is_name_with_separators,
));
pub(super) const SERIAL_NUMBER: Rule = Rule::of(Kind::patterned(
    Range::of(SERIAL_NUMBER_CHARS_MIN, SERIAL_NUMBER_CHARS_MAX),
    r"[\w+=/:,.@-]*",
    is_name_with_separators,
));
pub(super) const TOKEN_CODE: Rule =
    Rule::of(Kind::patterned(Range::of(TOKEN_CODE_CHARS, TOKEN_CODE_CHARS), r"[\d]*", is_digits));
pub(super) const MINIMUM_SESSION_TOKEN_SIZE_BYTES: Rule =
    Rule::of(Kind::Integer(Range::of(0, MINIMUM_SESSION_TOKEN_SIZE_BYTES_MAX)));
pub(super) const CONTEXT_ASSERTION: Rule =
    Rule::of(Kind::text(Range::of(4, CONTEXT_ASSERTION_CHARS_MAX)));
pub(super) const REQUIRED_WEB_IDENTITY_TOKEN: Rule =
    Rule::of(Kind::text(Range::of(4, WEB_IDENTITY_TOKEN_CHARS_MAX))).required().sensitive();
pub(super) const PROVIDER_ID: Rule = Rule::of(Kind::text(Range::of(4, PROVIDER_ID_CHARS_MAX)));
pub(super) const REQUIRED_ENCODED_MESSAGE: Rule =
    Rule::of(Kind::text(Range::of(1, ENCODED_MESSAGE_CHARS_MAX))).required();
pub(super) const REQUIRED_ACCESS_KEY_ID: Rule = Rule::of(Kind::patterned(
    Range::of(ACCESS_KEY_ID_CHARS_MIN, ACCESS_KEY_ID_CHARS_MAX),
    r"[\w]*",
    is_word_or_empty,
))
.required();
