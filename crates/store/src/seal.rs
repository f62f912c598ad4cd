//! Seals and manifests: the proof that rows are as this deployment left them.
//!
//! ```text
//! row seal  = HMAC-SHA-256(K, label, "row",      table, column 1, ..., column n)
//! manifest  = HMAC-SHA-256(K, label, "manifest", table, root's identity and seal,
//!                          for each child table: name, (identity, seal) of each row in order;
//!                          without the tables that came later than the root's and are empty)
//! ```
//!
//! Every field is length-prefixed and carries its type, so that no byte can slide into a neighbour.
//! The key belongs to one deployment, which binds the deployment's id. The identity and the
//! sequence are columns like any other. A row seal refuses an edited row, a swapped one and a copy
//! under another identity; the manifest refuses a missing, an added and an older row.
//!
//! What neither can see is a whole aggregate replaced by an older whole of itself, or removed
//! whole: that is for the [digest](crate::set_digest) of all aggregates in the head. What this
//! crate cannot see at all is the whole database replaced by an older one: only the
//! [`position`](crate::Store::position) kept in a second place can tell.

use crypto::seal::{SEAL_BYTES, SealKeys};
use rusqlite::Row;
use rusqlite::types::{Value, ValueRef};

use crate::error::{Result, StoreError};
use crate::schema::SealedTable;

/// A MAC and the version of the key that made it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seal {
    pub(crate) version: u32,
    pub(crate) tag: [u8; SEAL_BYTES],
}

impl Seal {
    /// The seal of a row from the values of its sealed columns, in the table's order.
    pub(crate) fn of_row(keys: &SealKeys, table: &SealedTable, values: &[Value]) -> Seal {
        let mut encoded = Vec::with_capacity(ROW_BYTES_USUAL);
        for value in values {
            encode(&mut encoded, ValueRef::from(value));
        }
        let newest = keys.newest();
        Seal { version: newest.version(), tag: newest.tag(&row_parts(table, &encoded)) }
    }

    /// Checks the seal of a row that a SELECT of the sealed columns, `seal_version` and `seal`
    /// brought.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`] if the row is not as it was sealed.
    pub(crate) fn check_row(keys: &SealKeys, table: &SealedTable, row: &Row<'_>) -> Result<Seal> {
        let mut encoded = Vec::with_capacity(ROW_BYTES_USUAL);
        for column in 0..table.sealed_columns {
            encode(&mut encoded, row.get_ref(column)?);
        }
        let seal = Seal::read(row, table.sealed_columns);
        seal.filter(|seal| keys.check(seal.version, &row_parts(table, &encoded), &seal.tag))
            .ok_or_else(|| refuse(table, row, "the row does not fit its seal"))
    }

    /// Reads the two columns of a seal; none if they do not have the form of one.
    fn read(row: &Row<'_>, first_column: usize) -> Option<Seal> {
        let version = row.get_ref(first_column).ok()?.as_i64().ok()?;
        let tag = row.get_ref(first_column + 1).ok()?.as_blob().ok()?;
        Some(Seal { version: u32::try_from(version).ok()?, tag: tag.try_into().ok()? })
    }

    /// The two columns of a seal, to be appended to the sealed ones.
    pub(crate) fn values(&self) -> [Value; 2] {
        [Value::from(self.version), Value::from(self.tag.to_vec())]
    }
}

/// Room for a row without a long policy.
const ROW_BYTES_USUAL: usize = 512;

fn row_parts<'a>(table: &SealedTable, encoded: &'a [u8]) -> [&'a [u8]; 3] {
    [b"row", table.name.as_bytes(), encoded]
}

/// What an aggregate is made of, gathered to be sealed as one.
pub(crate) struct Manifest {
    root: &'static SealedTable,
    encoded: Vec<u8>,
}

impl Manifest {
    /// Begins the manifest of the aggregate whose root row has this identity and seal.
    pub(crate) fn new(root: &'static SealedTable, identity: &[&str], seal: &Seal) -> Manifest {
        let mut encoded = Vec::with_capacity(ROW_BYTES_USUAL);
        for part in identity {
            encode(&mut encoded, ValueRef::from(*part));
        }
        encode(&mut encoded, ValueRef::Blob(&seal.tag));
        Manifest { root, encoded }
    }

    /// Adds a child table with its rows in the order of their identities.
    ///
    /// A table that is younger than the root's is listed only when it has rows. So the manifest of
    /// an aggregate without such rows is, byte for byte, the one from before there was the table,
    /// and those that an older version sealed stay valid without a key to seal them anew at the
    /// migration. Nothing is lost: a table is listed under its name, so that no rows of one read as
    /// those of another; a row that comes to an unlisted table, and the last one that goes from a
    /// listed table, changes the manifest like any other.
    pub(crate) fn list<'a>(
        &mut self,
        table: &SealedTable,
        rows: impl Iterator<Item = (ValueRef<'a>, &'a Seal)>,
    ) {
        let mut list = Vec::new();
        for (identity, seal) in rows {
            encode(&mut list, identity);
            encode(&mut list, ValueRef::Blob(&seal.tag));
        }
        if list.is_empty() && table.schema_version > self.root.schema_version {
            return;
        }
        encode(&mut self.encoded, ValueRef::from(table.name));
        encode(&mut self.encoded, ValueRef::Blob(&list));
    }

    /// The manifest's MAC under the newest key.
    pub(crate) fn tag(&self, keys: &SealKeys) -> [u8; SEAL_BYTES] {
        keys.newest().tag(&self.parts())
    }

    /// True if `tag` is the MAC of this manifest under the key of that version.
    pub(crate) fn check(&self, keys: &SealKeys, version: u32, tag: &[u8]) -> bool {
        keys.check(version, &self.parts(), tag)
    }

    fn parts(&self) -> [&[u8]; 3] {
        [b"manifest", self.root.name.as_bytes(), &self.encoded]
    }
}

/// Appends a field: its type, its length in bytes and its bytes.
fn encode(encoded: &mut Vec<u8>, value: ValueRef<'_>) {
    let number;
    let (kind, bytes): (u8, &[u8]) = match value {
        ValueRef::Null => (0, &[]),
        ValueRef::Integer(integer) => {
            number = integer.to_be_bytes();
            (1, &number)
        }
        ValueRef::Real(real) => {
            number = real.to_bits().to_be_bytes();
            (2, &number)
        }
        ValueRef::Text(text) => (3, text),
        ValueRef::Blob(blob) => (4, blob),
    };
    // Eight bytes hold every length that a machine of 64 bits can have; a longer one cannot exist.
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    encoded.push(kind);
    encoded.extend_from_slice(&length.to_be_bytes());
    encoded.extend_from_slice(bytes);
}

/// The refusal of a row, named by its first columns.
pub(crate) fn refuse(table: &SealedTable, row: &Row<'_>, why: &'static str) -> StoreError {
    let identity = (0..table.identity_columns)
        .map(|column| row.get_ref(column).map_or_else(|_| "?".to_owned(), show))
        .collect::<Vec<_>>();
    StoreError::Seal { table: table.name, identity: identity.join("/"), why }
}

/// A column as an operator reads it.
pub(crate) fn show(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(integer) => integer.to_string(),
        ValueRef::Real(real) => real.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(blob) => blob.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values() -> impl Strategy<Value = Vec<Value>> {
        let value = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::Integer),
            "[a-z]{0,3}".prop_map(Value::Text),
            proptest::collection::vec(any::<u8>(), 0..4).prop_map(Value::Blob),
        ];
        proptest::collection::vec(value, 0..4)
    }

    fn encoded(values: &[Value]) -> Vec<u8> {
        let mut encoded = Vec::new();
        values.iter().for_each(|value| encode(&mut encoded, ValueRef::from(value)));
        encoded
    }

    proptest! {
        #[test]
        fn different_columns_are_encoded_differently(one in values(), other in values()) {
            prop_assert_eq!(one == other, encoded(&one) == encoded(&other));
        }
    }

    #[test]
    fn types_and_borders_are_part_of_the_encoding() {
        let text = |text: &str| Value::Text(text.to_owned());
        assert_ne!(encoded(&[text("ab"), text("c")]), encoded(&[text("a"), text("bc")]));
        assert_ne!(encoded(&[text("a")]), encoded(&[Value::Blob(b"a".to_vec())]));
        assert_ne!(encoded(&[Value::Null]), encoded(&[text("")]));
        assert_ne!(encoded(&[Value::Integer(1)]), encoded(&[Value::Real(f64::from_bits(1))]));
    }
}
