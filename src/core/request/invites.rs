//! All invites, by id and by token.

use std::collections::{BTreeMap, HashMap};

use crate::core::record::{Invite, InviteId, TokenHash};

/// All invites, also those that can no longer be redeemed.
#[derive(Debug, Default)]
pub struct Invites {
    all: BTreeMap<InviteId, Invite>,
    tokens: HashMap<TokenHash, InviteId>,
    /// The largest id ever used.
    last: i64,
}

impl Invites {
    /// Creates the set from stored invites; `last` is the largest id ever used.
    pub fn new(kept: Vec<Invite>, last: i64) -> Self {
        let mut invites = Self { last, ..Self::default() };
        for invite in kept {
            invites.put(invite);
        }
        invites
    }

    /// Returns an id that was never used.
    pub fn next_id(&mut self) -> InviteId {
        self.last += 1;
        InviteId(self.last)
    }

    /// Adds an invite.
    pub fn put(&mut self, invite: Invite) {
        self.last = self.last.max(invite.id.0);
        self.tokens.insert(invite.token, invite.id);
        self.all.insert(invite.id, invite);
    }

    /// Returns the invite of an id, for a change. Its id and token stay as they are.
    pub fn get_mut(&mut self, id: InviteId) -> Option<&mut Invite> {
        self.all.get_mut(&id)
    }

    /// Returns the invite of a token.
    pub fn of(&self, token: &TokenHash) -> Option<&Invite> {
        self.tokens.get(token).and_then(|id| self.all.get(id))
    }

    /// Iterates over the invites in the order of their ids.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Invite> {
        self.all.values()
    }

    /// Iterates over the invites in the order of their ids, for a change.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Invite> {
        self.all.values_mut()
    }

    /// Returns the largest id ever used.
    pub fn last(&self) -> i64 {
        self.last
    }
}
