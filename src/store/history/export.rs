//! Reading of the whole history, in the order of the messages.

use rusqlite::{Connection, OptionalExtension as _, Row};

use crate::core::record::{AccountId, ChannelId, Conversation, MessageKind};
use crate::store::error::StoreError;
use crate::store::values::time;
use crate::store::{MAX_IMPORT_TRIES, checksums};
use crate::wire::{ChannelName, MessageId, Nick, Timestamp};

/// Maximum count of messages in a page of an export.
const PAGE_MESSAGES: u32 = 1000;

/// A message with the names that it had in an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedMessage {
    /// Message id, which also holds the time.
    pub id: MessageId,
    /// Time of the message.
    pub time: Timestamp,
    /// Channel or accounts that it was sent to.
    pub conversation: NamedConversation,
    /// Account that sent it.
    pub from: Nick,
    /// Its kind, which defines the content of its text.
    pub kind: MessageKind,
    /// Text of the message.
    pub text: String,
    /// Client-only tags as on the wire.
    pub tags: String,
    /// It was redacted.
    pub redacted: bool,
}

/// A conversation by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedConversation {
    /// Channel, by name.
    Channel(ChannelName),
    /// A direct conversation.
    Between(Nick, Nick),
}

/// A page of the history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportPage {
    /// The messages, the earliest first.
    pub messages: Vec<NamedMessage>,
    /// Id of the last message that was read for the page; `None` at the end of the history.
    pub last: Option<MessageId>,
    /// Count of messages that cannot be read.
    pub unreadable: u64,
}

/// Reads the messages after one, of all conversations, with a limit of about `bytes` bytes of text and tags.
pub fn read_all(conn: &Connection, after: MessageId, bytes: usize) -> Result<ExportPage, StoreError> {
    let times = time::read_id_offsets(conn)?;
    let mut read = conn.prepare_cached(
        "SELECT m.id, m.place, m.sender, m.kind, m.text, m.tags, m.redacted, m.sum, a.name
         FROM messages m LEFT JOIN accounts a ON a.id = m.sender WHERE m.id > ?1 ORDER BY m.id LIMIT ?2",
    )?;
    let mut rows = read.query((after, PAGE_MESSAGES))?;
    let mut page = ExportPage::default();
    let mut spent = 0;
    while spent < bytes
        && let Some(row) = rows.next()?
    {
        let id: MessageId = row.get(0)?;
        page.last = Some(id);
        match read_message(conn, row) {
            Ok(Some(mut message)) => {
                message.time = times.time_of(id);
                spent += message.text.len() + message.tags.len() + 200;
                page.messages.push(message);
            }
            Ok(None) => page.unreadable += 1,
            Err(error) if checksums::is_row_error(&error) => page.unreadable += 1,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(page)
}

/// Reads a message; `None` if it or what it names is damaged.
fn read_message(conn: &Connection, row: &Row<'_>) -> rusqlite::Result<Option<NamedMessage>> {
    if !checksums::row_checksums(row)?.is_match() {
        return Ok(None);
    }
    let conversation = match row.get(1)? {
        Conversation::Channel(id) => channel_name(conn, id)?.map(NamedConversation::Channel),
        Conversation::Direct(a, b) => {
            account_name(conn, a)?.zip(account_name(conn, b)?).map(|(a, b)| NamedConversation::Between(a, b))
        }
    };
    let (Some(conversation), Some(from)) = (conversation, row.get::<_, Option<Nick>>(8)?) else {
        return Ok(None);
    };
    Ok(Some(NamedMessage {
        id: row.get(0)?,
        time: Timestamp::default(),
        conversation,
        from,
        kind: row.get(3)?,
        text: row.get_ref(4)?.as_str()?.to_owned(),
        tags: row.get_ref(5)?.as_str_or_null()?.unwrap_or_default().to_owned(),
        redacted: row.get::<_, Option<i64>>(6)?.is_some(),
    }))
}

fn channel_name(conn: &Connection, id: ChannelId) -> rusqlite::Result<Option<ChannelName>> {
    let sql = "SELECT name FROM channels WHERE id = ?1";
    conn.prepare_cached(sql)?.query_row([id], |row| row.get(0)).optional()
}

fn account_name(conn: &Connection, id: AccountId) -> rusqlite::Result<Option<Nick>> {
    let sql = "SELECT name FROM accounts WHERE id = ?1";
    conn.prepare_cached(sql)?.query_row([id], |row| row.get(0)).optional()
}

/// Looks for a message in the places that an import gives it: with this sender and kind, in this conversation, under its id
/// or, where others have that, under one before it.
pub fn has_message(
    conn: &Connection,
    mut id: MessageId,
    from: &Nick,
    kind: MessageKind,
    conversation: &NamedConversation,
) -> rusqlite::Result<bool> {
    let sql =
        "SELECT m.place, m.kind, a.name FROM messages m JOIN accounts a ON a.id = m.sender WHERE m.id = ?1";
    let row = |row: &Row<'_>| {
        Ok((row.get::<_, Conversation>(0)?, row.get::<_, MessageKind>(1)?, row.get::<_, Nick>(2)?))
    };
    let mut statement = conn.prepare_cached(sql)?;
    for _ in 0..MAX_IMPORT_TRIES {
        let Some((place, known_kind, sender)) = statement.query_row([id], row).optional()? else {
            return Ok(false);
        };
        if known_kind == kind && sender == *from && is_place(conn, place, conversation)? {
            return Ok(true);
        }
        id = id.predecessor();
    }
    Ok(false)
}

/// Returns whether a conversation has these names.
fn is_place(conn: &Connection, place: Conversation, named: &NamedConversation) -> rusqlite::Result<bool> {
    Ok(match (place, named) {
        (Conversation::Channel(id), NamedConversation::Channel(name)) => {
            channel_name(conn, id)?.is_some_and(|known| known == *name)
        }
        (Conversation::Direct(a, b), NamedConversation::Between(c, d)) => {
            let known = (account_name(conn, a)?, account_name(conn, b)?);
            known == (Some(c.clone()), Some(d.clone())) || known == (Some(d.clone()), Some(c.clone()))
        }
        _ => false,
    })
}
