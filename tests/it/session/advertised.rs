//! Checks that the server keeps what it advertises: the tokens of `RPL_ISUPPORT`
//! (<https://modern.ircdocs.horse/#rplisupport-005>) and the capabilities
//! (<https://ircv3.net/specs/extensions/capability-negotiation>).

use std::collections::BTreeMap;

use crate::support::{
    ALL_CAPABILITIES, Client, Home, Line, PASSWORD, assert_refused, commands, log_in_and_join, names_reply,
    only_line, request_one_line, server, server_with,
};

/// Returns the tokens of the welcome with their values.
fn isupport_tokens(client: &Client) -> BTreeMap<String, String> {
    let lines = client.welcome.iter().filter(|line| line.command == "005");
    let tokens = lines.flat_map(|line| &line.params[1..line.params.len() - 1]);
    tokens
        .map(|token| token.split_once('=').unwrap_or((token, "")))
        .map(|(k, v)| (k.into(), v.into()))
        .collect()
}

fn token_number(tokens: &BTreeMap<String, String>, key: &str) -> usize {
    tokens[key].parse().unwrap_or_else(|_| panic!("{key}={}", tokens[key]))
}

/// Returns the minimum size of a received line on the wire, without its tags and with its end, in bytes: a colon before
/// the last parameter is not counted.
fn line_bytes(line: &Line) -> usize {
    ":".len() + line.source.len() + " ".len() + line.to_string().len() + "\r\n".len()
}

/// "at most 13 tokens", and 512 bytes; the welcome and VERSION return the same.
#[test]
fn isupport_lines_fit_every_client() {
    let long = "n".repeat(32);
    let home = Home::new(&[&format!("name = '{long}'")]);
    let nick = "a-name-of-24-letters----";
    home.import(&[nick]);
    let server = home.serve();
    let mut client = Client::login(&server, nick);
    let welcome: Vec<Line> = client.welcome.iter().filter(|line| line.command == "005").cloned().collect();
    for line in &welcome {
        assert!(
            (3..=15).contains(&line.params.len()) && line_bytes(line) < 512,
            "{} bytes: {line}",
            line_bytes(line)
        );
        assert!(line.text().contains("supported"), "{line}");
    }
    let version = client.request("VERSION");
    assert_eq!(version[1..], welcome);
    let tokens = isupport_tokens(&client);
    let known = "ACCOUNTEXTBAN AWAYLEN BOT CASEMAPPING CHANLIMIT CHANMODES CHANNELLEN CHANTYPES CHATHISTORY \
                 CLIENTTAGDENY ELIST EXCEPTS EXTBAN HOSTLEN INVEX KEYLEN KICKLEN LINELEN MAXLIST MODES MONITOR \
                 MSGREFTYPES NAMELEN NETWORK NICKLEN PREFIX SAFELIST STATUSMSG TARGMAX TOPICLEN USERLEN UTF8ONLY \
                 WHOX";
    for key in known.split_whitespace() {
        assert!(tokens.contains_key(key), "{key} is not in {tokens:?}");
    }
    assert_eq!(tokens["NETWORK"], long);
    assert_eq!(token_number(&tokens, "NICKLEN"), nick.len(), "the longest name logs in");
    let mut longer = Client::connect(&server);
    assert_eq!(longer.request(&format!("NICK {nick}x"))[0].command, "432");
}

/// `AWAYLEN`, `CHANNELLEN`, `KEYLEN`, `KICKLEN`, `NAMELEN`, `TOPICLEN`, `USERLEN`, `HOSTLEN`
#[test]
fn advertised_length_limits_are_enforced() {
    let server = server();
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    let tokens = isupport_tokens(&alice);
    let length = |key: &str| token_number(&tokens, key);
    let long = "x".repeat(1000);
    let cut = |line: &Line, key: &str| assert_eq!(line.text().len(), length(key), "{key}: {line}");
    cut(&alice.request(&format!("TOPIC #room :{long}"))[0], "TOPICLEN");
    cut(only_line(&bob.request("TOPIC #room"), "332"), "TOPICLEN");
    // Between characters, never within one.
    let topic = alice.request(&format!("TOPIC #room :a{}", "é".repeat(500)))[0].text().to_owned();
    assert!((length("TOPICLEN") - 1..=length("TOPICLEN")).contains(&topic.len()) && topic.ends_with('é'));
    bob.request(&format!("AWAY :{long}"));
    cut(only_line(&alice.request("WHOIS bob"), "301"), "AWAYLEN");
    cut(&alice.request(&format!("KICK #room bob :{long}"))[0], "KICKLEN");
    bob.drain();
    bob.request("JOIN #room");

    let fits = |key: &str| "k".repeat(length(key));
    let key = fits("KEYLEN");
    assert_eq!(request_one_line(&mut alice, &format!("MODE #room +k {key}")), format!("MODE #room +k {key}"));
    assert_refused(&mut alice, &format!("MODE #room +k {key}k"), "696 alice #room k");
    let name = format!("#{}", &fits("CHANNELLEN")[1..]);
    assert!(alice.request(&format!("JOIN {name}"))[0].starts_with(&format!("JOIN {name}")));
    assert_refused(&mut alice, &format!("JOIN {name}k"), "403 alice");
    assert_refused(&mut alice, &format!("RENAME {name} {name}k"), "FAIL RENAME CANNOT_RENAME");

    let mut carol = Client::connect(&server);
    carol.request_capabilities("sasl");
    carol.send("NICK carol");
    carol.send(&format!("USER carol 0 * :{long}"));
    assert_eq!(carol.authenticate("carol", PASSWORD).command, "903");
    carol.send("CAP END");
    carol.wait_for_command("001");
    cut(only_line(&alice.request("WHOIS carol"), "311"), "NAMELEN");
    let whois = alice.request("WHOIS bob");
    assert!(only_line(&whois, "311").param(2).len() <= length("USERLEN"));
    assert!(only_line(&whois, "311").param(3).len() <= length("HOSTLEN"));
}

/// `CHANLIMIT`, `MAXLIST`, `MODES`, `TARGMAX`
#[test]
fn advertised_count_limits_are_enforced() {
    let server = server_with(&["limits.channels_per_account = 40"]);
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    let tokens = isupport_tokens(&alice);

    let (lists, most) = tokens["MAXLIST"].split_once(':').expect("lists:number");
    let (most, masks): (usize, Vec<String>) =
        (most.parse().expect("a number"), (0..).map(|n| format!("n{n}")).take(300).collect());
    assert_eq!(lists, "beI");
    let modes = token_number(&tokens, "MODES");
    let set = |masks: &[String], alice: &mut Client| {
        let letters: String = masks.iter().zip("beI".chars().cycle()).map(|(_, letter)| letter).collect();
        alice.request(&format!("MODE #room +{letters} {}", masks.join(" ")))
    };
    // As many at once as MODES allows, up to the limit of all lists together.
    for chunk in masks[..most].chunks(modes) {
        let lines = set(chunk, &mut alice);
        let told: usize = lines.iter().map(|line| line.params.len() - 2).sum();
        assert!(told == chunk.len() && lines.iter().all(|l| l.command == "MODE"), "{lines:?}");
    }
    for list in lists.chars() {
        assert_refused(
            &mut alice,
            &format!("MODE #room +{list} one!too@many"),
            &format!("478 alice #room {list}"),
        );
    }
    assert_eq!(request_one_line(&mut alice, "MODE #room -b n0"), "MODE #room -b n0!*@*");
    assert_eq!(request_one_line(&mut alice, "MODE #room +b just!one@more"), "MODE #room +b just!one@more");
    bob.drain();

    let targets: BTreeMap<&str, usize> = tokens["TARGMAX"]
        .split(',')
        .map(|pair| pair.split_once(':').expect("command:number"))
        .map(|(command, most)| (command, most.parse().expect("a number")))
        .collect();
    let limited: Vec<&str> = targets.keys().copied().filter(|&command| command != "WHOIS").collect();
    assert_eq!(limited, ["JOIN", "KICK", "NAMES", "NOTICE", "PART", "PRIVMSG", "TAGMSG"]);
    for command in limited {
        let list = |count: usize| (0..count).map(|n| format!("#t{n}")).collect::<Vec<_>>().join(",");
        let (before, after) = match command {
            "KICK" => ("#room ", " :x"),
            "PRIVMSG" | "NOTICE" => ("", " :x"),
            _ => ("", ""),
        };
        let ask = |count: usize| format!("{command} {before}{}{after}", list(count));
        let most = targets[command];
        if command == "PART" {
            alice.request(&format!("JOIN {}", list(most)));
        }
        let lines = alice.request(&ask(most));
        assert!(
            lines.len() >= most && lines.iter().all(|line| line.command != "407"),
            "{command}: {lines:?}"
        );
        let lines = alice.request(&ask(most + 1));
        assert_eq!(commands(&lines), ["407"], "{command}: all or nothing");
        alice.request("JOIN 0");
        alice.request("JOIN #room");
    }
    assert_eq!(commands(&alice.request("WHOIS alice,bob")), ["401", "318"], "WHOIS takes one");

    let most: usize = tokens["CHANLIMIT"].strip_prefix("#:").and_then(|n| n.parse().ok()).expect("#:number");
    assert_eq!(most, 40);
    bob.drain();
    for n in 1..most {
        assert!(bob.request(&format!("JOIN #c{n}"))[0].starts_with(&format!("JOIN #c{n}")));
    }
    assert_refused(&mut bob, "JOIN #c0", "405 bob #c0");
}

/// `CASEMAPPING`, `CHANTYPES`, `CHANMODES`, `PREFIX`, `STATUSMSG`, `EXCEPTS`, `INVEX`, `EXTBAN`, `CLIENTTAGDENY`
#[test]
fn advertised_names_and_modes_are_accurate() {
    let server = server();
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    let tokens = isupport_tokens(&alice);
    // ascii: letters fold, brackets do not (with rfc1459 they would).
    assert_eq!(tokens["CASEMAPPING"], "ascii");
    alice.request("JOIN #Case[]");
    assert_eq!(alice.request("JOIN #cASE[]"), []);
    assert!(alice.request("JOIN #case{}")[0].starts_with("JOIN #case{}"));
    assert_eq!(tokens["CHANTYPES"], "#");
    for name in ["&local", "+modeless", "!safe", "no-prefix"] {
        assert_refused(&mut alice, &format!("JOIN {name}"), &format!("403 alice {name}"));
    }

    let kinds: Vec<&str> = tokens["CHANMODES"].split(',').collect();
    let [lists, always, set_only, flags] = kinds[..] else { panic!("{kinds:?}") };
    assert_eq!((&*tokens["EXCEPTS"], &*tokens["INVEX"]), ("e", "I"));
    assert!(lists.contains('e') && lists.contains('I'));
    for letter in lists.chars() {
        let lines = alice.request(&format!("MODE #room +{letter}"));
        assert_eq!(lines.len(), 1, "{letter} without a mask shows the list: {lines:?}");
        assert_eq!(
            request_one_line(&mut alice, &format!("MODE #room +{letter} x")),
            format!("MODE #room +{letter} x!*@*")
        );
    }
    for letter in always.chars() {
        assert_refused(&mut alice, &format!("MODE #room +{letter}"), &format!("696 alice #room {letter} *"));
        assert_eq!(
            request_one_line(&mut alice, &format!("MODE #room +{letter} 7")),
            format!("MODE #room +{letter} 7")
        );
        let lines = alice.request(&format!("MODE #room -{letter} 7"));
        assert_eq!(lines[0].params.len(), 3, "it is taken away with a value: {lines:?}");
    }
    for letter in set_only.chars() {
        assert_refused(&mut alice, &format!("MODE #room +{letter}"), &format!("696 alice #room {letter} *"));
        assert_eq!(
            request_one_line(&mut alice, &format!("MODE #room +{letter} 7")),
            format!("MODE #room +{letter} 7")
        );
        assert_eq!(
            request_one_line(&mut alice, &format!("MODE #room -{letter}")),
            format!("MODE #room -{letter}")
        );
    }
    for letter in flags.chars().filter(|&letter| letter != 'n') {
        assert_eq!(
            request_one_line(&mut alice, &format!("MODE #room +{letter}")),
            format!("MODE #room +{letter}")
        );
        assert_eq!(
            request_one_line(&mut alice, &format!("MODE #room -{letter}")),
            format!("MODE #room -{letter}")
        );
    }
    // An unadvertised mode does not work; RPL_MYINFO lists the same modes.
    let (letters, prefixes) =
        tokens["PREFIX"].trim_start_matches('(').split_once(')').expect("(modes)prefixes");
    let myinfo = only_line(&alice.welcome, "004").clone();
    let known: String = kinds.concat() + letters;
    for letter in ('a'..='z').chain('A'..='Z') {
        assert_eq!(myinfo.param(4).contains(letter), known.contains(letter), "{letter} in {myinfo}");
        let unknown = commands(&alice.request(&format!("MODE #room -{letter}"))).contains(&"472");
        assert_eq!(unknown, !known.contains(letter), "{letter}");
    }
    alice.request("MODE #room +n");
    for (letter, prefix) in letters.chars().zip(prefixes.chars()) {
        alice.request(&format!("MODE #room +{letter} bob"));
        // A founder is shown as an op too.
        let shown = if letter == 'q' { "~@bob".to_owned() } else { format!("{prefix}bob") };
        assert!(names_reply(&mut alice, "#room").contains(&shown), "{letter}");
        assert!(tokens["STATUSMSG"].contains(prefix));
        alice.deliver_message(&mut bob, &format!("{prefix}#room"), "to some");
        alice.request(&format!("MODE #room -{letter} bob"));
    }
    assert_eq!((&*tokens["EXTBAN"], &*tokens["ACCOUNTEXTBAN"]), (",am", "a"));
    for (ban, taken) in [("a:x", true), ("m:x", true), ("m:a:x", true), ("z:x", false), ("n:x", false)] {
        let line = request_one_line(&mut alice, &format!("MODE #room +b {ban}"));
        assert_eq!(line.starts_with("MODE"), taken, "{line}");
    }
    assert_eq!(tokens["CLIENTTAGDENY"], "");
    alice.send("@+typing=active;+example.org/x=y TAGMSG #room");
    let seen = bob.wait_for_command("TAGMSG");
    assert_eq!((seen.tag("+typing"), seen.tag("+example.org/x")), (Some("active"), Some("y")));
}

/// "CAP LS", "CAP REQ", "CAP LIST": each offered capability can be enabled and disabled, alone and together.
#[test]
fn every_offered_capability_can_be_enabled() {
    let server = server();
    let mut client = Client::connect(&server);
    let words = |lines: &[Line]| -> Vec<String> {
        lines.iter().flat_map(|line| line.text().split(' ').map(str::to_owned).collect::<Vec<_>>()).collect()
    };
    let old = client.request("CAP LS");
    assert!(old.len() == 1 && line_bytes(&old[0]) < 512, "{} bytes", line_bytes(&old[0]));
    assert!(words(&old).contains(&"sasl".to_owned()));
    let lines = client.request("CAP LS 302");
    let (last, more) = lines.split_last().expect("a line");
    assert!(last.params.len() == 3 && more.iter().all(|line| line.param(2) == "*"), "{lines:?}");
    assert!(lines.iter().all(|line| line_bytes(line) < 512));
    let offered = words(&lines);
    assert!(words(&old).iter().all(|name| offered.iter().any(|word| word.split('=').next() == Some(name))));
    let offered: Vec<&str> = offered.iter().filter_map(|word| word.split('=').next()).collect();
    // A connection before its login may send a limited count of lines, and the test sends some to await each reply.
    for names in offered.chunks(20) {
        let mut client = Client::connect(&server);
        for name in names {
            let wanted = [format!("CAP * ACK {name}"), format!("CAP * ACK -{name}")];
            assert_eq!(request_one_line(&mut client, &format!("CAP REQ :{name}")).trim_end(), wanted[0]);
            assert_eq!(request_one_line(&mut client, &format!("CAP REQ :-{name}")).trim_end(), wanted[1]);
        }
    }
    assert_eq!(words(&client.request("CAP LIST")), ["cap-notify"], "that one stays with 302");
    let all = offered.join(" ");
    assert_eq!(
        request_one_line(&mut client, &format!("CAP REQ :{all}")).trim_end(),
        format!("CAP * ACK {all}")
    );
    let mut listed = words(&client.request("CAP LIST"));
    let mut wanted = offered.clone();
    listed.sort();
    wanted.sort_unstable();
    assert_eq!(listed, wanted);
    assert!(
        request_one_line(&mut client, "CAP REQ :batch example.org/unheard-of").starts_with("CAP * NAK batch")
    );

    // The capabilities determine the form of events from the reply on.
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    let mut hear = |alice: &mut Client, text: &str| {
        bob.send(&format!("@+x=y PRIVMSG #room :{text}"));
        alice.wait_for_message(text).tags
    };
    let tags = hear(&mut alice, "with everything");
    assert_eq!(tags.keys().collect::<Vec<_>>(), ["+x", "account", "msgid", "time"]);
    assert_eq!(
        request_one_line(&mut alice, "CAP REQ :-server-time -account-tag"),
        "CAP alice ACK -server-time -account-tag"
    );
    assert_eq!(hear(&mut alice, "with less").keys().collect::<Vec<_>>(), ["+x", "msgid"]);
    alice.request("CAP REQ :-message-tags server-time");
    assert_eq!(hear(&mut alice, "with a time").keys().collect::<Vec<_>>(), ["time"]);
    assert!(request_one_line(&mut alice, "CAP REQ :-server-time nonsense").starts_with("CAP alice NAK"));
    assert_eq!(hear(&mut alice, "as before").keys().collect::<Vec<_>>(), ["time"]);
    alice.request("PRIVMSG #room :echoed");
    alice.send("PRIVMSG #room :echoed");
    alice.wait_for_message("echoed");
    alice.request("CAP REQ :-echo-message");
    assert_eq!(alice.request("PRIVMSG #room :not echoed"), []);
}

/// <https://ircv3.net/specs/extensions/labeled-response>: each labelled command has exactly one labelled response.
#[test]
fn every_command_replies_to_its_label_once() {
    let server = server();
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    let capabilities = format!("{ALL_CAPABILITIES} setname away-notify invite-notify draft/channel-rename");
    alice.request(&format!("CAP REQ :{capabilities}"));
    for (command, first) in [
        ("MODE #room +n", "ACK"),
        ("MODE #room +kl", "BATCH"),
        ("MODE #room +t", "MODE"),
        ("MODE #room +Xi", "BATCH"),
        ("MODE alice +i", "ACK"),
        ("MODE alice +B", "MODE"),
        ("MONITOR + carol", "731"),
        ("MONITOR - carol", "ACK"),
        ("MONITOR C", "ACK"),
        ("MONITOR S", "ACK"),
        ("AWAY :out", "306"),
        ("AWAY", "305"),
        ("SETNAME :A", "SETNAME"),
        ("INVITE carol #room", "341"),
        ("TOPIC #room :t", "TOPIC"),
        ("NAMES", "366"),
        ("WHO nobody", "315"),
        ("ISON bob", "303"),
        ("KICK #room ,", "ACK"),
        ("KICK #room bob", "KICK"),
        ("RENAME #room #hall", "RENAME"),
        ("LIST", "BATCH"),
        ("NOTICE nobody :x", "401"),
        ("JOIN #hall", "ACK"),
        ("JOIN 0", "PART"),
        ("JOIN 0", "ACK"),
        ("STATS u", "481"),
        ("KNOCK #hall", "711"),
        ("NONSENSE", "421"),
    ] {
        let lines = alice.request(&format!("@label=it {command}"));
        let labelled: Vec<&Line> = lines.iter().filter(|line| line.tag("label").is_some()).collect();
        assert_eq!(labelled.len(), 1, "{command}: {lines:?}");
        assert_eq!(labelled[0].tag("label"), Some("it"), "{command}");
        assert_eq!(labelled[0].command, first, "{command}: {lines:?}");
    }
    assert!(bob.drain().iter().all(|line| line.tag("label").is_none()));
}
