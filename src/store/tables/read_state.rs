//! Records about what an account has received and read: received ranges, read markers.

use rusqlite::Connection;

use crate::core::record::received::{ReceivedRange, ReceivedRanges};
use crate::core::record::{AccountId, Conversation};
use crate::wire::{ChannelName, Timestamp};

pub(super) fn set_read_marker(
    tx: &Connection,
    account: AccountId,
    conversation: Conversation,
    read: Timestamp,
) -> rusqlite::Result<()> {
    let sql =
        "INSERT INTO markers (account, place, read) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET read = ?3";
    tx.prepare_cached(sql)?.execute((account, conversation, read)).map(drop)
}

pub(super) fn set_early_read_marker(
    tx: &Connection,
    account: AccountId,
    channel: &ChannelName,
    read: Option<Timestamp>,
) -> rusqlite::Result<()> {
    let Some(read) = read else {
        let sql = "DELETE FROM early_markers WHERE account = ?1 AND channel = ?2";
        return tx.prepare_cached(sql)?.execute((account, channel)).map(drop);
    };
    let sql = "INSERT INTO early_markers (account, channel, read) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET read = ?3";
    tx.prepare_cached(sql)?.execute((account, channel, read)).map(drop)
}

pub(super) fn set_received(
    tx: &Connection,
    account: AccountId,
    received: &ReceivedRanges,
) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM seen WHERE account = ?1")?.execute([account])?;
    let sql = "INSERT INTO seen (account, after, up_to) VALUES (?1, ?2, ?3)";
    let mut insert = tx.prepare_cached(sql)?;
    for ReceivedRange { after, up_to } in received.ranges() {
        insert.execute((account, after, up_to))?;
    }
    Ok(())
}
