//! Rows of multi-Region keys: where the related keys of a key are.

use rusqlite::types::{Value, ValueRef};
use wire::names::Region;

use crate::aggregate::ChildRow;
use crate::columns::{Columns, Values};
use crate::error::{Result, StoreError};
use crate::keys::KeyRow;
use crate::schema::SealedTable;

/// The Regions of a multi-Region key, the same on every related key.
///
/// Each related key is a record of its own with the same key id in its own Region; save all of them
/// in one transaction, so that they never disagree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultiRegionRow {
    /// The Region of the primary key.
    pub primary_region: Region,
    /// The Regions of the replica keys by name, each once, without the primary's.
    pub replica_regions: Vec<Region>,
}

pub(crate) const MULTI_REGION_KEYS: SealedTable = SealedTable {
    name: "multi_region_keys",
    schema_version: 2,
    identity_columns: 2,
    sealed_columns: 5,
};

/// What stands between two Regions in the column; no name of a Region has one.
const SEPARATOR: &str = ",";

impl MultiRegionRow {
    /// True if there is one way only to write these Regions.
    fn is_canonical(&self) -> bool {
        self.replica_regions.is_sorted_by(|one, next| one < next)
            && !self.replica_regions.contains(&self.primary_region)
    }
}

impl ChildRow for MultiRegionRow {
    type Owner = KeyRow;

    const TABLE: &'static SealedTable = &MULTI_REGION_KEYS;
    const OF_OWNER: &'static str = "
        SELECT region, key_id, sequence, primary_region, replica_regions, seal_version, seal
        FROM multi_region_keys WHERE region = ?1 AND key_id = ?2";
    const INSERT: &'static str = "
        INSERT INTO multi_region_keys
          (region, key_id, sequence, primary_region, replica_regions, seal_version, seal)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    const DELETE: &'static str = "DELETE FROM multi_region_keys WHERE region = ?1 AND key_id = ?2";

    fn owner_key(owner: &KeyRow) -> Vec<Value> {
        owner.identity_values()
    }

    fn identity(&self) -> ValueRef<'_> {
        ValueRef::Null
    }

    fn values(&self, owner: &KeyRow, sequence: u64) -> Result<Vec<Value>> {
        if !self.is_canonical() {
            return Err(StoreError::OutOfRange { what: "a list of replica Regions" });
        }
        let replicas: Vec<_> = self.replica_regions.iter().map(Region::as_str).collect();
        let values = Values::new()
            .text(owner.region.as_str())
            .text(owner.key_id.as_str())
            .number(sequence)?
            .text(self.primary_region.as_str())
            .text(&replicas.join(SEPARATOR));
        Ok(values.finish())
    }

    fn read(columns: &mut Columns<'_>) -> Result<MultiRegionRow> {
        columns.skip(3);
        Ok(MultiRegionRow {
            primary_region: columns.parse()?,
            replica_regions: columns.parse_list(SEPARATOR)?,
        })
    }
}
