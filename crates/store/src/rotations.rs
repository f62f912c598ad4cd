//! Rows of rotation: when a key's material is due to be replaced, and when each version of it came
//! into use.

use jiff::Timestamp;
use rusqlite::params;
use rusqlite::types::{Value, ValueRef};
use wire::enums::RotationType;
use wire::names::{KeyId, KeyMaterialId, Region};

use crate::aggregate::ChildRow;
use crate::columns::{Columns, Values, nanos};
use crate::error::Result;
use crate::keys::KeyRow;
use crate::schema::SealedTable;
use crate::snapshot::Snapshot;

/// The automatic rotation of a key. It stands while automatic rotation is enabled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationRow {
    /// How long material is current before it is replaced, in days.
    pub rotation_period_days: u16,
    /// When automatic rotation was enabled, or its period last changed.
    pub enabled: Timestamp,
    /// When the material is due to be replaced.
    pub next_rotation: Timestamp,
}

/// When and why a version of the material became the current one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaterialRotationRow {
    /// The material that became current.
    pub key_material_id: KeyMaterialId,
    /// When it became current.
    pub rotated: Timestamp,
    /// Whether the period had passed or somebody asked for it.
    pub rotation_type: RotationType,
}

pub(crate) const ROTATIONS: SealedTable =
    SealedTable { name: "rotations", schema_version: 2, identity_columns: 2, sealed_columns: 6 };

pub(crate) const MATERIAL_ROTATIONS: SealedTable = SealedTable {
    name: "material_rotations",
    schema_version: 2,
    identity_columns: 3,
    sealed_columns: 6,
};

/// A key that is disabled or waits for its deletion keeps its date and is not rotated, nor is a replica, which follows its
/// primary; were they named here, enough of them would hide the others for ever.
pub(crate) const DUE: &str = "
    SELECT rotations.region, rotations.key_id
    FROM rotations JOIN keys USING (region, key_id)
    WHERE next_rotation_nanos <= ?1 AND state = 'Enabled'
      AND NOT EXISTS (
        SELECT 1 FROM multi_region_keys AS related
        WHERE related.region = rotations.region AND related.key_id = rotations.key_id
          AND related.primary_region <> rotations.region)
    ORDER BY next_rotation_nanos LIMIT ?2";

impl ChildRow for RotationRow {
    type Owner = KeyRow;

    const TABLE: &'static SealedTable = &ROTATIONS;
    const OF_OWNER: &'static str = "
        SELECT region, key_id, sequence, rotation_period_days, enabled_nanos, next_rotation_nanos,
          seal_version, seal
        FROM rotations WHERE region = ?1 AND key_id = ?2";
    const INSERT: &'static str = "
        INSERT INTO rotations (region, key_id, sequence, rotation_period_days, enabled_nanos,
          next_rotation_nanos, seal_version, seal)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    const DELETE: &'static str = "DELETE FROM rotations WHERE region = ?1 AND key_id = ?2";

    fn owner_key(owner: &KeyRow) -> Vec<Value> {
        owner.identity_values()
    }

    fn identity(&self) -> ValueRef<'_> {
        ValueRef::Null
    }

    fn values(&self, owner: &KeyRow, sequence: u64) -> Result<Vec<Value>> {
        let values = Values::new()
            .text(owner.region.as_str())
            .text(owner.key_id.as_str())
            .number(sequence)?
            .small(u32::from(self.rotation_period_days))
            .instant(self.enabled)?
            .instant(self.next_rotation)?;
        Ok(values.finish())
    }

    fn read(columns: &mut Columns<'_>) -> Result<RotationRow> {
        columns.skip(3);
        Ok(RotationRow {
            rotation_period_days: columns.number()?,
            enabled: columns.instant()?,
            next_rotation: columns.instant()?,
        })
    }
}

impl ChildRow for MaterialRotationRow {
    type Owner = KeyRow;

    const TABLE: &'static SealedTable = &MATERIAL_ROTATIONS;
    const OF_OWNER: &'static str = "
        SELECT region, key_id, key_material_id, sequence, rotated_nanos, rotation_type,
          seal_version, seal
        FROM material_rotations WHERE region = ?1 AND key_id = ?2 ORDER BY key_material_id";
    const INSERT: &'static str = "
        INSERT INTO material_rotations (region, key_id, key_material_id, sequence, rotated_nanos,
          rotation_type, seal_version, seal)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    const DELETE: &'static str = "
        DELETE FROM material_rotations
        WHERE region = ?1 AND key_id = ?2 AND key_material_id = ?3";

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
            .instant(self.rotated)?
            .text(self.rotation_type.as_str());
        Ok(values.finish())
    }

    fn read(columns: &mut Columns<'_>) -> Result<MaterialRotationRow> {
        columns.skip(2);
        let key_material_id = KeyMaterialId::from_bytes(columns.array()?);
        columns.skip(1);
        Ok(MaterialRotationRow {
            key_material_id,
            rotated: columns.instant()?,
            rotation_type: columns.parse()?,
        })
    }
}

impl Snapshot<'_> {
    /// Enabled keys whose next automatic rotation is not after `now`, the longest due first. These
    /// are hints only: whoever rotates loads the key, which is verified, and looks at its date.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`](crate::StoreError::Sqlite) if the database cannot be read.
    pub fn rotations_due(&self, now: Timestamp, limit: u32) -> Result<Vec<(Region, KeyId)>> {
        self.key_hints(DUE, params![nanos(now)?, limit])
    }
}
