//! Names of the commands that cause records, for replies about a record.

use super::{MessageKind, Record};

impl MessageKind {
    /// Returns the name of the command.
    pub fn command(self) -> &'static str {
        match self {
            Self::Privmsg => "PRIVMSG",
            Self::Notice => "NOTICE",
            Self::Tagmsg => "TAGMSG",
            Self::Join => "JOIN",
            Self::Part => "PART",
            Self::Kick => "KICK",
            Self::Topic => "TOPIC",
            Self::Mode => "MODE",
            Self::Rename => "RENAME",
            Self::Redact => "REDACT",
        }
    }
}

impl Record {
    /// Returns the name of the command that causes such a record, or `*`.
    pub fn command(&self) -> &'static str {
        match self {
            Self::Message(message) => message.kind.command(),
            Self::ChannelCreated { .. } | Self::Joined { .. } => "JOIN",
            Self::ChannelRemoved(_) | Self::Parted { .. } => "PART",
            Self::TopicSet(..) => "TOPIC",
            Self::RanksSet { .. } | Self::ModesSet(..) | Self::ListAdded(..) | Self::ListRemoved(..) => {
                "MODE"
            }
            Self::Invited { .. } => "INVITE",
            Self::ChannelRenamed { .. } => "RENAME",
            Self::Redacted { .. } => "REDACT",
            Self::Marked { .. } | Self::MarkedEarly { .. } => "MARKREAD",
            Self::MetadataSet { .. } => "METADATA",
            Self::PreferencesSet(..) => "NICKSERV",
            Self::DeviceAdded { .. } | Self::DeviceRemoved(_) => "CERT",
            Self::InviteCreated(_) | Self::InviteSpent { .. } | Self::InviteRevoked { .. } => "INVITES",
            Self::PasswordSet(..) => "PASSWD",
            Self::AccountAdded { .. }
            | Self::AccountSet { .. }
            | Self::AccountRemoved { .. }
            | Self::DeviceUsed { .. }
            | Self::Seen(..)
            | Self::IdsAhead(_)
            | Self::Audit { .. } => "*",
        }
    }
}
