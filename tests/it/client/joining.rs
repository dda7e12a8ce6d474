//! `parlour join` with links that are whole, damaged, foreign, used up, or lead to an impostor.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;
use std::thread;

use crate::support::{Home, Impostor, PASSWORD, Server, server};

/// Joins on a machine of `user`'s own.
fn run_join(home: &Home, user: &str, link: &str) -> Output {
    let args = ["join", link, "--name", user, "--password-stdin"];
    home.run_as(user, &args, &format!("{PASSWORD}\n"))
}

/// Joins, which must fail and leave no trace. Returns the error.
#[track_caller]
fn assert_join_refused(home: &Home, user: &str, link: &str) -> String {
    let output = run_join(home, user, link);
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{complaint}");
    assert!(!home.path(user).join("parlour/servers.toml").exists());
    complaint
}

fn count_accounts(server: &Server) -> i64 {
    server.home.count("SELECT count(*) FROM accounts")
}

fn count_spent_uses(server: &Server) -> i64 {
    server.home.count("SELECT sum(spent) FROM invites")
}

/// Returns the link with the impostor's address before its own.
fn link_with_impostor_first(link: &str, impostor: &Impostor) -> String {
    link.replacen("parlour://", &format!("parlour://{},", impostor.address), 1)
}

/// Returns the link with another address.
fn link_with_address(link: &str, server: &Server, address: SocketAddr) -> String {
    link.replacen(&server.address.to_string(), &address.to_string(), 1)
}

#[test]
fn impostor_at_one_address_does_not_block_the_other() {
    let (server, impostor) = (server(), Impostor::start());
    let link = link_with_impostor_first(&server.home.invite(&[]), &impostor);
    let output = run_join(&server.home, "dora", &link);
    assert!(output.status.success(), "{output:?}");
    impostor.assert_received_nothing();
    let listed = server.home.succeed(&["user", "list"]);
    assert!(listed.contains("dora"), "{listed}");
    // Later connections, where the device authenticates, work too.
    let mut command = server.home.command(&["send", "echo", "hello"]);
    let output = command.env("XDG_CONFIG_HOME", server.home.path("dora")).output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    impostor.assert_received_nothing();
}

#[test]
fn token_is_never_sent_to_an_impostor() {
    let (server, impostor) = (server(), Impostor::start());
    let link = server.home.invite(&[]);
    let complaint =
        assert_join_refused(&server.home, "dora", &link_with_address(&link, &server, impostor.address));
    assert!(complaint.contains("this is not the server that was expected"), "{complaint}");
    assert!(complaint.contains("nothing was sent to it"), "{complaint}");
    let (_, token) = link.split_once("token=").expect("a token");
    assert!(!complaint.contains(token) && !complaint.contains(PASSWORD), "{complaint}");
    impostor.assert_received_nothing();
    impostor.assert_no_connection();
    // The invite is still unused.
    assert_eq!(count_spent_uses(&server), 0);
    assert!(run_join(&server.home, "dora", &link).status.success());
}

#[test]
fn truncated_link_is_refused() {
    let server = server();
    let link = server.home.invite(&[]);
    let before = count_accounts(&server);
    let pin = link.find("pin=").expect("a pin");
    let token = link.find("token=").expect("a token");
    for end in [9, 14, pin, pin + 20, token - 1, token, token + 6, link.len() - 2, link.len() - 1] {
        let complaint = assert_join_refused(&server.home, "dora", &link[..end]);
        assert!(complaint.contains("invite"), "{}: {complaint}", &link[..end]);
    }
    assert_eq!((count_accounts(&server), count_spent_uses(&server)), (before, 0));
}

#[test]
fn altered_and_foreign_links_are_refused() {
    let (server, other) = (server(), server());
    let (link, foreign) = (server.home.invite(&[]), other.home.invite(&[]));
    let before = (count_accounts(&server), count_accounts(&other));
    let swap = |text: &str, at: usize| {
        let letter = if text[at..].starts_with('x') { "y" } else { "x" };
        format!("{}{letter}{}", &text[..at], &text[at + 1..])
    };
    let pin = link.find("pin=").expect("a pin") + 4;
    let token = link.find("token=").expect("a token") + 6;
    for at in [pin, pin + 21] {
        let complaint = assert_join_refused(&server.home, "dora", &swap(&link, at));
        assert!(complaint.contains("this is not the server that was expected"), "{complaint}");
    }
    for at in [token, token + 10] {
        let complaint = assert_join_refused(&server.home, "dora", &swap(&link, at));
        assert!(complaint.contains("this invite is not known here; ask for a new invite"), "{complaint}");
    }
    // Another server's token at this one, and this one's address with another's pin.
    let tail = |link: &str, name: &str| link[link.find(name).expect(name)..].to_owned();
    let complaint = assert_join_refused(
        &server.home,
        "dora",
        &(link[..token - 6].to_owned() + &tail(&foreign, "token=")),
    );
    assert!(complaint.contains("this invite is not known here"), "{complaint}");
    let complaint =
        assert_join_refused(&server.home, "dora", &link_with_address(&foreign, &other, server.address));
    assert!(complaint.contains("this is not the server that was expected"), "{complaint}");
    assert_eq!((count_accounts(&server), count_accounts(&other)), before);
    assert_eq!((count_spent_uses(&server), count_spent_uses(&other)), (0, 0));
}

#[test]
fn invalid_invite_is_explained() {
    let server = server();
    let home = server.home.clone();
    let home = &home;
    let (used, revoked, expired) = (home.invite(&[]), home.invite(&[]), home.invite(&[]));
    assert!(run_join(home, "dora", &used).status.success());
    home.succeed(&["invite", "revoke", "2"]);
    let _server = server.with_changed_row("UPDATE invites SET expires = created, sum = NULL WHERE id = 3");
    for (link, word) in [(used, "was used already"), (revoked, "was revoked"), (expired, "has expired")] {
        let complaint = assert_join_refused(home, "eve", &link);
        let expected =
            format!("parlour: the invite was not accepted: this invite {word}; ask for a new invite\n");
        assert_eq!(complaint, expected);
    }
}

#[test]
fn concurrent_joins_with_one_link_succeed_once() {
    let server = server();
    let link = server.home.invite(&[]);
    let (home, link) = (&server.home, &link);
    let outputs = thread::scope(|scope| {
        let both = ["dora", "eve"].map(|user| scope.spawn(move || run_join(home, user, link)));
        both.map(|joining| joining.join().expect("an output"))
    });
    assert_eq!(outputs.iter().filter(|output| output.status.success()).count(), 1, "{outputs:?}");
    let lost = outputs.iter().find(|output| !output.status.success()).expect("one lost");
    let complaint = String::from_utf8_lossy(&lost.stderr);
    assert!(complaint.contains("this invite was used already"), "{complaint}");
    assert_eq!(server.home.count("SELECT count(*) FROM accounts WHERE name IN ('dora', 'eve')"), 1);
}

#[test]
fn errors_never_quote_the_token() {
    let home = Home::new(&[]);
    let token = "S3cretS3cretS3cretS3cg";
    let link = format!("parlour://127.0.0.1:1/?pin={}&token={token}", "B".repeat(42) + "A");
    let bad = link.replace("pin=B", "pin=?");
    // With a known server, so that a named one is looked up.
    let known = home.path("config/parlour/servers.toml");
    fs::create_dir_all(known.parent().expect("a folder")).expect("made");
    let text = "version = 2\n[[server]]\nname = \"a\"\naddresses = [\"127.0.0.1:1\"]\naccount = \"a\"\n";
    fs::write(&known, format!("{text}pin = \"{}A\"\n", "B".repeat(42))).expect("written");
    fs::set_permissions(&known, fs::Permissions::from_mode(0o600)).expect("set");
    for args in [
        &["join", &bad][..],
        &["join", &link[..link.len() - 1]],
        &["join", "again", &link],
        &["invite", &link],
        &["chat", &link],
        &["send", "#lobby", "x", "--server", &link],
        &["echo", &link, "--pin", &link, "--name", "a"],
        &["echo", &link, "--pin", &("B".repeat(42) + "A"), "--name", "a"],
        &["tail", "#lobby", "--server", &link],
        &["doctor", &link],
    ] {
        let output = home.run(args);
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(!output.status.success(), "{args:?}: {said}");
        assert!(!said.is_empty() && !said.contains(&token[..10]), "{args:?}: {said}");
    }
    let output = home.run(&["chat", &link]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("opened with `parlour join LINK`"), "{said}");
}

#[test]
fn link_can_be_read_from_stdin() {
    let server = server();
    let link = server.home.invite(&[]);
    let args = ["join", "--name", "dora", "--password-stdin"];
    let cut = server.home.run_with_input(&args, &format!("{}\n{PASSWORD}\n", &link[..link.len() - 1]));
    let said = String::from_utf8_lossy(&cut.stderr).into_owned();
    assert!(
        said.contains("the invite link's token is damaged") && !said.contains(&link[link.len() - 9..]),
        "{said}"
    );
    let output = server.home.run_with_input(&args, &format!("{link}\n{PASSWORD}\n"));
    assert!(output.status.success(), "{output:?}");
    assert!(server.home.succeed(&["user", "list"]).contains("dora"));
}
