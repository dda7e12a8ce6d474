//! MONITOR: notification when nicks come online or go offline ([monitor](https://ircv3.net/specs/extensions/monitor)).

use std::collections::{BTreeSet, HashMap};

use crate::core::model::accounts::AccountState;
use crate::core::model::audience::SessionId;
use crate::wire::numeric::{Numeric, RPL_MONOFFLINE, RPL_MONONLINE};
use crate::wire::{Nick, Reply};

/// The sessions that monitor each nick.
#[derive(Debug, Default)]
pub(in crate::core) struct Monitors(HashMap<Nick, BTreeSet<SessionId>>);

impl Monitors {
    /// Adds a nick to a session's list.
    pub fn add(&mut self, nick: Nick, session: SessionId) {
        self.0.entry(nick).or_default().insert(session);
    }

    /// Removes a nick from a session's list.
    pub fn remove(&mut self, nick: &Nick, session: SessionId) {
        if let Some(sessions) = self.0.get_mut(nick) {
            sessions.remove(&session);
            if sessions.is_empty() {
                self.0.remove(nick);
            }
        }
    }

    /// Iterates over the sessions that monitor a nick.
    pub fn sessions_monitoring(&self, nick: &Nick) -> impl Iterator<Item = SessionId> {
        self.0.get(nick).into_iter().flatten().copied()
    }
}

/// Returns the notification that an account came online or went offline.
pub(in crate::core) fn notification(account_state: &AccountState, is_online: bool) -> Reply {
    let (numeric, who) =
        if is_online { mononline(account_state) } else { (RPL_MONOFFLINE, account_state.nick().to_string()) };
    Reply::numeric(numeric).text(who)
}

/// Returns the numeric and the text of `RPL_MONONLINE` for an account.
pub(in crate::core) fn mononline(account_state: &AccountState) -> (Numeric, String) {
    (RPL_MONONLINE, account_state.source.to_string())
}
