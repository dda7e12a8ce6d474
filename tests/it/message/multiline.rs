//! Multiline messages (`draft/multiline`): on arrival, in the history, and for clients without the capability.

use crate::support::history::{log_in_and_join_room, message_texts, msgid};
use crate::support::{Client, Line, assert_refused, commands, server, without_tags};

/// Capabilities with multiline messages.
const MULTILINE_CAPABILITIES: &str = "batch echo-message labeled-response message-tags server-time account-tag draft/multiline \
                      draft/chathistory draft/message-redaction soju.im/search";

/// Capabilities with ids, times and history, but without multiline messages.
const PLAIN_CAPABILITIES: &str = "batch message-tags server-time account-tag echo-message draft/chathistory";

/// Sends lines as one message; a line that begins with `\` continues the one before it.
fn send_multiline(client: &mut Client, tags: &str, target: &str, lines: &[&str]) {
    client.send(&format!("{tags}BATCH +7 draft/multiline {target}"));
    for line in lines {
        match line.strip_prefix('\\') {
            Some(rest) => client.send(&format!("@batch=7;draft/multiline-concat PRIVMSG {target} :{rest}")),
            None => client.send(&format!("@batch=7 PRIVMSG {target} :{line}")),
        }
    }
    client.send("BATCH -7");
}

/// Parses a multiline message into its opening line and its lines as [`send_multiline`] takes them.
fn parse_batch(lines: &[Line]) -> (Line, Vec<String>) {
    let [open, inner @ .., end] = lines else { panic!("no batch: {lines:?}") };
    let reference = open.param(0).trim_start_matches('+');
    assert!(
        open.param(1) == "draft/multiline" && end.starts_with(&format!("BATCH -{reference}")),
        "{lines:?}"
    );
    let taken = inner.iter().map(|line| {
        assert_eq!((line.tag("batch"), &line.source), (Some(reference), &open.source), "{lines:?}");
        assert_eq!((line.command.as_str(), line.param(0)), ("PRIVMSG", open.param(2)));
        assert_eq!((line.tag("msgid"), line.tag("label")), (None, None), "the opening alone has them");
        let cut = line.tag("draft/multiline-concat").map_or("", |_| "\\");
        format!("{cut}{}", line.text())
    });
    (open.clone(), taken.collect())
}

const LINES: [&str; 4] = ["hello", "", "how is ", "\\everyone?"];

/// "Capabilities", "Batch types", "Examples", "Fallback", "Labeled response with echo-message"
#[test]
fn multiline_arrives_as_batch_or_as_single_lines() {
    let server = server();
    let mut stranger = Client::connect(&server);
    let offered = stranger.request("CAP LS 302");
    let words: Vec<&str> = offered.iter().flat_map(|line| line.text().split(' ')).collect();
    assert!(words.contains(&"draft/multiline=max-bytes=16384,max-lines=100"), "{words:?}");

    let mut alice = log_in_and_join_room(&server, "alice", MULTILINE_CAPABILITIES);
    let mut bob = log_in_and_join_room(&server, "bob", MULTILINE_CAPABILITIES);
    let mut carol = log_in_and_join_room(&server, "carol", PLAIN_CAPABILITIES);
    let mut old = log_in_and_join_room(&server, "carol", "");
    for client in [&mut alice, &mut bob, &mut carol, &mut old] {
        client.drain();
    }
    send_multiline(&mut alice, "@label=it;+example.org/x=y ", "#room", &LINES);
    let (echo, echoed) = parse_batch(&alice.drain());
    assert_eq!(echoed, LINES);
    assert_eq!((echo.tag("label"), echo.tag("+example.org/x")), (Some("it"), Some("y")));
    let (heard, lines) = parse_batch(&bob.drain());
    assert_eq!((heard.tag("label"), heard.tag("account")), (None, Some("alice")));
    assert_eq!((msgid(&heard), heard.tag("time"), lines), (msgid(&echo), echo.tag("time"), echoed));

    let lines = carol.drain();
    assert_eq!(message_texts(&lines), ["hello", "how is ", "everyone?"], "no blank lines");
    assert_eq!(lines[0].tag("msgid"), Some(msgid(&echo)));
    assert!(lines[1..].iter().all(|line| line.tag("msgid").is_none()), "an id is one message's: {lines:?}");
    assert!(lines.iter().all(|line| line.tag("account") == Some("alice") && line.tag("batch").is_none()));
    assert!(lines.iter().all(|line| line.tag("+example.org/x") == Some("y")), "the client's own: {lines:?}");
    let lines = old.drain();
    assert!(lines.iter().all(|line| line.tags.is_empty()), "{lines:?}");
    assert_eq!(message_texts(&lines), ["hello", "how is ", "everyone?"]);

    // To one account, and to the other sessions of both.
    let mut phone = Client::login_with(&server, "alice", MULTILINE_CAPABILITIES);
    send_multiline(&mut alice, "", "bob", &["one", "two"]);
    for client in [&mut alice, &mut phone, &mut bob] {
        let (open, lines) = parse_batch(&client.drain());
        assert_eq!((open.param(2), lines), ("bob", vec!["one".to_owned(), "two".to_owned()]));
    }
}

/// "Errors", "Labeled response"
#[test]
fn bad_multiline_batch_fails_once_and_is_not_relayed() {
    let server = server();
    let mut alice = log_in_and_join_room(&server, "alice", MULTILINE_CAPABILITIES);
    let mut bob = log_in_and_join_room(&server, "bob", PLAIN_CAPABILITIES);
    alice.drain();
    let many = ["x"; 101];
    let long = "x".repeat(1900);
    let long = [long.as_str(); 9];
    for (lines, wrong) in [
        (&many[..], "FAIL BATCH MULTILINE_MAX_LINES 100 "),
        (&long, "FAIL BATCH MULTILINE_MAX_BYTES 16384 "),
        (&["", ""], "FAIL BATCH MULTILINE_INVALID "),
        (&["a", "\\"], "FAIL BATCH MULTILINE_INVALID "),
        (&[], "FAIL BATCH MULTILINE_INVALID "),
    ] {
        send_multiline(&mut alice, "@label=it ", "#room", lines);
        let answer = alice.drain();
        assert!(answer.len() == 1 && answer[0].to_string().starts_with(wrong), "{wrong}: {answer:?}");
        assert_eq!(answer[0].tag("label"), Some("it"), "{answer:?}");
    }
    alice.send("BATCH +7 draft/multiline #room");
    alice.send("@batch=7 PRIVMSG #other x");
    alice.send("@batch=7 PRIVMSG #room x");
    assert_refused(&mut alice, "BATCH -6", "FAIL BATCH MULTILINE_INVALID");
    assert_eq!(alice.request("BATCH -7"), [], "that was said already");
    send_multiline(&mut alice, "@label=it ", "#nowhere", &["a", "b"]);
    assert_eq!(commands(&alice.drain()), ["403"]);
    send_multiline(&mut bob, "", "#room", &["a", "b"]);
    let answer = bob.drain();
    assert!(answer.len() == 1 && answer[0].starts_with("FAIL BATCH MULTILINE_INVALID"), "{answer:?}");
    assert_eq!(alice.drain(), []);
    // The longest that is allowed.
    let line = "y".repeat(162);
    let lines = [line.as_str(); 100];
    send_multiline(&mut alice, "", "#room", &lines);
    assert_eq!(parse_batch(&alice.drain()).1, lines);
    assert_eq!(message_texts(&bob.drain()), lines);
}

/// <https://ircv3.net/specs/extensions/chathistory#chathistory-batches>: a multiline message is a batch inside the
/// batch.
#[test]
fn multiline_is_one_message_in_history() {
    let mut server = server();
    let mut alice = log_in_and_join_room(&server, "alice", MULTILINE_CAPABILITIES);
    let mut bob = log_in_and_join_room(&server, "bob", PLAIN_CAPABILITIES);
    let mut old = log_in_and_join_room(&server, "carol", "");
    old.send("QUIT");
    old.read_until_closed();
    alice.send_and_await_echo("#room", "before");
    send_multiline(&mut alice, "@+example.org/x=y ", "#room", &LINES);
    let (echo, _) = parse_batch(&alice.drain()[..]);
    alice.send_and_await_echo("#room", "after");
    bob.drain();
    let nested = |client: &mut Client| {
        let lines = client.request("CHATHISTORY LATEST #room * 2");
        let outer = lines[0].param(0).trim_start_matches('+').to_owned();
        let [open, inner @ .., last, end] = &lines[..] else { panic!("{lines:?}") };
        assert!(open.param(1) == "chathistory" && end.starts_with(&format!("BATCH -{outer}")), "{lines:?}");
        assert_eq!(last.text(), "after", "a message counts as one, not by its lines: {lines:?}");
        for at in [&inner[0], last] {
            assert_eq!(at.tag("batch"), Some(outer.as_str()), "{at:?}");
        }
        let (opening, lines) = parse_batch(inner);
        assert_eq!((msgid(&opening), opening.tag("time")), (msgid(&echo), echo.tag("time")));
        assert_eq!((opening.tag("+example.org/x"), opening.tag("account")), (Some("y"), Some("alice")));
        assert_eq!(lines, LINES);
    };
    nested(&mut alice);
    let lines = bob.query_history("LATEST #room * 2");
    assert_eq!(message_texts(&lines), ["hello", "how is ", "everyone?", "after"]);
    assert_eq!((lines[0].tag("msgid"), lines[1].tag("msgid")), (Some(msgid(&echo)), None));

    let home = server.home.clone();
    server.kill9();
    let server = home.serve();
    let mut alice = Client::login_with(&server, "alice", MULTILINE_CAPABILITIES);
    nested(&mut alice);
    // Clients without history queries get it as lines, each with its time.
    let old = Client::login_with(&server, "carol", "");
    let said = old.welcome.iter().filter(|line| line.command == "PRIVMSG");
    let said: Vec<&str> = said.map(|line| line.text().split_once("] ").expect("a time").1).collect();
    assert_eq!(said, ["before", "hello", "how is ", "everyone?", "after"]);
    // Search finds it as one message, and a redaction removes all of it.
    alice.send("SEARCH text=everyone");
    assert_eq!(alice.wait_for_command("BATCH").param(1), "soju.im/search");
    assert_eq!(msgid(&alice.wait_for_command("BATCH")), msgid(&echo));
    alice.drain();
    alice.request(&format!("REDACT #room {}", msgid(&echo)));
    let left = without_tags(&alice.query_history("LATEST #room * 5"));
    assert_eq!(left[..2], ["PRIVMSG #room before", "PRIVMSG #room after"]);
    assert!(left.len() == 3 && left[2].starts_with("REDACT #room"), "{left:?}");
}
