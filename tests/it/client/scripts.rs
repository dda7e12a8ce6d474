//! Commands for scripts, as docs/scripting.md describes them.

use std::process::{Command, Stdio};

use crate::support::script::{
    configure_for_dora, parse_json_lines, run_script, run_script_with_input, server_with_joined_client,
    start_script,
};
use crate::support::{ALL_CAPABILITIES, Client, Home, Process, Server, remove_devices};

/// Logs in a client that sees every message unchanged.
fn observer(server: &Server) -> Client {
    let caps = format!("{ALL_CAPABILITIES} draft/multiline draft/message-redaction");
    let mut client = Client::login_with(server, "alice", &caps);
    client.request("JOIN #lobby");
    client
}

/// Returns the texts of JSON objects.
#[track_caller]
fn json_texts(json: &str) -> Vec<String> {
    parse_json_lines(json).iter().map(|object| object["text"].as_str().expect("a text").to_owned()).collect()
}

/// Sends numbers as messages, all at once, and waits until they are processed.
fn send_numbers(client: &mut Client, target: &str, numbers: std::ops::RangeInclusive<usize>) {
    client.send_all(numbers.map(|n| format!("PRIVMSG {target} :{n}")));
    client.request("PING done");
}

#[test]
fn send_sends_lines_as_they_arrive() {
    let server = server_with_joined_client();
    let mut alice = observer(&server);
    let mut send = start_script(&server.home, &["send", "#lobby", "--notice"]);
    // Neither before the next line is there, nor only at the end.
    for text in ["compiling", "linking"] {
        send.type_line(text);
        assert_eq!(alice.wait_for_message(text).command, "NOTICE");
    }
    send.end_input();
    assert!(send.wait().success(), "{}", send.printed());
}

#[test]
fn sent_text_is_unchanged() {
    let server = server_with_joined_client();
    let home = &server.home;
    let mut alice = observer(&server);
    run_script(home, &["send", "#lobby", "several", "words"], "", 0);
    alice.wait_for_message("several words");
    run_script(home, &["send", "#lobby", "--", "-n is no option"], "", 0);
    alice.wait_for_message("-n is no option");
    run_script(home, &["send", "#lobby", "two\nlines"], "", 0);
    alice.wait_for_line("a batch", |line| line.command == "BATCH" && line.param(1) == "draft/multiline");
    assert_eq!(
        [alice.wait_for_message("two").text(), alice.wait_for_message("lines").text()],
        ["two", "lines"]
    );
    assert_eq!(home.count("SELECT count(*) FROM messages WHERE text LIKE '%lines'"), 1);
    let long = "word ".repeat(1000);
    run_script(home, &["send", "#lobby"], &format!("{long}\n"), 0);
    let mut got = String::new();
    while got.len() < long.len() {
        got += alice.wait_for_command("PRIVMSG #lobby").text();
    }
    assert_eq!(got, long);
    let output = run_script_with_input(home, &["send", "#lobby"], b"caf\xe9 \0au lait\r\n");
    assert!(output.status.success(), "{output:?}");
    alice.wait_for_message("caf\u{fffd} au lait");
    let (_, complaint) = run_script(home, &["send", "#lobby"], &"x".repeat(2_000_000), 1);
    assert!(complaint.contains("longer than a megabyte"), "{complaint}");
}

#[test]
fn multiline_input_is_one_message_within_limits() {
    let server = server_with_joined_client();
    let home = &server.home;
    let mut alice = observer(&server);
    let long = "long ".repeat(800);
    run_script(home, &["send", "#lobby", "--multiline"], &format!("\nDisks:\n\n{long}\n\n"), 0);
    alice.wait_for_line("a batch", |line| line.command == "BATCH" && line.param(1) == "draft/multiline");
    let mut lines = Vec::new();
    while let Some(line) = alice.next().filter(|line| line.command != "BATCH") {
        lines.push(line.text().to_owned());
    }
    assert_eq!((lines[0].as_str(), lines[1].as_str()), ("Disks:", ""));
    assert_eq!(lines[2..].concat(), long);
    assert_eq!(home.count("SELECT count(*) FROM messages WHERE text LIKE '%Disks:%'"), 1);
    run_script(home, &["send", "#lobby", "--multiline", "one line"], "", 0);
    alice.wait_for_message("one line");
    for (input, why) in
        [("x\n".repeat(101), "at most 100 lines"), ("x".repeat(16_385), "at most 16384 bytes")]
    {
        let (_, complaint) = run_script(home, &["send", "#lobby", "--multiline"], &input, 3);
        assert!(complaint.contains(why), "{complaint}");
    }
    run_script(home, &["send", "#lobby", "--multiline"], &"x\n".repeat(100), 0);
    let (_, complaint) = run_script(home, &["send", "#lobby", "--multiline"], "\n \n", 1);
    assert!(complaint.contains("nothing to send"), "{complaint}");
}

#[test]
fn json_is_the_same_for_history_and_live_messages() {
    let server = server_with_joined_client();
    let home = &server.home;
    let mut alice = observer(&server);
    let tail = start_script(home, &["tail", "#lobby", "alice", "--json"]);
    tail.wait_for_line(|line| line.contains(r#""kind":"join""#) && line.contains(r#""mine":true"#));
    alice.drain();
    let first = alice
        .request("PRIVMSG #lobby :first")
        .first()
        .and_then(|line| line.tag("msgid"))
        .expect("an id")
        .to_owned();
    alice.request(&format!("@+draft/reply={first};+note=y PRIVMSG #lobby :second"));
    alice.request(&format!("@+draft/react=👍;+draft/reply={first} TAGMSG #lobby"));
    alice.request("PRIVMSG #lobby :\u{1}ACTION waves\u{1}");
    alice.request("@+typing=active TAGMSG #lobby");
    for line in [
        "BATCH +1 draft/multiline #lobby",
        "@batch=1 NOTICE #lobby :a",
        "@batch=1 NOTICE #lobby :b",
        "BATCH -1",
    ] {
        alice.send(line);
    }
    alice.request("TOPIC #lobby :Be kind");
    alice.request("PRIVMSG dora :psst");
    alice.request(&format!("REDACT #lobby {first} :never mind"));
    tail.wait_for_line(|line| line.contains(r#""kind":"redact""#));
    let live = parse_json_lines(&tail.printed())
        .into_iter()
        .filter(|object| object["from"] == "alice")
        .collect::<Vec<_>>();
    let kinds: Vec<&str> = live.iter().filter_map(|object| object["kind"].as_str()).collect();
    assert_eq!(kinds, ["message", "message", "react", "action", "notice", "topic", "message", "redact"]);
    assert_eq!((&live[1]["refers_to"], &live[1]["tags"]["+note"]), (&first.as_str().into(), &"y".into()));
    assert_eq!((&live[2]["text"], &live[2]["refers_to"]), (&"👍".into(), &first.as_str().into()));
    assert_eq!((&live[4]["text"], &live[6]["target"]), (&"a\nb".into(), &"alice".into()));
    assert_eq!((&live[7]["text"], &live[7]["refers_to"]), (&"never mind".into(), &first.as_str().into()));
    for object in &live {
        let keys: Vec<&String> = object.as_object().expect("an object").keys().collect();
        assert_eq!(keys.len(), 12, "{object}");
        assert_eq!((&object["account"], &object["history"]), (&"alice".into(), &false.into()));
        let time = object["time"].as_str().expect("a time");
        assert!(time.len() == 24 && time.ends_with('Z'), "{time}");
        assert!(object["msgid"].is_string(), "{object}");
    }
    // The history has the same except for the conversation and the redacted message.
    let (past, _) = run_script(home, &["history", "#lobby", "--json"], "", 0);
    let past: Vec<_> = parse_json_lines(&past)
        .into_iter()
        .filter(|object| object["from"] == "alice" && object["kind"] != "join" && object["kind"] != "mode")
        .map(|mut object| {
            assert_eq!(object["history"], true);
            object["history"] = false.into();
            object
        })
        .collect();
    let expected: Vec<_> =
        live.into_iter().filter(|object| object["text"] != "first" && object["target"] == "#lobby").collect();
    assert_eq!(past, expected);
    let (talk, _) = run_script(
        home,
        &["tail", "alice", "#lobby", "--json", "--messages", "--since", "1h", "--no-follow"],
        "",
        0,
    );
    assert_eq!(json_texts(&talk), ["second", "waves", "a\nb", "psst"]);
}

#[test]
fn tail_joins_history_to_live_across_server_restart() {
    let mut server = server_with_joined_client();
    let (home, address) = (server.home.clone(), server.address.to_string());
    let mut alice = observer(&server);
    send_numbers(&mut alice, "#lobby", 1..=1100);
    let since = ["tail", "#lobby", "--json", "--messages", "--since", "1d"];
    let whole = start_script(&home, &since);
    let from_now = start_script(&home, &["tail", "#lobby", "--json"]);
    from_now.wait_for_line(|line| line.contains(r#""kind":"join""#) && line.contains(r#""mine":true"#));
    whole.wait_for_line(|line| line.contains(r#""text":"1100""#));
    let mut last = 1100;
    let mut say = |client: &mut Client, more: usize| {
        send_numbers(client, "#lobby", last + 1..=last + more);
        last += more;
        last
    };
    for _ in 0..2 {
        let said = say(&mut alice, 50);
        whole.wait_for_line(|line| line.contains(&format!(r#""text":"{said}""#)));
        from_now.wait_for_line(|line| line.contains(&format!(r#""text":"{said}""#)));
        server.kill9();
        server = home.serve_at(&address);
        alice = observer(&server);
        // More than a page, before and while they reconnect.
        let said = say(&mut alice, 1300);
        whole.wait_for_line(|line| line.contains(&format!(r#""text":"{said}""#)));
        from_now.wait_for_line(|line| line.contains(&format!(r#""text":"{said}""#)));
    }
    let numbers = |printed: &str| -> Vec<usize> {
        let said = printed.lines().filter(|line| line.contains(r#""kind":"message""#));
        json_texts(&said.collect::<Vec<_>>().join("\n"))
            .iter()
            .map(|text| text.parse().expect("a number"))
            .collect()
    };
    assert!(
        numbers(&whole.printed()) == (1..=last).collect::<Vec<_>>(),
        "something is missing, twice or out of turn"
    );
    assert!(numbers(&from_now.printed()) == (1101..=last).collect::<Vec<_>>(), "the same");
}

#[test]
fn tail_ends_with_its_reader_even_when_idle() {
    let server = server_with_joined_client();
    let line = format!("{} tail '#lobby' | head -n 1", env!("CARGO_BIN_EXE_parlour"));
    let mut shell = Command::new("sh");
    configure_for_dora(&server.home, &mut shell).args(["-c", &line]);
    let mut shell = Process::spawn(shell);
    shell.wait_for_line(|line| line.contains("you joined"));
    assert!(shell.wait().success());
    assert_eq!(shell.printed().lines().count(), 1);
}

#[test]
fn several_targets_are_merged_by_time() {
    let server = server_with_joined_client();
    let home = &server.home;
    let mut alice = observer(&server);
    alice.request("JOIN #builds");
    for round in 0..12 {
        for place in ["#lobby", "#builds", "dora"] {
            // Runs of several lengths, so that no two pages end at the same time.
            let from = round * 300
                + if place == "#lobby" {
                    1
                } else if place == "#builds" {
                    101
                } else {
                    201
                };
            send_numbers(&mut alice, place, from..=from + 99);
        }
    }
    let tail = |args: &[&str]| {
        let args =
            [&["tail", "#builds", "ALICE", "#LOBBY", "--since", "1h", "--no-follow", "--messages"], args]
                .concat();
        run_script(home, &args, "", 0).0
    };
    let expected: Vec<String> = (1..=3600).map(|n| n.to_string()).collect();
    let json = tail(&["--json"]);
    let found = json_texts(&json);
    assert!(found == expected, "{} lines, or out of turn", found.len());
    assert!(
        parse_json_lines(&json)
            .iter()
            .all(|object| object["target"] != "ALICE" && object["target"] != "#LOBBY")
    );
    let text = tail(&[]);
    assert!(text.lines().map(|line| line.rsplit(' ').next().expect("a text")).eq(expected.iter()));
}

#[test]
fn long_history_is_exported_completely_and_in_parts() {
    let server = server_with_joined_client();
    let home = &server.home;
    let mut alice = observer(&server);
    run_script(home, &["send", "#lobby", "before"], "", 0);
    send_numbers(&mut alice, "#lobby", 1..=2500);
    let numbers = |args: &[&str]| {
        let args = [&["history", "#lobby", "--json", "--messages"], args].concat();
        json_texts(&run_script(home, &args, "", 0).0)
    };
    let all: Vec<String> =
        std::iter::once("before".to_owned()).chain((1..=2500).map(|n| n.to_string())).collect();
    assert!(numbers(&[]) == all);
    assert!(numbers(&["--limit", "1500"]) == all[1001..]);
    assert!(numbers(&["--limit", "0"]).is_empty() && numbers(&["--limit", "99999"]) == all);
    assert!(numbers(&["--since", "1h", "--limit", "3"]) == all[2498..]);
    assert_eq!(numbers(&["--until", "1h"]), [""; 0]);
    // From a message's own time on, and up to it.
    let (json, _) = run_script(home, &["history", "#lobby", "--json", "--messages"], "", 0);
    let objects = parse_json_lines(&json);
    let time = |at: usize| objects[at]["time"].as_str().expect("a time").to_owned();
    let between = |object: &&serde_json::Value| {
        object["time"].as_str().is_some_and(|t| time(700).as_str() <= t && t <= time(1900).as_str())
    };
    let expected: Vec<_> =
        objects.iter().filter(between).map(|o| o["text"].as_str().expect("text").to_owned()).collect();
    assert!(numbers(&["--since", &time(700), "--until", &time(1900)]) == expected);
    let (text, _) = run_script(home, &["history", "#lobby", "--limit", "1"], "", 0);
    assert!(text.starts_with("[20") && text.ends_with("] #lobby <alice> 2500\n"), "{text}");
    // A reader that stops early.
    let mut shell = Command::new("sh");
    let line = format!("{} history '#lobby' | head -n 1", env!("CARGO_BIN_EXE_parlour"));
    let output = configure_for_dora(home, &mut shell).args(["-c", &line]).output().expect("a shell");
    assert!(
        output.status.success() && output.stderr.is_empty() && output.stdout.ends_with(b"\n"),
        "{output:?}"
    );
}

#[test]
fn search_finds_messages() {
    let server = server_with_joined_client();
    let home = &server.home;
    let mut alice = observer(&server);
    alice.send_all((1..=2200).map(|n| format!("PRIVMSG #lobby :needle {n}")));
    alice.request("JOIN #closed");
    alice.request("PRIVMSG #closed :needle that is not for dora");
    alice.request("PRIVMSG dora :Needles, in a talk");
    let found = |args: &[&str]| {
        let args = [&["search", "--json", "needle"], args].concat();
        json_texts(&run_script(home, &args, "", 0).0)
    };
    let numbered = |from: usize| (from..=2200).map(|n| format!("needle {n}")).collect::<Vec<_>>();
    assert!(found(&["--in", "#lobby"]) == numbered(2101));
    assert!(found(&["--in", "#lobby", "--limit", "2100"]) == numbered(101));
    assert!(found(&["--in", "#lobby", "--limit", "9999", "--since", "1h"]) == numbered(1));
    assert_eq!(found(&["--limit", "1"]), ["Needles, in a talk"]);
    assert_eq!(found(&["--from", "alice", "talk"]), ["Needles, in a talk"]);
    assert_eq!(found(&["--until", "1h"]), [""; 0]);
    assert_eq!(found(&["2200"]), ["needle 2200"]);
    let (text, _) = run_script(home, &["search", "needle", "2199"], "", 0);
    assert!(text.ends_with("] #lobby <alice> needle 2199\n"), "{text}");
    for args in [["search", "x", "--in", "#closed"], ["search", "x", "--from", "nobody"]] {
        let (_, complaint) = run_script(home, &args, "", 3);
        assert!(complaint.contains("refused the search"), "{complaint}");
    }
}

#[test]
fn who_and_channels_list_accounts_and_channels() {
    let server = server_with_joined_client();
    let home = &server.home;
    let mut alice = observer(&server);
    alice.request("TOPIC #lobby :Of this \u{1b}[2Jand that");
    alice.request("JOIN #builds,#closed");
    alice.request("AWAY :lunch");
    let (table, _) = run_script(home, &["who", "#builds"], "", 0);
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["NAME", "RANK", "STATE", "IDLE", "REAL", "NAME"]);
    assert!(rows.len() == 2 && rows[1][..3] == ["alice", "founder", "away"], "{table}");
    let people = parse_json_lines(&run_script(home, &["who", "--json"], "", 0).0);
    let names: Vec<&str> = people.iter().filter_map(|person| person["name"].as_str()).collect();
    assert!(names.contains(&"alice") && !names.contains(&"dora"), "scripts do not count: {names:?}");
    let order = |json: &str| -> Vec<String> {
        let keys = json.lines().next().expect("an object").split("\":").map(|part| part.rsplit('"').next());
        keys.map(|key| key.expect("a key").to_owned()).collect()
    };
    let (json, _) = run_script(home, &["who", "al*", "--json"], "", 0);
    assert_eq!(order(&json)[..7], ["name", "away", "rank", "admin", "bot", "idle", "realname"]);
    let alice_there = people.iter().find(|person| person["name"] == "alice").expect("alice");
    assert_eq!(
        (&alice_there["away"], &alice_there["rank"], &alice_there["bot"]),
        (&true.into(), &"".into(), &false.into())
    );
    let echo = people.iter().find(|person| person["name"] == "echo").expect("echo");
    assert_eq!((&echo["bot"], &echo["idle"]), (&true.into(), &serde_json::Value::Null));
    assert_eq!(parse_json_lines(&run_script(home, &["who", "al*", "--json"], "", 0).0).len(), 1);
    run_script(home, &["send", "#builds", "hello"], "", 0);
    let channels = parse_json_lines(&run_script(home, &["channels", "--json"], "", 0).0);
    let expected = serde_json::json!([
        { "name": "#builds", "online": 1, "member": true, "topic": "" },
        { "name": "#closed", "online": 1, "member": false, "topic": "" },
        { "name": "#lobby", "online": 1, "member": true, "topic": "Of this \u{1b}[2Jand that" },
    ]);
    assert_eq!(serde_json::Value::from(channels), expected);
    let (table, _) = run_script(home, &["channels", "LOB"], "", 0);
    assert!(!table.contains('\u{1b}') && !table.contains("builds"), "{table}");
    assert!(table.contains("#lobby   1       yes     Of this and that"), "{table}");
    run_script(home, &["send", "#own", "--create", "hello"], "", 0);
    assert_eq!(run_script(home, &["who", "#own"], "", 0).0, "NAME  RANK  STATE  IDLE  REAL NAME\n");
    assert_eq!(run_script(home, &["who", "#own", "--json"], "", 0).0, "");
    for (args, why) in
        [(["who", "#nowhere"], "there is no #nowhere"), (["who", "nobody"], "nobody of that name")]
    {
        let (_, complaint) = run_script(home, &args, "", 3);
        assert!(complaint.contains(why), "{complaint}");
    }
    assert_eq!(run_script(home, &["channels", "zzz", "--json"], "", 0).0, "");
}

#[test]
fn every_failure_has_its_exit_code() {
    let mut server = server_with_joined_client();
    let home = server.home.clone();
    let mut alice = observer(&server);
    alice.request("JOIN #closed");
    alice.request("MODE #closed +i");
    for (args, why) in [
        (&["send", "nobody", "hello"][..], "No such nick"),
        (&["send", "#closed", "hello"], "cannot join #closed"),
        (&["tail", "#closed"], "cannot join #closed"),
        (&["tail", "nobody"], "cannot load the history of nobody"),
        (&["history", "#closed"], "a channel's history is for its members"),
        (&["history", "nobody"], "check the name"),
    ] {
        let (printed, complaint) = run_script(&home, args, "", 3);
        assert!(complaint.contains(why) && printed.is_empty(), "{args:?}: {complaint}");
    }
    for args in [
        &["send"][..],
        &["tail"],
        &["tail", "#lobby", "--no-follow"],
        &["tail", "#lobby", "--since", "soon"],
        &["history", "#lobby", "--json", "--text"],
        &["history", "1x"],
    ] {
        run_script(&home, args, "", 2);
    }
    // Ctrl-C ends a command that runs without end, and aborts one that does not.
    let mut tail = start_script(&home, &["tail", "#lobby"]);
    tail.wait_for_line(|line| line.contains("you joined"));
    tail.signal("INT");
    assert_eq!(tail.wait().code(), Some(0));
    let mut send = start_script(&home, &["send", "#lobby"]);
    send.type_line("so far");
    alice.wait_for_message("so far");
    send.signal("INT");
    assert_eq!(send.wait().code(), Some(3), "{}", send.printed());
    remove_devices(&server, "dora");
    let (_, complaint) = run_script(&home, &["who", "--password-stdin"], "not it at all\n", 5);
    assert!(complaint.contains("refused the login"), "{complaint}");
    server.kill9();
    for args in [&["send", "#lobby", "hello"][..], &["history", "#lobby"], &["who"], &["channels"]] {
        let (_, complaint) = run_script(&home, args, "", 4);
        assert!(complaint.contains("is the server running"), "{complaint}");
    }
    let impostor = Home::with_accounts(&[]).serve_at(&server.address.to_string());
    for args in [&["send", "#lobby", "hello"][..], &["history", "#lobby"], &["who"], &["channels"]] {
        run_script(&home, args, "", 6);
    }
    drop(impostor);
    // Another machine, which has joined no server.
    let mut command = home.command(&["who"]);
    let output = command.stdin(Stdio::null()).output().expect("parlour starts");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}
