//! Imported messages: their place in the history, and what happens to them twice.

use super::*;
use crate::core::effects::history::{MessageFilter, Window};
use crate::store::history;
use crate::store::history::export::{self, NamedConversation};

const LOBBY: Conversation = Conversation::Channel(ChannelId(1));

fn imported(id: MessageId, text: &str, redacted: bool) -> Record {
    Record::MessageImported { message: message(id, LOBBY, text), redacted }
}

fn at(ms: u64) -> MessageId {
    MessageId::first_at(Timestamp(ms))
}

/// A store with a channel and a message of that time.
async fn with_message(ms: u64) -> (tempfile::TempDir, Store) {
    let (folder, store) = open();
    create(&store, "al").await.expect("made");
    let created =
        Record::ChannelCreated { id: ChannelId(1), name: channel("#lobby"), creator: AccountId(1), at: NOW };
    commit(&store, vec![created, Record::Message(message(at(ms), LOBBY, "now"))]).expect("kept");
    (folder, store)
}

/// The texts of the channel as a client reads them.
async fn read(store: &Store) -> Vec<String> {
    let read = store.read(|conn| {
        let filter = MessageFilter { events: false, redactions: false };
        Ok::<_, StoreError>(history::read(conn, LOBBY, &Window::latest(100), filter, 1 << 20)?)
    });
    read.await.expect("reads").into_iter().map(|kept| kept.message.text.to_string()).collect()
}

#[tokio::test]
async fn imported_messages_stand_where_they_would_have_stood() {
    let (_folder, store) = with_message(5000).await;
    commit(&store, vec![imported(at(3000), "b", false), imported(at(2000), "a", false)]).expect("kept");
    commit(&store, vec![Record::Message(message(at(6000), LOBBY, "later"))]).expect("kept");
    assert_eq!(read(&store).await, ["a", "b", "now", "later"]);
    // The next id of the core is after all of them.
    assert_eq!(store.snapshot().await.expect("reads").last_message, at(6000));
}

#[tokio::test]
async fn an_import_is_repeated_without_effect() {
    let (_folder, store) = with_message(5000).await;
    let records =
        vec![imported(at(2000), "a", false), imported(at(2000), "b", false), imported(at(5000), "c", false)];
    for _ in 0..3 {
        commit(&store, records.clone()).expect("kept");
        // Those that have the id of another one come right before it.
        assert_eq!(read(&store).await, ["b", "a", "c", "now"]);
    }
}

#[tokio::test]
async fn what_was_taken_back_stays_taken_back() {
    let (_folder, store) = with_message(5000).await;
    commit(&store, vec![imported(at(2000), "a", false), imported(at(3000), "b", false)]).expect("kept");
    commit(&store, vec![Record::Redacted { conversation: LOBBY, message: at(2000) }]).expect("kept");
    commit(&store, vec![imported(at(2000), "a", false), imported(at(3000), "", true)]).expect("kept");
    assert_eq!(read(&store).await, ["now"]);
    assert_eq!(texts(&store).await, ["", "", "now"]);
}

#[tokio::test]
async fn one_id_for_many_messages_does_not_stop_the_writer() {
    let (_folder, store) = with_message(5_000_000).await;
    let records: Vec<Record> = (0..1500).map(|n| imported(at(2000), &format!("{n}"), false)).collect();
    commit(&store, records).expect("kept");
    assert_eq!(texts(&store).await.len(), 1024 + 1);
}

#[tokio::test]
async fn an_export_has_all_messages_in_order_with_their_names() {
    let (_folder, store) = with_message(5000).await;
    let bo = create(&store, "bo").await.expect("made");
    let direct = message(at(6000), Conversation::direct(AccountId(1), bo), "psst");
    commit(&store, vec![imported(at(2000), "a", true), Record::Message(direct)]).expect("kept");
    let page = store.read(|conn| export::read_all(conn, MessageId::default(), 1 << 20)).await.expect("reads");
    let found: Vec<_> = page.messages.iter().map(|m| (m.id, &*m.text, m.redacted, m.from.as_str())).collect();
    assert_eq!(
        found,
        [(at(2000), "", true, "al"), (at(5000), "now", false, "al"), (at(6000), "psst", false, "al")]
    );
    assert_eq!(page.messages[0].conversation, NamedConversation::Channel(channel("#lobby")));
    assert_eq!(page.messages[2].conversation, NamedConversation::Between(nick("al"), nick("bo")));
    assert_eq!((page.last, page.unreadable), (Some(at(6000)), 0));
    // A page ends by its bytes; the next one begins behind it.
    let page = store.read(|conn| export::read_all(conn, at(2000), 1)).await.expect("reads");
    assert_eq!((page.messages.len(), page.last), (1, Some(at(5000))));
    let (known, other) = store
        .read(|conn| {
            let has = |kind| {
                export::has_message(
                    conn,
                    at(5000),
                    &nick("AL"),
                    kind,
                    &NamedConversation::Channel(channel("#Lobby")),
                )
            };
            Ok::<_, StoreError>((has(MessageKind::Privmsg)?, has(MessageKind::Notice)?))
        })
        .await
        .expect("reads");
    assert!(known && !other);
}
