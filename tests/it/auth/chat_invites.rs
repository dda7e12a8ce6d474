//! Invites that admins make over IRC, by INVITES and through `NickServ`.

use crate::support::invite::{link_token, redeem};
use crate::support::{
    Client, Line, PASSWORD, Server, assert_refused, only_line, request_one_line, server_with_admin,
};

/// Returns the link in a reply: alone on its line.
#[track_caller]
fn invite_link(lines: &[Line]) -> String {
    let found: Vec<&str> =
        lines.iter().map(Line::text).filter(|text| text.starts_with("parlour://")).collect();
    let [only] = found[..] else { panic!("not one link in {lines:?}") };
    only.to_owned()
}

fn user_row(server: &Server, name: &str) -> String {
    let list = server.home.succeed(&["user", "list"]);
    list.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned()
}

#[test]
fn admin_creates_lists_and_revokes_invites() {
    let server = server_with_admin(&[]);
    let (mut root, mut other) = (Client::login(&server, "root"), Client::login(&server, "root"));
    let lines = root.request("@label=it INVITES CREATE 2 7d #class admin");
    assert!(lines.iter().any(|line| line.tag("label") == Some("it")), "{lines:?}");
    let made = lines.iter().find(|l| l.starts_with("NOTE INVITES INVITE_CREATED 1")).expect("a number");
    assert!(made.text().starts_with("Invite 1 creates 2 admin accounts in #class, valid until 20"), "{made}");
    assert!(made.text().ends_with(" UTC. Link:"), "{made}");
    let first = invite_link(&lines);
    assert!(
        first.starts_with(&format!("parlour://{}/?pin={}&token=", server.address, server.pin())),
        "{first}"
    );
    assert_eq!(redeem(&server, &first, "dora", PASSWORD), "REGISTER SUCCESS dora Account created");
    assert!(user_row(&server, "dora").contains("admin"));

    let lines = root.request("INVITES");
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines[0].starts_with("NOTE INVITES INVITE 1") && lines[0].text().contains("used 1 of 2"),
        "{lines:?}"
    );
    assert!(lines[0].text().ends_with("made by root"), "{lines:?}");
    assert!(lines[1].text().starts_with("1 invite is open, 0 spent"), "{lines:?}");
    // The command line lists the same.
    let listed = server.home.succeed(&["invite", "list", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed).expect("an object");
    assert_eq!((&listed["spent"], &listed["uses"], &listed["state"]), (&1.into(), &2.into(), &"open".into()));
    assert_eq!((&listed["created_by"], &listed["channel"]), (&"root".into(), &"#class".into()));
    assert!(!listed.to_string().contains(link_token(&first)));

    assert!(request_one_line(&mut root, "INVITES REVOKE 1").starts_with("NOTE INVITES INVITE_REVOKED 1 "));
    assert!(redeem(&server, &first, "eve", PASSWORD).starts_with("FAIL REGISTER TOKEN_REVOKED"));
    assert_refused(&mut root, "INVITES REVOKE 9", "FAIL INVITES NO_SUCH_INVITE");
    assert_refused(&mut root, "INVITES EAT", "FAIL INVITES INVALID_PARAMS");
    assert_refused(&mut root, "INVITES CREATE 0", "FAIL INVITES INVALID_PARAMS");
    let noted = |action: &str| {
        server.home.count(&format!(
            "SELECT count(*) FROM audit JOIN accounts a ON a.id = actor WHERE action = '{action}' AND a.name = 'root'"
        ))
    };
    assert_eq!((noted("invite create"), noted("invite revoke")), (1, 1));
    // The link was for the one session that requested it.
    assert!(other.drain().iter().all(|line| !line.text().contains("parlour://")));
}

#[test]
fn invite_service_works_in_every_client() {
    let server = server_with_admin(&[]);
    let mut root = Client::login(&server, "root");
    // Without the echo.
    let said =
        |client: &mut Client, text: &str| client.request(&format!("PRIVMSG NickServ :{text}")).split_off(1);
    let lines = said(&mut root, "INVITE CREATE 30min");
    assert!(lines.iter().all(|line| line.command == "NOTICE" && line.nick() == "NickServ"), "{lines:?}");
    let made = invite_link(&lines);
    let lines = said(&mut root, "invite list");
    assert!(
        lines[0].text().starts_with("Invite 1: one member account, landing in #lobby; used 0 of 1"),
        "{lines:?}"
    );
    assert!(redeem(&server, &made, "dora", PASSWORD).starts_with("REGISTER SUCCESS"));
    let lines = root.request("NS INVITE FOR alice");
    let reset = invite_link(&lines);
    assert!(reset.contains("&for=alice&"), "{reset}");
    assert!(redeem(&server, &reset, "alice", "another-lantern-here").starts_with("REGISTER SUCCESS alice"));
    for (bad, why) in [
        ("INVITE FOR nobody", "there is no account nobody"),
        ("INVITE FOR", "Missing account name"),
        ("INVITE CREATE soon", "not a duration"),
        ("INVITE REVOKE 99", "there is no invite 99"),
    ] {
        let lines = said(&mut root, bad);
        assert!(lines.len() == 1 && lines[0].text().contains(why), "{bad}: {lines:?}");
    }
    assert!(said(&mut root, "HELP").iter().any(|line| line.text().starts_with("INVITE CREATE")));

    // The link is neither in the history nor in the log.
    assert_eq!(server.home.count("SELECT count(*) FROM messages WHERE text LIKE '%parlour://%'"), 0);
    let log = server.log();
    for link in [&made, &reset] {
        assert!(!log.contains(link_token(link)) && !log.contains("token="), "{log}");
    }
    for file in ["data/parlour.db", "data/parlour.db-wal", "data/search.db"] {
        let bytes = std::fs::read(server.home.path(file)).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!([&made, &reset].iter().all(|link| !text.contains(link_token(link))), "{file}");
    }
}

#[test]
fn invite_commands_are_refused_to_members() {
    let server = server_with_admin(&[]);
    let mut alice = Client::login(&server, "alice");
    for line in
        ["INVITES", "INVITES CREATE", "INVITES FOR bob", "INVITES LIST", "INVITES REVOKE 1", "INVITES EAT"]
    {
        assert_refused(&mut alice, line, "481 alice");
    }
    let lines = alice.request("PRIVMSG NickServ :INVITE CREATE admin");
    assert_eq!(only_line(&lines, "NOTICE").text(), "Permission Denied - You're not an admin");
    assert!(alice.request("NS HELP").iter().all(|line| !line.text().contains("INVITE")));
    assert_eq!(server.home.count("SELECT count(*) FROM invites"), 0);
    // An account with an admin's rights for the session is an admin for this too, and the database records it as the
    // creator.
    alice.request(&format!("OPER root {PASSWORD}"));
    invite_link(&alice.request("INVITES CREATE"));
    let by = "SELECT count(*) FROM invites JOIN accounts a ON a.id = created_by WHERE a.name = 'alice'";
    assert_eq!(server.home.count(by), 1);
}

#[test]
fn invites_of_a_former_admin_are_void() {
    let server = server_with_admin(&[]);
    let home = &server.home;
    let by_console = home.invite(&[]);
    // The last admin could be none of this.
    home.succeed(&["user", "role", "carol", "admin"]);
    let mut later = 0;
    for (n, end) in [
        ["user", "role", "root", "member"],
        ["user", "disable", "root", ""],
        ["user", "remove", "root", "--yes"],
    ]
    .into_iter()
    .enumerate()
    {
        let mut root = Client::login(&server, "root");
        let links = [
            invite_link(&root.request("INVITES CREATE admin")),
            invite_link(&root.request("INVITES FOR bob")),
        ];
        let end: Vec<&str> = end.into_iter().filter(|word| !word.is_empty()).collect();
        home.succeed(&end);
        for (link, name) in links.iter().zip([&*format!("mole{n}"), "bob"]) {
            let said = redeem(&server, link, name, PASSWORD);
            assert!(said.starts_with("FAIL REGISTER TOKEN_REVOKED"), "{end:?}: {said}");
        }
        later = home.count("SELECT count(*) FROM audit WHERE detail LIKE '%invites revoked: 2'");
        assert_eq!(later, i64::try_from(n).expect("few") + 1);
        if n < 2 {
            home.succeed(&["user", "role", "root", "admin"]);
            home.succeed(&["user", "enable", "root"]);
        }
    }
    assert_eq!(later, 3);
    assert!(redeem(&server, &by_console, "dora", PASSWORD).starts_with("REGISTER SUCCESS"));
}
