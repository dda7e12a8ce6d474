//! Channels and who is in them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::audience::Roster;
use super::lists::Lists;
use super::metadata::Keys;
use super::modes::Modes;
use super::ranks::{Rank, Ranks};
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
    /// The account that made it, whatever became of that one's ranks and membership.
    pub maker: Option<AccountId>,
    /// Its topic.
    pub topic: Option<Topic>,
    /// The accounts in it, whether they are online or not.
    pub members: BTreeSet<AccountId>,
    /// The sessions of its members.
    pub audience: Roster,
    /// Something was said in it: it is kept when the last member leaves.
    pub spoken_in: bool,
    /// Its modes.
    pub modes: Modes,
    /// Who has ranks in it, whether a member or not.
    pub ranks: BTreeMap<AccountId, Ranks>,
    /// Bans and the like.
    pub lists: Lists,
    /// Who may join once although it is invite-only.
    pub invited: BTreeSet<AccountId>,
    /// Who asked to be invited of late, and when by the steady clock.
    pub knocks: BTreeMap<AccountId, Millis>,
    /// Its metadata.
    pub metadata: Keys,
}

impl Channel {
    /// Most invitations that wait for who was invited.
    pub const INVITED: usize = 500;

    fn new(id: ChannelId, name: ChannelName, created: Millis, maker: Option<AccountId>) -> Self {
        Self {
            id,
            name,
            created,
            maker,
            topic: None,
            members: BTreeSet::new(),
            audience: Roster::default(),
            spoken_in: false,
            modes: Modes::default(),
            ranks: BTreeMap::new(),
            lists: Lists::default(),
            invited: BTreeSet::new(),
            knocks: BTreeMap::new(),
            metadata: Keys::default(),
        }
    }

    /// The ranks of an account.
    pub fn ranks(&self, account: AccountId) -> Ranks {
        self.ranks.get(&account).copied().unwrap_or_default()
    }

    /// Is it an account's own, so that no ban or lock keeps the account out?
    pub fn is_founder(&self, account: AccountId) -> bool {
        self.ranks(account).has(Rank::Founder)
    }

    /// Nobody would miss it once it is empty: nothing was said in it and nothing set.
    pub fn is_plain(&self) -> bool {
        !self.spoken_in
            && self.topic.is_none()
            && self.modes == Modes::default()
            && self.lists.is_empty()
            && self.metadata.is_empty()
    }
}

/// All channels, by number and by name.
#[derive(Debug, Default)]
pub struct Channels {
    by_id: BTreeMap<ChannelId, Channel>,
    by_name: HashMap<ChannelName, ChannelId>,
    last: i64,
    /// How many of them each account made.
    made: HashMap<AccountId, usize>,
    /// Names that channels had, and since when they have them no more.
    renamed: HashMap<ChannelName, (ChannelId, Millis)>,
}

impl Channels {
    /// For so many milliseconds who asks for a channel's old name is led to it: a week, in which everybody has been
    /// back. Then the name is free.
    pub const REDIRECT: u64 = 7 * 24 * 60 * 60 * 1000;

    /// Most old names of a channel that lead to it.
    pub const OLD_NAMES: u32 = 8;

    /// From what was kept; `last` is the largest number ever given.
    pub fn new(stored: Vec<StoredChannel>, last: i64) -> Self {
        let mut channels = Self { last, ..Self::default() };
        for channel in stored {
            for (old, at) in channel.old_names {
                channels.renamed.insert(old, (channel.id, at));
            }
            channels.insert(Channel {
                topic: channel.topic,
                members: channel.members.into_iter().collect(),
                spoken_in: channel.spoken_in,
                modes: channel.modes,
                ranks: channel.ranks.into_iter().collect(),
                lists: channel.lists.into_iter().collect(),
                invited: channel.invited.into_iter().collect(),
                ..Channel::new(channel.id, channel.name, channel.created, channel.maker)
            });
        }
        channels
    }

    /// Makes a channel with the next number.
    pub fn create(&mut self, name: ChannelName, maker: AccountId, at: Millis) -> &mut Channel {
        let id = ChannelId(self.last + 1);
        self.renamed.remove(&name);
        self.insert(Channel::new(id, name, at, Some(maker)))
    }

    /// Gives a channel another name, and remembers the old one.
    pub fn rename(&mut self, id: ChannelId, new: &ChannelName, at: Millis) {
        let Some(channel) = self.by_id.get_mut(&id) else { return };
        let old = std::mem::replace(&mut channel.name, new.clone());
        self.by_name.remove(&old);
        self.renamed.remove(new);
        self.by_name.insert(new.clone(), id);
        if old != *new {
            self.renamed.insert(old, (id, at));
            // In the order in which the store does it, so that both keep the same ones.
            self.renamed.retain(|_, (_, since)| at.0.saturating_sub(since.0) < Self::REDIRECT);
            let own = self.renamed.iter().filter(|(_, (of, _))| *of == id);
            let mut own: Vec<_> = own.map(|(name, (_, since))| (*since, name.clone())).collect();
            own.sort_unstable_by(|(a, name), (b, other)| b.cmp(a).then_with(|| name.cmp(other)));
            for (_, name) in own.into_iter().skip(Self::OLD_NAMES as usize) {
                self.renamed.remove(&name);
            }
        }
    }

    /// Forgets what channels hold of an account that is removed.
    pub fn forget_account(&mut self, account: AccountId) {
        for channel in self.by_id.values_mut() {
            channel.ranks.remove(&account);
            channel.invited.remove(&account);
            channel.knocks.remove(&account);
        }
    }

    /// The largest number that was ever given.
    #[cfg(test)]
    pub fn last(&self) -> i64 {
        self.last
    }

    /// Names that channels had, each with the channel and since when it has another.
    #[cfg(test)]
    pub fn old_names(&self) -> impl Iterator<Item = (&ChannelName, ChannelId, Millis)> {
        self.renamed.iter().map(|(name, &(id, since))| (name, id, since))
    }

    /// Number of channels that an account made and that still exist. Ranks play no part in it: a quota that counted
    /// founders could be given away, to nobody or to somebody else.
    pub fn made_by(&self, account: AccountId) -> usize {
        self.made.get(&account).copied().unwrap_or_default()
    }

    /// The channel that had this name until lately.
    pub fn renamed(&self, old: &ChannelName, now: Millis) -> Option<&Channel> {
        let &(id, at) = self.renamed.get(old)?;
        self.get(id).filter(|_| now.0.saturating_sub(at.0) < Self::REDIRECT)
    }

    fn insert(&mut self, channel: Channel) -> &mut Channel {
        let id = channel.id;
        self.last = self.last.max(id.0);
        if let Some(maker) = channel.maker {
            *self.made.entry(maker).or_default() += 1;
        }
        self.by_name.insert(channel.name.clone(), id);
        self.by_id.entry(id).insert_entry(channel).into_mut()
    }

    /// Forgets a channel.
    pub fn remove(&mut self, id: ChannelId) {
        if let Some(channel) = self.by_id.remove(&id) {
            if let Some(maker) = channel.maker
                && let Some(made) = self.made.get_mut(&maker)
            {
                *made -= 1;
                if *made == 0 {
                    self.made.remove(&maker);
                }
            }
            self.by_name.remove(&channel.name);
            self.renamed.retain(|_, (of, _)| *of != id);
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
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Channel> {
        self.by_id.values()
    }
}
