//! Queries about channels, and their replies.

use serde::{Deserialize, Serialize};

use super::{AdminReply, Failure, FailureKind, PAGE_SIZE};
use crate::core::Core;
use crate::core::record::member_status::PrefixMode;
use crate::core::record::modes::ListKind;
use crate::core::request::channels::{ChannelError, ListedChannel, ListedMask, ListedMember};
use crate::core::request::json;
use crate::wire::{ChannelName, Nick, Timestamp};

/// A query about channels.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ChannelQuery {
    /// List the channels by name, [`PAGE_SIZE`] at a time, after the given name.
    List {
        /// Last name of the previous page; `None` for the first page.
        #[serde(with = "json::option")]
        after: Option<ChannelName>,
    },
    /// Describe one channel.
    Show(#[serde(with = "json::text")] ChannelName),
    /// List the members of a channel by name, [`PAGE_SIZE`] at a time, after the given name.
    Members {
        /// Name of the channel.
        #[serde(with = "json::text")]
        channel: ChannelName,
        /// Last name of the previous page; `None` for the first page.
        #[serde(with = "json::option")]
        after: Option<Nick>,
    },
    /// List the entries of the mask lists of a channel.
    Masks(#[serde(with = "json::text")] ChannelName),
}

/// Reply to a [`ChannelQuery`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChannelReply {
    /// A page of channels, or the one that was described.
    Channels(Vec<Channel>),
    /// A page of members.
    Members(Vec<Member>),
    /// The entries of mask lists.
    Masks(Vec<Mask>),
}

/// A channel in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// Name of the channel.
    #[serde(with = "json::text")]
    pub name: ChannelName,
    /// Number of its members.
    pub members: usize,
    /// Number of its members that are online.
    pub online: usize,
    /// Its modes, such as `+nt`, with a `*` for the key.
    pub modes: String,
    /// Its topic; empty if none is set.
    pub topic: String,
    /// Name of the account that set the topic; `server` for the command line.
    #[serde(with = "json::option")]
    pub topic_by: Option<Nick>,
    /// Time at which the topic was set.
    #[serde(with = "json::option")]
    pub topic_at: Option<Timestamp>,
    /// Names of its founders, members or not.
    #[serde(with = "json::list")]
    pub founders: Vec<Nick>,
    /// Number of its bans and exceptions.
    pub list_entries: usize,
    /// Time at which it was made.
    #[serde(with = "json::text")]
    pub created: Timestamp,
    /// Name of the account that made it; `None` for the command line.
    #[serde(with = "json::option")]
    pub created_by: Option<Nick>,
}

/// A member of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Name of the account.
    #[serde(with = "json::text")]
    pub name: Nick,
    /// Its highest status in the channel.
    #[serde(with = "json::option")]
    pub role: Option<PrefixMode>,
    /// Others see it online.
    pub online: bool,
}

/// An entry of a mask list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mask {
    /// Name of the channel.
    #[serde(with = "json::text")]
    pub channel: ChannelName,
    /// List that it is in.
    pub list: MaskList,
    /// The mask, such as `m:a:alice`.
    pub mask: String,
    /// Name of the account that set it; `server` for the command line.
    #[serde(with = "json::text")]
    pub by: Nick,
    /// Time at which it was set.
    #[serde(with = "json::text")]
    pub at: Timestamp,
}

/// A mask list of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaskList {
    /// Those who may neither join nor speak, or, with m: before the mask, not speak.
    Ban,
    /// Those whom bans do not concern.
    BanException,
    /// Those who may join although the channel is invite-only.
    InviteException,
}

impl From<ListKind> for MaskList {
    fn from(list: ListKind) -> Self {
        match list {
            ListKind::Ban => Self::Ban,
            ListKind::Except => Self::BanException,
            ListKind::Invex => Self::InviteException,
        }
    }
}

/// Runs a query on the core's state.
pub(super) fn answer(core: &Core, query: &ChannelQuery) -> Result<AdminReply, Failure> {
    let unknown = |name: &ChannelName| Failure {
        kind: FailureKind::UnknownChannel,
        text: ChannelError::Unknown(name.clone()).to_string(),
    };
    let reply = match query {
        ChannelQuery::List { after } => {
            let listed = core.list_channels(after.as_ref(), PAGE_SIZE);
            ChannelReply::Channels(listed.into_iter().map(Channel::from).collect())
        }
        ChannelQuery::Show(name) => {
            let listed = core.describe_channel(name).ok_or_else(|| unknown(name))?;
            ChannelReply::Channels(vec![listed.into()])
        }
        ChannelQuery::Members { channel, after } => {
            let listed = core.list_members(channel, after.as_ref(), PAGE_SIZE);
            let listed = listed.ok_or_else(|| unknown(channel))?;
            ChannelReply::Members(listed.into_iter().map(Member::from).collect())
        }
        ChannelQuery::Masks(name) => {
            let listed = core.list_masks(name).ok_or_else(|| unknown(name))?;
            ChannelReply::Masks(listed.into_iter().map(Mask::from).collect())
        }
    };
    Ok(AdminReply::Channels(reply))
}

impl From<ListedChannel> for Channel {
    fn from(listed: ListedChannel) -> Self {
        let modes = listed.modes.to_mode_string(false);
        let (topic_by, topic_at) = listed.topic.as_ref().map(|topic| (topic.by.clone(), topic.at)).unzip();
        Self {
            name: listed.name,
            members: listed.members,
            online: listed.online,
            modes,
            topic: listed.topic.map(|topic| topic.text.to_string()).unwrap_or_default(),
            topic_by,
            topic_at,
            founders: listed.founders,
            list_entries: listed.list_entries,
            created: listed.created,
            created_by: listed.creator,
        }
    }
}

impl From<ListedMember> for Member {
    fn from(listed: ListedMember) -> Self {
        Self { name: listed.name, role: listed.status.highest(), online: listed.is_online }
    }
}

impl From<ListedMask> for Mask {
    fn from(listed: ListedMask) -> Self {
        let ListedMask { channel, list, entry } = listed;
        Self { channel, list: list.into(), mask: entry.mask.to_string(), by: entry.by, at: entry.at }
    }
}
