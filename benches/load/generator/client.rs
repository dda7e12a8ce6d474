//! One client: its login, its lines in both directions.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio_rustls::client::TlsStream;

use super::line::Line;
use super::target::Proof;

/// Longest line that a server may send, so that the buffer of a client is bounded.
const MAX_LINE: usize = 64 * 1024;

/// Bytes that are read at once: four records of TLS.
const READ_SIZE: usize = 64 * 1024;

/// A logged-in client.
pub struct Client {
    /// Its nick, which is also the name of its account.
    pub nick: String,
    /// True if the server sends it its own messages (`echo-message`).
    pub has_echo: bool,
    /// Lines from the server.
    pub reader: Reader,
    /// Lines to the server.
    pub writer: Writer,
}

/// What a client presents at its login.
#[derive(Clone, Copy)]
pub struct Login<'a> {
    /// Nick and account.
    pub name: &'a str,
    /// Password of the account.
    pub password: &'a str,
    /// The proof.
    pub proof: Proof,
    /// Capabilities that are requested where the server has them, separated by blanks.
    pub capabilities: &'a str,
}

impl Client {
    /// Logs in on a connection and reads the whole welcome.
    pub async fn log_in(stream: TlsStream<TcpStream>, login: Login<'_>) -> Result<Self> {
        let (from, to) = tokio::io::split(stream);
        let mut client = Self {
            nick: login.name.to_owned(),
            has_echo: false,
            reader: Reader { half: from, buffer: Vec::new(), start: 0 },
            writer: Writer(Arc::new(Mutex::new(to))),
        };
        let name = login.name;
        client.writer.send(format!("CAP LS 302\r\nNICK {name}\r\nUSER {name} 0 * :{name}\r\n")).await?;
        let mut requested = Vec::new();
        loop {
            let Self { reader, writer, has_echo, .. } = &mut client;
            let line = reader.next().await?;
            match line.command {
                b"CAP" if line.param(1) == "LS" => {
                    requested.extend(known_capabilities(line, login));
                    if line.param(2) == "*" {
                        continue;
                    }
                    ensure!(login.proof == Proof::None || requested.iter().any(|it| it == "sasl"), "no SASL");
                    *has_echo = requested.iter().any(|it| it == "echo-message");
                    let next = if requested.is_empty() {
                        "CAP END\r\n".to_owned()
                    } else {
                        format!("CAP REQ :{}\r\n", requested.join(" "))
                    };
                    writer.send(next).await?;
                }
                b"CAP" if line.param(1) == "ACK" => {
                    writer
                        .send(match login.proof {
                            Proof::None => "CAP END\r\n",
                            Proof::Password => "AUTHENTICATE PLAIN\r\n",
                            Proof::Device | Proof::Resumed => "AUTHENTICATE EXTERNAL\r\n",
                        })
                        .await?;
                }
                b"AUTHENTICATE" => writer.send(sasl_response(login)).await?,
                b"903" => writer.send("CAP END\r\n").await?,
                b"PING" => writer.answer(line).await?,
                b"376" | b"422" => return Ok(client),
                b"CAP" | b"ERROR" | b"902" | b"904" | b"905" | b"906" | b"908" | b"432" | b"433" | b"464"
                | b"465" => bail!("refused: {}", line.to_text()),
                _ => {}
            }
        }
    }

    /// Returns true if the handshake resumed an earlier session.
    pub fn is_resumed(stream: &TlsStream<TcpStream>) -> bool {
        stream.get_ref().1.handshake_kind() == Some(rustls::HandshakeKind::Resumed)
    }

    /// Joins a channel and reads until it has joined. One that the account is in already is fine.
    pub async fn join(&mut self, channel: &str) -> Result<()> {
        let refused = self
            .request(&format!("JOIN {channel}\r\n"), |line| match line.command {
                b"403" | b"405" | b"437" | b"471" | b"473" | b"474" | b"475" | b"477" => Some(line.to_text()),
                _ => None,
            })
            .await?;
        match refused {
            Some(line) => bail!("cannot join {channel}: {line}"),
            None => Ok(()),
        }
    }

    /// Sends lines, and reads until the server has handled them. Returns the first line that `find` has a value for.
    pub async fn request<T>(
        &mut self,
        lines: &str,
        find: impl Fn(Line<'_>) -> Option<T>,
    ) -> Result<Option<T>> {
        self.writer.send(format!("{lines}PING {BARRIER}\r\n")).await?;
        let mut found = None;
        loop {
            let line = self.reader.next().await?;
            match line.command {
                b"PONG" if line.text() == BARRIER.as_bytes() => return Ok(found),
                b"PING" => self.writer.answer(line).await?,
                b"ERROR" => bail!("closed: {}", line.to_text()),
                _ => found = found.or_else(|| find(line)),
            }
        }
    }

    /// Reads until the connection ends, and answers PINGs.
    pub async fn stay(mut self) -> Result<()> {
        loop {
            let line = self.reader.next().await?;
            if line.command == b"PING" {
                self.writer.answer(line).await?;
            }
        }
    }

    /// Leaves in good order.
    pub async fn quit(mut self) {
        if self.writer.send("QUIT\r\n").await.is_ok() {
            // The server closes the connection.
            while self.reader.next().await.is_ok() {}
        }
    }
}

/// Token of the PING by which a client learns that the server has handled its lines.
pub const BARRIER: &str = "handled";

/// Returns the capabilities of a line of CAP LS that the client wants.
fn known_capabilities(line: Line<'_>, login: Login<'_>) -> Vec<String> {
    let offered = String::from_utf8_lossy(line.text()).into_owned();
    let names = offered.split(' ').filter_map(|word| word.split('=').next());
    let is_wanted = |name: &&str| {
        login.capabilities.split(' ').any(|wanted| wanted == *name)
            || *name == "sasl" && login.proof != Proof::None
    };
    names.filter(is_wanted).map(str::to_owned).collect()
}

/// Returns the line that answers `AUTHENTICATE +`.
fn sasl_response(login: Login<'_>) -> String {
    let Login { name, password, .. } = login;
    match login.proof {
        Proof::Password => {
            format!("AUTHENTICATE {}\r\n", STANDARD.encode(format!("{name}\0{name}\0{password}")))
        }
        Proof::None | Proof::Device | Proof::Resumed => "AUTHENTICATE +\r\n".to_owned(),
    }
}

/// The reading half of a connection.
pub struct Reader {
    half: ReadHalf<TlsStream<TcpStream>>,
    buffer: Vec<u8>,
    /// Count of consumed bytes in the buffer.
    start: usize,
}

impl Reader {
    /// Reads once. Cancel safe.
    pub async fn fill(&mut self) -> Result<()> {
        self.buffer.drain(..self.start);
        self.start = 0;
        ensure!(self.buffer.len() < MAX_LINE, "a line without an end");
        if self.buffer.is_empty() {
            // An idle client keeps nothing.
            self.buffer.shrink_to(4096);
        }
        if self.buffer.capacity() - self.buffer.len() < 1024 {
            self.buffer.reserve(READ_SIZE.min(4 * self.buffer.len().max(512)));
        }
        let count = self.half.read_buf(&mut self.buffer).await.context("reading")?;
        ensure!(count > 0, "the server closed the connection");
        Ok(())
    }

    /// Returns the next line that was read, without its end.
    pub fn take(&mut self) -> Option<Line<'_>> {
        let rest = &self.buffer[self.start..];
        let length = memchr::memchr(b'\n', rest)?;
        self.start += length + 1;
        let line = &rest[..length];
        Some(Line::parse(line.strip_suffix(b"\r").unwrap_or(line)))
    }

    /// Reads the next line.
    pub async fn next(&mut self) -> Result<Line<'_>> {
        while memchr::memchr(b'\n', &self.buffer[self.start..]).is_none() {
            self.fill().await?;
        }
        self.take().context("a line")
    }
}

/// The writing half of a connection.
#[derive(Clone)]
pub struct Writer(Arc<Mutex<WriteHalf<TlsStream<TcpStream>>>>);

impl Writer {
    /// Sends lines.
    pub async fn send(&self, lines: impl AsRef<[u8]>) -> Result<()> {
        let mut half = self.0.lock().await;
        half.write_all(lines.as_ref()).await.context("writing")?;
        half.flush().await.context("writing")
    }

    /// Answers a PING.
    pub async fn answer(&self, ping: Line<'_>) -> Result<()> {
        self.send([b"PONG :", ping.text(), b"\r\n"].concat()).await
    }
}
