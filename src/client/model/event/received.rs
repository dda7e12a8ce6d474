//! Lines from the server, decoded: a [`ServerEvent`] and its [`Origin`].

use std::collections::BTreeMap;

use super::payload::{
    Away, BatchStart, Caps, ChannelRename, ErrorReply, Invite, Join, Kick, ListReply, Metadata, ModeChange,
    Names, NickChange, NumericReply, Part, Presence, Quit, ReactionChange, ReadMarker, Redaction,
    StandardNote, Topic, TypingChange, WhoReply, WhoxReply,
};
use super::{ChatMessage, Conversation, Event, ResultBounds, Ticket};
use crate::wire::{ChannelName, Nick, Timestamp};

/// A decoded line from the server, or a multiline message made of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The source and the tags of the line.
    pub origin: Origin,
    /// The command with its parameters.
    pub event: ServerEvent,
}

/// The parts of a line that do not depend on its command: the source and the tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// `nick!user@host`, or a server's name.
    pub source: Option<String>,
    /// The name in the source, if it is a valid nick. Names of servers are, too.
    pub sender: Option<Nick>,
    /// Set if this account is the sender, from this session or another one.
    pub mine: bool,
    /// The server's time stamp ([server-time](https://ircv3.net/specs/extensions/server-time)).
    pub server_time: Option<Timestamp>,
    /// The time at which the line arrived.
    pub received_at: Timestamp,
    /// The message id; never empty.
    pub msgid: Option<String>,
    /// The label of the command that the line replies to.
    pub label: Option<String>,
    /// The reference of the batch that the line is in.
    pub batch: Option<String>,
    /// The account of the sender ([account-tag](https://ircv3.net/specs/extensions/account-tag)).
    pub account: Option<String>,
    /// The id of the message that this one replies or refers to; never empty.
    pub reply_to: Option<String>,
    /// Set for a line in a result of the history that belongs to a message there, and is not in the order of time
    /// ([chathistory-context](https://ircv3.net/specs/extensions/chathistory#draftchathistory-context-tag)).
    pub is_context: bool,
    /// Set for a line of a multiline message that continues the line before it.
    pub is_continuation: bool,
    /// The tags that have no field here, unescaped.
    pub tags: BTreeMap<String, String>,
    /// Approximate size of the line, in bytes.
    pub bytes: usize,
}

/// A command from the server with its parameters, or a numeric reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerEvent {
    /// PRIVMSG or NOTICE, or a multiline message. [`Origin::is_from_user`] tells messages of accounts from those of a
    /// server.
    Message(ChatMessage),
    /// A text for the user: NOTICE of a server.
    Notice(String),
    /// TAGMSG with a typing status.
    Typing(TypingChange),
    /// TAGMSG with a reaction, or with the removal of one.
    Reaction(ReactionChange),
    /// TAGMSG with other tags, to this conversation.
    Tags(Conversation),
    /// REDACT: a message was redacted.
    Redaction(Redaction),
    /// JOIN: an account joined a channel.
    Join(Join),
    /// PART: an account left a channel.
    Part(Part),
    /// KICK: an account was removed from a channel.
    Kick(Kick),
    /// QUIT: an account went offline.
    Quit(Quit),
    /// NICK: an account changed its nick.
    NickChange(NickChange),
    /// TOPIC: the topic was changed.
    TopicChange(Topic),
    /// `RPL_TOPIC` or `RPL_NOTOPIC`: the topic of a channel.
    TopicReply(Topic),
    /// MODE of a channel.
    ModeChange(ModeChange),
    /// RENAME: a channel was renamed.
    ChannelRename(ChannelRename),
    /// INVITE, of this account or of another one.
    Invite(Invite),
    /// AWAY or `RPL_AWAY`.
    Away(Away),
    /// `RPL_NOWAWAY` (`true`) or `RPL_UNAWAY`: this account is away or back.
    OwnAway(bool),
    /// `RPL_MONONLINE` or `RPL_MONOFFLINE`.
    Presence(Presence),
    /// MARKREAD: the read marker of a conversation.
    ReadMarker(ReadMarker),
    /// METADATA, `RPL_KEYVALUE` or `RPL_KEYNOTSET`.
    Metadata(Metadata),
    /// `RPL_UMODEIS`: the modes of this account.
    UserModes(String),
    /// `RPL_METADATASYNCLATER`: the metadata of this target, to which this session subscribes, can be synchronized now.
    MetadataSync(String),
    /// `RPL_ISUPPORT`: tokens of the form `KEY` or `KEY=value`.
    Isupport(Vec<String>),
    /// `RPL_NAMREPLY`: a part of the list of a channel's members.
    Names(Names),
    /// `RPL_ENDOFNAMES`: the end of this channel's list of members.
    NamesEnd(ChannelName),
    /// `RPL_WHOREPLY`.
    WhoReply(WhoReply),
    /// `RPL_WHOSPCRPL`.
    WhoxReply(WhoxReply),
    /// `RPL_ENDOFWHO`.
    WhoEnd,
    /// `RPL_LIST`.
    ListReply(ListReply),
    /// `RPL_LISTEND`.
    ListEnd,
    /// A conversation with recent messages (CHATHISTORY TARGETS), and the time stamp of the last one.
    HistoryTarget(Conversation, Timestamp),
    /// BATCH that begins.
    BatchStart(BatchStart),
    /// BATCH with this reference, which ends.
    BatchEnd(String),
    /// CAP LS: a part of the list of capabilities.
    Caps(Caps),
    /// FAIL, or a numeric of an error.
    Error(ErrorReply),
    /// ACK: the command with this label has no other reply
    /// ([labeled-response](https://ircv3.net/specs/extensions/labeled-response)).
    Ack,
    /// PING with this token.
    Ping(String),
    /// PONG with the token of the PING.
    Pong(String),
    /// ERROR: the server ends the connection for this reason.
    Closing(String),
    /// A numeric reply that has no variant of its own.
    Reply(NumericReply),
    /// NOTE or WARN, for the user ([standard replies](https://ircv3.net/specs/extensions/standard-replies)).
    Note(StandardNote),
    /// A line that the client has no use for: its command is unknown, its news is known already, or it is malformed.
    Ignored,
}

/// The kind of a [`BatchResult`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResultKind {
    /// A page of the history of a conversation.
    History(Conversation),
    /// Conversations with recent messages.
    HistoryTargets,
    /// Results of a search.
    Search,
}

/// The result of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchResult {
    /// The ticket of the query, if the result has its label.
    pub ticket: Option<Ticket>,
    /// Kind of the query, with its conversation.
    pub kind: ResultKind,
    /// The lines, in the order of the server, within the limits of the client. A multiline message is one.
    pub received: Vec<Received>,
    /// Number of lines, also of those that were not kept.
    pub lines: usize,
    /// Size of the result, in bytes.
    pub bytes: usize,
    /// Points of the first and the last line that are in the order of time.
    pub bounds: Option<ResultBounds>,
}

impl Received {
    /// Converts an event of a conversation to the model's form. Returns `None` for events that are about something
    /// else, or that the user does not see, such as their own typing.
    pub fn into_event(self) -> Option<Event> {
        let Self { origin, event } = self;
        let time = origin.time();
        let by = origin.nick().map(str::to_owned);
        let mine = origin.mine;
        Some(match event {
            ServerEvent::Message(message) => Event::Message(message),
            ServerEvent::Typing(TypingChange { conversation, status }) if !mine => {
                Event::Typing { conversation, nick: origin.sender?, status }
            }
            ServerEvent::Reaction(ReactionChange { conversation, emoji, removed }) => {
                let (msgid, from) = (origin.reply_to?, origin.sender?);
                Event::Reaction { conversation, msgid, from, mine, emoji, removed, time }
            }
            ServerEvent::Redaction(Redaction { conversation, msgid, reason }) => {
                Event::Redacted { conversation, msgid, by: by?, reason }
            }
            ServerEvent::Join(Join { channel, nick }) => Event::Joined { channel, nick, is_me: mine, time },
            ServerEvent::Part(Part { channel, nick, reason }) => {
                Event::Left { channel, nick, is_me: mine, by: None, reason, time }
            }
            ServerEvent::Kick(Kick { channel, nick, is_me, by, reason }) => {
                // Without a reason the server repeats who kicked.
                let reason = if reason.eq_ignore_ascii_case(&by) { String::new() } else { reason };
                Event::Left { channel, nick, is_me, by: Some(by), reason, time }
            }
            ServerEvent::TopicChange(Topic { channel, text }) => Event::Topic { channel, by, text, time },
            ServerEvent::TopicReply(Topic { channel, text }) => {
                Event::Topic { channel, by: None, text, time }
            }
            ServerEvent::ModeChange(change) => {
                let text = change.text();
                Event::Mode { channel: change.channel, by: by?, text, time }
            }
            ServerEvent::ChannelRename(ChannelRename { from, to, .. }) => {
                Event::ChannelRenamed { from, to, by: by?, time }
            }
            _ => return None,
        })
    }
}

impl Origin {
    /// Returns the server's time stamp, or the time of arrival if there is none.
    pub fn time(&self) -> Timestamp {
        self.server_time.unwrap_or(self.received_at)
    }

    /// Returns the nick of the source, or the server's name.
    pub fn nick(&self) -> Option<&str> {
        self.source.as_deref().map(|source| source.split(['!', '@']).next().unwrap_or(source))
    }

    /// Returns whether the source is an account, with its user name and host, as opposed to a server.
    pub fn is_from_user(&self) -> bool {
        self.source.as_deref().is_some_and(|source| source.contains('!'))
    }
}
