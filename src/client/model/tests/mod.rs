mod elsewhere;

use super::*;
use crate::wire::{Cap, Message, Millis};

const CAPS: CapSet =
    CapSet::of(&[Cap::Batch, Cap::EchoMessage, Cap::LabeledResponse, Cap::MessageTags, Cap::SendId]);

fn nick(name: &str) -> Nick {
    Nick::parse(name).expect(name)
}

fn channel(name: &str) -> ChannelName {
    ChannelName::parse(name).expect(name)
}

fn target(name: &str) -> Target {
    Target::parse(name).expect(name)
}

/// Returns a model that is connected as alice, with no output or events waiting.
fn online() -> Model {
    let mut model = Model::new("run".into());
    model.connected(nick("alice"), CAPS);
    feed(&mut model, &["PONG srv 1"]);
    lines(&mut model);
    events(&mut model);
    model
}

fn feed(model: &mut Model, lines: &[&str]) {
    for line in lines {
        model.handle(&Message::parse(line).expect(line), Millis(1000));
    }
}

fn lines(model: &mut Model) -> Vec<String> {
    let mut bytes = Vec::new();
    model.take_output(&mut bytes);
    String::from_utf8(bytes).expect("UTF-8").lines().map(str::to_owned).collect()
}

fn events(model: &mut Model) -> Vec<Event> {
    std::iter::from_fn(|| model.next_event()).collect()
}

fn texts(events: &[Event]) -> Vec<&str> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Said(said) => Some(said.text.as_str()),
            _ => None,
        })
        .collect()
}

#[test]
fn labeled_echo_confirms_message() {
    let mut model = online();
    let tickets = model.say(&target("#lobby"), Kind::Text, "hi");
    assert_eq!(tickets, [Ticket(2)]);
    assert_eq!(lines(&mut model), ["@label=2;parlour/send-id=run-2 PRIVMSG #lobby :hi"]);
    assert_eq!(model.pending(), 1);
    // The same text from another session confirms nothing.
    feed(&mut model, &["@msgid=a :alice!a@h PRIVMSG #lobby :hi"]);
    assert_eq!(model.pending(), 1);
    feed(&mut model, &["@label=2;msgid=b;time=2023-11-14T22:13:20.007Z :alice!a@h PRIVMSG #lobby :hi"]);
    assert_eq!(model.pending(), 0);
    let events = events(&mut model);
    assert_eq!(texts(&events), ["hi", "hi"]);
    assert_eq!(events[2], Event::Confirmed(Ticket(2)));
    assert!(matches!(&events[1], Event::Said(said) if said.mine && said.time == Millis(1_700_000_000_007)));
}

#[test]
fn labeled_batch_confirms_message() {
    let mut model = online();
    model.say(&target("bob"), Kind::Text, "hi");
    feed(
        &mut model,
        &[
            "@label=2 :srv BATCH +x labeled-response",
            "@batch=x :srv 301 alice bob :at lunch",
            "@batch=x;msgid=m :alice!a@h PRIVMSG bob :hi",
            ":srv BATCH -x",
        ],
    );
    assert_eq!(model.pending(), 0);
    let events = events(&mut model);
    assert_eq!(events[0], Event::Info("bob: at lunch".into()));
    assert_eq!(events[2], Event::Confirmed(Ticket(2)));
    assert!(model.batches.is_empty());
}

#[test]
fn refusal_fails_only_its_message() {
    let mut model = online();
    for text in ["one", "two", "three"] {
        model.say(&target("#lobby"), Kind::Text, text);
    }
    feed(
        &mut model,
        &[
            "@label=2 :srv 404 alice #lobby :Cannot send to channel",
            "@label=3 FAIL PRIVMSG STORE_FULL #lobby :The disk is full",
            ":srv 401 alice zoe :No such nick/channel",
        ],
    );
    assert_eq!(model.pending(), 1);
    let failed = |ticket, reason: &str| Event::Failed {
        ticket: Ticket(ticket),
        target: target("#lobby"),
        reason: reason.into(),
    };
    assert_eq!(
        events(&mut model),
        [
            failed(2, "Cannot send to channel"),
            failed(3, "The disk is full"),
            Event::Error("zoe: No such nick/channel".into()),
        ]
    );
}

#[test]
fn reconnect_resends_with_same_send_id() {
    let mut model = online();
    model.say(&target("#lobby"), Kind::Text, "one");
    model.say(&target("#lobby"), Kind::Text, "two");
    lines(&mut model);
    feed(&mut model, &["@label=2;msgid=a :alice!a@h PRIVMSG #lobby :one"]);
    model.disconnected();
    model.say(&target("#lobby"), Kind::Text, "three");
    assert_eq!(lines(&mut model), [""; 0]);
    model.connected(nick("alice"), CAPS);
    assert_eq!(
        lines(&mut model),
        [
            "@label=3;parlour/send-id=run-3 PRIVMSG #lobby :two",
            "@label=4;parlour/send-id=run-4 PRIVMSG #lobby :three",
            "PING 5",
        ]
    );
    // The server had stored "two" before and replays it before it replies.
    feed(
        &mut model,
        &[
            "@msgid=b :alice!a@h PRIVMSG #lobby :two",
            "@label=3;msgid=b :alice!a@h PRIVMSG #lobby :two",
            "@label=4;msgid=c :alice!a@h PRIVMSG #lobby :three",
        ],
    );
    let events = events(&mut model);
    assert_eq!(texts(&events), ["one", "two", "three"]);
    assert_eq!(model.pending(), 0);
}

#[test]
fn without_send_ids_nothing_is_resent() {
    let caps = CAPS.without(Cap::SendId);
    let mut model = Model::new("run".into());
    model.connected(nick("alice"), caps);
    model.say(&target("#lobby"), Kind::Text, "one");
    model.disconnected();
    model.say(&target("#lobby"), Kind::Text, "two");
    model.connected(nick("alice"), caps);
    assert_eq!(lines(&mut model), ["@label=3 PRIVMSG #lobby :two", "PING 4"]);
    assert!(matches!(events(&mut model)[..], [Event::Failed { ticket: Ticket(2), .. }]));
}

#[test]
fn message_to_self_is_shown_once() {
    let mut model = online();
    model.say(&target("alice"), Kind::Text, "note");
    feed(
        &mut model,
        &["@msgid=a :alice!a@h PRIVMSG alice :note", "@label=2;msgid=a :alice!a@h PRIVMSG alice :note"],
    );
    let events = events(&mut model);
    assert_eq!(texts(&events), ["note"]);
    assert_eq!(events[1], Event::Confirmed(Ticket(2)));
}

#[test]
fn join_shows_topic_and_names_once() {
    let mut model = online();
    model.join(&channel("#lobby"));
    model.join(&channel("#LOBBY"));
    assert_eq!(lines(&mut model), ["JOIN #lobby"]);
    let entry = [
        ":alice!a@h JOIN #lobby",
        ":srv 332 alice #lobby :Be kind",
        ":srv 333 alice #lobby bob 1700000000",
        ":srv 353 alice = #lobby :@bob alice",
        ":srv 353 alice = #lobby :+Carol",
        ":srv 366 alice #lobby :End of /NAMES list",
    ];
    feed(&mut model, &entry);
    let told = events(&mut model);
    assert!(matches!(&told[0], Event::Joined { me: true, .. }));
    assert!(matches!(&told[1], Event::Topic { text, .. } if text == "Be kind"));
    assert!(matches!(&told[2], Event::Names { names, .. } if names == &["alice", "@bob", "+Carol"]));
    assert_eq!(told.len(), 3);

    feed(&mut model, &[":dave!d@h JOIN #lobby", ":bob!b@h QUIT :bye"]);
    events(&mut model);
    let members = |model: &Model| {
        let (_, channel) = model.channels().next().expect("one channel");
        channel.members.keys().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(members(&model), ["alice", "Carol", "dave"]);

    // A reconnection repeats nothing that is known already.
    model.disconnected();
    model.connected(nick("alice"), CAPS);
    feed(&mut model, &entry);
    feed(&mut model, &["PONG srv 2"]);
    assert_eq!(events(&mut model), [Event::Ready { again: true }]);
    assert_eq!(members(&model), ["alice", "bob", "Carol"]);

    // Another session left the channel while this one was offline.
    model.disconnected();
    model.connected(nick("alice"), CAPS);
    feed(&mut model, &["PONG srv 3"]);
    let dropped = Event::Dropped { channel: channel("#lobby") };
    assert_eq!(events(&mut model), [dropped, Event::Ready { again: true }]);
    assert!(!model.is_in(&channel("#lobby")));
}

#[test]
fn refused_join_is_reported_and_not_retried() {
    let mut model = online();
    model.join(&channel("#secret"));
    feed(&mut model, &[":srv 473 alice #secret :Cannot join channel (+i)"]);
    let refused =
        Event::JoinFailed { channel: channel("#secret"), reason: "Cannot join channel (+i)".into() };
    assert_eq!(events(&mut model), [refused]);
    lines(&mut model);
    model.disconnected();
    model.connected(nick("alice"), CAPS);
    assert_eq!(lines(&mut model), ["PING 2"]);
}

#[test]
fn offline_queries_fail_and_joins_wait() {
    let mut model = Model::new("run".into());
    assert_eq!(model.names(&channel("#a")), Err(Offline));
    assert_eq!(model.quit("x"), Err(Offline));
    model.join(&channel("#a"));
    model.connected(nick("alice"), CAPS);
    model.names(&channel("#b")).expect("online");
    assert_eq!(lines(&mut model), ["JOIN #a", "PING 1", "NAMES #b"]);
    feed(&mut model, &[":srv 353 alice = #b :zoe", ":srv 366 alice #b :End"]);
    assert_eq!(events(&mut model), [Event::Names { channel: channel("#b"), names: vec!["zoe".into()] }]);
}

#[test]
fn parses_conversations_and_message_kinds() {
    let mut model = online();
    feed(
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
    let got: Vec<_> = events(&mut model)
        .into_iter()
        .map(|event| match event {
            Event::Said(said) => (said.place.to_string(), said.from.to_string(), said.kind, said.text),
            Event::Info(text) => (String::new(), String::new(), Kind::Notice, text),
            other => panic!("{other:?}"),
        })
        .collect();
    let row = |place: &str, from: &str, kind, text: &str| (place.into(), from.into(), kind, text.into());
    assert_eq!(
        got,
        [
            row("bob", "bob", Kind::Text, "psst"),
            row("bob", "alice", Kind::Text, "yes?"),
            row("#lobby", "bob", Kind::Notice, "to ops"),
            row("#lobby", "bob", Kind::Action, "waves"),
            row("", "", Kind::Notice, "maintenance at 5"),
            row(
                "zoë.from.elsewhere.with.a.long.name",
                "zoë.from.elsewhere.with.a.long.name",
                Kind::Text,
                "hi"
            ),
        ]
    );
}

#[test]
fn long_text_is_split_to_relayed_line_limit() {
    let mut model = online();
    let text = "wörter und mehr ".repeat(100);
    let source = "alice!alice@a-host.example.org";
    feed(&mut model, &[&format!(":{source} JOIN #lobby")]);
    let tickets = model.say(&target("#lobby"), Kind::Action, &text);
    assert!(tickets.len() > 3);
    let sent = lines(&mut model);
    assert_eq!(sent.len(), tickets.len());
    let mut whole = String::new();
    for line in &sent {
        let (_, rest) = line.split_once(' ').expect("tags");
        let relayed = format!(":{source} {rest}\r\n");
        assert!(relayed.len() <= 512, "{}", relayed.len());
        let said = Message::parse(line).and_then(|m| m.param(1)).expect("text");
        whole += said.trim_matches('\u{1}').strip_prefix("ACTION ").expect("action");
    }
    assert_eq!(whole, text);
    // The first piece is as long as the line allows.
    assert!(sent[0].len() > 470, "{}", sent[0].len());
    feed(&mut model, &[":srv 005 alice NICKLEN=24 LINELEN=2048 :are supported"]);
    assert_eq!(model.say(&target("#lobby"), Kind::Text, &text).len(), 1);
}

#[test]
fn line_breaks_in_text_do_not_inject_lines() {
    let mut model = online();
    model.say(&target("#lobby"), Kind::Text, "a\r\nQUIT\0");
    assert_eq!(lines(&mut model), ["@label=2;parlour/send-id=run-2 PRIVMSG #lobby :aQUIT"]);
    assert_eq!(model.say(&target("#lobby"), Kind::Text, "\r\n"), []);
}

proptest::proptest! {
    /// However often the connection breaks and replies are lost, each message is confirmed once and shown once, in the
    /// order of sending.
    #[test]
    fn no_message_is_lost_or_duplicated(steps in proptest::collection::vec(0u8..5, 0..80)) {
        let mut model = online();
        // The server's state: stored messages by send id, and replies not yet delivered.
        let mut kept: Vec<String> = Vec::new();
        let mut answers: VecDeque<String> = VecDeque::new();
        let mut said = Vec::new();
        let mut shown = Vec::new();
        let mut confirmed = Vec::new();
        for step in steps.into_iter().chain([3, 1, 2, 2].into_iter().cycle().take(800)) {
            match step {
                0 if said.len() < 90 => said.extend(model.say(&target("#c"), Kind::Text, &format!("text {}", said.len()))),
                1 => for line in lines(&mut model) {
                    let line = Message::parse(&line).expect("a line");
                    let Some(id) = line.tags.get("parlour/send-id") else { continue };
                    let at = kept.iter().position(|k| *k == id).unwrap_or_else(|| { kept.push(id.to_string()); kept.len() - 1 });
                    let label = line.tags.get("label").expect("a label");
                    answers.push_back(format!("@label={label};msgid={at} :alice!a@h PRIVMSG #c :{}", line.param(1).expect("text")));
                },
                2 => if let Some(answer) = answers.pop_front() { feed(&mut model, &[&answer]); },
                3 => { if !model.is_online() { model.connected(nick("alice"), CAPS); } }
                _ => { model.disconnected(); answers.clear(); }
            }
            for event in events(&mut model) {
                match event {
                    Event::Said(said) => shown.push(said.text),
                    Event::Confirmed(ticket) => confirmed.push(ticket),
                    _ => {}
                }
            }
        }
        proptest::prop_assert_eq!(model.pending(), 0);
        proptest::prop_assert_eq!(&confirmed, &said);
        proptest::prop_assert_eq!(kept.len(), said.len());
        let expected: Vec<String> = (0..said.len()).map(|n| format!("text {n}")).collect();
        proptest::prop_assert_eq!(shown, expected);
    }
}
