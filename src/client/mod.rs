//! The client: one pure model of what goes on, and the IO around it.
//!
//! | file | purity | what it does |
//! | --- | --- | --- |
//! | [`line`](mod@line) | pure | the lines that go to the server |
//! | [`split`] | pure | long texts into pieces that fit a line |
//! | [`login`] | pure | capabilities and SASL, or the redeeming of an invite |
//! | [`model`] | pure | what goes on: channels, messages on their way, what was shown |
//! | [`password`] | pure | a password on its way to the server |
//! | [`secret`] | pure | passwords in what one writes to services |
//! | [`servers`] | files | the servers that one has joined |
//! | [`dial`] | IO | from addresses to an encrypted stream to the right server |
//! | [`discover`] | IO | the servers that announce themselves on the local network |
//! | [`find`] | IO | a known server that is somewhere else than it was |
//! | [`link`] | IO | one connection, logged in |
//! | [`session`] | IO | a model with a connection under it that comes back by itself |
//! | [`feed`] | pure | what happens and what happened, for scripts |
//! | [`query`] | pure | what a search looks for |
//! | [`recent`] | pure | what was said lately, for the plain chat |
//! | [`render`] | pure | events as lines of text |
//! | [`screen`] | IO | where lines are shown |
//! | [`plain`] | IO | the plain chat: lines in, lines out |
//! | [`input`] | pure | what a typed line means |
//! | [`ui`] | pure | the full-screen chat: what is to be seen, and what keys do |
//! | [`terminal`] | IO | a terminal that is drawn on, and given back as it was |
//! | `keyboard` | IO | what the terminal sends, key by key |
//! | [`desktop`] | IO | notices on the desktop |
//! | [`full`] | IO | the full-screen chat over sessions and a terminal |
//! | [`clean`] | pure | takes out of foreign text what a terminal would obey |

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
