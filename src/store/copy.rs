//! Copies of a database that a server may be writing to, complete and of one moment, for backups.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use serde::{Deserialize, Serialize};

use super::checksums::rows;
use super::database::folder::{check_file, wal_path};
use super::database::lock::open_private_file;
use super::database::position::Position;
use super::database::{generation, schema};
use super::health::{self, Health};
use super::last_backup::{self, LastBackup};
use super::unusable::UnusableDatabase;
use super::{StoreError, with_suffix};
use crate::core::model::accounts::ECHO_ACCOUNT_ID;
use crate::platform::files;
use crate::wire::Timestamp;

/// Pages that are copied between two reports of the progress: 4 MiB.
const PAGES_PER_STEP: i32 = 1024;

/// Time to wait where another program holds the database.
const BUSY_PAUSE: Duration = Duration::from_millis(50);

/// Name of a database in its folder.
pub const DATABASE: &str = "parlour.db";

/// Counts of what a database has, for people who compare a backup with what they expect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Accounts that are not removed, without the built-in one.
    pub accounts: u64,
    /// Channels, also those without members.
    pub channels: u64,
    /// Messages and events of the history, redacted ones included.
    pub messages: u64,
    /// Files, also those that no message shares yet.
    pub files: u64,
}

/// Content of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopiedDatabase {
    /// Version of the schema.
    pub schema: u32,
    /// Counts of the rows.
    pub counts: Counts,
    /// Position of the last change.
    pub(in crate::store) position: Position,
}

impl CopiedDatabase {
    /// Makes the note of a backup with this copy.
    pub fn note(&self, at: Timestamp, to: String, bytes: u64, secrets: bool) -> LastBackup {
        LastBackup::new(at, to, bytes, secrets, self.position)
    }
}

/// Copies the database in a data folder as it is at this moment into a file of another folder, for its owner only, and
/// syncs it. Writers go on meanwhile; the write-ahead log cannot be emptied until it is done. `progress` is told the
/// bytes that are done and their total, and returns `false` to end it.
///
/// # Errors
/// [`StoreError::Unusable`] for a database on which no server could start, [`StoreError::Interrupted`] when `progress`
/// ended it.
pub fn copy(
    folder: &Path,
    target: &Path,
    progress: &mut dyn FnMut(u64, u64) -> bool,
) -> Result<CopiedDatabase, StoreError> {
    let path = folder.join(DATABASE);
    if !check_file(&path)? {
        return Err(UnusableDatabase::Missing(path).into());
    }
    generation::check(&path)?;
    let source = open_source(&path)?;
    schema::check_version(&source)?;
    files::give_to_owner_of(&open_private_file(target)?, target.parent().unwrap_or(target));
    let mut copied = Connection::open_with_flags(
        target,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    // A copy that is interrupted is of no use, so it needs no journal.
    copied.pragma(None, "journal_mode", "OFF", |_| Ok(()))?;
    copied.pragma_update(None, "synchronous", "OFF")?;
    // One snapshot for all steps; otherwise each write of a server would begin the copy anew.
    source.execute_batch("BEGIN")?;
    source.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    copy_pages(&source, &mut copied, progress)?;
    source.execute_batch("COMMIT")?;
    drop(source);
    schema::require_setting(&copied, "journal_mode", "DELETE", "delete")?;
    // The snapshot may be of a moment within a checkpoint, whose log was copied, too.
    generation::mark_checkpoint_complete(&copied)?;
    let found = inspect(&copied)?;
    copied.close().map_err(|(_, error)| error)?;
    sync(target)?;
    Ok(found)
}

/// Removes from a copy what lets anybody in: password hashes, tokens, links, and the addresses and keys of hooks.
/// Invites and hooks stay in the lists, revoked. Nothing of it stays in the file.
pub fn remove_secrets(copy: &Path, now: Timestamp) -> Result<(), StoreError> {
    let conn = schema::open_file(copy)?;
    rows::create_checksum_views(&conn)?;
    let has_column = |table: &str, column: &str| {
        let sql = "SELECT count(*) FROM pragma_table_info(?1) WHERE name = ?2";
        conn.query_row(sql, [table, column], |row| row.get::<_, bool>(0))
    };
    let schema: u32 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if schema == schema::latest_version() {
        rows::create_checksum_triggers(&conn)?;
    } else {
        // The triggers are those of the latest schema. Rows without a checksum get one after the migration.
        for table in ["accounts", "invites", "files", "hooks"] {
            if has_column(table, "sum")? {
                conn.execute_batch(&format!("UPDATE {table} SET sum = NULL"))?;
            }
        }
    }
    // Tables and columns that older databases lack.
    for (table, column, statement) in [
        ("access_tokens", "sum", "DELETE FROM access_tokens"),
        ("files", "link", "UPDATE files SET link = NULL"),
        ("hooks", "key", "UPDATE hooks SET token = NULL, url = NULL, key = NULL"),
    ] {
        if has_column(table, column)? {
            conn.execute_batch(statement)?;
        }
    }
    conn.execute_batch("UPDATE accounts SET password = NULL WHERE password IS NOT NULL")?;
    // Unique, and of no token that anybody has.
    conn.execute("UPDATE invites SET token = randomblob(32), revoked = coalesce(revoked, ?1)", [now])?;
    // Makes the file anew, without what was in free pages.
    conn.execute_batch("VACUUM")?;
    conn.close().map_err(|(_, error)| error)?;
    sync(copy)
}

/// Checks a copy, whose name must be [`DATABASE`], as `parlour doctor` checks a database.
pub fn check(copy: &Path) -> Result<(CopiedDatabase, Health), StoreError> {
    let health = health::check(copy.parent().unwrap_or(copy))?;
    let conn = schema::open_immutable(copy)?;
    rows::create_checksum_views(&conn)?;
    Ok((inspect(&conn)?, health))
}

/// Returns the paths of the copies that migrations have kept in a data folder.
pub fn migration_copies(folder: &Path) -> Vec<PathBuf> {
    let is_copy = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        let schema = name.and_then(|name| name.strip_prefix(MIGRATION_COPY)?.strip_suffix(".db"));
        schema.is_some_and(|schema| schema.parse::<u32>().is_ok())
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(is_copy).collect()
}

/// Returns the version of the latest schema that this program knows.
pub fn latest_schema() -> u32 {
    schema::latest_version()
}

/// Keeps a copy of the database in a data folder, which has this schema and is about to be migrated, as
/// `parlour-schema16.db`, so that the former version of the program can be used again.
///
/// # Errors
/// [`StoreError::NoRoomForCopy`] where the disk has no room for it and there is no backup of this very state.
pub(in crate::store) fn keep_before_migration(folder: &Path, schema: u32) -> Result<(), StoreError> {
    let path = folder.join(DATABASE);
    let kept = folder.join(format!("{MIGRATION_COPY}{schema}.db"));
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
    let needed = size(&path) + size(&wal_path(&path)) + MIGRATION_RESERVE;
    if files::disk_space(folder).is_ok_and(|space| space.free < needed) {
        let conn = open_source(&path)?;
        let position = Position::from_database(&conn)?;
        return match last_backup::read(folder) {
            Some(last) if last.is_of(&position) => Ok(()),
            _ => Err(StoreError::NoRoomForCopy { folder: folder.into(), mib: needed.div_ceil(1 << 20) }),
        };
    }
    let draft = with_suffix(&kept, ".new");
    copy(folder, &draft, &mut |_, _| true)?;
    std::fs::rename(&draft, &kept).map_err(StoreError::file(&kept))?;
    files::sync_folder(folder).map_err(StoreError::file(folder))?;
    tracing::info!("the database as it was before is kept as {}", kept.display());
    Ok(())
}

/// Beginning of the name of a copy from before a migration.
const MIGRATION_COPY: &str = "parlour-schema";

/// Room that the migration itself needs, in bytes.
const MIGRATION_RESERVE: u64 = 64 << 20;

/// Opens a database to copy it, and the log that a killed server has left.
fn open_source(path: &Path) -> Result<Connection, StoreError> {
    if wal_path(path).exists() {
        let conn = schema::open_reader(path)?;
        // The log stays as it is.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        return Ok(conn);
    }
    // This makes a log, which it also removes; a connection that only reads could not.
    let conn = schema::open_file(path)?;
    conn.pragma_update(None, "query_only", true)?;
    Ok(conn)
}

fn copy_pages(
    source: &Connection,
    target: &mut Connection,
    progress: &mut dyn FnMut(u64, u64) -> bool,
) -> Result<(), StoreError> {
    let backup = Backup::new(source, target)?;
    loop {
        let step = backup.step(PAGES_PER_STEP)?;
        let state = backup.progress();
        let bytes = |pages: i32| u64::try_from(pages).unwrap_or(0) * schema::PAGE_BYTES;
        let (total, left) = (bytes(state.pagecount), bytes(state.remaining));
        if !progress(total.saturating_sub(left), total) {
            return Err(StoreError::Interrupted);
        }
        match step {
            StepResult::Done => return Ok(()),
            StepResult::Busy | StepResult::Locked => std::thread::sleep(BUSY_PAUSE),
            _ => {}
        }
    }
}

fn inspect(conn: &Connection) -> Result<CopiedDatabase, StoreError> {
    let count = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs);
    let files = if conn.table_exists(None, "files")? { count("SELECT count(*) FROM files")? } else { 0 };
    let accounts =
        format!("SELECT count(*) FROM accounts WHERE removed IS NULL AND id <> {}", ECHO_ACCOUNT_ID.0);
    Ok(CopiedDatabase {
        schema: conn.pragma_query_value(None, "user_version", |row| row.get(0))?,
        counts: Counts {
            accounts: count(&accounts)?,
            channels: count("SELECT count(*) FROM channels")?,
            messages: count("SELECT count(*) FROM messages")?,
            files,
        },
        position: Position::from_database(conn)?,
    })
}

/// Syncs a file. Windows demands the right to write for that.
fn sync(path: &Path) -> Result<(), StoreError> {
    let synced = OpenOptions::new().write(true).open(path).and_then(|file| file.sync_all());
    synced.map_err(StoreError::file(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    /// Makes a data folder with a database of this version, which has an account and an invite.
    fn folder(version: u32) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(DATABASE);
        schema::create_at_version(&path, version);
        let conn = Connection::open(path).expect("opens");
        conn.execute_batch(
            "INSERT INTO accounts (name, password, created) VALUES ('alice', 'SECRET-HASH', 1);
             INSERT INTO invites (token, role, uses, expires, created) VALUES (x'a5a5a5a5a5a5a5a5', 0, 1, 2, 1)",
        )
        .expect("written");
        folder
    }

    #[test]
    fn secrets_are_removed_from_databases_of_every_version() {
        for version in 1..=latest_schema() {
            let (folder, target) = (folder(version), tempfile::tempdir().expect("a folder"));
            let copied = target.path().join(DATABASE);
            let found = copy(folder.path(), &copied, &mut |_, _| true).expect("copied");
            assert_eq!((found.schema, found.counts.accounts), (version, 1));
            remove_secrets(&copied, Timestamp(7)).expect("removed");
            let bytes = std::fs::read(&copied).expect("reads");
            let has = |secret: &[u8]| bytes.windows(secret.len()).any(|window| window == secret);
            assert!(has(b"alice") && !has(b"SECRET-HASH") && !has(&[0xa5; 8]), "{version}");
            assert_eq!(check(&copied).expect("checked").1.faults, Vec::<String>::new(), "{version}");
            drop(Store::open(target.path()).expect("migrates"));
            let kept = migration_copies(target.path());
            assert_eq!(kept.len(), usize::from(version < latest_schema()), "{version}");
            assert_eq!(health::check(target.path()).expect("checked").faults, Vec::<String>::new());
        }
    }

    #[test]
    fn copy_that_is_ended_early_is_an_error() {
        let (folder, target) = (folder(latest_schema()), tempfile::tempdir().expect("a folder"));
        let result = copy(folder.path(), &target.path().join(DATABASE), &mut |_, _| false);
        assert!(matches!(result, Err(StoreError::Interrupted)));
    }
}
