//! Rows of tags.

use rusqlite::types::{Value, ValueRef};

use crate::aggregate::ChildRow;
use crate::columns::{Columns, Values};
use crate::error::Result;
use crate::keys::KeyRow;
use crate::schema::SealedTable;

/// A tag of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagRow {
    /// The tag's key, unique for each KMS key.
    pub tag_key: String,
    /// The tag's value.
    pub tag_value: String,
}

pub(crate) const TAGS: SealedTable =
    SealedTable { name: "tags", schema_version: 1, identity_columns: 3, sealed_columns: 5 };

impl ChildRow for TagRow {
    type Owner = KeyRow;

    const TABLE: &'static SealedTable = &TAGS;
    const OF_OWNER: &'static str = "
        SELECT region, key_id, tag_key, sequence, tag_value, seal_version, seal
        FROM tags WHERE region = ?1 AND key_id = ?2 ORDER BY tag_key";
    const INSERT: &'static str = "
        INSERT INTO tags (region, key_id, tag_key, sequence, tag_value, seal_version, seal)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    const DELETE: &'static str = "
        DELETE FROM tags WHERE region = ?1 AND key_id = ?2 AND tag_key = ?3";

    fn owner_key(owner: &KeyRow) -> Vec<Value> {
        owner.identity_values()
    }

    fn identity(&self) -> ValueRef<'_> {
        ValueRef::from(self.tag_key.as_str())
    }

    fn values(&self, owner: &KeyRow, sequence: u64) -> Result<Vec<Value>> {
        let values = Values::new()
            .text(owner.region.as_str())
            .text(owner.key_id.as_str())
            .text(&self.tag_key)
            .number(sequence)?
            .text(&self.tag_value);
        Ok(values.finish())
    }

    fn read(columns: &mut Columns<'_>) -> Result<TagRow> {
        columns.skip(2);
        let tag_key = columns.text()?;
        columns.skip(1);
        Ok(TagRow { tag_key, tag_value: columns.text()? })
    }
}
