//! One account on several devices: an action on one is known on the others.

use crate::support::history::{message_texts, msgid, time_tag};
use crate::support::{Client, Line, server, without_tags};

const MODERN_CAPABILITIES: &str = "batch echo-message labeled-response message-tags server-time account-tag draft/chathistory \
                      draft/read-marker draft/message-redaction draft/metadata-3";

/// <https://ircv3.net/specs/extensions/echo-message>, <https://ircv3.net/specs/extensions/read-marker>,
/// <https://ircv3.net/specs/extensions/metadata#notifications>
#[test]
fn actions_on_one_device_are_sent_to_the_others() {
    let mut server = server();
    let [mut laptop, mut phone, mut bob] = ["alice", "alice", "bob"].map(|name| {
        let mut client = Client::login_with(&server, name, MODERN_CAPABILITIES);
        client.request("METADATA * SUB display-name soju.im/pinned soju.im/muted");
        client
    });
    // A device without capabilities for messages of its own account from elsewhere.
    let mut old = Client::login_with(&server, "alice", "");

    // Direct conversations, both sides of them.
    let (echo, heard) = laptop.deliver_message(&mut bob, "bob", "from the laptop");
    let other = phone.wait_for_message("from the laptop");
    assert_eq!((msgid(&other), other.nick(), other.param(0)), (msgid(&echo), "alice", "bob"));
    assert_eq!((msgid(&heard), time_tag(&heard)), (msgid(&echo), time_tag(&echo)));
    phone.send("@label=it;+draft/reply=x NOTICE bob :from the phone");
    assert_eq!(phone.wait_for_message("from the phone").tag("label"), Some("it"));
    let other = laptop.wait_for_message("from the phone");
    assert_eq!((other.tag("label"), other.tag("+draft/reply")), (None, Some("x")));
    bob.wait_for_message("from the phone");
    bob.deliver_message(&mut laptop, "alice", "to all of them");
    phone.wait_for_message("to all of them");
    laptop.request("@+typing=active TAGMSG bob");
    assert_eq!(without_tags(&phone.drain()), ["TAGMSG bob"], "also that something is being typed");
    let seen = old.drain();
    assert_eq!(
        message_texts(&seen),
        ["to all of them"],
        "not what would look like somebody else's: {seen:?}"
    );
    phone.request(&format!("REDACT bob {}", msgid(&echo)));
    assert!(laptop.drain().iter().any(|line| line.starts_with(&format!("REDACT bob {}", msgid(&echo)))));
    // To oneself: each device gets it once, and the sender its echo as well.
    laptop.send("PRIVMSG alice :note to self");
    laptop.barrier();
    assert_eq!(message_texts(&phone.drain()), ["note to self"]);
    assert_eq!(message_texts(&old.drain()), ["note to self"]);

    // The read marker.
    laptop.request("JOIN #room");
    bob.request("JOIN #room");
    let said = bob.send_and_await_echo("#room", "read this");
    phone.drain();
    laptop.drain();
    for (place, stamp) in [("#room", time_tag(&said)), ("bob", time_tag(&heard))] {
        let wanted = [format!("MARKREAD {place} timestamp={stamp}")];
        assert_eq!(without_tags(&laptop.request(&format!("MARKREAD {place} timestamp={stamp}"))), wanted);
        assert_eq!(without_tags(&phone.drain()), wanted);
        assert!(!without_tags(&bob.drain()).contains(&wanted[0]), "reading is private");
    }
    // The account's own metadata, and its private notes about others.
    phone.request("METADATA * SET display-name :Alice");
    phone.request("METADATA bob SET soju.im/pinned 1");
    phone.request("METADATA #room SET soju.im/muted 1");
    assert_eq!(
        without_tags(&laptop.drain()),
        [
            "761 * alice display-name * Alice",
            "761 * bob soju.im/pinned private 1",
            "761 * #room soju.im/muted private 1"
        ]
    );
    assert_eq!(without_tags(&bob.drain()), ["761 * alice display-name * Alice"]);
    assert_eq!(old.drain().iter().filter(|line| line.command == "METADATA").count(), 0);

    // A new device has it all, also after a restart.
    let home = server.home.clone();
    server.kill9();
    let server = home.serve();
    let mut tablet = Client::login_with(&server, "alice", MODERN_CAPABILITIES);
    let welcome = without_tags(&tablet.welcome);
    assert!(welcome.contains(&format!("MARKREAD #room timestamp={}", time_tag(&said))), "{welcome:?}");
    assert!(welcome.contains(&"761 * alice display-name * Alice".to_owned()), "{welcome:?}");
    assert_eq!(
        without_tags(&tablet.request("MARKREAD bob")),
        [format!("MARKREAD bob timestamp={}", time_tag(&heard))]
    );
    let talk = tablet.query_history("LATEST bob * 10");
    let talk: Vec<&str> = talk.iter().filter(|line| line.command != "REDACT").map(Line::text).collect();
    assert_eq!(talk, ["from the phone", "to all of them"]);
}
