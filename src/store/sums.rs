//! Checksums of rows: CRC-32 over the columns of a row, in its column `sum`. They detect flipped bits on the disk, but
//! not changes by someone who can write the file. NULL is a row from before checksums existed, which [`fill`] handles.

use std::sync::Arc;

use crc32fast::Hasher;
use parking_lot::Mutex;
use rusqlite::hooks::Action;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use tracing::warn;

use super::columns::number;
use super::counters::counter;
use crate::chat::record::{Place, StoredMessage};
use crate::wire::MessageId;

/// Tables whose rows have a checksum over all columns, with the exceptions: the sum itself, and a column that changes
/// so often and matters so little that it would only cost.
const SEALED: [(&str, &[&str]); 2] = [("accounts", &["sum"]), ("channels", &["sum", "spoken"])];

/// Columns of a message that [`of_row`] needs, in its order. `redacted` follows from the class.
pub(super) const COLUMNS: &str = "id, place, sender, kind, text, tags, redacted, sum";

/// Computes the checksum of a message.
pub(super) fn of_message(message: &StoredMessage) -> u32 {
    let (place, kind) = (number(&message.place), number(&message.kind));
    sum(message.id, (place, message.from.0, kind), message.text.as_bytes(), message.tags.as_bytes(), false)
}

/// Computes the checksum of a message whose text and tags were erased.
pub(super) fn of_redacted(id: MessageId, place: Place, sender: i64, kind: i64) -> u32 {
    sum(id, (number(&place), sender, kind), b"", b"", true)
}

/// Returns the computed and the stored checksum of a row of [`COLUMNS`].
pub(super) fn of_row(row: &Row<'_>) -> rusqlite::Result<(u32, Option<i64>)> {
    let tags = bytes(row.get_ref(5)?);
    let redacted = row.get_ref(6)? != ValueRef::Null;
    let numbers = (row.get(1)?, row.get(2)?, row.get(3)?);
    Ok((sum(row.get(0)?, numbers, bytes(row.get_ref(4)?), tags, redacted), row.get(7)?))
}

fn sum(
    id: MessageId,
    (place, sender, kind): (i64, i64, i64),
    text: &[u8],
    tags: &[u8],
    redacted: bool,
) -> u32 {
    let mut hasher = Hasher::new();
    for number in [id.as_i64(), place, sender, kind, i64::from(redacted)] {
        hasher.update(&number.to_le_bytes());
    }
    hasher.update(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
    hasher.update(text);
    hasher.update(tags);
    hasher.finalize()
}

/// Returns the bytes of a text, valid UTF-8 or not; empty for a number or NULL.
pub(super) fn bytes(value: ValueRef<'_>) -> &[u8] {
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => &[],
    }
}

/// Returns true if the computed checksum equals the stored one, or none is stored.
pub(super) fn is_sound((should, is): (u32, Option<i64>)) -> bool {
    is.is_none_or(|is| is == i64::from(should))
}

/// Returns true for an error about one row, after which later rows can still be read.
pub(super) fn is_of_row(error: &rusqlite::Error) -> bool {
    matches!(
        error,
        rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::Utf8Error(..)
    )
}

/// Returns the rows that can be read. Skips the others and logs their count with the kind `what`.
pub(super) fn readable<T>(
    what: &str,
    rows: impl Iterator<Item = rusqlite::Result<T>>,
) -> rusqlite::Result<Vec<T>> {
    let (mut all, mut passed) = (Vec::new(), 0);
    for row in rows {
        match row {
            Ok(row) => all.push(row),
            Err(error) if is_of_row(&error) => passed += 1,
            Err(error) => return Err(error),
        }
    }
    if passed > 0 {
        warn!(
            rows = passed,
            what, "the database is damaged: rows cannot be read and are passed over; run `parlour doctor`"
        );
    }
    Ok(all)
}

/// Rows of [`SEALED`] tables that the open transaction has changed: table and rowid.
#[derive(Clone, Debug, Default)]
pub(super) struct Changed(Arc<Mutex<Vec<(usize, i64)>>>);

impl Changed {
    /// Starts to collect the changed rows of a connection.
    pub fn of(conn: &mut Connection) -> rusqlite::Result<Self> {
        let changed = Self::default();
        let rows = changed.0.clone();
        conn.update_hook(Some(move |action, _: &str, table: &str, row| {
            if action != Action::SQLITE_DELETE
                && let Some(at) = SEALED.iter().position(|(name, _)| *name == table)
            {
                rows.lock().push((at, row));
            }
        }))?;
        Ok(changed)
    }

    /// Stores the checksums of the changed rows, as the last step of the transaction.
    pub fn seal(&self, tx: &Connection) -> rusqlite::Result<()> {
        let mut rows = std::mem::take(&mut *self.0.lock());
        rows.sort_unstable();
        rows.dedup();
        for (at, row) in rows {
            let Some((table, _)) = SEALED.get(at) else { continue };
            if let Some((should, _)) = sealed(tx, at, row)? {
                let sql = format!("UPDATE {table} SET sum = ?2 WHERE id = ?1");
                tx.prepare_cached(&sql)?.execute((row, should))?;
            }
        }
        self.forget();
        Ok(())
    }

    /// Clears the list, after a roll-back or when its rows are sealed.
    pub fn forget(&self) {
        self.0.lock().clear();
    }
}

/// Returns the computed and the stored checksum of a row; `None` if there is no such row.
fn sealed(conn: &Connection, at: usize, row: i64) -> rusqlite::Result<Option<(u32, Option<i64>)>> {
    let Some((table, _)) = SEALED.get(at) else { return Ok(None) };
    let mut read = conn.prepare_cached(&format!("SELECT * FROM {table} WHERE id = ?1"))?;
    let mut rows = read.query([row])?;
    rows.next()?.map(|row| of_sealed_row(row, at)).transpose()
}

fn of_sealed_row(row: &Row<'_>, at: usize) -> rusqlite::Result<(u32, Option<i64>)> {
    let without = SEALED.get(at).map_or(&[][..], |(_, without)| without);
    let mut hasher = Hasher::new();
    let mut is = None;
    for (column, name) in row.as_ref().column_names().enumerate() {
        let value = row.get_ref(column)?;
        if name == "sum" {
            is = value.as_i64_or_null().unwrap_or(Some(-1));
        }
        if without.contains(&name) {
            continue;
        }
        // With the name before each value, a column that a later version adds changes no sum as long as it is NULL.
        if value != ValueRef::Null {
            hasher.update(name.as_bytes());
            match value {
                ValueRef::Integer(number) => hasher.update(&number.to_le_bytes()),
                ValueRef::Real(number) => hasher.update(&number.to_le_bytes()),
                other => hasher.update(bytes(other)),
            }
            hasher.update(&[0]);
        }
    }
    Ok((hasher.finalize(), is))
}

/// Returns true if the row of an account has the right checksum.
pub(super) fn is_account_sound(conn: &Connection, id: i64) -> rusqlite::Result<bool> {
    Ok(sealed(conn, 0, id)?.is_none_or(is_sound))
}

/// Returns the accounts and channels whose checksums are wrong, such as `account 7`.
pub(super) fn unsound(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut found = Vec::new();
    for (at, (table, _)) in SEALED.iter().enumerate() {
        let mut read = conn.prepare_cached(&format!("SELECT * FROM {table} ORDER BY id"))?;
        let mut rows = read.query([])?;
        while let Some(row) = rows.next()? {
            if !is_sound(of_sealed_row(row, at)?) {
                let id: i64 = row.get("id")?;
                found.push(format!("{} {id}", table.trim_end_matches('s')));
            }
        }
    }
    Ok(found)
}

/// Stores checksums for accounts and channels that have none.
pub(super) fn seal_old(tx: &Connection) -> rusqlite::Result<()> {
    for (at, (table, _)) in SEALED.iter().enumerate() {
        let ids = tx
            .prepare(&format!("SELECT id FROM {table} WHERE sum IS NULL"))?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<Vec<i64>>>()?;
        for id in ids {
            if let Some((should, _)) = sealed(tx, at, id)? {
                tx.execute(&format!("UPDATE {table} SET sum = ?2 WHERE id = ?1"), (id, should))?;
            }
        }
    }
    Ok(())
}

/// Returns those of the latest `most` messages whose checksums are wrong or that cannot be read, the latest first.
pub(super) fn unsound_messages(conn: &Connection, most: i64) -> rusqlite::Result<Vec<MessageId>> {
    let mut found = Vec::new();
    let mut read = conn.prepare(&format!("SELECT {COLUMNS} FROM messages ORDER BY id DESC LIMIT ?1"))?;
    let mut rows = read.query([most])?;
    while let Some(row) = rows.next()? {
        let readable = std::str::from_utf8(bytes(row.get_ref(4)?)).is_ok()
            && std::str::from_utf8(bytes(row.get_ref(5)?)).is_ok();
        if !readable || !of_row(row).is_ok_and(is_sound) {
            found.push(row.get(0)?);
        }
    }
    Ok(found)
}

/// Stores checksums for up to `most` messages without one, after the last one that was examined. Returns true once
/// all have one.
pub(super) fn fill(tx: &Connection, most: i64) -> rusqlite::Result<bool> {
    let last = counter(tx, "summed")?;
    if last == i64::MAX {
        return Ok(true);
    }
    let (mut count, mut latest) = (0, i64::MAX);
    let mut sums = Vec::new();
    {
        let mut read =
            tx.prepare_cached(&format!("SELECT {COLUMNS} FROM messages WHERE id > ?1 ORDER BY id LIMIT ?2"))?;
        let mut rows = read.query((last, most))?;
        while let Some(row) = rows.next()? {
            count += 1;
            let id: i64 = row.get(0)?;
            latest = id;
            // An unreadable message without a checksum does not get one.
            if let Ok((should, None)) = of_row(row)
                && std::str::from_utf8(bytes(row.get_ref(4)?)).is_ok()
            {
                sums.push((id, should));
            }
        }
    }
    for sum in sums {
        tx.prepare_cached("UPDATE messages SET sum = ?2 WHERE id = ?1")?.execute(sum)?;
    }
    let done = count < most;
    let summed = if done { i64::MAX } else { latest };
    tx.prepare_cached("UPDATE counters SET value = ?1 WHERE name = 'summed'")?.execute([summed])?;
    Ok(done)
}
