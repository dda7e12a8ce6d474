//! Delivery of metadata: values for a session's subscriptions, and the sessions that get a change.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Chat;
use crate::core::model::audience::{Audience, SessionId};
use crate::core::model::channel::Channel;
use crate::core::model::metadata::{Dialect, Shown};
use crate::core::record::{AccountId, ChannelId, Place, Subject};
use crate::wire::{Cap, CapSet};

/// An account and one of its sessions, for which metadata is selected.
pub(in crate::core) type Viewer = (AccountId, SessionId);

/// Maximum number of values in one reply. It then fits the smallest usual send queue; clients request more with GET and
/// LIST.
const MOST: usize = 5000;

/// Cost, in scanned rows, of selecting the metadata of one account for a session.
const WEIGHT: usize = 8;

/// Maximum number of values that come with a JOIN. More are fetched later, because a login joins all channels of the
/// account.
const VALUES_AT_JOIN: usize = 400;

/// Maximum number of members of a channel whose values come with its JOIN. Those of a larger one are fetched later.
const AT_JOIN: usize = 200;

/// Returns the keys of `of`, and of the account's private metadata in `notes`, that a session subscribes to.
pub(in crate::core) fn subject(
    chat: &Chat,
    session: SessionId,
    of: Subject,
    notes: Option<Subject>,
    name: &Arc<str>,
) -> Vec<Shown> {
    let Some(known) = chat.sessions.get(&session) else { return Vec::new() };
    let keys = [Some(of), notes].into_iter().flatten().filter_map(|of| chat.keys(of));
    keys.flat_map(crate::core::model::metadata::Keys::iter)
        .filter(|(key, _)| known.subscriptions.contains(*key))
        .map(|(key, value)| Shown::new(name, key, value))
        .collect()
}

fn person(chat: &Chat, (account, session): Viewer, id: AccountId) -> Vec<Shown> {
    let Some(person) = chat.people.get(id) else { return Vec::new() };
    let notes = Subject::Private(account, Place::direct(account, id));
    subject(chat, session, Subject::Account(id), Some(notes), &person.nick().shared())
}

/// Renders the metadata of a monitored account that a session subscribes to
/// ([metadata](https://ircv3.net/specs/extensions/metadata#notifications)).
pub(in crate::core) fn watched(chat: &Chat, session: SessionId, id: AccountId) -> Vec<String> {
    let Some(known) = chat.sessions.get(&session) else { return Vec::new() };
    if !known.caps.has_any(&[Cap::Metadata, Cap::MetadataDraft]) {
        return Vec::new();
    }
    let (caps, nick) = (known.caps, chat.nick_of(session));
    let to = (&chat.settings.server_name, &*nick);
    person(chat, (known.account, session), id).iter().map(|shown| shown.told_to(caps, to)).collect()
}

/// Returns the metadata of a channel and its members that a session subscribes to.
pub(in crate::core) fn channel(chat: &Chat, (account, session): Viewer, id: ChannelId) -> Vec<Shown> {
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

/// Returns the metadata that comes with a JOIN, or `None` if the client is to fetch it later.
pub(in crate::core) fn at_join(chat: &Chat, (account, session): Viewer, of: &Channel) -> Option<Vec<Shown>> {
    let follows = chat.sessions.get(&session).is_some_and(|known| !known.subscriptions.is_empty());
    match (follows, of.members.len() > AT_JOIN) {
        (false, _) => Some(Vec::new()),
        (true, true) => None,
        (true, false) => {
            Some(channel(chat, (account, session), of.id)).filter(|shown| shown.len() <= VALUES_AT_JOIN)
        }
    }
}

/// Returns all metadata visible to the session that it subscribes to.
pub(in crate::core) fn all(chat: &Chat, (account, session): Viewer) -> Vec<Shown> {
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

/// Returns the targets that a session is to synchronize later, after it has subscribed to more keys.
pub(in crate::core) fn later(chat: &Chat, account: AccountId, dialect: Dialect) -> Vec<Arc<str>> {
    let Some(me) = chat.people.get(account) else { return Vec::new() };
    match dialect {
        Dialect::Revised => vec!["*ALL".into()],
        Dialect::Draft => {
            let channels = me.channels.iter().filter_map(|&id| chat.channels.get(id));
            channels.map(|channel| channel.name.shared()).chain([me.nick().shared()]).collect()
        }
    }
}

/// Returns the sessions with a subscription that get a change of a key: for a channel those of its members, for an
/// account those that share a channel with it or monitor it, for private metadata the account's own.
pub(in crate::core) fn followers(chat: &Chat, of: Subject, key: &str) -> Vec<(SessionId, CapSet)> {
    let mut sessions: BTreeSet<SessionId> = BTreeSet::new();
    match of {
        Subject::Channel(id) => {
            let seats = chat.channels.get(id).into_iter().flat_map(|channel| channel.audience.seats());
            sessions.extend(seats.map(|seat| seat.session));
        }
        Subject::Account(id) => {
            let audiences = chat.hearers(id, chat.who_sees(id)).full;
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
