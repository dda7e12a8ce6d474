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
}

/// Most channels that one can be in, and most members of one, that are believed: more says only a server of ill will.
pub(super) const MOST_CHANNELS: usize = 2_000;
/// See [`MOST_CHANNELS`].
pub(super) const MOST_MEMBERS: usize = 100_000;
/// Most lists of names that come at once.
const MOST_LISTS: usize = 100;

impl Channels {
    pub fn disconnected(&mut self) {
        self.collecting.clear();
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
        let room = MOST_MEMBERS.saturating_sub(list.len());
        list.extend(names.split(' ').filter(|name| !name.is_empty()).take(room).map(str::to_owned));
    }

    /// Somebody came into a channel. `None` where one is not there oneself.
    pub fn came(&mut self, name: &ChannelName, who: Nick) -> Option<()> {
        let members = &mut self.joined.get_mut(name)?.members;
        if members.len() < MOST_MEMBERS {
            members.insert(who, String::new());
        }
        Some(())
    }

    /// The list of names has ended (366): what to show, if it is to be shown.
    pub fn names_ended(&mut self, channel: &ChannelName, server: &Isupport) -> Option<Vec<String>> {
        let mut names = self.collecting.remove(channel).unwrap_or_default();
        if let Some(channel) = self.joined.get_mut(channel) {
            channel.members = names.iter().filter_map(|name| member(name, server)).collect();
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
            Some(channel) if channel.topic != text => text.clone_into(&mut channel.topic),
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
