//! Accounts changed while the server runs: changes take effect at once.

use crate::support::{Client, PASSWORD, Server, assert_success, log_in_and_join, server};

fn login_result(server: &Server, name: &str, password: &str) -> String {
    let mut client = Client::connect(server);
    client.send("CAP REQ :sasl");
    client.send_nick_and_user(name);
    client.authenticate(name, password).command
}

#[test]
fn new_account_can_log_in_at_once() {
    let server = server();
    assert_eq!(login_result(&server, "dora", "a-new-person's-words"), "904");
    assert_success(
        &server.home.run_with_input(&["user", "add", "dora", "--password-stdin"], "a-new-person's-words\n"),
    );
    assert_eq!(login_result(&server, "dora", "a-new-person's-words"), "903");
    // Messages reach the new account.
    let mut alice = Client::login(&server, "alice");
    assert!(alice.request("PRIVMSG dora :welcome").iter().all(|l| l.command != "401"));
    assert!(server.home.succeed(&["user", "list"]).contains("dora"));
}

#[test]
fn disabling_ends_sessions_and_enabling_allows_login() {
    let server = server();
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    server.home.succeed(&["user", "disable", "bob"]);
    let lines = bob.read_until_closed();
    assert!(lines.last().is_some_and(|l| l.command == "ERROR" && l.text().contains("disabled")), "{lines:?}");
    assert_eq!(alice.wait_for_command("QUIT").nick(), "bob");
    assert_eq!(login_result(&server, "bob", PASSWORD), "904");
    server.home.succeed(&["user", "enable", "bob"]);
    Client::login(&server, "bob").barrier();
}

#[test]
fn password_change_ends_old_sessions() {
    let server = server();
    let mut bob = Client::login(&server, "bob");
    assert_success(
        &server
            .home
            .run_with_input(&["user", "passwd", "bob", "--password-stdin"], "quite-another-password\n"),
    );
    assert!(bob.read_until_closed().last().is_some_and(|l| l.command == "ERROR"));
    assert_eq!(login_result(&server, "bob", PASSWORD), "904");
    assert_eq!(login_result(&server, "bob", "quite-another-password"), "903");
}

#[test]
fn removing_an_account_ends_its_sessions() {
    let server = server();
    let mut bob = Client::in_channel(&server, "bob", "#room");
    server.home.succeed(&["user", "remove", "--yes", "bob"]);
    assert!(bob.read_until_closed().last().is_some_and(|l| l.command == "ERROR"));
    assert_eq!(login_result(&server, "bob", PASSWORD), "904");
    let mut alice = Client::login(&server, "alice");
    assert!(alice.request("PRIVMSG bob :hello")[0].starts_with("401 alice bob"));
    assert!(!server.home.succeed(&["user", "list"]).contains("bob"));
}

#[test]
fn invalid_names_are_refused() {
    let server = server();
    for name in ["echo", "Echo", "1st", "two words", "#room", "é", &"x".repeat(25)] {
        let output = server
            .home
            .run_with_input(&["user", "add", "--password-stdin", "--", name], "long-enough-words\n");
        assert!(matches!(output.status.code(), Some(1 | 2)), "{name}: {output:?}");
        assert!(!output.stderr.is_empty());
    }
    let output =
        server.home.run_with_input(&["user", "add", "ALICE", "--password-stdin"], "long-enough-words\n");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("taken"), "{output:?}");
}
