//! Behaviour of the client, apart from the look of the screen.

use super::*;

#[test]
fn sent_message_is_unconfirmed_until_echo() {
    let mut rig = Rig::new();
    rig.enter("hello");
    assert_eq!((rig.app.pending(), rig.texts().len()), (1, 0));
    let sent = rig.sent("PRIVMSG #lobby :hello");
    rig.echo(&sent, "a1");
    assert_eq!((rig.app.pending(), rig.texts()), (0, vec!["hello".to_owned()]));
}

#[test]
fn failed_message_can_be_resent() {
    let mut rig = Rig::new();
    rig.enter("hello");
    let sent = rig.sent("PRIVMSG #lobby");
    let label = sent.split(['=', ';']).nth(1).expect("a label").to_owned();
    rig.lines(&[&format!("@label={label} :srv 404 alice #lobby :Cannot send to channel")]);
    let out = &rig.app.buffer().expect("a place").outbox;
    assert_eq!(out[0].failed.as_deref(), Some("Cannot send to channel"));
    rig.keys("Alt-Up s");
    let sent = rig.sent("PRIVMSG #lobby :hello");
    rig.echo(&sent, "a1");
    assert_eq!((rig.app.pending(), rig.texts()), (0, vec!["hello".to_owned()]));
}

#[test]
fn reconnect_fills_gap_without_duplicates() {
    let mut rig = Rig::new();
    rig.says("bob", "#lobby", "a1", "one");
    rig.breaks();
    rig.enter("while it was down");
    rig.log_in_again();
    // A new message arrives before the page of missed ones.
    rig.says("bob", "#lobby", "a4", "four");
    assert_eq!(rig.texts(), ["one"], "behind a gap nothing is shown");
    let asked = rig.sent("CHATHISTORY AFTER #lobby msgid=a1");
    let label = asked.split(['=', ' ']).nth(1).expect("a label").to_owned();
    let at = |offset: u64| Millis(START + offset);
    rig.lines(&[
        &format!("@label={label} :srv BATCH +h chathistory #lobby"),
        &format!("@batch=h;time={};msgid=a2 :bob!u@p PRIVMSG #lobby :two", at(1100)),
        &format!("@batch=h;time={};msgid=a3 :alice!u@p PRIVMSG #lobby :while it was down", at(1200)),
        &format!("@batch=h;time={};msgid=a4 :bob!u@p PRIVMSG #lobby :four", Millis(rig.clock)),
        "BATCH -h",
    ]);
    assert_eq!(rig.texts(), ["one", "two", "while it was down", "four"]);
    let sent = rig.sent_before.clone();
    let sent = sent.iter().find(|line| line.contains("while it was down")).expect("sent again").clone();
    // The server keeps one copy, and echoes that one.
    let (tags, rest) = sent.strip_prefix('@').and_then(|rest| rest.split_once(' ')).expect("tags");
    rig.lines(&[&format!("@{tags};time={};msgid=a3 :alice!u@p {rest}", at(1200))]);
    assert_eq!(rig.texts(), ["one", "two", "while it was down", "four"]);
    assert_eq!(rig.app.pending(), 0);
}

#[test]
fn scrolling_up_loads_history_without_gap_or_duplicate() {
    let mut rig = Rig::with_past(800, 1000);
    let mut first = 800;
    for _ in 0..60 {
        rig.keys("PgUp PgUp PgUp");
        if rig.sent.iter().any(|line| line.contains("CHATHISTORY BEFORE")) {
            let asked = format!("BEFORE #lobby msgid=i{first:04}");
            rig.history(&asked, &page(first - 200, first));
            first -= 200;
        }
        if first == 0 {
            break;
        }
    }
    assert_eq!(first, 0, "all of it was fetched");
    let expected: Vec<String> = (0..1000).map(|n| format!("m{n}")).collect();
    assert_eq!(rig.texts(), expected);
    // Nothing precedes it, and the client queries that once.
    rig.keys("Alt-Home");
    rig.no_history("BEFORE #lobby msgid=i0000");
    rig.keys("PgUp");
    assert!(!rig.sent.iter().any(|line| line.contains("CHATHISTORY BEFORE")), "{:?}", rig.sent);
    assert!(rig.screen(80, 24).contains("beginning of #lobby"));
    rig.keys("Esc");
    assert!(rig.screen(80, 24).contains("m999"));
}

#[test]
fn read_marker_follows_visible_messages() {
    let mut rig = Rig::new();
    rig.clock += 4000;
    rig.says("bob", "#lobby", "a1", "seen");
    assert!(rig.sent("MARKREAD #lobby timestamp=").contains("22:13:25"));
    rig.happens(Happening::Focus(false));
    rig.says("bob", "#lobby", "a2", "not seen");
    assert_eq!(rig.place("#lobby").unread, 1);
    assert!(!rig.sent.iter().any(|line| line.contains("MARKREAD")));
    rig.clock += 5000;
    rig.happens(Happening::Focus(true));
    assert_eq!(rig.place("#lobby").unread, 0);
    rig.sent("MARKREAD #lobby");
    // The read marker of another device.
    rig.says("bob", "alice", "b1", "psst");
    assert_eq!((rig.place("bob").unread, rig.place("bob").mentions), (1, 1));
    let time = Millis(rig.clock);
    rig.lines(&[&format!(":srv MARKREAD bob timestamp={time}")]);
    assert_eq!(rig.place("bob").unread, 0);
}

#[test]
fn only_mentions_ring_the_bell() {
    let mut rig = Rig::new();
    rig.happens(Happening::Focus(false));
    rig.says("bob", "#lobby", "a1", "just so, malice is no name");
    assert_eq!(rig.app.effects, []);
    rig.says("bob", "#lobby", "a2", "Alice: look\u{1b}]0;x\u{7}!");
    let notify = Effect::Notify { title: "bob in #lobby".into(), body: "Alice: look!".into() };
    assert_eq!(std::mem::take(&mut rig.app.effects), [Effect::Bell, notify]);
    rig.lines(&[":srv 761 alice #lobby soju.im/muted private :1"]);
    rig.says("bob", "#lobby", "a3", "alice?");
    assert_eq!(rig.app.effects, []);
}

#[test]
fn sends_typing_notifications_at_intervals() {
    let mut rig = Rig::new();
    rig.type_text("hel");
    rig.sent("+typing=active TAGMSG #lobby");
    assert!(!rig.sent.iter().any(|line| line.contains("typing")), "once in three seconds");
    rig.clock += 3001;
    rig.type_text("l");
    rig.sent("+typing=active");
    rig.keys("Ctrl-U");
    rig.sent("+typing=done");
    rig.type_text("/join");
    assert!(!rig.sent.iter().any(|line| line.contains("typing")), "commands are nobody's affair");
    rig.keys("Ctrl-U");
    rig.lines(&["@+typing=active :bob!u@p TAGMSG #lobby"]);
    assert!(rig.screen(80, 24).contains("bob is typing"));
    assert_eq!(rig.app.due(), Some(Millis(rig.clock + 6000)));
    rig.clock += 6001;
    rig.turn();
    assert!(!rig.screen(80, 24).contains("typing"));
    assert_eq!(rig.app.due(), None, "idle means that nothing is due");
}

#[test]
fn shows_replies_reactions_and_redactions() {
    let mut rig = lively();
    // The note of the join is no message; the others are: Thank you, Yes, are you there.
    rig.keys("Alt-Up Up Up r");
    rig.enter("indeed");
    assert!(rig.sent("PRIVMSG #lobby :indeed").contains("+draft/reply=a3"));
    rig.enter("/react :tada:");
    assert!(rig.sent("+draft/react=🎉").contains("+draft/reply=a6 TAGMSG #lobby"));
    rig.keys("Alt-Up Alt-Up Alt-Up d");
    rig.sent("REDACT #lobby a4");
    rig.lines(&[":alice!alice@parlour REDACT #lobby a4 :"]);
    assert!(rig.screen(80, 24).contains("taken back by alice"));
    assert!(!rig.screen(80, 24).contains("Yes, I am"));
}

#[test]
fn reply_and_delete_commands_use_last_message() {
    let mut rig = Rig::new();
    rig.enter("/delete");
    assert!(rig.screen(80, 24).contains("no message of yours"));
    rig.keys("Ctrl-u");
    rig.enter("/reply to whom?");
    let screen = rig.screen(80, 24);
    assert!(
        screen.contains("no message to reply to") && screen.contains("/reply to whom?"),
        "kept to be mended"
    );
    rig.keys("Ctrl-u");
    rig.says("bob", "#lobby", "b1", "shall we?");
    rig.enter("/reply yes");
    let sent = rig.sent("PRIVMSG #lobby :yes");
    assert!(sent.contains("+draft/reply=b1"));
    rig.echo(&sent, "a1");
    rig.enter("/delete");
    rig.sent("REDACT #lobby a1");
    rig.lines(&[":alice!alice@parlour REDACT #lobby a1 :"]);
    rig.enter("/delete");
    assert!(rig.screen(80, 24).contains("no message of yours"));
}

#[test]
fn multiline_text_is_one_message() {
    let mut rig = Rig::new();
    rig.happens(Happening::Paste("one\r\n/two\r\n".into()));
    rig.keys("Enter");
    let open = rig.sent("BATCH +");
    assert!(open.contains("draft/multiline #lobby"), "{open}");
    assert!(rig.sent("PRIVMSG #lobby :one").starts_with("@batch="));
    rig.sent("PRIVMSG #lobby :/two");
    rig.sent("BATCH -");
    let tags = open.strip_prefix('@').and_then(|rest| rest.split_once(' ')).expect("tags").0;
    rig.lines(&[
        &format!("@{tags};msgid=a1 :alice!u@p BATCH +m draft/multiline #lobby"),
        "@batch=m :alice!u@p PRIVMSG #lobby :one",
        "@batch=m :alice!u@p PRIVMSG #lobby :/two",
        "BATCH -m",
    ]);
    assert_eq!((rig.texts(), rig.app.pending()), (vec!["one\n/two".to_owned()], 0));
}

#[test]
fn tab_completes() {
    let mut rig = lively();
    for (typed, expected) in [
        ("ca", "carol: "),
        ("hi @bo", "hi @bob "),
        ("/joi", "/join "),
        ("see #lo", "see #lobby "),
        ("well :tad", "well 🎉 "),
        ("done :tada:", "done 🎉"),
    ] {
        rig.type_text(typed);
        if !typed.ends_with(':') {
            rig.keys("Tab");
        }
        assert_eq!(rig.app.editor().text(), expected);
        rig.keys("Ctrl-U");
    }
}

#[test]
fn switcher_search_and_previous_conversation() {
    let mut rig = lively();
    rig.keys("Ctrl-K");
    rig.type_text("bb");
    rig.keys("Enter");
    assert_eq!(rig.app.here.as_ref().map(|(_, place)| place.as_str()), Some("bob"));
    rig.keys("Alt-b");
    assert_eq!(rig.app.here.as_ref().map(|(_, place)| place.as_str()), Some("#lobby"));
    rig.keys("Ctrl-F");
    rig.type_text("old fish in:#lobby");
    rig.keys("Enter");
    let asked = rig.sent("SEARCH");
    assert!(asked.contains(r":text=old\sfish;in=#lobby;limit="), "{asked}");
    let label = asked.split(['=', ' ']).nth(1).expect("a label").to_owned();
    let old = Millis(START - 9_000_000);
    rig.lines(&[
        &format!("@label={label} :srv BATCH +s soju.im/search"),
        &format!("@batch=s;time={old};msgid=z1 :bob!u@p PRIVMSG #lobby :the old fish"),
        "BATCH -s",
    ]);
    rig.keys("Enter");
    let asked = rig.sent("CHATHISTORY AROUND #lobby msgid=z1");
    let label = asked.split(['=', ' ']).nth(1).expect("a label").to_owned();
    rig.lines(&[
        &format!("@label={label} :srv BATCH +h chathistory #lobby"),
        &format!("@batch=h;time={old};msgid=z1 :bob!u@p PRIVMSG #lobby :the old fish"),
        "BATCH -h",
    ]);
    assert_eq!(rig.texts(), ["the old fish"]);
    // Esc scrolls back to the latest message.
    rig.keys("Esc Esc");
    rig.sent("CHATHISTORY LATEST #lobby");
}

#[test]
fn invalid_command_stays_in_composer() {
    let mut rig = Rig::new();
    rig.enter("/jion #a");
    assert_eq!(rig.app.editor().text(), "/jion #a");
    assert!(rig.screen(80, 24).contains("did you mean /join?"));
    rig.keys("Ctrl-C Ctrl-C");
    assert_eq!(rig.app.leaving, None);
    rig.keys("Ctrl-C");
    assert_eq!(rig.app.leaving.as_deref(), Some(""));
}

#[test]
fn buffer_memory_is_bounded() {
    let mut rig = Rig::new();
    let buffer = rig.app.buffer_mut().expect("a place");
    let entry = |n: u64| {
        let what = super::super::entry::What::Note("x".into());
        super::super::entry::Entry::new(Millis(n), Some(format!("i{n:08}").into()), what)
    };
    for n in 1..=130_000 {
        buffer.happened(entry(n));
    }
    assert_eq!(buffer.numbers().end - buffer.numbers().start, 120_000);
    assert!(!buffer.whole && buffer.live, "the oldest was dropped and can be asked for again");
    assert!(!buffer.happened(entry(130_000)), "once is enough");
    buffer.aside();
    assert_eq!(buffer.numbers().end - buffer.numbers().start, 5_000);
}

#[test]
fn selection_survives_loading_history() {
    let mut rig = Rig::with_past(800, 1000);
    rig.keys("Alt-Home Alt-Up");
    let chosen = |rig: &Rig| match rig.app.chosen {
        Some(super::super::Chosen::Entry(number)) => {
            let entry = rig.app.buffer().and_then(|buffer| buffer.entry(number));
            entry.and_then(|entry| entry.message()).map(|message| message.text.to_string())
        }
        _ => None,
    };
    let before = chosen(&rig);
    assert!(before.is_some());
    let row = |rig: &mut Rig| rig.screen(80, 24).lines().position(|row| row.contains("m810"));
    let there = row(&mut rig);
    rig.history("BEFORE #lobby msgid=i0800", &page(600, 800));
    assert_eq!(chosen(&rig), before);
    assert_eq!(row(&mut rig), there, "nothing moves on the screen");
}

#[test]
fn unsent_messages_survive_refused_login() {
    let mut rig = Rig::new();
    rig.breaks();
    rig.enter("on its way");
    rig.enter("/query bob");
    rig.type_text("half a thought");
    rig.keys("Alt-b");
    rig.type_text("another");
    let unsent = |rig: &Rig| -> Vec<String> {
        rig.app.unsent().into_iter().map(|(place, text)| format!("{place}: {text}")).collect()
    };
    assert_eq!(unsent(&rig), ["#lobby: on its way", "#lobby: another", "bob: half a thought"]);
    rig.log_in_again();
    assert!(rig.sent_before.iter().any(|line| line.contains("PRIVMSG #lobby :on its way")));
    assert_eq!(rig.app.editor().text(), "another");
    assert_eq!(unsent(&rig).len(), 3);
    assert_eq!(rig.place("bob").draft.text(), "half a thought");
}

#[test]
fn open_window_takes_clicks() {
    let mut rig = lively();
    let click = |rig: &mut Rig, column, part: &str| {
        let screen = rig.screen(80, 24);
        let row = screen
            .lines()
            .position(|row| row.contains(part))
            .unwrap_or_else(|| panic!("{part} in\n{screen}"));
        rig.happens(Happening::Mouse(
            crate::client::screen::keys::key::Mouse::Click,
            column,
            u16::try_from(row).expect("a row"),
        ));
    };
    let here = |rig: &Rig| rig.app.here.as_ref().map(|(_, place)| place.to_string());
    rig.keys("Ctrl-K");
    rig.type_text("bo");
    click(&mut rig, 30, "│ bob");
    assert_eq!(here(&rig).as_deref(), Some("bob"));
    assert!(matches!(rig.app.overlay, super::super::Overlay::None));
    // A click on the frame does nothing; a click beside it closes the window.
    rig.keys("Ctrl-K");
    click(&mut rig, 30, "Go to");
    assert!(matches!(rig.app.overlay, super::super::Overlay::Pick(_)));
    click(&mut rig, 1, "Go to");
    assert!(matches!(rig.app.overlay, super::super::Overlay::None));
    rig.keys("F1");
    click(&mut rig, 40, "Ctrl-F");
    assert!(matches!(rig.app.overlay, super::super::Overlay::Help(_)));
}

#[test]
fn direct_messages_stay_mentions_after_recount() {
    let mut rig = Rig::new();
    rig.lines(&["@time=2023-11-14T22:13:21.000Z;msgid=d1 :bob!u@parlour PRIVMSG alice :psst"]);
    assert_eq!(rig.place("bob").mentions, 1);
    rig.lines(&[":srv MARKREAD bob timestamp=2023-11-14T22:13:20.000Z"]);
    assert_eq!((rig.place("bob").unread, rig.place("bob").mentions), (1, 1));
    rig.lines(&[":srv MARKREAD bob timestamp=2023-11-14T22:13:21.000Z"]);
    assert_eq!((rig.place("bob").unread, rig.place("bob").mentions), (0, 0));
}

#[test]
fn failed_command_stays_in_composer() {
    let mut rig = lively();
    let fails = |rig: &mut Rig, line: &str, why: &str| {
        rig.enter(line);
        assert_eq!(rig.app.editor().text(), line);
        let screen = rig.screen(100, 24);
        assert!(screen.contains(why), "{why} in\n{screen}");
        rig.keys("Ctrl-U");
    };
    fails(&mut rig, "/query #elsewhere", "you are not in #elsewhere");
    rig.breaks();
    for line in
        ["/topic tea", "/away for tea", "/kick bob", "/mute", "/react 👍", "/delete", "/part", "/whois bob"]
    {
        fails(&mut rig, line, "not connected");
    }
    rig.app.ended(0, "the account was removed");
    fails(&mut rig, "/msg bob are you there", "this server was given up");
    fails(&mut rig, "are you there", "this server was given up");
}

#[test]
fn quit_warns_of_unconfirmed_messages() {
    let mut rig = Rig::new();
    rig.enter("one");
    rig.keys("Ctrl-Q");
    assert_eq!(rig.app.leaving, None, "warned");
    // A further message, or any other key, and the warning comes again.
    rig.enter("two");
    rig.keys("Ctrl-Q");
    assert_eq!(rig.app.leaving, None, "warned again");
    rig.keys("Alt-Up Esc");
    rig.enter("/quit so long");
    assert_eq!((rig.app.leaving.as_deref(), rig.app.editor().text()), (None, "/quit so long"));
    rig.keys("Enter");
    assert_eq!(rig.app.leaving.as_deref(), Some("so long"));
}

#[test]
fn temporary_history_failure_is_retried() {
    let mut rig = Rig::with_past(800, 1000);
    let refuse = |rig: &mut Rig, part: &str, code: &str| {
        let asked = rig.sent(part);
        let label = asked.strip_prefix("@label=").and_then(|rest| rest.split(' ').next()).expect("a label");
        rig.lines(&[&format!("@label={label} FAIL CHATHISTORY {code} :Not now")]);
    };
    rig.keys("Alt-Home");
    refuse(&mut rig, "BEFORE #lobby msgid=i0800", "TEMPORARILY_UNAVAILABLE");
    assert_eq!(rig.app.due(), Some(Millis(rig.clock + 2000)));
    rig.clock += 2000;
    rig.turn();
    refuse(&mut rig, "BEFORE #lobby msgid=i0800", "MESSAGE_ERROR");
    rig.clock += 4000;
    rig.turn();
    rig.history("BEFORE #lobby msgid=i0800", &page(600, 800));
    assert_eq!(rig.texts().len(), 400);
    // A query that the server will never answer is not sent again, and neither is one that fails all the time.
    rig.keys("Alt-Home");
    refuse(&mut rig, "BEFORE #lobby msgid=i0600", "INVALID_TARGET");
    rig.clock += 1_000_000;
    rig.keys("Alt-Home");
    assert!(!rig.sent.iter().any(|line| line.contains("CHATHISTORY BEFORE")), "{:?}", rig.sent);
    let mut rig = Rig::with_past(800, 1000);
    rig.keys("Alt-Home");
    let mut tries = 0;
    while rig.sent.iter().any(|line| line.contains("CHATHISTORY BEFORE")) {
        refuse(&mut rig, "CHATHISTORY BEFORE", "MESSAGE_ERROR");
        tries += 1;
        assert!(tries < 100);
        rig.clock += 1_000_000;
        rig.turn();
    }
    assert_eq!(tries, 5);
    assert!(rig.screen(80, 24).contains("Not now"));
}

#[test]
fn failed_jump_keeps_history_usable() {
    let mut rig = Rig::with_past(800, 1000);
    let here = rig.app.here.clone().expect("a conversation");
    rig.app.jump(here, super::super::buffer::Landing::Id("gone".into()));
    rig.turn();
    let asked = rig.sent("CHATHISTORY AROUND #lobby msgid=gone");
    let label = asked.strip_prefix("@label=").and_then(|rest| rest.split(' ').next()).expect("a label");
    rig.lines(&[&format!("@label={label} FAIL CHATHISTORY INVALID_MSGREFTYPE :No such message")]);
    assert!(rig.screen(80, 24).contains("No such message"));
    rig.keys("Alt-Home");
    rig.history("BEFORE #lobby msgid=i0800", &page(600, 800));
    assert_eq!(rig.texts().len(), 400);
}
