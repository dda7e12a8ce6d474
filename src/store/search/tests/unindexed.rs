//! Tests of searches in what is not indexed yet, and of when it is indexed.

use super::*;

#[tokio::test]
async fn message_is_found_before_it_is_indexed() {
    let mut home = Fixture::new().await;
    for n in 0..9 {
        home.add_message(0, CHANNEL, &format!("apple number{n}")).await;
    }
    let index = start_index(&home.store, HOUR, HOUR);
    index.wait_until_indexed(MessageId::from_i64(9)).await;
    let [al, bo] = [home.accounts[0], home.accounts[1]];
    for n in 10..=20 {
        let conversation = if n == 15 { Conversation::direct(al, bo) } else { CHANNEL };
        home.add_message(1, conversation, &format!("apple, (pear) number{n}")).await;
        index.wake();
    }
    home.commit(Record::Redacted { conversation: CHANNEL, message: MessageId::from_i64(12) }).await;
    let ids = async |search| {
        let (hits, is_whole) = run_search(&index, search).await;
        assert!(is_whole);
        hit_ids(&hits)
    };
    let all = |me, text: &str| Search { window: Window::latest(100), ..home.query(me, text) };
    assert_eq!(ids(all(0, "apple")).await, (1..=20).filter(|id| *id != 12).collect::<Vec<_>>());
    assert_eq!(ids(home.query(0, "numb")).await, [10, 11, 13, 14, 15, 16, 17, 18, 19, 20], "the latest ten");
    let earliest = Window { newest: false, limit: 12, ..Window::latest(0) };
    assert_eq!(
        ids(Search { window: earliest, ..home.query(0, "apple") }).await,
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13]
    );
    assert_eq!(ids(all(2, "number15")).await, [0_i64; 0], "not what others wrote to each other");
    assert_eq!(ids(all(0, "number1 pear)")).await, [10, 11, 13, 14, 15, 16, 17, 18, 19]);
    assert_eq!(ids(Search { from: Some(al), ..all(0, "pear") }).await, [0_i64; 0]);
    let window =
        Window { after: MessageId::from_i64(7), before: MessageId::from_i64(11), ..Window::latest(9) };
    assert_eq!(ids(Search { window, ..home.query(0, "apple") }).await, [8, 9, 10]);
    assert_eq!(index.progress.borrow().last, MessageId::from_i64(9), "the index has not moved");
}

#[tokio::test(flavor = "multi_thread")]
async fn index_follows_while_commits_never_stop() {
    let mut home = Fixture::new().await;
    let index = start_index(&home.store, Duration::from_millis(1), Duration::from_millis(20));
    let first = home.add_message(0, CHANNEL, "apple").await;
    // There is a commit in each moment that the index waits for.
    while index.progress.borrow().last < first {
        home.add_message(0, CHANNEL, "pear").await;
        index.wake();
    }
}

#[tokio::test]
async fn removed_message_is_not_kept_waiting() {
    let mut home = Fixture::new().await;
    let id = home.add_message(0, CHANNEL, "quuxword").await;
    let index = start_index(&home.store, HOUR, HOUR);
    index.wait_until_indexed(id).await;
    home.commit(Record::Redacted { conversation: CHANNEL, message: id }).await;
    index.wake();
    wait_until_erased(&home.store).await;
}

#[tokio::test]
async fn old_format_is_rebuilt_newest_first_and_resumes_after_crash() {
    let mut home = Fixture::new().await;
    for n in 0..60 {
        home.add_message(0, CHANNEL, &format!("word number{n}")).await;
    }
    let path = home.store.folder().join("search.db");
    let old = Connection::open(&path).expect("a file");
    old.execute_batch("CREATE VIRTUAL TABLE said USING fts5 (text, scope); PRAGMA user_version = 1")
        .expect("old");
    drop(old);
    // The state after a crash: the format is new, the latest messages are in it, and the others are not.
    drop(Index::start(&home.store).expect("starts"));
    let conn = Connection::open(&path).expect("the index");
    let whole: bool = conn.query_row("SELECT whole FROM progress", [], |row| row.get(0)).expect("is new");
    if whole {
        conn.execute_batch(
            "UPDATE progress SET first = 41, whole = 0; DELETE FROM entries WHERE message < 41",
        )
        .expect("as it was before");
    }
    drop(conn);
    let reader = schema::open_reader(&home.store.folder().join("parlour.db")).expect("reads");
    reader.execute("ATTACH ?1 AS search", [path.to_string_lossy()]).expect("attached");
    let search = Search { window: Window::latest(100), ..home.query(0, "word") };
    let earliest =
        Search { window: Window { newest: false, limit: 50, ..Window::latest(0) }, ..search.clone() };
    for (search, expected) in [(search.clone(), 1..=60), (earliest, 1..=50)] {
        let mut partly = SearchRun::new(search);
        while !partly.is_done() {
            partly.search_for_slice(&reader).expect("searches");
        }
        assert!(partly.is_complete(), "what the index lacks is read");
        let ids: Vec<i64> = partly.into_hits().iter().map(|(hit, _)| hit.message.id.as_i64()).collect();
        assert_eq!(ids, expected.collect::<Vec<_>>());
    }
    let index = Index::start(&home.store).expect("starts");
    let found = home.found(&index, search).await;
    assert_eq!(found, (1..=60).collect::<Vec<_>>());
}
