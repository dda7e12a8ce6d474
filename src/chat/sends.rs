//! Idempotent sends: which messages a client has already sent under an id of its own.

use std::collections::{HashMap, VecDeque};

use super::record::{AccountId, SendId};
use crate::wire::MessageId;

/// The latest send ids. Bounded; a client resends within moments of losing its connection.
#[derive(Debug, Default)]
pub(super) struct Sends {
    known: HashMap<(AccountId, SendId), MessageId>,
    order: VecDeque<(AccountId, SendId)>,
}

impl Sends {
    /// How many are remembered, over all accounts.
    const MOST: usize = 100_000;

    /// The message that was sent under this id, if it is remembered.
    pub fn find(&self, account: AccountId, id: &SendId) -> Option<MessageId> {
        self.known.get(&(account, id.clone())).copied()
    }

    /// Remembers a send.
    pub fn remember(&mut self, account: AccountId, id: SendId, message: MessageId) {
        let key = (account, id);
        if self.known.insert(key.clone(), message).is_none() {
            self.order.push_back(key);
        }
        if self.order.len() > Self::MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    /// Forgets a send that could not be kept, so that it can be tried again.
    pub fn forget(&mut self, account: AccountId, id: &SendId) {
        let key = (account, id.clone());
        if self.known.remove(&key).is_some() {
            self.order.retain(|other| *other != key);
        }
    }
}
