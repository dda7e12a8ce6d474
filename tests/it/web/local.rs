//! `parlour web`: from the page's first message to lines of the server and back.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use super::browser::LocalSite;
use crate::support::script::server_with_joined_client;
use crate::support::{Client, PASSWORD, Process, assert_success, remove_devices, until};

#[test]
fn page_logs_in_by_the_key_of_this_machine_and_talks() {
    let server = server_with_joined_client();
    let site = LocalSite::start(&server.home, "dora", &[]);
    let (mut page, welcome) = site.open_page(None);
    let device = welcome["device"].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        welcome,
        json!({ "server": "127.0.0.1", "servers": ["127.0.0.1"], "account": "dora", "network": "127.0.0.1", "login": "external", "device": device })
    );
    page.log_in_by_device("dora");
    page.send("CERT LIST");
    assert!(
        page.wait_for(|line| line.contains("NOTE CERT CERT ")).contains(&format!(" {device} ")),
        "{device:?}"
    );
    let mut alice = Client::login(&server, "alice");
    alice.request("JOIN #room");
    page.send("JOIN #room");
    page.wait_for(|line| line.contains(" 366 "));
    page.send("PRIVMSG #room :grüße 👋 from the page");
    alice.wait_for_line("the page's message", |line| {
        line.params.last().is_some_and(|text| text == "grüße 👋 from the page")
    });
    alice.send("PRIVMSG #room :hello page");
    assert!(page.wait_for(|line| line.contains("hello page")).contains(":alice!"));
    // A ping between lines is answered and is no line.
    page.0.send(tungstenite::Message::Ping(b"x".as_slice().into())).expect("sent");
    page.send("PING end");
    page.wait_for(|line| line.contains("PONG") && line.contains("end"));
    // The browser saw no password and no key, and the process list has no token.
    let arguments = fs::read(format!("/proc/{}/cmdline", site.process.pid())).expect("/proc");
    assert!(!String::from_utf8_lossy(&arguments).contains(&site.token));
}

#[test]
fn wrong_token_gets_nothing() {
    let server = server_with_joined_client();
    let site = LocalSite::start(&server.home, "dora", &[]);
    let other = LocalSite::start(&server.home, "dora", &[]);
    let long = format!("{{\"token\":\"{}\"}}", "0".repeat(600));
    let connections = server.connections();
    for first in [
        json!({ "token": "0".repeat(64), "server": null }).to_string(),
        json!({ "token": other.token, "server": null }).to_string(),
        json!({ "token": site.token.to_uppercase(), "server": null }).to_string(),
        json!({ "token": site.token, "more": 1 }).to_string(),
        json!({ "server": null }).to_string(),
        "CAP LS 302".to_owned(),
        site.token.clone(),
        long,
    ] {
        let mut page = site.open();
        page.send(&first);
        let answer: serde_json::Value = serde_json::from_str(&page.next_text()).expect("JSON");
        assert_eq!(answer["retry"], false, "{first}");
        assert!(answer["error"].as_str().is_some_and(|text| text.contains("parlour web")), "{answer}");
        assert_eq!(page.wait_for_close(), Some(4401), "{first}");
    }
    assert_eq!(server.connections(), connections, "the server was reached without the token");
    assert_eq!(site.open_page(None).1["account"], "dora");
}

#[test]
fn page_that_says_nothing_is_closed() {
    let server = server_with_joined_client();
    let site = LocalSite::start(&server.home, "dora", &[]);
    let mut silent = site.open();
    // Pings are no message.
    silent.0.send(tungstenite::Message::Ping(b"x".as_slice().into())).expect("sent");
    assert_eq!(silent.wait_for_close(), Some(4401));
}

#[test]
fn page_learns_that_the_server_is_gone_and_comes_back() {
    let mut server = server_with_joined_client();
    let site = LocalSite::start(&server.home, "dora", &[]);
    let (mut page, _) = site.open_page(None);
    page.log_in_by_device("dora");
    server.kill9();
    assert_eq!(page.wait_for_close(), Some(4502));
    let (mut refused, answer) = site.open_page(None);
    assert_eq!(answer["retry"], true, "{answer}");
    assert!(answer["error"].as_str().is_some_and(|text| text.contains("nothing listens there")), "{answer}");
    assert_eq!(refused.wait_for_close(), Some(4502));
    let address = server.address.to_string();
    let _again = server.home.serve_at(&address);
    let (mut page, _) = site.open_page(None);
    page.log_in_by_device("dora");
}

#[test]
fn unknown_server_is_refused_for_good() {
    let server = server_with_joined_client();
    let site = LocalSite::start(&server.home, "dora", &[]);
    let (mut page, answer) = site.open_page(Some("elsewhere"));
    assert_eq!(answer["retry"], false);
    assert!(answer["error"].as_str().is_some_and(|text| text.contains("127.0.0.1")), "{answer}");
    assert_eq!(page.wait_for_close(), Some(4502));
    assert_eq!(site.open_page(Some("127.0.0.1")).1["account"], "dora");
}

#[test]
fn session_ends_with_its_page() {
    let server = server_with_joined_client();
    let site = LocalSite::start(&server.home, "dora", &[]);
    let (mut page, _) = site.open_page(None);
    page.log_in_by_device("dora");
    let sessions = || server.metric("parlour_connections_open");
    until(|| sessions() == 1, || format!("{} connections", sessions()));
    page.0.close(None).expect("closed");
    until(|| sessions() == 0, || format!("{} connections", sessions()));
    // A page that vanishes without a word.
    let (mut page, _) = site.open_page(None);
    page.log_in_by_device("dora");
    until(|| sessions() == 1, || format!("{} connections", sessions()));
    drop(page);
    until(|| sessions() == 0, || format!("{} connections", sessions()));
}

#[test]
fn refused_device_ends_the_command_and_interrupt_does_too() {
    let server = server_with_joined_client();
    let mut site = LocalSite::start(&server.home, "dora", &["--keep"]);
    site.process.signal("INT");
    assert!(site.process.wait().success());
    remove_devices(&server, "dora");
    let refused = server.home.run_as("dora", &["web", "--no-open"], "");
    let complaint = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && complaint.contains("refused the login"), "{complaint}");
}

#[test]
fn what_a_page_keeps_is_there_in_the_next_run() {
    let mut server = server_with_joined_client();
    let site = LocalSite::start(&server.home, "dora", &[]);
    let (mut page, kept) = site.open_state();
    assert_eq!(kept, json!({ "state": {} }));
    // Also while the server is away.
    server.kill9();
    page.send(r#"{"key":"draft:#tea","value":"{\"text\":\"half a thought\"}"}"#);
    page.send(r#"{"key":"settings","value":"{}"}"#);
    page.send(r#"{"key":"draft:nickserv","value":"{\"text\":\"identify secret\"}"}"#);
    page.send("nonsense");
    page.send(r##"{"key":"current","value":"#tea"}"##);
    let expected = json!({ "state": { "current": "#tea", "draft:#tea": "{\"text\":\"half a thought\"}", "settings": "{}" } });
    until(|| site.open_state().1 == expected, || format!("{}", site.open_state().1));
    let mut process = site.process;
    process.signal("INT");
    assert!(process.wait().success());
    let again = LocalSite::start(&server.home, "dora", &[]);
    assert_eq!(again.open_state().1, expected);
    // Who has no token reads nothing.
    let mut stranger = again.open();
    stranger.send(&json!({ "token": "0".repeat(64), "state": true }).to_string());
    assert!(stranger.next_text().contains("error"));
    assert_eq!(stranger.wait_for_close(), Some(4401));
}

#[test]
fn join_with_web_leads_to_the_page() {
    let server = server_with_joined_client();
    let link = server.home.invite(&[]);
    let mut joining = server
        .home
        .start_as_user("erin", &["join", &link, "--name", "erin", "--password-stdin", "--web", "--no-open"]);
    joining.type_line(PASSWORD);
    joining.wait_for_line(|line| line.starts_with("http://127.0.0.1:"));
    assert_success(&server.home.run_as("erin", &["send", "echo", "it has a key"], ""));
}

#[test]
fn browser_is_started_without_the_token_in_its_arguments() {
    let server = server_with_joined_client();
    let home = &server.home;
    // In place of the desktop's program that starts the browser.
    let folder = home.path("bin");
    fs::create_dir(&folder).expect("a folder");
    let script = folder.join("xdg-open");
    let copies = "#!/bin/sh\nls -l \"$1\" > file.txt\ncp \"$1\" opened.html\necho \"$@\" > arguments.new\nmv arguments.new arguments.txt\n";
    fs::write(&script, copies).expect("a script");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("executable");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = home.command(&["web"]);
    command.env("XDG_CONFIG_HOME", home.path("dora")).env("PATH", format!("{}:{path}", folder.display()));
    let process = Process::spawn(command);
    let line = process.wait_for_line(|line| line.contains("opens in the browser"));
    let url = line.split(' ').find(|word| word.starts_with("http://")).expect("the address");
    let (_, token) = url.split_once('#').expect("a token");
    until(|| home.path("arguments.txt").exists(), || "no browser was started".to_owned());
    let read = |name: &str| fs::read_to_string(home.path(name)).expect(name);
    assert!(read("opened.html").contains(&format!("0; url={url}")));
    assert!(!read("arguments.txt").contains(token), "{}", read("arguments.txt"));
    assert!(read("file.txt").starts_with("-rw-------"), "{}", read("file.txt"));
}
