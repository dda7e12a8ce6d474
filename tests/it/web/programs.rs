//! The side of a program: a request over TLS, and its response.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use parlour::trust::tls;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use serde_json::Value;

use crate::support::{Server, WAIT_TIMEOUT};

/// A response to a program.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Response {
    /// Returns the value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Returns the body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Returns the sentence of a refusal, whose other fields must fit it.
    #[track_caller]
    pub fn detail(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let json = self.json();
        assert_eq!(json["status"], self.status, "{json}");
        json["detail"].as_str().expect("a sentence").to_owned()
    }
}

/// Opens a connection for HTTP; `None` if the server is gone.
#[track_caller]
fn open(server: &Server) -> Option<StreamOwned<ClientConnection, TcpStream>> {
    let stream = TcpStream::connect(server.address).ok()?;
    stream.set_read_timeout(Some(WAIT_TIMEOUT)).expect("a time limit");
    let mut config = (*tls::client_config(server.pin())).clone();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a configuration");
    Some(StreamOwned::new(connection, stream))
}

/// Sends a request; the headers are lines. Fails if there is no whole response, as when the server is killed.
pub fn try_send(server: &Server, first: &str, headers: &[&str], body: &[u8]) -> Option<Response> {
    let mut head = format!("{first} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", server.address);
    for header in headers.iter().copied().chain([&*format!("Content-Length: {}", body.len())]) {
        head += header;
        head += "\r\n";
    }
    let mut stream = open(server)?;
    stream.write_all((head + "\r\n").as_bytes()).ok()?;
    // A refusal may come before the body was sent.
    let _ = stream.write_all(body).and_then(|()| stream.flush());
    let mut response = Vec::new();
    let _ = stream.read_to_end(&mut response);
    let response = String::from_utf8_lossy(&response).into_owned();
    let (head, body) = response.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Response { status, head: head.to_owned(), body: body.to_owned() })
}

/// Sends a request that has a response.
#[track_caller]
pub fn send(server: &Server, first: &str, headers: &[&str], body: &[u8]) -> Response {
    try_send(server, first, headers, body).expect("a response")
}
