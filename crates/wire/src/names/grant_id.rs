//! The ids of grants.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};

use super::{InvalidName, ascii, lower_hex, lower_hex_bytes};

/// The id of a grant, shown as 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GrantId([u8; 32]);

impl GrantId {
    /// The id made of these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> GrantId {
        GrantId(bytes)
    }

    /// The bytes that the id is made of.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn digits(&self) -> [[u8; 2]; 32] {
        self.0.map(lower_hex)
    }
}

impl FromStr for GrantId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<GrantId, InvalidName> {
        let invalid = InvalidName::expected("a grant id: 64 hexadecimal digits");
        lower_hex_bytes(text).map(GrantId).ok_or(invalid)
    }
}

impl fmt::Display for GrantId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(ascii(self.digits().as_flattened()))
    }
}

impl Serialize for GrantId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(ascii(self.digits().as_flattened()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grant_ids_are_64_digits() {
        let text = "00ff".repeat(16);
        let id: GrantId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        assert_eq!(GrantId::from_bytes(*id.as_bytes()), id);
        for wrong in [text.to_uppercase(), text.replacen('0', "", 1), format!("{text}0")] {
            assert!(wrong.parse::<GrantId>().is_err(), "{wrong}");
        }
    }
}
