//! Base of the integration tests: the real binary in a folder of its own, and an IRC client that shares no protocol
//! code with it.
//!
//! Everything waits for an event. [`WAIT_TIMEOUT`] only makes a test fail that would otherwise wait without end.

mod client;
mod device;
pub mod history;
mod home;
mod impostor;
pub mod invite;
mod lan;
mod line;
mod line_assertions;
mod process;
mod requirement;
pub mod script;
mod server;

use std::thread;
use std::time::{Duration, Instant};

pub use client::{ALL_CAPABILITIES, Client, LONG_LINE_CAPABILITIES, sasl_plain};
pub use device::{Device, remove_devices};
pub use home::Home;
pub use impostor::Impostor;
pub use lan::Lan;
pub use line::{
    Line, Requests, assert_refused, commands, names_reply, only_line, request_one_line, with_nicks,
    without_tags,
};
pub use line_assertions::{assert_failure, assert_success, log_in_and_join, server_with_admin};
pub use process::{Process, run_alone, run_to_end};
pub use requirement::{NEW_MOUNTS, NEW_PIDS, can_mount, can_unshare, has_program, skipped};
pub use server::Server;

/// Time limit for an awaited event: far longer than any machine needs.
pub const WAIT_TIMEOUT: Duration = Duration::from_secs(30);

/// Password of every account that [`Home::with_accounts`] makes.
pub const PASSWORD: &str = "lanterns-over-the-harbour";

/// Waits for a condition that no output reports, such as the end of a process. Fails with `why` after [`WAIT_TIMEOUT`].
#[track_caller]
pub fn until(mut condition: impl FnMut() -> bool, why: impl FnOnce() -> String) {
    let deadline = Instant::now() + WAIT_TIMEOUT;
    while !condition() {
        assert!(Instant::now() < deadline, "{}", why());
        thread::sleep(Duration::from_millis(2));
    }
}

/// Starts a server with the accounts alice, bob and carol.
pub fn server() -> Server {
    server_with(&[])
}

/// Starts such a server with lines added to its configuration, each a dotted key: `limits.login_timeout_s = 1`.
pub fn server_with(config: &[&str]) -> Server {
    Home::with_accounts(config).serve()
}
