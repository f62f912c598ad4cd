//! What can go wrong with what is remembered, in the operator's words.

use crate::limits::OUTBOX_RECORDS_MAX;

/// The result of this crate.
pub(crate) type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Why the store refused. The texts are for operators; what a caller may read is decided in
/// `service`.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A row or its aggregate is not as this deployment left it. Somebody else has written to the
    /// database.
    #[error("the database was tampered with: {table} '{identity}' is refused: {why}")]
    Seal {
        /// The table of the refused row.
        table: &'static str,
        /// The identity of the row or of its aggregate, parts joined by `/`.
        identity: String,
        /// What did not fit.
        why: &'static str,
    },
    /// The queue is full. Nothing was done; try again later.
    #[error("the store's queue is full")]
    Busy,
    /// An earlier commit failed, so that what is on the disk is not known. Only a restart can tell.
    #[error("the store refuses writes since a commit failed; restart to recover: {cause}")]
    Poisoned {
        /// The failure that poisoned the store.
        cause: String,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// The act panicked. It was rolled back.
    #[error("an act on the store panicked and was rolled back")]
    ActPanicked,
    /// The group's transaction did not commit. Whether the act lasts is unknown until a restart,
    /// unless the disk was full.
    #[error("the transaction was not committed: {cause}")]
    NotCommitted {
        /// SQLite's words.
        cause: String,
    },
    /// No space is left for the database. The act was rolled back; the store works again when there
    /// is space.
    #[error("no space is left for the database")]
    DiskFull,
    /// The record saved is not built on the newest one, or the name it takes belongs to another
    /// record.
    #[error("{table} '{identity}' was changed by another act")]
    Conflict {
        /// The table of the contested row.
        table: &'static str,
        /// The identity of the contested row.
        identity: String,
    },
    /// The same identity stands twice in one record.
    #[error("{table} '{identity}' stands twice in the record")]
    Twice {
        /// The table of the row.
        table: &'static str,
        /// The identity of the row.
        identity: String,
    },
    /// A value cannot be kept in its column.
    #[error("{what} is outside the range that can be stored")]
    OutOfRange {
        /// The value.
        what: &'static str,
    },
    /// A sealed value is unknown to this binary, for instance after a return to an older version.
    #[error("column {column} of {table} has a value that this version does not know")]
    Undecodable {
        /// The table.
        table: &'static str,
        /// The column's number, from 0.
        column: usize,
    },
    /// Too many audit records wait for the journal.
    #[error("{OUTBOX_RECORDS_MAX} audit records wait for the journal, no more are taken")]
    OutboxFull,
    /// The database was written by a newer version.
    #[error("the database has schema {found}, this binary knows {known}: use the newer binary")]
    NewerSchema {
        /// The version of the database.
        found: u32,
        /// The newest version this binary knows.
        known: u32,
    },
    /// The database has tables, indexes, views or triggers that are not ours.
    #[error("the database's schema is not the one this version creates: {object}")]
    ForeignSchema {
        /// The first object that differs.
        object: String,
    },
    /// The file is a database of some other program.
    #[error("the file is not a Keystead database (application id {found:#010x})")]
    NotKeystead {
        /// The application id of the file.
        found: u32,
    },
    /// SQLite would not take a setting.
    #[error("SQLite answered {answered} for its setting {name}")]
    Setting {
        /// The name of the pragma.
        name: &'static str,
        /// The value that SQLite answered.
        answered: i64,
    },
    /// Another process has the store open.
    #[error("another process has the store open")]
    InUse,
    /// SQLite would not use a write-ahead log here.
    #[error("SQLite answered journal mode '{answered}' where 'wal' is needed")]
    NotWal {
        /// The mode that SQLite answered.
        answered: String,
    },
    /// The deployment was initialised before.
    #[error("the deployment is already initialised")]
    AlreadyInitialised,
    /// The file system refused.
    #[error("the database's folder: {0}")]
    Io(#[from] std::io::Error),
    /// SQLite refused.
    #[error("SQLite: {0}")]
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::DiskFull,
            Some(_) | None => Self::Sqlite(error),
        }
    }
}

impl StoreError {
    /// The same failure for another act of the same group.
    #[expect(clippy::wildcard_enum_match_arm, reason = "all others are the causes of one failure")]
    pub(crate) fn for_another(&self) -> StoreError {
        match self {
            Self::Seal { table, identity, why } => {
                Self::Seal { table, identity: identity.clone(), why }
            }
            Self::Poisoned { cause } => Self::Poisoned { cause: cause.clone() },
            Self::NotCommitted { cause } => Self::NotCommitted { cause: cause.clone() },
            Self::DiskFull => Self::DiskFull,
            other => Self::NotCommitted { cause: other.to_string() },
        }
    }
}
