//! Replay for clients without `chathistory`: messages that their account has neither received live, in any session, nor
//! read.

use std::collections::BTreeSet;

use crate::core::effects::playback::HistoryReader;
use crate::core::effects::query::{MissedChannel, MissedDirect, Query, ReplayQuery};
use crate::core::effects::{Effects, Output};
use crate::core::model::accounts::AccountState;
use crate::core::model::audience::SessionId;
use crate::core::record::received::{MissedRanges, ReceivedRange, ReceivedRanges};
use crate::core::record::{AccountId, ChannelId, Conversation, Record};
use crate::core::state::Core;
use crate::core::state::context::Context;
use crate::invariants::MustExist as _;
use crate::wire::{Cap, CapSet, MessageId, Timestamp};

/// Returns the message after which a session has received everything. A client with `chathistory` may not have
/// requested anything older than its session.
pub(in crate::core) fn received_from(caps: CapSet, last_at_start: MessageId) -> MessageId {
    if caps.has(Cap::Chathistory) { last_at_start } else { MessageId::default() }
}

/// Returns the last message of a conversation that the account has read.
fn last_read_message(account_state: &AccountState, conversation: Conversation) -> MessageId {
    account_state.markers.get(&conversation).map_or_else(MessageId::default, |&read| MessageId::last_at(read))
}

impl Core {
    /// Returns the messages that the account's sessions, other than one, have received live. `from` gives the start of
    /// each present session. What a script received nobody may have seen.
    fn received_by_other_sessions(
        &self,
        account: AccountId,
        except: SessionId,
        from: impl Fn(CapSet, MessageId) -> MessageId,
    ) -> ReceivedRanges {
        let account_state = self.accounts.get(account).must_exist("the caller found the account");
        let Some(account_state) = account_state else { return ReceivedRanges::default() };
        let mut received = account_state.received.clone();
        let others = account_state
            .sessions
            .recipients()
            .map(|recipient| recipient.session)
            .filter(|&session| session != except);
        for known in others.filter_map(|session| self.sessions.get(&session)).filter(|known| known.is_visible)
        {
            received.add(ReceivedRange {
                after: from(known.caps, known.last_at_start),
                up_to: self.last_message,
            });
        }
        received
    }

    /// Replays messages to a later session of the account after another session's connection broke. The replay of the
    /// later session left out what the broken one was assumed to receive. Only messages up to `last_received` are known
    /// to have arrived there, so the rest is replayed now.
    pub(in crate::core) fn replay_undelivered(
        &self,
        account: AccountId,
        last_received: MessageId,
        fx: &mut Effects,
    ) {
        let account_state = self.accounts.get(account).must_exist("the caller found the account");
        let Some(account_state) = account_state else { return };
        let known = account_state
            .sessions
            .recipients()
            .filter_map(|recipient| Some((recipient.session, self.sessions.get(&recipient.session)?)));
        let later_sessions = known
            .filter(|(_, known)| !known.caps.has(Cap::Chathistory) && last_received < known.last_at_start);
        let Some((session, known)) =
            later_sessions.min_by_key(|(session, known)| (known.last_at_start, *session))
        else {
            return;
        };
        let limit = account_state.replay_limit(self.settings.replay);
        let received = self.received_by_other_sessions(account, session, |_, last_at_start| last_at_start);
        let missed =
            received.missed_before(known.last_at_start.next(Timestamp(0)), limit).after(last_received);
        let server = self.settings.server_name.clone();
        let (nick, caps, times) = (account_state.nick().clone(), known.caps, self.times.clone());
        let reader = HistoryReader { server, account, nick, caps, times };
        if let Some(query) = self.missed_query(account_state, reader, &account_state.channels, &missed) {
            fx.push(Output::Query { session, label: None, query: Box::new(query) });
        }
    }

    /// Creates the query for missed messages of channels and direct conversations, without those that were read.
    fn missed_query(
        &self,
        account_state: &AccountState,
        reader: HistoryReader,
        channels: &[ChannelId],
        missed: &MissedRanges,
    ) -> Option<Query> {
        missed.first_bound().filter(|_| missed.limit > 0)?;
        let named = |&id: &ChannelId| {
            let name = self.channels.get(id)?.name.clone();
            let missed = missed.after(last_read_message(account_state, Conversation::Channel(id)));
            Some(MissedChannel { id, name, missed })
        };
        let direct = account_state
            .markers
            .keys()
            .copied()
            .filter(|conversation| matches!(conversation, Conversation::Direct(..)));
        let read = direct
            .map(|conversation| (conversation, last_read_message(account_state, conversation)))
            .collect();
        let direct = Some(MissedDirect { missed: missed.clone(), read });
        let channels = channels.iter().filter_map(named).collect();
        Some(Query::Replay(ReplayQuery { reader, channels, direct }))
    }

    /// Records the messages that all sessions have received, when the server stops.
    pub(in crate::core) fn record_received(&mut self, fx: &mut Effects) {
        let up_to = self.last_message;
        let mut changed = BTreeSet::new();
        for known in self.sessions.values().filter(|known| known.is_visible) {
            if let Some(account_state) = self.accounts.get_mut(known.account)
                && account_state
                    .received
                    .add(ReceivedRange { after: received_from(known.caps, known.last_at_start), up_to })
            {
                changed.insert(known.account);
            }
        }
        for account in changed {
            let received = self.accounts.get(account).map(|account_state| account_state.received.clone());
            fx.records.extend(received.map(|seen| Record::ReceivedSet(account, seen)));
        }
    }
}

impl Context<'_> {
    /// Replays missed messages to a client without `chathistory`.
    pub(in crate::core) fn replay_missed(&mut self, channels: &[ChannelId]) {
        let Some(me) = self.sender_account().filter(|_| !self.sender.caps.has(Cap::Chathistory)) else {
            return;
        };
        let limit = me.replay_limit(self.core.settings.replay);
        // Messages from now on are delivered live.
        let before = self.core.last_message.next(Timestamp(0));
        let received =
            self.core.received_by_other_sessions(self.sender.account, self.sender.session, received_from);
        let query =
            self.core.missed_query(me, self.reader(), channels, &received.missed_before(before, limit));
        if let Some(query) = query {
            self.query(query);
        }
    }

    /// Replays the latest messages of channels, just joined, to the account's sessions without `chathistory`. A session
    /// that saw the account leave gets only those since then.
    pub(in crate::core) fn replay_joined(&mut self, joined: &[ChannelId]) {
        let Some(me) = self.sender_account() else { return };
        let limit = me.replay_limit(self.core.settings.replay);
        let before = self.core.last_message;
        let read: Vec<_> =
            joined.iter().map(|&id| (id, last_read_message(me, Conversation::Channel(id)))).collect();
        for session in self.sender_sessions() {
            let known = self.core.sessions.get_mut(&session).must_exist("the account has the session");
            let Some(known) = known else { continue };
            let caps = known.caps;
            let since: Vec<(ChannelId, MessageId)> = read
                .iter()
                .map(|&(id, read)| (id, known.parted_channels.remove(&id).unwrap_or_default().max(read)))
                .collect();
            let channels: Vec<_> = since
                .into_iter()
                .filter_map(|(id, since)| {
                    let name = self.core.channels.get(id)?.name.clone();
                    Some(MissedChannel { id, name, missed: MissedRanges::between(since, before, limit) })
                })
                .collect();
            if !caps.has(Cap::Chathistory) && limit > 0 && !channels.is_empty() {
                let reader = self.reader().with_caps(caps);
                let query = Query::Replay(ReplayQuery { reader, channels, direct: None });
                self.fx.push(Output::Query { session, label: None, query: Box::new(query) });
            }
        }
    }
}
