//! One connection: bytes to lines and back, and the login on it.

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

use super::clean::clean;
use super::dial::{self, DialError, dial};
use super::line::Line;
use super::login::{Credentials, Login, LoginError, Step};
use super::model::Model;
use super::servers::Servers;
use crate::trust::device::DeviceIdentity;
use crate::trust::{Address, Pins, tls};
use crate::wire::framing::Lines;
use crate::wire::{CapSet, Message, Millis, Nick};

/// A server, and who one is there.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Where it is.
    pub addresses: Vec<Address>,
    /// How to know it.
    pub pins: Pins,
    /// The file in which pins are kept, if what is learned of them is to be.
    pub servers: Option<PathBuf>,
    /// As whom to log in.
    pub account: Nick,
    /// How to prove it.
    pub credentials: Credentials,
    /// The device that the connection shows.
    pub device: Option<DeviceIdentity>,
    /// The device is to be one of the account's from this login on.
    pub enrols: bool,
    /// Somebody reads what is received: the server is to send what the account missed, and to take it for read.
    pub reads: bool,
    /// What to ask for beyond what every client of this program does; see [`SCREEN`](super::login::SCREEN).
    pub more: CapSet,
    /// It may be looked for on the local network where it is at none of its addresses.
    pub discovers: bool,
}

impl Endpoint {
    /// Before it is connected to again: another program may have seen more of the server meanwhile, even the end of the
    /// pin that this one knows.
    pub(super) fn catch_up(&mut self) {
        if let Some(path) = &self.servers {
            self.pins = Servers::pins_now(path, &self.account, self.pins);
        }
    }
}

/// Why there is no connection that is logged in.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// There is no encrypted stream to the server.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// The login failed.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The login worked, and the server did not take the device.
    #[error("the server did not take this device: {0}")]
    NotEnrolled(String),
    /// The connection broke during the login.
    #[error("the connection broke during the login: {0}")]
    Broke(String),
}

/// Most bytes of a line from the server. It bounds memory only: any server's own bound is far below.
const LINE: usize = 64 * 1024;

/// Room for each read: a whole TLS record.
const READ: usize = 16 * 1024;

/// The server checks passwords slowly on purpose, and many may wait at once.
const LOGIN_PATIENCE: Duration = Duration::from_mins(1);

/// A quiet connection is asked whether it lives after this; sooner when an answer is awaited.
const QUIET: Duration = Duration::from_mins(1);
const QUIET_WHILE_PENDING: Duration = Duration::from_secs(10);
/// Most bytes that the server sends between the login and the answer to the first thing that is asked.
const MOST_BEFORE: usize = 8 * 1024 * 1024;

/// It is given up when it does not answer within this.
pub(super) const ANSWER: Duration = Duration::from_secs(20);

/// A connection that is logged in.
#[derive(Debug)]
pub(super) struct Link {
    reader: ReadHalf<TlsStream<TcpStream>>,
    writer: WriteHalf<TlsStream<TcpStream>>,
    lines: Lines,
    input: BytesMut,
    output: Vec<u8>,
    written: usize,
    flushed: bool,
    heard: Instant,
    /// When it was asked whether it lives.
    asked: Option<Instant>,
    pub opened: Instant,
    /// How the server is known from now on.
    pub pins: Pins,
    pub nick: Nick,
    pub caps: CapSet,
    /// The device is one of the account's from now on.
    pub enrolled: bool,
}

/// What a line is to who asked something.
pub(super) enum Answer {
    /// Something else.
    Other,
    /// A part of the answer.
    Part,
    /// The end of it; an error is a refusal.
    Last(Result<(), String>),
}

/// Connects and logs in. Not a byte is sent before the server has proven to be the one with the pin.
pub(super) async fn connect(endpoint: Endpoint) -> Result<Link, ConnectError> {
    let stream = dial(&endpoint.addresses, endpoint.pins, endpoint.device.as_ref()).await?;
    let pins = learn(&endpoint, &stream);
    let login = Login::new(endpoint.account, endpoint.credentials, endpoint.reads).also(endpoint.more);
    timeout(LOGIN_PATIENCE, log_in(stream, login, endpoint.enrols, pins))
        .await
        .unwrap_or_else(|_| Err(ConnectError::Broke("the server does not answer".to_owned())))
}

/// How the server is known after it proved itself: its chain may have shown a new root. What is new is kept at once, so
/// that it is not lost with this connection.
fn learn(endpoint: &Endpoint, stream: &TlsStream<TcpStream>) -> Pins {
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let pins = tls::learned(endpoint.pins, chain, UnixTime::now());
    if pins != endpoint.pins
        && let Some(path) = &endpoint.servers
        && let Err(error) = Servers::learn_pins(path, &endpoint.account, endpoint.pins, pins)
    {
        // The next connection learns it again.
        tracing::warn!("cannot remember the server's new pin: {error}");
    }
    pins
}

/// Is the server there, and is it the one with the pins? Nothing but the handshake is sent.
pub async fn probe(addresses: &[Address], pins: impl Into<Pins>) -> Result<(), ConnectError> {
    let mut stream = dial(addresses, pins.into(), None).await?;
    // It has answered for itself; whether it hears the goodbye does not matter.
    let _ = stream.shutdown().await;
    Ok(())
}

/// How the server is known by what it shows now. As [`probe`], and what is new is kept.
pub(super) async fn look_again(mut endpoint: Endpoint) -> Result<Pins, ConnectError> {
    endpoint.catch_up();
    let mut stream = dial(&endpoint.addresses, endpoint.pins, None).await?;
    let pins = learn(&endpoint, &stream);
    let _ = stream.shutdown().await;
    Ok(pins)
}

async fn log_in(
    stream: TlsStream<TcpStream>,
    mut login: Login,
    enrols: bool,
    pins: Pins,
) -> Result<Link, ConnectError> {
    let broke = |error: io::Error| ConnectError::Broke(dial::plainly(&error));
    let (mut reader, mut writer) = split(stream);
    // With room enough, so that growing leaves no copy of the password behind.
    let mut output = Zeroizing::new(Vec::with_capacity(4096));
    let mut input = BytesMut::with_capacity(4096);
    let mut lines = Lines::new(LINE);
    login.start(&mut output);
    loop {
        writer.write_all(&output).await.map_err(broke)?;
        writer.flush().await.map_err(broke)?;
        output.clear();
        let read = reader.read_buf(&mut input).await.map_err(broke)?;
        if read == 0 {
            return Err(ConnectError::Broke("the server closed it".to_owned()));
        }
        login.hear(0, read)?;
        let mut step = Ok(Step::More);
        // Line by line: what comes behind the welcome, and a line of which only the start has come, is for the model.
        while matches!(step, Ok(Step::More))
            && let Some(end) = memchr::memchr(b'\n', &input)
        {
            login.hear(1, 0)?;
            lines.feed(&input.split_to(end + 1), |line| {
                if let Some(message) = line.ok().and_then(Message::parse) {
                    step = login.handle(&message, &mut output);
                }
            });
        }
        if let Step::Done(nick, caps) = step? {
            let now = Instant::now();
            let mut link = Link {
                reader,
                writer,
                lines,
                input,
                output: Vec::new(),
                written: 0,
                flushed: true,
                heard: now,
                asked: None,
                opened: now,
                pins,
                nick,
                caps,
                enrolled: false,
            };
            if enrols {
                link.enrolled = link.enrol().await?;
            }
            return Ok(link);
        }
    }
}

impl Link {
    /// Makes the device that the connection shows one of the account's, and waits until it is. `false` where the server
    /// knows nothing of the kind: then the password goes on being what logs in.
    async fn enrol(&mut self) -> Result<bool, ConnectError> {
        let mut tries = 3;
        loop {
            tries -= 1;
            let (mut passes, mut unknown) = (false, false);
            let answer = self.ask(Line::new("CERT").arg("ADD"), |line| match (line.param(0), line.command) {
                (Some("CERT"), "NOTE") => Answer::Last(Ok(())),
                (Some("CERT"), "FAIL") => {
                    passes = line.param(1) == Some("TEMPORARILY_UNAVAILABLE");
                    Answer::Last(Err(text(line)))
                }
                (_, "421") if line.param(1) == Some("CERT") => {
                    unknown = true;
                    Answer::Last(Ok(()))
                }
                _ => Answer::Other,
            });
            match answer.await? {
                // Somebody's password was changed at the same moment, most likely.
                Err(_) if passes && tries > 0 => {}
                answer => return answer.map(|()| !unknown).map_err(ConnectError::NotEnrolled),
            }
        }
    }

    /// Says a line and takes what answers it, up to the last; the inner error is a refusal. What else comes is for the
    /// model, in its order.
    pub async fn ask(
        &mut self,
        line: Line,
        mut take: impl FnMut(&Message<'_>) -> Answer,
    ) -> Result<Result<(), String>, ConnectError> {
        let broke = |error: io::Error| ConnectError::Broke(dial::plainly(&error));
        let unwritten = self.output.get(self.written..).unwrap_or_default();
        let all = [unwritten, line.end().as_bytes()].concat();
        self.output.clear();
        self.written = 0;
        self.writer.write_all(&all).await.map_err(broke)?;
        self.writer.flush().await.map_err(broke)?;
        loop {
            let mut last = None;
            let mut kept = BytesMut::new();
            for line in self.input.split_inclusive(|&byte| byte == b'\n') {
                let message = std::str::from_utf8(line).ok().filter(|line| line.ends_with('\n'));
                let message = message.and_then(|line| Message::parse(line.trim_end()));
                match message.filter(|_| last.is_none()).map_or(Answer::Other, |message| take(&message)) {
                    Answer::Other => kept.extend_from_slice(line),
                    Answer::Part => {}
                    Answer::Last(result) => last = Some(result),
                }
            }
            self.input = kept;
            match last {
                Some(result) => return Ok(result),
                None if self.input.len() > MOST_BEFORE => {
                    return Err(ConnectError::Broke("the server does not answer".to_owned()));
                }
                None => {}
            }
            if self.reader.read_buf(&mut self.input).await.map_err(broke)? == 0 {
                return Err(ConnectError::Broke("the server closed it".to_owned()));
            }
        }
    }

    /// Reads or writes something, whatever is possible first. The model gets the lines; an error, as one line,
    /// ends the connection. Dropping this midway loses nothing.
    pub async fn turn(&mut self, model: &mut Model) -> Result<(), String> {
        if !self.input.is_empty() {
            self.take_input(model);
            return Ok(());
        }
        model.take_output(&mut self.output);
        self.input.reserve(READ);
        let deadline = match self.asked {
            Some(asked) => asked + ANSWER,
            None if model.pending() > 0 => self.heard + QUIET_WHILE_PENDING,
            None => self.heard + QUIET,
        };
        let plainly = |error: io::Error| dial::plainly(&error);
        let unwritten = self.output.get(self.written..).unwrap_or_default();
        let busy = !unwritten.is_empty() || !self.flushed;
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
                if read.map_err(plainly)? == 0 {
                    return Err("the server closed it".to_owned());
                }
                self.heard = Instant::now();
                self.asked = None;
                self.take_input(model);
            }
            sent = sending, if busy => {
                let sent = sent.map_err(plainly)?;
                self.flushed = sent == 0;
                self.written += sent;
                if self.written >= self.output.len() {
                    self.output.clear();
                    self.written = 0;
                }
            }
            () = sleep_until(deadline) => {
                if self.asked.is_some() {
                    return Err("the server does not answer any more".to_owned());
                }
                self.asked = Some(Instant::now());
                self.output.extend_from_slice(Line::new("PING").arg("alive").end().as_bytes());
            }
        }
        Ok(())
    }

    fn take_input(&mut self, model: &mut Model) {
        let now = now();
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

    /// Closes the connection in good order, giving the other side no more than a moment.
    pub async fn close(mut self, model: &mut Model) {
        let goodbye = async {
            while self.turn(model).await.is_ok() {}
            let _ = self.writer.shutdown().await;
        };
        let _ = timeout(Duration::from_secs(2), goodbye).await;
    }
}

/// What a line says to people, without what would act on a terminal.
pub(super) fn text(line: &Message<'_>) -> String {
    clean(line.params().last().copied().unwrap_or_default())
}

fn now() -> Millis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
