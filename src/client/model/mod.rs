//! The client's state of one server, without IO: lines in, [`Event`]s and lines out.
//!
//! The model outlives connections. It knows the channels, the messages that are not confirmed and those already shown,
//! so a broken connection neither loses a message nor shows one twice. Time comes in with the lines, randomness once at
//! the beginning.

mod batches;
mod channels;
mod decode;
pub mod event;
mod incoming;
mod isupport;
mod queries;
pub mod requests;
mod scripting;
pub(in crate::client) mod seen_ids;
mod state_updates;
#[cfg(test)]
mod tests;
mod unconfirmed;

use std::collections::{HashMap, VecDeque};

pub use channels::Channel;
pub use event::{
    ChatMessage, Conversation, Event, HistoryPage, InvalidConversation, MessageKind, MessageRef,
    ResultBounds, Ticket, TypingStatus,
};
pub use queries::{HistoryRange, PAGE_SIZE, marks, mentions, threads};
pub use unconfirmed::Cancelled;
pub use unconfirmed::kept::KeptMessage;

use self::batches::Batches;
use self::channels::Channels;
use self::isupport::Isupport;
use self::queries::OpenQueries;
use self::queries::directory::OpenListings;
use self::requests::{OpenRequests, SecretText, ServerRequest};
use self::seen_ids::SeenIds;
use self::unconfirmed::other_servers::CONFIRM_PING_PREFIX;
use self::unconfirmed::{UnconfirmedMessages, accepts_tags};
use super::text::line::Line;
use super::text::split::split_to_fit;
use crate::wire::{Cap, CapSet, ChannelName, Nick};

/// Metadata key of the display name ([metadata](https://ircv3.net/specs/extensions/metadata)).
pub const DISPLAY_NAME_KEY: &str = "display-name";

/// Metadata key of a muted conversation, which all clients of the user share.
pub const MUTED_KEY: &str = "soju.im/muted";

/// The error of a command that needs a connection when there is none. Messages and joins wait for one instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not connected")]
pub struct NotConnected;

/// The state of one account on one server.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent")]
pub struct Model {
    me: Option<Nick>,
    /// This session's `nick!user@host`, as the server puts it before its messages.
    own_source: Option<String>,
    caps: CapSet,
    online: bool,
    /// Set when the server has sent everything that it sends at login.
    ready: bool,
    was_ready: bool,
    /// Set if the account has the user mode `o`.
    is_oper: bool,
    /// Set if this session has the rights of an admin by OPER, which the user modes of the account do not show.
    has_opered: bool,
    isupport: Isupport,
    channels: Channels,
    unconfirmed: UnconfirmedMessages,
    seen_ids: SeenIds,
    batches: Batches,
    queries: OpenQueries,
    requests: OpenRequests,
    /// Fingerprints of the devices that were listed last.
    listed_devices: Vec<String>,
    /// Message of the day, as far as it has arrived.
    motd: Vec<String>,
    /// Message of the day that was emitted last.
    emitted_motd: Vec<String>,
    listings: OpenListings,
    /// Accounts that are away, with their away messages.
    away_messages: HashMap<Nick, String>,
    /// The message of this account's last AWAY.
    own_away_message: String,
    own_display_name: Option<String>,
    /// The next ticket to give out.
    next_ticket: u64,
    login_barrier: Option<Ticket>,
    events: VecDeque<Event>,
    /// Set if lines and results are also events as received.
    emits_received: bool,
    output: Vec<u8>,
}

impl Model {
    /// Size of a line that every server accepts, CR LF included, in bytes (`LINELEN`, [modern
    /// protocol](https://modern.ircdocs.horse/#messages)).
    pub const LINE_BYTES: usize = 512;

    /// Creates a model that has never been connected. `run` is a random prefix that makes the send ids of this run
    /// unique, of at most 40 bytes.
    pub fn new(send_id_prefix: String) -> Self {
        Self {
            me: None,
            own_source: None,
            caps: CapSet::EMPTY,
            online: false,
            ready: false,
            was_ready: false,
            is_oper: false,
            has_opered: false,
            isupport: Isupport::default(),
            channels: Channels::default(),
            unconfirmed: UnconfirmedMessages::new(send_id_prefix),
            seen_ids: SeenIds::default(),
            batches: Batches::default(),
            queries: OpenQueries::default(),
            requests: OpenRequests::default(),
            listed_devices: Vec::new(),
            motd: Vec::new(),
            emitted_motd: Vec::new(),
            listings: OpenListings::default(),
            away_messages: HashMap::new(),
            own_away_message: String::new(),
            own_display_name: None,
            next_ticket: 1,
            login_barrier: None,
            events: VecDeque::new(),
            emits_received: false,
            output: Vec::new(),
        }
    }

    /// Takes the oldest event from the queue.
    pub fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Moves the bytes to send to the server to the end of `into`.
    pub fn take_output(&mut self, into: &mut Vec<u8>) {
        into.append(&mut self.output);
    }

    /// Records that a login succeeded: the server welcomed `me` with these capabilities. Sends the waiting joins; the
    /// waiting messages follow when the server has sent everything that it sends at login.
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
            self.channels.pending_joins.extend(self.channels.joined.keys().cloned());
        }
        for channel in &self.channels.pending_joins {
            self.output.extend_from_slice(Line::new("JOIN").arg(channel.as_str()).into_wire().as_bytes());
        }
        for lost in self.unconfirmed.prepare_reconnect(caps) {
            self.events.push_back(Event::Failed {
                ticket: lost.ticket,
                text: lost.text(),
                target: lost.target,
                reason: "the connection broke before the server confirmed it; it may have arrived".to_owned(),
            });
        }
        self.login_barrier = Some(self.send_ping());
    }

    /// Records the end of the connection. Unconfirmed messages stay; queries, batches and unsent bytes are dropped.
    pub fn disconnected(&mut self) {
        self.online = false;
        self.ready = false;
        (self.is_oper, self.has_opered) = (false, false);
        self.login_barrier = None;
        self.batches.clear();
        self.queries.clear();
        // What the client sends again itself is no failure.
        let is_of_user = |request: &ServerRequest| !matches!(request, ServerRequest::SetMetadata { .. });
        for request in self.requests.clear().filter(is_of_user) {
            let command = request.command();
            let text = format!("the connection broke before the server answered /{command}; try again");
            self.events.push_back(Event::Error(text));
        }
        self.listings.clear();
        self.away_messages.clear();
        self.output.clear();
        self.channels.disconnected();
    }

    /// Returns this account's nick, once the server has sent it.
    pub fn me(&self) -> Option<&Nick> {
        self.me.as_ref()
    }

    /// Returns this account's display name, if the server has sent one. It needs a subscription to that metadata.
    pub fn own_display_name(&self) -> Option<&str> {
        self.own_display_name.as_deref()
    }

    /// Returns the name of the network (`NETWORK` in ISUPPORT), once the server has sent it.
    pub fn network_name(&self) -> Option<&str> {
        self.isupport.network.as_deref()
    }

    /// Returns the address to which files are sent, if the server takes any.
    pub fn upload_url(&self) -> Option<&str> {
        self.isupport.upload_url.as_deref()
    }

    /// Returns whether this account is an admin of a Parlour server.
    pub fn is_admin(&self) -> bool {
        self.is_operator() && self.caps.has(Cap::SendId)
    }

    /// Returns whether this session has the rights of an operator of the server, as far as the server has said.
    pub fn is_operator(&self) -> bool {
        self.is_oper || self.has_opered
    }

    /// Returns whether there is a connection that has logged in.
    pub fn is_online(&self) -> bool {
        self.online
    }

    /// Returns the number of messages that are neither confirmed nor refused.
    pub fn unconfirmed_count(&self) -> usize {
        self.unconfirmed.len()
    }

    /// Returns the number of messages that could not be sent yet.
    pub fn waiting_count(&self) -> usize {
        self.unconfirmed.waiting_len()
    }

    /// Returns whether the message with this ticket could not be sent yet.
    pub fn is_waiting(&self, ticket: Ticket) -> bool {
        self.unconfirmed.is_waiting(ticket)
    }

    /// Returns the last message of a conversation that could not be sent yet.
    pub fn last_waiting(&self, conversation: &Conversation) -> Option<Ticket> {
        self.unconfirmed.last_waiting(conversation)
    }

    /// Cancels a message that could not be sent yet. `None` for one that was sent.
    pub fn cancel_message(&mut self, ticket: Ticket) -> Option<Cancelled> {
        self.unconfirmed.cancel(ticket)
    }

    /// Returns the messages of a conversation that could not be sent yet.
    pub fn all_waiting(&self, conversation: &Conversation) -> Vec<Ticket> {
        self.unconfirmed.all_waiting(conversation)
    }

    /// Returns whether every message is confirmed or refused and every event has been taken.
    pub fn is_idle(&self) -> bool {
        self.unconfirmed.len() == 0 && self.events.is_empty()
    }

    /// Returns the channels that the account is in.
    pub fn channels(&self) -> impl Iterator<Item = (&ChannelName, &Channel)> {
        self.channels.joined.iter()
    }

    /// Returns a channel that the account is in.
    pub fn channel(&self, name: &ChannelName) -> Option<&Channel> {
        self.channels.joined.get(name)
    }

    /// Returns whether the account is in this channel.
    pub fn is_in(&self, channel: &ChannelName) -> bool {
        self.channels.joined.contains_key(channel)
    }

    /// Sends a message, now or as soon as there is a connection. Text too long for a line goes out as several messages,
    /// with a ticket for each. Empty text sends nothing.
    pub fn send_message(&mut self, target: &Conversation, kind: MessageKind, text: &str) -> Vec<Ticket> {
        let text: String = text.chars().filter(|c| !matches!(c, '\r' | '\n' | '\0')).collect();
        let tickets = split_to_fit(&text, self.text_limit(target, kind))
            .map(|piece| self.queue_message(target, kind, vec![piece.to_owned()], None))
            .collect();
        self.write_unconfirmed();
        tickets
    }

    /// Sends a message of several lines, as a reply to the message with the id `reply` if there is one. It is a single
    /// message if the server supports multiline, otherwise several. Returns the ticket and the text of each.
    pub fn send_text(
        &mut self,
        target: &Conversation,
        text: &str,
        reply: Option<&str>,
    ) -> Vec<(Ticket, String)> {
        let mut sent = Vec::new();
        for lines in self.split_text(target, text) {
            let text = lines.join("\n");
            sent.push((self.queue_message(target, MessageKind::Text, lines, reply), text));
        }
        self.write_unconfirmed();
        sent
    }

    /// Returns how many messages [`Model::send_text`] makes of a text.
    pub fn count_messages(&self, target: &Conversation, text: &str) -> usize {
        self.split_text(target, text).len()
    }

    /// Splits a text into messages, each with its lines.
    fn split_text(&self, target: &Conversation, text: &str) -> Vec<Vec<String>> {
        /// A server with a lower limit refuses the message, and the user sees its reason.
        const MAX_LINES: usize = 100;
        const MAX_BYTES: usize = 16 * 1024;
        let text: String = text.chars().filter(|c| !matches!(c, '\r' | '\0')).collect();
        let lines: Vec<&str> = text.trim_end_matches('\n').split('\n').collect();
        let room = self.text_limit(target, MessageKind::Text);
        let whole = self.caps.has(Cap::Multiline) || !self.online;
        let fits = lines.len() <= MAX_LINES
            && text.len() <= MAX_BYTES
            && lines.iter().any(|line| !line.trim().is_empty());
        let long = lines.len() > 1 || lines.iter().any(|line| line.len() > room);
        if long && whole && fits {
            return vec![lines.iter().map(|&line| line.to_owned()).collect()];
        }
        let pieces = lines.into_iter().flat_map(|line| split_to_fit(line, room));
        pieces.map(|piece| vec![piece.to_owned()]).collect()
    }

    fn queue_message(
        &mut self,
        target: &Conversation,
        kind: MessageKind,
        lines: Vec<String>,
        reply: Option<&str>,
    ) -> Ticket {
        let ticket = self.take_ticket();
        let reply = reply.map(str::to_owned);
        self.unconfirmed.push(ticket, target.clone(), kind, lines, reply, !self.online);
        ticket
    }

    fn write_unconfirmed(&mut self) {
        if self.online {
            let room = self.multiline_text_limit();
            let last = self.unconfirmed.write_unsent(self.caps, self.ready, room, &mut self.output);
            if let Some(Ticket(last)) = last.filter(|_| !self.caps.has(Cap::LabeledResponse)) {
                self.write_line(Line::new("PING").arg(&format!("{CONFIRM_PING_PREFIX}{last}")));
            }
        }
    }

    /// Returns the limit of text in one line of a multiline message, in bytes.
    pub fn multiline_text_limit(&self) -> usize {
        self.isupport.line_bytes.saturating_sub(Self::LINE_BYTES / 2).max(Self::LINE_BYTES / 2)
    }

    /// Returns whether the server supports a capability and has enabled it.
    pub fn has_cap(&self, cap: Cap) -> bool {
        self.caps.has(cap)
    }

    /// Returns whether the server supports one of these capabilities and has enabled it.
    pub fn has_any_cap(&self, caps: &[Cap]) -> bool {
        self.caps.has_any(caps)
    }

    /// Returns whether the server has a history: Parlour has one, also where a session did not ask for it.
    pub fn has_history(&self) -> bool {
        self.caps.has_any(&[Cap::Chathistory, Cap::SendId])
    }

    /// Returns the limit of text in a message to `target`, in bytes. It leaves room for the source that the server puts
    /// in front when it relays the line.
    pub fn text_limit(&self, target: &Conversation, kind: MessageKind) -> usize {
        // RFC 1459's limit of a host name, until the server has sent this session's own.
        const MAX_HOST_BYTES: usize = 63;
        let nick = self.me.as_ref().map_or(Nick::MAX, |me| me.as_str().len());
        let source = self.own_source.as_ref().map_or(2 * nick + 2 + MAX_HOST_BYTES, String::len);
        let command = if kind == MessageKind::Notice { "NOTICE".len() } else { "PRIVMSG".len() };
        let action = if kind == MessageKind::Action { "\u{1}ACTION \u{1}".len() } else { 0 };
        let frame = ":   :\r\n".len() + source + command + target.as_str().len() + action;
        self.isupport.line_bytes.saturating_sub(frame).max(32)
    }

    /// Joins a channel, now or as soon as there is a connection.
    pub fn join(&mut self, channel: &ChannelName) {
        if self.is_in(channel) || !self.channels.pending_joins.insert(channel.clone()) {
            return;
        }
        if self.online {
            self.write_line(Line::new("JOIN").arg(channel.as_str()));
        }
    }

    /// Joins a channel with its key. Without a connection the key is not kept.
    pub fn join_with_key(&mut self, channel: &ChannelName, key: &SecretText) -> Result<(), NotConnected> {
        self.send_line(Line::new("JOIN").arg(channel.as_str()).arg(key.expose()))?;
        self.channels.pending_joins.insert(channel.clone());
        Ok(())
    }

    /// Leaves a channel.
    pub fn part(&mut self, channel: &ChannelName, reason: &str) -> Result<(), NotConnected> {
        let line = Line::new("PART").arg(channel.as_str());
        self.send_line(if reason.is_empty() { line } else { line.trailing(reason) })
    }

    /// Queries the members of a channel. The result is an [`Event::Names`].
    pub fn query_names(&mut self, channel: &ChannelName) -> Result<(), NotConnected> {
        self.send_line(Line::new("NAMES").arg(channel.as_str()))?;
        self.channels.request_names(channel);
        Ok(())
    }

    /// Queries a channel's topic. The result is an [`Event::Topic`].
    pub fn query_topic(&mut self, channel: &ChannelName) -> Result<(), NotConnected> {
        self.send_line(Line::new("TOPIC").arg(channel.as_str()))?;
        self.channels.request_topic(channel);
        Ok(())
    }

    /// Sends QUIT, upon which the server closes the connection.
    pub fn quit(&mut self, reason: &str) -> Result<(), NotConnected> {
        let line = Line::new("QUIT");
        self.send_line(if reason.is_empty() { line } else { line.trailing(reason) })
    }

    /// Sends a PING. The result is an [`Event::Barrier`], when the server has handled everything sent before it.
    pub fn send_barrier(&mut self) -> Result<Ticket, NotConnected> {
        if self.online { Ok(self.send_ping()) } else { Err(NotConnected) }
    }

    fn send_ping(&mut self) -> Ticket {
        let ticket = self.take_ticket();
        self.write_line(Line::new("PING").arg(&ticket.0.to_string()));
        ticket
    }

    fn take_ticket(&mut self) -> Ticket {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        ticket
    }

    fn send_line(&mut self, line: Line) -> Result<(), NotConnected> {
        if !self.online {
            return Err(NotConnected);
        }
        self.write_line(line);
        Ok(())
    }

    fn write_line(&mut self, line: Line) {
        let line = if accepts_tags(self.caps) { line } else { line.without_tags() };
        self.output.extend_from_slice(line.into_wire().as_bytes());
    }
}
