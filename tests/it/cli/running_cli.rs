//! Commands about the running server and its configuration: `session`, `status`, `reload`, `config`.

use std::fs;

use serde_json::Value;

use crate::support::{Client, Home, server, server_with};

fn object(text: &str) -> Value {
    serde_json::from_str(text.trim_end()).expect(text)
}

#[test]
fn sessions_are_listed_with_their_addresses_and_closed() {
    let server = server();
    let home = &server.home;
    let (mut alice, mut bob) = (Client::login(&server, "alice"), Client::login(&server, "bob"));
    let (_second, carol) = (Client::login(&server, "alice"), Client::login(&server, "carol"));
    let list = |args: &[&str]| -> Vec<Value> {
        home.succeed(&[&["session", "list", "--json"], args].concat()).lines().map(object).collect()
    };
    assert_eq!(list(&[]).len(), 4);
    let of_bob = list(&["--account", "bob"]);
    assert_eq!((&of_bob[0]["address"], &of_bob[0]["device"]), (&"127.0.0.1".into(), &Value::Null));
    let id = of_bob[0]["id"].as_str().expect("an id").to_owned();
    home.succeed(&["session", "close", &id, "--reason", "update your client"]);
    assert!(bob.read_until_closed().last().expect("an ERROR").text().contains("update your client"));
    assert!(home.fail(&["session", "close", &id]).contains("there is no session"));
    home.succeed(&["session", "close", "--account", "alice"]);
    assert!(list(&["--account", "bob"]).is_empty(), "that account has no session any more");
    assert!(home.fail(&["session", "list", "--account", "nobody"]).contains("there is no account nobody"));
    alice.read_until_closed();
    let left = list(&[]);
    assert_eq!((left.len(), &left[0]["account"]), (1, &"carol".into()));
    assert!(home.succeed(&["audit", "--text", "session close"]).lines().count() == 4);
    drop(carol);
    let home = home.clone();
    server.terminate();
    assert!(home.fail(&["session", "list"]).contains("no server runs"));
}

#[test]
fn status_tells_of_people_rates_and_sizes_with_and_without_a_server() {
    let server = server();
    let home = server.home.clone();
    let (mut alice, mut bob) = (Client::login(&server, "alice"), Client::login(&server, "bob"));
    alice.request("JOIN #room");
    bob.request("JOIN #room");
    alice.deliver_message(&mut bob, "#room", "hello");
    let status = object(&home.succeed(&["status", "--json"]));
    let running = &status["running"];
    assert_eq!((&running["accounts_online"], &running["sessions"]), (&2.into(), &2.into()));
    assert_eq!((&running["messages_stored"], &running["last_minute"]["messages"]), (&1.into(), &1.into()));
    assert!(running["last_minute"]["commit_slowest_us"].as_u64() > Some(0));
    assert_eq!((&running["store_writable"], &running["certificate"]["renews"]), (&true.into(), &true.into()));
    assert!(status["storage"]["database_bytes"].as_u64() > Some(0));
    assert!(status["storage"]["disk_free_bytes"].as_u64() > Some(0));
    let text = home.succeed(&["status"]);
    assert!(text.contains("accounts      3, 2 of them online\n"), "{text}");
    assert!(text.contains("last backup   none; parlour backup FILE makes one\n"), "{text}");
    assert_eq!(status["last_backup"], Value::Null);
    home.succeed(&["backup", "--no-secrets", "x.backup"]);
    let last = &object(&home.succeed(&["status", "--json"]))["last_backup"];
    assert!(last["age_s"].as_u64() < Some(3600) && last["bytes"].as_u64() > Some(0), "{last}");
    assert_eq!(last["secrets"], false);
    server.terminate();
    let status = object(&home.succeed(&["status", "--json"]));
    assert_eq!(
        (&status["running"], &status["accounts"], &status["channels"]),
        (&Value::Null, &3.into(), &1.into())
    );
    let text = home.succeed(&["status"]);
    assert!(text.starts_with("server        does not run"), "{text}");
    assert!(
        text.contains(" ago (") && text.contains("without secrets, to ") && text.contains("x.backup"),
        "{text}"
    );
}

#[test]
fn reload_names_what_changed_and_what_needs_a_restart() {
    let server = server_with(&["motd = \"old\""]);
    let home = &server.home;
    assert_eq!(home.succeed(&["reload"]), "nothing has changed\n");
    let file = home.path("parlour.toml");
    let before = fs::read_to_string(&file).expect("the configuration");
    let after = before.replace("motd = \"old\"", "motd = \"new\"\nname = \"Elsewhere\"\nannounce = true");
    fs::write(&file, &after).expect("written");
    let reloaded = object(&home.succeed(&["reload", "--json"]));
    let changes: Vec<String> = reloaded["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .map(|change| format!("{} {} {}", change["key"], change["new"], change["needs_restart"]))
        .collect();
    assert_eq!(
        changes,
        [r#""announce" "true" true"#, r#""motd" "\"new\"" false"#, r#""name" "\"Elsewhere\"" false"#,]
    );
    server.wait_for_log(|line| {
        line.contains("read again: changed: motd, name; only after a restart: announce")
    });
    let audit = object(&home.succeed(&["audit", "1", "--json"]));
    assert_eq!((&audit["by"], &audit["action"]), (&Value::Null, &"server reload".into()), "{audit}");
    assert_eq!(audit["detail"], "changed: motd, name; only after a restart: announce");
    let mut alice = Client::login(&server, "alice");
    let motd = alice.request("MOTD");
    assert!(motd.iter().any(|line| line.text().contains("new")), "{motd:?}");
    let again = home.succeed(&["reload"]);
    assert!(again.contains("announce  false            true         after a restart\n"), "{again}");
    fs::write(&file, after + "\nwrong = 1\n").expect("written");
    let refused = home.fail(&["reload"]);
    assert!(refused.contains("wrong") && refused.contains("nothing was changed"), "{refused}");
}

#[test]
fn config_is_checked_and_shown_without_a_server() {
    let home = Home::new(&["history.keep_days = 30"]);
    let checked = home.succeed(&["config", "check"]);
    assert!(checked.starts_with("parlour.toml is right; not at its default: "), "{checked}");
    assert!(checked.contains("history.keep_days"), "{checked}");
    let shown = object(&home.succeed(&["config", "show", "--json"]));
    assert_eq!((&shown["history"]["keep_days"], &shown["history"]["replay"]), (&30.into(), &100.into()));
    let text = home.succeed(&["config", "show"]);
    fs::write(home.path("shown.toml"), text).expect("written");
    home.succeed(&["config", "check", "shown.toml"]);
    let example = home.succeed(&["config", "example"]);
    fs::write(home.path("example.toml"), example).expect("written");
    let checked = home.succeed(&["config", "check", "example.toml"]);
    assert_eq!(checked, "example.toml is right; all keys have their defaults\n");
    fs::write(home.path("wrong.toml"), "[historic]\n").expect("written");
    fs::write(home.path("backup.toml"), "[backup]\nfolder = 'backups'\npassphrase_file = 'missing'\n")
        .expect("written");
    assert!(home.fail(&["config", "check", "backup.toml"]).contains("missing"));
    assert!(home.fail(&["config", "check", "wrong.toml"]).contains("did you mean `history`"));
}
