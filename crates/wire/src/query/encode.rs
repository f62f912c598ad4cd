//! Writes answers as XML.
//!
//! serde tells the writer what comes. A structure becomes an element for each of its members, a
//! list one `member` for each item, a map one `entry` with `key` and `value` for each pair. What is
//! absent leaves no trace.

use std::{borrow::Cow, fmt};

use quick_xml::{
    Writer,
    events::{BytesEnd, BytesStart, BytesText, Event},
};
use serde::{
    Serialize, Serializer,
    ser::{self, Impossible},
};

use crate::writer::SecretWriter;

/// What an answer cannot be made of: numbers with fractions, bytes, enumerations with members.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct EncodeError(String);

impl ser::Error for EncodeError {
    fn custom<T: fmt::Display>(message: T) -> EncodeError {
        EncodeError(message.to_string())
    }
}

fn never<T>(what: &str) -> Result<T, EncodeError> {
    Err(EncodeError(format!("{what} has no form in the Query protocol")))
}

/// The document while it is written.
pub(super) struct Document(Writer<SecretWriter>);

impl Document {
    /// Writes a whole document: `content` inside an outermost element with its namespace.
    pub(super) fn write(
        name: &str,
        namespace: &str,
        content: impl FnOnce(&mut Document) -> Result<(), EncodeError>,
    ) -> Result<Vec<u8>, EncodeError> {
        let mut document = Document(Writer::new(SecretWriter::new()));
        document
            .event(Event::Start(BytesStart::new(name).with_attributes([("xmlns", namespace)])))?;
        content(&mut document)?;
        document.end(name)?;
        Ok(document.0.into_inner().into_bytes())
    }

    /// Writes a value as an element with that name, or nothing where there is no value.
    pub(super) fn element<T: Serialize + ?Sized>(
        &mut self,
        name: &str,
        value: &T,
    ) -> Result<(), EncodeError> {
        value.serialize(Element { name, document: self })
    }

    fn event(&mut self, event: Event<'_>) -> Result<(), EncodeError> {
        self.0.write_event(event).map_err(ser::Error::custom)
    }

    fn start(&mut self, name: &str) -> Result<(), EncodeError> {
        self.event(Event::Start(BytesStart::new(name)))
    }

    fn end(&mut self, name: &str) -> Result<(), EncodeError> {
        self.event(Event::End(BytesEnd::new(name)))
    }

    fn text(&mut self, name: &str, text: &str) -> Result<(), EncodeError> {
        self.start(name)?;
        self.event(Event::Text(BytesText::from_escaped(escaped(text))))?;
        self.end(name)
    }
}

/// Escapes a text, without a copy of one that needs no escapes, as secrets do not.
///
/// A carriage return is written as a reference, since readers make a line feed of a plain one (XML
/// 1.0, section 2.11). Characters that XML 1.0 (section 2.2) cannot express, even escaped, are
/// replaced.
fn escaped(text: &str) -> Cow<'_, str> {
    let expressible = |c: char| match c {
        '\t' | '\n' => true,
        other => other >= ' ' && !matches!(other, '\u{fffe}' | '\u{ffff}'),
    };
    let escaped = quick_xml::escape::escape(text);
    if escaped.chars().all(expressible) {
        return escaped;
    }
    let mut whole = String::with_capacity(escaped.len());
    for character in escaped.chars() {
        match character {
            '\r' => whole.push_str("&#13;"),
            other if expressible(other) => whole.push(other),
            _ => whole.push(char::REPLACEMENT_CHARACTER),
        }
    }
    Cow::Owned(whole)
}

/// Writes one value as an element.
struct Element<'a> {
    name: &'a str,
    document: &'a mut Document,
}

/// Writes the members of a structure, the items of a list or the pairs of a map, and then the end
/// of the element around them.
struct Content<'a> {
    name: &'a str,
    document: &'a mut Document,
}

impl<'a> Element<'a> {
    fn open(self) -> Result<Content<'a>, EncodeError> {
        let Element { name, document } = self;
        document.start(name)?;
        Ok(Content { name, document })
    }
}

impl Content<'_> {
    fn close(self) -> Result<(), EncodeError> {
        self.document.end(self.name)
    }
}

/// Writes each kind of number by its decimal digits.
macro_rules! written_as_shown {
    ($($method:ident: $number:ty),+ $(,)?) => {$(
        fn $method(self, number: $number) -> Result<(), EncodeError> {
            self.serialize_str(&number.to_string())
        }
    )+};
}

impl<'a> Serializer for Element<'a> {
    type Ok = ();
    type Error = EncodeError;
    type SerializeSeq = Content<'a>;
    type SerializeTuple = Impossible<(), EncodeError>;
    type SerializeTupleStruct = Impossible<(), EncodeError>;
    type SerializeTupleVariant = Impossible<(), EncodeError>;
    type SerializeMap = Content<'a>;
    type SerializeStruct = Content<'a>;
    type SerializeStructVariant = Impossible<(), EncodeError>;

    /// An answer goes to its caller only, so secrets show themselves; see [`SecretText`](crate::values::SecretText).
    fn is_human_readable(&self) -> bool {
        false
    }

    written_as_shown! {
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_char: char,
    }

    fn serialize_str(self, text: &str) -> Result<(), EncodeError> {
        self.document.text(self.name, text)
    }

    fn serialize_none(self) -> Result<(), EncodeError> {
        Ok(())
    }

    fn serialize_unit(self) -> Result<(), EncodeError> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), EncodeError> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Content<'a>, EncodeError> {
        self.open()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Content<'a>, EncodeError> {
        self.open()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Content<'a>, EncodeError> {
        self.open()
    }

    fn serialize_f32(self, _: f32) -> Result<(), EncodeError> {
        never("a fraction")
    }

    fn serialize_f64(self, _: f64) -> Result<(), EncodeError> {
        never("a fraction")
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), EncodeError> {
        never("a string of bytes")
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), EncodeError> {
        never("a unit structure")
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
    ) -> Result<(), EncodeError> {
        never("a variant")
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), EncodeError> {
        never("a variant")
    }

    fn serialize_tuple(self, _: usize) -> Result<Impossible<(), EncodeError>, EncodeError> {
        never("a tuple")
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), EncodeError>, EncodeError> {
        never("a tuple")
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), EncodeError>, EncodeError> {
        never("a variant")
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), EncodeError>, EncodeError> {
        never("a variant")
    }
}

impl ser::SerializeStruct for Content<'_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        self.document.element(name, value)
    }

    fn end(self) -> Result<(), EncodeError> {
        self.close()
    }
}

impl ser::SerializeSeq for Content<'_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), EncodeError> {
        self.document.element("member", item)
    }

    fn end(self) -> Result<(), EncodeError> {
        self.close()
    }
}

impl ser::SerializeMap for Content<'_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), EncodeError> {
        self.document.start("entry")?;
        self.document.element("key", key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.document.element("value", value)?;
        self.document.end("entry")
    }

    fn end(self) -> Result<(), EncodeError> {
        self.close()
    }
}
