use super::*;
use crate::client::model::{ChatMessage, MessageKind};
use crate::wire::{Cap, CapSet, ChannelName, Message, Nick, Timestamp};

fn channel(name: &str, members: u32, topic: &str) -> ListedChannel {
    let name = ChannelName::parse(name).expect(name);
    ListedChannel { name, members, topic: topic.to_owned() }
}

#[test]
fn channels_are_filtered_and_the_largest_come_first() {
    let all = [channel("#art", 1, ""), channel("#zoo", 12, "Wild \u{1b}[31manimals")];
    let found = found_channels(&all, "", true);
    assert_eq!(found.lines.len(), 2);
    assert!(found.lines[0].starts_with("#zoo (12 here): Wild ") && !found.lines[0].contains('\u{1b}'));
    assert_eq!(found.lines[1], "#art (1 here)");
    let found = found_channels(&all, "ANIMALS zoo", true);
    assert_eq!((found.lines.len(), found.note.as_str()), (1, "1 channel; /join #NAME joins it"));
    assert!(found_channels(&all, "fish", true).note.starts_with("no channel matches"));
    let many: Vec<ListedChannel> = (0..300).map(|n| channel(&format!("#c{n}"), n, "")).collect();
    let found = found_channels(&many, "", false);
    assert_eq!(found.lines.len(), MAX_CHANNELS);
    assert!(found.note.contains("of 300 channels") && found.note.contains("the server has more"));
}

fn lobby() -> Conversation {
    Conversation::parse("#lobby").expect("a channel")
}

fn model() -> Model {
    let mut model = Model::new("run".into());
    model.connected(Nick::parse("alice").expect("a nick"), CapSet::from_caps(Cap::ALL));
    model.take_output(&mut Vec::new());
    model
}

fn start(finder: &mut Finder, command: Navigation, model: &mut Model) -> Result<Option<Found>, String> {
    let mut recent = RecentMessages::default();
    recent.add(&message("a1", "the rules"));
    finder.start(command, Some(&lobby()), model, &recent)
}

fn message(id: &str, text: &str) -> ChatMessage {
    ChatMessage {
        conversation: lobby(),
        from: Nick::parse("bob").expect("a nick"),
        mine: false,
        kind: MessageKind::Text,
        text: text.to_owned(),
        time: Timestamp(0),
        msgid: Some(id.to_owned()),
        reply_to: None,
        files: Vec::new(),
        ticket: None,
    }
}

/// Takes the last line that was sent, and returns its label and the rest.
fn sent(model: &mut Model) -> (String, String) {
    let mut bytes = Vec::new();
    model.take_output(&mut bytes);
    let text = String::from_utf8(bytes).expect("UTF-8");
    let line = text.lines().rev().find(|line| line.starts_with("@label=")).expect("a labelled line");
    let (label, rest) = line["@label=".len()..].split_once(' ').expect("a label");
    (label.to_owned(), rest.to_owned())
}

/// Handles lines of the server. Returns the first result.
fn receive(finder: &mut Finder, model: &mut Model, lines: &[&str]) -> Option<Found> {
    let mut result = None;
    for line in lines {
        model.handle(&Message::parse(line).expect(line), Timestamp(1));
        while let Some(event) = model.next_event() {
            let (_, found) = finder.take(&event, model, &TimeZone::UTC);
            result = result.or(found);
        }
    }
    result
}

#[test]
fn the_latest_message_is_pinned_and_listed_with_its_text() {
    let (mut finder, mut model) = (Finder::default(), model());
    assert_eq!(start(&mut finder, Navigation::Mark(Mark::Pin), &mut model), Ok(None));
    let (label, line) = sent(&mut model);
    assert_eq!(line, "METADATA #lobby GET parlour/pinned-messages");
    let value = |label: &str, ids: &str| {
        format!("@label={label} :s 761 alice #lobby parlour/pinned-messages * :{ids}")
    };
    assert_eq!(receive(&mut finder, &mut model, &[&value(&label, "z9")]), None);
    let (label, line) = sent(&mut model);
    assert_eq!(line, "METADATA #lobby SET parlour/pinned-messages :a1,z9");
    let found = receive(&mut finder, &mut model, &[&value(&label, "a1,z9")]).expect("a result");
    assert_eq!(found.note, "pinned for everybody in the channel");
    assert_eq!(start(&mut finder, Navigation::Mark(Mark::Pin), &mut model), Ok(None));
    let (label, _) = sent(&mut model);
    let found = receive(&mut finder, &mut model, &[&value(&label, "a1,z9")]).expect("a result");
    assert_eq!(found.note, "this message is pinned already");

    assert_eq!(start(&mut finder, Navigation::Marked(Mark::Pin), &mut model), Ok(None));
    let (label, _) = sent(&mut model);
    assert_eq!(receive(&mut finder, &mut model, &[&value(&label, "a1,z9")]), None);
    let (label, line) = sent(&mut model);
    assert_eq!(line, "CHATHISTORY AROUND #lobby msgid=z9 1");
    let first: usize = label.parse::<usize>().expect("a ticket") - 1;
    let found = receive(
        &mut finder,
        &mut model,
        &[
            &format!("@label={first} :s BATCH +h chathistory #lobby"),
            "@batch=h;msgid=a1 :bob!u@p PRIVMSG #lobby :the rules",
            "BATCH -h",
            &format!("@label={label} FAIL CHATHISTORY INVALID_PARAMS AROUND :Invalid message reference"),
        ],
    );
    let found = found.expect("a list");
    assert!(found.lines[0].starts_with("1. [") && found.lines[0].ends_with("#lobby <bob> the rules"));
    assert_eq!(found.lines[1], "2. no longer in the history");
}

#[test]
fn a_refused_pin_names_who_may() {
    let (mut finder, mut model) = (Finder::default(), model());
    start(&mut finder, Navigation::Unmark(Mark::Pin, Some(1)), &mut model).expect("a query");
    let (label, _) = sent(&mut model);
    let line = format!("@label={label} :s 761 alice #lobby parlour/pinned-messages * :z9");
    assert_eq!(receive(&mut finder, &mut model, &[&line]), None);
    let (label, line) = sent(&mut model);
    assert_eq!(line, "METADATA #lobby SET parlour/pinned-messages");
    let refusal = format!("@label={label} FAIL METADATA KEY_NO_PERMISSION #lobby x :You may not");
    let found = receive(&mut finder, &mut model, &[&refusal]).expect("a result");
    assert!(found.failed && found.note.contains("operators of the channel"), "{found:?}");
}

/// Returns the lines of a page of #lobby that answers the query with this label, from `id: text` with an optional
/// `id>parent: text` and `me` as a prefix for own messages.
fn page(label: &str, messages: &[String]) -> Vec<String> {
    let mut lines = vec![format!("@label={label} :s BATCH +h chathistory #lobby")];
    for (at, message) in messages.iter().enumerate() {
        let (head, text) = message.split_once(": ").expect("a text");
        let (from, head) = head.strip_prefix("me ").map_or(("bob", head), |head| ("alice", head));
        let (id, parent) = head.split_once('>').map_or((head, None), |(id, parent)| (id, Some(parent)));
        let reply = parent.map(|parent| format!(";+draft/reply={parent}")).unwrap_or_default();
        let time = Timestamp(1_700_000_000_000 + at as u64);
        lines.push(format!("@batch=h;msgid={id};time={time}{reply} :{from}!u@p PRIVMSG #lobby :{text}"));
    }
    lines.push("BATCH -h".to_owned());
    lines
}

fn receive_page(finder: &mut Finder, model: &mut Model, label: &str, messages: &[String]) -> Option<Found> {
    let lines = page(label, messages);
    receive(finder, model, &lines.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Takes all labelled lines that were sent: labels and the rest.
fn all_sent(model: &mut Model) -> Vec<(String, String)> {
    let mut bytes = Vec::new();
    model.take_output(&mut bytes);
    let text = String::from_utf8(bytes).expect("UTF-8");
    let lines = text.lines().filter_map(|line| line.strip_prefix("@label=")?.split_once(' '));
    lines.map(|(label, rest)| (label.to_owned(), rest.to_owned())).collect()
}

fn texts(found: &Found) -> Vec<&str> {
    found.lines.iter().map(|line| line.rsplit("> ").next().unwrap_or_default()).collect()
}

#[test]
fn mentions_and_answers_are_fetched_round_by_round() {
    let (mut finder, mut model) = (Finder::default(), model());
    start(&mut finder, Navigation::Mentions { more: true }, &mut model).expect_err("nothing was listed");
    assert_eq!(start(&mut finder, Navigation::Mentions { more: false }, &mut model), Ok(None));
    let queries = all_sent(&mut model);
    let [(search, first), (history, second)] = &queries[..] else { panic!("{queries:?}") };
    assert!(first.starts_with("SEARCH :text=alice") && second == "CHATHISTORY LATEST #lobby * 200");
    let found = [
        format!("@label={search} :s BATCH +f soju.im/search"),
        "@batch=f;msgid=f1;time=2023-11-14T00:00:00.000Z :bob!u@p PRIVMSG #lobby :alice: tea?".to_owned(),
        "@batch=f;msgid=f2;time=2023-11-14T00:00:01.000Z :bob!u@p PRIVMSG #lobby :alicely".to_owned(),
        "BATCH -f".to_owned(),
    ];
    let found: Vec<&str> = found.iter().map(String::as_str).collect();
    assert_eq!(receive(&mut finder, &mut model, &found), None, "the history is on its way");
    let mut messages: Vec<String> = (0..196).map(|n| format!("m{n}: text")).collect();
    messages.extend(
        ["me o1: who is there?", "a1>o1: I am", "a2>elsewhere: later", "f1: alice: tea?"].map(str::to_owned),
    );
    let found = receive_page(&mut finder, &mut model, history, &messages).expect("a round");
    assert_eq!(texts(&found), ["alice: tea?", "I am"]);
    assert_eq!(
        found.note,
        "2 messages mention or answer you, the latest at the end; /mentions more looks further back"
    );
    assert_eq!(start(&mut finder, Navigation::Mentions { more: true }, &mut model), Ok(None));
    let (label, line) = sent(&mut model);
    assert_eq!(line, "CHATHISTORY BEFORE #lobby msgid=m0 200");
    let found = receive_page(&mut finder, &mut model, &label, &["me elsewhere: and you?".to_owned()]);
    let found = found.expect("a round");
    assert_eq!((texts(&found), found.note.as_str()), (vec!["later"], "1 message mentions or answers you"));
    start(&mut finder, Navigation::Mentions { more: true }, &mut model).expect_err("nothing is left");
}

#[test]
fn a_thread_begins_with_its_root_and_goes_on_page_by_page() {
    let (mut finder, mut model) = (Finder::default(), model());
    assert_eq!(start(&mut finder, Navigation::Thread { more: false }, &mut model), Ok(None));
    let (label, line) = sent(&mut model);
    assert_eq!(line, "CHATHISTORY AROUND #lobby msgid=a1 1");
    assert_eq!(receive_page(&mut finder, &mut model, &label, &["a1>r0: the rules".to_owned()]), None);
    let (label, line) = sent(&mut model);
    assert_eq!(line, "CHATHISTORY AROUND #lobby msgid=r0 1");
    assert_eq!(receive_page(&mut finder, &mut model, &label, &["r0: which rules?".to_owned()]), None);
    let (mut label, line) = sent(&mut model);
    assert_eq!(line, "CHATHISTORY AFTER #lobby msgid=r0 200");
    let mut found = None;
    for number in 0..5 {
        let mut messages: Vec<String> = (0..199).map(|n| format!("x{number}{n}: other")).collect();
        messages.push(
            if number == 0 { "a1>r0: the rules" } else { "y>a1: thanks" }.replace('y', &format!("y{number}")),
        );
        found = receive_page(&mut finder, &mut model, &label, &messages);
        if found.is_none() {
            label = sent(&mut model).0;
        }
    }
    let found = found.expect("a part");
    assert_eq!(texts(&found), ["which rules?", "the rules", "thanks", "thanks", "thanks", "thanks"]);
    assert!(
        found.note.starts_with("5 answers; /reply")
            && found.note.ends_with("/thread more looks for further ones")
    );
    assert_eq!(start(&mut finder, Navigation::Thread { more: true }, &mut model), Ok(None));
    let (label, line) = sent(&mut model);
    assert_eq!(line, "CHATHISTORY AFTER #lobby msgid=y4 200");
    let found = receive_page(&mut finder, &mut model, &label, &["z>r0: late".to_owned()]).expect("a part");
    assert_eq!(
        (texts(&found), found.note.as_str()),
        (vec!["late"], "6 answers; /reply TEXT answers the last message")
    );
    start(&mut finder, Navigation::Thread { more: true }, &mut model).expect_err("nothing is left");
}

#[test]
fn without_a_connection_a_thread_says_what_was_not_searched() {
    let (mut finder, mut model) = (Finder::default(), model());
    model.disconnected();
    let found = start(&mut finder, Navigation::Thread { more: false }, &mut model);
    let found = found.expect("no error").expect("what came in");
    assert!(found.note.starts_with("not connected, so the history was not searched"), "{}", found.note);
    assert_eq!((found.lines.len(), found.failed), (1, true));
}

#[test]
fn a_command_that_the_connection_cuts_off_says_so() {
    for (command, expected) in [
        (Navigation::Channels(String::new()), "/list"),
        (Navigation::Mentions { more: false }, "/mentions"),
        (Navigation::Thread { more: false }, "/thread"),
        (Navigation::Marked(Mark::Pin), "pinned messages"),
        (Navigation::Mark(Mark::Bookmark), "bookmarks"),
    ] {
        let (mut finder, mut model) = (Finder::default(), model());
        let supports = ":srv 005 alice METADATA=max-keys=8 :are supported";
        model.handle(&Message::parse(supports).expect("a line"), Timestamp(1));
        assert_eq!(start(&mut finder, command, &mut model), Ok(None), "{expected}");
        let failed = finder.reset_connection().expect("a failure");
        assert!(failed.failed && failed.note.contains(expected), "{}", failed.note);
        assert_eq!(finder.reset_connection(), None, "said once");
    }
}
