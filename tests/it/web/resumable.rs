//! Uploads that go on after a broken connection (tus), and what messages tell of the files that they share.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::browser::{exchange, request, status};
use super::files::{basic, contents, file_home, get, header, open, send, share};
use crate::support::history::history_capabilities;
use crate::support::{Client, Home, Server, WAIT_TIMEOUT, until};

const TUS: &str = "Tus-Resumable: 1.0.0";
const BYTES: &str = "Content-Type: application/offset+octet-stream";

/// The start of a picture of 640 by 480 pixels.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\xe0\x08\x02\0\0\0";

/// Creates an upload. Returns the path of its address.
#[track_caller]
fn create(server: &Server, name: &str, length: usize) -> String {
    let metadata = format!("Upload-Metadata: filetype aQ==,filename {}", STANDARD.encode(name));
    let length = format!("Upload-Length: {length}");
    let response = send(server, "POST /upload HTTP/1.1", &[&basic("alice"), TUS, &length, &metadata], b"");
    assert_eq!(status(&response), 201, "{response}");
    let address = header(&response, "location").expect("an address");
    address.strip_prefix(&format!("https://{}", server.address)).expect("an address here").to_owned()
}

#[track_caller]
fn append(server: &Server, path: &str, offset: usize, bytes: &[u8]) -> String {
    let offset = format!("Upload-Offset: {offset}");
    send(server, &format!("PATCH {path} HTTP/1.1"), &[TUS, BYTES, &offset], bytes)
}

#[track_caller]
fn ask(server: &Server, method: &str, path: &str) -> String {
    let host = format!("Host: {}", server.address);
    exchange(&mut open(server), &request(&format!("{method} {path} HTTP/1.1"), &[&host, TUS]))
}

/// Waits until at least this many bytes of the upload in progress are in its file.
#[track_caller]
fn wait_for_incoming_bytes(home: &Home, count: u64) {
    let begun = Instant::now();
    let sizes = || {
        let entries = fs::read_dir(home.path("data/files/incoming")).expect("a folder");
        entries.map(|entry| entry.and_then(|entry| entry.metadata()).map_or(0, |metadata| metadata.len()))
    };
    while sizes().sum::<u64>() < count {
        assert!(begun.elapsed() < WAIT_TIMEOUT);
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn offset(response: &str) -> Option<String> {
    header(response, "upload-offset")
}

#[test]
fn an_upload_goes_on_where_its_connection_broke() {
    let home = file_home();
    let server = home.serve();
    let path = create(&server, "my photo.png", PNG.len());
    // The connection breaks in the middle of what it announced.
    let (host, length) = (format!("Host: {}", server.address), format!("Content-Length: {}", PNG.len()));
    let head = request(&format!("PATCH {path} HTTP/1.1"), &[&host, TUS, BYTES, "Upload-Offset: 0", &length]);
    let mut stream = open(&server);
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&PNG[..10])).expect("sent");
    stream.flush().expect("sent");
    stream.sock.shutdown(Shutdown::Both).expect("shut");
    // Asked before the server knows that, it would end the request there.
    wait_for_incoming_bytes(&home, 10);
    assert_eq!(offset(&ask(&server, "HEAD", &path)).as_deref(), Some("10"));
    let wrong = append(&server, &path, 9, &PNG[9..]);
    assert_eq!((status(&wrong), offset(&wrong).as_deref()), (409, Some("10")));
    let more = append(&server, &path, 10, &PNG[10..12]);
    assert_eq!(
        (status(&more), offset(&more).as_deref(), header(&more, "content-location")),
        (204, Some("12"), None)
    );
    assert_eq!(status(&append(&server, &path, 12, &[0; 1000])), 400, "more than announced");
    let whole = append(&server, &path, 12, &PNG[12..]);
    let url = header(&whole, "content-location").expect("the file's address");
    assert!(status(&whole) == 204 && url.ends_with("/my%20photo.png"), "{whole}");
    // An answer that was lost is given again, and the file is there once.
    assert_eq!(header(&ask(&server, "HEAD", &path), "content-location"), Some(url.clone()));
    assert_eq!(header(&append(&server, &path, PNG.len(), b""), "content-location"), Some(url.clone()));
    assert_eq!(contents(&home).len(), 1);
    let read = get(&server, &url, &[&basic("alice")]);
    assert_eq!(header(&read, "content-type").as_deref(), Some("image/png"));
    assert_eq!(header(&read, "content-length"), Some(PNG.len().to_string()));
}

#[test]
fn another_request_takes_an_upload_from_one_that_hangs() {
    let home = file_home();
    let server = home.serve();
    let bytes = vec![b'x'; 500 * 1024];
    let path = create(&server, "a", bytes.len());
    let (host, length) = (format!("Host: {}", server.address), format!("Content-Length: {}", bytes.len()));
    let head = request(&format!("PATCH {path} HTTP/1.1"), &[&host, TUS, BYTES, "Upload-Offset: 0", &length]);
    let mut stream = open(&server);
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&bytes[..300 * 1024])).expect("sent");
    stream.flush().expect("sent");
    wait_for_incoming_bytes(&home, 256 * 1024);
    let kept: usize = offset(&ask(&server, "HEAD", &path)).expect("an offset").parse().expect("a number");
    assert!(kept >= 256 * 1024, "{kept}");
    let mut response = String::new();
    let _ = stream.read_to_string(&mut response);
    assert_eq!(status(&response), 400, "{response}");
    assert!(header(&append(&server, &path, kept, &bytes[kept..]), "content-location").is_some());
}

#[test]
fn an_upload_is_refused_before_its_bytes_and_removed_on_request() {
    let home = file_home();
    let server = home.serve();
    let mib = 1024 * 1024;
    let post = |headers: &[&str]| {
        let login = basic("alice");
        send(&server, "POST /upload HTTP/1.1", &[&[&*login], headers].concat(), b"")
    };
    let too_large = format!("Upload-Length: {}", mib + 1);
    for (headers, expected) in [
        (&[TUS, &*too_large][..], 413),
        (&["Tus-Resumable: 0.2.2", "Upload-Length: 1"], 412),
        (&[TUS], 400),
        (&[TUS, "Upload-Length: -1"], 400),
        (&[TUS, "Upload-Length: 1", "Upload-Metadata: filename !"], 400),
    ] {
        let response = post(headers);
        assert_eq!(status(&response), expected, "{headers:?}: {response}");
    }
    assert_eq!(status(&send(&server, "POST /upload HTTP/1.1", &[TUS, "Upload-Length: 1"], b"")), 401);
    // What is not sent yet counts towards the quota of two MiB.
    let [one, other] = [create(&server, "a", mib), create(&server, "b", mib)];
    assert_eq!(status(&post(&[TUS, "Upload-Length: 1"])), 507);
    assert_eq!(status(&ask(&server, "DELETE", &one)), 204);
    assert_eq!([&one, &other].map(|path| status(&ask(&server, "HEAD", path))), [404, 200]);
    assert_eq!(status(&append(&server, "/upload/AAAAAAAAAAAAAAAAAAAAAA", 0, b"x")), 404);
    let plain = send(&server, &format!("PATCH {other} HTTP/1.1"), &[TUS, "Upload-Offset: 0"], b"x");
    assert_eq!(status(&plain), 415);
    // The oldest makes room for more than four at one time.
    let many: Vec<String> = (0..5).map(|_| create(&server, "c", 1)).collect();
    assert_eq!(status(&ask(&server, "HEAD", &other)), 404);
    assert_eq!(status(&ask(&server, "HEAD", &many[4])), 200);
    // An empty file is complete at once.
    let empty = create(&server, "empty", 0);
    assert!(header(&ask(&server, "HEAD", &empty), "content-location").is_some());
}

#[test]
fn messages_tell_of_their_files_at_once_and_later() {
    let home = file_home();
    let server = home.serve();
    let capabilities = format!("{} draft/search", history_capabilities());
    let [mut alice, mut bob] = ["alice", "bob"].map(|name| Client::login_with(&server, name, &capabilities));
    for client in [&mut alice, &mut bob] {
        client.request("JOIN #room");
    }
    let path = create(&server, "a.png", PNG.len());
    let url = header(&append(&server, &path, 0, PNG), "content-location").expect("an address");
    let id = url.split('/').nth(4).expect("an id");
    let expected = format!("{id};image/png;{};640x480", PNG.len());
    share(&mut alice, "#room", &url);
    let delivered = bob.wait_for_line("the message", |line| line.text().contains(&url));
    assert_eq!(delivered.tag("parlour/files"), Some(&*expected));
    for request in ["CHATHISTORY LATEST #room * 10", "SEARCH text=see"] {
        let begun = Instant::now();
        // The search finds a message when it is in the index.
        let found = loop {
            let lines = bob.request(request);
            if let Some(found) = lines.iter().find(|line| line.text().contains(&url)) {
                break found.clone();
            }
            assert!(begun.elapsed() < WAIT_TIMEOUT, "{request}: {lines:?}");
        };
        assert_eq!(found.tag("parlour/files"), Some(&*expected), "{request}");
    }
    // A file that the sender may not read is not shared, and the tag of a client is ignored.
    let mut carol = Client::login(&server, "carol");
    carol.request("JOIN #elsewhere");
    carol.send(&format!("@parlour/files=x;1;2 PRIVMSG #elsewhere :{url}"));
    let line = carol.wait_for_line("the echo", |line| line.text().contains(&url));
    assert_eq!(line.tag("parlour/files"), None);
}

#[test]
fn pages_of_allowed_origins_read_the_responses() {
    let home = Home::with_accounts(&["files.enabled = true", "web.origins = [\"https://gamja.example\"]"]);
    let server = home.serve();
    let host = format!("Host: {}", server.address);
    let preflight = |origin: &str| {
        let headers = [&*host, origin, "Access-Control-Request-Method: POST"];
        exchange(&mut open(&server), &request("OPTIONS /upload HTTP/1.1", &headers))
    };
    let allowed = preflight("Origin: https://gamja.example");
    assert_eq!(header(&allowed, "access-control-allow-origin").as_deref(), Some("https://gamja.example"));
    assert!(header(&allowed, "access-control-allow-headers").expect("headers").contains("Authorization"));
    assert_eq!(header(&preflight("Origin: https://evil.example"), "access-control-allow-origin"), None);
    let post = |origin| send(&server, "POST /upload HTTP/1.1", &[origin, &basic("alice")], b"x");
    let sent = post("Origin: https://gamja.example");
    assert_eq!(status(&sent), 201, "{sent}");
    assert_eq!(header(&sent, "access-control-allow-origin").as_deref(), Some("https://gamja.example"));
    let refused = post("Origin: https://evil.example");
    assert_eq!((status(&refused), header(&refused, "access-control-allow-origin")), (403, None));
}

#[test]
fn a_complete_upload_is_removed_until_its_file_is_shared() {
    let home = file_home();
    let server = home.serve();
    let mut alice = Client::in_channel(&server, "alice", "#room");
    let complete = |name: &str, body: &[u8]| {
        let path = create(&server, name, body.len());
        let url = header(&append(&server, &path, 0, body), "content-location").expect("an address");
        (path, url)
    };
    let is_there = |url: &str| status(&get(&server, url, &[&basic("alice")])) == 200;
    let (path, url) = complete("unwanted", b"unwanted");
    let (shared_path, shared_url) = complete("wanted", b"wanted");
    share(&mut alice, "#room", &shared_url);
    assert_eq!([&url, &shared_url].map(|url| is_there(url)), [true, true]);
    for path in [&path, &shared_path] {
        assert_eq!(status(&ask(&server, "DELETE", path)), 204);
        assert_eq!(status(&ask(&server, "HEAD", path)), 404);
    }
    assert_eq!([&url, &shared_url].map(|url| is_there(url)), [false, true]);
    // One with a link is somebody's, too.
    let (path, url) = complete("linked", b"linked");
    alice.request(&format!("FILES LINK {}", url.split('/').nth(4).expect("an id")));
    assert_eq!(status(&ask(&server, "DELETE", &path)), 204);
    assert!(is_there(&url));
    until(|| contents(&home).len() == 2, || format!("{:?}", contents(&home)));
}
