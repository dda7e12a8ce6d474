//! Idempotent sends: memory of the send ids that clients have used.

use std::collections::{BTreeSet, HashMap, VecDeque};

use rustc_hash::FxHashMap;

use crate::core::record::{AccountId, ContentHash, SendId};
use crate::invariants::MustExist as _;
use crate::wire::MessageId;

/// The latest send ids of each account. Bounded, because a client resends within moments of losing its connection.
///
/// When the total is too large, the account with the most send ids loses its oldest one, so that no account can flush
/// another's.
#[derive(Debug, Default)]
pub(in crate::core) struct SendIds {
    accounts: FxHashMap<AccountId, AccountSendIds>,
    /// The accounts, ordered by their number of send ids.
    sizes: BTreeSet<(usize, AccountId)>,
    total: usize,
}

#[derive(Debug, Default)]
struct AccountSendIds {
    messages: HashMap<SendId, SentMessage>,
    /// The send ids, the oldest first.
    order: VecDeque<SendId>,
}

/// A message that was sent under a send id.
#[derive(Clone, Copy, Debug)]
pub(in crate::core) struct SentMessage {
    pub message: MessageId,
    /// Hash of the message; `None` for messages from before the server's start that were redacted or removed.
    content: Option<ContentHash>,
    /// The message is in the history, and so its send id.
    #[cfg_attr(not(test), expect(dead_code, reason = "the simulation compares what is stored"))]
    stored: bool,
}

impl SentMessage {
    /// Returns whether this is the same message.
    pub fn matches_hash(&self, content: ContentHash) -> bool {
        self.content == Some(content)
    }
}

impl SendIds {
    /// Limit of remembered send ids over all accounts.
    const MAX_TOTAL: usize = 100_000;

    /// Limit of remembered send ids of one account: a quarter of an hour of sending at the default rate limit.
    const MAX_PER_ACCOUNT: usize = 10_000;

    /// Returns the message that was sent under this id, if it is remembered.
    pub fn find(&self, account: AccountId, id: &SendId) -> Option<SentMessage> {
        self.accounts.get(&account)?.messages.get(id).copied()
    }

    /// Remembers that the account sent `message` under this id.
    pub fn remember(
        &mut self,
        account: AccountId,
        id: SendId,
        message: MessageId,
        content: Option<ContentHash>,
    ) {
        self.insert(account, id, SentMessage { message, content, stored: true });
    }

    /// Remembers a message that the history does not keep.
    pub fn remember_unstored(
        &mut self,
        account: AccountId,
        id: SendId,
        message: MessageId,
        content: ContentHash,
    ) {
        self.insert(account, id, SentMessage { message, content: Some(content), stored: false });
    }

    fn insert(&mut self, account: AccountId, id: SendId, sent: SentMessage) {
        let own = self.accounts.entry(account).or_default();
        if own.messages.insert(id.clone(), sent).is_some() {
            return;
        }
        own.order.push_back(id);
        self.update_size(account, count_for_account(&self.accounts, account) - 1);
        if count_for_account(&self.accounts, account) > Self::MAX_PER_ACCOUNT {
            self.forget_oldest(account);
        } else if self.total > Self::MAX_TOTAL
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
            let stored = own.messages.iter().filter(|(_, sent)| sent.stored);
            all.extend(stored.map(|(id, sent)| (account, id, sent.message)));
        }
        all.sort_unstable_by_key(|&(.., message)| message);
        all.into_iter()
    }

    /// Forgets the send id of a message that could not be stored, so that the client can send it again. Newer ones may
    /// have displaced it already.
    pub fn forget(&mut self, account: AccountId, id: &SendId) {
        let Some(own) = self.accounts.get_mut(&account) else { return };
        if own.messages.remove(id).is_some() {
            let before = own.order.len();
            // It is among the latest.
            if let Some(index) = own.order.iter().rposition(|other| other == id) {
                own.order.remove(index);
            }
            self.update_size(account, before);
        }
    }

    fn forget_oldest(&mut self, account: AccountId) {
        let own = self.accounts.get_mut(&account).must_exist("the account has the most send ids");
        let Some(own) = own else { return };
        let before = own.order.len();
        if let Some(oldest) = own.order.pop_front() {
            own.messages.remove(&oldest);
        }
        self.update_size(account, before);
    }

    /// Updates the sizes of an account that had `before` send ids.
    fn update_size(&mut self, account: AccountId, before: usize) {
        let now = count_for_account(&self.accounts, account);
        self.sizes.remove(&(before, account));
        self.total = self.total + now - before;
        if now == 0 {
            self.accounts.remove(&account);
        } else {
            self.sizes.insert((now, account));
        }
    }
}

fn count_for_account(accounts: &FxHashMap<AccountId, AccountSendIds>, account: AccountId) -> usize {
    accounts.get(&account).map_or(0, |own| own.order.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: usize) -> SendId {
        SendId(n.to_string().into())
    }

    fn send(sends: &mut SendIds, account: i64, n: usize) {
        sends.remember(AccountId(account), id(n), MessageId::default(), None);
    }

    #[test]
    fn account_cannot_evict_send_ids_of_another() {
        let mut sends = SendIds::default();
        send(&mut sends, 1, 7);
        for account in 2..20 {
            for n in 0..SendIds::MAX_PER_ACCOUNT + 10 {
                send(&mut sends, account, n);
            }
        }
        assert!(sends.find(AccountId(1), &id(7)).is_some(), "it has one, and others thousands");
        assert!(sends.find(AccountId(2), &id(0)).is_none());
        assert!(
            sends.find(AccountId(19), &id(SendIds::MAX_PER_ACCOUNT + 9)).is_some(),
            "the latest is known"
        );
        assert_eq!(sends.total, SendIds::MAX_TOTAL);
        let known: usize = sends.accounts.values().map(|own| own.messages.len()).sum();
        let listed: usize = sends.sizes.iter().map(|(size, _)| size).sum();
        assert_eq!((known, listed), (sends.total, sends.total));
    }

    #[test]
    fn forgotten_send_id_can_be_used_again() {
        let mut sends = SendIds::default();
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
