//! What the client remembers for its user, without access to files: the state that it keeps between two runs.
//!
//! | module | content |
//! | --- | --- |
//! | [`state`] | drafts, uses, conversation and panels on the screen at the end of the last run |
//! | [`uses`] | counts of uses, by which choices are ranked |

pub mod state;
pub mod uses;
