//! The sessions known to the hub, by their ids and by their accounts.

pub(super) mod blocks;
pub(super) mod hub_handle;
pub(super) mod line_form;
pub(super) mod outbox;
pub(super) mod send_queue_limits;
pub(super) mod session;

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::sessions::session::Session;
use crate::core::SessionId;
use crate::core::record::AccountId;

/// All sessions, by slot.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    slots: Vec<Slot>,
    free_slots: Vec<u32>,
    by_account: FxHashMap<AccountId, Vec<Arc<Session>>>,
}

#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    session: Option<Arc<Session>>,
    /// True if a PING was sent and the client has not sent anything since.
    pinged: bool,
}

impl Sessions {
    /// Adds a session and returns its id.
    pub fn insert(&mut self, session: Arc<Session>) -> SessionId {
        let slot = self.free_slots.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        let mut generation = 0;
        if let Some(entry) = self.slots.get_mut(slot as usize) {
            self.by_account.entry(session.account).or_default().push(session.clone());
            entry.session = Some(session);
            entry.pinged = false;
            generation = entry.generation;
        }
        SessionId { slot, generation }
    }

    /// Removes a session. Outputs that are still on their way to it are dropped.
    pub fn remove(&mut self, id: SessionId) {
        if let Some(entry) = self.slots.get_mut(id.slot as usize)
            && entry.generation == id.generation
            && let Some(session) = entry.session.take()
        {
            if let Some(account_sessions) = self.by_account.get_mut(&session.account) {
                account_sessions.retain(|other| !Arc::ptr_eq(other, &session));
                if account_sessions.is_empty() {
                    self.by_account.remove(&session.account);
                }
            }
            entry.generation = entry.generation.wrapping_add(1);
            self.free_slots.push(id.slot);
        }
    }

    /// Frees memory that a crowd needed which has gone.
    pub fn shrink(&mut self) {
        self.by_account.shrink_to(2 * self.by_account.len());
    }

    pub fn get(&self, id: SessionId) -> Option<&Arc<Session>> {
        self.slots.get(id.slot as usize).filter(|slot| slot.generation == id.generation)?.session.as_ref()
    }

    /// Returns the sessions of an account.
    pub fn sessions_of_account(&self, account: AccountId) -> &[Arc<Session>] {
        self.by_account.get(&account).map(Vec::as_slice).unwrap_or_default()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Session>> {
        self.slots.iter().filter_map(|slot| slot.session.as_ref())
    }

    /// Returns the sessions, each with the flag that a PING has no reply yet.
    pub fn iter_with_ping_flag(&mut self) -> impl Iterator<Item = (&Arc<Session>, &mut bool)> {
        self.slots.iter_mut().filter_map(|slot| Some((slot.session.as_ref()?, &mut slot.pinged)))
    }
}
