//! Rows of imports: what is known of key material that came from outside.

use jiff::Timestamp;
use rusqlite::params;
use rusqlite::types::{Value, ValueRef};
use wire::enums::ImportState;
use wire::names::{KeyId, KeyMaterialId, Region};

use crate::aggregate::ChildRow;
use crate::columns::{Columns, Values, nanos};
use crate::error::Result;
use crate::keys::KeyRow;
use crate::schema::SealedTable;
use crate::snapshot::Snapshot;

/// What was said of a version of the material when it was imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaterialImportRow {
    /// The material that was imported.
    pub key_material_id: KeyMaterialId,
    /// The description of the material, empty if none was given.
    pub description: String,
    /// When the material expires; none if it does not.
    pub valid_to: Option<Timestamp>,
    /// Whether the material is here, or must be imported again.
    pub import_state: ImportState,
    /// When it was last imported.
    pub imported: Timestamp,
}

pub(crate) const MATERIAL_IMPORTS: SealedTable = SealedTable {
    name: "material_imports",
    schema_version: 2,
    identity_columns: 3,
    sealed_columns: 8,
};

/// Material that has expired keeps its date and is no longer `IMPORTED`.
pub(crate) const DUE: &str = "
    SELECT region, key_id FROM material_imports
    WHERE valid_to_nanos IS NOT NULL AND valid_to_nanos <= ?1 AND import_state = 'IMPORTED'
    GROUP BY region, key_id ORDER BY min(valid_to_nanos) LIMIT ?2";

impl ChildRow for MaterialImportRow {
    type Owner = KeyRow;

    const TABLE: &'static SealedTable = &MATERIAL_IMPORTS;
    const OF_OWNER: &'static str = "
        SELECT region, key_id, key_material_id, sequence, description, valid_to_nanos,
          import_state, imported_nanos, seal_version, seal
        FROM material_imports WHERE region = ?1 AND key_id = ?2 ORDER BY key_material_id";
    const INSERT: &'static str = "
        INSERT INTO material_imports (region, key_id, key_material_id, sequence, description,
          valid_to_nanos, import_state, imported_nanos, seal_version, seal)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    const DELETE: &'static str = "
        DELETE FROM material_imports WHERE region = ?1 AND key_id = ?2 AND key_material_id = ?3";

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
            .text(&self.description)
            .optional_instant(self.valid_to)?
            .text(self.import_state.as_str())
            .instant(self.imported)?;
        Ok(values.finish())
    }

    fn read(columns: &mut Columns<'_>) -> Result<MaterialImportRow> {
        columns.skip(2);
        let key_material_id = KeyMaterialId::from_bytes(columns.array()?);
        columns.skip(1);
        Ok(MaterialImportRow {
            key_material_id,
            description: columns.text()?,
            valid_to: columns.optional_instant()?,
            import_state: columns.parse()?,
            imported: columns.instant()?,
        })
    }
}

impl Snapshot<'_> {
    /// Keys with imported material whose expiry is not after `now`, each once, the longest due
    /// first. These are hints only: whoever lets material expire loads the key, which is verified,
    /// and looks at its dates.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`](crate::StoreError::Sqlite) if the database cannot be read.
    pub fn imports_due(&self, now: Timestamp, limit: u32) -> Result<Vec<(Region, KeyId)>> {
        self.key_hints(DUE, params![nanos(now)?, limit])
    }
}
