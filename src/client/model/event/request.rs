//! Requests of the user to the server.

use std::fmt;

use zeroize::Zeroizing;

use super::Conversation;
use crate::wire::{ChannelName, Nick};

/// A request of the user that has one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerRequest {
    /// A request about a channel.
    Channel(ChannelName, ChannelRequest),
    /// WHOIS, with WHOWAS for an account that is offline, and on Parlour WHO for one that was never online.
    Profile(String),
    /// WHO: accounts that are online and match this mask, or the members of a channel.
    People(String),
    /// WHO: whether an account exists.
    Existence {
        /// Name of the account.
        account: Nick,
        /// Text for the user if there is none: the consequence and the remedy.
        then: String,
    },
    /// WHO: the accounts that this request names, about which the user is asked.
    LookUp(Box<ServerRequest>),
    /// MODE: the role of this account, before this request, which by what is known only an admin may make.
    Role(Box<ServerRequest>),
    /// METADATA SET: mutes a conversation on all devices of this account, or ends that.
    Mute(Conversation, bool),
    /// METADATA SET: the display name of this account; an empty one removes it.
    DisplayName(String),
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
    /// KILL: ends the sessions of an account.
    Kill {
        /// Name of the account.
        name: String,
        /// Reason; may be empty.
        reason: String,
    },
    /// WALLOPS: a message to all sessions.
    Wallops(String),
    /// CERT LIST: the devices of this account.
    Devices,
    /// CERT DEL: removes the device with this fingerprint, which the list had at this number.
    RevokeDevice(usize, String),
    /// FILES LIST: what messages of a conversation share.
    SharedFiles(Conversation),
    /// FILES LIST: the files of this account.
    OwnFiles,
    /// FILES LINK: makes a link to the file with this id, which needs no login.
    LinkFile(String),
    /// FILES UNLINK: revokes the link.
    UnlinkFile(String),
    /// INVITES LIST: the open invites to the server.
    Invites,
    /// INVITES REVOKE: revokes the invite with this number.
    RevokeInvite(u64),
    /// INVITES CREATE or FOR, with these parameters: makes an invite link.
    CreateInvite(Vec<String>),
    /// AUDIT: the latest actions of admins and moderators, at most this number.
    Audit(u32),
    /// REDACT: removes a message of another account.
    Redact {
        /// Conversation of the message.
        conversation: Conversation,
        /// Id of the message.
        msgid: String,
        /// Reason; may be empty.
        reason: String,
    },
    /// METADATA SET: this key about each of these accounts, with the value. The client makes it for `/ignore`, also
    /// without the user, and sends it again itself.
    SetMetadata {
        /// Key of the metadata.
        key: &'static str,
        /// Accounts with their values.
        values: Vec<(Nick, &'static str)>,
    },
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
    /// The bans of a channel that this account is in, for whether one holds it.
    OwnBan,
    /// MODE: a change with its parameters, such as `+o bob`.
    Change(Vec<String>),
    /// Sets the channel key, or removes it.
    Key(Option<SecretText>),
    /// KICK: removes an account from the channel.
    Kick {
        /// Name of the account.
        name: String,
        /// Reason; may be empty.
        reason: String,
    },
    /// TOPIC: sets the channel's topic; an empty one removes it.
    Topic(String),
    /// RENAME: gives the channel this name.
    Rename(ChannelName),
    /// INVITE: invites this account to the channel.
    Invite(String),
    /// KNOCK: asks for an invitation, with this text.
    Knock(String),
}

impl ServerRequest {
    /// Returns the name of the command that makes the request, for errors.
    pub fn command(&self) -> &'static str {
        match self {
            Self::Channel(_, request) => request.command(),
            Self::Profile(_) => "whois",
            Self::People(_) | Self::Existence { .. } | Self::LookUp(_) => "who",
            Self::Role(request) => request.command(),
            Self::Mute(_, true) => "mute",
            Self::Mute(_, false) => "unmute",
            Self::DisplayName(_) => "display-name",
            Self::SetName(_) => "setname",
            Self::Motd => "motd",
            Self::Statistics => "stats",
            Self::Oper(..) => "oper",
            Self::Rehash => "rehash",
            Self::Kill { .. } => "kill",
            Self::Wallops(_) => "wallops",
            Self::Devices | Self::RevokeDevice(..) => "devices",
            Self::SharedFiles(_) | Self::OwnFiles | Self::LinkFile(_) | Self::UnlinkFile(_) => "files",
            Self::Invites | Self::RevokeInvite(_) => "invites",
            Self::CreateInvite(_) => "invite-link",
            Self::Audit(_) => "audit",
            Self::Redact { .. } => "delete",
            Self::SetMetadata { .. } => "ignore",
            Self::Raw(_) => "raw",
        }
    }
}

impl ChannelRequest {
    fn command(&self) -> &'static str {
        match self {
            Self::Modes | Self::Change(_) => "mode",
            Self::Bans => "bans",
            Self::OwnBan => "join",
            Self::Key(_) => "key",
            Self::Kick { .. } => "kick",
            Self::Topic(_) => "topic",
            Self::Rename(_) => "rename",
            Self::Invite(_) => "invite",
            Self::Knock(_) => "knock",
        }
    }
}

/// A text with a secret, such as a password or a channel key, on its way to the server. `Debug` does not show it, and it
/// is wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Keeps a text.
    pub fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// Returns the text to send.
    pub(in crate::client) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}
