//! The side of a browser: HTTP as raw text, and the WebSocket.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest as _;
use tungstenite::error::Error;
use tungstenite::handshake::HandshakeError;
use tungstenite::{Message, WebSocket};

use crate::support::{Home, Process, WAIT_TIMEOUT};

/// A running `parlour web --no-open`.
pub struct LocalSite {
    pub process: Process,
    pub address: SocketAddr,
    pub token: String,
}

impl LocalSite {
    /// Starts it with a user's own configuration, and waits until it serves.
    #[track_caller]
    pub fn start(home: &Home, user: &str, args: &[&str]) -> Self {
        let process = home.start_as_user(user, &[&["web", "--no-open"], args].concat());
        let url = process.wait_for_line(|line| line.starts_with("http://"));
        let (address, token) = url["http://".len()..].split_once("/#").expect("a token");
        Self { process, address: address.parse().expect("an address"), token: token.to_owned() }
    }

    /// Opens a WebSocket as the page does.
    #[track_caller]
    pub fn open(&self) -> Socket {
        let origin = format!("http://{}", self.address);
        Socket::open(self.connect(), &format!("ws://{}/irc", self.address), &origin, "text.ircv3.net")
            .unwrap_or_else(|status| panic!("the WebSocket was refused: {status}"))
    }

    /// Opens a WebSocket, and sends the first message with the token. Returns the answer too.
    #[track_caller]
    pub fn open_page(&self, server: Option<&str>) -> (Socket, Value) {
        let mut socket = self.open();
        socket.send(&json!({ "token": self.token, "server": server }).to_string());
        let answer = serde_json::from_str(&socket.next_text()).expect("JSON");
        (socket, answer)
    }

    /// Opens a WebSocket for what is kept for the page. Returns that too.
    #[track_caller]
    pub fn open_state(&self) -> (Socket, Value) {
        let mut socket = self.open();
        socket.send(&json!({ "token": self.token, "state": true }).to_string());
        let kept = serde_json::from_str(&socket.next_text()).expect("JSON");
        (socket, kept)
    }

    /// Connects without a request.
    #[track_caller]
    pub fn connect(&self) -> TcpStream {
        connect(self.address)
    }
}

/// Connects, with a time limit for reading.
#[track_caller]
pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(WAIT_TIMEOUT)).expect("a time limit");
    stream
}

/// Sends bytes, and returns all that comes until the other side ends the connection.
#[track_caller]
pub fn exchange(stream: &mut (impl Read + Write), request: &str) -> String {
    stream.write_all(request.as_bytes()).expect("sent");
    let mut response = Vec::new();
    stream.read_to_end(&mut response).expect("an end without a reset");
    String::from_utf8_lossy(&response).into_owned()
}

/// Returns a request with these lines in its head, after which the connection ends.
pub fn request(first_line: &str, headers: &[&str]) -> String {
    format!("{first_line}\r\n{}Connection: close\r\n\r\n", lines(headers))
}

/// Returns lines with their ends.
pub fn lines(lines: &[&str]) -> String {
    lines.iter().flat_map(|line| [line, "\r\n"]).collect()
}

/// Returns the status of a response.
#[track_caller]
pub fn status(response: &str) -> u16 {
    let status = response.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.unwrap_or_else(|| panic!("no response: {response:?}"))
}

/// A WebSocket on a browser's side.
pub struct Socket<S = TcpStream>(pub WebSocket<S>);

impl<S: Read + Write> Socket<S> {
    /// Opens a WebSocket over a stream. The error is the status of the refusal.
    #[track_caller]
    pub fn open(stream: S, url: &str, origin: &str, subprotocols: &str) -> Result<Self, u16> {
        let mut request = url.into_client_request().expect("a URL");
        for (name, value) in [("Origin", origin), ("Sec-WebSocket-Protocol", subprotocols)] {
            if !value.is_empty() {
                request.headers_mut().insert(name, value.parse().expect("a header's value"));
            }
        }
        match tungstenite::client(request, stream) {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(HandshakeError::Failure(Error::Http(response))) => Err(response.status().as_u16()),
            Err(error) => panic!("no HTTP: {error}"),
        }
    }

    /// Sends a line.
    #[track_caller]
    pub fn send(&mut self, line: &str) {
        self.0.send(Message::text(line)).expect("sent");
    }

    /// Returns the next message with text; skips control frames.
    #[track_caller]
    pub fn next_text(&mut self) -> String {
        loop {
            match self.0.read().expect("a message") {
                Message::Text(text) => return text.to_string(),
                Message::Binary(bytes) => panic!("binary: {bytes:?}"),
                Message::Close(reason) => panic!("closed: {reason:?}"),
                _ => {}
            }
        }
    }

    /// Skips messages until one matches, and returns it.
    #[track_caller]
    pub fn wait_for(&mut self, is: impl Fn(&str) -> bool) -> String {
        loop {
            let text = self.next_text();
            if is(&text) {
                return text;
            }
        }
    }

    /// Skips messages until the other side closes the WebSocket. Returns its code, if it gives one.
    #[track_caller]
    pub fn wait_for_close(&mut self) -> Option<u16> {
        loop {
            match self.0.read() {
                Ok(Message::Close(frame)) => return frame.map(|frame| frame.code.into()),
                Ok(_) => {}
                Err(error) => panic!("no close: {error}"),
            }
        }
    }

    /// Logs in by the device's certificate, which somebody else presents.
    #[track_caller]
    pub fn log_in_by_device(&mut self, account: &str) {
        for line in [
            "CAP REQ :sasl message-tags server-time echo-message labeled-response batch",
            &format!("NICK {account}"),
            &format!("USER {account} 0 * :{account}"),
            "AUTHENTICATE EXTERNAL",
        ] {
            self.send(line);
        }
        self.wait_for(|line| line == "AUTHENTICATE +");
        self.send("AUTHENTICATE +");
        self.wait_for(|line| line.contains(" 903 "));
        self.send("CAP END");
        self.wait_for(|line| line.contains(" 376 ") || line.contains(" 422 "));
    }
}
