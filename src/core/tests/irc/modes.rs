//! Channel modes and their effects. <https://modern.ircdocs.horse/#channel-modes>

use super::{
    Client, assert_refused, commands, log_in_and_join, only_line, request_one_line, server, without_tags,
};

/// <https://modern.ircdocs.horse/#mode-message>, "Channel mode"; <https://modern.ircdocs.horse/#rplchannelmodeis-324>
#[test]
fn modes_are_set_announced_and_shown() {
    let server = server();
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    let mut carol = Client::login(&server, "carol");
    let modes = |client: &mut Client| only_line(&client.request("MODE #room"), "324").params[2..].join(" ");
    assert_eq!(modes(&mut alice), "+n", "as every new channel");
    for letter in ["C", "i", "m", "s", "t"] {
        for sign in ["+", "-"] {
            let change = format!("MODE #room {sign}{letter}");
            assert_eq!(request_one_line(&mut alice, &change), change);
            assert_eq!(alice.request(&change), [], "{change}: nothing changes twice");
            let events = bob.drain();
            assert_eq!((without_tags(&events), events[0].nick()), (vec![change], "alice"));
        }
    }
    // Several changes in one command are announced in one line; a sign holds until the next one.
    assert_eq!(
        request_one_line(&mut alice, "MODE #ROOM +ims-n+tkl sesame 20"),
        "MODE #room +ims-n+tkl sesame 20"
    );
    assert_eq!(without_tags(&bob.drain()), ["MODE #room +ims-n+tkl sesame 20"]);
    assert_eq!(modes(&mut bob), "+imstkl sesame 20");
    assert_refused(&mut carol, "MODE #room", "403 carol #room");
    // Without a sign a mode is set; a change without effect is not announced.
    assert_eq!(request_one_line(&mut alice, "MODE #room nml-s 21"), "MODE #room +nl-s 21");
    assert_eq!(modes(&mut carol), "+imntkl * 21", "who is not in it does not learn the key");
    assert_eq!(request_one_line(&mut alice, "MODE #room -kl"), "MODE #room -kl *");
    assert_eq!(request_one_line(&mut alice, "MODE #room -mit+k other"), "MODE #room -mit+k other");
    assert_eq!(request_one_line(&mut alice, "MODE #room -k whatever"), "MODE #room -k *");
    assert_eq!(modes(&mut alice), "+n");
    let created = only_line(&alice.request("MODE #room"), "329").params[2].parse::<u64>();
    assert!(created.is_ok_and(|at| at > 1_600_000_000));
}

/// <https://modern.ircdocs.horse/#mode-message>; <https://modern.ircdocs.horse/#errunknownmode-472>;
/// <https://modern.ircdocs.horse/#errinvalidmodeparam-696>
#[test]
fn invalid_mode_changes_are_refused_individually() {
    let server = server();
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    let mut carol = Client::login(&server, "carol");
    let lines = alice.request("MODE #room +Xt-Y");
    assert_eq!(commands(&lines), ["472", "472", "MODE"], "{lines:?}");
    assert!(lines[0].starts_with("472 alice X") && lines[1].starts_with("472 alice Y"), "{lines:?}");
    assert_eq!(lines[2].to_string(), "MODE #room +t");
    bob.drain();
    for (change, start) in [
        ("+k a,b", "696 alice #room k"),
        ("+k :two words", "696 alice #room k"),
        ("+k :", "696 alice #room k"),
        ("+l 0", "696 alice #room l 0"),
        ("+l many", "696 alice #room l many"),
        ("+l -3", "696 alice #room l -3"),
        ("+b x:y", "696 alice #room b x:y"),
        ("+e a:", "696 alice #room e a:"),
        ("+I a:two!words", "696 alice #room I a:two!words"),
        ("+o nobody", "401 alice nobody"),
        ("+o carol", "441 alice carol #room"),
    ] {
        assert_refused(&mut alice, &format!("MODE #room {change}"), start);
    }
    // Modes that need a value and have none are ignored and answered.
    let lines = alice.request("MODE #room +klov-t");
    assert_eq!(commands(&lines), ["696", "696", "696", "696", "MODE"], "{lines:?}");
    assert!(
        lines[0].starts_with("696 alice #room k *") && lines[2].starts_with("696 alice #room o *"),
        "{lines:?}"
    );
    assert_eq!(lines[4].to_string(), "MODE #room -t");
    bob.drain();
    for change in ["+t", "-n", "+k x", "-l", "+b x", "-e x", "+I x", "+v bob", "+o bob", "+q bob"] {
        assert_refused(&mut bob, &format!("MODE #room {change}"), "482 bob #room");
        assert_refused(&mut carol, &format!("MODE #room {change}"), "442 carol #room");
    }
    assert_refused(&mut alice, "MODE #nowhere +t", "403 alice #nowhere");
    assert_eq!(alice.drain(), [], "nobody heard of what did not happen");
}

/// <https://modern.ircdocs.horse/#rplbanlist-367>, <https://modern.ircdocs.horse/#rplexceptlist-348>,
/// <https://modern.ircdocs.horse/#rplinvexlist-346>
#[test]
fn list_modes_are_added_shown_and_removed() {
    let server = server();
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    let mut carol = Client::login(&server, "carol");
    for (letter, entry, end) in [("b", "367", "368"), ("e", "348", "349"), ("I", "346", "347")] {
        let set = format!("MODE #room +{letter}{letter}{letter} Zoe *@host a:Zoe");
        let change = format!("MODE #room +{letter}{letter}{letter} Zoe!*@* *!*@host a:Zoe");
        assert_eq!(request_one_line(&mut alice, &set), change);
        assert_eq!(without_tags(&bob.drain()), [change]);
        assert_eq!(alice.request(&format!("MODE #room +{letter} zOE!*@*")), [], "once is enough");
        for query in [format!("MODE #room {letter}"), format!("MODE #room +{letter}{letter}")] {
            let lines = bob.request(&query);
            assert_eq!(commands(&lines), [entry, entry, entry, end], "{query}");
            let masks: Vec<&str> = lines[..3].iter().map(|line| line.param(2)).collect();
            assert_eq!(masks, ["Zoe!*@*", "*!*@host", "a:Zoe"]);
            assert!(lines[0].starts_with(&format!("{entry} bob #room Zoe!*@* alice")), "{}", lines[0]);
            assert!(lines[0].param(4).parse::<u64>().is_ok_and(|at| at > 1_600_000_000), "{}", lines[0]);
            assert!(lines[3].starts_with(&format!("{end} bob #room")), "{}", lines[3]);
        }
        assert_refused(&mut carol, &format!("MODE #room {letter}"), "442 carol #room");
        assert_eq!(
            request_one_line(&mut alice, &format!("MODE #room -{letter} ZOE")),
            format!("MODE #room -{letter} Zoe!*@*")
        );
        assert_eq!(alice.request(&format!("MODE #room -{letter} Zoe")), [], "gone is gone");
        assert_eq!(commands(&alice.request(&format!("MODE #room {letter}"))), [entry, entry, end]);
        bob.drain();
    }
    // The longest list that fits in one command comes in lines that every client can read.
    let masks: Vec<String> = (10..23).map(|n| format!("{n}{}", "x".repeat(96))).collect();
    alice.drain();
    alice.send(&format!("MODE #room +{} {}", "b".repeat(13), masks.join(" ")));
    alice.drain();
    let lines = bob.drain();
    assert_eq!(lines.iter().map(|line| line.params.len() - 2).sum::<usize>(), 13);
    assert!(lines.len() > 1 && lines.iter().all(|line| line.to_string().len() < 450), "{lines:?}");
    assert_eq!(alice.request("MODE #room b").len(), 16);
    bob.drain();
    // All three lists in one command.
    let lines = bob.request("MODE #room beI");
    assert_eq!(lines.iter().filter(|line| ["368", "349", "347"].contains(&&*line.command)).count(), 3);
}

/// <https://modern.ircdocs.horse/#moderated-channel-mode>, <https://modern.ircdocs.horse/#no-external-messages-mode>,
/// <https://modern.ircdocs.horse/#protected-topic-mode>
#[test]
fn moderated_and_external_modes_restrict_sending() {
    let server = server();
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    let mut carol = Client::login(&server, "carol");
    assert_refused(&mut carol, "PRIVMSG #room :from outside", "404 carol #room");
    alice.request("MODE #room -n");
    assert_eq!(request_one_line(&mut carol, "PRIVMSG #room :from outside"), "PRIVMSG #room from outside");
    assert_eq!(bob.wait_for_message("from outside").nick(), "carol");
    alice.request("MODE #room +nm");
    assert_refused(&mut bob, "PRIVMSG #room :let me", "404 bob #room");
    assert_refused(&mut bob, "@+draft/react=x TAGMSG #room", "404 bob #room");
    alice.request("MODE #room +v bob");
    alice.deliver_message(&mut bob, "#room", "to you");
    bob.deliver_message(&mut alice, "#room", "with a voice");
    alice.request("MODE #room -mv+C bob");
    bob.deliver_message(&mut alice, "#room", "\u{1}ACTION waves\u{1}");
    assert_refused(&mut bob, "PRIVMSG #room :\u{1}VERSION\u{1}", "404 bob #room");
    assert_refused(&mut alice, "PRIVMSG #room :\u{1}PING 1\u{1}", "404 alice #room");
    bob.drain();
    alice.request("MODE #room -C");
    bob.deliver_message(&mut alice, "#room", "\u{1}VERSION\u{1}");

    bob.request("TOPIC #room :anybody's");
    alice.request("MODE #room +t");
    assert_refused(&mut bob, "TOPIC #room :bob's", "482 bob #room");
    assert_eq!(commands(&bob.request("TOPIC #room")), ["332", "333"], "asking is free");
    alice.request("MODE #room +h bob");
    bob.drain();
    assert_eq!(request_one_line(&mut bob, "TOPIC #room :a half-op's"), "TOPIC #room a half-op's");
}

/// <https://modern.ircdocs.horse/#ban-channel-mode>, <https://modern.ircdocs.horse/#ban-exception-channel-mode>;
/// `EXTBAN`: <https://modern.ircdocs.horse/#extban-parameter>;
/// <https://ircv3.net/specs/extensions/account-extban>
#[test]
fn bans_and_mutes_silence_matching_members() {
    let server = server();
    let [mut alice, mut bob, mut carol] = log_in_and_join(&server, ["alice", "bob", "carol"], "#room");
    for mask in ["m:BOB", "m:bob!*@*", "m:*!b?b@*", "m:a:bob", "M:A:bob", "bob", "a:Bob", "*@parlour"] {
        alice.request(&format!("MODE #room +b {mask}"));
        bob.drain();
        assert_refused(&mut bob, "PRIVMSG #room :hear me", "404 bob #room");
        assert_eq!(bob.request("NOTICE #room :hear me").len(), 1, "a client with labels is told");
        // A voice permits speaking, and so does an exception.
        alice.request("MODE #room +v bob");
        bob.deliver_message(&mut carol, "#room", &format!("voiced in spite of {mask}"));
        alice.request("MODE #room -v+e bob a:bob");
        bob.deliver_message(&mut carol, "#room", &format!("excepted from {mask}"));
        alice.request("MODE #room -e a:bob");
        alice.request(&format!("MODE #room -b {mask}"));
        bob.drain();
        bob.deliver_message(&mut carol, "#room", &format!("free of {mask}"));
        alice.drain();
    }
    alice.request("MODE #room +bb m:a:alice nobody");
    carol.drain();
    alice.deliver_message(&mut carol, "#room", "the founder is heard");
    carol.deliver_message(&mut alice, "#room", "bans are for others");
    // A mute does not prevent joining.
    alice.request("MODE #room +b m:bob");
    bob.request("PART #room");
    assert!(bob.request("JOIN #room")[0].starts_with("JOIN #room"));
}

/// <https://modern.ircdocs.horse/#user-modes>, <https://modern.ircdocs.horse/#rplumodeis-221>
#[test]
fn user_modes_change_for_oneself_only() {
    let server = server();
    let (mut alice, _bob) = (Client::login(&server, "alice"), Client::login(&server, "bob"));
    let mut other = Client::login(&server, "alice");
    assert_eq!(request_one_line(&mut alice, "MODE alice"), "221 alice +");
    assert_eq!(request_one_line(&mut alice, "MODE Alice +B"), "MODE alice +B");
    assert_eq!(alice.request("MODE alice +B"), []);
    assert_eq!(request_one_line(&mut alice, "MODE alice"), "221 alice +B");
    assert_eq!(without_tags(&other.drain()), ["MODE alice +B"], "a mode is the account's");
    assert_refused(&mut alice, "MODE alice +Z", "501 alice");
    assert_eq!(commands(&alice.request("MODE alice -B+Z")), ["MODE", "501"]);
    assert_eq!(alice.request("MODE alice +o"), [], "nobody makes himself an admin");
    assert_eq!(request_one_line(&mut alice, "MODE alice"), "221 alice +");
    assert_refused(&mut alice, "MODE bob", "502 alice");
    assert_refused(&mut alice, "MODE bob +B", "502 alice");
    assert_refused(&mut alice, "MODE carol2 +B", "401 alice carol2");
}
