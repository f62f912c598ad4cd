//! The store before its seal keys are known: it can say whose it is and nothing more.

use std::path::{Path, PathBuf};

use crypto::seal::SealKeys;
use rusqlite::{Connection, TransactionBehavior};

use crate::database::{self, Lock};
use crate::domain_keys::{self, DeploymentRow, DomainKeyRow};
use crate::error::Result;
use crate::limits::{LOCK_WAIT_MILLIS_MAX, READER_THREADS};
use crate::migrations;
use crate::root_headers::{self, RootHeaderRow};
use crate::store::Store;
use crate::unlock;

/// How the store is opened.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Threads that read, each with a connection and a page cache of its own.
    pub reader_threads: usize,
    /// Take the keys and accounts as they are found, even if some are older than they were left or
    /// gone: the way back after a disk has lost pages or rows were restored. Rows whose seals are
    /// broken are refused as ever.
    pub accept_rollback: bool,
}

impl Default for StoreOptions {
    fn default() -> StoreOptions {
        StoreOptions { reader_threads: READER_THREADS, accept_rollback: false }
    }
}

/// A store that is opened and migrated, and whose rows are not yet believed.
pub struct LockedStore {
    pub(crate) path: PathBuf,
    pub(crate) options: StoreOptions,
    pub(crate) connection: Connection,
    /// False if the log may hold what a deletion before the last end meant to wipe.
    pub(crate) is_log_empty: bool,
    pub(crate) lock: Lock,
}

impl LockedStore {
    /// Opens the database at that path, or makes it, and brings its schema to the newest version.
    /// The folder must exist.
    ///
    /// # Errors
    ///
    /// [`StoreError::InUse`](crate::StoreError::InUse) if another process has it open;
    /// [`StoreError::NewerSchema`](crate::StoreError::NewerSchema),
    /// [`StoreError::ForeignSchema`](crate::StoreError::ForeignSchema) or
    /// [`StoreError::NotKeystead`](crate::StoreError::NotKeystead) if it is not a database this
    /// version may touch.
    pub fn open(path: &Path, options: StoreOptions) -> Result<LockedStore> {
        let lock = Lock::take(path)?;
        let mut connection = database::open_writer(path)?;
        // A process that was killed between a deletion and its wipe has left the log as it was.
        let is_log_empty = database::empty_log(&connection, LOCK_WAIT_MILLIS_MAX)?;
        migrations::migrate(&mut connection)?;
        database::sync_folder(path)?;
        Ok(LockedStore { path: path.to_owned(), options, connection, is_log_empty, lock })
    }

    /// The deployment this database belongs to; none before
    /// [`initialize`](LockedStore::initialize).
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`](crate::StoreError::Sqlite) if the database cannot be read.
    pub fn deployment(&self) -> Result<Option<DeploymentRow>> {
        domain_keys::deployment(&self.connection)
    }

    /// The wrapped domain keys, by purpose and version.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`](crate::StoreError::Sqlite) if the database cannot be read.
    pub fn domain_keys(&self) -> Result<Vec<DomainKeyRow>> {
        domain_keys::domain_keys(&self.connection)
    }

    /// Writes the deployment, its first domain keys and its root key's header, once.
    ///
    /// # Errors
    ///
    /// [`StoreError::AlreadyInitialised`](crate::StoreError::AlreadyInitialised) if the database
    /// belongs to a deployment.
    pub fn initialize(
        &self,
        deployment: &DeploymentRow,
        keys: &[DomainKeyRow],
        header: &RootHeaderRow,
    ) -> Result<()> {
        let transaction =
            rusqlite::Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        domain_keys::initialize(&transaction, deployment, keys)?;
        root_headers::put(&transaction, header)?;
        transaction.commit()?;
        Ok(())
    }

    /// The header of the root key; none in a database from before there were headers, and before
    /// [`initialize`](LockedStore::initialize).
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`](crate::StoreError::Sqlite) if the database cannot be read.
    pub fn root_header(&self) -> Result<Option<RootHeaderRow>> {
        root_headers::root_header(&self.connection)
    }

    /// Puts other wrapped forms of the domain keys, and their root key's header, in the place of those that are there: all of it
    /// or nothing, and durably. What was there before is wiped from the database and its log.
    ///
    /// # Errors
    ///
    /// [`StoreError::Sqlite`](crate::StoreError::Sqlite) if the database cannot be written.
    pub fn replace_root(&self, header: &RootHeaderRow, keys: &[DomainKeyRow]) -> Result<()> {
        let transaction =
            rusqlite::Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        root_headers::replace_root(&transaction, header, keys)?;
        transaction.commit()?;
        if !database::empty_log(&self.connection, LOCK_WAIT_MILLIS_MAX)? {
            tracing::warn!(
                "the log still has the old forms of the domain keys; the next start empties it"
            );
        }
        Ok(())
    }

    /// Checks the head, the change feed and the set of keys and accounts under the seal keys, and
    /// starts the store's threads.
    ///
    /// # Errors
    ///
    /// [`StoreError::Seal`](crate::StoreError::Seal) if they are not as this deployment left them.
    pub fn unlock(self, seal_keys: SealKeys) -> Result<Store> {
        let believed = unlock::check(&self.connection, &seal_keys, self.options.accept_rollback)?;
        Store::start(self, seal_keys, believed)
    }
}
