//! Clients that mark themselves as bots. <https://ircv3.net/specs/extensions/bot-mode>

use super::{Client, commands, log_in_and_join, only_line, server, without_tags};

/// "The `RPL_WHOISBOT` (335) numeric", "The `WHO` bot flag", "The `bot` tag"
#[test]
fn bot_mode_is_shown_in_every_reply() {
    let server = server();
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    let mut plain = Client::login_with(&server, "carol", "account-tag");
    plain.request("JOIN #room");
    let token = alice.welcome.iter().flat_map(|line| &line.params).find_map(|p| p.strip_prefix("BOT="));
    assert_eq!(token, Some("B"));
    let looks = |client: &mut Client| {
        let whois = commands(&client.request("WHOIS bob")).contains(&"335");
        let who = only_line(&client.request("WHO bob"), "352").param(6).contains('B');
        let whox = only_line(&client.request("WHO bob %f"), "354").param(1).contains('B');
        [whois, who, whox]
    };
    assert_eq!(looks(&mut alice), [false; 3]);
    bob.request("MODE bob +B");
    assert_eq!(looks(&mut alice), [true; 3]);
    assert!(only_line(&alice.request("WHOIS bob"), "335").starts_with("335 alice bob"));
    for line in ["PRIVMSG #room :beep", "NOTICE alice :boop", "TOPIC #room :b", "PART #room", "JOIN #room"] {
        bob.send(line);
        let command = line.split(' ').next().expect("a command");
        let seen = alice.wait_for_line(line, |l| l.command == command && l.nick() == "bob");
        assert_eq!(seen.tag("bot"), Some(""), "{line}: {seen:?}");
        if !line.contains("alice") {
            let seen = plain.wait_for_line(line, |l| l.command == command && l.nick() == "bob");
            assert_eq!(seen.tag("bot"), None, "only with message-tags: {line}");
        }
    }
    alice.send("PRIVMSG #room :I am none");
    assert_eq!(bob.wait_for_message("I am none").tag("bot"), None);
    bob.request("MODE bob -B");
    assert_eq!(looks(&mut alice), [false; 3]);
    bob.send("PRIVMSG #room :human again");
    assert_eq!(alice.wait_for_message("human again").tag("bot"), None);
    // The mode belongs to the account, and its clients get an event.
    bob.request("MODE bob +B");
    bob.quit();
    let mut bob = Client::login(&server, "bob");
    assert_eq!(looks(&mut alice), [true; 3]);
    assert!(bob.welcome.iter().any(|line| line.starts_with("MODE bob +B")), "{:?}", bob.welcome);
    assert_eq!(without_tags(&bob.request("MODE bob -B")), ["MODE bob -B"]);
    assert_eq!(looks(&mut alice), [false; 3]);
    // The server's own bot.
    assert!(only_line(&alice.request("WHO echo"), "352").param(6).contains('B'));
    assert!(commands(&alice.request("WHOIS echo")).contains(&"335"));
}
