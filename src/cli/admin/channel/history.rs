//! Retention, purge and deletion of the history of a channel.

use std::str::FromStr;

use super::change;
use super::queries::{describe, describe_limits, find, history_size};
use crate::cli::admin::Admin;
use crate::cli::confirm::Confirmation;
use crate::cli::output::{format_minute, print};
use crate::cli::progress::count_bar;
use crate::cli::script::time_argument::TimeArgument;
use crate::core::record::RetentionLimits;
use crate::core::request::channels::ChannelChange;
use crate::server::now;
use crate::wire::{ChannelName, Timestamp};

/// A limit of the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// That of the configuration.
    Default,
    /// This number; 0 for none.
    Number(u32),
}

impl FromStr for Limit {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "default" => Ok(Self::Default),
            _ => text.parse().map(Self::Number).map_err(|_| "not a number, and not `default`"),
        }
    }
}

impl Limit {
    fn value(self) -> Option<u32> {
        match self {
            Self::Default => None,
            Self::Number(number) => Some(number),
        }
    }
}

/// Prints the limits of a channel's history, or sets those that are given.
pub fn retain(
    admin: &Admin,
    channel: &ChannelName,
    days: Option<Limit>,
    messages: Option<Limit>,
) -> anyhow::Result<()> {
    let known = find(admin, channel.clone())?;
    let mut limits = RetentionLimits { keep_days: known.keep_days, keep_messages: known.keep_messages };
    if days.is_some() || messages.is_some() {
        limits = RetentionLimits {
            keep_days: days.map_or(limits.keep_days, Limit::value),
            keep_messages: messages.map_or(limits.keep_messages, Limit::value),
        };
        change(admin, channel, ChannelChange::Retention(limits))?;
    }
    print(&format!("{channel}: {}\n", describe_limits(limits)))
}

/// Removes the messages of a channel from before a time, or all, after a confirmation.
pub fn purge(
    admin: &Admin,
    channel: &ChannelName,
    before: Option<TimeArgument>,
    confirmation: Confirmation,
) -> anyhow::Result<()> {
    let now = now();
    let limit = before.map(|before| before.to_time_stamp(now));
    let found = history_size(admin, channel, limit)?;
    let which = limit.map_or_else(String::new, |limit| format!(" from before {}", format_minute(limit)));
    confirmation.ask(
        &format!("Remove {} of {channel}{which} for good?", describe(found)),
        "`parlour channel archive` keeps a channel as it is",
    )?;
    remove_history(admin, channel, limit.unwrap_or(now), found.entries)?;
    let verb = if found.messages == 1 { "is" } else { "are" };
    print(&format!("{} of {channel}{which} {verb} removed\n", describe(found)))
}

/// Removes a channel, after a confirmation.
pub fn delete(admin: &Admin, channel: &ChannelName, confirmation: Confirmation) -> anyhow::Result<()> {
    let (known, found) = (find(admin, channel.clone())?, history_size(admin, channel, None)?);
    let question =
        format!("Delete {channel} with its {} members and {} for good?", known.members, describe(found));
    confirmation.ask(&question, "`parlour channel archive` keeps a channel as it is")?;
    // Piece by piece, so that no commit waits long for it. What is written meanwhile goes with the channel.
    remove_history(admin, channel, now(), found.entries)?;
    change(admin, channel, ChannelChange::Delete)?;
    print(&format!("{channel} is deleted\n"))
}

/// Removes `entries` messages and events of a channel, the oldest first.
fn remove_history(
    admin: &Admin,
    channel: &ChannelName,
    before: Timestamp,
    entries: u64,
) -> anyhow::Result<()> {
    let bar = count_bar(entries, "messages and events");
    let step = u64::from(ChannelChange::MAX_PURGED);
    for begun in 0..entries.div_ceil(step).max(1) {
        change(admin, channel, ChannelChange::Purge { before, is_first: begun == 0 })?;
        bar.inc(step.min(entries - begun * step));
    }
    bar.finish_and_clear();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_numbers_or_the_default() {
        assert_eq!("default".parse(), Ok(Limit::Default));
        assert_eq!("0".parse(), Ok(Limit::Number(0)));
        for wrong in ["", "-1", "1.5", "Default", "4294967296"] {
            assert!(wrong.parse::<Limit>().is_err(), "{wrong}");
        }
    }
}
