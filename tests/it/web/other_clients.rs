//! Uploads of other IRC clients: the bytes that they send, and what they read in the answers.
//!
//! | client | version | source |
//! | --- | --- | --- |
//! | Halloy | 2026.8 | `data/src/fileupload.rs`, `data/src/isupport.rs`, over reqwest 0.13.4 and hyper 1.9 |
//! | senpai | commit f7fd540, 54 after 0.4.1 | `app.go` (`upload`), `irc/session.go`, over Go's `net/http` and `mime` |
//!
//! Both take the address from `soju.im/FILEHOST`, send no OPTIONS before, offer HTTP/2 beside HTTP/1.1, and keep the connection
//! open. Halloy offers a certificate, too, if it logs in by one, which the server requests of none but its own client.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parlour::trust::tls;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use super::browser::{connect, status};
use super::files::{basic, file_home, get, header, share};
use crate::support::{Client, PASSWORD, Server};

/// The name `Grüße „Plan“ 2.txt` in an address.
const ODD_NAME_ENCODED: &str = "Gr%C3%BC%C3%9Fe%20%E2%80%9EPlan%E2%80%9C%202.txt";

/// Opens a connection as both clients do.
#[track_caller]
fn open(server: &Server) -> StreamOwned<ClientConnection, TcpStream> {
    let mut config = (*tls::client_config(server.pin())).clone();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a configuration");
    StreamOwned::new(connection, connect(server.address))
}

/// Sends bytes, and reads one response of a connection that stays open.
#[track_caller]
fn exchange(stream: &mut StreamOwned<ClientConnection, TcpStream>, bytes: &[u8]) -> String {
    // A refusal may come before all was sent.
    let _ = stream.write_all(bytes).and_then(|()| stream.flush());
    let mut response = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&response).into_owned();
        if let Some((_, body)) = text.split_once("\r\n\r\n")
            && header(&text, "content-length").is_some_and(|length| length == body.len().to_string())
        {
            return text;
        }
        let count = stream.read(&mut piece).expect("a whole response");
        assert!(count > 0, "the connection ended within the response: {text}");
        response.extend_from_slice(&piece[..count]);
    }
}

/// Returns the address for uploads as both clients find it.
#[track_caller]
fn file_host(server: &Server) -> String {
    let mut client = Client::login(server, "alice");
    let lines = client.request("VERSION");
    let mut tokens = lines.iter().filter(|line| line.command == "005").flat_map(|line| &line.params);
    let url = tokens.find_map(|token| token.strip_prefix("soju.im/FILEHOST=")).expect("an address");
    // Halloy refuses an address without encryption.
    let (origin, path) = url.strip_prefix("https://").and_then(|rest| rest.split_once('/')).expect("https");
    assert!(origin.ends_with(&format!(":{}", server.address.port())), "{url}");
    format!("/{path}")
}

/// Returns what Halloy sends. hyper writes names of headers in lower case.
fn halloy(server: &Server, path: &str, disposition: &str, media_type: &str, body: &[u8]) -> Vec<u8> {
    let credentials = STANDARD.encode(format!("alice:{PASSWORD}"));
    let head = format!(
        "POST {path} HTTP/1.1\r\n\
         content-type: {media_type}\r\n\
         content-disposition: {disposition}\r\n\
         content-length: {}\r\n\
         authorization: Basic {credentials}\r\n\
         accept: */*\r\n\
         host: {}\r\n\r\n",
        body.len(),
        server.address
    );
    [head.as_bytes(), body].concat()
}

/// Returns what senpai sends. Go sends a body as chunks if it is from the clipboard, and so without a name, or empty.
fn senpai(server: &Server, path: &str, more: &[&str], body: &[u8], is_chunked: bool) -> Vec<u8> {
    let credentials = STANDARD.encode(format!("alice:{PASSWORD}"));
    let more: String = more.iter().flat_map(|line| [*line, "\r\n"]).collect();
    let (framing, body) = if is_chunked {
        let chunk = match body.len() {
            0 => Vec::new(),
            length => [format!("{length:x}\r\n").as_bytes(), body, b"\r\n"].concat(),
        };
        ("Transfer-Encoding: chunked".to_owned(), [&*chunk, b"0\r\n\r\n"].concat())
    } else {
        (format!("Content-Length: {}", body.len()), body.to_vec())
    };
    let head = format!(
        "POST {path} HTTP/1.1\r\n\
         Host: {}\r\n\
         User-Agent: Go-http-client/1.1\r\n\
         {framing}\r\n\
         Authorization: Basic {credentials}\r\n\
         {more}\
         Accept-Encoding: gzip\r\n\r\n",
        server.address
    );
    [head.as_bytes(), &body].concat()
}

/// Checks the answer to an upload: the status that both take alone, and a `Location` that can be read and that names the
/// file as it was called.
#[track_caller]
fn location(server: &Server, response: &str, name: &str) -> String {
    assert_eq!(status(response), 201, "{response}");
    let url = header(response, "location").expect("an address");
    let path = url.strip_prefix(&format!("https://{}/f/", server.address)).expect("an address of the server");
    assert_eq!(path.split_once('/').map(|(_, name)| name), Some(name), "{url}");
    url
}

#[test]
fn halloy_uploads_and_shares() {
    let home = file_home();
    let server = home.serve();
    let path = file_host(&server);
    let mut stream = open(&server);
    let mut last = String::new();
    for (disposition, name) in [
        (r#"attachment; filename="photo.png"; filename*=UTF-8''photo%2Epng"#, "photo.png"),
        (
            r#"attachment; filename="Grusse _Plan_ 2.txt"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%E2%80%9EPlan%E2%80%9C%202%2Etxt"#,
            ODD_NAME_ENCODED,
        ),
        // Quotes and a colon are in no name of a file on Windows.
        (
            r#"attachment; filename="say _hi_: a;b.txt"; filename*=UTF-8''say%20%22hi%22%3A%20a%3Bb%2Etxt"#,
            "say%20_hi__%20a%3Bb.txt",
        ),
    ] {
        // The media type is by the ending of the name, which may say anything.
        let response = exchange(&mut stream, &halloy(&server, &path, disposition, "image/png", b"hello"));
        last = location(&server, &response, name);
    }
    // It puts the address into the message that is being written.
    let mut alice = Client::login(&server, "alice");
    let mut bob = Client::login(&server, "bob");
    for client in [&mut alice, &mut bob] {
        client.request("JOIN #room");
    }
    share(&mut alice, "#room", &last);
    let read = get(&server, &last, &[&basic("bob")]);
    assert_eq!((status(&read), read.ends_with("\r\n\r\nhello")), (200, true), "{read}");
    // What is refused is shown with the body of the answer.
    let response = exchange(
        &mut open(&server),
        &halloy(
            &server,
            &path,
            "attachment; filename=\"a\"; filename*=UTF-8''a",
            "text/plain",
            &vec![0; 1 << 21],
        ),
    );
    let text = response.split_once("\r\n\r\n").expect("a body").1;
    assert!(status(&response) == 413 && text.contains("at most 1 MiB"), "{response}");
}

#[test]
fn senpai_uploads_and_learns_limits() {
    let home = file_home();
    let server = home.serve();
    let path = file_host(&server);
    let mut stream = open(&server);
    for (disposition, name) in [
        ("Content-Disposition: attachment; filename=photo.png", "photo.png"),
        (r#"Content-Disposition: attachment; filename="my photo.png""#, "my%20photo.png"),
        (r#"Content-Disposition: attachment; filename="a\"b;c.txt""#, "a_b%3Bc.txt"),
        (
            "Content-Disposition: attachment; filename*=utf-8''Gr%C3%BC%C3%9Fe%20%E2%80%9EPlan%E2%80%9C%202.txt",
            ODD_NAME_ENCODED,
        ),
    ] {
        let response = exchange(&mut stream, &senpai(&server, &path, &[disposition], b"hello", false));
        let url = location(&server, &response, name);
        assert!(get(&server, &url, &[&basic("alice")]).ends_with("\r\n\r\nhello"), "{url}");
    }
    // From the clipboard: of no known size, with a type and without a name.
    let response =
        exchange(&mut stream, &senpai(&server, &path, &["Content-Type: image/png"], b"hello", true));
    location(&server, &response, "file");
    let response = exchange(
        &mut stream,
        &senpai(&server, &path, &["Content-Disposition: attachment; filename=empty"], b"", true),
    );
    location(&server, &response, "empty");
    // It shows the limit of the header beside the size of the file, and that of a body whose size was not known.
    for is_chunked in [false, true] {
        let request = senpai(&server, &path, &["Content-Type: image/png"], &vec![0; 1 << 21], is_chunked);
        let response = exchange(&mut open(&server), &request);
        assert_eq!(status(&response), 413, "{response}");
        assert_eq!(header(&response, "upload-limit").as_deref(), Some("maxsize=1048576"), "{response}");
    }
}
