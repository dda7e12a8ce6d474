//! State behind the windows that list or find something.
//!
//! | module | content |
//! | --- | --- |
//! | [`directory`] | channels and accounts that a server lists |
//! | [`listed_message`] | a message for a list |
//! | [`marks`] | pinned messages and bookmarks |
//! | [`mentions`] | mentions and answers that came in |
//! | [`mention_query`] | queries for older mentions and answers |
//! | [`offline`] | servers that cannot be asked |
//! | [`thread`] | a message and its answers, as far as they are loaded |
//! | [`thread_query`] | queries for the rest of a thread |

pub mod directory;
pub mod listed_message;
pub mod marks;
pub mod mention_query;
pub mod mentions;
pub mod offline;
pub mod thread;
pub mod thread_query;
