//! The encryption context of a request.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt,
    ops::Deref,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Pairs of text that are bound to a ciphertext as additional authenticated data.
///
/// They are public by design (AWS writes them to CloudTrail). A key that comes twice is refused,
/// since its readers could disagree about which value counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EncryptionContext(BTreeMap<String, String>);

impl Deref for EncryptionContext {
    type Target = BTreeMap<String, String>;

    fn deref(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

impl From<BTreeMap<String, String>> for EncryptionContext {
    fn from(pairs: BTreeMap<String, String>) -> EncryptionContext {
        EncryptionContext(pairs)
    }
}

impl Serialize for EncryptionContext {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for EncryptionContext {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<EncryptionContext, D::Error> {
        deserializer.deserialize_map(ContextVisitor)
    }
}

struct ContextVisitor;

impl<'de> de::Visitor<'de> for ContextVisitor {
    type Value = EncryptionContext;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a map of strings")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<EncryptionContext, A::Error> {
        let mut pairs = BTreeMap::new();
        while let Some((key, value)) = map.next_entry()? {
            match pairs.entry(key) {
                Entry::Vacant(place) => place.insert(value),
                Entry::Occupied(_) => return Err(de::Error::custom("Duplicate key in map")),
            };
        }
        Ok(EncryptionContext(pairs))
    }
}
