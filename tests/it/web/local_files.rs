//! Files of a page on the user's own machine: requests that `parlour web` passes on to their server.

use std::io::{Read as _, Write as _};

use super::browser::{LocalSite, Socket, exchange, request, status};
use crate::support::{Client, Home, Server, until};

/// The first bytes of a picture.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A server that takes files, and the page of `parlour web` for the account dora.
fn server_and_site() -> (Server, LocalSite) {
    let server = Home::with_accounts(&["files.enabled = true", "files.max_mib = 1"]).serve();
    server.home.join("dora");
    let site = LocalSite::start(&server.home, "dora", &[]);
    (server, site)
}

/// Opens dora's session on a page.
fn open_session(site: &LocalSite) -> Socket {
    let (mut page, _) = site.open_page(None);
    page.log_in_by_device("dora");
    page
}

/// Fetches the header with a session's token.
fn token(page: &mut Socket) -> String {
    page.send("FILES TOKEN");
    let line = page.wait_for(|line| line.contains("NOTE FILES TOKEN"));
    let token = line.split(' ').skip_while(|word| *word != "TOKEN").nth(1).expect("a token");
    format!("Authorization: Bearer {token}")
}

/// Sends a request as the page does. Returns the response.
#[track_caller]
fn send(site: &LocalSite, first_line: &str, headers: &[&str], body: &[u8]) -> String {
    let (host, length) = (format!("Host: {}", site.address), format!("Content-Length: {}", body.len()));
    let own = [&*host, &*length];
    let own = if body.is_empty() { &own[..1] } else { &own[..] };
    let mut stream = site.connect();
    let head = request(&format!("{first_line} HTTP/1.1"), &[own, headers].concat());
    stream.write_all(head.as_bytes()).expect("sent");
    // A refusal may come before the body was sent.
    let _ = stream.write_all(body);
    let mut response = Vec::new();
    let _ = stream.read_to_end(&mut response);
    String::from_utf8_lossy(&response).into_owned()
}

fn header<'a>(response: &'a str, name: &str) -> Option<&'a str> {
    let head = response.split("\r\n\r\n").next()?;
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
}

/// Uploads a file over the page's address. Returns the path of the file there.
#[track_caller]
fn upload(site: &LocalSite, page: &mut Socket, name: &str, body: &[u8]) -> String {
    let disposition = format!("Content-Disposition: attachment; filename*=UTF-8''{name}");
    let origin = format!("Origin: http://{}", site.address);
    let sent = send(site, "POST /files/127.0.0.1/upload", &[&token(page), &disposition, &origin], body);
    assert_eq!(status(&sent), 201, "{sent}");
    let location = header(&sent, "location").expect("an address");
    let (_, path) = location.split_once("/f/").expect("a file's address");
    format!("/files/127.0.0.1/f/{path}")
}

#[test]
fn a_page_sends_and_reads_files() {
    let (_server, site) = server_and_site();
    let mut page = open_session(&site);
    let path = upload(&site, &mut page, "a%20photo.png", PNG);
    let read = token(&mut page);
    let response = send(&site, &format!("GET {path}"), &[&read, "Sec-Fetch-Site: same-origin"], b"");
    assert!(status(&response) == 200 && response.ends_with("PNG\r\n\u{1a}\n"), "{response}");
    assert_eq!(header(&response, "content-type"), Some("image/png"));
    // The file's own policy, not the page's.
    assert!(header(&response, "content-security-policy").expect("a policy").contains("sandbox"));
    let part = send(&site, &format!("GET {path}"), &[&read, "Range: bytes=1-3"], b"");
    assert!(status(&part) == 206 && part.ends_with("\r\n\r\nPNG"), "{part}");
    let head = send(&site, &format!("HEAD {path}"), &[&read], b"");
    assert!(status(&head) == 200 && header(&head, "content-length") == Some("8"), "{head}");
    // Large ones come whole, over one connection after the other.
    let large: Vec<u8> = (0..1_000_000_u32).map(|n| b'a' + u8::try_from(n % 23).expect("small")).collect();
    let path = upload(&site, &mut page, "large.txt", &large);
    for _ in 0..3 {
        let response = send(&site, &format!("GET {path}"), &[&read], b"");
        assert!(response.ends_with(std::str::from_utf8(&large).expect("ASCII")), "not whole");
    }
}

#[test]
fn many_requests_need_few_connections_to_the_server() {
    let (server, site) = server_and_site();
    let mut page = open_session(&site);
    let path = upload(&site, &mut page, "a.txt", b"one");
    let read = token(&mut page);
    let before = server.connections();
    for _ in 0..20 {
        assert_eq!(status(&send(&site, &format!("GET {path}"), &[&read], b"")), 200);
    }
    let new = server.connections() - before;
    assert!(new <= 5, "{new} connections for 20 requests");
}

#[test]
fn refusals_of_the_server_reach_the_page_without_a_prompt_for_a_password() {
    let (_server, site) = server_and_site();
    let mut page = open_session(&site);
    let too_large = vec![1; (1 << 20) + 1];
    let refused = send(&site, "POST /files/127.0.0.1/upload", &[&token(&mut page)], &too_large);
    assert!(status(&refused) == 413 && refused.contains("A file may have at most"), "{refused}");
    let wrong = "Authorization: Bearer AAAAAAAAAAAAAAAAAAAAAA";
    for first_line in ["POST /files/127.0.0.1/upload", "GET /files/127.0.0.1/f/AAAAAAAAAAAAAAAAAAAAAA/a"] {
        let refused = send(&site, first_line, &[wrong], b"");
        assert!(status(&refused) == 401 && header(&refused, "www-authenticate").is_none(), "{refused}");
    }
}

#[test]
fn what_no_page_of_ours_sends_does_not_reach_the_server() {
    let (server, site) = server_and_site();
    let bearer = "Authorization: Bearer AAAAAAAAAAAAAAAAAAAAAA";
    let before = server.connections();
    for (first_line, headers, expected) in [
        ("POST /files/127.0.0.1/upload", &[bearer, "Origin: https://evil.example"][..], 403),
        ("POST /files/127.0.0.1/upload", &[bearer, "Origin: null"], 403),
        ("GET /files/127.0.0.1/f/AAAA/a", &[bearer, "Sec-Fetch-Site: cross-site"], 403),
        ("DELETE /files/127.0.0.1/upload/KEY", &["Origin: https://evil.example"], 403),
        ("POST /files/127.0.0.1/upload", &[], 401),
        ("POST /files/127.0.0.1/upload", &["Authorization: Basic ZG9yYTp4"], 401),
        ("GET /files/127.0.0.1/f/AAAA/a", &[], 401),
        ("PUT /files/127.0.0.1/upload", &[bearer], 405),
        ("TRACE /files/127.0.0.1/upload", &[bearer], 405),
        ("GET /files/elsewhere/f/AAAA/a", &[bearer], 404),
        ("GET /files/127.0.0.1/irc", &[bearer], 404),
        ("GET /files/127.0.0.1/f/../irc", &[bearer], 404),
        ("GET /files/127.0.0.1/f/%2e%2e/irc", &[bearer], 404),
        ("GET /files/127.0.0.1/l/AAAA", &[bearer], 404),
    ] {
        let response = send(&site, first_line, headers, b"");
        assert_eq!(status(&response), expected, "{first_line} {headers:?}: {response}");
    }
    let other = request("GET /files/127.0.0.1/f/AAAA/a HTTP/1.1", &["Host: evil.example", bearer]);
    assert_eq!(status(&exchange(&mut site.connect(), &other)), 421);
    assert_eq!(server.connections(), before, "the server was reached");
}

#[test]
fn a_server_that_is_away_is_said_to_be() {
    let (mut server, site) = server_and_site();
    server.kill9();
    let bearer = "Authorization: Bearer AAAAAAAAAAAAAAAAAAAAAA";
    let response = send(&site, "GET /files/127.0.0.1/f/AAAA/a", &[bearer], b"");
    assert!(status(&response) == 502 && response.contains("nothing listens there"), "{response}");
}

#[test]
fn a_body_that_breaks_off_is_no_file() {
    let (server, site) = server_and_site();
    let mut page = open_session(&site);
    let token = token(&mut page);
    let host = format!("Host: {}", site.address);
    let mut stream = site.connect();
    let head = request("POST /files/127.0.0.1/upload HTTP/1.1", &[&host, &token, "Content-Length: 1000"]);
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(b"half")).expect("sent");
    let incoming = server.home.path("data/files/incoming");
    let count = || std::fs::read_dir(&incoming).map_or(0, Iterator::count);
    until(|| count() == 1, || "the upload has not begun".to_owned());
    drop(stream);
    until(|| count() == 0, || "half of a file stays".to_owned());
    page.send("FILES LIST");
    assert!(page.wait_for(|line| line.contains("FILE_LIST")).contains(" FILE_LIST 0 "));
}

#[test]
fn the_key_of_this_machine_is_no_proof_for_a_request() {
    let (server, site) = server_and_site();
    let mut page = open_session(&site);
    let path = upload(&site, &mut page, "a.txt", b"secret");
    assert_eq!(status(&send(&site, &format!("GET {path}"), &[], b"")), 401);
    let mut other = Client::login(&server, "alice");
    let line = other.request("FILES TOKEN").into_iter().find(|line| line.command == "NOTE").expect("a token");
    let theirs = format!("Authorization: Bearer {}", line.params[2]);
    assert_eq!(status(&send(&site, &format!("GET {path}"), &[&theirs], b"")), 404);
}
