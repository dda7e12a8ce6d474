//! Queries about channels, and descriptions of the replies.

use anyhow::{Context as _, bail};
use indicatif::{HumanBytes, HumanCount};

use crate::cli::admin::Admin;
use crate::core::record::RetentionLimits;
use crate::server::admin::channels::{Channel, ChannelQuery, ChannelReply, HistorySize};
use crate::server::admin::{AdminQuery, AdminReply};
use crate::wire::{ChannelName, Timestamp};

/// Sends a query about channels.
pub fn query(admin: &Admin, query: ChannelQuery) -> anyhow::Result<ChannelReply> {
    match admin.request(AdminQuery::Channels(query))? {
        AdminReply::Channels(reply) => Ok(reply),
        _ => bail!("an unexpected answer"),
    }
}

/// Returns all channels, by querying page after page.
pub fn channels(admin: &Admin) -> anyhow::Result<Vec<Channel>> {
    let mut channels: Vec<Channel> = Vec::new();
    loop {
        let after = channels.last().map(|channel| channel.name.clone());
        let ChannelReply::Channels(page) = query(admin, ChannelQuery::List { after })? else {
            bail!("an unexpected answer")
        };
        if page.is_empty() {
            return Ok(channels);
        }
        channels.extend(page);
    }
}

/// Returns a channel.
pub fn find(admin: &Admin, name: ChannelName) -> anyhow::Result<Channel> {
    match query(admin, ChannelQuery::Show(name))? {
        ChannelReply::Channels(mut found) => found.pop().context("an unexpected answer"),
        _ => bail!("an unexpected answer"),
    }
}

/// Returns what the history has of a channel, or has from before a time.
pub fn history_size(
    admin: &Admin,
    channel: &ChannelName,
    before: Option<Timestamp>,
) -> anyhow::Result<HistorySize> {
    match query(admin, ChannelQuery::History { channel: channel.clone(), before })? {
        ChannelReply::History(found) => Ok(found),
        _ => bail!("an unexpected answer"),
    }
}

/// Describes the messages of a channel by their number and size.
pub fn describe(size: HistorySize) -> String {
    match size.messages {
        0 => "no messages".to_owned(),
        1 => format!("1 message ({})", HumanBytes(size.bytes)),
        count => format!("{} messages ({})", HumanCount(count), HumanBytes(size.bytes)),
    }
}

/// Describes limits of the history.
pub fn describe_limits(limits: RetentionLimits) -> String {
    let days = match limits.keep_days {
        None => "as many days as parlour.toml says".to_owned(),
        Some(0) => "for ever".to_owned(),
        Some(1) => "1 day".to_owned(),
        Some(days) => format!("{days} days"),
    };
    let messages = match limits.keep_messages {
        None => "as many messages as parlour.toml says".to_owned(),
        Some(0) => "all messages".to_owned(),
        Some(1) => "1 message".to_owned(),
        Some(count) => format!("the latest {count} messages"),
    };
    format!("{days}, {messages}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_described_by_number_and_size() {
        let size = |messages, bytes| HistorySize { entries: 9, messages, bytes, latest: None };
        assert_eq!(describe(size(0, 0)), "no messages");
        assert_eq!(describe(size(1, 5)), "1 message (5 B)");
        assert_eq!(describe(size(12_345, 3 << 20)), "12,345 messages (3.00 MiB)");
    }
}
