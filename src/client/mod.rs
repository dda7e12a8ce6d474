//! The client: a pure model of the server's state, and the IO around it.
//!
//! | file | purity | content |
//! | --- | --- | --- |
//! | [`line`](mod@line) | pure | lines for the server |
//! | [`split`] | pure | splitting of long texts into lines |
//! | [`login`] | pure | capabilities and SASL, or the redemption of an invite |
//! | [`model`] | pure | the state of the server: channels, unconfirmed messages, messages shown |
//! | [`password`] | pure | a password to send to the server |
//! | [`secret`] | pure | passwords in messages to services |
//! | [`servers`] | files | the known servers |
//! | [`dial`] | IO | from addresses to an encrypted stream to the right server |
//! | [`discover`] | IO | servers that announce themselves on the local network |
//! | [`find`] | IO | search for a known server that has moved |
//! | [`link`] | IO | one connection with its login |
//! | [`session`] | IO | a model with a connection that is re-established automatically |
//! | [`feed`] | pure | messages and events for scripts, past and live |
//! | [`query`] | pure | search terms |
//! | [`recent`] | pure | recent messages, for the plain chat |
//! | [`render`] | pure | events as lines of text |
//! | [`screen`] | IO | output of lines |
//! | [`plain`] | IO | the plain chat: lines in, lines out |
//! | [`input`] | pure | parsing of typed lines |
//! | [`ui`] | pure | the full-screen client: view and key handling |
//! | [`terminal`] | IO | the terminal to draw on, restored at the end |
//! | `keyboard` | IO | key input of the terminal |
//! | [`desktop`] | IO | desktop notifications |
//! | [`full`] | IO | the full-screen client over sessions and a terminal |
//! | [`clean`] | pure | removal of terminal control from received text |

mod backoff;
pub mod clean;
pub mod desktop;
pub mod devices;
pub mod dial;
pub mod discover;
#[cfg(test)]
pub(crate) mod fake;
pub mod feed;
pub mod find;
pub mod full;
pub mod input;
mod keyboard;
pub mod line;
pub mod link;
pub mod login;
pub mod model;
pub mod password;
pub mod plain;
pub mod query;
pub mod recent;
pub mod render;
pub mod screen;
pub mod secret;
pub mod servers;
pub mod session;
pub mod split;
pub mod terminal;
pub mod ui;
