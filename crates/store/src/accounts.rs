//! The account aggregate: the account's own row, its access keys and alias, what became of its service-linked roles'
//! deletions, and the system account's AWS owned keys.

use crypto::seal::{SEAL_BYTES, SealKeys};
use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row, ToSql, params_from_iter};
use wire::names::AccountId;

use crate::access_keys::AccessKeyRow;
use crate::account_aliases::AccountAliasRow;
use crate::aggregate::{self, Stored};
use crate::caller_usages::{self, CallerKind};
use crate::change::Change;
use crate::columns::{Columns, Values};
use crate::error::{Result, StoreError};
use crate::identity_rows::USER_ACCESS_KEYS;
use crate::owned_key_materials::{self, OwnedKeyMaterialRow};
use crate::role_deletions::RoleDeletionRow;
use crate::schema::SealedTable;
use crate::seal::{Manifest, Seal};
use crate::sequences::Aggregate;
use crate::snapshot::Snapshot;
use crate::transaction::Transaction;

/// An account with all its rows; loaded, verified and saved whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRecord {
    /// The account itself.
    pub account: AccountRow,
    /// Its access keys, by id.
    pub access_keys: Vec<AccessKeyRow>,
    /// The material of AWS owned keys; the system account has it, and no other.
    pub owned_keys: Vec<OwnedKeyMaterialRow>,
    /// Its alias, if it has one; the store would keep more.
    pub aliases: Vec<AccountAliasRow>,
    /// The newest deletions of its service-linked roles, by id.
    pub role_deletions: Vec<RoleDeletionRow>,
}

/// The account itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    /// The account's number.
    pub account: AccountId,
    /// The number of the newest change of the account or any of its rows; 0 before the first save.
    /// Set by the store, which refuses to save a record that was not built on the newest one.
    pub sequence: u64,
    /// When the account was made.
    pub created: Timestamp,
}

pub(crate) const ACCOUNTS: SealedTable =
    SealedTable { name: "accounts", schema_version: 1, identity_columns: 1, sealed_columns: 3 };

/// The column after the sealed ones and the seal.
const MANIFEST_COLUMN: usize = 5;

/// The columns of every SELECT below.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT account, sequence, created_nanos, seal_version, seal, manifest FROM accounts ",
            $rest
        )
    };
}

/// Every account's number and sequence.
pub(crate) const SEQUENCES: &str = "SELECT account, sequence FROM accounts";
pub(crate) const ONE: &str = select!("WHERE account = ?1");
pub(crate) const ALL: &str = select!("ORDER BY account");
const SAVE: &str = "
    INSERT INTO accounts (account, sequence, created_nanos, seal_version, seal, manifest)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (account) DO UPDATE SET
      sequence = excluded.sequence, created_nanos = excluded.created_nanos,
      seal_version = excluded.seal_version, seal = excluded.seal, manifest = excluded.manifest";

/// An account's rows as they stand in the database, verified.
struct StoredAccount {
    account: AccountRow,
    access_keys: Vec<Stored<AccessKeyRow>>,
    owned_keys: Vec<Stored<OwnedKeyMaterialRow>>,
    aliases: Vec<Stored<AccountAliasRow>>,
    role_deletions: Vec<Stored<RoleDeletionRow>>,
}

impl AccountRow {
    fn values(&self, sequence: u64) -> Result<Vec<Value>> {
        let values = Values::new().text(self.account.as_str());
        Ok(values.number(sequence)?.instant(self.created)?.finish())
    }

    fn read(columns: &mut Columns<'_>) -> Result<AccountRow> {
        Ok(AccountRow {
            account: columns.parse()?,
            sequence: columns.number()?,
            created: columns.instant()?,
        })
    }
}

impl Snapshot<'_> {
    /// The account with all its rows, each seal and the manifest checked.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`] if any of its rows is not as this deployment left it, is missing or is
    /// one too many.
    pub fn account(&self, account: AccountId) -> Result<Option<AccountRecord>> {
        let stored = self.stored_account(account)?;
        Ok(stored.map(|stored| AccountRecord {
            account: stored.account,
            access_keys: aggregate::rows(stored.access_keys),
            owned_keys: aggregate::rows(stored.owned_keys),
            aliases: aggregate::rows(stored.aliases),
            role_deletions: aggregate::rows(stored.role_deletions),
        }))
    }

    /// All accounts by number, each account row's own seal checked.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`] if a row is not as this deployment left it.
    pub fn accounts(&self) -> Result<Vec<AccountRow>> {
        let mut statement = self.connection().prepare_cached(ALL)?;
        let mut rows = statement.query([])?;
        let mut accounts = Vec::new();
        while let Some(row) = rows.next()? {
            accounts.push(read_root(self.seal_keys(), row)?.0);
        }
        Ok(accounts)
    }

    fn stored_account(&self, account: AccountId) -> Result<Option<StoredAccount>> {
        let (connection, keys) = (self.connection(), self.seal_keys());
        let identity: [&dyn ToSql; 1] = [&account.as_str()];
        let root = connection
            .prepare_cached(ONE)?
            .query_row(identity.as_slice(), |row| Ok(read_root(keys, row)))
            .optional()?
            .transpose()?;
        let Some((row, seal, manifest_tag)) = root else {
            if aggregate::exists::<AccessKeyRow>(connection, &identity)?
                || aggregate::exists::<OwnedKeyMaterialRow>(connection, &identity)?
                || aggregate::exists::<AccountAliasRow>(connection, &identity)?
                || aggregate::exists::<RoleDeletionRow>(connection, &identity)?
            {
                return Err(refuse(account, "rows of the account stand without it"));
            }
            self.check_newest(Aggregate::account(account), None)
                .map_err(|why| refuse(account, why))?;
            return Ok(None);
        };
        let mut manifest = Manifest::new(&ACCOUNTS, &[account.as_str()], &seal);
        let access_keys = aggregate::load(connection, keys, &identity, &mut manifest)?;
        let owned_keys = aggregate::load(connection, keys, &identity, &mut manifest)?;
        let aliases = aggregate::load(connection, keys, &identity, &mut manifest)?;
        let role_deletions = aggregate::load(connection, keys, &identity, &mut manifest)?;
        if !manifest.check(keys, seal.version, &manifest_tag) {
            return Err(refuse(account, "the account's rows do not fit its manifest"));
        }
        self.check_newest(Aggregate::account(account), Some(row.sequence))
            .map_err(|why| refuse(account, why))?;
        Ok(Some(StoredAccount { account: row, access_keys, owned_keys, aliases, role_deletions }))
    }
}

fn read_root(keys: &SealKeys, row: &Row<'_>) -> Result<(AccountRow, Seal, [u8; SEAL_BYTES])> {
    let seal = Seal::check_row(keys, &ACCOUNTS, row)?;
    let mut columns = Columns::new(&ACCOUNTS, row);
    let account = AccountRow::read(&mut columns)?;
    let manifest_tag = row.get_ref(MANIFEST_COLUMN)?.as_blob().ok();
    let manifest_tag = manifest_tag.and_then(|tag| tag.try_into().ok());
    let manifest_tag =
        manifest_tag.ok_or_else(|| refuse(account.account, "the account's manifest is not one"))?;
    Ok((account, seal, manifest_tag))
}

fn refuse(account: AccountId, why: &'static str) -> StoreError {
    StoreError::Seal { table: ACCOUNTS.name, identity: account.to_string(), why }
}

impl Transaction<'_> {
    /// Makes or updates an account: writes the rows that differ, seals them and lists all of them
    /// in the manifest. Returns the account's new sequence.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] if the record's sequence is not the stored one (0 for a new
    /// account), if an access key is another account's or a user's, if what wraps its secret was
    /// destroyed, or if the alias is another account's; [`StoreError::Seal`] if what is stored was tampered with: it is not sealed over.
    pub fn save_account(&mut self, record: &AccountRecord) -> Result<u64> {
        let row = &record.account;
        let stored = self.stored_account(row.account)?;
        let stored_sequence = stored.as_ref().map_or(0, |stored| stored.account.sequence);
        let (stored_keys, stored_owned, stored_aliases, stored_deletions) = stored
            .map_or_else(Default::default, |stored| {
                (stored.access_keys, stored.owned_keys, stored.aliases, stored.role_deletions)
            });
        if stored_sequence != row.sequence {
            let identity = row.account.to_string();
            return Err(StoreError::Conflict { table: ACCOUNTS.name, identity });
        }
        for access_key in &record.access_keys {
            if self.is_user_access_key(&access_key.access_key_id)? {
                let identity = access_key.access_key_id.clone();
                return Err(StoreError::Conflict { table: USER_ACCESS_KEYS.name, identity });
            }
        }
        let wrapping_versions = record.access_keys.iter().map(|row| row.domain_key_version);
        owned_key_materials::refuse_destroyed(self.connection(), wrapping_versions)?;
        let sequence = self.next_sequence();
        let access_keys = self.plan(row, sequence, &stored_keys, &record.access_keys)?;
        let owned_keys = self.plan(row, sequence, &stored_owned, &record.owned_keys)?;
        let aliases = self.plan(row, sequence, &stored_aliases, &record.aliases)?;
        let role_deletions = self.plan(row, sequence, &stored_deletions, &record.role_deletions)?;

        let mut values = row.values(sequence)?;
        let seal = Seal::of_row(self.seal_keys(), &ACCOUNTS, &values);
        let mut manifest = Manifest::new(&ACCOUNTS, &[row.account.as_str()], &seal);
        access_keys.list(&mut manifest);
        owned_keys.list(&mut manifest);
        aliases.list(&mut manifest);
        role_deletions.list(&mut manifest);
        values.extend(seal.values());
        values.push(Value::Blob(manifest.tag(self.seal_keys()).to_vec()));
        self.all_or_nothing(|transaction| {
            let connection = transaction.connection();
            connection.prepare_cached(SAVE)?.execute(params_from_iter(values))?;
            access_keys.write(connection)?;
            owned_keys.write(connection)?;
            aliases.write(connection)?;
            role_deletions.write(connection)?;
            transaction.tell(Change::Account { account: row.account })?;
            for access_key in access_keys.touched() {
                let access_key_id = access_key.access_key_id.clone();
                if !record.access_keys.iter().any(|kept| kept.access_key_id == access_key_id) {
                    let kind = CallerKind::AccessKey;
                    caller_usages::delete(connection, row.account, kind, &access_key_id)?;
                }
                transaction.tell(Change::AccessKey { access_key_id })?;
            }
            Ok(())
        })?;
        let aggregate = Aggregate::account(row.account);
        let old = (stored_sequence > 0).then_some(stored_sequence);
        self.account_for(aggregate, (&ACCOUNTS, &[row.account.as_str()]), old, (sequence, true));
        if stored_owned.iter().any(|stored| !record.owned_keys.contains(&stored.row)) {
            self.wipe_after_commit()?;
        }
        Ok(sequence)
    }
}
