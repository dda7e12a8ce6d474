//! The channels that the account is in.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::isupport::Isupport;
use crate::wire::{ChannelName, Nick};

/// The state of a channel as its members see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Channel {
    /// The topic; empty if there is none.
    pub topic: String,
    /// The members with the prefixes of their status (`@`, `+`, …), highest first.
    pub members: BTreeMap<Nick, String>,
    /// Set by a broken connection, until the server confirms the membership again.
    stale: bool,
}

/// The joined channels, and the commands about channels that have no reply yet.
#[derive(Debug, Default)]
pub(super) struct Channels {
    pub joined: BTreeMap<ChannelName, Channel>,
    /// Channels to join, for which the server has not replied yet.
    pub wanted: BTreeSet<ChannelName>,
    /// Channels whose names the user asked to see, or that are new.
    names_wanted: BTreeSet<ChannelName>,
    topics_wanted: BTreeSet<ChannelName>,
    /// Names received so far for lists that have not ended.
    collecting: HashMap<ChannelName, Vec<String>>,
    /// Approximate memory of `collecting`, in bytes.
    collected: usize,
}

/// Limit of joined channels that the client keeps; only a hostile server names more.
pub(super) const MOST_CHANNELS: usize = 2_000;
/// Limit of members of one channel, for the same reason as [`MOST_CHANNELS`].
pub(super) const MOST_MEMBERS: usize = 100_000;
/// Limit of lists of names under construction.
const MOST_LISTS: usize = 100;

/// Limit of members of all large channels together. An account on the largest networks sees about ten thousand.
const MOST_OF_ALL: usize = 300_000;

/// Size from which a channel is large. Smaller ones don't count towards [`MOST_OF_ALL`], because even all of them
/// together stay below it.
const FEW: usize = 100;

/// Limit of memory for lists of names under construction, in bytes.
const MOST_COLLECTED: usize = 16 * 1024 * 1024;

/// Limit of a name in a list, with its prefixes and its host, in bytes.
const NAME: usize = 512;

/// Limit of a stored topic, in bytes: ten times what servers allow.
const TOPIC: usize = 4 * 1024;

impl Channels {
    pub fn disconnected(&mut self) {
        self.collecting.clear();
        self.collected = 0;
        self.names_wanted.clear();
        self.topics_wanted.clear();
        for channel in self.joined.values_mut() {
            channel.stale = true;
        }
    }

    /// Removes and returns the channels that the server did not mention at login: another session left them. Parlour's
    /// memberships belong to the account, and the server lists them all at login.
    pub fn drop_stale(&mut self) -> Vec<ChannelName> {
        self.joined.extract_if(.., |_, channel| channel.stale).map(|(name, _)| name).collect()
    }

    /// Records that the account joined a channel. Returns whether it is new, so that the user should see it.
    pub fn entered(&mut self, name: &ChannelName) -> bool {
        self.wanted.remove(name);
        let known = self.joined.contains_key(name);
        if !known && self.joined.len() >= MOST_CHANNELS {
            return false;
        }
        let channel = self.joined.entry(name.clone()).or_default();
        channel.stale = false;
        channel.members.clear();
        if !known {
            self.names_wanted.insert(name.clone());
        }
        !known
    }

    pub fn want_names(&mut self, name: &ChannelName) {
        self.names_wanted.insert(name.clone());
    }

    pub fn want_topic(&mut self, name: &ChannelName) {
        self.topics_wanted.insert(name.clone());
    }

    /// Adds a part of a list of names (`RPL_NAMREPLY`, 353).
    pub fn some_names(&mut self, channel: ChannelName, names: &str) {
        if self.collecting.len() >= MOST_LISTS && !self.collecting.contains_key(&channel) {
            return;
        }
        let list = self.collecting.entry(channel).or_default();
        for name in names.split(' ').filter(|name| !name.is_empty() && name.len() <= NAME) {
            let size = size_of::<String>() + name.len();
            if list.len() >= MOST_MEMBERS || self.collected + size > MOST_COLLECTED {
                return;
            }
            self.collected += size;
            list.push(name.to_owned());
        }
    }

    /// Records that another account joined a channel. Returns `None` if this account is not in it.
    pub fn came(&mut self, name: &ChannelName, who: Nick) -> Option<()> {
        let few = self.joined.get(name)?.members.len() < FEW;
        let room = few || self.of_all() < MOST_OF_ALL;
        let members = &mut self.joined.get_mut(name)?.members;
        if room && members.len() < MOST_MEMBERS {
            members.insert(who, String::new());
        }
        Some(())
    }

    /// Returns the number of members in large channels.
    fn of_all(&self) -> usize {
        self.joined.values().map(|channel| channel.members.len()).filter(|count| *count >= FEW).sum()
    }

    /// Completes a list of names (`RPL_ENDOFNAMES`, 366). Returns the sorted names if the user should see them.
    pub fn names_ended(&mut self, channel: &ChannelName, server: &Isupport) -> Option<Vec<String>> {
        let mut names = self.collecting.remove(channel).unwrap_or_default();
        let size: usize = names.iter().map(|name| size_of::<String>() + name.len()).sum();
        self.collected = self.collected.saturating_sub(size);
        if let Some(channel) = self.joined.get_mut(channel) {
            channel.members.clear();
        }
        let room = MOST_OF_ALL.saturating_sub(self.of_all()).max(FEW);
        if let Some(channel) = self.joined.get_mut(channel) {
            channel.members = names.iter().filter_map(|name| member(name, server)).take(room).collect();
        }
        self.names_wanted.remove(channel).then(|| {
            names.sort_by_key(|name| server.ranked(name).0.to_ascii_lowercase());
            names
        })
    }

    /// Records the topic of a channel. Returns whether the user should see it: it changed, or they asked for it.
    pub fn topic_is(&mut self, channel: &ChannelName, text: &str) -> bool {
        let asked = self.topics_wanted.remove(channel);
        match self.joined.get_mut(channel) {
            Some(channel) if channel.topic != text => {
                text.get(..text.floor_char_boundary(TOPIC))
                    .unwrap_or_default()
                    .clone_into(&mut channel.topic);
            }
            _ => return asked,
        }
        true
    }
}

fn member(name: &str, server: &Isupport) -> Option<(Nick, String)> {
    let (bare, ranks) = server.ranked(name);
    // With `userhost-in-names` the nick is followed by a host.
    let nick = Nick::heard(bare.split('!').next().unwrap_or(bare)).ok()?;
    Some((nick, ranks.to_owned()))
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
            channels.entered(&channel(n));
            // Lists that don't end.
            for _ in 0..10 {
                channels.some_names(channel(n), &names);
            }
        }
        assert!(channels.collected <= MOST_COLLECTED);
        let lists: usize = channels.collecting.values().map(Vec::len).sum();
        assert!(lists <= MOST_COLLECTED / size_of::<String>());
        channels.some_names(channel(0), &"x".repeat(60_000));
        for n in 0..100 {
            channels.names_ended(&channel(n), &server);
        }
        assert_eq!((channels.collected, channels.collecting.len()), (0, 0));
        for n in 0..MOST_OF_ALL / 5000 + 10 {
            channels.entered(&channel(n));
            channels.some_names(channel(n), &names);
            channels.names_ended(&channel(n), &server);
        }
        let members = channels.of_all();
        assert!((MOST_OF_ALL..=MOST_OF_ALL + 100 * FEW).contains(&members), "{members}");
        channels.topic_is(&channel(0), &"ä".repeat(30_000));
        assert_eq!(channels.joined[&channel(0)].topic.len(), TOPIC);
        let ranks = "@".repeat(60_000) + "x";
        assert_eq!(server.ranked(&ranks).1.len(), 16);
    }
}
