//! Clients from before IRCv3 with no capability but SASL, such as irssi and catgirl: all lines conform to RFC 1459 and
//! RFC 2812, and missed messages have their time in the text.
//!
//! <https://modern.ircdocs.horse/>, <https://ircv3.net/specs/extensions/message-tags>: without the capability, no tags.

use crate::support::{ALL_CAPABILITIES, Client, LONG_LINE_CAPABILITIES, Line, PASSWORD, Server, server_with};

/// Commands that such clients understand beside numerics.
const RFC_COMMANDS: &[&str] = &[
    "ERROR", "INVITE", "JOIN", "KICK", "KILL", "MODE", "NICK", "NOTICE", "PART", "PING", "PONG", "PRIVMSG",
    "QUIT", "TOPIC", "WALLOPS",
];

/// Logs in as irssi does.
#[track_caller]
fn log_in(server: &Server, name: &str) -> Client {
    let mut client = Client::connect_without_alpn(server);
    client.send("CAP LS");
    let offer = client.wait_for_command("CAP * LS");
    assert!(offer.text().split(' ').any(|word| word == "sasl"), "{offer}");
    client.send("CAP REQ sasl");
    client.wait_for_command("CAP * ACK sasl");
    client.send_nick_and_user(name);
    assert_eq!(client.authenticate(name, PASSWORD).command, "903");
    let mut client = client.finish_login();
    let welcome = std::mem::take(&mut client.welcome);
    assert_plain_lines(&welcome);
    client.welcome = welcome;
    client
}

/// Checks that an old client understands all of the lines.
#[track_caller]
fn assert_plain_lines(lines: &[Line]) {
    for line in lines {
        let numeric = line.command.len() == 3 && line.command.bytes().all(|b| b.is_ascii_digit());
        assert!(numeric || RFC_COMMANDS.contains(&line.command.as_str()), "unknown: {line}");
        assert!(line.tags.is_empty(), "tags: {line:?}");
    }
}

/// Returns all pending lines, checked.
#[track_caller]
fn drain_lines(client: &mut Client) -> Vec<String> {
    let lines = client.drain();
    assert_plain_lines(&lines);
    lines.iter().map(|line| format!("{} {line}", line.nick())).collect()
}

/// Returns the reply to a line, checked.
#[track_caller]
fn request_lines(client: &mut Client, line: &str) -> Vec<String> {
    client.send(line);
    drain_lines(client)
}

#[test]
fn client_with_only_sasl_gets_rfc_commands() {
    let server = server_with(&["sessions.grace_s = 0"]);
    let mut irssi = log_in(&server, "alice");
    let mut catgirl = log_in(&server, "carol");
    let everything = format!(
        "{ALL_CAPABILITIES} away-notify extended-join invite-notify setname chghost account-notify draft/chathistory \
         draft/read-marker draft/message-redaction draft/multiline draft/metadata-3 draft/channel-rename extended-monitor"
    );
    let mut bob = Client::login_with(&server, "bob", &everything);

    let joined = request_lines(&mut irssi, "JOIN #room");
    assert_eq!(
        joined,
        [
            "alice JOIN #room",
            "chat.parlour 353 alice = #room ~alice",
            "chat.parlour 366 alice #room End of /NAMES list"
        ]
    );
    request_lines(&mut catgirl, "JOIN #room");
    bob.request("JOIN #room");
    assert_eq!(drain_lines(&mut irssi), ["carol JOIN #room", "bob JOIN #room"]);
    drain_lines(&mut catgirl);
    // irssi's queries about each channel.
    assert!(request_lines(&mut irssi, "MODE #room")[0].starts_with("chat.parlour 324 alice #room +"));
    assert_eq!(request_lines(&mut irssi, "WHO #room").len(), 4);
    assert!(request_lines(&mut irssi, "MODE #room b")[0].contains(" 368 "));

    assert_eq!(request_lines(&mut irssi, "PRIVMSG #room :hello"), [] as [&str; 0], "no echo");
    assert_eq!(drain_lines(&mut catgirl), ["alice PRIVMSG #room hello"]);
    // Of a modern client's actions they see the part that they understand.
    let echo = bob.send_and_await_echo("#room", "modern words");
    let msgid = echo.tag("msgid").expect("an id").to_owned();
    bob.request("@+typing=active TAGMSG #room");
    bob.request("@+draft/react=x TAGMSG #room");
    for line in ["BATCH +1 draft/multiline #room", "@batch=1 PRIVMSG #room :one", "@batch=1 PRIVMSG #room :"]
    {
        bob.send(line);
    }
    bob.send("@batch=1 PRIVMSG #room :two");
    bob.send("BATCH -1");
    bob.request(&format!("REDACT #room {msgid} :oops"));
    bob.request("METADATA * SET status :busy");
    bob.request("MARKREAD #room timestamp=2024-01-01T00:00:00.000Z");
    bob.request("SETNAME :Another Name");
    bob.request("AWAY :out");
    bob.request("AWAY");
    bob.request("PRIVMSG alice :\u{1}ACTION waves\u{1}");
    let mut seen = drain_lines(&mut irssi);
    seen.retain(|line| !line.contains("REDACT"));
    assert_eq!(
        seen,
        [
            "bob PRIVMSG #room modern words",
            "bob PRIVMSG #room one",
            "bob PRIVMSG #room two",
            "bob PRIVMSG alice \u{1}ACTION waves\u{1}"
        ]
    );
    assert_eq!(drain_lines(&mut catgirl).len(), 3);
    request_lines(&mut irssi, "MODE #room +q bob");
    bob.drain();
    bob.request("TOPIC #room :Tea");
    bob.request("RENAME #room #hall :bigger");
    let seen = drain_lines(&mut irssi);
    assert_eq!(seen[0], "bob TOPIC #room Tea");
    assert!(seen[1].starts_with("alice PART #room"), "a new name is leaving and joining: {seen:?}");
    assert_eq!(seen[2], "alice JOIN #hall");
    drain_lines(&mut catgirl);
    bob.request("KICK #hall carol :enough");
    bob.request("INVITE carol #hall");
    assert_eq!(drain_lines(&mut catgirl), ["bob KICK #hall carol enough", "bob INVITE carol #hall"]);
    bob.send("QUIT :bye");
    bob.read_until_closed();
    assert_eq!(drain_lines(&mut irssi), ["bob KICK #hall carol enough", "bob QUIT Quit: bye"]);

    // Commands that people type there.
    for line in
        ["WHOIS alice", "WHOWAS bob", "LIST", "LUSERS", "VERSION", "MOTD", "NAMES #hall", "ISON bob alice"]
    {
        assert!(!request_lines(&mut irssi, line).is_empty(), "{line}");
    }
    for line in
        ["TIME", "INFO", "ADMIN", "HELP", "USERHOST alice", "PING x", "AWAY :out", "AWAY", "MODE alice +i"]
    {
        request_lines(&mut irssi, line);
    }
    for wrong in
        ["NONSENSE", "JOIN", "PRIVMSG nobody :x", "NICK bob", "KICK #hall nobody", "OPER a b", "REHASH"]
    {
        assert!(request_lines(&mut irssi, wrong)[0].starts_with("chat.parlour 4"), "{wrong}");
    }
    let service = request_lines(&mut irssi, "PRIVMSG NickServ :IDENTIFY hunter2");
    assert!(service[0].starts_with("NickServ NOTICE alice "), "{service:?}");
}

/// Checks that the text starts with date and minute. Returns the rest.
#[track_caller]
fn strip_date(text: &str) -> &str {
    let (stamp, rest) = text.split_once("] ").unwrap_or_else(|| panic!("no time: {text}"));
    let digits: Vec<usize> = stamp.split(|c: char| !c.is_ascii_digit()).map(str::len).collect();
    assert_eq!(digits, [0, 4, 2, 2, 2, 2], "{stamp}");
    rest
}

#[test]
fn replay_to_an_old_client_has_the_time_in_the_text() {
    let server = server_with(&["sessions.grace_s = 0"]);
    let mut irssi = log_in(&server, "alice");
    request_lines(&mut irssi, "JOIN #room");
    irssi.send("QUIT");
    irssi.read_until_closed();
    let mut bob = Client::in_channel(&server, "bob", "#room");
    for line in [
        "PRIVMSG #room :while you were away",
        "@+draft/react=x TAGMSG #room",
        "NOTICE #room :take note",
        "PRIVMSG alice :just for you",
        "PRIVMSG #room :\u{1}ACTION waves\u{1}",
    ] {
        bob.request(line);
    }
    let irssi = log_in(&server, "alice");
    let said: Vec<String> = irssi
        .welcome
        .iter()
        .filter(|line| ["PRIVMSG", "NOTICE"].contains(&line.command.as_str()))
        .map(|line| {
            assert_eq!(line.nick(), "bob", "{line}");
            let (action, text) = match line.text().strip_prefix("\u{1}ACTION ") {
                Some(text) => ("* ", text.trim_end_matches('\u{1}')),
                None => ("", line.text()),
            };
            format!("{} {} {action}{}", line.command, line.param(0), strip_date(text))
        })
        .collect();
    assert_eq!(
        said,
        [
            "PRIVMSG #room while you were away",
            "NOTICE #room take note",
            "PRIVMSG #room * waves",
            "PRIVMSG alice just for you"
        ]
    );
    let place = |start: &str| irssi.welcome.iter().position(|line| line.starts_with(start)).expect(start);
    assert!(place("JOIN #room") < place("PRIVMSG #room"), "first the window, then what was said in it");
    irssi.close();
    bob.wait_for_command("QUIT");
    let irssi = log_in(&server, "alice");
    assert!(!irssi.welcome.iter().any(|line| line.command == "PRIVMSG"), "once: {:?}", irssi.welcome);
}

/// <https://modern.ircdocs.horse/#message-format>: a client that never requested more gets lines of 512 bytes at most,
/// also for a longer line of a modern client, and also later.
#[test]
fn long_text_is_split_for_old_clients() {
    let server = server_with(&["sessions.grace_s = 0"]);
    let mut irssi = log_in(&server, "carol");
    request_lines(&mut irssi, "JOIN #room");
    let mut alice = Client::login_with(&server, "alice", LONG_LINE_CAPABILITIES);
    alice.request("JOIN #room");
    request_lines(&mut irssi, "PING x");
    let text = "Tee, 会议 und 👨‍👩‍👧‍👦 ".repeat(40);
    let text = text.trim_end();
    alice.send_and_await_echo("#room", text);
    let whole = |lines: &[Line], dated: bool| -> String {
        let lines = lines.iter().filter(|line| line.command == "PRIVMSG");
        let texts = lines.map(|line| {
            assert!(format!(":{} PRIVMSG #room :{}\r\n", line.source, line.text()).len() <= 512, "{line}");
            line.text()
        });
        let all: String = texts.collect();
        if dated { strip_date(&all).to_owned() } else { all }
    };
    let live = irssi.drain();
    assert!(live.len() > 2);
    assert_eq!(whole(&live, false), text);
    irssi.send("QUIT");
    irssi.read_until_closed();
    alice.send_and_await_echo("#room", text);
    let mut irssi = log_in(&server, "carol");
    assert_eq!(whole(&irssi.welcome, true), text, "what was missed");
    // With a message id: on the first line alone, in a batch of history too.
    let mut reader = Client::login_with(&server, "bob", &crate::support::history::history_capabilities());
    reader.request("JOIN #room");
    let lines = reader.query_history("LATEST #room * 1");
    assert_eq!(whole(&lines, false), text);
    let ids: Vec<bool> = lines.iter().map(|line| line.tag("msgid").is_some()).collect();
    assert!(ids[0] && ids.len() > 2 && !ids[1..].contains(&true), "{ids:?}");
    // The client's own echo, which a label requests.
    let own = "x".repeat(500);
    let lines = reader.request(&format!("@label=e PRIVMSG #room :{own}"));
    let shown: Vec<&str> = lines.iter().map(|line| line.command.as_str()).collect();
    assert_eq!(shown, ["BATCH", "PRIVMSG", "PRIVMSG", "BATCH"], "{lines:?}");
    assert_eq!((lines[0].tag("label"), lines[0].param(1)), (Some("e"), "labeled-response"));
    assert_eq!(whole(&lines, false), own);
    request_lines(&mut irssi, "PING x");
}
