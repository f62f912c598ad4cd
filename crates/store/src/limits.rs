//! The numbers of this crate, each with its unit.

/// Acts that one commit carries at most: a bound on how long the first waits for the last.
pub(crate) const GROUP_ACTS_MAX: usize = 128;

/// Acts that may wait for the writer before [`StoreError::Busy`](crate::StoreError::Busy).
pub(crate) const WRITE_QUEUE_ACTS_MAX: usize = 1_024;

/// Acts that may wait for the readers before [`StoreError::Busy`](crate::StoreError::Busy).
pub(crate) const READ_QUEUE_ACTS_MAX: usize = 4_096;

/// Reader threads, each with a connection of its own.
pub(crate) const READER_THREADS: usize = 2;

/// Changes kept in the feed; a follower further behind must reload everything.
pub(crate) const CHANGES_KEPT: u64 = 10_000;

/// Audit records that may wait in the outbox; the next is refused, so that nothing is done
/// unrecorded.
pub(crate) const OUTBOX_RECORDS_MAX: u64 = 65_536;

/// Audit records that one look at the outbox returns.
pub(crate) const PENDING_RECORDS_MAX: u64 = 1_024;

/// How long a connection waits for a lock of another connection.
pub(crate) const LOCK_WAIT_MILLIS_MAX: u64 = 5_000;

/// How long the wipe after a deletion waits for readers of the old log before it is put off.
pub(crate) const WIPE_WAIT_MILLIS_MAX: u64 = 100;

/// How soon a wipe that was put off is tried again when no write comes.
pub(crate) const WIPE_RETRY_MILLIS: u64 = 500;

/// Pages of the write-ahead log after which SQLite moves them into the database (4 KiB each).
pub(crate) const CHECKPOINT_PAGES: u32 = 4_000;

/// Page cache of one connection.
pub(crate) const PAGE_CACHE_KIB: u32 = 16_384;

/// Prepared statements that one connection keeps.
pub(crate) const STATEMENTS_KEPT: usize = 96;

/// Deletions that are remembered for snapshots from before them: more than the 50,000 grants that go
/// with a key at most.
pub(crate) const DELETIONS_KEPT: usize = 65_536;
