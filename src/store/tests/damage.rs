//! Flipped bits in the file: the damaged row is skipped, and the ones after it work.

use std::fs;

use super::*;
use crate::chat::history::{Kinds, Search, Window};
use crate::store::{health, history, search};

const ROOM: ChannelId = ChannelId(1);

/// Makes a folder with alice, a channel, and these messages in it.
async fn filled(messages: &[String]) -> (tempfile::TempDir, Store) {
    let (folder, store) = open();
    let alice = create(&store, "alice").await.expect("made");
    let mut records = vec![
        Record::ChannelCreated { id: ROOM, name: channel("#room"), maker: alice, at: NOW },
        Record::Joined { channel: ROOM, account: alice, at: NOW },
    ];
    records.extend(
        (1..).zip(messages).map(|(n, text)| Record::Message(message(id(n), Place::Channel(ROOM), text))),
    );
    commit(&store, records).expect("kept");
    (folder, store)
}

fn id(n: u64) -> MessageId {
    MessageId::first_at(Millis(NOW.0 + n))
}

async fn page(store: &Store) -> Vec<String> {
    let window = Window::latest(1000);
    let kinds = Kinds { events: false, redactions: false };
    let read = move |conn: &Connection| {
        Ok::<_, StoreError>(history::read(conn, Place::Channel(ROOM), &window, kinds, 1 << 20)?)
    };
    let page = store.read(read).await.expect("reads");
    page.iter().map(|kept| kept.message.text.to_string()).collect()
}

fn damage(store: &Store, sql: &str) {
    let conn = Connection::open(store.folder().join("parlour.db")).expect("opens");
    conn.execute_batch("PRAGMA foreign_keys = OFF").expect("set");
    conn.execute_batch(sql).expect(sql);
}

#[tokio::test]
async fn a_message_that_is_damaged_keeps_its_place_and_hides_nothing() {
    let said: Vec<String> = ["one", "two", "three", "four", "five", "six"].map(String::from).to_vec();
    let (_folder, store) = filled(&said).await;
    let at = |n| id(n).as_i64();
    damage(
        &store,
        &format!(
            "UPDATE messages SET text = CAST(x'74ff6f' AS TEXT) WHERE id = {};
             UPDATE messages SET text = 'tiree' WHERE id = {};
             UPDATE messages SET sender = 77 WHERE id = {};",
            at(2),
            at(3),
            at(5)
        ),
    );
    let bad = history::UNREADABLE;
    assert_eq!(page(&store).await, ["one", bad, bad, "four", bad, "six"]);
    // The index adds the messages after the damaged one.
    let index = search::Index::start(&store).expect("opens");
    let search = |text: &str| Search {
        me: AccountId(1),
        channels: vec![(ROOM, channel("#room"))],
        place: None,
        from: None,
        text: Some(text.into()),
        window: Window::latest(9),
    };
    index.catch_up(id(6)).await;
    let mut searching = search::Searching::new(search("six"));
    while !searching.is_done() {
        searching = index.go_on(searching).await.expect("finds");
    }
    let hits = searching.into_hits();
    assert_eq!(hits.iter().map(|(kept, _)| &*kept.message.text).collect::<Vec<_>>(), ["six"]);
    drop(index);
    let health = health::check(store.folder()).expect("checks");
    assert!(health.faults.iter().any(|fault| fault.starts_with("3 messages ")), "{health:?}");
    // A start succeeds.
    let data = store.folder().to_owned();
    drop(store);
    let store = Store::open(&data).expect("opens");
    assert_eq!(page(&store).await.len(), 6);
}

#[tokio::test]
async fn a_damaged_page_of_the_table_hides_only_what_is_on_it() {
    let said: Vec<String> = (0..100).map(|n| format!("{n:03} {}", "x".repeat(300))).collect();
    let (_folder, store) = filled(&said).await;
    let data = store.folder().to_owned();
    drop(store);
    let mut bytes = fs::read(data.join("parlour.db")).expect("reads");
    let at = bytes.windows(10).position(|part| part == b"050 xxxxxx").expect("is there");
    let start = at - at % 4096;
    bytes[start..start + 64].fill(0xa5);
    fs::write(data.join("parlour.db"), bytes).expect("written");
    let store = Store::open(&data).expect("opens");
    let page = page(&store).await;
    let bad = page.iter().filter(|text| *text == history::UNREADABLE).count();
    assert_eq!(page.len(), 100);
    assert!((1..40).contains(&bad), "{bad} of 100 cannot be read");
    assert!(page[0].starts_with("000 ") && page[99].starts_with("099 "));
    assert!(!health::check(&data).expect("checks").faults.is_empty());
}

#[tokio::test]
async fn a_damaged_account_cannot_log_in_until_an_admin_has_looked_and_the_others_can() {
    let (_folder, store) = filled(&[]).await;
    let bob = create(&store, "bob").await.expect("made");
    damage(&store, "UPDATE accounts SET role = 1 WHERE name = 'bob'");
    let disabled = async || {
        let snapshot = store.snapshot().await.expect("reads");
        let of = |account: &crate::chat::record::Account| (account.disabled, account.role == Role::Admin);
        let bob = snapshot.accounts.iter().find(|account| account.id == bob).map(of);
        let login = store.credentials(nick("bob")).await.expect("reads").map(|c| c.account.disabled);
        let other = store.credentials(nick("alice")).await.expect("reads").map(|c| c.account.disabled);
        (bob, login, other)
    };
    assert_eq!(disabled().await, (Some((true, false)), Some(true), Some(false)));
    let health = health::check(store.folder()).expect("checks");
    assert_eq!(health.faults, [format!("the row of account {} is not as it was written", bob.0)]);
    // A change by an admin rewrites the row.
    store
        .write(move |tx| Ok::<_, StoreError>(accounts::set_role(tx, bob, Role::Member)?))
        .await
        .expect("set");
    assert_eq!(disabled().await, (Some((false, false)), Some(false), Some(false)));
    assert!(health::check(store.folder()).expect("checks").faults.is_empty());
}

#[tokio::test]
async fn rows_that_cannot_be_read_do_not_keep_the_server_from_starting() {
    let (_folder, store) = filled(&[]).await;
    create(&store, "bob").await.expect("made");
    damage(
        &store,
        "UPDATE accounts SET name = CAST(x'ff' AS TEXT) WHERE name = 'bob';
         INSERT INTO members VALUES (1, 2, 0);
         INSERT INTO ranks VALUES (1, 1, 999);
         INSERT INTO channels (id, name, created) VALUES (2, CAST(x'23ff' AS TEXT), 0);
         INSERT INTO markers VALUES (1, 1, 7);
         INSERT INTO account_metadata VALUES (1, 'k', CAST(x'ff' AS TEXT))",
    );
    let data = store.folder().to_owned();
    drop(store);
    let store = Store::open(&data).expect("opens");
    let snapshot = store.snapshot().await.expect("reads");
    assert_eq!(snapshot.accounts.iter().map(|a| a.name.as_str()).collect::<Vec<_>>(), ["alice"]);
    assert_eq!(snapshot.channels.len(), 1);
    assert_eq!((snapshot.markers.len(), snapshot.metadata.len()), (1, 0));
}

#[tokio::test]
async fn messages_of_before_there_were_checksums_get_theirs() {
    let said: Vec<String> = (0..1200).map(|n| n.to_string()).collect();
    let (_folder, store) = filled(&said).await;
    damage(&store, "UPDATE messages SET sum = NULL; UPDATE counters SET value = 0 WHERE name = 'summed'");
    assert_eq!(page(&store).await.len(), 1000, "without one they are read as ever");
    store.fill_checksums().await.expect("fills");
    let missing = |conn: &Connection| {
        let sql = "SELECT count(*) FROM messages WHERE sum IS NULL";
        Ok::<i64, StoreError>(conn.query_one(sql, [], |row| row.get(0))?)
    };
    assert_eq!(store.read(missing).await.expect("counts"), 0);
    assert_eq!(page(&store).await.len(), 1000);
    assert!(health::check(store.folder()).expect("checks").faults.is_empty());
    // A redaction keeps the checksum right.
    commit(&store, vec![Record::Redacted { place: Place::Channel(ROOM), message: id(7) }]).expect("redacted");
    assert!(health::check(store.folder()).expect("checks").faults.is_empty());
}
