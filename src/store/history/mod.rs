//! Reading of the history. The contents list the volumes with messages of a conversation, and within a volume these are
//! neighbours in one index. So a read costs as much as it returns, independent of the size of the history.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension as _, Params, Row};
use tracing::debug;

use super::counters::erase_later;
use super::database::repair;
use super::tables::volumes::{self, Class};
use super::{sums, time};
use crate::core::effects::history::{Found, Kept, Kinds, Window};
use crate::core::record::{AccountId, MessageKind, Place, StoredMessage};
use crate::core::request::settings::Settings;
use crate::wire::{ChannelName, MessageId, Millis, Nick};

/// Size of a message on the wire beside its text and tags, in bytes: source, time, msgid, command.
const OVERHEAD: usize = 192;

/// Maximum count of redactions in a page, whatever the limit of messages. A client that misses a redaction goes on
/// showing the message. As many as the largest page has messages.
const REDACTIONS: usize = Settings::HISTORY;

/// A direct conversation, as seen by one of its accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Talk {
    /// The other account, or the same one for notes to oneself.
    pub peer: Nick,
    /// Key of the conversation in the database.
    pub place: Place,
    /// Message id of its latest message.
    pub latest: MessageId,
}

/// Reads up to `window.limit` messages of a conversation, the earliest first. Returns fewer, but at least one, if they
/// would take more than about `bytes` bytes on the wire; then they are those nearest to the end from which the window
/// is filled. Redactions between them are added, up to a thousand and another so many bytes.
pub fn read(
    conn: &Connection,
    place: Place,
    window: &Window,
    kinds: Kinds,
    bytes: usize,
) -> rusqlite::Result<Vec<Kept>> {
    Ok(read_page(conn, place, window, kinds, bytes)?.0)
}

/// Reads as [`read`] does. The flag is true if the window holds nothing more in the direction in which it is filled; it
/// is false if that is not known, because the page ended by its bytes.
pub fn read_page(
    conn: &Connection,
    place: Place,
    window: &Window,
    kinds: Kinds,
    bytes: usize,
) -> rusqlite::Result<(Vec<Kept>, bool)> {
    if window.limit == 0 {
        return Ok((Vec::new(), false));
    }
    // One more than the limit shows whether there are more.
    let wider = Window { limit: window.limit.saturating_add(1), ..*window };
    let stretch = |class, window: &_| Stretch { conn, place, class, window, bytes }.read();
    let mut page = stretch(Class::Said, &wider)?;
    if kinds.events {
        let span = covered(&page, &wider, bytes);
        page.append(&mut stretch(Class::Event, &span)?);
        page.sort_unstable_by_key(|kept| kept.message.id);
        if window.newest {
            page.reverse();
        }
    }
    let is_last = page.len() <= window.limit && page.iter().map(cost).sum::<usize>() < bytes;
    page.truncate(window.limit);
    page.truncate(fitting(&page, bytes));
    if kinds.redactions {
        let span = Window { limit: REDACTIONS, ..covered(&page, window, bytes) };
        page.append(&mut stretch(Class::Redaction, &span)?);
    }
    page.sort_unstable_by_key(|kept| kept.message.id);
    if kinds.events {
        page = with_reactions(conn, place, page, bytes)?;
    }
    Ok((page, is_last))
}

/// Adds to each message of a page the reactions to it that are not in the page themselves: up to [`REACTIONS`] of each,
/// and another so many bytes in total.
fn with_reactions(
    conn: &Connection,
    place: Place,
    page: Vec<Kept>,
    bytes: usize,
) -> rusqlite::Result<Vec<Kept>> {
    let known: HashSet<MessageId> = page.iter().map(|kept| kept.message.id).collect();
    let mut whole = Vec::with_capacity(page.len());
    let mut spent = 0;
    for said in page {
        let parent = said.message.kind.is_said().then_some(said.message.id);
        whole.push(said);
        let Some(parent) = parent.filter(|_| spent < bytes) else { continue };
        for reaction in reactions_to(conn, place, parent)? {
            if !known.contains(&reaction.message.id) {
                spent += cost(&reaction);
                whole.push(Kept { is_context: true, ..reaction });
            }
        }
    }
    Ok(whole)
}

/// Reads the readable reactions to a message. Unreadable ones are skipped, because a missing reaction matters less than
/// a missing message.
fn reactions_to(conn: &Connection, place: Place, parent: MessageId) -> rusqlite::Result<Vec<Kept>> {
    let mut read = conn.prepare_cached(REACTIONS_TO)?;
    let rows = read.query_map((parent.to_string(), place, REACTIONS), |row| kept(row, place))?;
    Ok(rows.filter_map(Result::ok).flatten().collect())
}

/// Maximum count of reactions that are added to a message.
const REACTIONS: i64 = 50;

const REACTIONS_TO: &str =
    "SELECT m.id, m.place, m.sender, m.kind, m.text, m.tags, m.redacted, m.sum, a.name, a.bot IS NOT NULL FROM reactions r
     CROSS JOIN messages m ON m.id = r.id CROSS JOIN accounts a ON a.id = m.sender
     WHERE r.parent = ?1 AND m.place = ?2 AND m.redacted IS NULL
     ORDER BY r.id LIMIT ?3";

/// Returns the part of the window that a page covers, in the direction in which the window is filled: up to its last
/// message if it is full. Events beyond that have no room in it.
fn covered(page: &[Kept], window: &Window, bytes: usize) -> Window {
    let full = page.len() >= window.limit || page.iter().map(cost).sum::<usize>() >= bytes;
    match page.last().filter(|_| full) {
        Some(last) if window.newest => Window { after: last.message.id, ..*window },
        Some(last) => Window { before: last.message.id, ..*window },
        None => *window,
    }
}

/// Returns the count of messages that begin before so many bytes are spent.
fn fitting(page: &[Kept], bytes: usize) -> usize {
    let mut spent = 0;
    let begun = |kept: &&Kept| {
        let begun = spent < bytes;
        spent += cost(kept);
        begun
    };
    page.iter().take_while(begun).count()
}

/// Messages of one class at a place, in the direction in which the window is filled.
struct Stretch<'a> {
    conn: &'a Connection,
    place: Place,
    class: Class,
    window: &'a Window,
    /// The last is begun before so many bytes are spent.
    bytes: usize,
}

impl Stretch<'_> {
    /// Reads them, whatever is damaged: what can be read of them.
    fn read(&self) -> rusqlite::Result<Vec<Kept>> {
        match self.scan() {
            Err(error) if sums::is_damage(&error) => self.one_by_one(),
            page => page,
        }
    }

    fn parameters(&self) -> impl Params {
        let limit = i64::try_from(self.window.limit).unwrap_or(i64::MAX);
        (self.place, self.class as i64, self.window.after, self.window.before, limit)
    }

    fn sql(&self) -> &'static str {
        if self.window.newest { NEWEST } else { OLDEST }
    }

    fn scan(&self) -> rusqlite::Result<Vec<Kept>> {
        let mut read = self.conn.prepare_cached(self.sql())?;
        let mut rows = read.query(self.parameters())?;
        let mut page = Vec::new();
        let mut spent = 0;
        while spent < self.bytes
            && let Some(row) = rows.next()?
        {
            let kept = kept_or_unreadable(row, self.place)?;
            spent += cost(&kept);
            page.push(kept);
        }
        Ok(page)
    }

    /// As [`scan`](Self::scan), where a page is damaged. One of the table: the index, which is elsewhere, says what there
    /// is, and what cannot be read of it is shown as unreadable. One of the index: the table says what there is.
    fn one_by_one(&self) -> rusqlite::Result<Vec<Kept>> {
        let by_index = self.sql().replace(WHOLE, "SELECT h.id FROM history h");
        let ids = match self.ids(&by_index) {
            Err(error) if sums::is_damage(&error) => {
                let ids = self.ids(if self.window.newest { NEWEST_BY_TABLE } else { OLDEST_BY_TABLE })?;
                repair::note(self.conn);
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
            if spent >= self.bytes {
                break;
            }
            let kept = read
                .query_row([id], |row| kept_or_unreadable(row, self.place))
                .unwrap_or_else(|_| unreadable(id, self.place));
            spent += cost(&kept);
            page.push(kept);
        }
        Ok(page)
    }

    fn ids(&self, sql: &str) -> rusqlite::Result<Vec<MessageId>> {
        self.conn.prepare_cached(sql)?.query_map(self.parameters(), |row| row.get(0))?.collect()
    }
}

/// Reads the message of a row of [`sums::COLUMNS`] and the sender's name. A message that cannot be read, or whose
/// checksum is wrong, keeps its position with a text that says so.
pub(super) fn kept_or_unreadable(row: &Row<'_>, place: Place) -> rusqlite::Result<Kept> {
    match kept(row, place) {
        Ok(Some(kept)) => Ok(kept),
        Ok(None) => Ok(unreadable(row.get(0)?, place)),
        Err(error) if sums::is_of_row(&error) => Ok(unreadable(row.get(0)?, place)),
        Err(error) => Err(error),
    }
}

/// Reads a message; `None` if its checksum is wrong.
fn kept(row: &Row<'_>, place: Place) -> rusqlite::Result<Option<Kept>> {
    if !sums::is_sound(sums::of_row(row)?) {
        return Ok(None);
    }
    let message = StoredMessage {
        id: row.get(0)?,
        place,
        from: row.get(2)?,
        kind: row.get(3)?,
        text: row.get_ref(4)?.as_str()?.into(),
        tags: row.get_ref(5)?.as_str_or_null()?.unwrap_or_default().into(),
        send_id: None,
    };
    Ok(Some(Kept { message, from: row.get(8)?, is_bot: row.get(9)?, is_context: false }))
}

/// Returns the replacement of a message that cannot be read: a notice that is of no account.
fn unreadable(id: MessageId, place: Place) -> Kept {
    debug!(%id, "a message cannot be read");
    let message = StoredMessage {
        id,
        place,
        from: AccountId(-1),
        kind: MessageKind::Notice,
        text: UNREADABLE.into(),
        tags: "".into(),
        send_id: None,
    };
    Kept { message, from: Nick::parse("server").expect("a valid nick"), is_bot: false, is_context: false }
}

/// Text that replaces a message which cannot be read.
pub const UNREADABLE: &str = "[This message cannot be read: the server's database is damaged here]";

/// Beginning of [`NEWEST`] and [`OLDEST`].
const WHOLE: &str =
    "SELECT h.id, h.place, h.sender, h.kind, h.text, h.tags, h.redacted, h.sum, a.name, a.bot IS NOT NULL FROM history h
     LEFT JOIN accounts a ON a.id = h.sender";

const NEWEST: &str =
    "SELECT h.id, h.place, h.sender, h.kind, h.text, h.tags, h.redacted, h.sum, a.name, a.bot IS NOT NULL FROM history h
     LEFT JOIN accounts a ON a.id = h.sender
     WHERE h.place = ?1 AND h.class = ?2 AND h.id > ?3 AND h.id < ?4
       AND h.volume >= (SELECT number FROM volumes WHERE first <= ?3 ORDER BY first DESC LIMIT 1)
       AND h.volume <= (SELECT number FROM volumes WHERE first < ?4 ORDER BY first DESC LIMIT 1)
     ORDER BY h.volume DESC, h.id DESC LIMIT ?5";

const OLDEST: &str =
    "SELECT h.id, h.place, h.sender, h.kind, h.text, h.tags, h.redacted, h.sum, a.name, a.bot IS NOT NULL FROM history h
     LEFT JOIN accounts a ON a.id = h.sender
     WHERE h.place = ?1 AND h.class = ?2 AND h.id > ?3 AND h.id < ?4
       AND h.volume >= (SELECT number FROM volumes WHERE first <= ?3 ORDER BY first DESC LIMIT 1)
       AND h.volume <= (SELECT number FROM volumes WHERE first < ?4 ORDER BY first DESC LIMIT 1)
     ORDER BY h.volume, h.id LIMIT ?5";

/// As [`NEWEST`] and [`OLDEST`], without an index: as slow as there are messages.
const NEWEST_BY_TABLE: &str = "SELECT id FROM messages NOT INDEXED
     WHERE place = ?1 AND class = ?2 AND id > ?3 AND id < ?4 ORDER BY id DESC LIMIT ?5";

const OLDEST_BY_TABLE: &str = "SELECT id FROM messages NOT INDEXED
     WHERE place = ?1 AND class = ?2 AND id > ?3 AND id < ?4 ORDER BY id LIMIT ?5";

const NTH_LATEST_BY_TABLE: &str = "SELECT id FROM messages NOT INDEXED WHERE place = ?1 AND class = ?2
     ORDER BY id DESC LIMIT 1 OFFSET ?3";

const NTH_LATEST: &str = "SELECT id FROM history WHERE place = ?1 AND class = ?2
     ORDER BY volume DESC, id DESC LIMIT 1 OFFSET ?3";

const BEFORE: &str = "SELECT id FROM history WHERE place = ?1 AND class = ?2 AND id < ?3
       AND volume <= (SELECT number FROM volumes WHERE first < ?3 ORDER BY first DESC LIMIT 1)
     ORDER BY volume, id LIMIT ?4";

fn cost(kept: &Kept) -> usize {
    OVERHEAD + kept.message.text.len() + kept.message.tags.len()
}

/// Reads what the core needs about a message before its redaction. `None` if the conversation has no such message.
pub fn find(conn: &Connection, place: Place, message: MessageId) -> rusqlite::Result<Option<Found>> {
    conn.prepare_cached(
        "SELECT sender, kind, redacted IS NOT NULL FROM messages WHERE id = ?1 AND place = ?2",
    )?
    .query_row((message, place), |row| {
        Ok(Found { from: row.get(0)?, kind: row.get(1)?, redacted: row.get(2)? })
    })
    .optional()
}

/// Returns the message id of a conversation's latest message.
pub fn latest(conn: &Connection, place: Place) -> rusqlite::Result<Option<MessageId>> {
    nth_latest(conn, place, Class::Said, 1)
}

/// Returns the direct conversations of an account with a message later than `after`, in no order. Leaves out those with
/// removed or disabled accounts, which cannot reply.
pub fn talks(conn: &Connection, account: AccountId, after: MessageId) -> rusqlite::Result<Vec<Talk>> {
    let mut talks = Vec::new();
    let mut read = conn.prepare_cached(
        "SELECT a.name, t.place FROM talks t CROSS JOIN accounts a ON a.id = t.peer
         WHERE t.account = ?1 AND a.removed IS NULL AND a.disabled IS NULL",
    )?;
    let mut rows = read.query([account])?;
    while let Some(row) = rows.next()? {
        let place = row.get(1)?;
        if let Some(latest) = latest(conn, place)?.filter(|latest| *latest > after) {
            talks.push(Talk { peer: row.get(0)?, place, latest });
        }
    }
    Ok(talks)
}

/// Returns all conversations that may have messages: channels with their names, and direct conversations.
pub fn places(conn: &Connection) -> rusqlite::Result<Vec<(Place, Option<ChannelName>)>> {
    conn.prepare_cached("SELECT id, name FROM channels UNION ALL SELECT DISTINCT place, NULL FROM talks")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Returns the oldest of the latest `count` messages of a class, if there are so many.
fn nth_latest(
    conn: &Connection,
    place: Place,
    class: Class,
    count: u32,
) -> rusqlite::Result<Option<MessageId>> {
    let nth = |sql| {
        let parameters = (place, class as i64, count.saturating_sub(1));
        conn.prepare_cached(sql)?.query_row(parameters, |row| row.get(0)).optional()
    };
    match nth(NTH_LATEST) {
        Err(error) if sums::is_damage(&error) => {
            let found = nth(NTH_LATEST_BY_TABLE)?;
            repair::note(conn);
            Ok(found)
        }
        found => found,
    }
}

/// First message of each class that stays in a conversation when retention has removed the others.
#[derive(Clone, Copy, Debug)]
pub struct Bounds([MessageId; Class::ALL.len()]);

/// Computes the bounds of a conversation from an age limit and a limit of the count of messages. The count limit also
/// applies to each other class: to events in a conversation without messages, and to redacted messages in one without
/// any others.
///
/// Reads through the messages that stay, so it needs a connection for reading. Messages that are added meanwhile do not
/// change the result.
pub fn bounds(
    conn: &Connection,
    place: Place,
    (after, keep): (Option<Millis>, Option<u32>),
) -> rusqlite::Result<Bounds> {
    let oldest = |class| -> rusqlite::Result<MessageId> {
        let Some(keep) = keep else { return Ok(MessageId::default()) };
        Ok(nth_latest(conn, place, class, keep)?.unwrap_or_default())
    };
    let times = time::times(conn)?;
    let first = after.map(|after| times.first_at(after)).unwrap_or_default().max(oldest(Class::Said)?);
    let mut bounds = [first; Class::ALL.len()];
    for (bound, class) in bounds.iter_mut().zip(Class::ALL).filter(|(_, class)| *class != Class::Said) {
        *bound = first.max(oldest(class)?);
    }
    Ok(Bounds(bounds))
}

/// Removes up to `most` messages and events of a conversation that are before the bounds. Returns their count.
pub fn forget(tx: &Connection, place: Place, bounds: &Bounds, most: u32) -> rusqlite::Result<u32> {
    let mut removed = 0;
    for (class, first) in Class::ALL.into_iter().zip(bounds.0) {
        let left = most - removed;
        let gone: Vec<MessageId> = tx
            .prepare_cached(BEFORE)?
            .query_map((place, class as i64, first, left), |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for id in &gone {
            tx.prepare_cached("DELETE FROM messages WHERE id = ?1")?.execute([id])?;
            if class == Class::Said {
                let sql = "INSERT INTO forgotten VALUES (?1) ON CONFLICT DO NOTHING";
                tx.prepare_cached(sql)?.execute([id])?;
            }
            removed += 1;
        }
        if !gone.is_empty() {
            volumes::strike(tx, place, class)?;
        }
    }
    if removed > 0 {
        erase_later(tx)?;
    }
    Ok(removed)
}

#[cfg(test)]
mod tests;
