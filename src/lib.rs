//! Parlour: encrypted, authenticated chat for the people on your network.
//!
//! The modules; each names only those above it, and neither of [`server`] and [`client`] the other:
//!
//! | module | purity | what it is |
//! | --- | --- | --- |
//! | [`wire`] | pure | the IRC line protocol: framing, messages and tags, names, numerics, capabilities |
//! | [`chat`] | pure | the rules: login machine, channels, members, one file a command |
//! | [`trust`] | files | certificates, pins, the pinning verifier, TLS, invite links |
//! | [`store`] | IO | SQLite: accounts, invites, history; one writer thread, a few readers |
//! | [`server`] | IO | listener, connections, password pool, the hub that owns the chat; administration, configuration |
//! | [`client`] | IO around a pure model | the client: login, model, known servers, rendering |
//! | [`cli`] | IO | the command line: one file a subcommand |
//!
//! `wire` and `chat` never name a socket, a clock, a random source or a file: time and
//! randomness come in with the input. ARCHITECTURE.md follows a message through all of it.

// They panic where they cannot write: see `cli::output`.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod chat;
pub mod cli;
pub mod client;
pub mod server;
pub mod store;
pub mod trust;
pub mod wire;
