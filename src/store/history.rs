//! Reading what was said. The contents say which volumes have something of a place, and in a volume its messages are
//! one run of neighbours in one index: what a read costs goes by what it returns and not by what there is.

use std::collections::HashSet;

use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Row};
use tracing::debug;

use super::counters::erase_later;
use super::volumes::{self, Class};
use super::{sums, time};
use crate::chat::history::{Found, Kept, Kinds, Window};
use crate::chat::record::{AccountId, MessageKind, Place, StoredMessage};
use crate::chat::settings::Settings;
use crate::wire::{ChannelName, MessageId, Millis, Nick};

/// What a message costs beside its text and tags, in bytes: source, time, msgid, command.
const OVERHEAD: usize = 192;

/// Most redactions of a page, however few messages are asked for: of one that a client is not told it goes on showing what
/// was taken back. As many again as the largest page has messages.
const REDACTIONS: usize = Settings::HISTORY;

/// Direct messages with somebody, and who that is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Talk {
    /// The other side, perhaps oneself.
    pub peer: Nick,
    /// Their place.
    pub place: Place,
    /// The latest that was said.
    pub latest: MessageId,
}

/// Up to `window.limit` messages of a place, the earliest first; fewer where they would take more than about `bytes`
/// bytes on the wire, but at least one. Then they are those nearest to the end from which the window is filled.
/// Redactions between them come on top, up to a thousand and another so many bytes.
pub fn read(
    conn: &Connection,
    place: Place,
    window: &Window,
    kinds: Kinds,
    bytes: usize,
) -> rusqlite::Result<Vec<Kept>> {
    Ok(read_page(conn, place, window, kinds, bytes)?.0)
}

/// As [`read`], with whether the window holds nothing more in the direction in which it is filled. False where that is not
/// known: where a page ends because of its bytes.
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
    // One more than is wanted says whether there is one.
    let wider = Window { limit: window.limit.saturating_add(1), ..*window };
    let mut page = stretch(conn, place, Class::Said, &wider, bytes)?;
    if kinds.events {
        let span = covered(&page, &wider, bytes);
        page.append(&mut stretch(conn, place, Class::Event, &span, bytes)?);
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
        page.append(&mut stretch(conn, place, Class::Redaction, &span, bytes)?);
    }
    page.sort_unstable_by_key(|kept| kept.message.id);
    if kinds.events {
        page = with_reactions(conn, place, page, bytes)?;
    }
    Ok((page, is_last))
}

/// A page, each message followed by the reactions to it that are not in the page themselves: up to [`REACTIONS`] of each,
/// and another so many bytes in all.
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

/// The reactions to a message that can be read: none of them is missed like a message would be.
fn reactions_to(conn: &Connection, place: Place, parent: MessageId) -> rusqlite::Result<Vec<Kept>> {
    let mut read = conn.prepare_cached(REACTIONS_TO)?;
    let rows = read.query_map((parent.to_string(), place, REACTIONS), |row| kept(row, place))?;
    Ok(rows.filter_map(Result::ok).flatten().collect())
}

/// Most reactions that come with a message.
const REACTIONS: i64 = 50;

const REACTIONS_TO: &str =
    "SELECT m.id, m.place, m.sender, m.kind, m.text, m.tags, m.redacted, m.sum, a.name FROM reactions r
     CROSS JOIN messages m ON m.id = r.id CROSS JOIN accounts a ON a.id = m.sender
     WHERE r.parent = ?1 AND m.place = ?2 AND m.redacted IS NULL
     ORDER BY r.id LIMIT ?3";

/// The part of the window that a page covers, which runs in the direction in which the window is filled: up to its
/// last message where it is full. What lies beyond has no room in it.
fn covered(page: &[Kept], window: &Window, bytes: usize) -> Window {
    let full = page.len() >= window.limit || page.iter().map(cost).sum::<usize>() >= bytes;
    match page.last().filter(|_| full) {
        Some(last) if window.newest => Window { after: last.message.id, ..*window },
        Some(last) => Window { before: last.message.id, ..*window },
        None => *window,
    }
}

/// How many of the messages are begun before so many bytes are spent.
fn fitting(page: &[Kept], bytes: usize) -> usize {
    let mut spent = 0;
    let begun = |kept: &&Kept| {
        let begun = spent < bytes;
        spent += cost(kept);
        begun
    };
    page.iter().take_while(begun).count()
}

/// Messages of one class, in the direction in which the window is filled.
fn stretch(
    conn: &Connection,
    place: Place,
    class: Class,
    window: &Window,
    bytes: usize,
) -> rusqlite::Result<Vec<Kept>> {
    match scan(conn, place, class, window, bytes) {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
            one_by_one(conn, place, class, window, bytes)
        }
        page => page,
    }
}

fn scan(
    conn: &Connection,
    place: Place,
    class: Class,
    window: &Window,
    bytes: usize,
) -> rusqlite::Result<Vec<Kept>> {
    let mut read = conn.prepare_cached(if window.newest { NEWEST } else { OLDEST })?;
    let limit = i64::try_from(window.limit).unwrap_or(i64::MAX);
    let mut rows = read.query((place, class as i64, window.after, window.before, limit))?;
    let mut page = Vec::new();
    let mut spent = 0;
    while spent < bytes
        && let Some(row) = rows.next()?
    {
        let kept = kept_or_unreadable(row, place)?;
        spent += cost(&kept);
        page.push(kept);
    }
    Ok(page)
}

/// As [`scan`], where a page of the table is damaged: the index, which is elsewhere, says what there is, and what cannot
/// be read of it is shown as unreadable.
fn one_by_one(
    conn: &Connection,
    place: Place,
    class: Class,
    window: &Window,
    bytes: usize,
) -> rusqlite::Result<Vec<Kept>> {
    let sql = if window.newest { NEWEST } else { OLDEST };
    let ids = sql.replace(WHOLE, "SELECT h.id FROM history h");
    let limit = i64::try_from(window.limit).unwrap_or(i64::MAX);
    let ids = conn
        .prepare_cached(&ids)?
        .query_map((place, class as i64, window.after, window.before, limit), |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<MessageId>>>()?;
    let mut read = conn.prepare_cached(
        "SELECT m.id, m.place, m.sender, m.kind, m.text, m.tags, m.redacted, m.sum, a.name FROM messages m
         LEFT JOIN accounts a ON a.id = m.sender WHERE m.id = ?1",
    )?;
    let mut page = Vec::new();
    let mut spent = 0;
    for id in ids {
        if spent >= bytes {
            break;
        }
        let kept = read
            .query_row([id], |row| kept_or_unreadable(row, place))
            .unwrap_or_else(|_| unreadable(id, place));
        spent += cost(&kept);
        page.push(kept);
    }
    Ok(page)
}

/// The message of a row of [`sums::COLUMNS`] and the sender's name. One that cannot be read, or that is not as it was
/// written, keeps its place, and says so.
pub(super) fn kept_or_unreadable(row: &Row<'_>, place: Place) -> rusqlite::Result<Kept> {
    match kept(row, place) {
        Ok(Some(kept)) => Ok(kept),
        Ok(None) => Ok(unreadable(row.get(0)?, place)),
        Err(error) if sums::is_of_row(&error) => Ok(unreadable(row.get(0)?, place)),
        Err(error) => Err(error),
    }
}

/// `None` where its checksum differs.
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
    Ok(Some(Kept { message, from: row.get(8)?, is_context: false }))
}

/// What stands in the place of a message that cannot be read: a notice of nobody's account.
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
    Kept { message, from: Nick::parse("server").expect("a valid nick"), is_context: false }
}

/// The text of a message that cannot be read.
pub const UNREADABLE: &str = "[This message cannot be read: the server's database is damaged here]";

/// The beginning of [`NEWEST`] and [`OLDEST`].
const WHOLE: &str =
    "SELECT h.id, h.place, h.sender, h.kind, h.text, h.tags, h.redacted, h.sum, a.name FROM history h
     LEFT JOIN accounts a ON a.id = h.sender";

const NEWEST: &str =
    "SELECT h.id, h.place, h.sender, h.kind, h.text, h.tags, h.redacted, h.sum, a.name FROM history h
     LEFT JOIN accounts a ON a.id = h.sender
     WHERE h.place = ?1 AND h.class = ?2 AND h.id > ?3 AND h.id < ?4
       AND h.volume >= (SELECT number FROM volumes WHERE first <= ?3 ORDER BY first DESC LIMIT 1)
       AND h.volume <= (SELECT number FROM volumes WHERE first < ?4 ORDER BY first DESC LIMIT 1)
     ORDER BY h.volume DESC, h.id DESC LIMIT ?5";

const OLDEST: &str =
    "SELECT h.id, h.place, h.sender, h.kind, h.text, h.tags, h.redacted, h.sum, a.name FROM history h
     LEFT JOIN accounts a ON a.id = h.sender
     WHERE h.place = ?1 AND h.class = ?2 AND h.id > ?3 AND h.id < ?4
       AND h.volume >= (SELECT number FROM volumes WHERE first <= ?3 ORDER BY first DESC LIMIT 1)
       AND h.volume <= (SELECT number FROM volumes WHERE first < ?4 ORDER BY first DESC LIMIT 1)
     ORDER BY h.volume, h.id LIMIT ?5";

const NTH_LATEST: &str = "SELECT id FROM history WHERE place = ?1 AND class = ?2
     ORDER BY volume DESC, id DESC LIMIT 1 OFFSET ?3";

const BEFORE: &str = "SELECT id FROM history WHERE place = ?1 AND class = ?2 AND id < ?3
       AND volume <= (SELECT number FROM volumes WHERE first < ?3 ORDER BY first DESC LIMIT 1)
     ORDER BY volume, id LIMIT ?4";

fn cost(kept: &Kept) -> usize {
    OVERHEAD + kept.message.text.len() + kept.message.tags.len()
}

/// What is asked about a message before it is redacted. `None` where there is no such message at that place.
pub fn find(conn: &Connection, place: Place, message: MessageId) -> rusqlite::Result<Option<Found>> {
    conn.prepare_cached(
        "SELECT sender, kind, redacted IS NOT NULL FROM messages WHERE id = ?1 AND place = ?2",
    )?
    .query_row((message, place), |row| {
        Ok(Found { from: row.get(0)?, kind: row.get(1)?, redacted: row.get(2)? })
    })
    .optional()
}

/// The last that was said at a place.
pub fn latest(conn: &Connection, place: Place) -> rusqlite::Result<Option<MessageId>> {
    nth_latest(conn, place, Class::Said, 1)
}

/// The talks of an account in which something was said later than `after`, in no order. Those with accounts that
/// were removed or disabled are not among them: nobody answers there.
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

/// All places where something may have been said: channels with their names, and talks.
pub fn places(conn: &Connection) -> rusqlite::Result<Vec<(Place, Option<ChannelName>)>> {
    conn.prepare_cached("SELECT id, name FROM channels UNION ALL SELECT DISTINCT place, NULL FROM talks")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// The oldest of the latest `count` of a class, where there are so many.
fn nth_latest(
    conn: &Connection,
    place: Place,
    class: Class,
    count: u32,
) -> rusqlite::Result<Option<MessageId>> {
    conn.prepare_cached(NTH_LATEST)?
        .query_row((place, class as i64, count.saturating_sub(1)), |row| row.get(0))
        .optional()
}

/// Where the history of a place begins when all that is not kept is gone: the first to stay, for each class.
#[derive(Clone, Copy, Debug)]
pub struct Bounds([MessageId; Class::ALL.len()]);

/// What stays of a place where nothing is kept that is older than a time, or than the latest so many that were said. Nor
/// are more than so many of each other class: events where nothing is said, what was redacted where nothing else is left.
///
/// It counts through what is kept, so it is for a connection that reads; what is said meanwhile makes it no less true.
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

/// Removes up to `most` messages and events of a place that lie before the bounds; how many were removed.
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
