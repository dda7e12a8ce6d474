//! Proof that the main file of a database and the write-ahead log beside it belong together.
//!
//! It consists of three rows of `counters`. `lineage` never changes. `generation` counts checkpoints. `whole` is 0 in
//! the main file from the beginning of each checkpoint on, and 1 in the log once the checkpoint is complete. So a main
//! file that was copied without its log has 0, while both together, a copy made through SQLite (`.backup`, `VACUUM
//! INTO`) and the main file after an orderly shutdown have 1.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::folder::wal_path;
use super::position;
use super::schema;
use crate::store::StoreError;
use crate::store::unusable::UnusableDatabase;
use crate::store::values::counters::read_counter;

/// Identity and age of a database, from its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Generation {
    lineage: i64,
    number: i64,
    complete: bool,
}

impl Generation {
    /// Reads the generation; `None` for a database from before generations existed.
    pub fn read(conn: &Connection) -> Option<Self> {
        let lineage = read_counter(conn, "lineage").ok().filter(|lineage| *lineage != 0)?;
        let number = read_counter(conn, "generation").ok()?;
        Some(Self { lineage, number, complete: read_counter(conn, "whole").ok()? == 1 })
    }

    /// Reads the generation of the main file alone, without its log.
    pub fn read_file(path: &Path) -> Option<Self> {
        Self::read(&schema::open_immutable(path).ok()?)
    }

    /// Returns true if a log with this content may belong to a main file of that generation.
    fn may_follow(self, main: Self) -> bool {
        let number = main.number + i64::from(!self.complete);
        self.lineage == main.lineage && (main.number..=number).contains(&self.number)
    }
}

/// Starts a checkpoint: marks the next main file as incomplete without its log.
pub(in crate::store) fn mark_checkpoint_begun(tx: &Connection) -> rusqlite::Result<()> {
    let sql = "UPDATE counters SET value = value + 1 WHERE name = 'generation'
               AND 1 = (SELECT value FROM counters WHERE name = 'whole')";
    tx.prepare_cached(sql)?.execute([])?;
    tx.prepare_cached("UPDATE counters SET value = 0 WHERE name = 'whole'")?.execute([]).map(drop)
}

/// Ends a checkpoint, once the main file has all that the log had when it began.
pub(in crate::store) fn mark_checkpoint_complete(tx: &Connection) -> rusqlite::Result<()> {
    tx.prepare_cached("UPDATE counters SET value = 1 WHERE name = 'whole'")?.execute([]).map(drop)
}

/// Returns true once the checkpoint that was begun last has reached the main file.
pub(in crate::store) fn is_in_main_file(conn: &Connection, path: &Path) -> bool {
    let wanted = Generation::read(conn);
    let main = Generation::read_file(path);
    main.is_some() && main.map(|main| main.number) == wanted.map(|wanted| wanted.number)
}

/// Refuses a database that is not Parlour's, is not complete, or has a log that is not its own. Changes nothing.
pub(in crate::store) fn check(path: &Path) -> Result<(), StoreError> {
    let log = fs::metadata(wal_path(path)).ok().map(|log| log.len());
    let mut main = Generation::read_file(path);
    if log.is_none_or(|bytes| bytes == 0) {
        let conn = schema::open_immutable(path)?;
        check_tables(path, &conn).map_err(|error| with_remedy(path, error))?;
        // After a kill during a checkpoint another program may have copied the log into the file and removed it.
        if log.is_none() && main.is_some_and(|main| !main.complete) && !position::is_reached(path, &conn) {
            return Err(UnusableDatabase::LogLeftBehind(path.into()).into());
        }
        return Ok(());
    }
    let both = schema::open_reader(path)?;
    // The log stays as it is, whatever it is.
    both.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // A running server may end a checkpoint between two reads, but not three times in a row.
    for look in 0..3 {
        let Some((before, with)) = main.zip(Generation::read(&both)) else { break };
        if with.may_follow(before) {
            break;
        }
        if look == 2 {
            return Err(UnusableDatabase::ForeignLog(path.into()).into());
        }
        main = Generation::read_file(path);
    }
    check_tables(path, &both).map_err(|error| with_remedy(path, error))
}

fn check_tables(path: &Path, conn: &Connection) -> Result<(), StoreError> {
    /// The tables of a file.
    struct TablesFound {
        any: bool,
        /// Those that every version of Parlour has are among them.
        ours: bool,
    }
    let version: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let found = conn.query_row(
        "SELECT count(*) > 0, total(name IN ('accounts', 'messages', 'counters')) >= 3
         FROM sqlite_schema WHERE type = 'table'",
        [],
        |row| Ok(TablesFound { any: row.get(0)?, ours: row.get(1)? }),
    )?;
    let unusable = match (found, version) {
        (TablesFound { any: false, .. }, _) => UnusableDatabase::NoTables(path.into()),
        (TablesFound { ours: false, .. }, _) => UnusableDatabase::ForeignDatabase(path.into()),
        (_, 0) => UnusableDatabase::NoVersion(path.into()),
        _ => return Ok(()),
    };
    Err(unusable.into())
}

/// Turns SQLite's error about an unreadable database into one with a remedy for an admin.
pub(in crate::store) fn with_remedy(path: &Path, error: StoreError) -> StoreError {
    let StoreError::Sql(cause) = &error else { return error };
    match cause.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
            UnusableDatabase::Damaged { path: path.into(), cause: cause.to_string() }.into()
        }
        _ => error,
    }
}
