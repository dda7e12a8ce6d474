//! Moderation of channels: KICK, INVITE, KNOCK and access.

use super::{
    ALL_CAPABILITIES, Client, assert_refused, log_in_and_join, names_reply, only_line, request_one_line,
    server, server_with, without_tags,
};
use crate::core::Settings;

/// <https://modern.ircdocs.horse/#kick-message>
#[test]
fn kick_removes_members_of_lower_status() {
    let server = server();
    let [mut alice, mut bob, mut carol] = log_in_and_join(&server, ["alice", "bob", "carol"], "#room");
    let mut phone = Client::login(&server, "carol");
    assert_refused(&mut carol, "KICK #room bob", "482 carol #room");
    assert_refused(&mut alice, "KICK #nowhere bob", "403 alice #nowhere");
    assert_refused(&mut alice, "KICK #room nobody", "401 alice nobody");
    assert_refused(&mut alice, "KICK #room", "461 alice KICK");
    alice.request("MODE #room +h bob");
    assert_refused(&mut bob, "KICK #room alice", "482 bob #room");
    alice.request("MODE #room +h carol");
    assert_refused(&mut bob, "KICK #room carol :equals", "482 bob #room");
    alice.request("MODE #room -h carol");
    phone.drain();
    carol.drain();
    // Several at once; the default reason is the nick of the moderator.
    let lines = bob.request("KICK #room carol,root2,Carol,alice");
    let kick = only_line(&lines, "KICK");
    assert_eq!((kick.to_string().as_str(), kick.nick()), ("KICK #room carol bob", "bob"));
    assert!(
        only_line(&lines, "401").starts_with("401 bob root2")
            && only_line(&lines, "482").starts_with("482 bob #room"),
        "{lines:?}"
    );
    for session in [&mut carol, &mut phone] {
        assert_eq!(without_tags(&session.drain()), ["KICK #room carol bob"], "each of her sessions is told");
        assert!(!session.request("WHOIS carol").iter().any(|line| line.command == "319"));
    }
    assert_refused(&mut carol, "PRIVMSG #room :still here?", "404 carol #room");
    assert_refused(&mut carol, "KICK #room bob", "442 carol #room");
    assert_refused(&mut bob, "KICK #room carol", "441 bob carol #room");
    alice.drain();
    let lines = alice.request("KICK #room bob,alice :all out");
    assert_eq!(without_tags(&lines), ["KICK #room bob all out", "KICK #room alice all out"], "oneself too");
    assert_eq!(names_reply(&mut carol, "#room"), Vec::<String>::new());
}

/// Membership belongs to the account, online or not (ARCHITECTURE.md).
#[test]
fn kick_and_ban_apply_to_absent_members() {
    let server = server();
    let [mut alice, bob, carol] = log_in_and_join(&server, ["alice", "bob", "carol"], "#room");
    for client in [bob, carol] {
        client.close();
    }
    alice.wait_for_command("QUIT");
    alice.wait_for_command("QUIT");
    assert_eq!(request_one_line(&mut alice, "KICK #room bob :while away"), "KICK #room bob while away");
    alice.request("MODE #room +b carol");
    for name in ["bob", "carol"] {
        let mut client = Client::login(&server, name);
        assert!(!client.welcome.iter().any(|line| line.command == "JOIN"), "{name}: {:?}", client.welcome);
        assert_eq!(alice.drain(), [], "nobody comes back");
        assert_eq!(client.request("JOIN #room")[0].command == "474", name == "carol");
        client.quit();
        alice.drain();
    }
    // A ban does not remove a member who is online: bob stays until the next login of the account, at any session.
    let mut bob = Client::login(&server, "bob");
    alice.request("MODE #room +b a:bob");
    assert_eq!(names_reply(&mut bob, "#room"), ["bob", "~@alice"]);
    assert!(!Client::login(&server, "bob").welcome.iter().any(|line| line.starts_with("JOIN #room")));
    assert_eq!(bob.wait_for_command("PART #room").text(), "Banned");
    assert_eq!(alice.wait_for_command("PART #room").nick(), "bob");
    // The founder cannot be removed.
    alice.request("MODE #room -b carol");
    let carol = Client::in_channel(&server, "carol", "#room");
    alice.request("MODE #room +qb carol *!*@*");
    carol.quit();
    let mut carol = Client::login(&server, "carol");
    assert!(carol.welcome.iter().any(|line| line.starts_with("JOIN #room")), "{:?}", carol.welcome);
    alice.request("MODE #room +ilk 1 sesame");
    carol.request("PART #room");
    assert!(carol.request("JOIN #room")[0].starts_with("JOIN #room"));
}

/// <https://modern.ircdocs.horse/#invite-message>; <https://ircv3.net/specs/extensions/invite-notify>
#[test]
fn invitation_allows_one_join() {
    let server = server();
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    let mut watcher = Client::login_with(&server, "bob", "invite-notify");
    let mut carol = Client::login(&server, "carol");
    assert_refused(&mut carol, "INVITE bob #room", "442 carol #room");
    assert_refused(&mut alice, "INVITE carol #nowhere", "403 alice #nowhere");
    assert_refused(&mut alice, "INVITE nobody #room", "401 alice nobody");
    assert_refused(&mut alice, "INVITE bob #room", "443 alice bob #room");
    // Any member invites, except to an invite-only channel.
    assert_eq!(request_one_line(&mut bob, "INVITE carol #room"), "341 bob carol #room");
    carol.wait_for_command("INVITE carol #room");
    carol.request("JOIN #room");
    carol.request("PART #room");
    alice.request("MODE #room +i");
    assert_refused(&mut carol, "JOIN #room", "473 carol #room");
    assert_refused(&mut bob, "INVITE carol #room", "482 bob #room");
    carol.request("AWAY :out");
    alice.drain();
    watcher.drain();
    let mut inviting = Client::login_with(&server, "alice", "invite-notify batch labeled-response");
    inviting.request("INVITE carol #room");
    watcher.drain();
    carol.drain();
    alice.drain();
    assert_eq!(
        without_tags(&inviting.request("INVITE carol #room")),
        ["341 alice carol #room", "301 alice carol out"]
    );
    assert_eq!(without_tags(&watcher.drain()), ["INVITE carol #room"]);
    assert_eq!(without_tags(&carol.drain()), ["INVITE carol #room"], "once for who is invited too");
    alice.drain();
    let lines = alice.request("INVITE Carol #ROOM");
    assert_eq!(without_tags(&lines), ["341 alice carol #room", "301 alice carol out"]);
    let event = carol.wait_for_command("INVITE carol #room");
    assert_eq!(event.nick(), "alice");
    assert_eq!(without_tags(&watcher.drain()), ["INVITE carol #room"], "for who asked to know");
    assert_eq!(bob.drain().iter().filter(|line| line.command == "INVITE").count(), 0, "others do not");
    assert!(carol.request("JOIN #room")[0].starts_with("JOIN #room"));
    carol.request("PART #room");
    assert_refused(&mut carol, "JOIN #room", "473 carol #room");
    // An invite exception is a standing invitation.
    alice.request("MODE #room +I carol");
    assert!(carol.request("JOIN #room")[0].starts_with("JOIN #room"));
}

/// <https://modern.ircdocs.horse/#join-message>: 471, 473, 474, 475, 405, 403
#[test]
fn join_is_refused_with_the_reason() {
    let server = server_with(Settings { channels_per_account: 3, ..Settings::default() });
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    let mut carol = Client::login(&server, "carol");
    for (modes, numeric) in
        [("+l 2", "471"), ("+i", "473"), ("+b carol", "474"), ("+b a:carol", "474"), ("+k sesame", "475")]
    {
        alice.request(&format!("MODE #room {modes}"));
        assert_refused(&mut carol, "JOIN #room", &format!("{numeric} carol #room"));
        alice.request(&format!("MODE #room {}", modes.replace('+', "-")));
    }
    assert_eq!(bob.drain().iter().filter(|line| line.command == "JOIN").count(), 0);
    alice.request("MODE #room +lkbe 3 sesame carol a:carol");
    assert_refused(&mut carol, "JOIN #room wrong", "475 carol #room");
    // Keys belong to channels one by one, even if a channel is named twice.
    alice.request("JOIN #other");
    alice.request("MODE #other +k bread");
    let lines = carol.request("JOIN #room,#ROOM,#other sesame,sesame,bread");
    let joined: Vec<&str> =
        lines.iter().filter(|line| line.command == "JOIN").map(|line| line.param(0)).collect();
    assert_eq!(joined, ["#room", "#other"], "{lines:?}");
    carol.request("JOIN #third");
    assert_refused(&mut carol, "JOIN #fourth", "405 carol #fourth");
    assert_refused(&mut carol, "JOIN nothing", "403 carol nothing");
    assert_refused(&mut carol, &format!("JOIN #{}", "x".repeat(64)), "403 carol");
}

/// KNOCK and its numerics as solanum, InspIRCd and Ergo have them; the modern protocol lists the command without a
/// section.
#[test]
fn knock_reaches_members_who_can_invite() {
    let server = server();
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    let mut carol = Client::login(&server, "carol");
    assert_refused(&mut carol, "KNOCK #nowhere", "403 carol #nowhere");
    assert_refused(&mut carol, "KNOCK #room", "713 carol #room");
    assert_refused(&mut bob, "KNOCK #room", "714 bob #room");
    alice.request("MODE #room +b carol");
    assert_refused(&mut carol, "KNOCK #room", "474 carol #room");
    alice.request("MODE #room +i");
    assert_refused(&mut carol, "KNOCK #room", "474 carol #room");
    alice.request("MODE #room -b carol");
    bob.drain();
    assert_refused(&mut carol, "KNOCK #room :It is me", "711 carol #room");
    let knock = only_line(&alice.drain(), "710").clone();
    assert_eq!(knock.to_string(), "710 alice #room carol!carol@parlour It is me");
    assert_eq!(bob.drain(), [], "who cannot open is not bothered");
    assert_refused(&mut carol, "KNOCK #room :It is still me", "712 carol #room");
    assert_eq!(alice.drain(), [], "once is enough");
    // A new invitation fulfils it.
    alice.request("INVITE carol #room");
    carol.request("JOIN #room");
    carol.request("PART #room");
    alice.drain();
    assert_refused(&mut carol, "KNOCK #room", "711 carol #room");
    assert!(only_line(&alice.drain(), "710").starts_with("710 alice #room carol!carol@parlour"));
    // A secret channel cannot be knocked on.
    alice.request("MODE #room +s");
    assert_refused(&mut carol, "KNOCK #room", "403 carol #room");
}

/// <https://modern.ircdocs.horse/#secret-channel-mode>
#[test]
fn secret_channel_is_hidden_from_non_members() {
    let server = server();
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#hidden");
    let mut carol = Client::login(&server, "carol");
    alice.request("TOPIC #hidden :plans");
    let found = |client: &mut Client| -> Vec<bool> {
        let queries = ["LIST", "LIST #hidden", "NAMES #hidden", "WHO #hidden", "WHO alice", "WHOIS alice"];
        queries
            .iter()
            .map(|query| {
                let rows = client.request(query);
                let rows = rows.iter().filter(|line| ["322", "353", "352", "319"].contains(&&*line.command));
                rows.clone().any(|line| line.to_string().contains("#hidden"))
            })
            .collect()
    };
    assert_eq!(found(&mut carol), [true; 6], "as long as it is not secret");
    alice.request("MODE #hidden +s");
    assert_eq!(found(&mut carol), [false; 6]);
    bob.drain();
    assert_eq!(found(&mut bob), [true; 6]);
    assert_eq!(bob.request("NAMES #hidden")[0].param(1), "@");
    for command in [
        "TOPIC #hidden",
        "TOPIC #hidden :mine",
        "MODE #hidden",
        "MODE #hidden +t",
        "MODE #hidden b",
        "PART #hidden",
        "KICK #hidden bob",
        "INVITE carol #hidden",
        "KNOCK #hidden",
        "RENAME #hidden #found",
        "PRIVMSG #hidden :hello",
        "PRIVMSG @#hidden :hello",
    ] {
        let nowhere = request_one_line(&mut carol, &command.replace("#hidden", "#nowhere"));
        assert_eq!(
            request_one_line(&mut carol, command),
            nowhere.replace("#nowhere", "#hidden"),
            "{command}"
        );
    }
    assert!(carol.request("JOIN #hidden")[0].starts_with("JOIN #hidden"), "who knows it may come");
}

/// RFC 2812, section 3.2.8: one channel and several nicks, or as many nicks as channels.
#[test]
fn kick_pairs_channels_with_nicks() {
    let server = server();
    let [mut alice, mut bob, mut carol] = log_in_and_join(&server, ["alice", "bob", "carol"], "#one");
    for client in [&mut alice, &mut bob, &mut carol] {
        client.request("JOIN #two");
    }
    alice.drain();
    let lines = alice.request("KICK #one,#two bob,carol :each from one");
    assert_eq!(without_tags(&lines), ["KICK #one bob each from one", "KICK #two carol each from one"]);
    assert_eq!(names_reply(&mut alice, "#one"), ["carol", "~@alice"]);
    assert_eq!(names_reply(&mut alice, "#two"), ["bob", "~@alice"]);
    // A pair that fails gets its own reply, and the others are carried out.
    let lines = alice.request("KICK #nowhere,#two bob,bob");
    assert_eq!(without_tags(&lines), ["403 alice #nowhere No such channel", "KICK #two bob alice"]);
    for wrong in ["KICK #one,#two carol", "KICK #one,#two,#one carol,carol", "KICK , carol", "KICK #one ,"] {
        let lines = alice.request(wrong);
        assert!(
            lines.iter().all(|line| line.starts_with("461 alice KICK")) && lines.len() < 2,
            "{wrong}: {lines:?}"
        );
    }
    let many: Vec<String> = (0..17).map(|i| format!("x{i}")).collect();
    assert_refused(&mut alice, &format!("KICK #one {}", many.join(",")), "407 alice x16");
    assert_eq!(names_reply(&mut alice, "#one"), ["carol", "~@alice"]);
}

/// A muted member cannot speak by other commands either.
#[test]
fn silenced_member_cannot_send_by_any_command() {
    let server = server();
    let capabilities = format!("{ALL_CAPABILITIES} draft/message-redaction away-notify");
    let mut alice = Client::login_with(&server, "alice", &capabilities);
    let mut bob = Client::login_with(&server, "bob", &capabilities);
    for client in [&mut alice, &mut bob] {
        client.request("JOIN #room");
    }
    let said = bob.request("PRIVMSG #room :before");
    let message = only_line(&said, "PRIVMSG").tag("msgid").expect("an id").to_owned();
    alice.request("MODE #room -t");
    for silence in ["+b m:bob!*@*", "+m"] {
        alice.request(&format!("MODE #room {silence}"));
        bob.drain();
        alice.drain();
        assert_refused(&mut bob, "TOPIC #room :hear me", "482 bob #room");
        for line in ["PRIVMSG #room :hear me", "NOTICE #room :hear me", "@+typing=active TAGMSG #room"] {
            assert_refused(&mut bob, line, "404 bob #room");
        }
        assert_refused(&mut bob, "@+draft/react=hear TAGMSG #room", "404 bob #room");
        assert_eq!(alice.drain(), [], "{silence}");
        if silence == "+m" {
            break;
        }
        // Bob can redact bob's message, but without a reason.
        let redact = bob.request(&format!("REDACT #room {message} :hear me"));
        assert_eq!(without_tags(&redact), [format!("REDACT #room {message}")]);
        assert_eq!(alice.wait_for_command("REDACT #room").params.len(), 2);
        alice.request("MODE #room -b m:bob!*@*");
    }
    bob.request("AWAY :hear me");
    assert_eq!(alice.wait_for_command("AWAY").text(), "Away");
    assert_eq!(only_line(&alice.request("WHOIS bob"), "301").text(), "hear me", "who asks is told");
    bob.request("PART #room :hear me");
    assert_eq!(alice.wait_for_command("PART #room").params, ["#room"]);
    alice.request("MODE #room +i");
    bob.request("KNOCK #room :hear me");
    assert_eq!(alice.wait_for_command("710").text(), "has asked for an invite");
    alice.request("INVITE bob #room");
    bob.request("JOIN #room");
    bob.send("QUIT :hear me");
    assert_eq!(alice.wait_for_command("QUIT").text(), "Quit");
    // With a voice all of that works again.
    let mut bob = Client::login_with(&server, "bob", &capabilities);
    alice.request("MODE #room +v bob");
    bob.request("AWAY :hear me");
    assert_eq!(alice.wait_for_command("AWAY").text(), "hear me");
    bob.send("QUIT :hear me");
    assert_eq!(alice.wait_for_command("QUIT").text(), "Quit: hear me");
}
