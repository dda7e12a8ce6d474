//! The channels that one is in.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::isupport::Isupport;
use crate::wire::{ChannelName, Nick};

/// A channel as its members see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Channel {
    /// Its topic, empty for none.
    pub topic: String,
    /// Who is in it, with the signs of their rank before the name (`@`, `+`, …).
    pub members: BTreeMap<Nick, String>,
    /// The connection broke since, and the server has not said that one is in it still.
    stale: bool,
}

/// All of them, and what is being asked about them.
#[derive(Debug, Default)]
pub(super) struct Channels {
    pub joined: BTreeMap<ChannelName, Channel>,
    /// Asked to be joined, not answered yet.
    pub wanted: BTreeSet<ChannelName>,
    /// Names are shown when they have come.
    names_wanted: BTreeSet<ChannelName>,
    topics_wanted: BTreeSet<ChannelName>,
    /// The names that have come so far.
    collecting: HashMap<ChannelName, Vec<String>>,
    /// Bytes of these, about.
    collected: usize,
}

/// Most channels that one can be in, and most members of one, that are believed: more says only a server of ill will.
pub(super) const MOST_CHANNELS: usize = 2_000;
/// See [`MOST_CHANNELS`].
pub(super) const MOST_MEMBERS: usize = 100_000;
/// Most lists of names that come at once.
const MOST_LISTS: usize = 100;

/// Most members of all channels with a hundred and more: a person on the largest networks sees some ten thousand.
const MOST_OF_ALL: usize = 300_000;

/// Channels with fewer members are not counted among [`MOST_OF_ALL`]: all of them together have no more.
const FEW: usize = 100;

/// Most bytes of the lists of names that have not come to their end.
const MOST_COLLECTED: usize = 16 * 1024 * 1024;

/// Longest name in a list that is taken, in bytes, with its ranks and its host.
const NAME: usize = 512;

/// Most bytes of a topic that are kept: ten times what servers allow.
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

    /// Membership belongs to the account and the server tells of every channel at login: those that it did
    /// not mention were left from elsewhere. Forgets them and says which they were.
    pub fn drop_stale(&mut self) -> Vec<ChannelName> {
        self.joined.extract_if(.., |_, channel| channel.stale).map(|(name, _)| name).collect()
    }

    /// One came into a channel oneself. Is it new, so that it is worth telling?
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

    /// A part of a list of names (353).
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

    /// Somebody came into a channel. `None` where one is not there oneself.
    pub fn came(&mut self, name: &ChannelName, who: Nick) -> Option<()> {
        let few = self.joined.get(name)?.members.len() < FEW;
        let room = few || self.of_all() < MOST_OF_ALL;
        let members = &mut self.joined.get_mut(name)?.members;
        if room && members.len() < MOST_MEMBERS {
            members.insert(who, String::new());
        }
        Some(())
    }

    /// Members of all large channels.
    fn of_all(&self) -> usize {
        self.joined.values().map(|channel| channel.members.len()).filter(|count| *count >= FEW).sum()
    }

    /// The list of names has ended (366): what to show, if it is to be shown.
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

    /// The topic is this now. Is it worth telling?
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
    // With userhost-in-names there is a host behind the nick.
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
    fn what_a_server_says_of_channels_is_bounded_as_a_whole() {
        let (mut channels, server) = (Channels::default(), Isupport::default());
        let names: Vec<String> = (0..5000).map(|n| format!("@+member{n}")).collect();
        let names = names.join(" ");
        for n in 0..100 {
            channels.entered(&channel(n));
            // Lists that never end.
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
