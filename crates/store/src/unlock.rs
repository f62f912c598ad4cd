//! The first look under the seal keys: is the database as it was left?
//!
//! Reads the sequence of every key, account, identity and grant once, about 3 seconds for a million.

use crypto::seal::{SealKey, SealKeys};
use rusqlite::{Connection, TransactionBehavior};

use crate::accounts::{self, ACCOUNTS};
use crate::changes::check_feed;
use crate::columns::Columns;
use crate::error::Result;
use crate::grants::{self, GRANTS};
use crate::head::{Head, refuse};
use crate::identities::{self, IDENTITIES};
use crate::keys::{self, KEYS};
use crate::schema::{SEALED_TABLES, SealedTable};
use crate::seal::{self, Seal};
use crate::sequences::{Aggregate, Outcome, Sequences};
use crate::set_digest::SetDigest;
use crate::snapshot::Snapshot;

/// What a store starts from.
pub(crate) struct Believed {
    pub(crate) head: Head,
    pub(crate) digest: SetDigest,
    pub(crate) sequences: Sequences,
}

/// Checks the head, the change feed and the set of keys, accounts, identities and grants.
///
/// # Errors
///
/// [`StoreError::Seal`](crate::StoreError::Seal) if any of them is not as it was left. With
/// `accept_rollback` a set that differs is only logged, and taken as it is from now on.
pub(crate) fn check(
    connection: &Connection,
    seal_keys: &SealKeys,
    accept_rollback: bool,
) -> Result<Believed> {
    let behavior = TransactionBehavior::Immediate;
    let transaction = rusqlite::Transaction::new_unchecked(connection, behavior)?;
    let (mut head, version) = match Head::find(&transaction, seal_keys)? {
        Some(found) => found,
        None if is_empty(&transaction)? => {
            let head = Head::first(seal_keys);
            head.save(&transaction, seal_keys)?;
            (head, seal_keys.newest().version())
        }
        None => return Err(refuse("the head is missing")),
    };
    // The digest is kept under the newest key; the head may be from before that key was made.
    let newest = seal_keys.newest();
    let key = seal_keys.version(version).unwrap_or(newest);
    let mut sum = Sum::new([newest, key]);
    sum.add_keys(&transaction)?;
    sum.add_accounts(&transaction)?;
    sum.add_grants(&transaction)?;
    sum.add_identities(&transaction)?;
    let [digest, proof] = sum.digests;

    if proof.tag(key) != head.aggregates {
        let error = find_broken(&transaction, seal_keys).err().unwrap_or_else(|| {
            refuse("keys, accounts, identities or grants are older than they were left, or gone")
        });
        if !accept_rollback {
            return Err(error);
        }
        tracing::error!(%error, "what is found in the database is accepted, as the operator asked");
    }
    let sequences = Sequences::new(head.position);
    sequences.advance(head.position, sum.outcomes.into_iter());
    check_feed(&Snapshot::of_writer(&transaction, seal_keys, &sequences, head))?;
    let aggregates = digest.tag(newest);
    if aggregates != head.aggregates {
        head.aggregates = aggregates;
        head.save(&transaction, seal_keys)?;
    }
    transaction.commit()?;
    Ok(Believed { head, digest, sequences })
}

/// True if no sealed table has a row.
fn is_empty(connection: &Connection) -> Result<bool> {
    for table in SEALED_TABLES {
        let sql = format!("SELECT 1 FROM {} LIMIT 1", table.name);
        if connection.prepare(&sql)?.exists([])? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The aggregates found, summed up under two versions of the key.
struct Sum<'k> {
    keys: [&'k SealKey; 2],
    digests: [SetDigest; 2],
    outcomes: Vec<Outcome>,
}

impl<'k> Sum<'k> {
    fn new(keys: [&'k SealKey; 2]) -> Sum<'k> {
        Sum { keys, digests: [SetDigest::default(); 2], outcomes: Vec::new() }
    }

    fn add_keys(&mut self, connection: &Connection) -> Result<()> {
        let mut statement = connection.prepare(keys::SEQUENCES)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let mut columns = Columns::new(&KEYS, row);
            let (region, key_id) = (columns.parse(), columns.parse());
            let sequence = columns.number();
            let (Ok(region), Ok(key_id), Ok(sequence)) = (region, key_id, sequence) else {
                return Err(seal::refuse(&KEYS, row, "the row does not name a key"));
            };
            let aggregate = Aggregate::key(region, key_id);
            self.add(&KEYS, (aggregate, None), &[region.as_str(), key_id.as_str()], sequence);
        }
        Ok(())
    }

    fn add_accounts(&mut self, connection: &Connection) -> Result<()> {
        let mut statement = connection.prepare(accounts::SEQUENCES)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let mut columns = Columns::new(&ACCOUNTS, row);
            let (Ok(account), Ok(sequence)) = (columns.parse(), columns.number()) else {
                return Err(seal::refuse(&ACCOUNTS, row, "the row does not name an account"));
            };
            let account: wire::names::AccountId = account;
            let aggregate = Aggregate::account(account);
            self.add(&ACCOUNTS, (aggregate, None), &[account.as_str()], sequence);
        }
        Ok(())
    }

    fn add_grants(&mut self, connection: &Connection) -> Result<()> {
        let mut statement = connection.prepare(grants::SEQUENCES)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (place, sequence) = grants::Place::read(row)?;
            let aggregate = (place.aggregate(), Some(place.sets()));
            place.with_identity(|identity| self.add(&GRANTS, aggregate, identity, sequence));
        }
        Ok(())
    }

    fn add_identities(&mut self, connection: &Connection) -> Result<()> {
        let mut statement = connection.prepare(identities::SEQUENCES)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let mut columns = Columns::new(&IDENTITIES, row);
            let (account, identity_id) = (columns.parse(), columns.text());
            let sequence = columns.number();
            let (Ok(account), Ok(identity_id), Ok(sequence)) = (account, identity_id, sequence)
            else {
                return Err(seal::refuse(&IDENTITIES, row, "the row does not name an identity"));
            };
            let account: wire::names::AccountId = account;
            let aggregate = Aggregate::identity(account, &identity_id);
            self.add(&IDENTITIES, (aggregate, None), &[account.as_str(), &identity_id], sequence);
        }
        Ok(())
    }

    fn add(
        &mut self,
        table: &SealedTable,
        (aggregate, sets): (Aggregate, Option<[Aggregate; 2]>),
        identity: &[&str],
        sequence: u64,
    ) {
        let [newest, key] = self.keys;
        let [digest, proof] = &mut self.digests;
        digest.toggle(newest, table, identity, sequence);
        if newest.version() == key.version() {
            *proof = *digest;
        } else {
            proof.toggle(key, table, identity, sequence);
        }
        self.outcomes.push(Outcome { aggregate, sequence, exists: true, sets });
    }
}

/// Names a row whose own seal is broken, if it was that.
fn find_broken(connection: &Connection, seal_keys: &SealKeys) -> Result<()> {
    let tables = [
        (&KEYS, keys::ALL),
        (&ACCOUNTS, accounts::ALL),
        (&IDENTITIES, identities::ALL),
        (&GRANTS, grants::ALL),
    ];
    for (table, all) in tables {
        let mut statement = connection.prepare(all)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            Seal::check_row(seal_keys, table, row)?;
        }
    }
    Ok(())
}
