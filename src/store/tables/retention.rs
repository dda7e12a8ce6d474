//! Removal of old messages and events of a conversation.

use rusqlite::Connection;

use super::volumes::{self, Class};
use crate::core::record::{Conversation, ForgottenHistory, KeptFrom};
use crate::store::values::counters::schedule_erasing;
use crate::wire::MessageId;

/// Selects the oldest messages of a class before a message id.
pub(in crate::store) const BEFORE: &str = "SELECT id FROM history WHERE place = ?1 AND class = ?2 AND id < ?3
       AND volume <= (SELECT number FROM volumes WHERE first < ?3 ORDER BY first DESC LIMIT 1)
     ORDER BY volume, id LIMIT ?4";

/// Removes old messages and events. Returns their count.
pub(in crate::store) fn forget(tx: &Connection, forgotten: &ForgottenHistory) -> rusqlite::Result<u32> {
    let &ForgottenHistory { conversation, ref kept, most } = forgotten;
    let mut removed = 0;
    for class in Class::ALL {
        let gone = before(tx, conversation, class, first(kept, class), most - removed)?;
        for id in &gone {
            tx.prepare_cached("DELETE FROM messages WHERE id = ?1")?.execute([id])?;
            if class == Class::Message {
                let sql = "INSERT INTO forgotten VALUES (?1) ON CONFLICT DO NOTHING";
                tx.prepare_cached(sql)?.execute([id])?;
            }
            removed += 1;
        }
        if !gone.is_empty() {
            volumes::prune_contents(tx, conversation, class)?;
        }
    }
    if removed > 0 {
        schedule_erasing(tx)?;
    }
    Ok(removed)
}

/// Counts the messages and events that `forget` removes.
pub fn old(conn: &Connection, forgotten: &ForgottenHistory) -> rusqlite::Result<u32> {
    let &ForgottenHistory { conversation, ref kept, most } = forgotten;
    let mut count = 0;
    for class in Class::ALL {
        let old = before(conn, conversation, class, first(kept, class), most - count)?;
        count += u32::try_from(old.len()).unwrap_or(u32::MAX);
    }
    Ok(count)
}

fn before(
    conn: &Connection,
    conversation: Conversation,
    class: Class,
    first: MessageId,
    most: u32,
) -> rusqlite::Result<Vec<MessageId>> {
    conn.prepare_cached(BEFORE)?
        .query_map((conversation, class as i64, first, most), |row| row.get(0))?
        .collect()
}

fn first(kept: &KeptFrom, class: Class) -> MessageId {
    match class {
        Class::Message => kept.messages,
        Class::Event => kept.events,
        Class::Redaction => kept.redactions,
        Class::Redacted => kept.redacted,
    }
}
