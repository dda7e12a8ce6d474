//! One connection: the handshake, the login, then the pump until it ends.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tracing::{debug, info};

use super::addresses::Place;
use super::flood::Flood;
use super::handle::HubHandle;
use super::logins::Logins;
use super::metrics::{Metrics, Open};
use super::outbox::error_line;
use super::pump::{Pump, line_refused};
use crate::chat::account::DeviceKey;
use crate::chat::login::{Checked, LoginMachine, Step};
use crate::chat::{Login, Settings};
use crate::trust::{certificate_hash, check_device_certificate};
use crate::wire::framing::{BadLine, Lines};
use crate::wire::{Message, Nick};

/// What all connections share.
pub(super) struct Shared {
    pub tls: TlsAcceptor,
    pub hub: HubHandle,
    pub logins: Arc<Logins>,
    pub limits: Limits,
    /// What the server is like now.
    pub settings: watch::Receiver<Arc<Settings>>,
    /// Becomes true when the server stops.
    pub stopping: watch::Receiver<bool>,
    pub metrics: Arc<Metrics>,
}

/// What a connection may do.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    /// Time for the TLS handshake.
    pub handshake: Duration,
    /// Time from the handshake to the login.
    pub login: Duration,
    /// Most bytes of a line after its tags.
    pub line_bytes: usize,
    /// Lines a second of a logged-in client; `None` for no limit.
    pub lines_per_second: Option<u32>,
    /// Lines it may say at once before that.
    pub burst: u32,
}

/// Serves a connection to its end. The permit counts it among those that are not logged in, the place among those of its
/// address.
pub(super) async fn serve(
    tcp: TcpStream,
    peer: SocketAddr,
    shared: Arc<Shared>,
    permit: OwnedSemaphorePermit,
    place: Place,
) {
    // Without this, what is written in two parts waits 40 ms for the other side's acknowledgement.
    let _ = tcp.set_nodelay(true);
    // Boxed, both the login and what comes of it: the login's buffers are gone while the connection lives on, and
    // the task is as small as an idle connection.
    let metrics = shared.metrics.clone();
    let _open = Open::begin(&metrics);
    let Some((mut pump, nick)) = Box::pin(enter(tcp, peer, &shared)).await else { return };
    drop((permit, shared));
    info!(%peer, account = %nick, "logged in");
    let reason = pump.run().await;
    // Before it is told: who hears of it finds room for another.
    drop(place);
    // What somebody says when leaving is a message like any other, and no message enters the log.
    let told = reason.starts_with("Quit: ") || reason.starts_with("Killed by ");
    let logged = reason.split(':').next().filter(|_| told).unwrap_or(&reason);
    info!(%peer, account = %nick, reason = logged, "disconnected");
    pump.ended(reason);
}

async fn enter(tcp: TcpStream, peer: SocketAddr, shared: &Shared) -> Option<(Box<Pump>, Nick)> {
    let mut stream = match timeout(shared.limits.handshake, shared.tls.accept(tcp)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            shared.metrics.handshakes_failed.inc();
            info!(%peer, %error, "no TLS 1.3 handshake");
            return None;
        }
        Err(_) => {
            shared.metrics.handshakes_failed.inc();
            info!(%peer, "the handshake took too long");
            return None;
        }
    };
    let mut stopping = shared.stopping.clone();
    let outcome = tokio::select! {
        outcome = timeout(shared.limits.login, log_in(&mut stream, peer, shared)) => {
            outcome.unwrap_or_else(|_| Err(Refusal::Close("The login took too long".to_owned())))
        }
        _ = stopping.wait_for(|stopping| *stopping) => {
            Err(Refusal::Close("Server is shutting down".to_owned()))
        }
    };
    match outcome {
        Ok((login, nick, lines, rest)) => {
            let flood = Flood::new(shared.limits.lines_per_second, shared.limits.burst);
            let who = (peer.ip(), device_key(&stream));
            let mut pump = Pump::new(stream, login, lines, flood, shared.hub.ready.clone(), who);
            pump.say(rest.iter().map(|line| line.as_deref().map_err(Clone::clone)));
            Some((Box::new(pump), nick))
        }
        Err(Refusal::Lost(error)) => {
            debug!(%peer, %error, "gone before the login");
            None
        }
        Err(Refusal::Close(reason)) => {
            info!(%peer, %reason, "not logged in");
            let farewell = async {
                stream.write_all(&error_line(&reason)).await?;
                stream.shutdown().await
            };
            // Who does not read it in time does not hear why.
            let _ = timeout(Duration::from_secs(5), farewell).await;
            None
        }
    }
}

/// Why a connection did not get in.
enum Refusal {
    Lost(io::Error),
    Close(String),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}

async fn log_in(
    stream: &mut TlsStream<TcpStream>,
    peer: SocketAddr,
    shared: &Shared,
) -> Result<(Login, Nick, Lines, VecDeque<Result<String, BadLine>>), Refusal> {
    let device = device_key(stream);
    let mut machine = LoginMachine::new(shared.settings.borrow().clone());
    let mut lines = Lines::new(shared.limits.line_bytes);
    let mut queue: VecDeque<Result<String, BadLine>> = VecDeque::new();
    let mut input = vec![0; 4096];
    let mut out = String::new();
    loop {
        while let Some(line) = queue.pop_front() {
            let mut step = match &line {
                Ok(line) => match Message::parse(line) {
                    Some(message) => machine.line(&message, &mut out),
                    None => Step::Continue,
                },
                Err(bad) => {
                    machine.refuse(&line_refused(bad), &mut out);
                    Step::Continue
                }
            };
            // What the client is told before a check goes out before it: the check may take its time.
            if !matches!(step, Step::Continue) {
                say(stream, &mut out).await?;
            }
            step = match step {
                Step::Check(credentials) => {
                    let outcome = shared.logins.check(peer.ip(), credentials).await;
                    shared.metrics.login(&outcome);
                    machine.checked(outcome, &mut out)
                }
                Step::Prove(name) => {
                    let outcome = match unusable_certificate(stream) {
                        Some(why) => Checked::Unproven(why),
                        None => shared.logins.prove(peer.ip(), device, name).await,
                    };
                    shared.metrics.login(&outcome);
                    machine.checked(outcome, &mut out)
                }
                Step::Register(registration) => {
                    let outcome = shared.logins.register(peer.ip(), registration).await;
                    shared.metrics.registration(&outcome);
                    machine.registered(outcome, &mut out)
                }
                other => other,
            };
            match step {
                Step::Done(login) => {
                    say(stream, &mut out).await?;
                    let nick = machine.into_name().ok_or_else(|| Refusal::Close("No account".to_owned()))?;
                    return Ok((login, nick, lines, queue));
                }
                Step::Close(reason) => {
                    say(stream, &mut out).await?;
                    return Err(Refusal::Close(reason));
                }
                _ => {}
            }
        }
        say(stream, &mut out).await?;
        let read = stream.read(&mut input).await?;
        if read == 0 {
            return Err(Refusal::Lost(io::ErrorKind::UnexpectedEof.into()));
        }
        lines.feed(input.get(..read).unwrap_or_default(), |line| queue.push_back(line.map(str::to_owned)));
    }
}

async fn say(stream: &mut TlsStream<TcpStream>, out: &mut String) -> io::Result<()> {
    if !out.is_empty() {
        stream.write_all(out.as_bytes()).await?;
        stream.flush().await?;
        out.clear();
    }
    Ok(())
}

/// The certificate that the client showed, if that can be a device's.
fn device_key(stream: &TlsStream<TcpStream>) -> Option<DeviceKey> {
    let certificate = stream.get_ref().1.peer_certificates()?.first()?;
    check_device_certificate(certificate).ok()?;
    Some(DeviceKey(certificate_hash(certificate)))
}

/// Why the certificate that the client showed cannot be a device's, if it showed one.
fn unusable_certificate(stream: &TlsStream<TcpStream>) -> Option<String> {
    let certificate = stream.get_ref().1.peer_certificates()?.first()?;
    check_device_certificate(certificate).err().map(|why| why.to_string())
}
