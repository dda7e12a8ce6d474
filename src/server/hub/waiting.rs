//! Times and events that the hub waits for, besides messages and commits.

use std::time::Duration;

use tokio::time::Instant;

use crate::server::sessions::session::ReadySessions;

/// Waits until sessions have input for the hub, or an account may spend, and then until all connections have been read
/// that are ready: so one round takes all of it, and the hub is not woken for each line. `has_gathered` keeps that across
/// calls that are cancelled, until the input is taken.
pub(super) async fn wait_for_input(
    ready: &ReadySessions,
    is_ready: bool,
    due: Option<Instant>,
    has_gathered: &mut bool,
) {
    if is_ready {
        // Other tasks run first: timers, commits, connections.
        return tokio::task::yield_now().await;
    }
    let due = async {
        match due {
            Some(due) => tokio::time::sleep_until(due).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = ready.wait() => {}
        () = due => {}
    }
    if !std::mem::replace(has_gathered, true) {
        tokio::task::yield_now().await;
    }
}

/// Waits for so long; never returns for `None`.
pub(super) async fn sleep_for(duration: Option<Duration>) {
    match duration {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}
