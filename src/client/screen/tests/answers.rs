//! Answers of the server, questions before requests that harm somebody, and what can be undone.

use insta::assert_snapshot;

use super::*;
use crate::client::input::held_redactions::HeldRedactions;

impl TestScreen {
    /// Replies to the sent line that contains `part`, with its label.
    #[track_caller]
    pub(super) fn answer(&mut self, part: &str, replies: &[&str]) {
        let sent = self.expect_sent(part);
        let label = sent.strip_prefix("@label=").and_then(|rest| rest.split(' ').next()).expect("a label");
        let mut lines = vec![format!("@label={label} :srv BATCH +r labeled-response")];
        lines.extend(replies.iter().map(|reply| format!("@batch=r {reply}")));
        lines.push(":srv BATCH -r".to_owned());
        self.receive_lines(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    }

    /// Makes alice an operator of #lobby, without an entry among the messages.
    fn make_operator(&mut self) {
        self.receive_lines(&[":chat.parlour MODE #lobby +o alice"]);
    }

    /// Returns the three rows above the status line, where a hint or a question stands.
    fn rows_above_status(&mut self) -> String {
        let screen = self.render(80, 24);
        screen.lines().skip(19).take(3).map(str::trim).collect::<Vec<_>>().join(" ")
    }
}

fn profile_screen() -> TestScreen {
    let mut rig = populated_screen();
    rig.type_and_enter("/whois bob");
    rig.answer(
        "WHOIS bob",
        &[
            ":srv 311 alice bob bob parlour * :Bob Builder",
            ":srv 319 alice bob :~#lobby @#a-channel-with-a-long-name #tools #elsewhere #more",
            ":srv 312 alice bob chat.parlour :home",
            ":srv 301 alice bob :at lunch, back at two; call me if the server room is on fire",
            ":srv 313 alice bob :is an admin of this server",
            ":srv 317 alice bob 7300 1700000000 :seconds idle, signon time",
            ":srv 760 alice bob parlour/created * :2023-01-02T03:04:05.000Z",
            ":srv 760 alice bob parlour/devices * :2",
            ":srv 318 alice bob :End of /WHOIS list",
        ],
    );
    rig.answer("WHOWAS bob", &[":srv 406 alice bob :There was no such nickname"]);
    rig.answer(
        "WHO bob a%",
        &[":srv 354 alice 7 #lobby bob H*~ 7300 :Bob Builder", ":srv 315 alice bob :End"],
    );
    rig
}

#[test]
fn profile_is_a_card() {
    let mut rig = profile_screen();
    assert_screens!(rig, "profile");
    rig.render(40, 12);
    rig.press_keys("PgDn PgDn");
    assert!(rig.render(40, 12).contains("16 of 16 rows"), "{}", rig.render(40, 12));
    rig.type_text("h");
    assert!(rig.app.overlay.is_none(), "typing goes on");
    assert_eq!(rig.app.workspace.draft().text(), "h");
}

#[test]
fn devices_are_a_table_or_sentences_and_revoking_one_asks_first() {
    let mut rig = populated_screen();
    rig.type_and_enter("/devices revoke 1");
    assert!(rig.render(80, 24).contains("/devices lists them"));
    rig.press_keys("Ctrl-U");
    rig.type_and_enter("/devices");
    let (first, second) = ("ab".repeat(32), "cd".repeat(32));
    rig.answer(
        "CERT LIST",
        &[
            &format!(":srv NOTE CERT CERT {first} 2023-01-02T03:04:05.000Z 2023-11-14T21:00:00.000Z :first"),
            &format!(":srv NOTE CERT CERT {second} 2023-05-06T07:08:09.000Z * :second"),
            ":srv NOTE CERT CERT_LIST :2 certificates may log in to your account",
        ],
    );
    assert_screens!(rig, "devices");
    rig.press_keys("Esc");
    rig.type_and_enter("/devices revoke 2");
    assert!(rig.rows_above_status().contains("end the access of device 2 (cdcdcdcdcdcdcdcd…)"));
    rig.press_keys("n Enter");
    assert!(rig.sent.iter().all(|line| !line.contains("CERT DEL")));
    rig.type_and_enter("/devices revoke 2");
    rig.press_keys("y Enter");
    rig.answer("CERT DEL cdcd", &[":srv NOTE CERT CERT_REMOVED cd :removed"]);
    assert!(rig.rows_above_status().contains("device 2 can no longer log in"));
}

#[test]
fn failed_join_says_the_remedy_in_the_conversation_before() {
    let mut rig = populated_screen();
    rig.type_and_enter("/query bob");
    rig.type_and_enter("/query #lobby");
    rig.type_and_enter("/join #aaa");
    rig.receive_lines(&[":srv 475 alice #aaa :Cannot join channel (+k)"]);
    assert_eq!(rig.app.workspace.current.as_ref().map(|(_, it)| it.as_str()), Some("#lobby"));
    let remedy = "#aaa needs a key; /join #aaa KEY";
    assert!(rig.rows_above_status().contains(remedy));
    rig.press_keys("x");
    assert!(rig.render(80, 24).contains(remedy), "it stays in the conversation");
}

#[test]
fn kick_asks_once_and_only_y_consents() {
    let mut rig = populated_screen();
    rig.make_operator();
    rig.type_and_enter("/kick carol too loud");
    assert_screens!(rig, "kick_question");
    for keys in ["Esc", "Enter", "Ctrl-C", "y Esc", "y Ctrl-C", "n Enter", "y Backspace n Enter"] {
        rig.press_keys(keys);
        assert!(rig.rows_above_status().contains("cancelled"), "{keys}");
        assert_eq!(rig.app.workspace.draft().text(), "", "{keys}");
        rig.type_and_enter("/kick carol too loud");
    }
    rig.press_keys("y");
    assert!(rig.rows_above_status().contains("y – Enter: yes"));
    assert!(rig.sent.iter().all(|line| !line.contains("KICK")), "{:?}", rig.sent);
    rig.press_keys("Enter");
    let sent = rig.expect_sent("KICK");
    assert!(sent.ends_with("KICK #lobby carol :too loud"), "{sent}");
    assert_eq!(rig.app.workspace.draft().text(), "", "the answer is not typed");
}

#[test]
fn text_typed_at_a_question_goes_whole_into_the_composer() {
    let mut rig = populated_screen();
    rig.make_operator();
    for text in ["you are out", "yy", "no, stay", "x", "news"] {
        rig.type_and_enter("/kick carol");
        rig.type_text(text);
        assert_eq!(rig.app.workspace.draft().text(), text);
        rig.press_keys("Ctrl-U");
    }
    rig.type_and_enter("/kick carol");
    rig.type_and_enter("/topic news");
    rig.expect_sent("TOPIC #lobby :news");
    rig.type_and_enter("/kick carol");
    rig.type_text("y");
    rig.handle_terminal_event(TerminalEvent::Paste("es, and no".to_owned()));
    assert_eq!(rig.app.workspace.draft().text(), "yes, and no");
    rig.press_keys("Ctrl-U Alt-Up d");
    rig.type_text("sure");
    assert_eq!(rig.app.workspace.draft().text(), "sure", "the keys of a selection are letters again");
    assert!(rig.sent.iter().all(|line| !line.contains("KICK") && !line.contains("REDACT")), "{:?}", rig.sent);
    assert!(rig.sent.iter().all(|line| !line.contains("PRIVMSG")), "{:?}", rig.sent);
}

#[test]
fn text_that_would_be_a_flood_of_messages_is_refused_and_stays() {
    let mut rig = populated_screen();
    rig.sent.clear();
    let paste = |lines: usize| vec!["a line of a log"; lines].join("\n");
    for (text, why) in [
        (paste(120), "120 lines would be 120 messages"),
        ("x".repeat(20_000), "20000 bytes would be"),
        (format!("/msg bob {}", "x".repeat(20_000)), "20000 bytes would be"),
    ] {
        rig.handle_terminal_event(TerminalEvent::Paste(text.clone()));
        rig.press_keys("Enter");
        let hint = rig.app.workspace.hint.as_ref().map(|hint| hint.text.clone()).unwrap_or_default();
        assert!(hint.contains(why), "{hint}");
        if text.starts_with('/') {
            rig.press_keys("Up");
        }
        assert_eq!(rig.app.workspace.draft().text(), text);
        rig.press_keys("Ctrl-C");
    }
    assert!(rig.sent.iter().all(|line| !line.contains("PRIVMSG")), "{:?}", rig.sent);
    rig.handle_terminal_event(TerminalEvent::Paste(paste(90)));
    rig.press_keys("Enter");
    rig.expect_sent("draft/multiline #lobby");
}

#[test]
fn message_that_was_taken_back_takes_no_answer() {
    let mut rig = populated_screen();
    rig.receive_lines(&[":bob!bob@parlour REDACT #lobby a6"]);
    for keys in ["Alt-Up t", "Alt-Up r", "Alt-Up +"] {
        rig.press_keys(keys);
        assert!(rig.app.overlay.is_none(), "{keys}");
        assert!(rig.rows_above_status().contains("taken back"), "{keys}: {}", rig.rows_above_status());
        rig.press_keys("Esc");
    }
}

#[test]
fn names_shows_the_members_of_the_channel_that_is_meant() {
    let mut rig = populated_screen();
    rig.sent.clear();
    rig.render(120, 24);
    for _ in 0..2 {
        rig.type_and_enter("/names");
        assert_eq!(rig.app.members.shown, Some(true), "it is no switch");
    }
    rig.type_and_enter("/names #library");
    rig.expect_sent("#library");
    for shown in [false, true] {
        rig.type_and_enter("/members");
        assert_eq!(rig.app.members.shown, Some(shown), "it is a switch");
    }
}

#[test]
fn offer_that_arrives_while_one_writes_takes_no_key() {
    let mut rig = populated_screen();
    rig.type_and_enter("/invite zoe");
    rig.type_text("hello");
    rig.answer("INVITE zoe #lobby", &[":srv 401 alice zoe :No such nick"]);
    rig.answer("MODE alice", &[":srv 221 alice +o"]);
    rig.press_keys("y Enter");
    rig.expect_sent("PRIVMSG #lobby :helloy");
    assert!(rig.sent.iter().all(|line| !line.contains("INVITES CREATE")), "{:?}", rig.sent);
}

#[test]
fn refused_invitation_offers_an_invite_link_to_an_admin() {
    let mut rig = populated_screen();
    rig.sent.clear();
    rig.type_and_enter("/invite zoe");
    rig.answer("INVITE zoe #lobby", &[":srv 401 alice zoe :No such nick"]);
    rig.answer("MODE alice", &[":srv 221 alice +o"]);
    assert!(rig.rows_above_status().contains("no account is called zoe"));
    rig.press_keys("Enter");
    let link = format!("parlour://192.0.2.7:6697/{}", "x".repeat(90));
    rig.answer(
        "INVITES CREATE #lobby",
        &[
            ":srv NOTE INVITES INVITE_CREATED 3 :Invite 3 creates one member account in #lobby. Link:",
            &format!(":srv NOTE INVITES INVITE_LINK 3 :{link}"),
        ],
    );
    assert_snapshot!("invite_link_80x24", rig.render(80, 24));
    rig.press_keys("y");
    assert!(rig.app.workspace.effects.contains(&ScreenEffect::Copy(link)));
    rig.press_keys("Esc");
    assert!(!rig.render(80, 24).contains("192.0.2.7"), "shown once");
    rig.type_and_enter("/invite zoe");
    rig.answer("INVITE zoe #lobby", &[":srv 401 alice zoe :No such nick"]);
    rig.answer("MODE alice", &[":srv 221 alice +"]);
    assert!(rig.rows_above_status().contains("ask an admin"), "not an admin");
}

#[test]
fn own_message_is_taken_back_after_ten_seconds_unless_that_is_undone() {
    let mut rig = populated_screen();
    rig.press_keys("Alt-Up Up d");
    assert!(rig.rows_above_status().contains("taken back in 10 s — u undoes"));
    rig.pass_time(3_000);
    assert!(rig.rows_above_status().contains("taken back in 7 s — u undoes"));
    rig.press_keys("u");
    assert!(rig.rows_above_status().contains("the message stays"));
    rig.pass_time(HeldRedactions::HOLD);
    assert!(rig.sent.iter().all(|line| !line.contains("REDACT")));
    rig.press_keys("Esc");
    rig.type_and_enter("/delete oops");
    assert!(rig.rows_above_status().contains("/undo undoes"));
    rig.type_and_enter("/undo");
    rig.type_and_enter("/undo");
    assert!(rig.rows_above_status().contains("nothing to undo"));
    rig.press_keys("Ctrl-U");
    rig.type_and_enter("/delete oops");
    rig.pass_time(HeldRedactions::HOLD - 1);
    assert!(rig.sent.iter().all(|line| !line.contains("REDACT")));
    rig.pass_time(1);
    let sent = rig.expect_sent("REDACT");
    assert!(sent.ends_with("REDACT #lobby a4 :oops"), "{sent}");
    assert!(!rig.rows_above_status().contains("taken back"));
}

#[test]
fn held_redaction_is_marked_and_each_one_can_be_undone() {
    let mut rig = populated_screen();
    rig.receive_message("alice", "#lobby", "a7", "and another one");
    rig.type_and_enter("/delete");
    assert_snapshot!("held_redaction_80x24", rig.render(80, 24));
    rig.type_and_enter("/delete");
    let screen = rig.render(80, 24);
    assert!(screen.contains("will be taken back; Alt-Up, then u, keeps it"), "{screen}");
    assert!(screen.contains("will be taken back; /undo keeps it"), "{screen}");
    rig.press_keys("Alt-Up");
    assert!(rig.render(80, 24).contains("will be taken back; u keeps it"));
    rig.press_keys("u Esc");
    rig.pass_time(HeldRedactions::HOLD);
    rig.expect_sent("REDACT #lobby a4");
    assert!(rig.sent.iter().all(|line| !line.contains("REDACT #lobby a7")), "{:?}", rig.sent);
}

#[test]
fn redaction_without_a_connection_is_sent_in_the_next_run() {
    let mut rig = populated_screen();
    rig.type_and_enter("/delete too early");
    rig.disconnect();
    rig.app.workspace.send_held_redactions(&mut [&mut rig.model]);
    let state = rig.app.state();
    assert_eq!(state.redactions.len(), 1);
    let mut next = TestScreen::offline();
    next.app.restore(state);
    next.log_in();
    let sent = next.expect_sent("REDACT");
    assert!(sent.ends_with("REDACT #lobby a4 :too early"), "{sent}");
    assert_eq!(next.app.state().redactions, []);
}

#[test]
fn held_redaction_waits_for_the_connection_and_is_sent_at_the_end() {
    let mut rig = populated_screen();
    rig.type_and_enter("/delete");
    rig.disconnect();
    rig.pass_time(HeldRedactions::HOLD);
    assert!(rig.sent.iter().all(|line| !line.contains("REDACT")));
    rig.log_in_again();
    rig.expect_sent("REDACT #lobby a4");
    let mut rig = populated_screen();
    rig.type_and_enter("/delete");
    rig.app.workspace.send_held_redactions(&mut [&mut rig.model]);
    rig.run_turn();
    rig.expect_sent("REDACT #lobby a4");
}

#[test]
fn message_of_another_person_is_taken_back_after_a_question() {
    let mut rig = populated_screen();
    rig.make_operator();
    rig.press_keys("Alt-Up d");
    assert!(rig.rows_above_status().contains("take back this message of another person"));
    rig.press_keys("Esc");
    assert!(rig.sent.iter().all(|line| !line.contains("REDACT")));
    rig.press_keys("Alt-Up d y Enter");
    rig.answer("REDACT #lobby a6", &[":srv FAIL REDACT REDACT_FORBIDDEN #lobby a6 :You are not authorised"]);
    assert!(rig.rows_above_status().contains("you may not take that message back"));
}

#[test]
fn message_of_the_day_is_shown_at_the_first_login_and_when_it_changes() {
    let mut rig = TestScreen::offline();
    rig.model.connected(Nick::parse("alice").expect("a nick"), CapSet::from_caps(Cap::ALL));
    rig.app.workspace.handle_connected(0);
    let motd =
        [":srv 375 alice :- srv Message of the day -", ":srv 372 alice :- Be kind.", ":srv 376 alice :End"];
    rig.receive_lines(&motd);
    rig.receive_lines(&[":alice!alice@parlour JOIN #lobby", "PONG srv 1"]);
    assert!(rig.render(80, 24).contains("Be kind."));
    let count = |rig: &mut TestScreen| rig.render(80, 24).matches("Be kind.").count();
    for (line, expected) in [(motd[1], 1), (":srv 372 alice :- Be kind. Always.", 2)] {
        rig.disconnect();
        rig.model.connected(Nick::parse("alice").expect("a nick"), CapSet::from_caps(Cap::ALL));
        rig.app.workspace.handle_connected(0);
        let sent = rig.take_output();
        let barrier = sent.iter().rev().find_map(|line| line.strip_prefix("PING ")).expect("a PING");
        let barrier = format!("PONG srv {barrier}");
        rig.receive_lines(&[motd[0], line, motd[2], ":alice!alice@parlour JOIN #lobby", &barrier]);
        assert_eq!(count(&mut rig), expected);
    }
}

#[test]
fn what_speaks_against_a_ban_is_in_its_question() {
    let mut rig = populated_screen();
    rig.make_operator();
    rig.type_and_enter("/ban bobb");
    assert!(rig.rows_above_status().contains("ban bobb from #lobby? y, then Enter: yes"));
    rig.answer("WHO bobb", &[":srv 315 alice bobb :End"]);
    rig.answer("MODE #lobby e", &[":srv 349 alice #lobby :End"]);
    let question =
        "no account is called bobb; check the name. Ban bobb from #lobby all the same? y, then Enter";
    assert!(rig.rows_above_status().contains(question), "{}", rig.rows_above_status());
    let narrow = rig.render(40, 12);
    let words = narrow.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("y, then Enter: yes, any other key: no"), "the keys stay: {narrow}");
    rig.press_keys("Esc");
    // An answer that comes after the user's decision changes nothing.
    rig.type_and_enter("/ban carol");
    rig.press_keys("Esc");
    rig.answer("WHO carol", &[":srv 354 alice 7 * carol H* 0 :Carol", ":srv 315 alice carol :End"]);
    rig.answer("MODE #lobby e", &[":srv 349 alice #lobby :End"]);
    assert!(!rig.rows_above_status().contains("admin"), "{}", rig.rows_above_status());
}

#[test]
fn joining_the_channel_on_the_screen_says_what_keeps_from_writing() {
    let mut rig = TestScreen::new();
    rig.type_and_enter("/join #lobby");
    rig.answer(
        "MODE #lobby b",
        &[":srv 367 alice #lobby alice!*@* bob 1700000000", ":srv 368 alice #lobby :End"],
    );
    rig.answer("MODE #lobby e", &[":srv 349 alice #lobby :End"]);
    let text = rig.rows_above_status();
    assert!(text.contains("you are banned in #lobby") && text.contains("/unban alice"), "{text}");
}

#[test]
fn what_a_member_may_not_do_is_said_without_a_question() {
    let mut rig = populated_screen();
    for (line, expected) in [
        ("/kick bob", "only operators and half-operators of #lobby may do that"),
        ("/ban bob", "only operators and half-operators of #lobby may do that"),
        ("/kill bob", "only an admin of the server may do that"),
        ("/invites revoke 3", "only an admin of the server may do that"),
        ("/kick #elsewhere bob", "you are not in #elsewhere; /join #elsewhere"),
    ] {
        rig.sent.clear();
        rig.type_and_enter(line);
        assert!(rig.app.workspace.question.is_none(), "{line}");
        rig.answer("MODE alice", &[":srv 221 alice +"]);
        let words = rig.rows_above_status();
        assert!(words.contains(expected) && rig.app.workspace.question.is_none(), "{line}: {words}");
        assert_eq!(rig.sent, Vec::<String>::new(), "{line}");
    }
    rig.press_keys("Alt-Up d");
    rig.answer("MODE alice", &[":srv 221 alice +"]);
    assert!(rig.rows_above_status().contains("only operators and half-operators"));
    rig.press_keys("Esc");
    // Somebody made them an admin meanwhile.
    rig.type_and_enter("/kick bob");
    rig.answer("MODE alice", &[":srv 221 alice +o"]);
    assert!(rig.rows_above_status().contains("remove bob from #lobby? y, then Enter"));
    rig.press_keys("y Enter");
    rig.expect_sent("KICK #lobby bob");
}

#[test]
fn who_is_not_in_the_channel_is_not_kicked() {
    let mut rig = populated_screen();
    rig.make_operator();
    rig.type_and_enter("/kick zoe");
    assert!(rig.app.workspace.question.is_none());
    assert!(rig.rows_above_status().contains("zoe is not in #lobby"), "{}", rig.rows_above_status());
}

#[test]
fn a_session_that_is_an_admin_by_oper_is_asked() {
    let mut rig = populated_screen();
    rig.type_and_enter("/oper root hunter2");
    rig.answer("OPER", &[":srv 381 alice :You are now an IRC operator", ":srv MODE alice +o"]);
    // The account itself is no admin.
    rig.receive_lines(&[":srv 221 alice +"]);
    rig.type_and_enter("/kill bob");
    assert!(rig.rows_above_status().contains("disconnect bob from the server?"));
}

#[test]
fn a_refused_mute_mutes_nothing() {
    let mut rig = populated_screen();
    let muted = |rig: &TestScreen| rig.buffer_named("#lobby").muted;
    rig.type_and_enter("/mute");
    assert!(!muted(&rig), "the server has not said so");
    rig.answer("soju.im/muted :1", &["FAIL METADATA LIMIT_REACHED #lobby :You have too many keys"]);
    assert!(!muted(&rig));
    assert!(rig.rows_above_status().contains("the limit is reached"), "{}", rig.rows_above_status());
    rig.type_and_enter("/mute");
    rig.answer("soju.im/muted :1", &[":srv 761 alice #lobby soju.im/muted * :1"]);
    assert!(muted(&rig));
    assert!(rig.rows_above_status().contains("#lobby is muted"), "{}", rig.rows_above_status());
    rig.type_and_enter("/unmute");
    rig.answer("soju.im/muted :0", &["FAIL METADATA TEMPORARILY_UNAVAILABLE #lobby :Busy"]);
    assert!(muted(&rig), "it is as it was");
}
