//! OPER, which gives a session an admin's rights, and REHASH, which reads the configuration again.

use std::fs;

use crate::support::{
    Client, PASSWORD, Server, assert_refused, log_in_and_join, only_line, request_one_line,
    server_with_admin, without_tags,
};

const WRONG_PASSWORD: &str = "a-word-that-opens-nothing";

/// Gives a session an admin's rights.
#[track_caller]
fn become_oper(client: &mut Client) {
    let lines = client.request(&format!("OPER root {PASSWORD}"));
    assert!(
        only_line(&lines, "381").command == "381" && lines.iter().any(|l| l.starts_with("MODE bob +o")),
        "{lines:?}"
    );
}

/// Returns true if the session has an admin's rights.
fn is_admin(client: &mut Client) -> bool {
    client.drain();
    !client.request("WALLOPS :is it?").iter().any(|line| line.command == "481")
}

/// Returns the count of such actions in the audit log.
fn count_audit_entries(server: &Server, action: &str) -> i64 {
    server.home.count(&format!("SELECT count(*) FROM audit WHERE action = '{action}'"))
}

/// <https://modern.ircdocs.horse/#oper-message>
#[test]
fn oper_grants_admin_for_the_session() {
    let server = server_with_admin(&["sessions.grace_s = 0"]);
    let [mut alice, mut carol] = log_in_and_join(&server, ["alice", "carol"], "#room");
    let (mut bob, mut phone) = (Client::login(&server, "bob"), Client::login(&server, "bob"));
    assert_refused(&mut bob, "OPER", "461 bob OPER");
    assert_refused(&mut bob, "OPER root", "461 bob OPER");
    assert_refused(&mut bob, &format!("OPER root {WRONG_PASSWORD}"), "464 bob");
    // The right password with an account that is no admin, an unknown one, and an invalid name.
    for name in ["bob", "nobody", "no!name"] {
        assert_refused(&mut bob, &format!("OPER {name} {PASSWORD}"), "464 bob");
    }
    assert!(!is_admin(&mut bob));
    assert_refused(&mut bob, "MODE #room +m", "442 bob #room");
    assert_refused(&mut bob, "KICK #room carol", "442 bob #room");

    become_oper(&mut bob);
    assert!(is_admin(&mut bob) && !is_admin(&mut phone), "this session alone");
    assert_eq!(request_one_line(&mut bob, "MODE #room +m"), "MODE #room +m");
    carol.drain();
    bob.request("KICK #room carol :by bob");
    assert_eq!(without_tags(&carol.drain()), ["KICK #room carol by bob"]);
    assert_refused(&mut phone, "MODE #room -m", "442 bob #room");
    assert_eq!(count_audit_entries(&server, "server oper"), 1, "who became an admin is written down");
    assert_refused(&mut bob, &format!("OPER root {WRONG_PASSWORD}"), "464 bob");
    assert!(is_admin(&mut bob), "a wrong password takes nothing away");
    bob.send("QUIT");
    bob.read_until_closed();
    let mut bob = Client::login(&server, "bob");
    assert!(!is_admin(&mut bob));
    assert_refused(&mut bob, "MODE #room -m", "442 bob #room");
    alice.barrier();

    // An admin's own sessions need no OPER.
    let mut root = Client::login(&server, "root");
    assert!(is_admin(&mut root));
    assert_eq!(request_one_line(&mut root, "MODE #room -m"), "MODE #room -m");
    let audit = root.request("AUDIT 50");
    let has = |part: &str| audit.iter().any(|line| line.command == "NOTE" && line.text().contains(part));
    assert!(has("server oper root") && has("channel kick carol: #room: by bob"), "{audit:?}");
    assert!(audit.last().is_some_and(|line| line.param(1) == "AUDIT_LIST"), "{audit:?}");
    phone.drain();
    let labelled = phone.request(&format!("@label=it OPER root {WRONG_PASSWORD}"));
    assert_eq!((labelled.len(), labelled[0].tag("label")), (1, Some("it")), "{labelled:?}");
    let log = server.log();
    assert!(
        log.contains("login failed") && !log.contains(WRONG_PASSWORD) && !log.contains(PASSWORD),
        "{log}"
    );
}

#[test]
fn oper_ends_when_its_account_loses_admin() {
    let server = server_with_admin(&[]);
    // The last admin could not be removed.
    server.home.succeed(&["user", "role", "carol", "admin"]);
    let mut bob = Client::login(&server, "bob");
    let passwd = |server: &Server| {
        let output = server
            .home
            .run_with_input(&["user", "passwd", "root", "--password-stdin"], &format!("{PASSWORD}\n"));
        assert!(output.status.success(), "{output:?}");
    };
    let user = |args: &[&str]| drop(server.home.succeed(&[&["user"], args].concat()));
    for take in 0..4 {
        become_oper(&mut bob);
        assert!(is_admin(&mut bob));
        match take {
            0 => user(&["role", "root", "member"]),
            1 => user(&["disable", "root"]),
            2 => passwd(&server),
            _ => user(&["remove", "root", "--yes"]),
        }
        assert!(!is_admin(&mut bob), "{take}");
        assert_refused(&mut bob, "REHASH", "481 bob");
        match take {
            0 => {
                assert_refused(&mut bob, &format!("OPER root {PASSWORD}"), "464 bob");
                user(&["role", "root", "admin"]);
            }
            1 => {
                assert_refused(&mut bob, &format!("OPER root {PASSWORD}"), "464 bob");
                user(&["enable", "root"]);
            }
            _ => {}
        }
    }
}

/// Returns the lines of the message of the day.
fn request_motd(client: &mut Client) -> Vec<String> {
    let lines = client.request("MOTD");
    lines.iter().filter(|line| line.command == "372").map(|line| line.text().to_owned()).collect()
}

/// <https://modern.ircdocs.horse/#rehash-message>
#[test]
fn rehash_reloads_configuration_for_admins() {
    let server = server_with_admin(&["motd = 'first'"]);
    let (mut bob, mut root) = (Client::login(&server, "bob"), Client::login(&server, "root"));
    let file = server.home.path("parlour.toml");
    let before = fs::read_to_string(&file).expect("parlour.toml");
    fs::write(&file, before.replace("'first'", "'second'")).expect("parlour.toml");
    assert_refused(&mut bob, "REHASH", "481 bob");
    assert_eq!(request_motd(&mut bob).join("\n").replace("- ", ""), "first");
    let said = request_one_line(&mut root, "REHASH");
    assert!(said.starts_with("382 root parlour.toml ") && said.ends_with("; changed: motd"), "{said}");
    for client in [&mut bob, &mut root] {
        assert_eq!(request_motd(client).join("\n").replace("- ", ""), "second");
    }
    assert!(Client::login(&server, "alice").welcome.iter().any(|line| line.text().contains("second")));

    // The error in a broken file is reported, and nothing of the file takes effect.
    for (broken, why) in [
        ("motd = 'third'\nmotdd = 1\n", "motdd"),
        ("motd = 'third'\nlimits.burst = 0\n", "burst"),
        ("motd = 'third", "line 1"),
    ] {
        fs::write(&file, broken).expect("parlour.toml");
        let said = request_one_line(&mut root, "REHASH");
        assert!(said.starts_with("FAIL REHASH INVALID_CONFIG ") && said.contains(why), "{said}");
        assert_eq!(request_motd(&mut bob).join("\n").replace("- ", ""), "second", "{broken}");
    }
    fs::write(&file, before.replace("'first'", "'fourth'\nname = 'Garden'")).expect("parlour.toml");
    bob.request(&format!("OPER root {PASSWORD}"));
    let said = request_one_line(&mut bob, "@label=it REHASH");
    assert!(
        said.starts_with("382 bob parlour.toml ") && said.contains("changed: motd, name"),
        "by OPER too: {said}"
    );
    assert_eq!(request_motd(&mut root).join("\n").replace("- ", ""), "fourth");
    assert_eq!(count_audit_entries(&server, "server rehash"), 2);
    // A connection before its login gets the new settings too.
    let mut client = Client::connect(&server);
    client.request_capabilities("draft/extended-isupport");
    for asked in [client.request("ISUPPORT"), root.request("ISUPPORT")] {
        assert!(asked.iter().any(|line| line.params.contains(&"NETWORK=Garden".to_owned())), "{asked:?}");
    }
}

/// <https://modern.ircdocs.horse/#kill-message>; many users leave out the reason.
#[test]
fn kill_needs_no_reason() {
    let server = server_with_admin(&["sessions.grace_s = 0"]);
    let [mut root, mut alice] = log_in_and_join(&server, ["root", "alice"], "#room");
    let mut bob = Client::in_channel(&server, "bob", "#room");
    root.drain();
    assert_refused(&mut root, "KILL", "461 root KILL");
    assert_refused(&mut alice, "KILL bob", "481 alice");
    root.request("KILL bob");
    assert_eq!(alice.wait_for_command("QUIT").text(), "Killed by root");
    let last = bob.read_until_closed();
    assert!(
        last.iter().any(|line| line.starts_with("ERROR") && line.text().contains("Killed by root")),
        "{last:?}"
    );
    let mut bob = Client::login(&server, "bob");
    root.request("KILL bob :once more");
    assert!(bob.read_until_closed().iter().any(|line| line.text().contains("Killed by root: once more")));
}
