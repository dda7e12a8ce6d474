//! Requests about people: their import, their groups, what is kept of them, and its erasure.

pub mod groups;
pub mod personal_data;

use serde::{Deserialize, Serialize};

use super::json;
use crate::core::record::group::GroupName;
use crate::core::record::secret::PasswordHash;
use crate::core::record::{AccountId, Role, TokenHash};
use crate::wire::{ChannelName, Nick};

/// An account to be made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewUser {
    /// Name of the account.
    #[serde(with = "json::text")]
    pub name: Nick,
    /// Hash of the password.
    #[serde(with = "json::text")]
    pub password: PasswordHash,
    /// Role of the account.
    #[serde(with = "json::text")]
    pub role: Role,
}

/// An account of an import, with its groups and channels.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportedUser {
    /// Account of the person, new or known.
    pub account: ImportedAccount,
    /// Groups that it becomes a member of. They are made if they do not exist.
    pub groups: Vec<GroupName>,
    /// Channels that it joins. They are made if they do not exist.
    #[serde(with = "json::list")]
    pub channels: Vec<ChannelName>,
}

/// The account of an imported person.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ImportedAccount {
    /// It is made.
    New {
        /// Name, password hash and role.
        user: NewUser,
        /// The name by which the file lists the person.
        listed_name: String,
        /// Display name of the account.
        display_name: Option<String>,
        /// Card by which its owner chooses a password.
        card: Option<NewCard>,
    },
    /// It was made before, and is a member of the groups and channels from now on.
    Known(#[serde(with = "json::text")] Nick),
}

/// The card of a new account: an invite that resets it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct NewCard {
    /// Hash of the invite's token.
    pub token: TokenHash,
    /// Time until the invite expires, in milliseconds.
    pub lasts_ms: u64,
}

/// Id and pseudonym of an erased account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedAccount {
    /// Id of the account, which its messages have until they are erased.
    pub id: AccountId,
    /// Name that stands for it.
    #[serde(with = "json::text")]
    pub pseudonym: Nick,
}
