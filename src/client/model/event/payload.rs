//! Parameters of the commands and numeric replies of a server.

use super::{ChatMessage, Conversation, TypingStatus};
use crate::wire::numeric::{self, Numeric};
use crate::wire::{ChannelName, Nick, Timestamp};

/// A typing status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypingChange {
    /// The conversation that it applies to.
    pub conversation: Conversation,
    /// The new status.
    pub status: TypingStatus,
}

/// A reaction that was added or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReactionChange {
    /// The conversation of the message, whose id is `reply_to` of the event's origin.
    pub conversation: Conversation,
    /// The emoji or text of the reaction.
    pub emoji: String,
    /// Set if the reaction was removed.
    pub removed: bool,
}

/// A parsed REDACT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redaction {
    /// The conversation of the message.
    pub conversation: Conversation,
    /// The id of the message.
    pub msgid: String,
    /// The reason; may be empty.
    pub reason: String,
}

/// A parsed JOIN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Join {
    /// Channel that the account is now in.
    pub channel: ChannelName,
    /// The account that joined.
    pub nick: Nick,
}

/// A parsed PART.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Channel that the account left.
    pub channel: ChannelName,
    /// The account that left.
    pub nick: Nick,
    /// The part message; may be empty.
    pub reason: String,
}

/// A parsed KICK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kick {
    /// Channel that the account was removed from.
    pub channel: ChannelName,
    /// The account that was kicked.
    pub nick: Nick,
    /// Set if this account was kicked.
    pub is_me: bool,
    /// The account or server that kicked.
    pub by: String,
    /// The kick message; may be empty.
    pub reason: String,
}

/// A parsed QUIT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quit {
    /// The account that went offline.
    pub nick: Nick,
    /// The quit message; may be empty.
    pub reason: String,
}

/// A parsed NICK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NickChange {
    /// The nick until now.
    pub old: Nick,
    /// The nick from now on.
    pub new: Nick,
}

/// A channel's topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Channel that has the topic.
    pub channel: ChannelName,
    /// The topic; empty if there is none.
    pub text: String,
}

/// A parsed MODE of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModeChange {
    /// Channel whose modes changed.
    pub channel: ChannelName,
    /// The letters with their signs, such as `+o-v`.
    pub letters: String,
    /// The parameters of the modes, in the order of the letters.
    pub args: Vec<String>,
}

/// A parsed RENAME.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelRename {
    /// The old name.
    pub from: ChannelName,
    /// The new name.
    pub to: ChannelName,
    /// The reason; may be empty.
    pub reason: String,
}

/// A parsed INVITE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    /// The account that was invited.
    pub nick: Nick,
    /// Set if this account was invited.
    pub is_me: bool,
    /// Channel that the account may join.
    pub channel: ChannelName,
    /// The account or server that invited.
    pub by: String,
}

/// The away status of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Away {
    /// Account that is away or back.
    pub nick: Nick,
    /// The away message; `None` if the account is back.
    pub message: Option<String>,
    /// Set for a reply to a command (`RPL_AWAY`).
    pub is_reply: bool,
}

/// Monitored nicks that went online or offline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// Nicks of which the status changed.
    pub nicks: Vec<Nick>,
    /// Set if they are online.
    pub online: bool,
}

/// The read marker of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadMarker {
    /// Conversation that was read.
    pub conversation: Conversation,
    /// Time stamp up to and including which messages are read; `None` if none are.
    pub time: Option<Timestamp>,
}

/// A metadata key of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The target that the metadata belongs to.
    pub target: String,
    /// Name of the value.
    pub key: String,
    /// The value; `None` if it is not set.
    pub value: Option<String>,
}

/// A part of the list of a channel's members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// Channel that the members are in.
    pub channel: ChannelName,
    /// The nicks with the prefixes of their status, separated by spaces.
    pub names: String,
}

/// A numeric reply that has no type of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumericReply {
    /// Code of the reply.
    pub code: Numeric,
    /// Parameters behind this account's nick; the last one is usually a text for the user.
    pub params: Vec<String>,
}

impl NumericReply {
    /// Returns the parameter with this index, or an empty text.
    pub fn param(&self, index: usize) -> &str {
        self.params.get(index).map_or("", String::as_str)
    }

    /// Returns the parameters as a sentence: the context, then the text.
    pub fn text(&self) -> String {
        sentence(&self.params)
    }

    /// Returns the server's time, if this is `RPL_TIME`: `<server> [<seconds> [<offset>]] :<text>`. The text of Parlour is
    /// exact to the millisecond.
    pub fn server_time(&self) -> Option<Timestamp> {
        let seconds = || self.param(1).parse::<u64>().ok()?.checked_mul(1000).map(Timestamp);
        let exact = || Timestamp::parse(self.params.last()?);
        (self.code == numeric::RPL_TIME).then(|| exact().or_else(seconds))?
    }

    /// Returns whether the user is not told of the reply unless they asked: the head of the list of channels, the modes and
    /// the age of a channel, the setter of the topic, a missing message of the day, lists of MONITOR and of METADATA
    /// subscriptions.
    pub fn is_silent(&self) -> bool {
        matches!(self.code.0, 321 | 324 | 329 | 333 | 422 | 732..=734 | 770..=774)
    }
}

/// A standard reply of the type NOTE or WARN ([standard
/// replies](https://ircv3.net/specs/extensions/standard-replies)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandardNote {
    /// The command that it is about, or `*`.
    pub command: String,
    /// The code, such as `CERT_ADDED`.
    pub code: String,
    /// The parameters between the code and the text.
    pub context: Vec<String>,
    /// Text for the user.
    pub text: String,
}

impl StandardNote {
    /// Returns a sentence for the user: the context, then the text.
    pub fn sentence(&self) -> String {
        with_context(&self.context, &self.text)
    }
}

/// Joins the parameters to a sentence: the context, then the text.
fn sentence(params: &[String]) -> String {
    params.split_last().map_or_else(String::new, |(text, context)| with_context(context, text))
}

fn with_context(context: &[String], text: &str) -> String {
    if context.is_empty() { text.to_owned() } else { format!("{}: {text}", context.join(" ")) }
}

/// A reply to WHO.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhoReply {
    /// Account that the query found.
    pub nick: Nick,
    /// Set if it is away.
    pub is_away: bool,
    /// Channel that the query named, or `*`.
    pub channel: String,
    /// The flags; see [`WhoxReply::flags`].
    pub flags: String,
    /// The real name.
    pub realname: String,
}

/// A reply to WHO with the fields `tnflr` or `tcnflr` ([WHOX](https://ircv3.net/specs/extensions/whox)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhoxReply {
    /// The token of the query.
    pub token: String,
    /// Channel that the flags are for; empty if the query did not ask for it, `*` for none.
    pub channel: String,
    /// Nick of the account that the query found.
    pub nick: String,
    /// The flags: `H` or `G` for here or away, `*` for an admin, `B` for a bot, and prefixes of member status.
    pub flags: String,
    /// The seconds since the last message.
    pub idle: Option<u64>,
    /// The real name.
    pub realname: String,
}

/// A channel in a reply to LIST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListReply {
    /// The channel's name, as received.
    pub channel: String,
    /// The number of members online, as received.
    pub members: String,
    /// The topic; may be empty.
    pub topic: String,
}

/// A channel in the server's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedChannel {
    /// Name of the channel.
    pub name: ChannelName,
    /// Number of members online.
    pub members: u32,
    /// The topic; may be empty.
    pub topic: String,
}

/// An account in the server's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedAccount {
    /// Nick of the account.
    pub nick: Nick,
    /// The real name.
    pub realname: String,
    /// Set if it is online.
    pub online: bool,
    /// Set if it is an admin.
    pub is_admin: bool,
}

/// A part of the list of the server's capabilities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Names of capabilities, each with `=` and its value if it has one.
    pub tokens: Vec<String>,
    /// Set unless more parts follow.
    pub is_last: bool,
}

/// A batch that begins ([batch](https://ircv3.net/specs/extensions/batch)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchStart {
    /// The reference that the lines of the batch carry.
    pub reference: String,
    /// Type, with its parameters.
    pub kind: BatchKind,
}

/// The type of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchKind {
    /// `chathistory`: a page of the history of this conversation.
    History(Conversation),
    /// `draft/chathistory-targets`: conversations with recent messages.
    HistoryTargets,
    /// `soju.im/search`: results of a search.
    Search,
    /// `draft/multiline`: the lines of this message, whose text is still empty. `None` if the start is malformed.
    Multiline(Option<Box<ChatMessage>>),
    /// Another type, such as `labeled-response` or `netsplit`, whose lines mean the same as outside of a batch.
    Transparent,
}

/// A refusal of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorReply {
    /// The code of the error.
    pub code: ErrorCode,
    /// The parameters between the code and the reason, such as the name of a channel.
    pub context: Vec<String>,
    /// Reason, as a text for the user.
    pub reason: String,
}

/// The code of an [`ErrorReply`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// Numeric reply from 400 to 599, or one of the later errors.
    Numeric(Numeric),
    /// Standard reply of the type FAIL.
    Fail {
        /// The command that failed.
        command: String,
        /// The code, such as `INVALID_TARGET`.
        code: String,
    },
}

impl ModeChange {
    /// Returns the change as one text, such as `+o bob`.
    pub fn text(&self) -> String {
        let args = self.args.iter().map(String::as_str);
        [self.letters.as_str()].into_iter().chain(args).collect::<Vec<_>>().join(" ")
    }
}

impl ErrorReply {
    /// Returns the first parameter after the code, which names the target of most commands.
    pub fn subject(&self) -> &str {
        self.context.first().unwrap_or(&self.reason)
    }

    /// Returns whether the same command may succeed later: its form and what it names are not the cause, but a rate
    /// limit or a disturbance of the server ([standard replies](https://ircv3.net/specs/extensions/standard-replies)).
    pub fn is_temporary(&self) -> bool {
        const LASTING: [&str; 4] =
            ["NEED_MORE_PARAMS", "UNKNOWN_COMMAND", "UNKNOWN_MSGID", "ACCOUNT_REQUIRED"];
        match &self.code {
            ErrorCode::Numeric(_) => false,
            ErrorCode::Fail { code, .. } => {
                !code.starts_with("INVALID_") && !LASTING.contains(&code.as_str())
            }
        }
    }

    /// Returns whether the channel or account that the command named does not exist, or may not be seen.
    pub fn names_no_target(&self) -> bool {
        matches!(&self.code, ErrorCode::Fail { code, .. } if code == "INVALID_TARGET")
    }

    /// Returns whether the refused command was a message.
    pub fn refuses_message(&self) -> bool {
        /// No such target, moderated, banned, registered accounts only, too many targets, not accepted from this
        /// sender, no CTCP.
        const CODES: [u16; 12] = [401, 402, 403, 404, 407, 408, 415, 477, 486, 489, 492, 531];
        match &self.code {
            ErrorCode::Numeric(Numeric(code)) => CODES.contains(code),
            ErrorCode::Fail { command, .. } => matches!(command.as_str(), "PRIVMSG" | "NOTICE"),
        }
    }

    /// Returns whether the server does not know this command.
    pub fn is_unknown_command(&self, command: &str) -> bool {
        self.code == ErrorCode::Numeric(numeric::ERR_UNKNOWNCOMMAND) && self.subject() == command
    }

    /// Returns a sentence for the user: the context, then the reason.
    pub fn text(&self) -> String {
        with_context(&self.context, &self.reason)
    }
}
