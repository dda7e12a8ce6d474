//! Hostile servers and senders: nothing panics, memory stays bounded, the screen stays intact.

use proptest::prelude::*;

use super::*;
use crate::client::keys::key::MouseAction;
use crate::client::screen::text::wrap::width;
use crate::client::screen::workspace::buffer::Buffer;

/// Texts: escape sequences, invisible characters, piled-up marks, long and ordinary ones.
fn hostile_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z :]{0,30}",
        any::<String>(),
        "[\u{1b}\u{9b}\u{9d}\u{7}\\[\\]0-9;mPH\\\\]{0,20}",
        "[\u{200b}-\u{200f}\u{202a}-\u{202e}\u{2066}-\u{2069}\u{feff}\u{ad}aאب]{0,40}",
        "[a\u{300}-\u{36f}\u{fe0f}\u{200d}👩🏽🇩क्षि각日]{0,40}",
        "x{300,4000}",
        "\u{1}ACTION [a-z]{0,9}\u{1}?",
        "[*_~`\u{2}\u{3}\u{4}\u{11}\u{16}\u{1d}0-9,a だ]{0,60}",
        "(```|[*_~`]{1,3}|a| |だ){0,40}",
        "https?://[a-z\u{1b}\u{202e}.é/]{0,20}",
    ]
}

fn hostile_name() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "#(lobby|a|b)",
        3 => "(alice|bob|carol)",
        1 => "#[a\u{300}\u{336}日שx]{1,12}",
        1 => "[a-z]{1,30}",
        1 => hostile_text(),
    ]
}

/// Message ids: known ones, unknown ones, junk.
fn message_id() -> impl Strategy<Value = String> {
    prop_oneof!["i[0-9]", "[0-9]{1,3}", hostile_text()]
}

fn hostile_tags() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        Just("msgid"),
        Just("label"),
        Just("batch"),
        Just("time"),
        Just("account"),
        Just("+draft/reply"),
        Just("+draft/react"),
        Just("+draft/unreact"),
        Just("+typing"),
        Just("draft/multiline-concat"),
        Just("parlour/send-id"),
    ];
    let value = prop_oneof![
        message_id(),
        "(active|paused|done|q)",
        "[0-9]{1,4}-[0-9]{1,2}-[0-9]{1,2}T[0-9]{2}:[0-9]{2}:[0-9]{2}.[0-9]{3}Z",
        Just("9999-12-31T23:59:59.999Z".to_owned()),
        Just("1970-01-01T00:00:00.000Z".to_owned()),
    ];
    proptest::collection::vec((key, value), 0..5).prop_map(|tags| {
        let tags: Vec<String> = tags
            .iter()
            .map(|(key, value)| format!("{key}={}", crate::wire::message::escape(value)))
            .collect();
        if tags.is_empty() { String::new() } else { format!("@{} ", tags.join(";")) }
    })
}

fn hostile_line() -> impl Strategy<Value = String> {
    let command = prop_oneof![
        8 => "(PRIVMSG|NOTICE|JOIN|PART|QUIT|KICK|NICK|TOPIC|MODE|RENAME|INVITE|TAGMSG|REDACT|AWAY|MARKREAD)",
        4 => "BATCH [+-][0-9i] (chathistory|draft/multiline|soju.im/search|draft/chathistory-targets|x)",
        4 => "(BATCH [+-][0-9i]|CHATHISTORY TARGETS|METADATA|FAIL|WARN|NOTE|ERROR|ACK|PING|PONG|PONG srv|CAP)",
        3 => "(001|005|301|305|315|332|333|352|353|366|401|404|433|482|730|731|761|766) alice",
        1 => "[A-Z0-9]{0,6}",
    ];
    let source = prop_oneof![
        Just(String::new()),
        Just(":srv ".to_owned()),
        Just(":alice!alice@parlour ".to_owned()),
        "(alice|bob|carol|m[0-9]{0,4})".prop_map(|nick| format!(":{nick}!u@parlour ")),
        hostile_text().prop_map(|text| format!(":{text} ")),
    ];
    (
        hostile_tags(),
        source,
        command,
        proptest::collection::vec(prop_oneof![hostile_name(), message_id(), hostile_text()], 0..4),
        hostile_text(),
    )
        .prop_map(|(tags, source, command, params, last)| {
            let params = params.iter().fold(String::new(), |all, param| all + " " + param);
            format!("{tags}{source}{command}{params} :{last}").replace(['\r', '\n', '\0'], " ")
        })
}

/// Keys pressed in between.
fn random_keys() -> impl Strategy<Value = Option<&'static str>> {
    proptest::option::of(prop_oneof![
        Just("Ctrl-K"),
        Just("Ctrl-F"),
        Just("F1"),
        Just("F4"),
        Just("Esc"),
        Just("Enter"),
        Just("Alt-Up"),
        Just("Alt-Down"),
        Just("PgUp"),
        Just("PgDn"),
        Just("Alt-Home"),
        Just("Alt-u"),
        Just("Alt-a"),
        Just("Ctrl-N"),
        Just("Tab"),
        Just("r"),
        Just("e"),
        Just("a"),
    ])
}

impl TestScreen {
    fn assert_bounded(&self) {
        for server in &self.app.workspace.servers {
            assert!(server.buffers.len() <= Workspace::MAX_BUFFERS);
            for buffer in server.buffers.values() {
                assert!(buffer.typing.len() <= 20);
                assert!(buffer.numbers().end - buffer.numbers().start <= 120_000);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn arbitrary_server_lines_never_panic(
        lines in proptest::collection::vec((hostile_line(), random_keys()), 1..60),
        size in (1u16..120, 1u16..40),
    ) {
        let mut rig = populated_screen();
        for (index, (line, key)) in lines.into_iter().enumerate() {
            if let Some(message) = Message::parse(&line) {
                rig.clock += 700;
                rig.model.handle(&message, Timestamp(rig.clock));
                rig.run_turn();
            }
            if let Some(key) = key {
                rig.press_keys(key);
            }
            if index % 7 == 0 {
                rig.render(size.0, size.1);
                rig.handle_terminal_event(TerminalEvent::Mouse { action: MouseAction::Click, at: Position::new(size.0 / 2, size.1 / 2) });
            }
        }
        let screen = rig.render(size.0, size.1);
        for row in screen.lines() {
            prop_assert!(width(row) <= usize::from(size.0), "{row:?}");
            prop_assert!(!row.chars().any(crate::client::text::clean::is_terminal_control), "{row:?}");
        }
        rig.assert_bounded();
    }
}

#[test]
fn repeated_history_pages_end_paging() {
    let mut rig = TestScreen::with_history(0, 200);
    rig.press_keys("Alt-Home");
    rig.expect_history_query("BEFORE #lobby", &history_page(0, 200));
    assert_eq!(rig.message_texts().len(), 200);
    assert!(!rig.sent.iter().any(|line| line.contains("BEFORE")), "{:?}", rig.sent);
    // A server that makes up reactions forever is given up in the end.
    let mut rig = TestScreen::with_history(0, 200);
    rig.press_keys("Alt-Home");
    let mut asked = 0;
    while rig.sent.iter().any(|line| line.contains("CHATHISTORY BEFORE")) {
        asked += 1;
        rig.answer_with_reactions("CHATHISTORY BEFORE", asked * 1000);
        assert!(asked < 1000);
    }
    assert_eq!(asked, 100);
}

#[test]
fn pages_without_messages_do_not_end_paging() {
    let mut rig = TestScreen::with_history(800, 1000);
    rig.press_keys("Alt-Home");
    rig.answer_with_reactions("CHATHISTORY BEFORE #lobby msgid=i0800", 600);
    // The server has ids for these 200 joins; the client keeps none.
    let joins: Vec<String> = (0..200)
        .map(|n| {
            let time = Timestamp(START - 1_000_000_000 + (400 + n) * 1000);
            format!("@batch=h;time={time};msgid=j{n} :m{n}!u@parlour JOIN #lobby")
        })
        .collect();
    rig.answer_history_query("BEFORE #lobby msgid=r600", &joins);
    rig.expect_history_query("BEFORE #lobby msgid=j0", &history_page(0, 200));
    assert_eq!(rig.message_texts().len(), 400);
    rig.press_keys("Alt-Home");
    rig.fail_history_query("BEFORE #lobby msgid=i0000");
}

#[test]
fn bounds_buffers_and_background_memory() {
    let mut rig = TestScreen::new();
    for n in 0..Workspace::MAX_BUFFERS + 50 {
        rig.model.handle(
            &Message::parse(&format!("@msgid=p{n} :m{n}!u@parlour PRIVMSG alice :hi")).expect("a line"),
            Timestamp(rig.clock),
        );
    }
    rig.run_turn();
    assert_eq!(rig.app.workspace.servers[0].buffers.len(), Workspace::MAX_BUFFERS);
    for n in 0..Buffer::MAX_BACKGROUND_ENTRIES + 500 {
        let time = Timestamp(rig.clock + n as u64);
        let line = format!("@msgid=q{n};time={time} :bob!u@parlour PRIVMSG #lobby :hi");
        rig.model.handle(&Message::parse(&line).expect("a line"), Timestamp(rig.clock));
    }
    rig.run_turn();
    let kept = |rig: &TestScreen| rig.buffer_named("#lobby").numbers().count();
    assert_eq!(kept(&rig), Buffer::MAX_BACKGROUND_ENTRIES + 500, "where one looks nothing goes");
    rig.type_and_enter("/query m1");
    assert_eq!(kept(&rig), Buffer::MAX_BACKGROUND_ENTRIES);
    rig.receive_message("bob", "#lobby", "z1", "one more");
    assert_eq!(
        kept(&rig),
        Buffer::MAX_BACKGROUND_ENTRIES,
        "messages in a conversation that is not shown make room"
    );
}

#[test]
fn reactions_count_towards_message_memory() {
    let mut rig = TestScreen::new();
    rig.receive_message("bob", "#lobby", "a1", "hi");
    let weight = |rig: &TestScreen| {
        rig.buffer_named("#lobby")
            .entry(rig.buffer_named("#lobby").numbers().end - 1)
            .map(crate::client::screen::workspace::entry::Entry::memory_bytes)
    };
    let before = weight(&rig).expect("an entry");
    for n in 0..500 {
        rig.receive_lines(&[&format!("@+draft/react=👍;+draft/reply=a1 :m{n}!u@parlour TAGMSG #lobby")]);
    }
    assert!(weight(&rig).expect("an entry") >= before + 500 * size_of::<Nick>());
}
