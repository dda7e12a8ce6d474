//! What admins ask about invites to the server, and what comes of it. Tokens are made and kept elsewhere.

use super::record::Role;
use super::secret::Secret;
use crate::wire::{ChannelName, Millis, Nick};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InviteRequest {
    /// An invite.
    Create(Wish),
    /// Which invites are open.
    List,
    /// An invite is to be taken back.
    Revoke(i64),
}

/// An invite to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// What it is for.
    pub purpose: Purpose,
    /// How long it can be used.
    pub lasts: Millis,
}

/// What an invite is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// New accounts.
    Accounts {
        /// What they may do.
        role: Role,
        /// Where they land.
        channel: ChannelName,
        /// How many.
        uses: u32,
    },
    /// A new password for an account, whose devices and sessions end.
    Reset(Nick),
}

/// An invite that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenInvite {
    /// Its number.
    pub number: i64,
    /// How often it was used, of how often it can be.
    pub spent: (u32, u32),
    /// Until when it can be used.
    pub expires: Millis,
    /// What its accounts may do.
    pub role: Role,
    /// Where they land.
    pub channel: Option<ChannelName>,
    /// The account that it resets, instead of making any.
    pub resets: Option<Nick>,
    /// By whom it was made; nobody for the command line.
    pub by: Option<Nick>,
}

/// What came of it.
#[derive(Debug)]
pub enum InviteOutcome {
    /// It was made.
    Made {
        /// Its number.
        number: i64,
        /// What was asked for.
        purpose: Purpose,
        /// Until when it can be used.
        expires: Millis,
        /// The link, for the asker alone.
        link: Secret,
    },
    /// These are open, and so many are not any more.
    Open(Vec<OpenInvite>, usize),
    /// It was taken back.
    Revoked(i64),
}
