//! Channels and who is in them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::audience::Audience;
use super::record::{AccountId, ChannelId, StoredChannel, Topic};
use crate::wire::{ChannelName, Millis};

/// A room.
#[derive(Debug)]
pub struct Channel {
    /// Its number.
    pub id: ChannelId,
    /// Its name.
    pub name: ChannelName,
    /// When it came to be.
    pub created: Millis,
    /// Its topic.
    pub topic: Option<Topic>,
    /// The accounts in it, whether they are online or not.
    pub members: BTreeSet<AccountId>,
    /// The sessions of its members.
    pub audience: Audience,
    /// Something was said in it: it is kept when the last member leaves.
    pub spoken_in: bool,
}

/// All channels, by number and by name.
#[derive(Debug, Default)]
pub struct Channels {
    by_id: BTreeMap<ChannelId, Channel>,
    by_name: HashMap<ChannelName, ChannelId>,
    last: i64,
}

impl Channels {
    /// From what was kept; `last` is the largest number ever given.
    pub fn new(stored: Vec<StoredChannel>, last: i64) -> Self {
        let mut channels = Self { last, ..Self::default() };
        for channel in stored {
            channels.insert(Channel {
                id: channel.id,
                name: channel.name,
                created: channel.created,
                topic: channel.topic,
                members: channel.members.into_iter().collect(),
                audience: Audience::default(),
                spoken_in: channel.spoken_in,
            });
        }
        channels
    }

    /// Makes a channel with the next number.
    pub fn create(&mut self, name: ChannelName, at: Millis) -> &mut Channel {
        let id = ChannelId(self.last + 1);
        self.insert(Channel {
            id,
            name,
            created: at,
            topic: None,
            members: BTreeSet::new(),
            audience: Audience::default(),
            spoken_in: false,
        })
    }

    fn insert(&mut self, channel: Channel) -> &mut Channel {
        let id = channel.id;
        self.last = self.last.max(id.0);
        self.by_name.insert(channel.name.clone(), id);
        self.by_id.entry(id).insert_entry(channel).into_mut()
    }

    /// Forgets a channel.
    pub fn remove(&mut self, id: ChannelId) {
        if let Some(channel) = self.by_id.remove(&id) {
            self.by_name.remove(&channel.name);
        }
    }

    /// The channel of a number.
    pub fn get(&self, id: ChannelId) -> Option<&Channel> {
        self.by_id.get(&id)
    }

    /// The channel of a number, to change.
    pub fn get_mut(&mut self, id: ChannelId) -> Option<&mut Channel> {
        self.by_id.get_mut(&id)
    }

    /// The channel of a name.
    pub fn named(&self, name: &ChannelName) -> Option<&Channel> {
        self.by_name.get(name).and_then(|id| self.by_id.get(id))
    }

    /// All of them, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Channel> {
        self.by_id.values()
    }
}
