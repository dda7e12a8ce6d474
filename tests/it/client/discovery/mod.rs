//! Servers that announce themselves, and clients that look for a server that moved, between network namespaces of each
//! test's own. No packet of these tests reaches a real network.

mod helper;
mod invite_addresses;

use std::fs;
use std::process::{Command, Output, Stdio};

use parlour::trust::Pin;

use crate::support::{Home, Lan, PASSWORD, Process, Server, assert_success, run_to_end};

/// Machine of the server, and machine of its clients.
const SERVER: usize = 0;
const CLIENT: usize = 1;

/// Starts a server and waits until it is announced on the network.
#[track_caller]
fn announced_server(lan: &Lan, home: &Home, address: &str) -> Server {
    let server = lan.serve(SERVER, home, &["--announce", "--listen", address]);
    server.wait_for_log(|line| line.contains("announced on the local network"));
    server
}

/// Runs a client to its end, with alice's password on its standard input.
fn run_client(lan: &Lan, home: &Home, args: &[&str]) -> Output {
    run_with_password(lan.parlour(CLIENT, home, &[args, &["--password-stdin"]].concat()))
}

fn run_with_password(mut command: Command) -> Output {
    run_to_end(&mut command, format!("{PASSWORD}\n").as_bytes())
}

#[track_caller]
fn error_text(output: &Output) -> String {
    // The second code is that of script commands for an unreachable server.
    assert!(matches!(output.status.code(), Some(1 | 4)), "{output:?}");
    text(&output.stderr)
}

fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

/// Connects alice once, so that the client knows the server.
#[track_caller]
fn join_server(lan: &Lan, home: &Home, address: &str, pin: Pin) {
    assert_success(&run_client(lan, home, &["chat", address, "--name", "alice", "--pin", &pin.to_string()]));
}

/// Returns the addresses of the only server that the client knows.
fn known_servers(home: &Home) -> String {
    let file = fs::read_to_string(home.path("config/parlour/servers.toml")).expect("servers.toml");
    file.lines().find(|line| line.starts_with("addresses")).expect("addresses").to_owned()
}

/// Returns the output of `parlour discover`, or its standard error if it fails.
fn run_discover(lan: &Lan, home: &Home, args: &[&str]) -> Result<String, String> {
    let args = [&["discover", "--wait", "2"], args].concat();
    let output = lan.parlour(CLIENT, home, &args).output().expect("parlour starts");
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(error_text(&output)) }
}

#[test]
fn server_is_announced_until_its_goodbye() {
    let Some(lan) = Lan::new() else { return };
    let home = Home::with_accounts(&["name = \"Den\"", "announce = true"]);
    let listener = helper::start(&lan, CLIENT, &home, helper::listen, &[]);
    let server = lan.serve(SERVER, &home, &["--listen", "0.0.0.0:6697"]);
    let pin = server.pin();
    listener.wait_for_line(|line| line == "here: Den._parlour._tcp.local. old: none");
    let expected = format!("NAME  ADDRESSES       KNOWN AS  PIN\nDen   10.77.0.1:6697  -         {pin}\n");
    assert_eq!(run_discover(&lan, &home, &[]), Ok(expected));
    join_server(&lan, &home, "10.77.0.1:6697", pin);
    let object: serde_json::Value =
        serde_json::from_str(&run_discover(&lan, &home, &["--json"]).expect("heard")).expect("an object");
    let expected = serde_json::json!({
        "name": "Den",
        "addresses": ["10.77.0.1:6697"],
        "pin": pin.to_string(),
        "version": env!("CARGO_PKG_VERSION"),
        "known": ["10.77.0.1"],
    });
    assert_eq!(object, expected);

    let (status, log) = server.terminate();
    assert!(status.success(), "{log}");
    listener.wait_for_line(|line| line == "gone: Den._parlour._tcp.local.");
    assert_eq!(
        run_discover(&lan, &home, &[]),
        Err("parlour: no server was heard within 2 seconds; is this its network, and does it run with --announce?\n"
            .to_owned())
    );
}

#[test]
fn loopback_server_is_not_announced() {
    let Some(lan) = Lan::new() else { return };
    let home = Home::with_accounts(&["name = \"Den\""]);
    let listener = helper::start(&lan, CLIENT, &home, helper::listen, &[]);
    let quiet = lan.serve(SERVER, &home, &["--announce", "--listen", "127.0.0.1:6697"]);
    let said = quiet.wait_for_log(|line| line.contains("not announced"));
    assert!(said.contains("the server listens on the loopback alone"), "{said}");
    assert!(quiet.terminate().0.success());
    // A server that also listens on the network announces its network addresses only.
    let server =
        lan.serve(SERVER, &home, &["--announce", "--listen", "127.0.0.1:6697", "--listen", "10.77.0.1:7000"]);
    listener.wait_for_line(|line| line.starts_with("here: "));
    assert_eq!(
        run_discover(&lan, &home, &[]),
        Ok(format!(
            "NAME  ADDRESSES       KNOWN AS  PIN\nDen   10.77.0.1:7000  -         {}\n",
            server.pin()
        ))
    );
}

#[test]
fn moved_server_is_found_by_its_pin() {
    let Some(lan) = Lan::new() else { return };
    let home = Home::with_accounts(&[]);
    let server = lan.serve(SERVER, &home, &["--listen", "10.77.0.1:6697"]);
    join_server(&lan, &home, "10.77.0.1:6697", server.pin());
    // A client with its own file of known servers, which stays connected.
    let (pin, server_option) = (server.pin().to_string(), ["--server", "10.77.0.1:6697"]);
    let tail = [&["tail", "#lobby", "--password-stdin", "--name", "bob", "--pin", &pin], &server_option[..]]
        .concat();
    let mut tail = lan.parlour(CLIENT, &home, &tail);
    tail.env("XDG_CONFIG_HOME", home.path("bob")).stdin(Stdio::piped());
    let mut tail = Process::spawn(tail);
    tail.type_line(PASSWORD);
    tail.wait_for_line(|line| line.contains("you joined"));
    assert!(server.terminate().0.success());
    assert_eq!(known_servers(&home), r#"addresses = ["10.77.0.1:6697"]"#);

    // Without an announcement on the network, and with one that the client must not look for.
    let lost = error_text(&run_client(&lan, &home, &["send", "#lobby", "lost"]));
    assert!(
        lost.contains("10.77.0.1:6697: nothing listens there; nor is it announced on this network; "),
        "{lost}"
    );
    lan.ip(SERVER, "addr add 10.77.0.9/24 dev lan").expect("another address");
    let server = announced_server(&lan, &home, "10.77.0.9:7000");
    let mut blind = lan.parlour(CLIENT, &home, &["send", "#lobby", "lost", "--password-stdin"]);
    blind.env("PARLOUR_DISCOVERY", "off");
    let lost = error_text(&run_with_password(blind));
    assert!(lost.contains("10.77.0.1:6697: nothing listens there; is the server running"), "{lost}");
    assert_eq!(known_servers(&home), r#"addresses = ["10.77.0.1:6697"]"#);

    assert_success(&run_client(&lan, &home, &["send", "#lobby", "--create", "found"]));
    assert_eq!(known_servers(&home), r#"addresses = ["10.77.0.9:7000", "10.77.0.1:6697"]"#);
    // A client that was connected all the time finds it too.
    tail.wait_for_line(|line| line == "-- reconnected");
    assert_success(&run_client(&lan, &home, &["send", "#lobby", "--create", "found by all"]));
    tail.wait_for_line(|line| line.ends_with("<alice> found by all"));
    drop(server);
}

#[test]
fn rotating_server_is_found_by_its_old_pin() {
    let Some(lan) = Lan::new() else { return };
    let home = Home::with_accounts(&[]);
    let listener = helper::start(&lan, CLIENT, &home, helper::listen, &[]);
    let server = announced_server(&lan, &home, "10.77.0.1:6697");
    let old = server.pin();
    join_server(&lan, &home, "10.77.0.1:6697", old);
    // The running server announces its new root.
    home.succeed(&["certs", "rotate"]);
    assert_ne!(server.pin(), old);
    listener.wait_for_line(|line| line.ends_with(&format!("old: {old}")));
    assert!(server.terminate().0.success());

    let server = announced_server(&lan, &home, "10.77.0.1:7000");
    assert_success(&run_client(&lan, &home, &["send", "#lobby", "--create", "found"]));
    assert_eq!(known_servers(&home), r#"addresses = ["10.77.0.1:7000", "10.77.0.1:6697"]"#);
    let listed = run_discover(&lan, &home, &[]).expect("heard");
    assert!(listed.contains(&format!("10.77.0.1:7000  10.77.0.1  {}", server.pin())), "{listed}");
}

#[test]
fn announced_impostor_receives_nothing() {
    let Some(lan) = Lan::new() else { return };
    let home = Home::with_accounts(&["name = \"Den\""]);
    let server = lan.serve(SERVER, &home, &["--listen", "10.77.0.1:6697"]);
    let pin = server.pin();
    join_server(&lan, &home, "10.77.0.1:6697", pin);
    assert!(server.terminate().0.success());
    lan.ip(SERVER, "addr add 10.77.0.66/24 dev lan").expect("another address");
    let poser =
        helper::start(&lan, SERVER, &home, helper::pose, &[("PIN", &pin.to_string()), ("IP", "10.77.0.66")]);
    poser.wait_for_line(|line| line == "poses");

    // It is listed like any server, under the name that it claims.
    let all = run_discover(&lan, &home, &[]).expect("heard");
    assert!(all.contains(&format!("Den   10.77.0.66:6697  10.77.0.1  {pin}")), "{all}");
    let refused = error_text(&run_client(&lan, &home, &["send", "#lobby", "--create", "secret"]));
    assert!(
        refused.contains("nothing listens there; 10.77.0.66:6697 on this network poses as it; "),
        "{refused}"
    );
    let told = poser.wait_for_line(|line| line.starts_with("it said"));
    assert!(told.starts_with("it said 0 bytes: Err("), "{told}");
    assert_eq!(known_servers(&home), r#"addresses = ["10.77.0.1:6697"]"#);

    // It does not keep the client from the real server either.
    lan.ip(SERVER, "addr add 10.77.0.9/24 dev lan").expect("another address");
    let _server = announced_server(&lan, &home, "10.77.0.9:6697");
    assert_success(&run_client(&lan, &home, &["send", "#lobby", "--create", "secret"]));
    assert_eq!(known_servers(&home), r#"addresses = ["10.77.0.9:6697", "10.77.0.1:6697"]"#);
    assert!(!poser.printed().contains("it said 0 bytes: Ok"), "{}", poser.printed());
}

#[test]
fn malicious_announcements_are_dropped_or_escaped() {
    let Some(lan) = Lan::new() else { return };
    let home = Home::new(&[]);
    let pin = Pin::new([7; 32]).to_string();
    let liar = helper::start(&lan, SERVER, &home, helper::lie, &[("PIN", &pin), ("IP", "10.77.0.1")]);
    liar.wait_for_line(|line| line == "lies");
    let all = run_discover(&lan, &home, &[]).expect("heard");
    assert_eq!(
        all,
        format!("NAME    ADDRESSES       KNOWN AS  PIN\ngnpexe  10.77.0.1:6697  -         {pin}\n")
    );
    let object = run_discover(&lan, &home, &["--json"]).expect("heard");
    let object: serde_json::Value = serde_json::from_str(&object).expect("one object");
    assert_eq!((&object["name"], &object["version"]), (&"gnpexe".into(), &serde_json::Value::Null));
}
