//! Queries about channels, and their replies.

use serde::{Deserialize, Serialize};

use super::{AdminReply, Failure, FailureKind, PAGE_SIZE};
use crate::core::Core;
use crate::core::record::Conversation;
use crate::core::record::member_status::PrefixMode;
use crate::core::record::modes::ListKind;
use crate::core::request::channels::{ChannelError, ListedChannel, ListedMask, ListedMember};
use crate::core::request::json;
use crate::store::values::time;
use crate::store::{Store, StoreError, history};
use crate::wire::{ChannelName, MessageId, Nick, Timestamp};

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
    /// Count what the history has of a channel. It is read from the store.
    History {
        /// Name of the channel.
        #[serde(with = "json::text")]
        channel: ChannelName,
        /// Count only what is from before this time.
        #[serde(with = "json::option")]
        before: Option<Timestamp>,
    },
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
    /// Counts of the history.
    History(HistorySize),
}

/// Size of the history of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistorySize {
    /// Count of messages, and of events such as joins.
    pub entries: u64,
    /// Count of messages that were not redacted.
    pub messages: u64,
    /// Bytes of these messages.
    pub bytes: u64,
    /// Time of the latest of them.
    #[serde(with = "json::option")]
    pub latest: Option<Timestamp>,
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
    /// Days for which its messages are kept, 0 for no limit; `None` if the configuration decides.
    pub keep_days: Option<u32>,
    /// Count of its messages that are kept, 0 for no limit; `None` if the configuration decides.
    pub keep_messages: Option<u32>,
    /// Time at which it was archived, if it is.
    #[serde(with = "json::option")]
    pub archived: Option<Timestamp>,
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
    /// Bans: a match may neither join nor speak, or, with m: before the mask, not speak.
    Ban,
    /// Ban exceptions: bans do not apply to a match.
    BanException,
    /// Invite exceptions: a match may join an invite-only channel.
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
    let reply = match query {
        ChannelQuery::History { .. } => return Err(Failure::invalid("the history is read from the store")),
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

/// Counts what the history has of a channel. It is in the store only, where a server runs too.
pub(super) async fn history_size(
    store: &Store,
    name: ChannelName,
    before: Option<Timestamp>,
) -> Result<AdminReply, Failure> {
    let wanted = name.clone();
    let found = store.read(move |conn| {
        let known = history::conversations(conn)?.into_iter().find(|it| it.channel.as_ref() == Some(&wanted));
        let Some(Conversation::Channel(id)) = known.map(|known| known.conversation) else { return Ok(None) };
        let times = time::read_id_offsets(conn)?;
        let before = before.map_or(MessageId::LAST, |before| times.first_at(before));
        let history::HistorySize { entries, messages, bytes, latest } = history::size(conn, id, before)?;
        let latest = latest.map(|latest| times.time_of(latest));
        Ok::<_, StoreError>(Some(HistorySize { entries, messages, bytes, latest }))
    });
    let found = found.await?.ok_or_else(|| unknown(&name))?;
    Ok(AdminReply::Channels(ChannelReply::History(found)))
}

fn unknown(name: &ChannelName) -> Failure {
    let text = ChannelError::Unknown(name.clone()).to_string();
    Failure { kind: FailureKind::UnknownChannel, text }
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
            keep_days: listed.retention.keep_days,
            keep_messages: listed.retention.keep_messages,
            archived: listed.archived,
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
