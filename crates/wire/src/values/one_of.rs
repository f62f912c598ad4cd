//! A member that should be a value of an enumeration.

use std::{fmt, marker::PhantomData};

use serde::{Deserialize, Deserializer, de};

use crate::enums::WireEnum;

/// A value of the enumeration `E`, or the text that stood in its place.
///
/// AWS answers an unknown value with a ValidationException that lists the known ones, together with
/// all other violations of the request; so reading it must not fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneOf<E>(Value<E>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Value<E> {
    Known(E),
    Unknown(String),
}

impl<E: WireEnum> OneOf<E> {
    /// The value, unless it is an unknown text. After validation it is known.
    pub fn known(&self) -> Option<E> {
        match self.0 {
            Value::Known(value) => Some(value),
            Value::Unknown(_) => None,
        }
    }

    /// The text as it was given.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Value::Known(value) => value.as_str(),
            Value::Unknown(text) => text,
        }
    }
}

impl<E> From<E> for OneOf<E> {
    fn from(value: E) -> OneOf<E> {
        OneOf(Value::Known(value))
    }
}

impl<'de, E: WireEnum> Deserialize<'de> for OneOf<E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OneOf<E>, D::Error> {
        deserializer.deserialize_str(OneOfVisitor(PhantomData))
    }
}

struct OneOfVisitor<E>(PhantomData<E>);

impl<E: WireEnum> de::Visitor<'_> for OneOfVisitor<E> {
    type Value = OneOf<E>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_str<Error: de::Error>(self, text: &str) -> Result<OneOf<E>, Error> {
        Ok(OneOf(E::from_text(text).map_or_else(|| Value::Unknown(text.to_owned()), Value::Known)))
    }
}
