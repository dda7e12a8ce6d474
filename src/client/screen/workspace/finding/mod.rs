//! State behind the windows that find something.
//!
//! | module | content |
//! | --- | --- |
//! | [`directory`] | channels and accounts that a server lists |
//! | [`found`] | a message for a list |
//! | [`marks`] | pinned messages and bookmarks |
//! | [`mentions`] | mentions and answers that came in |
//! | [`thread`] | a message and its answers |

pub mod directory;
pub mod found;
pub mod marks;
pub mod mentions;
pub mod thread;
