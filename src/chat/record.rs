//! What the chat asks to be kept: the vocabulary it shares with the store.

mod command;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::modes::{ListEntry, ListKind, Modes};
use super::ranks::Ranks;
use super::seen::Seen;
use crate::wire::ids::{Ahead, Times};
use crate::wire::{ChannelName, MessageId, Millis, Nick, Tags};

/// An account's number. Given by the store, never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub i64);

/// A channel's number. Given by the chat, never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub i64);

/// What an account may do on the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Role {
    /// Talks.
    #[default]
    Member,
    /// Runs the server: accounts, invites, any channel.
    Admin,
}

/// Where a message was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// In a channel.
    Channel(ChannelId),
    /// Between two accounts, the smaller id first; the two are equal in a talk with oneself.
    Direct(AccountId, AccountId),
}

impl Place {
    /// The place of the talk between two accounts, whichever of them speaks.
    pub fn direct(a: AccountId, b: AccountId) -> Self {
        Self::Direct(a.min(b), a.max(b))
    }
}

/// The kind of a message that is kept, and what its text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// PRIVMSG. What was said: [`LINE_BREAK`] between the lines of a multiline message and [`LINE_JOIN`] where one
    /// of its lines was cut.
    Privmsg,
    /// NOTICE; as PRIVMSG.
    Notice,
    /// TAGMSG: a reaction. No text, all is in the tags.
    Tagmsg,
    /// JOIN. No text.
    Join,
    /// PART. The reason.
    Part,
    /// KICK. The nick and, after a space, the reason.
    Kick,
    /// TOPIC. The topic, empty for none.
    Topic,
    /// MODE. The modes with their values.
    Mode,
    /// RENAME. The old name, the new name and, after a space each, the reason.
    Rename,
    /// REDACT. The msgid of what was redacted and, after a space, the reason.
    Redact,
}

/// Between two lines of a multiline message.
pub const LINE_BREAK: char = '\n';

/// Where a line of a multiline message was cut and goes on (`draft/multiline-concat`).
pub const LINE_JOIN: char = '\r';

impl MessageKind {
    /// All of them; the place in it is the stored form.
    pub const ALL: [Self; 10] = [
        Self::Privmsg,
        Self::Notice,
        Self::Tagmsg,
        Self::Join,
        Self::Part,
        Self::Kick,
        Self::Topic,
        Self::Mode,
        Self::Rename,
        Self::Redact,
    ];

    /// Is it something that was said, and not merely an event?
    pub fn is_said(self) -> bool {
        matches!(self, Self::Privmsg | Self::Notice)
    }
}

/// The id that a client gave to a message of its own, so that sending it twice is sending it once.
/// At most [`SendId::MAX`] bytes; unique per account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SendId(pub Arc<str>);

impl SendId {
    /// Longest send id, in bytes. A UUID has 36.
    pub const MAX: usize = 64;
}

/// A message or an event of a channel as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessage {
    /// Order, time and msgid.
    pub id: MessageId,
    /// Where it was said.
    pub place: Place,
    /// Who said it.
    pub from: AccountId,
    /// What it is.
    pub kind: MessageKind,
    /// What [`MessageKind`] says.
    pub text: Arc<str>,
    /// The client-only tags as they stood on the wire (`+a=b;+c`), empty for none.
    pub tags: Arc<str>,
    /// The sender's own id, where it gave one.
    pub send_id: Option<SendId>,
}

impl StoredMessage {
    /// The client-only tags that make a TAGMSG a reaction, the one kind that people send
    /// ([react](https://ircv3.net/specs/client-tags/react)).
    const REACTIONS: [&str; 2] = ["+draft/react", "+draft/unreact"];

    /// The client-only tags that name the message that another one is about
    /// ([reply](https://ircv3.net/specs/client-tags/reply)).
    const REPLIES: [&str; 2] = ["+reply", "+draft/reply"];

    /// Returns whether a TAGMSG with these client-only tags is a reaction.
    pub fn is_reaction(tags: &str) -> bool {
        Tags(tags).iter().any(|(key, _)| Self::REACTIONS.contains(&key))
    }

    /// The msgid of the message that this is a reaction to.
    pub fn reacts_to(&self) -> Option<&str> {
        let reacts = self.kind == MessageKind::Tagmsg && Self::is_reaction(&self.tags);
        let parent = Tags(&self.tags).iter().find(|(key, _)| Self::REPLIES.contains(key)).map(|(_, id)| id);
        parent.filter(|id| reacts && id.parse::<MessageId>().is_ok())
    }
}

/// A channel's topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// The text; an empty topic is no topic.
    pub text: Arc<str>,
    /// Who set it.
    pub by: Nick,
    /// When.
    pub at: Millis,
}

/// One change that must last. A batch of them is one transaction, applied in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A message was said.
    Message(StoredMessage),
    /// A channel came to be.
    ChannelCreated {
        /// Its number.
        id: ChannelId,
        /// Its name.
        name: ChannelName,
        /// The account that made it: it counts against that one's quota as long as the channel exists.
        maker: AccountId,
        /// When.
        at: Millis,
    },
    /// A channel that nobody is in and nothing was said in is forgotten.
    ChannelRemoved(ChannelId),
    /// The topic changed; `None` clears it.
    TopicSet(ChannelId, Option<Topic>),
    /// An account became a member.
    Joined {
        /// Of which channel.
        channel: ChannelId,
        /// Who.
        account: AccountId,
        /// When.
        at: Millis,
    },
    /// A membership ended.
    Parted {
        /// Of which channel.
        channel: ChannelId,
        /// Whose.
        account: AccountId,
    },
    /// An account has these ranks in a channel, whether it is a member or not.
    RanksSet {
        /// In which channel.
        channel: ChannelId,
        /// Whose.
        account: AccountId,
        /// All of them; empty for none.
        ranks: Ranks,
    },
    /// A channel has these modes.
    ModesSet(ChannelId, Modes),
    /// An entry was added to a list; the mask was not in it.
    ListAdded(ChannelId, ListKind, ListEntry),
    /// An entry was taken from a list.
    ListRemoved(ChannelId, ListKind, Arc<str>),
    /// An account may join an invite-only channel once (INVITE), or has done so.
    Invited {
        /// Which channel.
        channel: ChannelId,
        /// Who.
        account: AccountId,
        /// It may, and now no more.
        pending: bool,
    },
    /// A channel has another name. Who asks for the old one is led to it for a while.
    ChannelRenamed {
        /// Which.
        id: ChannelId,
        /// The name before.
        old: ChannelName,
        /// The name now.
        new: ChannelName,
        /// When.
        at: Millis,
    },
    /// The text and tags of a message are to be erased; the event that says so is a message of its own.
    Redacted {
        /// Where it was said.
        place: Place,
        /// Which message.
        message: MessageId,
    },
    /// An account has read what was said at a place up to a time
    /// ([read-marker](https://ircv3.net/specs/extensions/read-marker)).
    Marked {
        /// Who.
        account: AccountId,
        /// Where.
        place: Place,
        /// Up to when.
        read: Millis,
    },
    /// An account has read a channel that it is not in up to a time, or is in it now and has a marker at the place.
    MarkedEarly {
        /// The account that reads.
        account: AccountId,
        /// The channel's name; there need be no such channel.
        channel: ChannelName,
        /// Up to when; `None` for no such marker any more.
        read: Option<Millis>,
    },
    /// A key has another value, or none.
    MetadataSet {
        /// Of what.
        of: Subject,
        /// The key.
        key: Arc<str>,
        /// The value.
        value: Option<Arc<str>>,
    },
    /// The messages that the sessions of an account were there for, all of them.
    Seen(AccountId, Seen),
    /// What an account set for itself.
    PreferencesSet(AccountId, Preferences),
    /// An account was removed: its memberships, ranks, invitations to channels, markers and metadata are forgotten. The
    /// store has done so when the account was removed; this ends what was set while the chat did not know of that.
    AccountForgotten(AccountId),
    /// From a message on ids are ahead of the time by another span: the clock was set back.
    IdsAhead(Ahead),
    /// Something that a moderator or an admin did.
    Audit {
        /// When.
        at: Millis,
        /// Who.
        actor: AccountId,
        /// What: `channel kick`, `server kill`, …
        action: &'static str,
        /// To whom or what.
        target: Arc<str>,
        /// What else there is to say, never a secret.
        detail: Arc<str>,
    },
}

/// What has metadata ([metadata](https://ircv3.net/specs/extensions/metadata)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// An account.
    Account(AccountId),
    /// A channel.
    Channel(ChannelId),
    /// A place as one account sees it: nobody else does (`soju.im/pinned` and the like).
    Private(AccountId, Place),
}

/// What an account set for itself, or an admin for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Preferences {
    /// Most messages that are replayed to its clients; `None` for as many as the server is configured to.
    pub replay: Option<u8>,
    /// It is a program (user mode `B`): nothing is replayed to it.
    pub bot: bool,
}

impl Preferences {
    /// Most messages that an account can ask to have replayed.
    pub const MOST_REPLAYED: u8 = 100;
}

/// One preference with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preference {
    /// [`Preferences::replay`]
    Replay(Option<u8>),
    /// [`Preferences::bot`]
    Bot(bool),
}

impl fmt::Display for Preference {
    /// `replay 50`, `replay default`, `bot on`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replay(Some(most)) => write!(f, "replay {most}"),
            Self::Replay(None) => f.write_str("replay default"),
            Self::Bot(true) => f.write_str("bot on"),
            Self::Bot(false) => f.write_str("bot off"),
        }
    }
}

/// A text that is no preference with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are `replay` with 0 to {MOST} or `default`, and `bot` with `on` or `off`", MOST = Preferences::MOST_REPLAYED)]
pub struct NoPreference;

impl FromStr for Preference {
    type Err = NoPreference;

    fn from_str(text: &str) -> Result<Self, NoPreference> {
        let (name, value) = text.split_once(' ').ok_or(NoPreference)?;
        match (name.to_ascii_lowercase().as_str(), value.to_ascii_lowercase().as_str()) {
            ("replay", "default") => Ok(Self::Replay(None)),
            ("replay", most) if most.bytes().all(|byte| byte.is_ascii_digit()) => {
                let most = most.parse().ok().filter(|most| *most <= Preferences::MOST_REPLAYED);
                most.map(|most| Self::Replay(Some(most))).ok_or(NoPreference)
            }
            ("bot", "on") => Ok(Self::Bot(true)),
            ("bot", "off") => Ok(Self::Bot(false)),
            _ => Err(NoPreference),
        }
    }
}

impl Preferences {
    /// With another value of one of them.
    #[must_use]
    pub fn with(self, change: Preference) -> Self {
        match change {
            Preference::Replay(replay) => Self { replay, ..self },
            Preference::Bot(bot) => Self { bot, ..self },
        }
    }
}

/// An account as the chat knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub id: AccountId,
    /// Its name and nick.
    pub name: Nick,
    /// What it may do.
    pub role: Role,
    /// It may not log in.
    pub disabled: bool,
}

/// A channel as it was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredChannel {
    /// Its number.
    pub id: ChannelId,
    /// Its name.
    pub name: ChannelName,
    /// When it came to be.
    pub created: Millis,
    /// The account that made it; `None` for channels of before this was kept that had no founder.
    pub maker: Option<AccountId>,
    /// Its topic.
    pub topic: Option<Topic>,
    /// Its members.
    pub members: Vec<AccountId>,
    /// Something was said in it.
    pub spoken_in: bool,
    /// Its modes.
    pub modes: Modes,
    /// Who has which ranks, members and others.
    pub ranks: Vec<(AccountId, Ranks)>,
    /// Its lists, each in the order in which it was filled.
    pub lists: Vec<(ListKind, ListEntry)>,
    /// Who may join once although it is invite-only.
    pub invited: Vec<AccountId>,
    /// Names that it had, and since when it has them no more.
    pub old_names: Vec<(ChannelName, Millis)>,
}

/// A key of metadata as it is kept: of what, the key, its value.
pub type KeptKey = (Subject, Arc<str>, Arc<str>);

/// Everything the chat starts from.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// All accounts of people, the disabled ones too; removed ones and built-in ones not.
    pub accounts: Vec<Account>,
    /// All channels.
    pub channels: Vec<StoredChannel>,
    /// The last message id that was ever given.
    pub last_message: MessageId,
    /// How far ids are ahead of the time.
    pub times: Times,
    /// The largest channel number that was ever given, 0 for none.
    pub last_channel: i64,
    /// The latest send ids with the messages they led to.
    pub sends: Vec<(AccountId, SendId, MessageId)>,
    /// Up to when accounts have read.
    pub markers: Vec<(AccountId, Place, Millis)>,
    /// Up to when accounts have read channels that they are not in.
    pub early_markers: Vec<(AccountId, ChannelName, Millis)>,
    /// All metadata.
    pub metadata: Vec<KeptKey>,
    /// The latest [`Record::Seen`] of each account that has one.
    pub seen: Vec<(AccountId, Seen)>,
    /// What accounts set for themselves, where it is not the default.
    pub preferences: Vec<(AccountId, Preferences)>,
}

/// A change of accounts that the administration made and the chat must follow at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountChange {
    /// A new account, and the channel that its invite makes it a member of.
    Added(Account, Option<ChannelName>),
    /// Name, role or disabledness changed. A disabled account's sessions end.
    Changed(Account),
    /// The account is gone, its sessions end.
    Removed(AccountId),
    /// The password changed: sessions that logged in with the old one end.
    PasswordChanged(AccountId),
    /// An admin set something for it.
    Preference(AccountId, Preference),
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Member => "member",
            Self::Admin => "admin",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferences_are_read_as_they_are_written() {
        for preference in [
            Preference::Replay(Some(0)),
            Preference::Replay(Some(100)),
            Preference::Replay(None),
            Preference::Bot(true),
            Preference::Bot(false),
        ] {
            assert_eq!(preference.to_string().parse(), Ok(preference));
            assert_eq!(preference.to_string().to_uppercase().parse(), Ok(preference));
        }
        for wrong in [
            "",
            "replay",
            "replay 101",
            "replay -1",
            "replay +1",
            "replay 256",
            "bot",
            "bot maybe",
            "bot on on",
            "x 1",
        ] {
            assert_eq!(wrong.parse::<Preference>(), Err(NoPreference), "{wrong}");
        }
    }
}
