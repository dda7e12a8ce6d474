//! Files in the database, and the messages that share them.

use rusqlite::{Connection, Row};

use crate::core::record::TokenHash;
use crate::core::record::file::{Dimensions, FileId, FileShare, StoredFile};
use crate::store::checksums;
use crate::wire::MessageId;

/// Adds a file.
pub(in crate::store) fn add(tx: &Connection, file: &StoredFile) -> rusqlite::Result<()> {
    let size = i64::try_from(file.size).unwrap_or(i64::MAX);
    tx.prepare_cached(
        "INSERT INTO files (id, owner, name, type, size, hash, width, height, added, link)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute((
        file.id,
        file.owner,
        &*file.name,
        &*file.media_type,
        size,
        file.hash,
        file.dimensions.map(|dimensions| dimensions.width),
        file.dimensions.map(|dimensions| dimensions.height),
        file.added,
        file.link,
    ))
    .map(drop)
}

/// Removes a file with what still shares it.
pub(in crate::store) fn remove(tx: &Connection, id: FileId) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM files WHERE id = ?1")?.execute([id]).map(drop)
}

/// Notes that a message shares a file.
pub(in crate::store) fn share(tx: &Connection, share: FileShare) -> rusqlite::Result<()> {
    // A row that is there all the same is damaged.
    let sql = "INSERT INTO file_shares (message, file, place) VALUES (?1, ?2, ?3)
               ON CONFLICT DO UPDATE SET place = ?3";
    tx.prepare_cached(sql)?.execute((share.message, share.file, share.conversation)).map(drop)
}

/// Notes that a message no longer shares a file.
pub(in crate::store) fn unshare(tx: &Connection, share: FileShare) -> rusqlite::Result<()> {
    let sql = "DELETE FROM file_shares WHERE message = ?1 AND file = ?2";
    tx.prepare_cached(sql)?.execute((share.message, share.file)).map(drop)
}

/// Sets or revokes the link of a file.
pub(in crate::store) fn set_link(
    tx: &Connection,
    id: FileId,
    link: Option<TokenHash>,
) -> rusqlite::Result<()> {
    tx.prepare_cached("UPDATE files SET link = ?2 WHERE id = ?1")?.execute((id, link)).map(drop)
}

/// Returns all files but those whose row is damaged: their owner could be the damage.
pub(in crate::store) fn read_all(conn: &Connection) -> rusqlite::Result<Vec<StoredFile>> {
    let mut rows = conn.prepare(
        "SELECT id, owner, name, type, size, hash, width, height, added, link FROM sound_files
         ORDER BY added, id",
    )?;
    checksums::collect_readable("files", rows.query_map([], parse_file)?)
}

/// Returns what messages share, without damaged rows: their conversation could be the damage.
pub(in crate::store) fn read_shares(conn: &Connection) -> rusqlite::Result<Vec<FileShare>> {
    let mut rows =
        conn.prepare("SELECT message, file, place FROM sound_file_shares ORDER BY message, file")?;
    let read =
        |row: &Row<'_>| Ok(FileShare { message: row.get(0)?, file: row.get(1)?, conversation: row.get(2)? });
    checksums::collect_readable("shared files", rows.query_map([], read)?)
}

/// Returns the files that a message shares, without damaged rows.
pub(in crate::store) fn read_shared(
    conn: &Connection,
    message: MessageId,
) -> rusqlite::Result<Vec<StoredFile>> {
    let mut rows = conn.prepare_cached(
        "SELECT f.id, f.owner, f.name, f.type, f.size, f.hash, f.width, f.height, f.added, f.link
         FROM sound_file_shares s JOIN sound_files f ON f.id = s.file WHERE s.message = ?1 ORDER BY f.id",
    )?;
    checksums::collect_readable("files", rows.query_map([message], parse_file)?)
}

fn parse_file(row: &Row<'_>) -> rusqlite::Result<StoredFile> {
    Ok(StoredFile {
        id: row.get(0)?,
        owner: row.get(1)?,
        name: row.get::<_, String>(2)?.into(),
        media_type: row.get::<_, String>(3)?.into(),
        size: row.get::<_, i64>(4)?.max(0).unsigned_abs(),
        hash: row.get(5)?,
        dimensions: row
            .get::<_, Option<u32>>(6)?
            .zip(row.get(7)?)
            .map(|(width, height)| Dimensions { width, height }),
        added: row.get(8)?,
        link: row.get(9)?,
    })
}
