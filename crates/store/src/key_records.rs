//! The key aggregate: a key's own row with all rows that belong to it, loaded and saved as one.

use crypto::seal::{SEAL_BYTES, SealKeys};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params_from_iter};
use wire::enums::KeyManager;
use wire::names::{KeyId, Region};

use crate::aggregate::{self, Plan, Stored};
use crate::aliases::AliasRow;
use crate::change::Change;
use crate::columns::Columns;
use crate::error::{Result, StoreError};
use crate::grants;
use crate::key_materials::MaterialRow;
use crate::key_policies::KeyPolicyRow;
use crate::key_usages;
use crate::keys::{KEYS, KeyRow, ONE};
use crate::material_imports::MaterialImportRow;
use crate::multi_region_keys::MultiRegionRow;
use crate::rotations::{MaterialRotationRow, RotationRow};
use crate::seal::{Manifest, Seal};
use crate::sequences::Aggregate;
use crate::snapshot::Snapshot;
use crate::tags::TagRow;
use crate::transaction::{Counted, Transaction};

/// A key with all its rows; loaded, verified and saved whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// The key itself.
    pub key: KeyRow,
    /// Its material, all versions, by id.
    pub materials: Vec<MaterialRow>,
    /// Its policy.
    pub policy: KeyPolicyRow,
    /// The aliases that point at it, by name.
    pub aliases: Vec<AliasRow>,
    /// Its tags, by tag key.
    pub tags: Vec<TagRow>,
    /// Its automatic rotation, while that is enabled.
    pub rotation: Option<RotationRow>,
    /// Where its related keys are, if it is a multi-Region key.
    pub multi_region: Option<MultiRegionRow>,
    /// The rotations of its material that are done, by the id of the material.
    pub material_rotations: Vec<MaterialRotationRow>,
    /// What is known of its imported material, by the id of the material.
    pub material_imports: Vec<MaterialImportRow>,
}

/// The column after the sealed ones and the seal.
const MANIFEST_COLUMN: usize = 17;

const SAVE: &str = "
    INSERT INTO keys (region, key_id, account, sequence, key_spec, key_usage, origin, key_manager,
      multi_region, state, description, created_nanos, deletion_date_nanos, pending_window_days,
      current_key_material_id, seal_version, seal, manifest)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
    ON CONFLICT (region, key_id) DO UPDATE SET
      account = excluded.account, sequence = excluded.sequence, key_spec = excluded.key_spec,
      key_usage = excluded.key_usage, origin = excluded.origin,
      key_manager = excluded.key_manager, multi_region = excluded.multi_region,
      state = excluded.state, description = excluded.description,
      created_nanos = excluded.created_nanos,
      deletion_date_nanos = excluded.deletion_date_nanos,
      pending_window_days = excluded.pending_window_days,
      current_key_material_id = excluded.current_key_material_id,
      seal_version = excluded.seal_version, seal = excluded.seal, manifest = excluded.manifest";
const DELETE: &str = "DELETE FROM keys WHERE region = ?1 AND key_id = ?2";

/// A key's rows as they stand in the database, verified.
struct StoredKey {
    key: KeyRow,
    rows: StoredRows,
}

/// The rows that belong to a key, as they stand.
#[derive(Default)]
struct StoredRows {
    materials: Vec<Stored<MaterialRow>>,
    policies: Vec<Stored<KeyPolicyRow>>,
    aliases: Vec<Stored<AliasRow>>,
    tags: Vec<Stored<TagRow>>,
    rotations: Vec<Stored<RotationRow>>,
    multi_region: Vec<Stored<MultiRegionRow>>,
    material_rotations: Vec<Stored<MaterialRotationRow>>,
    material_imports: Vec<Stored<MaterialImportRow>>,
}

/// The rows that shall belong to a key; none of any kind if it is to be deleted.
#[derive(Default)]
struct WantedRows<'r> {
    materials: &'r [MaterialRow],
    policies: &'r [KeyPolicyRow],
    aliases: &'r [AliasRow],
    tags: &'r [TagRow],
    rotations: &'r [RotationRow],
    multi_region: &'r [MultiRegionRow],
    material_rotations: &'r [MaterialRotationRow],
    material_imports: &'r [MaterialImportRow],
}

/// What must be written so that the ones become the others.
struct RowPlans<'r> {
    materials: Plan<'r, MaterialRow>,
    policies: Plan<'r, KeyPolicyRow>,
    aliases: Plan<'r, AliasRow>,
    tags: Plan<'r, TagRow>,
    rotations: Plan<'r, RotationRow>,
    multi_region: Plan<'r, MultiRegionRow>,
    material_rotations: Plan<'r, MaterialRotationRow>,
    material_imports: Plan<'r, MaterialImportRow>,
}

impl Snapshot<'_> {
    /// The key with all its rows, each seal and the manifest checked.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`] if any of its rows is not as this deployment left it, is missing or is
    /// one too many.
    pub fn key(&self, region: Region, key_id: KeyId) -> Result<Option<KeyRecord>> {
        let Some(StoredKey { key, mut rows }) = self.stored_key(region, key_id)? else {
            return Ok(None);
        };
        let policy = rows.policies.pop().map(|policy| policy.row);
        let policy = policy.ok_or_else(|| refuse(region, key_id, "the key has no policy"))?;
        Ok(Some(KeyRecord {
            key,
            materials: aggregate::rows(rows.materials),
            policy,
            aliases: aggregate::rows(rows.aliases),
            tags: aggregate::rows(rows.tags),
            rotation: rows.rotations.pop().map(|rotation| rotation.row),
            multi_region: rows.multi_region.pop().map(|multi_region| multi_region.row),
            material_rotations: aggregate::rows(rows.material_rotations),
            material_imports: aggregate::rows(rows.material_imports),
        }))
    }

    fn stored_key(&self, region: Region, key_id: KeyId) -> Result<Option<StoredKey>> {
        let (connection, keys) = (self.connection(), self.seal_keys());
        let identity: [&dyn ToSql; 2] = [&region.as_str(), &key_id.as_str()];
        let root = connection
            .prepare_cached(ONE)?
            .query_row(identity.as_slice(), |row| Ok(read_root(keys, row)))
            .optional()?
            .transpose()?;
        let Some((key, seal, manifest_tag)) = root else {
            self.refuse_orphans(region, key_id)?;
            return Ok(None);
        };
        let mut manifest = Manifest::new(&KEYS, &[region.as_str(), key_id.as_str()], &seal);
        let rows = StoredRows::load(connection, keys, &identity, &mut manifest)?;
        if !manifest.check(keys, seal.version, &manifest_tag) {
            return Err(refuse(region, key_id, "the key's rows do not fit its manifest"));
        }
        self.check_newest(key.aggregate(), Some(key.sequence))
            .map_err(|why| refuse(region, key_id, why))?;
        Ok(Some(StoredKey { key, rows }))
    }

    /// A key is deleted with all its rows: rows without a key are the remains of a theft.
    fn refuse_orphans(&self, region: Region, key_id: KeyId) -> Result<()> {
        let connection = self.connection();
        if StoredRows::exist(connection, &[&region.as_str(), &key_id.as_str()])?
            || key_usages::exists(connection, region, key_id)?
            || grants::exists(connection, region, key_id)?
        {
            return Err(refuse(region, key_id, "rows of the key stand without it"));
        }
        self.check_newest(Aggregate::key(region, key_id), None)
            .map_err(|why| refuse(region, key_id, why))
    }
}

fn read_root(keys: &SealKeys, row: &Row<'_>) -> Result<(KeyRow, Seal, [u8; SEAL_BYTES])> {
    let seal = Seal::check_row(keys, &KEYS, row)?;
    let key = KeyRow::read(&mut Columns::new(&KEYS, row))?;
    let manifest_tag = row.get_ref(MANIFEST_COLUMN)?.as_blob().ok();
    let manifest_tag = manifest_tag
        .and_then(|tag| tag.try_into().ok())
        .ok_or_else(|| refuse(key.region, key.key_id, "the key's manifest is not one"))?;
    Ok((key, seal, manifest_tag))
}

fn refuse(region: Region, key_id: KeyId, why: &'static str) -> StoreError {
    StoreError::Seal { table: KEYS.name, identity: format!("{region}/{key_id}"), why }
}

impl Transaction<'_> {
    /// Makes or updates a key: writes the rows that differ, seals them and lists all of them in the
    /// manifest. Returns the key's new sequence.
    ///
    /// To move an alias from one key to another, save the key that loses it first. Material that
    /// goes, or stays without its bytes, is wiped as by [`delete_key`](Transaction::delete_key).
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] if the record's sequence is not the stored one (0 for a new key),
    /// or an alias is another key's; [`StoreError::Seal`] if what is stored was tampered with: it
    /// is not sealed over.
    pub fn save_key(&mut self, record: &KeyRecord) -> Result<u64> {
        let key = &record.key;
        let stored = self.stored_key(key.region, key.key_id)?;
        if stored.as_ref().map_or(0, |stored| stored.key.sequence) != key.sequence {
            return Err(conflict(key));
        }
        if record.aliases.iter().any(|alias| alias.key_id != key.key_id) {
            return Err(conflict(key));
        }
        if stored.as_ref().is_some_and(|stored| stored.key.account != key.account) {
            return Err(conflict(key));
        }
        let is_new = stored.is_none();
        let stored = stored.map(|stored| stored.rows).unwrap_or_default();
        let sequence = self.next_sequence();
        let plans = self.plan_rows(key, sequence, &stored, &WantedRows::of(record))?;

        let mut values = key.values(sequence)?;
        let seal = Seal::of_row(self.seal_keys(), &KEYS, &values);
        let mut manifest = Manifest::new(&KEYS, &[key.region.as_str(), key.key_id.as_str()], &seal);
        plans.list(&mut manifest);
        values.extend(seal.values());
        values.push(Value::Blob(manifest.tag(self.seal_keys()).to_vec()));

        self.all_or_nothing(|transaction| {
            let connection = transaction.connection();
            connection.prepare_cached(SAVE)?.execute(params_from_iter(values))?;
            plans.write(connection)?;
            transaction.tell_key(key, plans.aliases.touched())
        })?;
        if is_new && key.key_manager == KeyManager::Customer {
            self.count(Counted::Keys(key.account, key.region), 1);
        }
        self.account_for(
            key.aggregate(),
            (&KEYS, &[key.region.as_str(), key.key_id.as_str()]),
            (!is_new).then_some(key.sequence),
            (sequence, true),
        );
        if stored.materials.iter().any(|stored| is_emptied(&stored.row, &record.materials)) {
            self.wipe_after_commit()?;
        }
        Ok(sequence)
    }

    /// Deletes a key with all its rows, its grants and its last use; false if there is none. The
    /// change feed tells of the key alone.
    ///
    /// Freed bytes are overwritten with zeros (`secure_delete`), and after the commit the
    /// write-ahead log is emptied, so that the wrapped material remains in neither; see
    /// [`scrub`](crate::Store::scrub), which tells when that is done. What the file system or the
    /// disk keep of freed blocks is out of reach here: those bytes are wrapped, and useless once
    /// custody has destroyed what wraps them.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`] if the key was tampered with.
    pub fn delete_key(&mut self, region: Region, key_id: KeyId) -> Result<bool> {
        let Some(StoredKey { key, rows }) = self.stored_key(region, key_id)? else {
            return Ok(false);
        };
        let grants = self.doomed_grants(region, key_id)?;
        let sequence = self.next_sequence();
        let plans = self.plan_rows(&key, sequence, &rows, &WantedRows::default())?;
        self.all_or_nothing(|transaction| {
            let connection = transaction.connection();
            plans.write(connection)?;
            key_usages::delete(connection, region, key_id)?;
            grants::delete_all(connection, region, key_id)?;
            let identity = [region.as_str(), key_id.as_str()];
            connection.prepare_cached(DELETE)?.execute(identity)?;
            transaction.tell_key(&key, plans.aliases.touched())
        })?;
        if key.key_manager == KeyManager::Customer {
            self.count(Counted::Keys(key.account, region), -1);
        }
        self.forget_grants(&grants, sequence);
        self.account_for(
            key.aggregate(),
            (&KEYS, &[key.region.as_str(), key.key_id.as_str()]),
            Some(key.sequence),
            (sequence, false),
        );
        self.wipe_after_commit()?;
        Ok(true)
    }

    fn plan_rows<'r>(
        &self,
        key: &'r KeyRow,
        sequence: u64,
        stored: &'r StoredRows,
        wanted: &WantedRows<'r>,
    ) -> Result<RowPlans<'r>> {
        let materials = self.plan(key, sequence, &stored.materials, wanted.materials)?;
        let policies = self.plan(key, sequence, &stored.policies, wanted.policies)?;
        let aliases = self.plan(key, sequence, &stored.aliases, wanted.aliases)?;
        let tags = self.plan(key, sequence, &stored.tags, wanted.tags)?;
        let rotations = self.plan(key, sequence, &stored.rotations, wanted.rotations)?;
        let multi_region = self.plan(key, sequence, &stored.multi_region, wanted.multi_region)?;
        let (old, new) = (&stored.material_rotations, wanted.material_rotations);
        let material_rotations = self.plan(key, sequence, old, new)?;
        let (old, new) = (&stored.material_imports, wanted.material_imports);
        let material_imports = self.plan(key, sequence, old, new)?;
        Ok(RowPlans {
            materials,
            policies,
            aliases,
            tags,
            rotations,
            multi_region,
            material_rotations,
            material_imports,
        })
    }

    /// Appends the change of a key, whose number is the key's new sequence, and those of its
    /// aliases.
    fn tell_key<'r>(
        &mut self,
        key: &KeyRow,
        aliases: impl Iterator<Item = &'r AliasRow>,
    ) -> Result<()> {
        let (account, region) = (key.account, key.region);
        self.tell(Change::Key { account, region, key_id: key.key_id })?;
        for row in aliases {
            self.tell(Change::Alias { account, region, alias: row.alias.clone() })?;
        }
        Ok(())
    }
}

impl StoredRows {
    /// Loads the rows of a key and lists them in its manifest; `RowPlans::list` keeps the same
    /// order.
    fn load(
        connection: &Connection,
        keys: &SealKeys,
        owner_key: &[&dyn ToSql],
        manifest: &mut Manifest,
    ) -> Result<StoredRows> {
        Ok(StoredRows {
            materials: aggregate::load(connection, keys, owner_key, manifest)?,
            policies: aggregate::load(connection, keys, owner_key, manifest)?,
            aliases: aggregate::load(connection, keys, owner_key, manifest)?,
            tags: aggregate::load(connection, keys, owner_key, manifest)?,
            rotations: aggregate::load(connection, keys, owner_key, manifest)?,
            multi_region: aggregate::load(connection, keys, owner_key, manifest)?,
            material_rotations: aggregate::load(connection, keys, owner_key, manifest)?,
            material_imports: aggregate::load(connection, keys, owner_key, manifest)?,
        })
    }

    /// True if there is a row of any kind.
    fn exist(connection: &Connection, owner_key: &[&dyn ToSql]) -> Result<bool> {
        Ok(aggregate::exists::<KeyPolicyRow>(connection, owner_key)?
            || aggregate::exists::<MaterialRow>(connection, owner_key)?
            || aggregate::exists::<AliasRow>(connection, owner_key)?
            || aggregate::exists::<TagRow>(connection, owner_key)?
            || aggregate::exists::<RotationRow>(connection, owner_key)?
            || aggregate::exists::<MultiRegionRow>(connection, owner_key)?
            || aggregate::exists::<MaterialRotationRow>(connection, owner_key)?
            || aggregate::exists::<MaterialImportRow>(connection, owner_key)?)
    }
}

impl<'r> WantedRows<'r> {
    fn of(record: &'r KeyRecord) -> WantedRows<'r> {
        WantedRows {
            materials: &record.materials,
            policies: std::slice::from_ref(&record.policy),
            aliases: &record.aliases,
            tags: &record.tags,
            rotations: record.rotation.as_slice(),
            multi_region: record.multi_region.as_slice(),
            material_rotations: &record.material_rotations,
            material_imports: &record.material_imports,
        }
    }
}

impl RowPlans<'_> {
    fn list(&self, manifest: &mut Manifest) {
        self.materials.list(manifest);
        self.policies.list(manifest);
        self.aliases.list(manifest);
        self.tags.list(manifest);
        self.rotations.list(manifest);
        self.multi_region.list(manifest);
        self.material_rotations.list(manifest);
        self.material_imports.list(manifest);
    }

    fn write(&self, connection: &Connection) -> Result<()> {
        self.materials.write(connection)?;
        self.policies.write(connection)?;
        self.aliases.write(connection)?;
        self.tags.write(connection)?;
        self.rotations.write(connection)?;
        self.multi_region.write(connection)?;
        self.material_rotations.write(connection)?;
        self.material_imports.write(connection)
    }
}

/// True if that material's bytes are not among the wanted rows any more. Material that is wrapped
/// anew is not meant: its older form is no more secret than the newer one.
fn is_emptied(stored: &MaterialRow, wanted: &[MaterialRow]) -> bool {
    let has_bytes = |row: &MaterialRow| {
        row.key_material_id == stored.key_material_id && !row.wrapped.is_empty()
    };
    has_bytes(stored) && !wanted.iter().any(has_bytes)
}

fn conflict(key: &KeyRow) -> StoreError {
    StoreError::Conflict { table: KEYS.name, identity: format!("{}/{}", key.region, key.key_id) }
}
