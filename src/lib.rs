//! Parlour: encrypted, authenticated chat for the people on your network.
//!
//! The modules. Each depends only on those above it, and [`server`] and [`client`] do not depend on each other:
//!
//! | module | purity | content |
//! | --- | --- | --- |
//! | `invariants` | pure | the assertion of values that must exist |
//! | `platform` | IO | what differs between operating systems |
//! | [`wire`] | pure | the IRC line protocol: framing, messages and tags, names, numerics, capabilities |
//! | [`core`] | pure | the rules: login machine, channels, members, one file a command |
//! | [`trust`] | files | certificates, pins, the pinning verifier, TLS, invite links |
//! | [`web`] | IO | the page: its files, HTTP and WebSocket, for the server and for the client |
//! | [`store`] | IO | SQLite: accounts, invites, history; one writer thread, a few readers |
//! | [`backup`] | IO | backups of a server: written, verified, restored |
//! | [`server`] | IO | listener, connections, password pool, the hub that owns the core; administration, settings |
//! | [`client`] | IO around a pure model | the client: login, model, known servers, rendering |
//! | [`cli`] | IO | the command line: one file a subcommand |
//!
//! `wire` and `core` never use a socket, a clock, a random source or a file: time and randomness come in with the
//! input. ARCHITECTURE.md follows a message through all the modules.

// These macros panic when the output cannot be written; `cli::output` does not.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod backup;
pub mod cli;
pub mod client;
pub mod core;
mod invariants;
mod platform;
pub mod server;
pub mod store;
pub mod trust;
pub mod web;
pub mod wire;
