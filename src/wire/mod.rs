//! The IRC line protocol: framing, messages, names, masks, capabilities, numerics and replies.
//!
//! Follows the [modern IRC client protocol](https://modern.ircdocs.horse/) and the
//! [IRCv3 specifications](https://ircv3.net/irc/). Pure: nothing here does IO or reads a clock.

pub mod caps;
pub mod chars;
pub mod file_name;
pub mod formatting;
pub mod framing;
pub mod ids;
pub mod line;
pub mod mask;
pub mod message;
pub mod names;
pub mod numeric;
pub mod server_name;
pub mod splitting;
#[cfg(test)]
pub(crate) mod vectors;

pub use caps::{Cap, CapSet};
pub use ids::{MessageId, Timestamp};
pub use line::LineWriter;
pub use line::reply::Reply;
pub use line::tagging::{BatchRef, Label, Tagging};
pub use mask::{Glob, Mask};
pub use message::{Message, Tags};
pub use names::{ChannelName, Nick};
pub use server_name::ServerName;
