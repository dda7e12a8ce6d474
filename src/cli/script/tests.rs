//! Tests of a script with a server that is alive but does not do its part.

use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::{advance, pause};

use super::*;
use crate::client::connect::fake::{Fake, Peer};
use crate::client::connect::link::Endpoint;
use crate::client::model::Kind;

/// Virtual time that passes only when a test lets it. While the blocking task runs, the runtime does not advance the
/// clock to the next timer.
struct Clock {
    _done: std::sync::mpsc::Sender<()>,
}

impl Clock {
    fn stopped() -> Self {
        let (done, work) = std::sync::mpsc::channel();
        spawn_blocking(move || work.recv());
        pause();
        Self { _done: done }
    }

    async fn pass(&self, time: Duration) {
        advance(time).await;
    }
}

/// A part of the time limit, three of which exceed it.
const LONG: Duration = Duration::from_secs(45);

/// Returns a script that has logged in.
async fn logged_in(fake: &Fake) -> (Script, Peer) {
    let endpoint = Endpoint { more: SCRIPT, ..fake.endpoint() };
    let caps = "draft/chathistory soju.im/search";
    let (session, peer) = tokio::join!(Session::open(endpoint, None), fake.welcome_able(caps, ""));
    let mut session = session.expect("logged in");
    session.model.tap();
    (Script::new(session), peer)
}

/// Returns a script that is ready.
async fn ready(fake: &Fake) -> (Script, Peer) {
    let (mut script, mut peer) = logged_in(fake).await;
    let server = async {
        peer.expect(&["PING 1"]).await;
        peer.say(":srv PONG srv 1").await;
    };
    let client = async { while !matches!(script.next().await.expect("a login"), Step::Ready) {} };
    tokio::join!(server, client);
    (script, peer)
}

/// Sends a line from the server and lets the script handle it.
async fn heard(script: &mut Script, peer: &mut Peer, line: &str) {
    peer.say(&format!("{line}\r\n:srv NOTICE alice :that was it")).await;
    loop {
        if let Step::Line(line) = script.next().await.expect("alive")
            && line.params.last().is_some_and(|last| last == "that was it")
        {
            return;
        }
    }
}

fn lobby() -> Target {
    Target::parse("#lobby").expect("a channel")
}

/// Returns the exit code and the message of the script's end.
async fn end(script: &mut Script) -> (Exit, String) {
    loop {
        if let Err(error) = script.next().await {
            return (Exit::of(&error), error.to_string());
        }
    }
}

#[tokio::test]
async fn unanswered_query_times_out() {
    let fake = Fake::start().await;
    let (mut script, mut peer) = ready(&fake).await;
    let clock = Clock::stopped();
    let ticket = script.history(&lobby(), &Past::Latest, 1).expect("online").0;
    // Each line of the result extends the time limit. Other lines of the server don't.
    let begin = format!("@label={ticket} :srv BATCH +h chathistory #lobby");
    let part = "@batch=h :bo!b@h NOTICE #lobby :x";
    for line in [&begin, part, part, part, part, ":bo!b@h NOTICE #lobby :x", ":bo!b@h NOTICE #lobby :x"] {
        clock.pass(LONG).await;
        heard(&mut script, &mut peer, line).await;
    }
    clock.pass(LONG).await;
    let (exit, text) = end(&mut script).await;
    assert_eq!(exit, Exit::Unreachable);
    assert!(
        text.contains("not answered CHATHISTORY for 120 seconds") && text.contains("; try again"),
        "{text}"
    );
}

#[tokio::test]
async fn no_timeout_once_the_result_has_arrived() {
    let fake = Fake::start().await;
    let (mut script, mut peer) = ready(&fake).await;
    let clock = Clock::stopped();
    let asked = script.query("SEARCH", |line| line.text("text=x")).expect("online");
    peer.say(&format!("@label={} :srv BATCH +h soju.im/search", asked.0)).await;
    peer.say("BATCH -h").await;
    while !matches!(script.next().await.expect("alive"), Step::Told(Told::Past(_))) {}
    let asked = script.query("SEARCH", |line| line.text("text=y")).expect("online");
    peer.say(&format!("@label={} FAIL SEARCH INVALID_PARAMS :No", asked.0)).await;
    while !matches!(script.next().await.expect("alive"), Step::Event(Event::NoHistory { .. })) {}
    for _ in 0..4 {
        clock.pass(LONG).await;
        heard(&mut script, &mut peer, ":srv NOTICE alice :x").await;
    }
}

#[tokio::test]
async fn login_that_never_completes_times_out() {
    let fake = Fake::start().await;
    let (mut script, _peer) = logged_in(&fake).await;
    let clock = Clock::stopped();
    clock.pass(4 * LONG).await;
    let (exit, text) = end(&mut script).await;
    assert!(exit == Exit::Unreachable && text.contains("login is not over"), "{text}");
}

#[tokio::test]
async fn endless_list_ends_the_script() {
    let fake = Fake::start().await;
    let (mut script, mut peer) = ready(&fake).await;
    let clock = Clock::stopped();
    let gathering = script.gather("LIST", |line| line, |line| line.command == "322", |_| false);
    let server = async {
        assert!(peer.line().await.ends_with("LIST"));
        for _ in 0..4 {
            clock.pass(LONG).await;
            peer.say(":srv 322 alice #lobby 1 :x").await;
        }
        clock.pass(4 * LONG).await;
    };
    let (gathered, ()) = tokio::join!(gathering, server);
    let text = gathered.expect_err("no end").to_string();
    assert!(text.contains("not answered LIST"), "{text}");
}

#[tokio::test]
async fn unconfirmed_messages_time_out() {
    let fake = Fake::start().await;
    let (mut script, mut peer) = ready(&fake).await;
    let clock = Clock::stopped();
    for text in ["one", "two"] {
        script.session.model.say(&lobby(), Kind::Text, text);
        script.sending(false);
    }
    clock.pass(LONG).await;
    let server = async {
        let first = peer.line().await;
        let label = first.split([';', ' ']).find_map(|tag| tag.split_once("label=")).expect("a label").1;
        peer.say(&format!("@label={label};msgid=1 :alice!alice@h PRIVMSG #lobby :one")).await;
    };
    let client = async {
        while !matches!(script.next().await.expect("alive"), Step::Event(Event::Confirmed(_))) {}
        script.sending(true);
    };
    tokio::join!(server, client);
    // The time limit starts with the last confirmation.
    for _ in 0..2 {
        clock.pass(LONG).await;
        heard(&mut script, &mut peer, ":srv NOTICE alice :x").await;
    }
    clock.pass(LONG).await;
    let (exit, text) = end(&mut script).await;
    assert!(exit == Exit::Refused && text.contains("1 messages may have arrived or not"), "{text}");
}
