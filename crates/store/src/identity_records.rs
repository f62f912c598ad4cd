//! The identity aggregate: a user, group, role, managed policy or OIDC provider with all rows that
//! belong to it, loaded and saved as one.

use crypto::seal::{SEAL_BYTES, SealKeys};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params_from_iter};
use wire::names::AccountId;

use crate::access_keys;
use crate::aggregate::{self, Plan, Stored};
use crate::caller_usages::{self, CallerKind};
use crate::change::Change;
use crate::columns::Columns;
use crate::error::{Result, StoreError};
use crate::identities::{IDENTITIES, IdentityRow, ONE, refuse};
use crate::identity_rows::{
    AttachmentRow, IdentityPolicyRow, IdentityTagRow, MembershipRow, UserAccessKeyRow,
};
use crate::oidc_provider_rows::{ClientIdRow, ThumbprintRow};
use crate::owned_key_materials;
use crate::seal::{Manifest, Seal};
use crate::sequences::Aggregate;
use crate::snapshot::Snapshot;
use crate::transaction::Transaction;

/// An identity with all its rows; loaded, verified and saved whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityRecord {
    /// The identity itself.
    pub identity: IdentityRow,
    /// Its inline policies by name, or the versions of a managed policy.
    pub policies: Vec<IdentityPolicyRow>,
    /// The managed policies attached to it, by ARN.
    pub attachments: Vec<AttachmentRow>,
    /// The groups that a user is in, by unique id.
    pub memberships: Vec<MembershipRow>,
    /// Its tags, by key.
    pub tags: Vec<IdentityTagRow>,
    /// The access keys of a user, by id.
    pub access_keys: Vec<UserAccessKeyRow>,
    /// The audiences that an OIDC provider may name.
    pub client_ids: Vec<ClientIdRow>,
    /// The certificate thumbprints of an OIDC provider.
    pub thumbprints: Vec<ThumbprintRow>,
}

/// The column after the sealed ones and the seal.
const MANIFEST_COLUMN: usize = 15;

const SAVE: &str = "
    INSERT INTO identities (account, identity_id, kind, sequence, name, path, created_nanos,
      updated_nanos, description, permissions_boundary, assume_role_policy, max_session_seconds,
      versions_made, seal_version, seal, manifest)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
    ON CONFLICT (account, identity_id) DO UPDATE SET
      kind = excluded.kind, sequence = excluded.sequence, name = excluded.name,
      path = excluded.path, created_nanos = excluded.created_nanos,
      updated_nanos = excluded.updated_nanos, description = excluded.description,
      permissions_boundary = excluded.permissions_boundary,
      assume_role_policy = excluded.assume_role_policy,
      max_session_seconds = excluded.max_session_seconds,
      versions_made = excluded.versions_made,
      seal_version = excluded.seal_version, seal = excluded.seal, manifest = excluded.manifest";
const DELETE: &str = "DELETE FROM identities WHERE account = ?1 AND identity_id = ?2";
const IS_ACCESS_KEY: &str = "SELECT 1 FROM user_access_keys WHERE access_key_id = ?1";

/// An identity's rows as they stand in the database, verified.
struct StoredIdentity {
    identity: IdentityRow,
    rows: StoredRows,
}

/// The rows that belong to an identity, as they stand.
#[derive(Default)]
struct StoredRows {
    policies: Vec<Stored<IdentityPolicyRow>>,
    attachments: Vec<Stored<AttachmentRow>>,
    memberships: Vec<Stored<MembershipRow>>,
    tags: Vec<Stored<IdentityTagRow>>,
    access_keys: Vec<Stored<UserAccessKeyRow>>,
    client_ids: Vec<Stored<ClientIdRow>>,
    thumbprints: Vec<Stored<ThumbprintRow>>,
}

/// The rows that shall belong to an identity; none of any kind if it is to be deleted.
#[derive(Default)]
struct WantedRows<'r> {
    policies: &'r [IdentityPolicyRow],
    attachments: &'r [AttachmentRow],
    memberships: &'r [MembershipRow],
    tags: &'r [IdentityTagRow],
    access_keys: &'r [UserAccessKeyRow],
    client_ids: &'r [ClientIdRow],
    thumbprints: &'r [ThumbprintRow],
}

/// What must be written so that the ones become the others.
struct RowPlans<'r> {
    policies: Plan<'r, IdentityPolicyRow>,
    attachments: Plan<'r, AttachmentRow>,
    memberships: Plan<'r, MembershipRow>,
    tags: Plan<'r, IdentityTagRow>,
    access_keys: Plan<'r, UserAccessKeyRow>,
    client_ids: Plan<'r, ClientIdRow>,
    thumbprints: Plan<'r, ThumbprintRow>,
}

impl Snapshot<'_> {
    /// The identity with all its rows, each seal and the manifest checked.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`] if any of its rows is not as this deployment left it, is missing or is
    /// one too many.
    pub fn identity(
        &self,
        account: AccountId,
        identity_id: &str,
    ) -> Result<Option<IdentityRecord>> {
        let stored = self.stored_identity(account, identity_id)?;
        Ok(stored.map(|StoredIdentity { identity, rows }| IdentityRecord {
            identity,
            policies: aggregate::rows(rows.policies),
            attachments: aggregate::rows(rows.attachments),
            memberships: aggregate::rows(rows.memberships),
            tags: aggregate::rows(rows.tags),
            access_keys: aggregate::rows(rows.access_keys),
            client_ids: aggregate::rows(rows.client_ids),
            thumbprints: aggregate::rows(rows.thumbprints),
        }))
    }

    /// True if a user has an access key of that id. Unverified: a stranger who adds such a row can
    /// keep an id from being given, and nothing else.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`] if the database cannot be read.
    pub fn is_user_access_key(&self, access_key_id: &str) -> Result<bool> {
        Ok(self.connection().prepare_cached(IS_ACCESS_KEY)?.exists([access_key_id])?)
    }

    fn stored_identity(
        &self,
        account: AccountId,
        identity_id: &str,
    ) -> Result<Option<StoredIdentity>> {
        let (connection, keys) = (self.connection(), self.seal_keys());
        let owner_key: [&dyn ToSql; 2] = [&account.as_str(), &identity_id];
        let root = connection
            .prepare_cached(ONE)?
            .query_row(owner_key.as_slice(), |row| Ok(read_root(keys, row)))
            .optional()?
            .transpose()?;
        let Some((identity, seal, manifest_tag)) = root else {
            if StoredRows::exist(connection, &owner_key)? {
                return Err(refuse(account, identity_id, "rows of the identity stand without it"));
            }
            self.check_newest(Aggregate::identity(account, identity_id), None)
                .map_err(|why| refuse(account, identity_id, why))?;
            return Ok(None);
        };
        let mut manifest = Manifest::new(&IDENTITIES, &[account.as_str(), identity_id], &seal);
        let rows = StoredRows::load(connection, keys, &owner_key, &mut manifest)?;
        if !manifest.check(keys, seal.version, &manifest_tag) {
            let why = "the identity's rows do not fit its manifest";
            return Err(refuse(account, identity_id, why));
        }
        self.check_newest(identity.aggregate(), Some(identity.sequence))
            .map_err(|why| refuse(account, identity_id, why))?;
        Ok(Some(StoredIdentity { identity, rows }))
    }
}

fn read_root(keys: &SealKeys, row: &Row<'_>) -> Result<(IdentityRow, Seal, [u8; SEAL_BYTES])> {
    let seal = Seal::check_row(keys, &IDENTITIES, row)?;
    let identity = IdentityRow::read(&mut Columns::new(&IDENTITIES, row))?;
    let manifest_tag = row.get_ref(MANIFEST_COLUMN)?.as_blob().ok();
    let manifest_tag = manifest_tag.and_then(|tag| tag.try_into().ok()).ok_or_else(|| {
        refuse(identity.account, &identity.identity_id, "the identity's manifest is not one")
    })?;
    Ok((identity, seal, manifest_tag))
}

impl Transaction<'_> {
    /// Makes or updates an identity: writes the rows that differ, seals them and lists all of them
    /// in the manifest. Returns the identity's new sequence.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] if the record's sequence is not the stored one (0 for a new
    /// identity), if its name is another's of that kind, or if an access key id is another's, a root
    /// user's included, or if what wraps a secret was destroyed; [`StoreError::Seal`] if what is stored was tampered with: it is not sealed
    /// over.
    pub fn save_identity(&mut self, record: &IdentityRecord) -> Result<u64> {
        let row = &record.identity;
        let stored = self.stored_identity(row.account, &row.identity_id)?;
        if stored.as_ref().map_or(0, |stored| stored.identity.sequence) != row.sequence {
            return Err(conflict(row));
        }
        if stored.as_ref().is_some_and(|stored| stored.identity.kind != row.kind) {
            return Err(conflict(row));
        }
        let named = self.identity_named(row.account, row.kind, &row.name)?;
        if named.is_some_and(|identity_id| identity_id != row.identity_id) {
            return Err(conflict(row));
        }
        self.refuse_taken_access_keys(record)?;
        let wrapping_versions = record.access_keys.iter().map(|row| row.domain_key_version);
        owned_key_materials::refuse_destroyed(self.connection(), wrapping_versions)?;
        let is_new = stored.is_none();
        let stored = stored.map(|stored| stored.rows).unwrap_or_default();
        let sequence = self.next_sequence();
        let plans = self.plan_identity(row, sequence, &stored, &WantedRows::of(record))?;

        let mut values = row.values(sequence)?;
        let seal = Seal::of_row(self.seal_keys(), &IDENTITIES, &values);
        let name = [row.account.as_str(), row.identity_id.as_str()];
        let mut manifest = Manifest::new(&IDENTITIES, &name, &seal);
        plans.list(&mut manifest);
        values.extend(seal.values());
        values.push(Value::Blob(manifest.tag(self.seal_keys()).to_vec()));

        self.all_or_nothing(|transaction| {
            let connection = transaction.connection();
            connection.prepare_cached(SAVE)?.execute(params_from_iter(values))?;
            plans.write(connection)?;
            plans.delete_usages(connection, row.account, &record.access_keys)?;
            transaction.tell_identity(row, plans.access_keys.touched())
        })?;
        let old = (!is_new).then_some(row.sequence);
        self.account_for(row.aggregate(), (&IDENTITIES, &name), old, (sequence, true));
        Ok(sequence)
    }

    /// Deletes an identity with all its rows; false if there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`] if the identity was tampered with.
    pub fn delete_identity(&mut self, account: AccountId, identity_id: &str) -> Result<bool> {
        let Some(StoredIdentity { identity, rows }) = self.stored_identity(account, identity_id)?
        else {
            return Ok(false);
        };
        let sequence = self.next_sequence();
        let plans = self.plan_identity(&identity, sequence, &rows, &WantedRows::default())?;
        let name = [account.as_str(), identity_id];
        self.all_or_nothing(|transaction| {
            let connection = transaction.connection();
            plans.write(connection)?;
            plans.delete_usages(connection, account, &[])?;
            caller_usages::delete(connection, account, CallerKind::Role, identity_id)?;
            connection.prepare_cached(DELETE)?.execute(name)?;
            transaction.tell_identity(&identity, plans.access_keys.touched())
        })?;
        let old = Some(identity.sequence);
        self.account_for(identity.aggregate(), (&IDENTITIES, &name), old, (sequence, false));
        Ok(true)
    }

    /// One access key id stands for one caller: root users' are kept in another table, whose index
    /// does not know of these.
    fn refuse_taken_access_keys(&self, record: &IdentityRecord) -> Result<()> {
        for row in &record.access_keys {
            if access_keys::is_root_access_key(self.connection(), &row.access_key_id)? {
                let identity = row.access_key_id.clone();
                return Err(StoreError::Conflict {
                    table: access_keys::ACCESS_KEYS.name,
                    identity,
                });
            }
        }
        Ok(())
    }

    fn plan_identity<'r>(
        &self,
        identity: &'r IdentityRow,
        sequence: u64,
        stored: &'r StoredRows,
        wanted: &WantedRows<'r>,
    ) -> Result<RowPlans<'r>> {
        Ok(RowPlans {
            policies: self.plan(identity, sequence, &stored.policies, wanted.policies)?,
            attachments: self.plan(identity, sequence, &stored.attachments, wanted.attachments)?,
            memberships: self.plan(identity, sequence, &stored.memberships, wanted.memberships)?,
            tags: self.plan(identity, sequence, &stored.tags, wanted.tags)?,
            access_keys: self.plan(identity, sequence, &stored.access_keys, wanted.access_keys)?,
            client_ids: self.plan(identity, sequence, &stored.client_ids, wanted.client_ids)?,
            thumbprints: self.plan(identity, sequence, &stored.thumbprints, wanted.thumbprints)?,
        })
    }

    /// Appends the change of an identity, whose number is the identity's new sequence, and those of
    /// its access keys.
    fn tell_identity<'r>(
        &mut self,
        identity: &IdentityRow,
        access_keys: impl Iterator<Item = &'r UserAccessKeyRow>,
    ) -> Result<()> {
        let identity_id = identity.identity_id.clone();
        self.tell(Change::Identity { account: identity.account, identity_id })?;
        for row in access_keys {
            self.tell(Change::AccessKey { access_key_id: row.access_key_id.clone() })?;
        }
        Ok(())
    }
}

impl StoredRows {
    /// Loads the rows of an identity and lists them in its manifest; `RowPlans::list` keeps the same
    /// order.
    fn load(
        connection: &Connection,
        keys: &SealKeys,
        owner_key: &[&dyn ToSql],
        manifest: &mut Manifest,
    ) -> Result<StoredRows> {
        Ok(StoredRows {
            policies: aggregate::load(connection, keys, owner_key, manifest)?,
            attachments: aggregate::load(connection, keys, owner_key, manifest)?,
            memberships: aggregate::load(connection, keys, owner_key, manifest)?,
            tags: aggregate::load(connection, keys, owner_key, manifest)?,
            access_keys: aggregate::load(connection, keys, owner_key, manifest)?,
            client_ids: aggregate::load(connection, keys, owner_key, manifest)?,
            thumbprints: aggregate::load(connection, keys, owner_key, manifest)?,
        })
    }

    /// True if there is a row of any kind.
    fn exist(connection: &Connection, owner_key: &[&dyn ToSql]) -> Result<bool> {
        Ok(aggregate::exists::<IdentityPolicyRow>(connection, owner_key)?
            || aggregate::exists::<AttachmentRow>(connection, owner_key)?
            || aggregate::exists::<MembershipRow>(connection, owner_key)?
            || aggregate::exists::<IdentityTagRow>(connection, owner_key)?
            || aggregate::exists::<UserAccessKeyRow>(connection, owner_key)?
            || aggregate::exists::<ClientIdRow>(connection, owner_key)?
            || aggregate::exists::<ThumbprintRow>(connection, owner_key)?)
    }
}

impl<'r> WantedRows<'r> {
    fn of(record: &'r IdentityRecord) -> WantedRows<'r> {
        WantedRows {
            policies: &record.policies,
            attachments: &record.attachments,
            memberships: &record.memberships,
            tags: &record.tags,
            access_keys: &record.access_keys,
            client_ids: &record.client_ids,
            thumbprints: &record.thumbprints,
        }
    }
}

impl RowPlans<'_> {
    fn list(&self, manifest: &mut Manifest) {
        self.policies.list(manifest);
        self.attachments.list(manifest);
        self.memberships.list(manifest);
        self.tags.list(manifest);
        self.access_keys.list(manifest);
        self.client_ids.list(manifest);
        self.thumbprints.list(manifest);
    }

    fn write(&self, connection: &Connection) -> Result<()> {
        self.policies.write(connection)?;
        self.attachments.write(connection)?;
        self.memberships.write(connection)?;
        self.tags.write(connection)?;
        self.access_keys.write(connection)?;
        self.client_ids.write(connection)?;
        self.thumbprints.write(connection)
    }

    /// Deletes the last uses of the access keys that are not kept.
    fn delete_usages(
        &self,
        connection: &Connection,
        account: AccountId,
        kept: &[UserAccessKeyRow],
    ) -> Result<()> {
        let is_kept =
            |access_key_id: &str| kept.iter().any(|row| row.access_key_id == access_key_id);
        for row in self.access_keys.touched().filter(|row| !is_kept(&row.access_key_id)) {
            let kind = CallerKind::AccessKey;
            caller_usages::delete(connection, account, kind, &row.access_key_id)?;
        }
        Ok(())
    }
}

fn conflict(row: &IdentityRow) -> StoreError {
    let identity = format!("{}/{}", row.account, row.identity_id);
    StoreError::Conflict { table: IDENTITIES.name, identity }
}
