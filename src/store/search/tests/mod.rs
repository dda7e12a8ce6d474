//! Tests of searches: matches and misses.

mod unindexed;

use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation as _;

use super::tokenizer::Tokens;
use super::*;
use crate::core::effects::history::{Search, Window};
use crate::core::record::{AccountId, ChannelId, Conversation, MessageKind, Record, StoredMessage};
use crate::wire::{ChannelName, Nick};

struct Fixture {
    _folder: tempfile::TempDir,
    store: Store,
    accounts: Vec<AccountId>,
    next: i64,
}

const CHANNEL: Conversation = Conversation::Channel(ChannelId(1));

impl Fixture {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("opens");
        let mut accounts = Vec::new();
        for name in ["al", "bo", "cy"] {
            accounts.push(super::super::tests::create(&store, name).await.expect("made"));
        }
        Self { _folder: folder, store, accounts, next: 1 }
    }

    async fn commit(&self, record: Record) {
        let (done, result) = tokio::sync::oneshot::channel();
        self.store.commit(vec![record].into(), Box::new(move |r| done.send(r).expect("waited for")));
        result.await.expect("answered").expect("kept");
    }

    async fn add_message(&mut self, from: usize, conversation: Conversation, text: &str) -> MessageId {
        let id = MessageId::from_i64(self.next);
        self.next += 1;
        let (from, kind) = (self.accounts[from], MessageKind::Privmsg);
        let message =
            StoredMessage { id, conversation, from, kind, text: text.into(), tags: "".into(), send_id: None };
        self.commit(Record::Message(message)).await;
        id
    }

    fn query(&self, me: usize, text: &str) -> Search {
        let name = ChannelName::parse("#c").expect("a name");
        Search {
            includes_direct: true,
            account: self.accounts[me],
            channels: vec![(ChannelId(1), name)],
            conversation: None,
            from: None,
            text: Some(text.into()).filter(|_| !text.is_empty()),
            window: Window::latest(10),
        }
    }

    async fn found(&self, index: &Index, search: Search) -> Vec<i64> {
        // Without the index at first, as far as it does not have the messages yet, then with it alone.
        let (before, is_whole) = run_search(index, search.clone()).await;
        index.wake();
        index.wait_until_indexed(MessageId::from_i64(self.next - 1)).await;
        let hits = loop {
            let (hits, is_whole) = run_search(index, search.clone()).await;
            if is_whole {
                break hits;
            }
            tokio::task::yield_now().await;
        };
        if is_whole {
            assert_eq!(hit_ids(&before), hit_ids(&hits), "reading the messages finds what the index finds");
        }
        hit_ids(&hits)
    }
}

fn hit_ids(hits: &[Hit]) -> Vec<i64> {
    hits.iter().map(|(hit, _)| hit.message.id.as_i64()).collect()
}

/// Runs a search to its end.
async fn run_search(index: &Index, search: Search) -> (Vec<Hit>, bool) {
    let mut searching = SearchRun::new(search);
    while !searching.is_done() {
        searching = index.continue_search(searching).await.expect("searches");
    }
    let complete = searching.is_complete();
    (searching.into_hits(), complete)
}

/// An index whose thread waits for so long while there are commits, and until the server counts as quiet.
fn start_index(store: &Store, quiet: Duration, max_wait: Duration) -> Index {
    Index::start_with_pacing(store, Pacing { quiet, max_wait }).expect("starts")
}

const HOUR: Duration = Duration::from_hours(1);

#[tokio::test(flavor = "multi_thread")]
async fn imported_messages_are_found() {
    let mut fixture = Fixture::new().await;
    fixture.next = 1000;
    let latest = fixture.add_message(0, CHANNEL, "apple now").await;
    let index = Index::start(&fixture.store).expect("starts");
    assert_eq!(fixture.found(&index, fixture.query(0, "apple")).await, [latest.as_i64()]);
    for id in [500, 400] {
        let message = StoredMessage {
            id: MessageId::from_i64(id),
            conversation: CHANNEL,
            from: fixture.accounts[1],
            kind: MessageKind::Privmsg,
            text: "apple then".into(),
            tags: "".into(),
            send_id: None,
        };
        fixture.commit(Record::MessageImported { message, redacted: false }).await;
    }
    index.wake();
    loop {
        let (hits, is_whole) = run_search(&index, fixture.query(0, "apple")).await;
        if is_whole && hits.len() == 3 {
            break;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn search_filters_by_word_conversation_sender_and_time() {
    let mut home = Fixture::new().await;
    let [al, bo] = [home.accounts[0], home.accounts[1]];
    home.add_message(0, CHANNEL, "That was fast!").await;
    home.add_message(1, CHANNEL, "Fasting is hard, said Zoë").await;
    home.add_message(1, Conversation::direct(al, bo), "a fast secret").await;
    home.add_message(2, Conversation::Channel(ChannelId(2)), "fast elsewhere").await;
    home.add_message(0, Conversation::direct(al, al), "fast note").await;
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
    let direct = Search { conversation: Some(Conversation::direct(bo, al)), ..home.query(0, "") };
    assert_eq!(home.found(&index, direct).await, [3]);
    let channels = Search { includes_direct: false, ..home.query(0, "fast") };
    assert_eq!(home.found(&index, channels.clone()).await, [1, 2], "no direct ones");
    let nothing = Search { channels: Vec::new(), ..channels };
    assert!(home.found(&index, nothing).await.is_empty());
    let own = Search { conversation: Some(Conversation::direct(al, al)), ..home.query(0, "fast") };
    assert_eq!(home.found(&index, own).await, [5]);
    let stretch = Window { after: MessageId::from_i64(1), limit: 1, newest: false, ..Window::latest(1) };
    assert_eq!(home.found(&index, Search { window: stretch, ..home.query(0, "fast") }).await, [2]);
    assert_eq!(home.found(&index, Search { window: Window::latest(1), ..home.query(0, "fast") }).await, [5]);
    let (hits, _) = run_search(&index, home.query(1, "secret")).await;
    assert_eq!(hits[0].1.as_ref().map(Nick::as_str), Some("al"), "the other side is named");
}

#[tokio::test]
async fn query_syntax_is_searched_as_words() {
    let mut home = Fixture::new().await;
    home.add_message(0, CHANNEL, "it's \"quoted\" AND scoped, NOT near (this)").await;
    let index = Index::start(&home.store).expect("starts");
    for text in
        ["\"quoted\"", "AND", "it's", "NOT near", "(this)", "scope:d1", "* !!! this", "{}", "quo\"ted"]
    {
        let found = home.found(&index, home.query(0, text)).await;
        assert!(found.len() <= 1, "{text}");
    }
    assert_eq!(home.found(&index, home.query(0, "\"quoted\" and (this)")).await, [1]);
    for nothing in ["* !!!", "!!!", "\u{200d}", "\u{301}"] {
        let found = home.found(&index, home.query(0, nothing)).await;
        assert!(found.is_empty(), "{nothing}: what has no letters does not match everything");
    }
    for there in [",", "(", "\"", "\"quo", "near (", "'"] {
        assert_eq!(home.found(&index, home.query(0, there)).await, [1], "{there}");
    }
    assert!(home.found(&index, home.query(2, "x\" OR scope : d1 OR text : \"quoted")).await.is_empty());
}

#[tokio::test]
async fn redaction_is_unindexed_and_broken_index_is_rebuilt() {
    let mut home = Fixture::new().await;
    let id = home.add_message(0, CHANNEL, "xyzzy first").await;
    home.add_message(0, CHANNEL, "xyzzy second").await;
    let index = Index::start(&home.store).expect("starts");
    assert_eq!(home.found(&index, home.query(0, "xyzzy")).await, [1, 2]);
    home.commit(Record::Redacted { conversation: CHANNEL, message: id }).await;
    home.add_message(0, CHANNEL, "xyzzy third").await;
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

/// Waits until nothing that was removed is left in the index.
async fn wait_until_erased(store: &Store) {
    let unlearnt = |conn: &Connection| {
        let sql = "SELECT NOT EXISTS (SELECT * FROM forgotten)";
        Ok::<bool, StoreError>(conn.query_row(sql, [], |row| row.get(0))?)
    };
    let mut erasing = store.status().erasing.subscribe();
    while !store.read(unlearnt).await.expect("reads") || store.status().is_erasing() {
        erasing.changed().await.expect("a status");
    }
}

/// A damaged page is not noticed when the index is opened, and its log, which would hide it, is empty.
#[tokio::test]
async fn damaged_index_is_rebuilt_when_detected() {
    let mut home = Fixture::new().await;
    for n in 0..40 {
        home.add_message(0, CHANNEL, &format!("xyzzy number{n}")).await;
    }
    let redacted = home.add_message(0, CHANNEL, "xyzzy gone").await;
    let index = Index::start(&home.store).expect("starts");
    assert_eq!(home.found(&index, home.query(0, "gone")).await.len(), 1);
    home.commit(Record::Redacted { conversation: CHANNEL, message: redacted }).await;
    assert_eq!(home.found(&index, home.query(0, "gone")).await.len(), 0);
    wait_until_erased(&home.store).await;
    drop(index);
    let path = home.store.folder().join("search.db");
    let mut bytes = std::fs::read(&path).expect("reads");
    assert!(bytes.len() > 40_000, "the log is copied");
    // All but the header, the schema and what is looked at when it is opened.
    for page in bytes.chunks_mut(4096).skip(8) {
        page[..64].fill(0xa5);
    }
    std::fs::write(&path, bytes).expect("written");
    let index = Index::start(&home.store).expect("starts");
    let search = Search { window: Window::latest(100), ..home.query(0, "xyzzy") };
    assert_eq!(home.found(&index, search.clone()).await.len(), 40);
    home.add_message(0, CHANNEL, "xyzzy after").await;
    assert_eq!(home.found(&index, search).await.len(), 41);
}

#[tokio::test]
async fn index_reader_delays_erasing_across_restart_and_is_reported() {
    let mut home = Fixture::new().await;
    let id = home.add_message(0, CHANNEL, "quuxword first").await;
    home.add_message(0, CHANNEL, "something second").await;
    let index = Index::start(&home.store).expect("starts");
    assert_eq!(home.found(&index, home.query(0, "quuxword")).await, [1]);
    let folder = home.store.folder().to_owned();
    let reader = Connection::open(folder.join("search.db")).expect("opens");
    let hold = "BEGIN; SELECT count(*) FROM entries";
    reader.execute_batch(hold).expect("begins");
    reader.query_row("SELECT count(*) FROM entries", [], |_| Ok(())).expect("reads");
    home.commit(Record::Redacted { conversation: CHANNEL, message: id }).await;
    assert!(home.found(&index, home.query(0, "quuxword")).await.is_empty());
    let doctor = || crate::store::health::check(&folder).expect("checks").index_to_erase;
    let is_left = || {
        let files =
            ["search.db", "search.db-wal"].map(|file| std::fs::read(folder.join(file)).unwrap_or_default());
        files.iter().any(|bytes| bytes.windows(8).any(|word| word == b"quuxword"))
    };
    // Written anew, and held back in the log.
    let waits = || {
        open_index_reader(&folder).query_row("SELECT count(*) FROM erasing", [], |row| row.get::<_, i64>(0))
    };
    let mut erasing = home.store.status().erasing.subscribe();
    while waits().expect("reads") == 0 {
        erasing.changed().await.expect("a status");
    }
    assert!(home.store.status().is_erasing() && doctor() && is_left());
    drop(index);
    let index = Index::start(&home.store).expect("starts");
    assert!(home.store.status().is_erasing() && doctor() && is_left(), "a restart does not forget it");
    drop(reader);
    wait_until_erased(&home.store).await;
    assert!(!doctor() && !is_left());
    drop(index);
}

fn open_index_reader(folder: &Path) -> Connection {
    Connection::open(folder.join("search.db")).expect("opens")
}

#[tokio::test]
async fn redacted_words_are_erased_from_every_file() {
    let mut home = Fixture::new().await;
    let id = home.add_message(0, CHANNEL, "quuxword first").await;
    home.add_message(0, CHANNEL, "something second").await;
    let index = Index::start(&home.store).expect("starts");
    assert_eq!(home.found(&index, home.query(0, "quuxword")).await, [1]);
    let has_it = |folder: &Path| {
        let files = std::fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
        let holds = |path: &std::path::PathBuf| {
            std::fs::read(path).is_ok_and(|bytes| bytes.windows(8).any(|word| word == b"quuxword"))
        };
        files.filter(holds).collect::<Vec<_>>()
    };
    let folder = home.store.folder().to_owned();
    assert!(!has_it(&folder).is_empty());
    home.commit(Record::Redacted { conversation: CHANNEL, message: id }).await;
    index.wake();
    wait_until_erased(&home.store).await;
    assert!(has_it(&folder).is_empty(), "still in {:?}", has_it(&folder));
    assert!(home.found(&index, home.query(0, "quuxword")).await.is_empty());
    assert_eq!(home.found(&index, home.query(0, "something")).await, [2]);
}

#[tokio::test]
async fn search_matches_every_script_and_spelling() {
    let mut home = Fixture::new().await;
    let texts = [
        "明天下午三点开会议",
        "お誕生日おめでとう",
        "ประชุมพรุ่งนี้บ่ายสาม",
        "정기회의에서 만나요",
        "great 👍🏽 work 👩\u{200d}💻",
        "C++ or C#?",
        "see #lobby, a_b and https://example.org/a/b?c=d",
        "\u{3}04red\u{3}dish \u{2}bo\u{2}ld",
        "cafe\u{301} ＡＢＣ",
        "Straße Σίσυφος İstanbul",
        "\u{1}ACTION waves\u{1}",
        "wow!!! :)",
    ];
    for text in texts {
        home.add_message(0, CHANNEL, text).await;
    }
    let index = Index::start(&home.store).expect("starts");
    for (query, ids) in [
        ("会议", &[1][..]),
        ("三点开会", &[1]),
        ("议会", &[]),
        ("誕生日", &[2]),
        ("พรุ่งนี้", &[3]),
        ("회의", &[4]),
        ("👍", &[5]),
        ("👍🏽", &[5]),
        ("👍🏿", &[]),
        ("👩\u{200d}💻", &[5]),
        ("💻", &[5]),
        ("C++", &[6]),
        ("c#", &[6]),
        ("++", &[6]),
        ("#lobby", &[7]),
        ("#lob", &[7]),
        ("a_b", &[7]),
        ("https://example.org/a/b?c=d", &[7]),
        ("example.org", &[7]),
        ("red", &[8]),
        ("reddish", &[8]),
        ("bold", &[8]),
        ("04red", &[]),
        ("caf\u{e9}", &[9]),
        ("cafe", &[9]),
        ("abc", &[9]),
        ("STRASSE", &[10]),
        ("ΣΊΣΥΦΟΣ", &[10]),
        ("istanbul", &[10]),
        ("waves", &[11]),
        ("action", &[]),
        ("!!!", &[12]),
        (":)", &[12]),
        (")", &[12]),
        ("wow!", &[12]),
        ("?", &[6, 7]),
    ] {
        assert_eq!(home.found(&index, home.query(0, query)).await, ids, "{query}");
    }
}

#[tokio::test]
async fn search_returns_partial_results_at_time_limit() {
    let mut home = Fixture::new().await;
    for _ in 0..9 {
        home.add_message(0, CHANNEL, "word").await;
    }
    let index = Index::start(&home.store).expect("starts");
    let mut searching = SearchRun::new(home.query(0, "word"));
    searching.end_early();
    let searching = index.continue_search(searching).await.expect("searches");
    assert!(searching.is_done() && !searching.is_complete() && searching.into_hits().is_empty());
}

/// Generates words of all kinds.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9äöüÄßéÉñ'.-]{1,9}",
        "[#@&]?[a-z]{1,4}[+#_/=:?.]{1,3}[a-z]{0,3}",
        "[明天下午三点开会议誕生日のパーティー々か\u{3099}]{1,9}",
        "[ประชุมพรุ่งนี้]{1,9}",
        "[한국어회의에서\u{1112}\u{1161}\u{11ab}]{1,6}",
        "[👍🏽👩💻🇫🇷🇪🇸❤\u{fe0f}\u{200d}☕]{1,5}",
        "[!-/:-@\\[-`{-~]{1,7}",
        "[ﾊﾞﾝＡＢｃΣσςİıﬁ½²…‘’]{1,6}",
        "\\PC{1,6}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Checks that a message is found by each of its words, and by each run of characters of a script without spaces, by
    /// reading the messages and by the index alike.
    #[test]
    fn every_message_is_found_by_its_content(
        messages in prop::collection::vec(prop::collection::vec(word(), 1..6), 1..12),
        at in any::<prop::sample::Index>(),
        length in 2..4usize,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runs");
        runtime.block_on(async {
            let mut home = Fixture::new().await;
            let unindexed = start_index(&home.store, HOUR, HOUR);
            unindexed.wait_until_indexed(MessageId::default()).await;
            let texts: Vec<String> = messages.iter().map(|words| words.join(" ")).collect();
            for text in &texts {
                home.add_message(0, CHANNEL, text).await;
                unindexed.wake();
            }
            let mut queries = Vec::new();
            for (id, text) in (1..).zip(&texts) {
                for word in text.split_whitespace() {
                    if Tokens::from_text(word) != Tokens::default() {
                        queries.push((id, word.to_owned()));
                    }
                    let clusters: Vec<&str> = word.graphemes(true).collect();
                    let unspaced = |cluster: &&str| cluster.chars().all(|c| "明天下午三点开会议誕生日のパティー々ประชุมพรุ่งนี้한국어회의에서".contains(c));
                    if clusters.iter().all(unspaced) && clusters.len() >= length {
                        let from = at.index(clusters.len() - length + 1);
                        queries.push((id, clusters[from..from + length].concat()));
                    }
                }
            }
            let search = |text: &str| Search { window: Window::latest(100), ..home.query(0, text) };
            let mut found = Vec::new();
            for (id, query) in &queries {
                let ids = hit_ids(&run_search(&unindexed, search(query)).await.0);
                assert!(ids.contains(id), "{query:?} of {texts:?}");
                found.push(ids);
            }
            assert_eq!(unindexed.progress.borrow().last, MessageId::default(), "it does without the index");
            drop(unindexed);
            let index = Index::start(&home.store).expect("starts");
            index.wait_until_indexed(MessageId::from_i64(home.next - 1)).await;
            for ((_, query), ids) in queries.iter().zip(found) {
                assert_eq!(hit_ids(&run_search(&index, search(query)).await.0), ids, "{query:?} of {texts:?}");
            }
        });
    }
}
