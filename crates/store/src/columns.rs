//! The way of values into columns and back: one writer and one reader, both in the table's order.

use std::str::FromStr;

use jiff::Timestamp;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Params, Row};

use crate::error::{Result, StoreError};
use crate::schema::SealedTable;

/// The values of a row, in the order of the table's columns.
#[derive(Default)]
pub(crate) struct Values(Vec<Value>);

impl Values {
    pub(crate) fn new() -> Values {
        Values::default()
    }

    pub(crate) fn text(mut self, text: &str) -> Values {
        self.0.push(Value::Text(text.to_owned()));
        self
    }

    pub(crate) fn optional_text(mut self, text: Option<&str>) -> Values {
        self.0.push(text.map_or(Value::Null, |text| Value::Text(text.to_owned())));
        self
    }

    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Values {
        self.0.push(Value::Blob(bytes.to_vec()));
        self
    }

    pub(crate) fn optional_bytes(mut self, bytes: Option<&[u8]>) -> Values {
        self.0.push(bytes.map_or(Value::Null, |bytes| Value::Blob(bytes.to_vec())));
        self
    }

    pub(crate) fn small(mut self, number: u32) -> Values {
        self.0.push(Value::from(number));
        self
    }

    pub(crate) fn optional_small(mut self, number: Option<u32>) -> Values {
        self.0.push(number.map_or(Value::Null, Value::from));
        self
    }

    pub(crate) fn flag(mut self, flag: bool) -> Values {
        self.0.push(Value::from(flag));
        self
    }

    pub(crate) fn number(mut self, number: u64) -> Result<Values> {
        self.0.push(Value::Integer(integer(number)?));
        Ok(self)
    }

    pub(crate) fn instant(mut self, instant: Timestamp) -> Result<Values> {
        self.0.push(Value::Integer(nanos(instant)?));
        Ok(self)
    }

    pub(crate) fn optional_instant(mut self, instant: Option<Timestamp>) -> Result<Values> {
        self.0.push(instant.map(nanos).transpose()?.map_or(Value::Null, Value::Integer));
        Ok(self)
    }

    pub(crate) fn finish(self) -> Vec<Value> {
        self.0
    }
}

/// A number as SQLite keeps it.
pub(crate) fn integer(number: u64) -> Result<i64> {
    i64::try_from(number).map_err(|_| StoreError::OutOfRange { what: "a number" })
}

/// An instant as it is kept: nanoseconds of the Unix epoch, which reach from 1677 to 2262.
pub(crate) fn nanos(instant: Timestamp) -> Result<i64> {
    i64::try_from(instant.as_nanosecond())
        .map_err(|_| StoreError::OutOfRange { what: "an instant" })
}

/// What a `SELECT count(*)` counts.
pub(crate) fn count(connection: &Connection, sql: &str, key: impl Params) -> Result<u64> {
    let count: i64 = connection.prepare_cached(sql)?.query_row(key, |row| row.get(0))?;
    u64::try_from(count).map_err(|_| StoreError::OutOfRange { what: "a count" })
}

/// Reads the columns of a row whose seal was checked, left to right.
pub(crate) struct Columns<'r> {
    table: &'static str,
    row: &'r Row<'r>,
    next: usize,
}

impl<'r> Columns<'r> {
    pub(crate) fn new(table: &'static SealedTable, row: &'r Row<'r>) -> Columns<'r> {
        Columns::of_unsealed(table.name, row)
    }

    pub(crate) fn of_unsealed(table: &'static str, row: &'r Row<'r>) -> Columns<'r> {
        Columns { table, row, next: 0 }
    }

    /// Passes over columns that the caller knows already.
    pub(crate) fn skip(&mut self, columns: usize) {
        self.next += columns;
    }

    pub(crate) fn text(&mut self) -> Result<String> {
        self.read(|value| value.as_str().ok().map(str::to_owned))
    }

    pub(crate) fn optional_text(&mut self) -> Result<Option<String>> {
        self.read(|value| Some(value.as_str_or_null().ok()?.map(str::to_owned)))
    }

    pub(crate) fn parse<T: FromStr>(&mut self) -> Result<T> {
        self.read(|value| value.as_str().ok()?.parse().ok())
    }

    pub(crate) fn optional_parse<T: FromStr>(&mut self) -> Result<Option<T>> {
        self.read(|value| match value.as_str_or_null().ok()? {
            Some(text) => text.parse().ok().map(Some),
            None => Some(None),
        })
    }

    /// Reads a text of parts with a separator between each two; none if it is empty.
    pub(crate) fn parse_list<T: FromStr>(&mut self, separator: &str) -> Result<Vec<T>> {
        self.read(|value| match value.as_str().ok()? {
            "" => Some(Vec::new()),
            text => text.split(separator).map(|part| part.parse().ok()).collect(),
        })
    }

    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>> {
        self.read(|value| value.as_blob().ok().map(<[u8]>::to_vec))
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.read(|value| value.as_blob().ok()?.try_into().ok())
    }

    pub(crate) fn optional_array<const N: usize>(&mut self) -> Result<Option<[u8; N]>> {
        self.read(|value| match value.as_blob_or_null().ok()? {
            Some(bytes) => bytes.try_into().ok().map(Some),
            None => Some(None),
        })
    }

    pub(crate) fn number<T: TryFrom<i64>>(&mut self) -> Result<T> {
        self.read(|value| T::try_from(value.as_i64().ok()?).ok())
    }

    pub(crate) fn optional_number<T: TryFrom<i64>>(&mut self) -> Result<Option<T>> {
        self.read(|value| match value.as_i64_or_null().ok()? {
            Some(number) => T::try_from(number).ok().map(Some),
            None => Some(None),
        })
    }

    pub(crate) fn flag(&mut self) -> Result<bool> {
        self.read(|value| match value.as_i64().ok()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        })
    }

    pub(crate) fn instant(&mut self) -> Result<Timestamp> {
        self.read(|value| instant(value.as_i64().ok()?))
    }

    pub(crate) fn optional_instant(&mut self) -> Result<Option<Timestamp>> {
        self.read(|value| match value.as_i64_or_null().ok()? {
            Some(nanos) => instant(nanos).map(Some),
            None => Some(None),
        })
    }

    fn read<T>(&mut self, decode: impl FnOnce(ValueRef<'r>) -> Option<T>) -> Result<T> {
        let column = self.next;
        self.next += 1;
        let value = self.row.get_ref(column)?;
        decode(value).ok_or(StoreError::Undecodable { table: self.table, column })
    }
}

fn instant(nanos: i64) -> Option<Timestamp> {
    Timestamp::from_nanosecond(i128::from(nanos)).ok()
}
