//! The client: a pure model of the server's state, and the IO around it.
//!
//! | module | purity | content |
//! | --- | --- | --- |
//! | [`connect`] | IO | from addresses to a session that is re-established automatically |
//! | [`keys`] | pure | key bindings and key names |
//! | [`files`] | files | the known servers, the keys of this device, the settings, the state between two runs |
//! | `http` | IO | HTTP/1.1 to a server, for files |
//! | [`model`] | pure | the state of the server: channels, unconfirmed messages, messages shown |
//! | [`answers`] | pure | answers of the server to the user's requests: sentences and cards |
//! | [`input`] | pure | typed lines and search terms: parsing and execution |
//! | [`feed`] | pure | messages and events for scripts: history joined to live messages |
//! | [`plain`] | IO | the plain chat: lines in, lines out |
//! | [`screen`] | pure | the full-screen client: view and key handling |
//! | [`terminal`] | IO | the full-screen client over sessions and a terminal |
//! | [`settings`] | pure | what the client remembers: settings, and state between two runs |
//! | [`message_secrets`] | pure | passwords in messages to services |
//! | [`text`] | pure | received text without terminal control, lines for the server, boundaries of words |
//! | [`transfer`] | IO | files to and from a server |
//! | [`web`] | IO | the page on the user's own machine |

pub mod answers;
pub mod connect;
pub mod feed;
pub mod files;
mod http;
pub mod input;
pub mod keys;
pub mod message_secrets;
pub mod model;
pub mod plain;
pub mod screen;
pub mod settings;
pub mod terminal;
pub mod text;
pub mod transfer;
pub mod web;
