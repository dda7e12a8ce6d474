//! Lists that the administration and programs request, a page at a time.

use std::sync::Arc;

use super::json;
use crate::core::model::audience::SessionId;
use crate::core::record::device::{CertificateFingerprint, Device};
use crate::core::record::group::GroupName;
use crate::core::record::{Account, ChannelId, Invite, Preferences, Role, Topic};
use crate::wire::{ChannelName, Nick, Timestamp};

json::texts! {
    SessionId, str::parse::<SessionId>;
}

/// An account in the list of accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedAccount {
    /// Name, role and state.
    pub account: Account,
    /// Time at which it was made.
    pub created: Timestamp,
    /// Preferences of the account.
    pub preferences: Preferences,
    /// Name that the account chose to be shown.
    pub display_name: Option<Arc<str>>,
    /// Name by which an import listed its person.
    pub listed_name: Option<Arc<str>>,
    /// Groups of the account.
    pub groups: Vec<GroupName>,
    /// Number of its files.
    pub files: usize,
    /// Sum of their sizes, in bytes.
    pub file_bytes: u64,
}

/// An invite in the list of invites.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedInvite {
    /// The invite as it is stored.
    pub invite: Invite,
    /// Name of the account that made it; `None` for the command line.
    pub created_by: Option<Nick>,
    /// Name of the account whose password and devices it resets.
    pub resets: Option<Nick>,
}

/// A session in the list of sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedSession {
    /// Id of the session.
    pub id: SessionId,
    /// Name of its account.
    pub account: Nick,
    /// Time of its login.
    pub opened: Timestamp,
    /// Certificate fingerprint of the device that it logged in with; `None` for a password.
    pub device: Option<CertificateFingerprint>,
    /// Others see it.
    pub is_visible: bool,
    /// It has set an away message.
    pub is_away: bool,
}

/// Devices and invites that a rotation of the root would leave behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftBehindByRotation {
    /// Devices of enabled accounts that were neither added nor used since the root is shown, by fingerprint, each with
    /// the name of its account.
    pub devices: Vec<(Nick, Device)>,
    /// Number of invites from before that can still be redeemed.
    pub invites: usize,
}

/// A channel, as an account may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisibleChannel {
    /// Id of the channel.
    pub id: ChannelId,
    /// Name of the channel.
    pub name: ChannelName,
    /// Its topic, if one is set.
    pub topic: Option<Topic>,
    /// Time of its creation.
    pub created: Timestamp,
    /// Number of its members, online or not.
    pub members: usize,
    /// The account is one of them, and so may read its history.
    pub is_member: bool,
}

/// An account, as all others may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisiblePerson {
    /// Name of the account.
    pub name: Nick,
    /// The name that it chose to be shown. It may pose as another's.
    pub display_name: Option<Arc<str>>,
    /// Its role on the server.
    pub role: Role,
    /// It is a program.
    pub is_bot: bool,
    /// Others see it online.
    pub is_online: bool,
    /// The away message, while it is away.
    pub away: Option<Arc<str>>,
}
