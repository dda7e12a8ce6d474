//! `parlour metrics`: the metrics of the running server.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::support::{Client, Home, Server, server, server_with};
use crate::web::browser::{connect, exchange, request, status};

/// Returns the metrics by their names with labels. Checks that each line follows the format and each metric is
/// documented.
#[track_caller]
fn read_metrics(server: &Server) -> BTreeMap<String, f64> {
    parse_metrics(&server.home.succeed(&["metrics"]))
}

#[track_caller]
fn parse_metrics(text: &str) -> BTreeMap<String, f64> {
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
fn sizes_are_those_of_the_disk() {
    let server = server();
    let size = |file: &str| {
        let bytes = std::fs::metadata(server.home.path(file)).expect(file).len();
        f64::from(u32::try_from(bytes).expect("a small file"))
    };
    let numbers = read_metrics(&server);
    assert!((numbers["parlour_database_bytes"] - size("data/parlour.db")).abs() < 0.5, "{numbers:?}");
    assert!(numbers["parlour_search_index_bytes"] > 0.0);
    assert!(numbers["parlour_files"].abs() < 0.5 && numbers["parlour_files_bytes"].abs() < 0.5);
    let (free, all) = (numbers["parlour_disk_free_bytes"], numbers["parlour_disk_bytes"]);
    assert!(0.0 < free && free < all, "{free} of {all}");
}

#[test]
fn prometheus_reads_the_metrics_on_this_machine() {
    let server = server_with(&["metrics.listen = \"127.0.0.1:0\""]);
    let line = server.wait_for_log(|line| line.contains("for Prometheus"));
    let address: SocketAddr = line.split(' ').find_map(|word| word.parse().ok()).expect(&line);
    let get = |path: &str, host: &str| {
        let head = request(&format!("GET {path} HTTP/1.1"), &[&format!("Host: {host}")]);
        exchange(&mut connect(address), &head)
    };
    let response = get("/metrics", &format!("localhost:{}", address.port()));
    let (head, body) = response.split_once("\r\n\r\n").expect("a head");
    assert_eq!(status(&response), 200, "{head}");
    assert!(head.to_lowercase().contains("content-type: text/plain; version=0.0.4"), "{head}");
    assert!((parse_metrics(body)["parlour_store_writable"] - 1.0).abs() < 0.5);
    assert_eq!(status(&get("/", &address.to_string())), 404);
    // A page elsewhere whose name leads here.
    assert_eq!(status(&get("/metrics", "evil.example")), 421);
}

/// Returns the names of our metrics in a text.
fn names_in(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("parlour_")).collect()
}

#[test]
fn dashboard_and_alerts_name_metrics_that_exist() {
    let server = server_with(&["limits.login_timeout_s = 1"]);
    // Reasons of refusals are known from the first one on.
    Client::connect(&server).read_until_closed();
    let text = server.home.succeed(&["metrics"]);
    let known: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next()).collect();
    for (file, text) in [
        ("dashboard.json", include_str!("../../../docs/monitoring/dashboard.json")),
        ("alerts.yml", include_str!("../../../docs/monitoring/alerts.yml")),
    ] {
        let used = names_in(text);
        assert!(used.len() > 5, "{file}: {used:?}");
        let unknown: Vec<_> = used.difference(&known).collect();
        assert!(unknown.is_empty(), "{file}: {unknown:?} are none of {known:?}");
    }
    let dashboard: serde_json::Value =
        serde_json::from_str(include_str!("../../../docs/monitoring/dashboard.json")).expect("JSON");
    assert!(dashboard["panels"].as_array().is_some_and(|panels| panels.len() > 10));
    let alerts: serde_json::Value =
        serde_norway::from_str(include_str!("../../../docs/monitoring/alerts.yml")).expect("YAML");
    for rule in alerts["groups"][0]["rules"].as_array().expect("rules") {
        for key in ["alert", "expr"] {
            assert!(rule[key].is_string(), "{rule}");
        }
        assert!(
            rule["labels"]["severity"].is_string() && rule["annotations"]["summary"].is_string(),
            "{rule}"
        );
    }
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
