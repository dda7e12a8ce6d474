use super::*;
use crate::client::screen::tests::fixture::Fixture;
use crate::wire::Message;

fn open(fixture: &mut Fixture, listed: Listed) -> MessageList {
    fixture.with(|context| MessageList::open(listed, context))
}

/// Handles lines of the server as the screen does.
fn receive(fixture: &mut Fixture, list: &mut MessageList, lines: &[&str]) {
    for line in lines {
        fixture.model.handle(&Message::parse(line).expect(line), fixture.workspace.now);
        while let Some(event) = fixture.model.next_event() {
            let rest = fixture.with(|context| list.take_result(0, event, context));
            if let Some(event) = rest {
                fixture.workspace.handle_event(0, event, &mut [&mut fixture.model], false);
            }
            fixture.with(|context| list.follow(context));
        }
    }
}

fn label(sent: &str, part: &str) -> String {
    let line = sent.lines().find(|line| line.contains(part)).unwrap_or_else(|| panic!("no {part} in {sent}"));
    line.split(['=', ' ']).nth(1).expect("a label").to_owned()
}

fn rows(fixture: &mut Fixture, list: &MessageList) -> String {
    fixture.render(list, 80, 14).join("\n")
}

#[test]
fn mentions_that_came_in_and_those_found_are_one_list() {
    let mut fixture = Fixture::new();
    fixture.lines(&["@time=2023-11-14T22:00:00.000Z;msgid=b2 :carol!u@p PRIVMSG #lobby :alice: look"]);
    fixture.output();
    let mut list = open(&mut fixture, Listed::Mentions);
    let search = label(&fixture.output(), "SEARCH");
    receive(
        &mut fixture,
        &mut list,
        &[
            &format!("@label={search} :s BATCH +s soju.im/search"),
            "@batch=s;time=2023-11-13T22:00:00.000Z;msgid=b1 :bob!u@p PRIVMSG #far :is alice there?",
            "@batch=s;time=2023-11-14T22:00:00.000Z;msgid=b2 :carol!u@p PRIVMSG #lobby :alice: look",
            "@batch=s;time=2023-11-12T22:00:00.000Z;msgid=b0 :bob!u@p PRIVMSG #far :malice",
            "BATCH -s",
        ],
    );
    let screen = rows(&mut fixture, &list);
    assert!(screen.find("look") < screen.find("is alice there?"), "{screen}");
    assert!(screen.matches("look").count() == 1 && !screen.contains("malice"), "{screen}");
    receive(&mut fixture, &mut list, &["@msgid=b3 :bob!u@p PRIVMSG #lobby :hey alice"]);
    assert_eq!(list.items.len(), 3);
    fixture.keys(&mut list, "Down Down");
    assert_eq!(fixture.keys(&mut list, "Enter"), EventResult::Request(Request::CloseOverlay));
    assert_eq!(fixture.workspace.current, Some(Fixture::key("#far")));
}

#[test]
fn pins_are_listed_with_their_texts_and_those_that_are_gone() {
    let mut fixture = Fixture::new();
    fixture.lines(&["@msgid=a1 :bob!u@p PRIVMSG #lobby :the rules"]);
    fixture.output();
    let mut list = open(&mut fixture, Listed::Pins(Fixture::key("#lobby")));
    let sent = fixture.output();
    let get = label(&sent, "METADATA #lobby GET parlour/pinned-messages");
    receive(
        &mut fixture,
        &mut list,
        &[&format!("@label={get} :s 761 alice #lobby parlour/pinned-messages * :a1,z8,z9")],
    );
    let sent = fixture.output();
    let [first, second] = ["msgid=z8 1", "msgid=z9 1"].map(|part| label(&sent, part));
    assert!(!sent.contains("msgid=a1"), "it is loaded");
    receive(
        &mut fixture,
        &mut list,
        &[
            &format!("@label={first} :s BATCH +h chathistory #lobby"),
            "@batch=h;msgid=z8 :bob!u@p PRIVMSG #lobby :older",
            "BATCH -h",
            &format!("@label={second} :s BATCH +h chathistory #lobby"),
            "@batch=h;msgid=zz :bob!u@p PRIVMSG #lobby :another one",
            "BATCH -h",
        ],
    );
    let screen = rows(&mut fixture, &list);
    for part in ["the rules", "older", "no longer in the history"] {
        assert!(screen.contains(part), "{screen}");
    }
    fixture.keys(&mut list, "Down Down Enter");
    assert!(fixture.workspace.hint.as_ref().is_some_and(|hint| hint.is_error));
    // Del takes the selected one away, after a look at what is set.
    fixture.keys(&mut list, "Del");
    let sent = fixture.output();
    let get = label(&sent, "METADATA #lobby GET");
    receive(
        &mut fixture,
        &mut list,
        &[&format!("@label={get} :s 761 alice #lobby parlour/pinned-messages * :a1,z8,z9")],
    );
    assert!(fixture.output().contains("METADATA #lobby SET parlour/pinned-messages :a1,z8\r\n"));
}

#[test]
fn bookmarks_of_all_conversations_are_listed_the_latest_first() {
    let mut fixture = Fixture::new();
    fixture
        .lines(&["@msgid=0001 :bob!u@p PRIVMSG #lobby :first", "@msgid=0002 :bob!u@p PRIVMSG alice :second"]);
    let mut list = open(&mut fixture, Listed::Bookmarks);
    assert!(fixture.output().contains("METADATA *ALL SYNC"));
    assert!(rows(&mut fixture, &list).contains("no bookmarks yet"));
    receive(
        &mut fixture,
        &mut list,
        &[":s 761 * #lobby parlour/bookmarks private :0001", ":s 761 * bob parlour/bookmarks private :0002"],
    );
    let screen = rows(&mut fixture, &list);
    assert!(screen.find("second") < screen.find("first"), "{screen}");
    // The one that was there first stays selected.
    fixture.keys(&mut list, "Up Enter");
    assert_eq!(fixture.workspace.current, Some(Fixture::key("bob")));
}

#[test]
fn older_mentions_and_answers_are_queried_and_further_ones_on_request() {
    let mut fixture = Fixture::new();
    fixture.lines(&["@msgid=m9 :bob!u@p PRIVMSG #lobby :hello"]);
    fixture.output();
    let mut list = open(&mut fixture, Listed::Mentions);
    let sent = fixture.output();
    let search = label(&sent, "SEARCH :text=alice;limit=100");
    let history = label(&sent, "CHATHISTORY BEFORE #lobby msgid=m9 200");
    assert!(rows(&mut fixture, &list).contains("loading …"));
    let mut page = vec![
        format!("@label={history} :s BATCH +h chathistory #lobby"),
        "@batch=h;msgid=k0 :alice!alice@parlour PRIVMSG #lobby :who has the key?".to_owned(),
        "@batch=h;msgid=k1;+draft/reply=k0 :bob!u@p PRIVMSG #lobby :it is me".to_owned(),
        "@batch=h;msgid=k2;+draft/reply=j0 :carol!u@p PRIVMSG #lobby :I have one".to_owned(),
    ];
    page.extend((3..200).map(|n| format!("@batch=h;msgid=x{n} :bob!u@p PRIVMSG #lobby :something else")));
    page.extend(["BATCH -h".to_owned(), format!("@label={search} :s BATCH +s soju.im/search")]);
    page.push("BATCH -s".to_owned());
    receive(&mut fixture, &mut list, &page.iter().map(String::as_str).collect::<Vec<_>>());
    let screen = rows(&mut fixture, &list);
    assert!(screen.contains("it is me") && screen.contains("answers you"), "{screen}");
    assert!(!screen.contains("I have one"), "nobody knows yet what it answers: {screen}");
    assert!(screen.contains("1; there may be older ones: PgDn at the end looks further back"), "{screen}");
    fixture.keys(&mut list, "PgDn");
    let history = label(&fixture.output(), "CHATHISTORY BEFORE #lobby msgid=k0 200");
    receive(
        &mut fixture,
        &mut list,
        &[
            &format!("@label={history} :s BATCH +h chathistory #lobby"),
            "@batch=h;msgid=j0 :alice!alice@parlour PRIVMSG #lobby :who has a pen?",
            "BATCH -h",
        ],
    );
    let screen = rows(&mut fixture, &list);
    assert!(screen.contains("it is me") && screen.contains("I have one"), "{screen}");
    assert!(!screen.contains("older"), "it was the beginning: {screen}");
}

#[test]
fn without_a_connection_the_list_says_what_was_not_searched() {
    let mut fixture = Fixture::new();
    fixture.lines(&["@time=2023-11-14T22:00:00.000Z;msgid=b2 :carol!u@p PRIVMSG #lobby :look"]);
    fixture.model.disconnected();
    for (listed, expected) in [
        (
            Listed::Mentions,
            "no connection, so the history there was not searched; in what has arrived here nobody",
        ),
        (Listed::Pins(Fixture::key("#lobby")), "no connection, so the pinned messages were not fetched"),
        (Listed::Bookmarks, "no connection, so the bookmarks there were not fetched"),
    ] {
        let list = open(&mut fixture, listed);
        let screen =
            rows(&mut fixture, &list).replace("│\n│", "").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(screen.contains(expected), "{screen}");
        assert!(!screen.contains("yet"), "{screen}");
    }
    fixture.lines(&["@time=2023-11-14T22:00:01.000Z;msgid=b3 :carol!u@p PRIVMSG #lobby :alice: look"]);
    let list = open(&mut fixture, Listed::Mentions);
    let screen = rows(&mut fixture, &list);
    assert!(screen.contains("1; no connection, so the history there was not searched"), "{screen}");
}

#[test]
fn a_connection_that_breaks_ends_the_queries() {
    let mut fixture = Fixture::new();
    let mut list = open(&mut fixture, Listed::Mentions);
    assert!(rows(&mut fixture, &list).contains("loading …"));
    fixture.model.disconnected();
    fixture.with(|context| list.end_queries(0, context.models));
    let screen = rows(&mut fixture, &list);
    assert!(screen.contains("no connection") && !screen.contains("loading"), "{screen}");
    // A marked message whose text was not fetched.
    let mut fixture = Fixture::new();
    fixture.lines(&[":srv 761 alice #lobby parlour/pinned-messages * :a1"]);
    let mut list = open(&mut fixture, Listed::Pins(Fixture::key("#lobby")));
    assert!(rows(&mut fixture, &list).contains("loading …"));
    fixture.model.disconnected();
    fixture.with(|context| list.end_queries(0, context.models));
    let screen = rows(&mut fixture, &list);
    assert!(screen.contains("not loaded: no connection") && !screen.contains("loading"), "{screen}");
    // It is the same for one that is opened without a connection.
    let list = open(&mut fixture, Listed::Pins(Fixture::key("#lobby")));
    assert!(rows(&mut fixture, &list).contains("not loaded: no connection"));
}
