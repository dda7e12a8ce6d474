//! A small asynchronous IRC client over TLS, with the server's pin verified. It is independent of Parlour's own parser.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use parlour::trust::{Pin, tls};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Password of every account.
pub const PASSWORD: &str = "correct horse battery";

/// Time limit for a login or a reply.
pub const REPLY_TIMEOUT: Duration = Duration::from_secs(20);

/// Opens connections to one server.
#[derive(Clone)]
pub struct Dialer {
    address: SocketAddr,
    tls: TlsConnector,
}

impl Dialer {
    pub fn new(address: SocketAddr, pin: &str) -> Result<Self> {
        let pin: Pin = pin.parse().context("the pin")?;
        Ok(Self { address, tls: TlsConnector::from(tls::client_config(pin)) })
    }

    /// Opens a TCP connection from `127.0.0.LAST`.
    pub async fn tcp(&self, last: u8) -> Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)), 0))?;
        socket.set_nodelay(true)?;
        Ok(socket.connect(self.address).await?)
    }

    /// Opens a connection and completes the handshake, without sending anything.
    pub async fn connect(&self, last: u8) -> Result<Client> {
        let tcp = self.tcp(last).await?;
        let name = ServerName::from(self.address.ip());
        let stream = self.tls.connect(name, tcp).await.context("TLS handshake")?;
        Ok(Client { stream, buffer: Vec::new(), start: 0 })
    }

    /// Logs in to an account and reads the whole welcome.
    pub async fn login(&self, last: u8, name: &str, caps: &str) -> Result<Client> {
        tokio::time::timeout(REPLY_TIMEOUT, self.try_login(last, name, PASSWORD, caps))
            .await
            .context("login timed out")?
    }

    /// Tries to log in with this password.
    pub async fn try_login(&self, last: u8, name: &str, password: &str, caps: &str) -> Result<Client> {
        let mut client = self.connect(last).await?;
        let plain = base64::engine::general_purpose::STANDARD.encode(format!("{name}\0{name}\0{password}"));
        let hello = format!(
            "CAP REQ :sasl {caps}\r\nNICK {name}\r\nUSER {name} 0 * :{name}\r\nAUTHENTICATE PLAIN\r\nAUTHENTICATE {plain}\r\n"
        );
        client.send(&hello).await?;
        loop {
            let line = client.next_line().await?;
            match line.command.as_str() {
                "903" => client.send("CAP END\r\n").await?,
                "376" | "422" => return Ok(client),
                "PING" => client.answer_ping(&line).await?,
                "ERROR" | "904" | "905" | "902" => bail!("login refused: {}", line.text()),
                _ => {}
            }
        }
    }
}

/// One connection with its read buffer.
pub struct Client {
    stream: TlsStream<TcpStream>,
    buffer: Vec<u8>,
    /// Count of consumed bytes in the buffer.
    start: usize,
}

/// A parsed line, with its tags as on the wire.
#[derive(Debug, Default)]
pub struct Line {
    pub tags: Vec<(String, String)>,
    pub source: String,
    pub command: String,
    pub params: Vec<String>,
}

impl Client {
    pub async fn send(&mut self, text: &str) -> Result<()> {
        self.stream.write_all(text.as_bytes()).await?;
        self.stream.flush().await?;
        Ok(())
    }

    /// Reads the next line. Cancel safe.
    pub async fn next_line(&mut self) -> Result<Line> {
        loop {
            let rest = &self.buffer[self.start..];
            if let Some(end) = memchr::memchr(b'\n', rest) {
                let line = Line::parse(String::from_utf8_lossy(&rest[..end]).trim_end_matches('\r'));
                self.start += end + 1;
                return Ok(line);
            }
            if self.start > 0 {
                self.buffer.drain(..self.start);
                self.start = 0;
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("connection closed");
            }
        }
    }

    /// Reads and discards lines until the connection ends; answers PING.
    pub async fn discard_input(&mut self) -> Result<()> {
        loop {
            let line = self.next_line().await?;
            if line.command == "PING" {
                self.answer_ping(&line).await?;
            }
        }
    }

    /// Returns the two directions of the connection, for callers that need no lines.
    pub fn split(self) -> (ReadHalf<TlsStream<TcpStream>>, WriteHalf<TlsStream<TcpStream>>) {
        tokio::io::split(self.stream)
    }

    pub async fn answer_ping(&mut self, ping: &Line) -> Result<()> {
        self.send(&format!("PONG :{}\r\n", ping.text())).await
    }
}

impl Line {
    fn parse(text: &str) -> Self {
        let mut line = Self::default();
        let mut rest = text;
        if let Some(tagged) = rest.strip_prefix('@') {
            let (tags, after) = tagged.split_once(' ').unwrap_or((tagged, ""));
            let pair = |tag: &str| {
                tag.split_once('=')
                    .map_or((tag.to_owned(), String::new()), |(k, v)| (k.to_owned(), v.to_owned()))
            };
            line.tags = tags.split(';').map(pair).collect();
            rest = after;
        }
        if let Some(sourced) = rest.strip_prefix(':') {
            let (source, after) = sourced.split_once(' ').unwrap_or((sourced, ""));
            source.split('!').next().unwrap_or_default().clone_into(&mut line.source);
            rest = after;
        }
        let (middle, trailing) =
            rest.split_once(" :").map_or((rest, None), |(middle, text)| (middle, Some(text)));
        let mut words = middle.split(' ').filter(|word| !word.is_empty()).map(str::to_owned);
        line.command = words.next().unwrap_or_default();
        line.params = words.chain(trailing.map(str::to_owned)).collect();
        line
    }

    pub fn tag(&self, key: &str) -> Option<&str> {
        self.tags.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str())
    }

    /// Returns the last parameter.
    pub fn text(&self) -> &str {
        self.params.last().map_or("", String::as_str)
    }

    pub fn param(&self, at: usize) -> &str {
        self.params.get(at).map_or("", String::as_str)
    }
}
