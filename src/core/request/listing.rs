//! Lists that the administration requests, a page at a time.

use crate::core::record::device::Device;
use crate::core::record::{Account, Invite, Preferences};
use crate::wire::{Nick, Timestamp};

/// An account in the list of accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedAccount {
    /// Name, role and state.
    pub account: Account,
    /// Time at which it was made.
    pub created: Timestamp,
    /// Preferences of the account.
    pub preferences: Preferences,
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

/// Devices and invites that a rotation of the root would leave behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftBehindByRotation {
    /// Devices of enabled accounts that were neither added nor used since the root is shown, by fingerprint, each with
    /// the name of its account.
    pub devices: Vec<(Nick, Device)>,
    /// Number of invites from before that can still be redeemed.
    pub invites: usize,
}
