//! Runs: each session's part of them, and the order.

use std::path::Path;
use std::sync::Arc;
use std::task::Waker;

use prometheus_client::metrics::counter::Counter;

use super::*;
use crate::core::effects::query::RedactionQuery;
use crate::core::login::{LoginMachine, LoginStep, Proof, Verification, Verified};
use crate::core::model::audience::Roster;
use crate::core::record::secret::PasswordHash;
use crate::core::record::{AccountId, Conversation, MessageKind};
use crate::core::{EventKind, Login, Query};
use crate::server::http::files::folder::FileFolder;
use crate::server::sessions::blocks::BlockMemory;
use crate::server::sessions::outbox::QueueContent;
use crate::web::Subprotocol;
use crate::wire::{Cap, Label, Message, MessageId, Nick, Reply, Tags, Timestamp};

/// A channel with sessions as its audience.
struct Fixture {
    deliverer: Delivery,
    sessions: Sessions,
    channel: Roster,
    /// Outputs to deliver next.
    outputs: Vec<Output>,
    /// Queries, each with the texts that its session had got until then.
    asked: Vec<(SessionId, Vec<String>)>,
}

impl Fixture {
    fn new() -> Self {
        Self {
            deliverer: Delivery::new(
                &crate::wire::ServerName::default(),
                SendQueueLimits::new(1 << 20, BlockMemory::default(), Counter::default()),
                FileFolder::of_data_folder(Path::new("/nowhere")),
            ),
            sessions: Sessions::default(),
            channel: Roster::default(),
            outputs: Vec::new(),
            asked: Vec::new(),
        }
    }

    /// Adds a session that is not in the channel.
    fn add_session(&mut self) -> SessionId {
        self.add_session_of_account(16)
    }

    fn add_session_of_account(&mut self, account: i64) -> SessionId {
        self.add_session_with_form(account, LineForm::Lines)
    }

    fn add_session_with_form(&mut self, account: i64, form: LineForm) -> SessionId {
        let login = login(AccountId(account));
        self.sessions.insert(Arc::new(Session::new(login, 0, std::net::Ipv4Addr::LOCALHOST.into(), form)))
    }

    /// Returns true if the session was told to end.
    fn is_closed(&self, session: SessionId) -> bool {
        let session = self.sessions.get(session).expect("there");
        session.outbox.poll_close_reason(Waker::noop()).is_some()
    }

    fn join(&mut self, session: SessionId, caps: &[Cap]) {
        self.channel.add(Recipient { session, caps: CapSet::from_caps(caps) });
    }

    fn add_member(&mut self) -> SessionId {
        let session = self.add_session();
        self.join(session, &[]);
        session
    }

    /// Adds an event for all sessions that are in the channel now.
    fn send_event(&mut self, text: &str) {
        self.queue_fan(text, None);
    }

    fn send_event_from(&mut self, text: &str, origin: Origin) {
        self.queue_fan(text, Some(origin));
    }

    fn queue_fan(&mut self, text: &str, origin: Option<Origin>) {
        let audience = self.channel.snapshot();
        self.outputs.push(Output::Broadcast { audience, event: event(text), origin });
    }

    fn queue_line(&mut self, to: SessionId, text: &str) {
        let reply = Reply::command("LINE").text(text);
        self.outputs.push(Output::Reply(ReplyTo { to, nick: "al".into(), reply }));
    }

    fn queue_query(&mut self, session: SessionId) {
        let query = RedactionQuery {
            target: "#c".into(),
            conversation: Conversation::direct(AccountId(1), AccountId(1)),
            message: MessageId::default(),
            msgid: "0".into(),
            reason: None,
        };
        let query = Box::new(Query::Redaction(query));
        self.outputs.push(Output::Query { session, label: None, query });
    }

    fn deliver(&mut self) {
        let (outputs, sessions, asked) = (std::mem::take(&mut self.outputs), &self.sessions, &mut self.asked);
        let ask = |session, _| {
            let all = sessions.iter().map(|session| texts(&take_blocks(session))).collect();
            asked.push((session, all));
        };
        self.deliverer.deliver(outputs, sessions, ask, |request_id, _| panic!("{request_id:?}"));
    }

    /// Returns the texts that a session got, each with its label.
    fn received_text(&self, session: SessionId) -> String {
        texts(&self.received_blocks(session))
    }

    fn received_blocks(&self, session: SessionId) -> Vec<Bytes> {
        take_blocks(self.sessions.get(session).expect("a session"))
    }
}

fn take_blocks(session: &Session) -> Vec<Bytes> {
    match session.outbox.take_blocks(Waker::noop()) {
        QueueContent::Blocks(blocks) => blocks,
        QueueContent::Empty => Vec::new(),
        QueueContent::Close(reason) => panic!("ended: {reason}"),
    }
}

fn texts(blocks: &[Bytes]) -> String {
    let all = String::from_utf8(blocks.concat()).expect("utf-8");
    let text = |line: &str| {
        let message = Message::parse(line).expect(line);
        let label = message.tags.get("label").map(|label| format!("{label}=")).unwrap_or_default();
        let time = if message.tags.get("time").is_some() { "@" } else { "" };
        let text = message.params().last().copied().unwrap_or_default();
        format!("{time}{label}{text}")
    };
    assert!(all.is_empty() || all.ends_with("\r\n"), "whole lines: {all:?}");
    all.lines().map(text).collect::<Vec<_>>().join(" ")
}

fn event(text: &str) -> Event {
    let (kind, target, text) = (MessageKind::Privmsg, "#c".into(), text.into());
    Event {
        source: "al!al@parlour".into(),
        account: None,
        bot: false,
        time: Timestamp(7),
        id: None,
        tags: "".into(),
        kind: EventKind::Message { kind, target, text, own_copy: false },
    }
}

fn origin(session: SessionId, gets_copy: bool, label: Option<&str>) -> Origin {
    let tags = label.map(|label| format!("label={label}")).unwrap_or_default();
    Origin { session, gets_copy, tagging: Tagging::label(Label::in_tags(Tags(&tags)).as_ref()) }
}

fn login(account: AccountId) -> Login {
    let (mut machine, mut out) = (LoginMachine::default(), String::new());
    for line in ["CAP LS", "NICK al", "USER u 0 * :r", "CAP REQ sasl", "AUTHENTICATE PLAIN"] {
        machine.handle_line(&Message::parse(line).expect(line), &mut out);
    }
    let password = Message::parse("AUTHENTICATE AGFsAHNlY3JldDEy").expect("a line");
    assert!(matches!(machine.handle_line(&password, &mut out), LoginStep::CheckPassword(_)));
    let name = Nick::parse("al").expect("a nick");
    let proof = Proof::Password(PasswordHash::from_phc("$argon2id$test"));
    machine.resume_with_verification(Verification::Verified(Verified { account, name, proof }), &mut out);
    match machine.handle_line(&Message::parse("CAP END").expect("a line"), &mut out) {
        LoginStep::Done(login) => login,
        other => panic!("{other:?}"),
    }
}

#[test]
fn session_joining_mid_run_gets_later_events_only() {
    let mut rig = Fixture::new();
    let first = rig.add_member();
    rig.send_event("a");
    let second = rig.add_member();
    rig.send_event("b");
    let (third, fourth) = (rig.add_member(), rig.add_member());
    rig.send_event("c");
    let last = rig.add_member();
    rig.deliver();
    assert_eq!(rig.received_text(first), "a b c");
    assert_eq!(rig.received_text(second), "b c");
    assert_eq!((rig.received_text(third), rig.received_text(fourth)), ("c".into(), "c".into()));
    assert_eq!(rig.received_text(last), "");
}

#[test]
fn session_leaving_mid_run_gets_earlier_events() {
    let mut rig = Fixture::new();
    let (stays, goes) = (rig.add_member(), rig.add_member());
    rig.send_event("a");
    rig.channel.remove(goes);
    rig.send_event("b");
    rig.join(goes, &[]);
    rig.send_event("c");
    rig.deliver();
    assert_eq!((rig.received_text(stays), rig.received_text(goes)), ("a b c".into(), "a c".into()));
}

#[test]
fn different_audience_flushes_run() {
    let mut rig = Fixture::new();
    let both = rig.add_member();
    let mut elsewhere = Roster::default();
    elsewhere.add(Recipient { session: both, caps: CapSet::EMPTY });
    rig.send_event("a");
    std::mem::swap(&mut rig.channel, &mut elsewhere);
    rig.send_event("b");
    std::mem::swap(&mut rig.channel, &mut elsewhere);
    rig.send_event("c");
    rig.deliver();
    let blocks = rig.received_blocks(both);
    assert_eq!((texts(&blocks).as_str(), blocks.len()), ("a b c", 3));
}

#[test]
fn origin_gets_its_own_echo() {
    let mut rig = Fixture::new();
    let (other, labelled, silent, plain) =
        (rig.add_member(), rig.add_member(), rig.add_member(), rig.add_member());
    rig.send_event("a");
    rig.send_event_from("b", origin(labelled, true, Some("x")));
    rig.send_event_from("c", origin(silent, false, None));
    rig.send_event_from("d", origin(plain, true, None));
    rig.send_event_from("e", origin(labelled, false, Some("y")));
    rig.send_event("f");
    rig.deliver();
    assert_eq!(rig.received_text(other), "a b c d e f");
    assert_eq!(rig.received_text(plain), "a b c d e f");
    assert_eq!(rig.received_text(labelled), "a x=b c d f");
    assert_eq!(rig.received_text(silent), "a b d e f");
}

#[test]
fn origin_outside_audience_gets_no_echo() {
    let mut rig = Fixture::new();
    let (member, outside) = (rig.add_member(), rig.add_session());
    rig.send_event_from("a", origin(outside, true, Some("x")));
    rig.queue_line(outside, "answer");
    rig.join(outside, &[]);
    rig.send_event_from("b", origin(outside, true, Some("y")));
    rig.deliver();
    assert_eq!(rig.received_text(member), "a b");
    assert_eq!(rig.received_text(outside), "answer y=b");
}

#[test]
fn lines_between_events_keep_their_order() {
    let mut rig = Fixture::new();
    let (member, comes, outside) = (rig.add_member(), rig.add_session(), rig.add_session());
    rig.queue_line(member, "before");
    rig.send_event("a");
    rig.queue_line(comes, "welcome");
    rig.queue_line(member, "1");
    rig.queue_line(member, "2");
    rig.queue_line(outside, "x");
    rig.join(comes, &[]);
    rig.send_event_from("b", origin(comes, true, None));
    rig.queue_line(comes, "names");
    rig.queue_line(outside, "y");
    rig.send_event_from("c", origin(member, true, Some("l")));
    rig.queue_line(member, "3");
    rig.deliver();
    assert_eq!(rig.received_text(member), "before a 1 2 b l=c 3");
    assert_eq!(rig.received_text(comes), "welcome b names c");
    assert_eq!(rig.received_text(outside), "x y");
}

#[test]
fn events_are_rendered_per_capability_set() {
    let mut rig = Fixture::new();
    let (plain, timed) = (rig.add_session(), rig.add_session());
    rig.join(plain, &[]);
    rig.send_event("a");
    rig.join(timed, &[Cap::ServerTime]);
    rig.send_event_from("b", origin(timed, true, Some("x")));
    rig.send_event_from("c", origin(plain, false, None));
    rig.send_event("d");
    rig.deliver();
    assert_eq!(rig.received_text(plain), "a b d");
    assert_eq!(rig.received_text(timed), "@x=b @c @d");
}

#[test]
fn query_flushes_run_and_keeps_its_position() {
    let mut rig = Fixture::new();
    let (member, asker) = (rig.add_member(), rig.add_member());
    rig.send_event("a");
    rig.queue_line(asker, "1");
    rig.queue_query(asker);
    rig.send_event("b");
    rig.deliver();
    assert_eq!(rig.asked, [(asker, vec!["a".to_owned(), "a 1".to_owned()])]);
    assert_eq!((rig.received_text(member), rig.received_text(asker)), ("b".into(), "b".into()));
}

#[test]
fn close_flushes_run() {
    let mut rig = Fixture::new();
    let (member, gone) = (rig.add_member(), rig.add_member());
    rig.send_event("a");
    rig.outputs.push(Output::Close(gone, "bye".into()));
    rig.send_event("b");
    rig.deliver();
    assert_eq!((rig.received_text(member), rig.received_text(gone)), ("a b".into(), "a bye".into()));
}

#[test]
fn reused_slot_gets_no_earlier_output() {
    let mut rig = Fixture::new();
    let (member, gone) = (rig.add_member(), rig.add_member());
    rig.send_event("a");
    rig.queue_line(gone, "1");
    rig.sessions.remove(gone);
    let next = rig.add_session();
    rig.deliver();
    assert_eq!(next.slot, gone.slot);
    assert_eq!((rig.received_text(member), rig.received_text(next)), ("a".into(), String::new()));
}

/// Returns the address of a block in memory.
fn address(block: &Bytes) -> usize {
    block.as_ptr().addr()
}

#[test]
fn long_run_shares_one_buffer() {
    let mut rig = Fixture::new();
    let (one, two, special) = (rig.add_member(), rig.add_member(), rig.add_member());
    let texts_of = |range: std::ops::Range<usize>| range.map(|n| format!("{n:0>100}")).collect::<Vec<_>>();
    for text in texts_of(0..100) {
        rig.send_event(&text);
    }
    rig.queue_line(special, "own");
    let late = rig.add_member();
    for text in texts_of(100..200) {
        rig.send_event(&text);
    }
    let latest = rig.add_member();
    rig.send_event("last");
    rig.deliver();
    let [one, two, special, late, latest] = [one, two, special, late, latest].map(|s| rig.received_blocks(s));
    assert_eq!((one.len(), two.len()), (1, 1));
    let (begin, end) = (address(&one[0]), address(&one[0]) + one[0].len());
    assert_eq!((address(&two[0]), two[0].len()), (begin, one[0].len()));
    // A session's own item lies between two shared parts.
    let own: Vec<bool> = special.iter().map(|block| (begin..end).contains(&address(block))).collect();
    assert_eq!(own, [true, false, true]);
    let expected = [texts_of(0..100), vec!["own".into()], texts_of(100..200), vec!["last".into()]].concat();
    assert_eq!(texts(&special), expected.join(" "));
    assert_eq!(late.iter().map(|block| (begin..end).contains(&address(block))).collect::<Vec<_>>(), [true]);
    assert_eq!(texts(&late), [texts_of(100..200), vec!["last".into()]].concat().join(" "));
    // A small part is copied, so that it does not keep the rest in memory.
    assert!(!(begin..end).contains(&address(&latest[0])));
    assert_eq!(texts(&latest), "last");
}

#[test]
fn account_over_limit_loses_slowest_session() {
    let mut rig = Fixture::new();
    let sessions: Vec<_> = (0..6).map(|_| rig.add_session()).collect();
    let other = rig.add_session_of_account(17);
    for &session in &sessions[..5] {
        rig.queue_line(session, &"x".repeat(780 * 1024));
    }
    rig.queue_line(sessions[5], &"x".repeat(10 * 1024));
    rig.queue_line(other, &"x".repeat(900 * 1024));
    rig.deliver();
    assert!(!sessions.iter().any(|&session| rig.is_closed(session)), "four queues may wait");
    // The session that exceeds the total is not the slowest reader.
    rig.queue_line(sessions[2], &"x".repeat(150 * 1024));
    rig.queue_line(sessions[5], &"x".repeat(200 * 1024));
    rig.deliver();
    let ended: Vec<bool> = sessions.iter().map(|&session| rig.is_closed(session)).collect();
    assert_eq!(ended, [false, false, true, false, false, false]);
    assert!(!rig.is_closed(other));
}

#[test]
fn shared_blocks_count_once_and_total_limit_closes_slowest() {
    let mut rig = Fixture::new();
    // A megabyte waits for each of a hundred sessions, and it is the same block.
    for account in 0..100 {
        let session = rig.add_session_of_account(100 + account);
        rig.join(session, &[]);
    }
    for _ in 0..9 {
        rig.send_event(&"y".repeat(100 * 1024));
    }
    rig.deliver();
    assert!(rig.sessions.iter().all(|session| session.outbox.poll_close_reason(Waker::noop()).is_none()));
    // Then each gets a block of its own.
    let own: Vec<_> = (0..40).map(|account| rig.add_session_of_account(300 + account)).collect();
    for (&session, more) in own.iter().zip(0..) {
        rig.queue_line(session, &"z".repeat(900 * 1024 + more));
    }
    rig.deliver();
    let ended = rig.sessions.iter().filter(|s| s.outbox.poll_close_reason(Waker::noop()).is_some()).count();
    assert!((1..40).contains(&ended), "{ended}");
}

#[test]
fn each_form_is_made_once_and_holds_the_same_lines() {
    let mut rig = Fixture::new();
    let lines = rig.add_member();
    let sockets: Vec<SessionId> = [Subprotocol::Text, Subprotocol::Text, Subprotocol::Binary]
        .into_iter()
        .map(|subprotocol| {
            let session = rig.add_session_with_form(16, LineForm::Frames(subprotocol));
            rig.join(session, &[]);
            session
        })
        .collect();
    rig.send_event("one");
    rig.queue_line(sockets[1], "reply");
    rig.send_event("two");
    rig.deliver();
    let line_blocks = rig.received_blocks(lines);
    let expected = |subprotocol: Subprotocol| {
        let mut frames = Vec::new();
        subprotocol.append_frames(&line_blocks.concat(), &mut frames);
        frames
    };
    let blocks: Vec<Vec<Bytes>> = sockets.iter().map(|&session| rig.received_blocks(session)).collect();
    assert_eq!(blocks[0].concat(), expected(Subprotocol::Text));
    assert_eq!(blocks[2].concat(), expected(Subprotocol::Binary));
    let texts = |frames: &[Bytes]| String::from_utf8_lossy(&frames.concat()).into_owned();
    let with_reply = texts(&blocks[1]);
    let [one, reply, two] = ["one", "reply", "two"].map(|text| with_reply.find(text).expect(text));
    assert!(one < reply && reply < two && !with_reply.contains("\r\n"), "{with_reply:?}");

    // A block that two sessions share is the same memory.
    rig.send_event("three");
    rig.deliver();
    let [first, second] = [0, 1].map(|at| rig.received_blocks(sockets[at]));
    assert_eq!(first[0].as_ptr(), second[0].as_ptr());
    // The last line is a frame too.
    rig.sessions.get(sockets[0]).expect("there").outbox.close(&"bye".into());
    assert_eq!(rig.received_blocks(sockets[0]), [&b"\x81\x0aERROR :bye"[..]]);
}
