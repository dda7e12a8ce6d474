//! The IRC line protocol, pure: bytes in, types out, and back.
//!
//! Follows the [modern IRC client protocol](https://modern.ircdocs.horse/) and the
//! [IRCv3 specifications](https://ircv3.net/irc/). Nothing here does IO or reads a clock.

pub mod ids;
pub mod names;

pub use ids::{MessageId, Millis};
pub use names::{ChannelName, Nick};
