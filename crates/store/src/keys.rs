//! The key aggregate: the key's own row, and all rows that belong to it.

use crypto::seal::{SEAL_BYTES, SealKeys};
use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row, ToSql, params, params_from_iter};
use wire::enums::{KeyManager, KeySpec, KeyState, KeyUsage, OriginType};
use wire::names::{AccountId, KeyId, KeyMaterialId, Region};

use crate::aggregate::{self, Stored};
use crate::aliases::AliasRow;
use crate::change::Change;
use crate::columns::{Columns, Values, count, nanos};
use crate::error::{Result, StoreError};
use crate::key_materials::MaterialRow;
use crate::key_policies::KeyPolicyRow;
use crate::schema::SealedTable;
use crate::seal::{Manifest, Seal};
use crate::sequences::Aggregate;
use crate::snapshot::Snapshot;
use crate::tags::TagRow;
use crate::transaction::Transaction;

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
}

/// The key itself: what DescribeKey tells, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// The account that owns the key.
    pub account: AccountId,
    /// The Region of the key.
    pub region: Region,
    /// The id of the key, unique in the Region.
    pub key_id: KeyId,
    /// The number of the newest change of the key or any of its rows; 0 before the first save. Set
    /// by the store, which refuses to save a record that was not built on the newest one.
    pub sequence: u64,
    /// The type of key material.
    pub key_spec: KeySpec,
    /// What the key may be used for.
    pub key_usage: KeyUsage,
    /// Where the key material comes from.
    pub origin: OriginType,
    /// Who manages the key.
    pub key_manager: KeyManager,
    /// True for a multi-Region key.
    pub multi_region: bool,
    /// The key state.
    pub state: KeyState,
    /// The description, empty if none was given.
    pub description: String,
    /// When the key was made.
    pub created: Timestamp,
    /// When a key that is pending deletion will be deleted.
    pub deletion_date: Option<Timestamp>,
    /// The waiting period that was asked for with the deletion, in days.
    pub pending_window_days: Option<u16>,
    /// The material that encrypts; none before an import.
    pub current_key_material_id: Option<KeyMaterialId>,
}

pub(crate) const KEYS: SealedTable =
    SealedTable { name: "keys", identity_columns: 2, sealed_columns: 15 };

/// The column after the sealed ones and the seal.
const MANIFEST_COLUMN: usize = 17;

/// The columns of every SELECT below.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT region, key_id, account, sequence, key_spec, key_usage, origin, key_manager,
               multi_region, state, description, created_nanos, deletion_date_nanos,
               pending_window_days, current_key_material_id, seal_version, seal, manifest
             FROM keys ",
            $rest
        )
    };
}

/// Every key's identity and sequence.
pub(crate) const SEQUENCES: &str = "SELECT region, key_id, sequence FROM keys";
pub(crate) const ALL: &str = select!("");
pub(crate) const ONE: &str = select!("WHERE region = ?1 AND key_id = ?2");
const PAGE: &str =
    select!("WHERE account = ?1 AND region = ?2 AND key_id > ?3 ORDER BY key_id LIMIT ?4");
const COUNT: &str = "SELECT count(*) FROM keys WHERE account = ?1 AND region = ?2";
const DUE: &str = "
    SELECT region, key_id FROM keys
    WHERE deletion_date_nanos IS NOT NULL AND deletion_date_nanos <= ?1
    ORDER BY deletion_date_nanos LIMIT ?2";
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

impl KeyRow {
    pub(crate) fn identity_values(&self) -> Vec<Value> {
        Values::new().text(self.region.as_str()).text(self.key_id.as_str()).finish()
    }

    fn values(&self, sequence: u64) -> Result<Vec<Value>> {
        let values = Values::new()
            .text(self.region.as_str())
            .text(self.key_id.as_str())
            .text(self.account.as_str())
            .number(sequence)?
            .text(self.key_spec.as_str())
            .text(self.key_usage.as_str())
            .text(self.origin.as_str())
            .text(self.key_manager.as_str())
            .flag(self.multi_region)
            .text(self.state.as_str())
            .text(&self.description)
            .instant(self.created)?
            .optional_instant(self.deletion_date)?
            .optional_small(self.pending_window_days.map(u32::from))
            .optional_bytes(
                self.current_key_material_id.as_ref().map(|id| id.as_bytes().as_slice()),
            );
        Ok(values.finish())
    }

    fn read(columns: &mut Columns<'_>) -> Result<KeyRow> {
        let (region, key_id, account) = (columns.parse()?, columns.parse()?, columns.parse()?);
        Ok(KeyRow {
            account,
            region,
            key_id,
            sequence: columns.number()?,
            key_spec: columns.parse()?,
            key_usage: columns.parse()?,
            origin: columns.parse()?,
            key_manager: columns.parse()?,
            multi_region: columns.flag()?,
            state: columns.parse()?,
            description: columns.text()?,
            created: columns.instant()?,
            deletion_date: columns.optional_instant()?,
            pending_window_days: columns.optional_number()?,
            current_key_material_id: columns.optional_array()?.map(KeyMaterialId::from_bytes),
        })
    }

    fn aggregate(&self) -> Aggregate {
        Aggregate::key(self.region, self.key_id)
    }
}

/// A key's rows as they stand in the database, verified.
struct StoredKey {
    key: KeyRow,
    materials: Vec<Stored<MaterialRow>>,
    policies: Vec<Stored<KeyPolicyRow>>,
    aliases: Vec<Stored<AliasRow>>,
    tags: Vec<Stored<TagRow>>,
}

impl Snapshot<'_> {
    /// The key with all its rows, each seal and the manifest checked.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`] if any of its rows is not as this deployment left it, is missing or is
    /// one too many.
    pub fn key(&self, region: Region, key_id: KeyId) -> Result<Option<KeyRecord>> {
        let Some(mut stored) = self.stored_key(region, key_id)? else { return Ok(None) };
        let policy = stored.policies.pop().map(|policy| policy.row);
        let policy = policy.ok_or_else(|| refuse(region, key_id, "the key has no policy"))?;
        Ok(Some(KeyRecord {
            key: stored.key,
            materials: aggregate::rows(stored.materials),
            policy,
            aliases: aggregate::rows(stored.aliases),
            tags: aggregate::rows(stored.tags),
        }))
    }

    /// The keys of an account in a Region by id, from the one after `after`, each key row's own
    /// seal checked. For a decision about a key load it whole with [`key`](Snapshot::key).
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`] if a row is not as this deployment left it.
    pub fn keys_page(
        &self,
        account: AccountId,
        region: Region,
        after: Option<KeyId>,
        limit: u32,
    ) -> Result<Vec<KeyRow>> {
        let mut statement = self.connection().prepare_cached(PAGE)?;
        let after = after.as_ref().map_or("", KeyId::as_str);
        let mut rows = statement.query(params![account.as_str(), region.as_str(), after, limit])?;
        let mut keys = Vec::new();
        while let Some(row) = rows.next()? {
            Seal::check_row(self.seal_keys(), &KEYS, row)?;
            keys.push(KeyRow::read(&mut Columns::new(&KEYS, row))?);
        }
        Ok(keys)
    }

    /// How many keys an account has in a Region, in any state. Walks an index: about 10 milliseconds at
    /// 100,000 keys. In a transaction the writer's memory answers.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`] if the database cannot be read.
    pub fn count_keys(&self, account: AccountId, region: Region) -> Result<u64> {
        count(self.connection(), COUNT, [account.as_str(), region.as_str()])
    }

    /// Keys whose deletion date is not after `now`, the longest due first. These are hints only:
    /// whoever deletes loads the key, which is verified, and looks at its date.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`] if the database cannot be read.
    pub fn keys_due(&self, now: Timestamp, limit: u32) -> Result<Vec<(Region, KeyId)>> {
        let mut statement = self.connection().prepare_cached(DUE)?;
        let mut rows = statement.query(params![nanos(now)?, limit])?;
        let mut due = Vec::new();
        while let Some(row) = rows.next()? {
            let mut columns = Columns::new(&KEYS, row);
            due.push((columns.parse()?, columns.parse()?));
        }
        Ok(due)
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
        let stored = StoredKey {
            key,
            materials: aggregate::load(connection, keys, &identity, &mut manifest)?,
            policies: aggregate::load(connection, keys, &identity, &mut manifest)?,
            aliases: aggregate::load(connection, keys, &identity, &mut manifest)?,
            tags: aggregate::load(connection, keys, &identity, &mut manifest)?,
        };
        if !manifest.check(keys, seal.version, &manifest_tag) {
            return Err(refuse(region, key_id, "the key's rows do not fit its manifest"));
        }
        self.check_newest(stored.key.aggregate(), Some(stored.key.sequence))
            .map_err(|why| refuse(region, key_id, why))?;
        Ok(Some(stored))
    }

    /// A key is deleted with all its rows: rows without a key are the remains of a theft.
    fn refuse_orphans(&self, region: Region, key_id: KeyId) -> Result<()> {
        let connection = self.connection();
        let identity: [&dyn ToSql; 2] = [&region.as_str(), &key_id.as_str()];
        let any = aggregate::exists::<KeyPolicyRow>(connection, &identity)?
            || aggregate::exists::<MaterialRow>(connection, &identity)?
            || aggregate::exists::<AliasRow>(connection, &identity)?
            || aggregate::exists::<TagRow>(connection, &identity)?;
        if any {
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
    /// To move an alias from one key to another, save the key that loses it first.
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
        let is_new = stored.is_none();
        let stored = stored.unwrap_or_else(|| StoredKey::without_rows(key));
        if stored.key.account != key.account {
            return Err(conflict(key));
        }
        let sequence = self.next_sequence();

        let materials = self.plan(key, sequence, &stored.materials, &record.materials)?;
        let policy = [record.policy.clone()];
        let policies = self.plan(key, sequence, &stored.policies, &policy)?;
        let aliases = self.plan(key, sequence, &stored.aliases, &record.aliases)?;
        let tags = self.plan(key, sequence, &stored.tags, &record.tags)?;

        let mut values = key.values(sequence)?;
        let seal = Seal::of_row(self.seal_keys(), &KEYS, &values);
        let mut manifest = Manifest::new(&KEYS, &[key.region.as_str(), key.key_id.as_str()], &seal);
        materials.list(&mut manifest);
        policies.list(&mut manifest);
        aliases.list(&mut manifest);
        tags.list(&mut manifest);
        values.extend(seal.values());
        values.push(Value::Blob(manifest.tag(self.seal_keys()).to_vec()));

        self.all_or_nothing(|transaction| {
            let connection = transaction.connection();
            connection.prepare_cached(SAVE)?.execute(params_from_iter(values))?;
            materials.write(connection)?;
            policies.write(connection)?;
            aliases.write(connection)?;
            tags.write(connection)?;
            transaction.tell_key(key, aliases.touched())
        })?;
        if is_new {
            self.count_key(key.account, key.region, 1);
        }
        self.account_for(
            key.aggregate(),
            (&KEYS, &[key.region.as_str(), key.key_id.as_str()]),
            (!is_new).then_some(key.sequence),
            (sequence, true),
        );
        Ok(sequence)
    }

    /// Deletes a key with all its rows; false if there is none.
    ///
    /// Freed pages are overwritten with zeros (`secure_delete`), and after the commit the
    /// write-ahead log is emptied, so that the wrapped material remains in neither. What the file
    /// system or the disk keep of freed blocks is out of reach here: those bytes are wrapped, and
    /// useless once custody has destroyed what wraps them.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`] if the key was tampered with.
    pub fn delete_key(&mut self, region: Region, key_id: KeyId) -> Result<bool> {
        let Some(stored) = self.stored_key(region, key_id)? else { return Ok(false) };
        let key = &stored.key;
        let sequence = self.next_sequence();
        let aliases = self.plan(key, sequence, &stored.aliases, &[])?;
        let materials = self.plan(key, sequence, &stored.materials, &[])?;
        let policies = self.plan(key, sequence, &stored.policies, &[])?;
        let tags = self.plan(key, sequence, &stored.tags, &[])?;
        self.all_or_nothing(|transaction| {
            let connection = transaction.connection();
            materials.write(connection)?;
            policies.write(connection)?;
            aliases.write(connection)?;
            tags.write(connection)?;
            let identity = [region.as_str(), key_id.as_str()];
            connection.prepare_cached(DELETE)?.execute(identity)?;
            transaction.tell_key(key, aliases.touched())
        })?;
        self.count_key(key.account, region, -1);
        self.account_for(
            key.aggregate(),
            (&KEYS, &[key.region.as_str(), key.key_id.as_str()]),
            Some(key.sequence),
            (sequence, false),
        );
        self.wipe_after_commit();
        Ok(true)
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

impl StoredKey {
    /// What is stored of a key that is new.
    fn without_rows(key: &KeyRow) -> StoredKey {
        StoredKey {
            key: key.clone(),
            materials: Vec::new(),
            policies: Vec::new(),
            aliases: Vec::new(),
            tags: Vec::new(),
        }
    }
}

fn conflict(key: &KeyRow) -> StoreError {
    StoreError::Conflict { table: KEYS.name, identity: format!("{}/{}", key.region, key.key_id) }
}
