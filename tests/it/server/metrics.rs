//! `parlour metrics`: the metrics of the running server.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::TcpStream;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::support::{Client, Home, Server, server};

/// Returns the metrics by their names with labels. Checks that each line follows the format and each metric is
/// documented.
#[track_caller]
fn read_metrics(server: &Server) -> BTreeMap<String, f64> {
    let text = server.home.succeed(&["metrics"]);
    assert!(text.ends_with('\n'), "{text}");
    let (mut helped, mut typed, mut numbers) = (Vec::new(), Vec::new(), BTreeMap::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            helped.extend(rest.split(' ').next());
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            // Readers of this format recognize a counter only if both its name and its type say so.
            let total = name.ends_with("_total");
            assert_eq!(kind, if total { "counter" } else { "gauge" }, "{line}");
            typed.push(name);
        } else {
            let (name, value) = line.rsplit_once(' ').expect(line);
            let family = name.split('{').next().unwrap_or(name);
            assert!(family.starts_with("parlour_"), "{line}");
            assert_eq!((helped.last(), typed.last()), (Some(&family), Some(&family)), "{line}");
            assert!(numbers.insert(name.to_owned(), value.parse().expect(line)).is_none(), "{line}");
        }
    }
    numbers
}

#[test]
fn counters_count_events() {
    let server = server();
    let before = read_metrics(&server);
    let (mut alice, mut bob) = (Client::login(&server, "alice"), Client::login(&server, "bob"));
    let _laptop = Client::login(&server, "bob");
    alice.request("JOIN #metered");
    bob.request("JOIN #metered");
    for text in ["one", "two", "three"] {
        alice.deliver_message(&mut bob, "#metered", text);
    }
    let mut carol = Client::connect(&server);
    carol.begin_login("carol", "");
    assert_eq!(carol.authenticate("carol", "not her password").command, "904");
    // A client without TLS; the server closes the connection.
    let mut stranger = TcpStream::connect(server.address).expect("a connection");
    stranger.write_all(b"GET / HTTP/1.1\r\n\r\n").expect("sent");
    let _ = std::io::copy(&mut stranger, &mut std::io::sink());
    let after = read_metrics(&server);
    let grown = |name: &str| after[name] - before.get(name).copied().unwrap_or_default();
    for (name, by) in [
        ("parlour_connections_total", 5.0),
        ("parlour_connections_open", 4.0),
        ("parlour_handshakes_failed_total", 1.0),
        (r#"parlour_logins_total{result="ok"}"#, 3.0),
        (r#"parlour_logins_total{result="refused"}"#, 1.0),
        (r#"parlour_logins_total{result="deferred"}"#, 0.0),
        (r#"parlour_messages_total{result="kept"}"#, 3.0),
        (r#"parlour_messages_total{result="refused"}"#, 0.0),
        (r#"parlour_commits_total{result="failed"}"#, 0.0),
        ("parlour_sessions", 3.0),
        ("parlour_accounts_online", 2.0),
        ("parlour_slow_clients_closed_total", 0.0),
        ("parlour_accounts", 0.0),
        ("parlour_channels", 1.0),
    ] {
        assert!((grown(name) - by).abs() < 0.5, "{name} grew by {}, not by {by}", grown(name));
    }
    assert!(grown(r#"parlour_commits_total{result="ok"}"#) >= 3.0);
}

#[test]
fn certificate_expiry_and_renewal_are_exported() {
    let server = server();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs_f64();
    let numbers = read_metrics(&server);
    let days = |name: &str| (numbers[name] - now) / 86_400.0;
    assert!((390.0..398.0).contains(&days("parlour_certificate_expiry_timestamp_seconds")), "{numbers:?}");
    assert!(days("parlour_root_expiry_timestamp_seconds") > 3000.0, "{numbers:?}");
    assert!(days("parlour_start_time_seconds") <= 0.1, "{numbers:?}");
    assert!((numbers["parlour_certificate_renews"] - 1.0).abs() < 0.5);
    std::fs::remove_file(server.home.path("certs/root.key")).expect("a key");
    server.signal("HUP");
    server.wait_for_log(|line| line.contains("were read again"));
    assert!(read_metrics(&server)["parlour_certificate_renews"].abs() < 0.5);
}

#[test]
fn metrics_without_a_server_fail() {
    let home = Home::with_accounts(&[]);
    let said = home.fail(&["metrics"]);
    assert!(said.contains("no server runs on this data folder; start it with `parlour serve`"), "{said}");
    // A killed server leaves its socket behind. A command that runs each minute must not take the folder's lock,
    // because a server that starts at that moment would find it taken.
    let mut killed = home.serve();
    killed.kill9();
    let lock = || std::fs::read_to_string(home.path("data/lock")).expect("the lock");
    let before = lock();
    assert!(home.path("data/control.sock").exists() && before.trim() == killed.pid().to_string());
    assert_eq!(home.fail(&["metrics"]), said);
    assert_eq!(lock(), before);
}
