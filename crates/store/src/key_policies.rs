//! Rows of key policies: the document as it was put.

use rusqlite::types::{Value, ValueRef};

use crate::aggregate::ChildRow;
use crate::columns::{Columns, Values};
use crate::error::Result;
use crate::keys::KeyRow;
use crate::schema::SealedTable;

/// The policy of a key. A key has exactly one, which AWS names `default`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPolicyRow {
    /// The document, as the caller gave it.
    pub document: String,
}

/// The only name a key policy can have.
const POLICY_NAME: &str = "default";

pub(crate) const KEY_POLICIES: SealedTable =
    SealedTable { name: "key_policies", schema_version: 1, identity_columns: 3, sealed_columns: 5 };

impl ChildRow for KeyPolicyRow {
    type Owner = KeyRow;

    const TABLE: &'static SealedTable = &KEY_POLICIES;
    const OF_OWNER: &'static str = "
        SELECT region, key_id, policy_name, sequence, document, seal_version, seal
        FROM key_policies WHERE region = ?1 AND key_id = ?2 ORDER BY policy_name";
    const INSERT: &'static str = "
        INSERT INTO key_policies
          (region, key_id, policy_name, sequence, document, seal_version, seal)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    const DELETE: &'static str = "
        DELETE FROM key_policies WHERE region = ?1 AND key_id = ?2 AND policy_name = ?3";

    fn owner_key(owner: &KeyRow) -> Vec<Value> {
        owner.identity_values()
    }

    fn identity(&self) -> ValueRef<'_> {
        ValueRef::from(POLICY_NAME)
    }

    fn values(&self, owner: &KeyRow, sequence: u64) -> Result<Vec<Value>> {
        let values = Values::new()
            .text(owner.region.as_str())
            .text(owner.key_id.as_str())
            .text(POLICY_NAME)
            .number(sequence)?
            .text(&self.document);
        Ok(values.finish())
    }

    fn read(columns: &mut Columns<'_>) -> Result<KeyPolicyRow> {
        columns.skip(4);
        Ok(KeyPolicyRow { document: columns.text()? })
    }
}
