//! A write act's hold on the database: everything a snapshot answers, and changes.
//!
//! The changes themselves stand beside the rows they are about (`keys.rs`, `accounts.rs`,
//! `grants.rs`, `audit_outbox.rs`, `leases.rs`).

use std::collections::BTreeMap;
use std::ops::Deref;

use wire::names::{AccountId, KeyId, Region};

use crate::aggregate::{ChildRow, Plan, Stored};
use crate::change::Change;
use crate::error::Result;
use crate::schema::SealedTable;
use crate::scrub;
use crate::sequences::{Aggregate, Outcome};
use crate::set_digest::SetDigest;
use crate::snapshot::Snapshot;

/// One act's part of the writer's transaction. It is rolled back alone if the act fails.
pub struct Transaction<'a> {
    snapshot: Snapshot<'a>,
    counts: &'a mut Counts,
    pub(crate) changes: Vec<Change>,
    pub(crate) effects: Effects,
}

/// What an act leaves beside its rows, to be taken over when it succeeds.
#[derive(Default)]
pub(crate) struct Effects {
    /// What was made (+) and deleted (-), by where it counts.
    pub(crate) counted: BTreeMap<Counted, i64>,
    /// What became of the aggregates that it saved or deleted.
    pub(crate) outcomes: Vec<Outcome>,
    /// The terms of those aggregates, old and new.
    pub(crate) digest: SetDigest,
    /// True if the write-ahead log holds what must not stay.
    pub(crate) wipe: bool,
    /// What is to be done in memory once the act is durable.
    pub(crate) afterwards: Vec<Afterwards>,
}

/// See [`Transaction::after_commit`].
type Afterwards = Box<dyn FnOnce() + Send>;

/// Something of which there may be so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Counted {
    /// Keys of an account in a Region.
    Keys(AccountId, Region),
    /// Grants on a key.
    Grants(Region, KeyId),
}

/// How many there are, as far as it was asked. Kept in the writer's memory and nowhere else, so that
/// there is no count to tamper with; as large as there are accounts times Regions in use, and keys
/// that got grants.
pub(crate) type Counts = BTreeMap<Counted, u64>;

impl<'a> Transaction<'a> {
    pub(crate) fn new(snapshot: Snapshot<'a>, counts: &'a mut Counts) -> Transaction<'a> {
        Transaction { snapshot, counts, changes: Vec::new(), effects: Effects::default() }
    }

    /// How many customer managed keys an account has in a Region, in any state, with those that this act
    /// made. AWS counts no others.
    /// Counted once, then remembered by the writer.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`](crate::StoreError::Sqlite) if the database cannot be read.
    pub fn count_keys(&mut self, account: AccountId, region: Region) -> Result<u64> {
        self.number_of(Counted::Keys(account, region), |snapshot| {
            snapshot.count_keys(account, region)
        })
    }

    /// How many grants a key has, with those that this act made. Counted once, then remembered by
    /// the writer.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`](crate::StoreError::Sqlite) if the database cannot be read.
    pub fn count_grants(&mut self, region: Region, key_id: KeyId) -> Result<u64> {
        self.number_of(Counted::Grants(region, key_id), |snapshot| {
            snapshot.count_grants(region, key_id)
        })
    }

    fn number_of(
        &mut self,
        counted: Counted,
        count: impl FnOnce(&Snapshot<'_>) -> Result<u64>,
    ) -> Result<u64> {
        let own = self.effects.counted.get(&counted).copied().unwrap_or(0);
        let before = match self.counts.get(&counted) {
            Some(before) => *before,
            None => {
                let now = count(&self.snapshot)?;
                let before = now.saturating_sub_signed(own);
                self.counts.insert(counted, before);
                before
            }
        };
        Ok(before.saturating_add_signed(own))
    }

    pub(crate) fn count(&mut self, counted: Counted, difference: i64) {
        *self.effects.counted.entry(counted).or_default() += difference;
    }

    /// Accounts for an aggregate whose old sequence (none if it is new) gives way to a new one, or
    /// that the change of that number deletes.
    pub(crate) fn account_for(
        &mut self,
        aggregate: Aggregate,
        name: (&SealedTable, &[&str]),
        old: Option<u64>,
        new: (u64, bool),
    ) {
        self.account_for_member(aggregate, name, old, new, None);
    }

    /// The same for an aggregate that is one of sets.
    pub(crate) fn account_for_member(
        &mut self,
        aggregate: Aggregate,
        (table, identity): (&SealedTable, &[&str]),
        old: Option<u64>,
        (sequence, exists): (u64, bool),
        sets: Option<[Aggregate; 2]>,
    ) {
        let key = self.snapshot.seal_keys().newest();
        let digest = &mut self.effects.digest;
        if let Some(old) = old {
            digest.toggle(key, table, identity, old);
        }
        if exists {
            digest.toggle(key, table, identity, sequence);
        }
        self.effects.outcomes.push(Outcome { aggregate, sequence, exists, sets });
    }

    /// Makes a change of several statements; if it fails, nothing of it stays, even if the act goes
    /// on.
    pub(crate) fn all_or_nothing<T>(
        &mut self,
        change: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let connection = self.connection();
        let (head, told) = (self.head(), self.changes.len());
        connection.prepare_cached("SAVEPOINT change")?.execute([])?;
        let changed = change(self);
        if changed.is_err() {
            self.set_head(head);
            self.changes.truncate(told);
            connection.prepare_cached("ROLLBACK TO change")?.execute([])?;
        }
        connection.prepare_cached("RELEASE change")?.execute([])?;
        changed
    }

    /// Has something done in the writer's thread when the act is durable, before it is answered and
    /// whether or not its caller still waits; nothing of it is done if the act fails. It must be
    /// quick, must not wait for the store and must not fail: who has not heard of a change may serve
    /// what is revoked, so that a panic here ends all writing.
    pub fn after_commit(&mut self, afterwards: impl FnOnce() + Send + 'static) {
        self.effects.afterwards.push(Box::new(afterwards));
    }

    pub(crate) fn into_effects(self) -> (Vec<Change>, Effects) {
        (self.changes, self.effects)
    }

    /// Has the log emptied after the commit, and remembers that a scrub is due.
    pub(crate) fn wipe_after_commit(&mut self) -> Result<()> {
        self.effects.wipe = true;
        scrub::remember(self.connection())
    }

    pub(crate) fn plan<'r, R: ChildRow>(
        &self,
        owner: &'r R::Owner,
        sequence: u64,
        stored: &'r [Stored<R>],
        wanted: &'r [R],
    ) -> Result<Plan<'r, R>> {
        Plan::new(self.seal_keys(), owner, sequence, stored, wanted)
    }
}

impl<'a> Deref for Transaction<'a> {
    type Target = Snapshot<'a>;

    fn deref(&self) -> &Snapshot<'a> {
        &self.snapshot
    }
}
