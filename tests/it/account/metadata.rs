//! METADATA over sockets: before the login, to other sessions, over a restart, and until the account is removed.
//! Permissions are tested beside the code.
//!
//! <https://ircv3.net/specs/extensions/metadata>, as `draft/metadata-2` and, revised, as `draft/metadata-3`.

use crate::support::{
    ALL_CAPABILITIES, Client, Line, assert_refused, log_in_and_join, only_line, server, server_with,
    without_tags,
};

const METADATA_2: &str = "batch labeled-response draft/metadata-2";
const METADATA_3: &str = "batch labeled-response draft/metadata-3";

/// Returns the lines inside the only batch, which must have this type and target.
#[track_caller]
fn batch_lines(lines: &[Line], start: &str) -> Vec<String> {
    let [open, inner @ .., end] = lines else { panic!("no batch: {lines:?}") };
    let reference = open.param(0).trim_start_matches('+');
    assert_eq!(open.to_string(), format!("BATCH +{reference} {start}"), "{lines:?}");
    assert_eq!(end.to_string(), format!("BATCH -{reference}"), "{lines:?}");
    assert!(inner.iter().all(|line| line.tag("batch") == Some(reference)), "{lines:?}");
    without_tags(inner)
}

/// Returns the batch about this target within other lines.
#[track_caller]
fn find_batch<'a>(lines: &'a [Line], start: &str) -> &'a [Line] {
    let begin = lines.iter().position(|l| l.command == "BATCH" && l.to_string().ends_with(start));
    let begin = begin.unwrap_or_else(|| panic!("no {start} in {lines:?}"));
    let end = format!("BATCH -{}", lines[begin].param(0).trim_start_matches('+'));
    let end = lines[begin..].iter().position(|line| line.starts_with(&end)).expect("its end");
    &lines[begin..=begin + end]
}

/// "draft/metadata-2 Capability", "METADATA client command" (`before-connect`), "Notifications"
#[test]
fn metadata_set_before_login_applies_after_it() {
    let mut server = server();
    let mut client = Client::connect(&server);
    let offered = client.request("CAP LS 302");
    for name in ["draft/metadata-2", "draft/metadata-3"] {
        let value = offered.iter().flat_map(|l| l.text().split(' ')).find_map(|w| w.strip_prefix(name));
        let value = value.unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(value, "=before-connect,max-subs=50,max-keys=32,max-value-bytes=300");
    }
    assert_eq!(client.request("METADATA * LIST")[0].command, "451", "only with the capability");
    client.begin_login("whoever", METADATA_3);
    assert_eq!(
        without_tags(&client.request("METADATA * SET display-name :Alice the First")),
        ["761 whoever * display-name * Alice the First"]
    );
    client.request("METADATA * SET avatar https://example.org/a.png");
    assert_eq!(
        without_tags(&client.request("METADATA * SUB display-name color")),
        ["770 whoever display-name color"]
    );
    assert_eq!(
        batch_lines(&client.request("METADATA * LIST"), "metadata *"),
        ["761 whoever * avatar * https://example.org/a.png", "761 whoever * display-name * Alice the First"]
    );
    assert_eq!(
        batch_lines(&client.request("METADATA * SUBS"), "metadata-subs"),
        ["772 whoever color display-name"]
    );
    assert_refused(&mut client, "METADATA bob SET color #123456", "FAIL METADATA INVALID_TARGET bob");
    assert_refused(&mut client, "METADATA * SET Color #123456", "FAIL METADATA INVALID_KEY Color");
    assert_refused(&mut client, "METADATA *", "461 whoever METADATA");
    client.authenticate_with_password("alice");
    let mut alice = client.finish_login();
    let all =
        ["761 * alice avatar * https://example.org/a.png", "761 * alice display-name * Alice the First"];
    assert_eq!(batch_lines(find_batch(&alice.welcome, "metadata alice"), "metadata alice"), all);
    let place = |start: &str| alice.welcome.iter().position(|line| line.starts_with(start)).expect(start);
    assert!(place("BATCH +m") < place("375 alice"), "before the end of the message of the day");
    assert_eq!(
        batch_lines(&alice.request("METADATA * SUBS"), "metadata-subs"),
        ["772 alice color display-name"]
    );

    // A client of the first draft gets messages, and an empty batch if there is nothing.
    let bob = Client::login_with(&server, "bob", METADATA_2);
    assert_eq!(batch_lines(find_batch(&bob.welcome, "metadata bob"), "metadata bob"), [] as [&str; 0]);
    let old = Client::login(&server, "alice");
    assert!(!old.welcome.iter().any(|line| line.param(1) == "metadata" || line.command == "METADATA"));

    let home = server.home.clone();
    server.kill9();
    let server = home.serve();
    let alice = Client::login_with(&server, "alice", METADATA_2);
    assert_eq!(
        batch_lines(find_batch(&alice.welcome, "metadata alice"), "metadata alice"),
        [
            "METADATA alice avatar * https://example.org/a.png",
            "METADATA alice display-name * Alice the First"
        ]
    );
}

/// "Notifications", "METADATA SET", "METADATA SUB", "METADATA UNSUB", "METADATA SYNC", "METADATA CLEAR"
#[test]
fn metadata_changes_reach_own_sessions_and_subscribers_only() {
    let server = server();
    let [mut alice, mut bob, mut carol] = log_in_and_join(&server, ["alice", "bob", "carol"], "#room");
    alice.request(&format!("CAP REQ :{METADATA_3}"));
    bob.request(&format!("CAP REQ :{METADATA_2}"));
    let mut phone = Client::login_with(&server, "alice", METADATA_2);
    assert_eq!(
        without_tags(&phone.request("METADATA * SUB color status")),
        ["770 alice color status", "774 alice #room 0", "774 alice alice 0"]
    );
    bob.request("METADATA * SUB color Bad status");
    assert_refused(&mut bob, "METADATA * SUB Bad", "FAIL METADATA KEY_INVALID Bad");
    alice.drain();
    assert_eq!(
        without_tags(&alice.request("@label=it METADATA * SET color #00ff00")),
        ["761 alice alice color * #00ff00"],
        "who did it has the answer and no news"
    );
    alice.request("METADATA * SET website https://example.org");
    for client in [&mut phone, &mut bob] {
        assert_eq!(
            without_tags(&client.drain()),
            ["METADATA alice color * #00ff00"],
            "not what they do not follow"
        );
    }
    assert_eq!(carol.drain(), [], "who does not know metadata hears nothing of it");
    let get = bob.request("METADATA alice GET color website nothing");
    assert_eq!(
        batch_lines(&get, "metadata alice"),
        [
            "761 bob alice color * #00ff00",
            "761 bob alice website * https://example.org",
            "766 bob alice nothing The key is not set"
        ]
    );
    assert_eq!(
        batch_lines(&bob.request("METADATA #room SYNC"), "metadata #room"),
        ["METADATA alice color * #00ff00"]
    );
    assert_refused(
        &mut bob,
        "METADATA alice SET color #ffffff",
        "FAIL METADATA KEY_NO_PERMISSION alice color",
    );
    assert_refused(&mut bob, "METADATA alice CLEAR", "FAIL METADATA KEY_NO_PERMISSION alice *");
    assert_refused(&mut bob, "METADATA nobody LIST", "FAIL METADATA INVALID_TARGET nobody");
    assert_refused(&mut bob, "METADATA alice EAT x", "FAIL METADATA SUBCOMMAND_INVALID EAT");
    assert_refused(
        &mut bob,
        &format!("METADATA * SET status :{}", "x".repeat(301)),
        "FAIL METADATA VALUE_INVALID",
    );
    assert_eq!(without_tags(&bob.request("METADATA * UNSUB color")), ["771 bob color"]);
    assert_eq!(batch_lines(&bob.request("METADATA * SUBS"), "metadata-subs"), ["772 bob status"]);
    assert_eq!(
        batch_lines(&alice.request("METADATA * CLEAR"), "metadata alice"),
        ["766 alice alice color The key is not set", "766 alice alice website The key is not set"]
    );
    assert_eq!(without_tags(&phone.drain()), ["METADATA alice color *"]);
    assert_eq!(bob.drain(), []);
    assert_eq!(batch_lines(&bob.request("METADATA alice LIST"), "metadata alice"), [] as [&str; 0]);
}

/// "Notifications": a session that monitors an account gets its values at the start, at changes, and when it comes
/// online.
#[test]
fn monitor_sends_metadata() {
    let server = server_with(&["sessions.grace_s = 0"]);
    let mut bob = Client::login_with(&server, "bob", METADATA_2);
    let mut carol = Client::login_with(&server, "carol", METADATA_3);
    let mut alice = Client::login_with(&server, "alice", METADATA_3);
    alice.request("METADATA * SET status :in the garden");
    alice.request("METADATA * SET website https://example.org");
    for client in [&mut bob, &mut carol] {
        client.request("METADATA * SUB status");
    }
    assert_eq!(
        without_tags(&bob.request("MONITOR + alice,nobody"))[1..],
        ["731 bob nobody", "METADATA alice status * in the garden"]
    );
    assert_eq!(without_tags(&carol.request("MONITOR + ALICE"))[1..], ["761 * alice status * in the garden"]);
    alice.request("METADATA * SET status :in the kitchen");
    assert_eq!(without_tags(&bob.drain()), ["METADATA alice status * in the kitchen"]);
    alice.send("QUIT");
    bob.wait_for_command("731");
    bob.request("MONITOR - alice");
    carol.wait_for_command("731");
    let _alice = Client::login(&server, "alice");
    assert!(carol.wait_for_command("730").text().starts_with("alice!"));
    assert_eq!(without_tags(&carol.drain()), ["761 * alice status * in the kitchen"]);
    assert_eq!(bob.drain(), []);
}

/// "Concepts": channels have metadata too; private keys (`soju.im/pinned`) follow the account to all its devices.
#[test]
fn channel_and_private_metadata_survive_restart() {
    let mut server = server();
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    for client in [&mut alice, &mut bob] {
        client.request(&format!("CAP REQ :{METADATA_3}"));
        client.request("METADATA * SUB homepage soju.im/pinned status");
    }
    assert_refused(
        &mut bob,
        "METADATA #room SET homepage x",
        "FAIL METADATA KEY_NO_PERMISSION #room homepage",
    );
    alice.request("METADATA #room SET homepage https://example.org/room");
    assert_eq!(without_tags(&bob.drain()), ["761 * #room homepage * https://example.org/room"]);
    assert_eq!(
        without_tags(&bob.request("METADATA #room SET soju.im/pinned 1")),
        ["761 bob #room soju.im/pinned private 1"]
    );
    bob.request("METADATA alice SET soju.im/pinned 1");
    bob.request("METADATA * SET status :here");
    assert_eq!(without_tags(&alice.drain()), ["761 * bob status * here"], "notes are nobody else's");

    let home = server.home.clone();
    server.kill9();
    let server = home.serve();
    let mut phone = Client::connect(&server);
    phone.begin_login("bob", METADATA_3);
    phone.request("METADATA * SUB homepage soju.im/pinned status");
    phone.authenticate_with_password("bob");
    let mut phone = phone.finish_login();
    let room = [
        "761 * #room homepage * https://example.org/room",
        "761 * #room soju.im/pinned private 1",
        "761 * alice soju.im/pinned private 1",
        "761 * bob status * here",
    ];
    let joined = without_tags(&phone.welcome);
    let first = joined.iter().position(|line| line == "JOIN #room").expect("the channel");
    for line in room {
        assert!(joined[first..].contains(&line.to_owned()), "{line} is not in {joined:?}");
    }
    assert_eq!(batch_lines(&phone.request("METADATA #room SYNC"), "metadata #room"), room);
    assert_eq!(batch_lines(&phone.request("METADATA *ALL SYNC"), "metadata *ALL").len(), room.len());

    let mut alice = Client::login_with(&server, "alice", METADATA_3);
    home.succeed(&["user", "remove", "--yes", "bob"]);
    phone.read_until_closed();
    assert_refused(&mut alice, "METADATA bob LIST", "FAIL METADATA INVALID_TARGET bob");
    for table in ["account_metadata", "private_metadata"] {
        assert_eq!(home.count(&format!("SELECT count(*) FROM {table}")), 0, "{table}");
    }
    home.run_with_input(&["user", "add", "bob", "--again", "--password-stdin"], "another password\n");
    let list = alice.request("METADATA bob LIST");
    assert_eq!(batch_lines(&list, "metadata bob"), [] as [&str; 0], "who comes back begins anew");
    assert_eq!(
        only_line(&alice.request("METADATA #room GET homepage"), "761").text(),
        "https://example.org/room"
    );
}

/// <https://ircv3.net/specs/extensions/metadata#rpl_whoiskeyvalue-numeric>
#[test]
fn whois_shows_metadata_with_the_capability() {
    let server = server();
    let mut alice = Client::login_with(&server, "alice", &format!("{ALL_CAPABILITIES} draft/metadata-2"));
    alice.request("METADATA * SET display-name :Alice A.");
    alice.request("METADATA * SET soju.im/pinned :1");
    for draft in ["draft/metadata-2", "draft/metadata-3"] {
        let mut bob = Client::login_with(&server, "bob", &format!("{ALL_CAPABILITIES} {draft}"));
        let lines = bob.request("WHOIS alice");
        let shown: Vec<_> =
            lines.iter().filter(|line| line.command == "760").map(ToString::to_string).collect();
        let [name, created] = &shown[..] else { panic!("{shown:?}") };
        assert_eq!(name, "760 bob alice display-name * Alice A.");
        assert!(created.starts_with("760 bob alice parlour/created * 2"), "{created}");
    }
    let mut carol = Client::login(&server, "carol");
    assert!(!carol.request("WHOIS alice").iter().any(|line| line.command == "760"));
}

/// Metadata of an invite-only channel is visible to members only, in every subcommand.
#[test]
fn invite_only_channel_metadata_requires_membership() {
    let server = server();
    let capabilities = format!("{ALL_CAPABILITIES} draft/metadata-2");
    let mut alice = Client::login_with(&server, "alice", &capabilities);
    let mut bob = Client::login_with(&server, "bob", &capabilities);
    bob.request("METADATA * SUB status");
    alice.request("JOIN #club");
    alice.request("METADATA #club SET status :closed circle");
    let ask = |bob: &mut Client, what: &str| bob.request(&format!("METADATA #club {what}"));
    assert!(ask(&mut bob, "LIST").iter().any(|line| line.starts_with("761 bob #club status")));
    alice.request("MODE #club +i");
    for what in ["LIST", "GET status", "SYNC", "SET status :mine", "CLEAR"] {
        let lines = ask(&mut bob, what);
        assert!(
            lines.len() == 1 && lines[0].starts_with("FAIL METADATA INVALID_TARGET #club"),
            "{what}: {lines:?}"
        );
    }
    alice.request("INVITE bob #club");
    bob.request("JOIN #club");
    assert!(ask(&mut bob, "GET status").iter().any(|line| line.text() == "closed circle"));
}
