//! Moderation of channels as the database has it: the audit log, and what the history does not have.

use crate::support::{
    ALL_CAPABILITIES, Client, Server, assert_refused, log_in_and_join, only_line, request_one_line, server,
    server_with_admin, without_tags,
};

/// `STATUSMSG`: <https://modern.ircdocs.horse/#statusmsg-parameter>
#[test]
fn statusmsg_reaches_members_of_that_status_and_above() {
    let server = server();
    let [mut alice, mut bob, mut carol] = log_in_and_join(&server, ["alice", "bob", "carol"], "#room");
    alice.request("MODE #room +v bob");
    for (prefix, bob_hears) in [("~", false), ("@", false), ("%", false), ("+", true)] {
        let target = format!("{prefix}#room");
        carol.drain();
        bob.drain();
        assert_eq!(
            request_one_line(&mut alice, &format!("PRIVMSG {target} :psst")),
            format!("PRIVMSG {target} psst")
        );
        assert_eq!(
            bob.drain().iter().any(|line| line.starts_with(&format!("PRIVMSG {target} psst"))),
            bob_hears
        );
        assert_eq!(carol.drain(), []);
    }
    // Any member may message the moderators, and gets the echo.
    carol.deliver_message(&mut alice, "@#ROOM", "help");
    assert_eq!(bob.drain(), []);
    // A message to a member status is in no history.
    assert_eq!(server.home.count("SELECT count(*) FROM messages WHERE text IN ('psst', 'help')"), 0);
    assert_refused(&mut carol, "PRIVMSG @#nowhere :hello", "403 carol #nowhere");
}

/// The audit log has the actor, the action and the time (ARCHITECTURE.md).
#[test]
fn moderation_is_in_the_audit_log() {
    let server = server_with_admin(&[]);
    let [mut alice, _bob, carol] = log_in_and_join(&server, ["alice", "bob", "carol"], "#room");
    let mut root = Client::login(&server, "root");
    let before = now_seconds();
    alice.request("MODE #room +obk-n bob *!*@nowhere sesame");
    alice.request("MODE #room -k+l * 20");
    alice.request("MODE #room +o bob");
    alice.request("KICK #room bob :spam");
    assert_refused(&mut alice, "KILL carol :no", "481 alice");
    root.request("MODE #room +m");
    root.request("TOPIC #room :rules");
    root.request("KILL carol :enough");
    let mut carol = carol;
    carol.read_until_closed();
    let wanted = [
        ("alice", "channel mode", "#room", "+obk-n bob *!*@nowhere *"),
        ("alice", "channel mode", "#room", "-k+l * 20"),
        ("alice", "channel kick", "bob", "#room: spam"),
        ("root", "channel mode", "#room", "+m"),
        ("root", "channel topic", "#room", "as an admin, not a member"),
        ("root", "server kill", "carol", "enough"),
    ];
    let rows = audit_entries(&server);
    let shown: Vec<_> =
        rows.iter().map(|(who, what, on, detail, _)| (&**who, &**what, &**on, &**detail)).collect();
    assert_eq!(shown, wanted);
    assert!(rows.iter().all(|row| (before..=now_seconds()).contains(&row.4)), "{rows:?}");
    assert_eq!(server.home.count("SELECT count(*) FROM messages WHERE text LIKE '%sesame%'"), 0, "no key");
}

fn now_seconds() -> i64 {
    let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    i64::try_from(time.as_millis()).expect("milliseconds")
}

/// Returns the actions of channels' moderators and of admins: actor, action, target, details, time.
fn audit_entries(server: &Server) -> Vec<(String, String, String, String, i64)> {
    let database = server.home.database();
    let query = "SELECT name, action, target, detail, at FROM audit JOIN accounts ON accounts.id = actor
                 WHERE action LIKE 'channel %' OR action LIKE 'server %' ORDER BY audit.id";
    let mut query = database.prepare(query).expect(query);
    let rows = query
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
        .expect("rows");
    rows.map(|row| row.expect("a row")).collect()
}

/// An outsider gets the same replies about a secret channel as about one that does not exist.
#[test]
fn secret_channel_replies_like_a_missing_one() {
    let server = server();
    let capabilities = format!(
        "{ALL_CAPABILITIES} draft/chathistory draft/event-playback draft/read-marker draft/message-redaction draft/metadata-2 \
         draft/search draft/channel-rename"
    );
    let mut alice = Client::login_with(&server, "alice", &capabilities);
    let mut bob = Client::login_with(&server, "bob", &capabilities);
    bob.request("JOIN #own");
    let before = without_tags(&bob.request("LUSERS"));
    for channel in ["#hidden", "#hidden2"] {
        alice.request(&format!("JOIN {channel}"));
        alice.request(&format!("MODE {channel} +s"));
        alice.request(&format!("TOPIC {channel} :what nobody knows"));
        alice.request(&format!("METADATA {channel} SET status :what nobody knows"));
        alice.request(&format!("PRIVMSG {channel} :what nobody knows"));
    }
    let said = alice.request("PRIVMSG #hidden :id");
    let id = only_line(&said, "PRIVMSG").tag("msgid").expect("an id").to_owned();
    alice.request("RENAME #hidden2 #hidden3");
    bob.drain();
    assert_eq!(without_tags(&bob.request("LUSERS")), before, "how many there are");
    let mut asked = 0;
    for command in [
        "PART $",
        "TOPIC $",
        "TOPIC $ :x",
        "NAMES $",
        "LIST $",
        "LIST *idden",
        "WHO $",
        "WHO $ %tcnf,1",
        "MODE $",
        "MODE $ +m",
        "MODE $ b",
        "MODE $ +o bob",
        "INVITE carol $",
        "INVITE alice $",
        "KNOCK $",
        "KICK $ alice",
        "PRIVMSG $ :x",
        "NOTICE $ :x",
        "@+draft/react=x TAGMSG $",
        "PRIVMSG @$ :x",
        "RENAME $ #new",
        "REDACT $ ID",
        "REDACT $ nonsense",
        "CHATHISTORY LATEST $ * 5",
        "CHATHISTORY AROUND $ msgid=ID 5",
        "CHATHISTORY BEFORE $ msgid=ID 5",
        "SEARCH in=$",
        "MARKREAD $",
        "METADATA $ LIST",
        "METADATA $ GET status",
        "METADATA $ SET status :x",
        "METADATA $ SET soju.im/pinned :1",
        "METADATA $ SYNC",
        "METADATA $ CLEAR",
        "WHOIS $",
        "WHOWAS $",
        "ISON $",
        "USERHOST $",
        "MONITOR + $",
        "MARKREAD $ timestamp=2020-01-01T00:00:00.000Z",
        "MARKREAD $",
    ] {
        let mut ask = |channel: &str| {
            let line = command.replace('$', channel).replace("ID", &id);
            without_tags(&bob.request(&line))
                .iter()
                .map(|line| line.replace(channel, "$"))
                .collect::<Vec<_>>()
        };
        let (hidden, absent) = (ask("#hidden"), ask("#nothing"));
        assert_eq!(hidden, absent, "{command}");
        asked += hidden.len();
    }
    assert!(asked > 30, "they are answered: {asked}");
    assert!(!bob.request("WHOIS alice").iter().any(|line| line.command == "319"));
    assert!(!bob.request("WHO alice").iter().any(|line| line.text().contains("#hidden")));
    // A name that is taken is refused, by any channel, even one that had it recently.
    bob.request("JOIN #public");
    for taken in ["#hidden", "#hidden2", "#hidden3", "#public"] {
        let lines = bob.request(&format!("RENAME #own {taken}"));
        let expected =
            format!("FAIL RENAME CHANNEL_NAME_IN_USE #own {taken} The channel name is already taken");
        assert_eq!(without_tags(&lines), [expected]);
    }
}
