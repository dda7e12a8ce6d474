//! Queries about the server and its channels, and commands of admins.
//!
//! <https://modern.ircdocs.horse/#server-queries-and-commands>, <https://modern.ircdocs.horse/#operator-messages>

use crate::support::{
    ALL_CAPABILITIES, Client, Line, assert_refused, commands, log_in_and_join, only_line, request_one_line,
    server, server_with, server_with_admin, without_tags,
};

/// <https://modern.ircdocs.horse/#list-message>; `ELIST`: <https://modern.ircdocs.horse/#elist-parameter>
#[test]
fn list_filters_by_name_size_age_and_topic() {
    let server = server();
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#big");
    alice.request("JOIN #tiny,#Tinsel,#other");
    alice.request("TOPIC #tiny :small talk");
    let mut list = |filter: &str| -> String {
        let lines = bob.request(&format!("LIST {filter}"));
        assert_eq!((lines[0].command.as_str(), lines[lines.len() - 1].command.as_str()), ("321", "323"));
        let rows = lines.iter().filter(|line| line.command == "322");
        let mut names: Vec<&str> = rows.map(|line| line.param(1)).collect();
        names.sort_unstable();
        names.join(" ")
    };
    let everything = "#Tinsel #big #other #tiny";
    for (filter, found) in [
        ("", everything),
        // M and N: masks.
        ("#ti*", "#Tinsel #tiny"),
        ("#TI*,#b?g", "#Tinsel #big #tiny"),
        ("!#ti*", "#big #other"),
        ("!#ti*,!#b*", "#other"),
        ("#ti*,!*y", "#Tinsel"),
        ("#ti", ""),
        // U: by the count of members.
        (">0", everything),
        (">1", "#big"),
        ("<2", "#Tinsel #other #tiny"),
        ("<1", ""),
        (">0,<2,#t*", "#Tinsel #tiny"),
        // C and T: created, or the topic set, so many minutes ago.
        ("C<1", everything),
        ("C>1", ""),
        ("C>0", everything),
        ("T<1", "#tiny"),
        ("T>1", ""),
        ("C<10,>1", "#big"),
    ] {
        assert_eq!(list(filter), found, "LIST {filter}");
    }
    let row = only_line(&bob.request("LIST #tiny"), "322").clone();
    assert_eq!(row.to_string(), "322 bob #tiny 1 small talk");
}

/// <https://modern.ircdocs.horse/#help-message>, <https://modern.ircdocs.horse/#info-message>,
/// <https://modern.ircdocs.horse/#admin-message>, <https://modern.ircdocs.horse/#time-message>,
/// <https://modern.ircdocs.horse/#version-message>, <https://modern.ircdocs.horse/#motd-message>
#[test]
fn help_info_admin_time_version_and_motd_reply() {
    let server = server_with_admin(&[r#"motd = "Be kind.\n\nEat your greens.""#, "name = 'Harbour'"]);
    let mut alice = Client::login(&server, "alice");
    let lines = alice.request("HELP");
    let (first, last) = (&lines[0], &lines[lines.len() - 1]);
    assert!(first.starts_with("704 alice *") && last.starts_with("706 alice *"), "{lines:?}");
    assert!(lines[1..lines.len() - 1].iter().all(|line| line.starts_with("705 alice *")));
    // Every listed command has its help.
    let listed: Vec<String> = lines
        .iter()
        .filter(|l| l.command == "705")
        .flat_map(|l| l.text().split(' ').map(str::to_owned))
        .collect();
    assert!(listed.len() > 25, "{listed:?}");
    for command in &listed {
        let lines = alice.request(&format!("HELP {}", command.to_ascii_lowercase()));
        assert_eq!(commands(&lines), ["704", "705", "706"], "{command}");
        assert!(lines[1].text().starts_with(command.as_str()), "{}", lines[1]);
    }
    assert_refused(&mut alice, "HELP cooking", "524 alice cooking");
    assert_eq!(commands(&alice.request("HELPOP JOIN")), ["704", "705", "706"]);

    let lines = alice.request("INFO");
    assert!(lines.len() > 1 && lines[lines.len() - 1].starts_with("374 alice"), "{lines:?}");
    assert!(lines[..lines.len() - 1].iter().all(|line| line.starts_with("371 alice")));
    let lines = alice.request("ADMIN");
    assert!(
        lines[0].starts_with("256 alice chat.parlour") && lines[1].to_string() == "257 alice Harbour",
        "{lines:?}"
    );
    assert!(lines[2].command == "258" && lines[2].text().contains("root"), "{lines:?}");
    let time = alice.request("TIME");
    assert!(
        time[0].starts_with("391 alice chat.parlour") && time[0].param(2).parse::<u64>().is_ok(),
        "{time:?}"
    );
    assert!(
        time[0].text().starts_with("20") && time[0].text().ends_with('Z'),
        "a time in words: {}",
        time[0]
    );
    let lines = alice.request("VERSION");
    assert!(
        lines[0].starts_with("351 alice") && lines[0].param(2) == "chat.parlour" && lines[1].command == "005"
    );
    let lines = alice.request("MOTD");
    assert_eq!(commands(&lines), ["375", "372", "372", "372", "376"]);
    assert_eq!(
        without_tags(&lines[1..4]),
        ["372 alice - Be kind.", "372 alice - ", "372 alice - Eat your greens."]
    );
}

/// <https://modern.ircdocs.horse/#lusers-message>
#[test]
fn lusers_counts_users_and_channels() {
    let server = server_with(&["sessions.grace_s = 0"]);
    let [mut alice, bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    alice.request("JOIN #den");
    bob.close();
    alice.wait_for_command("QUIT");
    assert_eq!(
        without_tags(&alice.request("LUSERS")),
        [
            "251 alice There are 1 users and 0 invisible on 1 servers",
            "254 alice 2 channels formed",
            "255 alice I have 1 clients and 0 servers",
            "265 alice 1 2 Current local users 1, max 2",
            "266 alice 1 2 Current global users 1, max 2",
        ]
    );
}

/// <https://modern.ircdocs.horse/#stats-message>, <https://modern.ircdocs.horse/#kill-message>,
/// <https://modern.ircdocs.horse/#wallops-message>; <https://modern.ircdocs.horse/#errnoprivileges-481>
#[test]
fn kill_wallops_and_stats_require_admin() {
    let server = server_with_admin(&[]);
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    let mut carol = Client::login(&server, "carol");
    let mut root = Client::login(&server, "root");
    for command in ["STATS u", "KILL carol :why not", "WALLOPS :hear me"] {
        assert_refused(&mut alice, command, "481 alice");
    }
    for (command, start) in [
        ("STATS", "461 root STATS"),
        ("KILL", "461 root KILL"),
        ("WALLOPS", "461 root WALLOPS"),
        ("WALLOPS :", "461 root WALLOPS"),
        ("KILL nobody :x", "401 root nobody"),
        ("KILL echo :x", "483 root"),
    ] {
        assert_refused(&mut root, command, start);
    }
    let lines = root.request("STATS u");
    assert!(only_line(&lines, "242").text().starts_with("Server Up 0 days 0:00:"), "{lines:?}");
    assert!(only_line(&lines, "219").starts_with("219 root u"));
    let lines = root.request("STATS m");
    assert!(
        lines.iter().any(|line| line.command == "249" && line.text().contains("4 sessions")),
        "{lines:?}"
    );
    assert_eq!(request_one_line(&mut root, "STATS z"), "219 root z End of STATS report");

    assert_eq!(request_one_line(&mut root, "WALLOPS :tea is ready"), "WALLOPS tea is ready");
    for client in [&mut alice, &mut bob, &mut carol] {
        let told = client.wait_for_command("WALLOPS");
        assert_eq!((told.text(), told.nick()), ("tea is ready", "root"));
    }
    let mut phone = Client::login(&server, "bob");
    root.request("KILL BOB :tea is over");
    for session in [&mut bob, &mut phone] {
        let lines = session.read_until_closed();
        let error = lines.last().expect("a last word");
        assert!(
            error.starts_with("ERROR")
                && error.text().contains("root")
                && error.text().contains("tea is over")
        );
    }
    let quit = alice.wait_for_command("QUIT");
    assert!(quit.nick() == "bob" && quit.text().contains("tea is over"), "{quit}");
    // KILL ends sessions, not memberships.
    assert!(Client::login(&server, "bob").welcome.iter().any(|line| line.starts_with("JOIN #room")));
}

/// The configured name of the server is used everywhere, and Parlour's client accepts it.
#[test]
fn configured_server_name_is_used_everywhere() {
    const SERVER_NAME: &str = "irc.harbour-town.example";
    let server = server_with_admin(&[
        &format!("server_name = '{SERVER_NAME}'"),
        "icon = 'https://example.org/icon.svg?v=1'",
        "sessions.grace_s = 0",
        "motd = 'Be kind.'",
    ]);
    let capabilities = format!(
        "{ALL_CAPABILITIES} draft/chathistory draft/event-playback draft/read-marker draft/metadata-2 draft/search \
         draft/extended-isupport"
    );
    let mut alice = Client::connect(&server);
    alice.begin_login("alice", &capabilities);
    let early =
        [alice.request("PING x"), alice.request("ISUPPORT"), alice.request("METADATA * SET status :here")];
    alice.authenticate_with_password("alice");
    let mut alice = alice.finish_login();
    let mut root = Client::login(&server, "root");
    let mut said: Vec<Line> = early.into_iter().flatten().chain(std::mem::take(&mut alice.welcome)).collect();
    for line in [
        "JOIN #room",
        "MONITOR + bob",
        "METADATA * SUB status",
        "METADATA * SUBS",
        "METADATA * GET status",
        "VERSION",
        "TIME",
        "ADMIN",
        "MOTD",
        "WHO alice",
        "WHO alice %s",
        "WHOIS alice",
        "PING x",
        "CAP LIST",
        "CAP LS 302",
        "PRIVMSG #room :hello there",
        "CHATHISTORY LATEST #room * 5",
        "CHATHISTORY BEFORE #room msgid=zz 5",
        "CHATHISTORY TARGETS timestamp=2020-01-01T00:00:00.000Z timestamp=2100-01-01T00:00:00.000Z 5",
        "SEARCH text=hello",
        "MARKREAD #room",
        "@label=1 PONG x",
        "@label=2 WHOIS bob",
        "FROB",
        "INVITE bob #room",
    ] {
        said.extend(alice.request(line));
    }
    let mut bob = Client::in_channel(&server, "bob", "#other");
    root.request("JOIN #other");
    said.extend(bob.drain());
    bob.send("QUIT");
    said.push(alice.wait_for_command("731"));
    said.extend(root.request("KNOCK #room"));
    root.request("MODE #room +i");
    root.request("KNOCK #room");
    said.extend(alice.drain());
    said.extend(bob.read_until_closed().into_iter().filter(|line| line.command != "ERROR"));
    let from_people = |line: &Line| line.source.contains('!');
    for line in said.iter().filter(|line| !from_people(line) && line.command != "AUTHENTICATE") {
        assert!(line.source == SERVER_NAME, "{}: {line}", line.source);
    }
    let all: Vec<String> = said.iter().map(ToString::to_string).collect();
    let parts = [
        format!("Your host is {SERVER_NAME},"),
        format!("004 alice {SERVER_NAME} "),
        format!("PONG {SERVER_NAME} x"),
        format!("312 alice alice {SERVER_NAME}"),
        format!("256 alice {SERVER_NAME}"),
        format!("375 alice - {SERVER_NAME} "),
        format!("391 alice {SERVER_NAME}"),
        r"draft/ICON=https://example.org/icon.svg?v\x3D1".to_owned(),
    ];
    for part in parts {
        assert!(all.iter().any(|line| line.contains(&part)), "{part}");
    }
    assert!(!all.iter().any(|line| line.contains("chat.parlour")), "{all:?}");
    let whox = said.iter().find(|line| line.command == "354").expect("WHOX");
    assert_eq!(whox.text(), SERVER_NAME);
}
