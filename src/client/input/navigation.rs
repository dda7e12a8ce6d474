//! Commands that find channels, conversations and messages.

use crate::client::model::marks::Mark;

/// A command that finds something, or marks a message so that it is found again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Navigation {
    /// `/list`: the channels of the server, filtered by these words.
    Channels(String),
    /// `/mentions`: mentions of the account and answers to it, or with `more` earlier ones than those that were listed.
    Mentions {
        /// Set for earlier ones.
        more: bool,
    },
    /// `/pins` and `/bookmarks`: the marked messages.
    Marked(Mark),
    /// `/pin` and `/bookmark`: mark the selected message, or the latest one.
    Mark(Mark),
    /// `/unpin` and `/unbookmark`: take the mark away from the message with this number in the list, or from the selected
    /// or latest one.
    Unmark(Mark, Option<usize>),
    /// `/thread`: the selected message, or the last one of another account, with its answers, or with `more` further answers.
    Thread {
        /// Set for further answers.
        more: bool,
    },
}
