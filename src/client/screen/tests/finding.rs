//! Snapshots of the windows that find something, and of the greetings.

use insta::assert_snapshot;

use super::*;
use crate::client::keys::key::MouseAction;

impl TestScreen {
    /// Returns the label of the sent line that contains `part`, and takes the line.
    fn label_of(&mut self, part: &str) -> String {
        let sent = self.expect_sent(part);
        sent.strip_prefix("@label=").and_then(|rest| rest.split(' ').next()).expect("a label").to_owned()
    }

    /// Answers a LIST request with the channels.
    fn answer_list(&mut self, channels: &[(&str, usize, &str)]) {
        let label = self.label_of(" LIST");
        let mut lines = vec![format!("@label={label} :srv BATCH +l labeled-response")];
        lines.extend(
            channels
                .iter()
                .map(|(name, members, topic)| format!("@batch=l :srv 322 alice {name} {members} :{topic}")),
        );
        lines.extend(["@batch=l :srv 323 alice :End".to_owned(), "BATCH -l".to_owned()]);
        self.receive_lines(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    }

    /// Answers the WHO for all accounts.
    fn answer_who(&mut self, accounts: &[(&str, &str, &str)]) {
        let label = self.label_of(" WHO * a%");
        let mut lines: Vec<String> = accounts
            .iter()
            .map(|(nick, flags, name)| format!("@label={label} :srv 354 alice 1 {nick} {flags} 0 :{name}"))
            .collect();
        lines.push(format!("@label={label} :srv 315 alice * :End"));
        self.receive_lines(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

const CHANNELS: &[(&str, usize, &str)] = &[
    ("#lobby", 4, "Tea and talk"),
    ("#gardening", 12, "What grows, and what does not"),
    ("#release", 7, "0.3 goes out on Friday"),
    ("#räume", 1, ""),
];

/// Creates a client with the lists of its server, in the quick switcher.
fn switcher_screen() -> TestScreen {
    let mut rig = populated_screen();
    rig.press_keys("Ctrl-K");
    rig.answer_list(CHANNELS);
    rig.answer_who(&[
        ("alice", "H*", "Alice"),
        ("bob", "H", "Bob Builder"),
        ("gareth", "D", "Gareth of the night shift"),
        ("zoe", "G", "zoe"),
    ]);
    rig
}

#[test]
fn renders_the_quick_switcher() {
    let mut rig = switcher_screen();
    assert_screens!(rig, "go_to");
    rig.type_text("gar");
    assert_screens!(rig, "go_to_gar");
}

#[test]
fn renders_the_channel_browser() {
    let mut rig = switcher_screen();
    rig.press_keys("Esc Alt-l");
    rig.answer_list(CHANNELS);
    assert_screens!(rig, "channels");
    rig.type_text("grows");
    assert_snapshot!("channels_filtered_80x24", rig.render(80, 24));
    rig.press_keys("Enter");
    rig.expect_sent("JOIN #gardening");
}

#[test]
fn admin_whose_new_channel_is_empty_is_told_how_to_invite_those_who_exist() {
    let mut rig = TestScreen::new();
    let label = rig.label_of("MODE alice");
    rig.receive_lines(&[&format!("@label={label} :srv 221 alice +o")]);
    rig.receive_lines(&[":bob!bob@parlour JOIN #lobby"]);
    rig.type_and_enter("/join #books");
    rig.receive_lines(&[
        ":alice!alice@parlour JOIN #books",
        ":srv 353 alice = #books :~alice",
        ":srv 366 alice #books :End",
    ]);
    rig.fail_history_query("LATEST #books");
    let screen = rig.render(80, 24);
    let at = |part: &str| screen.find(part).unwrap_or_else(|| panic!("no {part} in {screen}"));
    assert!(at("/invite NAME") < at("/invite-link"), "{screen}");
    rig.sent.clear();
    rig.press_keys("Enter");
    assert!(rig.sent.iter().all(|line| !line.contains("INVITES")), "{:?}", rig.sent);
}

#[test]
fn renders_the_greeting_of_an_admin_who_is_alone() {
    let mut rig = TestScreen::offline();
    rig.model.connected(Nick::parse("alice").expect("a nick"), CapSet::from_caps(Cap::ALL));
    rig.app.workspace.handle_connected(0);
    rig.receive_lines(&[
        ":srv 005 alice NETWORK=Example\\x20House :are supported by this server",
        ":alice!alice@parlour JOIN #lobby",
        ":srv 353 alice = #lobby :~alice",
        ":srv 366 alice #lobby :End",
        ":srv MARKREAD #lobby *",
        "PONG srv 1",
    ]);
    rig.fail_history_query("LATEST #lobby");
    let label = rig.label_of("MODE alice");
    rig.receive_lines(&[&format!("@label={label} :srv 221 alice +o")]);
    assert_screens!(rig, "greeting_admin");
    rig.press_keys("Enter");
    let label = rig.label_of("INVITES CREATE #lobby");
    rig.receive_lines(&[
        &format!("@label={label} :srv BATCH +i labeled-response"),
        "@batch=i :srv NOTE INVITES INVITE_CREATED 7 :Invite 7 creates one member account in #lobby, valid until 2023-11-15 22:13 UTC. Link:",
        "@batch=i :srv NOTE INVITES INVITE_LINK 7 :parlour://192.0.2.7:6697/#bSg1-example",
        "BATCH -i",
    ]);
    let screen = rig.render(80, 24);
    assert!(screen.contains("parlour://192.0.2.7:6697/#bSg1-example"), "{screen}");
    assert_snapshot!("greeting_admin_link_80x24", screen);
}

#[test]
fn renders_the_greeting_of_a_new_member() {
    let mut rig = TestScreen::offline();
    rig.model.connected(Nick::parse("alice").expect("a nick"), CapSet::from_caps(Cap::ALL));
    rig.app.workspace.handle_connected(0);
    rig.receive_lines(&[
        ":srv 005 alice NETWORK=Example :are supported by this server",
        ":alice!alice@parlour JOIN #lobby",
        ":srv 353 alice = #lobby :~bob @carol alice dave eve mallory trent",
        ":srv 366 alice #lobby :End",
        ":srv MARKREAD #lobby *",
        "PONG srv 1",
    ]);
    rig.expect_history_query("LATEST #lobby", &history_page(990_000, 990_006));
    assert_screens!(rig, "greeting_member");
    rig.press_keys("Esc");
    assert!(!rig.render(80, 24).contains("Welcome"), "it was read");
}

#[test]
fn a_member_with_a_read_marker_is_not_greeted() {
    let mut rig = TestScreen::offline();
    rig.model.connected(Nick::parse("alice").expect("a nick"), CapSet::from_caps(Cap::ALL));
    rig.app.workspace.handle_connected(0);
    rig.receive_lines(&[
        ":alice!alice@parlour JOIN #lobby",
        &format!(":srv MARKREAD #lobby timestamp={}", Timestamp(START - 1_000_000)),
        "PONG srv 1",
    ]);
    rig.expect_history_query("LATEST #lobby", &history_page(0, 3));
    assert!(!rig.render(80, 24).contains("Welcome"));
}

#[test]
fn renders_the_greetings_of_empty_conversations() {
    let mut rig = TestScreen::new();
    assert_screens!(rig, "greeting_channel");
    rig.type_and_enter("/query bob");
    rig.answer_history_query("LATEST bob", &[]);
    assert_snapshot!("greeting_direct_80x24", rig.render(80, 24));
}

#[test]
fn renders_the_greetings_without_a_conversation() {
    let mut rig = TestScreen::offline();
    assert_snapshot!("greeting_connecting_80x24", rig.render(80, 24));
    rig.disconnect();
    assert_screens!(rig, "greeting_disconnected");
    rig.model.connected(Nick::parse("alice").expect("a nick"), CapSet::from_caps(Cap::ALL));
    rig.app.workspace.handle_connected(0);
    let ping = rig.take_output().into_iter().find_map(|line| line.strip_prefix("PING ").map(str::to_owned));
    rig.receive_lines(&[&format!("PONG srv {}", ping.expect("a PING"))]);
    assert_screens!(rig, "greeting_no_channel");
    rig.app.workspace.handle_ended(0, "the certificate is not the one that the invite link named");
    rig.handle_terminal_event(TerminalEvent::Focus(true));
    assert_snapshot!("greeting_ended_80x24", rig.render(80, 24));
}

/// Creates a client with pinned messages and bookmarks.
fn marked_screen() -> TestScreen {
    let mut rig = populated_screen();
    rig.receive_lines(&[
        ":srv 761 * #lobby parlour/pinned-messages * :a4,a1,z9",
        ":srv 761 * #lobby parlour/bookmarks private :a3",
        ":srv 761 * bob parlour/bookmarks private :0x",
    ]);
    rig
}

#[test]
fn renders_the_pinned_messages() {
    let mut rig = marked_screen();
    rig.type_and_enter("/pins");
    let label = rig.label_of("GET parlour/pinned-messages");
    rig.receive_lines(&[&format!(
        "@label={label} :srv 761 alice #lobby parlour/pinned-messages * :a4,a1,z9"
    )]);
    assert_snapshot!("pins_loading_80x24", rig.render(80, 24));
    rig.answer_history_query("AROUND #lobby msgid=z9", &[]);
    assert_screens!(rig, "pins");
    rig.press_keys("Down Enter");
    let number = rig.app.workspace.current_buffer().and_then(|buffer| Some(buffer.find_message("a1")?.0));
    assert_eq!(
        rig.app.workspace.selection(),
        number.map(crate::client::screen::workspace::buffer::Selection::Entry)
    );
}

#[test]
fn renders_bookmarks_and_mentions() {
    let mut rig = marked_screen();
    rig.type_and_enter("/bookmarks");
    rig.answer_history_query(
        "AROUND bob msgid=0x",
        &["@batch=h;time=2023-11-01T10:00:00.000Z;msgid=0x :bob!u@parlour PRIVMSG alice :the key is under the mat".to_owned()],
    );
    assert_screens!(rig, "bookmarks");
    rig.press_keys("Esc Alt-m");
    let label = rig.label_of("SEARCH");
    rig.receive_lines(&[
        &format!("@label={label} :srv BATCH +s soju.im/search"),
        "@batch=s;time=2023-10-30T09:00:00.000Z;msgid=y1 :dave!u@parlour PRIVMSG #gardening :ask alice, she has the seeds",
        "BATCH -s",
    ]);
    rig.answer_history_query("BEFORE bob", &[]);
    rig.receive_lines(&[
        "@time=2023-11-14T22:14:00.000Z;msgid=c1;+draft/reply=a4 :carol!u@parlour PRIVMSG #lobby :then come over",
    ]);
    assert_screens!(rig, "mentions");
    rig.press_keys("Down Down Enter");
    assert!(rig.render(80, 24).starts_with(" #gardening"));
}

#[test]
fn renders_empty_lists_of_messages() {
    let mut rig = TestScreen::new();
    rig.type_and_enter("/bookmarks");
    assert_snapshot!("bookmarks_empty_80x24", rig.render(80, 24));
    rig.press_keys("Esc Alt-m");
    let label = rig.label_of("SEARCH");
    rig.receive_lines(&[&format!("@label={label} :srv BATCH +s soju.im/search"), "BATCH -s"]);
    assert_snapshot!("mentions_empty_40x12", rig.render(40, 12));
}

#[test]
fn renders_a_thread() {
    let mut rig = populated_screen();
    rig.receive_lines(&[
        "@time=2023-11-14T22:14:00.000Z;msgid=c1;+draft/reply=a6 :bob!u@parlour PRIVMSG #lobby :You are welcome. There is more on the shelf, and what is not there can be ordered until Friday.",
        "@time=2023-11-14T22:15:00.000Z;msgid=c2 :dave!u@parlour PRIVMSG #lobby :something else",
    ]);
    rig.press_keys("Alt-Up Up t");
    rig.type_text("count me in");
    assert_screens!(rig, "thread");
    rig.press_keys("Enter");
    let sent = rig.expect_sent("PRIVMSG #lobby :count me in");
    assert!(sent.contains("+draft/reply=a1"), "it answers the root: {sent}");
    rig.receive_echo(&sent, "c3");
    let screen = rig.render(80, 24);
    assert!(screen.contains("count me in") && screen.contains("3 answers"), "{screen}");
}

#[test]
fn windows_that_find_something_never_panic_at_any_size() {
    let mut rig = marked_screen();
    for (columns, rows) in [(1, 1), (2, 3), (5, 2), (8, 40), (20, 4), (36, 6), (300, 100), (3, 1), (72, 3)] {
        for command in ["/list", "/pins", "/bookmarks", "/mentions", "/thread"] {
            rig.type_and_enter(command);
            rig.render(columns, rows);
            for mouse in [MouseAction::WheelDown, MouseAction::WheelUp, MouseAction::Click] {
                rig.handle_terminal_event(TerminalEvent::Mouse {
                    action: mouse,
                    at: Position::new(columns / 2, rows / 2),
                });
            }
            rig.render(columns, rows);
            rig.press_keys("Esc Esc");
        }
    }
}

#[test]
fn windows_that_ask_the_server_say_that_there_is_no_connection() {
    let mut rig = populated_screen();
    rig.press_keys("Alt-l");
    rig.press_keys("Esc");
    rig.disconnect();
    for (line, expected, wrong) in [
        ("/mentions", "no connection, so the history there was not searched", "yet"),
        ("/bookmarks", "no connection, so the bookmarks there were not fetched", "no bookmarks"),
        ("/pins", "no connection, so the pinned messages were not fetched", "nothing is pinned"),
        ("/search tea", "no connection, so the server was not searched", "no results"),
        ("/list", "not connected", "no channels"),
    ] {
        rig.type_and_enter(line);
        let screen = rig.render(100, 24);
        assert!(screen.contains(expected) && !screen.contains(wrong), "{line}: {screen}");
        rig.press_keys("Esc");
    }
    rig.press_keys("Ctrl-K");
    rig.type_text("@zzz");
    assert!(rig.render(80, 24).contains("no matches in what is known here; no connection"));
    rig.press_keys("Ctrl-U");
    rig.type_text("#zzz");
    assert!(rig.render(80, 24).contains("once there is a connection"));
}

#[test]
fn a_search_that_the_connection_cuts_off_says_so() {
    let mut rig = populated_screen();
    rig.type_and_enter("/search tea");
    assert!(rig.render(80, 24).contains("searching …"));
    rig.disconnect();
    assert!(rig.render(80, 24).contains("the connection broke before the result came"));
    rig.press_keys("Esc Alt-Up t");
    let screen = rig.render(80, 24);
    assert!(!screen.contains("loading"), "{screen}");
    rig.press_keys("Esc");
    rig.log_in_again();
    rig.receive_lines(&["@msgid=z9;+draft/reply=z1 :bob!u@parlour PRIVMSG #lobby :later"]);
    rig.press_keys("Alt-Up t");
    assert!(rig.render(80, 24).contains("loading …"));
    rig.disconnect();
    assert!(rig.render(80, 24).contains("the connection broke"), "{}", rig.render(80, 24));
}
