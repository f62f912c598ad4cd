//! A consistent look at the database: what a read act and a write act can ask.
//!
//! The questions themselves stand beside the rows they are about (`keys.rs`, `aliases.rs`,
//! `accounts.rs` and so on).

use std::cell::Cell;

use crypto::seal::SealKeys;
use rusqlite::Connection;

use crate::error::Result;
use crate::head::{Head, refuse};
use crate::sequences::{Aggregate, Sequences};

/// The state of the database at one commit.
pub struct Snapshot<'a> {
    connection: &'a Connection,
    seal_keys: &'a SealKeys,
    sequences: &'a Sequences,
    /// The head of this snapshot; a write act moves it.
    head: Cell<Head>,
}

impl<'a> Snapshot<'a> {
    /// Looks at the state that the connection's open transaction shows, which must hold the change
    /// `position`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`](crate::StoreError::Seal) if the head is not as it was left, or the
    /// database went back.
    pub(crate) fn of_reader(
        connection: &'a Connection,
        seal_keys: &'a SealKeys,
        sequences: &'a Sequences,
        position: u64,
    ) -> Result<Snapshot<'a>> {
        let head = Head::load(connection, seal_keys)?;
        if head.position < position {
            return Err(refuse("the database is older than this process has seen it"));
        }
        let head = Cell::new(head);
        Ok(Snapshot { connection, seal_keys, sequences, head })
    }

    /// Looks at the state inside the writer's transaction.
    pub(crate) fn of_writer(
        connection: &'a Connection,
        seal_keys: &'a SealKeys,
        sequences: &'a Sequences,
        head: Head,
    ) -> Snapshot<'a> {
        let head = Cell::new(head);
        Snapshot { connection, seal_keys, sequences, head }
    }

    /// The number of the newest change that this snapshot holds. What is cached from it is stale
    /// once the feed has a greater one for the same thing.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.head().position
    }

    pub(crate) fn connection(&self) -> &'a Connection {
        self.connection
    }

    pub(crate) fn seal_keys(&self) -> &'a SealKeys {
        self.seal_keys
    }

    pub(crate) fn head(&self) -> Head {
        self.head.get()
    }

    pub(crate) fn set_head(&self, head: Head) {
        self.head.set(head);
    }

    /// Refuses an aggregate that is not the newest one, is missing or should not be there (none: it
    /// is not).
    pub(crate) fn check_newest(
        &self,
        aggregate: Aggregate,
        sequence: Option<u64>,
    ) -> Result<(), &'static str> {
        let position = self.position();
        if sequence.is_some_and(|sequence| sequence > position) {
            return Err("it is newer than the head");
        }
        self.sequences.check(aggregate, sequence, position)
    }

    /// Refuses a set of aggregates of which one is missing.
    pub(crate) fn check_count(&self, set: Aggregate, found: usize) -> Result<(), &'static str> {
        self.sequences.check_count(set, found, self.position())
    }
}
