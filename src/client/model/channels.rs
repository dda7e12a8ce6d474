//! The channels that the account is in.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::isupport::{Isupport, PrefixedName};
use crate::wire::{ChannelName, Nick};

/// The state of a channel as its members see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Channel {
    /// The topic; empty if there is none.
    pub topic: String,
    /// The members with the prefixes of their status (`@`, `+`, …), highest first.
    pub members: BTreeMap<Nick, String>,
    /// Set by a broken connection, until the server confirms the membership again.
    is_stale: bool,
}

/// The joined channels, and the commands about channels that have no reply yet.
#[derive(Debug, Default)]
pub(super) struct Channels {
    pub joined: BTreeMap<ChannelName, Channel>,
    /// Channels to join, for which the server has not replied yet.
    pub pending_joins: BTreeSet<ChannelName>,
    /// Channels whose names the user asked to see, or that are new.
    names_requested: BTreeSet<ChannelName>,
    topics_requested: BTreeSet<ChannelName>,
    /// Names received so far for lists that have not ended.
    partial_names: HashMap<ChannelName, Vec<String>>,
    /// Approximate memory of `partial_names`, in bytes.
    partial_names_bytes: usize,
}

/// Limit of joined channels that the client keeps; only a hostile server names more.
pub(super) const MAX_CHANNELS: usize = 2_000;
/// Limit of members of one channel, for the same reason as [`MAX_CHANNELS`].
pub(super) const MAX_MEMBERS: usize = 100_000;
/// Limit of lists of names under construction.
const MAX_PARTIAL_LISTS: usize = 100;

/// Limit of members of all large channels together. An account on the largest networks sees about ten thousand.
const MAX_LARGE_CHANNEL_MEMBERS: usize = 300_000;

/// Size from which a channel is large. Smaller ones don't count towards [`MAX_LARGE_CHANNEL_MEMBERS`], because even all of them
/// together stay below it.
const LARGE_CHANNEL: usize = 100;

/// Limit of memory for lists of names under construction, in bytes.
const MAX_PARTIAL_NAMES_BYTES: usize = 16 * 1024 * 1024;

/// Limit of a name in a list, with its prefixes and its host, in bytes.
const MAX_NAME_BYTES: usize = 512;

/// Limit of a stored topic, in bytes: ten times what servers allow.
const MAX_TOPIC_BYTES: usize = 4 * 1024;

impl Channels {
    pub fn disconnected(&mut self) {
        self.partial_names.clear();
        self.partial_names_bytes = 0;
        self.names_requested.clear();
        self.topics_requested.clear();
        for channel in self.joined.values_mut() {
            channel.is_stale = true;
        }
    }

    /// Removes and returns the channels that the server did not mention at login: another session left them. Parlour's
    /// memberships belong to the account, and the server lists them all at login.
    pub fn remove_stale(&mut self) -> Vec<ChannelName> {
        self.joined.extract_if(.., |_, channel| channel.is_stale).map(|(name, _)| name).collect()
    }

    /// Records that the account joined a channel. Returns whether it is new, so that the user should see it.
    pub fn add_joined(&mut self, name: &ChannelName) -> bool {
        self.pending_joins.remove(name);
        let known = self.joined.contains_key(name);
        if !known && self.joined.len() >= MAX_CHANNELS {
            return false;
        }
        // The name may have changed in case while there was no connection, and a map keeps the key that it has.
        let mut channel = self.joined.remove(name).unwrap_or_default();
        channel.is_stale = false;
        channel.members.clear();
        self.joined.insert(name.clone(), channel);
        if !known {
            self.names_requested.insert(name.clone());
        }
        !known
    }

    pub fn request_names(&mut self, name: &ChannelName) {
        self.names_requested.insert(name.clone());
    }

    pub fn request_topic(&mut self, name: &ChannelName) {
        self.topics_requested.insert(name.clone());
    }

    /// Adds a part of a list of names (`RPL_NAMREPLY`, 353).
    pub fn collect_names(&mut self, channel: ChannelName, names: &str) {
        if self.partial_names.len() >= MAX_PARTIAL_LISTS && !self.partial_names.contains_key(&channel) {
            return;
        }
        let list = self.partial_names.entry(channel).or_default();
        for name in names.split(' ').filter(|name| !name.is_empty() && name.len() <= MAX_NAME_BYTES) {
            let size = size_of::<String>() + name.len();
            if list.len() >= MAX_MEMBERS || self.partial_names_bytes + size > MAX_PARTIAL_NAMES_BYTES {
                return;
            }
            self.partial_names_bytes += size;
            list.push(name.to_owned());
        }
    }

    /// Records that another account joined a channel. Returns `None` if this account is not in it.
    pub fn add_member(&mut self, name: &ChannelName, nick: Nick) -> Option<()> {
        let few = self.joined.get(name)?.members.len() < LARGE_CHANNEL;
        let room = few || self.large_channel_members() < MAX_LARGE_CHANNEL_MEMBERS;
        let members = &mut self.joined.get_mut(name)?.members;
        // An account may come back with its nick in another case, and a map keeps the key that it has.
        members.remove(&nick);
        if room && members.len() < MAX_MEMBERS {
            members.insert(nick, String::new());
        }
        Some(())
    }

    /// Returns the number of members in large channels.
    fn large_channel_members(&self) -> usize {
        self.joined
            .values()
            .map(|channel| channel.members.len())
            .filter(|count| *count >= LARGE_CHANNEL)
            .sum()
    }

    /// Completes a list of names (`RPL_ENDOFNAMES`, 366). Returns the sorted names if the user should see them.
    pub fn finish_names(&mut self, channel: &ChannelName, server: &Isupport) -> Option<Vec<String>> {
        let mut names = self.partial_names.remove(channel).unwrap_or_default();
        let size: usize = names.iter().map(|name| size_of::<String>() + name.len()).sum();
        self.partial_names_bytes = self.partial_names_bytes.saturating_sub(size);
        if let Some(channel) = self.joined.get_mut(channel) {
            channel.members.clear();
        }
        let room = MAX_LARGE_CHANNEL_MEMBERS.saturating_sub(self.large_channel_members()).max(LARGE_CHANNEL);
        if let Some(channel) = self.joined.get_mut(channel) {
            channel.members = names.iter().filter_map(|name| parse_member(name, server)).take(room).collect();
        }
        self.names_requested.remove(channel).then(|| {
            names.sort_by_key(|name| server.split_prefixes(name).name.to_ascii_lowercase());
            names
        })
    }

    /// Records the topic of a channel. Returns whether the user should see it: it changed, or they asked for it.
    pub fn set_topic(&mut self, channel: &ChannelName, text: &str) -> bool {
        let requested = self.topics_requested.remove(channel);
        match self.joined.get_mut(channel) {
            Some(channel) if channel.topic != text => {
                text.get(..text.floor_char_boundary(MAX_TOPIC_BYTES))
                    .unwrap_or_default()
                    .clone_into(&mut channel.topic);
            }
            _ => return requested,
        }
        true
    }
}

fn parse_member(name: &str, server: &Isupport) -> Option<(Nick, String)> {
    let PrefixedName { name, prefixes } = server.split_prefixes(name);
    // With `userhost-in-names` the nick is followed by a host.
    let nick = Nick::parse_foreign(name.split('!').next().unwrap_or(name)).ok()?;
    Some((nick, prefixes.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(n: usize) -> ChannelName {
        ChannelName::parse(&format!("#c{n}")).expect("a name")
    }

    #[test]
    fn bounds_channels_members_and_name_lists() {
        let (mut channels, server) = (Channels::default(), Isupport::default());
        let names: Vec<String> = (0..5000).map(|n| format!("@+member{n}")).collect();
        let names = names.join(" ");
        for n in 0..100 {
            channels.add_joined(&channel(n));
            // Lists that don't end.
            for _ in 0..10 {
                channels.collect_names(channel(n), &names);
            }
        }
        assert!(channels.partial_names_bytes <= MAX_PARTIAL_NAMES_BYTES);
        let lists: usize = channels.partial_names.values().map(Vec::len).sum();
        assert!(lists <= MAX_PARTIAL_NAMES_BYTES / size_of::<String>());
        channels.collect_names(channel(0), &"x".repeat(60_000));
        for n in 0..100 {
            channels.finish_names(&channel(n), &server);
        }
        assert_eq!((channels.partial_names_bytes, channels.partial_names.len()), (0, 0));
        for n in 0..MAX_LARGE_CHANNEL_MEMBERS / 5000 + 10 {
            channels.add_joined(&channel(n));
            channels.collect_names(channel(n), &names);
            channels.finish_names(&channel(n), &server);
        }
        let members = channels.large_channel_members();
        assert!(
            (MAX_LARGE_CHANNEL_MEMBERS..=MAX_LARGE_CHANNEL_MEMBERS + 100 * LARGE_CHANNEL).contains(&members),
            "{members}"
        );
        channels.set_topic(&channel(0), &"ä".repeat(30_000));
        assert_eq!(channels.joined[&channel(0)].topic.len(), MAX_TOPIC_BYTES);
        let ranks = "@".repeat(60_000) + "x";
        assert_eq!(server.split_prefixes(&ranks).prefixes.len(), 16);
    }
}
