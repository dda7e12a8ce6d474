//! Words of accounts that may not speak in a channel: one rule for all that carries text of an account's own choosing.
//!
//! Whoever is muted or banned in a channel, or has no voice where it is moderated, puts no text of their own before its
//! members, whichever command carries it:
//!
//! | what it is | what the channel's members see |
//! | --- | --- |
//! | PRIVMSG, NOTICE, TAGMSG with any tags, TOPIC | nothing; the sender is refused |
//! | PART, KNOCK, REDACT | the event without its reason |
//! | QUIT, AWAY | the event without its words |
//! | JOIN, for sessions with extended-join | the account's name for a real name |
//! | SETNAME, by command or by another login; a metadata value | nothing; the change holds, and WHOIS or METADATA GET tell it to those who ask |
//!
//! The events that go to all channels of an account at once (the last five rows) are shown in full to those who share a
//! channel with it in which it may speak, to its own sessions, and to those who watch it with MONITOR: they asked for it.

use std::collections::HashSet;
use std::sync::Arc;

use super::Chat;
use crate::core::model::audience::{Audience, Seat, SessionId};
use crate::core::model::channel::Channel;
use crate::core::model::people::Person;
use crate::core::model::power::Power;
use crate::core::record::AccountId;
use crate::core::record::ranks::Rank;

/// The away message of an account that may not speak, as others see it.
pub(in crate::core) const AWAY: &str = "Away";

/// The words of QUIT stand behind this; other reasons are the server's or an admin's.
pub(in crate::core) const QUIT_WORDS: &str = "Quit: ";

/// An event's audience, by whether the words of the account reach it.
#[derive(Debug, Default)]
pub(in crate::core) struct Hearers {
    /// Sessions that get the event in full.
    pub full: Vec<Audience>,
    /// Sessions that share only channels with the account in which it may not speak.
    pub without_words: Vec<Audience>,
}

impl Chat {
    /// Returns whether an account may not speak in a channel.
    pub(in crate::core) fn is_silenced_in(&self, person: &Person, channel: &Channel) -> bool {
        let power = Power::of(person.account.id, person.is_admin(), channel);
        if power.at_least(Rank::Voice) {
            return false;
        }
        self.look_at(channel.lists.weight());
        power.silenced(person, channel).is_some()
    }

    /// Divides the audience of something that an account does in all of its channels at once.
    pub(in crate::core) fn hearers(&self, account: AccountId, audiences: Vec<Audience>) -> Hearers {
        let everybody = |full| Hearers { full, without_words: Vec::new() };
        let Some(person) = self.people.get(account) else { return everybody(audiences) };
        let channels = person.channels.iter().filter_map(|&id| self.channels.get(id));
        let (silent, open): (Vec<&Channel>, Vec<&Channel>) =
            channels.partition(|channel| self.is_silenced_in(person, channel));
        if silent.is_empty() {
            return everybody(audiences);
        }
        let in_open = open.iter().flat_map(|channel| channel.audience.seats());
        let mut hears: HashSet<SessionId> =
            in_open.chain(person.seats.seats()).map(|seat| seat.session).collect();
        hears.extend(self.monitors.of(person.nick()));
        self.look_at(hears.len() + audiences.iter().map(Audience::len).sum::<usize>());
        let mut hearers = Hearers::default();
        for audience in audiences {
            let (full, without): (Vec<Seat>, Vec<Seat>) =
                audience.seats().partition(|seat| hears.contains(&seat.session));
            for (to, seats) in [(&mut hearers.full, full), (&mut hearers.without_words, without)] {
                if !seats.is_empty() {
                    to.push(seats.into_iter().collect());
                }
            }
        }
        hearers
    }

    /// The real name of an account as JOIN shows it to a channel.
    pub(in crate::core) fn realname_in(&self, person: &Person, channel: &Channel) -> Arc<str> {
        if self.is_silenced_in(person, channel) {
            return person.nick().shared();
        }
        person.realname.clone()
    }
}

/// A reason of leaving as it is shown to those who are not to read the words of the account.
pub(in crate::core) fn without_words(reason: &str) -> &str {
    if reason.starts_with(QUIT_WORDS) { "Quit" } else { reason }
}
