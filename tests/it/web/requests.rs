//! Requests to `parlour web` that no page of ours sends, and the headers of its responses.

use std::io::{Read as _, Write as _};

use super::browser::{LocalSite, Socket, exchange, lines, request, status};
use crate::support::script::server_with_joined_client;

fn start() -> (crate::support::Server, LocalSite) {
    let server = server_with_joined_client();
    let site = LocalSite::start(&server.home, "dora", &[]);
    (server, site)
}

#[test]
fn page_is_served_with_its_headers() {
    let (_server, site) = start();
    let host = format!("Host: {}", site.address);
    let get = |path: &str, more: &[&str]| {
        exchange(
            &mut site.connect(),
            &request(&format!("GET {path} HTTP/1.1"), &[&[&host[..]], more].concat()),
        )
    };
    for path in ["/", "/main.js", "/mode.json", "/nothing", "/irc"] {
        let head = get(path, &[]).to_lowercase();
        let policy = format!(
            "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
             media-src blob:; connect-src 'self' ws://{}; manifest-src 'self'; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'",
            site.address
        );
        for header in [
            &policy[..],
            "cross-origin-opener-policy: same-origin",
            "cross-origin-resource-policy: same-origin",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
        ] {
            // The origin is checked first on /irc, where only that response has no host of its own.
            assert!(head.contains(header) || path == "/irc", "{path}: no {header} in {head}");
        }
        assert!(!head.contains("set-cookie") && !head.contains("access-control"), "{head}");
    }
    let index = get("/", &[]);
    assert!(
        index.contains("cache-control: no-store") && index.contains("text/html; charset=utf-8"),
        "{index}"
    );
    assert!(get("/mode.json", &[]).ends_with("{\"mode\":\"local\"}"));
    let script = get("/main.js", &[]);
    assert!(script.contains("text/javascript"), "{script}");
    let etag = script.lines().find_map(|line| line.strip_prefix("etag: ")).expect("an entity tag");
    assert_eq!(status(&get("/main.js", &[&format!("If-None-Match: {etag}")])), 304);
    assert_eq!(status(&get("/main.js", &["If-None-Match: \"other\""])), 200);
}

#[test]
fn other_hosts_are_refused() {
    let (_server, site) = start();
    let port = site.address.port();
    for hosts in [
        vec!["evil.example".to_owned()],
        vec![format!("evil.example:{port}")],
        vec![format!("localhost:{port}")],
        vec!["127.0.0.1".to_owned()],
        vec![format!("127.0.0.1:{port}"), "evil.example".to_owned()],
        vec![],
    ] {
        for path in ["/", "/mode.json", "/irc", "/nothing"] {
            let headers: Vec<String> = hosts.iter().map(|host| format!("Host: {host}")).collect();
            let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
            let response = exchange(&mut site.connect(), &request(&format!("GET {path} HTTP/1.1"), &headers));
            assert_eq!(status(&response), 421, "{hosts:?} {path}: {response}");
            assert!(!response.contains("html"), "{response}");
        }
    }
    let whole = request("GET http://evil.example/ HTTP/1.1", &[&format!("Host: {}", site.address)]);
    assert_eq!(status(&exchange(&mut site.connect(), &whole)), 400);
}

#[test]
fn other_origins_get_no_websocket() {
    let (_server, site) = start();
    let url = format!("ws://{}/irc", site.address);
    let port = site.address.port();
    for origin in [
        "http://evil.example",
        &format!("http://localhost:{port}"),
        &format!("https://{}", site.address),
        &format!("http://127.0.0.1:{}", port ^ 1),
        "null",
        "",
    ] {
        let opened = Socket::open(site.connect(), &url, origin, "text.ircv3.net");
        assert_eq!(opened.err(), Some(403), "{origin:?}");
    }
}

#[test]
fn forms_and_smuggled_requests_are_refused() {
    let (_server, site) = start();
    let host = format!("Host: {}", site.address);
    let smuggled = format!("GET /mode.json HTTP/1.1\r\n{host}\r\n\r\n");
    for (headers, body, expected) in [
        (
            vec![
                "Content-Length: 9".to_owned(),
                "Content-Type: application/x-www-form-urlencoded".to_owned(),
            ],
            "token=abc".to_owned(),
            413,
        ),
        (vec![format!("Content-Length: {}", smuggled.len())], smuggled.clone(), 413),
        (vec!["Transfer-Encoding: chunked".to_owned()], format!("0\r\n\r\n{smuggled}"), 413),
        (
            vec!["Transfer-Encoding: chunked".to_owned(), "Content-Length: 5".to_owned()],
            format!("0\r\n\r\n{smuggled}"),
            413,
        ),
        (
            vec!["Content-Length: 5".to_owned(), "Transfer-Encoding: chunked".to_owned()],
            format!("0\r\n\r\n{smuggled}"),
            413,
        ),
        (vec!["Content-Length: 0".to_owned(), "Content-Length: 5".to_owned()], smuggled.clone(), 400),
        (vec!["Content-Length: +5".to_owned()], smuggled.clone(), 400),
        (vec!["Transfer-Encoding: xchunked".to_owned()], smuggled.clone(), 400),
        // More than a socket holds: the refusal arrives although the body does not.
        (vec!["Content-Length: 500000".to_owned()], "a".repeat(500_000), 413),
        (vec![], String::new(), 405),
    ] {
        let head = lines(&headers.iter().map(String::as_str).collect::<Vec<_>>());
        let response = exchange(
            &mut site.connect(),
            &format!(
                "POST / HTTP/1.1\r\n{host}\r\nOrigin: http://evil.example\r\n{head}{}\r\n{body}",
                if expected == 405 { "Connection: close\r\n" } else { "" }
            ),
        );
        assert_eq!(status(&response), expected, "{headers:?}: {response}");
        assert!(!response.contains("\"mode\""), "{headers:?}: a smuggled request was answered: {response}");
    }
    let put = request("PUT /main.js HTTP/1.1", &[&host]);
    assert_eq!(status(&exchange(&mut site.connect(), &put)), 405);
}

#[test]
fn paths_outside_the_page_are_nothing() {
    let (_server, site) = start();
    let host = format!("Host: {}", site.address);
    for path in [
        "/../Cargo.toml",
        "/..%2fCargo.toml",
        "/%2e%2e/Cargo.toml",
        "//etc/passwd",
        "/web/../../x",
        "/main.js/",
        "/main.js%00.html",
    ] {
        let response = exchange(&mut site.connect(), &request(&format!("GET {path} HTTP/1.1"), &[&host]));
        assert_eq!(status(&response), 404, "{path}: {response}");
    }
}

#[test]
fn heads_are_bounded() {
    let (_server, site) = start();
    let host = format!("Host: {}", site.address);
    let long = format!("X-Long: {}", "a".repeat(500_000));
    let many: Vec<String> = (0..200).map(|n| format!("X-{n}: a")).collect();
    let many: Vec<&str> = [&host[..]].into_iter().chain(many.iter().map(String::as_str)).collect();
    for request in [
        request("GET / HTTP/1.1", &[&host, &long]),
        request("GET / HTTP/1.1", &many),
        request(&format!("GET /{} HTTP/1.1", "a".repeat(20_000)), &[&host]),
    ] {
        let response = exchange(&mut site.connect(), &request);
        assert!(matches!(status(&response), 414 | 431), "{response}");
    }
    for garbage in [
        "CAP LS 302\r\nNICK a\r\nUSER a 0 * :a\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n",
        "GET / HTTP/2.0\r\n\r\n",
    ] {
        let response = exchange(&mut site.connect(), garbage);
        assert!(response.is_empty() || matches!(status(&response), 400 | 421 | 505), "{response}");
    }
}

#[test]
fn slow_request_delays_no_other_and_ends() {
    let (_server, site) = start();
    let mut slow = site.connect();
    write!(slow, "GET / HTTP/1.1\r\nHost: {}\r\nX-", site.address).expect("sent");
    let mut page = site.open_page(None).0;
    page.log_in_by_device("dora");
    let mut rest = Vec::new();
    // It is closed within the time limit for a head, which is shorter than that of the tests.
    slow.read_to_end(&mut rest).expect("the end");
    assert!(!String::from_utf8_lossy(&rest).contains("200"), "{rest:?}");
}

#[test]
fn wrong_openings_of_a_websocket_are_refused() {
    let (_server, site) = start();
    let fixed = [format!("Host: {}", site.address), format!("Origin: http://{}", site.address)];
    let open = |more: &[&str]| {
        let headers: Vec<&str> = fixed.iter().map(String::as_str).chain(more.iter().copied()).collect();
        let head = lines(&headers);
        status(&exchange(&mut site.connect(), &format!("GET /irc HTTP/1.1\r\n{head}\r\n")))
    };
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    let version = "Sec-WebSocket-Version: 13";
    for (headers, what) in [
        (&["Connection: close"][..], "no upgrade"),
        (&["Upgrade: websocket", "Connection: close", key, version], "a connection that is to close"),
        (&["Upgrade: h2c", "Connection: Upgrade, close", key, version], "another protocol"),
        (
            &["Upgrade: websocket", "Connection: Upgrade, close", "Sec-WebSocket-Key: short", version],
            "a bad key",
        ),
        (
            &["Upgrade: websocket", "Connection: Upgrade, close", key, "Sec-WebSocket-Version: 8"],
            "an old version",
        ),
    ] {
        assert_eq!(open(headers), 426, "{what}");
    }
}

#[test]
fn bad_frames_close_the_websocket() {
    let (_server, site) = start();
    for (frame, code) in [
        (&b"\x81\x82\0\0\0\0\xff\xfe"[..], 1007),
        (b"\x81\x02hi", 1002),
        (b"\xc1\x82\0\0\0\0hi", 1002),
        (b"\x81\xff\0\0\0\0\x7f\xff\xff\xff\0\0\0\0", 1009),
        (b"\x80\x80\0\0\0\0", 1002),
        // A frame that is too long, of which more than a socket holds is on its way.
        (&[&b"\x81\xff\0\0\0\0\0\x07\xa1\x20\0\0\0\0"[..], "a".repeat(500_000).as_bytes()].concat(), 1009),
    ] {
        let (mut page, _) = site.open_page(None);
        page.0.get_mut().write_all(frame).expect("sent");
        assert_eq!(page.wait_for_close(), Some(code), "{frame:?}");
    }
}
