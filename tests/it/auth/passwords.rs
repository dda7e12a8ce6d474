//! PASSWD, and `NickServ`, which does the same for users who are used to it.

use std::fs;

use crate::support::{Client, Device, Home, Line, PASSWORD, assert_refused, only_line, server, without_tags};

const WRONG_PASSWORD: &str = "not-the-present-password";
const NEW_PASSWORD: &str = "a quite different password";
const NEWER_PASSWORD: &str = "one-more-password";

#[track_caller]
fn assert_closed(client: &mut Client) {
    let lines = client.read_until_closed();
    assert!(lines.last().is_some_and(|line| line.command == "ERROR"), "{lines:?}");
    assert!(lines.iter().all(|line| line.command != "001"), "{lines:?}");
}

#[test]
fn passwd_changes_own_password_and_ends_other_sessions() {
    let mut server = server();
    let (mut laptop, mut phone) = (Client::login(&server, "alice"), Client::login(&server, "alice"));
    let mut bob = Client::login(&server, "bob");
    let device = Device::new();
    laptop.request(&format!("CERT ADD {}", device.fingerprint()));
    let mut tablet = Client::connect_with_device(&server, &device);
    tablet.begin_login("alice", "");
    assert_eq!(tablet.authenticate_external("").command, "903");
    let mut tablet = tablet.finish_login();

    assert_refused(&mut laptop, "PASSWD", "461 alice PASSWD");
    assert_refused(&mut laptop, &format!("PASSWD {PASSWORD}"), "461 alice PASSWD");
    assert_refused(
        &mut laptop,
        &format!("PASSWD {WRONG_PASSWORD} :{NEW_PASSWORD}"),
        "FAIL PASSWD WRONG_PASSWORD",
    );
    assert_refused(&mut laptop, &format!("PASSWD {PASSWORD} short"), "FAIL PASSWD WEAK_PASSWORD");
    assert_refused(
        &mut laptop,
        &format!("PASSWD {PASSWORD} {}", "x".repeat(301)),
        "FAIL PASSWD WEAK_PASSWORD",
    );
    for session in [&mut laptop, &mut phone, &mut tablet] {
        session.barrier();
    }
    assert_eq!(Client::try_login(&server, "alice", PASSWORD), "903", "nothing has changed");

    // A connection that has authenticated with the old password and not finished its login.
    let mut waiting = Client::connect(&server);
    waiting.begin_login("alice", "");
    waiting.authenticate_with_password("alice");
    let lines = laptop.request(&format!("@label=it PASSWD {PASSWORD} :{NEW_PASSWORD}"));
    assert!(lines.len() == 1 && lines[0].starts_with("NOTE PASSWD PASSWORD_CHANGED"), "{lines:?}");
    assert_eq!(lines[0].tag("label"), Some("it"));
    for session in [&mut phone, &mut tablet] {
        assert_closed(session);
    }
    waiting.send("CAP END");
    assert_closed(&mut waiting);
    laptop.deliver_message(&mut bob, "bob", "still here");
    assert_eq!(Client::try_login(&server, "alice", PASSWORD), "904");
    assert_eq!(Client::try_login(&server, "alice", NEW_PASSWORD), "903");
    assert_eq!(Client::try_login(&server, "bob", PASSWORD), "903");
    let mut tablet = Client::connect_with_device(&server, &device);
    tablet.begin_login("alice", "");
    assert_eq!(tablet.authenticate_external("").command, "903", "a device is none of a password's business");

    // The change is durable when it is confirmed, and the password is in no log.
    let home = server.home.clone();
    server.kill9();
    let log = server.log();
    let server = home.serve();
    assert_eq!(Client::try_login(&server, "alice", PASSWORD), "904");
    assert_eq!(Client::try_login(&server, "alice", NEW_PASSWORD), "903");
    // The change takes effect even if the client does not wait for the reply.
    let mut leaving = Client::login(&server, "bob");
    let mut phone = Client::login(&server, "bob");
    leaving.send(&format!("PASSWD {PASSWORD} {NEWER_PASSWORD}"));
    leaving.close();
    assert_closed(&mut phone);
    assert_eq!(Client::try_login(&server, "bob", NEWER_PASSWORD), "903");
    for secret in [PASSWORD, WRONG_PASSWORD, NEW_PASSWORD] {
        assert!(!log.contains(secret) && !server.log().contains(secret), "{secret} in {log}");
    }
    assert!(log.contains("password changed by its owner"));
    assert_eq!(home.count("SELECT count(*) FROM audit WHERE action = 'account passwd'"), 2);
}

/// Returns true if a file of the data folder contains the text.
fn is_in_any_file(home: &Home, text: &str) -> bool {
    let files = fs::read_dir(home.path("data")).expect("the data folder");
    let mut files = files.map(|file| file.expect("a file").path()).filter(|path| path.is_file());
    let has = |bytes: Vec<u8>| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    files.any(|path| has(fs::read(path).expect("a file that can be read")))
}

/// Sends a message to `NickServ` and returns its reply.
#[track_caller]
fn ask_nickserv(client: &mut Client, line: &str) -> String {
    let lines = client.request(line);
    let notices: Vec<&str> = lines
        .iter()
        .filter(|l| l.starts_with("NOTICE alice") && l.nick() == "NickServ")
        .map(Line::text)
        .collect();
    assert!(!notices.is_empty(), "{line}: {lines:?}");
    notices.join("\n")
}

#[test]
fn nickserv_supports_the_usual_commands() {
    let server = server();
    let mut alice = Client::login(&server, "alice");
    for ways in ["PRIVMSG NickServ :", "PRIVMSG nickserv :", "NS ", "NICKSERV "] {
        let help = ask_nickserv(&mut alice, &format!("{ways}HELP"));
        assert!(["IDENTIFY", "PASSWD", "CERT"].iter().all(|word| help.contains(word)), "{ways}: {help}");
        assert!(
            ask_nickserv(&mut alice, &format!("{ways}identify {PASSWORD}"))
                .contains("You are already logged in")
        );
        assert!(ask_nickserv(&mut alice, &format!("{ways}CERT LIST")).contains("No certificate"));
        assert!(ask_nickserv(&mut alice, &format!("{ways}CERT ADD")).contains("no client certificate"));
        assert!(ask_nickserv(&mut alice, &format!("{ways}CERT")).contains("CERT LIST"));
        assert!(ask_nickserv(&mut alice, &format!("{ways}CERT ADD nonsense")).contains("FINGERPRINT"));
        assert!(ask_nickserv(&mut alice, &format!("{ways}PASSWD {PASSWORD}")).contains("PASSWD OLD NEW"));
        assert!(ask_nickserv(&mut alice, &format!("{ways}GHOST alice")).contains("Available: HELP"));
        assert!(ask_nickserv(&mut alice, &format!("{ways}PASSWD {PASSWORD} short")).contains("at least 8"));
    }
    assert!(ask_nickserv(&mut alice, "NS").contains("PASSWD"), "nothing is a call for help");
    let print = Device::new().fingerprint();
    assert!(ask_nickserv(&mut alice, &format!("NS CERT ADD {print}")).contains(&print));
    assert!(ask_nickserv(&mut alice, "PRIVMSG NickServ :cert list").contains(&print));
    assert!(ask_nickserv(&mut alice, &format!("NS CERT DEL {print}")).contains(&print));
    assert!(ask_nickserv(&mut alice, &format!("NS CERT DEL {print}")).contains("No device of yours"));
    // Two bots cannot answer each other without end.
    let echo = alice.request("NOTICE NickServ :HELP");
    assert!(echo.iter().all(|line| line.nick() == "alice"), "{echo:?}");
    let labelled = alice.request("@label=it PRIVMSG NickServ :HELP");
    assert_eq!(labelled.iter().filter(|line| line.tag("label") == Some("it")).count(), 1, "{labelled:?}");
    let stderr = server.home.run_with_input(&["user", "add", "NickServ", "--password-stdin"], PASSWORD);
    assert!(!stderr.status.success(), "nobody may be called so: {stderr:?}");
}

#[test]
fn messages_to_nickserv_are_never_stored() {
    let server = server();
    let home = server.home.clone();
    let (mut alice, mut bob) = (Client::login(&server, "alice"), Client::login(&server, "bob"));
    let capabilities = "batch echo-message labeled-response message-tags draft/chathistory soju.im/search";
    alice.request(&format!("CAP REQ :{capabilities}"));
    let mut phone = Client::login(&server, "alice");
    for client in [&mut alice, &mut phone, &mut bob] {
        client.drain();
    }
    for secret in ["secret-by-message", "secret-by-command"] {
        let way = if secret.ends_with("message") { "PRIVMSG NickServ :" } else { "NS " };
        ask_nickserv(&mut alice, &format!("{way}IDENTIFY alice {secret}"));
        ask_nickserv(&mut alice, &format!("{way}nonsense {secret}"));
        ask_nickserv(&mut alice, &format!("{way}PASSWD {secret}"));
    }
    assert!(
        ask_nickserv(&mut alice, &format!("NS PASSWD {WRONG_PASSWORD} {NEWER_PASSWORD}"))
            .contains("not your present")
    );
    assert_eq!(without_tags(&phone.drain()), [] as [&str; 0], "not to the account's other sessions either");
    let said = ask_nickserv(&mut alice, &format!("PRIVMSG NickServ :PASSWD {PASSWORD} {NEWER_PASSWORD}"));
    assert!(said.contains("changed"), "{said}");
    assert_closed(&mut phone);
    assert_eq!(Client::try_login(&server, "alice", NEWER_PASSWORD), "903");
    assert_eq!(bob.drain(), []);

    // A stored word, to see that it would be found.
    alice.deliver_message(&mut bob, "bob", "a word that is kept");
    alice.send("SEARCH text=word");
    assert!(alice.wait_for_command("PRIVMSG").text().contains("kept"));
    assert!(is_in_any_file(&home, "a word that is kept"));
    let talks = alice.request(
        "CHATHISTORY TARGETS timestamp=2020-01-01T00:00:00.000Z timestamp=2100-01-01T00:00:00.000Z 50",
    );
    assert_eq!(talks.iter().filter(|line| line.starts_with("CHATHISTORY TARGETS")).count(), 1, "{talks:?}");
    let found = alice.request("SEARCH text=secret");
    assert!(found.len() == 2 && only_line(&found[..1], "BATCH").param(1) == "soju.im/search", "{found:?}");
    let (_, log) = server.terminate();
    for secret in ["secret-by-message", "secret-by-command", PASSWORD, WRONG_PASSWORD, NEWER_PASSWORD] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
    for secret in
        ["secret-by-message", "secret-by-command", PASSWORD, WRONG_PASSWORD, NEWER_PASSWORD, "nonsense"]
    {
        assert!(!is_in_any_file(&home, secret), "{secret}");
    }
}
