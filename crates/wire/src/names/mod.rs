//! Small identifiers: accounts, Regions, key ids, aliases, names and ids of IAM, and their ARNs.
//!
//! Each has exactly one spelling: what parses is what is shown again, byte for byte. Below this
//! crate no `String` is a key id or an account.

mod account;
mod alias;
mod arn;
mod entity;
mod key_id;
mod key_ref;
mod region;
mod unique_id;

pub use account::AccountId;
pub use alias::AliasName;
pub(crate) use alias::is_alias_text;
pub use arn::{AliasArn, KeyArn};
pub use entity::{EntityArn, EntityKind, EntityName, EntityOwner, EntityPath};
pub use key_id::{KeyId, KeyMaterialId};
pub use key_ref::{KeyRef, KeyRefError};
pub(crate) use region::is_region_text;
pub use region::{Partition, Region};
pub use unique_id::{UniqueId, UniqueIdKind};

/// A text is not the name that it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not {expected}")]
pub struct InvalidName {
    expected: &'static str,
}

impl InvalidName {
    /// The error of a text that is not `expected`, such as "an account id: 12 digits".
    pub(crate) const fn expected(expected: &'static str) -> InvalidName {
        InvalidName { expected }
    }
}

/// Shows and serialises a name by its `as_str`.
macro_rules! show_as_str {
    ($($name:ty),+) => {$(
        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    )+};
}
pub(crate) use show_as_str;

/// Serialises a name as the string that it is shown as, without an intermediate `String`.
macro_rules! serialize_as_shown {
    ($($name:ty),+) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )+};
}
pub(crate) use serialize_as_shown;

/// The bytes of an ASCII name as text.
///
/// The callers keep only bytes that they have checked or written as ASCII themselves.
fn ascii(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).expect("names hold checked ASCII only")
}

/// Whether a character is a lower-case hexadecimal digit.
fn is_lower_hex_digit(character: u8) -> bool {
    character.is_ascii_digit() || matches!(character, b'a'..=b'f')
}

/// The digit value of a lower-case hexadecimal character.
fn lower_hex_digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        0..=b'/' | b':'..=b'`' | b'g'..=255 => None,
    }
}

/// The two lower-case hexadecimal characters of a byte.
fn lower_hex(byte: u8) -> [u8; 2] {
    let character = |digit: u8| if digit < 10 { b'0' + digit } else { b'a' + digit - 10 };
    [character(byte >> 4), character(byte & 0x0f)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_is_lower_case_only() {
        for byte in 0..=u8::MAX {
            let [high, low] = lower_hex(byte);
            assert!(is_lower_hex_digit(high) && is_lower_hex_digit(low));
            assert_eq!(lower_hex_digit(high), Some(byte >> 4));
            assert_eq!(lower_hex_digit(low), Some(byte & 0x0f));
        }
        for wrong in [b'A', b'F', b'g', b'/', b':', b'`', b' ', 0, 255] {
            assert_eq!(lower_hex_digit(wrong), None);
            assert!(!is_lower_hex_digit(wrong));
        }
    }
}
