//! Requests of the user to the server, whose replies are collected to one answer: an [`Event::Answered`].
//!
//! Where the server labels its replies, those with the label of the request belong to it. Elsewhere the replies to a
//! request are those that come before the answer to the PING behind it.

mod collect;
mod secret_text;
#[cfg(test)]
mod tests;

pub(super) use self::collect::{OpenRequests, Reply};
pub use self::secret_text::SecretText;
use super::event::{Conversation, Event};
use super::{Line, Model, NotConnected};
use crate::wire::ChannelName;

/// A request of the user that has one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerRequest {
    /// A request about a channel.
    Channel(ChannelName, ChannelRequest),
    /// WHOIS, with WHOWAS for an account that is offline.
    Profile(String),
    /// WHO: accounts that are online and match this mask, or the members of a channel.
    People(String),
    /// SETNAME: this account's real name.
    SetName(String),
    /// The message of the day.
    Motd,
    /// STATS: uptime and counts of the server.
    Statistics,
    /// OPER with the name of an admin account and its password.
    Oper(String, SecretText),
    /// REHASH: the server reads its configuration again.
    Rehash,
    /// KILL: ends the sessions of this account, for this reason.
    Kill(String, String),
    /// WALLOPS: a message to all sessions.
    Wallops(String),
    /// CERT LIST: the devices of this account.
    Devices,
    /// CERT DEL: removes the device with this fingerprint, which the list had at this number.
    RevokeDevice(usize, String),
    /// INVITES LIST: the open invites to the server.
    Invites,
    /// INVITES REVOKE: revokes the invite with this number.
    RevokeInvite(u64),
    /// INVITES CREATE or FOR, with these parameters: makes an invite link.
    CreateInvite(Vec<String>),
    /// AUDIT: the latest actions of admins and moderators, at most this number.
    Audit(u32),
    /// REDACT: removes a message of another account, for this reason.
    Redact(Conversation, String, String),
    /// A line as the user typed it.
    Raw(SecretText),
}

/// A request about a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelRequest {
    /// The modes of the channel.
    Modes,
    /// The lists of the channel: bans, mutes and exceptions.
    Bans,
    /// MODE: a change with its parameters, such as `+o bob`.
    Change(Vec<String>),
    /// Sets the channel key, or removes it.
    Key(Option<SecretText>),
    /// KICK: removes this account, for this reason.
    Kick(String, String),
    /// TOPIC: sets the topic.
    Topic(String),
    /// RENAME: gives the channel this name.
    Rename(ChannelName),
    /// INVITE: invites this account to the channel.
    Invite(String),
    /// KNOCK: asks for an invitation, with this text.
    Knock(String),
}

/// Fields of WHOX that [`ServerRequest::People`] asks for: channel, nick, flags, idle time and real name.
const WHOX_FIELDS: &str = "%tcnflr,7";

impl ServerRequest {
    /// Returns the name of the command that makes the request, for errors.
    pub fn command(&self) -> &'static str {
        match self {
            Self::Channel(_, request) => request.command(),
            Self::Profile(_) => "whois",
            Self::People(_) => "who",
            Self::SetName(_) => "setname",
            Self::Motd => "motd",
            Self::Statistics => "stats",
            Self::Oper(..) => "oper",
            Self::Rehash => "rehash",
            Self::Kill(..) => "kill",
            Self::Wallops(_) => "wallops",
            Self::Devices | Self::RevokeDevice(..) => "devices",
            Self::Invites | Self::RevokeInvite(_) => "invites",
            Self::CreateInvite(_) => "invite-link",
            Self::Audit(_) => "audit",
            Self::Redact(..) => "delete",
            Self::Raw(_) => "raw",
        }
    }

    /// Returns the lines that make the request; `me` is this account's nick.
    fn lines(&self, me: &str) -> Vec<Line> {
        let trailing = |line: Line, text: &str| if text.is_empty() { line } else { line.trailing(text) };
        match self {
            Self::Channel(channel, request) => request.lines(channel, me),
            Self::Profile(nick) => vec![Line::new("WHOIS").arg(nick), Line::new("WHOWAS").arg(nick)],
            Self::People(mask) => vec![Line::new("WHO").arg(mask).arg(WHOX_FIELDS)],
            Self::SetName(name) => vec![Line::new("SETNAME").trailing(name)],
            Self::Motd => vec![Line::new("MOTD")],
            Self::Statistics => vec![Line::new("STATS").arg("u"), Line::new("STATS").arg("m")],
            Self::Oper(name, password) => vec![Line::new("OPER").arg(name).trailing(password.expose())],
            Self::Rehash => vec![Line::new("REHASH")],
            Self::Kill(nick, reason) => vec![trailing(Line::new("KILL").arg(nick), reason)],
            Self::Wallops(text) => vec![Line::new("WALLOPS").trailing(text)],
            Self::Devices => vec![Line::new("CERT").arg("LIST")],
            Self::RevokeDevice(_, fingerprint) => vec![Line::new("CERT").arg("DEL").arg(fingerprint)],
            Self::Invites => vec![Line::new("INVITES").arg("LIST")],
            Self::RevokeInvite(id) => vec![Line::new("INVITES").arg("REVOKE").arg(&id.to_string())],
            Self::CreateInvite(words) => {
                vec![words.iter().fold(Line::new("INVITES"), |line, word| line.arg(word))]
            }
            Self::Audit(count) => vec![Line::new("AUDIT").arg(&count.to_string())],
            Self::Redact(conversation, msgid, reason) => {
                vec![trailing(Line::new("REDACT").arg(conversation.as_str()).arg(msgid), reason)]
            }
            Self::Raw(text) => vec![raw_line(text.expose())],
        }
    }
}

impl ChannelRequest {
    fn command(&self) -> &'static str {
        match self {
            Self::Modes | Self::Change(_) => "mode",
            Self::Bans => "bans",
            Self::Key(_) => "key",
            Self::Kick(..) => "kick",
            Self::Topic(_) => "topic",
            Self::Rename(_) => "rename",
            Self::Invite(_) => "invite",
            Self::Knock(_) => "knock",
        }
    }

    fn lines(&self, channel: &ChannelName, me: &str) -> Vec<Line> {
        let line = |command: &str| Line::new(command).arg(channel.as_str());
        vec![match self {
            Self::Modes => line("MODE"),
            // Three lines, because not every server takes several lists in one.
            Self::Bans => return ["b", "e", "I"].map(|list| line("MODE").arg(list)).into(),
            Self::Change(words) => words.iter().fold(line("MODE"), |line, word| line.arg(word)),
            Self::Key(Some(key)) => line("MODE").arg("+k").arg(key.expose()),
            // The parameter has no meaning here, but other servers need one.
            Self::Key(None) => line("MODE").arg("-k").arg("*"),
            Self::Kick(nick, reason) if reason.is_empty() => line("KICK").arg(nick),
            Self::Kick(nick, reason) => line("KICK").arg(nick).trailing(reason),
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
    let line = words.fold(line, |line, word| line.arg(word));
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
        let labels = self.caps.has(crate::wire::Cap::LabeledResponse);
        let mut tickets = Vec::new();
        for line in request.lines(&me) {
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

    /// Returns the fingerprint of the device with this number in the list that was shown last, from 1.
    pub fn listed_device(&self, number: usize) -> Option<&str> {
        self.listed_devices.get(number.checked_sub(1)?).map(String::as_str)
    }
}
