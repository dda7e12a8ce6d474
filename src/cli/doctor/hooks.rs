//! Check of the hooks that send messages to programs.

use std::path::Path;

use anyhow::anyhow;

use super::report::Finding;
use crate::cli::admin::hook::list_hooks;
use crate::cli::output::format_minute;
use crate::server::admin::Hook;
use crate::server::admin::control::ControlClient;

/// Warns of the hooks of a running server that cannot send. Which fail, only it knows.
pub fn check(data: &Path) -> Vec<Finding> {
    // Another check has reported a server that cannot be asked.
    let Ok(mut client) = ControlClient::connect(data) else { return Vec::new() };
    let listed = list_hooks(|query| client.send_request(&query.into()).map_err(|error| anyhow!("{error}")));
    listed.unwrap_or_default().iter().filter_map(describe).collect()
}

fn describe(hook: &Hook) -> Option<Finding> {
    let (since, reason) = (hook.failing_since?, hook.failing_reason.as_deref()?);
    let summary = format!("the hook {} fails since {}: {reason}", hook.name, format_minute(since));
    let remedy = "look after the program that it sends to, or end it with `parlour hook revoke`";
    Some(Finding::warning("hooks", summary, remedy))
}
