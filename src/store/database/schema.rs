//! Opening of the database: its settings, and its schema in numbered steps.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::lock::open_private_file;
use crate::platform::files;
use crate::store::checksums::rows;
use crate::store::tables::channel_names;
use crate::store::{StoreError, with_suffix};

/// Time for which a transaction waits for another program that holds the database (a backup, a `sqlite3` shell) before
/// it fails as locked. The requester then gets an error within a second.
pub const BUSY_TIMEOUT: Duration = Duration::from_millis(500);

/// The migrations, in order. Step `n` brings a database from version `n - 1` (`PRAGMA user_version`) to `n`. A released
/// step is never changed.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_accounts_channels_messages.sql"),
    include_str!("migrations/0002_history_roles_modes.sql"),
    include_str!("migrations/0003_devices.sql"),
    include_str!("migrations/0004_volumes.sql"),
    include_str!("migrations/0005_resets.sql"),
    include_str!("migrations/0006_lent_power.sql"),
    include_str!("migrations/0007_names.sql"),
    include_str!("migrations/0008_early_markers.sql"),
    include_str!("migrations/0009_checksums.sql"),
    include_str!("migrations/0010_makers.sql"),
    include_str!("migrations/0011_seen_preferences.sql"),
    include_str!("migrations/0012_ids_ahead.sql"),
    include_str!("migrations/0013_reactions.sql"),
    include_str!("migrations/0014_checksums_of_all.sql"),
    include_str!("migrations/0015_files.sql"),
    include_str!("migrations/0016_hooks.sql"),
    include_str!("migrations/0017_access_tokens.sql"),
    include_str!("migrations/0018_channel_retention.sql"),
    include_str!("migrations/0019_groups.sql"),
];

/// Step that also needs [`channel_names::apply_name_rules`], which SQL cannot do.
const NAMES_VERSION: u32 = 7;

/// First schema whose rows have checksums.
pub(in crate::store) const CHECKSUMS_VERSION: u32 = 9;

/// Size of a page, in bytes, which is SQLite's default.
pub(in crate::store) const PAGE_BYTES: u64 = 4096;

/// Page cache of the writer, in KiB: several times the pages that commits write again and again. A larger one costs: when
/// a transaction has split pages of an index, its commit walks over the whole cache, because SQLite gives such pages a
/// number beyond the file's end for a moment and then looks for pages there.
const WRITER_CACHE_KIB: i32 = 4 * 1024;

/// Page cache of each reader, in KiB: the upper levels of the index.
const READER_CACHE_KIB: i32 = 4 * 1024;

/// Makes the database of an empty data folder. It gets its name only once it is complete, so that an interruption
/// leaves no half of one.
pub(in crate::store) fn create(path: &Path) -> Result<(), StoreError> {
    let draft = with_suffix(path, ".new");
    for suffix in ["", "-journal"] {
        match fs::remove_file(with_suffix(&draft, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::file(draft)(error));
            }
            _ => {}
        }
    }
    // SQLite would make it readable for all users; its companions (-wal, -shm) inherit this mode.
    drop(open_private_file(&draft)?);
    let mut conn = open_file(&draft)?;
    require_setting(&conn, "synchronous", "FULL", "2")?;
    migrate(&mut conn)?;
    conn.close().map_err(|(_, error)| error)?;
    fs::rename(&draft, path).map_err(StoreError::file(path))?;
    let folder = path.parent().unwrap_or(path);
    files::sync_folder(folder).map_err(StoreError::file(folder))
}

/// Opens the one connection that writes, and brings the schema up to date.
pub(in crate::store) fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    if !path.exists() {
        create(path)?;
    }
    let mut conn = open_file(path)?;
    require_setting(&conn, "journal_mode", "WAL", "wal")?;
    // FULL syncs the log at each commit, so that commits survive a power cut.
    require_setting(&conn, "synchronous", "FULL", "2")?;
    require_setting(&conn, "foreign_keys", "ON", "1")?;
    // Overwrites redacted text in the file.
    require_setting(&conn, "secure_delete", "ON", "1")?;
    conn.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    // A thread of its own copies the log into the database (`checkpoint`).
    require_setting(&conn, "wal_autocheckpoint", "0", "0")?;
    // Truncates a log that grew larger while a long read held it back.
    conn.pragma_update(None, "journal_size_limit", 64 << 20)?;
    conn.set_prepared_statement_cache_capacity(64);
    migrate(&mut conn)?;
    Ok(conn)
}

/// Opens a connection that may write, with the settings that every such connection has.
pub(in crate::store) fn open_file(path: &Path) -> Result<Connection, StoreError> {
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    Ok(conn)
}

/// Sets a pragma, and reads it back, because SQLite ignores unsupported values without an error.
pub(in crate::store) fn require_setting(
    conn: &Connection,
    name: &str,
    value: &str,
    wanted: &str,
) -> Result<(), StoreError> {
    // Some pragmas return a row, some do not.
    conn.pragma(None, name, value, |_| Ok(()))?;
    let found = conn.pragma_query_value(None, name, |row| row.get::<_, Value>(0))?;
    let found = match found {
        Value::Integer(number) => number.to_string(),
        Value::Text(text) => text,
        other => format!("{other:?}"),
    };
    if found.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    Err(StoreError::Setting { setting: format!("{name}={value}"), found })
}

/// Opens the main file of a database to read it without its log, and without making a file beside it. It shows the
/// state of the last checkpoint.
pub(in crate::store) fn open_immutable(path: &Path) -> Result<Connection, StoreError> {
    let text = path.to_str().ok_or_else(|| {
        StoreError::file(path)(io::Error::new(io::ErrorKind::InvalidInput, "the path is not UTF-8"))
    })?;
    let escaped = text.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    Ok(Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags)?)
}

/// Opens a connection for reading.
pub(in crate::store) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    rows::create_checksum_views(&conn)?;
    Ok(conn)
}

/// Opens a connection for reading a database that has no log and that nobody changes meanwhile, without making a file
/// beside it.
pub(in crate::store) fn open_immutable_reader(path: &Path) -> Result<Connection, StoreError> {
    let conn = open_immutable(path)?;
    rows::create_checksum_views(&conn)?;
    Ok(conn)
}

/// Version of the latest schema.
pub(in crate::store) fn latest_version() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

/// Refuses a schema that a later version of the program wrote. Returns the version of the database's schema.
pub(in crate::store) fn check_version(conn: &Connection) -> Result<u32, StoreError> {
    let found: u32 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = latest_version();
    if found > known {
        let written_by = super::written_by::read(conn);
        return Err(StoreError::Newer { found, known, written_by });
    }
    Ok(found)
}

/// Returns the version of a database's schema if it is to be migrated.
pub(in crate::store) fn older_version(path: &Path) -> Result<Option<u32>, StoreError> {
    let conn = open_file(path)?;
    // The log that a killed server has left stays as it is.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    let found = check_version(&conn)?;
    Ok((found > 0 && found < latest_version()).then_some(found))
}

fn migrate(conn: &mut Connection) -> Result<(), StoreError> {
    let (found, known) = (check_version(conn)?, latest_version());
    if found > 0 && found < known {
        // Takes some seconds for a million messages, so an admin who waits for the server sees the reason.
        tracing::info!(
            found,
            known,
            "the database is brought up to date, which takes a while if it is large"
        );
    }
    for (version, step) in (1..=known).zip(MIGRATIONS).skip(found as usize) {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch(step)?;
        if version == NAMES_VERSION {
            channel_names::apply_name_rules(&tx)?;
        }
        tx.pragma_update(None, "user_version", version)?;
        tx.commit()?;
    }
    rows::create_checksum_views(conn)?;
    rows::create_checksum_triggers(conn)?;
    super::written_by::note(conn)?;
    Ok(())
}

/// Makes a database in memory as it was before [`NAMES_VERSION`].
#[cfg(test)]
pub(in crate::store) fn database_before_names() -> Connection {
    let conn = Connection::open_in_memory().expect("opens");
    let steps = MIGRATIONS.iter().take(NAMES_VERSION as usize - 1);
    steps.for_each(|step| conn.execute_batch(step).expect("migrates"));
    conn.pragma_update(None, "user_version", NAMES_VERSION - 1).expect("writes");
    conn
}

/// Makes an empty database of this version.
#[cfg(test)]
pub(in crate::store) fn create_at_version(path: &Path, version: u32) {
    let conn = Connection::open(path).expect("opens");
    MIGRATIONS.iter().take(version as usize).for_each(|step| conn.execute_batch(step).expect("migrates"));
    conn.pragma_update(None, "user_version", version).expect("writes");
}

/// Migrates a database as this program does.
#[cfg(test)]
pub(in crate::store) fn migrate_to_latest(mut conn: Connection) -> Connection {
    migrate(&mut conn).expect("migrates");
    conn
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::effects::history::{MessageFilter, Window};
    use crate::core::record::{AccountId, ChannelId, Conversation, MessageKind, Record, StoredMessage};
    use crate::store::history;
    use crate::store::tables::record_writer::RecordWriter;
    use crate::wire::MessageId;

    #[test]
    fn newer_database_is_refused_unchanged() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.db");
        drop(open_writer(&path).expect("opens"));
        let conn = Connection::open(&path).expect("opens");
        conn.pragma_update(None, "user_version", 999).expect("writes");
        drop(conn);
        let error = open_writer(&path).expect_err("refused");
        assert!(matches!(error, StoreError::Newer { found: 999, .. }));
        let own = concat!("written by parlour ", env!("CARGO_PKG_VERSION"));
        assert!(error.to_string().contains(own), "{error}");
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

    /// Makes a database as it was before the history had volumes.
    fn create_database_before_volumes(path: &Path) -> Connection {
        let conn = Connection::open(path).expect("opens");
        for step in &MIGRATIONS[..3] {
            conn.execute_batch(step).expect("migrates");
        }
        conn.pragma_update(None, "user_version", 3).expect("writes");
        conn
    }

    #[test]
    fn failed_migration_rolls_back_and_is_retried() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.db");
        let conn = create_database_before_volumes(&path);
        // In the way of the next step's last statement, after everything that takes time.
        conn.execute_batch("CREATE TABLE history (x)").expect("writes");
        assert!(matches!(open_writer(&path), Err(StoreError::Sql(_))));
        conn.execute_batch(
            "SELECT class FROM messages INDEXED BY messages_by_place WHERE place = 1; DROP TABLE history",
        )
        .expect("as it was");
        drop(conn);
        let conn = open_writer(&path).expect("opens");
        assert_eq!(check_version(&conn).expect("reads") as usize, MIGRATIONS.len());
    }

    #[test]
    fn messages_from_before_volumes_stay_readable() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.db");
        let conn = create_database_before_volumes(&path);
        // Of the account 0, which always exists: two messages, a JOIN, and more than a volume has room for.
        conn.execute_batch(
            "INSERT INTO messages (id, place, sender, kind, text) VALUES
                 (5, 1, 0, 0, 'a'), (6, 2, 0, 0, 'b'), (7, 1, 0, 3, ''), (8, 1, 0, 0, 'c'), (9, 1, 0, 0, 'd')",
        )
        .expect("writes");
        drop(conn);
        let conn = open_writer(&path).expect("opens");
        let channel = |n| Conversation::Channel(ChannelId(n));
        let read = |n, window: &Window| {
            let kinds = MessageFilter { events: true, redactions: false };
            let page = history::read(&conn, channel(n), window, kinds, 1 << 20).expect("reads");
            page.iter().map(|kept| kept.message.id.as_i64()).collect::<Vec<_>>()
        };
        let all = Window::latest(9);
        assert_eq!((read(1, &all), read(2, &all), read(3, &all)), (vec![5, 7, 8, 9], vec![6], vec![]));
        // Writing continues.
        let mut keeper = RecordWriter::new(&conn).expect("prepares");
        for (n, id) in [(1, 10), (2, 11)] {
            let (id, from, kind) = (MessageId::from_i64(id), AccountId(0), MessageKind::Privmsg);
            let (text, tags, conversation) = ("x".into(), "".into(), channel(n));
            let message = StoredMessage { id, conversation, from, kind, text, tags, send_id: None };
            keeper.apply(&Record::Message(message)).expect("written");
        }
        let redaction = Record::Redacted { conversation: channel(1), message: MessageId::from_i64(8) };
        keeper.apply(&redaction).expect("written");
        assert_eq!((read(1, &all), read(2, &all)), (vec![5, 7, 9, 10], vec![6, 11]));
        let (after, before) = (MessageId::from_i64(8), MessageId::from_i64(11));
        assert_eq!(read(1, &Window { after, before, newest: false, limit: 1 }), [9]);
        assert_eq!(read(1, &Window { after, before, newest: true, limit: 1 }), [10]);
    }

    /// Cargo reads the flags from `.cargo/config.toml`. A build without them works, but is slower.
    #[test]
    fn sqlite_is_built_with_the_flags_of_this_package() {
        let flags = option_env!("LIBSQLITE3_FLAGS").unwrap_or_default();
        assert!(flags.contains("-DHAVE_FDATASYNC=1"), "SQLite does not list this one: {flags:?}");
        let conn = Connection::open_in_memory().expect("opens");
        let mut read = conn.prepare("PRAGMA compile_options").expect("prepares");
        let options = read.query_map([], |row| row.get(0)).expect("reads");
        let options = options.collect::<Result<Vec<String>, _>>().expect("reads");
        for wanted in flags.split_whitespace().filter_map(|flag| flag.strip_prefix("-DSQLITE_")) {
            assert!(options.iter().any(|option| option == wanted), "{wanted} is not among {options:?}");
        }
    }
}
