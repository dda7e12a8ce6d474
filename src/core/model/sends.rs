//! Idempotent sends: memory of the send ids that clients have used.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::core::record::{AccountId, MessageKind, Place, SendId};
use crate::wire::MessageId;

/// The latest send ids of each account. Bounded, because a client resends within moments of losing its connection.
///
/// When the total is too large, the account with the most send ids loses its oldest one, so that no account can flush
/// another's.
#[derive(Debug, Default)]
pub(in crate::core) struct Sends {
    accounts: HashMap<AccountId, Own>,
    /// The accounts, ordered by their number of send ids.
    sizes: BTreeSet<(usize, AccountId)>,
    total: usize,
}

#[derive(Debug, Default)]
struct Own {
    known: HashMap<SendId, Sent>,
    /// The send ids, the oldest first.
    order: VecDeque<SendId>,
}

/// A message that was sent under a send id.
#[derive(Clone, Copy, Debug)]
pub(in crate::core) struct Sent {
    pub message: MessageId,
    /// Its hash, made by [`print()`]; `None` for messages from before the server's start.
    print: Option<u64>,
    /// The message is in the history, and so its send id.
    #[cfg_attr(not(test), expect(dead_code, reason = "the simulation compares what is stored"))]
    stored: bool,
}

impl Sent {
    /// Returns whether this is the same message, as far as its hash is known.
    pub fn is(&self, print: u64) -> bool {
        self.print.is_none_or(|known| known == print)
    }
}

/// Hashes a message, to tell it from another that a client sends under the same id by mistake. One to the members of a
/// status has no place, and its target counts instead.
pub(in crate::core) fn print(place: Result<Place, &str>, kind: Option<MessageKind>, text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (place, kind, text).hash(&mut hasher);
    hasher.finish()
}

impl Sends {
    /// Limit of remembered send ids over all accounts.
    const MOST: usize = 100_000;

    /// Limit of remembered send ids of one account: a quarter of an hour of sending at the default rate limit.
    const MOST_OF_ONE: usize = 10_000;

    /// Returns the message that was sent under this id, if it is remembered.
    pub fn find(&self, account: AccountId, id: &SendId) -> Option<Sent> {
        self.accounts.get(&account)?.known.get(id).copied()
    }

    /// Remembers that the account sent `message` under this id.
    pub fn remember(&mut self, account: AccountId, id: SendId, message: MessageId, print: Option<u64>) {
        self.put(account, id, Sent { message, print, stored: true });
    }

    /// Remembers a message that the history does not keep.
    pub fn remember_unstored(&mut self, account: AccountId, id: SendId, message: MessageId, print: u64) {
        self.put(account, id, Sent { message, print: Some(print), stored: false });
    }

    fn put(&mut self, account: AccountId, id: SendId, sent: Sent) {
        let own = self.accounts.entry(account).or_default();
        if own.known.insert(id.clone(), sent).is_some() {
            return;
        }
        own.order.push_back(id);
        self.resized(account, own_size(&self.accounts, account) - 1);
        if own_size(&self.accounts, account) > Self::MOST_OF_ONE {
            self.forget_oldest(account);
        } else if self.total > Self::MOST
            && let Some(&(_, largest)) = self.sizes.last()
        {
            self.forget_oldest(largest);
        }
    }

    /// Iterates over the send ids of the history, the oldest first.
    #[cfg(test)]
    pub fn iter(&self) -> impl Iterator<Item = (AccountId, &SendId, MessageId)> {
        let mut all = Vec::new();
        for (&account, own) in &self.accounts {
            let stored = own.known.iter().filter(|(_, sent)| sent.stored);
            all.extend(stored.map(|(id, sent)| (account, id, sent.message)));
        }
        all.sort_unstable_by_key(|&(.., message)| message);
        all.into_iter()
    }

    /// Forgets the send id of a message that could not be stored, so that the client can send it again.
    pub fn forget(&mut self, account: AccountId, id: &SendId) {
        let Some(own) = self.accounts.get_mut(&account) else { return };
        if own.known.remove(id).is_some() {
            let before = own.order.len();
            // It is among the latest.
            if let Some(place) = own.order.iter().rposition(|other| other == id) {
                own.order.remove(place);
            }
            self.resized(account, before);
        }
    }

    fn forget_oldest(&mut self, account: AccountId) {
        let Some(own) = self.accounts.get_mut(&account) else { return };
        let before = own.order.len();
        if let Some(oldest) = own.order.pop_front() {
            own.known.remove(&oldest);
        }
        self.resized(account, before);
    }

    /// Updates the sizes of an account that had `before` send ids.
    fn resized(&mut self, account: AccountId, before: usize) {
        let now = own_size(&self.accounts, account);
        self.sizes.remove(&(before, account));
        self.total = self.total + now - before;
        if now == 0 {
            self.accounts.remove(&account);
        } else {
            self.sizes.insert((now, account));
        }
    }
}

fn own_size(accounts: &HashMap<AccountId, Own>, account: AccountId) -> usize {
    accounts.get(&account).map_or(0, |own| own.order.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: usize) -> SendId {
        SendId(n.to_string().into())
    }

    fn send(sends: &mut Sends, account: i64, n: usize) {
        sends.remember(AccountId(account), id(n), MessageId::default(), None);
    }

    #[test]
    fn account_cannot_evict_send_ids_of_another() {
        let mut sends = Sends::default();
        send(&mut sends, 1, 7);
        for account in 2..20 {
            for n in 0..Sends::MOST_OF_ONE + 10 {
                send(&mut sends, account, n);
            }
        }
        assert!(sends.find(AccountId(1), &id(7)).is_some(), "it has one, and others thousands");
        assert!(sends.find(AccountId(2), &id(0)).is_none());
        assert!(sends.find(AccountId(19), &id(Sends::MOST_OF_ONE + 9)).is_some(), "the latest is known");
        assert_eq!(sends.total, Sends::MOST);
        let kept: usize = sends.accounts.values().map(|own| own.known.len()).sum();
        let listed: usize = sends.sizes.iter().map(|(size, _)| size).sum();
        assert_eq!((kept, listed), (sends.total, sends.total));
    }

    #[test]
    fn forgotten_send_id_can_be_used_again() {
        let mut sends = Sends::default();
        for n in 0..3 {
            send(&mut sends, 1, n);
            send(&mut sends, 1, n);
        }
        sends.forget(AccountId(1), &id(1));
        sends.forget(AccountId(1), &id(1));
        assert!(sends.find(AccountId(1), &id(1)).is_none() && sends.find(AccountId(1), &id(2)).is_some());
        for n in [0, 2] {
            sends.forget(AccountId(1), &id(n));
        }
        assert!(sends.accounts.is_empty() && sends.sizes.is_empty() && sends.total == 0);
    }
}
