//! Reading of the history. The contents list the volumes with messages of a conversation, and within a volume these are
//! neighbours in one index. So a read costs as much as it returns, independent of the size of the history.

mod conversations;
pub mod export;

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension as _, Params, Row};
use tracing::debug;

use super::checksums;
use super::database::repair;
use super::tables::files;
use super::tables::volumes::Class;
use super::values::time;
use crate::core::effects::history::{HistoryMessage, MessageFilter, RedactionTarget, Window};
use crate::core::record::{AccountId, Conversation, KeptFrom, MessageKind, StoredMessage};
use crate::core::request::files::FILE_PATH;
use crate::core::settings::Settings;
use crate::wire::{MessageId, Nick, Timestamp};

pub use conversations::{HistorySize, KeptConversation, conversations, sent_since, size};

/// Size of a message on the wire beside its text and tags, in bytes: source, time, msgid, command.
const LINE_OVERHEAD: usize = 192;

/// Maximum count of redactions in a page, whatever the limit of messages. A client that misses a redaction goes on
/// showing the message. As many as the largest page has messages.
const MAX_REDACTIONS: usize = Settings::MAX_HISTORY_MESSAGES;

/// A direct conversation, as seen by one of its accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectConversation {
    /// The other account, or the same one for notes to oneself.
    pub peer: Nick,
    /// Key of the conversation in the database.
    pub conversation: Conversation,
    /// Message id of its latest message.
    pub latest: MessageId,
}

/// Reads up to `window.limit` messages of a conversation, the earliest first. Returns fewer, but at least one, if they
/// would take more than about `bytes` bytes on the wire; then they are those nearest to the end from which the window
/// is filled. Redactions between them are added: at most 1,000, with a limit of `bytes` bytes of their own.
pub fn read(
    conn: &Connection,
    conversation: Conversation,
    window: &Window,
    kinds: MessageFilter,
    bytes: usize,
) -> rusqlite::Result<Vec<HistoryMessage>> {
    Ok(read_page(conn, conversation, window, kinds, bytes)?.0)
}

/// Reads as [`read`] does. The flag is true if the window holds nothing more in the direction in which it is filled; it
/// is false if that is not known, because the page ended by its bytes.
pub fn read_page(
    conn: &Connection,
    conversation: Conversation,
    window: &Window,
    kinds: MessageFilter,
    bytes: usize,
) -> rusqlite::Result<(Vec<HistoryMessage>, bool)> {
    if window.limit == 0 {
        return Ok((Vec::new(), false));
    }
    // One more than the limit shows whether there are more.
    let wider = Window { limit: window.limit.saturating_add(1), ..*window };
    let read_class =
        |class, window: &_| ClassScan { conn, conversation, class, window, byte_limit: bytes }.read();
    let mut page = read_class(Class::Message, &wider)?;
    if kinds.events {
        let span = covered_window(&page, &wider, bytes);
        page.append(&mut read_class(Class::Event, &span)?);
        page.sort_unstable_by_key(|kept| kept.message.id);
        if window.newest {
            page.reverse();
        }
    }
    let is_last = page.len() <= window.limit && page.iter().map(wire_size).sum::<usize>() < bytes;
    page.truncate(window.limit);
    page.truncate(count_fitting(&page, bytes));
    if kinds.redactions {
        let span = Window { limit: MAX_REDACTIONS, ..covered_window(&page, window, bytes) };
        page.append(&mut read_class(Class::Redaction, &span)?);
    }
    page.sort_unstable_by_key(|kept| kept.message.id);
    if kinds.events {
        page = add_reactions(conn, conversation, page, bytes)?;
    }
    for entry in &mut page {
        add_files(conn, entry)?;
    }
    Ok((page, is_last))
}

/// Adds to each message of a page the reactions to it that are not in the page themselves: up to [`MAX_REACTIONS`] of each,
/// with a limit of `bytes` bytes of their own for the page.
fn add_reactions(
    conn: &Connection,
    conversation: Conversation,
    page: Vec<HistoryMessage>,
    bytes: usize,
) -> rusqlite::Result<Vec<HistoryMessage>> {
    let known: HashSet<MessageId> = page.iter().map(|kept| kept.message.id).collect();
    let mut extended = Vec::with_capacity(page.len());
    let mut spent = 0;
    for entry in page {
        let parent = entry.message.kind.is_text_message().then_some(entry.message.id);
        extended.push(entry);
        let Some(parent) = parent.filter(|_| spent < bytes) else { continue };
        for reaction in read_reactions(conn, conversation, parent)? {
            if !known.contains(&reaction.message.id) {
                spent += wire_size(&reaction);
                extended.push(HistoryMessage { is_context: true, ..reaction });
            }
        }
    }
    Ok(extended)
}

/// Adds the files that a message shares.
pub(super) fn add_files(conn: &Connection, entry: &mut HistoryMessage) -> rusqlite::Result<()> {
    // Few messages have the address of a file in their text.
    if entry.message.text.contains(FILE_PATH) {
        entry.files = files::read_shared(conn, entry.message.id)?;
    }
    Ok(())
}

/// Reads the readable reactions to a message. Unreadable ones are skipped, because a missing reaction matters less than
/// a missing message.
fn read_reactions(
    conn: &Connection,
    conversation: Conversation,
    parent: MessageId,
) -> rusqlite::Result<Vec<HistoryMessage>> {
    let mut read = conn.prepare_cached(SELECT_REACTIONS)?;
    let rows = read.query_map((parent.to_string(), conversation, MAX_REACTIONS), |row| {
        parse_message(row, conversation)
    })?;
    Ok(rows.filter_map(Result::ok).flatten().collect())
}

/// Maximum count of reactions that are added to a message.
const MAX_REACTIONS: i64 = 50;

const SELECT_REACTIONS: &str =
    "SELECT m.id, m.place, m.sender, m.kind, m.text, m.tags, m.redacted, m.sum, a.name, a.bot IS NOT NULL FROM reactions r
     CROSS JOIN messages m ON m.id = r.id CROSS JOIN accounts a ON a.id = m.sender
     WHERE r.parent = ?1 AND m.place = ?2 AND m.redacted IS NULL
     ORDER BY r.id LIMIT ?3";

/// Returns the part of the window that a page covers, in the direction in which the window is filled: up to its last
/// message if it is full. Events beyond that have no room in it.
fn covered_window(page: &[HistoryMessage], window: &Window, bytes: usize) -> Window {
    let full = page.len() >= window.limit || page.iter().map(wire_size).sum::<usize>() >= bytes;
    match page.last().filter(|_| full) {
        Some(last) if window.newest => Window { after: last.message.id, ..*window },
        Some(last) => Window { before: last.message.id, ..*window },
        None => *window,
    }
}

/// Returns the count of the first messages of the page up to the one with which their size on the wire reaches `bytes`.
fn count_fitting(page: &[HistoryMessage], bytes: usize) -> usize {
    let mut spent = 0;
    let begun = |entry: &&HistoryMessage| {
        let begun = spent < bytes;
        spent += wire_size(entry);
        begun
    };
    page.iter().take_while(begun).count()
}

/// Messages of one class of a conversation, in the direction in which the window is filled.
struct ClassScan<'a> {
    conn: &'a Connection,
    conversation: Conversation,
    class: Class,
    window: &'a Window,
    /// Size on the wire, in bytes, after which no further message is read. The last message may exceed it.
    byte_limit: usize,
}

impl ClassScan<'_> {
    /// Reads the messages. If a page of the database is damaged, reads those outside of it.
    fn read(&self) -> rusqlite::Result<Vec<HistoryMessage>> {
        match self.scan() {
            Err(error) if checksums::is_damage(&error) => self.scan_one_by_one(),
            page => page,
        }
    }

    fn parameters(&self) -> impl Params {
        let limit = i64::try_from(self.window.limit).unwrap_or(i64::MAX);
        (self.conversation, self.class as i64, self.window.after, self.window.before, limit)
    }

    fn sql(&self) -> &'static str {
        if self.window.newest { NEWEST } else { OLDEST }
    }

    fn scan(&self) -> rusqlite::Result<Vec<HistoryMessage>> {
        let mut read = self.conn.prepare_cached(self.sql())?;
        let mut rows = read.query(self.parameters())?;
        let mut page = Vec::new();
        let mut spent = 0;
        while spent < self.byte_limit
            && let Some(row) = rows.next()?
        {
            let entry = message_or_unreadable(row, self.conversation)?;
            spent += wire_size(&entry);
            page.push(entry);
        }
        Ok(page)
    }

    /// Reads as [`scan`](Self::scan) does from a database with a damaged page, message by message. The index lists the
    /// messages, and those that cannot be read from the table are shown as unreadable. If the index is damaged, the table
    /// lists them.
    fn scan_one_by_one(&self) -> rusqlite::Result<Vec<HistoryMessage>> {
        let by_index = self.sql().replace(SELECT_HISTORY, "SELECT h.id FROM history h");
        let ids = match self.select_ids(&by_index) {
            Err(error) if checksums::is_damage(&error) => {
                let ids =
                    self.select_ids(if self.window.newest { NEWEST_BY_TABLE } else { OLDEST_BY_TABLE })?;
                repair::mark_damaged_index(self.conn);
                ids
            }
            ids => ids?,
        };
        let mut read = self.conn.prepare_cached(
            "SELECT m.id, m.place, m.sender, m.kind, m.text, m.tags, m.redacted, m.sum, a.name, a.bot IS NOT NULL FROM messages m
             LEFT JOIN accounts a ON a.id = m.sender WHERE m.id = ?1",
        )?;
        let mut page = Vec::new();
        let mut spent = 0;
        for id in ids {
            if spent >= self.byte_limit {
                break;
            }
            let entry = read
                .query_row([id], |row| message_or_unreadable(row, self.conversation))
                .unwrap_or_else(|_| unreadable_message(id, self.conversation));
            spent += wire_size(&entry);
            page.push(entry);
        }
        Ok(page)
    }

    fn select_ids(&self, sql: &str) -> rusqlite::Result<Vec<MessageId>> {
        self.conn.prepare_cached(sql)?.query_map(self.parameters(), |row| row.get(0))?.collect()
    }
}

/// Reads the message of a row of [`checksums::COLUMNS`] and the sender's name. A message that cannot be read, or whose
/// checksum is wrong, keeps its position with a text that says so.
pub(super) fn message_or_unreadable(
    row: &Row<'_>,
    conversation: Conversation,
) -> rusqlite::Result<HistoryMessage> {
    match parse_message(row, conversation) {
        Ok(Some(kept)) => Ok(kept),
        Ok(None) => Ok(unreadable_message(row.get(0)?, conversation)),
        Err(error) if checksums::is_row_error(&error) => Ok(unreadable_message(row.get(0)?, conversation)),
        Err(error) => Err(error),
    }
}

/// Reads a message; `None` if its checksum is wrong.
fn parse_message(row: &Row<'_>, conversation: Conversation) -> rusqlite::Result<Option<HistoryMessage>> {
    if !checksums::row_checksums(row)?.is_match() {
        return Ok(None);
    }
    let message = StoredMessage {
        id: row.get(0)?,
        conversation,
        from: row.get(2)?,
        kind: row.get(3)?,
        text: row.get_ref(4)?.as_str()?.into(),
        tags: row.get_ref(5)?.as_str_or_null()?.unwrap_or_default().into(),
        send_id: None,
    };
    Ok(Some(HistoryMessage {
        message,
        from: row.get(8)?,
        is_bot: row.get(9)?,
        is_context: false,
        files: Vec::new(),
    }))
}

/// Returns the replacement of a message that cannot be read: a notice that is of no account.
fn unreadable_message(id: MessageId, conversation: Conversation) -> HistoryMessage {
    debug!(%id, "a message cannot be read");
    let message = StoredMessage {
        id,
        conversation,
        from: AccountId(-1),
        kind: MessageKind::Notice,
        text: UNREADABLE_TEXT.into(),
        tags: "".into(),
        send_id: None,
    };
    HistoryMessage {
        message,
        from: Nick::parse("server").expect("a valid nick"),
        is_bot: false,
        is_context: false,
        files: Vec::new(),
    }
}

/// Text that replaces a message which cannot be read.
pub const UNREADABLE_TEXT: &str = "[This message cannot be read: the server's database is damaged here]";

/// Beginning of [`NEWEST`] and [`OLDEST`], as a literal.
macro_rules! select_history {
    () => {
        "SELECT h.id, h.place, h.sender, h.kind, h.text, h.tags, h.redacted, h.sum, a.name, a.bot IS NOT NULL
     FROM history h LEFT JOIN accounts a ON a.id = h.sender"
    };
}

/// Condition of [`NEWEST`] and [`OLDEST`], as a literal.
macro_rules! in_window {
    () => {
        " WHERE h.place = ?1 AND h.class = ?2 AND h.id > ?3 AND h.id < ?4
       AND h.volume >= (SELECT number FROM volumes WHERE first <= ?3 ORDER BY first DESC LIMIT 1)
       AND h.volume <= (SELECT number FROM volumes WHERE first < ?4 ORDER BY first DESC LIMIT 1)"
    };
}

const SELECT_HISTORY: &str = select_history!();

const NEWEST: &str = concat!(select_history!(), in_window!(), " ORDER BY h.volume DESC, h.id DESC LIMIT ?5");

const OLDEST: &str = concat!(select_history!(), in_window!(), " ORDER BY h.volume, h.id LIMIT ?5");

/// As [`NEWEST`] and [`OLDEST`], without an index: as slow as there are messages.
const NEWEST_BY_TABLE: &str = "SELECT id FROM messages NOT INDEXED
     WHERE place = ?1 AND class = ?2 AND id > ?3 AND id < ?4 ORDER BY id DESC LIMIT ?5";

const OLDEST_BY_TABLE: &str = "SELECT id FROM messages NOT INDEXED
     WHERE place = ?1 AND class = ?2 AND id > ?3 AND id < ?4 ORDER BY id LIMIT ?5";

const NTH_LATEST_BY_TABLE: &str = "SELECT id FROM messages NOT INDEXED WHERE place = ?1 AND class = ?2
     ORDER BY id DESC LIMIT 1 OFFSET ?3";

const NTH_LATEST: &str = "SELECT id FROM history WHERE place = ?1 AND class = ?2
     ORDER BY volume DESC, id DESC LIMIT 1 OFFSET ?3";

fn wire_size(entry: &HistoryMessage) -> usize {
    LINE_OVERHEAD + entry.message.text.len() + entry.message.tags.len()
}

/// Reads what the core needs about a message before its redaction. `None` if the conversation has no such message.
pub fn find_message(
    conn: &Connection,
    conversation: Conversation,
    message: MessageId,
) -> rusqlite::Result<Option<RedactionTarget>> {
    conn.prepare_cached(
        "SELECT sender, kind, redacted IS NOT NULL FROM messages WHERE id = ?1 AND place = ?2",
    )?
    .query_row((message, conversation), |row| {
        Ok(RedactionTarget { from: row.get(0)?, kind: row.get(1)?, redacted: row.get(2)? })
    })
    .optional()
}

/// Returns the message id of a conversation's latest message.
pub fn latest_message_id(
    conn: &Connection,
    conversation: Conversation,
) -> rusqlite::Result<Option<MessageId>> {
    nth_latest(conn, conversation, Class::Message, 1)
}

/// Returns the message id of the oldest of a conversation's latest `count` messages, if it has so many.
pub fn nth_latest_message_id(
    conn: &Connection,
    conversation: Conversation,
    count: u32,
) -> rusqlite::Result<Option<MessageId>> {
    nth_latest(conn, conversation, Class::Message, count)
}

/// Returns the direct conversations of an account with a message later than `after`, in no order. Leaves out those with
/// removed or disabled accounts, which cannot reply.
pub fn direct_conversations(
    conn: &Connection,
    account: AccountId,
    after: MessageId,
) -> rusqlite::Result<Vec<DirectConversation>> {
    let mut found = Vec::new();
    let mut read = conn.prepare_cached(
        "SELECT a.name, t.place FROM talks t CROSS JOIN accounts a ON a.id = t.peer
         WHERE t.account = ?1 AND a.removed IS NULL AND a.disabled IS NULL",
    )?;
    let mut rows = read.query([account])?;
    while let Some(row) = rows.next()? {
        let conversation = row.get(1)?;
        if let Some(latest) = latest_message_id(conn, conversation)?.filter(|latest| *latest > after) {
            found.push(DirectConversation { peer: row.get(0)?, conversation, latest });
        }
    }
    Ok(found)
}

/// Returns the oldest of the latest `count` messages of a class, if there are so many.
fn nth_latest(
    conn: &Connection,
    conversation: Conversation,
    class: Class,
    count: u32,
) -> rusqlite::Result<Option<MessageId>> {
    let nth = |sql| {
        let parameters = (conversation, class as i64, count.saturating_sub(1));
        conn.prepare_cached(sql)?.query_row(parameters, |row| row.get(0)).optional()
    };
    match nth(NTH_LATEST) {
        Err(error) if checksums::is_damage(&error) => {
            let found = nth(NTH_LATEST_BY_TABLE)?;
            repair::mark_damaged_index(conn);
            Ok(found)
        }
        found => found,
    }
}

/// Computes what the retention keeps of a conversation from an age limit and a limit of the count of messages. The count limit also
/// applies to each other class: to events in a conversation without messages, and to redacted messages in one without
/// any others.
///
/// Reads through the messages that stay, so it needs a connection for reading. Messages that are added meanwhile do not
/// change the result.
pub fn kept_from(
    conn: &Connection,
    conversation: Conversation,
    (after, keep): (Option<Timestamp>, Option<u32>),
) -> rusqlite::Result<KeptFrom> {
    let oldest = |class| -> rusqlite::Result<MessageId> {
        let Some(keep) = keep else { return Ok(MessageId::default()) };
        Ok(nth_latest(conn, conversation, class, keep)?.unwrap_or_default())
    };
    let times = time::read_id_offsets(conn)?;
    let first = after.map(|after| times.first_at(after)).unwrap_or_default().max(oldest(Class::Message)?);
    Ok(KeptFrom {
        messages: first,
        events: first.max(oldest(Class::Event)?),
        redactions: first.max(oldest(Class::Redaction)?),
        redacted: first.max(oldest(Class::Redacted)?),
    })
}

#[cfg(test)]
mod tests;
