//! What the client remembers for its user.
//!
//! | module | content |
//! | --- | --- |
//! | [`remembered`] | drafts, uses and the conversation on the screen, from one run to the next |

pub mod remembered;
