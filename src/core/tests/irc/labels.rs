//! Labeled responses. <https://ircv3.net/specs/extensions/labeled-response>

use super::{Client, Line, server};

/// Sends a command with a label. Returns its response: the one line, or the lines of the batch.
#[track_caller]
fn request_labelled(client: &mut Client, label: &str, command: &str) -> Vec<Line> {
    let lines = client.request(&format!("@label={label} {command}"));
    let with_label: Vec<&Line> = lines.iter().filter(|l| l.tag("label").is_some()).collect();
    let [first] = with_label[..] else { panic!("{command}: not one line with the label: {lines:?}") };
    assert_eq!(first.tag("label"), Some(label));
    if first.command != "BATCH" {
        return vec![first.clone()];
    }
    let reference = first.param(0).strip_prefix('+').expect("a batch starts with +");
    assert_eq!(first.param(1), "labeled-response");
    let end =
        lines.iter().position(|l| l.starts_with(&format!("BATCH -{reference}"))).expect("the batch ends");
    let inside: Vec<Line> = lines.iter().filter(|l| l.tag("batch") == Some(reference)).cloned().collect();
    assert!(inside.len() >= 2, "{command}: a batch of {}", inside.len());
    let last = lines.iter().rposition(|l| l.tag("batch") == Some(reference)).expect("a member");
    assert!(last < end, "{command}: after the batch's end: {lines:?}");
    inside
}

#[test]
fn single_reply_line_carries_the_label() {
    let server = server();
    let mut alice = Client::login(&server, "alice");
    let one = |alice: &mut Client, command: &str| -> String {
        let lines = request_labelled(alice, "l1", command);
        assert_eq!(lines.len(), 1, "{command}: {lines:?}");
        lines[0].to_string()
    };
    assert!(one(&mut alice, "AWAY :gone").starts_with("306 alice"));
    assert!(one(&mut alice, "PRIVMSG nobody :hello").starts_with("401 alice nobody"));
    assert!(one(&mut alice, "FROB").starts_with("421 alice FROB"));
    assert!(one(&mut alice, "JOIN").starts_with("461 alice JOIN"));
    assert!(one(&mut alice, "CAP LIST").starts_with("CAP alice LIST"));
    assert!(one(&mut alice, "NICK zoe").starts_with("432 alice zoe"));
    assert!(one(&mut alice, "PING token").ends_with(" token"));
}

#[test]
fn several_reply_lines_come_as_a_batch() {
    let server = server();
    let mut alice = Client::login(&server, "alice");
    let commands = |lines: &[Line]| lines.iter().map(|l| l.command.clone()).collect::<Vec<_>>();
    assert_eq!(commands(&request_labelled(&mut alice, "j", "JOIN #room")), ["JOIN", "353", "366"]);
    let lines = request_labelled(&mut alice, "w", "WHOIS alice");
    assert_eq!(commands(&lines).first().map(String::as_str), Some("311"));
    assert_eq!(commands(&lines).last().map(String::as_str), Some("318"));
    assert_eq!(commands(&request_labelled(&mut alice, "n", "WHOIS nobody")), ["401", "318"]);
    request_labelled(&mut alice, "v", "VERSION");
    request_labelled(&mut alice, "m", "MODE #room");
    request_labelled(&mut alice, "two", "PART #room,#nowhere");
}

#[test]
fn command_without_reply_is_acknowledged() {
    let server = server();
    let mut alice = Client::login_with(&server, "alice", "batch labeled-response message-tags");
    alice.request("JOIN #room");
    for command in ["PONG x", "PRIVMSG #room :no echo asked for", "JOIN #room", "NICK alice"] {
        let lines = request_labelled(&mut alice, "a", command);
        assert_eq!(
            (lines.len(), lines[0].command.as_str(), lines[0].params.len()),
            (1, "ACK", 0),
            "{command}: {lines:?}"
        );
    }
}

#[test]
fn label_is_on_the_echo_only() {
    let server = server();
    let (mut alice, mut bob) = (Client::login(&server, "alice"), Client::login(&server, "bob"));
    let mut other = Client::login(&server, "alice");
    alice.request("JOIN #room");
    bob.request("JOIN #room");
    other.drain();
    let echo = request_labelled(&mut alice, "e1", "PRIVMSG #room :hello");
    assert!(echo.len() == 1 && echo[0].text() == "hello" && echo[0].tag("msgid").is_some());
    for line in [bob.wait_for_message("hello"), other.wait_for_message("hello")] {
        assert_eq!(line.tag("label"), None);
        assert_eq!(line.tag("msgid"), echo[0].tag("msgid"));
    }
    let echo = request_labelled(&mut alice, "e2", "TAGMSG #room");
    assert_eq!(echo[0].command, "TAGMSG");
    // A message to oneself: only the echo has the label.
    let lines = alice.request("@label=self PRIVMSG alice :me");
    let labels: Vec<_> = lines.iter().filter(|l| l.text() == "me").map(|l| l.tag("label")).collect();
    assert_eq!(labels.iter().filter(|l| l.is_some()).count(), 1, "{lines:?}");
}

#[test]
fn label_without_the_capability_is_ignored() {
    let server = server();
    let mut alice = Client::login_with(&server, "alice", "message-tags batch");
    let lines = alice.request("@label=x WHOIS alice");
    assert!(lines.iter().any(|l| l.starts_with("311 alice alice")), "{lines:?}");
    assert!(lines.iter().all(|l| l.tag("label").is_none() && l.command != "BATCH"), "{lines:?}");
}
