//! Accounts that scripts use without a password: `parlour login`, `parlour logout`, and sessions that others do not
//! see.

use std::fs;

use crate::support::script::{run_script, run_script_with_input, server_with_joined_client, start_script};
use crate::support::{Client, PASSWORD, Server, commands};

/// Logs dora's machine in to carol's account.
fn log_in_to_carol(server: &Server) {
    let home = &server.home;
    fs::write(home.path("secret"), format!("{PASSWORD}\nsecond line\n")).expect("written");
    let args = ["login", "127.0.0.1", "--name", "Carol", "--password-file", "secret"];
    let (printed, _) = run_script(home, &args, "", 0);
    assert_eq!(
        printed,
        "carol is logged in on this machine: --server carol@127.0.0.1 selects the account, and \
         `parlour logout carol@127.0.0.1` logs it out\n"
    );
}

fn count_devices(server: &Server, name: &str) -> i64 {
    server.home.count(&format!(
        "SELECT count(*) FROM devices d JOIN accounts a ON a.id = d.account WHERE a.name = '{name}'"
    ))
}

#[test]
fn further_account_needs_no_password_and_stays_apart() {
    let server = server_with_joined_client();
    let home = &server.home;
    let mut alice = Client::in_channel(&server, "alice", "#lobby");
    // The account is in use elsewhere.
    let _phone = Client::login(&server, "carol");
    log_in_to_carol(&server);
    assert_eq!(count_devices(&server, "carol"), 1);
    for args in [
        &["--server", "carol@127.0.0.1"][..],
        &["--name", "carol"],
        &["--server", "127.0.0.1", "--name", "CAROL"],
        &["--server", &server.address.to_string(), "--name", "carol"],
    ] {
        run_script(home, &[&["send", "#lobby", "from carol"], args].concat(), "", 0);
        assert_eq!(alice.wait_for_message("from carol").nick(), "carol", "{args:?}");
    }
    // The default stays as it was.
    run_script(home, &["send", "#lobby", "from dora"], "", 0);
    assert_eq!(alice.wait_for_message("from dora").nick(), "dora");
    let (listed, _) = run_script(home, &["servers"], "", 0);
    let starred: Vec<&str> = listed.lines().filter(|line| line.starts_with('*')).collect();
    assert!(starred.len() == 1 && starred[0].contains("dora"), "{listed}");
    assert!(listed.contains("carol@127.0.0.1  carol"), "{listed}");
    // A second login keeps the key.
    log_in_to_carol(&server);
    assert_eq!(count_devices(&server, "carol"), 1);

    let (printed, _) = run_script(home, &["logout", "carol@127.0.0.1"], "", 0);
    assert_eq!(printed, "carol is logged out of carol@127.0.0.1: the server revoked this machine's key\n");
    assert_eq!(count_devices(&server, "carol"), 0);
    let (_, complaint) = run_script(home, &["send", "#lobby", "x", "--name", "carol"], "", 1);
    assert!(complaint.contains("carol is not your account"), "{complaint}");
    let (_, complaint) = run_script(home, &["logout", "carol@127.0.0.1"], "", 1);
    assert!(
        complaint.contains("no server of that name, or of that address and port, is known"),
        "{complaint}"
    );
    assert_eq!(count_devices(&server, "dora"), 1);
}

#[test]
fn refused_login_leaves_nothing_behind() {
    let mut server = server_with_joined_client();
    let home = server.home.clone();
    home.succeed(&["user", "disable", "bob"]);
    let refused = "parlour: the server refused the login: Wrong account name or password; check the name and the \
                   password; if they are right, the account may be disabled\n";
    for (name, password) in [("carol", "not the password"), ("nobody", PASSWORD), ("bob", PASSWORD)] {
        let args = ["login", "127.0.0.1", "--name", name, "--password-stdin"];
        let (_, complaint) = run_script(&home, &args, &format!("{password}\n"), 5);
        assert_eq!(complaint, refused, "{name}");
    }
    let keys = fs::read_dir(home.path("dora/parlour/devices")).expect("a folder").count();
    assert_eq!(keys, 1, "dora's");
    let (_, complaint) =
        run_script(&home, &["login", "127.0.0.1", "--name", "carol", "--password-file", "none"], "", 1);
    assert!(complaint.starts_with("parlour: cannot read none: "), "{complaint}");
    let (_, complaint) = run_script(&home, &["login", "127.0.0.1", "--name", "carol"], "", 1);
    assert!(complaint.contains("--password-stdin"), "{complaint}");
    let (_, complaint) = run_script(&home, &["login", "elsewhere:1", "--name", "carol"], "", 1);
    assert!(
        complaint.contains("no server of that name, or of that address and port, is known"),
        "{complaint}"
    );
    run_script(&home, &["login", "127.0.0.1"], "", 2);
    let address = server.address.to_string();
    let pin = server.pin().to_string();
    server.kill9();
    for args in [
        &["login", &address, "--name", "carol", "--pin", &pin, "--password-stdin"][..],
        &["logout", "127.0.0.1"],
    ] {
        run_script(&home, args, &format!("{PASSWORD}\n"), 4);
    }
    assert!(run_script(&home, &["servers"], "", 0).0.contains("dora"), "nothing was done");
    // With the pin no invite is needed.
    let server = home.serve_at(&address);
    let output = run_script_with_input(
        &home,
        &["login", &address, "--name", "carol", "--pin", &pin, "--password-stdin"],
        format!("{PASSWORD}\n").as_bytes(),
    );
    assert!(output.status.success(), "{output:?}");
    assert_eq!(count_devices(&server, "carol"), 1);
}

#[test]
fn script_sessions_do_not_show() {
    let server = server_with_joined_client();
    let home = &server.home;
    let mut alice = Client::login_with(&server, "alice", "message-tags away-notify extended-monitor");
    alice.request("JOIN #lobby");
    alice.request("MONITOR + dora");
    let mut tail = start_script(home, &["tail", "#lobby", "--json"]);
    tail.wait_for_line(|line| line.contains(r#""kind":"join""#));
    run_script(home, &["send", "#lobby", "from a script"], "", 0);
    alice.wait_for_message("from a script");
    tail.wait_for_line(|line| line.contains("from a script"));
    for query in ["WHOIS dora", "WHO dora", "NAMES #lobby", "ISON dora", "MONITOR S"] {
        let answer = alice.request(query);
        assert!(
            !answer.iter().any(|line| ["311", "352", "730"].contains(&line.command.as_str())
                || (["353", "303"].contains(&line.command.as_str()) && line.text().contains("dora"))),
            "{query}: {answer:?}"
        );
    }
    // Messages reach the script all the same.
    alice.request("PRIVMSG #lobby :to all");
    tail.wait_for_line(|line| line.contains("to all"));
    tail.signal("INT");
    tail.wait();
    assert_eq!(alice.drain(), [], "it came and went unseen");
    // A script beside a person's session changes nothing of it.
    let mut laptop = Client::login(&server, "dora");
    assert!(
        laptop.welcome.iter().any(|line| line.text() == "to all"),
        "a script is no reader: {:?}",
        laptop.welcome
    );
    alice.wait_for_command("JOIN #lobby");
    alice.wait_for_command("730");
    alice.drain();
    laptop.request("AWAY :lunch");
    assert_eq!(commands(&alice.drain()), ["AWAY"]);
    run_script(home, &["send", "#lobby", "again"], "", 0);
    run_script(home, &["history", "#lobby"], "", 0);
    alice.wait_for_message("again");
    assert_eq!(alice.drain(), []);
    let whois = alice.request("WHOIS dora");
    assert!(whois.iter().any(|line| line.command == "301" && line.text() == "lunch"), "{whois:?}");
    assert!(
        whois.iter().any(|line| line.command == "311" && line.text() != "dora"),
        "the real name stays: {whois:?}"
    );
}

#[test]
fn send_makes_a_channel_only_when_told() {
    let server = server_with_joined_client();
    let home = &server.home;
    let mut alice = Client::login(&server, "alice");
    let expected = "parlour: there is no channel #typo that this account may see; `parlour channels` lists those there are, \
                    and --create makes a new one\n";
    for args in
        [&["send", "#typo", "hi"][..], &["send", "#typo", "--multiline", "hi"], &["send", "#TYPO", "hi"]]
    {
        let (_, complaint) = run_script(home, args, "", 3);
        assert_eq!(complaint.to_lowercase(), expected.to_lowercase(), "{args:?}");
    }
    assert_eq!(home.count("SELECT count(*) FROM channels WHERE name LIKE '#typo'"), 0);
    run_script(home, &["send", "#builds", "--create", "hi"], "", 0);
    run_script(home, &["send", "#builds", "there"], "", 0);
    assert_eq!(home.count("SELECT count(*) FROM messages WHERE text IN ('hi', 'there')"), 2);
    // A secret channel is one that does not exist.
    alice.request("JOIN #secret");
    alice.request("MODE #secret +s");
    let (_, complaint) = run_script(home, &["send", "#secret", "hi"], "", 3);
    assert!(complaint.contains("no channel #secret that this account may see"), "{complaint}");
}
