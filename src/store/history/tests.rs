//! Tests of reading the history.

use std::sync::Arc;

use super::*;
use crate::core::record::{Account, AccountId, ChannelId, ForgottenHistory, MessageKind, Record, Role};
use crate::store::tables::retention;
use crate::store::{Store, StoreError};
use crate::wire::{ChannelName, Timestamp};

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const MESSAGES: MessageFilter = MessageFilter { events: false, redactions: false };
const ALL: MessageFilter = MessageFilter { events: true, redactions: true };
const NO_BYTE_LIMIT: usize = 1 << 20;

struct Fixture {
    _folder: tempfile::TempDir,
    store: Store,
    accounts: [Account; 3],
}

/// Opens a store with three accounts and a channel.
async fn open() -> Fixture {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("opens");
    let mut accounts = Vec::new();
    for name in ["al", "bo", "cy"] {
        let id = super::super::tests::create(&store, name).await.expect("made");
        let name = Nick::parse(name).expect(name);
        accounts.push(Account { id, name, role: Role::Member, disabled: false });
    }
    let people = accounts.try_into().expect("three");
    let name = ChannelName::parse("#c").expect("a name");
    let this = Fixture { _folder: folder, store, accounts: people };
    this.commit(vec![Record::ChannelCreated { id: ChannelId(1), name, creator: AccountId(0), at: NOW }])
        .await;
    this
}

impl Fixture {
    async fn commit(&self, records: Vec<Record>) {
        let (done, result) = tokio::sync::oneshot::channel();
        self.store.commit(records.into(), Box::new(move |r| done.send(r).expect("waited for")));
        result.await.expect("answered").expect("kept");
    }

    fn message_record(&self, n: i64, from: usize, conversation: Conversation, kind: MessageKind) -> Record {
        let text: Arc<str> = n.to_string().into();
        let from = self.accounts[from].id;
        let id = MessageId::from_i64(n);
        Record::Message(StoredMessage { id, conversation, from, kind, text, tags: "".into(), send_id: None })
    }

    async fn read(
        &self,
        conversation: Conversation,
        window: Window,
        kinds: MessageFilter,
        bytes: usize,
    ) -> Vec<i64> {
        let read =
            move |conn: &Connection| Ok::<_, StoreError>(read(conn, conversation, &window, kinds, bytes)?);
        let page = self.store.read(read).await.expect("reads");
        page.iter().map(|kept| kept.message.id.as_i64()).collect()
    }
}

const CHANNEL: Conversation = Conversation::Channel(ChannelId(1));

fn window(after: i64, before: i64, newest: bool, limit: usize) -> Window {
    Window { after: MessageId::from_i64(after), before: MessageId::from_i64(before), newest, limit }
}

#[tokio::test]
async fn windows_exclude_bounds_and_fill_from_their_end() {
    let fixture = open().await;
    let say = |n| fixture.message_record(n, 0, CHANNEL, MessageKind::Privmsg);
    fixture.commit((1..=9).map(say).collect()).await;
    let read = async |after, before, newest, limit| {
        fixture.read(CHANNEL, window(after, before, newest, limit), MESSAGES, NO_BYTE_LIMIT).await
    };
    assert_eq!(read(0, 100, true, 3).await, [7, 8, 9]);
    assert_eq!(read(2, 8, true, 3).await, [5, 6, 7]);
    assert_eq!(read(2, 8, false, 3).await, [3, 4, 5]);
    assert_eq!(read(2, 4, false, 3).await, [3]);
    assert!(read(4, 4, false, 3).await.is_empty() && read(2, 8, true, 0).await.is_empty());
    let elsewhere = Conversation::Channel(ChannelId(2));
    assert!(fixture.read(elsewhere, Window::latest(9), MESSAGES, NO_BYTE_LIMIT).await.is_empty());
    // Two messages' worth of bytes, from the right end; at least one message.
    let two = 2 * (LINE_OVERHEAD + 1);
    assert_eq!(fixture.read(CHANNEL, window(0, 100, true, 9), MESSAGES, two).await, [8, 9]);
    assert_eq!(fixture.read(CHANNEL, window(0, 100, false, 9), MESSAGES, two).await, [1, 2]);
    assert_eq!(fixture.read(CHANNEL, window(0, 100, true, 9), ALL, two).await, [8, 9]);
    assert_eq!(fixture.read(CHANNEL, window(0, 100, false, 9), ALL, 1).await, [1]);
}

#[tokio::test]
async fn events_and_redactions_are_read_on_request() {
    use MessageKind::{Join, Privmsg, Redact, Topic};
    let fixture = open().await;
    let kinds = [Join, Privmsg, Topic, Privmsg, Privmsg, Redact, Privmsg];
    let say = |(n, kind)| fixture.message_record(n, 0, CHANNEL, kind);
    fixture.commit((1..).zip(kinds).map(say).collect()).await;
    fixture.commit(vec![Record::Redacted { conversation: CHANNEL, message: MessageId::from_i64(5) }]).await;
    let read = async |limit, newest, kinds| {
        fixture.read(CHANNEL, Window { newest, ..Window::latest(limit) }, kinds, NO_BYTE_LIMIT).await
    };
    assert_eq!(read(9, true, MESSAGES).await, [2, 4, 7]);
    assert_eq!(read(9, true, ALL).await, [1, 2, 3, 4, 6, 7]);
    // Redactions do not count, and only those within the page's range are added.
    assert_eq!(read(2, true, ALL).await, [4, 6, 7]);
    assert_eq!(read(1, true, ALL).await, [7]);
    assert_eq!(read(2, false, ALL).await, [1, 2]);
    assert_eq!(read(5, false, ALL).await, [1, 2, 3, 4, 6, 7]);
    let redactions = MessageFilter { events: false, redactions: true };
    assert_eq!(read(2, true, redactions).await, [4, 6, 7]);
    // However many there are, because a client that misses a redaction goes on showing the message.
    fixture.commit((8..=11).map(|n| fixture.message_record(n, 0, CHANNEL, Redact)).collect()).await;
    assert_eq!(read(1, true, redactions).await, [7, 8, 9, 10, 11]);
    assert_eq!(read(9, false, redactions).await, [2, 4, 6, 7, 8, 9, 10, 11]);
    assert!(read(0, true, redactions).await.is_empty());
}

#[tokio::test]
async fn redacted_text_is_erased_from_the_file() {
    let fixture = open().await;
    let secret = "xyzzy-plugh-frobozz";
    let id = MessageId::from_i64(7);
    let (conversation, from) =
        (Conversation::direct(fixture.accounts[0].id, fixture.accounts[1].id), fixture.accounts[0].id);
    let (text, tags) = (secret.into(), format!("+x={secret}").into());
    let kind = MessageKind::Privmsg;
    fixture
        .commit(vec![Record::Message(StoredMessage {
            id,
            conversation,
            from,
            kind,
            text,
            tags,
            send_id: None,
        })])
        .await;
    fixture.commit(vec![Record::Redacted { conversation: CHANNEL, message: id }]).await;
    assert_eq!(
        fixture.read(conversation, Window::latest(9), MESSAGES, NO_BYTE_LIMIT).await,
        [7],
        "not at that place"
    );
    fixture.commit(vec![Record::Redacted { conversation, message: id }]).await;
    assert!(fixture.read(conversation, Window::latest(9), ALL, NO_BYTE_LIMIT).await.is_empty());
    let find = fixture.store.read(move |conn| Ok::<_, StoreError>(find_message(conn, conversation, id)?));
    assert_eq!(find.await.expect("reads"), Some(RedactionTarget { from, kind, redacted: true }));
    let checkpoint = |conn: &Connection| {
        conn.query_row("SELECT count(*) FROM forgotten WHERE message = 7", [], |row| row.get::<_, i64>(0))
    };
    assert_eq!(
        fixture.store.read(move |conn| Ok::<_, StoreError>(checkpoint(conn)?)).await.expect("reads"),
        1
    );
    // The log still holds the page as it was, until it is copied into the file.
    let path = fixture.store.folder().join("parlour.db");
    drop(fixture.store);
    let file = std::fs::read(path).expect("reads");
    assert!(!file.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()));
}

#[tokio::test]
async fn direct_conversations_are_listed_for_both_sides() {
    let fixture = open().await;
    let [al, bo, cy] = [0, 1, 2].map(|n: usize| fixture.accounts[n].id);
    let (pair, alone) = (Conversation::direct(al, bo), Conversation::direct(cy, cy));
    fixture
        .commit(vec![
            fixture.message_record(5, 0, pair, MessageKind::Privmsg),
            fixture.message_record(6, 1, pair, MessageKind::Notice),
            fixture.message_record(7, 1, pair, MessageKind::Tagmsg),
            fixture.message_record(8, 2, alone, MessageKind::Privmsg),
        ])
        .await;
    let list = async |me: AccountId, after| {
        let after = MessageId::from_i64(after);
        let talks =
            fixture.store.read(move |conn| Ok::<_, StoreError>(direct_conversations(conn, me, after)?)).await;
        let shown = |conversation: DirectConversation| {
            (conversation.peer.to_string(), conversation.conversation, conversation.latest.as_i64())
        };
        talks.expect("reads").into_iter().map(shown).collect::<Vec<_>>()
    };
    assert_eq!(list(al, 0).await, [("bo".to_owned(), pair, 6)]);
    assert_eq!(list(bo, 5).await, [("al".to_owned(), pair, 6)]);
    assert_eq!(list(cy, 0).await, [("cy".to_owned(), alone, 8)]);
    assert!(list(al, 6).await.is_empty());
    fixture.commit(vec![Record::AccountRemoved { id: bo, at: NOW }]).await;
    assert!(list(al, 0).await.is_empty(), "nobody answers there");
}

#[tokio::test]
async fn reads_never_scan_the_table() {
    let fixture = open().await;
    let plans = fixture.store.read(|conn| {
        let mut plans = Vec::new();
        for sql in [
            NEWEST,
            OLDEST,
            NTH_LATEST,
            retention::BEFORE,
            crate::store::tables::volumes::SELECT_FIRST_VOLUME,
        ] {
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
    let fixture = open().await;
    let say = |(n, kind)| fixture.message_record(n, 0, CHANNEL, kind);
    fixture.commit((1..).zip(MessageKind::ALL).map(say).collect()).await;
    let classes = fixture.store.read(|conn| {
        let mut read = conn.prepare("SELECT class FROM messages ORDER BY id")?;
        let classes = read.query_map([], |row| row.get(0))?.collect::<Result<Vec<i64>, _>>()?;
        Ok::<_, StoreError>(classes)
    });
    assert_eq!(classes.await.expect("reads"), MessageKind::ALL.map(|kind| Class::from_kind(kind) as i64));
}

#[tokio::test]
async fn window_reads_only_the_volumes_it_needs() {
    let fixture = open().await;
    // Messages of this conversation in every seventh volume of three rows only.
    let elsewhere = Conversation::Channel(ChannelId(2));
    for n in 1..=200 {
        let conversation = if n % 21 == 0 { CHANNEL } else { elsewhere };
        // One at a time, and sometimes after a transaction that failed.
        fixture.commit(vec![fixture.message_record(n, 0, conversation, MessageKind::Privmsg)]).await;
        if n % 10 == 0 {
            let twice = vec![fixture.message_record(n, 0, CHANNEL, MessageKind::Join)];
            let (done, result) = tokio::sync::oneshot::channel();
            fixture.store.commit(twice.into(), Box::new(move |r| done.send(r).expect("waited for")));
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
            let read =
                fixture.read(CHANNEL, window(after, before, newest, limit), MESSAGES, NO_BYTE_LIMIT).await;
            assert_eq!(read, inside, "{limit} after {after} and before {before}, newest: {newest}");
        }
    }
    let volumes = async || {
        let count = |conn: &Connection| {
            conn.query_row("SELECT count(*) FROM contents WHERE place = 1", [], |row| row.get(0))
        };
        fixture.store.read(move |conn| Ok::<i64, StoreError>(count(conn)?)).await.expect("reads")
    };
    assert_eq!(volumes().await, 9);
    let due = |conn: &Connection| {
        let stays = kept_from(conn, CHANNEL, (None, Some(4)))?;
        let forgotten = ForgottenHistory { conversation: CHANNEL, kept: stays, most: 100 };
        Ok::<_, StoreError>((retention::old(conn, &forgotten)?, forgotten))
    };
    let (count, forgotten) = fixture.store.read(due).await.expect("reads");
    assert_eq!(count, 5);
    fixture.commit(vec![Record::HistoryForgotten(forgotten)]).await;
    assert_eq!(fixture.store.read(due).await.expect("reads").0, 0);
    assert_eq!(volumes().await, 4, "nobody looks where nothing is left");
    assert_eq!(fixture.read(CHANNEL, Window::latest(9), MESSAGES, NO_BYTE_LIMIT).await, [126, 147, 168, 189]);
    fixture.commit(vec![Record::ChannelRemoved(ChannelId(1))]).await;
    assert_eq!(volumes().await, 0);
    assert!(fixture.read(CHANNEL, Window::latest(9), MESSAGES, NO_BYTE_LIMIT).await.is_empty());
}
