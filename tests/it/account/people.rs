//! Information about accounts that others get: real names, away status, account names; and queries about accounts.

use crate::support::{
    Client, assert_refused, commands, log_in_and_join, only_line, request_one_line, server, server_with,
    server_with_admin, without_tags,
};

/// <https://ircv3.net/specs/extensions/setname>; `NAMELEN`
#[test]
fn setname_notifies_capable_clients() {
    let server = server();
    let mut alice = Client::login_with(&server, "alice", "setname labeled-response standard-replies");
    let mut bob = Client::login_with(&server, "bob", "setname");
    let mut carol = Client::login(&server, "carol");
    assert_eq!(
        request_one_line(&mut alice, "SETNAME :Alone"),
        "SETNAME Alone",
        "who is in no channel is told too"
    );
    for client in [&mut alice, &mut bob, &mut carol] {
        client.request("JOIN #room,#den");
    }
    bob.drain();
    let lines = alice.request("@label=x SETNAME :Alice L. of the mountain");
    let told = only_line(&lines, "SETNAME");
    assert_eq!((told.tag("label"), told.source.as_str()), (Some("x"), "alice!alice@parlour"));
    assert_eq!(without_tags(&bob.drain()), ["SETNAME Alice L. of the mountain"], "once, whatever they share");
    assert!(!commands(&carol.drain()).contains(&"SETNAME"), "only for who asked for it");
    assert_eq!(only_line(&carol.request("WHOIS alice"), "311").text(), "Alice L. of the mountain");
    assert_eq!(carol.request("SETNAME :Carol C."), [], "silent without the capability");
    assert_eq!(without_tags(&bob.drain()), ["SETNAME Carol C."]);
    assert_refused(&mut alice, &format!("SETNAME :{}", "x".repeat(129)), "FAIL SETNAME INVALID_REALNAME");
    assert_refused(&mut alice, "SETNAME :", "FAIL SETNAME INVALID_REALNAME");
    let longest = format!("SETNAME {}", "x".repeat(128));
    assert_eq!(request_one_line(&mut alice, &longest), longest);
    // The real name of the latest login counts, and others see the change.
    bob.drain();
    let mut phone = Client::login_with(&server, "alice", "setname");
    assert!(!commands(&phone.welcome).contains(&"SETNAME"));
    assert_eq!(without_tags(&bob.drain()), ["SETNAME alice of the tests"]);
    assert_eq!(without_tags(&phone.request(&longest)), [longest.as_str()]);
    // Later observers see that name.
    alice.request("PART #room");
    let mut reader = Client::login_with(&server, "carol", "extended-join account-tag");
    alice.request("JOIN #room");
    let join = reader.wait_for_command("JOIN #room alice");
    assert_eq!((join.text(), join.tag("account")), (&longest[8..], Some("alice")));
    assert_eq!(
        carol.wait_for_line("JOIN", |l| l.starts_with("JOIN #room") && l.nick() == "alice").params,
        ["#room"]
    );
}

/// <https://modern.ircdocs.horse/#away-message>; <https://ircv3.net/specs/extensions/away-notify>
#[test]
fn account_is_away_when_all_sessions_are() {
    let server = server_with(&["sessions.grace_s = 0"]);
    let mut bob = Client::login_with(&server, "bob", "away-notify");
    let mut desk = Client::login_with(&server, "alice", "away-notify");
    let mut phone = Client::login_with(&server, "alice", "away-notify");
    let mut carol = Client::login(&server, "carol");
    for client in [&mut bob, &mut desk, &mut carol] {
        client.request("JOIN #room");
    }
    let mut say = |client: &mut Client, line: &str, told: &[&str]| {
        assert!(!commands(&client.drain()).contains(&"AWAY"), "nor of its siblings");
        assert!(matches!(commands(&client.request(line))[..], ["305" | "306"]), "{line}: no AWAY of its own");
        let seen = bob.drain();
        let seen: Vec<_> = seen.iter().filter(|line| line.command == "AWAY").collect();
        assert!(seen.iter().all(|line| line.source == "alice!alice@parlour"));
        assert_eq!(seen.iter().map(ToString::to_string).collect::<Vec<_>>(), told, "{line}");
    };
    say(&mut desk, "AWAY :lunch", &[]);
    say(&mut phone, "AWAY :on the bus", &["AWAY on the bus"]);
    say(&mut desk, "AWAY :dinner", &[]);
    say(&mut phone, "AWAY :on the train", &["AWAY on the train"]);
    assert_eq!(only_line(&carol.request("WHOIS alice"), "301").text(), "on the train");
    assert_eq!(only_line(&carol.request("WHO alice"), "352").param(6), "G");
    say(&mut desk, "AWAY", &["AWAY"]);
    assert!(only_line(&carol.request("WHO #room"), "315").starts_with("315 carol #room"));
    assert_eq!(only_line(&carol.request("WHO alice"), "352").param(6), "H");
    // The present session leaves: the away status of the other one counts.
    desk.send("QUIT");
    desk.read_until_closed();
    bob.wait_for_command("AWAY");
    assert_eq!(only_line(&carol.request("WHOIS alice"), "301").text(), "on the train");
    assert!(!commands(&carol.drain()).contains(&"AWAY"), "only for who asked for it");
    // A member that joins while away is shown as away; a login ends the away status, after its welcome.
    phone.request("PART #room");
    phone.request("JOIN #room");
    bob.wait_for_command("PART #room");
    bob.wait_for_command("JOIN #room");
    assert_eq!(bob.wait_for_command("AWAY").text(), "on the train");
    let mut desk = Client::connect(&server);
    desk.request_capabilities("sasl away-notify");
    desk.send_nick_and_user("alice");
    desk.authenticate("alice", crate::support::PASSWORD);
    desk.send("CAP END");
    assert_eq!(desk.next().expect("a welcome").command, "001");
    assert_eq!(bob.wait_for_command("AWAY").params, Vec::<String>::new());
    assert!(!commands(&desk.drain()).contains(&"AWAY"));
    assert!(!commands(&carol.drain()).contains(&"AWAY"));
    assert!(!commands(&carol.request("WHOIS alice")).contains(&"301"));
}

/// <https://ircv3.net/specs/extensions/account-tag>, <https://ircv3.net/specs/extensions/extended-join>
#[test]
fn account_tag_and_extended_join_require_capabilities() {
    let server = server();
    let mut plain = Client::login_with(&server, "alice", "");
    let mut tagged = Client::login_with(&server, "carol", "account-tag extended-join");
    for client in [&mut plain, &mut tagged] {
        client.request("JOIN #room");
    }
    plain.drain();
    let mut bob = Client::login_with(&server, "bob", "");
    for line in ["JOIN #room", "TOPIC #room :t", "PRIVMSG #room :m", "NOTICE #room :n", "PART #room :bye"] {
        bob.send(line);
        let command = line.split(' ').next().expect("a command");
        let seen = tagged.wait_for_line(line, |l| l.command == command && l.nick() == "bob");
        assert_eq!(seen.tag("account"), Some("bob"), "{line}");
        assert_eq!(seen.params.len(), if command == "JOIN" { 3 } else { 2 }, "{seen}");
        let seen = plain.wait_for_line(line, |l| l.command == command && l.nick() == "bob");
        assert!(seen.tags.is_empty() && seen.source == "bob!bob@parlour", "{line}: {seen:?}");
        assert_eq!(seen.params.len(), if command == "JOIN" { 1 } else { 2 }, "{seen}");
    }
}

/// <https://ircv3.net/specs/extensions/whox>; <https://modern.ircdocs.horse/#who-message>
#[test]
fn whox_returns_requested_fields_in_standard_order() {
    let server = server_with_admin(&[]);
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    let mut root = Client::login(&server, "root");
    bob.request("AWAY :out");
    let all = |client: &mut Client, query: &str| without_tags(&client.request(query));
    let lines = alice.request("WHO bob %roalidsfnhcuit,042");
    let row = only_line(&lines, "354");
    assert!(row.param(10).parse::<u64>().is_ok_and(|idle| idle < 60), "{row}");
    let idle = row.param(10);
    assert_eq!(
        row.to_string(),
        format!(
            "354 alice 042 #room bob 255.255.255.255 parlour chat.parlour bob G 0 {idle} bob n/a bob of the tests"
        )
    );
    assert_eq!(
        all(&mut alice, "WHO #room %n"),
        ["354 alice alice", "354 alice bob", "315 alice #room End of WHO list"]
    );
    assert_eq!(all(&mut alice, "WHO #room %tf,7")[..2], ["354 alice 7 H~@", "354 alice 7 G"]);
    assert_eq!(
        all(&mut alice, "WHO #room %tna,1234")[0],
        "354 alice 0 alice alice",
        "a token has three digits"
    );
    assert_eq!(all(&mut alice, "WHO root %cnf")[0], "354 alice * root H*", "in no channel, an admin");
    // Masks, all accounts, admins alone.
    let nicks = |client: &mut Client, query: &str| -> Vec<String> {
        let lines = client.request(query);
        lines.iter().filter(|line| line.command == "354").map(|line| line.param(1).to_owned()).collect()
    };
    assert_eq!(nicks(&mut alice, "WHO ?O* %n"), ["bob", "root"]);
    assert_eq!(nicks(&mut alice, "WHO *of?the?tests %n"), ["alice", "bob", "root"]);
    assert_eq!(nicks(&mut alice, "WHO 0 %n").len(), 4, "and echo");
    assert_eq!(nicks(&mut alice, "WHO * o%n"), ["root"]);
    assert_eq!(nicks(&mut alice, "WHO #room o%n"), Vec::<String>::new());
    assert_eq!(only_line(&alice.request("WHOIS root"), "313").param(1), "root");
    root.request("JOIN #room");
    assert_eq!(only_line(&alice.request("WHO root"), "352").param(6), "H*");
    assert_refused(&mut alice, "WHO", "461 alice WHO");
}

/// <https://modern.ircdocs.horse/#whowas-message>, <https://www.rfc-editor.org/rfc/rfc2812#section-4.9> (ISON),
/// <https://modern.ircdocs.horse/#userhost-message>
#[test]
fn ison_userhost_and_whowas_reflect_presence() {
    let server = server_with_admin(&[]);
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    let _root = Client::login(&server, "root");
    assert_eq!(
        request_one_line(&mut alice, "ISON Bob nobody ALICE carol :echo root"),
        "303 alice bob alice echo root"
    );
    assert_eq!(request_one_line(&mut alice, "ISON nobody"), "303 alice ");
    bob.request("AWAY :out");
    assert_eq!(
        request_one_line(&mut alice, "USERHOST alice BOB root nobody"),
        "302 alice alice=+alice@parlour bob=-bob@parlour root*=+root@parlour"
    );
    let six = request_one_line(&mut alice, "USERHOST alice alice alice alice alice root");
    assert!(!six.contains("root"), "five at most: {six}");
    for never in ["WHOWAS carol", "WHOWAS nobody"] {
        let lines = alice.request(never);
        assert_eq!(commands(&lines), ["406", "369"], "{never}");
        assert!(lines[1].starts_with(&format!("369 alice {}", &never[7..])));
    }
    bob.send("QUIT :bye");
    bob.read_until_closed();
    alice.wait_for_command("QUIT");
    let lines = alice.request("WHOWAS BOB");
    assert_eq!(commands(&lines), ["314", "330", "312", "369"]);
    assert_eq!(lines[0].to_string(), "314 alice bob bob parlour * bob of the tests");
    assert!(lines[1].starts_with("330 alice bob bob") && lines[2].starts_with("312 alice bob chat.parlour"));
    assert_eq!(request_one_line(&mut alice, "ISON bob alice"), "303 alice alice");
    assert_eq!(request_one_line(&mut alice, "USERHOST bob"), "302 alice ");
    assert_eq!(commands(&alice.request("WHOIS bob")), ["401", "318"]);
    for query in ["ISON", "USERHOST", "WHOWAS"] {
        assert_refused(&mut alice, query, &format!("461 alice {query}"));
    }
}
