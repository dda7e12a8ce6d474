//! Keys of conversations in the file.

use std::fmt;
use std::str::FromStr;

use crate::client::model::Conversation;
use crate::client::settings::server_name::{decode_server_name, encode_server_name};

/// Conversation on a server, which is named as in `servers.toml`. Written as `SERVER/CONVERSATION`, with the name of the
/// server [encoded](crate::client::settings::server_name).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConversationKey {
    /// Name of the server.
    pub server: String,
    /// Channel or direct conversation.
    pub conversation: Conversation,
}

impl fmt::Display for ConversationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", encode_server_name(&self.server), self.conversation)
    }
}

/// Error for a text that is no [`ConversationKey`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not SERVER/#CHANNEL or SERVER/NAME")]
pub struct ParseKeyError(String);

impl FromStr for ConversationKey {
    type Err = ParseKeyError;

    fn from_str(text: &str) -> Result<Self, ParseKeyError> {
        let error = || ParseKeyError(text.chars().take(80).collect());
        // Earlier versions wrote a slash in the name of a server as it is.
        let mut splits = text.match_indices('/').filter(|(at, _)| *at > 0);
        let found =
            splits.find_map(|(at, _)| Some((&text[..at], Conversation::parse(&text[at + 1..]).ok()?)));
        let (server, conversation) = found.ok_or_else(error)?;
        Ok(Self { server: decode_server_name(server), conversation })
    }
}
