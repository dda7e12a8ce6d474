//! Entrance of a connection: its TLS handshake and its login, within limits of time, lines and bytes.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead as _, AsyncReadExt as _, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;
use tracing::debug;

use super::pump::line_refused;
use super::shared::Shared;
use super::socket::{Socket, TooMuch};
use crate::core::Login;
use crate::core::login::{Checked, LoginMachine, Step};
use crate::core::request::account::DeviceKey;
use crate::server::auth::logins::Source;
use crate::server::limits::incidents::Incident;
use crate::server::metrics::Refusal as Counted;
use crate::server::sessions::outbox::error_line;
use crate::trust::{certificate_hash, check_device_certificate};
use crate::wire::framing::{BadLine, Lines};
use crate::wire::{Message, Nick, Tags};

/// Maximum count of lines before the login. Clients request each of some sixty capabilities in a line of its own,
/// identify themselves, and try a few ways to log in.
const LINES: usize = 200;

/// Maximum count of bytes received before the login, the handshake and its certificates included. A handshake takes two
/// to six KiB.
const BYTES_IN: usize = 48 * 1024;

/// Maximum count of bytes sent before the login. The capabilities and the supported features take three KiB.
const BYTES_OUT: usize = 32 * 1024;

/// Maximum count of bytes that are read ahead during a password check: clients send more lines without waiting.
const AHEAD: usize = 8 * 1024;

/// Time limit for sending the last line to a refused connection.
const FAREWELL: Duration = Duration::from_secs(5);

/// Time and byte limits for reading after the last line. Closing a socket with unread input resets it, and the client
/// may then lose the last line.
const LINGER: (Duration, usize) = (Duration::from_millis(500), 256 * 1024);

/// Time limit for handshakes after the server was told to stop.
const LAST_HANDSHAKES: Duration = Duration::from_secs(2);

thread_local! {
    /// Buffer of every read, so that a silent connection owns no read buffer.
    static INPUT: RefCell<Vec<u8>> = RefCell::new(vec![0; 4096]);
}

/// A connection that has logged in.
pub(in crate::server) struct Entered {
    pub stream: TlsStream<Socket>,
    pub login: Login,
    pub nick: Nick,
    /// Framing of the lines to come; may hold a part of one.
    pub lines: Lines,
    /// Lines received after the login.
    pub rest: Vec<Result<String, BadLine>>,
}

/// Reason why a connection does not get in.
enum Refusal {
    Lost(io::Error),
    Close(Counted, String),
}

/// Bytes that a connection has sent and the login has not processed yet.
struct Unread {
    bytes: Vec<u8>,
    at: usize,
    lines: Lines,
}

/// Lets a connection in, or tells the client the reason and closes it.
pub(in crate::server) async fn enter(tcp: TcpStream, source: Source, shared: &Shared) -> Option<Entered> {
    let socket = Socket::new(tcp, BYTES_IN);
    let peer = source.peer;
    let mut stopping = shared.stopping.clone();
    let handshake = tokio::select! {
        handshake = timeout(shared.limits.handshake, shared.tls.accept(socket)) => {
            handshake.unwrap_or_else(|_| Err(io::Error::other("it took too long")))
        }
        // A client in the middle of its handshake still gets its last line. Silent connections must not delay the end.
        () = late(&mut stopping) => return None,
    };
    let mut stream = match handshake {
        Ok(stream) => stream,
        Err(error) => {
            shared.metrics.handshakes_failed.inc();
            shared.incidents.note(
                source.subject,
                Incident::Handshake,
                format_args!("no TLS 1.3 handshake peer={peer} error={error}"),
            );
            return None;
        }
    };
    let device = device_key(&stream);
    let mut unread = Unread { bytes: Vec::new(), at: 0, lines: Lines::new(shared.limits.line_bytes) };
    let outcome = tokio::select! {
        outcome = timeout(shared.limits.login, log_in(&mut stream, &mut unread, device, source, shared)) => {
            let late = || Refusal::Close(Counted::Time, "The login took too long".to_owned());
            outcome.unwrap_or_else(|_| Err(late()))
        }
        _ = stopping.wait_for(|stopping| *stopping) => {
            Err(Refusal::Close(Counted::Ended, "Server is shutting down".to_owned()))
        }
    };
    match outcome {
        Ok((login, nick)) => {
            let rest = std::iter::from_fn(|| unread.next()).collect();
            Some(Entered { stream, login, nick, lines: unread.lines, rest })
        }
        Err(Refusal::Lost(error)) => {
            debug!(%peer, %error, "gone before the login");
            None
        }
        Err(Refusal::Close(why, reason)) => {
            shared.metrics.refused(why);
            shared.incidents.note(
                source.subject,
                Incident::Closed,
                format_args!("not logged in peer={peer} reason={reason}"),
            );
            let farewell = async {
                stream.write_all(&error_line(&reason)).await?;
                stream.shutdown().await
            };
            if timeout(FAREWELL, farewell).await.is_ok_and(|done| done.is_ok()) {
                let _ = timeout(LINGER.0, drain(stream.get_mut().0.tcp())).await;
            }
            None
        }
    }
}

/// Waits until [`LAST_HANDSHAKES`] after the server was told to stop.
async fn late(stopping: &mut watch::Receiver<bool>) {
    // An error means that the server is gone.
    let _ = stopping.wait_for(|stopping| *stopping).await;
    tokio::time::sleep(LAST_HANDSHAKES).await;
}

async fn log_in(
    stream: &mut TlsStream<Socket>,
    unread: &mut Unread,
    device: Option<DeviceKey>,
    source: Source,
    shared: &Shared,
) -> Result<(Login, Nick), Refusal> {
    let mut machine = LoginMachine::new(shared.settings.borrow().clone(), device);
    let mut out = String::new();
    let (mut lines, mut sent) = (0, 0);
    loop {
        while let Some(line) = unread.next() {
            lines += 1;
            if lines > LINES {
                return Err(Refusal::too_much());
            }
            let mut step = match &line {
                Ok(line) => match Message::parse(line) {
                    Some(message) => machine.line(&message, &mut out),
                    None => Step::Continue,
                },
                Err(bad) => {
                    machine.refuse(bad.tags.as_deref().map(Tags), &line_refused(bad), &mut out);
                    Step::Continue
                }
            };
            // Sends pending output before a check, which may take its time.
            if !matches!(step, Step::Continue) {
                say(stream, &mut out, &mut sent).await?;
            }
            step = match step {
                Step::Check(credentials) => {
                    let check = shared.logins.check(source, credentials);
                    let outcome = while_connected(stream, unread, check).await?;
                    shared.metrics.login(&outcome);
                    machine.checked(outcome, &mut out)
                }
                Step::Prove(name) => {
                    let outcome = if let Some(why) = unusable_certificate(stream) {
                        Checked::Unproven(why)
                    } else {
                        let check = shared.logins.prove(source, device, name);
                        while_connected(stream, unread, check).await?
                    };
                    shared.metrics.login(&outcome);
                    machine.checked(outcome, &mut out)
                }
                Step::Register(registration) => {
                    let register = shared.logins.register(source, registration);
                    let outcome = while_connected(stream, unread, register).await?;
                    shared.metrics.registration(&outcome);
                    machine.registered(outcome, &mut out)
                }
                other => other,
            };
            match step {
                Step::Done(login) => {
                    say(stream, &mut out, &mut sent).await?;
                    let nick = machine.into_name();
                    let nick = nick.ok_or_else(|| Refusal::Close(Counted::Ended, "No account".to_owned()))?;
                    return Ok((login, nick));
                }
                Step::Close(reason) => {
                    say(stream, &mut out, &mut sent).await?;
                    return Err(Refusal::Close(Counted::Login, reason));
                }
                _ if sent + out.len() > BYTES_OUT => return Err(Refusal::too_much()),
                _ => {}
            }
        }
        say(stream, &mut out, &mut sent).await?;
        read(stream, unread).await?;
    }
}

/// Waits for work on behalf of a connection; if the connection goes away, drops the work.
async fn while_connected<T>(
    stream: &mut TlsStream<Socket>,
    unread: &mut Unread,
    work: impl Future<Output = T>,
) -> Result<T, Refusal> {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            biased;
            outcome = &mut work => return Ok(outcome),
            end = read(stream, unread), if unread.len() < AHEAD => end?,
        }
    }
}

/// Reads once, into `unread`.
async fn read(stream: &mut TlsStream<Socket>, unread: &mut Unread) -> Result<(), Refusal> {
    let read = poll_fn(|cx| {
        INPUT.with_borrow_mut(|input| {
            let mut buf = ReadBuf::new(input);
            ready!(Pin::new(&mut *stream).poll_read(cx, &mut buf))?;
            unread.bytes.extend_from_slice(buf.filled());
            Poll::Ready(io::Result::Ok(buf.filled().len()))
        })
    });
    match read.await? {
        0 => Err(Refusal::Lost(io::ErrorKind::UnexpectedEof.into())),
        _ => Ok(()),
    }
}

async fn say(stream: &mut TlsStream<Socket>, out: &mut String, sent: &mut usize) -> Result<(), Refusal> {
    *sent += out.len();
    if *sent > BYTES_OUT {
        return Err(Refusal::too_much());
    }
    if !out.is_empty() {
        stream.write_all(out.as_bytes()).await?;
        stream.flush().await?;
        out.clear();
    }
    Ok(())
}

/// Reads and discards input until the peer closes the connection.
async fn drain(tcp: &mut TcpStream) -> io::Result<()> {
    let mut left = LINGER.1;
    let mut input = [0; 1024];
    while left > 0 {
        match tcp.read(&mut input).await? {
            0 => break,
            read => left = left.saturating_sub(read),
        }
    }
    Ok(())
}

/// Returns the fingerprint of the client's certificate, if a device can have that certificate.
fn device_key(stream: &TlsStream<Socket>) -> Option<DeviceKey> {
    let certificate = stream.get_ref().1.peer_certificates()?.first()?;
    check_device_certificate(certificate).ok()?;
    Some(DeviceKey(certificate_hash(certificate)))
}

/// Returns the reason why no device can have the client's certificate; `None` if one can, or if there is no
/// certificate.
fn unusable_certificate(stream: &TlsStream<Socket>) -> Option<String> {
    let certificate = stream.get_ref().1.peer_certificates()?.first()?;
    check_device_certificate(certificate).err().map(|why| why.to_string())
}

impl Refusal {
    fn too_much() -> Self {
        let reason = format!(
            "Too much before the login; up to {LINES} lines, {} KiB sent and {} KiB received are fine",
            BYTES_IN / 1024,
            BYTES_OUT / 1024
        );
        Self::Close(Counted::Budget, reason)
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        if matches!(error.get_ref(), Some(inner) if inner.is::<TooMuch>()) {
            return Self::too_much();
        }
        Self::Lost(error)
    }
}

impl Unread {
    fn len(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// Returns the next whole line. The rest after the last one is kept as a part of a line.
    fn next(&mut self) -> Option<Result<String, BadLine>> {
        while let Some(rest) = self.bytes.get(self.at..).filter(|rest| !rest.is_empty()) {
            let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
            let mut line = None;
            self.lines
                .feed(rest.get(..end).unwrap_or_default(), |found| line = Some(found.map(str::to_owned)));
            self.at += end;
            if line.is_some() {
                return line;
            }
        }
        // A waiting connection holds no capacity.
        (self.bytes, self.at) = (Vec::new(), 0);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_singly_and_partial_line_is_kept() {
        let mut unread = Unread { bytes: b"CAP LS\r\n\r\nNICK a\nUS".into(), at: 0, lines: Lines::new(512) };
        assert_eq!(unread.next(), Some(Ok("CAP LS".to_owned())));
        assert_eq!(unread.len(), 11);
        assert_eq!(unread.next(), Some(Ok("NICK a".to_owned())));
        assert_eq!(unread.next(), None);
        assert_eq!((unread.len(), unread.bytes.capacity()), (0, 0));
        unread.bytes.extend_from_slice(b"ER\n");
        assert_eq!(unread.next(), Some(Ok("USER".to_owned())));
    }
}
