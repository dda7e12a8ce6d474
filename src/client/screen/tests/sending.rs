//! Messages of the user, from the line to its confirmation.

use super::*;

#[test]
fn sent_message_is_unconfirmed_until_echo() {
    let mut rig = TestScreen::new();
    rig.type_and_enter("hello");
    assert_eq!((rig.app.workspace.unconfirmed_count(), rig.message_texts().len()), (1, 0));
    let sent = rig.expect_sent("PRIVMSG #lobby :hello");
    rig.receive_echo(&sent, "a1");
    assert_eq!((rig.app.workspace.unconfirmed_count(), rig.message_texts()), (0, vec!["hello".to_owned()]));
}

#[test]
fn failed_message_can_be_resent() {
    let mut rig = TestScreen::new();
    rig.type_and_enter("hello");
    let sent = rig.expect_sent("PRIVMSG #lobby");
    let label = sent.split(['=', ';']).nth(1).expect("a label").to_owned();
    rig.receive_lines(&[&format!("@label={label} :srv 404 alice #lobby :Cannot send to channel")]);
    let out = &rig.app.workspace.current_buffer().expect("a conversation").outgoing;
    assert_eq!(
        out[0].failed.as_deref(),
        Some("#lobby does not take it: Cannot send to channel; /mode #lobby shows what it takes")
    );
    rig.press_keys("Alt-Up s");
    let sent = rig.expect_sent("PRIVMSG #lobby :hello");
    rig.receive_echo(&sent, "a1");
    assert_eq!((rig.app.workspace.unconfirmed_count(), rig.message_texts()), (0, vec!["hello".to_owned()]));
}

#[test]
fn waiting_messages_can_be_cancelled() {
    let mut rig = TestScreen::new();
    rig.disconnect();
    for text in ["one", "two", "three", "four"] {
        rig.type_and_enter(text);
    }
    let waiting = |rig: &TestScreen| {
        let buffer = rig.app.workspace.current_buffer().expect("a conversation");
        let waiting = buffer.outgoing.iter().filter(|out| out.dropped.is_none());
        waiting.map(|out| out.text.clone()).collect::<Vec<_>>()
    };
    rig.press_keys("Alt-Up Up d");
    assert_eq!(waiting(&rig), ["one", "two", "four"]);
    rig.press_keys("Esc");
    rig.type_and_enter("/cancel");
    assert_eq!(waiting(&rig), ["one", "two"]);
    rig.type_and_enter("/cancel all");
    assert_eq!(waiting(&rig), [""; 0]);
    let hint = rig.app.workspace.hint.clone().expect("a hint");
    assert_eq!(hint.text, "cancelled: 2 messages are not sent; /undo sends after all");
    rig.type_and_enter("/cancel");
    assert!(rig.app.workspace.hint.as_ref().is_some_and(|hint| hint.is_error));
    rig.press_keys("Ctrl-U");
    rig.log_in_again();
    rig.pass_time(10_000);
    assert!(rig.app.workspace.current_buffer().expect("a conversation").outgoing.is_empty());
    assert!(!rig.sent_before.iter().chain(&rig.sent).any(|line| line.contains("PRIVMSG")));
    // A message that is on its way cannot be cancelled.
    rig.type_and_enter("five");
    rig.press_keys("Alt-Up d");
    assert_eq!(waiting(&rig), ["five"]);
}

#[test]
fn sends_typing_notifications_at_intervals() {
    let mut rig = TestScreen::new();
    rig.type_text("hel");
    rig.expect_sent("+typing=active TAGMSG #lobby");
    assert!(!rig.sent.iter().any(|line| line.contains("typing")), "once in three seconds");
    rig.clock += 3001;
    rig.type_text("l");
    rig.expect_sent("+typing=active");
    rig.press_keys("Ctrl-U");
    rig.expect_sent("+typing=done");
    rig.type_text("/join");
    assert!(!rig.sent.iter().any(|line| line.contains("typing")), "commands are nobody's affair");
    rig.press_keys("Ctrl-U");
    rig.receive_lines(&["@+typing=active :bob!u@p TAGMSG #lobby"]);
    assert!(rig.render(80, 24).contains("bob is typing"));
    assert_eq!(rig.app.workspace.wake_time(), Some(Timestamp(rig.clock + 6000)));
    rig.clock += 6001;
    rig.run_turn();
    assert!(!rig.render(80, 24).contains("typing"));
    assert_eq!(rig.app.workspace.wake_time(), None, "idle means that nothing is due");
}

#[test]
fn multiline_text_is_one_message() {
    let mut rig = TestScreen::new();
    rig.handle_terminal_event(TerminalEvent::Paste("one\r\n/two\r\n".into()));
    rig.press_keys("Enter");
    let open = rig.expect_sent("BATCH +");
    assert!(open.contains("draft/multiline #lobby"), "{open}");
    assert!(rig.expect_sent("PRIVMSG #lobby :one").starts_with("@batch="));
    rig.expect_sent("PRIVMSG #lobby :/two");
    rig.expect_sent("BATCH -");
    let tags = open.strip_prefix('@').and_then(|rest| rest.split_once(' ')).expect("tags").0;
    rig.receive_lines(&[
        &format!("@{tags};msgid=a1 :alice!u@p BATCH +m draft/multiline #lobby"),
        "@batch=m :alice!u@p PRIVMSG #lobby :one",
        "@batch=m :alice!u@p PRIVMSG #lobby :/two",
        "BATCH -m",
    ]);
    assert_eq!(
        (rig.message_texts(), rig.app.workspace.unconfirmed_count()),
        (vec!["one\n/two".to_owned()], 0)
    );
}

#[test]
fn unsent_messages_survive_refused_login() {
    let mut rig = TestScreen::new();
    rig.disconnect();
    rig.type_and_enter("on its way");
    rig.type_and_enter("/query bob");
    rig.type_text("half a thought");
    rig.press_keys("Alt-b");
    rig.type_text("another");
    let unsent = |rig: &TestScreen| -> Vec<String> {
        rig.app
            .workspace
            .unsent_texts()
            .into_iter()
            .map(|unsent| format!("{}: {}", unsent.conversation, unsent.text))
            .collect()
    };
    assert_eq!(unsent(&rig), ["#lobby: on its way", "#lobby: another", "bob: half a thought"]);
    rig.log_in_again();
    assert!(rig.sent.iter().any(|line| line.contains("PRIVMSG #lobby :on its way")));
    assert_eq!(rig.app.workspace.draft().text(), "another");
    assert_eq!(unsent(&rig).len(), 3);
    assert_eq!(rig.buffer_named("bob").draft.text(), "half a thought");
}

#[test]
fn a_cancelled_message_can_be_brought_back_for_ten_seconds() {
    let mut rig = TestScreen::new();
    rig.disconnect();
    for text in ["one", "two"] {
        rig.type_and_enter(text);
    }
    rig.press_keys("Alt-Up d");
    let screen = rig.render(80, 24);
    assert!(screen.contains("not sent, dropped in 10 s — u undoes"), "{screen}");
    assert!(screen.contains("will be dropped; u keeps it"), "{screen}");
    rig.press_keys("u");
    assert_eq!(rig.app.workspace.draft().text(), "", "the key is no letter");
    assert!(!rig.render(80, 24).contains("will be dropped"));
    // All that were cancelled at once come back at once.
    rig.press_keys("Esc");
    rig.type_and_enter("/cancel all");
    assert_eq!(rig.app.workspace.unconfirmed_count(), 0);
    rig.type_and_enter("/undo");
    assert_eq!(rig.app.workspace.unconfirmed_count(), 2);
    rig.press_keys("Alt-Up Up d");
    rig.pass_time(9_999);
    assert!(rig.render(80, 24).contains("one"));
    rig.pass_time(1);
    assert!(!rig.render(80, 24).contains("one") && rig.app.workspace.selection().is_none());
    rig.log_in_again();
    let sent: Vec<&String> = rig.sent.iter().filter(|line| line.contains("PRIVMSG")).collect();
    assert!(sent.len() == 1 && sent[0].ends_with(":two"), "{sent:?}");
}

#[test]
fn a_failed_message_that_was_dropped_can_be_brought_back() {
    let mut rig = TestScreen::new();
    rig.type_and_enter("hello");
    let sent = rig.expect_sent("PRIVMSG #lobby");
    let label = sent.split(['=', ';']).nth(1).expect("a label").to_owned();
    rig.receive_lines(&[&format!("@label={label} :srv 404 alice #lobby :Cannot send to channel")]);
    rig.press_keys("Alt-Up d u");
    assert!(rig.render(80, 24).contains("not sent: #lobby does not take it"));
    rig.press_keys("d");
    rig.pass_time(10_000);
    assert!(!rig.render(80, 24).contains("hello"));
}

#[test]
fn quit_warns_of_messages_that_are_not_confirmed_and_says_what_becomes_of_them() {
    let mut rig = TestScreen::new();
    let hint = |rig: &TestScreen| rig.app.workspace.hint.clone().expect("a hint").text;
    rig.type_and_enter("one");
    rig.press_keys("Ctrl-Q");
    assert_eq!(rig.app.workspace.quit.message, None, "warned");
    assert!(hint(&rig).contains("1 message, which cannot be kept and would be lost"), "{}", hint(&rig));
    // After a further message, or some time, the warning comes again.
    rig.app.workspace.keeps_state = true;
    rig.type_and_enter("two");
    rig.press_keys("Ctrl-Q");
    assert_eq!(rig.app.workspace.quit.message, None, "warned again");
    assert_eq!(hint(&rig), "not delivered yet: 2 messages, sent at the next start. Quit again to leave");
    rig.pass_time(31_000);
    rig.type_and_enter("/quit so long");
    assert_eq!(rig.app.workspace.quit.message, None);
    rig.type_and_enter("/quit so long");
    assert_eq!(rig.app.workspace.quit.message.as_deref(), Some("so long"));
}

/// Answers what the client has sent about the account `nosuch`, which does not exist.
fn refuse_nosuch(rig: &mut TestScreen) {
    let is_asked = |line: &String| line.starts_with("@label=") && line.contains("nosuch");
    while let Some(at) = rig.sent.iter().position(is_asked) {
        let line = rig.sent.remove(at);
        let (label, command) = line.split_once(' ').expect("a command");
        let reply = match command.split(' ').next() {
            Some("PRIVMSG") => ":srv 401 alice nosuch :No such nick/channel",
            Some("CHATHISTORY") => "FAIL CHATHISTORY INVALID_TARGET LATEST nosuch :No such target",
            Some("WHO") => ":srv 315 alice nosuch :End of WHO list",
            _ => continue,
        };
        let label = label.split(';').next().unwrap_or(label);
        rig.receive_lines(&[&format!("{label} {reply}")]);
    }
}

fn is_open(rig: &TestScreen, name: &str) -> bool {
    rig.app.workspace.servers[0].buffers.contains_key(&Conversation::parse(name).expect(name))
}

#[test]
fn conversation_with_an_account_that_does_not_exist_is_closed_and_its_text_returned() {
    for (line, returned) in [("/query nosuch", "/query nosuch"), ("/msg nosuch see you", "see you")] {
        let mut rig = TestScreen::new();
        rig.type_and_enter(line);
        assert!(is_open(&rig, "nosuch"), "until the server has answered");
        refuse_nosuch(&mut rig);
        assert!(!is_open(&rig, "nosuch"), "{line}");
        let current = rig.app.workspace.current.clone().expect("a conversation");
        assert_eq!(current.1.as_str(), "#lobby");
        let hint = rig.app.workspace.hint.clone().expect("a hint");
        assert!(
            hint.is_error && hint.text.starts_with("no such account: nosuch; check the name"),
            "{hint:?}"
        );
        assert_eq!(hint.text.ends_with("; Up brings back what you wrote"), line != returned, "{hint:?}");
        rig.press_keys("Up");
        assert_eq!(rig.app.workspace.draft().text(), returned);
    }
}

#[test]
fn a_text_that_is_being_written_keeps_the_conversation_open() {
    let mut rig = TestScreen::new();
    rig.type_and_enter("/query nosuch");
    rig.type_text("for you alone");
    refuse_nosuch(&mut rig);
    assert!(is_open(&rig, "nosuch"), "the next keys must not go to another conversation");
    rig.press_keys("Enter");
    refuse_nosuch(&mut rig);
    assert!(!is_open(&rig, "nosuch"));
    rig.press_keys("Up");
    assert_eq!(rig.app.workspace.draft().text(), "for you alone");
}

#[test]
fn channel_that_takes_no_message_from_outside_is_closed_again() {
    let mut rig = TestScreen::new();
    rig.type_and_enter("/msg #nosuch see you");
    let sent = rig.expect_sent("PRIVMSG #nosuch");
    let label = sent.split([';', ' ']).next().expect("a label").to_owned();
    rig.receive_lines(&[&format!("{label} :srv 403 alice #nosuch :No such channel")]);
    assert!(!is_open(&rig, "#nosuch"));
    let hint = rig.app.workspace.hint.clone().expect("a hint");
    assert!(hint.is_error && hint.text.starts_with("not sent to #nosuch: "), "{hint:?}");
    rig.press_keys("Up");
    assert_eq!(rig.app.workspace.draft().text(), "see you");
}
