//! A small blocking IRC client over TLS. It reads until it sees the expected line.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parlour::trust::tls;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, StreamOwned};
use rustls_pki_types::{CertificateDer, ServerName};

use super::{Device, Line, PASSWORD, Requests, Server, WAIT_TIMEOUT};

/// Every capability that changes what a session sees.
pub const ALL_CAPABILITIES: &str =
    "account-tag batch echo-message labeled-response message-tags multi-prefix server-time standard-replies";

/// [`ALL_CAPABILITIES`], and lines of more than 512 bytes.
pub const LONG_LINE_CAPABILITIES: &str = "account-tag batch echo-message labeled-response message-tags multi-prefix server-time \
                        standard-replies draft/multiline";

/// One connection to a server.
pub struct Client {
    tls: StreamOwned<ClientConnection, TcpStream>,
    received: Vec<u8>,
    transcript: Vec<String>,
    barriers: u32,
    /// Lines from the server between the end of registration and the first barrier.
    pub welcome: Vec<Line>,
}

impl Client {
    /// Connects and completes the handshake, with the server's pin verified; sends nothing yet.
    #[track_caller]
    pub fn connect(server: &Server) -> Self {
        Self::connect_with_config(server, tls::client_config(server.pin()))
    }

    /// Connects as [`connect`](Self::connect) does, but without ALPN, as most clients do.
    #[track_caller]
    pub fn connect_without_alpn(server: &Server) -> Self {
        let mut config = ClientConfig::clone(&tls::client_config(server.pin()));
        config.alpn_protocols.clear();
        Self::connect_with_config(server, Arc::new(config))
    }

    /// Connects as [`connect`](Self::connect) does, and presents a certificate.
    #[track_caller]
    pub fn connect_with_device(server: &Server, device: &Device) -> Self {
        Self::connect_with_config(server, device.config(server))
    }

    /// Connects as [`connect`](Self::connect) does, with another TLS configuration.
    #[track_caller]
    pub fn connect_with_config(server: &Server, config: Arc<ClientConfig>) -> Self {
        let socket = TcpStream::connect(server.address).expect("a connection");
        Self::over_socket(socket, server, config)
    }

    /// Completes the handshake on a connection that was made before.
    #[track_caller]
    pub fn over_socket(socket: TcpStream, server: &Server, config: Arc<ClientConfig>) -> Self {
        socket.set_read_timeout(Some(WAIT_TIMEOUT)).expect("a time-out");
        socket.set_write_timeout(Some(WAIT_TIMEOUT)).expect("a time-out");
        socket.set_nodelay(true).expect("no delay");
        let name = ServerName::from(server.address.ip());
        let connection = ClientConnection::new(config, name).expect("a TLS client");
        let mut tls = StreamOwned::new(connection, socket);
        while tls.conn.is_handshaking() {
            tls.conn.complete_io(&mut tls.sock).expect("a handshake");
        }
        Self { tls, received: Vec::new(), transcript: Vec::new(), barriers: 0, welcome: Vec::new() }
    }

    /// Logs in with [`ALL_CAPABILITIES`].
    #[track_caller]
    pub fn login(server: &Server, name: &str) -> Self {
        Self::login_with(server, name, ALL_CAPABILITIES)
    }

    /// Logs in with every capability of [`FULL`] and joins a channel.
    #[track_caller]
    pub fn in_channel(server: &Server, name: &str, channel: &str) -> Self {
        let mut client = Self::login(server, name);
        client.request(&format!("JOIN {channel}"));
        client
    }

    /// Tries to log in with a password. Returns the numeric of the result.
    #[track_caller]
    pub fn try_login(server: &Server, name: &str, password: &str) -> String {
        let mut client = Self::connect(server);
        client.begin_login(name, ALL_CAPABILITIES);
        client.authenticate(name, password).command
    }

    /// Logs in with these capabilities (and sasl), and reads the whole welcome.
    #[track_caller]
    pub fn login_with(server: &Server, name: &str, capabilities: &str) -> Self {
        let mut client = Self::connect(server);
        client.begin_login(name, capabilities);
        client.authenticate_with_password(name);
        client.finish_login()
    }

    /// Starts a login with a name and capabilities; leaves out the proof and the end of the negotiation.
    #[track_caller]
    pub fn begin_login(&mut self, name: &str, capabilities: &str) {
        self.send("CAP LS 302");
        self.send_nick_and_user(name);
        self.request_capabilities(&format!("sasl {capabilities}"));
    }

    /// Authenticates by SASL PLAIN with the right password.
    #[track_caller]
    pub fn authenticate_with_password(&mut self, name: &str) {
        let answer = self.authenticate(name, PASSWORD);
        assert_eq!(answer.command, "903", "{}", self.format_transcript());
    }

    /// Ends the negotiation and reads the whole welcome.
    #[track_caller]
    pub fn finish_login(mut self) -> Self {
        self.send("CAP END");
        self.wait_for_command("001");
        self.welcome = self.drain();
        self
    }

    /// Returns true if the handshake resumed an earlier session.
    pub fn is_resumed(&self) -> bool {
        self.tls.conn.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// Returns the negotiated application protocol.
    pub fn alpn(&self) -> Option<&[u8]> {
        self.tls.conn.alpn_protocol()
    }

    /// Returns the client's address, as the server sees it.
    pub fn address(&self) -> SocketAddr {
        self.tls.sock.local_addr().expect("the own address")
    }

    /// Sends NICK and USER.
    pub fn send_nick_and_user(&mut self, name: &str) {
        self.send(&format!("NICK {name}"));
        self.send(&format!("USER {name} 0 * :{name} of the tests"));
    }

    /// Requests capabilities and waits until they are enabled.
    #[track_caller]
    pub fn request_capabilities(&mut self, capabilities: &str) {
        self.send(&format!("CAP REQ :{}", capabilities.trim_end()));
        self.wait_for_line("CAP ACK", |l| l.command == "CAP" && l.param(1) == "ACK");
    }

    /// Authenticates by SASL PLAIN. Returns the numeric of the result: 903, or one of 902 and 904 to 908.
    #[track_caller]
    pub fn authenticate(&mut self, name: &str, password: &str) -> Line {
        self.send("AUTHENTICATE PLAIN");
        let prompt = self.wait_for_command("AUTHENTICATE");
        assert_eq!(prompt.params, ["+"]);
        self.send(&format!("AUTHENTICATE {}", sasl_plain(name, password)));
        self.sasl_result()
    }

    /// Authenticates by SASL EXTERNAL with this response, empty for none. Returns the numeric of the result.
    #[track_caller]
    pub fn authenticate_external(&mut self, response: &str) -> Line {
        self.send("AUTHENTICATE EXTERNAL");
        assert_eq!(self.wait_for_command("AUTHENTICATE").params, ["+"]);
        let response = if response.is_empty() { "+".to_owned() } else { STANDARD.encode(response) };
        self.send(&format!("AUTHENTICATE {response}"));
        self.sasl_result()
    }

    #[track_caller]
    fn sasl_result(&mut self) -> Line {
        self.wait_for_line("the result of SASL", |l| {
            l.command == "903" || l.command == "902" || ("904"..="908").contains(&l.command.as_str())
        })
    }

    /// Sends one line.
    #[track_caller]
    pub fn send(&mut self, line: &str) {
        self.transcript.push(format!("-> {line}"));
        self.send_bytes(format!("{line}\r\n").as_bytes()).expect("the server reads");
    }

    /// Sends many lines in one write.
    #[track_caller]
    pub fn send_all(&mut self, lines: impl IntoIterator<Item = String>) {
        let bytes: Vec<u8> = lines.into_iter().flat_map(|line| [line.as_bytes(), b"\r\n"].concat()).collect();
        self.send_bytes(&bytes).expect("the server reads");
    }

    /// Sends bytes unchanged.
    pub fn send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.tls.write_all(bytes)?;
        self.tls.flush()
    }

    /// Reads the next line; `None` when the server has closed the connection.
    #[track_caller]
    pub fn next(&mut self) -> Option<Line> {
        let mut chunk = [0; 4096];
        let end = loop {
            if let Some(end) = self.received.iter().position(|&b| b == b'\n') {
                break end;
            }
            match self.tls.read(&mut chunk) {
                Ok(0) => return None,
                Ok(n) => self.received.extend_from_slice(&chunk[..n]),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    panic!("nothing came for {WAIT_TIMEOUT:?}{}", self.format_transcript())
                }
                Err(_) => return None, // reset, or closed without a farewell
            }
        };
        let line: Vec<u8> = self.received.drain(..=end).collect();
        let line = line.strip_suffix(b"\r\n").unwrap_or_else(|| panic!("a line without CR LF: {line:?}"));
        let line = str::from_utf8(line).expect("the server sends UTF-8").to_owned();
        self.transcript.push(format!("<- {line}"));
        Some(Line::parse(&line))
    }

    /// Reads until a line matches, and returns it. Answers the server's PINGs meanwhile.
    #[track_caller]
    pub fn wait_for_line(&mut self, description: &str, matches: impl Fn(&Line) -> bool) -> Line {
        loop {
            match self.next() {
                Some(line) if matches(&line) => return line,
                Some(line) if line.command == "PING" => self.send(&format!("PONG :{}", line.text())),
                Some(_) => {}
                None => panic!("the connection ended before {description}{}", self.format_transcript()),
            }
        }
    }

    /// Reads until a line of this command and these first parameters: `client.command("JOIN #room")`.
    #[track_caller]
    pub fn wait_for_command(&mut self, start: &str) -> Line {
        self.wait_for_line(start, |line| line.starts_with(start))
    }

    /// Reads until a message with this text.
    #[track_caller]
    pub fn wait_for_message(&mut self, text: &str) -> Line {
        self.wait_for_line(text, |line| {
            matches!(line.command.as_str(), "PRIVMSG" | "NOTICE") && line.text() == text
        })
    }

    /// Sends a message and waits until the sender has its echo and the other client has the message. Returns both
    /// lines.
    #[track_caller]
    pub fn deliver_message(&mut self, other: &mut Self, target: &str, text: &str) -> (Line, Line) {
        self.send(&format!("PRIVMSG {target} :{text}"));
        (self.wait_for_message(text), other.wait_for_message(text))
    }

    /// Sends a line and returns everything that the server sends until it has processed it.
    #[track_caller]
    pub fn request(&mut self, line: &str) -> Vec<Line> {
        self.send(line);
        self.drain()
    }

    /// Returns everything that the server has sent up to now.
    #[track_caller]
    pub fn drain(&mut self) -> Vec<Line> {
        self.barriers += 1;
        let token = format!("barrier-{}", self.barriers);
        self.send(&format!("PING {token}"));
        let mut lines = Vec::new();
        loop {
            match self.next() {
                Some(line) if line.command == "PONG" && line.text() == token => return lines,
                Some(line) => lines.push(line),
                None => panic!("the connection ended before a barrier{}", self.format_transcript()),
            }
        }
    }

    /// Waits until the server has processed everything sent so far.
    #[track_caller]
    pub fn barrier(&mut self) {
        self.drain();
    }

    /// Reads until the server closes. Returns the lines that it still sent.
    #[track_caller]
    pub fn read_until_closed(&mut self) -> Vec<Line> {
        std::iter::from_fn(|| self.next()).collect()
    }

    /// Closes the connection properly.
    pub fn close(mut self) {
        self.tls.conn.send_close_notify();
        drop(self.tls.flush());
    }

    /// Returns the certificates that the server presented.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        self.tls.conn.peer_certificates().unwrap_or_default()
    }

    /// Returns the latest lines in both directions, for a failure's message.
    pub fn format_transcript(&self) -> String {
        let latest = self.transcript.len().saturating_sub(60);
        let lines: Vec<&str> =
            self.transcript[latest..].iter().map(|l| &l[..l.floor_char_boundary(300)]).collect();
        format!("\n--- this connection ---\n{}", lines.join("\n"))
    }
}

impl Requests for Client {
    #[track_caller]
    fn request(&mut self, line: &str) -> Vec<Line> {
        Self::request(self, line)
    }

    #[track_caller]
    fn drain(&mut self) -> Vec<Line> {
        Self::drain(self)
    }
}

/// Returns the whole SASL PLAIN response in base64 (RFC 4616, without an authorization identity).
pub fn sasl_plain(name: &str, password: &str) -> String {
    STANDARD.encode(format!("\0{name}\0{password}"))
}
