//! Rows of key material: wrapped bytes and which domain key wraps them.

use jiff::Timestamp;
use rusqlite::types::{Value, ValueRef};
use wire::enums::KeyMaterialState;
use wire::names::KeyMaterialId;

use crate::aggregate::ChildRow;
use crate::columns::{Columns, Values};
use crate::error::Result;
use crate::keys::KeyRow;
use crate::schema::SealedTable;

/// One version of a key's material, wrapped by custody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaterialRow {
    /// The id of the material.
    pub key_material_id: KeyMaterialId,
    /// The version of the domain key that wraps it.
    pub domain_key_version: u32,
    /// The wrapped bytes. Custody authenticates them together with the key's identity. Empty when
    /// imported material was deleted or has expired.
    pub wrapped: Vec<u8>,
    /// When the material was made.
    pub created: Timestamp,
    /// What it is for: to encrypt, only to decrypt what it encrypted before, or not in use yet.
    pub state: KeyMaterialState,
}

pub(crate) const KEY_MATERIALS: SealedTable = SealedTable {
    name: "key_materials",
    schema_version: 1,
    identity_columns: 3,
    sealed_columns: 8,
};

impl ChildRow for MaterialRow {
    type Owner = KeyRow;

    const TABLE: &'static SealedTable = &KEY_MATERIALS;
    const OF_OWNER: &'static str = "
        SELECT region, key_id, key_material_id, sequence, domain_key_version, wrapped,
          created_nanos, state, seal_version, seal
        FROM key_materials WHERE region = ?1 AND key_id = ?2 ORDER BY key_material_id";
    const INSERT: &'static str = "
        INSERT INTO key_materials (region, key_id, key_material_id, sequence,
          domain_key_version, wrapped, created_nanos, state, seal_version, seal)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    const DELETE: &'static str = "
        DELETE FROM key_materials WHERE region = ?1 AND key_id = ?2 AND key_material_id = ?3";

    fn owner_key(owner: &KeyRow) -> Vec<Value> {
        owner.identity_values()
    }

    fn identity(&self) -> ValueRef<'_> {
        ValueRef::Blob(self.key_material_id.as_bytes())
    }

    fn values(&self, owner: &KeyRow, sequence: u64) -> Result<Vec<Value>> {
        let values = Values::new()
            .text(owner.region.as_str())
            .text(owner.key_id.as_str())
            .bytes(self.key_material_id.as_bytes())
            .number(sequence)?
            .small(self.domain_key_version)
            .bytes(&self.wrapped)
            .instant(self.created)?
            .text(self.state.as_str());
        Ok(values.finish())
    }

    fn read(columns: &mut Columns<'_>) -> Result<MaterialRow> {
        columns.skip(2);
        let key_material_id = KeyMaterialId::from_bytes(columns.array()?);
        columns.skip(1);
        Ok(MaterialRow {
            key_material_id,
            domain_key_version: columns.number()?,
            wrapped: columns.bytes()?,
            created: columns.instant()?,
            state: columns.parse()?,
        })
    }
}
