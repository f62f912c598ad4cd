//! The rules of members that several requests share, as the model states them.

use crate::{
    enums::{
        CustomerMasterKeySpec, DataKeyPairSpec, DataKeySpec, DryRunModifier,
        EncapsulationAlgorithmSpec, EncryptionAlgorithmSpec, ExpirationModel, ImportType,
        IncludeKeyMaterial, KeyAgreementAlgorithmSpec, KeyEncryptionMechanism, KeySpec, KeyUsage,
        MacAlgorithmSpec, MessageType, OriginType, ResourceOwner, SigningAlgorithmSpec, WireEnum,
        WrappingAlgorithm, WrappingKeySpec,
    },
    limits::*,
    names::{is_alias_text, is_region_text},
    shape::{
        Kind, Range, Rule,
        pattern::{is_policy_text, is_word},
    },
};

pub(super) const KEY_ID: Rule = Rule::of(Kind::text(Range::of(1, KEY_ID_CHARS_MAX)));
pub(super) const REQUIRED_KEY_ID: Rule = KEY_ID.required();
pub(super) const REQUIRED_ALIAS_NAME: Rule = Rule::of(Kind::patterned(
    Range::of(1, ALIAS_NAME_CHARS_MAX),
    "^[a-zA-Z0-9:/_-]+$",
    is_alias_text,
))
.required();
pub(super) const DESCRIPTION: Rule = Rule::of(Kind::text(Range::of(0, DESCRIPTION_CHARS_MAX)));
pub(super) const REQUIRED_DESCRIPTION: Rule = DESCRIPTION.required();

pub(super) const POLICY: Rule = Rule::of(Kind::patterned(
    Range::of(1, POLICY_CHARS_MAX),
    r"[\u0009\u000A\u000D\u0020-\u00FF]+",
    is_policy_text,
));
pub(super) const REQUIRED_POLICY: Rule = POLICY.required();
pub(super) const POLICY_NAME: Rule =
    Rule::of(Kind::patterned(Range::of(1, POLICY_NAME_CHARS_MAX), r"[\w]+", is_word));

pub(super) const KEY_USAGE: Rule = Rule::of(Kind::Enumeration(KeyUsage::TEXTS));
pub(super) const KEY_SPEC: Rule = Rule::of(Kind::Enumeration(KeySpec::TEXTS));
pub(super) const CUSTOMER_MASTER_KEY_SPEC: Rule =
    Rule::of(Kind::Enumeration(CustomerMasterKeySpec::TEXTS));
pub(super) const ORIGIN: Rule = Rule::of(Kind::Enumeration(OriginType::TEXTS));
pub(super) const CUSTOM_KEY_STORE_ID: Rule =
    Rule::of(Kind::text(Range::of(1, CUSTOM_KEY_STORE_ID_CHARS_MAX)));
pub(super) const XKS_KEY_ID: Rule = Rule::of(Kind::patterned(
    Range::of(1, XKS_KEY_ID_CHARS_MAX),
    "^[a-zA-Z0-9-_.]+$",
    is_xks_key_id,
));
pub(super) const FLAG: Rule = Rule::of(Kind::Boolean);
pub(super) const PENDING_WINDOW_DAYS: Rule =
    Rule::of(Kind::Integer(Range::of(1, PENDING_WINDOW_DAYS_MAX)));

pub(super) const LIMIT: Rule = Rule::of(Kind::Integer(Range::of(1, LIMIT_ITEMS_MAX)));
pub(super) const MARKER: Rule =
    Rule::of(Kind::patterned(Range::of(1, MARKER_CHARS_MAX), r"[\u0020-\u00FF]*", is_marker_text));
pub(super) const RESOURCE_OWNERS: Rule = Rule::of(Kind::List {
    length: Range::of(1, RESOURCE_OWNERS_MAX),
    item: &Kind::Enumeration(ResourceOwner::TEXTS),
});

const TAG_KEY_KIND: Kind = Kind::text(Range::of(1, TAG_KEY_CHARS_MAX));
pub(super) const TAG_KEY: Rule = Rule::of(TAG_KEY_KIND).required();
pub(super) const TAG_VALUE: Rule =
    Rule::of(Kind::text(Range::of(0, TAG_VALUE_CHARS_MAX))).required();
pub(super) const REQUIRED_TAG_KEYS: Rule =
    Rule::of(Kind::List { length: Range::ANY, item: &TAG_KEY_KIND }).required();

pub(super) const REQUIRED_PLAINTEXT: Rule =
    Rule::of(Kind::Blob(Range::of(1, PLAINTEXT_BYTES_MAX))).required().sensitive();
pub(super) const CIPHERTEXT: Rule = Rule::of(Kind::Blob(Range::of(1, CIPHERTEXT_BYTES_MAX)));
pub(super) const REQUIRED_CIPHERTEXT: Rule = CIPHERTEXT.required();
pub(super) const ENCRYPTION_CONTEXT: Rule = Rule::of(Kind::Map);
pub(super) const GRANT_TOKENS: Rule = Rule::of(Kind::List {
    length: Range::of(0, GRANT_TOKENS_MAX),
    item: &Kind::text(Range::of(1, GRANT_TOKEN_CHARS_MAX)),
});
pub(super) const ENCRYPTION_ALGORITHM: Rule =
    Rule::of(Kind::Enumeration(EncryptionAlgorithmSpec::TEXTS));
pub(super) const DRY_RUN_MODIFIERS: Rule =
    Rule::of(Kind::List { length: Range::ANY, item: &Kind::Enumeration(DryRunModifier::TEXTS) });
pub(super) const DATA_KEY_SPEC: Rule = Rule::of(Kind::Enumeration(DataKeySpec::TEXTS));
pub(super) const NUMBER_OF_BYTES: Rule = Rule::of(Kind::Integer(Range::of(1, NUMBER_OF_BYTES_MAX)));
pub(super) const KEY_ENCRYPTION_ALGORITHM: Rule =
    Rule::of(Kind::Enumeration(KeyEncryptionMechanism::TEXTS));
pub(super) const ATTESTATION_DOCUMENT: Rule =
    Rule::of(Kind::Blob(Range::of(1, ATTESTATION_DOCUMENT_BYTES_MAX)));

pub(super) const REQUIRED_DATA_KEY_PAIR_SPEC: Rule =
    Rule::of(Kind::Enumeration(DataKeyPairSpec::TEXTS)).required();

pub(super) const MESSAGE_TYPE: Rule = Rule::of(Kind::Enumeration(MessageType::TEXTS));
pub(super) const REQUIRED_SIGNING_ALGORITHM: Rule =
    Rule::of(Kind::Enumeration(SigningAlgorithmSpec::TEXTS)).required();
pub(super) const REQUIRED_MAC_ALGORITHM: Rule =
    Rule::of(Kind::Enumeration(MacAlgorithmSpec::TEXTS)).required();
pub(super) const REQUIRED_KEY_AGREEMENT_ALGORITHM: Rule =
    Rule::of(Kind::Enumeration(KeyAgreementAlgorithmSpec::TEXTS)).required();
pub(super) const REQUIRED_ENCAPSULATION_ALGORITHM: Rule =
    Rule::of(Kind::Enumeration(EncapsulationAlgorithmSpec::TEXTS)).required();
pub(super) const REQUIRED_PUBLIC_KEY: Rule =
    Rule::of(Kind::Blob(Range::of(1, PUBLIC_KEY_BYTES_MAX))).required();

pub(super) const REQUIRED_WRAPPING_ALGORITHM: Rule =
    Rule::of(Kind::Enumeration(WrappingAlgorithm::TEXTS)).required();
pub(super) const REQUIRED_WRAPPING_KEY_SPEC: Rule =
    Rule::of(Kind::Enumeration(WrappingKeySpec::TEXTS)).required();
pub(super) const DATE: Rule = Rule::of(Kind::Timestamp);
pub(super) const EXPIRATION_MODEL: Rule = Rule::of(Kind::Enumeration(ExpirationModel::TEXTS));
pub(super) const IMPORT_TYPE: Rule = Rule::of(Kind::Enumeration(ImportType::TEXTS));
pub(super) const KEY_MATERIAL_DESCRIPTION: Rule = Rule::of(Kind::patterned(
    Range::of(0, KEY_MATERIAL_DESCRIPTION_CHARS_MAX),
    r"^[a-zA-Z0-9:/_\s.-]+$",
    is_key_material_description,
));
pub(super) const KEY_MATERIAL_ID: Rule = Rule::of(Kind::patterned(
    Range::of(KEY_MATERIAL_ID_CHARS, KEY_MATERIAL_ID_CHARS),
    "^[a-f0-9]+$",
    is_lower_hexadecimal,
));
pub(super) const ROTATION_PERIOD_DAYS: Rule =
    Rule::of(Kind::Integer(Range::of(ROTATION_PERIOD_DAYS_MIN, ROTATION_PERIOD_DAYS_MAX)));
pub(super) const INCLUDE_KEY_MATERIAL: Rule =
    Rule::of(Kind::Enumeration(IncludeKeyMaterial::TEXTS));
pub(super) const REQUIRED_REGION: Rule = Rule::of(Kind::patterned(
    Range::of(1, REGION_CHARS_MAX),
    r"^([a-z]+-){2,3}\d+$",
    is_region_text,
))
.required();

/// `^[a-zA-Z0-9-_.]+$`
fn is_xks_key_id(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    !text.is_empty() && text.bytes().all(allowed)
}

/// `[\u0020-\u00FF]*`
fn is_marker_text(text: &str) -> bool {
    text.chars().all(|c| ('\u{20}'..='\u{ff}').contains(&c))
}

/// `^[a-zA-Z0-9:/_\s.-]+$`, where white space means ASCII in Java.
fn is_key_material_description(text: &str) -> bool {
    let allowed = |b: u8| {
        b.is_ascii_alphanumeric()
            || matches!(b, b':' | b'/' | b'_' | b'.' | b'-')
            || matches!(b, b' ' | b'\t' | b'\n' | b'\x0b' | b'\x0c' | b'\r')
    };
    !text.is_empty() && text.bytes().all(allowed)
}

/// `^[a-f0-9]+$`
fn is_lower_hexadecimal(text: &str) -> bool {
    let allowed = |b: u8| matches!(b, b'a'..=b'f' | b'0'..=b'9');
    !text.is_empty() && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_decided_as_their_texts_say() {
        assert!(is_marker_text("") && is_marker_text(" ÿ~"));
        assert!(!is_marker_text("\n") && !is_marker_text("Ā"));
        assert!(is_xks_key_id("a-b_c.0"));
        assert!(!is_xks_key_id("") && !is_xks_key_id("a/b"));
        assert!(is_key_material_description("aZ0:/_.- \t\n\u{b}\u{c}\r"));
        for wrong in ["", "a+b", "ä", "\u{a0}", "\u{2028}", "\u{85}", "\0"] {
            assert!(!is_key_material_description(wrong), "{wrong:?}");
        }
        assert!(is_lower_hexadecimal("0f"));
        for wrong in ["", "F", "g", "0 ", "٣"] {
            assert!(!is_lower_hexadecimal(wrong), "{wrong:?}");
        }
    }
}
