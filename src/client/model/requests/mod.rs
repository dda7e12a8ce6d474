//! Requests of the user to the server, whose replies are collected to one answer: an [`Event::Answered`].
//!
//! Where the server labels its replies, those with the label of the request belong to it. Elsewhere the replies to a
//! request are those that come before the answer to the PING behind it.

mod collect;
mod limits;
pub(in crate::client) mod mode_changes;
#[cfg(test)]
mod tests;

pub(super) use self::collect::{LineRole, OpenRequests};
use self::mode_changes::{listed_accounts, parse_mode_changes};
use super::event::Event;
pub use super::event::{ChannelRequest, SecretText, ServerRequest};
use super::{DISPLAY_NAME_KEY, Line, MUTED_KEY, Model, NotConnected};
use crate::client::text::services::is_service_name;
use crate::wire::{Cap, ChannelName, Nick};

/// Fields of WHOX that [`ServerRequest::People`] asks for: channel, nick, flags, idle time and real name.
const WHOX_FIELDS: &str = "%tcnflr,7";

/// The same for one account, also if it is offline (flag `a`, which Parlour knows).
const WHOX_ACCOUNT: &str = "a%tcnflr,7";

/// Returns the line that asks whether an account exists.
fn existence_line(account: &Nick) -> Line {
    Line::new("WHO").arg(account.as_str()).arg(WHOX_ACCOUNT)
}

impl ServerRequest {
    /// Returns the accounts by whose names the request harms somebody: those that it bans, mutes, removes or disconnects.
    pub fn named_accounts(&self) -> Vec<Nick> {
        match self {
            Self::Channel(_, ChannelRequest::Change(words)) => {
                listed_accounts(words).into_iter().map(|listed| listed.account).collect()
            }
            Self::Channel(_, ChannelRequest::Kick { name, .. }) | Self::Kill { name, .. } => {
                Nick::parse(name).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// Returns the line that asks for the exceptions from bans, for a request that bans or mutes.
    fn exceptions_line(&self) -> Option<Line> {
        let Self::Channel(channel, ChannelRequest::Change(words)) = self else { return None };
        let bans = parse_mode_changes(words)
            .iter()
            .any(|change| change.on && change.letter == 'b' && change.value.is_some());
        bans.then(|| Line::new("MODE").arg(channel.as_str()).arg("e"))
    }

    /// Returns the lines that make the request; `me` is this account's nick. On Parlour it asks with them whether the
    /// accounts exist that a change of modes names.
    fn lines(&self, me: &str, is_parlour: bool) -> Vec<Line> {
        let trailing = |line: Line, text: &str| if text.is_empty() { line } else { line.trailing(text) };
        match self {
            Self::Channel(channel, request @ ChannelRequest::Change(words)) if is_parlour => {
                let mut lines = request.lines(channel, me);
                lines.extend(listed_accounts(words).iter().map(|listed| existence_line(&listed.account)));
                lines.extend(self.exceptions_line());
                lines
            }
            Self::Channel(channel, request) => request.lines(channel, me),
            Self::Profile(nick) => {
                // An account that was never online is unknown to both.
                let account = Nick::parse_foreign(nick).ok().filter(|_| is_parlour);
                let lines = [Line::new("WHOIS").arg(nick), Line::new("WHOWAS").arg(nick)].into_iter();
                lines.chain(account.as_ref().map(existence_line)).collect()
            }
            Self::People(mask) => vec![Line::new("WHO").arg(mask).arg(WHOX_FIELDS)],
            Self::Existence { account, .. } => vec![existence_line(account)],
            Self::LookUp(request) => {
                let accounts = request.named_accounts();
                accounts.iter().map(existence_line).chain(request.exceptions_line()).collect()
            }
            Self::Role(_) => vec![Line::new("MODE").arg(me)],
            Self::Mute(conversation, on) => {
                let line = Line::new("METADATA").arg(conversation.as_str()).arg("SET").arg(MUTED_KEY);
                vec![line.trailing(if *on { "1" } else { "0" })]
            }
            Self::DisplayName(name) => {
                vec![trailing(Line::new("METADATA").arg("*").arg("SET").arg(DISPLAY_NAME_KEY), name)]
            }
            Self::SetName(name) => vec![Line::new("SETNAME").trailing(name)],
            Self::Motd => vec![Line::new("MOTD")],
            Self::Statistics => vec![Line::new("STATS").arg("u"), Line::new("STATS").arg("m")],
            Self::Oper(name, password) => vec![Line::new("OPER").arg(name).trailing(password.expose())],
            Self::Rehash => vec![Line::new("REHASH")],
            Self::Kill { name, reason } => vec![trailing(Line::new("KILL").arg(name), reason)],
            Self::Wallops(text) => vec![Line::new("WALLOPS").trailing(text)],
            Self::Devices => vec![Line::new("CERT").arg("LIST")],
            Self::RevokeDevice(_, fingerprint) => vec![Line::new("CERT").arg("DEL").arg(fingerprint)],
            Self::SharedFiles(conversation) => {
                vec![Line::new("FILES").arg("LIST").arg(conversation.as_str())]
            }
            Self::OwnFiles => vec![Line::new("FILES").arg("LIST")],
            Self::LinkFile(id) => vec![Line::new("FILES").arg("LINK").arg(id)],
            Self::UnlinkFile(id) => vec![Line::new("FILES").arg("UNLINK").arg(id)],
            Self::Invites => vec![Line::new("INVITES").arg("LIST")],
            Self::RevokeInvite(id) => vec![Line::new("INVITES").arg("REVOKE").arg(&id.to_string())],
            Self::CreateInvite(words) => {
                vec![words.iter().fold(Line::new("INVITES"), |line, word| line.arg(word))]
            }
            Self::Audit(count) => vec![Line::new("AUDIT").arg(&count.to_string())],
            Self::Redact { conversation, msgid, reason } => {
                vec![trailing(Line::new("REDACT").arg(conversation.as_str()).arg(msgid), reason)]
            }
            Self::SetMetadata { key, values } => {
                let line = |account: &Nick| Line::new("METADATA").arg(account.as_str()).arg("SET").arg(key);
                values.iter().map(|(account, value)| line(account).trailing(value)).collect()
            }
            Self::Raw(text) => vec![raw_line(text.expose())],
        }
    }
}

impl ChannelRequest {
    fn lines(&self, channel: &ChannelName, me: &str) -> Vec<Line> {
        let line = |command: &str| Line::new(command).arg(channel.as_str());
        vec![match self {
            Self::Modes => line("MODE"),
            // Three lines, because not every server takes several lists in one.
            Self::Bans => return ["b", "e", "I"].map(|list| line("MODE").arg(list)).into(),
            Self::OwnBan => return ["b", "e"].map(|list| line("MODE").arg(list)).into(),
            Self::Change(words) => words.iter().fold(line("MODE"), |line, word| line.arg(word)),
            Self::Key(Some(key)) => line("MODE").arg("+k").arg(key.expose()),
            // The parameter has no meaning here, but other servers need one.
            Self::Key(None) => line("MODE").arg("-k").arg("*"),
            Self::Kick { name, reason } if reason.is_empty() => line("KICK").arg(name),
            Self::Kick { name, reason } => line("KICK").arg(name).trailing(reason),
            Self::Topic(text) => line("TOPIC").trailing(text),
            Self::Rename(name) => line("RENAME").arg(name.as_str()),
            // The modes of this account say whether it is an admin, who can make an invite link.
            Self::Invite(nick) => {
                let invite = Line::new("INVITE").arg(nick).arg(channel.as_str());
                return vec![invite, Line::new("MODE").arg(me)];
            }
            Self::Knock(text) if text.is_empty() => line("KNOCK"),
            Self::Knock(text) => line("KNOCK").trailing(text),
        }]
    }
}

/// Parses a line as the user typed it: the command, words, and a last parameter behind a colon.
fn raw_line(text: &str) -> Line {
    let (words, last) = match text.split_once(" :") {
        Some((words, last)) => (words, Some(last)),
        None => (text, None),
    };
    let mut words = words.split_whitespace();
    let line = Line::new(words.next().unwrap_or_default());
    let line = words.fold(line, Line::arg);
    match last {
        Some(last) => line.trailing(last),
        None => line,
    }
}

impl Model {
    /// Sends a request. The answer is an [`Event::Answered`].
    pub fn send_request(&mut self, request: ServerRequest) -> Result<(), NotConnected> {
        if !self.online {
            return Err(NotConnected);
        }
        let me = self.me.as_ref().map(ToString::to_string).unwrap_or_default();
        let labels = self.caps.has(Cap::LabeledResponse);
        let mut tickets = Vec::new();
        for line in request.lines(&me, self.caps.has(Cap::SendId)) {
            let ticket = self.take_ticket();
            self.write_line(line.tag("label", &ticket.0.to_string()));
            tickets.push(ticket);
        }
        if !labels {
            tickets = vec![self.send_ping()];
        }
        if let Some(refused) = self.requests.open(request, tickets, labels) {
            self.events
                .push_back(Event::Error(format!("/{} has too many answers to wait for", refused.command())));
        }
        Ok(())
    }

    /// Asks whether an account exists, after a command that works for any name. If there is none, the answer says so,
    /// and `then` says what that means. Other servers cannot tell, and services have no account.
    pub fn check_account(&mut self, account: &Nick, then: String) {
        if self.caps.has(Cap::SendId) && !is_service_name(account.as_str()) {
            // Without a connection nobody is asked.
            let _ = self.send_request(ServerRequest::Existence { account: account.clone(), then });
        }
    }

    /// Looks up the accounts that a request names, while the user is asked about it. Other servers than Parlour cannot
    /// tell of an account that is offline.
    pub fn look_up_named(&mut self, request: &ServerRequest) {
        let is_known = request.named_accounts().is_empty() && request.exceptions_line().is_none();
        if self.caps.has(Cap::SendId) && !is_known {
            // Without a connection nobody is asked.
            let _ = self.send_request(ServerRequest::LookUp(Box::new(request.clone())));
        }
    }

    /// Returns the fingerprint of the device with this number in the list that was shown last, from 1.
    pub fn listed_device(&self, number: usize) -> Option<&str> {
        self.listed_devices.get(number.checked_sub(1)?).map(String::as_str)
    }
}
