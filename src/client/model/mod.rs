//! What goes on, without IO: lines in, [`Event`]s and lines out.
//!
//! The model outlives connections. It knows the channels, what was sent and is not confirmed, and what
//! was shown already; so after a broken connection nothing is lost and nothing is shown twice. Time comes
//! in with the lines, randomness once at the beginning.

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

/// There is no connection, so it cannot be asked. Messages and joins wait for one; questions do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not connected just now")]
pub struct Offline;

/// The state of one account on one server.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent")]
pub struct Model {
    me: Option<Nick>,
    /// `nick!user@host` as the server puts it before what one says.
    source: Option<String>,
    caps: CapSet,
    online: bool,
    /// The server has told all that it tells at login.
    ready: bool,
    been_ready: bool,
    server: Isupport,
    channels: Channels,
    sends: Sends,
    seen: Seen,
    batches: Batches,
    asks: Asks,
    /// Who is away, with which words.
    away: HashMap<Nick, String>,
    /// One's own words, when one last went away.
    away_words: String,
    /// Tickets of PINGs that are out; the first of a connection asks for the end of the login.
    next_ticket: u64,
    first_barrier: Option<Ticket>,
    events: VecDeque<Event>,
    /// Lines are told as they came.
    tapped: bool,
    out: Vec<u8>,
}

impl Model {
    /// Bytes of a line that every server takes, CR LF counted
    /// (`LINELEN`, [modern protocol](https://modern.ircdocs.horse/#messages)).
    pub const LINE_BYTES: usize = 512;

    /// A model that has never been connected. `run` is random: it makes the send ids of this run unlike
    /// those of any other. At most 40 bytes.
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

    /// The next thing that happened.
    pub fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Takes the bytes that are to go to the server.
    pub fn take_output(&mut self, into: &mut Vec<u8>) {
        into.append(&mut self.out);
    }

    /// A login has succeeded: the server welcomed `me` with these capabilities.
    pub fn connected(&mut self, me: Nick, caps: CapSet) {
        self.me = Some(me);
        self.caps = caps;
        if !caps.has(Cap::LabeledResponse) {
            // Which answer belongs to which question only the label says.
            self.caps = caps.without(Cap::Chathistory).without(Cap::Search);
        }
        self.online = true;
        if !caps.has(Cap::SendId) {
            // Elsewhere a membership does not last.
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

    /// The connection is gone.
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

    /// One's own name, once the server has said it.
    pub fn me(&self) -> Option<&Nick> {
        self.me.as_ref()
    }

    /// There is a connection that is logged in.
    pub fn is_online(&self) -> bool {
        self.online
    }

    /// How many messages are on their way, neither confirmed nor refused.
    pub fn pending(&self) -> usize {
        self.sends.len()
    }

    /// Everything that was said is confirmed or refused, and everything that happened has been told.
    pub fn is_settled(&self) -> bool {
        self.sends.len() == 0 && self.events.is_empty()
    }

    /// The channels one is in.
    pub fn channels(&self) -> impl Iterator<Item = (&ChannelName, &Channel)> {
        self.channels.joined.iter()
    }

    /// Is one in this channel?
    pub fn is_in(&self, channel: &ChannelName) -> bool {
        self.channels.joined.contains_key(channel)
    }

    /// Says something, now or as soon as there is a connection. A text that does not fit a line goes out as
    /// several messages; there is a ticket for each. No text, no ticket.
    pub fn say(&mut self, target: &Target, kind: Kind, text: &str) -> Vec<Ticket> {
        let text: String = text.chars().filter(|c| !matches!(c, '\r' | '\n' | '\0')).collect();
        let tickets = pieces(&text, self.room(target, kind))
            .map(|piece| self.send(target, kind, vec![piece.to_owned()], None))
            .collect();
        self.write_sends();
        tickets
    }

    /// Says a message of several lines, as an answer to another message where one is named: as one message where the
    /// server can do that, else as several. Each comes with the text that it has.
    pub fn compose(&mut self, target: &Target, text: &str, reply: Option<&str>) -> Vec<(Ticket, String)> {
        /// A server offers less than this; then it says so, and the message has failed.
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

    /// How many bytes of text fit a line of a message of several.
    pub fn room_together(&self) -> usize {
        self.server.line_bytes.saturating_sub(Self::LINE_BYTES / 2).max(Self::LINE_BYTES / 2)
    }

    /// Can the server do this?
    pub fn can(&self, cap: Cap) -> bool {
        self.caps.has(cap)
    }

    /// How many bytes of text fit a message to `target`, so that the line fits also as the server hands it
    /// on, with who said it in front.
    pub fn room(&self, target: &Target, kind: Kind) -> usize {
        // RFC 1459's bound on a host name, for as long as one's own is not known.
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

    /// Asks who is in a channel; [`Event::Names`] answers.
    pub fn names(&mut self, channel: &ChannelName) -> Result<(), Offline> {
        self.ask(Line::new("NAMES").arg(channel.as_str()))?;
        self.channels.want_names(channel);
        Ok(())
    }

    /// Asks for a channel's topic; [`Event::Topic`] answers.
    pub fn topic(&mut self, channel: &ChannelName) -> Result<(), Offline> {
        self.ask(Line::new("TOPIC").arg(channel.as_str()))?;
        self.channels.want_topic(channel);
        Ok(())
    }

    /// Sets a channel's topic.
    pub fn set_topic(&mut self, channel: &ChannelName, text: &str) -> Result<(), Offline> {
        self.ask(Line::new("TOPIC").arg(channel.as_str()).text(text))
    }

    /// Says goodbye; the server closes the connection.
    pub fn quit(&mut self, reason: &str) -> Result<(), Offline> {
        let line = Line::new("QUIT");
        self.ask(if reason.is_empty() { line } else { line.text(reason) })
    }

    /// Asks the server to say when it has handled all that was sent before; [`Event::Barrier`] answers.
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
