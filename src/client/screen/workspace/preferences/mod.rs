//! What the client remembers for its user.
//!
//! | module | content |
//! | --- | --- |
//! | [`settings`] | what the settings change, and their changes |
//! | [`filter`] | ignored accounts, words that count as a mention |
//! | [`notifying`] | levels of notification, do-not-disturb |
//! | [`remembered`] | drafts, uses and the conversation on the screen, from one run to the next |

pub mod filter;
pub mod notifying;
pub mod remembered;
pub mod settings;
