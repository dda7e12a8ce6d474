//! What the integration tests stand on: the real binary in a folder of its own, and an IRC client
//! that shares no protocol code with it.
//!
//! Everything waits for an event. [`PATIENCE`] is only there so that a test that would wait for ever
//! fails instead.

mod client;
mod device;
pub mod history;
mod home;
mod impostor;
mod lan;
mod line;
mod look;
mod process;
pub mod script;
mod server;

use std::time::Duration;

pub use client::{Client, FULL, LONG, sasl_plain};
pub use device::Device;
pub use home::Home;
pub use impostor::Impostor;
pub use lan::Lan;
pub use line::Line;
pub use look::{answer, commands, gather, names, refused, server_with_admin, shown, the};
pub use process::Process;
pub use server::Server;

/// How long an awaited event may take before the test gives up: far longer than any machine needs.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The password of every account that [`Home::with_people`] makes.
pub const PASSWORD: &str = "lanterns-over-the-harbour";

/// A server with the accounts alice, bob and carol.
pub fn server() -> Server {
    server_with(&[])
}

/// The same with lines added to its configuration, each a dotted key: `limits.login_timeout_s = 1`.
pub fn server_with(config: &[&str]) -> Server {
    Home::with_people(config).serve()
}
