//! The rules of members that several requests of IAM share, as the model states them.

use super::enums::{
    AttachmentType, ContextKeyType, EntityType, PolicyIdentifierPolicyType, PolicyScope,
    PolicyUsage, Status,
};
use crate::{
    enums::WireEnum,
    limits::*,
    shape::{Kind, Range, Rule, pattern::*},
};

/// The pattern of every name in IAM.
const NAME_PATTERN: &str = r"[\w+=,.@-]+";

/// A name of up to so many characters.
const fn name(chars_max: u64) -> Rule {
    Rule::of(Kind::patterned(Range::of(1, chars_max), NAME_PATTERN, is_name))
}

/// A text of that length.
const fn text(length: Range) -> Rule {
    Rule::of(Kind::text(length))
}

pub(super) const USER_NAME: Rule = name(USER_NAME_CHARS_MAX);
pub(super) const REQUIRED_USER_NAME: Rule = USER_NAME.required();
pub(super) const EXISTING_USER_NAME: Rule = name(IAM_NAME_CHARS_MAX);
pub(super) const REQUIRED_EXISTING_USER_NAME: Rule = EXISTING_USER_NAME.required();
pub(super) const GROUP_NAME: Rule = name(IAM_NAME_CHARS_MAX);
pub(super) const REQUIRED_GROUP_NAME: Rule = GROUP_NAME.required();
pub(super) const REQUIRED_ROLE_NAME: Rule = name(ROLE_NAME_CHARS_MAX).required();
pub(super) const REQUIRED_INSTANCE_PROFILE_NAME: Rule = name(IAM_NAME_CHARS_MAX).required();
pub(super) const REQUIRED_POLICY_NAME: Rule = name(IAM_NAME_CHARS_MAX).required();
pub(super) const REQUIRED_ATTACHMENT_NAME: Rule = name(IAM_NAME_CHARS_MAX).required();
pub(super) const CUSTOM_SUFFIX: Rule = name(CUSTOM_SUFFIX_CHARS_MAX);
pub(super) const REQUIRED_AWS_SERVICE_NAME: Rule = name(IAM_NAME_CHARS_MAX).required();
pub(super) const REQUIRED_DELETION_TASK_ID: Rule =
    text(Range::of(1, DELETION_TASK_ID_CHARS_MAX)).required();

pub(super) const PATH: Rule = Rule::of(Kind::patterned(
    Range::of(1, PATH_CHARS_MAX),
    r"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)",
    is_path,
));
pub(super) const PATH_PREFIX: Rule = Rule::of(Kind::patterned(
    Range::of(1, PATH_CHARS_MAX),
    r"\u002F[\u0021-\u007F]*",
    is_path_prefix,
));
pub(super) const POLICY_PATH: Rule = Rule::of(Kind::patterned(
    Range::of(1, PATH_CHARS_MAX),
    r"((/[A-Za-z0-9\.,\+@=_-]+)*)/",
    is_policy_path,
));
pub(super) const ARN: Rule = text(Range::of(ARN_CHARS_MIN, ARN_CHARS_MAX));
pub(super) const REQUIRED_ARN: Rule = ARN.required();

const TAG_KEY_KIND: Kind =
    Kind::patterned(Range::of(1, TAG_KEY_CHARS_MAX), r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+", is_tag_key);
pub(super) const REQUIRED_TAG_KEY: Rule = Rule::of(TAG_KEY_KIND).required();
pub(super) const REQUIRED_TAG_VALUE: Rule = Rule::of(Kind::patterned(
    Range::of(0, TAG_VALUE_CHARS_MAX),
    r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*",
    is_tag_value,
))
.required();
pub(crate) const TAG_KEYS: Rule =
    Rule::of(Kind::List { length: Range::at_most(TAGS_MAX), item: &TAG_KEY_KIND });
pub(super) const REQUIRED_TAG_KEYS: Rule = TAG_KEYS.required();

pub(super) const MARKER: Rule = Rule::of(Kind::patterned(
    Range::of(1, IAM_MARKER_CHARS_MAX),
    r"[\u0020-\u00FF]+",
    is_marker_text,
));
pub(super) const MAX_ITEMS: Rule = Rule::of(Kind::Integer(Range::of(1, MAX_ITEMS_MAX)));
pub(super) const FLAG: Rule = Rule::of(Kind::Boolean);
pub(super) const REQUIRED_STATUS: Rule = Rule::of(Kind::Enumeration(Status::TEXTS)).required();
pub(super) const REQUIRED_ACCESS_KEY_ID: Rule = Rule::of(Kind::patterned(
    Range::of(ACCESS_KEY_ID_CHARS_MIN, ACCESS_KEY_ID_CHARS_MAX),
    r"[\w]+",
    is_word,
))
.required();

const POLICY_DOCUMENT_KIND: Kind = Kind::patterned(
    Range::of(1, POLICY_CHARS_MAX),
    r"[\u0009\u000A\u000D\u0020-\u00FF]+",
    is_policy_text,
);
pub(super) const POLICY_DOCUMENT: Rule = Rule::of(POLICY_DOCUMENT_KIND);
pub(super) const REQUIRED_POLICY_DOCUMENT: Rule = POLICY_DOCUMENT.required();
pub(super) const POLICY_DOCUMENTS: Rule =
    Rule::of(Kind::List { length: Range::ANY, item: &POLICY_DOCUMENT_KIND });
pub(super) const REQUIRED_POLICY_DOCUMENTS: Rule = POLICY_DOCUMENTS.required();
pub(super) const POLICY_DESCRIPTION: Rule = text(Range::at_most(IAM_DESCRIPTION_CHARS_MAX));
pub(super) const POLICY_SCOPE: Rule = Rule::of(Kind::Enumeration(PolicyScope::TEXTS));
pub(super) const POLICY_USAGE: Rule = Rule::of(Kind::Enumeration(PolicyUsage::TEXTS));
pub(super) const ENTITY_TYPE: Rule = Rule::of(Kind::Enumeration(EntityType::TEXTS));
pub(super) const ENTITY_TYPES: Rule =
    Rule::of(Kind::List { length: Range::ANY, item: &Kind::Enumeration(EntityType::TEXTS) });
pub(super) const REQUIRED_VERSION_ID: Rule =
    Rule::of(Kind::patterned(Range::ANY, r"v[1-9][0-9]*(\.[A-Za-z0-9-]*)?", is_policy_version_id))
        .required();

pub(super) const ROLE_DESCRIPTION: Rule = Rule::of(Kind::patterned(
    Range::at_most(IAM_DESCRIPTION_CHARS_MAX),
    r"[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*",
    is_role_description,
));
pub(super) const REQUIRED_ROLE_DESCRIPTION: Rule = ROLE_DESCRIPTION.required();
pub(super) const MAX_SESSION_DURATION_SECONDS: Rule = Rule::of(Kind::Integer(Range::of(
    MAX_SESSION_DURATION_SECONDS_MIN,
    ROLE_SESSION_DURATION_SECONDS_MAX,
)));
pub(super) const MAX_SIGNIN_SESSION_DURATION_SECONDS: Rule = Rule::of(Kind::Integer(Range::of(
    MAX_SESSION_DURATION_SECONDS_MIN,
    SIGNIN_SESSION_DURATION_SECONDS_MAX,
)));

pub(super) const REQUIRED_PROVIDER_URL: Rule =
    text(Range::of(1, PROVIDER_URL_CHARS_MAX)).required();
const CLIENT_ID_KIND: Kind = Kind::text(Range::of(1, CLIENT_ID_CHARS_MAX));
pub(super) const REQUIRED_CLIENT_ID: Rule = Rule::of(CLIENT_ID_KIND).required();
pub(super) const CLIENT_IDS: Rule =
    Rule::of(Kind::List { length: Range::ANY, item: &CLIENT_ID_KIND });
pub(super) const THUMBPRINTS: Rule = Rule::of(Kind::List {
    length: Range::ANY,
    item: &Kind::text(Range::of(THUMBPRINT_CHARS, THUMBPRINT_CHARS)),
});
pub(super) const REQUIRED_THUMBPRINTS: Rule = THUMBPRINTS.required();
pub(super) const IDENTITY_CENTER_INSTANCE_ARN: Rule =
    text(Range::of(1, IDENTITY_CENTER_INSTANCE_ARN_CHARS_MAX));
pub(super) const SOURCE_KEY: Rule = text(Range::of(1, CONTEXT_PROVIDER_KEY_CHARS_MAX));
pub(super) const REQUIRED_SOURCE_KEY: Rule = SOURCE_KEY.required();
pub(super) const TARGET_KEY: Rule = text(Range::of(1, CONTEXT_PROVIDER_KEY_CHARS_MAX));
pub(super) const SUBJECT_TYPE_VALUE: Rule = text(Range::of(0, CONTEXT_PROVIDER_KEY_CHARS_MAX));
pub(super) const REQUIRED_ACCOUNT_ALIAS: Rule = Rule::of(Kind::patterned(
    Range::of(ACCOUNT_ALIAS_CHARS_MIN, ACCOUNT_ALIAS_CHARS_MAX),
    r"^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$",
    is_account_alias,
))
.required();

pub(super) const REQUIRED_ACTION_NAMES: Rule = Rule::of(Kind::List {
    length: Range::ANY,
    item: &Kind::text(Range::of(ACTION_NAME_CHARS_MIN, ACTION_NAME_CHARS_MAX)),
})
.required();
const RESOURCE_NAME_KIND: Kind = Kind::text(Range::of(1, RESOURCE_NAME_CHARS_MAX));
pub(super) const RESOURCE_NAME: Rule = Rule::of(RESOURCE_NAME_KIND);
pub(super) const RESOURCE_NAMES: Rule =
    Rule::of(Kind::List { length: Range::ANY, item: &RESOURCE_NAME_KIND });
pub(super) const RESOURCE_HANDLING_OPTION: Rule =
    text(Range::of(1, RESOURCE_HANDLING_OPTION_CHARS_MAX));
pub(super) const CONTEXT_KEY_NAME: Rule =
    text(Range::of(CONTEXT_KEY_NAME_CHARS_MIN, CONTEXT_KEY_NAME_CHARS_MAX));
pub(super) const CONTEXT_KEY_VALUES: Rule =
    Rule::of(Kind::List { length: Range::ANY, item: &Kind::text(Range::ANY) });
pub(super) const CONTEXT_KEY_TYPE: Rule = Rule::of(Kind::Enumeration(ContextKeyType::TEXTS));
pub(super) const POLICY_IDENTIFIER_POLICY_TYPE: Rule =
    Rule::of(Kind::Enumeration(PolicyIdentifierPolicyType::TEXTS));
pub(super) const REQUIRED_ATTACHMENT_TYPE: Rule =
    Rule::of(Kind::Enumeration(AttachmentType::TEXTS)).required();
pub(super) const SERVICE_NAME: Rule = text(Range::ANY);
