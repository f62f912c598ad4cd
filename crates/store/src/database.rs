//! Connections to the database file, with the settings that its promises rest on.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::{Result, StoreError};
use crate::limits::{CHECKPOINT_PAGES, LOCK_WAIT_MILLIS_MAX, PAGE_CACHE_KIB, STATEMENTS_KEPT};

/// Only the owner may read the file; SQLite gives its log and index the same mode.
const FILE_MODE: u32 = 0o600;

/// Keeps a second process away for as long as it lives. The system frees it when the process ends,
/// however it ends.
pub(crate) struct Lock(File);

impl Lock {
    /// Takes the lock of the database at that path.
    ///
    /// It is a file of its own: closing any handle of the database file would drop the locks that
    /// SQLite holds on it.
    pub(crate) fn take(path: &Path) -> Result<Lock> {
        let mut name = path.as_os_str().to_owned();
        name.push("-lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(FILE_MODE)
            .open(PathBuf::from(name))?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => StoreError::InUse,
            TryLockError::Error(error) => StoreError::Io(error),
        })?;
        Ok(Lock(file))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing alone would leave the lock to a child process that has not started its program
        // yet.
        if let Err(error) = self.0.unlock() {
            tracing::warn!(%error, "the store's lock is only freed when the process ends");
        }
    }
}

/// Opens the only connection that writes, and makes the file if there is none.
pub(crate) fn open_writer(path: &Path) -> Result<Connection> {
    // SQLite makes its files as the process's umask says; made here first, the database is private
    // from the start.
    OpenOptions::new().create(true).truncate(false).write(true).mode(FILE_MODE).open(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    configure(&connection)?;
    let answered: String =
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if answered != "wal" {
        return Err(StoreError::NotWal { answered });
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    expect(&connection, "synchronous", 2)?;
    Ok(connection)
}

/// Opens a connection that can only read. The writer must be open.
pub(crate) fn open_reader(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    configure(&connection)?;
    Ok(connection)
}

fn configure(connection: &Connection) -> Result<()> {
    connection.busy_timeout(Duration::from_millis(LOCK_WAIT_MILLIS_MAX))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    // No way past the tables: no writing of the schema table, no functions of strangers in it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // One plan for each statement. Otherwise SQLite looks at the values bound and plans anew each
    // time, which is most of the price of loading a key.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    for (name, value) in SETTINGS {
        connection.pragma_update(None, name, value)?;
        expect(connection, name, *value)?;
    }
    connection.pragma_update(None, "cache_size", -i64::from(PAGE_CACHE_KIB))?;
    Ok(())
}

/// What each connection is set to, and asked back.
const SETTINGS: &[(&str, i64)] = &[
    ("foreign_keys", 1),
    ("trusted_schema", 0),
    ("secure_delete", 1),
    ("cell_size_check", 1),
    // Sorting spills to memory: no temporary file can hold a row.
    ("temp_store", 2),
];

fn expect(connection: &Connection, name: &'static str, value: i64) -> Result<()> {
    let answered: i64 = connection.pragma_query_value(None, name, |row| row.get(0))?;
    if answered == value { Ok(()) } else { Err(StoreError::Setting { name, answered }) }
}

/// Makes the directory entries of the database's files durable.
pub(crate) fn sync_folder(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(())
}

/// Moves the whole write-ahead log into the database and empties it. False if a reader still needs
/// it.
pub(crate) fn empty_log(connection: &Connection, wait_millis: u64) -> Result<bool> {
    connection.busy_timeout(Duration::from_millis(wait_millis))?;
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
    connection.busy_timeout(Duration::from_millis(LOCK_WAIT_MILLIS_MAX))?;
    let busy: i64 = busy?;
    Ok(busy == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_private_and_a_second_process_is_kept_away() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keystead.db");
        let _lock = Lock::take(&path).unwrap();
        assert!(matches!(Lock::take(&path), Err(StoreError::InUse)));
        let connection = open_writer(&path).unwrap();
        connection.execute_batch("CREATE TABLE t (a) STRICT").unwrap_err();
        connection.execute_batch("CREATE TABLE t (a TEXT) STRICT").unwrap();
        for name in ["keystead.db", "keystead.db-wal", "keystead.db-shm", "keystead.db-lock"] {
            let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, FILE_MODE, "{name}");
        }
    }

    #[test]
    fn a_reader_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keystead.db");
        let writer = open_writer(&path).unwrap();
        writer.execute_batch("CREATE TABLE t (a TEXT) STRICT").unwrap();
        let reader = open_reader(&path).unwrap();
        reader.execute("INSERT INTO t VALUES ('x')", []).unwrap_err();
    }

    #[test]
    fn the_folder_of_a_bare_name_is_here() {
        sync_folder(Path::new("keystead.db")).unwrap();
    }
}
