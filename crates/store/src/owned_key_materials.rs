//! Rows of AWS owned keys' material, which belong to the system account, and which access keys they wrap.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, params};
use wire::names::{AccountId, KeyId, KeyMaterialId};

use crate::accounts::AccountRow;
use crate::aggregate::ChildRow;
use crate::columns::{Columns, Values};
use crate::error::{Result, StoreError};
use crate::schema::SealedTable;
use crate::snapshot::Snapshot;

/// The first number that names a version of an owned key; what is lower names a domain key, and stands in no row of this table.
pub const OWNED_WRAPPING_VERSIONS_START: u32 = 1 << 24;

/// One version of an AWS owned key's material, wrapped by custody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedKeyMaterialRow {
    /// The id of the material.
    pub key_material_id: KeyMaterialId,
    /// The name of the owned key.
    pub name: String,
    /// The id of the KMS key, the same for all its versions.
    pub key_id: KeyId,
    /// The number under which rows of secrets name this version, unique in the deployment.
    pub wrapping_version: u32,
    /// The version of the domain key that wraps it.
    pub domain_key_version: u32,
    /// The wrapped bytes. Custody authenticates them together with all the above.
    pub wrapped: Vec<u8>,
    /// When the first version of the key was made.
    pub key_created: Timestamp,
    /// When this version was made.
    pub created: Timestamp,
}

/// The sixth schema: AWS owned keys, and by what the secrets of access keys are wrapped.
pub(crate) const VERSION_6: &str = "
CREATE TABLE owned_key_materials (
  account TEXT NOT NULL REFERENCES accounts (account),
  key_material_id BLOB NOT NULL,
  sequence INTEGER NOT NULL,
  name TEXT NOT NULL,
  key_id TEXT NOT NULL,
  wrapping_version INTEGER NOT NULL,
  domain_key_version INTEGER NOT NULL,
  wrapped BLOB NOT NULL,
  key_created_nanos INTEGER NOT NULL,
  created_nanos INTEGER NOT NULL,
  seal_version INTEGER NOT NULL,
  seal BLOB NOT NULL,
  PRIMARY KEY (account, key_material_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX owned_key_materials_by_version ON owned_key_materials (wrapping_version);
CREATE INDEX access_keys_by_wrapping ON access_keys (domain_key_version);
CREATE INDEX user_access_keys_by_wrapping ON user_access_keys (domain_key_version);
";

pub(crate) const OWNED_KEY_MATERIALS: SealedTable = SealedTable {
    name: "owned_key_materials",
    schema_version: 6,
    identity_columns: 2,
    sealed_columns: 10,
};

const IS_THERE: &str = "SELECT 1 FROM owned_key_materials WHERE wrapping_version = ?1";
pub(crate) const WRAPPED_BEFORE_OF_ROOTS: &str = "
    SELECT DISTINCT account FROM access_keys WHERE domain_key_version < ?1 LIMIT ?2";
pub(crate) const WRAPPED_BEFORE_OF_USERS: &str = "
    SELECT DISTINCT account, identity_id FROM user_access_keys
    WHERE domain_key_version < ?1 LIMIT ?2";
const COUNTS: [&str; 2] = [
    "SELECT domain_key_version, count(*) FROM access_keys GROUP BY domain_key_version",
    "SELECT domain_key_version, count(*) FROM user_access_keys GROUP BY domain_key_version",
];

impl ChildRow for OwnedKeyMaterialRow {
    type Owner = AccountRow;

    const TABLE: &'static SealedTable = &OWNED_KEY_MATERIALS;
    const OF_OWNER: &'static str = "
        SELECT account, key_material_id, sequence, name, key_id, wrapping_version,
          domain_key_version, wrapped, key_created_nanos, created_nanos, seal_version, seal
        FROM owned_key_materials WHERE account = ?1 ORDER BY key_material_id";
    const INSERT: &'static str = "
        INSERT INTO owned_key_materials (account, key_material_id, sequence, name, key_id,
          wrapping_version, domain_key_version, wrapped, key_created_nanos, created_nanos,
          seal_version, seal)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    const DELETE: &'static str = "
        DELETE FROM owned_key_materials WHERE account = ?1 AND key_material_id = ?2";

    fn owner_key(owner: &AccountRow) -> Vec<Value> {
        Values::new().text(owner.account.as_str()).finish()
    }

    fn identity(&self) -> ValueRef<'_> {
        ValueRef::Blob(self.key_material_id.as_bytes())
    }

    fn values(&self, owner: &AccountRow, sequence: u64) -> Result<Vec<Value>> {
        let values = Values::new()
            .text(owner.account.as_str())
            .bytes(self.key_material_id.as_bytes())
            .number(sequence)?
            .text(&self.name)
            .text(self.key_id.as_str())
            .small(self.wrapping_version)
            .small(self.domain_key_version)
            .bytes(&self.wrapped)
            .instant(self.key_created)?
            .instant(self.created)?;
        Ok(values.finish())
    }

    fn read(columns: &mut Columns<'_>) -> Result<OwnedKeyMaterialRow> {
        columns.skip(1);
        let key_material_id = KeyMaterialId::from_bytes(columns.array()?);
        columns.skip(1);
        Ok(OwnedKeyMaterialRow {
            key_material_id,
            name: columns.text()?,
            key_id: columns.parse()?,
            wrapping_version: columns.number()?,
            domain_key_version: columns.number()?,
            wrapped: columns.bytes()?,
            key_created: columns.instant()?,
            created: columns.instant()?,
        })
    }
}

/// Refuses an access key whose secret is wrapped by a version that was destroyed meanwhile: it could never be read again.
pub(crate) fn refuse_destroyed(
    connection: &Connection,
    wrapping_versions: impl Iterator<Item = u32>,
) -> Result<()> {
    for version in wrapping_versions.filter(|version| *version >= OWNED_WRAPPING_VERSIONS_START) {
        if !connection.prepare_cached(IS_THERE)?.exists([version])? {
            let identity = version.to_string();
            return Err(StoreError::Conflict { table: OWNED_KEY_MATERIALS.name, identity });
        }
    }
    Ok(())
}

impl Snapshot<'_> {
    /// Accounts with access keys of root users whose secrets an older key than this one wraps; unverified, a hint.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`] if the database cannot be read.
    pub fn accounts_wrapped_before(
        &self,
        wrapping_version: u32,
        limit: u32,
    ) -> Result<Vec<AccountId>> {
        let mut statement = self.connection().prepare_cached(WRAPPED_BEFORE_OF_ROOTS)?;
        let mut rows = statement.query(params![wrapping_version, limit])?;
        let mut accounts = Vec::new();
        while let Some(row) = rows.next()? {
            accounts.push(Columns::of_unsealed("access_keys", row).parse()?);
        }
        Ok(accounts)
    }

    /// The same for users: account and unique id.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`] if the database cannot be read.
    pub fn users_wrapped_before(
        &self,
        wrapping_version: u32,
        limit: u32,
    ) -> Result<Vec<(AccountId, String)>> {
        let mut statement = self.connection().prepare_cached(WRAPPED_BEFORE_OF_USERS)?;
        let mut rows = statement.query(params![wrapping_version, limit])?;
        let mut users = Vec::new();
        while let Some(row) = rows.next()? {
            let mut columns = Columns::of_unsealed("user_access_keys", row);
            users.push((columns.parse()?, columns.text()?));
        }
        Ok(users)
    }

    /// How many secrets of access keys stand under each key that wraps; unverified.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`] if the database cannot be read.
    pub fn count_wrapped_secrets(&self) -> Result<BTreeMap<u32, u64>> {
        let mut counts = BTreeMap::new();
        for sql in COUNTS {
            let mut statement = self.connection().prepare_cached(sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let mut columns = Columns::of_unsealed("access_keys", row);
                let (version, count): (u32, u64) = (columns.number()?, columns.number()?);
                *counts.entry(version).or_default() += count;
            }
        }
        Ok(counts)
    }
}
