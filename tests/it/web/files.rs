//! Files: uploads, who may read them, and when they end.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parlour::trust::{Pin, tls};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use sha2::{Digest as _, Sha256};

use super::browser::{connect, exchange, request, status};
use crate::support::{Client, Home, PASSWORD, Server, WAIT_TIMEOUT};

/// The first bytes of a picture.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A server that takes files, with alice, bob and carol.
pub fn file_home() -> Home {
    Home::with_accounts(&["files.enabled = true", "files.max_mib = 1", "files.quota_mib = 2"])
}

#[track_caller]
pub fn open(server: &Server) -> StreamOwned<ClientConnection, TcpStream> {
    let mut config = (*tls::client_config(server.pin())).clone();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a configuration");
    StreamOwned::new(connection, connect(server.address))
}

pub fn basic(name: &str) -> String {
    format!("Authorization: Basic {}", STANDARD.encode(format!("{name}:{PASSWORD}")))
}

/// Sends a request with a body. Returns the response.
#[track_caller]
pub fn send(server: &Server, first_line: &str, headers: &[&str], body: &[u8]) -> String {
    let (host, length) = (format!("Host: {}", server.address), format!("Content-Length: {}", body.len()));
    let head = request(first_line, &[&[&*host, &*length], headers].concat());
    let mut stream = open(server);
    stream.write_all(head.as_bytes()).expect("sent");
    // A refusal may come before the body was sent.
    let _ = stream.write_all(body).and_then(|()| stream.flush());
    let mut response = Vec::new();
    let _ = stream.read_to_end(&mut response);
    String::from_utf8_lossy(&response).into_owned()
}

#[track_caller]
fn upload(server: &Server, name: &str, file: &str, body: &[u8]) -> String {
    let disposition = format!("Content-Disposition: attachment; filename=\"{file}\"");
    let response = send(server, "POST /upload HTTP/1.1", &[&basic(name), &disposition], body);
    assert_eq!(status(&response), 201, "{response}");
    header(&response, "location").expect("an address")
}

pub fn header(response: &str, name: &str) -> Option<String> {
    let head = response.split("\r\n\r\n").next()?;
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).next()
}

/// Gets an address, as an account or a stranger.
#[track_caller]
pub fn get(server: &Server, url: &str, headers: &[&str]) -> String {
    let path = url.strip_prefix(&format!("https://{}", server.address)).expect("an address here");
    let host = format!("Host: {}", server.address);
    exchange(&mut open(server), &request(&format!("GET {path} HTTP/1.1"), &[&[&*host], headers].concat()))
}

#[track_caller]
fn may_read(server: &Server, url: &str, name: &str) -> bool {
    match status(&get(server, url, &[&basic(name)])) {
        200 => true,
        404 => false,
        other => panic!("{other}"),
    }
}

/// The contents on disk.
pub fn contents(home: &Home) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let folders = fs::read_dir(home.path("data/files")).into_iter().flatten();
    for folder in folders.map(|entry| entry.expect("an entry").path()) {
        found.extend(fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()));
    }
    found
}

#[track_caller]
pub fn share(client: &mut Client, target: &str, url: &str) -> String {
    client.send(&format!("PRIVMSG {target} :see {url}"));
    let line = client.wait_for_line("the echo", |line| line.text().contains(url));
    line.tag("msgid").expect("a msgid").to_owned()
}

#[test]
fn a_shared_file_is_for_the_readers_of_its_conversation_until_it_is_taken_back() {
    let home = file_home();
    let server = home.serve();
    let [mut alice, mut bob] = ["alice", "bob"].map(|name| Client::login(&server, name));
    for client in [&mut alice, &mut bob] {
        client.request("JOIN #room");
    }
    let url = upload(&server, "alice", "my photo.png", PNG);
    assert!(url.ends_with("/my%20photo.png"), "{url}");
    // Nobody but the owner before it is shared.
    assert_eq!(["alice", "bob", "carol"].map(|name| may_read(&server, &url, name)), [true, false, false]);
    assert_eq!(status(&get(&server, &url, &[])), 401);
    let msgid = share(&mut alice, "#room", &url);
    assert_eq!(["alice", "bob", "carol"].map(|name| may_read(&server, &url, name)), [true, true, false]);
    let response = get(&server, &url, &[&basic("bob")]);
    assert!(response.ends_with("PNG\r\n\u{1a}\n"), "{response}");
    assert_eq!(header(&response, "content-type").as_deref(), Some("image/png"));
    assert!(header(&response, "content-disposition").expect("a name").starts_with("inline; "));
    assert!(header(&response, "content-security-policy").expect("a policy").contains("sandbox"));
    let part = get(&server, &url, &[&basic("bob"), "Range: bytes=1-3"]);
    assert!(status(&part) == 206 && part.ends_with("\r\n\r\nPNG"), "{part}");
    // Members who leave the channel can no longer read its files.
    bob.request("PART #room");
    assert!(!may_read(&server, &url, "bob"));
    // Another file with the same bytes keeps them when the first is taken back.
    let other = upload(&server, "alice", "again.png", PNG);
    assert_eq!(contents(&home).len(), 1);
    alice.request(&format!("REDACT #room {msgid}"));
    assert_eq!([&url, &other].map(|url| may_read(&server, url, "alice")), [false, true]);
    let msgid = share(&mut alice, "bob", &other);
    assert_eq!(["alice", "bob", "carol"].map(|name| may_read(&server, &other, name)), [true, true, false]);
    alice.request(&format!("REDACT bob {msgid}"));
    assert!(!may_read(&server, &other, "alice"));
    // The bytes go in the background.
    let begun = Instant::now();
    while !contents(&home).is_empty() {
        assert!(begun.elapsed() < WAIT_TIMEOUT, "{:?}", contents(&home));
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn files_survive_a_kill_and_their_restart() {
    let home = file_home();
    let mut server = home.serve();
    let mut alice = Client::login(&server, "alice");
    alice.request("JOIN #room");
    let url = upload(&server, "alice", "a.txt", b"one");
    share(&mut alice, "#room", &url);
    let unshared = upload(&server, "alice", "b.txt", b"two");
    let address = server.address.to_string();
    server.kill9();
    let server = home.serve_at(&address);
    for (url, content) in [(&url, "one"), (&unshared, "two")] {
        let response = get(&server, url, &[&basic("alice")]);
        assert!(response.ends_with(&format!("\r\n\r\n{content}")), "{response}");
    }
}

/// Uploads that are answered before the server is killed for the last time.
const UPLOADS: usize = 1000;

/// Uploads a file. Returns its path if that was answered.
fn try_upload(address: SocketAddr, pin: Pin, name: &str, body: &[u8]) -> Option<String> {
    let mut config = (*tls::client_config(pin)).clone();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let connection =
        ClientConnection::new(Arc::new(config), ServerName::from(address.ip())).expect("a configuration");
    let mut stream = StreamOwned::new(connection, TcpStream::connect(address).ok()?);
    let (host, length) = (format!("Host: {address}"), format!("Content-Length: {}", body.len()));
    let head = request("POST /upload HTTP/1.1", &[&host, &length, &basic(name)]);
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).ok()?;
    let mut response = Vec::new();
    let _ = stream.read_to_end(&mut response);
    let response = String::from_utf8_lossy(&response);
    let location = header(&response, "location").filter(|_| response.starts_with("HTTP/1.1 201 "))?;
    Some(location.splitn(4, '/').nth(3)?.to_owned())
}

#[test]
fn what_was_answered_survives_kills_and_nothing_is_half_there() {
    let home = Home::with_accounts(&["files.enabled = true"]);
    let answered = Mutex::new(Vec::new());
    let mut address = "127.0.0.1:0".to_owned();
    for round in 1..=4 {
        let mut server = home.serve_at(&address);
        address = server.address.to_string();
        let (socket, pin) = (server.address, server.pin());
        thread::scope(|scope| {
            for name in ["alice", "bob", "carol"] {
                let answered = &answered;
                scope.spawn(move || {
                    for n in 0.. {
                        let body = format!("{name} {round} {n} ").repeat(1 + n * 37 % 300).into_bytes();
                        let Some(path) = try_upload(socket, pin, name, &body) else { return };
                        answered.lock().expect("no panic").push((name, path, body));
                    }
                });
            }
            while answered.lock().expect("no panic").len() < UPLOADS / 4 * round {
                thread::sleep(Duration::from_millis(1));
            }
            server.kill9();
        });
    }
    let server = home.serve_at(&address);
    let answered = answered.into_inner().expect("no panic");
    assert!(answered.len() >= UPLOADS);
    // One that was added without an answer may be there too, but none whose content is not.
    let whole = contents(&home)
        .into_iter()
        .filter(|path| !path.parent().is_some_and(|folder| folder.ends_with("incoming")));
    for path in whole {
        let hash = Sha256::digest(fs::read(&path).expect("a content"));
        let name = hash.iter().fold(String::new(), |name, byte| name + &format!("{byte:02x}"));
        assert_eq!(path.file_name().and_then(|name| name.to_str()), Some(&*name));
    }
    for (name, path, body) in &answered {
        let response = get(&server, &format!("https://{}/{path}", server.address), &[&basic(name)]);
        assert!(response.as_bytes().ends_with(body), "{path}");
    }
}

#[test]
fn limits_are_kept_and_leave_nothing() {
    let home = file_home();
    let server = home.serve();
    let mib = 1 << 20;
    let refused = |body: &[u8], headers: &[&str]| {
        let login = basic("alice");
        status(&send(&server, "POST /upload HTTP/1.1", &[&[&*login], headers].concat(), body))
    };
    assert_eq!(refused(&vec![1; mib + 1], &[]), 413);
    upload(&server, "alice", "one", &vec![1; mib]);
    upload(&server, "alice", "two", &vec![2; mib]);
    assert_eq!(refused(b"x", &[]), 507);
    assert_eq!(contents(&home).len(), 2);
    // Another account has a quota of its own.
    upload(&server, "bob", "three", b"x");
    // In chunks, the limit is met in the middle of the body.
    let login = basic("carol");
    let host = format!("Host: {}", server.address);
    let mut stream = open(&server);
    let head = request("POST /upload HTTP/1.1", &[&host, &login, "Transfer-Encoding: chunked"]);
    stream.write_all(head.as_bytes()).expect("sent");
    let chunk = [b"10000\r\n".to_vec(), vec![3; 0x10000], b"\r\n".to_vec()].concat();
    for _ in 0..17 {
        if stream.write_all(&chunk).is_err() {
            break;
        }
    }
    let _ = stream.write_all(b"0\r\n\r\n").and_then(|()| stream.flush());
    let mut response = Vec::new();
    let _ = stream.read_to_end(&mut response);
    assert_eq!(status(&String::from_utf8_lossy(&response)), 413);
    // A body that ends early is no file.
    let mut stream = open(&server);
    let head = request("POST /upload HTTP/1.1", &[&host, &login, "Content-Length: 1000"]);
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(b"half")).expect("sent");
    stream.conn.send_close_notify();
    let _ = stream.flush();
    stream.sock.shutdown(std::net::Shutdown::Write).expect("shut");
    let _ = stream.read_to_end(&mut Vec::new());
    assert_eq!(contents(&home).len(), 3, "{:?}", contents(&home));
}

#[test]
fn only_a_proven_account_uploads_and_never_from_another_page() {
    let home = file_home();
    let server = home.serve();
    let post = |headers: &[&str]| send(&server, "POST /upload HTTP/1.1", headers, b"x");
    let wrong = format!("Authorization: Basic {}", STANDARD.encode("alice:wrong"));
    for headers in
        [&[][..], &[&*wrong], &["Authorization: Bearer AAAAAAAAAAAAAAAAAAAAAA"], &["Authorization: x"]]
    {
        let response = post(headers);
        assert_eq!(status(&response), 401, "{headers:?}: {response}");
    }
    let challenge = |headers: &[&str]| header(&post(headers), "www-authenticate").expect("a challenge");
    assert!(challenge(&[]).starts_with("Basic "));
    // A browser would ask its user for a password.
    assert!(challenge(&["Authorization: Bearer AAAAAAAAAAAAAAAAAAAAAA"]).starts_with("Bearer "));
    let own = format!("Origin: https://{}", server.address);
    for (origin, expected) in [("Origin: https://evil.example", 403), ("Origin: null", 403), (&own, 201)] {
        assert_eq!(status(&post(&[origin, &basic("alice")])), expected, "{origin}");
    }
    let host = format!("Host: {}", server.address);
    let options = exchange(&mut open(&server), &request("OPTIONS /upload HTTP/1.1", &[&host, &own]));
    assert!(status(&options) == 204 && header(&options, "allow").is_some(), "{options}");
    let got = exchange(&mut open(&server), &request("GET /upload HTTP/1.1", &[&host]));
    assert_eq!(status(&got), 405);
    // There is no page here.
    assert_eq!(status(&exchange(&mut open(&server), &request("GET / HTTP/1.1", &[&host]))), 404);
}

#[test]
fn a_token_of_a_session_uploads_once_and_ends_with_the_session() {
    let home = file_home();
    let server = home.serve();
    let mut alice = Client::login(&server, "alice");
    let line = alice.request("FILES TOKEN").into_iter().find(|line| line.command == "NOTE").expect("a token");
    let token = format!("Authorization: Bearer {}", line.params[2]);
    let post = || send(&server, "POST /upload HTTP/1.1", &[&token], b"hello");
    let response = post();
    let url = header(&response, "location").expect("an address");
    assert_eq!(status(&post()), 401);
    assert_eq!(status(&get(&server, &url, &[&token])), 200);
    alice.send("QUIT");
    alice.read_until_closed();
    assert_eq!(status(&get(&server, &url, &[&token])), 401);
}

#[test]
fn a_link_is_for_everybody_until_it_is_revoked() {
    let home = file_home();
    let server = home.serve();
    let [mut alice, mut bob] = ["alice", "bob"].map(|name| Client::login(&server, name));
    let url = upload(&server, "alice", "a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>");
    let id = url.split('/').nth(4).expect("an id").to_owned();
    let link = |client: &mut Client| {
        let lines = client.request(&format!("FILES LINK {id}"));
        lines.into_iter().find(|line| line.command == "NOTE").map(|line| line.params[3].clone())
    };
    // The server names the address of its invites, which need not be the test's.
    let here = |link: String| {
        let path = link.splitn(4, '/').nth(3).expect("a path").to_owned();
        format!("https://{}/{path}", server.address)
    };
    assert_eq!(link(&mut bob), None);
    let first = here(link(&mut alice).expect("a link"));
    let response = get(&server, &first, &[]);
    assert_eq!(status(&response), 200);
    // Nothing that could run is shown as what it is.
    assert_eq!(header(&response, "content-type").as_deref(), Some("text/plain; charset=utf-8"));
    assert!(header(&response, "content-disposition").expect("a name").starts_with("attachment; "));
    let second = here(link(&mut alice).expect("a link"));
    assert_eq!([&first, &second].map(|url| status(&get(&server, url, &[]))), [404, 200]);
    alice.request(&format!("FILES UNLINK {id}"));
    assert_eq!(status(&get(&server, &second, &[])), 404);
    let lines = alice.request("FILES LIST");
    let listed =
        lines.iter().find(|line| line.params.get(1).is_some_and(|code| code == "FILE")).expect("a file");
    assert_eq!((&*listed.params[2], listed.text()), (&*id, "a.svg"));
}

#[test]
fn isupport_names_the_address_for_uploads() {
    let home = file_home();
    let server = home.serve();
    let mut alice = Client::login(&server, "alice");
    let tokens: Vec<String> = alice
        .request("VERSION")
        .into_iter()
        .filter(|line| line.command == "005")
        .flat_map(|line| line.params)
        .collect();
    for name in ["draft/FILEHOST=https://", "soju.im/FILEHOST=https://"] {
        let found =
            tokens.iter().find(|token| token.starts_with(name)).unwrap_or_else(|| panic!("{tokens:?}"));
        assert!(found.ends_with(&format!(":{}/upload", server.address.port())), "{found}");
    }
    // Where there are none, nothing is named and nothing is promised.
    let plain = crate::support::server();
    let mut alice = Client::login(&plain, "alice");
    let lines = alice.request("VERSION");
    assert!(lines.iter().flat_map(|line| &line.params).all(|param| !param.contains("FILEHOST")));
    let refused = alice.request("FILES TOKEN");
    assert!(refused.iter().any(|line| line.command == "FAIL" && line.param(1) == "DISABLED"), "{refused:?}");
}

#[test]
fn an_own_file_that_nobody_shares_is_removed_by_its_address() {
    let home = file_home();
    let server = home.serve();
    let mut alice = Client::login(&server, "alice");
    alice.request("JOIN #room");
    let remove = |url: &str, name: &str| {
        let path = url.strip_prefix(&format!("https://{}", server.address)).expect("an address here");
        send(&server, &format!("DELETE {path} HTTP/1.1"), &[&basic(name)], b"")
    };
    let mib = vec![1; 1 << 20];
    let first = upload(&server, "alice", "a.bin", &mib);
    let second = upload(&server, "alice", "b.bin", &[&mib[1..], b"x"].concat());
    let users = home.run_as("nobody", &["user", "list"], "");
    let users = String::from_utf8_lossy(&users.stdout).into_owned();
    assert!(
        users.lines().any(|user| user.starts_with("alice ") && user.contains(" 2 (2.00 MiB) ")),
        "{users}"
    );
    let full = send(&server, "POST /upload HTTP/1.1", &[&basic("alice")], b"more");
    assert_eq!(status(&full), 507, "{full}");
    assert!(full.contains("delete files that no message shares"), "{full}");
    let line = server.wait_for_log(|line| line.contains("an upload was refused"));
    assert!(line.contains("alice") && line.contains("127.0.0.1") && line.contains("room"), "{line}");
    share(&mut alice, "#room", &first);
    assert_eq!(status(&remove(&first, "alice")), 409);
    assert_eq!(status(&remove(&second, "bob")), 404);
    assert_eq!(status(&remove(&second, "alice")), 204);
    assert_eq!(status(&remove(&second, "alice")), 404);
    assert!(!may_read(&server, &second, "alice") && may_read(&server, &first, "alice"));
    assert_eq!(contents(&home).len(), 1);
    let path = second.strip_prefix(&format!("https://{}", server.address)).expect("an address here");
    let other = send(&server, &format!("PUT {path} HTTP/1.1"), &[&basic("alice")], b"");
    assert!(header(&other, "allow").is_some_and(|allow| allow.contains("DELETE")), "{other}");
    upload(&server, "alice", "c.bin", b"more");
    // A program's token is told apart from a wrong one.
    let token = format!("Authorization: Bearer {}", "A".repeat(43));
    let refused = get(&server, &first, &[&token]);
    assert!(status(&refused) == 401 && refused.contains("opens no files"), "{refused}");
}
