//! Repair of what only serves to find messages: indexes, and the contents of volumes. All of it follows from the tables.
//!
//! A read that finds an index damaged goes by the table and leaves a note beside the database; the next start then makes
//! the indexes anew. The writer, which cannot go on without them, does so at once.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tracing::{info, warn};

use super::lock::open_private_file;
use crate::store::{StoreError, checksums};

/// The note, in the data folder.
const MARKER_FILE: &str = "parlour.reindex";

fn marker_path(database: &Path) -> PathBuf {
    database.with_file_name(MARKER_FILE)
}

/// The note of a connection's database; `None` for one in memory.
fn connection_marker_path(conn: &Connection) -> Option<PathBuf> {
    conn.path().filter(|path| !path.is_empty()).map(|path| marker_path(Path::new(path)))
}

/// Notes that an index of a connection's database is damaged.
pub(in crate::store) fn mark_damaged_index(conn: &Connection) {
    let Some(path) = connection_marker_path(conn).filter(|path| !path.exists()) else { return };
    warn!(
        "an index of the database is damaged; what it should find is looked for without it, and the next start makes it anew"
    );
    if let Err(error) = open_private_file(&path) {
        warn!(%error, "cannot note that an index is damaged");
    }
}

/// Returns `true` where an index was found damaged and no start has made it anew.
pub(in crate::store) fn is_marked(database: &Path) -> bool {
    marker_path(database).exists()
}

/// Makes the indexes anew where a read has found one damaged.
pub(in crate::store) fn rebuild_marked_indexes(conn: &Connection, database: &Path) -> Result<(), StoreError> {
    if !is_marked(database) {
        return Ok(());
    }
    info!("the indexes of the database are made anew, which takes a while if it is large");
    match rebuild_indexes(conn) {
        // The tables are damaged too: what can be read is read without the indexes.
        Err(error) if error.is_damage() => {
            warn!(%error, "the indexes cannot be made anew; run `parlour doctor`");
            Ok(())
        }
        made => made,
    }
}

/// Makes all indexes and the contents of volumes anew.
pub(in crate::store) fn rebuild_indexes(conn: &Connection) -> Result<(), StoreError> {
    let mut dropped = false;
    if conn.execute_batch("REINDEX").is_err() {
        let sql = "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL";
        let all = conn
            .prepare(sql)?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<Vec<(String, String)>>>()?;
        for (name, sql) in all {
            // One whose pages do not hang together cannot be emptied, either.
            match conn.execute_batch(&format!("REINDEX {name}")) {
                Err(error) if checksums::is_damage(&error) => {
                    recreate_index(conn, &name, &sql)?;
                    dropped = true;
                }
                other => other?,
            }
        }
    }
    let contents = conn.query_row("SELECT total(place + class + volume) FROM contents", [], |_| Ok(()));
    if contents.as_ref().is_err_and(checksums::is_damage) {
        let sql = "SELECT sql FROM sqlite_schema WHERE name = 'contents'";
        let sql: String = conn.query_row(sql, [], |row| row.get(0))?;
        recreate_index(conn, "contents", &sql)?;
        dropped = true;
    }
    conn.execute_batch(
        "INSERT INTO contents (place, class, volume)
             SELECT DISTINCT place, class, volume FROM messages NOT INDEXED WHERE true ON CONFLICT DO NOTHING",
    )?;
    if dropped && let Err(error) = conn.execute_batch("VACUUM") {
        warn!(%error, "the damaged pages of an index stay in the database, where nothing reads them");
    }
    // If that fails, the next start repeats all of it.
    let _ = connection_marker_path(conn).map(fs::remove_file);
    Ok(())
}

/// Takes something out of the schema whose pages cannot be read, and makes it again.
fn recreate_index(conn: &Connection, name: &str, sql: &str) -> Result<(), StoreError> {
    conn.execute_batch("PRAGMA writable_schema = ON")?;
    let made = (|| {
        let tx = Transaction::new_unchecked(conn, TransactionBehavior::Immediate)?;
        tx.execute("DELETE FROM sqlite_schema WHERE name = ?1", [name])?;
        // Reads the schema again.
        tx.execute_batch("PRAGMA writable_schema = RESET")?;
        tx.execute_batch(sql)?;
        Ok(tx.commit()?)
    })();
    conn.execute_batch("PRAGMA writable_schema = RESET")?;
    made
}
