//! Labeled responses. <https://ircv3.net/specs/extensions/labeled-response>

use crate::support::{Client, server};

#[test]
fn labels_of_many_pending_sends_are_distinguished() {
    let server = server();
    let mut alice = Client::in_channel(&server, "alice", "#room");
    alice.send_all((0..100).map(|n| format!("@label=n{n} PRIVMSG #room :{n}")));
    for n in 0..100 {
        let echo = alice.wait_for_message(&n.to_string());
        assert_eq!(echo.tag("label"), Some(format!("n{n}").as_str()));
    }
}
