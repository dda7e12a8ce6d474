//! Malformed lines: each gets a clear reply, and the connection stays.

use crate::support::{Client, LONG_LINE_CAPABILITIES, Line, Server, server};

/// Sends one bad line and returns the only line that replies to it. The connection must stay, and the onlooker in the
/// same channel must see nothing.
struct BadLineTest {
    alice: Client,
    observer: Client,
}

impl BadLineTest {
    fn start(server: &Server) -> Self {
        let mut alice = Client::login_with(server, "alice", LONG_LINE_CAPABILITIES);
        let mut observer = Client::login_with(server, "bob", LONG_LINE_CAPABILITIES);
        alice.request("JOIN #room");
        observer.request("JOIN #room");
        alice.drain();
        Self { alice, observer }
    }

    #[track_caller]
    fn request_one_line(&mut self, line: &str) -> Line {
        self.request_bytes(format!("{line}\r\n").as_bytes())
    }

    #[track_caller]
    fn request_bytes(&mut self, bytes: &[u8]) -> Line {
        self.alice.send_bytes(bytes).expect("the server reads");
        let lines = self.alice.drain();
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
        assert_eq!(lines.len(), 1, "{shown:?}: {lines:?}");
        let seen = self.observer.drain();
        assert!(seen.is_empty(), "{shown:?} led to {seen:?}");
        lines.into_iter().next().expect("one line")
    }
}

#[test]
fn line_over_the_limit_is_refused() {
    let server = server();
    let mut bad = BadLineTest::start(&server);
    // 512 bytes with CR LF are the protocol's limit; LINELEN advertises the server's larger one.
    let line = format!("PRIVMSG #room :{}", "x".repeat(40_000));
    assert!(bad.request_one_line(&line).starts_with("417 alice"));
    // Tags have a limit of their own (message-tags: 4094 bytes of tag data).
    let line = format!("@+x={} PRIVMSG #room :hi", "y".repeat(4094));
    assert!(bad.request_one_line(&line).starts_with("417 alice"));
    // The longest valid ones pass.
    let text = "x".repeat(512 - "PRIVMSG #room :\r\n".len());
    bad.alice.send(&format!("@+x={} PRIVMSG #room :{text}", "y".repeat(4094 - 3)));
    assert_eq!(bad.alice.wait_for_command("PRIVMSG").text(), text);
    let got = bad.observer.wait_for_command("PRIVMSG");
    assert_eq!((got.text(), got.tag("+x").map(str::len)), (text.as_str(), Some(4091)));
}

#[test]
fn unterminated_line_uses_bounded_memory() {
    let server = server();
    let mut alice = Client::login(&server, "alice");
    let mut endless = Client::login(&server, "bob");
    let before = server.memory_kib();
    let chunk = [b'x'; 16 * 1024];
    let mut closed = false;
    for _ in 0..2048 {
        closed = endless.send_bytes(&chunk).is_err();
        if closed {
            break;
        }
    }
    let grown = server.memory_kib().saturating_sub(before);
    assert!(grown < 8 * 1024, "32 MiB without an end made the server grow by {grown} KiB");
    if !closed {
        endless.send("");
        let lines = endless.drain();
        assert!(lines.len() == 1 && lines[0].starts_with("417 bob"), "{lines:?}");
    }
    alice.barrier();
}

#[test]
fn unterminated_line_before_login_uses_bounded_memory() {
    let server = server();
    let mut endless = Client::connect(&server);
    let before = server.memory_kib();
    let chunk = [b'x'; 16 * 1024];
    for _ in 0..1024 {
        if endless.send_bytes(&chunk).is_err() {
            break;
        }
    }
    let grown = server.memory_kib().saturating_sub(before);
    assert!(grown < 8 * 1024, "16 MiB without an end made the server grow by {grown} KiB");
    Client::login(&server, "alice");
}

#[test]
fn nul_and_invalid_utf8_are_refused() {
    let server = server();
    let mut bad = BadLineTest::start(&server);
    for bytes in [
        &b"PRIVMSG #room :caf\xe9\r\n"[..],
        b"PRIVMSG #room :half a character \xe2\x82\r\n",
        b"PRIVMSG #room :overlong \xc0\xaf\r\n",
        b"PRIVMSG #room :surrogate \xed\xa0\x80\r\n",
        b"TOPIC #room :\xff\r\n",
        b"@+x=\xff PRIVMSG #room :tag\r\n",
        b"\xff\xfe\r\n",
    ] {
        let answer = bad.request_bytes(bytes);
        assert_eq!(
            (answer.command.as_str(), answer.param(1)),
            ("FAIL", "INVALID_UTF8"),
            "{bytes:?}: {answer}"
        );
    }
    for bytes in [&b"PRIVMSG #room :a\0b\r\n"[..], b"\0\r\n", b"PRIVMSG #room\0 :x\r\n"] {
        let answer = bad.request_bytes(bytes);
        assert_eq!(answer.command, "FAIL", "{bytes:?}: {answer}");
        assert!(answer.text().contains("NUL"), "it says what is wrong: {answer}");
    }
}

/// <https://ircv3.net/specs/extensions/utf8-only>, <https://ircv3.net/specs/extensions/labeled-response>
#[test]
fn bad_line_reply_has_its_command_and_label() {
    let server = server();
    let mut bad = BadLineTest::start(&server);
    let long = [&b"@label=bad privmsg #room :"[..], &[b'x'; 3000], b"\r\n"].concat();
    for (bytes, start) in [
        (&b"@label=bad METADATA * SET display-name :\xc3\r\n"[..], "FAIL METADATA INVALID_UTF8"),
        (b"@label=bad;+x=y :alice PRIVMSG #room :\xff\r\n", "FAIL PRIVMSG INVALID_UTF8"),
        (b"@label=bad \xff\r\n", "FAIL * INVALID_UTF8"),
        (b"@label=bad TOPIC #room :a\0b\r\n", "FAIL TOPIC INVALID_LINE"),
        (b"@label=bad PRIVMSG #room :a\rb\r\n", "FAIL PRIVMSG INVALID_LINE"),
        (&long, "417 alice"),
    ] {
        let answer = bad.request_bytes(bytes);
        assert!(answer.starts_with(start) && answer.tag("label") == Some("bad"), "{start}: {answer:?}");
    }
    for (bytes, start) in [
        (&b"@label=\xff PRIVMSG #room :x\r\n"[..], "FAIL PRIVMSG INVALID_UTF8"),
        (b"JOIN #caf\xe9\r\n", "FAIL JOIN INVALID_UTF8"),
    ] {
        let answer = bad.request_bytes(bytes);
        assert!(answer.starts_with(start) && answer.tag("label").is_none(), "{start}: {answer:?}");
    }
}

#[test]
fn bad_bytes_before_login_are_refused() {
    let server = server();
    let mut client = Client::connect(&server);
    client.send_bytes(b"NICK caf\xe9\r\n").expect("the server reads");
    client.send_bytes(b"NICK a\0\r\n").expect("the server reads");
    let lines = client.drain();
    assert!(lines.len() == 2 && lines.iter().all(|l| l.command == "FAIL"), "{lines:?}");
    client.request_capabilities("labeled-response batch");
    client.send_bytes(b"@label=early USER caf\xe9 0 * :x\r\n").expect("the server reads");
    let lines = client.drain();
    assert!(
        lines[0].starts_with("FAIL USER INVALID_UTF8") && lines[0].tag("label") == Some("early"),
        "{lines:?}"
    );
}

#[test]
fn empty_lines_and_lone_carriage_returns_are_ignored() {
    let server = server();
    let mut alice = Client::login(&server, "alice");
    alice.send_bytes(b"\r\n\n\r\n   \r\n\r\n").expect("the server reads");
    assert_eq!(alice.drain(), []);
    // A line may end in LF alone (modern protocol: servers should accept that).
    alice.send_bytes(b"PING lf\n").expect("the server reads");
    assert_eq!(alice.wait_for_command("PONG").text(), "lf");
}

#[test]
fn missing_parameters_are_reported() {
    let server = server();
    let mut bad = BadLineTest::start(&server);
    for command in ["JOIN", "PART", "TOPIC", "MODE", "CAP", "TAGMSG", "PING"] {
        let answer = bad.request_one_line(command);
        let name = command.split(' ').next().unwrap_or_default();
        let alternatives = match name {
            "PING" => &["409 alice"][..],
            "TAGMSG" => &["411 alice"],
            "CAP" => &["410 alice"],
            _ => &[],
        };
        let wanted = format!("461 alice {name}");
        assert!(
            answer.starts_with(&wanted) || alternatives.iter().any(|a| answer.starts_with(a)),
            "{command}: {answer}"
        );
    }
    assert!(bad.request_one_line("NICK").starts_with("431 alice"));
    assert!(bad.request_one_line("WHOIS").starts_with("431 alice"));
    // Before the login, where the commands of registration apply.
    let mut stranger = Client::connect(&server);
    for command in
        ["USER x", "PASS", "USER x 0 *", "USER x 0 * :", "AUTHENTICATE", "REGISTER", "REGISTER alice *"]
    {
        let name = command.split(' ').next().unwrap_or_default();
        assert!(stranger.request(command)[0].starts_with(&format!("461 * {name}")), "{command}");
    }
    assert!(stranger.request("NICK")[0].starts_with("431 *"));
    // A required parameter that is empty counts as missing.
    for command in [
        "JOIN",
        "PART",
        "TOPIC",
        "MODE",
        "PING",
        "KICK #room",
        "WHO",
        "INVITE alice",
        "RENAME #room",
        "REDACT #room",
    ] {
        let name = command.split(' ').next().unwrap_or_default();
        let answer = bad.request_one_line(&format!("{command} :"));
        assert!(answer.starts_with(&format!("461 alice {name}")), "{command}: {answer}");
    }
}

#[test]
fn unknown_command_is_reported() {
    let server = server();
    let mut bad = BadLineTest::start(&server);
    assert!(bad.request_one_line("FROBNICATE #room :now").starts_with("421 alice FROBNICATE"));
    assert!(bad.request_one_line(":alice 001 alice :welcome").starts_with("421 alice 001"));
    assert!(bad.request_one_line("@a=b :alice FROB").starts_with("421 alice FROB"));
    // Commands are not case-sensitive.
    assert!(bad.request_one_line("ping x").starts_with("PONG chat.parlour x"));
}

#[test]
fn message_needs_a_target_and_text() {
    let server = server();
    let mut bad = BadLineTest::start(&server);
    assert!(bad.request_one_line("PRIVMSG").starts_with("411 alice"));
    assert!(bad.request_one_line("PRIVMSG #room").starts_with("412 alice"));
    assert!(bad.request_one_line("PRIVMSG #room :").starts_with("412 alice"));
    assert!(bad.request_one_line("PRIVMSG nobody :hello").starts_with("401 alice nobody"));
    assert!(bad.request_one_line("PRIVMSG #nowhere :hello").starts_with("403 alice #nowhere"));
    assert!(bad.request_one_line("PRIVMSG bad*nick :hello").starts_with("401 alice bad*nick"));
    bad.observer.request("JOIN #apart");
    assert!(bad.request_one_line("PRIVMSG #apart :hello").starts_with("404 alice #apart"));
    assert_eq!(bad.observer.drain(), []);
    // A NOTICE never gets an error in reply, unless the client can match the reply by its label.
    let mut carol = Client::login_with(&server, "carol", "echo-message");
    assert_eq!(carol.request("NOTICE nobody :hello"), []);
    assert_eq!(carol.request("NOTICE #apart :hello"), []);
    assert_eq!(bad.observer.drain(), []);
}

#[test]
fn nick_is_the_account_and_cannot_change() {
    let server = server();
    let mut bad = BadLineTest::start(&server);
    let answer = bad.request_one_line("NICK zoe");
    assert!(answer.starts_with("432 alice zoe"), "{answer}");
    assert!(answer.text().contains("account"), "it says why: {answer}");
    assert!(
        bad.request_one_line("NICK bob").starts_with("432 alice bob")
            || bad.request_one_line("NICK bob").starts_with("433 alice bob")
    );
    assert_eq!(bad.alice.request("NICK alice"), [], "one's own nick is no change");
    // Before the login an invalid nick is refused and the connection stays.
    let mut stranger = Client::connect(&server);
    for nick in ["1st", "a!b", "#room", "x".repeat(25).as_str(), "é"] {
        assert!(stranger.request(&format!("NICK {nick}"))[0].starts_with(&format!("432 * {nick}")), "{nick}");
    }
    assert_eq!(stranger.request("NICK alice"), []);
}

#[test]
fn bad_channel_name_is_reported() {
    let server = server();
    let mut bad = BadLineTest::start(&server);
    for name in ["room", "#", "&local", "#a\u{7}b", "#zero\u{200b}width"] {
        let answer = bad.request_one_line(&format!("JOIN {name}"));
        assert!(
            answer.starts_with(&format!("403 alice {name}"))
                || answer.starts_with(&format!("476 alice {name}")),
            "{answer}"
        );
    }
    let long = format!("#{}", "x".repeat(64));
    let answer = bad.request_one_line(&format!("JOIN {long}"));
    assert!(matches!(answer.command.as_str(), "403" | "476"), "{answer}");
}
