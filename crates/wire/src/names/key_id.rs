//! Key ids and the ids of key material.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};

use super::{
    InvalidName, ascii, is_lower_hex_digit, lower_hex, lower_hex_bytes, lower_hex_digit,
    show_as_str,
};

const MULTI_REGION_PREFIX: [u8; 4] = *b"mrk-";
/// Where the dashes of a UUID stand.
const UUID_DASHES: [usize; 4] = [8, 13, 18, 23];

/// A key id: a UUID in lower case, or `mrk-` and 32 lower-case hexadecimal digits for a
/// multi-Region key.
///
/// Upper case is refused: AWS never shows it, and a key must not have two spellings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; 36]);

impl KeyId {
    /// The id of a single-Region key. The caller sets the version and variant bits of the UUID.
    pub fn from_uuid_bytes(bytes: [u8; 16]) -> KeyId {
        let mut text = [b'-'; 36];
        let places = (0..36).filter(|place| !UUID_DASHES.contains(place));
        for (place, digit) in places.zip(bytes.into_iter().flat_map(lower_hex)) {
            if let Some(character) = text.get_mut(place) {
                *character = digit;
            }
        }
        KeyId(text)
    }

    /// The id of a multi-Region key.
    pub fn multi_region_from_bytes(bytes: [u8; 16]) -> KeyId {
        let mut text = [0; 36];
        let characters =
            MULTI_REGION_PREFIX.into_iter().chain(bytes.into_iter().flat_map(lower_hex));
        for (character, written) in text.iter_mut().zip(characters) {
            *character = written;
        }
        KeyId(text)
    }

    /// The id as it is shown.
    pub fn as_str(&self) -> &str {
        ascii(&self.0)
    }

    /// Whether it is the id of a multi-Region key.
    pub fn is_multi_region(&self) -> bool {
        self.0.starts_with(&MULTI_REGION_PREFIX)
    }

    /// The sixteen bytes that the id is made of, for either kind of key.
    pub fn uuid_bytes(&self) -> [u8; 16] {
        let digits = self.0.strip_prefix(&MULTI_REGION_PREFIX).unwrap_or(&self.0);
        let mut bytes = [0; 16];
        let values = digits.iter().filter_map(|character| lower_hex_digit(*character));
        for (place, value) in values.enumerate() {
            if let Some(byte) = bytes.get_mut(place / 2) {
                *byte = (*byte << 4) | value;
            }
        }
        bytes
    }
}

impl FromStr for KeyId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<KeyId, InvalidName> {
        let invalid = InvalidName::expected("a key id: a UUID or mrk- and 32 hexadecimal digits");
        let bytes = <[u8; 36]>::try_from(text.as_bytes()).map_err(|_| invalid)?;
        // No dash is a digit, so 32 digits and the dashes leave no place for anything else.
        let digit_count = |text: &[u8]| text.iter().filter(|b| is_lower_hex_digit(**b)).count();
        let well_formed = match bytes.strip_prefix(&MULTI_REGION_PREFIX) {
            Some(rest) => digit_count(rest) == 32,
            None => {
                let is_dash = |place: &usize| bytes.get(*place) == Some(&b'-');
                UUID_DASHES.iter().all(is_dash) && digit_count(&bytes) == 32
            }
        };
        if well_formed { Ok(KeyId(bytes)) } else { Err(invalid) }
    }
}

/// The id of one version of a key's material, shown as 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyMaterialId([u8; 32]);

impl KeyMaterialId {
    /// The id made of these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> KeyMaterialId {
        KeyMaterialId(bytes)
    }

    /// The bytes that the id is made of.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn digits(&self) -> [[u8; 2]; 32] {
        self.0.map(lower_hex)
    }
}

impl FromStr for KeyMaterialId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<KeyMaterialId, InvalidName> {
        let invalid = InvalidName::expected("a key material id: 64 hexadecimal digits");
        lower_hex_bytes(text).map(KeyMaterialId).ok_or(invalid)
    }
}

impl fmt::Display for KeyMaterialId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(ascii(self.digits().as_flattened()))
    }
}

impl Serialize for KeyMaterialId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(ascii(self.digits().as_flattened()))
    }
}

show_as_str!(KeyId);

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "0987dcba-09fe-87dc-65ba-ab0987654321";
    const MULTI_REGION: &str = "mrk-0987dcba09fe87dc65baab0987654321";

    #[test]
    fn both_kinds_of_key_ids_are_made_of_the_same_bytes() {
        let single: KeyId = UUID.parse().unwrap();
        let multi: KeyId = MULTI_REGION.parse().unwrap();
        assert_eq!(single.uuid_bytes(), multi.uuid_bytes());
        assert_eq!(KeyId::from_uuid_bytes(single.uuid_bytes()), single);
        assert_eq!(KeyId::multi_region_from_bytes(multi.uuid_bytes()), multi);
        assert!(multi.is_multi_region() && !single.is_multi_region());
    }

    #[test]
    fn other_spellings_are_refused() {
        for wrong in [
            "",
            "0987DCBA-09fe-87dc-65ba-ab0987654321",
            "0987dcba09fe87dc65baab0987654321",
            "0987dcba-09fe-87dc-65baa-b0987654321",
            "0987dcba-09fe-87dc-65ba-ab098765432g",
            "{0987dcba-09fe-87dc-65ba-ab0987654321}",
            "MRK-0987dcba09fe87dc65baab0987654321",
            "mrk-0987DCBA09fe87dc65baab0987654321",
            "mrk-0987dcba-09fe-87dc-65baab0987654",
        ] {
            assert!(wrong.parse::<KeyId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn key_material_ids_are_64_digits() {
        let text = "00ff".repeat(16);
        let id: KeyMaterialId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        assert_eq!(id.as_bytes()[..4], [0, 255, 0, 255]);
        assert!(text.to_uppercase().parse::<KeyMaterialId>().is_err());
        assert!(text.replacen('0', "", 1).parse::<KeyMaterialId>().is_err());
    }
}
