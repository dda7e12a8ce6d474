//! Tests of reading the history.

use std::sync::Arc;

use super::*;
use crate::core::record::{Account, AccountId, ChannelId, MessageKind, Record, Role};
use crate::store::{Store, StoreError};
use crate::wire::{ChannelName, Millis};

const NOW: Millis = Millis(1_700_000_000_000);
const SAID: Kinds = Kinds { events: false, redactions: false };
const ALL: Kinds = Kinds { events: true, redactions: true };
const MUCH: usize = 1 << 20;

struct Kept3 {
    _folder: tempfile::TempDir,
    store: Store,
    people: [Account; 3],
}

/// Opens a store with three accounts and a channel.
async fn open() -> Kept3 {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("opens");
    let mut people = Vec::new();
    for name in ["al", "bo", "cy"] {
        let id = super::super::tests::create(&store, name).await.expect("made");
        let name = Nick::parse(name).expect(name);
        people.push(Account { id, name, role: Role::Member, disabled: false });
    }
    let people = people.try_into().expect("three");
    let name = ChannelName::parse("#c").expect("a name");
    let this = Kept3 { _folder: folder, store, people };
    this.keep(vec![Record::ChannelCreated { id: ChannelId(1), name, maker: AccountId(0), at: NOW }]).await;
    this
}

impl Kept3 {
    async fn keep(&self, records: Vec<Record>) {
        let (done, result) = tokio::sync::oneshot::channel();
        self.store.commit(records.into(), Box::new(move |r| done.send(r).expect("waited for")));
        result.await.expect("answered").expect("kept");
    }

    fn message(&self, n: i64, from: usize, place: Place, kind: MessageKind) -> Record {
        let text: Arc<str> = n.to_string().into();
        let from = self.people[from].id;
        let id = MessageId::from_i64(n);
        Record::Message(StoredMessage { id, place, from, kind, text, tags: "".into(), send_id: None })
    }

    async fn read(&self, place: Place, window: Window, kinds: Kinds, bytes: usize) -> Vec<i64> {
        let read = move |conn: &Connection| Ok::<_, StoreError>(read(conn, place, &window, kinds, bytes)?);
        let page = self.store.read(read).await.expect("reads");
        page.iter().map(|kept| kept.message.id.as_i64()).collect()
    }
}

const CHANNEL: Place = Place::Channel(ChannelId(1));

fn window(after: i64, before: i64, newest: bool, limit: usize) -> Window {
    Window { after: MessageId::from_i64(after), before: MessageId::from_i64(before), newest, limit }
}

#[tokio::test]
async fn windows_exclude_bounds_and_fill_from_their_end() {
    let kept = open().await;
    let say = |n| kept.message(n, 0, CHANNEL, MessageKind::Privmsg);
    kept.keep((1..=9).map(say).collect()).await;
    let read = async |after, before, newest, limit| {
        kept.read(CHANNEL, window(after, before, newest, limit), SAID, MUCH).await
    };
    assert_eq!(read(0, 100, true, 3).await, [7, 8, 9]);
    assert_eq!(read(2, 8, true, 3).await, [5, 6, 7]);
    assert_eq!(read(2, 8, false, 3).await, [3, 4, 5]);
    assert_eq!(read(2, 4, false, 3).await, [3]);
    assert!(read(4, 4, false, 3).await.is_empty() && read(2, 8, true, 0).await.is_empty());
    let elsewhere = Place::Channel(ChannelId(2));
    assert!(kept.read(elsewhere, Window::latest(9), SAID, MUCH).await.is_empty());
    // Two messages' worth of bytes, from the right end; at least one message.
    let two = 2 * (OVERHEAD + 1);
    assert_eq!(kept.read(CHANNEL, window(0, 100, true, 9), SAID, two).await, [8, 9]);
    assert_eq!(kept.read(CHANNEL, window(0, 100, false, 9), SAID, two).await, [1, 2]);
    assert_eq!(kept.read(CHANNEL, window(0, 100, true, 9), ALL, two).await, [8, 9]);
    assert_eq!(kept.read(CHANNEL, window(0, 100, false, 9), ALL, 1).await, [1]);
}

#[tokio::test]
async fn events_and_redactions_are_read_on_request() {
    use MessageKind::{Join, Privmsg, Redact, Topic};
    let kept = open().await;
    let kinds = [Join, Privmsg, Topic, Privmsg, Privmsg, Redact, Privmsg];
    let say = |(n, kind)| kept.message(n, 0, CHANNEL, kind);
    kept.keep((1..).zip(kinds).map(say).collect()).await;
    kept.keep(vec![Record::Redacted { place: CHANNEL, message: MessageId::from_i64(5) }]).await;
    let read = async |limit, newest, kinds| {
        kept.read(CHANNEL, Window { newest, ..Window::latest(limit) }, kinds, MUCH).await
    };
    assert_eq!(read(9, true, SAID).await, [2, 4, 7]);
    assert_eq!(read(9, true, ALL).await, [1, 2, 3, 4, 6, 7]);
    // Redactions do not count, and only those within the page's range are added.
    assert_eq!(read(2, true, ALL).await, [4, 6, 7]);
    assert_eq!(read(1, true, ALL).await, [7]);
    assert_eq!(read(2, false, ALL).await, [1, 2]);
    assert_eq!(read(5, false, ALL).await, [1, 2, 3, 4, 6, 7]);
    let redactions = Kinds { events: false, redactions: true };
    assert_eq!(read(2, true, redactions).await, [4, 6, 7]);
    // However many there are, because a client that misses a redaction goes on showing the message.
    kept.keep((8..=11).map(|n| kept.message(n, 0, CHANNEL, Redact)).collect()).await;
    assert_eq!(read(1, true, redactions).await, [7, 8, 9, 10, 11]);
    assert_eq!(read(9, false, redactions).await, [2, 4, 6, 7, 8, 9, 10, 11]);
    assert!(read(0, true, redactions).await.is_empty());
}

#[tokio::test]
async fn redacted_text_is_erased_from_the_file() {
    let kept = open().await;
    let secret = "xyzzy-plugh-frobozz";
    let id = MessageId::from_i64(7);
    let (place, from) = (Place::direct(kept.people[0].id, kept.people[1].id), kept.people[0].id);
    let (text, tags) = (secret.into(), format!("+x={secret}").into());
    let kind = MessageKind::Privmsg;
    kept.keep(vec![Record::Message(StoredMessage { id, place, from, kind, text, tags, send_id: None })])
        .await;
    kept.keep(vec![Record::Redacted { place: CHANNEL, message: id }]).await;
    assert_eq!(kept.read(place, Window::latest(9), SAID, MUCH).await, [7], "not at that place");
    kept.keep(vec![Record::Redacted { place, message: id }]).await;
    assert!(kept.read(place, Window::latest(9), ALL, MUCH).await.is_empty());
    let find = kept.store.read(move |conn| Ok::<_, StoreError>(find(conn, place, id)?));
    assert_eq!(find.await.expect("reads"), Some(Found { from, kind, redacted: true }));
    let checkpoint = |conn: &Connection| {
        conn.query_row("SELECT count(*) FROM forgotten WHERE message = 7", [], |row| row.get::<_, i64>(0))
    };
    assert_eq!(kept.store.read(move |conn| Ok::<_, StoreError>(checkpoint(conn)?)).await.expect("reads"), 1);
    // The log still holds the page as it was, until it is copied into the file.
    let path = kept.store.folder().join("parlour.db");
    drop(kept.store);
    let file = std::fs::read(path).expect("reads");
    assert!(!file.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()));
}

#[tokio::test]
async fn direct_conversations_are_listed_for_both_sides() {
    let kept = open().await;
    let [al, bo, cy] = [0, 1, 2].map(|n: usize| kept.people[n].id);
    let (pair, alone) = (Place::direct(al, bo), Place::direct(cy, cy));
    kept.keep(vec![
        kept.message(5, 0, pair, MessageKind::Privmsg),
        kept.message(6, 1, pair, MessageKind::Notice),
        kept.message(7, 1, pair, MessageKind::Tagmsg),
        kept.message(8, 2, alone, MessageKind::Privmsg),
    ])
    .await;
    let talks = async |me: AccountId, after| {
        let after = MessageId::from_i64(after);
        let talks = kept.store.read(move |conn| Ok::<_, StoreError>(talks(conn, me, after)?)).await;
        let shown = |talk: Talk| (talk.peer.to_string(), talk.place, talk.latest.as_i64());
        talks.expect("reads").into_iter().map(shown).collect::<Vec<_>>()
    };
    assert_eq!(talks(al, 0).await, [("bo".to_owned(), pair, 6)]);
    assert_eq!(talks(bo, 5).await, [("al".to_owned(), pair, 6)]);
    assert_eq!(talks(cy, 0).await, [("cy".to_owned(), alone, 8)]);
    assert!(talks(al, 6).await.is_empty());
    kept.keep(vec![Record::AccountRemoved { id: bo, at: NOW }]).await;
    assert!(talks(al, 0).await.is_empty(), "nobody answers there");
}

#[tokio::test]
async fn reads_never_scan_the_table() {
    let kept = open().await;
    let plans = kept.store.read(|conn| {
        let mut plans = Vec::new();
        for sql in [NEWEST, OLDEST, NTH_LATEST, BEFORE, volumes::FIRST] {
            let mut plan = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
            let count = plan.parameter_count();
            let rows = plan.query_map(rusqlite::params_from_iter(vec![1; count]), |row| row.get(3))?;
            plans.push((sql, rows.collect::<Result<Vec<String>, _>>()?.join("; ")));
        }
        Ok::<_, StoreError>(plans)
    });
    for (sql, plan) in plans.await.expect("explains") {
        let volumes = "SEARCH c USING PRIMARY KEY (place=? AND class=?";
        assert!(plan.contains(volumes), "{plan}");
        // A bounded search does not look into volumes beyond its bound.
        let ends = if sql.contains("id <") { "class=? AND volume" } else { "class=?)" };
        assert!(plan.contains(ends), "{plan}");
        assert!(plan.contains("INDEX messages_by_volume (volume=? AND place=? AND class=?"), "{plan}");
        assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{plan}");
    }
}

#[tokio::test]
async fn message_class_matches_its_stored_row() {
    let kept = open().await;
    let say = |(n, kind)| kept.message(n, 0, CHANNEL, kind);
    kept.keep((1..).zip(MessageKind::ALL).map(say).collect()).await;
    let classes = kept.store.read(|conn| {
        let mut read = conn.prepare("SELECT class FROM messages ORDER BY id")?;
        let classes = read.query_map([], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?;
        Ok::<_, StoreError>(classes)
    });
    assert_eq!(classes.await.expect("reads"), MessageKind::ALL.map(|kind| Class::of(kind) as i64));
}

#[tokio::test]
async fn window_reads_only_the_volumes_it_needs() {
    let kept = open().await;
    // Messages of this conversation in every seventh volume of three rows only.
    let elsewhere = Place::Channel(ChannelId(2));
    for n in 1..=200 {
        let place = if n % 21 == 0 { CHANNEL } else { elsewhere };
        // One at a time, and sometimes after a transaction that failed.
        kept.keep(vec![kept.message(n, 0, place, MessageKind::Privmsg)]).await;
        if n % 10 == 0 {
            let twice = vec![kept.message(n, 0, CHANNEL, MessageKind::Join)];
            let (done, result) = tokio::sync::oneshot::channel();
            kept.store.commit(twice.into(), Box::new(move |r| done.send(r).expect("waited for")));
            assert!(result.await.expect("answered").is_err(), "an id is given once");
        }
    }
    for (after, before, limit) in [(0, i64::MAX, 3), (41, 43, 9), (42, 127, 9), (42, 127, 2), (189, 190, 1)] {
        for newest in [false, true] {
            let inside = (1..=9).map(|n| n * 21).filter(|id| (after + 1..before).contains(id));
            let mut inside: Vec<i64> = inside.collect();
            if newest {
                inside.drain(..inside.len().saturating_sub(limit));
            }
            inside.truncate(limit);
            let read = kept.read(CHANNEL, window(after, before, newest, limit), SAID, MUCH).await;
            assert_eq!(read, inside, "{limit} after {after} and before {before}, newest: {newest}");
        }
    }
    let volumes = async || {
        let count = |conn: &Connection| {
            conn.query_row("SELECT count(*) FROM contents WHERE place = 1", [], |row| row.get(0))
        };
        kept.store.read(move |conn| Ok::<i64, StoreError>(count(conn)?)).await.expect("reads")
    };
    assert_eq!(volumes().await, 9);
    let forget = |tx: &Connection| {
        let bounds = bounds(tx, CHANNEL, (None, Some(4)))?;
        Ok::<_, StoreError>(forget(tx, CHANNEL, &bounds, 100)?)
    };
    assert_eq!(kept.store.write(forget).await.expect("forgets"), 5);
    assert_eq!(volumes().await, 4, "nobody looks where nothing is left");
    assert_eq!(kept.read(CHANNEL, Window::latest(9), SAID, MUCH).await, [126, 147, 168, 189]);
    kept.keep(vec![Record::ChannelRemoved(ChannelId(1))]).await;
    assert_eq!(volumes().await, 0);
    assert!(kept.read(CHANNEL, Window::latest(9), SAID, MUCH).await.is_empty());
}
