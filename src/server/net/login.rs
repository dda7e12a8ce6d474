//! TLS handshake and login of a connection, within limits of time, lines and bytes.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead as _, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::debug;

use super::client_stream::ClientStream;
use super::context::ConnectionContext;
use super::handshake::ListenerKind;
use super::new_sessions::LoggedIn;
use super::session_io::bad_line_reply;
use super::socket::{LimitedSocket, ReadLimitExceeded};
use crate::core::Login;
use crate::core::login::{LoginMachine, LoginStep, Verification};
use crate::core::record::device::CertificateFingerprint;
use crate::server::auth::login_checker::AttemptOrigin;
use crate::server::limits::incidents::IncidentKind;
use crate::server::sessions::outbox::error_line;
use crate::server::tasks::stop::StopReason;
use crate::server::telemetry::metrics::RefusalReason as Counted;
use crate::trust::{certificate_hash, check_device_certificate};
use crate::wire::framing::{BadLine, LineFramer};
use crate::wire::{Message, Nick, Tags};

/// Maximum count of lines before the login. Clients request each of some sixty capabilities in a line of its own,
/// identify themselves, and try a few ways to log in.
const MAX_LINES: usize = 200;

/// Maximum count of bytes received before the login, the handshake and its certificates included, over WebSocket since
/// its opening. A handshake takes two to six KiB.
const MAX_BYTES_IN: usize = 48 * 1024;

/// Maximum count of bytes sent before the login. The capabilities and the supported features take three KiB.
const MAX_BYTES_OUT: usize = 32 * 1024;

/// Maximum count of bytes that are read ahead during a password check: clients send more lines without waiting.
const READ_AHEAD_BYTES: usize = 8 * 1024;

/// Time limit for sending the last line to a refused connection, and for reading what it still sends.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(5);

/// Time limit for handshakes after the server began to shut down.
const SHUTDOWN_HANDSHAKE_TIME: Duration = Duration::from_secs(2);

thread_local! {
    /// Buffer of every read, so that a silent connection owns no read buffer.
    static READ_BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; 4096]);
}

/// Reason why a connection does not get in.
enum LoginAbort {
    ConnectionLost(io::Error),
    Close(Counted, String),
}

/// Bytes that a connection has sent and the login has not processed yet.
struct UnprocessedInput {
    bytes: Vec<u8>,
    position: usize,
    framing: LineFramer,
}

/// Lets a connection in, or tells the client the reason and closes it.
pub(in crate::server) async fn handshake_and_log_in(
    tcp: TcpStream,
    kind: ListenerKind,
    origin: AttemptOrigin,
    context: &ConnectionContext,
) -> Option<LoggedIn> {
    let socket = LimitedSocket::new(tcp, MAX_BYTES_IN);
    let peer = origin.peer;
    let mut stopping = context.stopping.clone();
    let handshake = tokio::select! {
        handshake = timeout(context.limits.handshake_timeout, context.protocols.accept(socket, kind)) => {
            handshake.unwrap_or_else(|_| Err(io::Error::other("it took too long")))
        }
        // A client in the middle of its handshake still gets its last line. Silent connections must not delay the end.
        () = wait_for_last_handshakes(&mut stopping) => return None,
    };
    let accepted = match handshake {
        Ok(accepted) => accepted,
        Err(error) => {
            context.metrics.handshakes_failed.inc();
            context.incidents.record(
                origin.subject,
                IncidentKind::HandshakeFailed,
                format_args!("no TLS 1.3 handshake peer={peer} error={error}"),
            );
            return None;
        }
    };
    let lines = tokio::select! {
        // A client of IRC that is past its handshake still gets its last line.
        biased;
        lines = accepted.into_lines(peer, context.limits.line_bytes) => lines,
        _ = wait_for_stop(&mut stopping) => return None,
    };
    let mut stream = match lines {
        Ok(stream) => stream?,
        Err(error) => {
            debug!(%peer, %error, "gone before it was a WebSocket");
            return None;
        }
    };
    if matches!(stream, ClientStream::WebSocket(_)) {
        // The requests before it had limits of their own.
        stream.socket_mut().set_limit(Some(MAX_BYTES_IN));
    }
    let device = device_fingerprint(&stream);
    let mut unprocessed = UnprocessedInput {
        bytes: Vec::new(),
        position: 0,
        framing: LineFramer::new(context.limits.line_bytes),
    };
    let outcome = tokio::select! {
        outcome = timeout(context.limits.login_timeout, run_login(&mut stream, &mut unprocessed, device, origin, context)) => {
            let late = || LoginAbort::Close(Counted::LoginTimeout, "The login took too long".to_owned());
            outcome.unwrap_or_else(|_| Err(late()))
        }
        reason = wait_for_stop(&mut stopping) => {
            Err(LoginAbort::Close(Counted::ServerClosed, reason.text().to_owned()))
        }
    };
    match outcome {
        Ok((login, nick)) => {
            let rest = std::iter::from_fn(|| unprocessed.next()).collect();
            Some(LoggedIn { stream, login, nick, framing: unprocessed.framing, pending_lines: rest })
        }
        Err(LoginAbort::ConnectionLost(error)) => {
            debug!(%peer, %error, "gone before the login");
            // After a bad frame the client is told its fault.
            if error.kind() == io::ErrorKind::InvalidData {
                let _ = timeout(FAREWELL_TIMEOUT, stream.shutdown()).await;
            }
            None
        }
        Err(LoginAbort::Close(why, reason)) => {
            context.metrics.count_refusal(why);
            context.incidents.record(
                origin.subject,
                IncidentKind::ClosedBeforeLogin,
                format_args!("not logged in peer={peer} reason={reason}"),
            );
            let farewell = async {
                stream.write_all(&error_line(&reason)).await?;
                stream.shutdown().await
            };
            let _: Result<io::Result<()>, _> = timeout(FAREWELL_TIMEOUT, farewell).await;
            None
        }
    }
}

/// Waits until [`SHUTDOWN_HANDSHAKE_TIME`] after the server began to shut down.
async fn wait_for_last_handshakes(stopping: &mut watch::Receiver<Option<StopReason>>) {
    wait_for_stop(stopping).await;
    tokio::time::sleep(SHUTDOWN_HANDSHAKE_TIME).await;
}

/// Waits until the server stops, and returns the reason.
async fn wait_for_stop(stopping: &mut watch::Receiver<Option<StopReason>>) -> StopReason {
    let stopped = stopping.wait_for(Option::is_some).await;
    // An error means that the server is gone.
    stopped.ok().and_then(|reason| *reason).unwrap_or(StopReason::ShutDown)
}

async fn run_login(
    stream: &mut ClientStream,
    unprocessed: &mut UnprocessedInput,
    device: Option<CertificateFingerprint>,
    origin: AttemptOrigin,
    context: &ConnectionContext,
) -> Result<(Login, Nick), LoginAbort> {
    let mut login_machine = LoginMachine::new(context.settings.borrow().clone(), device);
    let mut output = String::new();
    let (mut lines, mut sent) = (0, 0);
    loop {
        while let Some(line) = unprocessed.next() {
            lines += 1;
            if lines > MAX_LINES {
                return Err(LoginAbort::over_budget());
            }
            let mut step = match &line {
                Ok(line) => match Message::parse(line) {
                    Some(message) => login_machine.handle_line(&message, &mut output),
                    None => LoginStep::Continue,
                },
                Err(bad) => {
                    login_machine.reject_line(
                        bad.tags.as_deref().map(Tags),
                        bad_line_reply(bad),
                        &mut output,
                    );
                    LoginStep::Continue
                }
            };
            // Sends pending output before a check, which may take its time.
            if !matches!(step, LoginStep::Continue) {
                send_output(stream, &mut output, &mut sent).await?;
            }
            step = match step {
                LoginStep::CheckPassword(credentials) => {
                    let check = context.login_checker.check_password(origin, credentials);
                    let outcome = run_while_connected(stream, unprocessed, check).await?;
                    context.metrics.count_login(&outcome);
                    login_machine.resume_with_verification(outcome, &mut output)
                }
                LoginStep::LookUpDevice(name) => {
                    let outcome = if let Some(why) = unusable_certificate(stream) {
                        Verification::NoDevice(why)
                    } else {
                        let check = context.login_checker.check_certificate(origin, device, name);
                        run_while_connected(stream, unprocessed, check).await?
                    };
                    context.metrics.count_login(&outcome);
                    login_machine.resume_with_verification(outcome, &mut output)
                }
                LoginStep::RedeemInvite(registration) => {
                    let register = context.login_checker.register(origin, registration);
                    let outcome = run_while_connected(stream, unprocessed, register).await?;
                    context.metrics.count_registration(&outcome);
                    login_machine.resume_with_registration(outcome, &mut output)
                }
                other => other,
            };
            match step {
                LoginStep::Done(login) => {
                    send_output(stream, &mut output, &mut sent).await?;
                    let nick = login_machine.into_name();
                    let nick = nick
                        .ok_or_else(|| LoginAbort::Close(Counted::ServerClosed, "No account".to_owned()))?;
                    return Ok((login, nick));
                }
                LoginStep::Close(reason) => {
                    send_output(stream, &mut output, &mut sent).await?;
                    return Err(LoginAbort::Close(Counted::LoginFailed, reason));
                }
                _ if sent + output.len() > MAX_BYTES_OUT => return Err(LoginAbort::over_budget()),
                _ => {}
            }
        }
        send_output(stream, &mut output, &mut sent).await?;
        read_more(stream, unprocessed).await?;
    }
}

/// Waits for work on behalf of a connection; if the connection goes away, drops the work.
async fn run_while_connected<T>(
    stream: &mut ClientStream,
    unprocessed: &mut UnprocessedInput,
    work: impl Future<Output = T>,
) -> Result<T, LoginAbort> {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            biased;
            outcome = &mut work => return Ok(outcome),
            end = read_more(stream, unprocessed), if unprocessed.len() < READ_AHEAD_BYTES => end?,
        }
    }
}

/// Reads once, into `unread`.
async fn read_more(stream: &mut ClientStream, unprocessed: &mut UnprocessedInput) -> Result<(), LoginAbort> {
    let read = poll_fn(|cx| {
        READ_BUFFER.with_borrow_mut(|input| {
            let mut buf = ReadBuf::new(input);
            ready!(Pin::new(&mut *stream).poll_read(cx, &mut buf))?;
            unprocessed.bytes.extend_from_slice(buf.filled());
            Poll::Ready(io::Result::Ok(buf.filled().len()))
        })
    });
    match read.await? {
        0 => Err(LoginAbort::ConnectionLost(io::ErrorKind::UnexpectedEof.into())),
        _ => Ok(()),
    }
}

async fn send_output(
    stream: &mut ClientStream,
    output: &mut String,
    sent_bytes: &mut usize,
) -> Result<(), LoginAbort> {
    *sent_bytes += output.len();
    if *sent_bytes > MAX_BYTES_OUT {
        return Err(LoginAbort::over_budget());
    }
    if !output.is_empty() {
        stream.write_all(output.as_bytes()).await?;
        stream.flush().await?;
        output.clear();
    }
    Ok(())
}

/// Returns the fingerprint of the client's certificate, if a device can have that certificate.
fn device_fingerprint(stream: &ClientStream) -> Option<CertificateFingerprint> {
    let certificate = stream.client_certificate()?;
    check_device_certificate(certificate).ok()?;
    Some(CertificateFingerprint(certificate_hash(certificate)))
}

/// Returns the reason why no device can have the client's certificate; `None` if one can, or if there is no
/// certificate.
fn unusable_certificate(stream: &ClientStream) -> Option<String> {
    let certificate = stream.client_certificate()?;
    check_device_certificate(certificate).err().map(|why| why.to_string())
}

impl LoginAbort {
    fn over_budget() -> Self {
        let reason = format!(
            "Too much before the login; up to {MAX_LINES} lines, {} KiB sent and {} KiB received are fine",
            MAX_BYTES_IN / 1024,
            MAX_BYTES_OUT / 1024
        );
        Self::Close(Counted::BudgetExceeded, reason)
    }
}

impl From<io::Error> for LoginAbort {
    fn from(error: io::Error) -> Self {
        if matches!(error.get_ref(), Some(inner) if inner.is::<ReadLimitExceeded>()) {
            return Self::over_budget();
        }
        Self::ConnectionLost(error)
    }
}

impl UnprocessedInput {
    fn len(&self) -> usize {
        self.bytes.len() - self.position
    }

    /// Returns the next whole line. The rest after the last one is kept as a part of a line.
    fn next(&mut self) -> Option<Result<String, BadLine>> {
        while let Some(rest) = self.bytes.get(self.position..).filter(|rest| !rest.is_empty()) {
            let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
            let mut line = None;
            self.framing
                .feed(rest.get(..end).unwrap_or_default(), |found| line = Some(found.map(str::to_owned)));
            self.position += end;
            if line.is_some() {
                return line;
            }
        }
        // A waiting connection holds no capacity.
        (self.bytes, self.position) = (Vec::new(), 0);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_singly_and_partial_line_is_kept() {
        let mut unread = UnprocessedInput {
            bytes: b"CAP LS\r\n\r\nNICK a\nUS".into(),
            position: 0,
            framing: LineFramer::new(512),
        };
        assert_eq!(unread.next(), Some(Ok("CAP LS".to_owned())));
        assert_eq!(unread.len(), 11);
        assert_eq!(unread.next(), Some(Ok("NICK a".to_owned())));
        assert_eq!(unread.next(), None);
        assert_eq!((unread.len(), unread.bytes.capacity()), (0, 0));
        unread.bytes.extend_from_slice(b"ER\n");
        assert_eq!(unread.next(), Some(Ok("USER".to_owned())));
    }
}
