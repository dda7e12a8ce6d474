//! Adaptation of channel names to today's rules, once, when a database of an earlier version is opened.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;
use tracing::warn;

use super::audit;
use crate::core::record::{Actor, ChannelId};
use crate::wire::{ChannelName, MessageId, chars};

/// Renames the channels whose names are refused today or equal another's, and updates the references to these names.
///
/// The result depends on the database alone. A channel with an allowed name keeps it; of several that are the same name
/// now, the oldest does. Any other gets its name without the refused characters, and with `-2`, `-3` … if that is
/// taken. It stays the same channel: members, history, modes and invites continue under the new name, which clients get
/// at their next login. Each renaming is logged and in the audit log, as `channel rename`.
pub(in crate::store) fn apply_name_rules(tx: &Connection) -> rusqlite::Result<()> {
    let channels: Vec<(ChannelId, String)> = tx
        .prepare("SELECT id, name FROM channels ORDER BY id")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut taken = HashSet::new();
    let mut others = Vec::new();
    for (id, old) in channels {
        match ChannelName::parse(&old) {
            Ok(name) if !taken.contains(&name) => {
                taken.insert(name);
            }
            _ => others.push((id, old)),
        }
    }
    let mut renamed = HashMap::new();
    for (id, old) in others {
        let new = free_name(&old, id, &taken);
        // The time of the latest message, because a migration has no clock.
        let last: MessageId =
            tx.query_row("SELECT ifnull(max(id), 0) FROM messages", [], |row| row.get(0))?;
        tx.execute("UPDATE channels SET name = ?2 WHERE id = ?1", (id, &new))?;
        audit::add(tx, (last.time(), Actor::Console), "channel rename", &old, new.as_str())?;
        warn!(old = %old.escape_debug(), %new, "a channel is renamed: its name is refused or taken by today's rules");
        taken.insert(new.clone());
        renamed.insert(old, new);
    }
    rename_in_invites(tx, &renamed)?;
    clean_up_old_names(tx, &taken)
}

/// Returns the name without the refused characters, with a number if it is taken.
fn free_name(old: &str, id: ChannelId, taken: &HashSet<ChannelName>) -> ChannelName {
    let base = allowed_name(old).unwrap_or_else(|| format!("#channel{}", id.0));
    let numbered = (2..).map(|n| {
        let ending = format!("-{n}");
        let available = ChannelName::MAX - ending.len();
        format!("{}{ending}", &base[..base.floor_char_boundary(available)])
    });
    std::iter::once(base.clone())
        .chain(numbered)
        .filter_map(|name| ChannelName::parse(&name).ok())
        .find(|name| !taken.contains(name))
        .unwrap_or_else(|| unreachable!("there are more numbers than channels"))
}

/// Returns the name without the refused characters; `None` if nothing is left.
fn allowed_name(name: &str) -> Option<String> {
    let seen: String = name.chars().filter(|c| !matches!(c, ' ' | ',')).collect();
    let mut seen = chars::strip_refused(&seen).into_owned();
    seen.truncate(seen.floor_char_boundary(ChannelName::MAX));
    // The cut may leave a joiner without its neighbours.
    let seen = chars::strip_refused(&seen);
    ChannelName::parse(&seen).ok().map(|name| name.as_str().to_owned())
}

/// Updates the channels of invites to the new names; removes those whose names cannot be made valid.
fn rename_in_invites(tx: &Connection, renamed: &HashMap<String, ChannelName>) -> rusqlite::Result<()> {
    let invites: Vec<(i64, String)> = tx
        .prepare("SELECT id, channel FROM invites WHERE channel IS NOT NULL")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (id, channel) in invites {
        let lands = match renamed.iter().find(|(old, _)| old.eq_ignore_ascii_case(&channel)) {
            Some((_, new)) => Some(new.as_str().to_owned()),
            None if ChannelName::parse(&channel).is_ok() => continue,
            None => allowed_name(&channel),
        };
        tx.execute("UPDATE invites SET channel = ?2 WHERE id = ?1", (id, lands))?;
    }
    Ok(())
}

/// Copies the old names that redirect to a channel: the latest of each, unless a channel has that name today.
fn clean_up_old_names(tx: &Connection, taken: &HashSet<ChannelName>) -> rusqlite::Result<()> {
    let old: Vec<(String, ChannelId, i64)> = tx
        .prepare("SELECT name, channel, since FROM old_names_ascii ORDER BY since, channel, name")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    for (name, channel, since) in old {
        let Ok(name) = ChannelName::parse(&name) else { continue };
        if !taken.contains(&name) {
            tx.execute(
                "INSERT INTO old_names VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET name = ?2, channel = ?3, since = ?4",
                (name.folded(), &name, channel, since),
            )?;
        }
    }
    tx.execute_batch("DROP TABLE old_names_ascii")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::database::schema;

    /// Makes a database of an earlier version, with channels of these names.
    fn database_with_old_names(names: &[&str]) -> Connection {
        let conn = schema::database_before_names();
        for name in names {
            conn.execute("INSERT INTO channels (name, created, spoken) VALUES (?1, 1, 1)", [name])
                .expect(name);
        }
        conn
    }

    fn names(conn: &Connection, sql: &str) -> Vec<String> {
        let mut statement = conn.prepare(sql).expect(sql);
        statement.query_map([], |row| row.get(0)).expect(sql).collect::<Result<_, _>>().expect(sql)
    }

    #[test]
    fn renamed_channels_keep_their_members() {
        let before = [
            "#lobby\u{3164}",
            "#lobby",
            "#É",
            "#é",
            "#\u{e000}",
            "#lobby\u{fe0f}",
            "#می\u{200c}خواهم",
            "#fine",
        ];
        let conn = database_with_old_names(&before);
        conn.execute_batch(
            "INSERT INTO members VALUES (1, 0, 1), (4, 0, 1);
             INSERT INTO invites (token, role, channel, uses, expires, created) VALUES
                 (x'01', 0, '#LOBBY\u{3164}', 1, 9, 1), (x'02', 0, '#É', 1, 9, 1), (x'03', 0, '#new\u{34f}', 1, 9, 1),
                 (x'04', 0, '#\u{2800}', 1, 9, 1);
             INSERT INTO old_names VALUES ('#Straße', 8, 5), ('#STRASSE', 7, 6), ('#FINE\u{115f}', 8, 5)",
        )
        .expect("writes");
        let conn = schema::migrate_to_latest(conn);
        assert_eq!(
            names(&conn, "SELECT name FROM channels ORDER BY id"),
            ["#lobby-2", "#lobby", "#É", "#é-2", "#channel5", "#lobby-3", "#می\u{200c}خواهم", "#fine"]
        );
        assert_eq!(
            names(&conn, "SELECT name FROM channels JOIN members ON id = channel"),
            ["#lobby-2", "#é-2"]
        );
        let lands = names(&conn, "SELECT ifnull(channel, '-') FROM invites ORDER BY id");
        assert_eq!(lands, ["#lobby-2", "#É", "#new", "-"]);
        assert_eq!(names(&conn, "SELECT folded || ' ' || channel FROM old_names"), ["#strasse 7"]);
        let audited = names(
            &conn,
            "SELECT target || ' ' || detail FROM audit WHERE action = 'channel rename' ORDER BY id",
        );
        assert_eq!(audited.len(), 4);
        assert_eq!(audited.first().map(String::as_str), Some("#lobby\u{3164} #lobby-2"));
    }
}
