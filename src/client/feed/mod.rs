//! What happens and what happened, for scripts: whole, in order, each thing once.
//!
//! | file | what it does |
//! | --- | --- |
//! | `entry` | one thing that happened, from the line that tells it |
//! | `write` | an entry as JSON or as text |
//! | `reader` | lines to entries: those of now, and answers about the past |
//! | `follow` | joins the past to the present, also over broken connections |
//! | `find` | a search, page by page |
//! | `export` | goes through the past from its beginning, or its last part |
//!
//! All of it is pure: lines and answers come in, what to ask and what to print comes out.

mod entry;
mod export;
mod find;
mod follow;
mod reader;
#[cfg(test)]
mod tests;
mod write;

pub use entry::{Entry, Kind};
pub use export::{Export, Wanted};
pub use find::Find;
pub use follow::Follow;
pub use reader::{Feed, Part, Told};
pub use write::escape;

/// Most messages that are asked for at once: what Parlour gives
/// (`CHATHISTORY=1000`). A server that gives fewer is asked more often.
pub const PAGE: usize = 1000;
