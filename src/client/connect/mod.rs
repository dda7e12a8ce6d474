//! From known addresses to a session: connecting, logging in, reconnecting.
//!
//! | file | purity | content |
//! | --- | --- | --- |
//! | `backoff` | pure | delays between reconnects |
//! | [`dial`] | IO | from addresses to an encrypted stream to the right server |
//! | [`discover`] | IO | servers that announce themselves on the local network |
//! | `replies` | pure | replies to a command among the other lines of the server |
//! | [`search`] | IO | search for a known server that has moved |
//! | [`connection`] | IO | one connection with its login |
//! | [`login`] | pure | capabilities and SASL, or the redemption of an invite |
//! | [`password`] | pure | a password to send to the server |
//! | [`session`] | IO | a model with a connection that is re-established automatically |

pub(in crate::client) mod backoff;
pub mod connection;
pub mod dial;
pub mod discover;
#[cfg(test)]
pub(crate) mod fake_server;
pub mod login;
pub mod password;
pub(in crate::client) mod replies;
pub mod search;
pub mod session;
