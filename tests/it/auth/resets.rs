//! Invites that reset the password and the devices of an account.

use std::fs;
use std::path::PathBuf;

use crate::support::invite::{connect_as_guest, link_token, redeem, register_account};
use crate::support::{
    ALL_CAPABILITIES, Client, Home, PASSWORD, Server, request_one_line, server, server_with_admin,
};

const NEW_PASSWORD: &str = "another-lantern-here";

#[track_caller]
fn join_on_machine(home: &Home, machine: &str, link: &str, password: &str) -> String {
    let output = home.run_as(machine, &["join", link, "--password-stdin"], &format!("{password}\n"));
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

fn can_send(home: &Home, machine: &str) -> bool {
    home.run_as(machine, &["send", "echo", "hello"], "").status.success()
}

fn device_key_file(home: &Home, machine: &str) -> PathBuf {
    let folder = fs::read_dir(home.path(machine).join("parlour/devices")).expect("a folder");
    let files: Vec<PathBuf> = folder.map(|entry| entry.expect("an entry").path()).collect();
    let [file] = &files[..] else { panic!("{files:?}") };
    file.clone()
}

#[test]
fn reset_ends_sessions_and_devices_and_keeps_the_account() {
    let server = server();
    let home = &server.home;
    // Dora has an account with a device on a laptop, is in a channel, and has another session by password.
    let link = home.invite(&[]);
    let joined = home.run_as(
        "laptop",
        &["join", &link, "--name", "dora", "--password-stdin"],
        &format!("{PASSWORD}\n"),
    );
    assert!(joined.status.success() && can_send(home, "laptop"), "{joined:?}");
    let mut session = Client::in_channel(&server, "dora", "#hers");

    let created = home.run(&["invite", "create", "--for", "Dora"]);
    let said = String::from_utf8_lossy(&created.stderr).into_owned();
    assert!(said.contains("lets Dora choose a new password, once until"), "{said}");
    let link = String::from_utf8(created.stdout).expect("text").trim().to_owned();
    assert!(link.contains("&for=Dora&token="), "{link}");
    assert!(can_send(home, "laptop"), "nothing has happened yet");
    let list = home.succeed(&["invite", "list"]);
    let row: Vec<&str> = list.lines().last().expect("a row").split_whitespace().take(6).collect();
    assert_eq!(row, ["2", "open", "0/1", "-", "-", "dora"]);

    let said = join_on_machine(home, "phone", &link, NEW_PASSWORD);
    assert!(said.starts_with("dora has a new password on 127.0.0.1 now"), "{said}");
    let lines = session.read_until_closed();
    assert!(lines.last().is_some_and(|line| line.command == "ERROR"), "{lines:?}");
    assert!(!can_send(home, "laptop") && can_send(home, "phone"));
    assert_eq!(
        (
            Client::try_login(&server, "dora", PASSWORD).as_str(),
            Client::try_login(&server, "dora", NEW_PASSWORD).as_str()
        ),
        ("904", "903")
    );
    // It is the same account, in its channel.
    let mut again = Client::connect(&server);
    again.begin_login("dora", ALL_CAPABILITIES);
    assert_eq!(again.authenticate("dora", NEW_PASSWORD).command, "903");
    let again = again.finish_login();
    assert!(again.welcome.iter().any(|line| line.starts_with("JOIN #hers")), "{:?}", again.welcome);
    assert_eq!(home.count("SELECT count(*) FROM accounts WHERE name = 'dora'"), 1);
    let audit = |action: &str| home.count(&format!("SELECT count(*) FROM audit WHERE action = '{action}'"));
    assert_eq!((audit("invite create"), audit("invite redeem")), (2, 2));
    let noted = "SELECT count(*) FROM audit
                 WHERE detail = 'invite 2, password and devices reset' AND target = 'dora'";
    assert_eq!(home.count(noted), 1);

    // The link works once.
    let output = home.run_as("thief", &["join", &link, "--password-stdin"], &format!("{PASSWORD}\n"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("this invite was used already"), "{output:?}");
    assert!(can_send(home, "phone"));
    let token = link.split_once("token=").expect("a token").1;
    for secret in [token, PASSWORD, NEW_PASSWORD] {
        assert!(!server.log().contains(secret));
    }
}

#[test]
fn reset_replaces_the_device_key_only_on_success() {
    let server = server();
    let home = &server.home;
    let link = home.invite(&[]);
    let args = ["join", &link, "--name", "dora", "--password-stdin"];
    assert!(home.run_as("laptop", &args, &format!("{PASSWORD}\n")).status.success());
    let old = fs::read_to_string(device_key_file(home, "laptop")).expect("a key");
    let link = home.invite(&["--for", "dora"]);
    let weak = home.run_as("laptop", &["join", &link, "--password-stdin"], "short\n");
    assert!(!weak.status.success() && can_send(home, "laptop"), "{weak:?}");
    assert_eq!(fs::read_to_string(device_key_file(home, "laptop")).expect("a key"), old);
    join_on_machine(home, "laptop", &link, NEW_PASSWORD);
    assert!(can_send(home, "laptop"));
    assert_ne!(fs::read_to_string(device_key_file(home, "laptop")).expect("a key"), old);
    assert_eq!(home.count("SELECT count(*) FROM devices"), 1);
}

#[test]
fn reset_works_for_its_account_only() {
    let server = server();
    let home = &server.home;
    let link = home.invite(&["--for", "alice"]);
    let output =
        home.run_as("m", &["join", &link, "--name", "bob", "--password-stdin"], &format!("{NEW_PASSWORD}\n"));
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(complaint.contains("this invite is for the account alice"), "{complaint}");
    for name in ["bob", "dora"] {
        let mut client = connect_as_guest(&server, Some(link_token(&link)), name);
        let answer = register_account(&mut client, "*", NEW_PASSWORD).to_string();
        assert!(answer.starts_with("FAIL REGISTER TOKEN_OF_ANOTHER "), "{answer}");
    }
    // Changing the name in the link does not change its account.
    let output = home.run_as(
        "m",
        &["join", &link.replace("=alice", "=bob"), "--password-stdin"],
        &format!("{NEW_PASSWORD}\n"),
    );
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(complaint.contains("for the account alice and for no other"), "{complaint}");
    for name in ["alice", "bob"] {
        assert_eq!(Client::try_login(&server, name, PASSWORD), "903", "{name}");
    }
    // Any client may redeem it, in any case of the name.
    let mut client = connect_as_guest(&server, Some(link_token(&link)), "ALICE");
    assert!(
        register_account(&mut client, "*", "short").to_string().starts_with("FAIL REGISTER WEAK_PASSWORD")
    );
    assert!(
        register_account(&mut client, "*", NEW_PASSWORD).to_string().starts_with("REGISTER SUCCESS alice")
    );
    client.send("CAP END");
    assert_eq!(client.wait_for_command("001").param(0), "alice");
    client.barrier();
    assert_eq!(
        (
            Client::try_login(&server, "alice", PASSWORD).as_str(),
            Client::try_login(&server, "alice", NEW_PASSWORD).as_str()
        ),
        ("904", "903")
    );
}

#[test]
fn disabled_account_cannot_be_reset() {
    let server = server();
    let home = server.home.clone();
    let home = &home;
    let create = |name: &str| home.fail(&["invite", "create", "--for", name]);
    assert!(
        create("nobody").contains("there is no account nobody; `parlour user list`"),
        "{}",
        create("nobody")
    );
    assert!(create("echo").contains("there is no account echo"));
    let link = home.invite(&["--for", "alice"]);
    home.succeed(&["user", "disable", "alice"]);
    let said = create("alice");
    assert!(said.contains("the account alice is disabled; `parlour user enable NAME`"), "{said}");
    let refused = |link: &str| redeem(&server, link, "alice", NEW_PASSWORD);
    let said = refused(&link);
    assert!(said.starts_with("FAIL REGISTER TOKEN_USELESS") && said.contains("disabled"), "{said}");
    home.succeed(&["user", "enable", "alice"]);
    assert_eq!(Client::try_login(&server, "alice", PASSWORD), "903", "nothing was changed");
    home.succeed(&["user", "remove", "--yes", "alice"]);
    assert!(create("alice").contains("was removed"), "{}", create("alice"));
    let said = refused(&link);
    assert!(said.starts_with("FAIL REGISTER TOKEN_REVOKED"), "{said}");
    // Restoring the account does not restore old links.
    let again = ["user", "add", "alice", "--again", "--password-stdin"];
    assert!(home.run_with_input(&again, &format!("{PASSWORD}\n")).status.success());
    assert!(refused(&link).starts_with("FAIL REGISTER TOKEN_REVOKED"));

    let (revoked, expired) = (home.invite(&["--for", "bob"]), home.invite(&["--for", "bob"]));
    home.succeed(&["invite", "revoke", "2"]);
    let server = server.with_changed_row("UPDATE invites SET expires = created, sum = NULL WHERE id = 3");
    for (link, code) in [(revoked, "TOKEN_REVOKED"), (expired, "TOKEN_EXPIRED")] {
        let said = redeem(&server, &link, "bob", NEW_PASSWORD);
        assert!(said.starts_with(&format!("FAIL REGISTER {code}")), "{said}");
    }
    assert_eq!(Client::try_login(&server, "bob", PASSWORD), "903");
    for option in [["--uses", "2"], ["--role", "admin"], ["--channel", "#x"]] {
        let output = home.run(&[&["invite", "create", "--for", "bob"], &option[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{option:?}");
    }
}

#[test]
fn concurrent_resets_succeed_once() {
    let server = server();
    let link = server.home.invite(&["--for", "alice"]);
    let mut guests: Vec<Client> =
        (0..4).map(|_| connect_as_guest(&server, Some(link_token(&link)), "alice")).collect();
    for (n, guest) in guests.iter_mut().enumerate() {
        guest.send(&format!("REGISTER * * {NEW_PASSWORD}-{n}"));
    }
    let results: Vec<bool> = guests
        .iter_mut()
        .map(|g| g.wait_for_line("a result", |l| l.starts_with("REGISTER") || l.starts_with("FAIL REGISTER")))
        .map(|line| line.starts_with("REGISTER SUCCESS"))
        .collect();
    assert_eq!(results.iter().filter(|&&won| won).count(), 1, "{results:?}");
    for (n, won) in results.into_iter().enumerate() {
        let expected = if won { "903" } else { "904" };
        assert_eq!(Client::try_login(&server, "alice", &format!("{NEW_PASSWORD}-{n}")), expected, "{n}");
    }
}

#[test]
fn reset_keeps_the_admin_role() {
    let server = server_with_admin(&[]);
    let link = server.home.invite(&["--for", "root"]);
    let mut client = connect_as_guest(&server, Some(link_token(&link)), "root");
    assert!(
        register_account(&mut client, "*", NEW_PASSWORD).to_string().starts_with("REGISTER SUCCESS root")
    );
    client.send("CAP END");
    client.wait_for_command("001");
    client.drain();
    assert!(request_one_line(&mut client, "REHASH").starts_with("382 root"));
}

/// Connects the owner, about to redeem a link for alice, and an intruder with alice's password.
#[track_caller]
fn two_logged_in_clients(server: &Server, password: &str) -> (Client, Client) {
    let owner = connect_as_guest(server, Some(link_token(&server.home.invite(&["--for", "alice"]))), "alice");
    let mut intruder = Client::connect(server);
    intruder.begin_login("alice", ALL_CAPABILITIES);
    assert_eq!(intruder.authenticate("alice", password).command, "903");
    (owner, intruder.finish_login())
}

/// The intruder has a session, and adds devices as fast as possible during the reset.
#[test]
fn device_added_during_a_reset_is_revoked() {
    let server = server();
    let home = &server.home;
    let mut password = PASSWORD.to_owned();
    for round in 0..8 {
        let (mut owner, mut intruder) = two_logged_in_clients(&server, &password);
        let many: Vec<String> = (0..30).map(|n| format!("CERT ADD {round:032x}{n:032x}\r\n")).collect();
        intruder.send_bytes(many.concat().as_bytes()).expect("the server reads");
        password = format!("{NEW_PASSWORD}-{round}");
        let said = register_account(&mut owner, "alice", &password);
        assert!(said.starts_with("REGISTER SUCCESS"), "{said}");
        intruder.read_until_closed();
        owner.send("CAP END");
        let mut owner = owner.finish_login();
        owner.barrier();
        assert_eq!(home.count("SELECT count(*) FROM devices"), 0, "round {round}");
        assert!(request_one_line(&mut owner, &format!("CERT ADD {round:064x}")).contains("CERT_ADDED"));
    }
}

/// The same for links that the intruder makes with an admin's account, or by OPER with the admin's password.
#[test]
fn invite_created_during_a_reset_is_revoked() {
    let server = server_with_admin(&[]);
    let home = &server.home;
    let mut bob = Client::login(&server, "bob");
    let mut password = PASSWORD.to_owned();
    for round in 0..4 {
        assert!(bob.request(&format!("OPER root {password}"))[0].starts_with("381"));
        // At least this one comes before the reset, and ends with it.
        bob.request("INVITES CREATE admin");
        let link = home.invite(&["--for", "root"]);
        let mut owner = connect_as_guest(&server, Some(link_token(&link)), "root");
        let mut intruder = Client::connect(&server);
        intruder.begin_login("root", ALL_CAPABILITIES);
        assert_eq!(intruder.authenticate("root", &password).command, "903");
        let mut intruder = intruder.finish_login();
        intruder.send_bytes("INVITES CREATE admin\r\n".repeat(30).as_bytes()).expect("the server reads");
        bob.send_bytes("INVITES CREATE admin\r\n".repeat(10).as_bytes()).expect("the server reads");
        password = format!("{NEW_PASSWORD}-{round}");
        let said = register_account(&mut owner, "root", &password);
        assert!(said.starts_with("REGISTER SUCCESS"), "{said}");
        intruder.read_until_closed();
        bob.barrier();
        owner.send("CAP END");
        let mut owner = owner.finish_login();
        owner.barrier();
        let open = "SELECT count(*) FROM invites WHERE revoked IS NULL AND spent < uses";
        assert_eq!(home.count(open), 0, "round {round}");
    }
    bob.drain();
    assert!(request_one_line(&mut bob, "INVITES LIST").starts_with("481"), "no admin any more");
    let lent =
        "SELECT count(*) FROM invites JOIN accounts a ON a.id = power JOIN accounts b ON b.id = created_by
                WHERE a.name = 'root' AND b.name = 'bob'";
    assert!(home.count(lent) > 0);
}

/// The same for a password change that is on its way during the reset.
#[test]
fn password_change_during_a_reset_does_not_override_it() {
    let server = server();
    let mut password = PASSWORD.to_owned();
    for round in 0..8 {
        let (mut owner, mut intruder) = two_logged_in_clients(&server, &password);
        // Back and forth, so that one is on its way all the time.
        let other = "of-the-intruder";
        let many = format!("PASSWD {password} {other}\r\nPASSWD {other} {password}\r\n").repeat(20);
        intruder.send_bytes(many.as_bytes()).expect("the server reads");
        password = format!("{NEW_PASSWORD}-{round}");
        let said = register_account(&mut owner, "alice", &password);
        intruder.read_until_closed();
        assert!(said.starts_with("REGISTER SUCCESS"), "{said}");
        assert_eq!(Client::try_login(&server, "alice", &password), "903", "round {round}");
    }
}
