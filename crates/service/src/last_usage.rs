//! When each key was last used (GetKeyLastUsage, reference 2.15): noted in memory, kept in the store in batches.
//!
//! Uses are far too many to be written one by one, and AWS tells them with a delay too. What a crash takes away is at most
//! what was noted since the last batch; the audit trail has it all.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use jiff::Timestamp;
use store::{KeyUsageRow, Store};
use uuid::Uuid;
use wire::enums::KeyLastUsageOperation;

use crate::error::ServiceError;
use crate::host::KeyAddress;

/// Maps that share the keys, so that threads seldom wait for each other.
const SHARDS_COUNT: usize = 16;

/// One use of a key.
#[derive(Clone, Copy)]
pub(crate) struct Usage {
    pub(crate) operation: KeyLastUsageOperation,
    pub(crate) used: Timestamp,
    pub(crate) event_id: Uuid,
    pub(crate) request_id: Uuid,
}

/// See the module's text.
#[derive(Default)]
pub(crate) struct LastUsage {
    hasher: RandomState,
    shards: [Mutex<HashMap<KeyAddress, Usage, RandomState>>; SHARDS_COUNT],
}

impl LastUsage {
    /// Notes a use; of two, the later one counts.
    pub(crate) fn note(&self, key: KeyAddress, usage: Usage) {
        let mut shard = self.shard(&key);
        match shard.get_mut(&key) {
            Some(noted) if noted.used > usage.used => {}
            Some(noted) => *noted = usage,
            None => drop(shard.insert(key, usage)),
        }
    }

    /// The last use, as noted here or as kept by the store.
    pub(crate) async fn of(
        &self,
        store: &Store,
        key: KeyAddress,
    ) -> Result<Option<Usage>, ServiceError> {
        if let Some(usage) = self.shard(&key).get(&key).copied() {
            return Ok(Some(usage));
        }
        let row = store.read(move |snapshot| snapshot.key_usage(key.0, key.1)).await?;
        Ok(row.map(|row| Usage {
            operation: row.operation,
            used: row.used,
            event_id: Uuid::from_bytes(row.event_id),
            request_id: Uuid::from_bytes(row.request_id),
        }))
    }

    /// Writes what was noted into the store. It is told from memory until it is there, and what is noted meanwhile stays noted.
    pub(crate) async fn keep(&self, store: &Store) -> Result<(), ServiceError> {
        let noted: Vec<(KeyAddress, Usage)> = self
            .shards
            .iter()
            .flat_map(|shard| {
                lock(shard).iter().map(|(key, usage)| (*key, *usage)).collect::<Vec<_>>()
            })
            .collect();
        if noted.is_empty() {
            return Ok(());
        }
        let rows: Vec<KeyUsageRow> = noted.iter().map(row).collect();
        store.write(move |transaction| transaction.save_key_usages(&rows)).await?;
        for (key, kept) in noted {
            let mut shard = self.shard(&key);
            if shard.get(&key).is_some_and(|usage| usage.event_id == kept.event_id) {
                shard.remove(&key);
            }
        }
        Ok(())
    }

    fn shard(&self, key: &KeyAddress) -> MutexGuard<'_, HashMap<KeyAddress, Usage, RandomState>> {
        let shards_count = u64::try_from(SHARDS_COUNT).expect("16 fits");
        let number = usize::try_from(self.hasher.hash_one(key) % shards_count).expect("below 16");
        lock(self.shards.get(number).expect("one shard for each remainder"))
    }
}

/// A poisoned lock means a panic between two plain assignments; the map is still sound.
fn lock<T>(shard: &Mutex<T>) -> MutexGuard<'_, T> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

fn row((key, usage): &(KeyAddress, Usage)) -> KeyUsageRow {
    KeyUsageRow {
        region: key.0,
        key_id: key.1,
        operation: usage.operation,
        used: usage.used,
        event_id: *usage.event_id.as_bytes(),
        request_id: *usage.request_id.as_bytes(),
    }
}
