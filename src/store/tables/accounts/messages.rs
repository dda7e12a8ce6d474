//! The messages of one account, for itself and for its erasure.
//!
//! No index has the messages by sender, because every message would pay for it. So they are looked for in all of the
//! history, some thousand rows at a time.

use rusqlite::{Connection, OptionalExtension as _, Row};

use crate::core::record::{AccountId, Conversation, LINE_BREAK, LINE_CONCAT, MessageKind};
use crate::core::request::people::personal_data::{AccountMessage, MessagePage};
use crate::store::checksums;
use crate::store::values::time;
use crate::wire::MessageId;

/// Rows that are looked at for a page.
const ROWS: u32 = if cfg!(test) { 5 } else { 20_000 };

/// Size of a page, in bytes of text and tags, after which it ends.
const PAGE_BYTES: usize = 128 * 1024;

/// Reads the messages of an account that come after one, as far as a page goes.
pub fn read_page(conn: &Connection, account: AccountId, after: MessageId) -> rusqlite::Result<MessagePage> {
    let times = time::read_id_offsets(conn)?;
    let last: Option<MessageId> = conn
        .prepare_cached("SELECT id FROM messages WHERE id > ?1 ORDER BY id LIMIT 1 OFFSET ?2")?
        .query_row((after, ROWS), |row| row.get(0))
        .optional()?;
    let mut read = conn.prepare_cached(
        "SELECT m.id, m.place, m.kind, m.text, m.tags, c.name, a.name FROM messages m
             LEFT JOIN channels c ON c.id = m.place
             LEFT JOIN accounts a ON a.id =
                 CASE WHEN (-m.place >> 31) = ?3 THEN -m.place & 0x7fffffff ELSE -m.place >> 31 END
                 AND m.place <= 0
         WHERE m.id > ?1 AND m.id <= ?2 AND m.sender = ?3 AND m.redacted IS NULL ORDER BY m.id",
    )?;
    // Between the parts of a line that was too long for one.
    let continued = format!("{LINE_BREAK}{LINE_CONCAT}");
    let parse = |row: &Row<'_>| {
        let id: MessageId = row.get(0)?;
        let to = match (row.get::<_, Option<String>>(5)?, row.get::<_, Option<String>>(6)?) {
            (Some(channel), _) => channel,
            (None, name) => name.unwrap_or_default(),
        };
        Ok(AccountMessage {
            id,
            conversation: row.get::<_, Conversation>(1)?,
            to,
            time: times.time_of(id),
            command: row.get::<_, MessageKind>(2)?.command_name().to_owned(),
            text: row.get::<_, String>(3)?.replace(&continued, ""),
            tags: row.get::<_, Option<String>>(4)?.unwrap_or_default(),
        })
    };
    let up_to = last.unwrap_or(MessageId::LAST);
    let mut page = MessagePage { messages: Vec::new(), looked_up_to: last };
    let mut bytes = 0;
    for message in checksums::collect_readable("messages", read.query_map((after, up_to, account), parse)?)? {
        bytes += message.text.len() + message.tags.len();
        let id = message.id;
        page.messages.push(message);
        if bytes > PAGE_BYTES {
            page.looked_up_to = Some(id);
            break;
        }
    }
    Ok(page)
}
