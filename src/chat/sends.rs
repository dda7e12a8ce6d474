//! Idempotent sends: which messages a client has already sent under an id of its own.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::record::{AccountId, MessageKind, Place, SendId};
use crate::wire::MessageId;

/// The latest send ids. Bounded; a client resends within moments of losing its connection.
#[derive(Debug, Default)]
pub(super) struct Sends {
    known: HashMap<(AccountId, SendId), Sent>,
    order: VecDeque<(AccountId, SendId)>,
}

/// What was sent under an id.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    /// The message.
    pub message: MessageId,
    /// [`print`] of it; not known of what was sent before the server started.
    print: Option<u64>,
}

impl Sent {
    /// Is it this, as far as that is known?
    pub fn is(&self, print: u64) -> bool {
        self.print.is_none_or(|known| known == print)
    }
}

/// Tells a message from others that a client might send under the same id by mistake.
pub(super) fn print(place: Option<Place>, kind: Option<MessageKind>, text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (place, kind, text).hash(&mut hasher);
    hasher.finish()
}

impl Sends {
    /// How many are remembered, over all accounts.
    const MOST: usize = 100_000;

    /// The message that was sent under this id, if it is remembered.
    pub fn find(&self, account: AccountId, id: &SendId) -> Option<Sent> {
        self.known.get(&(account, id.clone())).copied()
    }

    /// Remembers a send.
    pub fn remember(&mut self, account: AccountId, id: SendId, message: MessageId, print: Option<u64>) {
        let key = (account, id);
        if self.known.insert(key.clone(), Sent { message, print }).is_none() {
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
