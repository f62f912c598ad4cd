//! Rows that belong to the root of an aggregate: how they are loaded, compared and written.
//!
//! The root's manifest lists them, so that they are only ever read and written together.

use crypto::seal::SealKeys;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, ErrorCode, ToSql, params_from_iter};

use crate::columns::Columns;
use crate::error::{Result, StoreError};
use crate::schema::SealedTable;
use crate::seal::{Manifest, Seal, show};

/// A row of a table whose rows belong to the root of an aggregate.
pub(crate) trait ChildRow: Clone + PartialEq {
    /// The root's own part of the row's columns.
    type Owner;

    const TABLE: &'static SealedTable;
    /// Selects the sealed columns, `seal_version` and `seal` of one owner's rows, ordered by
    /// identity.
    const OF_OWNER: &'static str;
    /// Inserts the same columns.
    const INSERT: &'static str;
    /// Deletes one row by its owner's key and, unless that is NULL, its identity.
    const DELETE: &'static str;

    /// What names the owner in `OF_OWNER` and `DELETE`.
    fn owner_key(owner: &Self::Owner) -> Vec<Value>;

    /// What tells the row from its owner's other rows; NULL if there is one at most.
    fn identity(&self) -> ValueRef<'_>;

    /// The sealed columns, in the table's order.
    fn values(&self, owner: &Self::Owner, sequence: u64) -> Result<Vec<Value>>;

    /// Reads a row whose seal was checked.
    fn read(columns: &mut Columns<'_>) -> Result<Self>;
}

/// A row with the seal it has in the database.
pub(crate) struct Stored<R> {
    pub(crate) row: R,
    seal: Seal,
}

/// Loads the rows of an owner, checks each seal and lists them in the manifest.
pub(crate) fn load<R: ChildRow>(
    connection: &Connection,
    keys: &SealKeys,
    owner_key: &[&dyn ToSql],
    manifest: &mut Manifest,
) -> Result<Vec<Stored<R>>> {
    let mut statement = connection.prepare_cached(R::OF_OWNER)?;
    let mut rows = statement.query(owner_key)?;
    let mut loaded = Vec::new();
    while let Some(row) = rows.next()? {
        let seal = Seal::check_row(keys, R::TABLE, row)?;
        let row = R::read(&mut Columns::new(R::TABLE, row))?;
        loaded.push(Stored { row, seal });
    }
    manifest.list(R::TABLE, loaded.iter().map(|stored| (stored.row.identity(), &stored.seal)));
    Ok(loaded)
}

/// True if the table has a row of this owner.
pub(crate) fn exists<R: ChildRow>(
    connection: &Connection,
    owner_key: &[&dyn ToSql],
) -> Result<bool> {
    Ok(connection.prepare_cached(R::OF_OWNER)?.exists(owner_key)?)
}

/// The rows alone.
pub(crate) fn rows<R>(stored: Vec<Stored<R>>) -> Vec<R> {
    stored.into_iter().map(|stored| stored.row).collect()
}

/// What must be written so that an owner's rows become the wanted ones.
pub(crate) struct Plan<'r, R: ChildRow> {
    owner: &'r R::Owner,
    /// All wanted rows with their seals, in the order of their identities.
    wanted: Vec<(&'r R, Seal)>,
    /// Stored rows that are not wanted, or not as they are.
    deleted: Vec<&'r R>,
    /// Wanted rows that are not stored so, with all their columns.
    inserted: Vec<(&'r R, Vec<Value>)>,
}

impl<'r, R: ChildRow> Plan<'r, R> {
    /// Compares the wanted rows with the stored ones. An unchanged row keeps its seal and is not
    /// written.
    ///
    /// # Errors
    ///
    /// [`StoreError::Twice`] if two wanted rows have the same identity.
    pub(crate) fn new(
        keys: &SealKeys,
        owner: &'r R::Owner,
        sequence: u64,
        stored: &'r [Stored<R>],
        wanted: &'r [R],
    ) -> Result<Plan<'r, R>> {
        let mut sealed = Vec::with_capacity(wanted.len());
        let mut inserted = Vec::new();
        for row in wanted {
            let kept = stored.iter().find(|stored| stored.row == *row);
            let seal = if let Some(stored) = kept {
                stored.seal
            } else {
                let mut values = row.values(owner, sequence)?;
                let seal = Seal::of_row(keys, R::TABLE, &values);
                values.extend(seal.values());
                inserted.push((row, values));
                seal
            };
            sealed.push((row, seal));
        }
        sealed.sort_by(|(one, _), (other, _)| order(one.identity(), other.identity()));
        for [(one, _), (next, _)] in sealed.array_windows() {
            if one.identity() == next.identity() {
                let identity = show(one.identity());
                return Err(StoreError::Twice { table: R::TABLE.name, identity });
            }
        }
        let deleted = stored.iter().map(|stored| &stored.row).filter(|row| !wanted.contains(row));
        Ok(Plan { owner, wanted: sealed, deleted: deleted.collect(), inserted })
    }

    /// Lists the wanted rows in the manifest.
    pub(crate) fn list(&self, manifest: &mut Manifest) {
        manifest.list(R::TABLE, self.wanted.iter().map(|(row, seal)| (row.identity(), seal)));
    }

    /// The rows that are made, changed or removed, each once.
    pub(crate) fn touched(&self) -> impl Iterator<Item = &'r R> {
        let inserted = || self.inserted.iter().map(|(row, _)| *row);
        let is_inserted =
            move |row: &R| inserted().any(|inserted| inserted.identity() == row.identity());
        inserted().chain(self.deleted.iter().copied().filter(move |row| !is_inserted(row)))
    }

    /// Writes the difference. The owner's own row must stand.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] if an identity belongs to another owner's row.
    pub(crate) fn write(&self, connection: &Connection) -> Result<()> {
        if !self.deleted.is_empty() {
            let mut delete = connection.prepare_cached(R::DELETE)?;
            for row in &self.deleted {
                let mut key = R::owner_key(self.owner);
                if row.identity() != ValueRef::Null {
                    key.push(row.identity().try_into().map_err(rusqlite::Error::from)?);
                }
                delete.execute(params_from_iter(key))?;
            }
        }
        if !self.inserted.is_empty() {
            let mut insert = connection.prepare_cached(R::INSERT)?;
            for (row, values) in &self.inserted {
                insert
                    .execute(params_from_iter(values))
                    .map_err(|error| taken(error, R::TABLE.name, row.identity()))?;
            }
        }
        Ok(())
    }
}

/// Tells a broken constraint (the identity is another row's) from other failures.
fn taken(error: rusqlite::Error, table: &'static str, identity: ValueRef<'_>) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => {
            StoreError::Conflict { table, identity: show(identity) }
        }
        Some(_) | None => error.into(),
    }
}

/// SQLite's order of two identities of one table: texts and blobs by their bytes.
fn order(one: ValueRef<'_>, other: ValueRef<'_>) -> std::cmp::Ordering {
    one.as_bytes().ok().cmp(&other.as_bytes().ok())
}
