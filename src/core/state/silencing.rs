//! Text of accounts that may not speak in a channel: one rule for every command that carries text of its sender.
//!
//! An account that is muted or banned in a channel, or has no voice where it is moderated, shows no text to its
//! members, whichever command carries it. In an archived channel nobody does:
//!
//! | what it is | what the channel's members see |
//! | --- | --- |
//! | PRIVMSG, NOTICE, TAGMSG with any tags, TOPIC | nothing; the sender is refused |
//! | PART, KNOCK, REDACT | the event without its reason |
//! | QUIT, AWAY | the event without its text |
//! | JOIN, for sessions with extended-join | the account's name instead of a real name |
//! | SETNAME, by command or by login; a metadata value | nothing; the change holds, WHOIS and METADATA GET show it |
//!
//! The events that go to all channels of an account at once (the last five rows) are shown in full to those who share a
//! channel with it in which it may speak, to its own sessions, and to those who monitor it: they requested it.

use std::collections::HashSet;
use std::sync::Arc;

use super::Core;
use crate::core::model::accounts::AccountState;
use crate::core::model::audience::{Audience, Recipient, SessionId};
use crate::core::model::channel::Channel;
use crate::core::model::permission_level::PermissionLevel;
use crate::core::record::AccountId;
use crate::core::record::member_status::PrefixMode;
use crate::invariants::MustExist as _;

/// The away message of an account that may not speak, as others see it.
pub(in crate::core) const SILENCED_AWAY_MESSAGE: &str = "Away";

/// The words of QUIT stand behind this; other reasons are the server's or an admin's.
pub(in crate::core) const QUIT_REASON_PREFIX: &str = "Quit: ";

/// An event's audience, by whether the words of the account reach it.
#[derive(Debug, Default)]
pub(in crate::core) struct SilencedAudience {
    /// Sessions that get the event in full.
    pub full: Vec<Audience>,
    /// Sessions that share only channels with the account in which it may not speak.
    pub without_text: Vec<Audience>,
}

impl Core {
    /// Returns whether an account may not speak in a channel.
    pub(in crate::core) fn is_silenced_in(&self, account_state: &AccountState, channel: &Channel) -> bool {
        let level = PermissionLevel::for_account(account_state.account.id, account_state.is_admin(), channel);
        if level.at_least(PrefixMode::Voice) && channel.archived.is_none() {
            return false;
        }
        self.count_scanned_rows(channel.lists.match_cost());
        level.silence_reason(account_state, channel).is_some()
    }

    /// Divides the audience of something that an account does in all of its channels at once.
    pub(in crate::core) fn split_silenced_audience(
        &self,
        account: AccountId,
        audiences: Vec<Audience>,
    ) -> SilencedAudience {
        let unsplit = |full| SilencedAudience { full, without_text: Vec::new() };
        let account_state = self.accounts.get(account).must_exist("the caller found the account");
        let Some(account_state) = account_state else { return unsplit(audiences) };
        let channels = account_state.channels.iter().filter_map(|&id| self.channels.get(id));
        let (silent, open): (Vec<&Channel>, Vec<&Channel>) =
            channels.partition(|channel| self.is_silenced_in(account_state, channel));
        if silent.is_empty() {
            return unsplit(audiences);
        }
        let in_open = open.iter().flat_map(|channel| channel.audience.recipients());
        let mut full_recipients: HashSet<SessionId> =
            in_open.chain(account_state.sessions.recipients()).map(|recipient| recipient.session).collect();
        full_recipients.extend(self.monitors.sessions_monitoring(account_state.nick()));
        self.count_scanned_rows(full_recipients.len() + audiences.iter().map(Audience::len).sum::<usize>());
        let mut split = SilencedAudience::default();
        for audience in audiences {
            let (full, without): (Vec<Recipient>, Vec<Recipient>) =
                audience.recipients().partition(|recipient| full_recipients.contains(&recipient.session));
            for (to, recipients) in [(&mut split.full, full), (&mut split.without_text, without)] {
                if !recipients.is_empty() {
                    to.push(recipients.into_iter().collect());
                }
            }
        }
        split
    }

    /// The real name of an account as JOIN shows it to a channel.
    pub(in crate::core) fn realname_shown_in(
        &self,
        account_state: &AccountState,
        channel: &Channel,
    ) -> Arc<str> {
        if self.is_silenced_in(account_state, channel) {
            return account_state.nick().shared();
        }
        account_state.realname.clone()
    }
}

/// A reason of leaving as it is shown to those who are not to read the words of the account.
pub(in crate::core) fn reason_without_text(reason: &str) -> &str {
    if reason.starts_with(QUIT_REASON_PREFIX) { "Quit" } else { reason }
}
