//! The checking layer over serde_json's reader.
//!
//! serde tells a reader which type it wants next. This layer asks serde_json for whatever comes,
//! compares the two, and refuses a mismatch in the words of AWS's own framework. The words are those
//! that others recorded from services that share the framework (Athena, Kinesis, SES); KMS itself is
//! still to be compared. Some of these services take a fraction for an integer or a text for a
//! boolean; this layer refuses both, as one body must have one meaning.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::skip::Skip;
use crate::limits::JSON_DEPTH_MAX;

/// What the shape wants at a place, by AWS's name of the type.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Anything,
    Boolean,
    Integer,
    String,
    Blob,
    List,
    Map,
    Structure,
}

impl Wanted {
    /// AWS's words for a value of the wrong type inside the request.
    fn refuse<E: Error>(self, found: &str) -> E {
        let wanted = match self {
            Wanted::List => return E::custom("Expected list or null"),
            Wanted::Map => return E::custom("Expected map or null"),
            Wanted::Structure => return E::custom("Expected null"),
            // AWS's own article, for strings only.
            Wanted::Boolean if found == "STRING_VALUE" => "an Boolean",
            Wanted::Boolean => "a Boolean",
            Wanted::Integer => "an Integer",
            Wanted::Blob => "a Blob",
            Wanted::String | Wanted::Anything => "a String",
        };
        E::custom(format_args!("{found} can not be converted to {wanted}"))
    }
}

/// Refuses where AWS sends no text.
pub(super) fn refuse_silently<E: Error>() -> E {
    E::custom("")
}

/// A reader that checks what it reads. `depth` counts the lists and objects around it.
pub(super) struct Checked<D> {
    inner: D,
    depth: u8,
}

impl<D> Checked<D> {
    pub(super) fn outermost(inner: D) -> Checked<D> {
        Checked { inner, depth: 0 }
    }
}

/// Forwards each method to `read`, stating what is wanted.
macro_rules! wanting {
    ($($method:ident => $wanted:ident),+ $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.read(Wanted::$wanted, visitor)
        }
    )+};
}

impl<'de, D: Deserializer<'de>> Checked<D> {
    fn read<V: Visitor<'de>>(self, wanted: Wanted, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_any(Compare { wanted, visitor, depth: self.depth })
    }
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Checked<D> {
    type Error = D::Error;

    wanting! {
        deserialize_any => Anything,
        deserialize_bool => Boolean,
        deserialize_i8 => Integer,
        deserialize_i16 => Integer,
        deserialize_i32 => Integer,
        deserialize_i64 => Integer,
        deserialize_u8 => Integer,
        deserialize_u16 => Integer,
        deserialize_u32 => Integer,
        deserialize_u64 => Integer,
        deserialize_f32 => Anything,
        deserialize_f64 => Anything,
        deserialize_char => String,
        deserialize_str => String,
        deserialize_string => String,
        deserialize_bytes => Blob,
        deserialize_byte_buf => Blob,
        deserialize_unit => Anything,
        deserialize_seq => List,
        deserialize_map => Map,
        deserialize_identifier => String,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_option(Optional { visitor, depth: self.depth })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.read(Wanted::Structure, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.read(Wanted::Structure, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.read(Wanted::List, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.read(Wanted::List, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.read(Wanted::String, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        Skip::inside(self.depth).deserialize(self.inner)?;
        visitor.visit_unit()
    }
}

/// Wraps the value of an optional member, and lets null be absence.
struct Optional<V> {
    visitor: V,
    depth: u8,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Optional<V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(formatter)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(Checked { inner, depth: self.depth })
    }
}

/// Compares what was found with what is wanted.
struct Compare<V> {
    wanted: Wanted,
    visitor: V,
    depth: u8,
}

impl<V> Compare<V> {
    fn is_wanted(&self, one_of: &[Wanted]) -> bool {
        self.wanted == Wanted::Anything || one_of.contains(&self.wanted)
    }

    /// AWS's refusal of a value that is neither list nor object nor null.
    fn refuse<E: Error>(&self, found: &str) -> E {
        let is_whole_body = self.depth == 0;
        if is_whole_body { refuse_silently() } else { self.wanted.refuse(found) }
    }

    /// The depth inside the list or object that was found.
    fn deeper<E: Error>(&self) -> Result<u8, E> {
        if self.depth < JSON_DEPTH_MAX { Ok(self.depth + 1) } else { Err(refuse_silently()) }
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Compare<V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(formatter)
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        Err(refuse_silently())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<V::Value, E> {
        if self.is_wanted(&[Wanted::Boolean]) {
            self.visitor.visit_bool(value)
        } else {
            Err(self.refuse(if value { "TRUE_VALUE" } else { "FALSE_VALUE" }))
        }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<V::Value, E> {
        if self.is_wanted(&[Wanted::Integer]) {
            self.visitor.visit_i64(value)
        } else {
            Err(self.refuse("NUMBER_VALUE"))
        }
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<V::Value, E> {
        // A number too large for any integer of the model stays too large; it never wraps.
        self.visit_i64(i64::try_from(value).unwrap_or(i64::MAX))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<V::Value, E> {
        if self.wanted == Wanted::Anything {
            return self.visitor.visit_f64(value);
        }
        match whole_number(value) {
            Some(number) if self.wanted == Wanted::Integer => self.visitor.visit_i64(number),
            Some(_) | None => Err(self.refuse("NUMBER_VALUE")),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<V::Value, E> {
        if self.is_wanted(&[Wanted::String, Wanted::Blob]) {
            self.visitor.visit_str(text)
        } else {
            Err(self.refuse("STRING_VALUE"))
        }
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<V::Value, E> {
        self.visit_str(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        if self.is_wanted(&[Wanted::List]) {
            let depth = self.deeper()?;
            self.visitor.visit_seq(Checked { inner, depth })
        } else {
            Err(A::Error::custom("Start of list found where not expected"))
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        if self.is_wanted(&[Wanted::Map, Wanted::Structure]) {
            let depth = self.deeper()?;
            self.visitor.visit_map(Checked { inner, depth })
        } else {
            Err(A::Error::custom("Start of structure or map found where not expected."))
        }
    }
}

/// A number written with a fraction or an exponent, if it is whole. Saturates.
fn whole_number(value: f64) -> Option<i64> {
    if value.fract() != 0.0 {
        return None;
    }
    let saturated = if value < 0.0 { i64::MIN } else { i64::MAX };
    Some(format!("{value:.0}").parse().unwrap_or(saturated))
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Checked<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.inner.next_element_seed(Seed { seed, depth: self.depth })
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Checked<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        // Keys are strings by JSON's grammar.
        self.inner.next_key_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.inner.next_value_seed(Seed { seed, depth: self.depth })
    }
}

struct Seed<S> {
    seed: S,
    depth: u8,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Seed<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        self.seed.deserialize(Checked { inner, depth: self.depth })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_saturate_and_fractions_are_none() {
        assert_eq!(whole_number(1e3), Some(1000));
        assert_eq!(whole_number(-0.0), Some(0));
        assert_eq!(whole_number(-5.0), Some(-5));
        assert_eq!(whole_number(1e300), Some(i64::MAX));
        assert_eq!(whole_number(-1e300), Some(i64::MIN));
        assert_eq!(whole_number(1.5), None);
        assert_eq!(whole_number(1e-300), None);
    }
}
