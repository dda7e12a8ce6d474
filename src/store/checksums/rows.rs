//! Checksums of the rows of accounts, channels and what belongs to them.
//!
//! SQL does it all: a function `row_sum` of the names and values of columns, on each connection; triggers on the writer's
//! connection alone, which give a row its checksum whenever it is written; and a view `sound_…` of each table, on each
//! connection, with those rows that are as they were written. What another program writes goes without the triggers and
//! so is found.
//!
//! A migration that changes rows of these tables sets their `sum` to NULL, and [`fill_row_checksums`] does the rest.

use std::fmt::Write as _;

use crc32fast::Hasher;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use tracing::warn;

use super::{is_damage, text_bytes};

/// A table whose rows have a checksum of all their columns.
struct ChecksummedTable {
    table: &'static str,
    /// Number of the first columns, which are the primary key.
    key_columns: usize,
    /// All columns but the sum and those of `UNCHECKED_COLUMNS`, in the order of the table.
    columns: &'static [&'static str],
}

/// The tables. The others hold what is derived from messages, which have a checksum of their own (`talks`, `reactions`,
/// `contents`, `volumes`), what is gone after a day (`sends`), and what
/// [`position`](crate::store::database::position) looks at (`counters`).
const CHECKSUMMED_TABLES: [ChecksummedTable; 24] = [
    ChecksummedTable::new(
        "accounts",
        1,
        &[
            "id",
            "name",
            "password",
            "role",
            "disabled",
            "removed",
            "invite",
            "created",
            "replay",
            "bot",
            "listed_name",
        ],
    ),
    ChecksummedTable::new(
        "channels",
        1,
        &[
            "id",
            "name",
            "created",
            "topic",
            "topic_by",
            "topic_at",
            "flags",
            "key",
            "most",
            "maker",
            "keep_days",
            "keep_messages",
            "archived",
        ],
    ),
    ChecksummedTable::new("members", 2, &["channel", "account", "joined"]),
    ChecksummedTable::new("ranks", 2, &["channel", "account", "ranks"]),
    ChecksummedTable::new("lists", 1, &["id", "channel", "list", "mask", "set_by", "set_at"]),
    ChecksummedTable::new("invited", 2, &["channel", "account"]),
    ChecksummedTable::new("old_names", 1, &["folded", "name", "channel", "since"]),
    ChecksummedTable::new("markers", 2, &["account", "place", "read"]),
    ChecksummedTable::new("early_markers", 2, &["account", "channel", "read"]),
    ChecksummedTable::new("account_metadata", 2, &["account", "key", "value"]),
    ChecksummedTable::new("channel_metadata", 2, &["channel", "key", "value"]),
    ChecksummedTable::new("private_metadata", 3, &["account", "place", "key", "value"]),
    ChecksummedTable::new("devices", 1, &["key", "account", "added"]),
    ChecksummedTable::new(
        "invites",
        1,
        &[
            "id",
            "token",
            "role",
            "channel",
            "uses",
            "spent",
            "expires",
            "revoked",
            "created",
            "created_by",
            "resets",
            "power",
        ],
    ),
    ChecksummedTable::new("audit", 1, &["id", "at", "actor", "action", "target", "detail"]),
    ChecksummedTable::new("seen", 2, &["account", "after", "up_to"]),
    ChecksummedTable::new("ids_ahead", 1, &["first", "by"]),
    ChecksummedTable::new(
        "files",
        1,
        &["id", "owner", "name", "type", "size", "hash", "width", "height", "added", "link"],
    ),
    ChecksummedTable::new("file_shares", 2, &["message", "file", "place"]),
    ChecksummedTable::new("hooks", 1, &["account", "channel", "created", "token", "url", "pattern", "key"]),
    ChecksummedTable::new("access_tokens", 1, &["hash", "name", "account", "scope", "created", "expires"]),
    ChecksummedTable::new("groups", 1, &["id", "name", "created"]),
    ChecksummedTable::new("group_members", 2, &["grp", "account"]),
    ChecksummedTable::new("group_channels", 2, &["grp", "channel"]),
];

/// Columns that are noted so often and matter so little that a checksum would only cost.
#[cfg(test)]
const UNCHECKED_COLUMNS: [(&str, &str); 3] =
    [("channels", "spoken"), ("devices", "used"), ("hooks", "delivered")];

/// Rows that are named of a table of which more are damaged.
const MAX_NAMED_ROWS: usize = 3;

impl ChecksummedTable {
    const fn new(table: &'static str, key_columns: usize, columns: &'static [&'static str]) -> Self {
        Self { table, key_columns, columns }
    }

    /// Returns the columns of the primary key.
    fn key(&self) -> &'static [&'static str] {
        self.columns.split_at(self.key_columns).0
    }

    /// The call of `row_sum` for a row whose columns are written with a prefix, as `new.`.
    fn checksum_call(&self, prefix: &str) -> String {
        checksum_call(self.columns, prefix)
    }

    /// The condition that a row is as it was written, as far as its checksum is known.
    fn soundness_condition(&self) -> String {
        soundness_condition(self.columns)
    }

    /// Returns the columns that the table has in this database. One that is not migrated yet lacks some, which changes no
    /// sum.
    fn present_columns(&self, conn: &Connection) -> rusqlite::Result<Vec<&'static str>> {
        let mut present = Vec::new();
        for column in self.columns {
            if conn.column_exists(Some("main"), self.table, column)? {
                present.push(*column);
            }
        }
        Ok(present)
    }

    /// The trigger that gives rows their checksums after they are written in one of the two ways.
    fn trigger_sql(&self, after: &str) -> String {
        let table = self.table;
        let key: Vec<String> = self.key().iter().map(|column| format!("{column} = new.{column}")).collect();
        let of = if after == "UPDATE" { format!(" OF {}", self.columns.join(", ")) } else { String::new() };
        format!(
            "CREATE TEMP TRIGGER IF NOT EXISTS seal_{table}_{after} AFTER {after}{of} ON main.{table}
             BEGIN UPDATE {table} SET sum = {} WHERE {}; END;",
            self.checksum_call("new."),
            key.join(" AND ")
        )
    }

    /// Returns `true` for a table that has checksums: older databases may have none.
    fn has_checksums(&self, conn: &Connection) -> rusqlite::Result<bool> {
        conn.column_exists(Some("main"), self.table, "sum")
    }
}

fn checksum_call(columns: &[&str], prefix: &str) -> String {
    let mut call = String::from("row_sum(");
    for (n, column) in columns.iter().enumerate() {
        let comma = if n == 0 { "" } else { ", " };
        let _ = write!(call, "{comma}'{column}', {prefix}{column}");
    }
    call.push(')');
    call
}

fn soundness_condition(columns: &[&str]) -> String {
    format!("(sum IS NULL OR sum IS {})", checksum_call(columns, ""))
}

/// Makes the function and the views of a connection.
pub(in crate::store) fn create_checksum_views(conn: &Connection) -> rusqlite::Result<()> {
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    conn.create_scalar_function("row_sum", -1, flags, |row| Ok(i64::from(row_checksum(row))))?;
    let views = CHECKSUMMED_TABLES.iter().map(|checksummed| {
        let (table, is_sound) = (checksummed.table, checksummed.soundness_condition());
        format!(
            "CREATE TEMP VIEW IF NOT EXISTS sound_{table} AS SELECT * FROM main.{table} WHERE {is_sound};"
        )
    });
    match conn.execute_batch(&views.collect::<String>()) {
        // Not a database, or one that cannot be read: the next query says so, where it is known what to do about that.
        Err(error) if is_damage(&error) => Ok(()),
        result => result,
    }
}

/// Creates the triggers by which a connection gives the rows that it writes their checksums.
pub(in crate::store) fn create_checksum_triggers(conn: &Connection) -> rusqlite::Result<()> {
    let triggers = CHECKSUMMED_TABLES
        .iter()
        .flat_map(|checksummed| [checksummed.trigger_sql("INSERT"), checksummed.trigger_sql("UPDATE")]);
    conn.execute_batch(&triggers.collect::<String>())
}

/// CRC-32 of names of columns and their values, in turn.
fn row_checksum(row: &Context<'_>) -> u32 {
    let mut hasher = Hasher::new();
    for at in (0..row.len().saturating_sub(1)).step_by(2) {
        let value = row.get_raw(at + 1);
        // A name for each value: a column that a later version adds changes no sum as long as it is NULL.
        if value == ValueRef::Null {
            continue;
        }
        hasher.update(text_bytes(row.get_raw(at)));
        match value {
            ValueRef::Integer(number) => hasher.update(&number.to_le_bytes()),
            ValueRef::Real(number) => hasher.update(&number.to_le_bytes()),
            other => hasher.update(text_bytes(other)),
        }
        hasher.update(&[0]);
    }
    hasher.finalize()
}

/// A table whose rows are read one by one, each with a check of its checksum.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) enum CheckedTable {
    Accounts,
    Channels,
}

/// Returns `true` if the row with this id is as it was written, or does not exist.
pub(in crate::store) fn is_row_sound(
    conn: &Connection,
    table: CheckedTable,
    id: i64,
) -> rusqlite::Result<bool> {
    let table = match table {
        CheckedTable::Accounts => "accounts",
        CheckedTable::Channels => "channels",
    };
    let sql = format!(
        "SELECT EXISTS (SELECT * FROM sound_{table} WHERE id = ?1)
             OR NOT EXISTS (SELECT * FROM main.{table} WHERE id = ?1)"
    );
    conn.prepare_cached(&sql)?.query_row([id], |row| row.get(0))
}

/// The rows that are not as they were written, a sentence for each table that has some.
pub(in crate::store) fn find_damaged_rows(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut found = Vec::new();
    for checksummed in &CHECKSUMMED_TABLES {
        if !checksummed.has_checksums(conn)? {
            continue;
        }
        let (table, key) = (checksummed.table, checksummed.key().join(", "));
        let is_sound = soundness_condition(&checksummed.present_columns(conn)?);
        let sql = format!("SELECT {key} FROM main.{table} WHERE NOT {is_sound}");
        let mut read = conn.prepare(&sql)?;
        let mut rows = read.query([])?;
        let (mut count, mut named) = (0, Vec::new());
        while let Some(row) = rows.next()? {
            count += 1;
            if named.len() < MAX_NAMED_ROWS {
                named.push(describe_row(row, checksummed.key())?);
            }
        }
        match (count, named.as_slice()) {
            (0, _) => {}
            (1, [one]) if checksummed.key() == ["id"] && table.ends_with('s') => {
                let one = format!("{} {one}", table.trim_end_matches('s'));
                found.push(format!("the row of {one} is not as it was written"));
            }
            (1, [one]) => found.push(format!("the row of {table} ({one}) is not as it was written")),
            (count, named) => {
                let more = if count > named.len() { ", …" } else { "" };
                let named = named.join("; ");
                found.push(format!("{count} rows of {table} ({named}{more}) are not as they were written"));
            }
        }
    }
    Ok(found)
}

/// A row by its key, as `channel 3, account 17`; of bytes the first few.
fn describe_row(row: &Row<'_>, key: &[&str]) -> rusqlite::Result<String> {
    let mut parts = Vec::new();
    for (at, column) in key.iter().enumerate() {
        let value = match row.get_ref(at)? {
            ValueRef::Integer(number) => number.to_string(),
            ValueRef::Blob(bytes) => bytes.iter().take(4).fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            }),
            other => String::from_utf8_lossy(text_bytes(other))
                .chars()
                .take(40)
                .flat_map(char::escape_debug)
                .collect(),
        };
        parts.push(if key == ["id"] { value } else { format!("{column} {value}") });
    }
    Ok(parts.join(", "))
}

/// Says in the log which rows are not as they were written.
pub(in crate::store) fn warn_of_damaged_rows(conn: &Connection) -> rusqlite::Result<()> {
    for found in find_damaged_rows(conn)? {
        warn!("the database is damaged: {found}; it is passed over, run `parlour doctor`");
    }
    Ok(())
}

/// Gives those rows a checksum that have none.
pub(in crate::store) fn fill_row_checksums(tx: &Connection) -> rusqlite::Result<()> {
    for checksummed in &CHECKSUMMED_TABLES {
        let (table, call) = (checksummed.table, checksummed.checksum_call(""));
        tx.execute(&format!("UPDATE main.{table} SET sum = {call} WHERE sum IS NULL"), [])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::database::schema;

    #[test]
    fn every_column_is_checksummed_or_explicitly_excluded() {
        let conn = schema::migrate_to_latest(Connection::open_in_memory().expect("opens"));
        for checksummed in &CHECKSUMMED_TABLES {
            let ChecksummedTable { table, columns, .. } = checksummed;
            let names = |sql: &str| {
                let mut read = conn.prepare(sql).expect("prepares");
                let rows = read.query_map([table], |row| row.get::<_, String>(0)).expect("reads");
                rows.collect::<Result<Vec<_>, _>>().expect("reads")
            };
            let mut all = names("SELECT name FROM pragma_table_info(?1) ORDER BY cid");
            all.retain(|name| name != "sum" && !UNCHECKED_COLUMNS.contains(&(table, name.as_str())));
            assert_eq!(all, *columns, "{table}");
            let keys = names("SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk");
            assert_eq!(keys, checksummed.key(), "{table}");
        }
    }

    #[test]
    fn triggers_checksum_rows_and_foreign_writes_are_detected() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.db");
        let conn = schema::open_writer(&path).expect("opens");
        conn.execute_batch(
            "INSERT INTO channels (id, name, created, maker) VALUES (1, '#a', 5, 0);
             INSERT INTO members (channel, account, joined) VALUES (1, 0, 5);
             INSERT INTO ranks (channel, account, ranks) VALUES (1, 0, 8);
             INSERT INTO ranks (channel, account, ranks) VALUES (1, 0, 4)
                 ON CONFLICT DO UPDATE SET ranks = excluded.ranks;
             INSERT INTO account_metadata (account, key, value) VALUES (0, 'x', 'y');
             INSERT INTO audit (at, action, target) VALUES (5, 'x', 'y');
             UPDATE channels SET topic = 't' WHERE id = 1;
             UPDATE channels SET spoken = 1 WHERE id = 1",
        )
        .expect("written");
        for checksummed in &CHECKSUMMED_TABLES {
            let sql = format!(
                "SELECT count(*) FROM {} WHERE sum IS NULL AND 0 < {}",
                checksummed.table, checksummed.columns[0]
            );
            assert_eq!(conn.query_one(&sql, [], |row| row.get::<_, i64>(0)).expect("reads"), 0, "{sql}");
        }
        assert_eq!(find_damaged_rows(&conn).expect("reads"), Vec::<String>::new());
        let other = Connection::open(&path).expect("opens");
        other
            .execute_batch(
                "UPDATE ranks SET ranks = 8; UPDATE members SET joined = 6; UPDATE audit SET target = 'z';
                 UPDATE account_metadata SET value = 'z'; UPDATE channels SET spoken = 0",
            )
            .expect("written");
        assert_eq!(
            find_damaged_rows(&conn).expect("reads"),
            [
                "the row of members (channel 1, account 0) is not as it was written",
                "the row of ranks (channel 1, account 0) is not as it was written",
                "the row of account_metadata (account 0, key x) is not as it was written",
                "the row of audit (1) is not as it was written",
            ]
        );
        let sound: i64 =
            conn.query_one("SELECT count(*) FROM sound_ranks", [], |row| row.get(0)).expect("reads");
        assert_eq!(sound, 0);
    }
}
