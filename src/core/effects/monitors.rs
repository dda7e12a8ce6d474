//! MONITOR: notification when nicks come online or go offline ([monitor](https://ircv3.net/specs/extensions/monitor)).

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::{Effects, Output};
use crate::core::model::audience::SessionId;
use crate::core::model::people::Person;
use crate::wire::numeric::{Numeric, RPL_MONOFFLINE, RPL_MONONLINE};
use crate::wire::{Nick, Reply, ServerName};

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
    pub fn of(&self, nick: &Nick) -> impl Iterator<Item = SessionId> {
        self.0.get(nick).into_iter().flatten().copied()
    }

    /// Notifies the sessions that monitor an account that it came online or went offline. Each line is addressed to the
    /// nick of its session.
    pub fn announce(
        &self,
        person: &Person,
        is_online: bool,
        (server, nick_of): (&ServerName, impl Fn(SessionId) -> Arc<str>),
        fx: &mut Effects,
    ) {
        let (numeric, what) =
            if is_online { online(person) } else { (RPL_MONOFFLINE, person.nick().to_string()) };
        for session in self.of(person.nick()) {
            let line = Reply::numeric(numeric).text(&what).render(server.as_str(), &nick_of(session));
            fx.outputs.push(Output::Line(session, line));
        }
    }
}

/// Returns the numeric and the text of `RPL_MONONLINE` for an account.
pub(in crate::core) fn online(person: &Person) -> (Numeric, String) {
    (RPL_MONONLINE, person.source.to_string())
}
