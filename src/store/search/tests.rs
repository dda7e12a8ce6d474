//! What is found, and what is not.

use super::*;
use crate::chat::history::Window;
use crate::chat::record::{ChannelId, MessageKind, Record, Role, StoredMessage};
use crate::store::accounts::{self, PasswordHash};
use crate::wire::{ChannelName, Millis};

struct Home {
    _folder: tempfile::TempDir,
    store: Store,
    people: Vec<AccountId>,
    next: i64,
}

const CHANNEL: Place = Place::Channel(ChannelId(1));

impl Home {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opens");
        let make = |tx: &Connection| {
            ["al", "bo", "cy"]
                .into_iter()
                .map(|name| {
                    let hash = PasswordHash::from_phc("$argon2id$test");
                    let name = Nick::parse(name).expect(name);
                    accounts::create(tx, &name, &hash, Role::Member, None, Millis(0))
                        .map(|account| account.id)
                })
                .collect::<Result<Vec<_>, accounts::AccountError>>()
        };
        let people = store.write(make).await.expect("made");
        Self { _folder: folder, store, people, next: 1 }
    }

    async fn keep(&self, record: Record) {
        let (done, result) = tokio::sync::oneshot::channel();
        self.store.commit(vec![record].into(), Box::new(move |r| done.send(r).expect("waited for")));
        result.await.expect("answered").expect("kept");
    }

    async fn say(&mut self, from: usize, place: Place, text: &str) -> MessageId {
        let id = MessageId::from_i64(self.next);
        self.next += 1;
        let (from, kind) = (self.people[from], MessageKind::Privmsg);
        let message =
            StoredMessage { id, place, from, kind, text: text.into(), tags: "".into(), send_id: None };
        self.keep(Record::Message(message)).await;
        id
    }

    fn query(&self, me: usize, text: &str) -> Search {
        let name = ChannelName::parse("#c").expect("a name");
        Search {
            me: self.people[me],
            channels: vec![(ChannelId(1), name)],
            place: None,
            from: None,
            text: Some(text.into()).filter(|_| !text.is_empty()),
            window: Window::latest(10),
        }
    }

    async fn found(&self, index: &Index, search: Search) -> Vec<i64> {
        index.wake();
        index.catch_up(MessageId::from_i64(self.next - 1)).await;
        let hits = index.search(search).await.expect("searches");
        hits.iter().map(|(kept, _)| kept.message.id.as_i64()).collect()
    }
}

#[tokio::test]
async fn words_places_senders_and_times_narrow_what_is_found() {
    let mut home = Home::new().await;
    let [al, bo] = [home.people[0], home.people[1]];
    home.say(0, CHANNEL, "That was fast!").await;
    home.say(1, CHANNEL, "Fasting is hard, said Zoë").await;
    home.say(1, Place::direct(al, bo), "a fast secret").await;
    home.say(2, Place::Channel(ChannelId(2)), "fast elsewhere").await;
    home.say(0, Place::direct(al, al), "fast note").await;
    let index = Index::start(&home.store).expect("starts");
    assert_eq!(home.found(&index, home.query(0, "FAST")).await, [1, 2, 3, 5]);
    assert_eq!(home.found(&index, home.query(1, "fast")).await, [1, 2, 3]);
    assert_eq!(
        home.found(&index, home.query(2, "fast")).await,
        [1, 2],
        "neither talks nor channels of others"
    );
    assert_eq!(home.found(&index, home.query(0, "zoe hard")).await, [2]);
    assert!(home.found(&index, home.query(0, "hardly")).await.is_empty());
    assert_eq!(home.found(&index, Search { from: Some(bo), ..home.query(0, "") }).await, [2, 3]);
    let talk = Search { place: Some(Place::direct(bo, al)), ..home.query(0, "") };
    assert_eq!(home.found(&index, talk).await, [3]);
    let own = Search { place: Some(Place::direct(al, al)), ..home.query(0, "fast") };
    assert_eq!(home.found(&index, own).await, [5]);
    let stretch = Window { after: MessageId::from_i64(1), limit: 1, newest: false, ..Window::latest(1) };
    assert_eq!(home.found(&index, Search { window: stretch, ..home.query(0, "fast") }).await, [2]);
    assert_eq!(home.found(&index, Search { window: Window::latest(1), ..home.query(0, "fast") }).await, [5]);
    let hits = index.search(home.query(1, "secret")).await.expect("searches");
    assert_eq!(hits[0].1.as_ref().map(Nick::as_str), Some("al"), "the other side is named");
}

#[tokio::test]
async fn what_is_typed_is_words_and_no_query() {
    let mut home = Home::new().await;
    home.say(0, CHANNEL, "it's \"quoted\" AND scoped, NOT near (this)").await;
    let index = Index::start(&home.store).expect("starts");
    for text in
        ["\"quoted\"", "AND", "it's", "NOT near", "(this)", "scope:d1", "* !!! this", "{}", "quo\"ted"]
    {
        let found = home.found(&index, home.query(0, text)).await;
        assert!(found.len() <= 1, "{text}");
    }
    assert_eq!(home.found(&index, home.query(0, "\"quoted\" and (this)")).await, [1]);
    assert_eq!(home.found(&index, home.query(0, "* !!!")).await, [1], "without a word all of it matches");
    assert!(home.found(&index, home.query(2, "x\" OR scope : d1 OR text : \"quoted")).await.is_empty());
}

#[tokio::test]
async fn what_was_redacted_is_unlearnt_and_a_broken_index_is_made_anew() {
    let mut home = Home::new().await;
    let id = home.say(0, CHANNEL, "xyzzy first").await;
    home.say(0, CHANNEL, "xyzzy second").await;
    let index = Index::start(&home.store).expect("starts");
    assert_eq!(home.found(&index, home.query(0, "xyzzy")).await, [1, 2]);
    home.keep(Record::Redacted { place: CHANNEL, message: id }).await;
    home.say(0, CHANNEL, "xyzzy third").await;
    assert_eq!(home.found(&index, home.query(0, "xyzzy")).await, [2, 3]);
    drop(index);
    let left = home.store.read(|conn| {
        let count = conn.query_row("SELECT count(*) FROM forgotten", [], |row| row.get::<_, i64>(0));
        Ok::<_, StoreError>(count?)
    });
    assert_eq!(left.await.expect("reads"), 0, "unlearnt");
    let path = home.store.folder().join("search.db");
    std::fs::write(&path, "this is no database, and longer than any header of one has to be".repeat(20))
        .expect("writes");
    let index = Index::start(&home.store).expect("starts again");
    assert_eq!(home.found(&index, home.query(0, "xyzzy")).await, [2, 3]);
}

#[tokio::test]
async fn of_what_was_redacted_no_word_is_left_in_any_file() {
    let mut home = Home::new().await;
    let id = home.say(0, CHANNEL, "quuxword first").await;
    home.say(0, CHANNEL, "something second").await;
    let index = Index::start(&home.store).expect("starts");
    assert_eq!(home.found(&index, home.query(0, "quuxword")).await, [1]);
    let has_it = |folder: &Path| {
        let files = std::fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
        let holds = |path: &PathBuf| {
            std::fs::read(path).is_ok_and(|bytes| bytes.windows(8).any(|word| word == b"quuxword"))
        };
        files.filter(holds).collect::<Vec<_>>()
    };
    let folder = home.store.folder().to_owned();
    assert!(!has_it(&folder).is_empty());
    home.keep(Record::Redacted { place: CHANNEL, message: id }).await;
    index.wake();
    let until = Instant::now() + Duration::from_secs(20);
    while !has_it(&folder).is_empty() {
        assert!(Instant::now() < until, "still in {:?}", has_it(&folder));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(home.found(&index, home.query(0, "quuxword")).await.is_empty());
    assert_eq!(home.found(&index, home.query(0, "something")).await, [2]);
}
