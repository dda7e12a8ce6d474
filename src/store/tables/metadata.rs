//! Records about the metadata of accounts and channels.

use rusqlite::Connection;

use crate::core::record::MetadataOwner;

pub(super) fn set_metadata(
    tx: &Connection,
    owner: MetadataOwner,
    key: &str,
    value: Option<&str>,
) -> rusqlite::Result<()> {
    match (owner, value) {
        (MetadataOwner::Account(id), Some(value)) => {
            let sql = "INSERT INTO account_metadata (account, key, value) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET value = ?3";
            tx.prepare_cached(sql)?.execute((id, key, value))
        }
        (MetadataOwner::Account(id), None) => {
            let sql = "DELETE FROM account_metadata WHERE account = ?1 AND key = ?2";
            tx.prepare_cached(sql)?.execute((id, key))
        }
        (MetadataOwner::Channel(id), Some(value)) => {
            let sql = "INSERT INTO channel_metadata (channel, key, value) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET value = ?3";
            tx.prepare_cached(sql)?.execute((id, key, value))
        }
        (MetadataOwner::Channel(id), None) => {
            let sql = "DELETE FROM channel_metadata WHERE channel = ?1 AND key = ?2";
            tx.prepare_cached(sql)?.execute((id, key))
        }
        (MetadataOwner::Private(id, place), Some(value)) => {
            let sql = "INSERT INTO private_metadata (account, place, key, value) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT DO UPDATE SET value = ?4";
            tx.prepare_cached(sql)?.execute((id, place, key, value))
        }
        (MetadataOwner::Private(id, place), None) => {
            let sql = "DELETE FROM private_metadata WHERE account = ?1 AND place = ?2 AND key = ?3";
            tx.prepare_cached(sql)?.execute((id, place, key))
        }
    }
    .map(drop)
}
