//! The feed of messages and events for scripts: complete, in order, without duplicates.
//!
//! | file | content |
//! | --- | --- |
//! | `entry` | a message or event |
//! | `format` | an entry as JSON or as text |
//! | `reader` | results of history queries |
//! | `follow` | joins history and live messages, also across broken connections |
//! | `search` | a search, page by page |
//! | `export` | pages through the history from its start, or through its newest part |
//!
//! All of it is pure: decoded lines and results come in, queries and entries to print come out.

mod entry;
mod export;
mod follow;
mod format;
mod reader;
mod search;
#[cfg(test)]
mod tests;

pub use entry::{Entry, EntryKind};
pub use export::{Export, ExportSelection};
pub use follow::Follow;
pub use format::escape_json;
pub use reader::QueryResult;
pub use search::HistorySearch;

/// Largest page that the client requests, in messages: Parlour's own limit (`CHATHISTORY=1000`). A server with a lower
/// limit is queried more often.
pub const PAGE_SIZE: usize = 1000;
