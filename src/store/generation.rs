//! Proof that the main file of a database and the write-ahead log beside it belong together.
//!
//! Three rows of `counters` tell. `lineage` never changes. `generation` counts checkpoints. `whole` is 0 in the main
//! file from the beginning of each checkpoint on, and 1 in the log once it is complete: so a main file that was
//! copied without its log says 0, while both together, a copy made through SQLite (`.backup`, `VACUUM INTO`) and the
//! main file of a server that ended in good order say 1.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::counters::counter;
use super::folder::log_of;
use super::position;
use super::unusable::Unusable;
use super::{StoreError, schema};

/// Identity and age of a database, as its rows say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Generation {
    lineage: i64,
    number: i64,
    whole: bool,
}

impl Generation {
    /// `None` for a database of a version that did not know generations.
    pub fn of(conn: &Connection) -> Option<Self> {
        let lineage = counter(conn, "lineage").ok().filter(|lineage| *lineage != 0)?;
        let number = counter(conn, "generation").ok()?;
        Some(Self { lineage, number, whole: counter(conn, "whole").ok()? == 1 })
    }

    /// That of the main file alone, without its log.
    pub fn of_file(path: &Path) -> Option<Self> {
        Self::of(&schema::open_immutable(path).ok()?)
    }

    /// Returns `true` where a log with this content may stand beside a main file of that generation.
    fn may_follow(self, main: Self) -> bool {
        let number = main.number + i64::from(!self.whole);
        self.lineage == main.lineage && (main.number..=number).contains(&self.number)
    }
}

/// The first half of a checkpoint: marks the next main file as incomplete without its log.
pub(super) fn begin(tx: &Connection) -> rusqlite::Result<()> {
    let sql = "UPDATE counters SET value = value + 1 WHERE name = 'generation'
               AND 1 = (SELECT value FROM counters WHERE name = 'whole')";
    tx.prepare_cached(sql)?.execute([])?;
    tx.prepare_cached("UPDATE counters SET value = 0 WHERE name = 'whole'")?.execute([]).map(drop)
}

/// The second half, once the main file has all that the log had when it [began](begin).
pub(super) fn end(tx: &Connection) -> rusqlite::Result<()> {
    tx.prepare_cached("UPDATE counters SET value = 1 WHERE name = 'whole'")?.execute([]).map(drop)
}

/// Returns `true` once the checkpoint that was begun last has reached the main file.
pub(super) fn has_arrived(conn: &Connection, path: &Path) -> bool {
    let wanted = Generation::of(conn);
    let main = Generation::of_file(path);
    main.is_some() && main.map(|main| main.number) == wanted.map(|wanted| wanted.number)
}

/// Refuses a database that is not Parlour's, is not complete, or has a log that is not its own. Changes nothing.
pub(super) fn check(path: &Path) -> Result<(), StoreError> {
    let log = fs::metadata(log_of(path)).ok().map(|log| log.len());
    let mut main = Generation::of_file(path);
    if log.is_none_or(|bytes| bytes == 0) {
        let conn = schema::open_immutable(path)?;
        check_kind(path, &conn).map_err(|error| damaged(path, error))?;
        // After a kill within a checkpoint another program may have copied the log into the file and removed it.
        if log.is_none() && main.is_some_and(|main| !main.whole) && !position::is_reached(path, &conn) {
            return Err(Unusable::LogLeftBehind(path.into()).into());
        }
        return Ok(());
    }
    let both = schema::open_reader(path)?;
    // Whatever the log is, it stays as it is.
    both.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // A server that runs may end a checkpoint between two looks; three times in a row it does not.
    for look in 0..3 {
        let Some((before, with)) = main.zip(Generation::of(&both)) else { break };
        if with.may_follow(before) {
            break;
        }
        if look == 2 {
            return Err(Unusable::ForeignLog(path.into()).into());
        }
        main = Generation::of_file(path);
    }
    check_kind(path, &both).map_err(|error| damaged(path, error))
}

fn check_kind(path: &Path, conn: &Connection) -> Result<(), StoreError> {
    let version: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let (tables, ours): (u32, u32) = conn.query_row(
        "SELECT count(*), total(name IN ('accounts', 'messages', 'counters')) FROM sqlite_schema WHERE type = 'table'",
        [],
        |row| Ok((row.get(0)?, row.get::<_, f64>(1).map(|ours| if ours >= 3.0 { 3 } else { 0 })?)),
    )?;
    let unusable = match (tables, ours, version) {
        (0, ..) => Unusable::NoTables(path.into()),
        (_, 3, 0) => Unusable::NoVersion(path.into()),
        (_, 3, _) => return Ok(()),
        _ => Unusable::Foreign(path.into()),
    };
    Err(unusable.into())
}

/// A database that SQLite cannot read, as something that an admin can act on.
pub(super) fn damaged(path: &Path, error: StoreError) -> StoreError {
    let StoreError::Sql(cause) = &error else { return error };
    match cause.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
            Unusable::Damaged { path: path.into(), why: cause.to_string() }.into()
        }
        _ => error,
    }
}
