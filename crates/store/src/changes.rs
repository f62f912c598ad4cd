//! The change feed: what was committed, in order, numbered without gaps.
//!
//! The number of a change is also the sequence of the record that it made. The head says which
//! numbers must be there.

use std::borrow::Cow;

use rusqlite::{Connection, params_from_iter};
use wire::names::Region;

use crate::change::Change;
use crate::columns::{Columns, Values, count, integer};
use crate::error::{Result, StoreError};
use crate::head::Head;
use crate::limits::CHANGES_KEPT;
use crate::schema::SealedTable;
use crate::seal::Seal;
use crate::snapshot::Snapshot;
use crate::transaction::Transaction;

pub(crate) const CHANGES: SealedTable =
    SealedTable { name: "changes", schema_version: 1, identity_columns: 1, sealed_columns: 5 };

pub(crate) const AFTER: &str = "
    SELECT sequence, kind, account, region, name, seal_version, seal
    FROM changes WHERE sequence > ?1 ORDER BY sequence";
const APPEND: &str = "
    INSERT INTO changes (sequence, kind, account, region, name, seal_version, seal)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const COUNT: &str = "SELECT count(*) FROM changes";
const TRIM: &str = "DELETE FROM changes WHERE sequence < ?1";

/// How a change is written: kind, account, Region and name.
fn columns_of(change: &Change) -> (&'static str, Option<&str>, Option<&str>, Cow<'_, str>) {
    match change {
        Change::Key { account, region, key_id } => {
            ("key", Some(account.as_str()), Some(region.as_str()), key_id.as_str().into())
        }
        Change::Alias { account, region, alias } => {
            ("alias", Some(account.as_str()), Some(region.as_str()), alias.as_str().into())
        }
        Change::Grant { region, key_id, grant_id, grantee } => {
            ("grant", None, Some(region.as_str()), format!("{key_id}/{grant_id}/{grantee}").into())
        }
        Change::Account { account } => ("account", None, None, account.as_str().into()),
        Change::Identity { account, identity_id } => {
            ("identity", Some(account.as_str()), None, identity_id.into())
        }
        Change::AccessKey { access_key_id } => ("access_key", None, None, access_key_id.into()),
    }
}

fn read(columns: &mut Columns<'_>) -> Result<(u64, Change)> {
    let sequence = columns.number()?;
    let kind = columns.text()?;
    let (account, region) = (columns.optional_parse()?, columns.optional_parse()?);
    let change = match (kind.as_str(), account, region) {
        ("key", Some(account), Some(region)) => {
            Change::Key { account, region, key_id: columns.parse()? }
        }
        ("alias", Some(account), Some(region)) => {
            Change::Alias { account, region, alias: columns.parse()? }
        }
        ("grant", None, Some(region)) => grant(region, &columns.text()?)
            .ok_or(StoreError::Undecodable { table: CHANGES.name, column: NAME_COLUMN })?,
        ("account", None, None) => Change::Account { account: columns.parse()? },
        ("identity", Some(account), None) => {
            Change::Identity { account, identity_id: columns.text()? }
        }
        ("access_key", None, None) => Change::AccessKey { access_key_id: columns.text()? },
        _ => return Err(StoreError::Undecodable { table: CHANGES.name, column: 1 }),
    };
    Ok((sequence, change))
}

/// The column of a change's name.
const NAME_COLUMN: usize = 4;

/// A grant by its name in the feed. Of its three parts only the last may hold a slash.
fn grant(region: Region, name: &str) -> Option<Change> {
    let (key_id, rest) = name.split_once('/')?;
    let (grant_id, grantee) = rest.split_once('/')?;
    let (key_id, grant_id) = (key_id.parse().ok()?, grant_id.parse().ok()?);
    Some(Change::Grant { region, key_id, grant_id, grantee: grantee.to_owned() })
}

impl Snapshot<'_> {
    /// The changes after a position with their numbers; none if the feed does not reach back that
    /// far, or the position is of a future that was rolled back: the follower must reload everything.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`] if a change is not as this deployment left it, is missing or is one too
    /// many.
    pub fn changes_after(&self, position: u64) -> Result<Option<Vec<(u64, Change)>>> {
        let head = self.head();
        if position > head.position || position + 1 < head.changes_first {
            return Ok(None);
        }
        let mut statement = self.connection().prepare_cached(AFTER)?;
        let mut rows = statement.query([integer(position)?])?;
        let mut changes = Vec::new();
        let mut expected = position + 1;
        while let Some(row) = rows.next()? {
            Seal::check_row(self.seal_keys(), &CHANGES, row)?;
            let (sequence, change) = read(&mut Columns::new(&CHANGES, row))?;
            if sequence != expected || sequence > head.position {
                return Err(refuse(expected, "the change feed has a gap or goes on too long"));
            }
            changes.push((sequence, change));
            expected += 1;
        }
        if expected <= head.position {
            return Err(refuse(expected, "the change is missing"));
        }
        Ok(Some(changes))
    }
}

fn refuse(sequence: u64, why: &'static str) -> StoreError {
    StoreError::Seal { table: CHANGES.name, identity: sequence.to_string(), why }
}

impl Transaction<'_> {
    /// The number that the next change will have.
    pub(crate) fn next_sequence(&self) -> u64 {
        self.head().position + 1
    }

    /// Appends a change to the feed.
    pub(crate) fn tell(&mut self, change: Change) -> Result<()> {
        let mut head = self.head();
        head.position += 1;
        let (kind, account, region, name) = columns_of(&change);
        let mut values = Values::new()
            .number(head.position)?
            .text(kind)
            .optional_text(account)
            .optional_text(region)
            .text(&name)
            .finish();
        values.extend(Seal::of_row(self.seal_keys(), &CHANGES, &values).values());
        self.connection().prepare_cached(APPEND)?.execute(params_from_iter(values))?;
        self.set_head(head);
        self.changes.push(change);
        Ok(())
    }
}

/// Drops the changes beyond the bound, many at a time.
pub(crate) fn trim(connection: &Connection, head: &mut Head) -> Result<()> {
    if head.position + 1 - head.changes_first <= 2 * CHANGES_KEPT {
        return Ok(());
    }
    head.changes_first = head.position + 1 - CHANGES_KEPT;
    connection.prepare_cached(TRIM)?.execute([integer(head.changes_first)?])?;
    Ok(())
}

/// Refuses a feed that is not exactly what the head says.
pub(crate) fn check_feed(snapshot: &Snapshot<'_>) -> Result<()> {
    let head = snapshot.head();
    let count = count(snapshot.connection(), COUNT, [])?;
    let changes = snapshot.changes_after(head.changes_first - 1)?;
    if changes.map(|changes| changes.len()) != usize::try_from(count).ok() {
        return Err(refuse(head.changes_first, "older changes stand before the first one"));
    }
    Ok(())
}
