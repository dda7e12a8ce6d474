//! The position of the last confirmed change, noted beside the database. A database that ends before its note has lost
//! something.
//!
//! The note is written after each commit and not synced, so it is never ahead of what is durable. A power cut may leave
//! it behind, which can hide a loss but never invent one.

use std::fs::{self, File};
use std::path::Path;

use rusqlite::Connection;

use super::lock::open_private_file;
use crate::platform::files;
use crate::store::StoreError;
use crate::store::unusable::UnusableDatabase;
use crate::store::values::counters::{last_message_id, read_counter};
use crate::wire::MessageId;

/// Name of the note's file in the data folder.
pub(in crate::store) const FILE_NAME: &str = "parlour.position";

/// Last change of a database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Position {
    /// Random number that a database keeps for its lifetime.
    pub lineage: i64,
    /// Last message id that was assigned.
    pub message: MessageId,
    /// Count of transactions without a message.
    pub changes: u64,
}

impl Position {
    /// Reads the position of an open database from the rows of `counters`.
    pub fn from_database(conn: &Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            lineage: read_counter(conn, "lineage")?,
            message: last_message_id(conn)?,
            changes: read_counter(conn, "changes")?.unsigned_abs(),
        })
    }

    /// Counts a transaction without a message, inside of it.
    pub fn count_change(conn: &Connection) -> rusqlite::Result<()> {
        let sql = "UPDATE counters SET value = value + 1 WHERE name = 'changes'";
        conn.prepare_cached(sql)?.execute([]).map(drop)
    }

    fn to_line(self) -> String {
        let text = format!("{:016x} {:016x} {:016x}", self.lineage, self.message.as_i64(), self.changes);
        let sum = crc32fast::hash(text.as_bytes());
        format!("{text} {sum:08x}\n")
    }

    fn parse(line: &str) -> Option<Self> {
        let (text, sum) = line.trim_end().rsplit_once(' ')?;
        if u32::from_str_radix(sum, 16).ok()? != crc32fast::hash(text.as_bytes()) {
            return None;
        }
        let mut numbers = text.split(' ').map(|word| u64::from_str_radix(word, 16));
        let mut next = || numbers.next()?.ok();
        let lineage = next()?.cast_signed();
        Some(Self { lineage, message: MessageId::from_i64(next()?.cast_signed()), changes: next()? })
    }
}

/// Reads the note of the last server in this folder; `None` if there is none that can be read.
pub(in crate::store) fn read_file(folder: &Path) -> Option<Position> {
    Position::parse(&fs::read_to_string(folder.join(FILE_NAME)).ok()?)
}

/// Returns true for a database that has all confirmed changes, as far as there is a note.
pub(in crate::store) fn is_reached(path: &Path, conn: &Connection) -> bool {
    let recorded = read_file(path.parent().unwrap_or(path));
    let has = Position::from_database(conn).ok();
    recorded.zip(has).is_some_and(|(noted, has)| check(path, Some(noted), &has).is_ok())
}

/// Refuses a database that is another one than noted, or that ends before the note. With a running server the note must
/// be read first.
pub(in crate::store) fn check(
    path: &Path,
    recorded: Option<Position>,
    has: &Position,
) -> Result<(), StoreError> {
    let Some(noted) = recorded else { return Ok(()) };
    if noted.lineage != has.lineage {
        return Err(UnusableDatabase::Replaced(path.into()).into());
    }
    if noted.message > has.message || noted.changes > has.changes {
        return Err(UnusableDatabase::MissingCommits {
            path: path.into(),
            has: has.message.time(),
            confirmed: noted.message.time(),
            changes: noted.changes.saturating_sub(has.changes),
        }
        .into());
    }
    Ok(())
}

/// Accepts the database as complete although the note is ahead. No confirmed message id is assigned again.
pub(in crate::store) fn skip_lost(folder: &Path, conn: &Connection) -> Result<(), StoreError> {
    if let Some(noted) = read_file(folder) {
        let sql = "UPDATE counters SET value = max(value, ?2) WHERE name = ?1";
        conn.execute(sql, ("message", noted.message))?;
        conn.execute(sql, ("changes", noted.changes.cast_signed()))?;
    }
    PositionFile::open(folder)?
        .write(&Position::from_database(conn)?)
        .map_err(StoreError::file(folder.join(FILE_NAME)))
}

/// The note, open for writing.
#[derive(Debug)]
pub(in crate::store) struct PositionFile(File);

impl PositionFile {
    /// Opens the note, making it if it is missing.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        open_private_file(&folder.join(FILE_NAME)).map(Self)
    }

    /// Writes a position. All notes have the same length, so one replaces the other in one write.
    pub fn write(&self, position: &Position) -> std::io::Result<()> {
        files::write_all_at(&self.0, position.to_line().as_bytes(), 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_line_parses_back_and_damaged_line_is_none() {
        let position = Position { lineage: -7, message: MessageId::from_i64(1 << 60), changes: 3 };
        let line = position.to_line();
        assert_eq!(Position::parse(&line), Some(position));
        assert_eq!(line.len(), Position::default().to_line().len());
        for at in 0..line.len() - 1 {
            let mut damaged = line.clone().into_bytes();
            damaged[at] ^= 1;
            let damaged = String::from_utf8(damaged).expect("ASCII");
            assert_eq!(Position::parse(&damaged), None, "{damaged}");
        }
        assert_eq!(Position::parse(""), None);
    }
}
