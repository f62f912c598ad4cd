//! A bounded cache that never keeps what a committed change has made old.
//!
//! A load from the store may overlap a change: it reads, the change commits and evicts, and only then the load wants to
//! insert what it read. So each load takes a ticket before it reads, and may insert only if nothing under its shard was
//! evicted since. Evictions run before the change is acknowledged, which makes a change visible to the next request.

use std::hash::{BuildHasher, Hash};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::fast::RandomState;
use quick_cache::sync::{Cache, DefaultLifecycle};

/// Tickets are kept for this many groups of entries; a collision only costs one load more.
const SHARDS_COUNT: usize = 256;

/// What an entry costs beside its value: its place in the cache's own tables.
pub(crate) const ENTRY_OVERHEAD_BYTES: u64 = 150;

/// A value that knows what it weighs.
pub(crate) trait Weigh {
    /// The bytes of memory that the value holds, as near as can be told.
    fn weight_bytes(&self) -> u64;
}

/// The right to insert what is about to be loaded.
pub(crate) struct Ticket {
    generation: u64,
}

/// See the module's text.
pub(crate) struct CoherentCache<K, V: Weigh> {
    entries: Cache<K, V, Weighter, RandomState>,
    generations: Vec<Mutex<u64>>,
    hasher: RandomState,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl<K: Eq + Hash + Clone, V: Weigh + Clone> CoherentCache<K, V> {
    /// A cache that holds at most `weight_bytes_max`, expected to be `entries_expected` entries.
    pub(crate) fn new(weight_bytes_max: u64, entries_expected: usize) -> CoherentCache<K, V> {
        let hasher = RandomState::default();
        let entries = Cache::with(
            entries_expected,
            weight_bytes_max,
            Weighter,
            hasher.clone(),
            DefaultLifecycle::default(),
        );
        let generations = (0..SHARDS_COUNT).map(|_| Mutex::new(0)).collect();
        CoherentCache {
            entries,
            generations,
            hasher,
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// The value under `key`, if it is held.
    pub(crate) fn get(&self, key: &K) -> Option<V> {
        let found = self.entries.get(key);
        let counter = if found.is_some() { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
        found
    }

    /// To be called before the store is read.
    pub(crate) fn ticket(&self, key: &K) -> Ticket {
        Ticket { generation: self.generation(key, |generation| *generation) }
    }

    /// Keeps `value`, unless something under the key's shard was evicted since the ticket was drawn.
    pub(crate) fn insert(&self, ticket: &Ticket, key: K, value: V) {
        self.generation(&key.clone(), |generation| {
            if *generation == ticket.generation {
                self.entries.insert(key, value);
            }
        });
    }

    /// Drops the value under `key` and makes every load that is under way keep nothing.
    pub(crate) fn evict(&self, key: &K) {
        self.generation(key, |generation| {
            *generation += 1;
            self.entries.remove(key);
        });
    }

    /// How many values are held.
    pub(crate) fn entries_count(&self) -> u64 {
        u64::try_from(self.entries.len()).unwrap_or(u64::MAX)
    }

    /// What they weigh together.
    pub(crate) fn weight_bytes(&self) -> u64 {
        self.entries.weight()
    }

    /// Look-ups that found something.
    pub(crate) fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
    }

    /// Look-ups that found nothing.
    pub(crate) fn misses(&self) -> u64 {
        self.misses.load(Ordering::Relaxed)
    }

    fn generation<T>(&self, key: &K, act: impl FnOnce(&mut u64) -> T) -> T {
        let shards_count = u64::try_from(SHARDS_COUNT).expect("256 fits");
        let shard = usize::try_from(self.hasher.hash_one(key) % shards_count).expect("below 256");
        let generation = self.generations.get(shard).expect("one generation for each shard");
        // A poisoned lock means a panic between two plain assignments; the counter itself is still sound.
        let mut generation = generation.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        act(&mut generation)
    }
}

/// Weighs an entry for the bound.
#[derive(Clone)]
struct Weighter;

impl<K, V: Weigh> quick_cache::Weighter<K, V> for Weighter {
    fn weight(&self, _key: &K, value: &V) -> u64 {
        value.weight_bytes() + ENTRY_OVERHEAD_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Bytes(u64);

    impl Weigh for Bytes {
        fn weight_bytes(&self) -> u64 {
            self.0
        }
    }

    #[test]
    fn a_load_that_overlaps_a_change_keeps_nothing() {
        let cache = CoherentCache::new(1 << 20, 16);
        let before = cache.ticket(&"key");
        cache.evict(&"key");
        cache.insert(&before, "key", Bytes(1));
        assert_eq!(cache.get(&"key"), None);
        let after = cache.ticket(&"key");
        cache.insert(&after, "key", Bytes(2));
        assert_eq!(cache.get(&"key"), Some(Bytes(2)));
    }

    #[test]
    fn the_bound_in_bytes_holds() {
        let cache = CoherentCache::new(64 << 10, 64);
        for key in 0..10_000_u32 {
            let ticket = cache.ticket(&key);
            cache.insert(&ticket, key, Bytes(850));
        }
        assert!(cache.weight_bytes() <= 64 << 10);
        assert!(cache.entries_count() > 16, "only {} entries were kept", cache.entries_count());
    }
}
