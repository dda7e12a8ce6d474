//! Items of a pick list.

use crate::client::screen::workspace::BufferKey;
use crate::wire::ChannelName;

/// Item of a pick list. Its texts are safe to draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PickerItem {
    /// Name, which the search field is matched against.
    pub name: String,
    /// Further words that find the item; may be empty.
    pub keywords: String,
    /// Remark beside the name.
    pub remark: String,
    /// Kind, shown at the end of the row.
    pub kind: Kind,
    /// Likelihood of the choice, which is added to the score of a match.
    pub weight: i64,
    /// Effect of the choice.
    pub target: Target,
}

/// Kind of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Channel, joined or not.
    Channel,
    /// Account, with or without a direct conversation.
    Person,
    /// Command of the client.
    Command,
    /// Reaction, the only kind in its list.
    Emoji,
}

/// Effect of a choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Switches to a conversation, and opens it where it is not open.
    Open(BufferKey),
    /// Joins a channel of the server with this index.
    Join(usize, ChannelName),
    /// Runs a command, or begins it in the composer if it has arguments.
    Command {
        /// Name with the slash.
        name: String,
        /// Set if the command has arguments.
        has_arguments: bool,
    },
    /// Reacts to a message.
    React {
        /// Emoji of the reaction.
        emoji: &'static str,
        /// Conversation of the message.
        key: BufferKey,
        /// Id of the message.
        msgid: String,
    },
}

impl Kind {
    /// Returns the word at the end of the row.
    pub fn label(self) -> &'static str {
        match self {
            Self::Channel => "channel",
            Self::Person => "person",
            Self::Command => "command",
            Self::Emoji => "",
        }
    }
}
