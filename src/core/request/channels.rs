//! Requests of the administration about channels, and the lists of channels that it requests.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::json;
use crate::core::record::member_status::{MemberStatus, PrefixMode};
use crate::core::record::modes::{ListEntry, ListKind, Modes};
use crate::core::record::{ChannelId, RetentionLimits, Topic};
use crate::wire::{ChannelName, Nick, Timestamp};

/// A change of one channel.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ChannelChange {
    /// Make the channel. It is kept while it is empty, until it is deleted.
    Create {
        /// The account that becomes its founder, and a member.
        #[serde(with = "json::option")]
        founder: Option<Nick>,
    },
    /// Set the topic; an empty one clears it.
    Topic(Arc<str>),
    /// Set the member status of an account to this one alone, whether it is a member or not.
    Status {
        /// Name of the account.
        #[serde(with = "json::text")]
        account: Nick,
        /// Its status; `None` for none.
        #[serde(with = "json::option")]
        status: Option<PrefixMode>,
    },
    /// Make an account a member, whatever the modes and bans of the channel say.
    Add(#[serde(with = "json::text")] Nick),
    /// End the membership of an account.
    Remove(#[serde(with = "json::text")] Nick),
    /// Add a mask to a list.
    ListAdd(ListKind, Arc<str>),
    /// Remove a mask from a list.
    ListRemove(ListKind, Arc<str>),
    /// Set the limits of its history.
    Retention(RetentionLimits),
    /// Remove the oldest messages and events from before a time, at most [`ChannelChange::MAX_PURGED`] of them.
    Purge {
        /// Time before which they are removed.
        #[serde(with = "json::text")]
        before: Timestamp,
        /// Further steps of one purge follow the first, which alone is noted in the audit log.
        is_first: bool,
    },
    /// Let nobody write in the channel any more, or end that.
    Archive(bool),
    /// Remove the channel with all that it has.
    Delete,
}

impl ChannelChange {
    /// Messages and events that one step of a purge removes, which takes the writer some milliseconds.
    pub const MAX_PURGED: u32 = 1000;
}

/// A channel in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedChannel {
    /// Id of the channel.
    pub id: ChannelId,
    /// Name of the channel.
    pub name: ChannelName,
    /// Time of its creation.
    pub created: Timestamp,
    /// The account that made it; `None` for the command line, and for some channels from before this was stored.
    pub creator: Option<Nick>,
    /// Its topic, if one is set.
    pub topic: Option<Topic>,
    /// Its modes, except for lists and member status.
    pub modes: Modes,
    /// Number of its members, online or not.
    pub members: usize,
    /// Number of its members that are online.
    pub online: usize,
    /// Number of entries in its mask lists.
    pub list_entries: usize,
    /// Names of its founders, members or not.
    pub founders: Vec<Nick>,
    /// Limits of its history, in place of those of the configuration.
    pub retention: RetentionLimits,
    /// Time at which it was archived, if it is.
    pub archived: Option<Timestamp>,
}

/// An account with a membership or a status in a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedMember {
    /// Name of the account.
    pub name: Nick,
    /// Its status in the channel.
    pub status: MemberStatus,
    /// Others see it online.
    pub is_online: bool,
}

/// An entry of a mask list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedMask {
    /// Name of the channel.
    pub channel: ChannelName,
    /// List that it is in.
    pub list: ListKind,
    /// Mask, author and time.
    pub entry: ListEntry,
}

/// Reason why a channel cannot be made or changed. The texts are for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// No channel has this name.
    #[error("there is no channel {0}")]
    Unknown(ChannelName),
    /// A channel has this name already.
    #[error("the channel {0} exists already")]
    Exists(ChannelName),
    /// The name leads to a channel that had it until lately.
    #[error("the name {0} leads to {1} for a week, because that channel had it")]
    FormerName(ChannelName, ChannelName),
    /// The account is a member already.
    #[error("{0} is in {1} already")]
    Member(Nick, ChannelName),
    /// The account is not a member.
    #[error("{0} is not in {1}")]
    NotMember(Nick, ChannelName),
    /// The text is no mask.
    #[error(
        "`{0}` is not a mask: use NICK!USER@HOST with * and ?, or a:ACCOUNT, with m: in front for a mute"
    )]
    InvalidMask(Arc<str>),
    /// The list does not have this mask.
    #[error("the list of {0} does not have the mask {1}")]
    UnknownMask(ChannelName, Arc<str>),
    /// The list has this mask already.
    #[error("the list of {0} has the mask {1} already")]
    KnownMask(ChannelName, Arc<str>),
    /// The channel is archived already, or is not.
    #[error("{0} is {1}")]
    ArchivedOrNot(ChannelName, &'static str),
    /// The limits are too large.
    #[error(
        "the limits are at most {} days and {} messages",
        RetentionLimits::MAX_DAYS,
        RetentionLimits::MAX_MESSAGES
    )]
    LimitTooLarge,
    /// The lists are full.
    #[error("the lists of {0} have {1} entries, the maximum")]
    ListFull(ChannelName, usize),
}

json::texts! {
    PrefixMode, str::parse::<PrefixMode>;
}
