//! Invites: a token given as PASS makes an account by REGISTER.
//!
//! <https://ircv3.net/specs/extensions/account-registration>

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::invite::{connect_as_guest, decode_qr, link_token, register_account};
use crate::support::{Client, Home, PASSWORD, server};

#[test]
fn invite_creates_an_account_that_joins_the_lobby() {
    let server = server();
    let link = server.home.invite(&[]);
    assert!(link.starts_with("parlour://") && link.contains(&format!("pin={}", server.pin())), "{link}");
    assert!(link.contains(&format!(":{}", server.address.port())), "the port that it listens on: {link}");
    let mut alice = Client::in_channel(&server, "alice", "#lobby");

    let mut dora = connect_as_guest(&server, Some(link_token(&link)), "dora");
    assert!(register_account(&mut dora, "*", "a-new-person's-words").starts_with("REGISTER SUCCESS dora"));
    // The new account is logged in as after SASL.
    assert_eq!(dora.wait_for_command("900").param(2), "dora");
    dora.send("CAP END");
    assert_eq!(dora.wait_for_command("001").param(0), "dora");
    dora.wait_for_command("JOIN #lobby");
    dora.barrier();
    assert_eq!(alice.wait_for_command("JOIN #lobby").nick(), "dora");
    dora.deliver_message(&mut alice, "#lobby", "hello everybody");
    // It can log in again with its password.
    dora.send("QUIT");
    dora.read_until_closed();
    let mut again = Client::connect(&server);
    again.send("CAP REQ :sasl");
    again.send_nick_and_user("dora");
    assert_eq!(again.authenticate("dora", "a-new-person's-words").command, "903");
}

#[test]
fn registration_with_a_token_may_be_pipelined() {
    let server = server();
    let link = server.home.invite(&[]);
    let mut dora = Client::connect(&server);
    let all = format!(
        "CAP LS 302\r\nPASS {}\r\nNICK dora\r\nUSER dora 0 * :Dora\r\nCAP REQ :draft/account-registration\r\n\
         REGISTER dora * :words with spaces in them\r\nCAP END\r\nPRIVMSG #lobby :here\r\n",
        link_token(&link)
    );
    dora.send_bytes(all.as_bytes()).expect("the server reads");
    dora.wait_for_command("REGISTER SUCCESS dora");
    dora.wait_for_command("001");
    dora.wait_for_command("JOIN #lobby");
    dora.barrier();
    let said = server.home.count("SELECT count(*) FROM messages");
    assert_eq!(said, 1);
}

#[test]
fn missing_or_wrong_token_creates_nothing() {
    let server = server();
    let link = server.home.invite(&[]);
    let right = link_token(&link).to_owned();
    let first = if right.starts_with('A') { "B" } else { "A" };
    let altered = format!("{first}{}", &right[1..]);
    for given in [None, Some(altered.as_str()), Some("short")] {
        let mut dora = connect_as_guest(&server, given, "dora");
        let answer = register_account(&mut dora, "*", "a-new-person's-words");
        assert!(answer.starts_with("FAIL REGISTER"), "{given:?}: {answer}");
        assert!(answer.text().contains("invite"), "it says what is wrong: {given:?}: {answer}");
        assert!(!answer.to_string().contains(&right[1..]), "the token is a secret: {answer}");
    }
    assert!(!server.home.succeed(&["user", "list"]).contains("dora"));
    assert!(!server.log().contains(&right[1..]), "no token in the log");
    // The failed attempts do not spend the invite.
    let mut dora = connect_as_guest(&server, Some(&right), "dora");
    assert!(register_account(&mut dora, "*", "a-new-person's-words").starts_with("REGISTER SUCCESS"));
}

#[test]
fn spent_expired_and_revoked_tokens_are_distinguished() {
    let server = server();
    let home = server.home.clone();
    let (spent, expired, revoked) = (home.invite(&[]), home.invite(&["--expires", "1h"]), home.invite(&[]));
    let mut dora = connect_as_guest(&server, Some(link_token(&spent)), "dora");
    assert!(register_account(&mut dora, "*", "a-new-person's-words").starts_with("REGISTER SUCCESS"));

    let list = home.succeed(&["invite", "list"]);
    for link in [&spent, &expired, &revoked] {
        assert!(!list.contains(link_token(link)), "tokens are stored hashed: {list}");
    }
    // Let the invite expire.
    let server = server.with_changed_row(
        "UPDATE invites SET expires = created - 1, sum = NULL
         WHERE id = (SELECT id FROM invites ORDER BY expires LIMIT 1)",
    );
    let database = home.database();
    let id: i64 = database.query_row("SELECT max(id) FROM invites", [], |r| r.get(0)).expect("an id");
    home.succeed(&["invite", "revoke", &id.to_string()]);

    for (link, word) in [(&spent, "used"), (&expired, "expired"), (&revoked, "revoked")] {
        let mut eve = connect_as_guest(&server, Some(link_token(link)), "eve");
        let answer = register_account(&mut eve, "*", "a-new-person's-words");
        assert!(answer.starts_with("FAIL REGISTER") && answer.text().contains(word), "{word}: {answer}");
    }
    assert!(!home.succeed(&["user", "list"]).contains("eve"));
}

#[test]
fn invite_with_two_uses_works_twice() {
    let server = server();
    let link = server.home.invite(&["--uses", "2"]);
    for (name, success) in [("dora", true), ("eve", true), ("fred", false)] {
        let mut client = connect_as_guest(&server, Some(link_token(&link)), name);
        let answer = register_account(&mut client, "*", "a-new-person's-words");
        assert_eq!(answer.starts_with("REGISTER SUCCESS"), success, "{name}: {answer}");
    }
}

#[test]
fn concurrent_redemptions_of_one_use_succeed_once() {
    let server = server();
    let link = server.home.invite(&[]);
    let mut guests: Vec<Client> =
        (0..6).map(|n| connect_as_guest(&server, Some(link_token(&link)), &format!("guest{n}"))).collect();
    for guest in &mut guests {
        guest.send("REGISTER * * a-new-person's-words");
    }
    let won = guests
        .iter_mut()
        .map(|g| g.wait_for_line("a result", |l| l.starts_with("REGISTER") || l.starts_with("FAIL REGISTER")))
        .filter(|l| l.starts_with("REGISTER SUCCESS"))
        .count();
    assert_eq!(won, 1);
    let accounts = server.home.count("SELECT count(*) FROM accounts WHERE name LIKE 'guest%'");
    assert_eq!(accounts, 1);
}

#[test]
fn invalid_names_and_passwords_spend_no_use() {
    let server = server();
    let link = server.home.invite(&[]);
    let token = link_token(&link);
    for (nick, name, password, code) in [
        ("alice", "*", "a-new-person's-words", "ACCOUNT_EXISTS"),
        ("ALICE", "*", "a-new-person's-words", "ACCOUNT_EXISTS"),
        ("echo", "*", "a-new-person's-words", "BAD_ACCOUNT_NAME"),
        ("dora", "1st", "a-new-person's-words", "BAD_ACCOUNT_NAME"),
        ("dora", "*", "short", "WEAK_PASSWORD"),
    ] {
        let mut client = connect_as_guest(&server, Some(token), nick);
        let answer = register_account(&mut client, name, password);
        assert!(answer.starts_with(&format!("FAIL REGISTER {code}")), "{nick} {name}: {answer}");
    }
    let mut early = Client::connect(&server);
    early.send(&format!("PASS {token}"));
    early.send("CAP REQ :draft/account-registration");
    assert_eq!(register_account(&mut early, "*", "a-new-person's-words").param(1), "NEED_NICK");
    let mut alice = Client::login(&server, "alice");
    assert_eq!(register_account(&mut alice, "*", "a-new-person's-words").param(1), "ALREADY_AUTHENTICATED");
    let mut dora = connect_as_guest(&server, Some(token), "dora");
    // A further attempt on the same connection is allowed.
    assert_eq!(register_account(&mut dora, "*", "short").param(1), "WEAK_PASSWORD");
    assert!(register_account(&mut dora, "*", "a-new-person's-words").starts_with("REGISTER SUCCESS"));
}

#[test]
fn first_start_prints_an_admin_invite() {
    let home = Home::new(&[]);
    let server = home.serve();
    let link = server.wait_for_log(|line| line.contains("parlour://"));
    let mut first = connect_as_guest(&server, Some(link_token(link.trim())), "chief");
    assert!(register_account(&mut first, "*", PASSWORD).starts_with("REGISTER SUCCESS chief"));
    let list = home.succeed(&["user", "list"]);
    let row = list.lines().find(|l| l.contains("chief")).expect("the account");
    assert!(row.contains("admin"), "{row}");
    drop(first);
    drop(server);
    // Only while there are no accounts.
    let server = home.serve();
    Client::login(&server, "chief");
    assert!(!server.log().contains("parlour://"), "{}", server.log());
}

#[test]
fn admin_invite_is_printed_again_until_used() {
    let home = Home::new(&[]);
    for _ in 0..2 {
        let server = home.serve();
        server.wait_for_log(|line| line.contains("parlour://"));
    }
}

#[test]
fn qr_code_holds_the_link() {
    let server = server();
    let home = &server.home;
    let args = ["invite", "create", "--qr", "--qr-file", "code.png"];
    let output = home.run(&args);
    assert!(output.status.success(), "{output:?}");
    let stdout = String::from_utf8(output.stdout).expect("text");
    let [link] = stdout.lines().collect::<Vec<_>>()[..] else { panic!("not the link alone: {stdout}") };
    let shown = String::from_utf8(output.stderr).expect("text");
    assert!(shown.contains('█') && !shown.contains('\u{1b}'), "no colours in a pipe: {shown}");
    assert!(!shown.contains(link_token(link)));
    let image = home.path("code.png");
    assert_eq!(decode_qr(&image), link);
    assert_eq!(fs::metadata(&image).expect("a file").permissions().mode() & 0o777, 0o600);

    // An existing file is not overwritten, and then no invite is made; nor is a file without an invite.
    let before = fs::read(&image).expect("bytes");
    assert!(home.fail(&args[..]).contains("code.png is there already"));
    assert_eq!(fs::read(&image).expect("bytes"), before);
    let said = home.fail(&["invite", "create", "--for", "nobody", "--qr-file", "other.svg"]);
    assert!(said.contains("there is no account nobody"), "{said}");
    assert!(!home.path("other.svg").exists());
    assert_eq!(home.count("SELECT count(*) FROM invites"), 1);
}
