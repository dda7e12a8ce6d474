//! Repair of what only serves to find messages: indexes, and the contents of volumes. All of it follows from the tables.
//!
//! A read that finds an index damaged goes by the table and leaves a note beside the database; the next start then makes
//! the indexes anew. The writer, which cannot go on without them, does so at once.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tracing::{info, warn};

use super::lock::private_file;
use crate::store::{StoreError, sums};

/// The note, in the data folder.
const FILE: &str = "parlour.reindex";

fn note_of(database: &Path) -> PathBuf {
    database.with_file_name(FILE)
}

/// The note of a connection's database; `None` for one in memory.
fn note_for(conn: &Connection) -> Option<PathBuf> {
    conn.path().filter(|path| !path.is_empty()).map(|path| note_of(Path::new(path)))
}

/// Notes that an index of a connection's database is damaged.
pub(in crate::store) fn note(conn: &Connection) {
    let Some(path) = note_for(conn).filter(|path| !path.exists()) else { return };
    warn!(
        "an index of the database is damaged; what it should find is looked for without it, and the next start makes it anew"
    );
    if let Err(error) = private_file(&path) {
        warn!(%error, "cannot note that an index is damaged");
    }
}

/// Returns `true` where an index was found damaged and no start has made it anew.
pub(in crate::store) fn is_noted(database: &Path) -> bool {
    note_of(database).exists()
}

/// Makes the indexes anew where a read has found one damaged.
pub(in crate::store) fn where_noted(conn: &Connection, database: &Path) -> Result<(), StoreError> {
    if !is_noted(database) {
        return Ok(());
    }
    info!("the indexes of the database are made anew, which takes a while if it is large");
    match indexes(conn) {
        // The tables are damaged too: what can be read is read without the indexes.
        Err(error) if error.is_damage() => {
            warn!(%error, "the indexes cannot be made anew; run `parlour doctor`");
            Ok(())
        }
        made => made,
    }
}

/// Makes all indexes and the contents of volumes anew.
pub(in crate::store) fn indexes(conn: &Connection) -> Result<(), StoreError> {
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
                Err(error) if sums::is_damage(&error) => {
                    make_anew(conn, &name, &sql)?;
                    dropped = true;
                }
                other => other?,
            }
        }
    }
    let contents = conn.query_row("SELECT total(place + class + volume) FROM contents", [], |_| Ok(()));
    if contents.as_ref().is_err_and(sums::is_damage) {
        let sql = "SELECT sql FROM sqlite_schema WHERE name = 'contents'";
        let sql: String = conn.query_row(sql, [], |row| row.get(0))?;
        make_anew(conn, "contents", &sql)?;
        dropped = true;
    }
    conn.execute_batch(
        "INSERT INTO contents (place, class, volume)
             SELECT DISTINCT place, class, volume FROM messages NOT INDEXED WHERE true ON CONFLICT DO NOTHING",
    )?;
    if dropped && let Err(error) = conn.execute_batch("VACUUM") {
        warn!(%error, "the damaged pages of an index stay in the database, where nothing reads them");
    }
    // Where that fails, the next start does it all again.
    let _ = note_for(conn).map(fs::remove_file);
    Ok(())
}

/// Takes something out of the schema whose pages cannot be read, and makes it again.
fn make_anew(conn: &Connection, name: &str, sql: &str) -> Result<(), StoreError> {
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
