//! All invites, by id and by token.

use std::collections::{BTreeMap, HashMap};

use crate::core::record::{Invite, InviteId, TokenHash};

/// All invites, also those that can no longer be redeemed.
#[derive(Debug, Default)]
pub struct Invites {
    by_id: BTreeMap<InviteId, Invite>,
    by_token: HashMap<TokenHash, InviteId>,
    /// The largest id ever used.
    last_id: i64,
}

impl Invites {
    /// Creates the set from stored invites; `last_id` is the largest id ever used.
    pub fn new(stored: Vec<Invite>, last_id: i64) -> Self {
        let mut invites = Self { last_id, ..Self::default() };
        for invite in stored {
            invites.insert(invite);
        }
        invites
    }

    /// Returns an id that was never used.
    pub fn next_id(&mut self) -> InviteId {
        self.last_id += 1;
        InviteId(self.last_id)
    }

    /// Adds an invite.
    pub fn insert(&mut self, invite: Invite) {
        self.last_id = self.last_id.max(invite.id.0);
        self.by_token.insert(invite.token, invite.id);
        self.by_id.insert(invite.id, invite);
    }

    /// Returns the invite of an id, for a change. Its id and token stay as they are.
    pub fn get_mut(&mut self, id: InviteId) -> Option<&mut Invite> {
        self.by_id.get_mut(&id)
    }

    /// Returns the invite of a token.
    pub fn get_by_token(&self, token: &TokenHash) -> Option<&Invite> {
        self.by_token.get(token).and_then(|id| self.by_id.get(id))
    }

    /// Iterates over the invites in the order of their ids.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Invite> {
        self.by_id.values()
    }

    /// Iterates over the invites in the order of their ids, for a change.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Invite> {
        self.by_id.values_mut()
    }

    /// Returns the largest id ever used.
    pub fn last_id(&self) -> i64 {
        self.last_id
    }
}
