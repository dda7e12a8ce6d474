//! A connection: bytes to lines and back, and the login on it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bytes::BytesMut;
use rustls_pki_types::UnixTime;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf, split};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::client::TlsStream;
use zeroize::Zeroizing;

use super::dial::{self, DialError, dial};
use super::login::{Credentials, Login, LoginError, LoginStep};
use super::replies::{ReplyPart, ReplyScanner};
use crate::client::files::servers::Servers;
use crate::client::model::Model;
use crate::client::text::clean::clean;
use crate::client::text::line::Line;
use crate::trust::device::DeviceIdentity;
use crate::trust::tls::{self, ClientProtocol};
use crate::trust::{Address, Pins};
use crate::wire::framing::LineFramer;
use crate::wire::{CapSet, Message, Nick, Timestamp};

/// A server and the account to log in to.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Addresses to try.
    pub addresses: Vec<Address>,
    /// Pins to verify the server by.
    pub pins: Pins,
    /// The file of known servers, if new pins are to be stored there.
    pub servers: Option<PathBuf>,
    /// The account to log in to.
    pub account: Nick,
    /// Credentials of the login.
    pub credentials: Credentials,
    /// The device whose certificate the connection presents.
    pub device: Option<DeviceIdentity>,
    /// Set if this login is to add the device to the account.
    pub enrols_device: bool,
    /// Set if the user reads the messages. The server then replays missed messages and counts them as read.
    pub read_by_user: bool,
    /// Capabilities to request in addition to those of every client; see [`SCREEN_CAPS`](super::login::SCREEN_CAPS).
    pub extra_caps: CapSet,
    /// Set if the server may be searched for on the local network when no address responds.
    pub allows_discovery: bool,
}

impl Endpoint {
    /// Updates the pins before a reconnection. Another program may have stored newer ones meanwhile, even the
    /// retirement of the known pin.
    pub(in crate::client) fn refresh_pins(&mut self) {
        if let Some(path) = &self.servers {
            self.pins = Servers::current_pins(path, &self.account, self.pins);
        }
    }
}

/// The error of a failed connection or login.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No encrypted stream to the server could be established.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// The login failed.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The login succeeded, but the server did not accept the device.
    #[error("the server did not take this device: {0}")]
    NotEnrolled(String),
    /// The connection broke during the login.
    #[error("the connection broke during the login: {0}")]
    ConnectionLost(String),
}

impl ConnectError {
    /// Returns whether the first attempt to connect would fail in the same way again, so that there is no use in waiting.
    pub fn is_final(&self) -> bool {
        match self {
            // While the right server may be down temporarily at one address, another server at a second address is not
            // final.
            Self::Dial(DialError::Untrusted { elsewhere, .. }) => elsewhere.is_none(),
            Self::Dial(DialError::Device(_)) => true,
            Self::Login(error) => error.is_final(),
            Self::Dial(DialError::Unreachable(_)) | Self::ConnectionLost(_) | Self::NotEnrolled(_) => false,
        }
    }
}

/// Limit of a line from the server, in bytes. It only bounds memory; the limits of all servers are far lower.
const MAX_LINE_BYTES: usize = 64 * 1024;

/// Buffer space for each read, in bytes: a whole TLS record.
const READ_BUFFER_BYTES: usize = 16 * 1024;

/// Time limit of a login. Servers check passwords slowly on purpose, and many may wait at once.
const LOGIN_TIMEOUT: Duration = Duration::from_mins(1);

/// Silence after which the client sends a PING; shorter while messages are unconfirmed.
const IDLE_PING_DELAY: Duration = Duration::from_mins(1);
const PENDING_PING_DELAY: Duration = Duration::from_secs(10);
/// Limit of bytes between the login and the reply to the first command.
const MAX_INPUT_BYTES: usize = 8 * 1024 * 1024;

/// Time limit for reading what the server sent before it closed the connection, such as the reason.
const LAST_READ_TIMEOUT: Duration = Duration::from_secs(1);

/// Time limit for a reply, after which the connection is closed.
pub(in crate::client) const REPLY_TIMEOUT: Duration = Duration::from_secs(20);

/// A connection that has logged in.
#[derive(Debug)]
pub(in crate::client) struct Connection {
    reader: ReadHalf<TlsStream<TcpStream>>,
    writer: WriteHalf<TlsStream<TcpStream>>,
    lines: LineFramer,
    input: BytesMut,
    output: Vec<u8>,
    written: usize,
    flushed: bool,
    last_read: Instant,
    /// Time of the pending PING.
    ping_sent: Option<Instant>,
    /// Error of a write, and the time until which the rest is read.
    broken: Option<(String, Instant)>,
    pub opened_at: Instant,
    /// The server's pins, including new ones.
    pub pins: Pins,
    pub nick: Nick,
    pub caps: CapSet,
    /// Set if the device was added to the account.
    pub device_enrolled: bool,
}

/// Connects and logs in. Nothing of the login is sent before the server has proven its pin.
pub(in crate::client) async fn connect(endpoint: Endpoint) -> Result<Connection, ConnectError> {
    let ServerStream { stream, pins, .. } = open_stream(&endpoint, ClientProtocol::Irc).await?;
    let login = Login::new(endpoint.account, endpoint.credentials, endpoint.read_by_user)
        .with_caps(endpoint.extra_caps);
    timeout(LOGIN_TIMEOUT, log_in(stream, login, endpoint.enrols_device, pins))
        .await
        .unwrap_or_else(|_| Err(ConnectError::ConnectionLost("the server does not answer".to_owned())))
}

/// A stream to a server that has proven its pin.
#[derive(Debug)]
pub(in crate::client) struct ServerStream {
    pub stream: TlsStream<TcpStream>,
    /// The address that responded.
    pub address: Address,
    /// The pins that are known now.
    pub pins: Pins,
}

/// Connects to the server, which has proven its pin when this returns, and presents the device's certificate.
pub(in crate::client) async fn open_stream(
    endpoint: &Endpoint,
    protocol: ClientProtocol,
) -> Result<ServerStream, ConnectError> {
    let (stream, address) =
        dial(&endpoint.addresses, endpoint.pins, endpoint.device.as_ref(), protocol).await?;
    let pins = store_learned_pins(endpoint, &stream);
    Ok(ServerStream { stream, address, pins })
}

/// Returns the server's pins after its proof of identity, as its chain may have shown a new root. New pins are stored
/// at once, so that they are not lost with the connection.
fn store_learned_pins(endpoint: &Endpoint, stream: &TlsStream<TcpStream>) -> Pins {
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let pins = tls::learn_pins(endpoint.pins, chain, UnixTime::now());
    if pins != endpoint.pins
        && let Some(path) = &endpoint.servers
        && let Err(error) = Servers::store_pins(path, &endpoint.account, endpoint.pins, pins)
    {
        // The next connection learns the pin again.
        tracing::warn!("cannot remember the server's new pin: {error}");
    }
    pins
}

/// Verifies that the server responds and has one of the pins. Sends nothing but the handshake.
pub async fn probe(addresses: &[Address], pins: impl Into<Pins>) -> Result<(), ConnectError> {
    let (mut stream, _) = dial(addresses, pins.into(), None, ClientProtocol::Irc).await?;
    // The server has proven its identity, so a failed close does not matter.
    let _ = stream.shutdown().await;
    Ok(())
}

/// Verifies the server as [`probe`] does, and stores and returns its current pins.
pub(in crate::client) async fn check_pins(mut endpoint: Endpoint) -> Result<Pins, ConnectError> {
    endpoint.refresh_pins();
    let (mut stream, _) = dial(&endpoint.addresses, endpoint.pins, None, ClientProtocol::Irc).await?;
    let pins = store_learned_pins(&endpoint, &stream);
    let _ = stream.shutdown().await;
    Ok(pins)
}

async fn log_in(
    stream: TlsStream<TcpStream>,
    mut login: Login,
    enrols_device: bool,
    pins: Pins,
) -> Result<Connection, ConnectError> {
    let broke = |error: io::Error| ConnectError::ConnectionLost(dial::describe_io_error(&error));
    let (mut reader, mut writer) = split(stream);
    // The buffer is large enough not to grow, because growing would leave copies of the password in memory.
    let mut output = Zeroizing::new(Vec::with_capacity(4096));
    let mut input = BytesMut::with_capacity(4096);
    let mut lines = LineFramer::new(MAX_LINE_BYTES);
    login.write_first_lines(&mut output);
    loop {
        writer.write_all(&output).await.map_err(broke)?;
        writer.flush().await.map_err(broke)?;
        output.clear();
        let read = reader.read_buf(&mut input).await.map_err(broke)?;
        if read == 0 {
            return Err(ConnectError::ConnectionLost("the server closed it".to_owned()));
        }
        login.count_received(0, read)?;
        let mut step = Ok(LoginStep::NeedsMore);
        // Only the lines up to the welcome are handled here. What follows, including a partial line, is for the model.
        while matches!(step, Ok(LoginStep::NeedsMore))
            && let Some(end) = memchr::memchr(b'\n', &input)
        {
            login.count_received(1, 0)?;
            lines.feed(&input.split_to(end + 1), |line| {
                if let Some(message) = line.ok().and_then(Message::parse) {
                    step = login.handle_line(&message, &mut output);
                }
            });
        }
        if let LoginStep::Done(nick, caps) = step? {
            let now = Instant::now();
            let mut link = Connection {
                reader,
                writer,
                lines,
                input,
                output: Vec::new(),
                written: 0,
                flushed: true,
                last_read: now,
                ping_sent: None,
                broken: None,
                opened_at: now,
                pins,
                nick,
                caps,
                device_enrolled: false,
            };
            if enrols_device {
                link.device_enrolled = link.enrol_device().await?;
            }
            return Ok(link);
        }
    }
}

impl Connection {
    /// Adds the connection's device to the account and waits for the confirmation. Returns `false` if the server
    /// doesn't support devices, so the password remains the login.
    async fn enrol_device(&mut self) -> Result<bool, ConnectError> {
        let mut tries = 3;
        loop {
            tries -= 1;
            let (mut passes, mut unknown) = (false, false);
            let answer =
                self.request(Line::new("CERT").arg("ADD"), |line| match (line.param(0), line.command) {
                    (Some("CERT"), "NOTE") => ReplyPart::End(Ok(())),
                    (Some("CERT"), "FAIL") => {
                        passes = line.param(1) == Some("TEMPORARILY_UNAVAILABLE");
                        ReplyPart::End(Err(clean_last_param(line)))
                    }
                    (_, "421") if line.param(1) == Some("CERT") => {
                        unknown = true;
                        ReplyPart::End(Ok(()))
                    }
                    _ => ReplyPart::Unrelated,
                });
            match answer.await? {
                // The most likely cause is a concurrent change of a password.
                Err(_) if passes && tries > 0 => {}
                answer => return answer.map(|()| !unknown).map_err(ConnectError::NotEnrolled),
            }
        }
    }

    /// Sends a command and collects its reply. The inner error is a refusal. Unrelated lines stay in the input for the
    /// model, in their order.
    pub async fn request(
        &mut self,
        line: Line,
        mut take: impl FnMut(&Message<'_>) -> ReplyPart,
    ) -> Result<Result<(), String>, ConnectError> {
        let broke = |error: io::Error| ConnectError::ConnectionLost(dial::describe_io_error(&error));
        let unwritten = self.output.get(self.written..).unwrap_or_default();
        let all = [unwritten, line.into_wire().as_bytes()].concat();
        self.output.clear();
        self.written = 0;
        self.writer.write_all(&all).await.map_err(broke)?;
        self.writer.flush().await.map_err(broke)?;
        let mut offered = ReplyScanner::default();
        loop {
            match offered.scan(&mut self.input, &mut take) {
                Some(result) => return Ok(result),
                None if self.input.len() > MAX_INPUT_BYTES => {
                    return Err(ConnectError::ConnectionLost("the server does not answer".to_owned()));
                }
                None => {}
            }
            self.input.reserve(READ_BUFFER_BYTES);
            if self.reader.read_buf(&mut self.input).await.map_err(broke)? == 0 {
                return Err(ConnectError::ConnectionLost("the server closed it".to_owned()));
            }
        }
    }

    /// Reads or writes, whichever is possible first. The model gets the lines. The error is a line of text, and ends
    /// the connection. This is cancel-safe.
    pub async fn drive(&mut self, model: &mut Model) -> Result<(), String> {
        if !self.input.is_empty() {
            self.handle_input(model);
            return Ok(());
        }
        model.take_output(&mut self.output);
        self.input.reserve(READ_BUFFER_BYTES);
        let deadline = match (&self.broken, self.ping_sent) {
            (Some((_, until)), _) => *until,
            (None, Some(asked)) => asked + REPLY_TIMEOUT,
            (None, None) if model.unconfirmed_count() > 0 => self.last_read + PENDING_PING_DELAY,
            (None, None) => self.last_read + IDLE_PING_DELAY,
        };
        let plainly = |error: io::Error| dial::describe_io_error(&error);
        let unwritten = self.output.get(self.written..).unwrap_or_default();
        let busy = (!unwritten.is_empty() || !self.flushed) && self.broken.is_none();
        let writer = &mut self.writer;
        let sending = async move {
            if unwritten.is_empty() {
                writer.flush().await.map(|()| 0)
            } else {
                writer.write(unwritten).await
            }
        };
        tokio::select! {
            read = self.reader.read_buf(&mut self.input) => {
                let ended = match read {
                    Ok(0) => Some("the server closed it".to_owned()),
                    Ok(_) => None,
                    Err(error) => Some(plainly(error)),
                };
                if let Some(reason) = ended {
                    return Err(self.broken.take().map_or(reason, |(reason, _)| reason));
                }
                self.last_read = Instant::now();
                self.ping_sent = None;
                self.handle_input(model);
            }
            sent = sending, if busy => {
                let sent = match sent {
                    Ok(sent) => sent,
                    Err(error) => {
                        self.broken = Some((plainly(error), Instant::now() + LAST_READ_TIMEOUT));
                        return Ok(());
                    }
                };
                self.flushed = sent == 0;
                self.written += sent;
                if self.written >= self.output.len() {
                    self.output.clear();
                    self.written = 0;
                }
            }
            () = sleep_until(deadline) => {
                if let Some((reason, _)) = self.broken.take() {
                    return Err(reason);
                }
                if self.ping_sent.is_some() {
                    return Err("the server does not answer any more".to_owned());
                }
                self.ping_sent = Some(Instant::now());
                self.output.extend_from_slice(Line::new("PING").arg("alive").into_wire().as_bytes());
            }
        }
        Ok(())
    }

    fn handle_input(&mut self, model: &mut Model) {
        let now = current_time();
        self.lines.feed(&self.input, |line| match line {
            Ok(line) => {
                if let Some(message) = Message::parse(line) {
                    model.handle(&message, now);
                }
            }
            Err(bad) => tracing::debug!("the server sent a {}", bad.error),
        });
        self.input.clear();
    }

    /// Closes the connection in order, within two seconds.
    pub async fn close(mut self, model: &mut Model) {
        let goodbye = async {
            while self.drive(model).await.is_ok() {}
            let _ = self.writer.shutdown().await;
        };
        let _ = timeout(Duration::from_secs(2), goodbye).await;
    }
}

/// Returns the line's last parameter without characters that act on a terminal.
pub(in crate::client) fn clean_last_param(line: &Message<'_>) -> String {
    clean(line.params().last().copied().unwrap_or_default())
}

fn current_time() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
