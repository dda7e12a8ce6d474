//! Preferences of accounts, and their user modes.

use std::sync::Arc;

use crate::core::effects::event::EventKind;
use crate::core::effects::{Effects, Origin, Output};
use crate::core::model::audience::SessionId;
use crate::core::record::{AccountId, Preference, Record};
use crate::core::state::Core;
use crate::invariants::MustExist as _;
use crate::wire::Timestamp;

impl Core {
    /// Sets a preference of an account, on behalf of one of its sessions or of an admin. Its sessions get the event of
    /// a user mode change.
    pub(in crate::core) fn set_preference(
        &mut self,
        account: AccountId,
        change: Preference,
        changed_by: Option<SessionId>,
        at: Timestamp,
        fx: &mut Effects,
    ) {
        let account_state = self.accounts.get_mut(account).must_exist("the caller found the account");
        let Some(account_state) = account_state else { return };
        let before = account_state.preferences;
        account_state.preferences = before.with(change);
        let after = account_state.preferences;
        if before != after {
            fx.records.push(Record::PreferencesSet(account, after));
        }
        if before.bot != after.bot {
            let mode: Arc<str> = if after.bot { "+B" } else { "-B" }.into();
            let event = account_state
                .event(at, EventKind::Mode { target: account_state.nick().shared(), changes: mode });
            let audience = account_state.sessions.snapshot();
            let origin = changed_by.map(|session| Origin::new(session, true));
            fx.push(Output::Broadcast { audience, event, origin });
        }
    }
}
