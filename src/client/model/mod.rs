//! The client's state of one server, without IO: lines in, [`Event`]s and lines out.
//!
//! The model outlives connections. It knows the channels, the messages that are not confirmed and those already shown,
//! so a broken connection neither loses a message nor shows one twice. Time comes in with the lines, randomness once at
//! the beginning.

mod asks;
mod batches;
mod channels;
mod elsewhere;
mod event;
mod heard;
mod incoming;
mod isupport;
mod past;
mod people;
pub(in crate::client) mod seen;
mod sends;
mod tap;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};

pub use asks::Past;
pub use channels::Channel;
pub use event::{BadTarget, Event, Kind, Page, Point, Said, Target, Ticket, Typing};
pub use heard::Heard;

use self::asks::Asks;
use self::batches::Batches;
use self::channels::Channels;
use self::elsewhere::HANDLED;
use self::isupport::Isupport;
use self::seen::Seen;
use self::sends::{Sends, takes_tags};
use super::line::Line;
use super::split::pieces;
use crate::wire::{Cap, CapSet, ChannelName, Nick};

/// The error of a command that needs a connection when there is none. Messages and joins wait for one instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not connected")]
pub struct Offline;

/// The state of one account on one server.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent")]
pub struct Model {
    me: Option<Nick>,
    /// This session's `nick!user@host`, as the server puts it before its messages.
    source: Option<String>,
    caps: CapSet,
    online: bool,
    /// Set when the server has sent everything that it sends at login.
    ready: bool,
    been_ready: bool,
    server: Isupport,
    channels: Channels,
    sends: Sends,
    seen: Seen,
    batches: Batches,
    asks: Asks,
    /// Accounts that are away, with their away messages.
    away: HashMap<Nick, String>,
    /// The message of this account's last AWAY.
    away_words: String,
    /// The next ticket to give out.
    next_ticket: u64,
    first_barrier: Option<Ticket>,
    events: VecDeque<Event>,
    /// Set if every line also becomes an [`Event::Line`].
    tapped: bool,
    out: Vec<u8>,
}

impl Model {
    /// Size of a line that every server accepts, CR LF included, in bytes (`LINELEN`, [modern
    /// protocol](https://modern.ircdocs.horse/#messages)).
    pub const LINE_BYTES: usize = 512;

    /// Creates a model that has never been connected. `run` is a random prefix that makes the send ids of this run
    /// unique, of at most 40 bytes.
    pub fn new(run: String) -> Self {
        Self {
            me: None,
            source: None,
            caps: CapSet::EMPTY,
            online: false,
            ready: false,
            been_ready: false,
            server: Isupport::default(),
            channels: Channels::default(),
            sends: Sends::new(run),
            seen: Seen::default(),
            batches: Batches::default(),
            asks: Asks::default(),
            away: HashMap::new(),
            away_words: String::new(),
            next_ticket: 1,
            first_barrier: None,
            events: VecDeque::new(),
            tapped: false,
            out: Vec::new(),
        }
    }

    /// Takes the oldest event from the queue.
    pub fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Moves the bytes to send to the server to the end of `into`.
    pub fn take_output(&mut self, into: &mut Vec<u8>) {
        into.append(&mut self.out);
    }

    /// Records that a login succeeded: the server welcomed `me` with these capabilities. Sends the waiting joins and
    /// messages.
    pub fn connected(&mut self, me: Nick, caps: CapSet) {
        self.me = Some(me);
        self.caps = caps;
        if !caps.has(Cap::LabeledResponse) {
            // Without a label, a result can't be matched to its query.
            self.caps = caps.without(Cap::Chathistory).without(Cap::Search);
        }
        self.online = true;
        if !caps.has(Cap::SendId) {
            // On other servers a membership ends with the connection.
            self.channels.wanted.extend(self.channels.joined.keys().cloned());
        }
        for channel in &self.channels.wanted {
            self.out.extend_from_slice(Line::new("JOIN").arg(channel.as_str()).end().as_bytes());
        }
        for lost in self.sends.reconnected(caps) {
            self.events.push_back(Event::Failed {
                ticket: lost.ticket,
                target: lost.target,
                reason: "the connection broke before the server confirmed it; it may have arrived".to_owned(),
            });
        }
        self.write_sends();
        self.first_barrier = Some(self.ping());
    }

    /// Records the end of the connection. Unconfirmed messages stay; queries, batches and unsent bytes are dropped.
    pub fn disconnected(&mut self) {
        self.online = false;
        self.ready = false;
        self.first_barrier = None;
        self.batches.clear();
        self.asks.clear();
        self.away.clear();
        self.out.clear();
        self.channels.disconnected();
    }

    /// Returns this account's nick, once the server has sent it.
    pub fn me(&self) -> Option<&Nick> {
        self.me.as_ref()
    }

    /// Returns whether there is a connection that has logged in.
    pub fn is_online(&self) -> bool {
        self.online
    }

    /// Returns the number of messages that are neither confirmed nor refused.
    pub fn pending(&self) -> usize {
        self.sends.len()
    }

    /// Returns whether every message is confirmed or refused and every event has been taken.
    pub fn is_settled(&self) -> bool {
        self.sends.len() == 0 && self.events.is_empty()
    }

    /// Returns the channels that the account is in.
    pub fn channels(&self) -> impl Iterator<Item = (&ChannelName, &Channel)> {
        self.channels.joined.iter()
    }

    /// Returns whether the account is in this channel.
    pub fn is_in(&self, channel: &ChannelName) -> bool {
        self.channels.joined.contains_key(channel)
    }

    /// Sends a message, now or as soon as there is a connection. Text too long for a line goes out as several messages,
    /// with a ticket for each. Empty text sends nothing.
    pub fn say(&mut self, target: &Target, kind: Kind, text: &str) -> Vec<Ticket> {
        let text: String = text.chars().filter(|c| !matches!(c, '\r' | '\n' | '\0')).collect();
        let tickets = pieces(&text, self.room(target, kind))
            .map(|piece| self.send(target, kind, vec![piece.to_owned()], None))
            .collect();
        self.write_sends();
        tickets
    }

    /// Sends a message of several lines, as a reply to the message with the id `reply` if there is one. It is a single
    /// message if the server supports multiline, otherwise several. Returns the ticket and the text of each.
    pub fn compose(&mut self, target: &Target, text: &str, reply: Option<&str>) -> Vec<(Ticket, String)> {
        /// A server with a lower limit refuses the message, and the user sees its reason.
        const LINES: usize = 100;
        const BYTES: usize = 16 * 1024;
        let text: String = text.chars().filter(|c| !matches!(c, '\r' | '\0')).collect();
        let lines: Vec<&str> = text.trim_end_matches('\n').split('\n').collect();
        let room = self.room(target, Kind::Text);
        let whole = self.caps.has(Cap::Multiline) || !self.online;
        let fits =
            lines.len() <= LINES && text.len() <= BYTES && lines.iter().any(|line| !line.trim().is_empty());
        let long = lines.len() > 1 || lines.iter().any(|line| line.len() > room);
        let mut sent = Vec::new();
        if long && whole && fits {
            let lines = lines.iter().map(|&line| line.to_owned()).collect::<Vec<_>>();
            let text = lines.join("\n");
            sent.push((self.send(target, Kind::Text, lines, reply), text));
        } else {
            for line in lines {
                for piece in pieces(line, room) {
                    let ticket = self.send(target, Kind::Text, vec![piece.to_owned()], reply);
                    sent.push((ticket, piece.to_owned()));
                }
            }
        }
        self.write_sends();
        sent
    }

    fn send(&mut self, target: &Target, kind: Kind, lines: Vec<String>, reply: Option<&str>) -> Ticket {
        let ticket = self.ticket();
        self.sends.push(ticket, target.clone(), kind, lines, reply.map(str::to_owned));
        ticket
    }

    fn write_sends(&mut self) {
        if self.online {
            let room = self.room_together();
            let last = self.sends.write(self.caps, room, &mut self.out);
            if let Some(Ticket(last)) = last.filter(|_| !self.caps.has(Cap::LabeledResponse)) {
                self.write(Line::new("PING").arg(&format!("{HANDLED}{last}")));
            }
        }
    }

    /// Returns the limit of text in one line of a multiline message, in bytes.
    pub fn room_together(&self) -> usize {
        self.server.line_bytes.saturating_sub(Self::LINE_BYTES / 2).max(Self::LINE_BYTES / 2)
    }

    /// Returns whether the server supports a capability and has enabled it.
    pub fn can(&self, cap: Cap) -> bool {
        self.caps.has(cap)
    }

    /// Returns the limit of text in a message to `target`, in bytes. It leaves room for the source that the server puts
    /// in front when it relays the line.
    pub fn room(&self, target: &Target, kind: Kind) -> usize {
        // RFC 1459's limit of a host name, until the server has sent this session's own.
        const HOST: usize = 63;
        let nick = self.me.as_ref().map_or(Nick::MAX, |me| me.as_str().len());
        let source = self.source.as_ref().map_or(2 * nick + 2 + HOST, String::len);
        let command = if kind == Kind::Notice { "NOTICE".len() } else { "PRIVMSG".len() };
        let action = if kind == Kind::Action { "\u{1}ACTION \u{1}".len() } else { 0 };
        let frame = ":   :\r\n".len() + source + command + target.as_str().len() + action;
        self.server.line_bytes.saturating_sub(frame).max(32)
    }

    /// Joins a channel, now or as soon as there is a connection.
    pub fn join(&mut self, channel: &ChannelName) {
        if self.is_in(channel) || !self.channels.wanted.insert(channel.clone()) {
            return;
        }
        if self.online {
            self.write(Line::new("JOIN").arg(channel.as_str()));
        }
    }

    /// Leaves a channel.
    pub fn part(&mut self, channel: &ChannelName, reason: &str) -> Result<(), Offline> {
        let line = Line::new("PART").arg(channel.as_str());
        self.ask(if reason.is_empty() { line } else { line.text(reason) })
    }

    /// Queries the members of a channel. The result is an [`Event::Names`].
    pub fn names(&mut self, channel: &ChannelName) -> Result<(), Offline> {
        self.ask(Line::new("NAMES").arg(channel.as_str()))?;
        self.channels.want_names(channel);
        Ok(())
    }

    /// Queries a channel's topic. The result is an [`Event::Topic`].
    pub fn topic(&mut self, channel: &ChannelName) -> Result<(), Offline> {
        self.ask(Line::new("TOPIC").arg(channel.as_str()))?;
        self.channels.want_topic(channel);
        Ok(())
    }

    /// Sets a channel's topic.
    pub fn set_topic(&mut self, channel: &ChannelName, text: &str) -> Result<(), Offline> {
        self.ask(Line::new("TOPIC").arg(channel.as_str()).text(text))
    }

    /// Sends QUIT, upon which the server closes the connection.
    pub fn quit(&mut self, reason: &str) -> Result<(), Offline> {
        let line = Line::new("QUIT");
        self.ask(if reason.is_empty() { line } else { line.text(reason) })
    }

    /// Sends a PING. The result is an [`Event::Barrier`], when the server has handled everything sent before it.
    pub fn barrier(&mut self) -> Result<Ticket, Offline> {
        if self.online { Ok(self.ping()) } else { Err(Offline) }
    }

    fn ping(&mut self) -> Ticket {
        let ticket = self.ticket();
        self.write(Line::new("PING").arg(&ticket.0.to_string()));
        ticket
    }

    fn ticket(&mut self) -> Ticket {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        ticket
    }

    fn ask(&mut self, line: Line) -> Result<(), Offline> {
        if !self.online {
            return Err(Offline);
        }
        self.write(line);
        Ok(())
    }

    fn write(&mut self, line: Line) {
        let line = if takes_tags(self.caps) { line } else { line.bare() };
        self.out.extend_from_slice(line.end().as_bytes());
    }
}
