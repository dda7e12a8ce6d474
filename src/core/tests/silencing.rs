//! Accounts that may not speak in a channel find no command that puts their words before its members.

use super::driver::Driver;

const CAPS: &str = "batch message-tags labeled-response draft/multiline extended-join away-notify setname invite-notify \
                    draft/message-redaction draft/metadata-2 draft/event-playback echo-message";

/// The words that nobody is to be shown.
const MARKER_TEXT: &str = "hear-me";

/// Each with words, as far as the command takes any.
const LINES: &[&str] = &[
    "PRIVMSG #a :hear-me",
    "PRIVMSG @#a :hear-me",
    "PRIVMSG #a :\u{1}ACTION hear-me\u{1}",
    "PRIVMSG #a :\u{1}PING hear-me\u{1}",
    "NOTICE #a :hear-me",
    "@+typing=active;+hear-me=x TAGMSG #a",
    "@+draft/react=hear-me TAGMSG #a",
    "BATCH +1 draft/multiline #a\r\n@batch=1 PRIVMSG #a :hear-me\r\nBATCH -1",
    "TOPIC #a :hear-me",
    "SETNAME :hear-me",
    "METADATA * SET status :hear-me",
    "METADATA #a SET status :hear-me",
    "AWAY :hear-me",
    "REDACT #a ID :hear-me",
    "INVITE cy #a hear-me",
    "KICK #a al :hear-me",
    "MODE #a +b hear-me!*@*",
    "MODE #a +k hear-me",
    "RENAME #a #hear-me :hear-me",
    "NICK hear-me",
    "WALLOPS :hear-me",
    "PART #a :hear-me",
    "JOIN #a hear-me",
    "QUIT :hear-me",
];

/// Sends each of the lines as `bo`, who is muted, and returns the parts of them that reached `al`.
fn leaked_lines(mute: &str, shares_another: bool) -> Vec<(String, String)> {
    let mut d = Driver::new();
    let (al, bo) = (d.open("al", CAPS), d.open("bo", CAPS));
    d.send_line(al, "METADATA * SUB status");
    for line in ["JOIN #a", "MODE #a -t"] {
        d.send_line(al, line);
    }
    d.send_line(bo, "JOIN #a");
    d.send_line(bo, "PRIVMSG #a :before");
    let id = d.last_message().to_string();
    if shares_another {
        d.send_line(al, "JOIN #open");
        d.send_line(bo, "JOIN #open");
    }
    d.send_line(al, mute);
    d.take_output(al);
    let mut leaks = Vec::new();
    for line in LINES {
        for part in line.replace("ID", &id).split("\r\n") {
            d.send_line(bo, part);
        }
        let shown = d.take_output(al);
        if shown.contains(MARKER_TEXT) {
            leaks.push(((*line).to_owned(), shown));
        }
    }
    // And at the next login, by its real name.
    d.send_line(al, "MODE #a");
    d.take_output(al);
    let _bo = d.open("bo", CAPS);
    let shown = d.take_output(al);
    assert!(shown.contains(":bo!bo@parlour JOIN #a bo :bo\r\n"), "no real name: {shown}");
    leaks
}

#[test]
fn no_command_carries_text_of_silenced_account() {
    for mute in ["MODE #a +b m:bo!*@*", "MODE #a +m"] {
        assert_eq!(leaked_lines(mute, false), [], "{mute}");
    }
}

#[test]
fn event_text_is_shown_where_account_may_speak() {
    let leaked: Vec<String> = leaked_lines("MODE #a +m", true).into_iter().map(|(line, _)| line).collect();
    let expected = ["SETNAME :hear-me", "METADATA * SET status :hear-me", "AWAY :hear-me", "QUIT :hear-me"];
    assert_eq!(leaked, expected);
}

#[test]
fn silenced_event_text_reaches_monitoring_sessions_only() {
    let mut d = Driver::new();
    let watches = format!("{CAPS} extended-monitor");
    let (al, bo, cy) = (d.open("al", CAPS), d.open("bo", CAPS), d.open("cy", &watches));
    d.send_line(al, "JOIN #a");
    d.send_line(bo, "JOIN #a");
    d.send_line(al, "MODE #a +m");
    d.send_line(cy, "JOIN #a");
    d.send_line(cy, "MONITOR + bo");
    d.take_output(al);
    d.take_output(cy);
    d.send_line(bo, "AWAY :lunch");
    assert_eq!(d.take_output(al), ":bo!bo@parlour AWAY :Away\r\n");
    assert_eq!(d.take_output(cy), ":bo!bo@parlour AWAY :lunch\r\n");
    assert!(d.send_line(bo, "SETNAME :Robert").contains("SETNAME :Robert"));
    assert_eq!(d.take_output(al), "");
    assert_eq!(d.take_output(cy), ":bo!bo@parlour SETNAME :Robert\r\n");
    d.send_line(bo, "PART #a :lunch");
    d.send_line(bo, "JOIN #a");
    assert!(d.take_output(al).contains(":bo!bo@parlour JOIN #a bo :bo\r\n"));
    d.send_line(bo, "QUIT :lunch");
    assert_eq!(d.take_output(al), ":bo!bo@parlour QUIT :Quit\r\n");
}

#[test]
fn silenced_member_cannot_speak_by_other_commands() {
    let mut d = Driver::new();
    let (al, bo) = (d.open("al", ""), d.open("bo", "batch draft/multiline"));
    for session in [al, bo] {
        d.send_line(session, "JOIN #a");
    }
    d.take_output(al);
    d.send_line(al, "MODE #a +C");
    for text in ["\u{1}VERSION\u{1}", "\u{1}ACTIONS\u{1}"] {
        assert!(d.send_line(bo, &format!("PRIVMSG #a :{text}")).contains(" 404 "), "{text:?}");
    }
    let several = super::ircv3::send_lines(
        &mut d,
        bo,
        &[
            "BATCH +1 draft/multiline #a",
            "@batch=1 PRIVMSG #a :hello",
            "@batch=1 PRIVMSG #a :\u{1}VERSION\u{1}",
            "BATCH -1",
        ],
    );
    assert!(several.contains(" 404 "), "{several}");
    d.take_output(al);
    d.send_line(bo, "PRIVMSG #a :\u{1}ACTION waves\u{1}");
    assert!(d.take_output(al).contains("ACTION waves"));
    d.send_line(al, "MODE #a +b m:a:bo");
    d.send_line(bo, "PART #a :the last word");
    assert!(d.take_output(al).ends_with(":bo!bo@parlour PART #a\r\n"));
}
