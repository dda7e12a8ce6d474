//! The login state machine, without IO: lines from the server in, lines to send out.
//!
//! The sequence is `CAP LS 302`, the capabilities, either SASL or the redemption of an invite, `CAP END`, and the
//! welcome ([capability negotiation](https://ircv3.net/specs/extensions/capability-negotiation),
//! [SASL](https://ircv3.net/specs/extensions/sasl-3.2), [account
//! registration](https://ircv3.net/specs/extensions/account-registration)).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::password::Password;
use crate::client::text::clean::clean;
use crate::client::text::line::Line;
use crate::wire::numeric::Numeric;
use crate::wire::{Cap, CapSet, Message, Nick};

/// The credentials of a login.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// The password of an existing account (SASL PLAIN).
    Password(Password),
    /// An invite to make the account with.
    Invite {
        /// The token, in the form that the invite link has.
        token: Zeroizing<String>,
        /// The password that the new account gets.
        password: Password,
    },
    /// The client certificate of a device that the connection presents (SASL EXTERNAL).
    Device,
}

/// The error of a failed login.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// The name or the password is wrong, or the account is disabled. The server does not say which.
    #[error("the server refused the login: {0}")]
    Refused(String),
    /// The invite's token is wrong, used up, expired or revoked.
    #[error("the invite was not accepted: {0}")]
    Invite(String),
    /// The name of the new account is taken.
    #[error("you cannot have that name: {0}")]
    NameTaken(String),
    /// The name of the new account is not valid.
    #[error("you cannot have that name: {0}")]
    BadName(String),
    /// The password of the new account is too weak.
    #[error("the password was not accepted: {0}")]
    BadPassword(String),
    /// The server lacks a capability that this client needs.
    #[error("the server does not offer {0}, which is needed; is it a Parlour server?")]
    MissingCap(String),
    /// The server accepts sessions without a login, or has no login.
    #[error("the server has no login (SASL), and parlour enters no server without one")]
    NoSasl,
    /// The server exceeded the limits of what it may send before the welcome.
    #[error("the server says more than belongs to a login; is it a chat server?")]
    TooMuchOutput,
    /// The server ended the login for another reason, which may be temporary.
    #[error("the server said: {0}")]
    ClosedByServer(String),
}

/// The state of a login after a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginStep {
    /// The login needs more lines.
    NeedsMore,
    /// The server has welcomed this nick and enabled these capabilities.
    Done(Nick, CapSet),
}

/// Optional capabilities of every client. Only SASL is required: where a server does not confirm messages by itself,
/// the [model](crate::client::model) queries it.
const OPTIONAL_CAPS: CapSet = CapSet::from_caps(&[
    Cap::AccountTag,
    Cap::Batch,
    Cap::CapNotify,
    Cap::EchoMessage,
    Cap::LabeledResponse,
    Cap::MessageTags,
    Cap::MultiPrefix,
    Cap::SendId,
    Cap::ServerTime,
    Cap::StandardReplies,
]);

/// Further capabilities of every program that no person reads. Its session does not change what others see of the
/// account.
const PROGRAM_CAPS: CapSet = CapSet::from_caps(&[Cap::Chathistory, Cap::Invisible, Cap::PreAway]);

/// Further capabilities of the plain chat. It requests no history, because the server replays what was missed.
pub const PLAIN_CAPS: CapSet = CapSet::from_caps(&[
    Cap::ChannelRename,
    Cap::InviteNotify,
    Cap::MessageRedaction,
    Cap::Metadata,
    Cap::Multiline,
    Cap::ReadMarker,
    Cap::Search,
]);

/// Further capabilities of the full-screen client.
pub const SCREEN_CAPS: CapSet = CapSet::from_caps(&[
    Cap::AwayNotify,
    Cap::ChannelRename,
    Cap::Chathistory,
    Cap::EventPlayback,
    Cap::InviteNotify,
    Cap::MessageRedaction,
    Cap::Metadata,
    Cap::Multiline,
    Cap::NoImplicitNames,
    Cap::ReadMarker,
    Cap::Search,
]);

/// Further capabilities of commands for scripts.
pub const SCRIPT_CAPS: CapSet = CapSet::from_caps(&[
    Cap::ChannelRename,
    Cap::Chathistory,
    Cap::EventPlayback,
    Cap::MessageRedaction,
    Cap::Multiline,
    Cap::Search,
]);

/// Limit of alternative nicks to try if the account's own is in use, most often by its previous connection that the
/// server takes for alive.
const MAX_ALTERNATIVE_NICKS: usize = 3;

/// Limits of lines and bytes from the server up to the welcome. A server with two hundred capabilities needs 8 KiB, and
/// notices of any kind no more than that.
const MAX_LINES: usize = 1_000;
const MAX_BYTES: usize = 256 * 1024;

/// Limit of a refusal's text that is shown, in bytes.
const MAX_REFUSAL_BYTES: usize = 1_000;

/// Length of one AUTHENTICATE argument, in bytes of base64. A response whose last chunk has this length is followed by
/// a `+` ([SASL](https://ircv3.net/specs/extensions/sasl-3.1#the-authenticate-command)).
const SASL_CHUNK_BYTES: usize = 400;

/// A login in progress.
#[derive(Debug)]
pub struct Login {
    name: Nick,
    credentials: Credentials,
    /// See [`Endpoint::read_by_user`](super::connection::Endpoint::read_by_user).
    read_by_user: bool,
    /// Capabilities to request in addition to those of every client.
    extra_caps: CapSet,
    /// Capabilities that CAP LS has named so far and this client knows, with their values. Bounded by the number of
    /// known ones.
    offered_caps: Vec<(Cap, String)>,
    /// Set if CAP LS named any capability, known or not.
    supports_caps: bool,
    /// Number of lines that the server has sent.
    received_lines: usize,
    /// Number of bytes that the server has sent.
    received_bytes: usize,
    enabled_caps: CapSet,
    /// Set if the server confirmed the login.
    authenticated: bool,
    /// Number of alternative nicks that were tried.
    nicks_tried: usize,
}

impl LoginError {
    /// Returns whether the same login would fail again, so that there is no use in retrying.
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::ClosedByServer(_))
    }
}

impl Login {
    /// Creates a login as `name`. `read_by_user` states whether a person reads the messages, as opposed to a program
    /// that doesn't.
    pub fn new(name: Nick, credentials: Credentials, read_by_user: bool) -> Self {
        Self {
            name,
            credentials,
            read_by_user,
            extra_caps: CapSet::EMPTY,
            offered_caps: Vec::new(),
            supports_caps: false,
            received_lines: 0,
            received_bytes: 0,
            enabled_caps: CapSet::EMPTY,
            authenticated: false,
            nicks_tried: 0,
        }
    }

    /// Adds capabilities to request if the server offers them.
    #[must_use]
    pub fn with_caps(self, extra_caps: CapSet) -> Self {
        Self { extra_caps, ..self }
    }

    /// Writes the first lines. The server must have proven its identity before they are sent.
    pub fn write_first_lines(&self, out: &mut Vec<u8>) {
        if let Credentials::Invite { token, .. } = &self.credentials {
            out.extend_from_slice(Zeroizing::new(Line::new("PASS").arg(token).into_wire()).as_bytes());
        }
        let name = self.name.as_str();
        for line in [
            Line::new("CAP").arg("LS").arg("302"),
            Line::new("NICK").arg(name),
            Line::new("USER").arg(name).arg("0").arg("*").trailing(name),
        ] {
            out.extend_from_slice(line.into_wire().as_bytes());
        }
    }

    /// Counts lines and bytes from the server, before they are buffered.
    ///
    /// # Errors
    /// Returns [`LoginError::TooMuchOutput`] if they exceed the limits of a login.
    pub fn count_received(&mut self, lines: usize, bytes: usize) -> Result<(), LoginError> {
        self.received_lines = self.received_lines.saturating_add(lines);
        self.received_bytes = self.received_bytes.saturating_add(bytes);
        if self.received_lines > MAX_LINES || self.received_bytes > MAX_BYTES {
            Err(LoginError::TooMuchOutput)
        } else {
            Ok(())
        }
    }

    /// Handles a line from the server. Appends the lines to send to `out`.
    pub fn handle_line(&mut self, line: &Message<'_>, out: &mut Vec<u8>) -> Result<LoginStep, LoginError> {
        if let Ok(code) = line.command.parse() {
            return self.handle_numeric(Numeric(code), line, out);
        }
        let last = || refusal_text(line);
        match line.command.to_ascii_uppercase().as_str() {
            "CAP" => self.handle_cap(line, out)?,
            "AUTHENTICATE" if line.param(0) == Some("+") => self.write_credentials(out),
            "REGISTER" if line.param(0) == Some("SUCCESS") => self.finish_registration(out),
            "REGISTER" => {
                return Err(LoginError::MissingCap(format!("accounts without a further step ({})", last())));
            }
            "PING" => write_line(out, Line::new("PONG").trailing(line.param(0).unwrap_or_default())),
            "FAIL" => return Err(error_from_fail(line.param(1).unwrap_or_default(), last())),
            "ERROR" => return Err(LoginError::ClosedByServer(last())),
            _ => {}
        }
        Ok(LoginStep::NeedsMore)
    }

    fn handle_cap(&mut self, line: &Message<'_>, out: &mut Vec<u8>) -> Result<(), LoginError> {
        // Form of the line: CAP <nick> <subcommand> [*] :<capabilities>
        let Some(list) = line.params().get(2..).and_then(<[_]>::last) else { return Ok(()) };
        match line.param(1).unwrap_or_default() {
            "LS" => {
                for entry in list.split_ascii_whitespace() {
                    self.supports_caps = true;
                    let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
                    if let Some(cap) = Cap::parse(name) {
                        self.offered_caps.retain(|(other, _)| *other != cap);
                        self.offered_caps.push((cap, value.to_owned()));
                    }
                }
                if line.param(2) == Some("*") && line.params().len() > 3 {
                    return Ok(());
                }
                let wanted = self.caps_to_request()?;
                write_line(out, Line::new("CAP").arg("REQ").trailing(&wanted.to_string()));
            }
            "ACK" => {
                self.enabled_caps = list
                    .split_ascii_whitespace()
                    .filter_map(Cap::parse)
                    .fold(self.enabled_caps, CapSet::with);
                if !self.read_by_user && self.enabled_caps.has(Cap::PreAway) {
                    write_line(out, Line::new("AWAY").arg("*"));
                }
                self.start_authentication(out);
            }
            "NAK" => return Err(LoginError::MissingCap(clean(list))),
            _ => {}
        }
        Ok(())
    }

    /// Returns the capabilities to request, of those that the server offers.
    fn caps_to_request(&self) -> Result<CapSet, LoginError> {
        let offer = |cap: Cap| {
            self.offered_caps.iter().find(|(other, _)| *other == cap).map(|(_, value)| value.as_str())
        };
        if offer(Cap::Sasl).is_none() {
            return Err(LoginError::NoSasl);
        }
        let mut needed = CapSet::from_caps(&[Cap::Sasl]);
        if matches!(self.credentials, Credentials::Invite { .. }) {
            needed = needed.with(Cap::AccountRegistration);
        }
        if let Some(missing) = needed.iter().find(|&cap| offer(cap).is_none()) {
            return Err(LoginError::MissingCap(missing.name().to_owned()));
        }
        let mechanisms = offer(Cap::Sasl).unwrap_or_default();
        let (mechanism, requirement) = match &self.credentials {
            Credentials::Device => ("EXTERNAL", "login by device (SASL EXTERNAL)"),
            _ => ("PLAIN", "login by password (SASL PLAIN)"),
        };
        if !mechanisms.is_empty() && !mechanisms.split(',').any(|name| name == mechanism) {
            return Err(LoginError::MissingCap(requirement.to_owned()));
        }
        // With `chathistory` the server replays nothing and does not advance the read marker.
        let liked = if self.read_by_user {
            OPTIONAL_CAPS
        } else {
            PROGRAM_CAPS.iter().fold(OPTIONAL_CAPS, CapSet::with)
        };
        let liked = self.extra_caps.iter().fold(liked, CapSet::with);
        Ok(liked.iter().filter(|&cap| offer(cap).is_some()).fold(needed, CapSet::with))
    }

    /// Starts the login once the capabilities are enabled.
    fn start_authentication(&self, out: &mut Vec<u8>) {
        match &self.credentials {
            Credentials::Password(_) => write_line(out, Line::new("AUTHENTICATE").arg("PLAIN")),
            Credentials::Device => write_line(out, Line::new("AUTHENTICATE").arg("EXTERNAL")),
            Credentials::Invite { password, .. } => {
                let line = Line::new("REGISTER").arg(self.name.as_str()).arg("*").trailing(password.expose());
                out.extend_from_slice(Zeroizing::new(line.into_wire()).as_bytes());
            }
        }
    }

    fn finish_registration(&mut self, out: &mut Vec<u8>) {
        self.authenticated = true;
        write_line(out, Line::new("CAP").arg("END"));
    }

    fn write_credentials(&self, out: &mut Vec<u8>) {
        let (Credentials::Password(password) | Credentials::Invite { password, .. }) = &self.credentials
        else {
            // The certificate authenticates; the authorization identity names the account.
            let name = STANDARD.encode(self.name.as_str());
            return write_line(out, Line::new("AUTHENTICATE").arg(&name));
        };
        let plain = Zeroizing::new(format!("\0{}\0{}", self.name, password.expose()));
        let encoded = Zeroizing::new(STANDARD.encode(plain.as_bytes()));
        for chunk in encoded.as_bytes().chunks(SASL_CHUNK_BYTES) {
            out.extend_from_slice(b"AUTHENTICATE ");
            out.extend_from_slice(chunk);
            out.extend_from_slice(b"\r\n");
        }
        if encoded.len().is_multiple_of(SASL_CHUNK_BYTES) {
            out.extend_from_slice(b"AUTHENTICATE +\r\n");
        }
    }

    fn handle_numeric(
        &mut self,
        code: Numeric,
        line: &Message<'_>,
        out: &mut Vec<u8>,
    ) -> Result<LoginStep, LoginError> {
        let text = || refusal_text(line);
        match code.0 {
            // A welcome without a login.
            1 if !self.authenticated => return Err(LoginError::NoSasl),
            1 => {
                let nick = line.param(0).and_then(|nick| Nick::parse_foreign(nick).ok());
                return Ok(LoginStep::Done(nick.unwrap_or_else(|| self.name.clone()), self.enabled_caps));
            }
            903 => self.finish_registration(out),
            902 | 904..=907 => {
                let text = text();
                let reason = text.strip_prefix("SASL authentication failed: ").unwrap_or(&text);
                return Err(LoginError::Refused(reason.to_owned()));
            }
            908 => return Err(LoginError::MissingCap("login by password (SASL PLAIN)".to_owned())),
            464 if matches!(self.credentials, Credentials::Invite { .. }) => {
                return Err(LoginError::Invite(text()));
            }
            433 if !matches!(self.credentials, Credentials::Invite { .. })
                && self.nicks_tried < MAX_ALTERNATIVE_NICKS =>
            {
                // The account stays the same, because the login determines it.
                self.nicks_tried += 1;
                write_line(
                    out,
                    Line::new("NICK").arg(&format!("{}{}", self.name, "_".repeat(self.nicks_tried))),
                );
            }
            433 => return Err(LoginError::NameTaken(text())),
            432 => return Err(LoginError::BadName(text())),
            421 if !self.supports_caps => return Err(LoginError::NoSasl),
            // A missing MOTD is not an error, nor is any numeric below 400.
            400..=599 if code.0 != 422 => return Err(LoginError::ClosedByServer(text())),
            _ => {}
        }
        Ok(LoginStep::NeedsMore)
    }
}

/// Returns the error of a `FAIL`, by its code ([account
/// registration](https://ircv3.net/specs/extensions/account-registration#responses)).
fn error_from_fail(code: &str, text: String) -> LoginError {
    match code {
        "ACCOUNT_EXISTS" | "USERNAME_EXISTS" => LoginError::NameTaken(text),
        "BAD_ACCOUNT_NAME" => LoginError::BadName(text),
        "WEAK_PASSWORD" | "UNACCEPTABLE_PASSWORD" => LoginError::BadPassword(text),
        _ if code.contains("INVITE") || code.contains("TOKEN") => LoginError::Invite(text),
        _ => LoginError::ClosedByServer(text),
    }
}

/// Returns the line's last parameter without characters that act on a terminal, limited to
/// [`MAX_REFUSAL_BYTES`] bytes.
fn refusal_text(line: &Message<'_>) -> String {
    let text = line.params().last().copied().unwrap_or_default();
    clean(text.get(..text.floor_char_boundary(MAX_REFUSAL_BYTES)).unwrap_or_default())
}

fn write_line(out: &mut Vec<u8>, line: Line) {
    out.extend_from_slice(line.into_wire().as_bytes());
}

#[cfg(test)]
mod tests;
