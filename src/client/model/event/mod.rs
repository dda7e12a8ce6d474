//! The model's events: everything that a user or a script may want to see.

mod errors;
mod payload;
mod received;
mod request;
pub mod shared_files;

use self::shared_files::SharedFile;
use std::fmt;

pub use self::errors::{needs_admin, needs_status};
pub use self::payload::*;
pub use self::received::*;
pub use self::request::*;
use crate::wire::names::NameError;
use crate::wire::{ChannelName, Nick, Timestamp};

/// A conversation: a channel, or the direct conversation with one account.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Conversation {
    /// A channel, named `#name`.
    Channel(ChannelName),
    /// The direct conversation with this account.
    Direct(Nick),
}

/// A point in the history of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageRef {
    /// The point of the message with this id.
    Id(String),
    /// The point of a time stamp.
    Time(Timestamp),
}

impl MessageRef {
    /// Returns the parameter for CHATHISTORY and MARKREAD: `msgid=…` or `timestamp=…`.
    pub(super) fn to_param(&self) -> String {
        match self {
            Self::Id(id) => format!("msgid={id}"),
            Self::Time(time) => format!("timestamp={time}"),
        }
    }
}

/// The kind of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// Ordinary text (PRIVMSG).
    Text,
    /// A NOTICE, as programs send it.
    Notice,
    /// `/me`: a CTCP ACTION.
    Action,
}

/// The number that the model gives to a message or query. It is unique within one model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// A message, from another account or from this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatMessage {
    /// The conversation. For a direct message this is the other account, for both directions.
    pub conversation: Conversation,
    /// The account that sent it.
    pub from: Nick,
    /// Set if this account sent it, from this session or another one.
    pub mine: bool,
    /// Text, notice or action.
    pub kind: MessageKind,
    /// The text as received. It may contain control characters, so it must be cleaned before it goes to a terminal.
    pub text: String,
    /// The server's time stamp.
    pub time: Timestamp,
    /// The server's message id, if it gave one.
    pub msgid: Option<String>,
    /// The id of the message that this one replies to.
    pub reply_to: Option<String>,
    /// The files that it shares, as the server lists them.
    pub files: Vec<SharedFile>,
    /// The ticket, if this session sent the message.
    pub ticket: Option<Ticket>,
}

/// A page of history: the result of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryPage {
    /// The ticket of the query.
    pub ticket: Ticket,
    /// The conversation that it is from.
    pub conversation: Conversation,
    /// The events, oldest first.
    pub events: Vec<Event>,
    /// Number of lines in the result, also of those that made no event.
    pub lines: usize,
    /// Size of the result, in bytes.
    pub bytes: usize,
    /// Points from which the next query continues, of lines of any kind.
    pub bounds: Option<ResultBounds>,
}

/// The points of the first and the last line of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultBounds {
    /// The point of the first line.
    pub first: MessageRef,
    /// The point of the last line; equals `first` if there is one line.
    pub last: MessageRef,
}

/// Typing status of an account ([typing](https://ircv3.net/specs/client-tags/typing)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypingStatus {
    /// The account is typing.
    Active,
    /// The account stopped typing and has not sent the text.
    Paused,
    /// The account sent or removed the text.
    Done,
}

/// A change that the model reports. Texts are as received: they must be cleaned before they go to a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The server has sent everything that it sends at login.
    Ready {
        /// Set for a reconnection.
        reconnected: bool,
    },
    /// An account sent a message.
    Message(ChatMessage),
    /// The server has stored the message.
    Confirmed(Ticket),
    /// The server refused the message, or the connection broke and its outcome is unknown.
    Failed {
        /// The ticket of the message.
        ticket: Ticket,
        /// The conversation that it was sent to.
        target: Conversation,
        /// The text of the message.
        text: String,
        /// The server's reason, or the client's own.
        reason: String,
    },
    /// An account joined a channel.
    Joined {
        /// The channel that it joined.
        channel: ChannelName,
        /// The account that joined.
        nick: Nick,
        /// Set for this account.
        is_me: bool,
        /// Time stamp of the JOIN.
        time: Timestamp,
    },
    /// The server refused to let the account join a channel.
    JoinFailed {
        /// The channel in question.
        channel: ChannelName,
        /// The server's reason.
        reason: String,
    },
    /// The account is not in this channel any more: another session left it while there was no connection.
    MembershipLost {
        /// The channel in question.
        channel: ChannelName,
    },
    /// An account left a channel or was kicked.
    Left {
        /// The channel that it left.
        channel: ChannelName,
        /// The account that left.
        nick: Nick,
        /// Set for this account.
        is_me: bool,
        /// The account that kicked, for a KICK.
        by: Option<String>,
        /// The part or kick message; may be empty.
        reason: String,
        /// Time stamp of the PART or KICK.
        time: Timestamp,
    },
    /// An account went offline.
    Quit {
        /// The account that quit.
        nick: Nick,
        /// The channels shared with this account that it was in.
        channels: Vec<ChannelName>,
        /// The quit message.
        reason: String,
        /// Time stamp of the QUIT.
        time: Timestamp,
    },
    /// A channel's topic, changed or queried.
    Topic {
        /// The channel that has it.
        channel: ChannelName,
        /// The account that set it, for a change.
        by: Option<String>,
        /// The topic; empty if there is none.
        text: String,
        /// Time stamp of the change, or of the reply to a query.
        time: Timestamp,
    },
    /// The members of a channel, as a list to show.
    Names {
        /// The channel that they are in.
        channel: ChannelName,
        /// Nicks with the prefixes of their status, in alphabetical order.
        names: Vec<String>,
    },
    /// The result of a history query.
    History(HistoryPage),
    /// The server refused a query.
    QueryFailed {
        /// The ticket of the query.
        ticket: Ticket,
        /// The server's reason, or the client's own.
        reason: String,
        /// Set if the same query may succeed later, as after a rate limit.
        temporary: bool,
    },
    /// The results of the search with this ticket, which follow, may lack messages.
    SearchIncomplete(Ticket),
    /// The results of a search, oldest first.
    SearchResults(Ticket, Vec<ChatMessage>),
    /// The conversations with recent messages, each with the time stamp of its last one.
    Targets(Ticket, Vec<(Conversation, Timestamp)>),
    /// The modes of this account, such as `+o` for an admin.
    UserModes(String),
    /// The channels that the account may see, in the order of the server.
    ChannelList {
        /// The ticket of the query.
        ticket: Ticket,
        /// Channels that the account may see.
        channels: Vec<ListedChannel>,
        /// Set unless there are more than the client keeps.
        is_complete: bool,
    },
    /// The accounts that match a mask.
    AccountList {
        /// The ticket of the query.
        ticket: Ticket,
        /// Accounts that the server listed.
        accounts: Vec<ListedAccount>,
        /// Set unless there are more than the server or the client lists.
        is_complete: bool,
    },
    /// An account added a reaction to a message, or removed one.
    Reaction {
        /// The conversation of the message.
        conversation: Conversation,
        /// The id of the message.
        msgid: String,
        /// The account that reacted.
        from: Nick,
        /// Set for this account.
        mine: bool,
        /// The emoji or text of the reaction.
        emoji: String,
        /// Set if the reaction was removed.
        removed: bool,
        /// Time stamp of the change.
        time: Timestamp,
    },
    /// A message was redacted; the server has erased its text.
    Redacted {
        /// The conversation of the message.
        conversation: Conversation,
        /// The id of the message.
        msgid: String,
        /// The account that redacted it.
        by: String,
        /// The reason that they gave; may be empty.
        reason: String,
    },
    /// An account's typing status changed.
    Typing {
        /// The conversation that it applies to.
        conversation: Conversation,
        /// The account that types.
        nick: Nick,
        /// The new status.
        status: TypingStatus,
    },
    /// The read marker of a conversation, shared by the sessions of the account.
    ReadMarker {
        /// The conversation that it applies to.
        conversation: Conversation,
        /// Time stamp up to and including which messages are read; `None` if none are.
        time: Option<Timestamp>,
    },
    /// An account went away or came back.
    Away {
        /// The account in question.
        nick: Nick,
        /// The away message; `None` if the account is back.
        message: Option<String>,
    },
    /// A monitored nick went online or offline.
    Presence {
        /// The nick that is monitored.
        nick: Nick,
        /// Set if it is online.
        online: bool,
    },
    /// The server refused to monitor these nicks, because its list for this session is full.
    MonitorFull {
        /// The nicks that are not monitored.
        nicks: Vec<Nick>,
    },
    /// Metadata of a conversation ([metadata](https://ircv3.net/specs/extensions/metadata)).
    Metadata {
        /// The target that the metadata belongs to.
        target: String,
        /// The metadata key.
        key: String,
        /// The value; `None` if it is not set.
        value: Option<String>,
    },
    /// An account changed its nick, or the case of it. The text for the user is an [`Event::Info`] of its own.
    NickChanged {
        /// The nick until now.
        old: Nick,
        /// The nick from now on.
        new: Nick,
    },
    /// A channel was renamed.
    ChannelRenamed {
        /// The old name.
        from: ChannelName,
        /// The new name.
        to: ChannelName,
        /// The account that renamed it.
        by: String,
        /// Time stamp of the RENAME.
        time: Timestamp,
    },
    /// The modes of a channel changed.
    Mode {
        /// The channel whose modes changed.
        channel: ChannelName,
        /// The account or server that changed them.
        by: String,
        /// The change and its parameters, such as `+o bob`.
        text: String,
        /// Time stamp of the MODE.
        time: Timestamp,
    },
    /// This account was invited to a channel.
    Invited {
        /// The channel in question.
        channel: ChannelName,
        /// The account that invited.
        by: String,
    },
    /// The complete answer to a request of the user.
    Answered {
        /// The request, as it was sent.
        request: Box<ServerRequest>,
        /// The replies in their order, within the limits of the client.
        replies: Vec<ServerEvent>,
    },
    /// The message of the day, at the first login and at later ones if it has changed since.
    Motd(Vec<String>),
    /// Text from the server for the user to read.
    Info(String),
    /// The server refused a command.
    Error(String),
    /// The result of [`send_barrier`](super::Model::send_barrier): the server has handled everything sent before it.
    Barrier(Ticket),
    /// A line that is part of no result, if [`emit_received`](super::Model::emit_received) was called. It comes before
    /// the events that the model makes of it.
    Received {
        /// The line, or a multiline message.
        received: Box<Received>,
        /// The ticket of the query that the line replies to.
        ticket: Option<Ticket>,
    },
    /// A part of the result of this query has arrived. Emitted as [`Event::Received`] is.
    Progress(Ticket),
    /// The complete result of a query for the history or of a search, in place of [`Event::History`] and
    /// [`Event::SearchResults`]. Emitted as [`Event::Received`] is.
    Result(Box<BatchResult>),
    /// The result of this query exceeds the limits of the client, and will not be complete. Emitted as
    /// [`Event::Received`] is.
    Oversized(Ticket),
    /// The server ends the connection for this reason.
    ServerError(String),
}

/// A text that is neither a valid channel name nor a valid nick. The error does not quote it, because it may be a
/// misplaced invite link or password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is neither a channel (#name) nor a person: {why}")]
pub struct InvalidConversation {
    why: NameError,
}

impl Conversation {
    /// Parses `#name` as a channel and anything else as a nick.
    pub fn parse(text: &str) -> Result<Self, InvalidConversation> {
        Self::parse_with(text, Nick::parse)
    }

    /// Parses a target that a server sent. Nicks may follow the [rules of other servers](Nick::parse_foreign).
    pub fn from_server(text: &str) -> Result<Self, InvalidConversation> {
        Self::parse_with(text, Nick::parse_foreign)
    }

    fn parse_with(
        text: &str,
        nick: impl Fn(&str) -> Result<Nick, NameError>,
    ) -> Result<Self, InvalidConversation> {
        let parsed = if text.starts_with('#') {
            ChannelName::parse_foreign(text).map(Self::Channel)
        } else {
            nick(text).map(Self::Direct)
        };
        parsed.map_err(|why| InvalidConversation { why })
    }

    /// Returns the channel name or the nick.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Channel(name) => name.as_str(),
            Self::Direct(nick) => nick.as_str(),
        }
    }
}

impl fmt::Display for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
