//! One line of each kind, and malformed ones.

use super::*;
use crate::client::model::event::{ListReply, Names, NumericReply, Presence, WhoReply, WhoxReply};

const NOW: Timestamp = Timestamp(1000);

fn received(line: &str) -> Received {
    let me = Nick::parse("alice").expect("a nick");
    decode(&Message::parse(line).expect(line), Some(&me), NOW)
}

fn channel(name: &str) -> ChannelName {
    ChannelName::parse(name).expect(name)
}

fn nick(name: &str) -> Nick {
    Nick::parse_foreign(name).expect(name)
}

fn target(name: &str) -> Conversation {
    Conversation::from_server(name).expect(name)
}

fn texts(all: &[&str]) -> Vec<String> {
    all.iter().map(|&text| text.to_owned()).collect()
}

#[test]
fn origin_is_source_and_tags() {
    let line = "@time=2023-11-14T22:13:20.007Z;msgid=0a;label=3;batch=x;account=bob;+draft/reply=09;bot;\
                +x=\\:;draft/chathistory-context :bob!b@h PRIVMSG #c :hi";
    let Origin {
        server_time, received_at, ref msgid, ref label, ref batch, ref account, ref reply_to, ..
    } = received(line).origin;
    assert_eq!((server_time, received_at), (Some(Timestamp(1_700_000_000_007)), NOW));
    let fields = [msgid, label, batch, account, reply_to].map(Option::as_deref);
    assert_eq!(fields, [Some("0a"), Some("3"), Some("x"), Some("bob"), Some("09")]);
    let origin = received(line).origin;
    assert_eq!((origin.sender.clone(), origin.nick()), (Some(nick("bob")), Some("bob")));
    assert!(origin.is_from_user() && origin.is_context && !origin.is_continuation && !origin.mine);
    let tags: Vec<_> = origin.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(tags, [("+draft/reply", "09"), ("+x", ";"), ("bot", "")]);

    let origin = received("@time=yesterday;msgid=;+reply= :Alice!a@h JOIN #c").origin;
    assert_eq!((origin.time(), origin.msgid.as_deref(), origin.reply_to.as_deref()), (NOW, None, None));
    assert!(origin.mine);
    assert!(!received("PING x").origin.mine && received("PING x").origin.source.is_none());
    assert!(!received(":irc.example.org NOTICE alice :hi").origin.is_from_user());
}

#[test]
fn messages() {
    let message = |line: &str| match received(line).event {
        ServerEvent::Message(message) => {
            (message.conversation.to_string(), message.mine, message.kind, message.text, message.reply_to)
        }
        other => panic!("{line}: {other:?}"),
    };
    let row = |conversation: &str, mine, kind, text: &str| {
        (conversation.to_owned(), mine, kind, text.to_owned(), None)
    };
    for (line, expected) in [
        (":bob!b@h PRIVMSG #c :hi", row("#c", false, MessageKind::Text, "hi")),
        (":bob!b@h PRIVMSG @#c :psst", row("#c", false, MessageKind::Text, "psst")),
        (":bob!b@h privmsg alice :", row("bob", false, MessageKind::Text, "")),
        (":alice!a@h PRIVMSG bob :hi", row("bob", true, MessageKind::Text, "hi")),
        (":bob!b@h NOTICE #c :hi", row("#c", false, MessageKind::Notice, "hi")),
        (":bob!b@h PRIVMSG #c :\u{1}ACTION waves\u{1}", row("#c", false, MessageKind::Action, "waves")),
        (":bob!b@h PRIVMSG #c :\u{1}ACTION waves", row("#c", false, MessageKind::Action, "waves")),
        (":bob!b@h PRIVMSG #c :\u{1}VERSION\u{1}", row("#c", false, MessageKind::Text, "\u{1}VERSION\u{1}")),
        (
            ":bob!b@h NOTICE #c :\u{1}ACTION x\u{1}",
            row("#c", false, MessageKind::Notice, "\u{1}ACTION x\u{1}"),
        ),
    ] {
        assert_eq!(message(line), expected, "{line}");
    }
    let (.., reply) = message("@+reply=7 :bob!b@h PRIVMSG #c :yes");
    assert_eq!(reply.as_deref(), Some("7"));
    for line in [":irc.example.org NOTICE * :hi", "NOTICE alice :hi"] {
        assert_eq!(received(line).event, ServerEvent::Notice("hi".into()), "{line}");
    }
    let wallops = received(":root!root@parlour WALLOPS :lunch").event;
    assert_eq!(wallops, ServerEvent::Notice("root to everybody: lunch".into()));
    let ServerEvent::Note(note) = received("WARN JOIN SLOW #c :wait").event else { panic!("a note") };
    assert_eq!((note.code.as_str(), note.sentence().as_str()), ("SLOW", "#c: wait"));
    assert_eq!(received("NOTE JOIN").event, ServerEvent::Ignored);
}

#[test]
fn tags_without_text() {
    let conversation = || target("#c");
    let typing = |status| ServerEvent::Typing(TypingChange { conversation: conversation(), status });
    let reaction = |removed| {
        let emoji = "\u{1f44d}".to_owned();
        ServerEvent::Reaction(ReactionChange { conversation: conversation(), emoji, removed })
    };
    for (tags, expected) in [
        ("+typing=active", typing(TypingStatus::Active)),
        ("+typing=paused", typing(TypingStatus::Paused)),
        ("+typing=done", typing(TypingStatus::Done)),
        ("+typing", typing(TypingStatus::Done)),
        ("+draft/react=\u{1f44d};+draft/reply=7", reaction(false)),
        ("+draft/unreact=\u{1f44d};+draft/reply=7", reaction(true)),
        ("+x", ServerEvent::Tags(target("#c"))),
    ] {
        assert_eq!(received(&format!("@{tags} :bob!b@h TAGMSG #c")).event, expected, "{tags}");
    }
}

#[test]
fn channels_and_their_members() {
    let (c, bob, reason) = (|| channel("#c"), || nick("bob"), || "why".to_owned());
    let kick = |name: &str, by: &str| {
        let (nick, is_me) = (nick(name), name == "alice");
        ServerEvent::Kick(Kick { channel: c(), nick, is_me, by: by.into(), reason: reason() })
    };
    let invite = |name: &str| {
        let (nick, is_me) = (nick(name), name == "alice");
        ServerEvent::Invite(Invite { nick, is_me, channel: c(), by: "bob".into() })
    };
    let topic = |text: &str| Topic { channel: c(), text: text.into() };
    let mode = |letters: &str, args: &[&str]| {
        ServerEvent::ModeChange(ModeChange { channel: c(), letters: letters.into(), args: texts(args) })
    };
    for (line, expected) in [
        (":bob!b@h JOIN #c", ServerEvent::Join(Join { channel: c(), nick: bob() })),
        (":bob!b@h JOIN #c account :Real name", ServerEvent::Join(Join { channel: c(), nick: bob() })),
        (":bob!b@h PART #c :why", ServerEvent::Part(Part { channel: c(), nick: bob(), reason: reason() })),
        (":bob!b@h PART #c", ServerEvent::Part(Part { channel: c(), nick: bob(), reason: String::new() })),
        (":bob!b@h KICK #c alice :why", kick("alice", "bob")),
        (":irc.example.org KICK #c bob :why", kick("bob", "irc.example.org")),
        (":bob!b@h QUIT :why", ServerEvent::Quit(Quit { nick: bob(), reason: reason() })),
        (":bob!b@h NICK :rob", ServerEvent::NickChange(NickChange { old: bob(), new: nick("rob") })),
        (":bob!b@h TOPIC #c :tea", ServerEvent::TopicChange(topic("tea"))),
        (":bob!b@h TOPIC #c :", ServerEvent::TopicChange(topic(""))),
        (":srv 332 alice #c :tea", ServerEvent::TopicReply(topic("tea"))),
        (":srv 331 alice #c :No topic is set", ServerEvent::TopicReply(topic(""))),
        (":bob!b@h MODE #c +ov-m al bo", mode("+ov-m", &["al", "bo"])),
        (":srv MODE #c +n", mode("+n", &[])),
        (
            ":bob!b@h RENAME #c #d :why",
            ServerEvent::ChannelRename(ChannelRename { from: c(), to: channel("#d"), reason: reason() }),
        ),
        (":bob!b@h INVITE alice #c", invite("alice")),
        (":bob!b@h INVITE carol #c", invite("carol")),
        (
            ":srv 353 alice = #c :@bob alice",
            ServerEvent::Names(Names { channel: c(), names: "@bob alice".into() }),
        ),
        (":srv 366 alice #c :End", ServerEvent::NamesEnd(c())),
    ] {
        assert_eq!(received(line).event, expected, "{line}");
    }
    assert!(
        matches!(received(":b!b@h MODE #c +ov al bo").event, ServerEvent::ModeChange(change) if change.text() == "+ov al bo")
    );
}

#[test]
fn states_of_accounts_and_conversations() {
    let away = |message: Option<&str>, is_reply| {
        let message = message.map(str::to_owned);
        ServerEvent::Away(Away { nick: nick("bob"), message, is_reply })
    };
    let metadata = |value: Option<&str>| {
        let value = value.map(str::to_owned);
        ServerEvent::Metadata(Metadata { target: "#c".into(), key: "k".into(), value })
    };
    let marker = |time| ServerEvent::ReadMarker(ReadMarker { conversation: target("#c"), time });
    let presence = |nicks: &[&str], online| {
        ServerEvent::Presence(Presence { nicks: nicks.iter().map(|name| nick(name)).collect(), online })
    };
    for (line, expected) in [
        (":bob!b@h AWAY :lunch", away(Some("lunch"), false)),
        (":bob!b@h AWAY", away(None, false)),
        (":bob!b@h AWAY :", away(None, false)),
        (":srv 301 alice bob :lunch", away(Some("lunch"), true)),
        (":srv 306 alice :You are away", ServerEvent::OwnAway(true)),
        (":srv 305 alice :You are back", ServerEvent::OwnAway(false)),
        (":srv 730 alice :bob!b@h,carol,!", presence(&["bob", "carol"], true)),
        (":srv 731 alice bob", presence(&["bob"], false)),
        (
            ":srv 352 alice #c u h srv bob G@ :0 Bob",
            ServerEvent::WhoReply(WhoReply {
                nick: nick("bob"),
                is_away: true,
                channel: "#c".into(),
                flags: "G@".into(),
                realname: "Bob".into(),
            }),
        ),
        (
            ":srv 352 alice #c u h srv bob H",
            ServerEvent::WhoReply(WhoReply {
                nick: nick("bob"),
                is_away: false,
                channel: "#c".into(),
                flags: "H".into(),
                realname: String::new(),
            }),
        ),
        ("MARKREAD #c timestamp=1970-01-01T00:00:00.005Z", marker(Some(Timestamp(5)))),
        ("MARKREAD #c *", marker(None)),
        ("METADATA #c k * :v", metadata(Some("v"))),
        ("METADATA #c k *", metadata(None)),
        (":srv 761 alice #c k * :v", metadata(Some("v"))),
        (":srv 766 alice #c k :no such key", metadata(None)),
        (
            "CHATHISTORY TARGETS bob 1970-01-01T00:00:00.005Z",
            ServerEvent::HistoryTarget(target("bob"), Timestamp(5)),
        ),
    ] {
        assert_eq!(received(line).event, expected, "{line}");
    }
    let redaction = |reason: &str| {
        ServerEvent::Redaction(Redaction {
            conversation: target("bob"),
            msgid: "7".into(),
            reason: reason.into(),
        })
    };
    assert_eq!(received(":bob!b@h REDACT alice 7 :oops").event, redaction("oops"));
    assert_eq!(received(":alice!a@h REDACT bob 7").event, redaction(""));
}

#[test]
fn replies_to_queries() {
    let who = WhoxReply {
        channel: String::new(),
        token: "417".into(),
        nick: "bob".into(),
        flags: "H@".into(),
        idle: Some(5),
        realname: "Bob B".into(),
    };
    let list = ListReply { channel: "#c".into(), members: "3".into(), topic: "tea".into() };
    let caps = |tokens: &[&str], is_last| ServerEvent::Caps(Caps { tokens: texts(tokens), is_last });
    for (line, expected) in [
        (":srv 005 alice A B=1 :are supported", ServerEvent::Isupport(texts(&["A", "B=1", "are supported"]))),
        (":srv 354 alice 417 bob H@ 5 :Bob B", ServerEvent::WhoxReply(who)),
        (":srv 315 alice * :End", ServerEvent::WhoEnd),
        (":srv 322 alice #c 3 :tea", ServerEvent::ListReply(list)),
        (":srv 323 alice :End", ServerEvent::ListEnd),
        ("CAP alice LS * :a b=1", caps(&["a", "b=1"], false)),
        ("CAP alice LS :c", caps(&["c"], true)),
        (":srv 311 alice bob u h * :Bob", numeric_reply(311, &["bob", "u", "h", "*", "Bob"])),
        (":srv 042 alice", numeric_reply(42, &[])),
        ("@label=3 ACK", ServerEvent::Ack),
        ("PING :a b", ServerEvent::Ping("a b".into())),
        ("PONG srv 12", ServerEvent::Pong("12".into())),
        ("ERROR :Bye", ServerEvent::Closing("Bye".into())),
    ] {
        assert_eq!(received(line).event, expected, "{line}");
    }
}

#[test]
fn batches() {
    let start = |kind| ServerEvent::BatchStart(BatchStart { reference: "x".into(), kind });
    for (line, expected) in [
        ("BATCH +x chathistory #c", start(BatchKind::History(target("#c")))),
        ("BATCH +x chathistory", start(BatchKind::Transparent)),
        ("BATCH +x chathistory #", start(BatchKind::Transparent)),
        ("BATCH +x draft/chathistory-targets", start(BatchKind::HistoryTargets)),
        ("BATCH +x soju.im/search", start(BatchKind::Search)),
        ("BATCH +x labeled-response", start(BatchKind::Transparent)),
        ("BATCH +x", start(BatchKind::Transparent)),
        ("BATCH +x draft/multiline #c", start(BatchKind::Multiline(None))),
        ("BATCH -x", ServerEvent::BatchEnd("x".into())),
        ("BATCH x", ServerEvent::Ignored),
        ("BATCH", ServerEvent::Ignored),
    ] {
        assert_eq!(received(line).event, expected, "{line}");
    }
    let started = received("@msgid=7 :bob!b@h BATCH +x draft/multiline alice").event;
    let ServerEvent::BatchStart(BatchStart { kind: BatchKind::Multiline(Some(message)), .. }) = started
    else {
        panic!("{started:?}");
    };
    assert_eq!(
        (message.conversation, message.text.as_str(), message.msgid.as_deref()),
        (target("bob"), "", Some("7"))
    );
}

#[test]
fn errors() {
    let error = |line: &str| match received(line).event {
        ServerEvent::Error(error) => error,
        other => panic!("{line}: {other:?}"),
    };
    for (line, subject, text, is_temporary, refuses_message) in [
        (":srv 404 alice #c :Cannot send", "#c", "#c: Cannot send", false, true),
        (":srv 473 alice #c :Invite only", "#c", "#c: Invite only", false, false),
        (":srv 451 * :Not registered", "Not registered", "Not registered", false, false),
        ("FAIL PRIVMSG STORE_FULL #c :Disk full", "#c", "#c: Disk full", true, true),
        ("FAIL JOIN INVALID_TARGET #c :No", "#c", "#c: No", false, false),
        ("FAIL REDACT UNKNOWN_MSGID #c 7 :Gone", "#c", "#c 7: Gone", false, false),
        ("FAIL SEARCH RATE_LIMITED :Wait", "Wait", "Wait", true, false),
    ] {
        let error = error(line);
        assert_eq!((error.subject(), error.text().as_str()), (subject, text), "{line}");
        assert_eq!(
            (error.is_temporary(), error.refuses_message()),
            (is_temporary, refuses_message),
            "{line}"
        );
    }
    assert!(error(":srv 421 alice MONITOR :Unknown command").is_unknown_command("MONITOR"));
}

/// Those of 600 and above, too. The absence of a message of the day is an answer.
#[test]
fn each_error_numeric_of_the_server_is_an_error() {
    let table = include_str!("../../../wire/numeric.rs");
    let constants = table.lines().filter(|line| line.starts_with("pub const ERR_"));
    let codes: Vec<&str> = constants
        .filter_map(|line| line.split_once("Numeric(")?.1.split_once(')').map(|(code, _)| code))
        .filter(|code| *code != "422")
        .collect();
    assert!(codes.contains(&"696") && codes.contains(&"713") && codes.contains(&"464"));
    for code in codes {
        let event = received(&format!(":srv {code} alice #c :No")).event;
        assert!(matches!(event, ServerEvent::Error(_)), "{code}: {event:?}");
    }
}

#[test]
fn unknown_and_malformed_lines_are_ignored() {
    for line in [
        "FROBNICATE a b",
        "CAP alice NEW :a",
        ":bob!b@h PRIVMSG #c",
        ":odd,source!x@h PRIVMSG #c :not a nick",
        ":bob!b@h JOIN",
        "JOIN #c",
        ":bob!b@h JOIN c",
        ":bob!b@h PART",
        ":bob!b@h KICK #c",
        "KICK #c bob",
        ":bob!b@h NICK",
        "NICK bob",
        "QUIT :bye",
        ":bob!b@h TOPIC",
        ":bob!b@h MODE bob +i",
        ":bob!b@h MODE #c",
        ":bob!b@h RENAME #c",
        ":bob!b@h INVITE alice",
        "AWAY :gone",
        "MARKREAD #c",
        "MARKREAD #c timestamp=yesterday",
        "METADATA #c",
        ":srv 761 alice #c",
        ":bob!b@h REDACT #c",
        "@+typing=active :bob!b@h TAGMSG",
        "@+typing=active TAGMSG #c",
        "CHATHISTORY TARGETS bob",
        ":srv 353 alice =",
        ":srv 366 alice",
        ":srv 332 alice c :tea",
        ":srv 352 alice #c u h srv",
        ":srv 301 alice",
        "PONG",
        "FAIL",
    ] {
        assert_eq!(received(line).event, ServerEvent::Ignored, "{line}");
    }
}

#[test]
fn replies_that_nobody_asked_for_are_silent() {
    for (line, is_silent) in [
        (":srv 422 alice :No MOTD", true),
        (":srv 329 alice #c 1700000000", true),
        (":srv 371 alice :x", false),
    ] {
        let ServerEvent::Reply(reply) = received(line).event else { panic!("{line}") };
        assert_eq!(reply.is_silent(), is_silent, "{line}");
    }
}

fn numeric_reply(code: u16, params: &[&str]) -> ServerEvent {
    let params = params.iter().map(|&param| param.to_owned()).collect();
    ServerEvent::Reply(NumericReply { code: Numeric(code), params })
}
