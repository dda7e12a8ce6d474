//! The ceiling: a server that does the least that a chat server over TLS can do. It believes every login, and passes each
//! message on to the members of its channel, with the tags that Parlour's have. It has no rules, no limits, no history and
//! no disk. Its TLS is Parlour's own.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use clap::Args;
use parking_lot::Mutex;
use parlour::trust::{certs, tls};
use rustls_pki_types::UnixTime;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::figures::Outcome;
use super::line::Line;

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 4096;

/// The ceiling's options.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub struct Ceiling {
    /// Address to listen on
    #[arg(long)]
    listen: SocketAddr,
    /// Folder of certificates as `parlour certs` makes them
    #[arg(long)]
    certs: PathBuf,
    /// Worker threads
    #[arg(long, default_value_t = 1)]
    workers: usize,
}

/// Serves until the process is killed.
pub fn run(options: &Ceiling) -> Result<Outcome> {
    let identity = certs::load(&options.certs, UnixTime::now()).context("the certificates")?;
    let acceptor = TlsAcceptor::from(tls::server_config(&identity));
    let runtime = super::runtime(options.workers)?;
    runtime.block_on(async {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(options.listen)?;
        let listener = socket.listen(BACKLOG)?;
        println!("listening on {}", listener.local_addr()?);
        accept(&listener, &acceptor).await
    })
}

async fn accept(listener: &TcpListener, acceptor: &TlsAcceptor) -> Result<Outcome> {
    let state = Arc::new(State::default());
    loop {
        let (tcp, _) = listener.accept().await?;
        tcp.set_nodelay(true)?;
        let (state, handshake) = (state.clone(), acceptor.accept(tcp));
        tokio::spawn(async move {
            // A connection that breaks ends its task.
            if let Ok(stream) = Box::pin(handshake).await {
                let _ = Connection::new(state).serve(stream).await;
            }
        });
    }
}

/// The lines that wait for one connection.
#[derive(Default)]
struct Outbox {
    blocks: Mutex<Vec<Bytes>>,
    filled: Notify,
}

impl Outbox {
    fn push(&self, block: Bytes) {
        self.blocks.lock().push(block);
        self.filled.notify_one();
    }
}

/// Members of the channels, and connections by nick.
#[derive(Default)]
struct State {
    channels: Mutex<HashMap<Vec<u8>, Vec<Arc<Outbox>>>>,
    nicks: Mutex<HashMap<Vec<u8>, Arc<Outbox>>>,
    messages: Mutex<u64>,
}

/// One connection.
struct Connection {
    state: Arc<State>,
    outbox: Arc<Outbox>,
    nick: Vec<u8>,
    has_echo: bool,
    has_quit: bool,
    joined: Vec<Vec<u8>>,
    /// Lines for the channel of the latest message, passed on together.
    pending: Vec<u8>,
    channel: Vec<u8>,
}

impl Connection {
    fn new(state: Arc<State>) -> Self {
        Self {
            state,
            outbox: Arc::default(),
            nick: Vec::new(),
            has_echo: false,
            has_quit: false,
            joined: Vec::new(),
            pending: Vec::new(),
            channel: Vec::new(),
        }
    }

    async fn serve(mut self, mut stream: TlsStream<TcpStream>) -> Result<()> {
        let (outbox, mut input, mut output) = (self.outbox.clone(), Vec::new(), Vec::new());
        loop {
            tokio::select! {
                count = stream.read_buf(&mut input) => {
                    if count? == 0 {
                        return Ok(());
                    }
                    let end = memchr::memrchr(b'\n', &input).map_or(0, |at| at + 1);
                    for line in input[..end].split(|&b| b == b'\n') {
                        self.handle(Line::parse(line.strip_suffix(b"\r").unwrap_or(line)));
                    }
                    self.pass_on();
                    if self.has_quit {
                        return Ok(stream.shutdown().await?);
                    }
                    input.drain(..end);
                    if input.is_empty() {
                        // An idle connection keeps no buffer.
                        input = Vec::new();
                    }
                }
                () = outbox.filled.notified() => {
                    output.clear();
                    for block in std::mem::take(&mut *outbox.blocks.lock()) {
                        output.extend_from_slice(&block);
                    }
                    stream.write_all(&output).await?;
                    stream.flush().await?;
                    output.shrink_to(4096);
                }
            }
        }
    }

    fn handle(&mut self, line: Line<'_>) {
        if line.command == b"PRIVMSG" {
            return self.message(line);
        }
        self.pass_on();
        let nick = String::from_utf8_lossy(&self.nick).into_owned();
        let text = String::from_utf8_lossy(line.text());
        let reply = match line.command {
            b"CAP" if line.param(0) == "LS" => {
                "CAP * LS :sasl=PLAIN,EXTERNAL echo-message message-tags server-time".to_owned()
            }
            b"CAP" if line.param(0) == "REQ" => {
                self.has_echo = text.contains("echo-message");
                format!("CAP * ACK :{text}")
            }
            b"CAP" => format!("001 {nick} :Welcome\r\n:ceiling 422 {nick} :No message of the day"),
            b"AUTHENTICATE" if line.rest == b"PLAIN" || line.rest == b"EXTERNAL" => {
                "AUTHENTICATE +".to_owned()
            }
            b"AUTHENTICATE" => format!("903 {nick} :Logged in"),
            b"CERT" => "NOTE CERT CERT_ADDED :Added".to_owned(),
            b"PING" => format!("PONG ceiling :{text}"),
            b"QUIT" => {
                self.has_quit = true;
                return;
            }
            b"NICK" => {
                self.nick = line.rest.to_vec();
                self.state.nicks.lock().insert(self.nick.clone(), self.outbox.clone());
                return;
            }
            b"JOIN" => {
                let channel = line.rest.to_vec();
                self.state.channels.lock().entry(channel.clone()).or_default().push(self.outbox.clone());
                self.joined.push(channel);
                format!("366 {nick} {text} :End of names")
            }
            _ => return,
        };
        self.outbox.push(Bytes::from(format!(":ceiling {reply}\r\n")));
    }

    /// Passes a message on, to a channel together with those that follow.
    fn message(&mut self, line: Line<'_>) {
        let Some(at) = memchr::memchr(b' ', line.rest) else { return };
        let target = &line.rest[..at];
        if self.channel != target {
            self.pass_on();
            self.channel = target.to_vec();
        }
        let id = {
            let mut messages = self.state.messages.lock();
            *messages += 1;
            *messages
        };
        let tags = format!("@msgid={id:016x};time=2026-01-01T00:00:00.000Z :");
        for part in [tags.as_bytes(), &self.nick, b"!u@parlour PRIVMSG ", line.rest, b"\r\n"] {
            self.pending.extend_from_slice(part);
        }
    }

    fn pass_on(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let block = Bytes::from(std::mem::take(&mut self.pending));
        if !self.channel.starts_with(b"#") {
            if let Some(outbox) = self.state.nicks.lock().get(&self.channel) {
                outbox.push(block);
            }
            return;
        }
        let channels = self.state.channels.lock();
        for member in channels.get(&self.channel).into_iter().flatten() {
            if self.has_echo || !Arc::ptr_eq(member, &self.outbox) {
                member.push(block.clone());
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut channels = self.state.channels.lock();
        for channel in &self.joined {
            if let Some(members) = channels.get_mut(channel) {
                members.retain(|member| !Arc::ptr_eq(member, &self.outbox));
            }
        }
        let mut nicks = self.state.nicks.lock();
        if nicks.get(&self.nick).is_some_and(|outbox| Arc::ptr_eq(outbox, &self.outbox)) {
            nicks.remove(&self.nick);
        }
    }
}
