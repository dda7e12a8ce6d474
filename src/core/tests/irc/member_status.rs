//! Rights of each member status in a channel. <https://modern.ircdocs.horse/#channel-membership-prefixes>

use super::{
    Client, assert_refused, commands, log_in_and_join, names_reply, only_line, request_one_line, server,
    server_of, server_with_admin, without_tags,
};
use crate::core::record::Role;

/// <https://modern.ircdocs.horse/#channel-membership-prefixes>, `PREFIX`
#[test]
fn member_status_is_granted_by_equals_and_taken_from_lower() {
    let server = server_of(&["alice", "bob", "carol", "dave"].map(|name| (name, Role::Member)));
    let [mut alice, mut bob, mut carol, mut dave] =
        log_in_and_join(&server, ["alice", "bob", "carol", "dave"], "#room");
    assert_eq!(
        request_one_line(&mut alice, "MODE #room +ohv bob carol dave"),
        "MODE #room +ohv bob carol dave"
    );
    assert_eq!(names_reply(&mut dave, "#room"), ["%carol", "+dave", "@bob", "~@alice"]);
    for client in [&mut bob, &mut carol, &mut dave] {
        client.drain();
    }
    // A voice gives no right to grant anything.
    assert_refused(&mut dave, "MODE #room +v dave", "482 dave #room");
    // Half-ops grant voices, and cannot act on members of their own status or above.
    assert_refused(&mut carol, "MODE #room +h dave", "482 carol #room");
    assert_refused(&mut carol, "MODE #room +o carol", "482 carol #room");
    assert_refused(&mut carol, "MODE #room -o bob", "482 carol #room");
    assert_eq!(request_one_line(&mut carol, "MODE #room -v DAVE"), "MODE #room -v dave");
    assert_eq!(request_one_line(&mut carol, "MODE #room +v dave"), "MODE #room +v dave");
    bob.drain();
    // Ops make half-ops and ops, no founders, and cannot act on the founder.
    assert_refused(&mut bob, "MODE #room +q bob", "482 bob #room");
    assert_refused(&mut bob, "MODE #room -q alice", "482 bob #room");
    assert_eq!(request_one_line(&mut bob, "MODE #room +o-h carol carol"), "MODE #room +o-h carol carol");
    carol.drain();
    assert_eq!(
        request_one_line(&mut carol, "MODE #room -o bob"),
        "MODE #room -o bob",
        "ops may act on each other"
    );
    bob.drain();
    assert_refused(&mut bob, "MODE #room +v bob", "482 bob #room");
    // Everyone may give up their status, the founder too.
    alice.drain();
    assert_eq!(request_one_line(&mut carol, "MODE #room -o carol"), "MODE #room -o carol");
    alice.drain();
    assert_eq!(
        request_one_line(&mut alice, "MODE #room +qo-q bob alice alice"),
        "MODE #room +qo-q bob bob alice"
    );
    assert_eq!(names_reply(&mut dave, "#room"), ["+dave", "@alice", "carol", "~@bob"]);
}

/// <https://ircv3.net/specs/extensions/multi-prefix>, <https://ircv3.net/specs/extensions/userhost-in-names>,
/// <https://ircv3.net/specs/extensions/no-implicit-names>
#[test]
fn prefixes_follow_multi_prefix() {
    let server = server();
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    alice.request("MODE #room +ohvv alice alice alice bob");
    assert_eq!(names_reply(&mut bob, "#room"), ["+bob", "~@%+alice"]);
    let who = |client: &mut Client| client.request("WHO #room")[0].param(6).to_owned();
    let whois = |client: &mut Client| {
        let lines = client.request("WHOIS alice");
        lines.iter().find(|line| line.command == "319").expect("319").text().to_owned()
    };
    assert_eq!((who(&mut bob), whois(&mut bob)), ("H~@%+".to_owned(), "~@%+#room".to_owned()));
    for (capabilities, row) in [
        ("", "+bob carol ~alice"),
        ("userhost-in-names", "+bob!bob@parlour carol!carol@parlour ~alice!alice@parlour"),
        ("userhost-in-names multi-prefix", "+bob!bob@parlour carol!carol@parlour ~@%+alice!alice@parlour"),
        ("no-implicit-names", ""),
        ("draft/no-implicit-names", ""),
    ] {
        let mut carol = Client::login_with(&server, "carol", capabilities);
        let lines = carol.request("JOIN #room");
        let mut shown: Vec<&str> = lines
            .iter()
            .filter(|line| line.command == "353")
            .flat_map(|line| line.text().split(' '))
            .collect();
        shown.sort_unstable();
        assert_eq!(shown.join(" "), row, "{capabilities}");
        assert_eq!(lines.iter().any(|line| line.command == "366"), !row.is_empty(), "{capabilities}");
        assert_eq!(names_reply(&mut carol, "#room").len(), 3, "who asks is told: {capabilities}");
        if capabilities.is_empty() {
            assert_eq!((who(&mut carol), whois(&mut carol)), ("H~".to_owned(), "~#room".to_owned()));
        }
        carol.request("PART #room");
        carol.quit();
    }
}

/// Admins have no prefix and act everywhere as the founder would (ARCHITECTURE.md).
#[test]
fn admins_moderate_every_channel() {
    let server = server_with_admin();
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    let mut root = Client::login(&server, "root");
    alice.request("MODE #room +ntsik sesame");
    bob.drain();
    // From outside: each change is announced to the channel and to the admin.
    for (command, event) in [
        ("MODE #room +q bob", "MODE #room +qo bob bob"),
        ("MODE #room -q alice", "MODE #room -qo alice alice"),
        ("TOPIC #room :house rules", "TOPIC #room house rules"),
        ("KICK #room bob :rules", "KICK #room bob rules"),
    ] {
        assert_eq!(request_one_line(&mut root, command), event, "{command}");
        let seen = alice.drain();
        assert_eq!((without_tags(&seen), seen[0].nick()), (vec![event.to_owned()], "root"), "{command}");
    }
    assert_refused(&mut root, "PRIVMSG #room :hello", "404 root #room");
    assert_eq!(commands(&root.request("TOPIC #room")), ["332", "333"]);
    assert_eq!(root.request("MODE #room")[0].to_string(), "324 root #room +instk sesame");
    assert!(root.request("LIST").iter().any(|line| line.starts_with("322 root #room")));
    // Past every ban and mode, and with no prefix.
    alice.request("MODE #room +b root");
    assert_eq!(commands(&root.request("JOIN #room")), ["JOIN", "332", "333", "353", "366"]);
    assert_eq!(names_reply(&mut root, "#room"), ["alice", "root"]);
    root.deliver_message(&mut alice, "#room", "here I am");
    // No member is above them.
    root.request("MODE #room +q alice");
    alice.drain();
    assert_refused(&mut alice, "KICK #room root", "482 alice #room");
    root.drain();
    assert_eq!(commands(&root.request("RENAME #room #hall")), ["PART", "JOIN", "332", "333", "353", "366"]);
}

#[test]
fn refused_kick_names_its_reason() {
    let server = server_with_admin();
    let [mut alice, mut bob, _root] = log_in_and_join(&server, ["alice", "bob", "root"], "#room");
    alice.request("MODE #room +h bob");
    bob.drain();
    let refusal = |client: &mut Client, nick: &str| {
        only_line(&client.request(&format!("KICK #room {nick}")), "482").text().to_owned()
    };
    // The admin has no member status, and is above the founder.
    assert_eq!(refusal(&mut alice, "root"), "You can't kick root: they are an admin of the server");
    assert_eq!(
        refusal(&mut bob, "alice"),
        "You can't kick alice: their status in the channel is not below yours"
    );
    // Oneself needs no status below one's own.
    assert_eq!(request_one_line(&mut bob, "KICK #room bob :bye"), "KICK #room bob bye");
}
