//! Tests of the state that one run of the client leaves to the next.

use super::*;
use crate::client::settings::state::State;

/// Creates a second client with the state of the first, as it comes out of the file.
fn restart(rig: &TestScreen) -> TestScreen {
    let text = rig.app.state().to_text().expect("text");
    let mut next = TestScreen::offline();
    next.app.restore(State::parse(&text, Timestamp(START)).expect("a state"));
    next
}

#[test]
fn drafts_and_conversation_survive_a_restart() {
    let mut rig = TestScreen::new();
    rig.receive_lines(&[":alice!alice@parlour JOIN #tea"]);
    rig.type_text("half a thought");
    rig.type_and_enter("");
    rig.type_text("half a thought");
    rig.press_keys("Ctrl-N");
    rig.type_text("about tea");
    let mut next = restart(&rig);
    next.log_in();
    assert_eq!(next.app.workspace.draft().text(), "half a thought", "the first channel so far");
    next.receive_lines(&[":alice!alice@parlour JOIN #tea"]);
    assert_eq!(next.app.workspace.draft().text(), "about tea", "the conversation of the last run");
    assert_eq!(next.buffer_named("#lobby").draft.text(), "half a thought");
}

#[test]
fn direct_conversation_with_a_draft_is_listed_again() {
    let mut rig = TestScreen::new();
    rig.type_and_enter("/query bob");
    rig.type_text("dear bob");
    let mut next = restart(&rig);
    next.log_in_again();
    assert_eq!(next.app.workspace.draft().text(), "dear bob");
    next.expect_sent("MONITOR + bob");
}

#[test]
fn a_key_press_keeps_the_user_where_they_are() {
    let mut rig = TestScreen::new();
    rig.receive_lines(&[":alice!alice@parlour JOIN #tea"]);
    rig.press_keys("Ctrl-N");
    let mut next = restart(&rig);
    next.log_in();
    next.type_text("x");
    next.receive_lines(&[":alice!alice@parlour JOIN #tea"]);
    assert_eq!(next.app.workspace.draft().text(), "x");
}

#[test]
fn drafts_of_channels_that_were_not_joined_again_are_kept() {
    let mut rig = TestScreen::new();
    rig.receive_lines(&[":alice!alice@parlour JOIN #tea"]);
    rig.press_keys("Ctrl-N");
    rig.type_text("about tea");
    let mut next = restart(&rig);
    next.log_in();
    let mut third = restart(&next);
    third.log_in();
    third.receive_lines(&[":alice!alice@parlour JOIN #tea"]);
    assert_eq!(third.buffer_named("#tea").draft.text(), "about tea");
}

#[test]
fn passwords_are_not_part_of_the_state() {
    let mut rig = TestScreen::new();
    for line in ["/ns IDENTIFY hunter2", "/msg NickServ hunter2", "/oper root hunter2"] {
        rig.press_keys("Ctrl-C");
        rig.type_text(line);
        let text = rig.app.state().to_text().expect("text");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn panels_and_uses_survive_a_restart() {
    let mut rig = TestScreen::new();
    rig.press_keys("F2");
    rig.type_and_enter("/topic");
    rig.type_and_enter("/query bob");
    let next = restart(&rig);
    assert_eq!(next.app.sidebar.shown, rig.app.sidebar.shown);
    assert!(rig.app.sidebar.shown.is_some());
    let bob = (0, Conversation::parse("bob").expect("a name"));
    assert!(next.app.workspace.use_score(&bob) > 0.9);
    let carol = (0, Conversation::parse("carol").expect("a name"));
    assert!(next.app.workspace.use_score(&carol) < 0.1);
    assert!(next.app.workspace.uses.score("/topic", Timestamp(START)) > 0.9);
}

#[test]
fn what_is_typed_before_the_connection_is_kept_beside_a_draft() {
    let mut rig = TestScreen::new();
    rig.receive_lines(&[":alice!alice@parlour JOIN #tea"]);
    rig.press_keys("Ctrl-N");
    rig.type_text("about tea");
    let mut next = restart(&rig);
    next.type_and_enter("hello");
    let hint = next.app.workspace.hint.clone().expect("a hint").text;
    assert!(
        hint.starts_with("not connected yet: ") && hint.ends_with("what you type stays until then"),
        "{hint}"
    );
    // What is typed is for the conversation of the last run, as is a draft there.
    let mut third = restart(&next);
    third.log_in();
    third.receive_lines(&[":alice!alice@parlour JOIN #tea"]);
    assert_eq!(third.app.workspace.draft().text(), "about tea\nhello");
    // Once connected, it stands alone in the composer until it is sent.
    next.model.connected(Nick::parse("alice").expect("a nick"), CapSet::from_caps(Cap::ALL));
    next.app.workspace.handle_connected(0);
    next.receive_lines(&[":alice!alice@parlour JOIN #lobby", ":alice!alice@parlour JOIN #tea", "PONG srv 1"]);
    assert_eq!(next.app.workspace.current.as_ref().map(|key| key.1.as_str()), Some("#tea"));
    assert_eq!(next.app.workspace.draft().text(), "hello");
    let mut fourth = restart(&next);
    fourth.log_in();
    fourth.receive_lines(&[":alice!alice@parlour JOIN #tea"]);
    assert_eq!(fourth.app.workspace.draft().text(), "about tea\nhello", "quitting keeps both");
    next.press_keys("Enter");
    next.expect_sent("PRIVMSG #tea :hello");
    assert_eq!(next.app.workspace.draft().text(), "about tea");
    next.press_keys("Ctrl-C");
    assert_eq!(next.app.workspace.draft().text(), "", "cleared by the user");
}

#[test]
fn what_is_typed_before_the_connection_is_seen_where_the_last_conversation_opens_first() {
    let mut next = restart(&TestScreen::new());
    next.type_text("hello");
    next.log_in();
    assert_eq!(next.app.workspace.current.as_ref().map(|key| key.1.as_str()), Some("#lobby"));
    assert_eq!(next.app.workspace.draft().text(), "hello");
    assert!(next.render(80, 24).contains("hello"));
}

#[test]
fn what_is_typed_before_the_connection_goes_where_one_is_if_the_last_conversation_is_gone() {
    let mut rig = TestScreen::new();
    rig.receive_lines(&[":alice!alice@parlour JOIN #tea"]);
    rig.press_keys("Ctrl-N");
    let mut next = restart(&rig);
    next.type_text("hello");
    next.log_in();
    assert_eq!(next.app.workspace.draft().text(), "hello", "the login is over, and #tea was not joined");
}

#[test]
fn messages_that_are_not_confirmed_survive_a_restart() {
    let mut rig = TestScreen::new();
    rig.app.workspace.keeps_state = true;
    rig.type_and_enter("refused");
    let sent = rig.expect_sent("PRIVMSG #lobby");
    let label = sent.split(['=', ';']).nth(1).expect("a label").to_owned();
    rig.receive_lines(&[&format!("@label={label} :srv 404 alice #lobby :Cannot send to channel")]);
    rig.type_and_enter("in flight");
    let in_flight = rig.expect_sent("PRIVMSG #lobby :in flight");
    rig.disconnect();
    rig.type_and_enter("/me waves");
    rig.type_and_enter("/msg NickServ IDENTIFY hunter2");
    rig.type_and_enter("/channel #lobby");
    assert_eq!(rig.app.workspace.left_behind().lost, 1, "a password is not written to the file");
    let mut next = restart(&rig);
    next.log_in();
    let resent = next.expect_sent("PRIVMSG #lobby :in flight");
    let send_id =
        |line: &str| line.split(['@', ';', ' ']).find(|tag| tag.contains("send-id=")).map(str::to_owned);
    assert_eq!(send_id(&resent), send_id(&in_flight));
    assert!(send_id(&resent).is_some());
    next.expect_sent("ACTION waves");
    assert!(!next.sent.iter().any(|line| line.contains("refused") || line.contains("hunter2")));
    let screen = next.render(80, 24);
    assert!(screen.contains("not sent: #lobby does not take it") && screen.contains("refused"), "{screen}");
    // A second restart before the echo changes nothing.
    let third = restart(&next);
    assert_eq!(third.app.state().unsent, next.app.state().unsent);
    assert_eq!(third.app.state().unsent.len(), 3);
    next.receive_echo(&resent, "a1");
    assert_eq!(next.app.state().unsent.len(), 2);
    next.press_keys("Alt-Up Up s");
    assert!(send_id(&next.expect_sent("PRIVMSG #lobby :refused")) != send_id(&sent), "a new message");
}

#[test]
fn a_draft_is_kept_shown_sent_and_removed_by_commands() {
    let mut rig = TestScreen::new();
    let hint = |rig: &TestScreen| rig.app.workspace.hint.clone().map(|hint| hint.text).unwrap_or_default();
    rig.type_and_enter("/draft see you at noon");
    assert_eq!(rig.app.workspace.draft().text(), "see you at noon");
    assert!(hint(&rig).starts_with("kept as the draft of #lobby: Enter sends it"), "{}", hint(&rig));
    let mut next = restart(&rig);
    next.log_in();
    assert_eq!(next.app.workspace.draft().text(), "see you at noon");
    // From the quick switcher, beside what is written.
    rig.press_keys("Ctrl-K");
    rig.type_text("/draft");
    rig.press_keys("Enter");
    assert_eq!(rig.app.workspace.draft().text(), "/draft ");
    rig.type_and_enter("first of all");
    assert_eq!(rig.app.workspace.draft().text(), "first of all");
    assert!(hint(&rig).contains("comes back"), "{}", hint(&rig));
    rig.press_keys("Ctrl-K");
    rig.type_text("/send-draft");
    rig.press_keys("Enter");
    rig.expect_sent("PRIVMSG #lobby :first of all");
    assert_eq!(rig.app.workspace.draft().text(), "", "sent");
    rig.type_and_enter("/draft");
    assert_eq!(rig.app.workspace.draft().text(), "see you at noon");
    rig.press_keys("Ctrl-C");
    for command in ["/draft", "/draft -", "/send-draft"] {
        rig.type_and_enter(command);
        assert!(hint(&rig).starts_with("there is no draft here"), "{command}: {}", hint(&rig));
    }
    rig.type_and_enter("/draft /oper root hunter2");
    assert!(hint(&rig).contains("password"), "{}", hint(&rig));
    assert!(!rig.app.state().to_text().expect("text").contains("hunter2"));
}

#[test]
fn a_command_that_is_not_finished_is_no_part_of_the_draft() {
    let mut rig = TestScreen::new();
    rig.type_text("half a thought");
    rig.press_keys("Ctrl-K");
    rig.type_text("/topic");
    rig.press_keys("Enter");
    rig.type_text("about");
    let mut next = restart(&rig);
    next.log_in();
    assert_eq!(next.app.workspace.draft().text(), "half a thought");
}

#[test]
fn the_draft_of_a_closed_conversation_comes_back() {
    let mut rig = TestScreen::new();
    rig.type_and_enter("/query bob");
    rig.type_text("dear bob");
    rig.press_keys("Ctrl-K");
    rig.type_text("/close");
    rig.press_keys("Enter");
    assert_eq!(rig.app.workspace.draft().text(), "");
    rig.type_and_enter("/query bob");
    assert_eq!(rig.app.workspace.draft().text(), "dear bob");
}

#[test]
fn an_answer_in_a_thread_survives_a_restart() {
    let mut rig = populated_screen();
    rig.press_keys("Alt-Up t");
    rig.type_text("not quite");
    rig.press_keys("Esc");
    let hint = rig.app.workspace.hint.clone().expect("a hint").text;
    assert!(hint.contains("kept"), "{hint}");
    let mut next = restart(&rig);
    next.log_in();
    next.receive_lines(&["@msgid=a1 :bob!u@parlour PRIVMSG #lobby :Good morning!"]);
    next.press_keys("Alt-Up t");
    assert!(next.render(80, 24).contains("not quite"));
}
