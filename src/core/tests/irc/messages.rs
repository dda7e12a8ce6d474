//! Messages to channels and between accounts, and their tags.
//!
//! <https://ircv3.net/specs/extensions/message-tags>, echo-message, server-time, message-ids, account-tag

use super::{ALL_CAPABILITIES, Client, Line, log_in_and_join, server};

#[test]
fn channel_message_has_one_msgid_and_one_time() {
    let server = server();
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    let mut carol = Client::in_channel(&server, "carol", "#room");
    let (echo, got) = alice.deliver_message(&mut bob, "#ROOM", "hello, you two");
    let third = carol.wait_for_message("hello, you two");
    for line in [&echo, &got, &third] {
        assert_eq!((line.command.as_str(), line.nick(), line.param(0)), ("PRIVMSG", "alice", "#room"));
        assert_eq!(line.tag("account"), Some("alice"));
        assert_eq!((line.tag("msgid"), line.tag("time")), (echo.tag("msgid"), echo.tag("time")));
    }
    let id = echo.tag("msgid").expect("a msgid");
    assert!(!id.is_empty() && !id.starts_with(':') && !id.contains(' '), "{id:?}");
    // server-time: YYYY-MM-DDThh:mm:ss.sssZ
    let time = echo.tag("time").expect("a time");
    let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000Z");
    let (next, _) = alice.deliver_message(&mut bob, "#room", "and again");
    assert_ne!(next.tag("msgid"), echo.tag("msgid"));
}

#[test]
fn each_session_gets_only_its_capabilities() {
    let server = server();
    let [mut alice, _bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    alice.request("JOIN #bare");
    for (capabilities, tags) in [
        ("", &[][..]),
        ("server-time", &["time"]),
        ("account-tag", &["account"]),
        ("message-tags", &["+x", "msgid"]),
        ("message-tags server-time account-tag", &["+x", "account", "msgid", "time"]),
    ] {
        let mut bob = Client::login_with(&server, "bob", capabilities);
        bob.request("JOIN #bare");
        alice.send("@+x=1 PRIVMSG #bare :hi");
        alice.wait_for_message("hi");
        let got = bob.wait_for_message("hi");
        assert_eq!(got.tags.keys().map(String::as_str).collect::<Vec<_>>(), tags, "with {capabilities:?}");
        // Without echo-message a session's own messages do not come back.
        assert_eq!(bob.request("PRIVMSG #bare :mine"), [], "with {capabilities:?}");
        alice.wait_for_message("mine");
    }
}

#[test]
fn notice_is_delivered() {
    let server = server();
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    alice.send("NOTICE #room :take note");
    let (echo, got) = (alice.wait_for_message("take note"), bob.wait_for_message("take note"));
    assert_eq!((echo.command.as_str(), got.command.as_str()), ("NOTICE", "NOTICE"));
    assert!(echo.tag("msgid").is_some() && echo.tag("msgid") == got.tag("msgid"));
    alice.send("NOTICE bob :you");
    assert_eq!(bob.wait_for_message("you").param(0), "bob");
}

#[test]
fn direct_messages_are_delivered() {
    let server = server();
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    let mut carol = Client::login(&server, "carol");
    let (echo, got) = alice.deliver_message(&mut bob, "BOB", "psst");
    assert_eq!((echo.param(0), got.param(0)), ("bob", "bob"));
    assert_eq!(echo.tag("msgid"), got.tag("msgid"));
    assert_eq!(carol.drain(), []);
    // To oneself: the delivered message and the echo are one message with one id.
    alice.send("PRIVMSG alice :note to self");
    let mine: Vec<Line> = alice.drain().into_iter().filter(|l| l.text() == "note to self").collect();
    assert!(!mine.is_empty() && mine.iter().all(|l| l.tag("msgid") == mine[0].tag("msgid")), "{mine:?}");
}

#[test]
fn only_client_tags_are_relayed() {
    let server = server();
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    let escaped = r"a\:b\sc\\d";
    alice.send(&format!("@+reply=x1;+draft/react={escaped};time=1970-01-01T00:00:00.000Z;msgid=forged;account=bob;+e PRIVMSG #room :tagged"));
    for line in [alice.wait_for_message("tagged"), bob.wait_for_message("tagged")] {
        assert_eq!(
            (line.tag("+reply"), line.tag("+draft/react"), line.tag("+e")),
            (Some("x1"), Some(r"a;b c\d"), Some(""))
        );
        assert_eq!(line.tag("account"), Some("alice"));
        assert_ne!(line.tag("msgid"), Some("forged"));
        assert!(!line.tag("time").expect("a time").starts_with("1970"));
    }
}

#[test]
fn tagmsg_requires_message_tags() {
    let server = server();
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    let mut carol = Client::login_with(&server, "carol", "server-time echo-message");
    carol.request("JOIN #room");
    alice.send("@+typing=active TAGMSG #room");
    let (echo, got) = (alice.wait_for_command("TAGMSG #room"), bob.wait_for_command("TAGMSG #room"));
    assert_eq!((echo.tag("+typing"), got.tag("+typing")), (Some("active"), Some("active")));
    assert_eq!(got.params.len(), 1);
    alice.send("@+typing=done TAGMSG bob");
    assert_eq!(bob.wait_for_command("TAGMSG bob").tag("+typing"), Some("done"));
    assert!(carol.drain().iter().all(|l| l.command != "TAGMSG"));
}

#[test]
fn text_is_relayed_unchanged() {
    let server = server();
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    for text in [
        ": starts with a colon",
        " spaces  inside ",
        "\u{1}ACTION waves\u{1}",
        "\u{2}bold\u{3}4,5 colour\u{f}",
        "日本語 🎉 e\u{301}",
    ] {
        let (echo, got) = alice.deliver_message(&mut bob, "#room", text);
        assert_eq!((echo.text(), got.text()), (text, text));
    }
}

#[test]
fn too_long_send_id_is_refused() {
    let server = server();
    let mut alice = Client::login_with(&server, "alice", &format!("{ALL_CAPABILITIES} parlour/send-id"));
    alice.request("JOIN #room");
    for bad in ["x".repeat(65), String::new()] {
        let lines = alice.request(&format!("@parlour/send-id={bad} PRIVMSG #room :x"));
        assert!(lines.len() == 1 && lines[0].starts_with("FAIL PRIVMSG"), "{bad:?}: {lines:?}");
    }
    alice.send(&format!("@parlour/send-id={} PRIVMSG #room :x", "x".repeat(64)));
    alice.wait_for_message("x");
}

#[test]
fn echo_account_replies() {
    let server = server();
    let mut alice = Client::login(&server, "alice");
    alice.send("PRIVMSG echo :hi there");
    let answer = alice.wait_for_message("Server received your message: hi there");
    assert_eq!((answer.nick(), answer.param(0)), ("echo", "alice"));
    assert!(answer.tag("msgid").is_some());
    // A bot never replies to a NOTICE.
    alice.send("NOTICE echo :hi");
    assert!(alice.drain().iter().all(|l| l.nick() != "echo"));
    // The longest message still gets a reply that fits a line.
    let text = "x".repeat(512 - "PRIVMSG echo :\r\n".len());
    alice.send(&format!("PRIVMSG echo :{text}"));
    let answer = alice.wait_for_line("echo's answer", |l| l.nick() == "echo");
    assert!(answer.text().starts_with("Server received your message: xxx"), "{answer}");
    let rest = alice.wait_for_line("the rest of it", |l| l.nick() == "echo");
    assert_eq!(format!("{}{}", answer.text(), rest.text()), format!("Server received your message: {text}"));
    assert_eq!((rest.tag("msgid"), answer.tag("msgid").is_some()), (None, true), "one message, one id");
    // Everyone may message it at once, and each gets only their own reply.
    let mut bob = Client::login(&server, "bob");
    bob.send("PRIVMSG echo :from bob");
    bob.wait_for_message("Server received your message: from bob");
    assert_eq!(alice.drain(), []);
}
