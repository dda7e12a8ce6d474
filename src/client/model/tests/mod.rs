mod kept_messages;
mod other_servers;
mod scripting;

use super::*;
use crate::wire::{Cap, Message, Timestamp};

const CAPS: CapSet =
    CapSet::from_caps(&[Cap::Batch, Cap::EchoMessage, Cap::LabeledResponse, Cap::MessageTags, Cap::SendId]);

fn nick(name: &str) -> Nick {
    Nick::parse(name).expect(name)
}

fn channel(name: &str) -> ChannelName {
    ChannelName::parse(name).expect(name)
}

fn target(name: &str) -> Conversation {
    Conversation::parse(name).expect(name)
}

/// Returns a model that is connected as alice, with no output or events waiting.
fn online_model() -> Model {
    let mut model = Model::new("run".into());
    model.connected(nick("alice"), CAPS);
    feed_lines(&mut model, &["PONG srv 1"]);
    output_lines(&mut model);
    take_events(&mut model);
    model
}

fn feed_lines(model: &mut Model, lines: &[&str]) {
    for line in lines {
        model.handle(&Message::parse(line).expect(line), Timestamp(1000));
    }
}

fn output_lines(model: &mut Model) -> Vec<String> {
    let mut bytes = Vec::new();
    model.take_output(&mut bytes);
    String::from_utf8(bytes).expect("UTF-8").lines().map(str::to_owned).collect()
}

fn take_events(model: &mut Model) -> Vec<Event> {
    std::iter::from_fn(|| model.next_event()).collect()
}

fn message_texts(events: &[Event]) -> Vec<&str> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Message(message) => Some(message.text.as_str()),
            _ => None,
        })
        .collect()
}

#[test]
fn kick_without_a_reason_does_not_repeat_who_kicked() {
    let mut model = online_model();
    feed_lines(
        &mut model,
        &[":alice!u@p JOIN #c", ":bob!u@p KICK #c carol :bob", ":bob!u@p KICK #c dave :spam"],
    );
    let events = take_events(&mut model);
    let reasons = events.iter().filter_map(|event| match event {
        Event::Left { reason, .. } => Some(reason.as_str()),
        _ => None,
    });
    assert_eq!(reasons.collect::<Vec<_>>(), ["", "spam"]);
}

#[test]
fn labeled_echo_confirms_message() {
    let mut model = online_model();
    let tickets = model.send_message(&target("#lobby"), MessageKind::Text, "hi");
    assert_eq!(tickets, [Ticket(2)]);
    assert_eq!(output_lines(&mut model), ["@label=2;parlour/send-id=run-2 PRIVMSG #lobby :hi"]);
    assert_eq!(model.unconfirmed_count(), 1);
    // The same text from another session confirms nothing.
    feed_lines(&mut model, &["@msgid=a :alice!a@h PRIVMSG #lobby :hi"]);
    assert_eq!(model.unconfirmed_count(), 1);
    feed_lines(&mut model, &["@label=2;msgid=b;time=2023-11-14T22:13:20.007Z :alice!a@h PRIVMSG #lobby :hi"]);
    assert_eq!(model.unconfirmed_count(), 0);
    let events = take_events(&mut model);
    assert_eq!(message_texts(&events), ["hi", "hi"]);
    assert_eq!(events[2], Event::Confirmed(Ticket(2)));
    assert!(
        matches!(&events[1], Event::Message(said) if said.mine && said.time == Timestamp(1_700_000_000_007))
    );
}

#[test]
fn labeled_batch_confirms_message() {
    let mut model = online_model();
    model.send_message(&target("bob"), MessageKind::Text, "hi");
    feed_lines(
        &mut model,
        &[
            "@label=2 :srv BATCH +x labeled-response",
            "@batch=x :srv 301 alice bob :at lunch",
            "@batch=x;msgid=m :alice!a@h PRIVMSG bob :hi",
            ":srv BATCH -x",
        ],
    );
    assert_eq!(model.unconfirmed_count(), 0);
    let events = take_events(&mut model);
    assert_eq!(events[0], Event::Info("bob: at lunch".into()));
    assert_eq!(events[2], Event::Confirmed(Ticket(2)));
    assert!(model.batches.is_empty());
}

#[test]
fn refusal_fails_only_its_message() {
    let mut model = online_model();
    for text in ["one", "two", "three"] {
        model.send_message(&target("#lobby"), MessageKind::Text, text);
    }
    feed_lines(
        &mut model,
        &[
            "@label=2 :srv 404 alice #lobby :Cannot send to channel",
            "@label=3 FAIL PRIVMSG STORE_FULL #lobby :The disk is full",
            ":srv 401 alice zoe :No such nick/channel",
        ],
    );
    assert_eq!(model.unconfirmed_count(), 1);
    let failed = |ticket, text: &str, reason: &str| Event::Failed {
        ticket: Ticket(ticket),
        target: target("#lobby"),
        text: text.into(),
        reason: reason.into(),
    };
    assert_eq!(
        take_events(&mut model),
        [
            failed(
                2,
                "one",
                "#lobby does not take it: Cannot send to channel; /mode #lobby shows what it takes"
            ),
            failed(3, "two", "The disk is full"),
            Event::Error("there is nobody called zoe; /who lists the people who are online".into()),
        ]
    );
}

#[test]
fn reconnect_resends_with_same_send_id() {
    let mut model = online_model();
    model.send_message(&target("#lobby"), MessageKind::Text, "one");
    model.send_message(&target("#lobby"), MessageKind::Text, "two");
    output_lines(&mut model);
    feed_lines(&mut model, &["@label=2;msgid=a :alice!a@h PRIVMSG #lobby :one"]);
    model.disconnected();
    model.send_message(&target("#lobby"), MessageKind::Text, "three");
    assert_eq!(output_lines(&mut model), [""; 0]);
    model.connected(nick("alice"), CAPS);
    let mut sent = output_lines(&mut model);
    feed_lines(&mut model, &["PONG srv 5"]);
    sent.extend(output_lines(&mut model));
    assert_eq!(
        sent,
        [
            "PING 5",
            "@label=3;parlour/send-id=run-3 PRIVMSG #lobby :two",
            "@label=4;parlour/send-id=run-4 PRIVMSG #lobby :three",
        ]
    );
    // The server had stored "two" before and replays it before it replies.
    feed_lines(
        &mut model,
        &[
            "@msgid=b :alice!a@h PRIVMSG #lobby :two",
            "@label=3;msgid=b :alice!a@h PRIVMSG #lobby :two",
            "@label=4;msgid=c :alice!a@h PRIVMSG #lobby :three",
        ],
    );
    let events = take_events(&mut model);
    assert_eq!(message_texts(&events), ["one", "two", "three"]);
    assert_eq!(model.unconfirmed_count(), 0);
}

#[test]
fn without_send_ids_nothing_is_resent() {
    let caps = CAPS.without(Cap::SendId);
    let mut model = Model::new("run".into());
    model.connected(nick("alice"), caps);
    model.send_message(&target("#lobby"), MessageKind::Text, "one");
    model.disconnected();
    model.send_message(&target("#lobby"), MessageKind::Text, "two");
    model.connected(nick("alice"), caps);
    assert_eq!(output_lines(&mut model), ["PING 4"]);
    feed_lines(&mut model, &["PONG srv 4"]);
    assert_eq!(output_lines(&mut model), ["@label=3 PRIVMSG #lobby :two"]);
    assert!(matches!(
        take_events(&mut model)[..],
        [Event::Failed { ticket: Ticket(2), .. }, Event::Ready { .. }]
    ));
}

/// Returns a model that has gone offline with so many messages to #lobby waiting.
fn model_with_backlog(count: usize) -> Model {
    let mut model = online_model();
    model.disconnected();
    for number in 0..count {
        model.send_message(&target("#lobby"), MessageKind::Text, &number.to_string());
    }
    model
}

fn echo(line: &str) -> String {
    let (tags, rest) = line.split_once(' ').expect("tags");
    format!("{tags};msgid={} :alice!a@h {rest}", rest.replace([' ', ':', '#'], "-"))
}

#[test]
fn a_backlog_goes_out_behind_the_login_a_few_at_a_time() {
    let mut model = model_with_backlog(300);
    model.connected(nick("alice"), CAPS);
    assert_eq!(output_lines(&mut model), ["PING 302"]);
    feed_lines(&mut model, &["PONG srv 302"]);
    let mut sent = output_lines(&mut model);
    assert_eq!((sent.len(), model.waiting_count()), (4, 296));
    // What the user does meanwhile is not behind the rest of the backlog.
    model.query_names(&channel("#lobby")).expect("online");
    model.send_message(&target("bob"), MessageKind::Text, "hi");
    let more = output_lines(&mut model);
    assert_eq!(more, ["NAMES #lobby", "@label=303;parlour/send-id=run-303 PRIVMSG bob :hi"]);
    feed_lines(&mut model, &[&echo(&more[1])]);
    assert_eq!(output_lines(&mut model), [""; 0], "this was no part of the backlog");
    // In the same conversation the order stays.
    model.send_message(&target("#lobby"), MessageKind::Text, "last");
    assert_eq!(output_lines(&mut model), [""; 0]);
    let mut texts = Vec::new();
    while let Some(line) = sent.first().cloned() {
        sent.remove(0);
        texts.push(line.rsplit(':').next().unwrap_or_default().to_owned());
        feed_lines(&mut model, &[&echo(&line)]);
        sent.extend(output_lines(&mut model));
        assert!(sent.len() <= 4);
    }
    let expected: Vec<String> =
        (0..300).map(|number| number.to_string()).chain(["last".to_owned()]).collect();
    assert_eq!(texts, expected);
    assert_eq!(model.unconfirmed_count(), 0);
    // Nothing waits any more, so everything goes out at once.
    for _ in 0..20 {
        model.send_message(&target("#lobby"), MessageKind::Text, "hi");
    }
    assert_eq!(output_lines(&mut model).len(), 20);
}

#[test]
fn waiting_messages_can_be_cancelled_and_sent_ones_cannot() {
    let mut model = model_with_backlog(6);
    let other = model.send_message(&target("bob"), MessageKind::Text, "hi")[0];
    assert_eq!(model.last_waiting(&target("#lobby")), Some(Ticket(7)));
    let cancelled = |ticket, may_have_arrived| Cancelled { ticket: Ticket(ticket), may_have_arrived };
    assert_eq!(model.cancel_message(Ticket(7)), Some(cancelled(7, false)));
    assert_eq!((model.cancel_message(Ticket(7)), model.waiting_count()), (None, 6));
    model.connected(nick("alice"), CAPS);
    feed_lines(&mut model, &["PONG srv 9"]);
    output_lines(&mut model);
    assert_eq!(model.cancel_message(Ticket(2)), None, "it was sent");
    let cancel_all = |model: &mut Model| -> Vec<Cancelled> {
        let waiting = model.all_waiting(&target("#lobby"));
        waiting.into_iter().filter_map(|ticket| model.cancel_message(ticket)).collect()
    };
    assert_eq!(cancel_all(&mut model), [cancelled(6, false)]);
    assert!(model.is_waiting(other));
    // What was sent on a broken connection may have arrived.
    model.disconnected();
    model.connected(nick("alice"), CAPS);
    let all: Vec<Cancelled> = [2, 3, 4, 5].into_iter().map(|ticket| cancelled(ticket, true)).collect();
    assert_eq!(cancel_all(&mut model), all);
    feed_lines(&mut model, &["PONG srv 10"]);
    assert_eq!(output_lines(&mut model), ["PING 10", "@label=8;parlour/send-id=run-8 PRIVMSG bob :hi"]);
}

#[test]
fn message_to_self_is_shown_once() {
    let mut model = online_model();
    model.send_message(&target("alice"), MessageKind::Text, "note");
    feed_lines(
        &mut model,
        &["@msgid=a :alice!a@h PRIVMSG alice :note", "@label=2;msgid=a :alice!a@h PRIVMSG alice :note"],
    );
    let events = take_events(&mut model);
    assert_eq!(message_texts(&events), ["note"]);
    assert_eq!(events[1], Event::Confirmed(Ticket(2)));
}

#[test]
fn join_shows_topic_and_names_once() {
    let mut model = online_model();
    model.join(&channel("#lobby"));
    model.join(&channel("#LOBBY"));
    assert_eq!(output_lines(&mut model), ["JOIN #lobby"]);
    let entry = [
        ":alice!a@h JOIN #lobby",
        ":srv 332 alice #lobby :Be kind",
        ":srv 333 alice #lobby bob 1700000000",
        ":srv 353 alice = #lobby :@bob alice",
        ":srv 353 alice = #lobby :+Carol",
        ":srv 366 alice #lobby :End of /NAMES list",
    ];
    feed_lines(&mut model, &entry);
    let events = take_events(&mut model);
    assert!(matches!(&events[0], Event::Joined { is_me: true, .. }));
    assert!(matches!(&events[1], Event::Topic { text, .. } if text == "Be kind"));
    assert!(matches!(&events[2], Event::Names { names, .. } if names == &["alice", "@bob", "+Carol"]));
    assert_eq!(events.len(), 3);

    feed_lines(&mut model, &[":dave!d@h JOIN #lobby", ":bob!b@h QUIT :bye"]);
    take_events(&mut model);
    let members = |model: &Model| {
        let (_, channel) = model.channels().next().expect("one channel");
        channel.members.keys().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(members(&model), ["alice", "Carol", "dave"]);

    // A reconnection repeats nothing that is known already.
    model.disconnected();
    model.connected(nick("alice"), CAPS);
    feed_lines(&mut model, &entry);
    feed_lines(&mut model, &["PONG srv 2"]);
    assert_eq!(take_events(&mut model), [Event::Ready { reconnected: true }]);
    assert_eq!(members(&model), ["alice", "bob", "Carol"]);

    // Another session left the channel while this one was offline.
    model.disconnected();
    model.connected(nick("alice"), CAPS);
    feed_lines(&mut model, &["PONG srv 3"]);
    let dropped = Event::MembershipLost { channel: channel("#lobby") };
    assert_eq!(take_events(&mut model), [dropped, Event::Ready { reconnected: true }]);
    assert!(!model.is_in(&channel("#lobby")));
}

#[test]
fn refused_join_is_reported_and_not_retried() {
    let mut model = online_model();
    model.join(&channel("#secret"));
    feed_lines(&mut model, &[":srv 473 alice #secret :Cannot join channel (+i)"]);
    let refused = Event::JoinFailed {
        channel: channel("#secret"),
        reason: "#secret is invite-only; ask one of its operators for an /invite, by /knock #secret unless the channel is secret".into(),
    };
    assert_eq!(take_events(&mut model), [refused]);
    output_lines(&mut model);
    model.disconnected();
    model.connected(nick("alice"), CAPS);
    assert_eq!(output_lines(&mut model), ["PING 2"]);
}

#[test]
fn offline_queries_fail_and_joins_wait() {
    let mut model = Model::new("run".into());
    assert_eq!(model.query_names(&channel("#a")), Err(NotConnected));
    assert_eq!(model.quit("x"), Err(NotConnected));
    model.join(&channel("#a"));
    model.connected(nick("alice"), CAPS);
    model.query_names(&channel("#b")).expect("online");
    assert_eq!(output_lines(&mut model), ["JOIN #a", "PING 1", "NAMES #b"]);
    feed_lines(&mut model, &[":srv 353 alice = #b :zoe", ":srv 366 alice #b :End"]);
    assert_eq!(take_events(&mut model), [Event::Names { channel: channel("#b"), names: vec!["zoe".into()] }]);
}

#[test]
fn parses_conversations_and_message_kinds() {
    let mut model = online_model();
    feed_lines(
        &mut model,
        &[
            ":bob!b@h PRIVMSG alice :psst",
            ":alice!a@h PRIVMSG bob :yes?",
            ":bob!b@h NOTICE @#lobby :to ops",
            ":bob!b@h PRIVMSG #lobby :\u{1}ACTION waves\u{1}",
            ":srv NOTICE alice :maintenance at 5",
            ":odd,source!x@h PRIVMSG #lobby :not a nick",
            ":zoë.from.elsewhere.with.a.long.name!x@h PRIVMSG alice :hi",
        ],
    );
    let got: Vec<_> = take_events(&mut model)
        .into_iter()
        .map(|event| match event {
            Event::Message(message) => {
                (message.conversation.to_string(), message.from.to_string(), message.kind, message.text)
            }
            Event::Info(text) => (String::new(), String::new(), MessageKind::Notice, text),
            other => panic!("{other:?}"),
        })
        .collect();
    let row = |conversation: &str, from: &str, kind, text: &str| {
        (conversation.into(), from.into(), kind, text.into())
    };
    assert_eq!(
        got,
        [
            row("bob", "bob", MessageKind::Text, "psst"),
            row("bob", "alice", MessageKind::Text, "yes?"),
            row("#lobby", "bob", MessageKind::Notice, "to ops"),
            row("#lobby", "bob", MessageKind::Action, "waves"),
            row("", "", MessageKind::Notice, "maintenance at 5"),
            row(
                "zoë.from.elsewhere.with.a.long.name",
                "zoë.from.elsewhere.with.a.long.name",
                MessageKind::Text,
                "hi"
            ),
        ]
    );
}

#[test]
fn long_text_is_split_to_relayed_line_limit() {
    let mut model = online_model();
    let text = "wörter und mehr ".repeat(100);
    let source = "alice!alice@a-host.example.org";
    feed_lines(&mut model, &[&format!(":{source} JOIN #lobby")]);
    let tickets = model.send_message(&target("#lobby"), MessageKind::Action, &text);
    assert!(tickets.len() > 3);
    let sent = output_lines(&mut model);
    assert_eq!(sent.len(), tickets.len());
    let mut whole = String::new();
    for line in &sent {
        let (_, rest) = line.split_once(' ').expect("tags");
        let relayed = format!(":{source} {rest}\r\n");
        assert!(relayed.len() <= 512, "{}", relayed.len());
        let relayed_text = Message::parse(line).and_then(|m| m.param(1)).expect("text");
        whole += relayed_text.trim_matches('\u{1}').strip_prefix("ACTION ").expect("action");
    }
    assert_eq!(whole, text);
    // The first piece is as long as the line allows.
    assert!(sent[0].len() > 470, "{}", sent[0].len());
    feed_lines(&mut model, &[":srv 005 alice NICKLEN=24 LINELEN=2048 :are supported"]);
    assert_eq!(model.send_message(&target("#lobby"), MessageKind::Text, &text).len(), 1);
}

#[test]
fn line_breaks_in_text_do_not_inject_lines() {
    let mut model = online_model();
    model.send_message(&target("#lobby"), MessageKind::Text, "a\r\nQUIT\0");
    assert_eq!(output_lines(&mut model), ["@label=2;parlour/send-id=run-2 PRIVMSG #lobby :aQUIT"]);
    assert_eq!(model.send_message(&target("#lobby"), MessageKind::Text, "\r\n"), []);
}

proptest::proptest! {
    /// However often the connection breaks and replies are lost, each message is confirmed once and shown once, in the
    /// order of sending.
    #[test]
    fn no_message_is_lost_or_duplicated(steps in proptest::collection::vec(0u8..5, 0..80)) {
        let mut model = online_model();
        // The server's state: stored messages by send id, and replies not yet delivered.
        let mut kept: Vec<String> = Vec::new();
        let mut answers: VecDeque<String> = VecDeque::new();
        let mut sent = Vec::new();
        let mut shown = Vec::new();
        let mut confirmed = Vec::new();
        for step in steps.into_iter().chain([3, 1, 2, 2].into_iter().cycle().take(800)) {
            match step {
                0 if sent.len() < 90 => sent.extend(model.send_message(&target("#c"), MessageKind::Text, &format!("text {}", sent.len()))),
                1 => for line in output_lines(&mut model) {
                    if let Some(token) = line.strip_prefix("PING ") {
                        answers.push_back(format!("PONG srv {token}"));
                    }
                    let line = Message::parse(&line).expect("a line");
                    let Some(id) = line.tags.get("parlour/send-id") else { continue };
                    let at = kept.iter().position(|k| *k == id).unwrap_or_else(|| { kept.push(id.to_string()); kept.len() - 1 });
                    let label = line.tags.get("label").expect("a label");
                    answers.push_back(format!("@label={label};msgid={at} :alice!a@h PRIVMSG #c :{}", line.param(1).expect("text")));
                },
                2 => if let Some(answer) = answers.pop_front() { feed_lines(&mut model, &[&answer]); },
                3 => { if !model.is_online() { model.connected(nick("alice"), CAPS); } }
                _ => { model.disconnected(); answers.clear(); }
            }
            for event in take_events(&mut model) {
                match event {
                    Event::Message(message) => shown.push(message.text),
                    Event::Confirmed(ticket) => confirmed.push(ticket),
                    _ => {}
                }
            }
        }
        proptest::prop_assert_eq!(model.unconfirmed_count(), 0);
        proptest::prop_assert_eq!(&confirmed, &sent);
        proptest::prop_assert_eq!(kept.len(), sent.len());
        let expected: Vec<String> = (0..sent.len()).map(|n| format!("text {n}")).collect();
        proptest::prop_assert_eq!(shown, expected);
    }
}
