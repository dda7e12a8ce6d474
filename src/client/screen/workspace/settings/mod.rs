//! Settings and state that the client remembers for its user.
//!
//! | module | content |
//! | --- | --- |
//! | [`changes`] | changes of settings, and their effect on the screen |
//! | [`filter`] | ignored accounts, words that count as a mention |
//! | [`notifying`] | levels of notification, do-not-disturb |
//! | [`unsent`] | messages that are not confirmed, from one run to the next |
//! | [`drafts`] | drafts that make room for other texts and come back, and those of threads and closed conversations |
//! | [`remembered`] | drafts, uses and the conversation on the screen, from one run to the next |

pub mod changes;
pub mod drafts;
pub mod filter;
pub mod notifying;
pub mod remembered;
pub mod unsent;
