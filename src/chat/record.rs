//! What the chat asks to be kept: the vocabulary it shares with the store.

use std::fmt;
use std::sync::Arc;

use crate::wire::{ChannelName, MessageId, Millis, Nick};

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

/// The kind of a message that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// PRIVMSG
    Privmsg,
    /// NOTICE
    Notice,
}

/// The id that a client gave to a message of its own, so that sending it twice is sending it once.
/// At most [`SendId::MAX`] bytes; unique per account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SendId(pub Arc<str>);

impl SendId {
    /// Longest send id, in bytes. A UUID has 36.
    pub const MAX: usize = 64;
}

/// A message as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessage {
    /// Order, time and msgid.
    pub id: MessageId,
    /// Where it was said.
    pub place: Place,
    /// Who said it.
    pub from: AccountId,
    /// PRIVMSG or NOTICE.
    pub kind: MessageKind,
    /// What was said.
    pub text: Arc<str>,
    /// The client-only tags as they stood on the wire (`+a=b;+c`), empty for none.
    pub tags: Arc<str>,
    /// The sender's own id, where it gave one.
    pub send_id: Option<SendId>,
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
    /// Its topic.
    pub topic: Option<Topic>,
    /// Its members.
    pub members: Vec<AccountId>,
    /// Something was said in it.
    pub spoken_in: bool,
}

/// Everything the chat starts from.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// All accounts of people, the disabled ones too; removed ones and built-in ones not.
    pub accounts: Vec<Account>,
    /// All channels.
    pub channels: Vec<StoredChannel>,
    /// The last message id that was ever given.
    pub last_message: MessageId,
    /// The largest channel number that was ever given, 0 for none.
    pub last_channel: i64,
    /// The latest send ids with the messages they led to.
    pub sends: Vec<(AccountId, SendId, MessageId)>,
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
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Member => "member",
            Self::Admin => "admin",
        })
    }
}
