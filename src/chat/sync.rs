//! Which metadata a session follows, and who follows a change of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::audience::{Audience, SessionId};
use super::channel::Channel;
use super::metadata::{Dialect, Shown};
use super::record::{AccountId, ChannelId, Place, Subject};
use super::state::Chat;
use crate::wire::{Cap, CapSet};

/// Who looks: an account at a session.
pub(super) type Viewer = (AccountId, SessionId);

/// Most values of one answer: it fits the smallest usual send queue. More are asked for by GET and LIST.
const MOST: usize = 5000;

/// Rows that looking for what a session follows of somebody counts for.
const WEIGHT: usize = 8;

/// Most values of a channel that come with JOIN; more are fetched later. A login brings all channels of the account.
const VALUES_AT_JOIN: usize = 400;

/// Most members of a channel whose values come with JOIN; of a larger one they are fetched later.
const AT_JOIN: usize = 200;

/// What a session follows of something, of an account's notes too.
pub(super) fn subject(
    chat: &Chat,
    session: SessionId,
    of: Subject,
    notes: Option<Subject>,
    name: &Arc<str>,
) -> Vec<Shown> {
    let Some(known) = chat.sessions.get(&session) else { return Vec::new() };
    let keys = [Some(of), notes].into_iter().flatten().filter_map(|of| chat.keys(of));
    keys.flat_map(super::metadata::Keys::iter)
        .filter(|(key, _)| known.subscriptions.contains(*key))
        .map(|(key, value)| Shown::new(name, key, value))
        .collect()
}

fn person(chat: &Chat, (account, session): Viewer, id: AccountId) -> Vec<Shown> {
    let Some(person) = chat.people.get(id) else { return Vec::new() };
    let notes = Subject::Private(account, Place::direct(account, id));
    subject(chat, session, Subject::Account(id), Some(notes), &person.nick().shared())
}

/// The lines that tell a session what it follows of somebody whom it watches
/// ([metadata](https://ircv3.net/specs/extensions/metadata#notifications)).
pub(super) fn watched(chat: &Chat, session: SessionId, id: AccountId) -> Vec<String> {
    let Some(known) = chat.sessions.get(&session) else { return Vec::new() };
    if !known.caps.has_any(&[Cap::Metadata, Cap::MetadataDraft]) {
        return Vec::new();
    }
    let (caps, nick) = (known.caps, chat.nick_of(session));
    let to = (&chat.settings.server_name, &*nick);
    person(chat, (known.account, session), id).iter().map(|shown| shown.told_to(caps, to)).collect()
}

/// What a session follows of a channel and its members.
pub(super) fn channel(chat: &Chat, (account, session): Viewer, id: ChannelId) -> Vec<Shown> {
    let Some(channel) = chat.channels.get(id) else { return Vec::new() };
    let notes = Subject::Private(account, Place::Channel(id));
    let mut shown = subject(chat, session, Subject::Channel(id), Some(notes), &channel.name.shared());
    if channel.members.contains(&account) {
        chat.look_at(WEIGHT * channel.members.len());
        shown.extend(
            channel.members.iter().flat_map(|&member| person(chat, (account, session), member)).take(MOST),
        );
    }
    shown
}

/// What comes with a channel when it is joined; `None` where it is to be fetched later.
pub(super) fn at_join(chat: &Chat, (account, session): Viewer, of: &Channel) -> Option<Vec<Shown>> {
    let follows = chat.sessions.get(&session).is_some_and(|known| !known.subscriptions.is_empty());
    match (follows, of.members.len() > AT_JOIN) {
        (false, _) => Some(Vec::new()),
        (true, true) => None,
        (true, false) => {
            Some(channel(chat, (account, session), of.id)).filter(|shown| shown.len() <= VALUES_AT_JOIN)
        }
    }
}

/// What the member's session follows of everything that it is told of.
pub(super) fn all(chat: &Chat, (account, session): Viewer) -> Vec<Shown> {
    let Some(me) = chat.people.get(account) else { return Vec::new() };
    let channels: Vec<&Channel> = me.channels.iter().filter_map(|&id| chat.channels.get(id)).collect();
    let mut people: BTreeSet<AccountId> = channels.iter().flat_map(|c| c.members.iter().copied()).collect();
    chat.look_at(WEIGHT * channels.iter().map(|channel| channel.members.len()).sum::<usize>());
    people.insert(account);
    if let Some(known) = chat.sessions.get(&session) {
        let watched = known.monitors.iter().filter_map(|nick| chat.people.named(nick));
        people.extend(watched.map(|person| person.account.id));
    }
    let of_channels = channels.iter().flat_map(|channel| {
        let notes = Subject::Private(account, Place::Channel(channel.id));
        subject(chat, session, Subject::Channel(channel.id), Some(notes), &channel.name.shared())
    });
    of_channels
        .chain(people.into_iter().flat_map(|id| person(chat, (account, session), id)))
        .take(MOST)
        .collect()
}

/// What the member's session is to fetch after it has followed more keys.
pub(super) fn later(chat: &Chat, account: AccountId, dialect: Dialect) -> Vec<Arc<str>> {
    let Some(me) = chat.people.get(account) else { return Vec::new() };
    match dialect {
        Dialect::Revised => vec!["*ALL".into()],
        Dialect::Draft => {
            let channels = me.channels.iter().filter_map(|&id| chat.channels.get(id));
            channels.map(|channel| channel.name.shared()).chain([me.nick().shared()]).collect()
        }
    }
}

/// The sessions that follow a key of something: of a channel its members, of an account who shares a channel with it or
/// watches it, of notes the account's own.
pub(super) fn followers(chat: &Chat, of: Subject, key: &str) -> Vec<(SessionId, CapSet)> {
    let mut sessions: BTreeSet<SessionId> = BTreeSet::new();
    match of {
        Subject::Channel(id) => {
            let seats = chat.channels.get(id).into_iter().flat_map(|channel| channel.audience.seats());
            sessions.extend(seats.map(|seat| seat.session));
        }
        Subject::Account(id) => {
            let audiences = chat.who_sees(id);
            sessions.extend(audiences.iter().flat_map(Audience::seats).map(|seat| seat.session));
            if let Some(person) = chat.people.get(id) {
                sessions.extend(person.seats.seats().map(|seat| seat.session));
                sessions.extend(chat.monitors.of(person.nick()));
            }
        }
        Subject::Private(id, _) => {
            let seats = chat.people.get(id).into_iter().flat_map(|person| person.seats.seats());
            sessions.extend(seats.map(|seat| seat.session));
        }
    }
    let follows = |session: SessionId| {
        let known = chat.sessions.get(&session)?;
        let told = known.caps.has_any(&[Cap::Metadata, Cap::MetadataDraft]);
        (told && known.subscriptions.contains(key)).then_some((session, known.caps))
    };
    chat.look_at(sessions.len() * WEIGHT);
    sessions.into_iter().filter_map(follows).collect()
}
