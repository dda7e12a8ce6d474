//! State behind the windows that list or find something.
//!
//! | module | content |
//! | --- | --- |
//! | [`directory`] | channels and accounts that a server lists |
//! | [`listed_message`] | a message for a list |
//! | [`marks`] | pinned messages and bookmarks |
//! | [`mentions`] | mentions and answers that came in |
//! | [`thread`] | a message and its answers |

pub mod directory;
pub mod listed_message;
pub mod marks;
pub mod mentions;
pub mod thread;
