//! Checks of a database that a server may have open, without changing it.

use std::collections::HashSet;
use std::path::Path;

use rusqlite::Connection;

use super::database::folder::wal_path;
use super::database::position::{self, Position};
use super::database::{generation, repair, schema};
use super::search::parts;
use super::tables::files;
use super::unusable::UnusableDatabase;
use super::values::counters::read_counter;
use super::values::time;
use super::{StoreError, checksums};
use crate::core::record::file::FileHash;
use crate::wire::{MessageId, Timestamp};

/// Maximum count of reported faults, because one damaged page may cause a thousand.
const MAX_FAULTS: usize = 5;

/// Faults and state of a database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// The first few faults, a line each; none for a sound database.
    pub faults: Vec<String>,
    /// Time of the latest message, if there is one that can be read.
    pub latest: Option<Timestamp>,
    /// Count of removals whose text may still be in the write-ahead log.
    pub to_erase: u64,
    /// True if removed text may still be in the search index.
    pub index_to_erase: bool,
    /// Size of the write-ahead log, in bytes.
    pub log_bytes: u64,
    /// The settled time that a server stored last.
    pub stored_time: Option<Timestamp>,
    /// Hashes of the contents that files have, if they can be read.
    pub file_contents: Option<HashSet<FileHash>>,
}

/// Checks the database in a data folder: its completeness, pages, checksums, foreign keys, schema, and that each
/// message is where the history looks for it.
///
/// Reads everything once, so a large database takes its time. Also reads a log that a killed server left behind; for
/// that SQLite makes the log's index anew, as the server itself would.
///
/// # Errors
/// [`StoreError::Unusable`] when no server could start on it; others when it cannot be opened.
pub fn check(folder: &Path) -> Result<Health, StoreError> {
    let path = folder.join("parlour.db");
    // Read before the database, because a running server writes it afterwards.
    let noted = position::read_file(folder);
    if !super::database::folder::check_file(&path)? {
        return Err(UnusableDatabase::Missing(path).into());
    }
    generation::check(&path)?;
    let conn = open(&path)?;
    let version = schema::check_version(&conn)?;
    let mut health = Health::default();
    if version >= schema::CHECKSUMS_VERSION {
        position::check(&path, noted, &Position::from_database(&conn)?)?;
        health.faults.extend(find_faults(&conn));
        health.to_erase = read_counter(&conn, "erase").unwrap_or_default().unsigned_abs();
    }
    if repair::is_marked(&path) {
        health.faults.push("an index is damaged; the next start of the server makes it anew".to_owned());
    }
    health.log_bytes = std::fs::metadata(wal_path(&path)).map_or(0, |log| log.len());
    let index = folder.join("search.db");
    if index.exists() {
        let erase =
            |conn: Connection| conn.query_row(parts::IS_TO_ERASE, [], |row| row.get::<_, bool>(0)).ok();
        health.index_to_erase = open(&index).ok().and_then(erase).unwrap_or(false);
    }
    let mut faults = |query: &str, fault: fn(&rusqlite::Row<'_>) -> rusqlite::Result<String>| {
        let result = (|| {
            let mut statement = conn.prepare(query)?;
            let rows = statement.query_map([], fault)?.take(MAX_FAULTS);
            rows.collect::<rusqlite::Result<Vec<_>>>()
        })();
        // The check itself may be unable to read a badly damaged database.
        health.faults.extend(result.unwrap_or_else(|error| vec![error.to_string()]));
    };
    faults("PRAGMA quick_check(5)", |row| row.get(0));
    faults("SELECT DISTINCT \"table\", parent FROM pragma_foreign_key_check", |row| {
        let (table, parent): (String, String) = (row.get(0)?, row.get(1)?);
        Ok(format!("a row of {table} refers to one of {parent} that does not exist"))
    });
    // A database from before volumes existed has none.
    if conn.table_exists(None, "contents").unwrap_or(false) {
        faults(
            "SELECT 1 FROM (SELECT DISTINCT volume, place, class FROM messages) m WHERE NOT EXISTS
                 (SELECT 1 FROM contents c WHERE c.place = m.place AND c.class = m.class AND c.volume = m.volume)
             LIMIT 1",
            |_| Ok("there are messages that the contents of the history do not list".to_owned()),
        );
    }
    health.faults.retain(|fault| fault != "ok");
    health.faults.truncate(MAX_FAULTS);
    for fault in &mut health.faults {
        *fault = fault.lines().collect::<Vec<_>>().join(" ");
    }
    // Databases of earlier versions do not have the table of ids that are ahead.
    let ids = || conn.query_row("SELECT max(id) FROM messages", [], |row| row.get::<_, Option<MessageId>>(0));
    health.latest = time::latest_message_time(&conn)
        .or_else(|_| Ok::<_, rusqlite::Error>(ids()?.map(MessageId::time)))
        .ok()
        .flatten();
    health.stored_time = time::last_commit(&conn).ok().flatten();
    health.file_contents = files::read_all(&conn).ok().map(|all| all.iter().map(|file| file.hash).collect());
    Ok(health)
}

/// Returns descriptions of the rows whose checksums are wrong.
fn find_faults(conn: &Connection) -> Vec<String> {
    let mut faults = checksums::rows::find_damaged_rows(conn).unwrap_or_else(|error| vec![error.to_string()]);
    match checksums::find_damaged_messages(conn, i64::MAX) {
        Ok(bad) => {
            if let Some(latest) = bad.first() {
                faults.push(format!(
                    "{} messages are not as they were written or cannot be read, the latest of {}",
                    bad.len(),
                    latest.time()
                ));
            }
        }
        Err(error) => faults.push(error.to_string()),
    }
    faults
}

/// Opens the database for reading. Without a log no file is created beside it.
fn open(path: &Path) -> Result<Connection, StoreError> {
    if wal_path(path).exists() {
        return schema::open_reader(path);
    }
    let conn = schema::open_immutable(path)?;
    checksums::rows::create_checksum_views(&conn)?;
    Ok(conn)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::platform::files;
    use crate::store::Store;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        drop(Store::open(folder.path()).expect("a store"));
        folder
    }

    /// State of a sound database of a server without files.
    fn sound() -> Health {
        Health { file_contents: Some(HashSet::new()), ..Health::default() }
    }

    #[test]
    fn sound_database_has_no_faults_and_is_unchanged() {
        let folder = folder();
        let files = || {
            let mut names: Vec<_> = fs::read_dir(folder.path())
                .expect("a folder")
                .map(|entry| entry.expect("a file").file_name())
                .collect();
            names.sort();
            names
        };
        let before = files();
        assert_eq!(check(folder.path()).expect("checked"), sound());
        assert_eq!(files(), before);
        // A server may have it open.
        let _store = Store::open(folder.path()).expect("a store");
        let health = check(folder.path()).expect("checked");
        assert_eq!(Health { log_bytes: 0, ..health }, sound());
    }

    #[test]
    fn damaged_page_is_found() {
        let folder = folder();
        let file = fs::OpenOptions::new().write(true).open(folder.path().join("parlour.db")).expect("a file");
        // The first page has the schema; tables and indices start at the second.
        for page in 1..8 {
            files::write_all_at(&file, &[0xa5; 512], page * 4096).expect("written");
        }
        let health = check(folder.path()).expect("checked");
        assert!((1..=MAX_FAULTS).contains(&health.faults.len()), "{health:?}");
        assert!(health.faults.iter().all(|fault| !fault.contains('\n')));
        fs::write(folder.path().join("parlour.db"), "this is no database, and long enough to be looked at")
            .expect("written");
        let Err(StoreError::Unusable(why)) = check(folder.path()) else { panic!("unusable") };
        assert!(matches!(*why, UnusableDatabase::NotADatabase(_)));
    }

    #[test]
    fn dangling_reference_is_found() {
        let folder = folder();
        let conn = Connection::open(folder.path().join("parlour.db")).expect("opens");
        conn.pragma_update(None, "foreign_keys", false).expect("set");
        conn.execute_batch(
            "CREATE TABLE x (account INTEGER REFERENCES accounts (id)); INSERT INTO x VALUES (99)",
        )
        .expect("written");
        drop(conn);
        let health = check(folder.path()).expect("checked");
        assert_eq!(health.faults, ["a row of x refers to one of accounts that does not exist"]);
    }

    #[test]
    fn message_missing_from_contents_is_found() {
        let folder = folder();
        let conn = Connection::open(folder.path().join("parlour.db")).expect("opens");
        let insert_message =
            "INSERT INTO messages (id, place, sender, kind, text, volume) VALUES (?1, 1, 0, ?2, '', 0)";
        conn.execute("INSERT INTO contents VALUES (1, 0, 0)", []).expect("written");
        conn.execute(insert_message, (1 << 20, 0)).expect("written");
        let latest = Some(Timestamp(1));
        let health = check(folder.path()).expect("checked");
        assert_eq!(Health { log_bytes: 0, ..health }, Health { latest, stored_time: latest, ..sound() });
        conn.execute(insert_message, (2 << 20, 3)).expect("written");
        let health = check(folder.path()).expect("checked");
        assert_eq!(health.faults, ["there are messages that the contents of the history do not list"]);
    }

    #[test]
    fn newer_database_is_reported() {
        let folder = folder();
        let conn = Connection::open(folder.path().join("parlour.db")).expect("opens");
        conn.pragma_update(None, "user_version", 999).expect("written");
        drop(conn);
        assert!(matches!(check(folder.path()), Err(StoreError::Newer { found: 999, .. })));
    }
}
