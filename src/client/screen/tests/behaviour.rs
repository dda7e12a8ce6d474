//! Behaviour of the client, apart from the look of the screen.

use super::*;
use crate::client::screen::components::overlays::Overlay;

#[test]
fn reconnect_fills_gap_without_duplicates() {
    let mut rig = TestScreen::new();
    rig.receive_message("bob", "#lobby", "a1", "one");
    rig.disconnect();
    rig.type_and_enter("while it was down");
    rig.log_in_again();
    // A new message arrives before the page of missed ones.
    rig.receive_message("bob", "#lobby", "a4", "four");
    assert_eq!(rig.message_texts(), ["one"], "behind a gap nothing is shown");
    let asked = rig.expect_sent("CHATHISTORY AFTER #lobby msgid=a1");
    let label = asked.split(['=', ' ']).nth(1).expect("a label").to_owned();
    let at = |offset: u64| Timestamp(START + offset);
    rig.receive_lines(&[
        &format!("@label={label} :srv BATCH +h chathistory #lobby"),
        &format!("@batch=h;time={};msgid=a2 :bob!u@p PRIVMSG #lobby :two", at(1100)),
        &format!("@batch=h;time={};msgid=a3 :alice!u@p PRIVMSG #lobby :while it was down", at(1200)),
        &format!("@batch=h;time={};msgid=a4 :bob!u@p PRIVMSG #lobby :four", Timestamp(rig.clock)),
        "BATCH -h",
    ]);
    assert_eq!(rig.message_texts(), ["one", "two", "while it was down", "four"]);
    let sent = rig.sent.clone();
    let sent = sent.iter().find(|line| line.contains("while it was down")).expect("sent again").clone();
    // The server keeps one copy, and echoes that one.
    let (tags, rest) = sent.strip_prefix('@').and_then(|rest| rest.split_once(' ')).expect("tags");
    rig.receive_lines(&[&format!("@{tags};time={};msgid=a3 :alice!u@p {rest}", at(1200))]);
    assert_eq!(rig.message_texts(), ["one", "two", "while it was down", "four"]);
    assert_eq!(rig.app.workspace.unconfirmed_count(), 0);
}

#[test]
fn scrolling_up_loads_history_without_gap_or_duplicate() {
    let mut rig = TestScreen::with_history(800, 1000);
    let mut first = 800;
    for _ in 0..60 {
        rig.press_keys("PgUp PgUp PgUp");
        if rig.sent.iter().any(|line| line.contains("CHATHISTORY BEFORE")) {
            let asked = format!("BEFORE #lobby msgid=i{first:04}");
            rig.expect_history_query(&asked, &history_page(first - 200, first));
            first -= 200;
        }
        if first == 0 {
            break;
        }
    }
    assert_eq!(first, 0, "all of it was fetched");
    let expected: Vec<String> = (0..1000).map(|n| format!("m{n}")).collect();
    assert_eq!(rig.message_texts(), expected);
    // Nothing precedes it, and the client queries that once.
    rig.press_keys("Alt-Home");
    rig.fail_history_query("BEFORE #lobby msgid=i0000");
    rig.press_keys("PgUp");
    assert!(!rig.sent.iter().any(|line| line.contains("CHATHISTORY BEFORE")), "{:?}", rig.sent);
    assert!(rig.render(80, 24).contains("beginning of #lobby"));
    rig.press_keys("Esc");
    assert!(rig.render(80, 24).contains("m999"));
}

#[test]
fn read_marker_follows_visible_messages() {
    let mut rig = TestScreen::new();
    rig.clock += 4000;
    rig.receive_message("bob", "#lobby", "a1", "seen");
    assert!(rig.expect_sent("MARKREAD #lobby timestamp=").contains("22:13:25"));
    rig.handle_terminal_event(TerminalEvent::Focus(false));
    rig.receive_message("bob", "#lobby", "a2", "not seen");
    assert_eq!(rig.buffer_named("#lobby").unread, 1);
    assert!(!rig.sent.iter().any(|line| line.contains("MARKREAD")));
    rig.clock += 5000;
    rig.handle_terminal_event(TerminalEvent::Focus(true));
    assert_eq!(rig.buffer_named("#lobby").unread, 0);
    rig.expect_sent("MARKREAD #lobby");
    // The read marker of another device.
    rig.receive_message("bob", "alice", "b1", "psst");
    assert_eq!((rig.buffer_named("bob").unread, rig.buffer_named("bob").mentions), (1, 1));
    let time = Timestamp(rig.clock);
    rig.receive_lines(&[&format!(":srv MARKREAD bob timestamp={time}")]);
    assert_eq!(rig.buffer_named("bob").unread, 0);
}

#[test]
fn only_mentions_ring_the_bell() {
    let mut rig = TestScreen::new();
    rig.handle_terminal_event(TerminalEvent::Focus(false));
    rig.receive_message("bob", "#lobby", "a1", "just so, malice is no name");
    assert_eq!(rig.app.workspace.effects, []);
    rig.receive_message("bob", "#lobby", "a2", "Alice: look\u{1b}]0;x\u{7}!");
    let notify = ScreenEffect::Notify { title: "bob in #lobby".into(), body: "Alice: look!".into() };
    assert_eq!(std::mem::take(&mut rig.app.workspace.effects), [ScreenEffect::Bell, notify]);
    rig.receive_lines(&[":srv 761 alice #lobby soju.im/muted private :1"]);
    rig.receive_message("bob", "#lobby", "a3", "alice?");
    assert_eq!(rig.app.workspace.effects, []);
}

#[test]
fn shows_replies_reactions_and_redactions() {
    let mut rig = populated_screen();
    // The note of the join is no message; the others are: Thank you, Yes, are you there.
    rig.press_keys("Alt-Up Up Up r");
    rig.type_and_enter("indeed");
    assert!(rig.expect_sent("PRIVMSG #lobby :indeed").contains("+draft/reply=a3"));
    rig.type_and_enter("/react :tada:");
    assert!(rig.expect_sent("+draft/react=🎉").contains("+draft/reply=a6 TAGMSG #lobby"));
    rig.press_keys("Alt-Up Alt-Up Alt-Up d");
    rig.pass_time(10_000);
    rig.expect_sent("REDACT #lobby a4");
    rig.receive_lines(&[":alice!alice@parlour REDACT #lobby a4 :"]);
    assert!(rig.render(80, 24).contains("taken back by alice"));
    assert!(!rig.render(80, 24).contains("Yes, I am"));
}

#[test]
fn reply_and_delete_commands_use_last_message() {
    let mut rig = TestScreen::new();
    rig.type_and_enter("/delete");
    assert!(rig.render(80, 24).contains("no message of yours"));
    rig.press_keys("Ctrl-u");
    rig.type_and_enter("/reply to whom?");
    assert!(rig.render(80, 24).contains("no message to reply to"));
    rig.press_keys("Up");
    assert!(rig.render(80, 24).contains("/reply to whom?"), "recalled to be mended");
    rig.press_keys("Ctrl-u");
    rig.receive_message("bob", "#lobby", "b1", "shall we?");
    rig.type_and_enter("/reply yes");
    let sent = rig.expect_sent("PRIVMSG #lobby :yes");
    assert!(sent.contains("+draft/reply=b1"));
    rig.receive_echo(&sent, "a1");
    rig.type_and_enter("/delete");
    rig.pass_time(10_000);
    rig.expect_sent("REDACT #lobby a1");
    rig.receive_lines(&[":alice!alice@parlour REDACT #lobby a1 :"]);
    rig.type_and_enter("/delete");
    assert!(rig.render(80, 24).contains("no message of yours"));
}

#[test]
fn tab_completes() {
    let mut rig = populated_screen();
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
            rig.press_keys("Tab");
        }
        assert_eq!(rig.app.workspace.draft().text(), expected);
        rig.press_keys("Ctrl-U");
    }
}

#[test]
fn switcher_search_and_previous_conversation() {
    let mut rig = populated_screen();
    rig.press_keys("Ctrl-K");
    rig.type_text("bb");
    rig.press_keys("Enter");
    assert_eq!(
        rig.app.workspace.current.as_ref().map(|(_, conversation)| conversation.as_str()),
        Some("bob")
    );
    rig.press_keys("Alt-b");
    assert_eq!(
        rig.app.workspace.current.as_ref().map(|(_, conversation)| conversation.as_str()),
        Some("#lobby")
    );
    rig.press_keys("Ctrl-F");
    rig.type_text("old fish in:#lobby");
    rig.press_keys("Enter");
    let asked = rig.expect_sent("SEARCH");
    assert!(asked.contains(r":text=old\sfish;in=#lobby;limit="), "{asked}");
    let label = asked.split(['=', ' ']).nth(1).expect("a label").to_owned();
    let old = Timestamp(START - 9_000_000);
    rig.receive_lines(&[
        &format!("@label={label} :srv BATCH +s soju.im/search"),
        &format!("@batch=s;time={old};msgid=z1 :bob!u@p PRIVMSG #lobby :the old fish"),
        "BATCH -s",
    ]);
    rig.press_keys("Enter");
    let asked = rig.expect_sent("CHATHISTORY AROUND #lobby msgid=z1");
    let label = asked.split(['=', ' ']).nth(1).expect("a label").to_owned();
    rig.receive_lines(&[
        &format!("@label={label} :srv BATCH +h chathistory #lobby"),
        &format!("@batch=h;time={old};msgid=z1 :bob!u@p PRIVMSG #lobby :the old fish"),
        "BATCH -h",
    ]);
    assert_eq!(rig.message_texts(), ["the old fish"]);
    // Esc scrolls back to the latest message.
    rig.press_keys("Esc Esc");
    rig.expect_sent("CHATHISTORY LATEST #lobby");
}

#[test]
fn invalid_command_is_recalled() {
    let mut rig = TestScreen::new();
    rig.type_and_enter("/jion #a");
    assert_eq!(rig.app.workspace.draft().text(), "");
    assert!(rig.render(80, 24).contains("did you mean /join?"));
    rig.press_keys("Up");
    assert_eq!(rig.app.workspace.draft().text(), "/jion #a");
    rig.press_keys("Ctrl-C Ctrl-C");
    assert_eq!(rig.app.workspace.quit.message, None);
    rig.press_keys("Ctrl-C");
    assert_eq!(rig.app.workspace.quit.message.as_deref(), Some(""));
}

#[test]
fn buffer_memory_is_bounded() {
    let mut rig = TestScreen::new();
    let buffer = rig.app.workspace.current_buffer_mut().expect("a conversation");
    let entry = |n: u64| {
        let what = crate::client::screen::workspace::entry::EntryContent::Note("x".into());
        crate::client::screen::workspace::entry::Entry::new(
            Timestamp(n),
            Some(format!("i{n:08}").into()),
            what,
        )
    };
    for n in 1..=130_000 {
        buffer.append_live(entry(n));
    }
    assert_eq!(buffer.numbers().end - buffer.numbers().start, 120_000);
    assert!(
        !buffer.loading.at_beginning() && buffer.loading.has_latest(),
        "the oldest was dropped and can be asked for again"
    );
    assert!(!buffer.append_live(entry(130_000)), "once is enough");
    buffer.trim_background();
    assert_eq!(buffer.numbers().end - buffer.numbers().start, 5_000);
}

#[test]
fn selection_survives_loading_history() {
    let mut rig = TestScreen::with_history(800, 1000);
    rig.press_keys("Alt-Home Alt-Up");
    let chosen = |rig: &TestScreen| match rig.app.workspace.selection() {
        Some(crate::client::screen::workspace::buffer::Selection::Entry(number)) => {
            let entry = rig.app.workspace.current_buffer().and_then(|buffer| buffer.entry(number));
            entry.and_then(|entry| entry.message()).map(|message| message.text.to_string())
        }
        _ => None,
    };
    let before = chosen(&rig);
    assert!(before.is_some());
    let row = |rig: &mut TestScreen| rig.render(80, 24).lines().position(|row| row.contains("m810"));
    let there = row(&mut rig);
    rig.expect_history_query("BEFORE #lobby msgid=i0800", &history_page(600, 800));
    assert_eq!(chosen(&rig), before);
    assert_eq!(row(&mut rig), there, "nothing moves on the screen");
}

#[test]
fn open_window_takes_clicks() {
    let mut rig = populated_screen();
    let click = |rig: &mut TestScreen, column, part: &str| {
        let screen = rig.render(80, 24);
        let row = screen
            .lines()
            .position(|row| row.contains(part))
            .unwrap_or_else(|| panic!("{part} in\n{screen}"));
        rig.handle_terminal_event(TerminalEvent::Mouse {
            action: crate::client::keys::key::MouseAction::Click,
            at: Position::new(column, u16::try_from(row).expect("a row")),
        });
    };
    let current = |rig: &TestScreen| {
        rig.app.workspace.current.as_ref().map(|(_, conversation)| conversation.to_string())
    };
    rig.press_keys("Ctrl-K");
    rig.type_text("bo");
    click(&mut rig, 30, "│ bob");
    assert_eq!(current(&rig).as_deref(), Some("bob"));
    assert!(rig.app.overlay.is_none());
    // A click on the frame does nothing; a click beside it closes the window.
    rig.press_keys("Ctrl-K");
    click(&mut rig, 30, "Go to");
    assert!(matches!(rig.app.overlay, Some(Overlay::Picker(_))));
    click(&mut rig, 1, "alice");
    assert!(rig.app.overlay.is_none());
    rig.press_keys("F1");
    click(&mut rig, 40, "Ctrl-F");
    assert!(matches!(rig.app.overlay, Some(Overlay::Help(_))));
}

#[test]
fn direct_messages_stay_mentions_after_recount() {
    let mut rig = TestScreen::new();
    rig.receive_lines(&["@time=2023-11-14T22:13:21.000Z;msgid=d1 :bob!u@parlour PRIVMSG alice :psst"]);
    assert_eq!(rig.buffer_named("bob").mentions, 1);
    rig.receive_lines(&[":srv MARKREAD bob timestamp=2023-11-14T22:13:20.000Z"]);
    assert_eq!((rig.buffer_named("bob").unread, rig.buffer_named("bob").mentions), (1, 1));
    rig.receive_lines(&[":srv MARKREAD bob timestamp=2023-11-14T22:13:21.000Z"]);
    assert_eq!((rig.buffer_named("bob").unread, rig.buffer_named("bob").mentions), (0, 0));
}

#[test]
fn failed_command_is_recalled_and_failed_message_stays() {
    let mut rig = populated_screen();
    let fails = |rig: &mut TestScreen, line: &str, reason: &str| {
        rig.type_and_enter(line);
        let screen = rig.render(100, 24);
        if line.starts_with('/') {
            assert_eq!(rig.app.workspace.draft().text(), "");
            rig.press_keys("Up");
        }
        assert_eq!(rig.app.workspace.draft().text(), line);
        assert!(screen.contains(reason), "{reason} in\n{screen}");
        rig.press_keys("Ctrl-U");
    };
    fails(&mut rig, "/query #elsewhere", "you are not in #elsewhere");
    rig.disconnect();
    for line in
        ["/topic tea", "/away for tea", "/kick bob", "/mute", "/react 👍", "/delete", "/part", "/whois bob"]
    {
        fails(&mut rig, line, "not connected");
    }
    rig.app.workspace.handle_ended(0, "the account was removed");
    fails(&mut rig, "/msg bob are you there", "this server was given up");
    fails(&mut rig, "are you there", "this server was given up");
}

#[test]
fn temporary_history_failure_is_retried() {
    let mut rig = TestScreen::with_history(800, 1000);
    let refuse = |rig: &mut TestScreen, part: &str, code: &str| {
        let asked = rig.expect_sent(part);
        let label = asked.strip_prefix("@label=").and_then(|rest| rest.split(' ').next()).expect("a label");
        rig.receive_lines(&[&format!("@label={label} FAIL CHATHISTORY {code} :Not now")]);
    };
    rig.press_keys("Alt-Home");
    refuse(&mut rig, "BEFORE #lobby msgid=i0800", "TEMPORARILY_UNAVAILABLE");
    assert_eq!(rig.app.workspace.wake_time(), Some(Timestamp(rig.clock + 2000)));
    rig.clock += 2000;
    rig.run_turn();
    refuse(&mut rig, "BEFORE #lobby msgid=i0800", "MESSAGE_ERROR");
    rig.clock += 4000;
    rig.run_turn();
    rig.expect_history_query("BEFORE #lobby msgid=i0800", &history_page(600, 800));
    assert_eq!(rig.message_texts().len(), 400);
    // A query that the server will never answer is not sent again, and neither is one that fails all the time.
    rig.press_keys("Alt-Home");
    refuse(&mut rig, "BEFORE #lobby msgid=i0600", "INVALID_TARGET");
    rig.clock += 1_000_000;
    rig.press_keys("Alt-Home");
    assert!(!rig.sent.iter().any(|line| line.contains("CHATHISTORY BEFORE")), "{:?}", rig.sent);
    let mut rig = TestScreen::with_history(800, 1000);
    rig.press_keys("Alt-Home");
    let mut tries = 0;
    while rig.sent.iter().any(|line| line.contains("CHATHISTORY BEFORE")) {
        refuse(&mut rig, "CHATHISTORY BEFORE", "MESSAGE_ERROR");
        tries += 1;
        assert!(tries < 100);
        rig.clock += 1_000_000;
        rig.run_turn();
    }
    assert_eq!(tries, 5);
    assert!(rig.render(80, 24).contains("Not now"));
}

#[test]
fn failed_jump_keeps_history_usable() {
    let mut rig = TestScreen::with_history(800, 1000);
    let current = rig.app.workspace.current.clone().expect("a conversation");
    rig.app
        .workspace
        .jump_to(current, crate::client::screen::workspace::buffer::loading::JumpTarget::Id("gone".into()));
    rig.run_turn();
    let asked = rig.expect_sent("CHATHISTORY AROUND #lobby msgid=gone");
    let label = asked.strip_prefix("@label=").and_then(|rest| rest.split(' ').next()).expect("a label");
    rig.receive_lines(&[&format!("@label={label} FAIL CHATHISTORY INVALID_MSGREFTYPE :No such message")]);
    assert!(rig.render(80, 24).contains("the server does not find messages"));
    rig.press_keys("Alt-Home");
    rig.expect_history_query("BEFORE #lobby msgid=i0800", &history_page(600, 800));
    assert_eq!(rig.message_texts().len(), 400);
}

#[test]
fn messages_before_a_gap_do_not_stand_next_to_those_after_it() {
    let mut rig = TestScreen::offline();
    rig.model.connected(Nick::parse("alice").expect("a nick"), CapSet::from_caps(Cap::ALL));
    rig.app.workspace.handle_connected(0);
    rig.receive_lines(&[":alice!alice@parlour JOIN #lobby", "PONG srv 1"]);
    rig.expect_sent("LATEST #lobby");
    // The connection breaks before the first page, and more is missed than one page holds.
    rig.receive_message("bob", "#lobby", "a1", "before the gap");
    assert_eq!(rig.message_texts(), ["before the gap"]);
    rig.disconnect();
    rig.log_in_again();
    rig.receive_message("bob", "#lobby", "z9", "after the page");
    rig.expect_history_query("LATEST #lobby", &history_page(1000, 1200));
    let texts = rig.message_texts();
    assert_eq!((texts.len(), texts[0].as_str(), texts[200].as_str()), (201, "m1000", "after the page"));
    rig.press_keys("Alt-Home");
    rig.expect_sent("BEFORE #lobby msgid=i1000");
}
