//! Reads requests out of forms.
//!
//! A form is flat; the dots in its names make a tree of it, as in `Tags.member.1.Key`. The members
//! are sorted by their paths, so that each place in the tree is a slice of them and no tree has to
//! be built. serde tells the reader which type it wants at a place.

use std::fmt;

use serde::{
    de::{
        self, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor,
        value::StrDeserializer,
    },
    forward_to_deserialize_any,
};

use super::QueryError;
use crate::limits::{FORM_DEPTH_MAX, FORM_LIST_INDEX_MAX};

/// The name under which AWS puts the items of every list.
const MEMBER: &str = "member";

/// A member of the form: the parts of its name, and its text.
pub(super) struct Row<'a> {
    path: Vec<&'a str>,
    text: &'a str,
}

impl<'a> Row<'a> {
    /// Splits a name at its dots.
    pub(super) fn new(name: &'a str, text: &'a str) -> Result<Row<'a>, QueryError> {
        let path: Vec<&str> = name.split('.').take(FORM_DEPTH_MAX + 1).collect();
        if path.len() > FORM_DEPTH_MAX { Err(QueryError::TooDeep) } else { Ok(Row { path, text }) }
    }

    pub(super) fn path(&self) -> &[&'a str] {
        &self.path
    }

    /// The part of the name at a depth; a name that ends above sorts before all that go on.
    fn part(&self, depth: usize) -> Option<&'a str> {
        self.path.get(depth).copied()
    }
}

/// A place in the tree: all members whose names agree in their first `depth` parts, in order.
#[derive(Clone, Copy)]
pub(super) struct Place<'f, 'a> {
    rows: &'f [Row<'a>],
    depth: usize,
}

impl<'f, 'a> Place<'f, 'a> {
    /// The whole form; its rows are sorted by their paths, which differ.
    pub(super) fn outermost(rows: &'f [Row<'a>]) -> Place<'f, 'a> {
        Place { rows, depth: 0 }
    }

    /// The text at this place, if its name ends here.
    fn leaf(self) -> Option<&'a str> {
        self.rows.first().filter(|row| row.path.len() == self.depth).map(|row| row.text)
    }

    /// The text at this place, where nothing else may be.
    fn text(self) -> Result<&'a str, QueryError> {
        match (self.leaf(), self.rows.len()) {
            (Some(text), 1) => Ok(text),
            (Some(_), _) => Err(QueryError::Ambiguous),
            (None, _) => Err(QueryError::NotText),
        }
    }

    /// What lies below this place, part by part. An empty text stands for nothing, as SDKs write an
    /// empty list.
    fn below(self) -> Result<Vec<(&'a str, Place<'f, 'a>)>, QueryError> {
        match (self.leaf(), self.rows.len()) {
            (Some(""), 1) => return Ok(Vec::new()),
            (Some(_), 1) => return Err(QueryError::NotStructure),
            (Some(_), _) => return Err(QueryError::Ambiguous),
            (None, _) => {}
        }
        let depth = self.depth;
        let parts = self.rows.chunk_by(|one, other| one.part(depth) == other.part(depth));
        let named = parts.filter_map(|rows| {
            let part = rows.first()?.part(depth)?;
            Some((part, Place { rows, depth: depth + 1 }))
        });
        Ok(named.collect())
    }

    /// The items of a list, by their numbers. Numbers may be left out, as AWS lets them.
    fn items(self) -> Result<Vec<Place<'f, 'a>>, QueryError> {
        let mut items = Vec::new();
        for (part, below) in self.below()? {
            if part != MEMBER {
                return Err(QueryError::NotList);
            }
            for (number, item) in below.below()? {
                items.push((list_index(number)?, item));
            }
        }
        items.sort_unstable_by_key(|(number, _)| *number);
        Ok(items.into_iter().map(|(_, item)| item).collect())
    }
}

/// The number of an item, in its only spelling: a second one would put two items in one place.
fn list_index(text: &str) -> Result<u32, QueryError> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    let number = text.parse().ok().filter(|number| is_plain && *number <= FORM_LIST_INDEX_MAX);
    number.ok_or(QueryError::NotList)
}

impl de::Error for QueryError {
    fn custom<T: fmt::Display>(_: T) -> QueryError {
        QueryError::NotRead
    }
}

/// Reads a number from its decimal digits.
macro_rules! read_numbers {
    ($($method:ident => $visit:ident),+ $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
            visitor.$visit(self.text()?.parse().map_err(|_| QueryError::NotInteger)?)
        }
    )+};
}

impl<'de> Deserializer<'de> for Place<'_, '_> {
    type Error = QueryError;

    read_numbers! {
        deserialize_i8 => visit_i8,
        deserialize_i16 => visit_i16,
        deserialize_i32 => visit_i32,
        deserialize_i64 => visit_i64,
        deserialize_u8 => visit_u8,
        deserialize_u16 => visit_u16,
        deserialize_u32 => visit_u32,
        deserialize_u64 => visit_u64,
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        match self.text()? {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => Err(QueryError::NotBoolean),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, QueryError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, QueryError> {
        visitor.visit_map(Members { rest: self.below()?.into_iter(), value: None })
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        visitor.visit_seq(Items(self.items()?.into_iter()))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        f32 f64 char str string bytes byte_buf unit unit_struct tuple tuple_struct map enum
        identifier
    }
}

/// The members of a structure, one after the other.
struct Members<'f, 'a> {
    rest: std::vec::IntoIter<(&'a str, Place<'f, 'a>)>,
    value: Option<Place<'f, 'a>>,
}

impl<'de> MapAccess<'de> for Members<'_, '_> {
    type Error = QueryError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, QueryError> {
        let Some((name, place)) = self.rest.next() else { return Ok(None) };
        self.value = Some(place);
        let name: StrDeserializer<'_, QueryError> = name.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, QueryError> {
        let place = self.value.take().ok_or(QueryError::NotRead)?;
        seed.deserialize(place)
    }
}

/// The items of a list, one after the other.
struct Items<'f, 'a>(std::vec::IntoIter<Place<'f, 'a>>);

impl<'de> SeqAccess<'de> for Items<'_, '_> {
    type Error = QueryError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, QueryError> {
        self.0.next().map(|item| seed.deserialize(item)).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}
