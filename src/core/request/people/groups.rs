//! Requests about groups of accounts.

use serde::{Deserialize, Serialize};

use crate::core::record::group::GroupName;
use crate::core::request::json;
use crate::wire::{ChannelName, Nick};

/// A change of one group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GroupChange {
    /// Name of the group.
    pub group: GroupName,
    /// Change of the group.
    pub action: GroupAction,
}

/// Changes of a group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum GroupAction {
    /// Create the group.
    Create,
    /// Delete it. Its members stay in its channels.
    Delete,
    /// Make accounts members, who join its channels at once.
    Add(#[serde(with = "json::list")] Vec<Nick>),
    /// End the membership of accounts, who leave its channels at once, except for those of their other groups.
    Remove(#[serde(with = "json::list")] Vec<Nick>),
    /// Make its members members of a channel, now and later. The channel is made if it does not exist.
    Join(#[serde(with = "json::text")] ChannelName),
    /// End that. Its members leave the channel, except for those that another of their groups is in.
    Part(#[serde(with = "json::text")] ChannelName),
}

/// Reason for which a group cannot be made or changed. The texts are for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// No group has this name.
    #[error("there is no group {0}")]
    Unknown(GroupName),
    /// A group has this name, in this or another case.
    #[error("there is a group {0} already")]
    Taken(GroupName),
    /// The limit of groups is reached.
    #[error("there are {0} groups, which is the limit")]
    TooMany(usize),
    /// The limit of members is reached.
    #[error("a group has up to {0} members")]
    TooManyMembers(usize),
    /// The limit of channels is reached.
    #[error("the group is in {0} channels, which is the limit")]
    TooManyChannels(usize),
    /// The group is not in this channel.
    #[error("the group {0} is not in {1}")]
    NotInChannel(GroupName, ChannelName),
}

/// A group in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedGroup {
    /// Name of the group.
    pub name: GroupName,
    /// Names of its members, in order.
    #[serde(with = "json::list")]
    pub members: Vec<Nick>,
    /// Names of the channels that its members join.
    #[serde(with = "json::list")]
    pub channels: Vec<ChannelName>,
}
