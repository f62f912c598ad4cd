//! Rows of grants: permissions that were given one by one, many for a key.
//!
//! A key may have tens of thousands of grants, so they are no rows of the key's aggregate, which is
//! loaded and saved whole. Each grant is an aggregate of its own that is made and deleted and never
//! changed: the head proves which grants there are, and the [sequences](crate::sequences) refuse one
//! that was edited, put back or added. They also know how many grants a key has, and each grantee of
//! it, so that one that is missing among them is noticed.

use crypto::seal::SealKeys;
use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, Params, Row, params, params_from_iter};
use wire::enums::GrantOperation;
use wire::names::{AccountId, GrantId, KeyId, Region};

use crate::change::Change;
use crate::columns::{Columns, Values, count};
use crate::error::{Result, StoreError};
use crate::schema::SealedTable;
use crate::seal::{self, Seal};
use crate::sequences::Aggregate;
use crate::snapshot::Snapshot;
use crate::transaction::{Counted, Transaction};

/// A grant, as it is kept. It never changes but for the names of its principals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantRow {
    /// The Region of the key.
    pub region: Region,
    /// The key.
    pub key_id: KeyId,
    /// The id of the grant, unique among the key's grants.
    pub grant_id: GrantId,
    /// The ARN of the principal that has the permissions, or the name of the service; of a deleted
    /// principal its unique id.
    pub grantee: String,
    /// The same of the principal that may retire the grant.
    pub retiring: Option<String>,
    /// The account that made the grant.
    pub issuing_account: AccountId,
    /// The name by which a repeated request finds the grant again, empty if none was given.
    pub name: String,
    /// What the grantee may do, in the order of the request.
    pub operations: Vec<GrantOperation>,
    /// What the grantee's requests must fulfil, as a text of the service; empty for nothing.
    pub constraints: String,
    /// When the grant was made.
    pub created: Timestamp,
}

pub(crate) const GRANTS: SealedTable =
    SealedTable { name: "grants", schema_version: 3, identity_columns: 3, sealed_columns: 11 };

/// What stands between two operations in their column.
const SEPARATOR: &str = ",";

/// The columns of every SELECT of whole rows below.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT region, key_id, grant_id, sequence, grantee, retiring, issuing_account, name,
               operations, constraints, created_nanos, seal_version, seal
             FROM grants ",
            $rest
        )
    };
}

/// Every grant's identity, sequence and grantee.
pub(crate) const SEQUENCES: &str = "SELECT region, key_id, grant_id, sequence, grantee FROM grants";
pub(crate) const ALL: &str = select!("");
pub(crate) const ONE: &str = select!("WHERE region = ?1 AND key_id = ?2 AND grant_id = ?3");
// SQLite would rather walk all grants of the key in the order of their ids, hence INDEXED BY.
pub(crate) const OF_GRANTEE: &str = select!(
    "INDEXED BY grants_by_grantee WHERE region = ?1 AND key_id = ?2 AND grantee = ?3
     ORDER BY grant_id"
);
pub(crate) const OF_KEY: &str = select!("WHERE region = ?1 AND key_id = ?2 ORDER BY grant_id");
pub(crate) const NAMED: &str = select!(
    "INDEXED BY grants_by_name
     WHERE region = ?1 AND key_id = ?2 AND name = ?3 AND name <> '' ORDER BY grant_id"
);
pub(crate) const PAGE: &str =
    select!("WHERE region = ?1 AND key_id = ?2 AND grant_id > ?3 ORDER BY grant_id LIMIT ?4");
pub(crate) const PAGE_OF_GRANTEE: &str = select!(
    "INDEXED BY grants_by_grantee
     WHERE region = ?1 AND key_id = ?2 AND grantee = ?5 AND grant_id > ?3
     ORDER BY grant_id LIMIT ?4"
);
pub(crate) const RETIRABLE_PAGE: &str = select!(
    "INDEXED BY grants_by_retiring WHERE retiring = ?1 AND region = ?2 AND (key_id, grant_id) > (?3, ?4)
     ORDER BY key_id, grant_id LIMIT ?5"
);
pub(crate) const COUNT: &str = "SELECT count(*) FROM grants WHERE region = ?1 AND key_id = ?2";
/// Takes the principal once for each side, since each has an index of its own.
pub(crate) const OF_PRINCIPAL: &str =
    select!("WHERE grantee = ?1 OR retiring = ?1 ORDER BY region, key_id, grant_id");
const EXISTS: &str = "SELECT 1 FROM grants WHERE region = ?1 AND key_id = ?2 LIMIT 1";
const INSERT: &str = "
    INSERT INTO grants (region, key_id, grant_id, sequence, grantee, retiring, issuing_account,
      name, operations, constraints, created_nanos, seal_version, seal)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
const DELETE: &str = "DELETE FROM grants WHERE region = ?1 AND key_id = ?2 AND grant_id = ?3";
const DELETE_ALL: &str = "DELETE FROM grants WHERE region = ?1 AND key_id = ?2";

/// What the head proves of a grant, and where it counts.
pub(crate) struct Place {
    pub(crate) region: Region,
    pub(crate) key_id: KeyId,
    pub(crate) grant_id: GrantId,
    pub(crate) grantee: String,
}

impl Place {
    pub(crate) fn aggregate(&self) -> Aggregate {
        Aggregate::grant(self.region, self.key_id, self.grant_id)
    }

    /// The sets that the grant is one of: its key's, and its grantee's on that key.
    pub(crate) fn sets(&self) -> [Aggregate; 2] {
        let Place { region, key_id, grantee, grant_id: _ } = self;
        [Aggregate::grants(*region, *key_id), Aggregate::grants_of(*region, *key_id, grantee)]
    }

    /// Acts with the identity that the term of the grant is made of. The grantee is a part of it, so
    /// that a grant that was moved to another one is noticed before anybody asks for it.
    pub(crate) fn with_identity<T>(&self, act: impl FnOnce(&[&str]) -> T) -> T {
        let grant_id = self.grant_id.to_string();
        act(&[self.region.as_str(), self.key_id.as_str(), &grant_id, &self.grantee])
    }

    /// Reads a row of [`SEQUENCES`], which no seal covers: its sequence is for the digest to judge.
    pub(crate) fn read(row: &Row<'_>) -> Result<(Place, u64)> {
        let mut columns = Columns::new(&GRANTS, row);
        let (region, key_id, grant_id) = (columns.parse(), columns.parse(), columns.array());
        let (sequence, grantee) = (columns.number(), columns.text());
        match (region, key_id, grant_id, sequence, grantee) {
            (Ok(region), Ok(key_id), Ok(grant_id), Ok(sequence), Ok(grantee)) => {
                let grant_id = GrantId::from_bytes(grant_id);
                Ok((Place { region, key_id, grant_id, grantee }, sequence))
            }
            _ => Err(seal::refuse(&GRANTS, row, "the row does not name a grant")),
        }
    }
}

impl GrantRow {
    fn place(&self) -> Place {
        let GrantRow { region, key_id, grant_id, grantee, .. } = self;
        Place { region: *region, key_id: *key_id, grant_id: *grant_id, grantee: grantee.clone() }
    }

    fn values(&self, sequence: u64) -> Result<Vec<Value>> {
        let operations: Vec<&str> =
            self.operations.iter().map(|operation| operation.as_str()).collect();
        let values = Values::new()
            .text(self.region.as_str())
            .text(self.key_id.as_str())
            .bytes(self.grant_id.as_bytes())
            .number(sequence)?
            .text(&self.grantee)
            .optional_text(self.retiring.as_deref())
            .text(self.issuing_account.as_str())
            .text(&self.name)
            .text(&operations.join(SEPARATOR))
            .text(&self.constraints)
            .instant(self.created)?;
        Ok(values.finish())
    }

    fn read(columns: &mut Columns<'_>) -> Result<(GrantRow, u64)> {
        let (region, key_id) = (columns.parse()?, columns.parse()?);
        let grant_id = GrantId::from_bytes(columns.array()?);
        let sequence = columns.number()?;
        let grant = GrantRow {
            region,
            key_id,
            grant_id,
            grantee: columns.text()?,
            retiring: columns.optional_text()?,
            issuing_account: columns.parse()?,
            name: columns.text()?,
            operations: columns.parse_list(SEPARATOR)?,
            constraints: columns.text()?,
            created: columns.instant()?,
        };
        Ok((grant, sequence))
    }
}

impl Snapshot<'_> {
    /// The grant of that id, verified.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`] if the row is not as this deployment left it, or is gone.
    pub fn grant(
        &self,
        region: Region,
        key_id: KeyId,
        grant_id: GrantId,
    ) -> Result<Option<GrantRow>> {
        Ok(self.stored_grant(region, key_id, grant_id)?.map(|(grant, _)| grant))
    }

    fn stored_grant(
        &self,
        region: Region,
        key_id: KeyId,
        grant_id: GrantId,
    ) -> Result<Option<(GrantRow, u64)>> {
        let identity = params![region.as_str(), key_id.as_str(), grant_id.as_bytes().as_slice()];
        let found = self.stored_grants(ONE, identity)?.pop();
        if found.is_none() {
            self.check_newest(Aggregate::grant(region, key_id, grant_id), None).map_err(|why| {
                let identity = format!("{region}/{key_id}/{grant_id}");
                StoreError::Seal { table: GRANTS.name, identity, why }
            })?;
        }
        Ok(found)
    }

    /// All grants that a grantee has on a key, by id, each verified.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`] if any of them is not as this deployment left it, is missing or is one
    /// too many.
    pub fn grants_of(&self, region: Region, key_id: KeyId, grantee: &str) -> Result<Vec<GrantRow>> {
        let key = params![region.as_str(), key_id.as_str(), grantee];
        let grants = self.stored_grants(OF_GRANTEE, key)?;
        self.check_count(Aggregate::grants_of(region, key_id, grantee), grants.len())
            .map_err(|why| refuse_set(region, key_id, why))?;
        Ok(grants.into_iter().map(|(grant, _)| grant).collect())
    }

    /// The grants on a key that bear a name, by id, each verified.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`] if any of them is not as this deployment left it.
    pub fn grants_named(&self, region: Region, key_id: KeyId, name: &str) -> Result<Vec<GrantRow>> {
        self.grants(NAMED, params![region.as_str(), key_id.as_str(), name])
    }

    /// The grants on a key by id, from the one after `after`, each verified; of one grantee alone
    /// if one is named.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`] if any of them is not as this deployment left it. That one is missing is
    /// told if the page holds them all; else by [`grants_of`](Snapshot::grants_of) and by the next
    /// start.
    pub fn grants_page(
        &self,
        region: Region,
        key_id: KeyId,
        grantee: Option<&str>,
        after: Option<GrantId>,
        limit: u32,
    ) -> Result<Vec<GrantRow>> {
        let place = after.as_ref().map_or(&[][..], |id| id.as_bytes());
        let key = (region.as_str(), key_id.as_str());
        let (grants, set) = match grantee {
            Some(grantee) => (
                self.grants(PAGE_OF_GRANTEE, params![key.0, key.1, place, limit, grantee])?,
                Aggregate::grants_of(region, key_id, grantee),
            ),
            None => (
                self.grants(PAGE, params![key.0, key.1, place, limit])?,
                Aggregate::grants(region, key_id),
            ),
        };
        let is_whole =
            after.is_none() && usize::try_from(limit).is_ok_and(|limit| grants.len() < limit);
        if is_whole {
            self.check_count(set, grants.len()).map_err(|why| refuse_set(region, key_id, why))?;
        }
        Ok(grants)
    }

    /// The grants in a Region that a principal may retire, by key and id, from the one after
    /// `after`, each verified.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`] if any of them is not as this deployment left it.
    pub fn retirable_grants_page(
        &self,
        region: Region,
        retiring: &str,
        after: Option<(KeyId, GrantId)>,
        limit: u32,
    ) -> Result<Vec<GrantRow>> {
        let (key_id, grant_id) = after
            .as_ref()
            .map_or(("", &[][..]), |(key_id, grant_id)| (key_id.as_str(), grant_id.as_bytes()));
        self.grants(RETIRABLE_PAGE, params![retiring, region.as_str(), key_id, grant_id, limit])
    }

    /// How many grants a key has. Walks the key's grants; in a transaction the writer's memory
    /// answers.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`] if the database cannot be read.
    pub fn count_grants(&self, region: Region, key_id: KeyId) -> Result<u64> {
        count(self.connection(), COUNT, [region.as_str(), key_id.as_str()])
    }

    fn grants(&self, sql: &str, key: impl Params) -> Result<Vec<GrantRow>> {
        let stored = self.stored_grants(sql, key)?;
        Ok(stored.into_iter().map(|(grant, _)| grant).collect())
    }

    /// Grants with their sequences, the seal of each checked and that it is one of ours that stands.
    fn stored_grants(&self, sql: &str, key: impl Params) -> Result<Vec<(GrantRow, u64)>> {
        let mut statement = self.connection().prepare_cached(sql)?;
        let mut rows = statement.query(key)?;
        let mut grants = Vec::new();
        while let Some(row) = rows.next()? {
            let (grant, sequence) = read_checked(self.seal_keys(), row)?;
            self.check_newest(grant.place().aggregate(), Some(sequence))
                .map_err(|why| seal::refuse(&GRANTS, row, why))?;
            grants.push((grant, sequence));
        }
        Ok(grants)
    }
}

fn read_checked(keys: &SealKeys, row: &Row<'_>) -> Result<(GrantRow, u64)> {
    Seal::check_row(keys, &GRANTS, row)?;
    GrantRow::read(&mut Columns::new(&GRANTS, row))
}

fn refuse_set(region: Region, key_id: KeyId, why: &'static str) -> StoreError {
    StoreError::Seal { table: GRANTS.name, identity: format!("{region}/{key_id}"), why }
}

impl Transaction<'_> {
    /// Adds a grant to a key that stands.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] if the key does not stand or has a grant of that id.
    pub fn add_grant(&mut self, grant: &GrantRow) -> Result<()> {
        let sequence = self.next_sequence();
        let mut values = grant.values(sequence)?;
        values.extend(Seal::of_row(self.seal_keys(), &GRANTS, &values).values());
        self.all_or_nothing(|transaction| {
            let connection = transaction.connection();
            connection
                .prepare_cached(INSERT)?
                .execute(params_from_iter(values))
                .map_err(|error| taken(error, grant))?;
            transaction.tell(change_of(&grant.place()))
        })?;
        self.account_for_grant(&grant.place(), None, (sequence, true));
        Ok(())
    }

    /// Deletes a grant; false if there is none of that id.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`] if the grant was tampered with.
    pub fn delete_grant(
        &mut self,
        region: Region,
        key_id: KeyId,
        grant_id: GrantId,
    ) -> Result<bool> {
        let Some((grant, old)) = self.stored_grant(region, key_id, grant_id)? else {
            return Ok(false);
        };
        let sequence = self.next_sequence();
        let place = grant.place();
        self.all_or_nothing(|transaction| {
            let identity =
                params![region.as_str(), key_id.as_str(), grant_id.as_bytes().as_slice()];
            transaction.connection().prepare_cached(DELETE)?.execute(identity)?;
            transaction.tell(change_of(&place))
        })?;
        self.account_for_grant(&place, Some(old), (sequence, false));
        Ok(true)
    }

    /// The grants of a key that is to be deleted, each verified, for [`forget_grants`].
    ///
    /// [`forget_grants`]: Transaction::forget_grants
    pub(crate) fn doomed_grants(&self, region: Region, key_id: KeyId) -> Result<Vec<(Place, u64)>> {
        let grants = self.stored_grants(OF_KEY, [region.as_str(), key_id.as_str()])?;
        self.check_count(Aggregate::grants(region, key_id), grants.len())
            .map_err(|why| refuse_set(region, key_id, why))?;
        Ok(grants.into_iter().map(|(grant, sequence)| (grant.place(), sequence)).collect())
    }

    /// Accounts for grants that are deleted with their key.
    pub(crate) fn forget_grants(&mut self, grants: &[(Place, u64)], sequence: u64) {
        for (place, old) in grants {
            self.account_for_grant(place, Some(*old), (sequence, false));
        }
    }

    /// Gives a principal another name in all grants that name it, as their grantee or as the one who
    /// may retire them.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`] if one of them was tampered with.
    pub fn rename_grant_principal(&mut self, principal: &str, instead: &str) -> Result<()> {
        for mut grant in self.grants(OF_PRINCIPAL, [principal])? {
            if grant.grantee == principal {
                instead.clone_into(&mut grant.grantee);
            }
            if grant.retiring.as_deref() == Some(principal) {
                grant.retiring = Some(instead.to_owned());
            }
            // A grant never changes, so it is made anew under its id.
            self.delete_grant(grant.region, grant.key_id, grant.grant_id)?;
            self.add_grant(&grant)?;
        }
        Ok(())
    }

    fn account_for_grant(&mut self, place: &Place, old: Option<u64>, new: (u64, bool)) {
        place.with_identity(|identity| {
            let sets = Some(place.sets());
            self.account_for_member(place.aggregate(), (&GRANTS, identity), old, new, sets);
        });
        let (_, exists) = new;
        let counted = Counted::Grants(place.region, place.key_id);
        self.count(counted, if exists { 1 } else { -1 });
    }
}

fn change_of(place: &Place) -> Change {
    Change::Grant {
        region: place.region,
        key_id: place.key_id,
        grant_id: place.grant_id,
        grantee: place.grantee.clone(),
    }
}

/// Deletes the grants of a key with the key.
pub(crate) fn delete_all(connection: &Connection, region: Region, key_id: KeyId) -> Result<()> {
    connection.prepare_cached(DELETE_ALL)?.execute([region.as_str(), key_id.as_str()])?;
    Ok(())
}

/// True if the key has a grant.
pub(crate) fn exists(connection: &Connection, region: Region, key_id: KeyId) -> Result<bool> {
    Ok(connection.prepare_cached(EXISTS)?.exists([region.as_str(), key_id.as_str()])?)
}

/// Tells a broken constraint from other failures.
fn taken(error: rusqlite::Error, grant: &GrantRow) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => StoreError::Conflict {
            table: GRANTS.name,
            identity: format!("{}/{}/{}", grant.region, grant.key_id, grant.grant_id),
        },
        Some(_) | None => error.into(),
    }
}
