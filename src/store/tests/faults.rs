//! Other programs that use the database: readers that keep the log from being emptied, and locks.

use std::fs;

use super::*;
use crate::core::record::MetadataOwner;

const SECRET: &str = "the secret that was redacted";

fn conversation() -> Conversation {
    Conversation::Channel(ChannelId(1))
}

fn add_and_redact_secret(store: &Store) {
    let id = MessageId::first_at(NOW);
    commit(store, vec![Record::Message(message(id, conversation(), SECRET))]).expect("kept");
    commit(store, vec![Record::Redacted { conversation: conversation(), message: id }]).expect("redacted");
}

/// Returns the files that still have the secret.
fn traces(data: &Path) -> Vec<&'static str> {
    let has = |file: &&str| {
        let bytes = fs::read(data.join(file)).unwrap_or_default();
        bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes())
    };
    ["parlour.db", "parlour.db-wal"].into_iter().filter(has).collect()
}

/// Opens the database as a program that reads and does not stop.
fn reader(data: &Path) -> Connection {
    let conn = Connection::open(data.join("parlour.db")).expect("opens");
    conn.execute_batch("BEGIN; SELECT count(*) FROM messages").expect("reads");
    conn.query_row("SELECT count(*) FROM messages", [], |_| Ok(())).expect("reads");
    conn
}

async fn wait_until_erased(store: &Store) {
    let mut erasing = store.status().erasing.subscribe();
    erasing.wait_for(|erasing| erasing.log == 0).await.expect("a status");
}

#[tokio::test]
async fn redacted_text_is_erased_from_the_log_at_once() {
    let (_folder, store) = open();
    add_and_redact_secret(&store);
    wait_until_erased(&store).await;
    assert_eq!(traces(store.folder()), Vec::<&str>::new());
}

#[tokio::test]
async fn text_of_a_removed_account_is_erased_from_the_log_at_once() {
    let (_folder, store) = open();
    let id = create(&store, "alice").await.expect("created");
    let owner = MetadataOwner::Account(id);
    let set = Record::MetadataSet { owner, key: "status".into(), value: Some(SECRET.into()) };
    commit(&store, vec![set]).expect("kept");
    commit(&store, vec![Record::AccountRemoved { id, at: NOW }]).expect("removed");
    wait_until_erased(&store).await;
    assert_eq!(traces(store.folder()), Vec::<&str>::new());
}

#[tokio::test]
async fn reader_delays_only_the_erasing_and_restart_resumes_it() {
    let (_folder, store) = open();
    let data = store.folder().to_owned();
    let first = MessageId::first_at(NOW);
    commit(&store, vec![Record::Message(message(first, conversation(), SECRET))]).expect("kept");
    let held = reader(&data);
    commit(&store, vec![Record::Redacted { conversation: conversation(), message: first }])
        .expect("redacted");
    assert!(store.status().is_erasing());
    for n in 1..20 {
        let id = MessageId::first_at(Timestamp(NOW.0 + n));
        commit(&store, vec![Record::Message(message(id, conversation(), "more"))]).expect("not held up");
    }
    assert!(store.status().is_erasing() && traces(&data).contains(&"parlour.db-wal"));
    assert!(crate::store::health::check(&data).expect("checks").to_erase > 0, "doctor says it");
    drop(store);
    let store = Store::open(&data).expect("opens");
    assert!(store.status().is_erasing(), "still to be done");
    drop(held);
    wait_until_erased(&store).await;
    assert_eq!(traces(&data), Vec::<&str>::new());
    assert_eq!(crate::store::health::check(&data).expect("checks").to_erase, 0);
}

#[tokio::test]
async fn lock_refuses_only_writes() {
    let (_folder, store) = open();
    create(&store, "alice").await.expect("made");
    let other = Connection::open(store.folder().join("parlour.db")).expect("opens");
    other.execute_batch("BEGIN EXCLUSIVE").expect("locks");
    let one = |n| Record::Message(message(MessageId::from_i64(n), conversation(), "x"));
    // All waiting batches are refused together, and not one after the other.
    let (done, results) = mpsc::channel();
    for n in 1..50 {
        let done = done.clone();
        store.commit(vec![one(n)].into(), Box::new(move |r| done.send(r).expect("waited for")));
    }
    assert_eq!(store.snapshot().await.expect("reads").accounts.len(), 1);
    for result in results.iter().take(49) {
        assert!(matches!(result, Err(StoreError::Locked)));
    }
    assert!(matches!(create(&store, "bob").await, Err(StoreError::Locked)));
    other.execute_batch("ROLLBACK").expect("unlocks");
    commit(&store, vec![one(50)]).expect("kept");
}

#[tokio::test]
async fn log_is_checkpointed_once_the_reader_is_gone() {
    let (_folder, store) = open();
    let data = store.folder().to_owned();
    let held = reader(&data);
    let long = "x".repeat(4000);
    let mut n = 0;
    // More than the length at which the log is copied.
    while store.status().log_bytes() < 3 << 20 {
        let batch = (0..100).map(|_| {
            n += 1;
            Record::Message(message(MessageId::from_i64(n), conversation(), &long))
        });
        commit(&store, batch.collect()).expect("kept");
    }
    drop(held);
    // After a checkpoint the writer starts at the beginning of the log again.
    while store.status().log_bytes() >= 1 << 20 {
        n += 1;
        commit(&store, vec![Record::Message(message(MessageId::from_i64(n), conversation(), "y"))])
            .expect("kept");
    }
    assert!(data.join("parlour.db").metadata().expect("is there").len() > 1 << 20);
}
