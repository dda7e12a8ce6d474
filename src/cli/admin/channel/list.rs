//! Lists of channels.

use serde::Serialize;

use super::queries::{channels, describe, describe_limits, find, history_size};
use crate::cli::admin::Admin;
use crate::cli::output::{format_minute, print, print_objects, print_table};
use crate::client::text::clean::clean;
use crate::core::record::RetentionLimits;
use crate::server::admin::channels::{Channel, HistorySize};
use crate::wire::ChannelName;

/// Prints all channels.
pub fn print_channels(admin: &Admin, json: bool) -> anyhow::Result<()> {
    let channels = channels(admin)?;
    if json {
        return print_objects(&channels);
    }
    let mut rows =
        vec![["CHANNEL", "MEMBERS", "ONLINE", "MODES", "STATE", "CREATED", "TOPIC"].map(ToOwned::to_owned)];
    rows.extend(channels.into_iter().map(|channel| {
        [
            channel.name.to_string(),
            channel.members.to_string(),
            channel.online.to_string(),
            channel.modes,
            if channel.archived.is_some() { "archived" } else { "open" }.to_owned(),
            format_minute(channel.created),
            clean(&channel.topic),
        ]
    }));
    print_table(&rows)
}

/// Prints one channel.
pub fn show(admin: &Admin, name: ChannelName, json: bool) -> anyhow::Result<()> {
    let size = history_size(admin, &name, None)?;
    let latest = size.latest.map_or_else(String::new, |at| format!(", the latest {}", format_minute(at)));
    let history = describe(size) + &latest;
    let channel = find(admin, name)?;
    if json {
        return print_objects(&[DescribedChannel { channel, history: size }]);
    }
    let by = |name: Option<String>| name.unwrap_or_else(|| "the command line".to_owned());
    let founders: Vec<String> = channel.founders.iter().map(ToString::to_string).collect();
    let mut lines = vec![
        ("channel", channel.name.to_string()),
        (
            "created",
            format!(
                "{} by {}",
                format_minute(channel.created),
                by(channel.created_by.map(|nick| nick.to_string()))
            ),
        ),
        ("modes", channel.modes),
        ("members", format!("{}, {} of them online", channel.members, channel.online)),
        ("founders", if founders.is_empty() { "none".to_owned() } else { founders.join(", ") }),
        ("bans, exceptions", channel.list_entries.to_string()),
        ("history", history),
        (
            "retention",
            describe_limits(RetentionLimits {
                keep_days: channel.keep_days,
                keep_messages: channel.keep_messages,
            }),
        ),
    ];
    if let Some(at) = channel.archived {
        lines.push(("archived", format_minute(at)));
    }
    if let Some((by, at)) = channel.topic_by.zip(channel.topic_at) {
        lines.push(("topic", clean(&channel.topic)));
        lines.push(("topic set", format!("{} by {by}", format_minute(at))));
    }
    let text =
        lines.into_iter().fold(String::new(), |text, (label, value)| text + &format!("{label:<18}{value}\n"));
    print(&text)
}

/// A channel with the size of its history, as JSON.
#[derive(Serialize)]
struct DescribedChannel {
    #[serde(flatten)]
    channel: Channel,
    history: HistorySize,
}
