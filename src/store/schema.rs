//! Opening the database: its settings, and its schema in numbered steps.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::StoreError;
use super::lock::private_file;
use super::names;

/// How long a statement waits for another program that holds the database (a backup, a curious
/// `sqlite3` shell) before it fails as locked.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The steps, in order. Step `n` brings a database from version `n - 1` (`PRAGMA user_version`) to `n`.
/// A step that was released is never changed.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_accounts_channels_messages.sql"),
    include_str!("migrations/0002_history_roles_modes.sql"),
    include_str!("migrations/0003_devices.sql"),
    include_str!("migrations/0004_volumes.sql"),
    include_str!("migrations/0005_resets.sql"),
    include_str!("migrations/0006_lent_power.sql"),
    include_str!("migrations/0007_names.sql"),
    include_str!("migrations/0008_early_markers.sql"),
];

/// The step that also needs [`names::settle`], which SQL cannot do.
const NAMES: u32 = 7;

/// The pages that the writer keeps in memory, in KiB: those at the end of each place's part of the index, so that
/// appending stays as quick as the store grows.
const WRITER_CACHE_KIB: i32 = 32 * 1024;

/// The same for each reader: the upper levels of the index.
const READER_CACHE_KIB: i32 = 4 * 1024;

/// Opens the one connection that writes, bringing the schema up to date.
pub(super) fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    // SQLite would make it readable for everybody; its companions (-wal, -shm) take over this mode.
    drop(private_file(path)?);
    let mut conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    // FULL syncs the log at each commit: what was committed outlives a power cut.
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "foreign_keys", true)?;
    // What was redacted is overwritten in the file.
    conn.pragma_update(None, "secure_delete", true)?;
    conn.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    // Every so many pages (16 MiB) the log is copied into the database, in the writer: 10 to 20 ms once in
    // some thirty full batches. Most of these pages are the ends of places, written by nearly every batch and copied once: in
    // a large store a log of 4 MiB costs a tenth of the throughput, and one of 32 MiB gains nothing more.
    conn.pragma_update(None, "wal_autocheckpoint", 4000)?;
    // A log that outgrew that while a long read held it back is cut when it can be.
    conn.pragma_update(None, "journal_size_limit", 64 << 20)?;
    conn.set_prepared_statement_cache_capacity(64);
    migrate(&mut conn)?;
    Ok(conn)
}

/// Opens a connection that only reads.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    Ok(conn)
}

/// Copies the log of the database into it and empties the log: pages as they were before a redaction are in it. The
/// writer waits for it, some milliseconds.
pub(super) fn empty_log(path: &Path) -> Result<(), StoreError> {
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    Ok(conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
}

/// Refuses a schema that a later version of the program wrote. Gives the schema that is found, and the last known.
pub(super) fn check_version(conn: &Connection) -> Result<(u32, u32), StoreError> {
    let found: u32 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    if found > known { Err(StoreError::Newer { found, known }) } else { Ok((found, known)) }
}

fn migrate(conn: &mut Connection) -> Result<(), StoreError> {
    let (found, known) = check_version(conn)?;
    if found > 0 && found < known {
        // Some seconds for a million messages: whoever waits for the server should know what for.
        tracing::info!(
            found,
            known,
            "the database is brought up to date, which takes a while if it is large"
        );
    }
    for (version, step) in (1..=known).zip(MIGRATIONS).skip(found as usize) {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch(step)?;
        if version == NAMES {
            names::settle(&tx)?;
        }
        tx.pragma_update(None, "user_version", version)?;
        tx.commit()?;
    }
    Ok(())
}

/// A database in memory as it was before [`NAMES`].
#[cfg(test)]
pub(super) fn before_names() -> Connection {
    let conn = Connection::open_in_memory().expect("opens");
    let steps = MIGRATIONS.iter().take(NAMES as usize - 1);
    steps.for_each(|step| conn.execute_batch(step).expect("migrates"));
    conn.pragma_update(None, "user_version", NAMES - 1).expect("writes");
    conn
}

/// The same as this program uses it.
#[cfg(test)]
pub(super) fn brought_up_to_date(mut conn: Connection) -> Connection {
    migrate(&mut conn).expect("migrates");
    conn
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::history::{Kinds, Window};
    use crate::chat::record::{AccountId, ChannelId, MessageKind, Place, Record, StoredMessage};
    use crate::store::history;
    use crate::store::records::Keeper;
    use crate::wire::MessageId;

    #[test]
    fn a_database_from_the_future_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.db");
        drop(open_writer(&path).expect("opens"));
        let conn = Connection::open(&path).expect("opens");
        conn.pragma_update(None, "user_version", 999).expect("writes");
        drop(conn);
        assert!(matches!(open_writer(&path), Err(StoreError::Newer { found: 999, .. })));
    }

    #[test]
    fn opening_twice_migrates_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.db");
        for _ in 0..2 {
            let conn = open_writer(&path).expect("opens");
            let version: u32 =
                conn.pragma_query_value(None, "user_version", |row| row.get(0)).expect("reads");
            assert_eq!(version as usize, MIGRATIONS.len());
        }
    }

    /// A database as it was when the history had no volumes.
    fn before_volumes(path: &Path) -> Connection {
        let conn = Connection::open(path).expect("opens");
        for step in &MIGRATIONS[..3] {
            conn.execute_batch(step).expect("migrates");
        }
        conn.pragma_update(None, "user_version", 3).expect("writes");
        conn
    }

    #[test]
    fn a_step_that_fails_leaves_the_database_as_it_was_and_is_taken_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.db");
        let conn = before_volumes(&path);
        // In the way of the last statement of the next step, behind all that costs time.
        conn.execute_batch("CREATE TABLE history (x)").expect("writes");
        assert!(matches!(open_writer(&path), Err(StoreError::Sql(_))));
        conn.execute_batch(
            "SELECT class FROM messages INDEXED BY messages_by_place WHERE place = 1; DROP TABLE history",
        )
        .expect("as it was");
        drop(conn);
        let conn = open_writer(&path).expect("opens");
        assert_eq!(check_version(&conn).expect("reads").0 as usize, MIGRATIONS.len());
    }

    #[test]
    fn what_was_said_before_there_were_volumes_is_read_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.db");
        let conn = before_volumes(&path);
        // Of the account 0, which is always there: said, said, a JOIN, and more than there is room for in a volume.
        conn.execute_batch(
            "INSERT INTO messages (id, place, sender, kind, text) VALUES
                 (5, 1, 0, 0, 'a'), (6, 2, 0, 0, 'b'), (7, 1, 0, 3, ''), (8, 1, 0, 0, 'c'), (9, 1, 0, 0, 'd')",
        )
        .expect("writes");
        drop(conn);
        let conn = open_writer(&path).expect("opens");
        let place = |n| Place::Channel(ChannelId(n));
        let read = |n, window: &Window| {
            let kinds = Kinds { events: true, redactions: false };
            let page = history::read(&conn, place(n), window, kinds, 1 << 20).expect("reads");
            page.iter().map(|kept| kept.message.id.as_i64()).collect::<Vec<_>>()
        };
        let all = Window::latest(9);
        assert_eq!((read(1, &all), read(2, &all), read(3, &all)), (vec![5, 7, 8, 9], vec![6], vec![]));
        // And written on.
        let mut keeper = Keeper::new(&conn).expect("prepares");
        for (n, id) in [(1, 10), (2, 11)] {
            let (id, from, kind) = (MessageId::from_i64(id), AccountId(0), MessageKind::Privmsg);
            let (text, tags, place) = ("x".into(), "".into(), place(n));
            let message = StoredMessage { id, place, from, kind, text, tags, send_id: None };
            keeper.apply(&Record::Message(message)).expect("written");
        }
        let gone = Record::Redacted { place: place(1), message: MessageId::from_i64(8) };
        keeper.apply(&gone).expect("written");
        assert_eq!((read(1, &all), read(2, &all)), (vec![5, 7, 9, 10], vec![6, 11]));
        let (after, before) = (MessageId::from_i64(8), MessageId::from_i64(11));
        assert_eq!(read(1, &Window { after, before, newest: false, limit: 1 }), [9]);
        assert_eq!(read(1, &Window { after, before, newest: true, limit: 1 }), [10]);
    }
}
