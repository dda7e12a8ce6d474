//! A backup that is taken while messages flow.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::{back_up, run};
use crate::support::{Client, Home, server, until};

/// Messages that are sent in one go.
const BATCH: usize = 25;

/// Time between two batches: 500 messages a second.
const PACE: Duration = Duration::from_millis(50);

/// Most messages, so that the test ends on any machine.
const MAX_MESSAGES: usize = 20_000;

/// Sends messages until `stop`, and counts those that the server has confirmed. Returns these.
fn talk(mut client: Client, stop: &AtomicBool, confirmed: &AtomicUsize) -> Vec<String> {
    let (mut texts, started) = (Vec::new(), Instant::now());
    for batch in 0.. {
        if stop.load(Ordering::Relaxed) || texts.len() >= MAX_MESSAGES {
            return texts;
        }
        let numbers = batch * BATCH..(batch + 1) * BATCH;
        let new: Vec<String> = numbers.map(|n| format!("message {n} of the flow")).collect();
        client.send_all(new.iter().map(|text| format!("PRIVMSG #room :{text}")));
        client.wait_for_message(&new[BATCH - 1]);
        texts.extend(new);
        confirmed.store(texts.len(), Ordering::Relaxed);
        // A pace, not a wait: on a slow machine fewer messages flow.
        let next = started + PACE * u32::try_from(batch + 1).expect("few batches");
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    texts
}

/// Returns the ids and texts of all messages of a server, in their order.
fn messages(home: &Home) -> Vec<(i64, String)> {
    let database = home.database();
    let mut query = database
        .prepare("SELECT id, text FROM messages WHERE text LIKE 'message %' ORDER BY id")
        .expect("a query");
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
    rows.collect::<Result<_, _>>().expect("messages")
}

#[test]
fn backup_of_a_talking_server_is_of_one_moment() {
    let server = server();
    let home = server.home.clone();
    let client = Client::in_channel(&server, "alice", "#room");
    let (stop, confirmed) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (before, after, sent) = thread::scope(|scope| {
        let talking = scope.spawn(|| talk(client, &stop, &confirmed));
        let count = || confirmed.load(Ordering::Relaxed);
        until(|| count() >= 500, || format!("{} messages", count()));
        let before = count();
        back_up(&home, "x.backup");
        let after = count();
        stop.store(true, Ordering::Relaxed);
        (before, after, talking.join().expect("it talked"))
    });
    assert!(after > before, "messages flowed while the backup was made");
    let other = Home::new(&[]);
    std::fs::remove_file(other.path("parlour.toml")).expect("removed");
    let file = home.path("x.backup");
    run(&other, &["restore", "--passphrase-stdin", file.to_str().expect("UTF-8")]);
    let (original, restored) = (messages(&home), messages(&other));
    assert_eq!(original.iter().map(|(_, text)| text).collect::<Vec<_>>(), sent.iter().collect::<Vec<_>>());
    assert!(
        (before..=sent.len()).contains(&restored.len()),
        "{} restored, {before} to {after} confirmed",
        restored.len()
    );
    assert_eq!(restored, original[..restored.len()]);
    // What the restored server tells is the same, with the same ids.
    let reopened = other.serve();
    let mut client = Client::login_with(&reopened, "bob", &crate::support::history::history_capabilities());
    client.request("JOIN #room");
    let told = client.query_history("LATEST #room * 50");
    let last = &restored[restored.len() - 50..];
    for (line, (id, text)) in told.iter().zip(last) {
        assert_eq!((line.text(), line.tag("msgid")), (text.as_str(), Some(&*format!("{id:016x}"))));
    }
    assert_eq!(told.len(), 50);
}
