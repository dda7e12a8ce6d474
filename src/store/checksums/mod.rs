//! Checksums of rows: CRC-32 over the columns of a row, in its column `sum`. They detect flipped bits on the disk, but
//! not changes by someone who can write the file. NULL is a row from before checksums existed, which
//! [`fill_checksums`] handles. Here are the checksums of messages, whose cost counts; [`rows`] has the others.

pub(super) mod rows;

use crc32fast::Hasher;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, Row};
use tracing::warn;

use crate::core::record::{Conversation, StoredMessage};
use crate::store::values::columns::sql_integer;
use crate::store::values::counters::read_counter;
use crate::wire::MessageId;

/// Columns of a message that [`row_checksums`] needs, in its order. `redacted` follows from the class.
pub(super) const COLUMNS: &str = "id, place, sender, kind, text, tags, redacted, sum";

/// Computes the checksum of a message.
pub(super) fn message_checksum(message: &StoredMessage) -> u32 {
    let (conversation, kind) = (sql_integer(&message.conversation), sql_integer(&message.kind));
    checksum(
        MessageNumbers { id: message.id, conversation, sender: message.from.0, kind, redacted: false },
        message.text.as_bytes(),
        message.tags.as_bytes(),
    )
}

/// Computes the checksum of a message whose text and tags were erased.
pub(super) fn redacted_checksum(id: MessageId, conversation: Conversation, sender: i64, kind: i64) -> u32 {
    let conversation = sql_integer(&conversation);
    checksum(MessageNumbers { id, conversation, sender, kind, redacted: true }, b"", b"")
}

/// The checksums of a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowChecksums {
    /// Checksum of the columns as they are.
    computed: u32,
    /// Checksum in the column `sum`; `None` for a row from before checksums existed.
    stored: Option<i64>,
}

impl RowChecksums {
    /// Returns true if the computed checksum equals the stored one, or none is stored.
    pub fn is_match(self) -> bool {
        self.stored.is_none_or(|stored| stored == i64::from(self.computed))
    }
}

/// Computes the checksum of a row of [`COLUMNS`], and reads the stored one.
pub(super) fn row_checksums(row: &Row<'_>) -> rusqlite::Result<RowChecksums> {
    let numbers = MessageNumbers {
        id: row.get(0)?,
        conversation: row.get(1)?,
        sender: row.get(2)?,
        kind: row.get(3)?,
        redacted: row.get_ref(6)? != ValueRef::Null,
    };
    let computed = checksum(numbers, text_bytes(row.get_ref(4)?), text_bytes(row.get_ref(5)?));
    Ok(RowChecksums { computed, stored: row.get(7)? })
}

/// The columns of a message that hold numbers, as the database stores them.
struct MessageNumbers {
    id: MessageId,
    conversation: i64,
    sender: i64,
    kind: i64,
    redacted: bool,
}

fn checksum(
    MessageNumbers { id, conversation, sender, kind, redacted }: MessageNumbers,
    text: &[u8],
    tags: &[u8],
) -> u32 {
    // One call for all numbers: small ones cost more than their bytes.
    let mut head = [0; 5 * size_of::<i64>() + size_of::<u32>()];
    let (numbers, length) = head.split_at_mut(5 * size_of::<i64>());
    let values = [id.as_i64(), conversation, sender, kind, i64::from(redacted)];
    for (bytes, value) in numbers.chunks_exact_mut(size_of::<i64>()).zip(values) {
        bytes.copy_from_slice(&value.to_le_bytes());
    }
    length.copy_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
    let mut hasher = Hasher::new();
    hasher.update(&head);
    hasher.update(text);
    hasher.update(tags);
    hasher.finalize()
}

/// Returns the bytes of a text, valid UTF-8 or not; empty for a number or NULL.
pub(super) fn text_bytes(value: ValueRef<'_>) -> &[u8] {
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => &[],
    }
}

/// Returns true for an error about one row, after which later rows can still be read.
pub(super) fn is_row_error(error: &rusqlite::Error) -> bool {
    matches!(
        error,
        rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::Utf8Error(..)
    )
}

/// Returns `true` for an error that a damaged page causes: of a table, an index or a full-text table.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// Returns the rows that can be read. Skips the others and logs their count with the kind `what`.
pub(super) fn collect_readable<T>(
    what: &str,
    rows: impl Iterator<Item = rusqlite::Result<T>>,
) -> rusqlite::Result<Vec<T>> {
    let (mut all, mut passed) = (Vec::new(), 0);
    for row in rows {
        match row {
            Ok(row) => all.push(row),
            Err(error) if is_row_error(&error) => passed += 1,
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

/// Returns those of the latest `limit` messages whose checksums are wrong or that cannot be read, the latest first.
pub(super) fn find_damaged_messages(conn: &Connection, limit: i64) -> rusqlite::Result<Vec<MessageId>> {
    let mut found = Vec::new();
    let mut read = conn.prepare(&format!("SELECT {COLUMNS} FROM messages ORDER BY id DESC LIMIT ?1"))?;
    let mut rows = read.query([limit])?;
    while let Some(row) = rows.next()? {
        let readable = std::str::from_utf8(text_bytes(row.get_ref(4)?)).is_ok()
            && std::str::from_utf8(text_bytes(row.get_ref(5)?)).is_ok();
        if !readable || !row_checksums(row).is_ok_and(RowChecksums::is_match) {
            found.push(row.get(0)?);
        }
    }
    Ok(found)
}

/// Stores checksums for up to `limit` messages without one, after the last one that was examined. Returns true once
/// all have one.
pub(super) fn fill_checksums(tx: &Connection, limit: i64) -> rusqlite::Result<bool> {
    let last = read_counter(tx, "summed")?;
    if last == i64::MAX {
        return Ok(true);
    }
    let (mut count, mut latest) = (0, i64::MAX);
    let mut sums = Vec::new();
    {
        let mut read =
            tx.prepare_cached(&format!("SELECT {COLUMNS} FROM messages WHERE id > ?1 ORDER BY id LIMIT ?2"))?;
        let mut rows = read.query((last, limit))?;
        while let Some(row) = rows.next()? {
            count += 1;
            let id: i64 = row.get(0)?;
            latest = id;
            // An unreadable message without a checksum does not get one.
            if let Ok(RowChecksums { computed, stored: None }) = row_checksums(row)
                && std::str::from_utf8(text_bytes(row.get_ref(4)?)).is_ok()
            {
                sums.push((id, computed));
            }
        }
    }
    for sum in sums {
        tx.prepare_cached("UPDATE messages SET sum = ?2 WHERE id = ?1")?.execute(sum)?;
    }
    let done = count < limit;
    let summed = if done { i64::MAX } else { latest };
    tx.prepare_cached("UPDATE counters SET value = ?1 WHERE name = 'summed'")?.execute([summed])?;
    Ok(done)
}
