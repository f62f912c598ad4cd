//! The JSON of a policy, read strictly: before elements mean anything, each is there once.
//!
//! A policy of which one reader takes the first `Effect` and another the last is an attack, not an
//! accident. So a member written twice, a member nobody asked for, a null and an empty list are
//! refused, at any depth.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::error::DocumentError;

/// A JSON value other than null.
pub(crate) enum Json {
    /// A text.
    Text(String),
    /// A number or a boolean, as text.
    Scalar(String),
    /// A list of at least one value.
    List(Vec<Json>),
    /// An object.
    Object(Object),
}

/// A JSON object; its members are taken out by those who know them.
pub(crate) struct Object(BTreeMap<String, Json>);

/// The refusal of a text whose elements are not those of a policy.
pub(crate) fn syntax_error(cause: impl Into<Box<str>>) -> DocumentError {
    DocumentError::Syntax { cause: cause.into() }
}

impl Object {
    /// Reads a whole text, which must be one object.
    pub(crate) fn parse(text: &str) -> Result<Object, DocumentError> {
        let json: Json =
            serde_json::from_str(text).map_err(|error| syntax_error(error.to_string()))?;
        json.object("the document")
    }

    /// Takes a member out.
    pub(crate) fn take(&mut self, name: &str) -> Option<Json> {
        self.0.remove(name)
    }

    /// Takes a text out.
    pub(crate) fn take_text(&mut self, name: &str) -> Result<Option<String>, DocumentError> {
        self.take(name).map(|json| json.text(name)).transpose()
    }

    /// Takes a text or a list of texts out.
    pub(crate) fn take_texts(&mut self, name: &str) -> Result<Option<Vec<String>>, DocumentError> {
        self.take(name).map(|json| json.texts(name)).transpose()
    }

    /// Refuses members that nobody has taken out.
    pub(crate) fn finish(self) -> Result<(), DocumentError> {
        match self.0.into_keys().next() {
            Some(name) => Err(syntax_error(format!("unknown element {name}"))),
            None => Ok(()),
        }
    }

    /// The members, for objects whose names are free.
    pub(crate) fn into_members(self) -> impl Iterator<Item = (String, Json)> {
        self.0.into_iter()
    }
}

impl Json {
    /// The object that `name` must be.
    pub(crate) fn object(self, name: &str) -> Result<Object, DocumentError> {
        match self {
            Json::Object(object) => Ok(object),
            Json::Text(_) | Json::Scalar(_) | Json::List(_) => {
                Err(syntax_error(format!("{name} must be an object")))
            }
        }
    }

    /// The objects that `name` must be: one, or a list of them.
    pub(crate) fn objects(self, name: &str) -> Result<Vec<Object>, DocumentError> {
        self.one_or_many().into_iter().map(|json| json.object(name)).collect()
    }

    /// The texts that `name` must be: one, or a list of them.
    pub(crate) fn texts(self, name: &str) -> Result<Vec<String>, DocumentError> {
        self.one_or_many().into_iter().map(|json| json.text(name)).collect()
    }

    /// The texts, numbers and booleans that `name` must be: one, or a list of them.
    pub(crate) fn scalars(self, name: &str) -> Result<Vec<String>, DocumentError> {
        self.one_or_many().into_iter().map(|json| json.scalar(name)).collect()
    }

    fn one_or_many(self) -> Vec<Json> {
        match self {
            Json::List(many) => many,
            one @ (Json::Text(_) | Json::Scalar(_) | Json::Object(_)) => vec![one],
        }
    }

    fn text(self, name: &str) -> Result<String, DocumentError> {
        match self {
            Json::Text(text) => Ok(text),
            Json::Scalar(_) | Json::List(_) | Json::Object(_) => {
                Err(syntax_error(format!("{name} must be a text")))
            }
        }
    }

    fn scalar(self, name: &str) -> Result<String, DocumentError> {
        match self {
            Json::Text(text) | Json::Scalar(text) => Ok(text),
            Json::List(_) | Json::Object(_) => {
                Err(syntax_error(format!("{name} must be a text, number or boolean")))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text, number, boolean, list or object")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_string()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Scalar(value.to_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        if values.is_empty() { Err(A::Error::custom("empty list")) } else { Ok(Json::List(values)) }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Json, A::Error> {
        let mut members = BTreeMap::new();
        while let Some(name) = object.next_key::<String>()? {
            if members.contains_key(&name) {
                return Err(A::Error::custom(format!("element {name} is written twice")));
            }
            members.insert(name, object.next_value()?);
        }
        Ok(Json::Object(Object(members)))
    }
}
