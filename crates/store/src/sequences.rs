//! The sequence of every aggregate, in memory: what a load is held to.
//!
//! Filled when the store is unlocked, from rows whose whole the [digest](crate::set_digest) proves,
//! and kept by the writer. An aggregate that a stranger sets back, removes or raises from deletion
//! is refused at the next load. About 50 bytes for each key, account and identity, and 150 for each
//! grant.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use wire::names::{AccountId, GrantId, KeyId, Region};

use crate::limits::DELETIONS_KEPT;

/// A name of an aggregate, short enough to remember all: 128 bits of a hash, which two of our own
/// ids do not share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Aggregate([u8; 16]);

impl Aggregate {
    pub(crate) fn key(region: Region, key_id: KeyId) -> Aggregate {
        Aggregate::of(("key", region, key_id))
    }

    pub(crate) fn account(account: AccountId) -> Aggregate {
        Aggregate::of(("account", account))
    }

    pub(crate) fn grant(region: Region, key_id: KeyId, grant_id: GrantId) -> Aggregate {
        Aggregate::of(("grant", region, key_id, grant_id))
    }

    /// All grants on a key, as a set.
    pub(crate) fn grants(region: Region, key_id: KeyId) -> Aggregate {
        Aggregate::of(("grants", region, key_id))
    }

    /// All grants of a grantee on a key, as a set.
    pub(crate) fn grants_of(region: Region, key_id: KeyId, grantee: &str) -> Aggregate {
        Aggregate::of(("grants of", region, key_id, grantee))
    }

    pub(crate) fn identity(account: AccountId, identity_id: &str) -> Aggregate {
        Aggregate::of(("identity", account, identity_id))
    }

    fn of(name: impl Hash) -> Aggregate {
        let half = |number: u8| {
            let mut hasher = DefaultHasher::new();
            (number, &name).hash(&mut hasher);
            u128::from(hasher.finish())
        };
        Aggregate(((half(0) << 64) | half(1)).to_be_bytes())
    }
}

/// What became of an aggregate with the change of that number.
#[derive(Clone, Copy)]
pub(crate) struct Outcome {
    pub(crate) aggregate: Aggregate,
    pub(crate) sequence: u64,
    /// False if the change deleted it.
    pub(crate) exists: bool,
    /// The sets that it is one of.
    pub(crate) sets: Option<[Aggregate; 2]>,
}

/// The newest committed sequences.
pub(crate) struct Sequences(Mutex<State>);

struct State {
    /// The newest change that is accounted for here.
    position: u64,
    newest: HashMap<Aggregate, u64, BuildHasherDefault<DefaultHasher>>,
    /// How many members each set has, and the newest change of any.
    sets: HashMap<Aggregate, Members, BuildHasherDefault<DefaultHasher>>,
    /// The newest deletions with their numbers, for snapshots from before them.
    deleted: VecDeque<(Aggregate, u64)>,
}

/// A set of aggregates that is asked for as one.
#[derive(Clone, Copy, Default)]
struct Members {
    count: usize,
    changed: u64,
}

impl Sequences {
    pub(crate) fn new(position: u64) -> Sequences {
        let (newest, sets) = (HashMap::default(), HashMap::default());
        Sequences(Mutex::new(State { position, newest, sets, deleted: VecDeque::new() }))
    }

    /// Takes over what a commit did.
    pub(crate) fn advance(&self, position: u64, outcomes: impl Iterator<Item = Outcome>) {
        let mut state = self.lock();
        for Outcome { aggregate, sequence, exists, sets } in outcomes {
            for set in sets.into_iter().flatten() {
                state.count_member(set, sequence, exists);
            }
            if exists {
                state.newest.insert(aggregate, sequence);
            } else {
                state.newest.remove(&aggregate);
                state.deleted.push_back((aggregate, sequence));
            }
        }
        let surplus = state.deleted.len().saturating_sub(DELETIONS_KEPT);
        state.deleted.drain(..surplus);
        state.position = position;
    }

    /// Compares what a snapshot at `position` holds of an aggregate (none if it is not there) with
    /// what must be.
    ///
    /// A snapshot may be from before the newest commit, or from just after one that is not
    /// accounted for yet; a write act sees what it did itself. What lies in between is not held
    /// against it.
    pub(crate) fn check(
        &self,
        aggregate: Aggregate,
        found: Option<u64>,
        position: u64,
    ) -> Result<(), &'static str> {
        let state = self.lock();
        match (state.newest.get(&aggregate).copied(), found) {
            (known, found) if known == found => Ok(()),
            (Some(known), _) if known > position => Ok(()),
            (_, Some(found)) if found > state.position => Ok(()),
            (Some(_), None) if position > state.position => Ok(()),
            (None, Some(_)) if state.was_deleted_after(aggregate, position) => Ok(()),
            (Some(_), Some(_)) => Err("it is not the newest version"),
            (None, _) => Err("it was deleted or never made, and stands nevertheless"),
            (Some(_), None) => Err("it is gone without having been deleted"),
        }
    }

    /// Compares how many members of a set a snapshot at `position` holds with how many there must be.
    /// That one is too many is told by itself.
    ///
    /// What was changed after the snapshot, or is not accounted for yet, is not held against it.
    pub(crate) fn check_count(
        &self,
        set: Aggregate,
        found: usize,
        position: u64,
    ) -> Result<(), &'static str> {
        let state = self.lock();
        let known = state.sets.get(&set).copied().unwrap_or_default();
        let is_comparable = known.changed <= position && position <= state.position;
        match is_comparable && found < known.count {
            true => Err("one of the set is gone without having been deleted"),
            false => Ok(()),
        }
    }

    /// No holder of the lock can panic between two changes of the state.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn count_member(&mut self, set: Aggregate, sequence: u64, exists: bool) {
        let members = self.sets.entry(set).or_default();
        members.count = if exists { members.count + 1 } else { members.count.saturating_sub(1) };
        members.changed = members.changed.max(sequence);
        if members.count == 0 {
            self.sets.remove(&set);
        }
    }

    fn was_deleted_after(&self, aggregate: Aggregate, position: u64) -> bool {
        self.deleted.iter().any(|(deleted, sequence)| *deleted == aggregate && *sequence > position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aggregate() -> Aggregate {
        Aggregate::account("111122223333".parse().unwrap())
    }

    fn after(outcomes: &[(u64, bool)], position: u64) -> Sequences {
        let sequences = Sequences::new(0);
        let outcome = |&(sequence, exists)| Outcome {
            aggregate: aggregate(),
            sequence,
            exists,
            sets: Some([set(), aggregate()]),
        };
        sequences.advance(position, outcomes.iter().map(outcome));
        sequences
    }

    fn set() -> Aggregate {
        Aggregate::account("444455556666".parse().unwrap())
    }

    #[test]
    fn a_missing_member_is_noticed_and_what_changes_meanwhile_is_not() {
        let sequences = after(&[(3, true), (5, true), (6, true), (7, false)], 9);
        assert!(sequences.check_count(set(), 2, 9).is_ok());
        assert!(sequences.check_count(set(), 1, 9).is_err());
        assert!(sequences.check_count(set(), 1, 8).is_err());
        assert!(sequences.check_count(set(), 1, 6).is_ok(), "a snapshot from before");
        assert!(sequences.check_count(set(), 1, 10).is_ok(), "not accounted for yet");
        let sequences = after(&[(3, true), (5, false)], 9);
        assert!(sequences.check_count(set(), 0, 9).is_ok(), "an empty set");
    }

    #[test]
    fn only_the_newest_is_taken() {
        let sequences = after(&[(7, true)], 9);
        assert!(sequences.check(aggregate(), Some(7), 9).is_ok());
        assert!(sequences.check(aggregate(), Some(6), 9).is_err());
        assert!(sequences.check(aggregate(), Some(8), 9).is_err());
        assert!(sequences.check(aggregate(), None, 9).is_err());
    }

    #[test]
    fn a_deleted_aggregate_stays_deleted() {
        let sequences = after(&[(6, true), (7, false)], 9);
        assert!(sequences.check(aggregate(), None, 9).is_ok());
        assert!(sequences.check(aggregate(), Some(6), 9).is_err());
        assert!(sequences.check(aggregate(), Some(6), 7).is_err());
        assert!(sequences.check(aggregate(), Some(6), 6).is_ok(), "a snapshot from before");
    }

    #[test]
    fn a_snapshot_from_before_or_just_after_is_not_held_to_it() {
        let sequences = after(&[(7, true)], 9);
        assert!(sequences.check(aggregate(), Some(3), 6).is_ok());
        assert!(sequences.check(aggregate(), None, 6).is_ok());
        assert!(sequences.check(aggregate(), Some(10), 10).is_ok());
        assert!(sequences.check(aggregate(), None, 10).is_ok());
    }

    #[test]
    fn an_unknown_aggregate_is_not_believed() {
        let sequences = after(&[], 9);
        assert!(sequences.check(aggregate(), Some(3), 9).is_err());
        assert!(sequences.check(aggregate(), None, 9).is_ok());
    }
}
