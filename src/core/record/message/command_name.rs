//! Names of the commands that cause records, for replies about a record.

use super::MessageKind;
use crate::core::record::Record;

impl MessageKind {
    /// Returns the name of the command.
    pub fn command_name(self) -> &'static str {
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
    pub fn command_name(&self) -> &'static str {
        match self {
            Self::Message(message) => message.kind.command_name(),
            Self::ChannelCreated { .. } | Self::Joined { .. } => "JOIN",
            Self::ChannelRemoved(_) | Self::Parted { .. } => "PART",
            Self::TopicSet(..) => "TOPIC",
            Self::MemberStatusSet { .. }
            | Self::ModesSet(..)
            | Self::ListAdded(..)
            | Self::ListRemoved(..) => "MODE",
            Self::InvitationSet { .. } => "INVITE",
            Self::ChannelRenamed { .. } => "RENAME",
            Self::Redacted { .. } | Self::FileUnshared(_) => "REDACT",
            Self::ReadMarkerSet { .. } | Self::EarlyReadMarkerSet { .. } => "MARKREAD",
            Self::MetadataSet { .. } => "METADATA",
            Self::PreferencesSet(..) => "NICKSERV",
            Self::DeviceAdded { .. } | Self::DeviceRemoved(_) => "CERT",
            Self::InviteCreated(_) | Self::InviteSpent { .. } | Self::InviteRevoked { .. } => "INVITES",
            Self::PasswordSet(..) => "PASSWD",
            Self::FileShared(_) => "PRIVMSG",
            Self::AccountAdded { .. }
            | Self::AccountSet { .. }
            | Self::AccountRemoved { .. }
            | Self::DeviceUsed { .. }
            | Self::ReceivedSet(..)
            | Self::IdsAhead(_)
            | Self::Audit { .. }
            | Self::TimeNoted(_)
            | Self::RootShown(_)
            | Self::HistoryForgotten(_)
            | Self::AuditForgotten(_)
            | Self::FileAdded(_)
            | Self::FileRemoved(_)
            | Self::FileLinkSet { .. }
            | Self::HookCreated { .. }
            | Self::HookRevoked(_)
            | Self::HookDelivered { .. }
            | Self::AccessTokenCreated(_)
            | Self::AccessTokenRevoked(_)
            | Self::ChannelRetentionSet(..)
            | Self::ChannelArchived(..)
            | Self::MessageImported { .. }
            | Self::GroupCreated(_)
            | Self::GroupDeleted(_)
            | Self::GroupMemberSet { .. }
            | Self::GroupChannelSet { .. }
            | Self::ListedNameSet { .. }
            | Self::AccountErased { .. } => "*",
        }
    }
}
