//! Who watches whom come and go ([monitor](https://ircv3.net/specs/extensions/monitor)).

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::audience::SessionId;
use super::effects::{Effects, Output};
use super::people::Person;
use crate::wire::numeric::{Numeric, RPL_MONOFFLINE, RPL_MONONLINE};
use crate::wire::{Nick, Reply, ServerName};

/// The sessions that watch a nick, for each nick that one does.
#[derive(Debug, Default)]
pub(super) struct Monitors(HashMap<Nick, BTreeSet<SessionId>>);

impl Monitors {
    /// A session watches a nick.
    pub fn add(&mut self, nick: Nick, session: SessionId) {
        self.0.entry(nick).or_default().insert(session);
    }

    /// A session watches a nick no more.
    pub fn remove(&mut self, nick: &Nick, session: SessionId) {
        if let Some(sessions) = self.0.get_mut(nick) {
            sessions.remove(&session);
            if sessions.is_empty() {
                self.0.remove(nick);
            }
        }
    }

    /// The sessions that watch a nick.
    pub fn of(&self, nick: &Nick) -> impl Iterator<Item = SessionId> {
        self.0.get(nick).into_iter().flatten().copied()
    }

    /// Tells who watches it that somebody is there now, or no more; each is addressed by the nick of its session.
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

/// `RPL_MONONLINE` of somebody.
pub(super) fn online(person: &Person) -> (Numeric, String) {
    (RPL_MONONLINE, person.source.to_string())
}
