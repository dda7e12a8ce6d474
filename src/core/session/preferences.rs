//! Preferences of accounts, and their user modes.

use std::sync::Arc;

use crate::core::effects::event::EventKind;
use crate::core::effects::{Effects, Origin, Output};
use crate::core::model::audience::SessionId;
use crate::core::record::{AccountId, Preference, Record};
use crate::core::state::Chat;
use crate::wire::Millis;

impl Chat {
    /// Sets a preference of an account, on behalf of one of its sessions or of an admin. Its sessions get the event of
    /// a user mode change.
    pub(in crate::core) fn set_preference(
        &mut self,
        account: AccountId,
        change: Preference,
        (at, by): (Millis, Option<SessionId>),
        fx: &mut Effects,
    ) {
        let Some(person) = self.people.get_mut(account) else { return };
        let before = person.preferences;
        person.preferences = before.with(change);
        let after = person.preferences;
        if before != after {
            fx.records.push(Record::PreferencesSet(account, after));
        }
        if before.bot != after.bot {
            let mode: Arc<str> = if after.bot { "+B" } else { "-B" }.into();
            let event = person.event(at, EventKind::Mode(person.nick().shared(), mode));
            let audience = person.seats.snapshot();
            let origin = by.map(|session| Origin { session, echo: true, tag: None });
            fx.outputs.push(Output::Fan { audience, event, origin });
        }
    }
}
