//! Channels that get another name. <https://ircv3.net/specs/extensions/channel-rename>

use super::{
    ALL_CAPABILITIES, Client, assert_refused, commands, log_in_and_join, names_reply, only_line,
    request_one_line, server, without_tags,
};

/// "Messages", "Fallback" and "Channel redirection"
#[test]
fn renamed_channel_keeps_everything_else() {
    let server = server();
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#old");
    let mut carol = Client::login_with(&server, "carol", "draft/channel-rename message-tags");
    let mut phone = Client::login_with(&server, "bob", "draft/channel-rename extended-join");
    alice.request("MODE #old +vb-n bob mallory");
    alice.request("TOPIC #old :about");
    carol.request("JOIN #old");
    for client in [&mut alice, &mut bob, &mut phone] {
        client.drain();
    }
    assert_refused(&mut bob, "RENAME #old #new", "482 bob #old");
    assert_refused(&mut alice, "RENAME #nowhere #new", "403 alice #nowhere");
    assert_refused(&mut alice, "RENAME #old new", "FAIL RENAME CANNOT_RENAME #old new");
    assert_refused(&mut alice, "RENAME #old", "461 alice RENAME");

    // A session without the capability sees a PART and a JOIN, the sender's own too; one with it sees RENAME.
    let lines = alice.request("RENAME #OLD #new :better");
    let rejoin = ["PART #old better", "JOIN #new", "332 alice #new about"];
    assert_eq!(without_tags(&lines)[..3], rejoin);
    assert_eq!(commands(&lines), ["PART", "JOIN", "332", "333", "353", "366"]);
    assert!(lines[..2].iter().all(|line| line.source == "alice!alice@parlour"));
    let lines = bob.drain();
    assert_eq!(commands(&lines), ["PART", "JOIN", "332", "333", "353", "366"]);
    assert!(lines[..2].iter().all(|line| line.source == "bob!bob@parlour"));
    for client in [&mut carol, &mut phone] {
        let lines = client.drain();
        assert_eq!(without_tags(&lines), ["RENAME #old #new better"]);
        assert_eq!(lines[0].nick(), "alice");
    }
    assert_eq!(names_reply(&mut bob, "#new"), ["+bob", "carol", "~@alice"]);
    assert_eq!(alice.request("MODE #new")[0].to_string(), "324 alice #new +");
    assert_eq!(only_line(&alice.request("MODE #new b"), "367").param(2), "mallory!*@*");
    assert_refused(&mut alice, "PRIVMSG #old :anybody?", "403 alice #old");
    alice.deliver_message(&mut bob, "#new", "here we are");

    // The old name redirects to the new one.
    for client in [&mut carol, &mut bob] {
        client.request("PART #new");
    }
    let lines = carol.request("JOIN #Old");
    assert_eq!(without_tags(&lines), ["FAIL JOIN CHANNEL_RENAMED #Old #new The channel has been renamed"]);
    let mut bob = Client::login(&server, "bob");
    let lines = bob.request("JOIN #old");
    assert!(lines[0].starts_with("470 bob #old #new") && lines[1].starts_with("JOIN #new"), "{lines:?}");
    assert!(only_line(&lines, "332").starts_with("332 bob #new about") && commands(&lines).contains(&"353"));
}

/// "Messages": a change of case alone; "Errors"; names that are taken.
#[test]
fn channel_name_belongs_to_one_channel() {
    let server = server();
    let capabilities = format!("{ALL_CAPABILITIES} draft/channel-rename");
    let mut alice = Client::login_with(&server, "alice", &capabilities);
    let mut bob = Client::login(&server, "bob");
    for client in [&mut alice, &mut bob] {
        client.request("JOIN #one");
    }
    bob.request("JOIN #two");
    alice.drain();
    let taken = "FAIL RENAME CHANNEL_NAME_IN_USE #one #TWO";
    assert_refused(&mut alice, "RENAME #one #TWO", taken);
    assert_eq!(bob.drain(), []);
    assert_eq!(request_one_line(&mut alice, "RENAME #one #ONE"), "RENAME #one #ONE ");
    assert_eq!(commands(&bob.drain()), Vec::<&str>::new(), "no detour for a change of case");
    assert_eq!(only_line(&bob.request("NAMES #one"), "353").param(2), "#ONE");
    // Through several names, and back to the first; a JOIN of an older one is redirected.
    for (from, to) in [("#ONE", "#three"), ("#three", "#four"), ("#four", "#one")] {
        assert_eq!(
            request_one_line(&mut alice, &format!("RENAME {from} {to}")),
            format!("RENAME {from} {to} ")
        );
        bob.drain();
    }
    bob.request("PART #one");
    let lines = bob.request("JOIN #three");
    assert!(lines[0].starts_with("470 bob #three #one") && lines[1].starts_with("JOIN #one"), "{lines:?}");
    // A name that redirects to a channel is not free for another one.
    assert_refused(&mut bob, "RENAME #two #four", "FAIL RENAME CHANNEL_NAME_IN_USE #two #four");
    // If it redirects to a channel that is secret, a JOIN is refused, and the name is not free either.
    alice.request("MODE #one +s");
    let mut carol = Client::login(&server, "carol");
    assert_eq!(commands(&carol.request("JOIN #four")), ["403"]);
}
