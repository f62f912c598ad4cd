//! The head: one sealed row with the counters that everything else hangs on.
//!
//! It says which change is the newest, and which changes and outbox records must be there, so that
//! a missing, an added or an older one shows, and proves which keys and accounts there are and how
//! new each is. An older head shows as well: newer rows stand beside it.

use crypto::seal::{SEAL_BYTES, SealKeys};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::columns::{Columns, Values};
use crate::error::{Result, StoreError};
use crate::schema::SealedTable;
use crate::seal::Seal;
use crate::set_digest::SetDigest;

/// The counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The number of the newest change; 0 before the first.
    pub(crate) position: u64,
    /// The number of the oldest change that is kept.
    pub(crate) changes_first: u64,
    /// The number of the oldest audit record in the outbox.
    pub(crate) outbox_first: u64,
    /// The number of the next audit record.
    pub(crate) outbox_next: u64,
    /// Proves which keys and accounts there are, and their sequences; see [`crate::set_digest`].
    pub(crate) aggregates: [u8; SEAL_BYTES],
}

pub(crate) const HEAD: SealedTable =
    SealedTable { name: "head", schema_version: 1, identity_columns: 1, sealed_columns: 6 };

pub(crate) const ONE: &str = "
    SELECT id, position, changes_first, outbox_first, outbox_next, aggregates, seal_version, seal
    FROM head";
const SAVE: &str = "
    INSERT OR REPLACE INTO head
      (id, position, changes_first, outbox_first, outbox_next, aggregates, seal_version, seal)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

/// The only row's id.
const ID: u64 = 1;

impl Head {
    /// The head of a database in which nothing has happened.
    pub(crate) fn first(keys: &SealKeys) -> Head {
        let aggregates = SetDigest::default().tag(keys.newest());
        Head { position: 0, changes_first: 1, outbox_first: 1, outbox_next: 1, aggregates }
    }

    /// The head, its seal checked.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`] if it is missing or not as it was left.
    pub(crate) fn load(connection: &Connection, keys: &SealKeys) -> Result<Head> {
        let (head, _) =
            Head::find(connection, keys)?.ok_or_else(|| refuse("the head is missing"))?;
        Ok(head)
    }

    /// The head, its seal checked, and the version of the key that sealed it; none in a database in
    /// which nothing has happened.
    pub(crate) fn find(connection: &Connection, keys: &SealKeys) -> Result<Option<(Head, u32)>> {
        let mut statement = connection.prepare_cached(ONE)?;
        let mut rows = statement.query([])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let seal = Seal::check_row(keys, &HEAD, row)?;
        let mut columns = Columns::new(&HEAD, row);
        columns.skip(1);
        let head = Head {
            position: columns.number()?,
            changes_first: columns.number()?,
            outbox_first: columns.number()?,
            outbox_next: columns.number()?,
            aggregates: columns.array()?,
        };
        match rows.next()? {
            Some(_) => Err(refuse("there is a second head")),
            None => Ok(Some((head, seal.version))),
        }
    }

    /// Seals and writes the head.
    pub(crate) fn save(&self, connection: &Connection, keys: &SealKeys) -> Result<()> {
        let mut values: Vec<Value> = Values::new()
            .number(ID)?
            .number(self.position)?
            .number(self.changes_first)?
            .number(self.outbox_first)?
            .number(self.outbox_next)?
            .bytes(&self.aggregates)
            .finish();
        values.extend(Seal::of_row(keys, &HEAD, &values).values());
        connection.prepare_cached(SAVE)?.execute(params_from_iter(values))?;
        Ok(())
    }
}

/// The refusal of the head.
pub(crate) fn refuse(why: &'static str) -> StoreError {
    StoreError::Seal { table: HEAD.name, identity: ID.to_string(), why }
}
