//! The snapshot that the records of a store add up to.

use std::sync::Arc;

use super::{Account, Conversation};
use super::{
    AccountId, ChannelId, Invite, ListEntry, ListKind, MemberStatus, MetadataOwner, Modes, Preferences,
    ReceivedRanges, RetentionLimits, ShownRoot, StoredSend, Topic,
};
use crate::core::record::access_token::StoredAccessToken;
use crate::core::record::device::Device;
use crate::core::record::file::{FileShare, StoredFile};
use crate::core::record::group::StoredGroups;
use crate::core::record::hook::StoredHook;
use crate::core::record::secret::PasswordHash;
use crate::wire::ids::MessageTimes;
use crate::wire::{ChannelName, MessageId, Nick, Timestamp};

/// A channel as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredChannel {
    /// Id of the channel.
    pub id: ChannelId,
    /// Name of the channel.
    pub name: ChannelName,
    /// Time of its creation.
    pub created: Timestamp,
    /// The account that created it; `None` for channels without a founder from before this was stored.
    pub creator: Option<AccountId>,
    /// Topic, if one is set.
    pub topic: Option<Topic>,
    /// The accounts in it.
    pub members: Vec<AccountId>,
    /// It has messages in the history.
    pub has_messages: bool,
    /// Modes of the channel.
    pub modes: Modes,
    /// Limits of its history.
    pub retention: RetentionLimits,
    /// Time at which it was archived, if it is.
    pub archived: Option<Timestamp>,
    /// Member status of accounts, also of those not in the channel.
    pub member_statuses: Vec<(AccountId, MemberStatus)>,
    /// Mask lists, each in the order in which it was filled.
    pub lists: Vec<(ListKind, ListEntry)>,
    /// Accounts with a pending invitation.
    pub invited: Vec<AccountId>,
    /// Former names, with the time of the change.
    pub old_names: Vec<(ChannelName, Timestamp)>,
}

/// A stored metadata key with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMetadata {
    /// The account, channel or conversation that it belongs to.
    pub owner: MetadataOwner,
    /// Name of the key.
    pub key: Arc<str>,
    /// Value of the key.
    pub value: Arc<str>,
}

/// The state that the core starts from.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Every account, also disabled ones; without removed and built-in ones.
    pub accounts: Vec<Account>,
    /// Every channel, including empty ones.
    pub channels: Vec<StoredChannel>,
    /// The largest message id ever used.
    pub last_message: MessageId,
    /// Translation of message ids to times.
    pub times: MessageTimes,
    /// The largest channel id ever used; 0 for none.
    pub last_channel: i64,
    /// The latest send ids and their messages.
    pub send_ids: Vec<StoredSend>,
    /// Read markers of conversations.
    pub markers: Vec<(AccountId, Conversation, Timestamp)>,
    /// Read markers of channels that the account is not in.
    pub early_markers: Vec<(AccountId, ChannelName, Timestamp)>,
    /// Metadata of accounts and channels, private metadata included.
    pub metadata: Vec<StoredMetadata>,
    /// The latest [`Record::ReceivedSet`](super::Record::ReceivedSet) of each account that has one.
    pub received: Vec<(AccountId, ReceivedRanges)>,
    /// Preferences that differ from the default.
    pub preferences: Vec<(AccountId, Preferences)>,
    /// The devices of the accounts.
    pub devices: Vec<(AccountId, Device)>,
    /// The password hashes of the accounts that have one.
    pub passwords: Vec<(AccountId, PasswordHash)>,
    /// The accounts that keep their names from others and are not among `accounts`.
    pub reserved_names: Vec<ReservedName>,
    /// The times at which the accounts were made, also the removed ones.
    pub created: Vec<(AccountId, Timestamp)>,
    /// The largest account id ever used.
    pub last_account: i64,
    /// Every invite, also those that can no longer be redeemed.
    pub invites: Vec<Invite>,
    /// The largest invite id ever used; 0 for none.
    pub last_invite: i64,
    /// The settled time that was noted last.
    pub noted_time: Option<Timestamp>,
    /// The roots that clients were shown, in this order.
    pub roots: Vec<ShownRoot>,
    /// The files that accounts have uploaded and that were not removed.
    pub files: Vec<StoredFile>,
    /// The messages that share them.
    pub file_shares: Vec<FileShare>,
    /// The hooks, also the revoked ones.
    pub hooks: Vec<StoredHook>,
    /// The access tokens that were not revoked.
    pub access_tokens: Vec<StoredAccessToken>,
    /// Groups of accounts, with their members and channels.
    pub groups: StoredGroups,
    /// The names by which an import listed the people of accounts.
    pub listed_names: Vec<(AccountId, Arc<str>)>,
}

/// An account that is not in use and keeps its name from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReservedName {
    /// Id of the account.
    pub id: AccountId,
    /// Name of the account, which no other account can take.
    pub name: Nick,
    /// It was removed, and can be restored. Otherwise its row cannot be read.
    pub removed: bool,
}
