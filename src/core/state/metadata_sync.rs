//! Delivery of metadata: values for a session's subscriptions, and the sessions that get a change.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Core;
use crate::core::model::audience::{Audience, SessionId};
use crate::core::model::channel::Channel;
use crate::core::model::metadata::{MetadataDialect, MetadataEntry};
use crate::core::record::{AccountId, ChannelId, Conversation, MetadataOwner};
use crate::invariants::MustExist as _;
use crate::wire::{Cap, CapSet, Reply};

/// An account and one of its sessions, for which metadata is selected.
pub(in crate::core) type Viewer = (AccountId, SessionId);

/// Maximum number of values in one reply. It then fits the smallest usual send queue; clients request more with GET and
/// LIST.
const MAX_VALUES: usize = 5000;

/// Cost, in scanned rows, of selecting the metadata of one account for a session.
const ROWS_PER_ACCOUNT: usize = 8;

/// Maximum number of values that come with a JOIN. More are fetched later, because a login joins all channels of the
/// account.
const MAX_VALUES_AT_JOIN: usize = 400;

/// Maximum number of members of a channel whose values come with its JOIN. Those of a larger one are fetched later.
const MAX_MEMBERS_AT_JOIN: usize = 200;

/// Returns the keys of `owner`, and of the account's private metadata in `private`, that a session subscribes to.
pub(in crate::core) fn owner_metadata(
    core: &Core,
    session: SessionId,
    owner: MetadataOwner,
    private: Option<MetadataOwner>,
    name: &Arc<str>,
) -> Vec<MetadataEntry> {
    let Some(known) = core.sessions.get(&session) else { return Vec::new() };
    let keys = [Some(owner), private].into_iter().flatten().filter_map(|of| core.metadata(of));
    keys.flat_map(crate::core::model::metadata::MetadataMap::iter)
        .filter(|(key, _)| known.subscriptions.contains(*key))
        .map(|(key, value)| MetadataEntry::new(name, key, value))
        .collect()
}

fn account_metadata(core: &Core, (account, session): Viewer, id: AccountId) -> Vec<MetadataEntry> {
    let Some(account_state) = core.accounts.get(id) else { return Vec::new() };
    let private = MetadataOwner::Private(account, Conversation::direct(account, id));
    owner_metadata(core, session, MetadataOwner::Account(id), Some(private), &account_state.nick().shared())
}

/// Returns the announcements of the metadata of a monitored account that a session subscribes to
/// ([metadata](https://ircv3.net/specs/extensions/metadata#notifications)).
pub(in crate::core) fn monitored_metadata_lines(
    core: &Core,
    session: SessionId,
    id: AccountId,
) -> Vec<Reply> {
    let Some(known) = core.sessions.get(&session) else { return Vec::new() };
    let caps = known.caps;
    if !caps.has_any(&[Cap::Metadata, Cap::MetadataDraft]) {
        return Vec::new();
    }
    account_metadata(core, (known.account, session), id)
        .iter()
        .map(|shown| shown.announcement(caps))
        .collect()
}

/// Returns the metadata of a channel and its members that a session subscribes to.
pub(in crate::core) fn channel_metadata(
    core: &Core,
    (account, session): Viewer,
    id: ChannelId,
) -> Vec<MetadataEntry> {
    let channel = core.channels.get(id).must_exist("the caller found the channel");
    let Some(channel) = channel else { return Vec::new() };
    let private = MetadataOwner::Private(account, Conversation::Channel(id));
    let mut shown =
        owner_metadata(core, session, MetadataOwner::Channel(id), Some(private), &channel.name.shared());
    if channel.members.contains(&account) {
        core.count_scanned_rows(ROWS_PER_ACCOUNT * channel.members.len());
        shown.extend(
            channel
                .members
                .iter()
                .flat_map(|&member| account_metadata(core, (account, session), member))
                .take(MAX_VALUES),
        );
    }
    shown
}

/// Returns the metadata that comes with a JOIN, or `None` if the client is to fetch it later.
pub(in crate::core) fn join_metadata(
    core: &Core,
    (account, session): Viewer,
    joined: &Channel,
) -> Option<Vec<MetadataEntry>> {
    let has_subscriptions = core.sessions.get(&session).is_some_and(|known| !known.subscriptions.is_empty());
    match (has_subscriptions, joined.members.len() > MAX_MEMBERS_AT_JOIN) {
        (false, _) => Some(Vec::new()),
        (true, true) => None,
        (true, false) => Some(channel_metadata(core, (account, session), joined.id))
            .filter(|shown| shown.len() <= MAX_VALUES_AT_JOIN),
    }
}

/// Returns all metadata visible to the session that it subscribes to.
pub(in crate::core) fn all_subscribed_metadata(
    core: &Core,
    (account, session): Viewer,
) -> Vec<MetadataEntry> {
    let me = core.accounts.get(account).must_exist("a session has an account");
    let Some(me) = me else { return Vec::new() };
    let channels: Vec<&Channel> = me.channels.iter().filter_map(|&id| core.channels.get(id)).collect();
    let mut accounts: BTreeSet<AccountId> = channels.iter().flat_map(|c| c.members.iter().copied()).collect();
    core.count_scanned_rows(
        ROWS_PER_ACCOUNT * channels.iter().map(|channel| channel.members.len()).sum::<usize>(),
    );
    accounts.insert(account);
    // What the account has noted about somebody counts without a channel that both are in.
    accounts.extend(me.private_metadata.keys().filter_map(|conversation| match *conversation {
        Conversation::Direct(a, b) => Some(if a == account { b } else { a }),
        Conversation::Channel(_) => None,
    }));
    if let Some(known) = core.sessions.get(&session) {
        let monitored = known.monitors.iter().filter_map(|nick| core.accounts.get_enabled_by_name(nick));
        accounts.extend(monitored.map(|account_state| account_state.account.id));
    }
    let channel_values = channels.iter().flat_map(|channel| {
        let private = MetadataOwner::Private(account, Conversation::Channel(channel.id));
        owner_metadata(
            core,
            session,
            MetadataOwner::Channel(channel.id),
            Some(private),
            &channel.name.shared(),
        )
    });
    channel_values
        .chain(accounts.into_iter().flat_map(|id| account_metadata(core, (account, session), id)))
        .take(MAX_VALUES)
        .collect()
}

/// Returns the targets that a session is to synchronize later, after it has subscribed to more keys.
pub(in crate::core) fn deferred_sync_targets(
    core: &Core,
    account: AccountId,
    dialect: MetadataDialect,
) -> Vec<Arc<str>> {
    let me = core.accounts.get(account).must_exist("a session has an account");
    let Some(me) = me else { return Vec::new() };
    match dialect {
        MetadataDialect::Revised => vec!["*ALL".into()],
        MetadataDialect::Draft => {
            let channels = me.channels.iter().filter_map(|&id| core.channels.get(id));
            channels.map(|channel| channel.name.shared()).chain([me.nick().shared()]).collect()
        }
    }
}

/// Returns the sessions with a subscription that get a change of a key: for a channel those of its members, for an
/// account those that share a channel with it or monitor it, for private metadata the account's own.
pub(in crate::core) fn subscribers(core: &Core, owner: MetadataOwner, key: &str) -> Vec<(SessionId, CapSet)> {
    let mut sessions: BTreeSet<SessionId> = BTreeSet::new();
    match owner {
        MetadataOwner::Channel(id) => {
            let recipients =
                core.channels.get(id).into_iter().flat_map(|channel| channel.audience.recipients());
            sessions.extend(recipients.map(|recipient| recipient.session));
        }
        MetadataOwner::Account(id) => {
            let audiences = core.split_silenced_audience(id, core.channel_audiences(id)).full;
            sessions
                .extend(audiences.iter().flat_map(Audience::recipients).map(|recipient| recipient.session));
            if let Some(account_state) = core.accounts.get(id) {
                sessions.extend(account_state.sessions.recipients().map(|recipient| recipient.session));
                sessions.extend(core.monitors.sessions_monitoring(account_state.nick()));
            }
        }
        MetadataOwner::Private(id, _) => {
            let recipients = core
                .accounts
                .get(id)
                .into_iter()
                .flat_map(|account_state| account_state.sessions.recipients());
            sessions.extend(recipients.map(|recipient| recipient.session));
        }
    }
    let if_subscribed = |session: SessionId| {
        let known = core.sessions.get(&session)?;
        let has_metadata_cap = known.caps.has_any(&[Cap::Metadata, Cap::MetadataDraft]);
        (has_metadata_cap && known.subscriptions.contains(key)).then_some((session, known.caps))
    };
    core.count_scanned_rows(sessions.len() * ROWS_PER_ACCOUNT);
    sessions.into_iter().filter_map(if_subscribed).collect()
}
