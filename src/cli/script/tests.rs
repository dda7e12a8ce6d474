//! Tests of a script with a server that is alive but does not do its part.

use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::{advance, pause};

use super::time_argument::TimeArgument;
use super::*;
use crate::client::connect::connection::Endpoint;
use crate::client::connect::fake_server::{FakePeer, FakeServer};
use crate::client::model::MessageKind;
use crate::wire::Timestamp;

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

    async fn advance(&self, time: Duration) {
        advance(time).await;
    }
}

/// A part of the time limit, three of which exceed it.
const LONG: Duration = Duration::from_secs(45);

/// Returns a script that has logged in.
async fn logged_in_script(fake: &FakeServer) -> (Script, FakePeer) {
    let endpoint = Endpoint { extra_caps: SCRIPT_CAPS, ..fake.endpoint() };
    let caps = "draft/chathistory soju.im/search";
    let (session, peer) = tokio::join!(Session::open(endpoint, None), fake.welcome_with_caps(caps, ""));
    let mut session = session.expect("logged in");
    session.model.emit_received();
    (Script::new(session), peer)
}

/// Returns a script that is ready.
async fn ready_script(fake: &FakeServer) -> (Script, FakePeer) {
    let (mut script, mut peer) = logged_in_script(fake).await;
    let server = async {
        peer.expect_lines(&["PING 1"]).await;
        peer.send(":srv PONG srv 1").await;
    };
    let client = async { while !matches!(script.next().await.expect("a login"), Step::Ready) {} };
    tokio::join!(server, client);
    (script, peer)
}

/// Sends a line from the server and lets the script handle it.
async fn expect_line(script: &mut Script, peer: &mut FakePeer, line: &str) {
    peer.send(&format!("{line}\r\n:srv NOTICE alice :that was it")).await;
    loop {
        if let Step::Event(Event::Info(text)) = script.next().await.expect("alive")
            && text == "that was it"
        {
            return;
        }
    }
}

fn lobby() -> Conversation {
    Conversation::parse("#lobby").expect("a channel")
}

/// Returns the exit code and the message of the script's end.
async fn expect_error(script: &mut Script) -> (Exit, String) {
    loop {
        if let Err(error) = script.next().await {
            return (Exit::from_error(&error), error.to_string());
        }
    }
}

#[tokio::test]
async fn unanswered_query_times_out() {
    let fake = FakeServer::start().await;
    let (mut script, mut peer) = ready_script(&fake).await;
    let clock = Clock::stopped();
    let ticket = script.history(&lobby(), &HistoryRange::Latest, 1).expect("online").0;
    // Each line of the result extends the time limit. Other lines of the server don't.
    let begin = format!("@label={ticket} :srv BATCH +h chathistory #lobby");
    let part = "@batch=h :bo!b@h NOTICE #lobby :x";
    for line in [&begin, part, part, part, part, ":bo!b@h NOTICE #lobby :x", ":bo!b@h NOTICE #lobby :x"] {
        clock.advance(LONG).await;
        expect_line(&mut script, &mut peer, line).await;
    }
    clock.advance(LONG).await;
    let (exit, text) = expect_error(&mut script).await;
    assert_eq!(exit, Exit::Unreachable);
    assert!(
        text.contains("not answered CHATHISTORY for 120 seconds") && text.contains("; try again"),
        "{text}"
    );
}

#[tokio::test]
async fn no_timeout_once_the_result_has_arrived() {
    let fake = FakeServer::start().await;
    let (mut script, mut peer) = ready_script(&fake).await;
    let clock = Clock::stopped();
    let first_ticket = script.query("SEARCH", |line| line.trailing("text=x")).expect("online");
    peer.send(&format!("@label={} :srv BATCH +h soju.im/search", first_ticket.0)).await;
    peer.send("BATCH -h").await;
    while !matches!(script.next().await.expect("alive"), Step::Result(_)) {}
    let second_ticket = script.query("SEARCH", |line| line.trailing("text=y")).expect("online");
    peer.send(&format!("@label={} FAIL SEARCH INVALID_PARAMS :No", second_ticket.0)).await;
    while !matches!(script.next().await.expect("alive"), Step::Event(Event::QueryFailed { .. })) {}
    for _ in 0..4 {
        clock.advance(LONG).await;
        expect_line(&mut script, &mut peer, ":srv NOTICE alice :x").await;
    }
}

#[tokio::test]
async fn login_that_never_completes_times_out() {
    let fake = FakeServer::start().await;
    let (mut script, _peer) = logged_in_script(&fake).await;
    let clock = Clock::stopped();
    clock.advance(4 * LONG).await;
    let (exit, text) = expect_error(&mut script).await;
    assert!(exit == Exit::Unreachable && text.contains("login is not over"), "{text}");
}

#[tokio::test]
async fn endless_list_ends_the_script() {
    let fake = FakeServer::start().await;
    let (mut script, mut peer) = ready_script(&fake).await;
    let clock = Clock::stopped();
    let gathering = script.query_lines(
        "LIST",
        |line| line,
        |event| matches!(event, ServerEvent::ListReply(_)).then_some(()),
        |_| false,
    );
    let server = async {
        assert!(peer.read_line().await.ends_with("LIST"));
        for _ in 0..4 {
            clock.advance(LONG).await;
            peer.send(":srv 322 alice #lobby 1 :x").await;
        }
        clock.advance(4 * LONG).await;
    };
    let (gathered, ()) = tokio::join!(gathering, server);
    let text = gathered.expect_err("no end").to_string();
    assert!(text.contains("not answered LIST"), "{text}");
}

#[tokio::test]
async fn unconfirmed_messages_time_out() {
    let fake = FakeServer::start().await;
    let (mut script, mut peer) = ready_script(&fake).await;
    let clock = Clock::stopped();
    for text in ["one", "two"] {
        script.session.model.send_message(&lobby(), MessageKind::Text, text);
        script.await_confirmation(false);
    }
    clock.advance(LONG).await;
    let server = async {
        let first = peer.read_line().await;
        let label = first.split([';', ' ']).find_map(|tag| tag.split_once("label=")).expect("a label").1;
        peer.send(&format!("@label={label};msgid=1 :alice!alice@h PRIVMSG #lobby :one")).await;
    };
    let client = async {
        while !matches!(script.next().await.expect("alive"), Step::Event(Event::Confirmed(_))) {}
        script.await_confirmation(true);
    };
    tokio::join!(server, client);
    // The time limit starts with the last confirmation.
    for _ in 0..2 {
        clock.advance(LONG).await;
        expect_line(&mut script, &mut peer, ":srv NOTICE alice :x").await;
    }
    clock.advance(LONG).await;
    let (exit, text) = expect_error(&mut script).await;
    assert!(exit == Exit::Refused && text.contains("1 message may have arrived or not"), "{text}");
}

#[tokio::test]
async fn time_ago_counts_from_the_servers_clock() {
    let fake = FakeServer::start().await;
    let (mut script, mut peer) = logged_in_script(&fake).await;
    let ago = [Some(TimeArgument::parse_since("2h").expect("a time")), None];
    let server = async {
        peer.expect_lines(&["PING 1"]).await;
        let query = peer.read_line().await;
        assert!(query.ends_with(" TIME"), "{query}");
        peer.expect_lines(&["PING 3"]).await;
        // The server is years behind, and the login ends before its reply.
        peer.send(":alice!alice@h JOIN #lobby").await;
        peer.send(":srv PONG srv 1").await;
        peer.send(":srv 391 alice srv 1577880000 0 :2020-01-01T12:00:00.500Z").await;
        peer.send(":srv PONG srv 3").await;
    };
    let (times, ()) = tokio::join!(script.time_stamps(ago), server);
    let expected = Timestamp::parse("2020-01-01T10:00:00.500Z");
    assert_eq!(times.expect("alive"), [expected, None]);
    // What arrived meanwhile is not lost.
    assert!(matches!(script.next().await.expect("alive"), Step::Entry(entry) if entry.mine));
    while !matches!(script.next().await.expect("alive"), Step::Ready) {}
}

#[tokio::test]
async fn server_without_a_clock_leaves_that_of_this_machine() {
    let fake = FakeServer::start().await;
    let (mut script, mut peer) = ready_script(&fake).await;
    let server = async {
        let query = peer.read_line().await;
        let label = query.strip_prefix("@label=").and_then(|rest| rest.split(' ').next()).expect("a label");
        peer.send(&format!("@label={label} :srv 421 alice TIME :Unknown command")).await;
        let ping = peer.read_line().await;
        peer.send(&format!(":srv PONG srv {}", ping.strip_prefix("PING ").expect("a barrier"))).await;
    };
    let ago = [Some(TimeArgument::parse_until("1h").expect("a time"))];
    let (times, ()) = tokio::join!(script.time_stamps(ago), server);
    let [Some(time)] = times.expect("alive") else { panic!("no time") };
    assert!(time > Timestamp::parse("2026-01-01T00:00:00.000Z").expect("a time"));
}
