//! Requests about hooks: those of the administration, and the posts of programs.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::json;
pub use crate::core::model::hooks::HookFailure;
use crate::core::record::hook::{HookKey, StoredHook};
use crate::core::record::{AccountId, SendId, TokenHash};
use crate::wire::{ChannelName, MessageId, Nick};

/// A hook to be made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewHook {
    /// Name of the hook and of its account.
    #[serde(with = "json::text")]
    pub name: Nick,
    /// Channel of the hook.
    #[serde(with = "json::text")]
    pub channel: ChannelName,
    /// Direction of the hook, with its data.
    pub kind: NewHookKind,
}

/// Direction of a hook to be made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum NewHookKind {
    /// Programs post with the token of this hash. The token itself stays with the requester.
    Incoming(TokenHash),
    /// A program is sent the messages of the channel.
    Outgoing {
        /// URL that messages are sent to.
        url: Arc<str>,
        /// Text that a message must contain; `None` sends all.
        pattern: Option<Arc<str>>,
        /// Key that requests are signed with.
        key: HookKey,
    },
}

/// A change that programs cause, or the task that sends messages to them.
#[derive(Clone, Debug)]
pub enum HookChange {
    /// Post a message.
    Post(HookPost),
    /// Note the last message that a hook has sent, or will not send any more.
    NoteDelivered {
        /// Account of the hook.
        hook: AccountId,
        /// Id of the message.
        up_to: MessageId,
    },
    /// Note whether a hook fails to send, for the list of hooks. It does not outlast the server.
    NoteFailing {
        /// Account of the hook.
        hook: AccountId,
        /// Failure of the latest attempt, if it failed.
        failure: Option<HookFailure>,
    },
}

/// A message that a program posts.
#[derive(Clone, Debug)]
pub struct HookPost {
    /// Hash of the token that it was posted with.
    pub token: TokenHash,
    /// Text with the separators of a multiline message, within its limits.
    pub text: Arc<str>,
    /// Id by which the program may repeat the post.
    pub send_id: Option<SendId>,
}

/// A hook in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedHook {
    /// The hook as it is stored.
    pub hook: StoredHook,
    /// Name of its account.
    pub name: Nick,
    /// Name of its channel; `None` if that was removed.
    pub channel: Option<ChannelName>,
    /// It is in its channel.
    pub is_member: bool,
    /// Reason why it fails to send, if it does.
    pub failure: Option<HookFailure>,
}

/// Reason why a hook cannot be made or used. The texts are for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HookError {
    /// No channel has this name.
    #[error("there is no channel {0}; a hook is made for one that exists")]
    UnknownChannel(ChannelName),
    /// No hook has this name.
    #[error("there is no hook {0}")]
    Unknown(Nick),
    /// Another hook has this token.
    #[error("another hook has this token")]
    TokenTaken,
    /// There are as many hooks as there may be.
    #[error("there are {0} hooks already, the maximum")]
    TooMany(usize),
    /// No hook has the token of a post.
    #[error("there is no such hook")]
    WrongToken,
    /// The channel of the hook was removed.
    #[error("the channel of this hook was removed")]
    ChannelGone,
    /// The hook was removed from its channel.
    #[error("the hook {0} was removed from {1}; make it again")]
    NotMember(Nick, ChannelName),
    /// The hook has sent as much as an account may on a day, or the disk is almost full.
    #[error("{0}")]
    OverQuota(String),
    /// The modes of the channel forbid it to speak.
    #[error("{0}")]
    Silenced(&'static str),
    /// The idempotency key belongs to a post with another text.
    #[error("this idempotency key was used for another text, or for a message that was taken back")]
    KeyReused,
}

/// Returns scheme, host and port of a URL, without what may be a secret in it.
pub fn origin_of(url: &str) -> &str {
    url.match_indices('/').nth(2).and_then(|(at, _)| url.get(..at)).unwrap_or(url)
}
